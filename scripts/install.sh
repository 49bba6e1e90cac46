#!/bin/bash
# Installs the operator's command and what goes with it, or removes both: `make install` and
# `make uninstall`. The packages use it too, so this is the only list of what they contain.
#
#	PREFIX=/usr/local DESTDIR= DOCDIR=PREFIX/share/doc scripts/install.sh install|uninstall|list
#	DESTDIR= scripts/install.sh source
#
# list prints the paths of the files. source copies the kernel module's source to where DKMS looks
# for it; scripts/dkms.sh has DKMS install it. No part of the tests may reach a host.
#
# No unit is enabled here. A udev rule loads the module at boot on TDX hosts. The rules about
# updates are examples; to use them, copy them to /etc/udev/rules.d.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"

prefix=${PREFIX:-/usr/local}
share=$prefix/share
doc=${DOCDIR:-$share/doc}/tdx-update
# systemd and udev look only in these directories, whatever the prefix is.
lib=/usr/local/lib
[ "$prefix" != /usr ] || lib=/usr/lib

# mode, source, destination
files="
755 build/tool/tdx-update $prefix/sbin/tdx-update
644 docs/man/tdx-update.8 $share/man/man8/tdx-update.8
644 docs/man/tdx_update.4 $share/man/man4/tdx_update.4
644 contrib/completion/tdx-update $share/bash-completion/completions/tdx-update
644 contrib/systemd/tdx-update@.service $lib/systemd/system/tdx-update@.service
644 contrib/systemd/tdx-update-boot.service $lib/systemd/system/tdx-update-boot.service
644 contrib/systemd/tdx-update-metrics.service $lib/systemd/system/tdx-update-metrics.service
644 contrib/systemd/tdx-update-metrics.timer $lib/systemd/system/tdx-update-metrics.timer
644 contrib/systemd/tdx-update-features.service $lib/systemd/system/tdx-update-features.service
644 contrib/systemd/tdx-update-features.timer $lib/systemd/system/tdx-update-features.timer
644 contrib/journal/tdx-update.catalog $lib/systemd/catalog/tdx-update.catalog
644 contrib/udev/60-tdx-update-load.rules $lib/udev/rules.d/60-tdx-update-load.rules
644 contrib/udev/90-tdx-update.rules $doc/examples/90-tdx-update.rules
644 contrib/ansible/tdx-update.yml $doc/examples/tdx-update.yml
644 docs/tdx-update.schema.json $share/tdx-update/tdx-update.schema.json
644 contrib/prometheus/tdx-update.rules.yml $share/tdx-update/prometheus.rules.yml
644 contrib/grafana/tdx-update.json $share/tdx-update/grafana.json
755 contrib/libvirt/qemu $doc/examples/libvirt-qemu
755 contrib/older-names $doc/examples/older-names
644 docs/attestation.md $doc/attestation.md
"

case ${1:-} in
install)
	while read -r mode from to; do
		[ -n "$mode" ] || continue
		install -D -m "$mode" "$from" "${DESTDIR:-}$to"
		# The units run the command where it was installed.
		case $from in
		*.service) sed -i "s|@PREFIX@|$prefix|" "${DESTDIR:-}$to" ;;
		esac
	done <<<"$files"
	;;
uninstall)
	while read -r mode _ to; do
		[ -z "$mode" ] || rm -f "${DESTDIR:-}$to"
	done <<<"$files"
	rmdir --ignore-fail-on-non-empty "${DESTDIR:-}$doc/examples" "${DESTDIR:-}$doc" \
		"${DESTDIR:-}$share/tdx-update" 2>/dev/null || true
	;;
list)
	while read -r mode _ to; do
		[ -z "$mode" ] || echo "$to"
	done <<<"$files"
	;;
source)
	version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
	source=${DESTDIR:-}/usr/src/tdx-update-$version
	find Kbuild dkms.conf include src -type f -exec install -D -m 644 {} "$source/{}" \;
	;;
*)
	echo "install.sh: install, uninstall, list or source?" >&2
	exit 2
	;;
esac
