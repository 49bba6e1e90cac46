#!/bin/sh
# A CPU goes offline under its guest and comes back: KVM takes the guest's VMCS to another CPU and
# turns VMX off and on. Updates are refused meanwhile and succeed afterwards.
. /tests/lib.sh
. /tests/kvm.sh
setup_kvm
online=/sys/devices/system/cpu/cpu1/online

for i in $(seq "$HOTPLUGS"); do
	store $online 0
	expect "errno of taking CPU 1 offline" 0 "$ERRNO"
	expect_refused test/a.blob EHOSTDOWN cpu-offline
	expect_guests "while CPU 1 is offline"
	store $online 1
	expect "errno of bringing CPU 1 online" 0 "$ERRNO"
	expect_update test/a.blob 0 success
	expect_guests "after CPU 1 has come back, time $i"
done
expect "calls that left the VMCS in place" 0 "$(emu_get state vmcs_kept)"
guests_stop
