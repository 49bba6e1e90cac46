#!/bin/sh
# tdx_update comes before the kernel's own driver and leaves mainline's interface to it, whatever
# parameter mainline_interface says. Then it comes second. It logs this each time.
# SMP: 2
. /tests/lib.sh
. /tests/mainline.sh

# with_ours WORD WHEN: load tdx_update with that parameter, and say who has the interface.
with_ours() {
	mark_dmesg
	modprobe tdx_update "signer=$(cat "$SIGNER")" "$1" || die "tdx_update does not load with $1"
	expect "lines about another driver with $1 $2" 1 \
		"$(dmesg_since_mark | grep -c 'an update driver of its own')"
	expect_no_match "kernel log with $1 $2" 'duplicate|Call Trace|failed' "$(dmesg_since_mark)"
	expect "our version with $1 $2" 1.5.24 "$(tdx version)"
}

# expect_interface WHEN: the files are those of the kernel's own driver.
expect_interface() {
	expect "mainline's version $1" 1.5.24 "$(cat "$HOST/version")"
	expect "mainline's updates left $1" 20 "$(cat "$HOST/num_remaining_updates")"
	expect "mainline's node $1" "$HOST/firmware/tdx_module" "$(readlink -f "$NODE")"
}

setup_emu erratum=0
for word in mainline_interface=1 mainline_interface=0; do
	with_ours $word "before the kernel's driver"
	[ ! -e "$HOST" ] || fail "$HOST is there with $word before the kernel's driver"
	[ ! -e "$NODE" ] || fail "$NODE is there with $word before the kernel's driver"
	[ $word = mainline_interface=0 ] || rmmod tdx_update
done
modprobe "$MAINLINE" || die "$MAINLINE does not load"
expect_interface "after ours"
rmmod tdx_update
expect_interface "without ours"
for word in mainline_interface=1 mainline_interface=0; do
	with_ours $word "after the kernel's driver"
	expect_interface "before ours with $word"
	rmmod tdx_update
	expect_interface "after ours with $word is gone"
done

# Mainline's update still goes through its own node, and ours through our file.
load
upload test/v2.blob
expect "error of mainline's update" '' "$ERROR"
expect "last/result after it" none "$(tdx last/result)"
expect_update test/b.blob 0 success
