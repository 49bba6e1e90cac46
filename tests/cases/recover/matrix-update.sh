#!/bin/sh
# Each answer to UPDATE of the new TDX module: the call is repeated, the failure repaired, or a
# further update repairs it.
# SMP: 4
# KERNEL: any
. /tests/lib.sh
. /tests/matrix.sh

matrix TDH.SYS.UPDATE \
	0x8000020000000000 0x8000020200000000 0x8000020300000000 0xc000050800000000 \
	0xc000050900000000 0xc0ffee0000000000 vmfail ud \
	gp
matrix_end TDH.SYS.UPDATE
