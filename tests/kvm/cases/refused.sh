#!/bin/sh
# Guests on every CPU go on after a refused race, refused images, and reads that call P-SEAMLDR.
. /tests/lib.sh
. /tests/kvm.sh
setup_kvm

td_ok new 1
expect_update test/a.blob EBUSY update-race
expect_guests "after a refused race"
td_ok destroy 1

expect_refused test/bad-signer.blob EKEYREJECTED bad-signature
expect_check test/a.blob 0 success
expect_guests "after refused images"

before=$(vmcs_lost)
for i in $(seq "$READS"); do
	taskset $((1 << i % CPUS)) cat "$TDX/num_remaining_updates" >/dev/null
done
expect_ge "reads that met a current VMCS" $((READS / 2)) $(($(vmcs_lost) - before))
expect_guests "after reads"

expect_update test/a.blob 0 success
expect_guests "after an update"
guests_stop
