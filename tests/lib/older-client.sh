#!/bin/sh
# Does what the first versions of Intel's version_select_and_load.py do, by the names from before
# Linux 7.2. Written from that behaviour; it has none of Intel's code.
#
#	older-client.sh REPOSITORY
#
# Takes the newest image of the running series from joined_files/SERIES/ that mapping_file.json
# allows, and uploads it. Prints the versions before and after; fails with a message.
set -eu

node=/sys/class/firmware/seamldr_upload
host=/sys/devices/faux/tdx_host
repository=$1

die() {
	echo "$*" >&2
	exit 1
}

before=$(cat $host/version)
series=${before%.*}
seamldr=$(cat $host/seamldr/version)
image=$(jq -r --arg series "$series" --arg update "${before##*.}" --arg seamldr "$seamldr" '
	def parts: split(".") | map(tonumber);
	def suits: parts as $least | $seamldr | parts |
		.[:2] == $least[:2] and .[2] >= $least[2];
	[.tdx_module_releases[] |
		select(.version | startswith($series + ".")) |
		select((.min_module_version_for_td_preserving | parts)[2] <= ($update | tonumber)) |
		select(any(.min_seamldr_versions[]; suits)) | .version] |
	max_by(parts)' "$repository/mapping_file.json")
image=$repository/joined_files/$series/tdx_module_$image.blob
[ -e "$image" ] || die "no image: $image"
[ -e $node ] || die "$node does not exist"

# The script opens each file for writing with O_TRUNC, as the shell does.
echo 1 >$node/loading
cat "$image" >$node/data
echo 0 >$node/loading
for second in 1 2 3 4 5 6 7 8 9 10 timeout; do
	[ "$(cat $node/status)" != idle ] || break
	[ $second != timeout ] || die "not idle in time"
	sleep 1
done
error=$(cat $node/error)
[ -z "$error" ] || die "failed: $error"
echo "from $before to $(cat $host/version)"
