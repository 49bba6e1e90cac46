#!/bin/sh
# Does not end, and has a child that does not either.
# SMP: 1
. /tests/lib.sh
sleep 1000 &
sleep 1000
