#!/bin/sh
# Each answer to LP.INIT of the new TDX module, on each kind of LP: the call is repeated, the
# failure repaired, or a further update repairs it.
# SMP: 4
# KERNEL: any
. /tests/lib.sh
. /tests/matrix.sh

matrix TDH.SYS.LP.INIT \
	0x8000020000000000 0x8000020200000000 0x8000020300000000 0xc000050300000000 \
	0xc000050b00000000 0xc000050a00000000 0xc0ffee0000000000 vmfail \
	ud gp
matrix_end TDH.SYS.LP.INIT
