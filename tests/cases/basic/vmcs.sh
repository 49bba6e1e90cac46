#!/bin/sh
# Every CPU's current-VMCS pointer is unchanged after updates, refused updates, and reads that call
# P-SEAMLDR.
# SMP: 1 2 4 8
# SMOKE: yes
# CONSOLE: do not trust KVM on this host
. /tests/lib.sh
setup erratum=1
emu_set vmcs 0=none
mark_dmesg
before=$(emu vmcs)
expect_no_match "CPUs with a current VMCS, all but CPU 0" "^[1-9].*none" "$before"

same() {
	expect "VMCS pointers after $1" "$before" "$(emu vmcs)"
}

tdx seamldr_version >/dev/null
for _ in $(seq 10); do
	tdx num_remaining_updates >/dev/null
done
same "reads"
expect_update test/a.blob 0 success
same "an update"
td_ok new 1
expect_update test/b.blob EBUSY update-race
same "a refused update"
td_ok destroy 1
emu_set inject "SEAMLDR.INSTALL any $(nproc) 0x8000000000030001 0"
expect_update test/b.blob 0 success
same "an update with a session more"
# Calls that fail, in the blackout and outside of it.
emu_set inject "SEAMLDR.INSTALL any $(nproc) 0x8000000000020000 0 1"
expect_update test/b.blob 0 success
same "an INSTALL that fails"
emu_set inject "SEAMLDR.INFO any 1 0x8000000000000000 0 0"
# Call it on the last CPU: CPU 0 has no current VMCS to lose.
with_errno taskset $((1 << ($(nproc) - 1))) cat "$TDX/num_remaining_updates"
expect "errno of num_remaining_updates" EIO "$ERRNO"
emu_set inject clear
same "a SEAMLDR.INFO that fails"
expect_ge "VMPTRLDs" 1 "$(counter VMPTRLD)"

# A pointer that cannot be loaded again is reported. A CPU without a current VMCS is not.
expect_check test/a.blob 0 success
expect_no_match "log without a loss" "VMCS" "$(dmesg_since_mark)"
# VMPTRLD answers VMfailInvalid if P-SEAMLDR has cleared the pointer, VMfailValid if not. Each loss
# is reported once.
for erratum in 1 0; do
	emu_set platform erratum=$erratum
	emu_set vmcs all=0x1001
	mark_dmesg
	expect_check test/a.blob 0 success
	expect_match "log of a loss, erratum=$erratum" "current VMCS could not be loaded again .* reboot" \
		"$(dmesg_since_mark)"
	emu_set vmcs all=0x7fff000
	mark_dmesg
	expect_check test/a.blob 0 success
	expect_no_match "log after a loss, erratum=$erratum" "VMCS" "$(dmesg_since_mark)"
done
emu_set platform erratum=1

# With a current VMCS on every CPU, CPU 0 too.
emu_set vmcs all=0x7fff000
before=$(emu vmcs)
expect_update test/a.blob 0 success
same "an update with a VMCS on every CPU"

# After a call that ends the update for good no further session restores the pointer.
emu_set inject "SEAMLDR.INSTALL any $(nproc) 0x8000000000020001 1 1"
expect_update test/b.blob ENOTRECOVERABLE lost
same "an INSTALL that fails for good"
