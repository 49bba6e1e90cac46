#!/bin/bash
# Builds the Debian packages from the archive of `make dist`, and checks them with lintian.
#
#	scripts/deb.sh [VERSION]	prints the paths of the .deb files, in build/deb/VERSION/
#
# A VERSION other than the tree's own is for tests of an upgrade.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"

own=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
version=${1:-$own}
out=build/deb/$version
log=$out/build.log

scripts/deps.sh deb
archive=$(scripts/dist.sh)
rm -rf "$out"
mkdir -p "$out/tree"
tar -xf "$archive" -C "$out/tree" --strip-components 1
if [ "$version" != "$own" ]; then
	sed -i "s/^PACKAGE_VERSION=.*/PACKAGE_VERSION=\"$version\"/" "$out/tree/dkms.conf"
	sed -i "1s/($own)/($version)/" "$out/tree/debian/changelog"
fi

# debian/rules must not see the variables of a make that called this script.
unset MAKEFLAGS MAKELEVEL MFLAGS
(cd "$out/tree" && dpkg-buildpackage -us -uc --no-check-builddeps) >"$log" 2>&1 || {
	tail -n 30 "$log" >&2
	exit 1
}
rm -rf "$out/tree"
lintian --allow-root --info --display-info --pedantic --fail-on error,warning,info,pedantic \
	"$out"/*.changes >&2
printf '%s\n' "$out"/*.deb
