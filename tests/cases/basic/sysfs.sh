#!/bin/sh
# Every file of /sys/firmware/tdx/ has its mode, and its value on a known platform before any
# attempt.
. /tests/lib.sh
setup version=1.5.08 remaining=7 seamldr=1.5.12 features0=0x0000800000040002

# The same of the last update and of the last check.
for last in last last_check; do
	cat <<-END
	$last/result 444 none
	$last/errno 444 0
	$last/reason 444 none
	$last/tds 444 none
	$last/phase 444 none
	$last/leaf 444 none
	$last/status 444 0x0000000000000000
	$last/status_name 444 none
	$last/rcx 444 0x0000000000000000
	$last/rdx 444 0x0000000000000000
	$last/r8 444 0x0000000000000000
	$last/cpu 444 -1
	$last/sessions 444 0
	$last/image 444 none
	$last/file 444 none
	$last/from 444 none
	$last/to 444 none
	$last/blackout_ns 444 0
	$last/total_ns 444 0
	$last/when 444 0
	END
done >"$TMP/files"
cat >>"$TMP/files" <<END
update 200
check 200
recovery_image 600
version 444 1.5.08
features0 444 0x0000800000040002
race_protection 444 supported
state 444 ready
seamldr_version 400 1.5.12
num_remaining_updates 400 7
END
# file, mode, value
while read -r file mode value; do
	expect "mode of $file" "$mode" "$(stat -c %a "$TDX/$file")"
	[ -z "$value" ] || expect "$file" "$value" "$(tdx "$file")"
done <"$TMP/files"
expect "number of files" 49 "$(find "$TDX" -type f | wc -l)"
with_errno tdx update
expect "errno of reading update" EACCES "$ERRNO"
with_errno tdx check
expect "errno of reading check" EACCES "$ERRNO"
