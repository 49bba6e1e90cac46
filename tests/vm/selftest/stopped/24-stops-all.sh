#!/bin/sh
# Stops the runner itself, so that only the host can end the guest.
# SMP: 1
. /tests/lib.sh
note "before the end"
kill -STOP $PPID
sleep 1000
