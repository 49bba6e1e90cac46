#!/bin/sh
# A comparison that does not hold, in a case that goes on to its end.
# SMP: 1
. /tests/lib.sh
expect "the answer" 42 41
note "goes on"
