#!/bin/sh
# Passes after cases that failed: their faults are not counted against this one.
# SMP: 1
. /tests/lib.sh
expect "nothing" "" ""
