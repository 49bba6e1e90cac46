#!/bin/sh
# A CPU goes offline, and Linux's TDX core leaves VMX operation on it; an update by tdx_update is
# refused meanwhile. The CPU comes back, and updates succeed by tdx_update and by mainline's.
# SMP: 2
. /tests/lib.sh
. /tests/mainline.sh
. /tests/vmm.sh

CPU=/sys/devices/system/cpu/cpu1/online

setup_beside
load_kvm
load
vmm_build 1 1
echo 0 >$CPU
update test/a.blob
expect_not "errno of an update with a CPU offline" 0 "$ERRNO"
expect "updates with a CPU offline" 0 "$(emu_get state updates)"
echo 1 >$CPU
expect "CPU 1 after it came back" 1 "$(cat $CPU)"
expect_update test/a.blob 0 success
upload test/v2.blob
expect "error of mainline's update" '' "$ERROR"
echo 0 >$CPU
echo 1 >$CPU
expect "CPU 1 after an update of each" 1 "$(cat $CPU)"
expect_update test/b.blob 0 success
vmm_ok 1 'verified good' verify
vmm_ok 1 'ran [1-9]' run 1
vmm_stop 1
