#!/bin/sh
# NMIs come during updates, also while a CPU has no current VMCS. Guests survive, no NMI is lost.
. /tests/lib.sh
. /tests/kvm.sh
setup_kvm
modprobe tdx_nmi || die "tdx_nmi does not load"

enough() {
	[ "$(nmi taken)" -ge "$1" ]
}

# Without calls of P-SEAMLDR a VMCS is current whenever an NMI comes.
echo 1 >"$NMI/run"
expect_ok wait_for 60 enough 500
echo 0 >"$NMI/run"
expect_ge "NMIs in VMX operation" 500 "$(nmi in_vmx)"
expect "NMIs without a current VMCS, without updates" 0 "$(nmi no_vmcs)"
expect_guests "after NMIs"

# Send NMIs only during updates, because guests make little progress between two NMIs.
count=0
while [ $count -lt "$UPDATES" ] || ! enough "$NMIS" || [ "$(nmi no_vmcs)" = 0 ]; do
	[ $((count += 1)) -le 200 ] || die "200 updates, and no NMI came in the window"
	echo 1 >"$NMI/run"
	expect_update test/a.blob 0 success
	store "$NMI/run" 0
	expect "errno of the end of the NMIs" 0 "$ERRNO"
	expect_guests "after update $count under NMIs"
done
for key in sent taken in_vmx irqs_off no_vmcs; do
	note "NMIs $key: $(nmi $key)"
done
expect "NMIs taken" "$(nmi sent)" "$(nmi taken)"
expect_ge "NMIs without a current VMCS" 1 "$(nmi no_vmcs)"
expect_guests "after NMIs and updates"
guests_stop
expect_ok rmmod tdx_nmi
