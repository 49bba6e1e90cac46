#!/bin/sh
# tdx_update loads before or after mainline's own driver and leaves that driver's interface alone.
# If it comes second, it logs this once. Either of them unloads while the other stays.
# NEEDS: KERNEL=7.3
. /tests/lib.sh
. /tests/mainline.sh

# load_ours WORD...: load tdx_update with these parameters beside mainline's driver.
load_ours() {
	mark_dmesg
	modprobe tdx_update "signer=$(cat "$SIGNER")" "$@" || die "tdx_update does not load with '$*'"
	expect "lines about another driver with '$*'" 1 \
		"$(dmesg_since_mark | grep -c 'an update driver of its own')"
	expect_no_match "kernel log with '$*'" 'duplicate|Call Trace|failed' "$(dmesg_since_mark)"
}

# expect_interface WHEN: expect mainline's files to be there with their values.
expect_interface() {
	expect "mainline's version $1" 1.5.24 "$(cat "$HOST/version")"
	expect "mainline's updates left $1" 20 "$(cat "$HOST/num_remaining_updates")"
	expect "mainline's node $1" "$HOST/firmware/tdx_module" "$(readlink -f "$NODE")"
	[ ! -d /sys/module/tdx_update ] || expect "our version $1" 1.5.24 "$(tdx version)"
}

setup_beside
for words in '' mainline_interface=0; do
	# shellcheck disable=SC2086 # no word, or one
	load_ours $words
	expect_interface "beside ours, loaded second with '$words'"
	rmmod tdx_update
	expect_interface "after ours, loaded second with '$words'"
done

load_ours
rmmod mainline_tdx
[ ! -e "$HOST" ] || fail "$HOST is there without mainline's driver"
expect "our version after mainline's driver" 1.5.24 "$(tdx version)"
expect_update test/v2.blob 0 success
rmmod tdx_update

emu_set reset 1
modprobe tdx_update "signer=$(cat "$SIGNER")" mainline_interface=0
[ ! -e "$HOST" ] || fail "$HOST is there with mainline_interface=0"
expect_ok modprobe mainline_tdx
expect_interface "beside ours, loaded first"
rmmod tdx_update
expect_interface "after ours, loaded first"
rmmod mainline_tdx
load
expect "our version in mainline's place" 1.5.24 "$(cat "$HOST/version")"
rmmod tdx_update
[ ! -e "$HOST" ] || fail "$HOST is there after all"
