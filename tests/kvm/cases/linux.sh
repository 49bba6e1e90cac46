#!/bin/sh
# A guest that is a Linux goes on through updates while it boots, and while its init counts. Its
# clock stays right, and it ends by itself. The other CPU has an ordinary guest.
. /tests/lib.sh
. /tests/kvm.sh
# Ordinary guests first: the firmware takes long to set up, and Linux boots quickly.
setup_kvm
guests_stop

# Prints a number of Linux's line: init, boot_ms or off_ms.
linux() {
	guests_ask show
	sed -n "s/.* $1=\([0-9]*\) .*/\1/p" "$TMP/guests" | head -n 1
}

# updated WHEN: makes an update, which both guests survive. Counts those that end before Linux's
# init begins.
updated() {
	local before
	before=$(vmcs_lost)
	expect_update test/a.blob 0 success
	[ "$(linux init)" != 0 ] || booting=$((booting + 1))
	# Each CPU calls SEAMLDR.INSTALL once, and a guest runs on each.
	expect_ge "calls that met a current VMCS $1" "$CPUS" $(($(vmcs_lost) - before))
	expect_guests "after an update $1"
	[ ! -s "$TMP/failures" ] || {
		tail -n 30 "$TMP/linux.log"
		die "a guest broke"
	}
}

# shellcheck disable=SC2034 # for kvm.sh
LINUX="/linux/kernel /linux/initrd $TMP/linux.log"
guests_start
booting=0
while [ "$(linux init)" = 0 ]; do
	updated "while Linux boots"
done
note "Linux booted in $(linux boot_ms) ms of its own time; updates meanwhile: $booting"
expect_ge "updates while Linux booted" 1 "$booting"

for i in $(seq "$UPDATES"); do
	before=$(linux init)
	updated "while Linux's init counts, time $i"
	expect_ge "numbers of Linux's init after update $i" $((before + 1)) "$(linux init)"
done
off=$(linux off_ms)
note "Linux's init counted to $(linux init), its clock was off $off ms at most"
expect_le "milliseconds that Linux's clock was off" 500 "$off"
expect "calls that left the VMCS in place" 0 "$(emu_get state vmcs_kept)"
guests_stop
