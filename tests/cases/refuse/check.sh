#!/bin/sh
# check returns what update would, and changes nothing: no shutdown, no install, no uevent, no line
# in the log, and not last/, which is about updates.
# SMOKE: yes
. /tests/lib.sh
setup
td_build 1
last() {
	grep . "$TDX"/last/*
}
before=$(last)
now=$(date +%s)
mark_dmesg
uevents_start

expect_check test/v2.blob 0 success
expect last_check/errno 0 "$(tdx last_check/errno)"
expect last_check/from 1.5.24 "$(tdx last_check/from)"
expect last_check/to 1.5.26 "$(tdx last_check/to)"
expect last_check/tds untouched "$(tdx last_check/tds)"
expect last_check/blackout_ns 0 "$(tdx last_check/blackout_ns)"
expect_ge last_check/when "$now" "$(tdx last_check/when)"
expect_check test/good-no-version.blob 0 success
expect "last_check/to of an image that does not tell" none "$(tdx last_check/to)"
expect_check test/none.blob ENOENT no-image
expect_check 1 ENOENT no-image
expect_check ../x EINVAL bad-name
store "$TDX/recovery_image" test/bad-svn.blob
expect "errno of setting a recovery image" ESTALE "$ERRNO"
expect last_check/image test/bad-svn.blob "$(tdx last_check/image)"
expect last/ "$before" "$(last)"
expect log '' "$(dmesg_since_mark | grep tdx_update:)"

uevents_stop
expect uevents 0 "$(uevents | grep -c TDX_UPDATE)"
expect version 1.5.24 "$(tdx version)"
expect shutdowns 0 "$(counter TDH.SYS.SHUTDOWN)"
expect installs 0 "$(counter SEAMLDR.INSTALL)"
expect num_remaining_updates 20 "$(tdx num_remaining_updates)"
expect_tds_alive 1
# check cannot see a race: only the firmware does, at the shutdown.
td_ok new 2
expect_check test/v2.blob 0 success
expect_update test/v2.blob EBUSY update-race
