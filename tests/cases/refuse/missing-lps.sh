#!/bin/sh
# The platform has more logical processors than Linux (nr_cpus=, kexec): an install session would
# stay open, so the update is refused before anything changes, and both numbers are reported.
# SMP: 1 2 4
. /tests/lib.sh
setup
n=$(nproc)

for lps in $((n + 1)) $((n + 64)); do
	emu_set platform "lps=$lps"
	reboot_firmware
	td_build 1
	mark_dmesg
	expect_refused test/v2.blob EHOSTDOWN cpu-offline
	expect last/phase platform "$(tdx last/phase)"
	expect last/cpu -1 "$(tdx last/cpu)"
	expect last/reason "the platform has $lps logical processors, $n are online" "$(tdx last/reason)"
	expect_match log "cpu-offline .*: the platform has $lps logical processors, $n are online; nothing has changed" \
		"$(dmesg_since_mark)"
	expect installs 0 "$(counter SEAMLDR.INSTALL)"
	expect_tds_alive 1
	td destroy all
done
emu_set platform "lps=$n"
reboot_firmware
td_build 1
expect_update test/v2.blob 0 success
expect_tds_alive 1
