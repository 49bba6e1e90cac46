#!/bin/sh
# A TDX module of series 2 takes images of its own series and no other.
# KERNEL: any
. /tests/lib.sh
setup
emu_set module svn=2.4
reboot_firmware
td_build 1
expect_refused test/v2.blob EXDEV wrong-series
expect_refused test/bad-series-0.blob EXDEV wrong-series
expect_tds_alive 1
expect_update test/bad-series.blob 0 success
expect "svn" 2.5 "$(emu_get state svn)"
expect_tds_alive 1
