#!/bin/sh
# A skip does not count as a pass.
# SMP: 1
# NEEDS: CONFIG_NO_SUCH_THING
. /tests/lib.sh
skip "not here"
