#!/bin/sh
# A container with bytes after its end is malformed; one with more than 496 module pages is too
# large.
# SMOKE: kasan
. /tests/lib.sh
setup

for image in v1 v2; do
	for extra in 1 4095 4096; do
		{
			cat /lib/firmware/test/$image.blob
			head -c $extra /dev/zero
		} >/lib/firmware/long.blob
		expect_refused long.blob EINVAL bad-image
	done
done
rm /lib/firmware/long.blob

expect_refused test/pages-497.blob EFBIG too-large
expect_refused test/pages-497-v1.blob EFBIG too-large
head -c 16777216 /dev/zero >/lib/firmware/huge.blob
expect_refused huge.blob EFBIG too-large
# The firmware loader returns old data again as long as someone holds it. So this check fails if the
# large file was not released.
cp /lib/firmware/test/v2.blob /lib/firmware/huge.blob
expect_check huge.blob 0 success
rm /lib/firmware/huge.blob
expect_update test/pages-496.blob 0 success
