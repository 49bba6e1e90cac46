#!/bin/sh
# A line that is no shell.
# SMP: 1
# shellcheck disable=all
. /tests/lib.sh
if then
