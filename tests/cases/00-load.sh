#!/bin/sh
# The module loads and unloads fifty times, and each time takes /sys/firmware/tdx with it.
. /tests/lib.sh
setup_emu

for i in $(seq 50); do
	modprobe tdx_update || die "load $i failed"
	expect "state after load $i" ready "$(tdx state)"
	rmmod tdx_update || die "unload $i failed"
	[ ! -e "$TDX" ] || fail "$TDX is there after unload $i"
done
