#!/bin/sh
# Every call that allocates for mainline's interface fails once while the module loads: it loads and
# works without that interface, and nothing of it is left.
# SMOKE: kasan
# NEEDS: !CONFIG_TDX_HOST_SERVICES
. /tests/lib.sh
. /tests/nomemory.sh
setup_emu
failing_begins

# These are the last ones. Find out how many there are in all.
few=1 many=16
while try_load $many; do
	few=$many
	many=$((many * 2))
done
expect "errno of loading without a failure" 0 "$ERRNO"
while [ $((few + 1)) -lt $many ]; do
	middle=$(((few + many) / 2))
	if try_load $middle; then few=$middle; else many=$middle; fi
done

# Go back until one keeps the module from loading. The number differs a little from load to load.
nth=$((few + 5)) refused=0 without=0
while [ $nth -gt 1 ]; do
	! try_load $nth || without=$((without + 1 - refused))
	[ $refused = 0 ] || break
	nth=$((nth - 1))
done
expect "loads refused" 1 $refused
note "| insmod: the last $without of about $few calls that allocate |"
expect_ge "loads without mainline's interface" 3 $without
load
expect_update test/good-1-page.blob 0 success
