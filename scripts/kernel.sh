#!/bin/bash
# The list of kernels the project is built for and booted with, and how one is fetched or made.
#
#	scripts/kernel.sh [NAME]	makes the kernel and its headers available, prints as shell
#					assignments: KERNEL= its name, KVER= release, KROOT= the
#					unpacked image, KDIR= headers, BUILD_ROOT= where modules
#					for it are built, see root.sh, MAKE_ARGS= with which
#	scripts/kernel.sh --list	the names of those that Debian packages and every test runs
#					on, oldest first; the first is the default
#	scripts/kernel.sh --newest	the last of them that is of no special flavour
#	scripts/kernel.sh --built	the names of those that built-kernel.sh builds from source
#	scripts/kernel.sh --kvm	the names of those with KVM, for `make check-kvm` alone
#	scripts/kernel.sh --suite NAME	the suite it comes from
#	scripts/kernel.sh --tdx	the names of those that could host TDs
#	scripts/kernel.sh --table	all of it as the rows of the table in docs/kernels.md
#
# With STRICT=1 also what modules.sh needs to be strict. The image package is unpacked under
# build/kernels/NAME and never installed: the host's own kernel
# stays alone.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)

# name (what its release begins with, up to a dash), suite, and either the image's meta package or
# the source package, what its configuration is put together of (tests/vm/config), make's arguments
kernels='
6.1		bookworm		linux-image-cloud-amd64
6.12-bpo12	bookworm-backports	linux-image-cloud-amd64
6.12		trixie			linux-image-cloud-amd64
6.12-rt		trixie			linux-image-rt-amd64
7.2		sid			linux-image-cloud-amd64
7.3		trixie-backports	linux-image-cloud-amd64
7.3-rt		trixie-backports	linux-image-rt-amd64
6.1-debug	bookworm		linux-source-6.1	guest locks memory
7.3-debug	trixie-backports	linux-source-7.3	guest locks memory
7.3-race	trixie-backports	linux-source-7.3	guest locks race
7.3-tdx		trixie-backports	linux-source-7.3	guest tdx LLVM=1
6.1-kvm		bookworm		linux-image-amd64
'

die() {
	echo "kernel.sh: $*" >&2
	exit 1
}

say() {
	echo "kernel $name: $*" >&2
}

# Runs apt's tools where that suite's packages are known.
there() {
	"$top/scripts/root.sh" --in "$root" "$@"
}

# Prints "PACKAGE VERSION" of the image that the meta package stands for today.
resolve() {
	there apt-cache -o "APT::Default-Release=$suite" show --no-all-versions "$package" 2>/dev/null |
		sed -n 's/^Depends:.*\(linux-image-[0-9][^ ,]*\) (= \([^)]*\)).*/\1 \2/p'
}

# Downloads the image that the meta package stands for today into the directory $1: one package, or
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

# Makes build/kernels/NAME anew. The directory gets its name last, so that what is there is
# complete.
fetch() {
	local new="$dir.new" deb

	rm -rf "$new"
	mkdir -p "$new/root"
	# Package lists older than the archive name files that are gone: once more with new ones.
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
	# From 7.2 on the image is beside its modules.
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

# The headers come from apt: their makefiles name absolute paths under /usr/src.
headers() {
	"$top/scripts/root.sh" "$suite" module ${STRICT:+strict} "linux-headers-$release=$version" \
		>/dev/null
}

# The names of one kind: packaged, built or kvm.
list() {
	awk -v kind="$1" '
		NF && kind == ($1 ~ /-kvm$/ ? "kvm" : NF > 3 ? "built" : "packaged") { print $1 }
	' <<<"$kernels"
}

case ${1:-} in
--list) list packaged; exit ;;
--newest) list packaged | grep -v -- - | tail -n 1; exit ;;
--built) list built; exit ;;
--kvm) list kvm; exit ;;
--tdx) awk '{ for (i = 4; i <= NF; i++) if ($i == "tdx") print $1 }' <<<"$kernels"; exit ;;
--suite) awk -v name="$2" '$1 == name { print $2 }' <<<"$kernels"; exit ;;
--table)
	awk 'NF { printf "| %s | %s | `%s`%s |\n", $1, $2, $3, (NF > 3 ? ", built here" : "") }' \
		<<<"$kernels"
	exit
	;;
esac
name=${1:-$(list packaged | head -n 1)}
read -r suite package config < <(awk -v name="$name" '$1 == name { $1 = ""; print }' <<<"$kernels") ||
	die "no kernel $name; there are: $({ list packaged; list built; list kvm; } | xargs)"
root=$("$top/scripts/root.sh" "$suite")
[ -z "$config" ] || exec "$top/scripts/built-kernel.sh" "$name" "$suite" "$package" "$config"
dir=$top/build/kernels/$name

mkdir -p "$top/build/kernels"
exec 9>"$top/build/kernels/.lock"
flock 9
"$top/scripts/deps.sh" kmod
[ -e "$dir/release" ] || fetch
read -r release version <"$dir/release"
# Headers of a kernel that was fetched long ago may be gone from the archive: then take today's
# kernel.
if ! headers; then
	say "no headers for $release $version: fetching the kernel of today"
	fetch
	headers
fi

printf 'KERNEL=%q KVER=%q KROOT=%q KDIR=%q BUILD_ROOT=%q MAKE_ARGS=\n' \
	"$name" "$release" "$dir/root" "/usr/src/linux-headers-$release" "$root"
