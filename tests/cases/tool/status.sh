#!/bin/sh
# tdx-update status shows what runs and how the last attempt ended: as text, JSON and metrics, to
# root and to other users.
# SANITIZERS: no
# KERNEL: any
. /tests/lib.sh
. /tests/tool.sh
expect_tool 69 status
setup version=1.5.24 remaining=7 seamldr=1.5.12

expect_tool 0 status
expect_match words '^TDX module +1\.5\.24, ready$' "$OUT"
expect_match words '^P-SEAMLDR +1\.5\.12$' "$OUT"
expect_match words '^updates left +7$' "$OUT"
expect_match words '^race protection +yes' "$OUT"
expect_match words '^last attempt +none' "$OUT"
expect "on standard error" '' "$ERR"
words=$OUT
on_terminal 0 status
expect "words on a terminal" "$words" "$OUT"

td_ok new 1
expect_update test/v2.blob EBUSY update-race
expect_tool 0 status
expect_match "last attempt" '^last attempt +update-race, test/v2\.blob, 1\.5\.24 -> 1\.5\.26$' "$OUT"
expect_match "last attempt" 'TDH\.SYS\.SHUTDOWN on CPU [0-9]+: 0x8000051200010000, phase shutdown$' "$OUT"
expect_match "last attempt" 'changed: nothing$' "$OUT"
expect_tool 0 status --json
# filter, value
while read -r filter value; do
	expect "$filter" "$value" "$(json "$filter")"
done <<END
.interface tdx_update
.version 1.5.24
.seamldr_version 1.5.12
.updates_left 7
.state ready
.race_protection supported
.cpu 0x806F8
.last.result update-race
.last.errno 16
.last.phase shutdown
END

td destroy all
expect_update test/v2.blob 0 success
expect_tool 0 status --prometheus
expect "metrics without HELP and TYPE before them" '' "$(echo "$OUT" | awk '
	$1 == "#" && $2 == "HELP" { help = $3; next }
	$1 == "#" && $2 == "TYPE" { type = $3; if (type != help || $4 != "gauge") print; next }
	{ name = $1; sub(/\{.*/, "", name) }
	name != type || $NF !~ /^[0-9.]+$/')"
for line in 'tdx_module_updates_left 6' 'tdx_module_race_protection 1' 'tdx_update_last_errno 0' \
	'tdx_module_state\{state="ready"\} 1' 'tdx_module_state\{state="lost"\} 0' \
	'tdx_module_info\{version="1.5.26",seamldr_version="1.5.12",interface="tdx_update"\} 1' \
	'tdx_update_last_info\{result="success",phase="done",from="1.5.24",to="1.5.26"\} 1'; do
	expect_match metrics "^$line\$" "$OUT"
done

# Other users see less, and are told so.
with_errno unprivileged "tdx-update status"
expect "errno for others" 0 "$ERRNO"
unprivileged "tdx-update status" >"$TMP/tool.out"
expect_match "words for others" '^updates left +unknown' "$(cat "$TMP/tool.out")"
unprivileged "tdx-update status --json" >"$TMP/tool.out"
expect "updates left for others" null "$(json .updates_left)"
expect "version for others" 1.5.26 "$(json .version)"

setup_again() { rmmod tdx_update; emu_set module features0=0x40002; emu_set reset 1; load; }
setup_again
expect_tool 0 status
expect_match words '^race protection +no: ' "$OUT"
expect_nothing_left status
