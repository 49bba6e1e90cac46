# shellcheck shell=dash
# Helpers shared by update tests; lib.sh sources this in the guest. The functions are named after
# the promises of docs/design.md, so that a case reads as what must hold.

# expect_update IMAGE ERRNO RESULT: update to it, and expect this end. ERRNO 0: success.
expect_update() {
	update "$1"
	expect "errno of update $1" "$2" "$ERRNO"
	expect "last/result of update $1" "$3" "$(tdx last/result)"
}

# expect_check IMAGE ERRNO RESULT: check it, and expect this end.
expect_check() {
	check "$1"
	expect "errno of check $1" "$2" "$ERRNO"
	expect "last_check/result of $1" "$3" "$(tdx last_check/result)"
	expect "last_check/phase of $1" check "$(tdx last_check/phase)"
}

# expect_refused IMAGE ERRNO RESULT: expect this end of a check and of an update, and no shutdown.
expect_refused() {
	local before
	before=$(counter TDH.SYS.SHUTDOWN)
	expect_check "$@"
	expect_update "$@"
	expect "shutdowns for $1" "$before" "$(counter TDH.SYS.SHUTDOWN)"
}

# reboot_firmware: reset the firmware as a reboot does. Reading the state makes the module see it.
reboot_firmware() {
	emu_set reset 1
	expect "state after a reset" ready "$(tdx state)"
}

# setup_again: reset the firmware and load the module anew, as after a reboot.
setup_again() {
	reboot_firmware
	rmmod tdx_update || die "tdx_update does not unload"
	load
}

updating() {
	[ "$(tdx state)" = updating ]
}

# hold LEAF: the next call of LEAF does not return until release. So what has to happen meanwhile
# does happen, however slow the machine is. An update calls SEAMLDR.INFO once it has read and
# verified the image.
hold() {
	HELD=$1
	HELD_BEFORE=$(counter "$1")
	emu_set hold "$1=1"
}

# Return whether a call is held.
held() {
	[ "$(counter "$HELD")" -gt "$HELD_BEFORE" ]
}

release() {
	emu_set hold "$HELD=0"
}

# Print RCX of the last TDH.SYS.SHUTDOWN.
shutdown_rcx() {
	emu log | awk '$3 == "TDH.SYS.SHUTDOWN" { rcx = $4 } END { print rcx }'
}

# td_build ID: build a TD, enter it, and expect the right measurement.
td_build() {
	td_ok new "$1"
	td_ok add "$1" 2
	td_ok finalize "$1"
	td_ok enter "$1"
	expect "verdict on the measurement of TD $1" good "$(td_get "$1" verdict)"
}

# expect_tds_alive ID...: expect that the TDs can be entered and their measurements are unchanged.
expect_tds_alive() {
	local id
	for id; do
		td_ok enter "$id"
		expect "state of TD $id" runnable "$(td_get "$id" state)"
		expect "verdict on the measurement of TD $id" good "$(td_get "$id" verdict)"
	done
}

# bytes_at FILE OFFSET COUNT: print these bytes, decimal.
bytes_at() {
	# shellcheck disable=SC2046,SC2005 # without od's padding
	echo $(od -An -v -tu1 -j "$2" -N "$3" "$1")
}

byte_at() {
	bytes_at "$1" "$2" 1
}

# put_bytes FILE OFFSET VALUE...: write these bytes there.
put_bytes() {
	local file=$1 offset=$2 bytes='' value

	shift 2
	for value; do
		bytes=$bytes\\$((value >> 6))$((value >> 3 & 7))$((value & 7))
	done
	# shellcheck disable=SC2059 # the format is the bytes
	printf "$bytes" | dd of="$file" bs=1 seek="$offset" conv=notrunc 2>/dev/null
}

# flip IMAGE OFFSET OUT: make a copy with one bit of that byte changed and the checksum as it was.
flip() {
	cp "$1" "$3"
	put_bytes "$3" "$2" $(($(byte_at "$1" "$2") ^ 1))
}

# set_byte IMAGE OFFSET VALUE OUT: make a copy with that byte set and the checksum corrected.
set_byte() {
	local old sum

	old=$(byte_at "$1" "$2")
	[ "$old" != "$3" ] || die "byte $2 of $1 is $3 already"
	sum=$(bytes_at "$1" 2 2)
	sum=$((${sum% *} + (${sum#* } << 8) - (($3 - old) << ($2 % 2 * 8)) & 0xffff))
	cp "$1" "$4"
	put_bytes "$4" "$2" "$3"
	put_bytes "$4" 2 $((sum & 0xff)) $((sum >> 8))
}

# update_until_restart FILE: update again and again until an update fails, as it does when the host
# goes down. The console shows how it failed.
update_until_restart() {
	while :; do
		update "$1"
		[ "$ERRNO" = 0 ] || break
	done
	echo "test: an update while the host goes down: $ERRNO, $(tdx last/result)" >/dev/kmsg
}
