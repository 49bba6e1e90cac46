#!/bin/sh
# A TDX module with fewer handoff pages than the running one would stop an LP for good at
# TDH.SYS.UPDATE, so its image is refused.
# KERNEL: any
. /tests/lib.sh
setup
td_build 1

expect_refused test/bad-handoff-pages.blob EPROTO bad-handoff
expect last/reason "12 handoff pages, at least 13 needed" "$(tdx last/reason)"
expect_update test/v2.blob 0 success
expect_update test/good-handoff-pages.blob 0 success
# The TDX module installed last has more handoff pages, so more are needed now.
expect_refused test/v2.blob EPROTO bad-handoff
expect last/reason "13 handoff pages, at least 24 needed" "$(tdx last/reason)"
expect_tds_alive 1
