#!/bin/sh
# The guest's part of the packages' tests: a systemd service on a Debian system. It runs the plan
# that the kernel command line names, prints KTAP to the second serial port and powers off.
#
#	guest.plan=update	the module that DKMS built is found, loads and updates; the systemd
#				unit and the udev rule work
#	guest.plan=signing	Secure Boot: only a module that is signed by a key of the machine's
#				owner loads, such as the one that DKMS signed
#	guest.plan=pinned	the image that is pinned is bad; guest.pin names it
#	guest.plan=fleet	a host that Ansible updates, until fleet.sh ends it
#
# $1: the directory of this file, with the plans, images and modules that are not in /lib.
# shellcheck disable=SC2119 # begin() can do without arguments
set -u

here=$1
# shellcheck source=tests/packages/tdx.sh
. "$here/tdx.sh"
# shellcheck source=tests/packages/pinned.sh
. "$here/pinned.sh"

COLLECTOR=/var/lib/prometheus/node-exporter
FEATURES=/etc/kubernetes/node-feature-discovery/features.d

# --- the checks: each prints the reason if it fails -----------------------------------------------

# systemd is the first process, and no unit has failed.
systemd_is_up() {
	failed=$(systemctl list-units --failed --no-legend --plain)
	echo "failed units: ${failed:-none}"
	[ -z "$failed" ] && [ "$(cat /proc/1/comm)" = systemd ]
}

# The kernel's command line has systemd load the emulator and a stand-in for kvm_intel whose
# parameter tdx is Y. So udev loads the module. tdx-update-boot.service did too: once more without.
loaded_at_boot() {
	rmmod tdx_update kvm_intel && modprobe kvm_intel && udevadm settle || return
	journalctl --no-pager -b | grep -i tdx
	grep -q '^tdx_update ' /proc/modules && [ "$(cat $TDX/state)" = ready ]
}

# The timer has replaced the figures from before the reboot.
figures_at_boot() {
	until ! grep -q stale $COLLECTOR/tdx.prom; do
		sleep 1
	done
	cat $COLLECTOR/tdx.prom
	grep -E '^tdx_up [01]$' $COLLECTOR/tdx.prom
}

# The timer writes figures again without an event. 0 is what it finds without the module.
timer_writes_figures() {
	rmmod tdx_update && sed -i 's/^tdx_up .*/tdx_up stale/' $COLLECTOR/tdx.prom || return
	until grep -q '^tdx_up 0$' $COLLECTOR/tdx.prom; do
		sleep 1
	done
	[ "$(grep -c '^[^#]' $COLLECTOR/tdx.prom)" = 1 ]
}

# Where KVM cannot run TDs nothing loads the module.
not_loaded_without_tdx() {
	rmmod kvm_intel && modprobe kvm_intel tdx=0 && udevadm settle &&
		! grep '^tdx_update ' /proc/modules && rmmod kvm_intel tdx_emu
}

# modprobe finds the module by name where DKMS put it.
module_found() {
	modinfo -n tdx_update
	case $(modinfo -n tdx_update) in
	"/lib/modules/$(uname -r)/updates/dkms/tdx_update.ko"*) ;;
	*) return 1 ;;
	esac
}

# This CPU has no SEAM: the module does not load, and the kernel log says why.
no_seam() {
	! modprobe tdx_update && dmesg | grep 'tdx_update: not loaded: '
}

module_loads() {
	begin && grep . $TDX/version $TDX/state && [ "$(cat $TDX/version)" = 1.5.24 ]
}

# The hardware test loads its module, looks, unloads it, and leaves a report. It says why a stage
# is not possible here.
hwtest_looks() {
	tdx-update-hwtest look --yes && [ ! -d /sys/module/tdx_hwtest ] || return
	report=/var/lib/tdx-update-hwtest/report.json
	jq -c '.kit, .look.status, (.facts | group_by(.verdict)[] | [.[0].verdict, length])' $report
	[ "$(jq '.facts | map(select(.verdict == "contradicted")) | length' $report)" = 0 ] &&
		[ "$(jq '.facts | map(select(.verdict == "seen")) | length > 10' $report)" = true ] || return
	# KVM is a stand-in here, and cannot build a TD.
	mkdir -p /run/hwtest && cp "$IMAGES/same.blob" /run/hwtest/ || return
	! tdx-update-hwtest race --yes --images /run/hwtest >/run/hwtest/out 2>&1 || return
	cat /run/hwtest/out
	grep '^KVM builds no TD here: open: ' /run/hwtest/out
}

# A TD that was built before the update is alive after it.
update_works() {
	build_td 1 && mkdir -p /lib/firmware/intel/tdx &&
		cp "$IMAGES/v2.blob" /lib/firmware/intel/tdx/ || return
	echo intel/tdx/v2.blob >$TDX/update
	grep . $TDX/last/* $TDX/version
	[ "$(cat $TDX/last/result)" = success ] && [ "$(cat $TDX/version)" = 1.5.26 ] && td_is_alive 1
}

# --- the unit -------------------------------------------------------------------------------------

# unit IMAGE: prints the name of the unit that installs the image.
unit() {
	systemd-escape --path --template=tdx-update@.service "$IMAGES/$1"
}

# journal UNIT: prints the unit's messages.
journal() {
	journalctl --sync
	journalctl --no-pager -o cat -u "$1"
}

unit_verifies() {
	findings=$(systemd-analyze verify --man=no "$(unit b.blob)" 2>&1 | grep -F tdx-update)
	echo "systemd-analyze verify: ${findings:-nothing to say}"
	[ -z "$findings" ]
}

# Without the module the unit fails and says why.
unit_fails_without_module() {
	unit=$(unit b.blob)
	! systemctl start "$unit" || return
	journal "$unit"
	journal "$unit" | grep 'modprobe tdx_update' &&
		[ "$(systemctl show -P ExecMainStatus "$unit")" = 69 ] && systemctl reset-failed "$unit"
}

# Updates 1.5.26 to 1.5.27, with the image of 1.5.26 as the recovery image. The unit waits while a
# TD is being built.
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

# history FILTER: prints what jq makes of each record of tdx-update in the journal, a line each.
history() {
	journalctl --sync
	journalctl --no-pager -b -o json MESSAGE_ID=beca4ad206924c139250a740cf02b387 | jq -r "$1"
}

# The runs of the units are in the journal: at boot, without the module, with success after a race,
# and refused. A user who became root is known by the login. The update by sysfs left a line only.
journal_has_who_and_what() {
	history '"\(.TDX_UPDATE_OPERATION) \(.TDX_UPDATE_RESULT) \(.TDX_UPDATE_EXIT) \(._UID) \(.TDX_UPDATE_UNIT)"' \
		>/run/records
	cat /run/records
	diff /run/records - <<-END || return
	update success 0 0 $BOOT_UNIT
	update null 69 0 $(unit b.blob)
	update success 0 0 $(unit b.blob)
	update corrupt 1 0 $(unit bad/bad-hash.blob)
	END
	[ "$(history 'select(.TDX_UPDATE_RESULT == "success" and .TDX_UPDATE_FROM == "1.5.26") |
		"\(.TDX_UPDATE_FILE) \(.TDX_UPDATE_TO) \(.TDX_UPDATE_TDS) \(.TDX_UPDATE_SHA256) \(.TDX_UPDATE_TRIES | tonumber > 1)"')" = \
		"$IMAGES/b.blob 1.5.27 live $(sha256sum "$IMAGES/b.blob" | cut -d ' ' -f 1) true" ] || return
	sh -c "echo 1000 >/proc/self/loginuid; tdx-update check $IMAGES/b.blob"
	[ "$(history 'select(.TDX_UPDATE_OPERATION == "check") |
		"\(._UID) \(.TDX_UPDATE_LOGINUID) \(.TDX_UPDATE_RESULT) \(.PRIORITY)"')" = "0 1000 success 6" ] ||
		return
	tdx-update history
	[ "$(tdx-update history --json | jq -r '.records[] | "\(.operation) \(.result) \(.exit) \(.uid)"')" = \
		"$(cut -d ' ' -f 1-4 /run/records; echo check success 0 0)" ] &&
		tdx-update history | grep 'by uid 1000' || return
	# The catalog explains a record.
	journalctl --no-pager -x -b MESSAGE_ID=beca4ad206924c139250a740cf02b387 | grep -A 12 corrupt >/run/explained
	cat /run/explained
	grep 'Subject: update of a TDX module ended with exit status 1$' /run/explained &&
		grep 'Asked by user ID 0 with: /usr/sbin/tdx-update apply .*/bad-hash.blob$' /run/explained &&
		journalctl --no-pager -k | grep 'tdx_update: intel/tdx/v2.blob: 1.5.24 -> 1.5.26'
}

# --- the rule -------------------------------------------------------------------------------------

# Waits until udev has handled all events, and the unit for figures has ended.
settled() {
	udevadm settle && journalctl --sync || return
	while systemctl list-jobs --no-legend | grep -E 'tdx-update-(metrics|features).service'; do
		sleep 0.2
	done
}

rule_verifies() {
	cp /usr/share/doc/tdx-update/examples/90-tdx-update.rules /etc/udev/rules.d/ || return
	case $(udevadm --version) in
	25[0-3]) echo "this udevadm does not verify rules" ;;
	*) udevadm verify /etc/udev/rules.d/90-tdx-update.rules || return ;;
	esac
	systemctl stop tdx-update-metrics.timer && udevadm control --reload
}

# The rule has a unit write figures after each update, which follows no link that another user may
# have made.
rule_writes_figures() {
	begin && settled && echo untouched >/run/victim && ln -s /run/victim $COLLECTOR/tdx.new &&
		ln -sf /run/victim $COLLECTOR/tdx.prom || return
	echo intel/tdx/v2.blob >$TDX/update
	settled
	grep . $COLLECTOR/tdx.prom /run/victim
	grep '^tdx_up 1$' $COLLECTOR/tdx.prom &&
		grep 'tdx_module_info{.*"1\.5\.26"' $COLLECTOR/tdx.prom && [ ! -e $COLLECTOR/tdx.new ] &&
		[ ! -L $COLLECTOR/tdx.prom ] && [ "$(cat /run/victim)" = untouched ]
}

# The rule has a unit write labels for Node Feature Discovery, where a cluster has made the
# directory. The unit follows no link that a pod may have made there.
rule_writes_labels() {
	findings=$(systemd-analyze verify --man=no tdx-update-features.timer 2>&1 | grep -F tdx-update)
	echo "systemd-analyze verify: ${findings:-nothing to say}"
	[ -z "$findings" ] && mkdir -p $FEATURES && ln -s /run/victim $FEATURES/.tdx-update &&
		ln -s /run/victim $FEATURES/tdx-update || return
	echo intel/tdx/v2.blob >$TDX/update
	settled
	ls -lA $FEATURES
	cat $FEATURES/tdx-update /run/victim
	prefix=feature.node.kubernetes.io
	grep -x "$prefix/tdx-module.version=1.5.26" $FEATURES/tdx-update &&
		grep -x "$prefix/tdx-module.state=ready" $FEATURES/tdx-update &&
		grep -x "$prefix/tdx-update.last-result=success" $FEATURES/tdx-update &&
		[ ! -L $FEATURES/tdx-update ] && [ ! -e $FEATURES/.tdx-update ] &&
		[ "$(cat /run/victim)" = untouched ]
}

# The rule's unit writes nothing if the directory itself is such a link, and says so.
rule_passes_over_a_linked_directory() {
	begin && mv $COLLECTOR $COLLECTOR.real && mkdir /run/elsewhere &&
		ln -s /run/elsewhere $COLLECTOR || return
	echo intel/tdx/v2.blob >$TDX/update
	settled
	ls -A /run/elsewhere
	journal tdx-update-metrics.service | grep "$COLLECTOR is or contains a link" &&
		systemctl reset-failed tdx-update-metrics.service || return
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

# The unit's exit status says that starting it again brings TDX back. Without the fault, it does.
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

# fleet.sh makes the file by SSH. Without it, boot.sh's timeout ends the guest.
told_that_it_is_over() {
	until [ -e /run/fleet-over ]; do
		sleep 1
	done
}

# Unloading is an event too.
rule_tells_that_it_is_unloaded() {
	unloads && settled && cat $COLLECTOR/tdx.prom && grep '^tdx_up 0$' $COLLECTOR/tdx.prom
}

# --- the end --------------------------------------------------------------------------------------

# After a loss the module cannot be unloaded until it sees a TDX module run, as after a reboot.
unloads() {
	if [ "$(cat $TDX/state)" = lost ]; then
		! rmmod tdx_update || return
		echo 1 >$EMU/reset
		[ "$(cat $TDX/state)" = ready ] || return
	fi
	rmmod tdx_td && rmmod tdx_update && rmmod tdx_emu && [ ! -e $TDX ]
}

# The kernel reports Secure Boot and is locked down: it rejects modules without a known signature.
secure_boot_on() {
	dmesg | grep -i 'secure boot'
	cat /sys/kernel/security/lockdown
	dmesg | grep -i 'secure boot enabled' >/dev/null &&
		grep -q '\[\(integrity\|confidentiality\)\]' /sys/kernel/security/lockdown
}

# refused FILE: insmod must reject the module because of its signature.
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
