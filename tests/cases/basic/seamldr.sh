#!/bin/sh
# P-SEAMLDR stays busy: reading files that need it fails with EIO, and an update is refused with its
# leaf. P-SEAMLDR is never called with interrupts on, because KVM could then run on the CPU and miss
# its current VMCS.
. /tests/lib.sh
setup
td_build 1

emu_set inject "SEAMLDR.INFO any 1 vmfail 0 0"
for file in seamldr_version num_remaining_updates; do
	with_errno tdx $file
	expect "errno of $file" EIO "$ERRNO"
done
expect_refused test/v2.blob EIO firmware-error
expect last/leaf SEAMLDR.INFO "$(tdx last/leaf)"
expect last/status 0x8000ff00ffff0000 "$(tdx last/status)"
expect state ready "$(tdx state)"
emu_set inject clear
expect num_remaining_updates 20 "$(tdx num_remaining_updates)"
expect_update test/v2.blob 0 success
expect "calls of P-SEAMLDR with interrupts on" 0 "$(emu_get state irqs_on)"
expect_tds_alive 1
