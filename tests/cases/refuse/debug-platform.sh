#!/bin/sh
# Debug-signed images need a platform that is debug-unlocked by MSR 0x503. If the MSR cannot be
# read, P-SEAMLDR has to be a debug build instead.
. /tests/lib.sh
setup

# P-SEAMLDR a debug build, platform unlocked, MSR, refused (-: not)
while read -r debug unlocked msr refused; do
	emu_set platform "debug=$debug unlocked=$unlocked"
	reboot_firmware
	emu_set msr 0x503="$msr"
	if [ "$refused" = - ]; then
		expect_check test/good-debug.blob 0 success
	else
		expect_refused test/good-debug.blob EKEYREJECTED bad-signature
		expect last/reason debug-signed "$(tdx last/reason)"
	fi
	expect_check test/v2.blob 0 success
done <<END
0 0 on refused
1 0 on refused
0 1 on -
1 1 on -
0 1 gp refused
1 0 gp -
END
emu_set platform "debug=0 unlocked=1"
reboot_firmware
emu_set msr 0x503=on
expect_update test/good-debug.blob 0 success
