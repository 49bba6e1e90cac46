#!/bin/sh
# The controls run in the guest after the cases: plain updates by tdx_update built without VMPTRLD,
# also under a Linux if the case "linux" ran, and by mainline's own driver where it is built.
# tests/kvm/run.sh judges the results. KVM warns when its VMCS is gone, so marks separate this part
# of the console.
echo "<6>test: control begins" >/dev/kmsg
echo 0 >/proc/sys/kernel/panic_on_warn
updates=/lib/modules/$(uname -r)/updates
cp /control/tdx_update.ko "$updates/"
echo "control begins"
[ ! -e "$updates/mainline_tdx.ko" ] || sh /tests/run /tests/control/mainline.sh
cases=updates
[ ! -e /linux ] || cases="updates linux"
# shellcheck disable=SC2086 # a list of names
GUEST_SHORT=1 sh /tests/run $cases
echo "<6>test: control ends" >/dev/kmsg
