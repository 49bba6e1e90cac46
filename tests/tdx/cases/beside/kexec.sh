#!/bin/sh
# Before kexec Linux flushes the CPUs on which it made a SEAMCALL. It does not see those of
# tdx_update: a CPU that was offline meanwhile has no mark after an update. So tdx_update flushes
# all CPUs, before Linux ends the TDX module. The next kernel brings TDX up, and updates it.
# SMP: 2
# BOOT: kexec
# CONSOLE: tdx_update: flushed the caches of all CPUs before the host goes down
# CONSOLE: test: an update while the host goes down: EOPNOTSUPP, unsupported
. /tests/lib.sh
. /tests/mainline.sh
. /tests/vmm.sh
. /tests/slow.sh

CPU=/sys/devices/system/cpu/cpu1/online

# unmark: take CPU 1 offline and back.
unmark() {
	echo 0 >$CPU
	expect "marks with CPU 1 offline" 0 "$(emu_get state incoherent)"
	echo 1 >$CPU
	expect "CPU 1" 1 "$(cat $CPU)"
}

# First half: in the kernel that starts another one.
if [ -z "${RESUMED:-}" ]; then
	setup_beside remaining=1000000
	load_kvm
	load
	vmm_build 1 1
	# KVM takes a vCPU off a CPU that goes offline by a SEAMCALL, which marks that CPU again.
	vmm_pin 1 0
	vmm_ok 1 'ran [1-9]' run 1
	expect "marks after mainline's update" 0-1 "$(emu_get state incoherent)"
	unmark
	expect_update test/a.blob 0 success
	expect "marks after our update" 0 "$(emu_get state incoherent)"
	upload test/v2.blob
	expect "error of mainline's update" '' "$ERROR"
	expect "marks after mainline's next update" 0-1 "$(emu_get state incoherent)"
	unmark
	expect_update test/b.blob 0 success
	vmm_ok 1 'verified good' verify

	expect_ok /kexec/kexec load /kexec/vmlinuz /kexec/initramfs \
		"$(cat /proc/cmdline) guest.resume=beside/kexec"
	update_until_restart test/a.blob &
	slow_load restart_ms=5000
	[ -s "$TMP/failures" ] || /kexec/kexec start
	die "no kexec"
fi

# The emulator does not keep its firmware, so the next kernel brings up another TDX module.
expect "the TDX module that the kernel before left" none "$(emu_get state left)"
expect_match "kernel log" 'virt/tdx: TDX-Module initialized' "$(dmesg)"
setup_beside
load_kvm
load
expect_update test/a.blob 0 success
vmm_build 1 1
vmm_stop 1
