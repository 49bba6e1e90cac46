#!/bin/sh
# Without a TDX module or with VMX off, tdx_update stays loaded, state is uninitialized, and an
# update is refused.
. /tests/lib.sh
setup state=none

expect state uninitialized "$(tdx state)"
with_errno tdx version
expect version ENXIO "$ERRNO"
with_errno tdx features0
expect features0 ENXIO "$ERRNO"
with_errno tdx race_protection
expect race_protection ENXIO "$ERRNO"
expect "num_remaining_updates, which P-SEAMLDR tells" 20 "$(tdx num_remaining_updates)"
expect_update test/v2.blob EOPNOTSUPP unsupported

emu_set vmx all=0
expect "state without VMX" uninitialized "$(tdx state)"
with_errno tdx num_remaining_updates
expect "num_remaining_updates without VMX" ENXIO "$ERRNO"
expect_update test/v2.blob ENXIO vmx-off
