#!/bin/sh
# A variable that does not exist.
# SMP: 1
. /tests/lib.sh
# shellcheck disable=SC2154
expect "the answer" 42 "$never_set"
