#!/bin/sh
# Firmware that breaks one fact of docs/firmware.md is called out by the report each time: by
# exactly the facts that it breaks.
# KERNEL: any
. /tests/lib.sh
. /tests/hwtest.sh
setup cpu=0x806F8
some_images same
td_load

# The stage, the emulator's settings, and the facts that they contradict.
lies='look lie=none
look lie=vmcs-bit vmcs-bit-60
look lie=registers seamldr-registers
look lie=unknown-field rd-unknown
look lie=rd-outputs rd-failed
look lie=info-valid info-valid
look lie=info-ready info-ready
look lie=info-features0 info-features0
look lie=info-mrsigner info-constants
look lie=seaminfo-version seaminfo-constants
look features0=0x40002 update-compat
race lie=race race-refused race-measurement
update lie=remaining update-remaining
update lie=handoff-kept update-handoff'

: >"$TMP/wanted"
number=100
while read -r stage setting facts; do
	case $setting in
	lie=*) emu_set platform "$setting" ;;
	*) emu_set module "$setting" ;;
	esac
	emu_set reset 1
	# shellcheck disable=SC2034 # for hwtest
	HWTEST_DIR=$TMP/lie-$((number += 1))
	# An update that should have been refused ends the stage.
	hwtest "$([ "$setting" = lie=race ] && echo 1 || echo 0)" "$stage" --yes --no-report --images "$IMAGES"
	emu_set platform lie=none
	emu_set module features0=0x0000800000040002
	echo "$setting: $facts" >>"$TMP/wanted"
done <<END
$lies
END

# One jq judges all of them.
jq -L /tests/hwtest/lib -R -r -n 'include "report"; [inputs] | group_by(fromjson.run)[] | report("") |
	.facts | map(select(.verdict == "contradicted") | .id) | join(" ")' "$TMP"/lie-*/evidence.jsonl \
	>"$TMP/seen"
sed 's/[^:]*: *//' "$TMP/wanted" >"$TMP/facts"
expect "lies" "$(wc -l <"$TMP/facts")" "$(wc -l <"$TMP/seen")"
paste -d '|' "$TMP/wanted" "$TMP/seen" >"$TMP/both"
while IFS='|' read -r wanted seen; do
	expect "facts contradicted by ${wanted%%:*}" "${wanted#*: }" "${seen:-}"
done <"$TMP/both"
expect_as_before
