#!/bin/sh
# P-SEAMLDR serves one CPU at a time, and mainline's own driver does not know of tdx_update. If both
# call P-SEAMLDR at the same time, tdx_update calls again, so neither its readers nor its updates
# fail.
# SMP: 2 4
# NEEDS: KERNEL=7.3|7.3-td
. /tests/lib.sh
. /tests/mainline.sh
setup_beside remaining=1000
load
td_build 1
# Make the call long enough for two readers to meet.
emu_set delay SEAMLDR.INFO=2000000

# reader FILE NAME: read until $TMP/over exists. NAME.reads has the number of reads, NAME.errors the
# errors.
reader() {
	local reads=0
	while [ ! -e "$TMP/over" ]; do
		cat "$1" >/dev/null 2>>"$TMP/$2.errors"
		reads=$((reads + 1))
		echo $reads >"$TMP/$2.reads"
	done
}

# Print how many calls found P-SEAMLDR busy.
met() {
	emu log | grep -c ' SEAMLDR.INFO .* 0x8000ff00ffff0000 '
}

reader "$TDX/num_remaining_updates" ours &
ours=$!
reader "$HOST/num_remaining_updates" mainlines &
mainlines=$!
i=0 meetings=0
while [ $i -lt 6 ] || { [ $meetings = 0 ] && [ $i -lt 60 ]; }; do
	emu_set log 1
	case $((i % 2)) in
	0) expect_update test/a.blob 0 success ;;
	1)
		upload test/b.blob
		expect "error of mainline's update" '' "$ERROR"
		;;
	esac
	meetings=$((meetings + $(met)))
	i=$((i + 1))
done
: >"$TMP/over"
wait $ours $mainlines
emu_set delay SEAMLDR.INFO=0

note "$i updates, $(cat "$TMP/ours.reads") reads of ours and $(cat "$TMP/mainlines.reads") of mainline's," \
	"$meetings calls that found P-SEAMLDR busy," \
	"$(grep -c 'No such device' "$TMP/mainlines.errors") failed reads of mainline's"
expect_ge "calls that found P-SEAMLDR busy" 1 "$meetings"
expect "errors of our reader" '' "$(cat "$TMP/ours.errors")"
# Mainline's driver does not repeat the call.
expect "other errors of mainline's reader" '' "$(grep -v ': No such device$' "$TMP/mainlines.errors")"
expect updates $i "$(emu_get state updates)"
expect_tds_alive 1
