#!/bin/sh
# Bad names are refused: absolute, leading out of the search path, too long, empty, binary.
. /tests/lib.sh
setup

name=$(printf '%255s' '' | tr ' ' x)
expect_refused /lib/firmware/test/v2.blob EINVAL bad-name
expect_refused .. EINVAL bad-name
expect_refused ../firmware/test/v2.blob EINVAL bad-name
expect_refused test/../test/v2.blob EINVAL bad-name
expect_refused test/.. EINVAL bad-name
expect_refused "$name$(printf '%45s' '' | tr ' ' x)" EINVAL bad-name
expect_refused "${name}x" EINVAL bad-name
expect_refused "" EINVAL bad-name
expect last/image none "$(tdx last/image)"

# The longest good name, and dots that are part of a file's or a folder's name.
expect_refused "$name" ENOENT no-image
expect_refused "..test/v2.blob" ENOENT no-image
expect_refused "test/..v2.blob" ENOENT no-image

bytes() {
	printf '%b' "$1" >"$TMP/bytes"
	store_file "$TDX/update" "$TMP/bytes"
	expect "errno of bytes $1" EINVAL "$ERRNO"
	expect "last/result of bytes $1" bad-name "$(tdx last/result)"
}
bytes '\0'
bytes 'test/v2.blob\0'
bytes 'test/v2.blob\n\n'
# The second line is a path of printable characters.
bytes 'test/v2.blob\nx'
expect last/reason "the second line is not a path" "$(tdx last/reason)"
bytes 'test/v2.blob\n/x\ny'
bytes 'test/v2.blob\n/x\177'
bytes "test/v2.blob\\n/$name"
bytes '\001\377\200'
bytes 'test/v2\tblob'
bytes 'test/v2\377blob'
bytes 'test/v2\177blob'
dd if=/dev/zero of="$TMP/bytes" bs=4096 count=1 2>/dev/null
store_file "$TDX/update" "$TMP/bytes"
expect "errno of a page of zeroes" EINVAL "$ERRNO"
expect "shutdowns" 0 "$(counter TDH.SYS.SHUTDOWN)"
