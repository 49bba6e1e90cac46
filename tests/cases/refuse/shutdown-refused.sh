#!/bin/sh
# If the shutdown is refused for any reason but the race, the update fails with EIO, nothing has
# changed, and the next update succeeds.
# SMP: 1 2 4
# KERNEL: any
. /tests/lib.sh
setup
td_build 1

# status as last/status shows it, its name in the log
while read -r status name; do
	emu_set inject "TDH.SYS.SHUTDOWN any 1 $status"
	mark_dmesg
	expect_update test/a.blob EIO firmware-error
	expect last/phase shutdown "$(tdx last/phase)"
	expect last/leaf TDH.SYS.SHUTDOWN "$(tdx last/leaf)"
	expect last/status "$status" "$(tdx last/status)"
	expect_match log "$name" "$(dmesg_since_mark)"
	expect version 1.5.24 "$(tdx version)"
	expect state ready "$(tdx state)"
	expect_tds_alive 1
	expect installs 0 "$(counter SEAMLDR.INSTALL)"
done <<END
0x8000020200000000 SYS_BUSY
0xc000010000000001 OPERAND_INVALID
0x8000020300000000 RND_NO_ENTROPY
0xc0ffee0000000000 unknown
0x8000ff00ffff0000 VMfailInvalid
END
expect_update test/a.blob 0 success
expect_tds_alive 1
