#!/bin/sh
# Every allocation of an update that has a recovery image fails once: the attempt ends with ENOMEM
# and changes nothing, or it succeeds.
# SMOKE: kasan
. /tests/lib.sh
. /tests/nomemory.sh
setup remaining=1000000
failing_begins
td_build 1
store "$TDX/recovery_image" test/good-1-page.blob
expect "errno of setting the recovery image" 0 "$ERRNO"
walk "$TDX/update" test/good-1-page.blob
expect_tds_alive 1
