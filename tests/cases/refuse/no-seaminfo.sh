#!/bin/sh
# SEAMLDR.SEAMINFO is called again while P-SEAMLDR is busy. If it fails, the number of the
# platform's LPs is unknown and nothing is shut down.
# KERNEL: any
. /tests/lib.sh
setup
td_build 1

emu_set inject "SEAMLDR.SEAMINFO any 1 vmfail 0 3"
expect_update test/v2.blob 0 success

# vmfail: P-SEAMLDR stays busy, because the injection never ends.
while read -r status name; do
	emu_set inject "SEAMLDR.SEAMINFO any 1 $status 0 0"
	expect_refused test/a.blob EIO firmware-error
	expect last/leaf SEAMLDR.SEAMINFO "$(tdx last/leaf)"
	expect last/status "$name" "$(tdx last/status)"
	expect last/phase platform "$(tdx last/phase)"
	expect last/reason none "$(tdx last/reason)"
	emu_set inject clear
done <<END
vmfail 0x8000ff00ffff0000
0x8000000000000000 0x8000000000000000
END
expect_tds_alive 1
expect_update test/a.blob 0 success
