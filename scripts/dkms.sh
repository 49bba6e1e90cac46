#!/bin/bash
# Has DKMS install the module for the running kernel, or remove it from every kernel.
#
#	scripts/dkms.sh install|uninstall
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"

version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
package=tdx-update/$version

die() {
	echo "dkms.sh: $*" >&2
	exit 1
}

# Removes every version, including older ones.
uninstall() {
	local dir old

	for dir in /usr/src/tdx-update-*; do
		[ -e "$dir" ] || continue
		old=tdx-update/${dir#/usr/src/tdx-update-}
		[ -z "$(dkms status "$old")" ] || dkms remove "$old" --all
		rm -rf "$dir"
	done
}

[ "$(id -u)" = 0 ] || die "not root"
command -v dkms >/dev/null || die "no dkms here: apt-get install dkms"
if [ "$(dpkg-query -Wf '${db:Status-Status}' tdx-update-dkms 2>/dev/null)" = installed ]; then
	die "the package tdx-update-dkms is installed, which does the same: apt-get remove it first"
fi
case ${1:-} in
install)
	release=$(uname -r)
	[ -e "/lib/modules/$release/build" ] ||
		die "no headers of $release here: apt-get install linux-headers-$release"
	uninstall	# this version too, as its source may have changed
	scripts/install.sh source
	dkms install "$package" -k "$release"
	;;
uninstall)
	uninstall
	;;
*)
	die "install or uninstall?"
	;;
esac
