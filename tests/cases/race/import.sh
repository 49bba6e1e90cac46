#!/bin/sh
# While an import is interrupted an update fails with EBUSY; once the import has been resumed the
# update succeeds, and the imported TD runs with its origin's measurement.
. /tests/lib.sh
setup
td_build 1
mrtd=$(td_get 1 mrtd)
td_ok export 1
td_ok export-end 1

td_ok import 2 1
expect_update test/v2.blob EBUSY update-race
td_ok import-end 2
expect_update test/v2.blob 0 success
td_ok enter 2
expect "measurement of the imported TD" "$mrtd" "$(td_get 2 mrtd)"
expect "verdict on it" good "$(td_get 2 verdict)"
