#!/bin/sh
# The emulator's SEAMLDR.SEAMINFO and MSRs describe the platform that was set, and an install
# session waits for all its LPs.
# SMP: 1 2 4
# SMOKE: yes
. /tests/lib.sh
. /tests/firmware.sh

setup_emu
n=$(nproc)

expect_call SUCCESS 0 SEAMLDR.SEAMINFO buffer
expect "LPs" "$n" "$(buffer_u32 8)"
expect "packages" 1 "$(buffer_u32 12)"
expect "CPU of the first package" $((0x806F8)) "$(buffer_u32 16)"
expect "CPU of the second package" 0 "$(buffer_u32 20)"
expect_call EBADPARAM 0 SEAMLDR.SEAMINFO buffer+1024

emu_set platform lps=$((n + 1)) sockets=3 cpu=0x806F8,0xC06F2
expect_call SUCCESS 0 SEAMLDR.SEAMINFO buffer
expect "LPs before the reset" "$n" "$(buffer_u32 8)"
emu_set reset 1
expect_call SUCCESS 0 SEAMLDR.SEAMINFO buffer
expect "LPs" $((n + 1)) "$(buffer_u32 8)"
expect "packages" 3 "$(buffer_u32 12)"
expect "CPU of the first package" $((0x806F8)) "$(buffer_u32 16)"
expect "CPU of the second package" $((0xC06F2)) "$(buffer_u32 20)"
expect "CPU of the third package" $((0xC06F2)) "$(buffer_u32 24)"

note "The platform has at least this kernel's CPUs, and 1 to 8 packages."
expect_fails store_text "$EMU/platform" "lps=$((n - 1))" 2>/dev/null
expect_fails store_text "$EMU/platform" sockets=0 2>/dev/null
expect_fails store_text "$EMU/platform" sockets=9 2>/dev/null
expect_fails store_text "$EMU/platform" cpu=1,2,3,4,5,6,7,8,9 2>/dev/null

note "All CPUs of this kernel call, and the session is still open."
raw load test/v2.blob
expect_call SUCCESS 0 TDH.SYS.SHUTDOWN 0
for cpu in $(cpus); do
	expect_call SUCCESS "$cpu" SEAMLDR.INSTALL params
done
expect "LPs that have called" "$n" "$(emu_get state session)"
expect "seam_ready" 0 "$(emu_get state seam_ready)"
expect_call VMfailInvalid 0 TDH.SYS.RD 0 0x0800000100000003
expect_call EBADCALL 0 SEAMLDR.INSTALL params
expect_answer rdx 0x0
expect_call SUCCESS 0 SEAMLDR.SEAMINFO buffer
expect "LPs in the middle of a session" $((n + 1)) "$(buffer_u32 8)"
expect_call SUCCESS 0 SEAMLDR.INFO buffer
expect "seam_ready in SEAMLDR.INFO" 0 "$(od -An -tu1 -j 160 -N 1 "$TD/buffer" | tr -d ' ')"

note "The MSRs agree with SEAMLDR.SEAMINFO."
emu_set platform lps="$n" sockets=1 cpu=0x806F8
emu_set reset 1
expect_call SUCCESS 0 SEAMLDR.SEAMINFO buffer
room=$(emu_get platform room)
raw rdmsr 0 0x1400
expect "room" $((room * 4096)) $(($(buffer_u64 48) - $(answer rax)))
raw rdmsr 0 0x1401
expect "SEAMRR enabled" 1 $(($(answer rax) >> 11 & 1))
raw rdmsr 0 0x503
expect "unlocked" 0 $(($(answer rax) >> 1 & 1))
raw rdmsr 0 0x480
expect "VMCS cleared" 0 $(($(answer rax) >> 60))
emu_set platform unlocked=1 erratum=0
emu_set reset 1
raw rdmsr 0 0x503
expect "unlocked" 1 $(($(answer rax) >> 1 & 1))
raw rdmsr 0 0x480
expect "VMCS kept" 1 $(($(answer rax) >> 60))

note "Each can be made to trap, on every CPU; others stay what they are."
for msr in 0x480 0x503 0x1400 0x1401; do
	emu_set msr $msr=gp
	for cpu in $(cpus); do
		raw rdmsr "$cpu" $msr
		expect "MSR $msr on CPU $cpu" "#GP" "$(answer status)"
		expect "value of MSR $msr" 0x0 "$(answer rax)"
	done
	emu_set msr $msr=on
	raw rdmsr 0 $msr
	expect "MSR $msr" SUCCESS "$(answer status)"
done
# IA32_APIC_BASE: the first CPU is the bootstrap processor.
raw rdmsr 0 0x1b
expect "IA32_APIC_BASE" 9 $(($(answer rax) >> 8 & 9))
