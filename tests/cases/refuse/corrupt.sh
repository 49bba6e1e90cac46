#!/bin/sh
# A byte changed anywhere is found by the checksum, and module pages that do not match SEAMHASH by
# the hash.
# KERNEL: any
. /tests/lib.sh
setup

for image in v1 v2; do
	for offset in 4096 5100 6000 8191 8192 12000 $(($(stat -c %s /lib/firmware/test/$image.blob) - 1)); do
		flip /lib/firmware/test/$image.blob "$offset" /lib/firmware/flipped.blob
		expect_refused flipped.blob EBADMSG corrupt
	done
done
rm /lib/firmware/flipped.blob

# A signed SEAMHASH that is not that of the pages: P-SEAMLDR checks it when it is too late.
expect_refused test/bad-hash.blob EBADMSG corrupt
# The image above differs in the first byte of the hash, this one in the last.
expect_refused test/bad-hash-last.blob EBADMSG corrupt
