#!/bin/sh
# Is killed in the middle, and cannot report it.
# SMP: 1
. /tests/lib.sh
kill -KILL $$
