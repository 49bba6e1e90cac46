#!/bin/sh
# Every allocation of setting the recovery image fails once: the write fails with ENOMEM and changes
# nothing, or it succeeds.
# NEEDS: CONFIG_FAILSLAB
. /tests/lib.sh
. /tests/nomemory.sh
failing_begins
setup
walk "$TDX/recovery_image" test/good-1-page.blob
expect recovery_image test/good-1-page.blob "$(tdx recovery_image)"
