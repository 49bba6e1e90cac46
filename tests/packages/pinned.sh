#!/bin/sh
# The pin's part of guest.sh, which sources this with $here set: checks of tdx-update-boot.service.
# The units of suite.sh run it as a program, with the kernel's command line for which image to pin:
#
#	pinned.sh pin		writes /etc/tdx-update.conf
#	pinned.sh started NAME	stands in for what starts VMs: writes down what it finds
# shellcheck disable=SC2154 # $here, $IMAGES and the like are set where this is sourced

CONF=/etc/tdx-update.conf
BOOT_UNIT=tdx-update-boot.service

# Prints the pin that the command line names: VERSION:IMAGE.
pin_of_command_line() {
	sed -n 's|.*guest\.pin=\([^: ]*\):\([^ ]*\).*|version = \1\nimage = /opt/test/images/\2|p' \
		/proc/cmdline
}

case ${0##*/}:$* in
pinned.sh:pin)
	pin_of_command_line >$CONF
	exit
	;;
pinned.sh:started*)
	cat /sys/firmware/tdx/version /sys/firmware/tdx/last/result | xargs >"/run/$2-found"
	exit
	;;
esac

# property NAME [UNIT]: prints a property.
property() {
	systemctl show -P "$1" "${2:-$BOOT_UNIT}"
}

# ended_as RESULT STATUS: the unit has ended so.
ended_as() {
	echo "$(property Result) $(property ExecMainStatus)"
	[ "$(property Result) $(property ExecMainStatus)" = "$*" ]
}

# started_after FOUND NAME...: the stand-ins have started after it, and have found this.
started_after() {
	found=$1
	shift
	for stand_in; do
		[ "$(systemctl is-active "$stand_in")" = active ] || return
		echo "$stand_in: $(cat "/run/$stand_in-found")"
		[ "$(cat "/run/$stand_in-found")" = "$found" ] || return
		[ "$(property ExecMainStartTimestampMonotonic "$stand_in")" -ge \
			"$(property ExecMainExitTimestampMonotonic)" ] || return
	done
}

# Waits until the host has booted. A service of type idle, such as the test, waits for 5 s only.
# Prints running, or degraded if a unit has failed.
host_is_up() {
	systemctl is-system-running --wait
}

# The pinned version ran before anything could start a TD.
pinned_at_boot() {
	host_is_up
	journal $BOOT_UNIT
	tdx-update status
	ended_as success 0 && [ "$(systemctl is-active $BOOT_UNIT)" = active ] &&
		started_after "1.5.26 success" libvirtd kubelet virtqemud &&
		[ "$(tdx-update status --json | grep -E '"(at_boot|pinned)"' | xargs)" = \
			"pinned: 1.5.26, at_boot: 1.5.24," ] || return
	findings=$(systemd-analyze verify --man=no $BOOT_UNIT 2>&1 | grep -F tdx-update)
	echo "systemd-analyze verify: ${findings:-nothing to say}"
	rm $CONF
	[ -z "$findings" ] || return
	# Without a pin it does nothing.
	systemctl restart $BOOT_UNIT && [ "$(property ConditionResult)" = no ]
}

# A bad image fails by name, and the host is up with the TDX module of the boot.
boots_with_a_bad_pin() {
	host_is_up
	journal $BOOT_UNIT
	systemctl list-units --failed --no-legend --plain
	ended_as exit-code 1 && journal $BOOT_UNIT | grep 'corrupt (EBADMSG)' || return
	[ "$(systemctl list-units --failed --no-legend --plain | cut -d ' ' -f 1)" = $BOOT_UNIT ] &&
		started_after "1.5.24 corrupt" libvirtd kubelet virtqemud &&
		[ "$(systemctl is-active multi-user.target)" = active ] &&
		[ "$(cat "$TDX/version") $(cat "$TDX/state")" = "1.5.24 ready" ]
}

# start_again: starts the unit and the stand-ins anew, in this order as they are separate requests.
start_again() {
	systemctl stop libvirtd kubelet $BOOT_UNIT
	systemctl reset-failed $BOOT_UNIT
	systemctl start $BOOT_UNIT libvirtd kubelet
}

# A TD that is being built keeps the update from happening for longer than the unit may take. The
# unit ends in time, TDX is as before, and the TD can be built.
pinned_unit_is_bounded() {
	begin && td "new 1" "add 1 1" || return
	printf 'version = 1.5.26\nimage = %s\nwait = 600\n' "$IMAGES/v2.blob" >$CONF
	mkdir -p /run/systemd/system/$BOOT_UNIT.d
	printf '[Service]\nTimeoutStartSec=5\n' >/run/systemd/system/$BOOT_UNIT.d/bound.conf
	systemctl daemon-reload
	start_again
	journal $BOOT_UNIT | tail -n 5
	took=$(($(property ExecMainExitTimestampMonotonic) - $(property ExecMainStartTimestampMonotonic)))
	echo "it took $took us"
	rm -r /run/systemd/system/$BOOT_UNIT.d
	systemctl daemon-reload
	[ "$(property Result)" = timeout ] && [ $took -lt 15000000 ] || return
	journal $BOOT_UNIT | grep 'ended by signal 15; nothing has changed' &&
		started_after "1.5.24 update-race" libvirtd kubelet && td "finalize 1" && td_is_alive 1 &&
		[ "$(cat "$TDX/version") $(cat "$TDX/state")" = "1.5.24 ready" ] || return
	! ls -d /lib/firmware/tdx-update.* 2>/dev/null && systemctl reset-failed $BOOT_UNIT
}
