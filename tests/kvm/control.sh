#!/bin/sh
# The control, in the guest and after the cases: plain updates by tdx_update without VMPTRLD. run.sh
# judges what becomes of it. KVM warns when its VMCS is gone, so this part of the console has marks
# of its own.
echo "<6>test: control begins" >/dev/kmsg
echo 0 >/proc/sys/kernel/panic_on_warn
cp /control/tdx_update.ko "/lib/modules/$(uname -r)/updates/"
echo "control begins"
GUEST_SHORT=1 sh /tests/run updates
echo "<6>test: control ends" >/dev/kmsg
