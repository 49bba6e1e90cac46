#!/bin/sh
# The control runs in the guest after the cases: plain updates by tdx_update built without VMPTRLD.
# run.sh judges the result. KVM warns when its VMCS is gone, so marks separate this part of the
# console.
echo "<6>test: control begins" >/dev/kmsg
echo 0 >/proc/sys/kernel/panic_on_warn
cp /control/tdx_update.ko "/lib/modules/$(uname -r)/updates/"
echo "control begins"
GUEST_SHORT=1 sh /tests/run updates
echo "<6>test: control ends" >/dev/kmsg
