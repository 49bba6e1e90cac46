#!/bin/sh
# tdx-update apply: each outcome of an update has its exit status, and JSON agrees.
# SANITIZERS: no
# KERNEL: any
. /tests/lib.sh
. /tests/tool.sh
mkdir -p /run
expect_tool 69 apply /lib/firmware/test/v2.blob
setup

# A dry run, then the update. Images in the search path keep their names.
expect_tool 0 apply /lib/firmware/test/v2.blob --dry-run
expect_match "dry run" 'can be installed now, nothing has changed; 1\.5\.24 -> 1\.5\.26' "$OUT"
expect version 1.5.24 "$(tdx version)"
td_build 1
expect_tool 0 apply /lib/firmware/test/v2.blob
expect_match "what it says" 'installed, TDs live; 1\.5\.24 -> 1\.5\.26; CPUs stopped for [0-9.]+ ms' "$OUT"
expect last/image test/v2.blob "$(tdx last/image)"
expect_tds_alive 1
on_terminal 0 apply /lib/firmware/test/b.blob
expect_match "what it says on a terminal" 'installed, TDs live; 1\.5\.26 -> 1\.5\.27' "$OUT"
expect version 1.5.27 "$(tdx version)"

# The module would go back to an older version of the same SVN. The command does so only if told to.
expect_tool 1 apply /lib/firmware/test/a.blob --json
expect_match "a downgrade" 'older than 1\.5\.27, which runs' "$(json .objection)"
expect version 1.5.27 "$(tdx version)"
expect_tool 0 apply /lib/firmware/test/same.blob --allow-downgrade
expect_tds_alive 1

# status, result, errno, image
while read -r status result error image; do
	expect_tool "$status" apply "/lib/firmware/test/$image" --recovery none --json
	expect "$image" "$result $error nothing $status" \
		"$(json '"\(.result) \(.errno) \(.changed) \(.exit)"')"
	expect_tool "$status" apply "/lib/firmware/test/$image" --recovery none
	expect_match "what it says of $image" "$result .*: " "$ERR"
	expect "output for $image" '' "$OUT"
done <<END
1 older 116 bad-svn.blob
1 corrupt 74 bad-hash.blob
1 bad-signature 129 bad-signer.blob
1 bad-image 22 bad-header.blob
1 too-large 27 pages-497.blob
END
td_ok new 2
expect_tool 75 apply /lib/firmware/test/a.blob --recovery none --json
expect race "update-race 16 nothing TDH.SYS.SHUTDOWN 75 1" \
	"$(json '"\(.result) \(.errno) \(.changed) \(.leaf) \(.exit) \(.tries)"')"
td_ok destroy 2

expect_tool 66 apply /lib/firmware/test/none.blob
expect_tool 66 apply /lib/firmware/test/none.blob --json
expect_match "error as JSON" '^66 .*none\.blob: No such file' "$(json '"\(.exit) \(.error)"')"
unprivileged "tdx-update apply /lib/firmware/test/v2.blob" && STATUS=0 || STATUS=$?
expect "exit status for others" 77 "$STATUS"

# Another update runs: last/ is about that one, and is not mistaken for the answer.
hold SEAMLDR.INFO
update test/a.blob &
first=$!
wait_for 60 held || fail "the first update does not begin"
expect_tool 75 apply /lib/firmware/test/bad-svn.blob --recovery none --json
expect "while another runs" "in-progress 114 null" "$(json '"\(.result) \(.errno) \(.phase)"')"
release
wait $first
expect last/image test/a.blob "$(tdx last/image)"

# A recovery image by name, by --recovery auto and by default: it is set for this update only.
emu_set reset 1
mkdir -p "$TMP/images"
cp /lib/firmware/test/v2.blob "$TMP/images/new.blob"
cp /lib/firmware/test/same.blob "$TMP/images/old.blob"
for recovery in "--recovery $TMP/images/old.blob" "--recovery auto" ""; do
	td_build 3
	emu_set inject "TDH.SYS.UPDATE any 1 0xc000050900000000 0 2"
	# shellcheck disable=SC2086 # words
	expect_tool 2 apply "$TMP/images/new.blob" $recovery --json
	expect "with '$recovery'" "recovered 125 1.5.24 $TMP/images/old.blob" \
		"$(json '"\(.result) \(.errno) \(.to) \(.recovery)"')"
	expect version 1.5.24 "$(tdx version)"
	expect "recovery_image afterwards" '' "$(tdx recovery_image)"
	expect_nothing_left "apply $recovery"
	expect_tds_alive 3
	td destroy all
done
expect_tool 0 apply "$TMP/images/new.blob" --recovery auto --dry-run
expect version 1.5.24 "$(tdx version)"

# A recovery image that an administrator has set stays, and is used by default. "none" leaves it out
# for this update.
store "$TDX/recovery_image" test/same.blob
td_build 3
emu_set inject "TDH.SYS.UPDATE any 1 0xc000050900000000 0 2"
expect_tool 2 apply "$TMP/images/new.blob" --json
expect "recovery image in JSON" test/same.blob "$(json .recovery)"
emu_set inject "TDH.SYS.UPDATE any 1 0xc000050900000000 0 0"
expect_tool 5 apply "$TMP/images/new.blob" --recovery none --json
expect "recovery image in JSON" "null shut-down" "$(json '"\(.recovery) \(.result)"')"
expect "recovery_image of before" test/same.blob "$(tdx recovery_image)"
emu_set inject clear
# While TDX is down, no TDX module runs, so there is no version to go back to.
store "$TDX/recovery_image" ''
expect_tool 0 apply "$TMP/images/old.blob" --recovery auto
expect_match "what it says" 'no TDX module runs, so there is no recovery image' "$ERR"
expect_tds_alive 3
td destroy all
store "$TDX/recovery_image" test/same.blob
expect_tool 0 apply "$TMP/images/new.blob" --recovery auto
expect "recovery_image of before" test/same.blob "$(tdx recovery_image)"
store "$TDX/recovery_image" ''
rm "$TMP/images/old.blob"
expect_tool 66 apply /lib/firmware/test/b.blob --recovery "$TMP/images/old.blob"
mkdir "$TMP/only"
cp /lib/firmware/test/b.blob "$TMP/only/b.blob"
expect_tool 66 apply "$TMP/only/b.blob" --recovery auto
expect_match "why no recovery" 'no usable image of the running version 1\.5\.26' "$ERR"
set_byte /lib/firmware/test/v2.blob 9000 1 "$TMP/only/damaged.blob"
flip /lib/firmware/test/v2.blob 9000 "$TMP/only/tdx_module_1.5.26.blob"
expect_tool 66 apply "$TMP/only/b.blob" --recovery auto
expect_match "why not that one" 'passed over as recovery image: .*damaged\.blob: corrupt' "$ERR"
expect_match "nor that one" 'passed over as recovery image: .*tdx_module_1\.5\.26\.blob: checksum' "$ERR"
expect_tool 0 apply "$TMP/only/b.blob" --dry-run --json
expect "recovery image" null "$(json .recovery)"
expect_match "what it says" "no usable image of the running version 1\.5\.26 in $TMP/only: no recovery image" "$ERR"
echo 1 >/sys/module/tdx_update/parameters/require_recovery
expect_tool 1 apply "$TMP/only/b.blob" --json
expect "where one is required" "unsupported nothing" "$(json '"\(.result) \(.changed)"')"
expect_match "reason" recovery "$(json .reason)"
echo 0 >/sys/module/tdx_update/parameters/require_recovery
expect_tool 1 apply /lib/firmware/test/b.blob --recovery /lib/firmware/test/bad-hash.blob
expect_match "which image" 'bad-hash\.blob: corrupt' "$ERR"
expect "recovery_image afterwards" '' "$(tdx recovery_image)"
expect version 1.5.26 "$(tdx version)"

# A lost update, and an update after that.
emu_set inject "SEAMLDR.INSTALL any $(nproc) 0x8000000000020001 1 1"
expect_tool 3 apply /lib/firmware/test/b.blob --recovery none
expect_match "what it says" 'lost \(ENOTRECOVERABLE\)' "$ERR"
expect_tool 3 apply /lib/firmware/test/b.blob --recovery none --json
expect "after a lost module" "lost no TDX module runs" "$(json '"\(.result) \(.changed)"')"
expect_tool 0 status
expect_match status '^TDX module +none runs, lost$' "$OUT"
expect_tool 3 apply --latest /lib/firmware/test
expect_nothing_left apply
