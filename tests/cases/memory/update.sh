#!/bin/sh
# Every allocation of an update fails once, in an attempt each: ENOMEM and nothing changed, or it
# goes on without.
# NEEDS: CONFIG_FAILSLAB
. /tests/lib.sh
. /tests/nomemory.sh
failing_begins
setup remaining=1000000
td_build 1
walk "$TDX/update" test/good-1-page.blob
expect_tds_alive 1
