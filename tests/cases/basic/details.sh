#!/bin/sh
# The log has what an operator needs beyond the result: the registers of the SEAMCALL that failed,
# and a warning if the new TDX module may clobber RBP. It has no number of updates left if P-SEAMLDR
# does not answer.
# SMP: 2
. /tests/lib.sh
setup

emu_set inject "TDH.SYS.SHUTDOWN any 1 0xc000010000000001 0x1234 1 0 0x5678"
mark_dmesg
expect_update test/v2.blob EIO firmware-error
expect last/rdx 0x0000000000001234 "$(tdx last/rdx)"
expect last/r8 0x0000000000005678 "$(tdx last/r8)"
expect last/rcx "0x$(printf %016x "$(shutdown_rcx)")" "$(tdx last/rcx)"
expect_match log "OPERAND_INVALID, RCX $(shutdown_rcx) RDX 0x1234 R8 0x5678" "$(dmesg_since_mark)"

mark_dmesg
expect_update test/v2.blob 0 success
expect_match log ", [0-9]+ updates left" "$(dmesg_since_mark)"
expect_no_match log "NO_RBP_MOD" "$(dmesg_since_mark)"
mark_dmesg
expect_check test/no-rbp.blob 0 success
expect_no_match "log of a check" "NO_RBP_MOD" "$(dmesg_since_mark)"
expect_update test/no-rbp.blob 0 success
expect_match log "has no NO_RBP_MOD and may clobber RBP" "$(dmesg_since_mark)"

# P-SEAMLDR stays busy after the update.
emu_set inject "SEAMLDR.INFO any 2 vmfail 0 0"
mark_dmesg
expect_update test/v2.blob 0 success
emu_set inject clear
expect_match log "1.5.26 -> 1.5.26, TDs live" "$(dmesg_since_mark)"
expect_no_match log "updates left" "$(dmesg_since_mark)"
