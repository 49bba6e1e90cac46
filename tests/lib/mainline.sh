# shellcheck shell=dash
# Helpers of cases that use mainline's interface; the module offers it where the kernel does not.
# Sourced after lib.sh.

NODE=/sys/class/firmware/tdx_module
# shellcheck disable=SC2034 # for those who source this
HOST=/sys/devices/faux/tdx_host
UPLOADS=/lib/firmware

has_own_driver() {
	grep -Eq '^CONFIG_TDX_HOST_SERVICES=[my]' /boot/config
}

# The firmware loader provides the node. Without FW_UPLOAD there is only the device.
has_node() {
	! has_own_driver && grep -qx CONFIG_FW_UPLOAD=y /boot/config
}

need_node() {
	! has_own_driver || skip "this kernel has a driver of its own"
	has_node || skip "this kernel has no CONFIG_FW_UPLOAD"
}

# What `error` reports for a bad image: before 6.8 the loader had no firmware-invalid.
# shellcheck disable=SC2034 # for those who source this
case $(uname -r) in
6.[1-7].*) INVALID=hw-error ;;
*) INVALID=firmware-invalid ;;
esac

# upload FILE: upload a file, relative to /lib/firmware, by a client written from mainline's
# documentation. Sets ERROR to its error message, '' on success.
upload() {
	sh /tests/mainline-client.sh "$UPLOADS/$1" >"$TMP/upload.out" 2>"$TMP/upload.err" || true
	ERROR=$(cat "$TMP/upload.err")
}

# expect_upload FILE ERROR RESULT: upload it, and expect this end.
expect_upload() {
	upload "$1"
	expect "error of upload $1" "$2" "$ERROR"
	expect "last/result of upload $1" "$3" "$(tdx last/result)"
	expect "last/image of upload $1" "$NODE" "$(tdx last/image)"
}

# begin_upload FILE: start an upload without waiting for its end.
begin_upload() {
	echo 1 >$NODE/loading
	cat "$UPLOADS/$1" >$NODE/data
	echo 0 >$NODE/loading
}

idle() {
	[ "$(cat $NODE/status)" = idle ]
}

# setup_beside [KEY=VALUE...]: load the emulator with these settings, and mainline's own driver: as
# built for this kernel, or the kernel's own where that has brought TDX up. The latter is loaded for
# good, because its firmware node holds it. The driver refuses CPUs on which P-SEAMLDR calls clear
# the VMCS pointer, hence erratum=0.
setup_beside() {
	modinfo "$MAINLINE" >/dev/null 2>&1 || skip "mainline's own driver is not built for this kernel"
	setup_emu erratum=0 "$@"
	modprobe "$MAINLINE" || die "$MAINLINE does not load"
	! emu_is_built_in || renew_core
}

# renew_core: have the kernel's own TDX core see the first TDX module again. It keeps what it knows
# from case to case, and learns of no reset and of no update by tdx_update.
renew_core() {
	upload test/same.blob
	expect "error of mainline's update to the first TDX module" '' "$ERROR"
	emu_set reset 1
}

MAINLINE=mainline_tdx
! emu_is_built_in || MAINLINE=tdx_host
