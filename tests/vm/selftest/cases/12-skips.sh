#!/bin/sh
# A skip is no pass.
# SMP: 1
# NEEDS: CONFIG_NO_SUCH_THING
. /tests/lib.sh
skip "not here"
