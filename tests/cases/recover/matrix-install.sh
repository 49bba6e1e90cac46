#!/bin/sh
# Each answer to INSTALL, on each kind of LP, recoverable or not: no session stays open that can be
# closed, and no TD is lost that the firmware allows to be saved.
# SMP: 4
# KERNEL: any
. /tests/lib.sh
. /tests/matrix.sh

matrix SEAMLDR.INSTALL \
	0x8000000000000000 0x8000000000000003 0x8000000000000004 0x8000000000000005 \
	0x8000000000000006 0x8000000000010002 0x8000000000010003 0x8000000000010004 \
	0x8000000000020000 0x8000000000020001 0x8000000000030001 \
	0x8000000012345678 vmfail ud gp
matrix_end SEAMLDR.INSTALL
