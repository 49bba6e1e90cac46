#!/bin/sh
# tdx-update status shows what runs, how the last update ended, and what the last check found: as
# text, JSON and metrics, to root and to other users. Checks change nothing of the metrics.
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
expect_match words '^last update +none' "$OUT"
expect_match words '^last check +none' "$OUT"
expect "on standard error" '' "$ERR"
words=$OUT
on_terminal 0 status
expect "words on a terminal" "$words" "$OUT"

td_ok new 1
expect_update test/v2.blob EBUSY update-race
expect_tool 0 status
expect_match "last update" "^last update +update-race, test/v2\.blob, 1\.5\.24 -> 1\.5\.26, $(date +%Y)-[0-9-]+ [0-9:]+ " "$OUT"
expect_match "last update" 'TDH\.SYS\.SHUTDOWN on CPU [0-9]+: 0x8000051200010000 UPDATE_COMPAT_SENSITIVE$' "$OUT"
expect_match "last update" 'phase shutdown; changed: nothing; TDs: untouched$' "$OUT"
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
.last.file test/v2.blob
.last_check.expected none
END

td destroy all
expect_update test/v2.blob 0 success
# None of these is an update.
cp /lib/firmware/test/a.blob "$TMP/a.blob"
expect_tool 0 list /lib/firmware/test
expect_tool 0 apply "$TMP/a.blob" --recovery /lib/firmware/test/v2.blob --allow-downgrade --dry-run
expect_tool 1 check /lib/firmware/test/bad-svn.blob
expect_tool 0 status
expect_match "last update" '^last update +success, test/v2\.blob, 1\.5\.24 -> 1\.5\.26, ' "$OUT"
expect_match "last check" '^last check +older, /lib/firmware/test/bad-svn\.blob, 1\.5\.26 -> ' "$OUT"
expect_tool 0 check "$TMP/a.blob" --allow-downgrade
expect_tool 0 status
expect_match "last check" "^last check +can be installed, $TMP/a\.blob, 1\.5\.26 -> 1\.5\.25, " "$OUT"
expect_tool 0 status --prometheus
expect_match metrics "^tdx_update_last_timestamp_seconds $(tdx last/when)\$" "$OUT"
expect "metrics without HELP and TYPE before them" '' "$(echo "$OUT" | awk '
	$1 == "#" && $2 == "HELP" { help = $3; next }
	$1 == "#" && $2 == "TYPE" { type = $3; if (type != help || $4 != "gauge") print; next }
	{ name = $1; sub(/\{.*/, "", name) }
	name != type || $NF !~ /^[0-9.]+$/')"
for line in 'tdx_module_updates_left 6' 'tdx_module_race_protection 1' 'tdx_update_last_errno 0' \
	'tdx_module_state\{state="ready"\} 1' 'tdx_module_state\{state="lost"\} 0' \
	'tdx_module_info\{version="1.5.26",seamldr_version="1.5.12",interface="tdx_update"\} 1' \
	'tdx_update_last_info\{result="success",reason="none",tds="live",phase="done",leaf="none",status_name="none",from="1.5.24",to="1.5.26"\} 1'; do
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
