#!/bin/sh
# All stages of tdx-update-hwtest on the emulator, which does what docs/firmware.md says: the report
# reaches every fact that can be reached here, contradicts none, and nothing is left behind.
# KERNEL: any
. /tests/lib.sh
. /tests/hwtest.sh
setup cpu=0x806F8
some_images same v2 bad-cpu bad-svn
td_build 1

hwtest 0 check --yes --images "$IMAGES" --reads 100 --no-report
expect_as_before
hwtest 0 refuse --yes --images "$IMAGES" --no-report
expect "shutdowns" 0 "$(counter TDH.SYS.SHUTDOWN)"
expect_as_before
hwtest 0 race --yes --images "$IMAGES" --no-report
expect_as_before
hwtest 0 update --yes --images "$IMAGES" --updates 1 --alive "echo enter 1 >$TD/cmd"
expect verdict ready "$(reported .verdict)"
# What each step saw, one filter for all: jq starts slowly here.
reported '[.steps[] | select(.kind == "check") | .result], [.steps[] | select(.kind == "refuse" and
	.tried == "update") | .result], [.steps[] | select(.kind == "race") | .result],
	[.steps[] | select(.kind == "update") | .to],
	(.steps | last | .trace.phases | map(.phase)) | join(" ")' >"$TMP/steps"
expect "checks, refusals, race, updates, phases" 'wrong-cpu older success success
corrupt wrong-cpu older cpu-offline
update-race
1.5.24 1.5.26 1.5.26
name image verify image verify platform plan quiesce shutdown install init update' "$(cat "$TMP/steps")"
expect "not reached" linux-stale "$(facts 'not reached')"
expect contradicted '' "$(facts contradicted)"
expect_match summary '^Facts: [0-9]+ seen, 0 contradicted, 1 not reached$' "$OUT"
expect_match "page" '^\| update-tds \| seen \| ' "$(grep ^.\ update-tds "$HWTEST_DIR/report.md")"
expect_as_before
expect_tds_alive 1

# What no one may see of this host.
expect_no_match "report" "$TMP|/lib/firmware" "$(cat "$HWTEST_DIR/report.json")"

# Another host differs from the emulator in what it is, not in how the firmware answers.
hwtest 0 compare "$HWTEST_DIR/report.json"
expect "compared with the emulator" 'No fact is contradicted.
The emulator answers the same.' "$OUT"
