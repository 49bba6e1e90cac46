#!/bin/sh
# While all CPUs stand still, each of them that waits for another pets the NMI watchdog, because a
# blackout may last longer than the watchdog's limit.
# NEEDS: CONFIG_HARDLOCKUP_DETECTOR
. /tests/lib.sh
setup
modprobe tdx_petted || die "tdx_petted does not load"
emu_set delay SEAMLDR.INSTALL=20000000
expect_update test/good-1-page.blob 0 success
expect "CPUs that have petted it, as bits" 3 "$(cat /sys/module/tdx_petted/parameters/cpus)"
