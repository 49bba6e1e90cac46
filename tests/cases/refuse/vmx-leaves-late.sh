#!/bin/sh
# A CPU leaves VMX operation after the platform was found good: the blackout checks again, on the
# lead CPU and on the other CPUs, and changes nothing.
# SMP: 2 4
. /tests/lib.sh
setup
td_build 1

for cpu in 0 $(($(nproc) - 1)); do
	# SEAMLDR.SEAMINFO is called after all CPUs were checked, here by another CPU.
	hold SEAMLDR.SEAMINFO
	taskset $((cpu ? 1 : 2)) sh -c "echo test/v2.blob >$TDX/update" &
	writer=$!
	wait_for 60 held || fail "P-SEAMLDR is not asked"
	emu_set vmx $cpu=0
	release
	wait $writer
	expect last/result vmx-off "$(tdx last/result)"
	expect last/phase quiesce "$(tdx last/phase)"
	expect last/leaf none "$(tdx last/leaf)"
	expect last/cpu $cpu "$(tdx last/cpu)"
	expect shutdowns 0 "$(counter TDH.SYS.SHUTDOWN)"
	expect "open session" 0 "$(emu_get state session)"
	emu_set vmx $cpu=1
	expect_tds_alive 1
done
expect_update test/v2.blob 0 success
expect_tds_alive 1
