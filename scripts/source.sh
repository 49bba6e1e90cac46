#!/bin/bash
# Provides files of a kernel's source from Debian's package linux-source-KERNEL.
#
#	scripts/source.sh KERNEL
#		prints the path of the package, from the suite of KERNEL (scripts/kernel.sh).
#		Downloads it unless the version that apt knows is there
#	scripts/source.sh KERNEL DIR FILE...
#		makes DIR with these files of the source, without their directories, unless DIR has
#		them from the same package already
#
# The packages stay in build/kernels-built.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)

kernel=$1 package=linux-source-$1
kept=$top/build/kernels-built
shift

die() {
	echo "source.sh: $*" >&2
	exit 1
}

# Runs a command in the suite's root, where its packages are known.
there() {
	"$top/scripts/root.sh" --in "$root" "$@"
}

apt() {
	there apt-get -q=2 -o Acquire::Retries=3 -o APT::Sandbox::User=root "$@" >&2
}

candidate() {
	there apt-cache show --no-all-versions "$package" 2>/dev/null | sed -n 's/^Version: //p'
}

# downloaded [VERSION]: prints the path of the newest package here, or of VERSION only.
downloaded() {
	find "$kept" -name "${package}_${1:-*}_all.deb" | sort -V | tail -n 1
}

# Downloads into a new directory and renames the package when it is complete.
download() {
	local new

	new=$(mktemp -d "$kept/$package.XXXXXX")
	(
		cd "$new"
		# Old package lists name files that the archive no longer has.
		apt download "$package" || { apt update && apt download "$package"; }
	) || { rm -r "$new"; die "could not download $package: is this Debian?"; }
	rm -f "$kept/${package}"_*_all.deb
	mv "$new/${package}"_*_all.deb "$kept/"
	rmdir "$new"
}

mkdir -p "$kept"
exec 9>"$kept/.lock-$package"
flock 9
suite=$("$top/scripts/kernel.sh" --suite "$kernel")
[ -n "$suite" ] || die "no kernel $kernel"
root=$("$top/scripts/root.sh" "$suite")
deb=$(downloaded "$(candidate)")
if [ -z "$deb" ]; then
	echo "Fetching $package (once)" >&2
	download
	deb=$(downloaded)
fi
if [ $# = 0 ]; then
	echo "$deb"
	exit
fi

dir=$1
shift
made="${deb##*/} $*"
[ "$(cat "$dir/.source" 2>/dev/null)" != "$made" ] || exit 0
"$top/scripts/deps.sh" xz-utils
echo "Taking $# files out of ${deb##*/}" >&2
rm -rf "$dir" "$dir.new"
mkdir -p "$dir.new"
dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$package.tar.xz" |
	tar -xJ -C "$dir.new" --transform 's|.*/||' "${@/#/$package/}" ||
	die "$package does not have all of: $*"
echo "$made" >"$dir.new/.source"
mv "$dir.new" "$dir"
