#!/bin/sh
# The emulator checks what Intel's TDX module checks before a leaf, in its order, and sets the
# outputs of failed leaves as that does.
# SMP: 1 2
# KERNEL: any
. /tests/lib.sh
. /tests/firmware.sh

setup_emu crypto=0
last=$(($(nproc) - 1))
version=$((1 << 16))
reserved=$((1 << 24))
minor_version=0x0800000100000003

note "Ready"
expect_call SUCCESS 0 TDH.SYS.RD 0 $minor_version
expect_answer r8 0x5
expect_answer rdx 0x800000100000004
expect_call OPERAND_INVALID 0 $((34 + version)) 0 $minor_version
expect_answer rax 0xc000010000000000
expect_answer rdx 0x800000100000003
expect_call OPERAND_INVALID 0 $((34 + reserved)) 0 $minor_version
expect_answer rax 0xc000010000000000
expect_call OPERAND_INVALID 0 0x7000000000000022 0 $minor_version
expect_call OPERAND_INVALID 0 50
expect_answer rax 0xc000010000000000
expect_call SYS_INIT_NOT_PENDING 0 TDH.SYS.INIT 0
expect_call SYS_INIT_NOT_PENDING 0 $((33 + version)) 0
expect_call OPERAND_INVALID 0 TDH.SYS.INIT 5
expect_answer rax 0xc000010000000001
expect_answer rcx 0x0
expect_call SYS_LP_INIT_NOT_PENDING "$last" TDH.SYS.LP.INIT 1 2 3
expect_answer rcx 0x0
expect_answer rdx 0x0
expect_answer r8 0x0
expect_call SYS_STATE_INCORRECT 0 TDH.SYS.UPDATE
expect_call SUCCESS 0 TDH.SYS.LP.SHUTDOWN

note "Reading fields"
expect_call METADATA_FIELD_ID_INCORRECT 0 TDH.SYS.RD 0 0x1234 5
expect_answer rdx 0xffffffffffffffff
expect_answer r8 0x0
expect_call METADATA_FIRST_FIELD_ID_IN_CONTEXT 0 TDH.SYS.RD 0 0xffffffffffffffff 5
fields=0
field=$(answer rdx)
until [ "$field" = 0xffffffffffffffff ]; do
	expect_call SUCCESS 0 TDH.SYS.RD 0 "$field"
	field=$(answer rdx)
	fields=$((fields + 1))
	[ $fields -lt 200 ] || die "the fields have no end"
done
expect_ge "fields in a row" 14 $fields

note "Page metadata is only there when the TDX module is up"
expect_call OPERAND_INVALID 0 TDH.PHYMEM.PAGE.RDMD 0xffffffffffffffff
expect_answer rax 0xc000010000000001
expect_answer rcx 0x0
expect_call OPERAND_INVALID 0 TDH.PHYMEM.PAGE.RDMD buffer+1
expect_call OPERAND_ADDR_RANGE_ERROR 0 TDH.PHYMEM.PAGE.RDMD 0x4000000000
expect_call SUCCESS 0 TDH.PHYMEM.PAGE.RDMD buffer 9 9 9 9 9
expect_answer rcx 0x0
expect_answer r11 0x0

note "SHUTDOWN looks at its operand before anything else"
expect_call OPERAND_INVALID 0 TDH.SYS.SHUTDOWN 0x20000
expect_answer rax 0xc000010000000001
expect_call OPERAND_INVALID 0 TDH.SYS.SHUTDOWN 1
expect_call SUCCESS 0 TDH.SYS.SHUTDOWN 0

note "Shut down"
expect_call SYS_SHUTDOWN 0 TDH.SYS.RD 0 $minor_version 5
expect_answer rdx 0x800000100000003
expect_answer r8 0x5
expect_call OPERAND_INVALID 0 $((34 + version)) 0 $minor_version
expect_call SYS_SHUTDOWN 0 50
expect_call SYS_SHUTDOWN "$last" TDH.SYS.LP.INIT
expect_call SYS_SHUTDOWN 0 TDH.PHYMEM.PAGE.RDMD 0xffffffffffffffff
expect_call SUCCESS 0 TDH.SYS.LP.SHUTDOWN

note "Installed"
raw load test/v2.blob
install_all
expect "INSTALL" SUCCESS "$(answer status)"
expect_call SYS_LP_INIT_NOT_DONE 0 TDH.SYS.RD 0 $minor_version 5
expect_answer rdx 0xffffffffffffffff
expect_answer r8 0x0
expect_call SYS_NOT_READY 0 50
expect_call SYS_NOT_READY 0 TDH.SYS.SHUTDOWN 0x20000
expect_call SYS_NOT_READY 0 TDH.PHYMEM.PAGE.RDMD 0xffffffffffffffff
expect_call SYS_LP_INIT_NOT_PENDING 0 TDH.SYS.LP.INIT
expect_call SYS_STATE_INCORRECT 0 TDH.SYS.UPDATE
expect_call SUCCESS 0 TDH.SYS.LP.SHUTDOWN

note "Initialised, and not up: TDH.SYS.RD answers, TDH.PHYMEM.PAGE.RDMD does not"
expect_call SUCCESS 0 TDH.SYS.INIT 0
for cpu in $(cpus); do
	expect_call SYS_STATE_INCORRECT 0 TDH.SYS.UPDATE
	expect_call SUCCESS "$cpu" TDH.SYS.LP.INIT
	expect_call SUCCESS "$cpu" TDH.SYS.RD 0 $minor_version
	expect_call SYS_NOT_READY "$cpu" TDH.PHYMEM.PAGE.RDMD 0xffffffffffffffff
	expect_call SYS_LP_INIT_DONE "$cpu" TDH.SYS.LP.INIT
done
expect_call SUCCESS 0 TDH.SYS.UPDATE
expect_call OPERAND_INVALID "$last" TDH.PHYMEM.PAGE.RDMD 0xffffffffffffffff

note "A module without TD_PRESERVING does not know SHUTDOWN and UPDATE"
emu_set module features0=0x0000800000040000
emu_set reset 1
expect_call OPERAND_INVALID 0 TDH.SYS.SHUTDOWN 0
expect_answer rax 0xc000010000000000
expect_call OPERAND_INVALID 0 TDH.SYS.UPDATE

note "Faults: outputs of failed leaves, and operands that tell what is wrong"
emu_set reset 1
emu_set inject "TDH.SYS.RD 0 1 RND_NO_ENTROPY"
expect_call RND_NO_ENTROPY 0 TDH.SYS.RD 0 $minor_version
expect_answer rdx 0xffffffffffffffff
emu_set inject "TDH.SYS.LP.INIT 0 1 INCONSISTENT_CPUID_FIELD 0xf 1 0x4 0xf0"
expect_call INCONSISTENT_CPUID_FIELD 0 TDH.SYS.LP.INIT 7 7 7
expect_answer rcx 0x4
expect_answer rdx 0xf
expect_answer r8 0xf0
