#!/bin/sh
# A recovery image may have to follow the running TDX module or the image. If it has fewer handoff
# pages than one of them, it is refused.
# KERNEL: any
. /tests/lib.sh
setup handoff_pages=12
td_build 1

recovery() {
	store "$TDX/recovery_image" "$1"
	expect "errno of recovery image $1" "${2:-0}" "$ERRNO"
}

# Fewer handoff pages than the image.
recovery test/bad-handoff-pages.blob
expect_refused test/v2.blob EPROTO bad-handoff
expect last/reason "recovery image: 12 handoff pages, at least 13 needed" "$(tdx last/reason)"
recovery test/same.blob
expect_refused test/good-handoff-pages.blob EPROTO bad-handoff
expect last/reason "recovery image: 13 handoff pages, at least 24 needed" "$(tdx last/reason)"
expect_update test/v2.blob 0 success

# Fewer handoff pages than the running TDX module.
recovery test/bad-handoff-pages.blob EPROTO
expect last_check/reason "12 handoff pages, at least 13 needed" "$(tdx last_check/reason)"
recovery test/good-handoff-pages.blob
expect_update test/v2.blob 0 success
expect_tds_alive 1
