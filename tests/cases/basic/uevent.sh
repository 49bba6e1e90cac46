#!/bin/sh
# Each attempt ends with one uevent that names result and versions.
. /tests/lib.sh
setup

uevents_start
expect_update test/v2.blob 0 success
td_ok new 1
expect_update test/v1.blob EBUSY update-race
td_ok destroy 1
expect_update test/none.blob ENOENT no-image
uevents_stop

uevents | grep -E '^(ACTION|DEVPATH|SUBSYSTEM|TDX_)' | grep -A 5 -B 5 tdx >"$TMP/ours"
expect "uevents of the module" 3 "$(uevents | grep -c '^DEVPATH=/firmware/tdx/last$')"
expect "actions, results and versions" \
	"change success 1.5.24 1.5.26; change update-race 1.5.26 1.5.26; change no-image none none; " \
	"$(uevents | awk 'BEGIN { RS = "" } /DEVPATH=\/firmware\/tdx\/last/ {
		for (i = 1; i <= NF; i++) { split($i, kv, "="); env[kv[1]] = kv[2] }
		printf "%s %s %s %s; ", env["ACTION"], env["TDX_UPDATE"], env["TDX_FROM"], env["TDX_TO"] }')"
