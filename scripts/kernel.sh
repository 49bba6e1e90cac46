#!/bin/bash
# The list of kernels the project is built for and booted with, and how one is fetched.
#
#	scripts/kernel.sh [NAME]	makes the kernel and its headers available, prints as shell
#					assignments: KERNEL= its name, KVER= release, KROOT= the
#					unpacked image, KDIR= headers
#	scripts/kernel.sh --list	the names; the first is the default
#
# 6.1-debug, which is not in the list, is the sanitizer kernel that debug-kernel.sh builds.
#
# The image package is unpacked under build/kernels/NAME and never installed: the host's own kernel
# stays alone.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)

# name (leading part of its release), image meta package
kernels='
6.1	linux-image-cloud-amd64
'

die() {
	echo "kernel.sh: $*" >&2
	exit 1
}

say() {
	echo "kernel $name: $*" >&2
}

# Prints "PACKAGE VERSION" of the image that the meta package stands for today.
resolve() {
	apt-cache show --no-all-versions "$meta" 2>/dev/null |
		sed -n 's/^Depends:.*\(linux-image-[0-9][^ ,]*\) (= \([^)]*\)).*/\1 \2/p'
}

# Downloads the image package that the meta package stands for today into the directory $1.
download() {
	local image version

	read -r image version < <(resolve) || return 1
	[[ ${image#linux-image-} == "$name".* ]] || die "$meta is $image here, not a $name kernel"
	say "downloading $image $version"
	(cd "$1" && apt-get -q=2 -o Acquire::Retries=3 -o APT::Sandbox::User=root \
		download "$image=$version") >&2 || return 1
	printf '%s %s\n' "${image#linux-image-}" "$version" >"$1/release"
}

# Makes build/kernels/NAME anew. The directory gets its name last, so that what is there is
# complete.
fetch() {
	local new="$dir.new"

	rm -rf "$new"
	mkdir -p "$new/root"
	# Package lists older than the archive name files that are gone: once more with new ones.
	if ! download "$new"; then
		say "once more, with new package lists"
		apt-get -q=2 update >&2 || die "apt-get update failed"
		download "$new" || die "could not download $meta's image: is this Debian?"
	fi
	dpkg -x "$new"/linux-image-*.deb "$new/root"
	rm "$new"/linux-image-*.deb
	read -r release version <"$new/release"
	depmod -b "$new/root" "$release"
	rm -rf "$dir"
	mv "$new" "$dir"
	say "$release unpacked"
}

# The headers come from apt: their makefiles name absolute paths under /usr/src.
headers() {
	"$top/scripts/deps.sh" "linux-headers-$release=$version"
}

if [ "${1:-}" = --list ]; then
	awk 'NF { print $1 }' <<<"$kernels"
	exit
fi
name=${1:-$("$0" --list | head -n 1)}
[ "$name" != 6.1-debug ] || exec "$top/scripts/debug-kernel.sh"
meta=$(awk -v name="$name" '$1 == name { print $2 }' <<<"$kernels")
[ -n "$meta" ] || die "no kernel $name; there are: $("$0" --list | xargs)"
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

printf 'KERNEL=%q KVER=%q KROOT=%q KDIR=%q\n' \
	"$name" "$release" "$dir/root" "/usr/src/linux-headers-$release"
