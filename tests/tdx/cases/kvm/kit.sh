#!/bin/sh
# The hardware test has a real KVM build its TD: the race is refused, the measurement is what the
# kit computes, and the TD counts on through updates.
# SMP: 2
. /tests/lib.sh
. /tests/vmm.sh
. /tests/hwtest.sh

# No stand-in. The emulator acts out what the TD's code does.
export TDX_HWTEST_TD=/sbin/tdx-update-hwtest-td
setup_kvm guest_mrtd=0x500 guest_count=0x504
load
some_images same v2

hwtest 0 race --yes --images "$IMAGES" --no-report
expect_as_before
expect "TDs after the race" 0 "$(emu tds | wc -l)"
hwtest 0 update --yes --images "$IMAGES" --updates 1
expect_as_before
expect version 1.5.26 "$(tdx version)"
expect contradicted '' "$(facts contradicted)"
for fact in race-status race-refused race-measurement update-runs; do
	expect "fact $fact" seen "$(reported ".facts[] | select(.id == \"$fact\") | .verdict")"
done
expect "TDs in the end" 0 "$(emu tds | wc -l)"

note "The control: firmware that does not refuse"
# shellcheck disable=SC2034 # for hwtest
HWTEST_DIR=$TMP/liar
emu_set platform lie=race
hwtest 1 race --yes --images "$IMAGES"
expect contradicted 'race-refused race-measurement' "$(facts contradicted)"
expect_as_before
