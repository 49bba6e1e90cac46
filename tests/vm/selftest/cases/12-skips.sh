#!/bin/sh
# A skip is no pass.
# SMP: 1
. /tests/lib.sh
skip "not here"
