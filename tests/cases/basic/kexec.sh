#!/bin/sh
# A kexec while updates are requested: it comes before or after a blackout, which stops every CPU,
# so the next kernel finds a running TDX module. The caches are flushed before the restart, and no
# update installs anything after that.
# SMP: 2 4
# BOOT: kexec
# CONSOLE: tdx_update: flushed the caches of all CPUs before the host goes down
# CONSOLE: test: an update while the host goes down: EOPNOTSUPP, unsupported
# NEEDS: CONFIG_KEXEC
. /tests/lib.sh
. /tests/slow.sh

# First half: in the kernel that starts another one.
if [ -z "${RESUMED:-}" ]; then
	[ -e /sys/kernel/kexec_loaded ] || skip "this kernel has no kexec"
	setup remaining=1000000
	td_build 1
	# Long blackouts: the CPUs are stopped most of the time.
	emu_set delay SEAMLDR.INSTALL=100000000
	expect_ok /kexec/kexec load /kexec/vmlinuz /kexec/initramfs \
		"$(cat /proc/cmdline) guest.resume=basic/kexec"
	{
		update_until_restart test/a.blob
		# The counts of this kernel end with it.
		[ ! -e /sys/kernel/debug/gcov ] || sh /tests/counts
	} &
	some_updates() {
		[ "$(emu_get state updates)" -ge 3 ]
	}
	wait_for 60 some_updates || die "no updates before the kexec"
	expect "errno of the last" 0 "$(tdx last/errno)"
	note "kexec after $(emu_get state updates) updates"
	# Delay the restart, so that an update could still be installed if nothing prevented it.
	slow_load restart_ms=5000
	[ -s "$TMP/failures" ] || /kexec/kexec start
	die "no kexec"
fi

setup_emu
expect "the TDX module that the kernel before left" ready "$(emu_get state left)"
load
td_build 1
expect_update test/v2.blob 0 success
expect_tds_alive 1
