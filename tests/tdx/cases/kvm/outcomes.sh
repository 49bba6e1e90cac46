#!/bin/sh
# What KVM and four TDs that it runs make of updates that fail: after a recovered one they go on.
# After one that leaves TDX shut down, a TD that is entered stops. Once a later update has brought
# TDX back, it goes on like those that were not entered. But a TD that is entered on another CPU
# meanwhile is dead: KVM cannot flush its vCPU from the old one.
# SMP: 1 2
. /tests/lib.sh
. /tests/vmm.sh

last=$(($(nproc) - 1))
alive='1 2 3 4'

# all_run WHAT: each TD that is alive is entered and counts.
all_run() {
	for id in $alive; do
		vmm_ok "$id" 'ran [1-9]' run 8
	done
	note "$1: all run"
}

setup_kvm
load
for id in 1 2 3 4; do
	vmm_build $id $id
	vmm_pin $id 0
done
all_run "Before"
expect_ge "exits by HLT" 4 "$(cat /sys/kernel/debug/kvm/halt_exits)"
expect_ge "exits by interrupts" 4 "$(cat /sys/kernel/debug/kvm/irq_exits)"

store "$TDX/recovery_image" test/same.blob
emu_set inject "TDH.SYS.UPDATE any 1 0xc000050900000000 0 2"
expect_update test/a.blob ECANCELED recovered
all_run "After a recovered update"
vmm_build 5 2
vmm_stop 5

store "$TDX/recovery_image" ''
emu_set inject "TDH.SYS.UPDATE any 1 0xc000050900000000 0 0"
expect_update test/a.blob ESHUTDOWN shut-down
quiet_begins
vmm_do 1 run 1
expect "TD 1 while TDX is shut down" "error exit 17" "$ANSWER"
if [ $last -gt 0 ]; then
	vmm_pin 2 $last
	vmm_do 2 run 1
	expect "TD 2, moved while TDX is shut down" "error EIO KVM_RUN" "$ANSWER"
	alive='1 3 4'
fi
vmm_start 6 1
vmm_do 6 create
expect_match "a new TD while TDX is shut down" '^error ' "$ANSWER"
note "a new TD while TDX is shut down: $ANSWER"
vmm_end 6
# One of them: KVM prints the RIP, which it cannot read of a TD.
quiet_ends '\[kvm_intel\]'
emu_set inject clear
expect_update test/b.blob 0 success
all_run "After the next update"
if [ $last -gt 0 ]; then
	vmm_do 2 run 1
	expect "TD 2 after the next update" "error EIO KVM_RUN" "$ANSWER"
fi
for id in $alive; do
	vmm_ok "$id" 'verified good' verify
done
for id in 1 2 3 4; do
	vmm_stop "$id"
done
expect "TDs in the end" 0 "$(emu tds | wc -l)"
