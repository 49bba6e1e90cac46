#!/bin/bash
# The RPM packages' part of `make check-packages`: they are reproducible, have the files of Debian's
# packages, come and go without a trace, and their source builds the module that the tree builds.
#
#	tests/packages/rpm.sh SUITE
#
# No distribution that uses RPM is here. In an empty tree, which has no shell, no scriptlet runs. In
# a copy of the suite's system (base.sh) the scriptlets run with the suite's own dkms. Nothing there
# provides what the packages require, so rpm does not look for it. Debian's packages have been built
# before. Last line: see sum() in lib.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top"
[ -n "${RPM_MOUNTS:-}" ] || exec unshare --mount env RPM_MOUNTS=own "$0" "$@"

suite=$1
# shellcheck disable=SC2034 # lib.sh reads it
name=rpm
out=build/packages/rpm
logs=$out/logs
tree=$top/$out/tree
system=$top/$out/system
# dist.sh has built it.
modules=build/packages/dist/modules
rm -rf "$out"
mkdir -p "$logs"
# shellcheck source=tests/packages/lib.sh
. "$here/lib.sh"

# in_tree OPTION...: runs rpm on the empty tree.
in_tree() {
	rpm --root "$tree" --dbpath /var/lib/rpm "$@"
}

# Prints the paths of the tree, except rpm's own database.
paths() {
	find "$tree" -path "$tree/var/lib/rpm" -prune -o -printf '%P %y %m\n' | sort
}

# --- the packages ---------------------------------------------------------------------------------

# The packages are the same when they are built with another umask, language and time zone, in
# another directory of another host.
same_packages() {
	local rpm rpms=("build/rpm/$version"/*.rpm)

	mkdir "$out/unpacked"
	tar -xf "$(scripts/dist.sh)" -C "$out/unpacked" --strip-components 1
	(umask 077 && cd "$out/unpacked" && TZ=Asia/Tokyo LC_ALL=de_DE.UTF-8 unshare --uts sh -euc '
		hostname elsewhere
		exec scripts/rpm.sh')
	[ ${#rpms[@]} = 4 ]
	for rpm in "${rpms[@]}"; do
		cmp "$rpm" "$out/unpacked/$rpm"
	done
}

# Prints mode and path of each file in the list on standard input, which is one of tar or rpm. What
# each packager adds in its own way is left out: licence, changelog, compression, build IDs.
files() {
	sed -nE 's,^-(r[rwx-]*) .* \.?(/[^ ]*)$,\1 \2,p' |
		grep -vE '/(copyright|LICENSE|changelog(\.Debian)?\.gz|lintian/overrides/[^ ]*)$|/\.build-id/' |
		sed 's/\.gz$//' | sort
}

# The same files as in Debian's packages, with the same modes.
same_files() {
	local package

	for package in tdx-update tdx-update-dkms; do
		dpkg-deb -c "build/deb/$version/${package}_"*.deb | files >"$out/deb.files"
		rpm -qplv "build/rpm/$version/$package-$version"-1.[!s]*.rpm | files >"$out/rpm.files"
		[ -s "$out/deb.files" ]
		diff "$out/deb.files" "$out/rpm.files"
	done
}

# --- an empty tree --------------------------------------------------------------------------------

# It has only the directories of which a distribution's own packages are the owners.
empty_tree() {
	mkdir -p "$tree"/{var/lib/rpm,usr/sbin,usr/src,usr/lib/systemd/{catalog,system},usr/lib/udev/rules.d}
	mkdir -p "$tree"/lib/modules "$tree"/usr/share/{bash-completion/completions,doc,licenses}
	mkdir -p "$tree"/usr/share/man/man{4,8}
	paths >"$out/empty"
}

installs() {
	in_tree --nodeps --noscripts -i "${rpms[@]}"
	# The files are as the packages say, and the command runs.
	in_tree --nodeps -V tdx-update tdx-update-dkms
	[ "$("$tree/usr/sbin/tdx-update" --version)" = "tdx-update $version" ]
	grep '^ExecStart=/usr/sbin/tdx-update apply ' "$tree"/usr/lib/systemd/system/tdx-update@.service
}

# The source that was installed is the tree's, and nothing of the tests.
same_source() {
	local source=$tree/usr/src/tdx-update-$version

	diff -r "$source/src" src
	diff -r "$source/include" include
	cmp "$source/Kbuild" Kbuild
	cmp "$source/dkms.conf" dkms.conf
	[ "$(find "$source" -mindepth 1 -maxdepth 1 | wc -l)" = 4 ]
}

upgrades() {
	in_tree --nodeps --noscripts -U "${next_rpms[@]}"
	[ "$(in_tree -q tdx-update tdx-update-dkms | sort | xargs)" = \
		"tdx-update-$version.1-1.x86_64 tdx-update-dkms-$version.1-1.noarch" ]
	[ "$(ls "$tree/usr/src")" = "tdx-update-$version.1" ]
	in_tree --nodeps -V tdx-update tdx-update-dkms
}

# erased PACKAGE...: removes them; the tree is empty again.
erased() {
	in_tree --nodeps --noscripts -e "$@"
	paths | diff "$out/empty" -
}

# --- the built module -----------------------------------------------------------------------------

# bare KO FILE: copies a module without what depends on the directory of the build: debug
# information, and the ID that the linker computes from it.
bare() {
	objcopy --strip-debug --remove-section .note.gnu.build-id "$1" "$2"
}

# Rebuilds the source package for the kernel. Its module is the one that the scripts of the tree
# build, and signed. A kernel's directory belongs to the kernel's package, which is not here.
kmod() {
	local ko=$tree/lib/modules/$KVER/updates/tdx_update.ko

	openssl req -new -x509 -nodes -days 36500 -subj "/CN=build system" -newkey rsa:2048 \
		-keyout "$out/sign.key" -outform DER -out "$out/sign.der"
	rpmbuild --rebuild --nodeps --define "_topdir $top/$out/kmod" \
		--define "kernel_release $KVER" --define "kernel_dir $KDIR" \
		--define "kernel_package linux-image-$KVER" \
		--define "sign_key $top/$out/sign.key" \
		--define "sign_certificate $top/$out/sign.der" \
		"build/rpm/$version/tdx-update-kmod-$version-1.src.rpm"
	mkdir -p "$tree/lib/modules/$KVER/updates"
	paths >"$out/empty"
	in_tree --nodeps --noscripts -i "$out"/kmod/RPMS/x86_64/kmod-tdx-update-*.rpm
	scripts/modules.sh "$KDIR" "$modules"
	[ "$(modinfo -F signer "$ko")" = "build system" ]
	bare "$ko" "$out/kmod.ko"
	bare "$modules/tdx_update.ko" "$out/tree.ko"
	cmp "$out/kmod.ko" "$out/tree.ko"
	erased kmod-tdx-update
}

# --- a system with dkms ---------------------------------------------------------------------------

# A writable copy of the suite's system. What differs from it is in $out/upper. The mounts end with
# this script, which has a mount namespace of its own.
dkms_system() {
	mkdir -p "$out"/{upper,overlay} "$system"
	mount -t overlay overlay "$system" \
		-o "lowerdir=build/packages/$suite/base,upperdir=$out/upper,workdir=$out/overlay"
	mount -t proc proc "$system/proc"
	mount --rbind /dev "$system/dev"
	chroot "$system" dkms --version
}

# on_system OPTION...: runs rpm there, with scriptlets.
on_system() {
	rpm --root "$system" --dbpath /var/lib/rpm --nodeps "$@"
}

# installed VERSION: dkms has installed that version and no other.
installed() {
	local ko

	chroot "$system" dkms status | tee "$out/status"
	[ "$(wc -l <"$out/status")" = 1 ]
	grep "^tdx-update/$1, $release, x86_64: installed" "$out/status"
	ko=$(find "$out/upper" -path "*/lib/modules/$release/*" -name 'tdx_update.ko*')
	[ "$(modinfo -F version "$ko")" = "$1" ]
	[ "$1" != "$version" ] || [ "$(modinfo -F srcversion "$ko")" = \
		"$(modinfo -F srcversion "$modules/tdx_update.ko")" ]
}

dkms_installs() {
	on_system -i "${rpms[@]}"
	installed "$version"
}

dkms_upgrades() {
	on_system -U "${next_rpms[@]}"
	installed "$version.1"
}

# A package of the same version takes the module out of dkms and puts it back. Without headers dkms
# cannot build it. The package is installed all the same, and says what is missing.
dkms_reinstalls() {
	local build=$system/lib/modules/$release/build

	mv "$build" "$build.away"
	on_system -U --replacepkgs "${next_rpms[@]}" 2>&1 | tee "$out/said"
	mv "$build.away" "$build"
	grep 'no kernel has its headers here' "$out/said"
	[ "$(chroot "$system" dkms status)" = "tdx-update/$version.1: added" ]
}

dkms_removes() {
	on_system -e tdx-update tdx-update-dkms
	# Character devices are overlayfs's mark of a file that is gone.
	find "$out/upper" -name '*tdx[-_]update*' ! -type c >"$out/left"
	cat "$out/left"
	[ ! -s "$out/left" ]
}

version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
say "building the packages"
scripts/rpm.sh
scripts/rpm.sh "$version.1" >/dev/null
rpms=("build/rpm/$version/tdx-update-$version"-*.x86_64.rpm
	"build/rpm/$version/tdx-update-dkms-$version"-*.noarch.rpm)
next_rpms=("build/rpm/$version.1/tdx-update-$version.1"-*.x86_64.rpm
	"build/rpm/$version.1/tdx-update-dkms-$version.1"-*.noarch.rpm)
assignments=$(scripts/kernel.sh)
eval "$assignments"
export BUILD_ROOT
tests/packages/base.sh "$suite"
release=$(ls "build/packages/$suite/base/lib/modules")

check "packages built in another directory are the same, byte for byte" same_packages
check "they have the files of Debian's packages" same_files
check "a tree without other packages" empty_tree
check "rpm installs them there" installs
check "the source there is the tree's" same_source
check "rpm upgrades them, the old files are gone" upgrades
check "rpm removes them, nothing is left" erased tdx-update tdx-update-dkms
check "kmod-tdx-update has the tree's module, and leaves nothing" kmod
check "a system with dkms" dkms_system
check "the package's scriptlets have dkms build and install the module" dkms_installs
check "an upgrade replaces it" dkms_upgrades
check "so does a package of that version, which misses a kernel's headers" dkms_reinstalls
check "dkms and the system have nothing of it after its removal" dkms_removes
sum
