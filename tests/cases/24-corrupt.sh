#!/bin/sh
# A byte changed anywhere makes the checksum wrong.
. /tests/lib.sh
setup

for image in v1 v2; do
	for offset in 4096 5100 6000 8191 8192 12000 $(($(stat -c %s /lib/firmware/test/$image.blob) - 1)); do
		flip /lib/firmware/test/$image.blob "$offset" /lib/firmware/flipped.blob
		expect_refused flipped.blob EBADMSG corrupt
	done
done
rm /lib/firmware/flipped.blob
