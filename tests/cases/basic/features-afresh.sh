#!/bin/sh
# version, features0 and race_protection are read from the running TDX module each time, never
# cached.
# KERNEL: any
. /tests/lib.sh
setup

expect race_protection supported "$(tdx race_protection)"
expect_update test/no-compat.blob 0 success
expect version 1.5.16 "$(tdx version)"
expect features0 0x0000000000040002 "$(tdx features0)"
expect race_protection unsupported "$(tdx race_protection)"
expect "RCX of SHUTDOWN by a module that rejects races" 0x10000 "$(shutdown_rcx)"

emu_set log clear
expect_update test/v2.blob 0 success
expect race_protection supported "$(tdx race_protection)"
expect "RCX of SHUTDOWN by a module that does not" 0x0 "$(shutdown_rcx)"
