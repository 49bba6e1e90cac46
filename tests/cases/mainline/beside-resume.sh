#!/bin/sh
# An update by mainline's own driver fails past the shutdown: TDX is down, and that driver cannot go
# on. An update by tdx_update uses the handoff data: TDX runs again without a reboot, and TDs that
# were paused are alive.
# SMP: 1 2 4
# NEEDS: KERNEL=7.3
. /tests/lib.sh
. /tests/mainline.sh
setup_beside remaining=100
last=$(($(nproc) - 1))

# fail_mainline WHEN MODULE LEAF CPU NTH STATUS RDX: make mainline's update fail with that fault,
# and expect the TDX module in state MODULE. WHEN says whether tdx_update is loaded before or after.
# tdx_update has the image of the TDX module that is shut down.
fail_mainline() {
	local cpu=$4 nth=$5

	emu_set reset 1
	rmmod mainline_tdx
	modprobe mainline_tdx
	upload test/same.blob
	td_build 1
	[ "$1" = after ] || load
	case $cpu in last) cpu=$last ;; esac
	case $nth in close) nth=$(nproc) ;; esac
	emu_set inject "$3 $cpu $nth $6 $7 1"
	upload test/v2.blob
	expect "error of mainline's update, $what" transferring:firmware-invalid "$ERROR"
	emu_set inject clear
	expect "TDX module, $what" "$2" "$(emu_get state module)"
	td enter 1
	expect "errno of entering a TD, $what" EIO "$ERRNO"
	[ "$1" = before ] || load
}

# expect_unknown: expect that nothing is tried, because the TDX module looks like one that nobody
# has initialized.
expect_unknown() {
	expect "state, $what" uninitialized "$(tdx state)"
	expect_refused test/b.blob EOPNOTSUPP unsupported
	td destroy all
	rmmod tdx_update
}

while read -r when module leaf cpu nth status rdx; do
	what="$when a fault of $leaf on CPU $cpu, $status"
	fail_mainline "$when" "$module" "$leaf" "$cpu" "$nth" "$status" "$rdx"
	# All CPUs stop at the first failure in mainline's driver, sometimes before any of them has
	# done TDH.SYS.LP.INIT.
	if [ "$when:$leaf:$(emu_get state lp_init)" = after:TDH.SYS.LP.INIT:0 ]; then
		note "no LP has done TDH.SYS.LP.INIT"
		expect_unknown
		continue
	fi
	expect "state, $what" shut-down "$(tdx state)"
	shutdowns=$(counter TDH.SYS.SHUTDOWN)
	if [ "$when:$module" = after:shutdown ]; then
		# Only the image of the TDX module that was shut down shows how much handoff data
		# there is.
		expect_refused test/b.blob EPROTO bad-handoff
		store "$TDX/recovery_image" test/same.blob
		expect "errno of setting the recovery image, $what" 0 "$ERRNO"
	fi
	expect_update test/b.blob 0 success
	expect "version, $what" 1.5.27 "$(tdx version)"
	expect "state in the end, $what" ready "$(tdx state)"
	expect "shutdowns by ours, $what" "$shutdowns" "$(counter TDH.SYS.SHUTDOWN)"
	expect "session, $what" 0 "$(emu_get state session)"
	expect_tds_alive 1
	expect_update test/a.blob 0 success
	# Mainline's version file has no value until this update. upload reads it first and would
	# stop there.
	begin_upload test/b.blob
	wait_for 60 idle || die "mainline's next update, $what, does not end"
	expect "error of mainline's next update, $what" '' "$(cat "$NODE/error")"
	expect "mainline's version, $what" 1.5.27 "$(cat "$HOST/version")"
	expect_tds_alive 1
	td destroy all
	rmmod tdx_update
done <<END
before shutdown SEAMLDR.INSTALL any close EBADSIG 0
before shutdown SEAMLDR.INSTALL last 1 vmfail 0
before sysinit_pending TDH.SYS.INIT any 1 SYS_STATE_INCORRECT 0
before sysinit_done TDH.SYS.LP.INIT last 1 SYS_BUSY 0
before sysinit_done TDH.SYS.UPDATE any 1 SYS_INVALID_HANDOFF 0
after shutdown SEAMLDR.INSTALL any close EBADSIG 0
after shutdown SEAMLDR.INSTALL last 1 vmfail 0
after sysinit_done TDH.SYS.LP.INIT last 1 SYS_BUSY 0
after sysinit_done TDH.SYS.UPDATE any 1 SYS_INVALID_HANDOFF 0
END

what="after a fault of TDH.SYS.INIT"
fail_mainline after sysinit_pending TDH.SYS.INIT any 1 SYS_STATE_INCORRECT 0
expect_unknown

# P-SEAMLDR has cleared the memory: nothing brings TDX back, and no session is opened.
what="after an unrecoverable failure"
fail_mainline after none SEAMLDR.INSTALL any close EBADHASH 1
installs=$(counter SEAMLDR.INSTALL)
update test/b.blob
expect_not "errno of an update, $what" 0 "$ERRNO"
expect "INSTALLs, $what" "$installs" "$(counter SEAMLDR.INSTALL)"
td destroy all

# The same after a failure at P-SEAMLDR's log. SEAMLDR.INFO then looks as with an open session, and
# only the attempt to join it shows that there is none.
reboot_firmware
rmmod tdx_update || die "tdx_update does not unload"
what="after a failure at P-SEAMLDR's log"
fail_mainline before none SEAMLDR.INSTALL any close ENOENTROPY 1
expect "state, $what" shut-down "$(tdx state)"
expect_update test/b.blob ENOTRECOVERABLE lost
expect "state in the end, $what" lost "$(tdx state)"
td destroy all
