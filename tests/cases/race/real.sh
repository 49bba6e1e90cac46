#!/bin/sh
# Builders and migrators work on other CPUs while two hundred updates are tried: each succeeds or
# fails with EBUSY, both happen, and no measurement is wrong.
# SMP: 2 4 8
# THREADS: multi
# SMOKE: yes
. /tests/lib.sh
setup remaining=1000
td_build 1
td_set pace_us 100
td_set pages 1
td_set threads builders=2 migrators=1 runners=1

success=0 race=0 i=0
while [ $i -lt 200 ] || { [ $((success * race)) = 0 ] && [ $i -lt 1000 ]; }; do
	case $((i % 2)) in
	0) update test/a.blob ;;
	1) update test/b.blob ;;
	esac
	case $ERRNO in
	0) success=$((success + 1)) ;;
	EBUSY) race=$((race + 1)) ;;
	*) die "attempt $i: $ERRNO $(tdx last/result)" ;;
	esac
	i=$((i + 1))
done
td_set threads builders=0 migrators=0 runners=0
note "$i attempts: $success succeeded, $race met a race; built $(td_stat built), migrated $(td_stat migrated)"

expect_ge "successes" 1 $success
expect_ge "races" 1 $race
expect_ge "TDs built" 1 "$(td_stat built)"
expect_ge "TDs migrated" 1 "$(td_stat migrated)"
expect "wrong measurements" 0 "$(td_stat wrong)"
expect "rounds that failed" 0 "$(td_stat failed)"
expect "updates" $success "$(emu_get state updates)"
expect "spoiled builds" 0 "$(emu_get state spoiled)"
expect_tds_alive 1
