#!/bin/sh
# After a failure for good, result and state are lost, and every further update fails at once.
# SMP: 1 2 4
. /tests/lib.sh
setup
last=$(($(nproc) - 1))

td_build 1
emu_set inject "SEAMLDR.INSTALL $last 1 0x8000000000020001 1 0"
mark_dmesg
expect_update test/v2.blob ENOTRECOVERABLE lost
expect last/phase install "$(tdx last/phase)"
expect last/leaf SEAMLDR.INSTALL "$(tdx last/leaf)"
expect last/status 0x8000000000020001 "$(tdx last/status)"
expect last/rdx 0x0000000000000001 "$(tdx last/rdx)"
expect last/status_name EBADHASH "$(tdx last/status_name)"
expect last/reason "the firmware has cleared the TDX module's memory" "$(tdx last/reason)"
expect last/tds gone "$(tdx last/tds)"
expect_match log "until reboot: .*; the TDs are gone; reboot to have TDX again \[phase install, SEAMLDR.INSTALL" \
	"$(dmesg_since_mark)"
expect "level of the log" 2 "$(dmesg -r | sed -n 's/^<\([0-9]*\)>.*tdx_update: test\/v2.blob: lost .*/\1/p' | tail -n 1)"
expect "open session" 0 "$(emu_get state session)"
expect state lost "$(tdx state)"
with_errno tdx version
expect "version" ENXIO "$ERRNO"

emu_set inject clear
before=$(grep . "$TDX"/last/*)
expect_refused test/a.blob ENOTRECOVERABLE lost
expect last_check/reason "an earlier update failed" "$(tdx last_check/reason)"
# The refusal comes before the image is read.
expect_refused test/none.blob ENOTRECOVERABLE lost
expect "last/, which keeps the update that lost TDX" "$before" "$(grep . "$TDX"/last/*)"
# tdx_update stays loaded until a TDX module runs again, so it forgets nothing.
! rmmod tdx_update 2>/dev/null || die "tdx_update can be unloaded while TDX is lost"
reboot_firmware
expect_update test/a.blob 0 success

# No entropy with RDX 1 is a failure for good, too: no further session.
setup_again
emu_set inject "SEAMLDR.INSTALL $last 1 0x8000000000030001 1 0"
expect_update test/v2.blob ENOTRECOVERABLE lost
expect last/status 0x8000000000030001 "$(tdx last/status)"
expect last/sessions 1 "$(tdx last/sessions)"
