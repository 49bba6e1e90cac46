#!/bin/sh
# Every call that allocates in the module's initialisation fails once, but for those of mainline's
# interface: the module loads and works, or loading fails with ENOMEM and nothing is left.
# SMOKE: kasan
. /tests/lib.sh
. /tests/nomemory.sh
setup_emu
failing_begins
nth=1 refused=0 loads=0
while try_load $nth mainline_interface=0; do
	nth=$((nth + 1))
done
expect "errno of loading without a failure" 0 "$ERRNO"
note "| insmod: $nth loads, $refused refused for lack of memory, $loads succeeded |"
expect_ge "loads refused" 5 "$refused"
load
expect_update test/good-1-page.blob 0 success
