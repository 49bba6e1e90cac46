#!/bin/sh
# Images anywhere on disk can be installed, and no copy is left behind, even after a signal or a
# kill.
# SANITIZERS: no
# KERNEL: any
. /tests/lib.sh
. /tests/tool.sh
PARAMETER=/sys/module/firmware_class/parameters/path
setup
mkdir -p /run /tmp/images
cp /lib/firmware/test/v2.blob "/tmp/images/a name with blanks.blob"
cp /lib/firmware/test/a.blob /tmp/images/a.blob

expect_tool 0 apply "/tmp/images/a name with blanks.blob" --recovery none
expect version 1.5.26 "$(tdx version)"
expect_match last/image '^tdx-update\.[^/]*/1-a name with blanks\.blob$' "$(tdx last/image)"
expect last/file "/tmp/images/a name with blanks.blob" "$(tdx last/file)"
expect_nothing_left "an update"
(cd /tmp/images && expect_tool 0 apply a.blob --recovery none --allow-downgrade)
expect last/file /tmp/images/a.blob "$(tdx last/file)"
expect version 1.5.25 "$(tdx version)"
ln -s /lib/firmware/test/v2.blob /tmp/images/link.blob
expect_tool 0 apply /tmp/images/link.blob --recovery none
expect last/image test/v2.blob "$(tdx last/image)"
expect last/file /tmp/images/link.blob "$(tdx last/file)"

# The loader would find another file of that name first.
mkdir -p /lib/firmware/updates/test
cp /lib/firmware/test/bad-hash.blob /lib/firmware/updates/test/b.blob
expect_tool 0 apply /lib/firmware/test/b.blob --recovery none
expect version 1.5.27 "$(tdx version)"
rm -r /lib/firmware/updates

# signalled SIGNAL: send it to an update of an image elsewhere while the module reads and verifies
# the image. If it is late, the update succeeds: try again until one is in time.
signalled() {
	local i=0

	while [ $((i += 1)) -le 30 ]; do
		emu_set reset 1
		before=$(tdx version)
		tdx-update apply /tmp/images/pages-496.blob --recovery /lib/firmware/test/v2.blob \
			>"$TMP/tool.out" 2>"$TMP/tool.err" &
		pid=$!
		wait_for 10 under_way
		kill -"$1" $pid 2>/dev/null
		wait $pid
		STATUS=$?
		wait_for 60 idle || fail "signal $1: the update does not end"
		wait_for 10 nothing_left || expect_nothing_left "signal $1"
		[ "$(tdx version)" != "$before" ] || break
	done
	note "signal $1 in attempt $i"
	expect "version after signal $1" "$before" "$(tdx version)"
	expect "state after signal $1" ready "$(tdx state)"
	expect "recovery_image after signal $1" '' "$(tdx recovery_image)"
}

# Return whether the update has begun, or ended already.
under_way() {
	updating || ! kill -0 "$pid" 2>/dev/null
}

idle() {
	! updating
}

# Not INT: a shell's background jobs ignore it, and so does the command.
cp /lib/firmware/test/pages-496.blob /tmp/images/
for signal in TERM HUP KILL; do
	signalled $signal
	case $signal in
	KILL) expect "exit status after KILL" 137 "$STATUS" ;;
	*) expect_match "what it says after $signal" 'nothing has changed' "$(cat "$TMP/tool.err")" ;;
	esac
done

race() {
	[ "$(tdx last/result)" = update-race ]
}

# A signal while the command waits for a race to end.
td_ok new 1
tdx-update apply /tmp/images/a.blob --recovery none --wait 60 >/dev/null 2>&1 &
pid=$!
wait_for 60 race || fail "there is no race"
kill -TERM $pid
wait $pid
expect "exit status after TERM in a race" 143 $?
expect_nothing_left "TERM in a race"
td destroy all

# If /lib/firmware cannot be written, the loader's path parameter is used and set back.
mount --bind /lib/firmware /lib/firmware
mount -o remount,bind,ro /lib/firmware
expect_tool 0 apply /tmp/images/a.blob --recovery none
expect version 1.5.25 "$(tdx version)"
expect_match last/image '^1-a\.blob$' "$(tdx last/image)"
expect_nothing_left "an update by way of the parameter"
printf %s /tmp/elsewhere >$PARAMETER
expect_tool 0 apply "/tmp/images/a name with blanks.blob" --recovery none
expect "parameter afterwards" /tmp/elsewhere "$(cat $PARAMETER)"
printf '\0' >$PARAMETER
signalled KILL

# Both processes are killed: the next run cleans up.
killed() {
	hold SEAMLDR.INFO
	tdx-update apply /tmp/images/a.blob --recovery none >/dev/null 2>&1 &
	wait_for 60 held || fail "the update does not begin"
	killall -KILL tdx-update
	release
	wait $!
	wait_for 60 idle || fail "the update does not end"
	expect_ge "directories left" 1 "$(find "$1" -maxdepth 1 -name 'tdx-update.*' | wc -l)"
}
killed /run
expect_match "parameter left" '^/run/tdx-update\.' "$(cat $PARAMETER)"
expect_tool 0 check /tmp/images/a.blob
expect_nothing_left "a run after a kill of all, by way of the parameter"
umount /lib/firmware
killed /lib/firmware
expect_tool 0 check /tmp/images/a.blob
expect_nothing_left "a run after a kill of all"
rm -r /tmp/images
