#!/bin/sh
# tdx-update-hwtest sees what its facts about the current VMCS say, on CPUs that run a KVM guest
# each, and the guests go on: it may be run on a host with guests.
. /tests/lib.sh
. /tests/kvm.sh
. /tests/hwtest.sh
setup_kvm
some_images same

before=$(vmcs_lost)
hwtest 0 look --yes --no-report
expect_guests "after look"
hwtest 0 check --yes --images "$IMAGES" --reads "$READS" --no-report
expect_guests "after check"
expect_as_before
# Each look tests each CPU, and most reads meet a VMCS, too.
expect_ge "calls that met a current VMCS" $((4 * CPUS)) $(($(vmcs_lost) - before))

# One jq, as it takes its time here.
jq -L /tests/hwtest/lib -R -r -n 'include "report"; [inputs] | report("") |
	(.facts | map(select(.id | test("^(vmcs|reads)")) | "\(.id) \(.verdict)")[]),
	"contradicted: \(.facts | map(select(.verdict == "contradicted") | .id) | join(" "))",
	(.steps[] | select(.kind == "reads") | "\(.count) reads, \(.failed) failed, \(.vms) guests"),
	"guests at the look: \(.look.host.vms)",
	"CPUs with a current VMCS: \([.look.raw.cpus[] | select(.before == "vmcs")] | length)",
	"remarks: \(.remarks | join(", "))"' "$HWTEST_DIR/evidence.jsonl" >"$TMP/seen"
# The emulated platform has the CPU of the images, Bochs another one: that is called out.
expect "what the report says" "vmcs-bit-60 seen
vmcs-restored seen
reads seen
contradicted: seaminfo-cpuid
$READS reads, 0 failed, $CPUS guests
guests at the look: $CPUS
CPUs with a current VMCS: $CPUS
remarks: " "$(cat "$TMP/seen")"
guests_stop
