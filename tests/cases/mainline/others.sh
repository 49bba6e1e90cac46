#!/bin/sh
# Events during an upload: there is only one attempt at a time, by name or upload; cancel ends the
# upload while nothing has been changed; unloading the module waits for its end.
# SMP: 2 4
# SMOKE: yes
# NEEDS: CONFIG_FW_UPLOAD !CONFIG_TDX_HOST_SERVICES
. /tests/lib.sh
. /tests/mainline.sh
need_node
setup
td_build 1

# begin_held_upload FILE: begin an upload that stops after the image was verified, until release.
begin_held_upload() {
	hold SEAMLDR.INFO
	begin_upload "$1"
	wait_for 60 held || die "the upload does not begin"
}

# A second attempt does not change last/, which is about the one that runs.
begin_held_upload test/v2.blob
update test/a.blob
expect "errno of an update while an upload runs" EALREADY "$ERRNO"
release
wait_for 60 idle || die "the upload does not end"
expect last/result success "$(tdx last/result)"
expect last/image "$NODE" "$(tdx last/image)"
expect updates 1 "$(emu_get state updates)"

hold SEAMLDR.INFO
update test/b.blob &
writer=$!
wait_for 60 held || die "the update does not begin"
upload test/a.blob
expect "error of an upload while an update runs" transferring:hw-error "$ERROR"
release
wait "$writer"
expect last/result success "$(tdx last/result)"
expect last/image test/b.blob "$(tdx last/image)"
expect updates 2 "$(emu_get state updates)"

begin_held_upload test/a.blob
expect_ok sh -c "echo 1 >$NODE/cancel"
release
wait_for 60 idle || die "the upload does not end"
expect "error after cancel" transferring:user-abort "$(cat "$NODE/error")"
expect last/result interrupted "$(tdx last/result)"
expect shutdowns 2 "$(counter TDH.SYS.SHUTDOWN)"
expect_upload test/a.blob '' success

# Unloading waits for the upload, which is either cancelled or done.
no_more_uploads() {
	[ ! -e "$NODE/loading" ]
}
emu_set reset 1
mark_dmesg
begin_held_upload test/a.blob
rmmod tdx_update &
rmmod=$!
# A call is held for 60 s at most. Wait for less, so that the file goes while the upload runs.
wait_for 30 no_more_uploads || fail "rmmod does not begin"
kill -0 $rmmod || fail "rmmod does not wait"
release
wait $rmmod || fail "rmmod fails"
[ ! -e "$NODE" ] || fail "$NODE is there after rmmod"
lines=$(dmesg_since_mark | grep "tdx_update: $NODE: ")
expect "lines when rmmod has returned" 1 "$(echo "$lines" | grep -c .)"
note "$lines"
load
case $lines in
*": interrupted (EINTR): "*) expect shutdowns 0 "$(counter TDH.SYS.SHUTDOWN)" ;;
*": 1.5.24 -> 1.5.25, TDs live; "*) expect shutdowns 1 "$(counter TDH.SYS.SHUTDOWN)" ;;
*) fail "another end: $lines" ;;
esac

# Uploads that begin while the module goes.
came() {
	[ "$(tdx last/result)" != none ]
}
emu_set reset 1
for round in 1 2 3 4 5; do
	sh -c "while echo 1 >$NODE/loading && cat /lib/firmware/test/good-1-page.blob >$NODE/data &&
		echo 0 >$NODE/loading; do :; done" 2>/dev/null &
	writer=$!
	wait_for 30 came || fail "no upload comes in round $round"
	expect_ok rmmod tdx_update
	wait "$writer"
	load
done
td_build 2
expect_tds_alive 2
