#!/bin/bash
# Builds the RPM packages from the archive of `make dist`, and checks them with rpmlint.
#
#	scripts/rpm.sh [VERSION]	prints the paths of the .rpm files, in build/rpm/VERSION/
#
# Command and DKMS source are built as source and binary packages. The built module depends on a
# kernel, so only its source package is made (rpm/tdx-update-kmod.spec.in says how to build it). A
# VERSION other than the tree's own is for tests of an upgrade.
#
# On Debian the packages that the build needs have other names, so rpmbuild does not look for them.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"

own=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
version=${1:-$own}
out=$top/build/rpm/$version
log=$out/build.log
work=$out/work

# Prints debian/changelog as a spec has it.
changelog() {
	local line day release entry=''

	while IFS= read -r line; do
		case $line in
		'  * '*) entry+="- ${line#  \* }"$'\n' ;;
		'    '*) entry+="  ${line#    }"$'\n' ;;
		' -- '*)
			day=$(LC_ALL=C date -ud "${line##*>  }" '+%a %b %d %Y')
			line=${line# -- }
			printf '* %s %s> - %s-1\n%s\n' "$day" "${line%%>  *}" "$release" "${entry//%/%%}"
			entry=''
			;;
		*' ('*') '*)
			release=${line#*\(}
			release=${release%%\)*}
			;;
		esac
	done <"$work/tree/debian/changelog"
}

# spec NAME: prints rpm/NAME.spec.in with the version and the changelog.
spec() {
	sed "s/@VERSION@/$version/" "$work/tree/rpm/$1.spec.in"
	changelog
}

# build NAME OPTION...: runs rpmbuild so that the same files make the same packages. A source
# package has the paths of its build, so these are the same for every tree: $work is /mnt there.
build() {
	local name=$1 namespace=(unshare --mount)

	shift
	[ "$(id -u)" = 0 ] || namespace+=(--map-root-user)
	spec "$name" >"$work/$name.spec"
	touch -d "@$SOURCE_DATE_EPOCH" "$work/$name.spec"
	# shellcheck disable=SC2016 # expanded inside
	"${namespace[@]}" sh -euc '
		mount --bind "$1" /mnt
		cd /mnt
		shift
		exec rpmbuild "$@"' sh "$work" "$@" "${options[@]}" "/mnt/$name.spec" >>"$log" 2>&1 || {
		tail -n 30 "$log" >&2
		exit 1
	}
}

umask 022
export TZ=UTC LC_ALL=C.UTF-8
rm -rf "$out"
mkdir -p "$work"/{tree,SOURCES}
options=()
if command -v apt-get >/dev/null; then
	scripts/deps.sh rpm
	options=(--nodeps --define "optflags -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
		-ffile-prefix-map=%{_builddir}=." --define "build_ldflags -pie -s -Wl,-z,relro,-z,now"
		# It is a script for bash that asks for sh.
		--define "__brp_compress bash /usr/lib/rpm/brp-compress /usr")
fi
archive=$top/$(scripts/dist.sh)
tar -xf "$archive" -C "$work/tree" --strip-components 1
if [ "$version" != "$own" ]; then
	sed -i "s/^PACKAGE_VERSION=.*/PACKAGE_VERSION=\"$version\"/" "$work/tree/dkms.conf"
	sed -i "1s/($own)/($version)/" "$work/tree/debian/changelog"
	archive=$work/tree/$(cd "$work/tree" && scripts/dist.sh)
fi
cp "$archive" "$work/SOURCES/"
SOURCE_DATE_EPOCH=$(date -d "$(sed -n 's/^ -- .*>  //p' "$work/tree/debian/changelog" |
	head -n 1)" +%s)
export SOURCE_DATE_EPOCH
options+=(
	--define "_topdir /mnt" --define "_rpmdir /mnt" --define "_srcrpmdir /mnt"
	--define "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm"
	--define "_buildhost reproducible" --define "use_source_date_epoch_as_buildtime 1"
	--define "clamp_mtime_to_source_date_epoch 1"
)
# rpmbuild must not see the variables of a make that called this script.
unset MAKEFLAGS MAKELEVEL MFLAGS
build tdx-update -ba
build tdx-update-kmod -bs
mv "$work"/*.rpm "$out/"
if command -v rpmlint >/dev/null; then
	# Each source package by itself: it takes the spec of another one for a second spec.
	for name in tdx-update{-kmod,}; do
		rpmlint --strict --config rpm/rpmlint.toml "$work/$name.spec" \
			"$out/$name-$version"*.rpm >>"$out/rpmlint.log" 2>&1 || {
			cat "$out/rpmlint.log" >&2
			exit 1
		}
	done
fi
rm -rf "$work"
printf '%s\n' "$out"/*.rpm
