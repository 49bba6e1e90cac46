#!/bin/sh
# A running TDX module without TD_PRESERVING cannot be updated at run time.
# KERNEL: any
. /tests/lib.sh
setup features0=0x0000800000040000

expect_refused test/v2.blob EOPNOTSUPP unsupported
expect last/phase plan "$(tdx last/phase)"
expect last/from 1.5.24 "$(tdx last/from)"
expect last/to 1.5.26 "$(tdx last/to)"
