#!/bin/sh
# Every allocation of setting the recovery image fails once: the write fails with ENOMEM and changes
# nothing, or it succeeds.
# SMOKE: kasan
. /tests/lib.sh
. /tests/nomemory.sh
setup
failing_begins
walk "$TDX/recovery_image" test/good-1-page.blob
expect recovery_image test/good-1-page.blob "$(tdx recovery_image)"
