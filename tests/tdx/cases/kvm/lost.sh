#!/bin/sh
# The TDX module is lost while KVM runs TDs. KVM gives up a TD that is entered, for good, and warns;
# it leaves the pages of a TD that it can no longer tear down. The host goes on, and in the next
# boot of the firmware KVM builds TDs again.
# SMP: 1
. /tests/lib.sh
. /tests/vmm.sh

setup_kvm
load
vmm_build 1 2
vmm_ok 1 'ran [1-9]' run 2
emu_set inject "SEAMLDR.INSTALL any $(nproc) 0x8000000000020001 1 1"
quiet_begins
expect_update test/a.blob ENOTRECOVERABLE lost
vmm_do 1 run 1
note "a TD that is entered: $ANSWER"
expect_match "a TD that is entered" '^error ' "$ANSWER"
vmm_do 1 run 1
note "entered again: $ANSWER"
expect_match "entered again" '^error ' "$ANSWER"
vmm_do 1 close
note "torn down: $ANSWER"
vmm_end 1
quiet_ends '\[kvm_intel\]'
# KVM has given up what it has allocated for that TD: it does not count as left over.
rmmod kvm_intel
leaks >/tmp/leaks
unload

setup_kvm
load
vmm_build 2 2
vmm_ok 2 'ran [1-9]' run 2
vmm_stop 2
