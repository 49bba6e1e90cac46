#!/bin/sh
# While an export is interrupted an update fails with EBUSY; once the export has been resumed the
# update succeeds.
. /tests/lib.sh
setup
td_build 1
td_build 2

td_ok export 2
expect_update test/v2.blob EBUSY update-race
expect last/status 0x8000051200010000 "$(tdx last/status)"
td_ok export-end 2
expect_update test/v2.blob 0 success
expect_tds_alive 1
