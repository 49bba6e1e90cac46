#!/bin/sh
# Updates back and forth for minutes, under everything that a host does: TDs are built, run and
# migrated, CPUs go offline and online, files are read, a second administrator updates, images are
# bad. Every attempt ends in an allowed result, no measurement is wrong, no TD is lost.
# SMP: 4 8
. /tests/lib.sh
minutes=$(cat /tests/cases/minutes)
end=$(($(uptime_s) + minutes * 60))

setup remaining=1000000
td_build 1
td_build 2
td_set pages 1
td_set pace_us 100
td_set threads builders=2 migrators=1 runners=2

over() {
	[ "$(uptime_s)" -ge $end ]
}

# A CPU goes offline and online. An update without it ends as cpu-offline.
hotplug() {
	local cpu=/sys/devices/system/cpu/cpu$(($(nproc --all) - 1))/online
	until over; do
		sleep 2
		echo 0 >"$cpu"
		sleep 1
		echo 1 >"$cpu"
	done
	echo 1 >"$cpu"
}

reader() {
	local file
	until over; do
		for file in "$TDX"/* "$TDX"/last/*; do
			[ ! -r "$file" ] || [ -d "$file" ] || cat "$file" >/dev/null 2>&1
		done
		usleep 50000
	done
}

second_writer() {
	until over; do
		check test/a.blob
		update test/same.blob
		echo "second: $ERRNO" >>"$TMP/second"
		usleep 300000
	done
}

# The kernel's own caches vary by some megabytes. One lost page an attempt would add up to more.
free_kb() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sed -n 's/^MemFree: *\([0-9]*\).*/\1/p' /proc/meminfo
}

hotplug &
hotplug=$!
reader &
reader=$!
second_writer &
second=$!

i=0 success=0 race=0 offline=0 busy=0
until over; do
	i=$((i + 1))
	case $((i % 10)) in
	3) image=test/bad-hash.blob bad=EBADMSG ;;
	6) image=test/bad-signer.blob bad=EKEYREJECTED ;;
	9) image=test/none.blob bad=ENOENT ;;
	*[02468]) image=test/a.blob bad='' ;;
	*) image=test/b.blob bad='' ;;
	esac
	update $image
	case $ERRNO in
	EALREADY) busy=$((busy + 1)) ;;
	EHOSTDOWN) offline=$((offline + 1)) ;;
	"$bad") ;;
	0) success=$((success + 1)) ;;
	EBUSY) race=$((race + 1)) ;;
	*) fail "attempt $i, $image: $ERRNO, $(tdx last/result)" ;;
	esac
	[ -z "$bad" ] || case $ERRNO in
	0 | EBUSY) fail "attempt $i, $image: $ERRNO" ;;
	esac
	# Measure free memory after 50 attempts, when everything has been loaded and used once.
	[ $i != 50 ] || free_before=$(free_kb)
	[ $((i % 500)) != 0 ] || echo "<6>test: soak: $i attempts, $success updates" >/dev/kmsg
done
wait $hotplug $reader $second
td_set threads builders=0 migrators=0 runners=0
free_after=$(free_kb)

others=$(sed 's/second: //' "$TMP/second" | sort | uniq -c | xargs)
expect "errnos of the second writer beyond those allowed" "" \
	"$(sed 's/second: //' "$TMP/second" | grep -vxE '0|EBUSY|EALREADY|EHOSTDOWN' | sort -u | xargs)"
note "| $minutes minutes, $(nproc) CPUs: $i attempts, $success updates, $race races, $offline with a CPU offline, $busy while another ran; second writer: $others; built $(td_stat built), migrated $(td_stat migrated), entered $(td_stat entered); free memory $free_before -> $free_after kB |"
expect_ge updates 1 $success
expect_ge races 1 $race
expect_ge "attempts with a CPU offline" 1 $offline
expect "wrong measurements" 0 "$(td_stat wrong)"
expect "rounds that failed" 0 "$(td_stat failed)"
expect "spoiled builds" 0 "$(emu_get state spoiled)"
expect "open session" 0 "$(emu_get state session)"
expect_tds_alive 1 2
expect_ge "free memory after, kB" $((free_before - 8192)) "$free_after"
