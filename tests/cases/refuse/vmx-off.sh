#!/bin/sh
# A CPU that is not in VMX operation cannot call firmware: the update is refused, and the log names
# the CPU.
# SMP: 1 2 4 8
. /tests/lib.sh
setup
td_build 1

for cpu in 0 $(($(nproc) - 1)); do
	emu_set vmx $cpu=0
	mark_dmesg
	expect_refused test/v2.blob ENXIO vmx-off
	expect last/cpu $cpu "$(tdx last/cpu)"
	expect last/phase platform "$(tdx last/phase)"
	expect_match "log" "vmx-off .*CPU $cpu\]" "$(dmesg_since_mark)"
	emu_set vmx $cpu=1
done
expect_update test/v2.blob 0 success
expect_tds_alive 1
