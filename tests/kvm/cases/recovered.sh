#!/bin/sh
# Guests on every CPU go on after failures that tdx_update repairs, and after one that it cannot.
. /tests/lib.sh
. /tests/kvm.sh
setup_kvm

# No entropy at the closing call: another session follows, so each CPU loses its VMCS twice.
before=$(vmcs_lost)
emu_set inject "SEAMLDR.INSTALL any $CPUS 0x8000000000030001 0"
expect_update test/a.blob 0 success
expect "sessions" 2 "$(tdx last/sessions)"
expect_ge "calls that met a current VMCS" $((2 * CPUS)) $(($(vmcs_lost) - before))
expect_guests "after two sessions"

# A CPU whose call does not count calls again.
emu_set inject "SEAMLDR.INSTALL 0 1 0x8000000000010003 0"
expect_update test/b.blob 0 success
expect_guests "after a call that did not count"

# The new TDX module does not come up. The recovery image's does.
store "$TDX/recovery_image" test/same.blob
expect "errno of setting the recovery image" 0 "$ERRNO"
emu_set inject "TDH.SYS.UPDATE any 1 0xc000050900000000 0 2"
expect_update test/a.blob ECANCELED recovered
expect_guests "after a recovery"

# Cleared memory cannot be repaired. That ends TDs, but no other guest.
emu_set inject "SEAMLDR.INSTALL any $CPUS 0x8000000000020001 1 1"
expect_update test/a.blob ENOTRECOVERABLE lost
expect_guests "after a loss"
# Reset the firmware before the guests stop: without VMX operation the module cannot see that TDX is
# back.
reboot_firmware
guests_stop
