#!/bin/sh
# The guest's half of the packages' test: a service of systemd on a Debian system, which runs what
# the kernel command line asks for, reports KTAP on the second serial port and powers off.
#
#	guest.plan=update	the module that DKMS built is found, loads, and updates; the
#				unit and the udev rule work
#	guest.plan=signing	Secure Boot: a module without a signature by a key of the machine's
#				owner does not load, one that DKMS signed does
#	guest.plan=fleet	a host that Ansible updates; fleet.sh says when that is over
#
# $1: the directory this file is in, with the plans, images and modules that are not in /lib.
# shellcheck disable=SC2119 # begin() can do without arguments
set -u

here=$1
# shellcheck source=tests/packages/tdx.sh
. "$here/tdx.sh"

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
	begin && grep . $TDX/version $TDX/state && [ "$(cat $TDX/version)" = 1.5.24 ]
}

# One TD before it lives on after it.
update_works() {
	build_td 1 && mkdir -p /lib/firmware/intel/tdx &&
		cp "$IMAGES/v2.blob" /lib/firmware/intel/tdx/ || return
	echo intel/tdx/v2.blob >$TDX/update
	grep . $TDX/last/* $TDX/version
	[ "$(cat $TDX/last/result)" = success ] && [ "$(cat $TDX/version)" = 1.5.26 ] && td_is_alive 1
}

# --- the unit -------------------------------------------------------------------------------------

# unit IMAGE: that installs it.
unit() {
	systemd-escape --path --template=tdx-update@.service "$IMAGES/$1"
}

# journal UNIT: what it has said.
journal() {
	journalctl --sync
	journalctl --no-pager -o cat -u "$1"
}

unit_verifies() {
	findings=$(systemd-analyze verify --man=no "$(unit b.blob)" 2>&1 | grep -F tdx-update)
	echo "systemd-analyze verify: ${findings:-nothing to say}"
	[ -z "$findings" ]
}

# Without the module there is nothing to be done, and that is no failure.
unit_is_skipped() {
	systemctl start "$(unit b.blob)" && journal "$(unit b.blob)" | grep -i 'skipped' &&
		[ "$(systemctl show -P ConditionResult "$(unit b.blob)")" = no ]
}

# From 1.5.26, with that one's image as the recovery image. It waits for a TD that is being built.
unit_waits_and_installs() {
	unit=$(unit b.blob)
	td "new 2" "add 2 1" && systemctl start --no-block "$unit" || return
	until [ "$(cat $TDX/last/result)" = update-race ]; do
		systemctl is-failed "$unit" && return 1
		sleep 0.2
	done
	systemctl is-active "$unit"	# activating
	td "finalize 2" || return
	while [ "$(systemctl is-active "$unit")" = activating ]; do
		sleep 0.2
	done
	journal "$unit"
	journal "$unit" | grep -F 'installed, TDs live; 1.5.26 -> 1.5.27' &&
		[ "$(systemctl show -P Result "$unit")" = success ] &&
		[ "$(cat $TDX/version)" = 1.5.27 ] && td_is_alive 1 && td_is_alive 2
}

unit_fails_by_name() {
	unit=$(unit bad/bad-hash.blob)
	! systemctl start "$unit" || return
	journal "$unit"
	journal "$unit" | grep 'corrupt (EBADMSG)' && [ "$(cat $TDX/version)" = 1.5.27 ] &&
		[ "$(systemctl show -P ExecMainStatus "$unit")" = 1 ] && systemctl reset-failed "$unit"
}

# --- the rule -------------------------------------------------------------------------------------

COLLECTOR=/var/lib/prometheus/node-exporter

# What udev is asked to do has been done.
settled() {
	udevadm settle && journalctl --sync
}

rule_verifies() {
	cp /usr/share/doc/tdx-update/examples/90-tdx-update.rules /etc/udev/rules.d/ || return
	case $(udevadm --version) in
	25[0-3]) echo "this udevadm does not verify rules" ;;
	*) udevadm verify /etc/udev/rules.d/90-tdx-update.rules || return ;;
	esac
	mkdir -p $COLLECTOR
	udevadm control --reload
}

# Figures after each update, and through no link that another user may have put there.
rule_writes_figures() {
	begin && echo untouched >/run/victim && ln -s /run/victim $COLLECTOR/tdx.new &&
		ln -s /run/victim $COLLECTOR/tdx.prom || return
	echo intel/tdx/v2.blob >$TDX/update
	settled
	grep . $COLLECTOR/tdx.prom /run/victim
	grep 'tdx_module_info{.*"1\.5\.26"' $COLLECTOR/tdx.prom && [ ! -e $COLLECTOR/tdx.new ] &&
		[ ! -L $COLLECTOR/tdx.prom ] && [ "$(cat /run/victim)" = untouched ]
}

# Nor where the directory itself is such a link.
rule_passes_over_a_linked_directory() {
	begin && mv $COLLECTOR $COLLECTOR.real && mkdir /run/elsewhere &&
		ln -s /run/elsewhere $COLLECTOR || return
	echo intel/tdx/v2.blob >$TDX/update
	settled
	ls -A /run/elsewhere
	rm $COLLECTOR && mv $COLLECTOR.real $COLLECTOR && rmdir /run/elsewhere
}

rule_tells_of_recovery() {
	begin && build_td 1 && cp "$IMAGES/same.blob" /lib/firmware/intel/tdx/ &&
		echo intel/tdx/same.blob >$TDX/recovery_image && fail_install 0 || return
	echo intel/tdx/v2.blob >$TDX/update
	settled
	journalctl --no-pager -t tdx-update -p warning..warning |
		grep 'the recovery image 1\.5\.24 runs' && td_is_alive 1
}

rule_tells_of_shut_down() {
	begin && echo "TDH.SYS.UPDATE any 1 0xc000050900000000 0 0" >$EMU/inject || return
	echo intel/tdx/v2.blob >$TDX/update
	settled
	journalctl --no-pager -t tdx-update -p crit |
		grep 'TDX is down: update from 1\.5\.24 failed; apply an image to bring it back'
}

# The unit says by its status that another start brings TDX back; with the fault gone it does.
unit_brings_tdx_back() {
	unit=$(unit v2.blob)
	! systemctl start "$unit" || return
	[ "$(systemctl show -P ExecMainStatus "$unit")" = 5 ] || return
	systemctl reset-failed "$unit"
	echo clear >$EMU/inject
	systemctl start "$unit" || return
	journal "$unit" | tail -n 5
	[ "$(cat $TDX/state) $(cat $TDX/version)" = "ready 1.5.26" ]
}

rule_tells_of_loss() {
	begin && fail_install 1 || return
	echo intel/tdx/v2.blob >$TDX/update
	settled
	journalctl --no-pager -t tdx-update -p crit |
		grep 'TDX is down until reboot: update from 1\.5\.24 failed'
}

# --- a host of a fleet ----------------------------------------------------------------------------

# fleet.sh tells by ssh; boot.sh ends what is not told.
told_that_it_is_over() {
	until [ -e /run/fleet-over ]; do
		sleep 1
	done
}

# --- the end --------------------------------------------------------------------------------------

# A module that remembers a loss stays, until it sees a TDX module run again, as after a reboot.
unloads() {
	if [ "$(cat $TDX/state)" = lost ]; then
		! rmmod tdx_update || return
		echo 1 >$EMU/reset
		[ "$(cat $TDX/state)" = ready ] || return
	fi
	rmmod tdx_td && rmmod tdx_update && rmmod tdx_emu && [ ! -e $TDX ]
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
	modprobe tdx_emu && modprobe tdx_update && grep . $TDX/version
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
