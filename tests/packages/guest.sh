#!/bin/sh
# The guest's half of the packages' test: a service of systemd on a Debian system, which runs what
# the kernel command line asks for, reports KTAP on the second serial port and powers off.
#
#	guest.plan=update	the module that DKMS built is found, loads, and carries out an update
#	guest.plan=signing	Secure Boot: what is not signed by a key of the machine's owner does not
#				load, what DKMS signed does
#
# $1: the directory this file is in, with the plans, images and modules that are not in /lib.
set -u

here=$1
tdx=/sys/firmware/tdx
emu=/sys/kernel/debug/tdx_emu
td=/sys/kernel/debug/tdx_td

# --- what must hold: each says why it does not, and fails -----------------------------------------

# Nothing that belongs to the system has failed.
systemd_is_up() {
	failed=$(systemctl list-units --failed --no-legend --plain)
	echo "failed units: ${failed:-none}"
	[ -z "$failed" ] && [ "$(cat /proc/1/comm)" = systemd ]
}

# modprobe finds it by its name, where DKMS put it.
module_found() {
	modinfo -n tdx_update
	case $(modinfo -n tdx_update) in
	"/lib/modules/$(uname -r)/updates/dkms/tdx_update.ko"*) ;;
	*) return 1 ;;
	esac
}

# Debian's kernel here has no SEAM: says so, and does not load.
no_seam() {
	! modprobe tdx_update && dmesg | grep 'tdx_update: not loaded: '
}

module_loads() {
	signer=$(cat "$here/images/signer")
	modprobe tdx_emu && echo "signer=$signer" >$emu/platform && echo 1 >$emu/reset &&
		modprobe tdx_td && modprobe tdx_update "signer=$signer" &&
		grep . $tdx/version $tdx/state && [ "$(cat $tdx/version)" = 1.5.24 ]
}

# One TD before it lives on after it.
update_works() {
	for cmd in "new 1" "add 1 2" "finalize 1" "enter 1"; do
		echo "$cmd" >$td/cmd || return
	done
	mkdir -p /lib/firmware/intel/tdx
	cp "$here/images/v2.blob" /lib/firmware/intel/tdx/ || return
	echo intel/tdx/v2.blob >$tdx/update
	grep . $tdx/last/* $tdx/version
	[ "$(cat $tdx/last/result)" = success ] && [ "$(cat $tdx/version)" = 1.5.26 ] &&
		echo "enter 1" >$td/cmd && grep -q '^id=1 .*verdict=good' $td/tds
}

unloads() {
	rmmod tdx_td && rmmod tdx_update && rmmod tdx_emu && [ ! -e $tdx ]
}

# The firmware says so, the kernel believes it, and takes no module without a signature it knows.
secure_boot_on() {
	dmesg | grep -i 'secure boot'
	cat /sys/kernel/security/lockdown
	dmesg | grep -i 'secure boot enabled' >/dev/null &&
		grep -q '\[\(integrity\|confidentiality\)\]' /sys/kernel/security/lockdown
}

# refused FILE: insmod says that it is the signature that it does not like.
refused() {
	! message=$(insmod "$1" 2>&1) || return
	echo "$message"
	case $message in
	*": Key was rejected by service" | *": Operation not permitted" | \
		*": Required key not available") ;;
	*) return 1 ;;
	esac
	! grep -q '^tdx_update ' /proc/modules
}

unsigned_refused() {
	refused "$here/modules/unsigned.ko"
}

foreign_key_refused() {
	refused "$here/modules/foreign.ko"
}

dkms_key_loads() {
	modinfo -F signer tdx_update
	modprobe tdx_emu && modprobe tdx_update && grep . $tdx/version
}

# --- the run --------------------------------------------------------------------------------------

plan=$(sed -n 's/.*guest\.plan=\([a-z]*\).*/\1/p' /proc/cmdline)
[ -n "$plan" ] || exit 0
stty -F /dev/ttyS1 raw -echo
exec >/dev/ttyS1 2>&1 </dev/null

echo "KTAP version 1"
echo "1..$(wc -l <"$here/plan.$plan")"
number=0
while read -r check; do
	number=$((number + 1))
	status=0
	output=$("$check" 2>&1) || status=$?
	echo "$output" | sed 's/^/# /'
	if [ "$status" = 0 ]; then
		echo "ok $number $check"
	else
		echo "not ok $number $check"
	fi
done <"$here/plan.$plan"
systemctl --no-block poweroff
