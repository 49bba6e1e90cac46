#!/bin/sh
# Comes after those that bring the guest down.
# SMP: 2 3 4
. /tests/lib.sh
expect "nothing" "" ""
