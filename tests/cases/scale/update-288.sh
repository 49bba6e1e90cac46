#!/bin/sh
# On 288 CPUs, whose APIC IDs need x2APIC and interrupt remapping, an update that races the build of
# a TD is refused and the next one succeeds with each LP taking its part.
# SMP: 288
# KERNEL: any
# NEEDS: CONFIG_MAXSMP
. /tests/lib.sh
. /tests/scale.sh
expect_update_on 288
