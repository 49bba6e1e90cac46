#!/bin/sh
# If the INSTALL of an LP fails, the other LPs call all the same and this LP calls again after them,
# so no session stays open that the firmware allows to be closed. The first LP is different: if it
# cannot open a session, no other LP calls.
# SMP: 2 4 8
. /tests/lib.sh
setup
last=$(($(nproc) - 1))
cpus="0 $last"
[ $last = 1 ] || cpus="0 1 $last"

for status in 0x8000000012345678 0x8000000000000003 0x8000000000010003 vmfail ud gp; do
	for cpu in $cpus; do
		setup_again
		emu_set log clear
		emu_set inject "SEAMLDR.INSTALL $cpu 1 $status 0 0"
		expect_update test/v2.blob ESHUTDOWN shut-down
		expect last/leaf SEAMLDR.INSTALL "$(tdx last/leaf)"
		expect last/cpu "$cpu" "$(tdx last/cpu)"
		others=$(emu log | grep -c "^[0-9]* [^$cpu] SEAMLDR.INSTALL ")
		# A failed call closes the session if it was the last one missing. EBADCALL,
		# EUNSPECERR and a call that does not reach P-SEAMLDR do not count.
		case $status:$cpu in
		0x80000000123* | *:0) called=0 ;;
		*) called=$last ;;
		esac
		expect "LPs that have called, $status on CPU $cpu" $called "$(emu_get state session)"
		case $status:$cpu in
		0x80000000123*) ;;
		*:0) expect "other LPs that called, $status on CPU $cpu" 0 "$others" ;;
		vmfail:*) ;;	# its many calls push the first ones out of the log
		# Before an LP calls again, each of the others has called.
		*) expect "first calls, $status on CPU $cpu" "$(seq 0 $last | xargs)" \
			"$(emu log | awk '$3 == "SEAMLDR.INSTALL" { print $2 }' | head -n $((last + 1)) | xargs)" ;;
		esac
		emu_set inject clear
		expect_update test/a.blob 0 success
	done
done

# After a single failure the LP calls again, and the session closes.
for status in 0x8000000000000003 0x8000000000010003 0x8000000012345678 vmfail ud gp; do
	for cpu in $cpus; do
		setup_again
		emu_set log clear
		td_build 1
		case $status:$cpu in
		0x*:"$last") td destroy all; continue ;;	# that is the closing call's result
		esac
		emu_set inject "SEAMLDR.INSTALL $cpu 1 $status 0 1"
		expect_update test/v2.blob 0 success
		expect last/sessions 1 "$(tdx last/sessions)"
		expect_tds_alive 1
		td destroy all
	done
done
