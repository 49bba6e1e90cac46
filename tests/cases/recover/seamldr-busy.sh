#!/bin/sh
# An LP that finds P-SEAMLDR busy repeats its own call; no LP is left out or calls twice.
# SMP: 1 2 4 8
. /tests/lib.sh
setup
td_build 1

for cpu in 0 $(($(nproc) - 1)); do
	emu_set inject "SEAMLDR.INSTALL $cpu 1 vmfail 0 50"
	expect_update test/v2.blob 0 success
	expect last/sessions 1 "$(tdx last/sessions)"
	expect "open session" 0 "$(emu_get state session)"
done
# Before the blackout P-SEAMLDR may be busy with another caller.
emu_set inject "SEAMLDR.INFO any 1 vmfail 0 3"
expect_update test/v2.blob 0 success
expect_tds_alive 1
