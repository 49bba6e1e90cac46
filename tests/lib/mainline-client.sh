#!/bin/sh
# Updates the TDX module by the interface of Linux 7.2. It relies only on the documentation:
# Documentation/ABI/testing/sysfs-class-firmware and sysfs-devices-faux-tdx-host.
#
#	mainline-client.sh IMAGE
#
# Prints the version before and after. On failure it prints the node's error on standard error and
# exits with status 1.
set -eu

node=/sys/class/firmware/tdx_module
host=/sys/devices/faux/tdx_host

echo "before: $(cat $host/version)"
echo 1 >$node/loading
cat "$1" >$node/data
echo 0 >$node/loading
while [ "$(cat $node/status)" != idle ]; do
	sleep 0.1
done
error=$(cat $node/error)
if [ -n "$error" ]; then
	echo "$error" >&2
	exit 1
fi
echo "after: $(cat $host/version)"
