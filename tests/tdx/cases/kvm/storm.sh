#!/bin/sh
# Updates come while KVM builds, runs and destroys TDs on other CPUs. Each update succeeds or is
# refused for the race, and no measurement is wrong.
# SMP: 2 4
# THREADS: multi
. /tests/lib.sh
. /tests/vmm.sh

UPDATES=30

setup_kvm remaining=1000
load
builders_begin

successes=0 races=0
for number in $(seq 1 $UPDATES); do
	case $((number % 2)) in
	0) update test/a.blob ;;
	1) update test/b.blob ;;
	esac
	case $ERRNO in
	0) successes=$((successes + 1)) ;;
	EBUSY)
		expect "result of a refused update" update-race "$(tdx last/result)"
		races=$((races + 1))
		;;
	*) fail "update $number: $ERRNO, $(tdx last/result)" ;;
	esac
done
builders_end

note "$successes updates, $races refused for a race, $GOOD TDs built"
expect "updates in the emulator" $successes "$(emu_get state updates)"
expect_ge "updates that succeeded" 1 $successes
expect_ge "TDs built" 2 "$GOOD"
expect "TDs with a wrong measurement" 0 "$WRONG"
expect "TDs that were broken" 0 "$(emu_get state spoiled)"
expect "TDs in the end" 0 "$(emu tds | wc -l)"
