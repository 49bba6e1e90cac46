#!/bin/sh
# No other user can make the command wait. A run that waits for the loader's path parameter, which
# another run uses, gives up after a while, and a signal ends its wait.
# SANITIZERS: no
# KERNEL: any
. /tests/lib.sh
. /tests/tool.sh
PARAMETER=/sys/module/firmware_class/parameters/path
setup
mkdir -p /run /tmp/images
cp /lib/firmware/test/a.blob /lib/firmware/test/b.blob /tmp/images/

# lock_as_nobody FILE...: lock files that any user can open, as such a user.
lock_as_nobody() {
	local file
	for file; do
		unprivileged "exec 9<$file; flock -x 9; : >/tmp/locked; exec sleep 600" &
		wait_for 10 test -e /tmp/locked || fail "nobody cannot lock $file"
		rm -f /tmp/locked
		expect_fails flock -n "$file" true
	done
}
lock_as_nobody /lib/firmware /run $PARAMETER
before=$(uptime_s)
expect_tool 0 apply /tmp/images/b.blob --recovery none
expect version 1.5.27 "$(tdx version)"
mount --bind /lib/firmware /lib/firmware
mount -o remount,bind,ro /lib/firmware
expect_tool 0 apply /tmp/images/a.blob --recovery none --allow-downgrade
expect version 1.5.25 "$(tdx version)"
expect_le "seconds for both" 20 $(($(uptime_s) - before))
expect_nothing_left "updates while nobody holds locks"

race() {
	[ "$(tdx last/result)" = update-race ]
}

# One run uses the parameter until its race is over; the second one reports that.
td_ok new 1
tdx-update apply /tmp/images/b.blob --recovery none --wait 100 >/dev/null 2>&1 &
first=$!
wait_for 60 race || fail "there is no race"
unprivileged "flock -n $TDX/update true" 2>/dev/null && fail "nobody can lock $TDX/update"
unprivileged "flock -n /run/tdx-update.* true" 2>/dev/null && fail "nobody can lock the directory"
before=$(uptime_s)
expect_tool 75 check /tmp/images/a.blob
took=$(($(uptime_s) - before))
expect_match "why it gives up" "another tdx-update has used the loader's path for 20 s; try again" "$ERR"
expect_ge "seconds until it gives up" 15 $took
expect_le "seconds until it gives up" 60 $took

# An image in the loader's search path does not need the parameter.
expect_tool 0 check /lib/firmware/test/a.blob

waits() {
	# shellcheck disable=SC2009 # busybox has no pgrep -c
	[ "$(ps -o comm | grep -cx tdx-update)" = 4 ]
}
tdx-update check /tmp/images/a.blob >/dev/null 2>"$TMP/second.err" &
second=$!
wait_for 15 waits || fail "the second run does not wait"
sleep 1
before=$(uptime_s)
kill -TERM $second
wait $second
expect "exit status after TERM" 143 $?
expect_le "seconds until TERM ended it" 5 $(($(uptime_s) - before))
expect_match "what it says" 'ended by signal 15; nothing has changed' "$(cat "$TMP/second.err")"

td_ok destroy 1
wait $first
expect "exit status of the first run" 0 $?
expect version 1.5.27 "$(tdx version)"
expect_nothing_left "runs that wait for each other"
umount /lib/firmware
rm -r /tmp/images
