#!/bin/sh
# apply --latest chooses the newest image of the series that mapping file and module accept, and
# reports why it passed over newer ones.
# SANITIZERS: no
# KERNEL: any
. /tests/lib.sh
. /tests/tool.sh
setup seamldr=1.5.12
dir=/tmp/images
mkdir -p /run $dir
for image in same=1.5.24 a=1.5.25 v2=1.5.26 b=1.5.27; do
	cp "/lib/firmware/test/${image%=*}.blob" "$dir/tdx_module_${image#*=}.blob"
done
cp /lib/firmware/test/good-no-version.blob $dir/tdx_module_2.0.14.blob

# mapping VERSION LEAST-RUNNING SEAMLDR...: print the entry of a version in the mapping file.
mapping() {
	local version=$1 least=$2
	shift 2
	jq -n --arg version "$version" --arg least "$least" '{ version: $version,
		min_module_version_for_td_preserving: $least, min_seamldr_versions: $ARGS.positional,
		tdx_feature0: "0x1", strict_compat_versions: [] }' --args "$@"
}

{
	mapping 1.5.24 1.5.01 1.5.00
	mapping 1.5.25 1.5.01 1.5.00 2.0.00
	mapping 1.5.26 1.5.01 1.5.13 2.0.00
	mapping 1.5.27 1.5.25 1.5.12
} | jq -s '{ tdx_module_releases: . }' >$dir/mapping_file.json

expect_tool 0 apply --latest $dir --dry-run --json
expect "chosen" $dir/tdx_module_1.5.25.blob "$(json .file)"
expect "passed over" "$dir/tdx_module_1.5.27.blob $dir/tdx_module_1.5.26.blob" \
	"$(json '[.passed_over[].file] | join(" ")')"
expect_match "why 1.5.27" '1\.5\.27\.blob: TDs survive it only if 1\.5\.25 or later runs' "$ERR"
expect_match "why 1.5.26" '1\.5\.26\.blob: needs another P-SEAMLDR than 1\.5\.12' "$ERR"
expect version 1.5.24 "$(tdx version)"

# One step, the next, then nothing newer. The recovery image is found in the same directory.
td_build 1
expect_tool 0 apply --latest $dir --recovery auto --json
expect "first step" "1.5.24 1.5.25 $dir/tdx_module_1.5.24.blob" \
	"$(json '"\(.from) \(.to) \(.recovery)"')"
expect_tool 0 apply --latest $dir --recovery auto --json
expect "second step" "1.5.25 1.5.27 $dir/tdx_module_1.5.25.blob" \
	"$(json '"\(.from) \(.to) \(.recovery)"')"
installs=$(emu_get state installs)
expect_tool 0 apply --latest $dir
expect_match "third step" \
	'nothing newer than 1\.5\.27 in series 1\.5; the images of series 2\.0 need a reboot$' "$OUT"
expect installs "$installs" "$(emu_get state installs)"
expect_tds_alive 1
td destroy all

# A race, and an image that the module refuses.
emu_set reset 1
flip /lib/firmware/test/b.blob 9000 $dir/tdx_module_1.5.27.blob
jq '.tdx_module_releases[].min_module_version_for_td_preserving = "1.5.01" |
	.tdx_module_releases[].min_seamldr_versions = ["1.5.00"]' \
	$dir/mapping_file.json >$dir/new && mv $dir/new $dir/mapping_file.json
td_ok new 1
expect_tool 75 apply --latest $dir --wait 1
expect_match "why 1.5.27" '1\.5\.27\.blob: corrupt \(EBADMSG\)' "$ERR"
td_ok destroy 1
expect_tool 0 apply --latest $dir --wait 1
expect version 1.5.26 "$(tdx version)"
expect_tool 1 apply --latest $dir --json
expect "passed over" 1 "$(json '.passed_over | length')"
expect_match "why nothing" 'none of the newer images' "$ERR"

# An image that the mapping file lacks is passed over. Without a mapping file it is chosen.
emu_set reset 1
cp /lib/firmware/test/b.blob $dir/tdx_module_1.5.27.blob
jq 'del(.tdx_module_releases[3])' $dir/mapping_file.json >$dir/new && mv $dir/new $dir/mapping_file.json
expect_tool 0 apply --latest $dir --dry-run --json
expect "chosen" $dir/tdx_module_1.5.26.blob "$(json .file)"
expect_match "why 1.5.27" 'it is not in .*/mapping_file\.json' "$ERR"
echo '{ "tdx_module_releases": [ }' >$dir/mapping_file.json
expect_tool 66 apply --latest $dir
echo '[]' >$dir/mapping_file.json
expect_tool 66 apply --latest $dir
rm $dir/mapping_file.json
expect_tool 0 apply --latest $dir --dry-run --json
expect "chosen" $dir/tdx_module_1.5.27.blob "$(json .file)"
expect_match "a remark" 'no mapping_file\.json' "$ERR"

# The name of an image without a version in its sigstruct may lie.
cp /lib/firmware/test/good-no-version.blob $dir/tdx_module_1.5.99.blob
expect_tool 0 apply --latest $dir --dry-run --json
expect "chosen" $dir/tdx_module_1.5.27.blob "$(json .file)"
expect_match "why not 1.5.99" '1\.5\.99, but .*/tdx_module_1\.5\.24\.blob has the same contents' "$ERR"
rm $dir/tdx_module_1.5.99.blob

# A fault of the host ends the search: older images would meet it too.
echo 0 >/sys/devices/system/cpu/cpu1/online
expect_tool 1 apply --latest $dir --json
expect "result" "cpu-offline 0" "$(json '"\(.result) \(.passed_over | length)"')"
echo 1 >/sys/devices/system/cpu/cpu1/online
expect version 1.5.24 "$(tdx version)"
expect_nothing_left --latest
rm -r $dir
