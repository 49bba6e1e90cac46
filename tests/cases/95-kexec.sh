#!/bin/sh
# A kexec while updates are written: a blackout holds every CPU, so it comes before or after one, and the next
# kernel finds a TDX module that runs.
# SMP: 2 4
# BOOT: kexec
. /tests/lib.sh

# The half of the kernel before.
if [ -z "${RESUMED:-}" ]; then
	[ -e /sys/kernel/kexec_loaded ] || skip "this kernel has no kexec"
	setup remaining=1000000
	td_build 1
	# The CPUs are stopped most of the time.
	emu_set delay SEAMLDR.INSTALL=100000000
	expect_ok /kexec/kexec load /kexec/vmlinuz /kexec/initramfs \
		"$(cat /proc/cmdline) guest.resume=95-kexec"
	while :; do
		update test/a.blob
	done &
	some_updates() {
		[ "$(emu_get state updates)" -ge 3 ]
	}
	wait_for 60 some_updates || die "no updates before the kexec"
	expect "errno of the last" 0 "$(tdx last/errno)"
	note "kexec after $(emu_get state updates) updates"
	sleep 1
	[ -s "$TMP/failures" ] || /kexec/kexec start
	die "no kexec"
fi

setup_emu
expect "the TDX module that the kernel before left" ready "$(emu_get state left)"
load
td_build 1
expect_update test/v2.blob 0 success
expect_tds_alive 1
