#!/bin/sh
# While KVM is in the middle of a TD's build, tdx_update refuses an update, and the build comes to
# its good end. The same update by mainline's driver, which does not ask for protection, breaks the
# measurement.
# SMP: 1 2
. /tests/lib.sh
. /tests/mainline.sh
. /tests/vmm.sh

setup_beside
load_kvm
load
vmm_start 1 4
vmm_ok 1 created create
vmm_ok 1 vcpu vcpu
vmm_ok 1 'added 2' add 2
expect_update test/a.blob EBUSY update-race
expect last/status 0x8000051200010000 "$(tdx last/status)"
expect last/leaf TDH.SYS.SHUTDOWN "$(tdx last/leaf)"
vmm_ok 1 'added 4' add 2
vmm_ok 1 finalized finalize
vmm_ok 1 'verified good' verify
expect_update test/a.blob 0 success
vmm_ok 1 'verified good' verify
vmm_ok 1 'ran [1-9]' run 2
vmm_stop 1

note "The control: mainline's driver"
vmm_start 2 4
vmm_ok 2 created create
vmm_ok 2 vcpu vcpu
vmm_ok 2 'added 2' add 2
upload test/v2.blob
expect "error of mainline's update" '' "$ERROR"
vmm_ok 2 'added 4' add 2
vmm_ok 2 finalized finalize
vmm_ok 2 'verified wrong' verify
expect "TDs that mainline's update broke" 1 "$(emu_get state spoiled)"
vmm_stop 2
