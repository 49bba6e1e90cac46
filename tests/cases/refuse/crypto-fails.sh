#!/bin/sh
# If the kernel's crypto fails, the result is crypto-error, or no-memory if that was the cause. It
# is never a verdict on the image, and nothing is shut down.
. /tests/lib.sh
. /tests/slow.sh
setup_emu
slow_load rsa_generic=1
load

# The same for good and bad images: without the operation there is no verdict.
for image in v2 wrong-fill bad-signer bad-hash; do
	# EIO, EBADMSG, ENOENT, EKEYREJECTED: errnos of devices that are also those of results.
	for error in 5 74 2 129; do
		slow_set rsa_error "-$error"
		expect_refused test/$image.blob ENOPKG crypto-error
	done
	# ENOMEM, and EINVAL, which rsa-generic returns for lack of memory from 6.9 on.
	for error in 12 22; do
		slow_set rsa_error "-$error"
		expect_refused test/$image.blob ENOMEM no-memory
	done
	slow_set rsa_error 0
done

# SHA-384 fails at each of its steps: over the modulus, twice over the signed bytes, over the module
# pages.
for good in 0 1 2 3; do
	for failure in 5:ENOPKG:crypto-error 22:ENOPKG:crypto-error 12:ENOMEM:no-memory; do
		IFS=: read -r error errno result <<-END
		$failure
		END
		slow_set sha_good $good
		slow_set sha_error "-$error"
		expect_check test/v2.blob "$errno" "$result"
	done
done

expect_update test/v2.blob 0 success
