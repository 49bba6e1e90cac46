#!/bin/sh
# Every allocation of an update fails once, each in an attempt of its own: the attempt ends with
# ENOMEM and changes nothing, or it succeeds.
# SMOKE: kasan
. /tests/lib.sh
. /tests/nomemory.sh
setup remaining=1000000
failing_begins
td_build 1
walk "$TDX/update" test/good-1-page.blob
expect_tds_alive 1
