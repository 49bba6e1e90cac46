#!/bin/sh
# Powers off cleanly, but before the plan is complete.
# SMP: 4
. /tests/lib.sh
poweroff -f
sleep 1000
