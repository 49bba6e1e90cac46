#!/bin/sh
# Crypto that fails is crypto-error, or no-memory where it says so; never a verdict on the image,
# and nothing is shut down for it.
. /tests/lib.sh
. /tests/slow.sh
setup_emu
slow_load rsa_generic=1
load

# Right and wrong images alike: no operation, no verdict.
for image in v2 wrong-fill bad-signer bad-hash; do
	# EIO, EBADMSG, ENOENT, EKEYREJECTED: what devices say, and what results mean elsewhere.
	for error in 5 74 2 129; do
		slow_set rsa_error "-$error"
		expect_refused test/$image.blob ENOPKG crypto-error
	done
	# ENOMEM, and EINVAL, which is rsa-generic's word for it from 6.9 on.
	for error in 12 22; do
		slow_set rsa_error "-$error"
		expect_refused test/$image.blob ENOMEM no-memory
	done
	slow_set rsa_error 0
done

# SHA-384 at each of its steps: over the modulus, twice over what is signed, over the module's
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
