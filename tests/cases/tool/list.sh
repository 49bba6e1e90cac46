#!/bin/sh
# tdx-update list and check show what each image says about itself, and the module's verdict on it.
# SANITIZERS: no
# KERNEL: any
. /tests/lib.sh
. /tests/tool.sh
setup

mark_dmesg
expect_tool 0 list /lib/firmware/test
expect "log of list" '' "$(dmesg_since_mark | grep tdx_update:)"
expect_match list '^1\.5\.26 +2025-01-01 +1\.5 +0x806F8 +parameter signer +v2\.blob: yes$' "$OUT"
expect_match list '^1\.5\.24 .* 0xA06D0 .* bad-cpu\.blob: no: wrong-cpu \(ENODEV\)' "$OUT"
expect_match list ' unknown [0-9a-f]{8} +bad-signer\.blob: no: bad-signature' "$OUT"
expect_match list ' parameter signer \(debug\) +bad-debug\.blob: no: bad-signature' "$OUT"
expect_match list '\+252 .* good-255-cpus\.blob: yes$' "$OUT"
versions=$(echo "$OUT" | awk '$1 ~ /^[0-9]/ { print $1 }')
expect "versions, newest first" "$(echo "$versions" | sort -r)" "$versions"
expect "first of those without" "$(($(echo "$versions" | wc -l) + 2))" \
	"$(echo "$OUT" | awk '$1 == "?" { print NR; exit }')"

# Each verdict is that of the module's file check, if older versions are allowed.
expect_tool 0 list /lib/firmware/test --allow-downgrade --json
expect "images listed" "$(find /lib/firmware/test -name '*.blob' | wc -l)" "$(json '.images | length')"
json '.images[] | "\(.file) \(.installable) \(.expected)"' >"$TMP/listed"
while read -r file installable result; do
	check "${file#/lib/firmware/}" # the file, not the command
	expect "listed result of $file" "$(tdx last_check/result)" "$result"
	expect "installable $file" "$([ "$ERRNO" = 0 ] && echo true || echo false)" "$installable"
done <"$TMP/listed"
expect_ge "verdicts compared" 30 "$(wc -l <"$TMP/listed")"

# An image without a version in its sigstruct has one in its name. Other files are left out.
mkdir -p "$TMP/images"
cp /lib/firmware/test/good-no-version.blob "$TMP/images/tdx_module_1.5.26.blob"
cp /lib/firmware/test/bad-header.blob "$TMP/images/damaged.blob"
echo '{}' >"$TMP/images/other.json"
echo text >"$TMP/images/readme"
expect_tool 0 list "$TMP/images"
expect "lines" 3 "$(echo "$OUT" | wc -l)"
expect_match list '^1\.5\.26 +2025-01-01 .* tdx_module_1\.5\.26\.blob: yes$' "$OUT"
expect_match list '^\? +\? +\? +\? +\? +damaged\.blob: no: bad-image' "$OUT"
expect_nothing_left list

expect_tool 0 check "$TMP/images/tdx_module_1.5.26.blob"
expect_match check 'tdx_module_1\.5\.26\.blob: can be installed now' "$OUT"
expect_tool 1 check /lib/firmware/test/bad-svn.blob
expect_match check 'older \(ESTALE\)' "$ERR"
expect_tool 1 check /lib/firmware/test/bad-svn.blob --json
expect "result as JSON" "older 116 false 1" \
	"$(json '"\(.expected) \(.errno) \(.installable) \(.exit)"')"
expect_tool 66 check "$TMP/images/none.blob"
expect_tool 66 check "$TMP/images"
mkfifo "$TMP/images/pipe"
expect_tool 66 check "$TMP/images/pipe"
expect_tool 66 list "$TMP/none"
mkdir "$TMP/empty"
expect_tool 66 list "$TMP/empty"
on_terminal 0 check /lib/../lib/firmware/test/v2.blob
expect shutdowns 0 "$(counter TDH.SYS.SHUTDOWN)"

# Users who are not root are told that the module was not asked.
cp -r /lib/firmware/test /tmp/test
chmod 755 /tmp/test
unprivileged "tdx-update list /tmp/test --json" >"$TMP/tool.out"
expect "verdicts for others" null "$(json '.images[].installable' | sort -u)"
expect_match "why" 'only root may ask' "$(json '.images[0].not_asked')"
unprivileged "tdx-update check /tmp/test/v2.blob" && STATUS=0 || STATUS=$?
expect "exit status of check for others" 77 "$STATUS"
rm -r /tmp/test
