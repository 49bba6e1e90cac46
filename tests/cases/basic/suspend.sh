#!/bin/sh
# A suspend ends an attempt that has changed nothing with EINTR, and waits for a blackout to end. No
# attempt starts before all CPUs are online again.
# SMP: 2 4
# NEEDS: CONFIG_SUSPEND CONFIG_ACPI_SLEEP CONFIG_RTC_DRV_CMOS CONFIG_RTC_INTF_SYSFS
. /tests/lib.sh
{ grep -qs "\[deep\]" /sys/power/mem_sleep && [ -e /sys/class/rtc/rtc0/wakealarm ]; } ||
	skip "this kernel cannot suspend to memory and wake by the clock"
setup remaining=1000000
td_build 1
mark_dmesg

alarm() {
	echo 0 >/sys/class/rtc/rtc0/wakealarm
	echo "+$1" >/sys/class/rtc/rtc0/wakealarm
}

woken() {
	[ "$(cat /sys/power/wakeup_count)" != "$count" ]
}

# A suspend that the kernel gives up while it freezes tasks, because of a wakeup event. The writer
# has got its answers from the TDX module, but cannot go on: another process of higher priority
# keeps the CPU to which both are bound. On newer kernels sync_on_suspend must be off, or the
# suspend would be given up before that, while file systems are written back.
[ ! -e /sys/power/sync_on_suspend ] || echo 0 >/sys/power/sync_on_suspend
count=$(cat /sys/power/wakeup_count)
echo "$count" >/sys/power/wakeup_count
alarm 1
wait_for 20 woken || fail "nothing to be awake for"
renice -n -20 -p $$
hold TDH.SYS.RD
taskset 1 sh -c "renice -n 19 -p \$\$; echo test/v2.blob >$TDX/update" &
writer=$!
wait_for 60 held || fail "the module is not asked"
taskset 1 sh -c 'while :; do :; done' &
other=$!
wait_for 60 on_cpu $other 0 || fail "the other does not wait for the CPU"
release
store /sys/power/state mem
expect "errno of a suspend that is given up" EBUSY "$ERRNO"
kill $other
wait $writer
renice -n 0 -p $$
# busybox's echo writes again after EINTR, hence the update.
expect_match log "first: .*interrupted \(EINTR\)" "$(dmesg_since_mark | grep tdx_update | sed '1s/^/first: /')"
expect last/result success "$(tdx last/result)"
expect updates 1 "$(emu_get state updates)"

# A suspend to memory: freezer, other CPUs offline, firmware, wakeup by the clock. Blackouts stop
# the CPUs most of the time. Neither QEMU's BIOS nor the kernel restores the address of the
# chipset's PM registers (at 0x40 of the LPC bridge), and without it the guest cannot power off. So
# the case saves and restores it.
lpc=/sys/bus/pci/devices/0000:00:1f.0/config
dd if=$lpc of="$TMP/lpc" bs=4 skip=16 count=2 2>/dev/null
write_updates() {
	until [ -e "$TMP/enough" ]; do
		update test/a.blob
		echo "$ERRNO $(tdx last/result)"
	done >"$TMP/results"
}
done_updates() {
	[ "$(emu_get state updates)" -gt "$before" ]
}
emu_set delay SEAMLDR.INSTALL=100000000
before=$(emu_get state updates)
write_updates &
writer=$!
wait_for 20 done_updates || fail "no updates before the suspend"
alarm 5
store /sys/power/state mem
expect "errno of the suspend" 0 "$ERRNO"
dd if="$TMP/lpc" of=$lpc bs=4 seek=16 count=2 2>/dev/null
before=$(($(emu_get state updates) + 1))
wait_for 20 done_updates || fail "no updates after the suspend"
: >"$TMP/enough"
wait $writer
sort "$TMP/results" | uniq -c
expect "results but success and interrupted" "" "$(grep -vxE '0 success|EINTR interrupted' "$TMP/results")"
expect "CPUs taken offline" $(($(nproc) - 1)) "$(dmesg_since_mark | grep -c 'is now offline')"
frozen=$(dmesg_since_mark | sed -n '/Freezing user space processes.*elapsed/,/Restarting tasks/p')
expect_match "the suspend" "sleep state S3" "$frozen"
expect "what attempts did meanwhile" "" "$(echo "$frozen" | grep tdx_update)"
expect "open session" 0 "$(emu_get state session)"
emu_set delay SEAMLDR.INSTALL=0
expect_update test/v2.blob 0 success
expect_tds_alive 1
