#!/bin/sh
# What was wrong with the cases before is not this one's fault.
# SMP: 1
. /tests/lib.sh
expect "nothing" "" ""
