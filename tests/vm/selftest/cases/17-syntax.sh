#!/bin/sh
# Has a syntax error.
# SMP: 1
# shellcheck disable=all
. /tests/lib.sh
if then
