#!/bin/sh
# A kexec after an update, with guests on every CPU. The next kernel finds a running TDX module, and
# updates it under guests of its own.
# BOOT: kexec
. /tests/lib.sh
. /tests/kvm.sh

# First half: in the kernel that starts another one.
if [ -z "${RESUMED:-}" ]; then
	setup_kvm
	expect_update test/a.blob 0 success
	expect_guests "after an update"
	# Not "load": the kernel would hash what it loads, for minutes in Bochs.
	expect_ok /kexec/kexec place /kexec/vmlinuz /kexec/initramfs \
		"$(cat /proc/cmdline) guest.resume=kexec"
	[ -s "$TMP/failures" ] || /kexec/kexec start
	die "no kexec"
fi

guests_begin
setup_firmware setup_emu
expect "the TDX module that the kernel before left" ready "$(emu_get state left)"
load
expect_update test/b.blob 0 success
expect_guests "after an update by the next kernel"
guests_stop
