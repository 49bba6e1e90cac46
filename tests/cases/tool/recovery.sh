#!/bin/sh
# Only an update shows that an image of the running version does not suit the new one as recovery
# image: --recovery auto then tries the next. A refusal names the recovery image that is wrong.
# SMP: 2
# SANITIZERS: no
# KERNEL: any
. /tests/lib.sh
. /tests/tool.sh
setup
dir=$TMP/images
mkdir -p /run "$dir"
cp /lib/firmware/test/same.blob "$dir/old.blob"
cp /lib/firmware/test/good-same-24.blob "$dir/old24.blob"
cp /lib/firmware/test/good-handoff-pages.blob "$dir/new.blob"
td_build 1

expect_tool 1 apply "$dir/new.blob" --recovery "$dir/old.blob"
expect_match "which image is wrong" \
	"^tdx-update: $dir/old\.blob: bad-handoff .*: recovery image: 13 handoff pages, at least 24 needed" "$ERR"
store "$TDX/recovery_image" test/same.blob
expect_tool 1 check "$dir/new.blob"
expect_match "which image is wrong in a check" '^tdx-update: test/same\.blob: bad-handoff' "$ERR"
expect_tool 0 apply --latest "$dir" --recovery none --dry-run
store "$TDX/recovery_image" ''
expect_tool 0 apply "$dir/new.blob" --recovery auto --json
expect "with --recovery auto" "success $dir/old24.blob" "$(json '"\(.result) \(.recovery)"')"
expect_match "passed over" "passed over as recovery image: $dir/old\.blob: bad-handoff" "$ERR"
expect "recovery_image afterwards" '' "$(tdx recovery_image)"
expect_no_match "undoing" 'cannot set' "$ERR"
expect_tds_alive 1
expect_nothing_left recovery
