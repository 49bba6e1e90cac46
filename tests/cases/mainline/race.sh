#!/bin/sh
# Builders work while a client of mainline's interface updates: each upload succeeds or ends as
# device-busy, both happen, and no measurement is wrong.
# SMP: 2 4
# THREADS: multi
# NEEDS: CONFIG_FW_UPLOAD !CONFIG_TDX_HOST_SERVICES
. /tests/lib.sh
. /tests/mainline.sh
need_node
setup remaining=1000
td_build 1
td_set pace_us 100
td_set pages 1
td_set threads builders=2 runners=1

success=0 race=0 i=0
while [ $i -lt 20 ] || { [ $((success * race)) = 0 ] && [ $i -lt 500 ]; }; do
	case $((i % 2)) in
	0) upload test/a.blob ;;
	1) upload test/b.blob ;;
	esac
	case $ERROR in
	'') success=$((success + 1)) ;;
	transferring:device-busy) race=$((race + 1)) ;;
	*) die "upload $i: $ERROR, $(tdx last/result)" ;;
	esac
	i=$((i + 1))
done
td_set threads builders=0 runners=0
note "$i uploads: $success succeeded, $race met a race; built $(td_stat built)"
expect_ge "successes" 1 $success
expect_ge "races" 1 $race
expect "wrong measurements" 0 "$(td_stat wrong)"
expect updates $success "$(emu_get state updates)"
expect "spoiled builds" 0 "$(emu_get state spoiled)"
expect_tds_alive 1
