#!/bin/sh
# Makes updates by both drivers in turn; a QEMU plugin measures them (plugin/clock.c). The kernel
# command line has the number of updates by each: bench.updates=N.
set -u
export TMP=/tmp
. /tests/lib.sh
. /tests/mainline.sh
. /tests/blackout.sh
updates=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^bench.updates=//p')

setup_drivers >&2
say_code
i=0
while [ $((i += 1)) -le "$updates" ]; do
	update_by tdx_update
	update_by mainline_tdx
done
: >"$TMP/ended"
[ -s "$TMP/failures" ] || echo "done"
