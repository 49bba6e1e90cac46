#!/bin/sh
# Blackouts, as raw figures for the host to make tables of. What to measure the kernel command line says:
#
#	bench=wall	in real time: guests' CPUs are the host's. A leaf takes 20 us
#	bench=work	CPUs take turns on one of the host's, so that time is all CPUs' work. A leaf takes no time
#	bench=model	with a leaf taking 20 us, for QEMU's plugin to see; says where the code is
#	bench=tds	as wall, with 0, 10 and 1000 TDs alive; refused races; before and after
#	bench.updates=N	of each driver, in two blocks
set -u
export TMP=/tmp
. /tests/lib.sh
. /tests/blackout.sh

word() {
	tr ' ' '\n' </proc/cmdline | sed -n "s/^$1=//p"
}
mode=$(word bench)
updates=$(word bench.updates)

setup_emu remaining=1000000 >&2
# Emulated RSA would take many times what the leaves are said to take.
emu_set platform crypto=0
echo "clock $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"

# tds NUMBER: alive from now on.
tds() {
	while [ "$tds" -lt "$1" ]; do
		tds=$((tds + 1))
		for cmd in "new $tds" "add $tds 1" "finalize $tds" "enter $tds"; do
			# Not by td(), which takes its time.
			echo "$cmd" >"$TD/cmd" || die "$cmd failed"
		done
	done
}

# Where a driver's code is, and the one of stop_machine() that it returns to: see plugin/clock.c.
say_code() {
	awk -v driver="$1" -v stop="$stop" '
		$4 != "[" driver "]" || $2 !~ /[tT]/ { next }
		!low || $1 < low { low = $1 }
		$1 > high { high = $1 }
		$3 == "run_blackout" { blackout = $1 }
		END { print "code", driver, low, high, blackout, stop }' /proc/kallsyms
}

# The range of a function of the kernel's own: up to the next symbol.
range_of() {
	sort /proc/kallsyms | awk -v name="$1" '
		$3 == name { from = $1; next }
		from && $1 > from { print from, $1; exit }'
}

tds=0
case $mode in
wall)
	leaf_time 20000
	compare 2 $((updates / 2)) "mode=wall"
	;;
model)
	leaf_time 20000
	stop=$(range_of multi_cpu_stop)
	# shellcheck disable=SC2034 # load_driver calls it
	after_load=say_code
	compare 2 $((updates / 2)) "mode=model"
	;;
work)
	compare 2 $((updates / 2)) "mode=work"
	;;
tds)
	leaf_time 20000
	modprobe tdx_td
	for number in 0 10 1000; do
		load_driver tdx_update
		tds $number
		compare 2 $((updates / 2)) "mode=tds tds=$number"
	done
	load_driver tdx_update
	td_ok new 2000
	i=0
	while [ $((i += 1)) -le "$updates" ]; do
		measured_update EBUSY "figures driver=tdx_update cpus=$(nproc) mode=refused"
	done
	td_ok destroy 2000
	td_ok destroy all
	;;
esac
: >"$TMP/ended"
[ -s "$TMP/failures" ] || echo "done"
