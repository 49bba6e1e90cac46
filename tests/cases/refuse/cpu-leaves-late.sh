#!/bin/sh
# A CPU goes offline after the platform was found complete: the blackout checks again and changes
# nothing.
# SMP: 2 4
. /tests/lib.sh
setup
td_build 1
cpu=$(($(nproc) - 1))

# SEAMLDR.SEAMINFO is called after the CPUs were counted and before the blackout.
hold SEAMLDR.SEAMINFO
# The writer cannot go on after the answer: another process of higher priority keeps the CPU to
# which both are bound.
renice -n -20 -p $$
taskset 1 chrt -i 0 sh -c "echo test/v2.blob >$TDX/update" &
writer=$!
wait_for 60 held || fail "P-SEAMLDR is not asked"
taskset 1 sh -c 'while :; do :; done' &
other=$!
wait_for 60 on_cpu $other 0 || fail "the other does not wait for the CPU"
release
echo 0 >/sys/devices/system/cpu/cpu$cpu/online
kill $other
wait $writer
expect last/result cpu-offline "$(tdx last/result)"
expect last/errno 112 "$(tdx last/errno)"
expect last/phase quiesce "$(tdx last/phase)"
expect last/cpu $cpu "$(tdx last/cpu)"
expect shutdowns 0 "$(counter TDH.SYS.SHUTDOWN)"
expect "open session" 0 "$(emu_get state session)"
echo 1 >/sys/devices/system/cpu/cpu$cpu/online
expect_update test/v2.blob 0 success
expect_tds_alive 1
