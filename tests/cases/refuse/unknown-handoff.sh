#!/bin/sh
# Another driver has shut TDX down, so the size of the handoff data is unknown. No image is
# installed unless the image of the TDX module that was shut down is there to show the size.
# KERNEL: any
. /tests/lib.sh
. /tests/firmware.sh
setup
expect_update test/v2.blob 0 success
td_build 1

# shut_down_by_another: shut TDX down while tdx_update is not loaded, then load it.
shut_down_by_another() {
	rmmod tdx_update || die "tdx_update cannot be unloaded"
	expect_call SUCCESS 0 TDH.SYS.SHUTDOWN 0x10000
	load
	expect state shut-down "$(tdx state)"
}

shut_down_by_another
for image in a good-handoff-pages; do
	expect_refused test/$image.blob EPROTO bad-handoff
	expect "reason of $image" \
		"its size is not known without the image of the TDX module that is shut down" \
		"$(tdx last/reason)"
done
expect state shut-down "$(tdx state)"

# The image of the TDX module that was shut down.
expect_refused test/bad-handoff-pages.blob EPROTO bad-handoff
expect_update test/v2.blob 0 success
expect state ready "$(tdx state)"
expect_tds_alive 1

# With that image as recovery image others can be installed.
shut_down_by_another
store "$TDX/recovery_image" test/v2.blob
expect "errno of its own image as recovery image" 0 "$ERRNO"
expect_refused test/bad-handoff-pages.blob EPROTO bad-handoff
expect last/reason "12 handoff pages, at least 13 needed" "$(tdx last/reason)"
expect_update test/a.blob 0 success
expect state ready "$(tdx state)"
expect version 1.5.25 "$(tdx version)"
expect_tds_alive 1

# After an update by tdx_update the handoff data is that of the new TDX module, even if nobody has
# read state since.
store "$TDX/recovery_image" ""
expect_update test/good-handoff-pages.blob 0 success
expect_call SUCCESS 0 TDH.SYS.SHUTDOWN 0x10000
expect_refused test/v2.blob EPROTO bad-handoff
expect last/reason "13 handoff pages, at least 24 needed" "$(tdx last/reason)"
expect_update test/good-handoff-pages.blob 0 success
expect_tds_alive 1
