#!/bin/sh
# Without SEAM or P-SEAMLDR the module does not load: ENODEV, and one line says what is missing.
. /tests/lib.sh
setup_none

refused() {
	mark_dmesg
	with_errno modprobe tdx_update
	expect "modprobe $1" ENODEV "$ERRNO"
	expect "lines of the module $1" 1 "$(dmesg_since_mark | grep -c 'tdx_update: not loaded')"
	expect_match "reason $1" "tdx_update: not loaded: $2" "$(dmesg_since_mark)"
	[ ! -e "$TDX" ] || fail "$TDX is there $1"
}

refused "on a machine without SEAM" "this CPU has no SEAM, or the BIOS has not enabled it"
modprobe tdx_emu
emu_set platform seam=off
refused "where SEAMCALL is #UD in VMX operation" "this CPU has no SEAM$"
emu_set platform seam=gp
refused "where SEAMCALL is #GP" "SEAM is not enabled"
emu_set platform seam=on pseamldr=0
refused "without P-SEAMLDR" "P-SEAMLDR is not loaded"
emu_set platform pseamldr=1
expect_ok modprobe tdx_update
