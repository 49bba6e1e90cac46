#!/bin/sh
# The running version can be installed again.
# KERNEL: any
. /tests/lib.sh
setup
td_build 1

expect_update test/same.blob 0 success
expect version 1.5.24 "$(tdx version)"
expect last/from 1.5.24 "$(tdx last/from)"
expect last/to 1.5.24 "$(tdx last/to)"
expect updates 1 "$(emu_get state updates)"
expect_tds_alive 1
