#!/bin/bash
# The release archive's part of `make check-packages`: archive, bill of materials and packages are
# reproducible, the archive builds the same module as the tree, and its command can be installed and
# removed. The packages of the tree have been built before. Last line: see sum() in lib.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top"

name=archive out=build/packages/dist
logs=$out/logs
rm -rf "$out"
mkdir -p "$logs"
# shellcheck source=tests/packages/lib.sh
. "$here/lib.sh"

made() {
	archive=$(scripts/dist.sh)
	tar -tf "$archive" >"$out/list"
	fails grep -Ev "^tdx-update-$version/[^/]" "$out/list"
	fails grep -E '\.(ko|o|cmd|deb)$|/build/|/\.git/' "$out/list"
	mkdir "$out/unpacked"
	tar -xf "$archive" -C "$out/unpacked" --strip-components 1
}

# The archive is the same when it is made with other file times and umask, outside git and in
# another directory.
again() {
	find "$out/unpacked" -exec touch {} +
	(umask 077 && cd "$out/unpacked" && scripts/dist.sh)
	cmp "build/dist/tdx-update-$version.tar.gz" \
		"$out/unpacked/build/dist/tdx-update-$version.tar.gz"
}

# The bill of materials has the checksum of each file of the archive, but for the licence's text and
# symbolic links, and the libraries that the command is linked with. The archive's own tree makes
# the same bill.
bill() {
	local bill=$top/build/dist/tdx-update-$version.spdx

	scripts/sbom.sh
	sed -n 's,^FileName: \./,,p' "$bill" | sort >"$out/billed"
	(cd "$out/unpacked" && find . -path ./build -prune -o -type f ! -path ./LICENSE -printf '%P\n') |
		sort | diff - "$out/billed"
	awk '/^FileName: / { name = $2 } /^FileChecksum: SHA1: / { print $3 "  " name }' "$bill" |
		(cd "$out/unpacked" && sha1sum --check --quiet)
	grep -Fx "PackageChecksum: SHA256: $(sha256sum <"build/dist/tdx-update-$version.tar.gz" |
		cut -d ' ' -f 1)" "$bill"
	make build/tool/tdx-update
	readelf -d build/tool/tdx-update | sed -n 's/.*NEEDED.*\[\(.*\)\.so.*/\1/p' | grep -vx libc | sort |
		diff - <(sed -n 's/^Relationship: .* DYNAMIC_LINK SPDXRef-//p' "$bill" | sort)
	(cd "$out/unpacked" && TZ=Asia/Tokyo scripts/sbom.sh)
	cmp "$bill" "$out/unpacked/build/dist/tdx-update-$version.spdx"
}

# The packages are the same when they are built with another umask, language and time zone, in
# another directory.
same_packages() {
	local deb debs=("build/deb/$version"/*.deb)

	(umask 077 && cd "$out/unpacked" && TZ=Asia/Tokyo LC_ALL=de_DE.UTF-8 scripts/deb.sh)
	[ ${#debs[@]} = 5 ]
	for deb in "${debs[@]}"; do
		cmp "$deb" "$out/unpacked/$deb"
	done
}

# built SOURCE KO: builds the module. SOURCE is copied to one path first, because the debug
# information contains the path.
built() {
	local path=$top/$out/source

	rm -rf "$path"
	mkdir "$path"
	cp -r "$1"/{Kbuild,dkms.conf,include,src} "$path/"
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS scripts/root.sh --in "$BUILD_ROOT" \
		make -s -C "$KDIR" M="$path" modules
	cp "$path/tdx_update.ko" "$2"
}

same_module() {
	built "$top" "$out/tree.ko"
	built "$out/unpacked" "$out/archive.ko"
	cmp "$out/tree.ko" "$out/archive.ko"
}

# The scripts of tree and archive, each in its own directory, build modules of the same source.
same_source() {
	scripts/modules.sh "$KDIR" "$out/modules"
	(cd "$out/unpacked" && scripts/modules.sh "$KDIR" build/modules)
	[ "$(modinfo -F srcversion "$out/modules/tdx_update.ko")" = \
		"$(modinfo -F srcversion "$out/unpacked/build/modules/tdx_update.ko")" ]
	[ "$(modinfo -F version "$out/unpacked/build/modules/tdx_update.ko")" = "$version" ]
}

# archive_make TARGET: runs make in the unpacked archive, as an administrator would.
archive_make() {
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -C "$out/unpacked" "$1" \
		DESTDIR="$top/$out/host" PREFIX=/usr/local
}

command_comes_and_goes() {
	local host=$out/host

	archive_make install
	[ "$("$host/usr/local/sbin/tdx-update" --version)" = "tdx-update $version" ]
	grep '^ExecStart=/usr/local/sbin/tdx-update apply ' \
		"$host/usr/local/lib/systemd/system/tdx-update@.service"
	find "$host" -type f -printf '/%P\n' | sort |
		diff - <(PREFIX=/usr/local scripts/install.sh list | sort)
	archive_make uninstall
	[ -z "$(find "$host" ! -type d)" ]
}

version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
assignments=$(scripts/kernel.sh)
eval "$assignments"
export BUILD_ROOT
check "make dist packs the tree, and nothing that was built" made
check "an archive made of the unpacked archive is the same" again
check "its bill of materials lists its files, and the command's libraries" bill
check "the packages built from it are the tree's, byte for byte" same_packages
check "the module built from it is the tree's, byte for byte" same_module
check "its own scripts build that source, of that version" same_source
check "make install and make uninstall, of the command" command_comes_and_goes
sum
