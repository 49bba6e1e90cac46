#!/bin/sh
# A crypto device that offers RSA first, and answers later, is not asked: the kernel's own RSA is.
# SMOKE: yes
. /tests/lib.sh
. /tests/slow.sh
setup_emu
slow_load
load
td_build 1
# The kernel itself asks it, for the signatures of its own modules.
before=$(rsa_requests)

expect_check test/v2.blob 0 success
expect_refused test/wrong-fill.blob EKEYREJECTED bad-signature
expect_refused test/wrong-1.blob EKEYREJECTED bad-signature
# Even one that cannot do it.
slow_set rsa_error -5
expect_update test/v2.blob 0 success
expect "RSA operations of the device" "$before" "$(rsa_requests)"
expect_tds_alive 1
