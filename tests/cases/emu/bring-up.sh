#!/bin/sh
# A TDX module that has just been loaded takes TDMRs with their PAMTs and the global key in the
# order in which Linux gives them, and refuses TDMRs that break a rule of Intel's TDX module.
# SMP: 2
# KERNEL: any
. /tests/lib.sh
. /tests/firmware.sh

GIB=$((1 << 30))
ARRAY=0 TDMR=512 TDMR2=1024	# offsets in the buffer

# put OFFSET VALUE...: write 64-bit numbers to the buffer.
put() {
	local offset=$1 value
	shift
	for value; do
		put_bytes "$TD/buffer" "$offset" $((value & 255)) $((value >> 8 & 255)) \
			$((value >> 16 & 255)) $((value >> 24 & 255)) $((value >> 32 & 255)) \
			$((value >> 40 & 255)) $((value >> 48 & 255)) $((value >> 56 & 255))
		offset=$((offset + 8))
	done
}

# tdmr OFFSET BASE PAMT: write a TDMR of 1 GiB at BASE, with its PAMT at PAMT: 4 KiB for the entry
# of 1 GiB, 8 KiB for those of 2 MiB, 4 MiB for those of 4 KiB; then four empty reserved areas.
tdmr() {
	put "$1" "$2" $GIB "$3" 4096 $(($3 + 4096)) 8192 $(($3 + 12288)) $((4 << 20)) \
		0 0 0 0 0 0 0 0
}

# good: the buffer's content is right: two TDMRs, both PAMTs beyond them.
good() {
	put $ARRAY $((buffer + TDMR)) $((buffer + TDMR2))
	tdmr $TDMR $((4 * GIB)) $((16 * GIB))
	tdmr $TDMR2 $((6 * GIB)) $((17 * GIB))
}

# refused STATUS [OFFSET VALUE...]: with these numbers in the buffer, expect that status.
refused() {
	local status=$1
	shift
	good
	put "$@"
	expect_call "$status" 0 TDH.SYS.CONFIG buffer 2 32
}

setup_emu state=sysinit_pending
expect module sysinit_pending "$(emu_get state module)"
expect_call SYS_NOT_READY 0 TDH.MNG.CREATE buffer 1
buffer=$(emu log | awk '{ print $4 }' | tail -n 1)
buffer=$((buffer))
expect_call SYS_LP_INIT_NOT_PENDING 0 TDH.SYS.LP.INIT
expect_call SUCCESS 0 TDH.SYS.INIT 0
expect_call SYS_LP_INIT_NOT_DONE 0 TDH.SYS.CONFIG buffer 1 32
expect_call SUCCESS 0 TDH.SYS.LP.INIT
good
expect_call SYS_CONFIG_NOT_PENDING 0 TDH.SYS.CONFIG buffer 2 32
expect_call SUCCESS 1 TDH.SYS.LP.INIT
expect_call SYS_KEY_CONFIG_NOT_PENDING 0 TDH.SYS.KEY.CONFIG
expect_call SYS_NOT_READY 0 TDH.SYS.TDMR.INIT $((4 * GIB))

note "Operands"
expect_call OPERAND_INVALID 0 TDH.SYS.CONFIG buffer+8 2 32
expect_answer rax 0xc000010000000001
expect_call OPERAND_INVALID 0 TDH.SYS.CONFIG buffer 0 32
expect_answer rax 0xc000010000000002
expect_call OPERAND_INVALID 0 TDH.SYS.CONFIG buffer 65 32
expect_call OPERAND_INVALID 0 TDH.SYS.CONFIG buffer 2 0
expect_answer rax 0xc000010000000008
refused OPERAND_INVALID $ARRAY $((buffer + 8))

note "TDMRs"
refused INVALID_TDMR $TDMR $((4 * GIB + 4096))
refused INVALID_TDMR $((TDMR + 8)) 0
refused INVALID_TDMR $((TDMR2 + 8)) $((GIB + 4096))
expect_answer rax 0xc0000a0000000001
refused NON_ORDERED_TDMR $TDMR2 $((4 * GIB))
refused NON_ORDERED_TDMR $TDMR2 $((3 * GIB))
refused TDMR_OUTSIDE_CMRS $TDMR2 $((1 << 56))
refused INVALID_RESERVED_IN_TDMR $((TDMR + 64)) 4096 $GIB
refused INVALID_RESERVED_IN_TDMR $((TDMR + 64)) 1 4096
refused NON_ORDERED_RESERVED_IN_TDMR $((TDMR + 64)) 8192 4096 4096 4096
expect_answer rax 0xc0000a2100000100

note "PAMTs"
refused INVALID_PAMT $((TDMR + 16)) $((16 * GIB + 1))
refused INVALID_PAMT $((TDMR + 24)) 0
refused INVALID_PAMT $((TDMR + 56)) $(((4 << 20) - 4096))
refused PAMT_OUTSIDE_CMRS $((TDMR + 48)) $((1 << 56))
refused PAMT_OVERLAP $((TDMR + 16)) $((16 * GIB + 4096))
refused PAMT_OVERLAP $((TDMR + 48)) $((17 * GIB))
refused PAMT_OVERLAP $((TDMR + 48)) $((6 * GIB + 4096))
expect module sysinit_done "$(emu_get state module)"

note "A PAMT in a reserved area of its own TDMR, as Linux has it"
good
put $((TDMR + 48)) $((4 * GIB + 4096)) $((4 << 20)) 4096 $((4 << 20))
expect_call SUCCESS 0 TDH.SYS.CONFIG buffer 2 32
expect module sysconfig_done "$(emu_get state module)"
expect_call SYS_CONFIG_NOT_PENDING 0 TDH.SYS.CONFIG buffer 2 32
expect_call SYS_NOT_READY 0 TDH.SYS.TDMR.INIT $((4 * GIB))
expect_call SUCCESS 1 TDH.SYS.KEY.CONFIG
expect_call SYS_KEY_CONFIG_NOT_PENDING 1 TDH.SYS.KEY.CONFIG
expect module ready "$(emu_get state module)"

note "TDMR.INIT goes on from call to call"
expect_call OPERAND_INVALID 0 TDH.SYS.TDMR.INIT $((5 * GIB))
for quarter in 1 2 3 4; do
	expect_call SUCCESS 0 TDH.SYS.TDMR.INIT $((4 * GIB))
	expect_answer rdx "$(printf '0x%x' $((4 * GIB + quarter * GIB / 4)))"
done
expect_call TDMR_ALREADY_INITIALIZED 0 TDH.SYS.TDMR.INIT $((4 * GIB))
expect_call SUCCESS 0 TDH.SYS.TDMR.INIT $((6 * GIB))

note "A TDX module brought up like that can be updated; SYS.DISABLE ends it"
load
td_build 1
expect_update test/b.blob 0 success
expect_tds_alive 1
expect_call SUCCESS 0 TDH.SYS.DISABLE
expect module none "$(emu_get state module)"
expect_call VMfailInvalid 0 TDH.SYS.DISABLE
td destroy all
emu_set module state=ready
