#!/bin/sh
# The kernel warns.
# SMP: 3
. /tests/lib.sh
modprobe misbehave what=warn
