#!/bin/sh
# An image in two halves, .bin and .sigstruct, is installed like a container, and serves as recovery
# image. Files that are no image are named as what they are.
# SMP: 2
# SANITIZERS: no
# KERNEL: any
. /tests/lib.sh
. /tests/tool.sh
setup
dir=$TMP/intel
mkdir -p /run "$dir"

# halves IMAGE VERSION: split it as Intel ships it.
halves() {
	dd if="/lib/firmware/test/$1.blob" of="$dir/tdx_module_$2.sigstruct" bs=2048 skip=2 count=1
	dd if="/lib/firmware/test/$1.blob" of="$dir/tdx_module_$2.bin" bs=4096 skip=2
}
halves same 1.5.24
halves v2 1.5.26
td_build 1

expect_tool 0 list "$dir"
expect "lines" 3 "$(echo "$OUT" | wc -l)"
expect_match list '^1\.5\.26 .* parameter signer +tdx_module_1\.5\.26\.bin: yes$' "$OUT"
emu_set inject "TDH.SYS.UPDATE any 1 0xc000050900000000 0 2"
expect_tool 2 apply --latest "$dir" --recovery auto --json
expect "recovered with halves" "recovered $dir/tdx_module_1.5.24.bin" "$(json '"\(.result) \(.recovery)"')"
emu_set inject clear
expect_tool 0 apply "$dir/tdx_module_1.5.26.sigstruct" --json
expect versions "1.5.24 1.5.26" "$(json '"\(.from) \(.to)"')"
expect_match last/image '^tdx-update\.[^/]+/[0-9]-tdx_module_1\.5\.26\.sigstruct$' "$(tdx last/image)"
expect_tds_alive 1

# A half of another image: the module sees that they do not belong together.
cp /lib/firmware/test/b.blob "$TMP/b.blob"
dd if="$TMP/b.blob" of="$dir/tdx_module_1.5.26.bin" bs=4096 skip=2
expect_tool 1 check "$dir/tdx_module_1.5.26.bin"
expect_match "halves of two images" 'corrupt \(EBADMSG\)' "$ERR"

# Without the command's own words the first would not be in the search path.
: >/lib/firmware/empty.blob
echo junk >/lib/firmware/junk.blob
expect_tool 66 apply /lib/firmware/empty.blob
expect_match "an empty file" 'empty\.blob: the file is empty' "$ERR"
expect_tool 1 apply /lib/firmware/junk.blob
expect_match junk 'bad-image \(EINVAL\): .*: container: ' "$ERR"
rm /lib/firmware/empty.blob /lib/firmware/junk.blob
expect_nothing_left halves
