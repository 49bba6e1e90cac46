#!/bin/sh
# Guests on every CPU go on after updates, stand still only for the blackout, and end by themselves.
. /tests/lib.sh
. /tests/kvm.sh
setup_kvm

longest=0
for i in $(seq "$UPDATES"); do
	before=$(vmcs_lost)
	guests_ask reset
	case $((i % 2)) in
	1) expect_update test/a.blob 0 success ;;
	0) expect_update test/b.blob 0 success ;;
	esac
	gap=$(guests_gap)
	blackout=$(($(tdx last/blackout_ns) / 1000))
	note "update $i: blackout $blackout us, a guest stood still $gap us at most"
	[ "$gap" -le "$longest" ] || longest=$gap
	# The margin is for stopping and releasing the CPUs, and for the pause between two bursts.
	expect_le "microseconds that a guest stood still" $((blackout + 20000)) "$gap"
	# Each CPU calls SEAMLDR.INSTALL once, and a guest runs on each.
	expect_ge "calls that met a current VMCS" "$CPUS" $(($(vmcs_lost) - before))
	expect_guests "after update $i"
done
note "a guest stood still $longest us at most, $(vmcs_lost) calls met a current VMCS"
expect "calls that left the VMCS in place" 0 "$(emu_get state vmcs_kept)"
guests_stop
