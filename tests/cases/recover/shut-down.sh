#!/bin/sh
# After a failure that leaves the handoff data whole, result and state are shut-down. A further
# update brings TDX back without a reboot, for any handoff version: the module remembers what that
# update needs.
# SMP: 1 2 4
. /tests/lib.sh
setup hv=0-2
last=$(($(nproc) - 1))

# leaf, CPU, status, phase
while read -r leaf cpu status phase; do
	note "$leaf $status"
	reboot_firmware
	td_build 1
	emu_set inject "$leaf $cpu 1 $status 0 0"
	mark_dmesg
	expect_update test/hv-1-3.blob ESHUTDOWN shut-down
	expect last/phase "$phase" "$(tdx last/phase)"
	expect last/leaf "$leaf" "$(tdx last/leaf)"
	expect last/status "$status" "$(tdx last/status)"
	expect_match log "can bring it back; KVM gives up TDs that run now; install .* \[phase $phase, $leaf" \
		"$(dmesg_since_mark)"
	expect "open session" 0 "$(emu_get state session)"
	expect state shut-down "$(tdx state)"
	with_errno tdx version
	expect "version" ENXIO "$ERRNO"
	! rmmod tdx_update 2>/dev/null || die "tdx_update can be unloaded while TDX is shut down"

	emu_set inject clear
	expect_refused test/bad-signer.blob EKEYREJECTED bad-signature
	# The handoff data is of version 2: this image reads only version 0.
	expect_refused test/hv-0-0.blob EPROTO bad-handoff
	expect state shut-down "$(tdx state)"
	# A further update that fails makes no new handoff data, and takes no second reference on
	# the module.
	[ "$leaf" != SEAMLDR.INSTALL ] || {
		emu_set inject "$leaf $cpu 1 $status 0 0"
		expect_update test/hv-2-2.blob ESHUTDOWN shut-down
		emu_set inject clear
		expect_refused test/hv-0-0.blob EPROTO bad-handoff
	}
	expect_check test/hv-2-2.blob 0 success
	expect_update test/hv-2-2.blob 0 success
	expect state ready "$(tdx state)"
	expect_tds_alive 1
	td destroy all
done <<END
SEAMLDR.INSTALL $last 0x8000000000020000 install
TDH.SYS.INIT 0 0xc000050000000000 init
TDH.SYS.LP.INIT $last 0xc000050b00000000 init
TDH.SYS.UPDATE 0 0xc000050900000000 update
END
rmmod tdx_update || fail "tdx_update cannot be unloaded after TDX has come back"
