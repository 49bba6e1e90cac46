#!/bin/sh
# Every allocation of setting the recovery image fails once: ENOMEM and it stays what it was, or it
# is the new one.
# NEEDS: CONFIG_FAILSLAB
. /tests/lib.sh
. /tests/nomemory.sh
failing_begins
setup
walk "$TDX/recovery_image" test/good-1-page.blob
expect recovery_image test/good-1-page.blob "$(tdx recovery_image)"
