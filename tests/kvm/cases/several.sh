#!/bin/sh
# Several guests take turns on each CPU. Each of them goes on through updates, whichever VMCS was
# current.
. /tests/lib.sh
. /tests/kvm.sh
# shellcheck disable=SC2034 # for kvm.sh
PER_CPU=3
setup_kvm

for i in $(seq "$UPDATES"); do
	before=$(vmcs_lost)
	expect_update test/a.blob 0 success
	expect_ge "calls that met a current VMCS" "$CPUS" $(($(vmcs_lost) - before))
	expect_guests "after update $i"
done
expect "calls that left the VMCS in place" 0 "$(emu_get state vmcs_kept)"
guests_stop
