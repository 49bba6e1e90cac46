#!/bin/sh
# check returns what update would, and changes nothing: no shutdown, no install, no uevent.
# SMOKE: yes
. /tests/lib.sh
setup
td_build 1
mark_dmesg
uevents_start

expect_check test/v2.blob 0 success
expect last/errno 0 "$(tdx last/errno)"
expect last/from 1.5.24 "$(tdx last/from)"
expect last/to 1.5.26 "$(tdx last/to)"
expect last/blackout_ns 0 "$(tdx last/blackout_ns)"
expect_match log 'tdx_update: test/v2.blob: 1\.5\.24 -> 1\.5\.26 can be installed now; checked only' "$(dmesg_since_mark)"
expect_check test/good-no-version.blob 0 success
expect "last/to of an image that does not tell" none "$(tdx last/to)"
expect_check test/none.blob ENOENT no-image
expect_check 1 ENOENT no-image
expect_check ../x EINVAL bad-name

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
