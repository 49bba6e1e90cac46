#!/bin/sh
# The module loads and unloads fifty times. Each unload removes /sys/firmware/tdx and flushes the
# caches.
. /tests/lib.sh
setup_emu
mark_dmesg
TRACE=/sys/kernel/tracing
# If the kernel has kprobes, count the flushes themselves too.
if [ -e $TRACE/kprobe_events ]; then
	store_text $TRACE/kprobe_events 'p:flush wbinvd_on_all_cpus'
	store_text $TRACE/events/kprobes/flush/enable 1
fi

for i in $(seq 50); do
	modprobe tdx_update || die "load $i failed"
	expect "state after load $i" ready "$(tdx state)"
	rmmod tdx_update || die "unload $i failed"
	[ ! -e "$TDX" ] || fail "$TDX is there after unload $i"
done

expect "flushes in the log" 50 \
	"$(dmesg_since_mark | grep -c 'tdx_update: flushed the caches of all CPUs before unloading')"
if [ -e $TRACE/kprobe_events ]; then
	expect "flushes" 50 "$(grep -c ' flush: ' $TRACE/trace)"
	store_text $TRACE/events/kprobes/flush/enable 0
	store_text $TRACE/kprobe_events ''
	store_text $TRACE/trace ''
fi
