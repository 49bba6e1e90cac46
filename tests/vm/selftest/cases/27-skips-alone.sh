#!/bin/sh
# Skips itself and does not say what it needs.
# SMP: 1
. /tests/lib.sh
skip "not today"
