#!/bin/sh
# The control of kvm/storm: the same with updates by mainline's driver, which asks for no
# protection. They succeed, and break the measurements of TDs.
# SMP: 2
# THREADS: multi
. /tests/lib.sh
. /tests/mainline.sh
. /tests/vmm.sh

setup_beside remaining=1000
load_kvm
builders_begin
for number in $(seq 1 30); do
	case $((number % 2)) in
	0) upload test/a.blob ;;
	1) upload test/b.blob ;;
	esac
	expect "error of mainline's update $number" '' "$ERROR"
done
builders_end

note "30 updates, $GOOD TDs good, $WRONG wrong"
expect "updates in the emulator" 30 "$(emu_get state updates)"
expect_ge "TDs that are wrong" 1 "$WRONG"
expect "TDs that were broken" "$WRONG" "$(emu_get state spoiled)"
expect "TDs in the end" 0 "$(emu tds | wc -l)"
