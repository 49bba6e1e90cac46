#!/bin/sh
# A byte changed anywhere makes the checksum wrong; a module that is not the one that was hashed,
# the hash.
. /tests/lib.sh
setup

for image in v1 v2; do
	for offset in 4096 5100 6000 8191 8192 12000 $(($(stat -c %s /lib/firmware/test/$image.blob) - 1)); do
		flip /lib/firmware/test/$image.blob "$offset" /lib/firmware/flipped.blob
		expect_refused flipped.blob EBADMSG corrupt
	done
done
rm /lib/firmware/flipped.blob

# A hash that is signed, and is not the module's: P-SEAMLDR looks at that when it is too late.
expect_refused test/bad-hash.blob EBADMSG corrupt
# The first byte of it differs there, here the last.
expect_refused test/bad-hash-last.blob EBADMSG corrupt
