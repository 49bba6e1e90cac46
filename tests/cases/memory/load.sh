#!/bin/sh
# Every allocation of the module's initialisation fails once: the module loads and works, or loading
# fails with ENOMEM and nothing is left.
# NEEDS: CONFIG_FAILSLAB
. /tests/lib.sh
. /tests/nomemory.sh
failing_begins
setup_emu
module=/lib/modules/$(uname -r)/updates/tdx_update.ko
key=$(cat "$SIGNER")
refused=0 loads=0

# try_load N: load the module while the N-th allocation of the process fails. Return false if there
# are fewer than N. It runs kmod's insmod, because busybox's tries a second time in another way.
try_load() {
	local hit=0 version

	failing "echo $1 >/proc/self/fail-nth; exec /sbin/insmod $module signer=$key" || hit=1
	if loaded tdx_update; then
		loads=$((loads + 1))
		read -r version <"$TDX/version"
		expect "version after allocation $1" 1.5.24 "$version"
		rmmod tdx_update || die "tdx_update does not unload after allocation $1"
	else
		refused=$((refused + 1))
		# An early allocation is the program's own: the C library's loader names no errno.
		expect_match "error after allocation $1" \
			"[Mm]emory|ENOMEM|failed to map segment" "$ERRNO"
	fi
	[ ! -e "$TDX" ] || die "$TDX is there after allocation $1"
	return $hit
}

# Set $asked to the number of SEAMLDR.INFO calls. The module calls it almost first.
asked() {
	local key value

	while IFS='=' read -r key value; do
		[ "$key" != SEAMLDR.INFO ] || asked=$value
	done <"$EMU/counters"
}

# Find out roughly how many allocations there are. The number differs a little from load to load.
few=1 many=256
while try_load $many; do
	few=$many
	many=$((many * 2))
done
expect "errno of loading without a failure" 0 "$ERRNO"
while [ $((few + 1)) -lt $many ]; do
	middle=$(((few + many) / 2))
	if try_load $middle; then few=$middle; else many=$middle; fi
done

# From the last allocation back to the one whose failure keeps the module from calling P-SEAMLDR.
nth=$((many + 10)) last=$nth
while
	asked
	before=$asked
	try_load $nth
	asked
	[ $nth -gt 1 ] && [ "$asked" != "$before" ]
do
	nth=$((nth - 1))
done
expect_not "allocation that failed before P-SEAMLDR was asked" 1 $nth
note "| insmod: the last $((last - nth + 1)) of about $many allocations; $refused refused for lack of memory, $loads loaded |"
expect_ge "loads refused" 20 $refused
load
expect_update test/good-1-page.blob 0 success
