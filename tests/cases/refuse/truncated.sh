#!/bin/sh
# A container that is cut short anywhere is refused, and nothing is shut down.
# SMOKE: kasan
# KERNEL: any
. /tests/lib.sh
setup

for image in v1 v2; do
	size=$(stat -c %s /lib/firmware/test/$image.blob)
	for length in 1 2 15 16 100 4095 4096 4097 8191 8192 10240 12288 $((size - 4096)) $((size - 1)); do
		head -c "$length" /lib/firmware/test/$image.blob >/lib/firmware/cut.blob
		expect_refused cut.blob EINVAL bad-image
	done
	: >/lib/firmware/cut.blob
	expect_refused cut.blob ENOENT no-image
done
rm /lib/firmware/cut.blob
