#!/bin/sh
# rmmod while an image is verified waits for the end of the attempt, a check or an upload, so the
# crypto that the attempt uses is not freed under it.
# SMOKE: kasan
. /tests/lib.sh
. /tests/mainline.sh
. /tests/slow.sh

begin_check() {
	check test/v2.blob
	echo "$ERRNO" >"$TMP/errno"
}
verifying() {
	[ "$(rsa_requests)" -gt "$before" ]
}
going() {
	[ "$(cat /sys/module/tdx_update/initstate 2>/dev/null)" != live ]
}

# unload_during ATTEMPT...: run this command, which begins an attempt, in the background; then
# unload.
unload_during() {
	before=$(rsa_requests)
	slow_set rsa_hold 1
	"$@" &
	attempt=$!
	wait_for 60 verifying || fail "$*: does not verify"
	rmmod tdx_update &
	rmmod=$!
	wait_for 60 going || fail "$*: rmmod does not begin"
	# Give rmmod time to end too early.
	sleep 1
	kill -0 $rmmod || fail "$*: rmmod does not wait"
	slow_set rsa_hold 0
	wait $rmmod || fail "$*: rmmod fails"
	[ ! -e "$TDX" ] || fail "$*: $TDX is there after rmmod"
	wait $attempt
}

setup_emu
slow_load rsa_generic=1
load
unload_during begin_check
expect "errno of the check" 0 "$(cat "$TMP/errno")"

if has_node; then
	load
	mark_dmesg
	unload_during begin_upload test/v2.blob
	expect_match "outcome of the upload" "tdx_update: $NODE: interrupted \(EINTR\): " \
		"$(dmesg_since_mark)"
fi
expect shutdowns 0 "$(counter TDH.SYS.SHUTDOWN)"
