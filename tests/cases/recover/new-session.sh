#!/bin/sh
# A transient, recoverable failure of the closing INSTALL costs a session, not the TDs. An image
# gets at most eight, and without a recovery image it gets them twice.
# SMP: 1 2 4 8
. /tests/lib.sh
setup
td_build 1
last=$(($(nproc) - 1))

emu_set inject "SEAMLDR.INSTALL $last 1 0x8000000000030001 0 3"
mark_dmesg
expect_update test/v2.blob 0 success
expect last/sessions 4 "$(tdx last/sessions)"
expect_match log '1\.5\.24 -> 1\.5\.26 after 4 install sessions, TDs live' "$(dmesg_since_mark)"
expect_tds_alive 1

emu_set log clear
emu_set inject "SEAMLDR.INSTALL $last 1 0x8000000000030001 0 0"
expect_update test/v2.blob ESHUTDOWN shut-down
expect last/sessions 16 "$(tdx last/sessions)"
expect "calls of each LP" 16 "$(emu log | awk '$3 == "SEAMLDR.INSTALL" { n[$2]++ } END { for (c in n) print n[c] }' | sort -u)"
expect "open session" 0 "$(emu_get state session)"
