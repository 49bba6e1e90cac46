#!/bin/sh
# The kernel panics.
# SMP: 2
. /tests/lib.sh
note "last words"
sleep 1	# until the note has left the guest
echo c >/proc/sysrq-trigger
