#!/bin/sh
# Each answer to SHUTDOWN has its result, changes nothing, and the next update succeeds.
# SMP: 4
. /tests/lib.sh
. /tests/matrix.sh

matrix TDH.SYS.SHUTDOWN \
	0xc000010000000001 0x8000020200000000 0x8000051200010000 0xc000050500000000 \
	0xc000050200000000 0xc000050600000000 0xc0ffee0000000000 vmfail \
	ud gp
matrix_end TDH.SYS.SHUTDOWN
