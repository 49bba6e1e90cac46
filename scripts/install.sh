#!/bin/bash
# Installs the operator's command and what goes with it, or removes both: `make install` and
# `make uninstall`.
#
#	PREFIX=/usr/local DESTDIR= scripts/install.sh install|uninstall
#
# scripts/dkms.sh installs the kernel module. Nothing is enabled here. The udev rule is installed as
# an example only; to use it, copy it to /etc/udev/rules.d.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"

prefix=${PREFIX:-/usr/local}
share=$prefix/share
doc=$share/doc/tdx-update
# systemd looks for units only in these directories, whatever the prefix is.
units=/usr/local/lib/systemd/system
[ "$prefix" != /usr ] || units=/usr/lib/systemd/system

# mode, source, destination
files="
755 build/tool/tdx-update $prefix/sbin/tdx-update
644 docs/man/tdx-update.8 $share/man/man8/tdx-update.8
644 docs/man/tdx_update.4 $share/man/man4/tdx_update.4
644 contrib/completion/tdx-update $share/bash-completion/completions/tdx-update
644 contrib/systemd/tdx-update@.service $units/tdx-update@.service
644 contrib/udev/90-tdx-update.rules $doc/examples/90-tdx-update.rules
644 contrib/ansible/tdx-update.yml $doc/examples/tdx-update.yml
644 docs/tdx-update.schema.json $share/tdx-update/tdx-update.schema.json
644 docs/attestation.md $doc/attestation.md
"

case ${1:-} in
install)
	while read -r mode from to; do
		[ -n "$mode" ] || continue
		install -D -m "$mode" "$from" "${DESTDIR:-}$to"
		# The unit runs the command where it was installed.
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
*)
	echo "install.sh: install or uninstall?" >&2
	exit 2
	;;
esac
