#!/bin/sh
# require_race_protection=1 refuses to update a TDX module that cannot reject a race, and no other.
. /tests/lib.sh
setup features0=0x0000000000040002
parameter=/sys/module/tdx_update/parameters/require_race_protection

expect "default" N "$(cat $parameter)"
echo 1 >$parameter
expect_refused test/v2.blob EOPNOTSUPP unsupported
expect last/phase plan "$(tdx last/phase)"
expect last/reason "the running TDX module cannot reject a race, and require_race_protection is set" \
	"$(tdx last/reason)"
echo 0 >$parameter
expect_update test/v2.blob 0 success
echo 1 >$parameter
expect_update test/v2.blob 0 success
