#!/bin/sh
# File names can neither steer a terminal nor break a line, and JSON keeps names that are not UTF-8.
# SMP: 2
# SANITIZERS: no
# KERNEL: any
. /tests/lib.sh
. /tests/tool.sh
setup
dir=$TMP/images
mkdir -p /run "$dir"
# One name has ESC, a newline, DEL, CSI as one character, an "a" with dots and a backslash. The
# other one also has 0xff and an overlong slash.
controls=$(printf 'one\033[31m\n\177\302\233\303\244\\x41.blob')
bytes=$(printf 'two\377\300\257\303\244\\.blob')
cp /lib/firmware/test/a.blob "$dir/$controls"
cp /lib/firmware/test/b.blob "$dir/$bytes"

expect_clean() {
	expect "control characters in $1" 0 "$(cat "$TMP/tool.out" "$TMP/tool.err" | tr -d '\n' | tr -cd '\000-\037\177' | wc -c)"
	! grep -q "$(printf '\302\233')" "$TMP/tool.out" "$TMP/tool.err" || fail "$1: a raw CSI"
}

expect_tool 0 list "$dir"
expect_clean list
expect "lines of list" 3 "$(printf '%s\n' "$OUT" | wc -l)"
expect_match list 'one\\x1b\[31m\\x0a\\x7f\\xc2\\x9b.*\\x41\.blob: yes$' "$OUT"
expect_match list 'two\\xff\\xc0\\xaf.*\.blob: yes$' "$OUT"

expect_tool 0 list "$dir" --json
expect_clean "list --json"
expect images 2 "$(json '.images | length')"
expect "JSON's name with controls" "$dir/$controls null" \
	"$(json '.images[] | select(.version == "1.5.25") | "\(.file) \(.file_escaped)"')"
expect "JSON's name that is not UTF-8" "$dir/$(printf 'two\\xff\\xc0\\xaf\303\244\\\\.blob') true" \
	"$(json '.images[] | select(.version == "1.5.27") | "\(.file) \(.file_escaped)"')"
# printf turns the escaped name back.
name=$(json '.images[] | select(.file_escaped).file')
[ -f "$(printf %b "$name")" ] || fail "the name in JSON does not lead back to the file"

for name in "$controls" "$bytes"; do
	for json in "" --json; do
		# shellcheck disable=SC2086 # empty or one word
		expect_tool 0 check "$dir/$name" $json
		expect_clean "check $json"
		# shellcheck disable=SC2086
		expect_tool 0 apply "$dir/$name" --dry-run --recovery "$dir/$name" $json
		expect_clean "apply $json"
		[ -z "$json" ] || expect_match "file and recovery image in JSON" '^/.* /' \
			"$(json '"\(.file) \(.recovery)"' | tr -d '\n')"
		# shellcheck disable=SC2086
		expect_tool 66 check "$dir/$name.none" $json
		expect_clean "an error of check $json"
		[ -z "$json" ] || expect_match "error in JSON" 'No such file' "$(json .error)"
	done
done
flip "/lib/firmware/test/v2.blob" 9000 "$dir/1.5.28-$bytes"
rm "$dir/$controls" "$dir/$bytes"
expect_tool 1 apply --latest "$dir" --json
expect_clean "apply --latest"
expect_match "passed over" '/1\.5\.28-two\\xff' "$(json '.passed_over[0].file')"
expect_tool 64 "$controls"
expect_clean "a command that does not exist"
