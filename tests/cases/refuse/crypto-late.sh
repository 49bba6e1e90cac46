#!/bin/sh
# An RSA operation that completes later, in another context, is waited for, even if it first waits
# in a backlog.
# SMOKE: kasan
. /tests/lib.sh
. /tests/slow.sh
setup_emu
slow_load rsa_generic=1
load
td_build 1

for full in 0 1; do
	slow_set rsa_full $full
	before=$(rsa_requests)
	expect_check test/v2.blob 0 success
	expect_check test/wrong-fill.blob EKEYREJECTED bad-signature
	expect "RSA operations, full=$full" $((before + 2)) "$(rsa_requests)"
done
expect_update test/v2.blob 0 success
expect_tds_alive 1
