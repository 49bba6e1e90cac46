#!/bin/sh
# An LP whose INSTALL brings back an error, whatever it is, keeps no other from calling, and calls
# again when they have: no LP leaves an open session that the firmware would let them close.
# SMP: 2 4 8
. /tests/lib.sh
setup

for status in 0x8000000012345678 0x8000000000000003 vmfail ud gp; do
	setup_again
	emu_set log clear
	emu_set inject "SEAMLDR.INSTALL 0 1 $status 0 0"
	expect_update test/v2.blob ESHUTDOWN shut-down
	expect last/leaf SEAMLDR.INSTALL "$(tdx last/leaf)"
	expect last/cpu 0 "$(tdx last/cpu)"
	# A status closes the session when it answers the last call that was missing, but for
	# EBADCALL, which does not count the call. Otherwise the session stays open.
	case $status in
	0x80000000123*) expect "open session after $status" 0 "$(emu_get state session)" ;;
	*) expect "LPs that have called after $status" $(($(nproc) - 1)) "$(emu_get state session)" ;;
	esac
done

# Once is forgiven: the LP calls again when the others have, and the session closes.
for status in 0x8000000000000003 0x8000000012345678 vmfail ud gp; do
	for cpu in 0 $(($(nproc) - 1)); do
		setup_again
		emu_set log clear
		td_build 1
		case $status:$cpu in
		0x*:0 | vmfail:* | ud:* | gp:*) ;;
		*) td destroy all; continue ;;	# that is the closing call's result
		esac
		emu_set inject "SEAMLDR.INSTALL $cpu 1 $status 0 1"
		expect_update test/v2.blob 0 success
		expect last/sessions 1 "$(tdx last/sessions)"
		expect_tds_alive 1
		td destroy all
	done
done
