#!/bin/sh
# rmmod waits for the end of a running update; the update succeeds and nothing is left.
# SMP: 2 4
# SMOKE: yes
. /tests/lib.sh
setup
td_build 1

update_to_file() {
	update test/v2.blob
	echo "$ERRNO" >"$TMP/errno"
}
hold SEAMLDR.INFO
update_to_file &
writer=$!
wait_for 60 held || fail "the update does not begin"
rmmod tdx_update &
rmmod=$!
going() {
	[ "$(cat /sys/module/tdx_update/initstate 2>/dev/null)" != live ]
}
wait_for 60 going || fail "rmmod does not begin"
kill -0 $rmmod || fail "rmmod does not wait"
release
wait $rmmod || fail "rmmod fails"
[ ! -e "$TDX" ] || fail "$TDX is there after rmmod"
expect "updates when rmmod has returned" 1 "$(emu_get state updates)"
wait "$writer"
expect "errno of the update" 0 "$(cat "$TMP/errno")"
expect_tds_alive 1
