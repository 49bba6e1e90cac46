#!/bin/sh
# Mainline's update fails past the shutdown. Linux's TDX core then takes TDX for uninitialized, and
# its version file has no value. tdx_update uses the handoff data, and the TDs that KVM has built
# are alive. Linux's core keeps its opinion until an update of its own.
# SMP: 1 2
. /tests/lib.sh
. /tests/mainline.sh
. /tests/vmm.sh

setup_beside
load_kvm
vmm_build 1 2
load
emu_set inject "SEAMLDR.INSTALL any $(nproc) EBADSIG 0 1"
upload test/v2.blob
expect "error of mainline's update" transferring:firmware-invalid "$ERROR"
emu_set inject clear
expect "TDX module then" shutdown "$(emu_get state module)"
expect "our state then" shut-down "$(tdx state)"
with_errno cat "$HOST/version"
expect "errno of mainline's version then" ENXIO "$ERRNO"

expect_update test/b.blob 0 success
expect "our state after our update" ready "$(tdx state)"
expect "our version after our update" 1.5.27 "$(tdx version)"
vmm_ok 1 'verified good' verify
vmm_ok 1 'ran [1-9]' run 2
vmm_build 2 2
with_errno cat "$HOST/version"
expect "errno of mainline's version after our update" ENXIO "$ERRNO"

# upload would stop at the version file.
begin_upload test/a.blob
wait_for 60 idle || die "mainline's next update does not end"
expect "error of mainline's next update" '' "$(cat "$NODE/error")"
expect "mainline's version after its next update" 1.5.25 "$(cat "$HOST/version")"
vmm_ok 1 'verified good' verify
vmm_ok 2 'ran [1-9]' run 1
vmm_stop 1
vmm_stop 2
