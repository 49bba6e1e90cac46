#!/bin/sh
# Twenty updates in a row, back and forth between two versions, until P-SEAMLDR's log is full.
# SMP: 2 8
. /tests/lib.sh
setup remaining=20
td_build 1

for i in $(seq 10); do
	expect_update test/a.blob 0 success
	expect "version after $i" 1.5.25 "$(tdx version)"
	expect_update test/b.blob 0 success
	expect "version after $i" 1.5.27 "$(tdx version)"
done
expect num_remaining_updates 0 "$(tdx num_remaining_updates)"
expect_update test/a.blob ENOSPC no-updates-left
expect "shutdowns" 20 "$(counter TDH.SYS.SHUTDOWN)"
expect_tds_alive 1
