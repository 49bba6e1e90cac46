#!/bin/sh
# A clean power-off that comes too early.
# SMP: 4
. /tests/lib.sh
poweroff -f
sleep 1000
