#!/bin/sh
# A suspend to memory up to the point where the firmware would take over: KVM turns VMX off on every
# CPU and on again. Guests go on, also through an update after it.
. /tests/lib.sh
. /tests/kvm.sh
setup_kvm
expect_match "kinds of suspend" "deep" "$(cat /sys/power/mem_sleep)"

store /sys/module/suspend/parameters/pm_test_delay 1
store /sys/power/pm_test core
mark_dmesg
store /sys/power/state mem
expect "errno of the suspend" 0 "$ERRNO"
expect "CPUs taken offline" $((CPUS - 1)) "$(dmesg_since_mark | grep -c 'is now offline')"
expect_guests "after a suspend"
expect_update test/a.blob 0 success
expect_guests "after an update after a suspend"
expect "calls that left the VMCS in place" 0 "$(emu_get state vmcs_kept)"
store /sys/power/pm_test none
guests_stop
