#!/bin/sh
# A comparison fails, and the case goes on to its end.
# SMP: 1
. /tests/lib.sh
expect "the answer" 42 41
note "goes on"
