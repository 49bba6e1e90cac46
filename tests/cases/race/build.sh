#!/bin/sh
# While a TD is being built an update fails with EBUSY; once the TD is finished it succeeds.
# SMP: 1 2 4 8
# SMOKE: yes
. /tests/lib.sh
setup
td_build 1

expect_race() {
	expect_update test/v2.blob EBUSY update-race
	expect last/errno 16 "$(tdx last/errno)"
	expect last/phase shutdown "$(tdx last/phase)"
	expect last/leaf TDH.SYS.SHUTDOWN "$(tdx last/leaf)"
	expect last/status 0x8000051200010000 "$(tdx last/status)"
	expect version 1.5.24 "$(tdx version)"
	expect state ready "$(tdx state)"
}

td_ok new 2
expect_race
td_ok add 2 2
expect_race
td_ok add 2 1
td_ok finalize 2
expect_update test/v2.blob 0 success
td_ok enter 2
expect_tds_alive 1 2
expect "spoiled builds" 0 "$(emu_get state spoiled)"

# An abandoned build does not count.
td_ok new 3
expect_update test/v2.blob EBUSY update-race
td_ok destroy 3
expect_update test/v2.blob 0 success
