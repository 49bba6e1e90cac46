#!/bin/sh
# The CPU table must have the CPU of each package; the stepping does not count. The reason names the
# first CPU that is missing.
# KERNEL: any
. /tests/lib.sh
setup

# CPUs of the packages, the one that the image lacks (-: none)
while read -r cpus lacks; do
	emu_set platform "cpu=$cpus"
	reboot_firmware
	td_build 1
	if [ "$lacks" = - ]; then
		expect_check test/v2.blob 0 success
		expect_update test/v2.blob 0 success
	else
		mark_dmesg
		expect_refused test/v2.blob ENODEV wrong-cpu
		expect "last/reason with $cpus" "CPUID(1).EAX $lacks" "$(tdx last/reason)"
		expect_match log "wrong-cpu .*: CPUID\(1\)\.EAX $lacks; nothing has changed" "$(dmesg_since_mark)"
	fi
	expect_tds_alive 1
	td destroy all
done <<END
0x806F8,0x806F6 -
0x806F8,0x806F8,0x806F8,0x806F8,0x806F8,0x806F8,0x806F8,0x806FF -
0xC06F2 0x000c06f0
0x806F8,0xC06F2 0x000c06f0
0x806F8,0xA06F1,0xC06F2 0x000a06f0
0x806F8,0x806F8,0x806F8,0x806F8,0x806F8,0x806F8,0x806F8,0x1806F8 0x001806f0
END

# An image for both packages.
emu_set platform cpu=0x806F8,0xC06F2
reboot_firmware
expect_update test/good-two-cpus.blob 0 success
