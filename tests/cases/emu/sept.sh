#!/bin/sh
# The emulator has the leaves by which KVM gives a TD secure EPT and takes pages from it, with the
# order that Intel's TDX module wants of them.
# SMP: 1
# KERNEL: any
. /tests/lib.sh
. /tests/firmware.sh

# tdr: print the TDR of TD 1.
tdr() {
	td_get 1 td
}

setup_emu
td_ok new 1
tdr=$(tdr)
note "Secure EPT from its root down"
expect_call EPT_WALK_FAILED 0 TDH.MEM.SEPT.ADD $((0x100000 | 2)) "$tdr" buffer
expect_call OPERAND_INVALID 0 TDH.MEM.SEPT.ADD $((0x100000 | 4)) "$tdr" buffer
expect_call OPERAND_INVALID 0 TDH.MEM.SEPT.ADD $((0x100000 | 3)) "$tdr" "$tdr"
expect_answer rax 0xc000010000000008
expect_call SUCCESS 0 TDH.MEM.SEPT.ADD $((0x100000 | 3)) "$tdr" buffer
expect_call EPT_ENTRY_NOT_FREE 0 TDH.MEM.SEPT.ADD $((0x40000000 | 3)) "$tdr" buffer
expect_call EPT_WALK_FAILED 0 TDH.MEM.SEPT.ADD $((0x100000 | 1)) "$tdr" buffer
expect_call SUCCESS 0 TDH.MEM.SEPT.ADD $((0x100000 | 2)) "$tdr" buffer
expect_call EPT_WALK_FAILED 0 TDH.MEM.PAGE.ADD 0x100000 "$tdr" buffer buffer
expect_call SUCCESS 0 TDH.MEM.SEPT.ADD $((0x100000 | 1)) "$tdr" buffer
expect_call SUCCESS 0 TDH.MEM.PAGE.ADD 0x100000 "$tdr" buffer buffer
expect_call EPT_WALK_FAILED 0 TDH.MEM.PAGE.ADD 0x200000 "$tdr" buffer buffer

note "A page goes after block and track"
expect_call GPA_RANGE_NOT_BLOCKED 0 TDH.MEM.PAGE.REMOVE 0x100000 "$tdr"
expect_call EPT_WALK_FAILED 0 TDH.MEM.RANGE.BLOCK 0x101000 "$tdr"
expect_call SUCCESS 0 TDH.MEM.RANGE.BLOCK 0x100000 "$tdr"
expect_call GPA_RANGE_ALREADY_BLOCKED 0 TDH.MEM.RANGE.BLOCK 0x100000 "$tdr"
expect_call TLB_TRACKING_NOT_DONE 0 TDH.MEM.PAGE.REMOVE 0x100000 "$tdr"
expect_call SUCCESS 0 TDH.MEM.TRACK "$tdr"
expect_call SUCCESS 0 TDH.MEM.PAGE.REMOVE 0x100000 "$tdr"
expect_call EPT_WALK_FAILED 0 TDH.MEM.PAGE.REMOVE 0x100000 "$tdr"

note "Pages come back when the TD's key is gone"
expect_call LIFECYCLE_STATE_INCORRECT 0 TDH.PHYMEM.PAGE.RECLAIM "$tdr"
expect_call OPERAND_INVALID 0 TDH.PHYMEM.PAGE.RECLAIM buffer+1
expect_call SUCCESS 0 TDH.PHYMEM.CACHE.WB 0
expect_call SUCCESS 0 TDH.PHYMEM.PAGE.WBINVD "$tdr"
td_ok destroy 1
expect_call SUCCESS 0 TDH.PHYMEM.PAGE.RECLAIM buffer
