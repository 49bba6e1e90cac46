#!/bin/sh
# Never runs: the case before it brings the guest down.
# SMP: 2 3 4
. /tests/lib.sh
expect "nothing" "" ""
