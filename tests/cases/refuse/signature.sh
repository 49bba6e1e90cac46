#!/bin/sh
# A signature with a single fault is refused as bad-signature: in the padding, DigestInfo, or the
# hash's last byte. So are the numbers that RSA maps to themselves, and moduli that no RSA key has.
. /tests/lib.sh
setup

for place in type fill end info info-last last 0 1 2 max; do
	expect_refused test/wrong-$place.blob EKEYREJECTED bad-signature
done

# The modulus begins at byte 4096 + 128, least significant byte first. The signature of this image
# is smaller than any modulus made here.
image=/lib/firmware/test/wrong-2.blob
modulus=$((4096 + 128))
set_byte $image $modulus $(($(byte_at $image $modulus) ^ 1)) /lib/firmware/even.blob
expect_refused even.blob EKEYREJECTED bad-signature
rm /lib/firmware/even.blob
cp $image /lib/firmware/short.blob
for offset in 376 377 378 379 380 381 382 383; do
	[ "$(byte_at /lib/firmware/short.blob $((modulus + offset)))" != 0 ] || continue
	set_byte /lib/firmware/short.blob $((modulus + offset)) 0 /lib/firmware/next.blob
	mv /lib/firmware/next.blob /lib/firmware/short.blob
done
expect_refused short.blob EKEYREJECTED bad-signature
rm /lib/firmware/short.blob

expect_check test/good-1-page.blob 0 success
