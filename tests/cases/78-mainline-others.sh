#!/bin/sh
# An upload and what comes meanwhile: one attempt at a time, whichever way it came; cancel ends it while nothing has
# been changed; unloading the module waits for its end.
# SMP: 2 4
# SMOKE: yes
. /tests/lib.sh
. /tests/mainline.sh
need_node
setup
td_build 1

# Something has to come while the two images are read and verified, and may come late: so each is tried
# until it comes in time. until_it COMMAND...: which says so.
big=test/pages-496.blob
until_it() {
	local i=0
	while [ $((i += 1)) -le 30 ]; do
		emu_set reset 1
		store "$TDX/recovery_image" $big
		if "$@"; then
			note "$*: in attempt $i"
			return
		fi
	done
	fail "$*: never in $((i - 1)) attempts"
}

# The one that runs keeps last/.
update_meets_upload() {
	begin_upload $big
	update test/a.blob
	wait_for 60 idle || die "the upload does not end"
	[ "$ERRNO" = EALREADY ]
}
until_it update_meets_upload
expect last/result success "$(tdx last/result)"
expect last/image "$NODE" "$(tdx last/image)"
expect updates 1 "$(emu_get state updates)"

upload_meets_update() {
	update $big &
	writer=$!
	wait_for 1 updating
	upload test/a.blob
	wait "$writer"
	[ "$ERROR" = transferring:hw-error ]
}
until_it upload_meets_update
expect last/result success "$(tdx last/result)"
expect last/image $big "$(tdx last/image)"
expect updates 1 "$(emu_get state updates)"

cancelled() {
	begin_upload $big
	wait_for 1 updating
	echo 1 >"$NODE/cancel"
	wait_for 60 idle || die "the upload does not end"
	[ "$(tdx last/result)" != success ]
} 2>/dev/null
until_it cancelled
expect "error after cancel" transferring:user-abort "$(cat "$NODE/error")"
expect last/result interrupted "$(tdx last/result)"
expect shutdowns 0 "$(counter TDH.SYS.SHUTDOWN)"
expect_upload test/a.blob '' success

# Unloading cancels it or it is done, and nothing in between; then it has ended.
unloaded_meanwhile() {
	local lines
	mark_dmesg
	begin_upload $big
	expect_ok rmmod tdx_update
	lines=$(dmesg_since_mark | grep "tdx_update: $NODE: ")
	expect "lines when rmmod has returned" 1 "$(echo "$lines" | grep -c .)"
	[ ! -e "$NODE" ] || fail "$NODE is there after rmmod"
	load
	case $lines in
	*": interrupted (EINTR): "*) expect shutdowns 0 "$(counter TDH.SYS.SHUTDOWN)" ;;
	*": 1.5.24 -> 1.5.26, TDs live; "*) return 1 ;;
	*) fail "another end: $lines" ;;
	esac
}
until_it unloaded_meanwhile

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
