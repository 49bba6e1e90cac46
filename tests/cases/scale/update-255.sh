#!/bin/sh
# On 255 CPUs, the most without x2APIC, an update that races the build of a TD is refused and the
# next one succeeds with each LP taking its part.
# SMP: 255
# KERNEL: any
# NEEDS: CONFIG_MAXSMP
. /tests/lib.sh
. /tests/scale.sh
expect_update_on 255
