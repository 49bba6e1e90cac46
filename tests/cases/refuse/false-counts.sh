#!/bin/sh
# SEAMLDR.SEAMINFO reports fewer LPs than are online, or an impossible number of packages: an
# install session would close too early, or a CPU table could not be checked. The update is refused,
# and both numbers are reported.
# SMP: 1 2 4
# KERNEL: any
. /tests/lib.sh
setup
n=$(nproc)
td_build 1

# LPs, packages
while read -r lps packages; do
	emu_set platform "seaminfo_lps=$lps" "seaminfo_sockets=$packages"
	mark_dmesg
	expect_refused test/v2.blob EIO firmware-error
	expect last/leaf SEAMLDR.SEAMINFO "$(tdx last/leaf)"
	expect last/status 0x0000000000000000 "$(tdx last/status)"
	expect last/reason "P-SEAMLDR knows $lps logical processors in $packages packages, $n are online" \
		"$(tdx last/reason)"
	expect_match log "firmware-error .*: P-SEAMLDR knows $lps logical .*; nothing has changed" \
		"$(dmesg_since_mark)"
	expect installs 0 "$(counter SEAMLDR.INSTALL)"
	expect_tds_alive 1
done <<END
$((n - 1)) 1
0 1
$n 0
$n 9
$n 4294967294
END
emu_set platform seaminfo_lps=4294967295 seaminfo_sockets=4294967295
expect_update test/v2.blob 0 success
expect_tds_alive 1
