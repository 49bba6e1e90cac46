#!/bin/sh
# A crypto device that offers RSA with a higher priority and answers later is not used: the kernel's
# own RSA is.
# SMOKE: yes
. /tests/lib.sh
. /tests/slow.sh
setup_emu
slow_load
load
td_build 1
# The kernel itself uses the device, for the signatures of its own modules.
before=$(rsa_requests)

expect_check test/v2.blob 0 success
expect_refused test/wrong-fill.blob EKEYREJECTED bad-signature
expect_refused test/wrong-1.blob EKEYREJECTED bad-signature
# A device that fails does not matter either.
slow_set rsa_error -5
expect_update test/v2.blob 0 success
expect "RSA operations of the device" "$before" "$(rsa_requests)"
expect_tds_alive 1
