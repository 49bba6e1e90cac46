#!/bin/sh
# Two packages: Linux gives each the global key, and KVM a TD's key. With a TD alive Linux keeps one
# CPU of each package online. While a CPU is offline an update is refused; then it succeeds, and the
# TD goes on and can be destroyed.
# SMP: 4
# BOOT: packages
. /tests/lib.sh
. /tests/mainline.sh
. /tests/vmm.sh

# cpu NR 0|1: take it offline or online; ERRNO says how that ended.
cpu() {
	store "/sys/devices/system/cpu/cpu$1/online" "$2"
}

expect "packages" 2 "$(sort -u /sys/devices/system/cpu/cpu*/topology/physical_package_id | wc -l)"
expect "calls of TDH.SYS.KEY.CONFIG at boot" 2 "$(counter TDH.SYS.KEY.CONFIG)"
expect module ready "$(emu_get state module)"

setup_beside
load_kvm
load
vmm_build 1 2
expect "calls of TDH.MNG.KEY.CONFIG" 2 "$(counter TDH.MNG.KEY.CONFIG)"
vmm_ok 1 'ran [1-9]' run 2

cpu 2 0
expect "errno of taking CPU 2 offline" 0 "$ERRNO"
mark_dmesg
cpu 3 0
expect "errno of taking the last CPU of a package offline" EBUSY "$ERRNO"
expect_match "kernel log" 'all packages to have an online CPU' "$(dmesg_since_mark)"
expect_refused test/a.blob EHOSTDOWN cpu-offline
cpu 2 1
expect "errno of bringing CPU 2 online" 0 "$ERRNO"
expect_update test/a.blob 0 success
vmm_ok 1 'verified good' verify
vmm_ok 1 'ran [1-9]' run 1
vmm_build 2 2

before=$(counter TDH.PHYMEM.CACHE.WB)
vmm_stop 1
expect "calls of TDH.PHYMEM.CACHE.WB at the end of a TD" 2 \
	$(($(counter TDH.PHYMEM.CACHE.WB) - before))
vmm_stop 2
cpu 2 0
cpu 3 0
expect "errno of taking all CPUs of a package offline without TDs" 0 "$ERRNO"
cpu 3 1
cpu 2 1
upload test/v2.blob
expect "error of mainline's update" '' "$ERROR"
