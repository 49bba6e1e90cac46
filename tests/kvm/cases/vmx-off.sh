#!/bin/sh
# kvm_intel cannot be unloaded while guests run. Without it no CPU is in VMX operation, and an
# update is refused.
. /tests/lib.sh
. /tests/kvm.sh
setup_kvm

expect_fails rmmod kvm_intel
hold SEAMLDR.INFO
store "$TDX/update" test/a.blob &
pid=$!
expect_ok wait_for 20 held
expect_fails rmmod kvm_intel
release
wait $pid
expect "version" 1.5.25 "$(tdx version)"
expect_guests "after an update"

guests_stop
expect_ok wait_for 20 rmmod kvm_intel
expect_refused test/b.blob ENXIO vmx-off
guests_begin
expect_update test/b.blob 0 success
guests_stop
