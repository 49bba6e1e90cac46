#!/bin/sh
# A running TDX module that cannot reject a race (no FEATURES0 bit 47) is updated all the same,
# without bit 16 of SHUTDOWN. This shows the damage: a TD whose build the update splits gets a wrong
# measurement.
# SMP: 1 2 4
. /tests/lib.sh
setup features0=0x0000000000040002
td_build 1
td_ok new 2
td_ok add 2 2

expect race_protection unsupported "$(tdx race_protection)"
expect_update test/v2.blob 0 success
expect "RCX of SHUTDOWN" 0x0 "$(shutdown_rcx)"
expect_tds_alive 1
td_ok add 2 1
td_ok finalize 2
expect "verdict on the measurement of the split build" wrong "$(td_get 2 verdict)"
expect "spoiled builds" 1 "$(emu_get state spoiled)"
