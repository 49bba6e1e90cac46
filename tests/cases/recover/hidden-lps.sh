#!/bin/sh
# P-SEAMLDR waits for an LP that SEAMLDR.SEAMINFO does not report. The session stays open after
# every CPU has called, no call can close it, and the result is lost with that reason.
# SMP: 1 2 4
. /tests/lib.sh
n=$(nproc)
setup lps=$((n + 1)) seaminfo_lps="$n"
td_build 1

expect_update test/v2.blob ENOTRECOVERABLE lost
expect last/phase init "$(tdx last/phase)"
expect last/leaf TDH.SYS.INIT "$(tdx last/leaf)"
expect last/reason "an install session stays open: P-SEAMLDR waits for more LPs" \
	"$(tdx last/reason)"
expect "LPs that have called" "$n" "$(emu_get state session)"
expect state lost "$(tdx state)"
emu_set platform "lps=$n" seaminfo_lps=4294967295
reboot_firmware
expect_update test/a.blob 0 success
