#!/bin/sh
# If a call that initializes the new TDX module answers no entropy or busy, it is repeated, up to a
# bound. An LP that TDH.SYS.LP.INIT has succeeded on does not call it again.
# SMP: 1 2 4
. /tests/lib.sh
setup
td_build 1

for leaf in TDH.SYS.INIT TDH.SYS.LP.INIT TDH.SYS.UPDATE; do
	for status in 0x8000020300000000 0x8000020200000000 0x8000020000000000; do
		emu_set inject "$leaf any 1 $status 0 20"
		expect_update test/v2.blob 0 success
		expect_tds_alive 1
	done
done

# A repeated call has the operands of the first one, although a failed TDH.SYS.RD changes the
# registers. The shell reads once; busybox's cat would read again after an error, when the fault is
# over.
emu_set inject "TDH.SYS.RD any 1 0x8000020200000000 0 3"
version=''
read -r version <"$TDX/version" || true
expect version 1.5.26 "$version"

emu_set inject "TDH.SYS.LP.INIT 0 1 0x8000020300000000 0 0"
expect_update test/v2.blob ESHUTDOWN shut-down
expect last/phase init "$(tdx last/phase)"
expect last/leaf TDH.SYS.LP.INIT "$(tdx last/leaf)"
expect last/status 0x8000020300000000 "$(tdx last/status)"
expect last/cpu 0 "$(tdx last/cpu)"

# In a round of TDH.SYS.LP.INIT for one LP the others are left out: the firmware would refuse them.
td destroy all
setup_again
td_build 1
last=$(($(nproc) - 1))
before=$(counter TDH.SYS.LP.INIT)
emu_set inject "TDH.SYS.LP.INIT $last 1 0xc000050b00000000 0 1"
expect_update test/v2.blob 0 success
expect "calls of TDH.SYS.LP.INIT" $((last + 2)) $(($(counter TDH.SYS.LP.INIT) - before))
expect_tds_alive 1
