#!/bin/sh
# The image's file is changed while an update runs: the update installs the copy that it checked.
. /tests/lib.sh
setup
td_build 1
dir=/lib/firmware
cp $dir/test/a.blob "$TMP/a"
cp $dir/test/b.blob "$TMP/b"

in_place() { cat "$TMP/b" >$dir/file.blob; }
moved_over() { cp "$TMP/b" $dir/new.blob && mv $dir/new.blob $dir/file.blob; }
truncated() { : >$dir/file.blob; }
one_byte() { put_bytes $dir/file.blob 8192 $(($(byte_at $dir/file.blob 8192) ^ 1)); }
deleted() { rm $dir/file.blob; }

# The change; then the outcome of an update to the changed file: errno, result, running version.
while read -r change errno result version; do
	cp "$TMP/a" $dir/file.blob
	hold SEAMLDR.INFO
	sh -c "echo file.blob >$TDX/update" &
	writer=$!
	wait_for 60 held || fail "P-SEAMLDR is not asked"
	$change
	expect "state when the file was $change" updating "$(tdx state)"
	release
	wait $writer
	expect "last/result of the file $change" success "$(tdx last/result)"
	expect "last/to of the file $change" 1.5.25 "$(tdx last/to)"
	expect "version from the file $change" 1.5.25 "$(tdx version)"
	expect_update file.blob "$errno" "$result"
	expect "version after the file $change" "$version" "$(tdx version)"
	rm -f $dir/file.blob
	expect_tds_alive 1
done <<END
in_place 0 success 1.5.27
moved_over 0 success 1.5.27
truncated ENOENT no-image 1.5.25
one_byte EBADMSG corrupt 1.5.25
deleted ENOENT no-image 1.5.25
END
