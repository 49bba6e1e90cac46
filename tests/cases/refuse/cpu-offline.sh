#!/bin/sh
# A present CPU that is offline would leave the install session open: the update is refused, and the
# log names the CPU.
# SMP: 2 4 8
# SMOKE: yes
. /tests/lib.sh
setup
td_build 1
cpu=$(($(nproc) - 1))

echo 0 >/sys/devices/system/cpu/cpu$cpu/online
mark_dmesg
expect_refused test/v2.blob EHOSTDOWN cpu-offline
expect last/cpu $cpu "$(tdx last/cpu)"
expect last/phase platform "$(tdx last/phase)"
expect_match "log" "cpu-offline .*CPU $cpu\]" "$(dmesg_since_mark)"
echo 1 >/sys/devices/system/cpu/cpu$cpu/online
expect_update test/v2.blob 0 success
expect_tds_alive 1
