#!/bin/sh
# Skips itself, but its head does not say what it needs.
# SMP: 1
. /tests/lib.sh
skip "not today"
