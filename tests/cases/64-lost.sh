#!/bin/sh
# A failure past the point of no return that is not repaired is named so, and so is the state after it.
# Where the handoff data is whole a further update may still save the TDs, else it fails at once.
# SMP: 1 2 4
. /tests/lib.sh
setup
last=$(($(nproc) - 1))

# leaf, CPU, status, RDX, phase, what may become of the TDs
while read -r leaf cpu status rdx phase tds; do
	note "$leaf $status"
	setup_again
	td_build 1
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
	emu_set inject clear
	case $tds in
	saved)
		expect_match log "TDX is down; the TDs stand still, .* may still save them \[phase $phase, $leaf" \
			"$(dmesg_since_mark)"
		expect_refused test/bad-hash.blob EBADMSG corrupt
		expect state lost "$(tdx state)"
		expect_check test/a.blob 0 success
		expect_update test/a.blob 0 success
		expect state ready "$(tdx state)"
		expect version 1.5.25 "$(tdx version)"
		expect_tds_alive 1
		expect_update test/b.blob 0 success
		;;
	gone)
		expect_match log "TDX is down; the TDs are gone, reboot .* \[phase $phase, $leaf" \
			"$(dmesg_since_mark)"
		expect_refused test/a.blob ENOTRECOVERABLE lost
		;;
	esac
	td destroy all
done <<END
SEAMLDR.INSTALL $last 0x8000000000020001 1 install gone
SEAMLDR.INSTALL $last 0x8000000000020000 0 install saved
TDH.SYS.INIT any 0xc000050000000000 0 init saved
TDH.SYS.LP.INIT $last 0xc000050b00000000 0 init saved
TDH.SYS.UPDATE any 0xc000050900000000 0 update saved
END
