#!/bin/sh
# A failure past the point of no return that cannot be repaired is named so, and so is the state after it.
# SMP: 1 2 4
. /tests/lib.sh
setup
last=$(($(nproc) - 1))

# leaf, CPU, status, RDX, phase
while read -r leaf cpu status rdx phase; do
	note "$leaf $status"
	setup_again
	emu_set inject "$leaf $cpu 1 $status $rdx 0"
	mark_dmesg
	expect_update test/v2.blob ENOTRECOVERABLE lost
	expect last/phase "$phase" "$(tdx last/phase)"
	expect last/leaf "$leaf" "$(tdx last/leaf)"
	expect last/status "$status" "$(tdx last/status)"
	expect "open session" 0 "$(emu_get state session)"
	expect state lost "$(tdx state)"
	with_errno tdx version
	expect "version" ENXIO "$ERRNO"
	expect_match log "lost \(ENOTRECOVERABLE\): TDX is down until reboot \[phase $phase, $leaf" "$(dmesg_since_mark)"
	emu_set inject clear
	expect_update test/v2.blob ENOTRECOVERABLE lost
done <<END
SEAMLDR.INSTALL $last 0x8000000000020001 1 install
SEAMLDR.INSTALL $last 0x8000000000020000 0 install
TDH.SYS.INIT any 0xc000050000000000 0 init
TDH.SYS.LP.INIT $last 0xc000050b00000000 0 init
TDH.SYS.UPDATE any 0xc000050900000000 0 update
END
