#!/bin/sh
# Every CPU's current-VMCS pointer is the same after updates, refused ones, and reads that ask
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
# On a CPU that has one to lose, if there are several.
with_errno taskset $((1 << ($(nproc) - 1))) cat "$TDX/num_remaining_updates"
expect "errno of num_remaining_updates" EIO "$ERRNO"
emu_set inject clear
same "a SEAMLDR.INFO that fails"
expect_ge "VMPTRLDs" 1 "$(counter VMPTRLD)"

# A pointer that cannot be loaded again is no secret. None that was lost is none to load.
expect_check test/a.blob 0 success
expect_no_match "log without a loss" "VMCS" "$(dmesg_since_mark)"
# VMfailInvalid where P-SEAMLDR has cleared the pointer, VMfailValid where it has not; each loss is
# told once.
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

# And with a pointer everywhere, on CPU 0 too.
emu_set vmcs all=0x7fff000
before=$(emu vmcs)
expect_update test/a.blob 0 success
same "an update with a VMCS on every CPU"

# No further session restores what a call has lost that is the last one.
emu_set inject "SEAMLDR.INSTALL any $(nproc) 0x8000000000020001 1 1"
expect_update test/b.blob ENOTRECOVERABLE lost
same "an INSTALL that fails for good"
