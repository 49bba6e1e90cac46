#!/bin/sh
# KVM builds TDs on the emulator with the leaves and the order that hardware wants, and their
# measurements are what their VMM computes. They outlive updates by tdx_update and by mainline.
# SMP: 1 2
. /tests/lib.sh
. /tests/mainline.sh
. /tests/vmm.sh

setup_kvm
mark_dmesg
vmm_build 1 3
vmm_build 2 5
expect TDs 2 "$(emu tds | wc -l)"
expect "TDs that can run" 2 "$(emu tds | grep -c state=runnable)"
vmm_ok 1 'ran [1-9]' run 2

load
expect_update test/a.blob 0 success
vmm_ok 1 'verified good' verify
vmm_ok 2 'verified good' verify
vmm_ok 1 'ran [1-9]' run 1

modprobe tdx_host
upload test/v2.blob
expect "error of mainline's update" '' "$ERROR"
vmm_ok 1 'verified good' verify
vmm_ok 2 'ran [1-9]' run 3
vmm_build 3 1

note "Nothing is left of a TD that its VMM has closed"
for id in 1 2 3; do
	vmm_stop $id
done
expect "TDs in the end" 0 "$(emu tds | wc -l)"
for leaf in TDH.MEM.PAGE.REMOVE TDH.PHYMEM.PAGE.RECLAIM TDH.MNG.KEY.FREEID; do
	expect_not "calls of $leaf" 0 "$(counter $leaf)"
done
expect "pages removed" 9 "$(counter TDH.MEM.PAGE.REMOVE)"
expect unknown 0 "$(counter unknown)"
expect_no_match "kernel log" 'SEAMCALL .* failed|WARNING|BUG' "$(dmesg_since_mark)"
