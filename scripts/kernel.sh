#!/bin/bash
# The list of kernels that the project is built for and booted with. Fetches or builds one of them.
#
#	scripts/kernel.sh [NAME]	makes the kernel and its headers available and prints shell
#					assignments: KERNEL= its name, KVER= its release, KROOT=
#					the unpacked image, KDIR= the headers, BUILD_ROOT= the root
#					in which its modules are built (see root.sh), MAKE_ARGS=
#					further arguments for make
#	scripts/kernel.sh --list	the kernels that Debian packages, which every test runs on,
#					oldest first; the first is the default
#	scripts/kernel.sh --newest	the last of them without a special flavour
#	scripts/kernel.sh --built	the kernels that built-kernel.sh builds to find faults
#	scripts/kernel.sh --kvm	the kernels with KVM, only for `make check-kvm`
#	scripts/kernel.sh --gcov	the kernel that counts lines, only for `make coverage`
#	scripts/kernel.sh --kasan	the kernel that CI builds to find faults of memory
#	scripts/kernel.sh --tiny	the kernel of a KVM guest in `make check-kvm`
#	scripts/kernel.sh --td	the kernel with the emulator built in, only for `make check-tdx`
#	scripts/kernel.sh --suite NAME	the suite that the kernel comes from
#	scripts/kernel.sh --table	the list as the rows of the table in docs/kernels.md
#
# STRICT=1 also installs what modules.sh needs to be strict. The image package is unpacked under
# build/kernels/NAME and never installed, so the host's own kernel stays alone.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)

# Columns: name (up to a dash, the beginning of the release), suite, and either the image's meta
# package, or the source package, files of tests/vm/config, emu for a kernel with the emulator built
# in, arguments for make, and with "own:" those for the kernel alone. A kernel whose own code is not
# checked builds and runs nearly as fast as one without KASAN.
kernels='
6.1		bookworm		linux-image-cloud-amd64
6.12-bpo12	bookworm-backports	linux-image-cloud-amd64
6.12		trixie			linux-image-cloud-amd64
6.12-rt		trixie			linux-image-rt-amd64
7.2		sid			linux-image-cloud-amd64
7.3		trixie-backports	linux-image-cloud-amd64
7.3-rt		trixie-backports	linux-image-rt-amd64
6.1-debug	bookworm		linux-source-6.1	guest all-cases locks memory
7.3-debug	trixie-backports	linux-source-7.3	guest all-cases locks memory
7.3-race	trixie-backports	linux-source-7.3	guest all-cases locks race
7.3-tdx		trixie-backports	linux-source-7.3	guest all-cases tdx LLVM=1
6.1-kvm		bookworm		linux-image-amd64
6.12-kvm	trixie			linux-image-amd64
7.3-kvm		trixie-backports	linux-image-amd64
6.1-gcov	bookworm		linux-source-6.1	guest all-cases gcov
6.1-kasan	bookworm		linux-source-6.1	guest kasan own:KASAN_SANITIZE=n
6.1-tiny	bookworm		linux-source-6.1	tiny
7.3-td		trixie-backports	linux-source-7.3	guest all-cases td emu
'

die() {
	echo "kernel.sh: $*" >&2
	exit 1
}

say() {
	echo "kernel $name: $*" >&2
}

# Runs apt's tools in the suite's root, where its packages are known.
there() {
	"$top/scripts/root.sh" --in "$root" "$@"
}

# Prints "PACKAGE VERSION" of the image that the meta package stands for today.
resolve() {
	there apt-cache -o "APT::Default-Release=$suite" show --no-all-versions "$package" 2>/dev/null |
		sed -n 's/^Depends:.*\(linux-image-[0-9][^ ,]*\) (= \([^)]*\)).*/\1 \2/p'
}

# download DIR: downloads the image that the meta package stands for today. This is one package, or
# from 7.2 on several of the same release and version.
download() {
	local image version release

	read -r image version < <(resolve) || return 1
	release=${image#linux-image-}
	[[ $release == "${name%%-*}".* ]] || die "$package is $image here, not a $name kernel"
	say "downloading $image $version"
	there apt-cache show "$image=$version" | grep '^Depends:' |
		grep -o "linux-[a-z]*-$release (= $version)" | sed 's/ (= /=/; s/)//' >"$1/parts" || true
	# shellcheck disable=SC2046 # a list of packages
	(cd "$1" && there apt-get -q=2 -o Acquire::Retries=3 -o APT::Sandbox::User=root \
		download "$image=$version" $(cat "$1/parts")) >&2 || return 1
	printf '%s %s\n' "$release" "$version" >"$1/release"
}

# Makes build/kernels/NAME anew. The directory is renamed last, so that $dir is always complete.
fetch() {
	local new="$dir.new" deb

	rm -rf "$new"
	mkdir -p "$new/root"
	# Old package lists name files that the archive no longer has: try again with new lists.
	if ! download "$new"; then
		say "once more, with new package lists"
		there apt-get -q=2 update >&2 || die "apt-get update failed"
		download "$new" || die "could not download $package's image: is this Debian?"
	fi
	for deb in "$new"/*.deb; do
		dpkg -x "$deb" "$new/root"
	done
	rm "$new"/*.deb
	read -r release version <"$new/release"
	[ -e "$new/root/lib" ] || ln -s usr/lib "$new/root/lib"
	# From 7.2 on Debian packages the image beside the modules.
	if [ ! -e "$new/root/boot" ]; then
		mkdir "$new/root/boot"
		ln -s "../lib/modules/$release/vmlinuz" "$new/root/boot/vmlinuz-$release"
		ln -s "../lib/modules/$release/config" "$new/root/boot/config-$release"
	fi
	depmod -b "$new/root" "$release"
	rm -rf "$dir"
	mv "$new" "$dir"
	say "$release unpacked"
}

# The headers are installed, not unpacked: their makefiles name absolute paths under /usr/src.
headers() {
	"$top/scripts/root.sh" "$suite" module ${STRICT:+strict} "linux-headers-$release=$version" \
		>/dev/null
}

# list packaged|built|kvm|gcov|tiny|kasan|td: prints the names of the kernels of that kind. Those
# that have a kind of their own are not among those of `make check-debug`: they would find no fault
# that the others miss.
list() {
	awk -v kind="$1" '
		NF { is = NF > 3 ? "built" : "packaged" }
		match($1, /-(kvm|gcov|tiny|kasan|td)$/) { is = substr($1, RSTART + 1) }
		NF && is == kind { print $1 }
	' <<<"$kernels"
}

# known NAME: ends with 2, as for other wrong settings, unless there is such a kernel.
known() {
	local names

	names=$(awk 'NF { print $1 }' <<<"$kernels" | xargs)
	[[ " $names " == *" $1 "* ]] || {
		echo "kernel.sh: no kernel $1; there are: $names" >&2
		exit 2
	}
}

case ${1:-} in
--list) list packaged; exit ;;
--newest) list packaged | grep -v -- - | tail -n 1; exit ;;
--built | --kvm | --gcov | --tiny | --kasan | --td) list "${1#--}"; exit ;;
--suite)
	known "$2"
	awk -v name="$2" '$1 == name { print $2 }' <<<"$kernels"
	exit
	;;
--table)
	awk 'NF { printf "| %s | %s | `%s`%s |\n", $1, $2, $3, (NF > 3 ? ", built here" : "") }' \
		<<<"$kernels"
	exit
	;;
esac
name=${1:-$(list packaged | head -n 1)}
known "$name"
read -r suite package config < <(awk -v name="$name" '$1 == name { $1 = ""; print }' <<<"$kernels")
root=$("$top/scripts/root.sh" "$suite")
[ -z "$config" ] || exec "$top/scripts/built-kernel.sh" "$name" "$suite" "$package" "$config"
dir=$top/build/kernels/$name

mkdir -p "$top/build/kernels"
exec 9>"$top/build/kernels/.lock"
flock 9
"$top/scripts/deps.sh" kmod
[ -e "$dir/release" ] || fetch
read -r release version <"$dir/release"
# The archive may no longer have the headers of a kernel that was fetched long ago. Then fetch
# today's kernel.
if ! headers; then
	[ "$(id -u)" = 0 ] || exit 1	# deps.sh has said what root has to install
	say "no headers for $release $version: fetching the kernel of today"
	fetch
	headers
fi

printf 'KERNEL=%q KVER=%q KROOT=%q KDIR=%q BUILD_ROOT=%q MAKE_ARGS=\n' \
	"$name" "$release" "$dir/root" "/usr/src/linux-headers-$release" "$root"
