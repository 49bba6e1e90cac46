#!/bin/sh
# Updates by both drivers in turn, which QEMU's plugin measures (plugin/clock.c). The kernel command
# line says how many by each: bench.updates=N.
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
