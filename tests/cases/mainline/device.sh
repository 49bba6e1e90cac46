#!/bin/sh
# tdx_update makes mainline's files with its modes and formats, and the node if the kernel can have
# one. They go when the module goes, a parameter turns them off, and a kernel with a driver of its
# own keeps its own.
# SMOKE: yes
. /tests/lib.sh
. /tests/mainline.sh

expect_none() {
	[ ! -e "$HOST" ] || fail "$HOST is there $1"
	[ ! -e "$NODE" ] || fail "$NODE is there $1"
}

setup_emu version=1.5.08 remaining=7 seamldr=1.5.12
expect_none "before the module"
modprobe tdx_update "signer=$(cat "$SIGNER")" mainline_interface=0 || die "tdx_update does not load"
expect_none "with mainline_interface=0"
expect parameter N "$(cat /sys/module/tdx_update/parameters/mainline_interface)"
rmmod tdx_update
load
expect parameter Y "$(cat /sys/module/tdx_update/parameters/mainline_interface)"
expect "mode of the parameter" 444 "$(stat -c %a /sys/module/tdx_update/parameters/mainline_interface)"

if has_own_driver; then
	expect_none "where the kernel has a driver of its own"
else
	# file, mode, value
	while read -r file mode value; do
		expect "mode of $file" "$mode" "$(stat -c %a "$HOST/$file")"
		expect "$file" "$value" "$(cat "$HOST/$file")"
	done <<-END
	version 444 1.5.08
	seamldr_version 400 1.5.12
	num_remaining_updates 400 7
	END
	emu_set vmx all=0
	for file in version seamldr_version num_remaining_updates; do
		with_errno cat "$HOST/$file"
		expect "errno of $file without VMX operation" ENXIO "$ERRNO"
	done
	emu_set vmx all=1
fi
if has_node; then
	expect "place of the node" "$HOST/firmware/tdx_module" "$(readlink -f "$NODE")"
	while read -r file mode value; do
		expect "mode of $file" "$mode" "$(stat -c %a "$NODE/$file")"
		[ "$value" = - ] || expect "$file" "$value" "$(cat "$NODE/$file")"
	done <<-END
	loading 644 0
	data 644 -
	status 444 idle
	error 444
	remaining_size 444 0
	cancel 200 -
	END
	# Writing data needs CAP_SYS_RAWIO, even through a descriptor that root has opened.
	echo 1 >"$NODE/loading"
	with_errno unprivileged 'cat /lib/firmware/test/signer >&3' 3>"$NODE/data"
	expect "errno of writing data unprivileged" EPERM "$ERRNO"
	echo -1 >"$NODE/loading"
	expect last/result none "$(tdx last/result)"
else
	[ ! -e "$NODE" ] || fail "$NODE is there"
fi
rmmod tdx_update
expect_none "after the module"
load
