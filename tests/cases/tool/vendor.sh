#!/bin/sh
# On a kernel that has a /sys/firmware/tdx of its own the module uses /sys/firmware/tdx_update, and
# the command finds it there.
# SMOKE: yes
# SANITIZERS: no
# KERNEL: any
. /tests/lib.sh
. /tests/tool.sh
setup_emu
modprobe tdx_vendor || die "tdx_vendor does not load"
mark_dmesg
load
TDX=/sys/firmware/tdx_update
expect_match "log" '/sys/firmware/tdx belongs to this kernel; using /sys/firmware/tdx_update instead' "$(dmesg_since_mark)"
expect_no_match "log" 'Call Trace|duplicate filename' "$(dmesg_since_mark)"
expect "the vendor's file" 9.9.99 "$(cat /sys/firmware/tdx/version)"
expect version 1.5.24 "$(tdx version)"

uevents_start
expect_tool 0 apply /lib/firmware/test/v2.blob
uevents_stop
expect last/result success "$(tdx last/result)"
expect "uevents" "/firmware/tdx_update/last tdx_update" \
	"$(uevents | sed -n 's/^DEVPATH=//p; s/^SUBSYSTEM=//p' | xargs)"
expect_tool 0 status --json
expect status "tdx_update 1.5.26 ready success" \
	"$(json '"\(.interface) \(.version) \(.state) \(.last.result)"')"
expect_tool 0 check /lib/firmware/test/b.blob

# Without tdx_update the vendor's files are not mistaken for its files.
rmmod tdx_update
expect "directory after unloading" no "$([ -e $TDX ] && echo yes || echo no)"
expect_tool 69 status
rmmod tdx_vendor

# If both names are taken, tdx_update does not load.
modprobe tdx_vendor names=tdx,tdx_update || die "tdx_vendor does not load"
mark_dmesg
with_errno modprobe tdx_update "signer=$(cat "$SIGNER")"
expect "errno of loading" ENODEV "$ERRNO"
expect_match "log" 'not loaded: /sys/firmware/tdx and /sys/firmware/tdx_update exist already' "$(dmesg_since_mark)"
rmmod tdx_vendor
TDX=/sys/firmware/tdx
load
expect version 1.5.26 "$(tdx version)"
expect_nothing_left "a vendor's kernel"
