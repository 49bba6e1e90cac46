#!/bin/sh
# Parameter require_recovery refuses an update for which no recovery image is set.
# KERNEL: any
. /tests/lib.sh
setup
td_build 1

echo 1 >/sys/module/tdx_update/parameters/require_recovery
expect_refused test/v2.blob EOPNOTSUPP unsupported
expect last/reason "no recovery image is set, and require_recovery is set" "$(tdx last/reason)"
store "$TDX/recovery_image" test/same.blob
expect "errno of a recovery image" 0 "$ERRNO"
expect_update test/v2.blob 0 success
expect_tds_alive 1
