#!/bin/sh
# A CPU goes offline and online again while updates are requested: each attempt succeeds, or ends as
# cpu-offline with nothing changed.
# SMP: 2 4
# THREADS: multi
. /tests/lib.sh
setup remaining=1000000
td_build 1
online=/sys/devices/system/cpu/cpu$(($(nproc --all) - 1))/online

hotplug() {
	until [ -e "$TMP/enough" ]; do
		echo 0 >"$online"
		usleep 30000
		echo 1 >"$online"
		usleep 30000
	done
}
hotplug &
hotplug=$!

i=0 success=0 offline=0
while [ $i -lt 1000 ] && { [ $success -lt 5 ] || [ $offline -lt 5 ]; }; do
	i=$((i + 1))
	[ $((i % 2)) = 0 ] && image=test/a.blob || image=test/b.blob
	version=$(tdx version) shutdowns=$(counter TDH.SYS.SHUTDOWN)
	update "$image"
	case $ERRNO in
	0)
		success=$((success + 1))
		expect "last/result of attempt $i" success "$(tdx last/result)"
		;;
	EHOSTDOWN)
		offline=$((offline + 1))
		expect "last/result of attempt $i" cpu-offline "$(tdx last/result)"
		expect "version after attempt $i" "$version" "$(tdx version)"
		expect "shutdowns by attempt $i" "$shutdowns" "$(counter TDH.SYS.SHUTDOWN)"
		;;
	*)
		fail "attempt $i: $ERRNO, $(tdx last/result)"
		;;
	esac
	expect "open session after attempt $i" 0 "$(emu_get state session)"
done
: >"$TMP/enough"
wait $hotplug
note "$i attempts: $success updates, $offline with a CPU offline"
expect_ge updates 5 $success
expect_ge "attempts with a CPU offline" 5 $offline
expect "updates in the firmware" $success "$(emu_get state updates)"
expect_update test/v2.blob 0 success
expect_tds_alive 1
