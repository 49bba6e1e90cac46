#!/bin/sh
# Mainline's own driver with KVM guests. On a CPU that is marked as having the erratum, as a kernel
# with TDX marks it, the driver offers no update. On a CPU that is not marked it updates, and every
# guest ends with a failed VM entry.
. /tests/lib.sh
. /tests/kvm.sh
. /tests/mainline.sh
guests_begin
setup_firmware setup_emu

modprobe mainline_tdx mark_erratum=1 || die "mainline_tdx does not load"
expect "devices of the driver" yes "$([ -d "$HOST" ] && echo yes)"
expect "interface with the erratum" "" "$(ls -d "$HOST/num_remaining_updates" "$NODE" 2>/dev/null)"
expect_guests "beside a driver that offers no update"
rmmod mainline_tdx

modprobe mainline_tdx || die "mainline_tdx does not load"
upload test/a.blob
expect "error of the upload" "" "$ERROR"
expect "TDX modules installed" 1 "$(emu_get state installs)"
broken() {
	guests_ask show
	[ "$(grep -c ' end=fail-entry-' "$TMP/guests")" = $((CPUS * PER_CPU)) ]
}
wait_for 20 broken || fail "not every guest has failed: $(cat "$TMP/guests")"
rmmod mainline_tdx
