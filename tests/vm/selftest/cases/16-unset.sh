#!/bin/sh
# Uses a variable that was never set.
# SMP: 1
. /tests/lib.sh
# shellcheck disable=SC2154
expect "the answer" 42 "$never_set"
