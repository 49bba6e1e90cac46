#!/bin/sh
# Images anywhere on disk can be installed, and nothing of it is left behind: not after a signal, not after a kill.
. /tests/lib.sh
. /tests/tool.sh
PARAMETER=/sys/module/firmware_class/parameters/path
setup
mkdir -p /run /tmp/images
cp /lib/firmware/test/v2.blob "/tmp/images/a name with blanks.blob"
cp /lib/firmware/test/a.blob /tmp/images/a.blob

expect_tool 0 apply "/tmp/images/a name with blanks.blob"
expect version 1.5.26 "$(tdx version)"
expect_match last/image '^tdx-update\.[^/]*/1-a name with blanks\.blob$' "$(tdx last/image)"
expect_nothing_left "an update"
(cd /tmp/images && expect_tool 0 apply a.blob)
expect version 1.5.25 "$(tdx version)"
ln -s /lib/firmware/test/v2.blob /tmp/images/link.blob
expect_tool 0 apply /tmp/images/link.blob
expect last/image test/v2.blob "$(tdx last/image)"

# Another file of that name that the loader would find first.
mkdir -p /lib/firmware/updates/test
cp /lib/firmware/test/bad-hash.blob /lib/firmware/updates/test/b.blob
expect_tool 0 apply /lib/firmware/test/b.blob
expect version 1.5.27 "$(tdx version)"
rm -r /lib/firmware/updates

# asleep SIGNAL: an update of an image elsewhere, in its check, gets that signal.
asleep() {
	emu_set delay SEAMLDR.INFO=1000000000
	tdx-update apply /tmp/images/a.blob --recovery /lib/firmware/test/v2.blob \
		>"$TMP/tool.out" 2>"$TMP/tool.err" &
	pid=$!
	wait_for 5 updating || fail "the update does not begin"
	kill -"$1" $pid
	wait $pid
	STATUS=$?
	wait_for 10 nothing_left || expect_nothing_left "signal $1"
	emu_set delay SEAMLDR.INFO=0
	expect "state after signal $1" ready "$(tdx state)"
	expect "recovery_image after signal $1" '' "$(tdx recovery_image)"
}

# A shell's background jobs ignore INT, and so does the command then.
for signal in TERM HUP KILL; do
	before=$(tdx version)
	asleep $signal
	case $signal in
	KILL) expect "exit status after KILL" 137 "$STATUS" ;;
	*) expect_match "what it says after $signal" 'nothing has changed' "$(cat "$TMP/tool.err")" ;;
	esac
	expect "version after $signal" "$before" "$(tdx version)"
done

race() {
	[ "$(tdx last/result)" = update-race ]
}

# In the wait for a race, too.
td_ok new 1
tdx-update apply /tmp/images/a.blob --wait 60 >/dev/null 2>&1 &
pid=$!
wait_for 5 race || fail "there is no race"
kill -TERM $pid
wait $pid
expect "exit status after TERM in a race" 143 $?
expect_nothing_left "TERM in a race"
td destroy all

# Where /lib/firmware cannot be written the loader's path parameter serves, and is set back.
mount --bind /lib/firmware /lib/firmware
mount -o remount,bind,ro /lib/firmware
expect_tool 0 apply /tmp/images/a.blob
expect version 1.5.25 "$(tdx version)"
expect_match last/image '^1-a\.blob$' "$(tdx last/image)"
expect_nothing_left "an update by way of the parameter"
printf %s /tmp/elsewhere >$PARAMETER
expect_tool 0 apply "/tmp/images/a name with blanks.blob"
expect "parameter afterwards" /tmp/elsewhere "$(cat $PARAMETER)"
printf '\0' >$PARAMETER
asleep KILL

# Both processes killed: the next run tidies up.
killed() {
	emu_set delay SEAMLDR.INFO=1000000000
	tdx-update apply /tmp/images/a.blob >/dev/null 2>&1 &
	wait_for 5 updating || fail "the update does not begin"
	killall -KILL tdx-update
	wait $!
	wait_for 5 idle || fail "the update does not end"
	emu_set delay SEAMLDR.INFO=0
	expect_ge "directories left" 1 "$(find "$1" -maxdepth 1 -name 'tdx-update.*' | wc -l)"
}
idle() {
	! updating
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
