#!/bin/sh
# Updates come while KVM builds, runs and destroys TDs on other CPUs. Each update succeeds or is
# refused for the race, and no measurement is wrong.
# SMP: 2 4
# THREADS: multi
. /tests/lib.sh
. /tests/vmm.sh

UPDATES=30
STEPS='^(created|vcpu|added|finalized|verified|ran|closed)'

# builder NUMBER: have KVM build one TD after another until $TMP/over exists.
builder() {
	local seed=$1

	while [ ! -e "$TMP/over" ]; do
		printf '%s\n' create vcpu 'add 4' finalize verify 'run 3' close |
			vmm 4 "$seed" >>"$TMP/built.$1" 2>&1
		seed=$((seed + 10))
	done
}

setup_kvm remaining=1000
load
builders=''
for number in $(seq 1 "$(nproc)"); do
	builder "$number" &
	builders="$builders $!"
done

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
: >"$TMP/over"
# shellcheck disable=SC2086 # a list of processes
wait $builders

cat "$TMP"/built.* >"$TMP/built"
good=$(grep -c '^verified good' "$TMP/built")
note "$successes updates, $races refused for a race, $good TDs built"
expect "updates in the emulator" $successes "$(emu_get state updates)"
expect_ge "updates that succeeded" 1 $successes
expect_ge "TDs built" 2 "$good"
expect "TDs with a wrong measurement" 0 "$(grep -c '^verified wrong' "$TMP/built")"
expect "TDs that were broken" 0 "$(emu_get state spoiled)"
expect "steps that failed" '' "$(grep -v -E "$STEPS" "$TMP/built" | head -n 3)"
expect "TDs in the end" 0 "$(emu tds | wc -l)"
