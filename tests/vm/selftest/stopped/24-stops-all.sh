#!/bin/sh
# The runner itself stands still, so that only the host can end it.
# SMP: 1
. /tests/lib.sh
note "before the end"
kill -STOP $PPID
sleep 1000
