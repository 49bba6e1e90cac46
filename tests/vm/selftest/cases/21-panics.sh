#!/bin/sh
# The kernel panics.
# SMP: 2
. /tests/lib.sh
note "last words"
sleep 1	# until they are out
echo c >/proc/sysrq-trigger
