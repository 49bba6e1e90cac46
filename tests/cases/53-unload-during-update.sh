#!/bin/sh
# rmmod while an update runs waits for its end; the update succeeds and nothing is left.
# SMP: 2 4
# SMOKE: yes
. /tests/lib.sh
setup
emu_set delay SEAMLDR.INFO=1000000000
td_build 1

update_to_file() {
	update test/v2.blob
	echo "$ERRNO" >"$TMP/errno"
}
update_to_file &
writer=$!
wait_for 60 updating || fail "the update does not begin"
expect_ok rmmod tdx_update
[ ! -e "$TDX" ] || fail "$TDX is there after rmmod"
expect "updates when rmmod has returned" 1 "$(emu_get state updates)"
wait "$writer"
expect "errno of the update" 0 "$(cat "$TMP/errno")"
expect_tds_alive 1
