#!/bin/sh
# Handoff range and table offsets are checked to the byte, as P-SEAMLDR does. No image is refused
# for its rip_offset.
# KERNEL: any
. /tests/lib.sh
setup
td_build 1

# Change one byte of v2.blob: offset in the sigstruct, value, reason. Its TDX module has 0x8000
# bytes, gdt_idt_offset 0x6000 and fault_wrapper_offset 0x5e00. A change that passes these checks
# fails at the signature.
while read -r offset value reason; do
	case $reason in
	wrong*) errno=EKEYREJECTED result=bad-signature ;;
	*) errno=EINVAL result=bad-image ;;
	esac
	set_byte /lib/firmware/test/v2.blob $((4096 + offset)) $((value)) /lib/firmware/changed.blob
	expect_refused changed.blob $errno $result
	expect "reason with $value at $offset" "$reason" "$(tdx last/reason)"
done <<END
986 1 sigstruct: min_update_hv is higher than module_hv
992 1 sigstruct: gdt_idt_offset is not a multiple of 4096
993 0x68 sigstruct: gdt_idt_offset is not a multiple of 4096
993 0 sigstruct: one of gdt_idt_offset and fault_wrapper_offset is zero
993 0x70 wrong signature
993 0x80 sigstruct: a table offset is outside the TDX module
995 0x80 sigstruct: a table offset is outside the TDX module
997 0 sigstruct: one of gdt_idt_offset and fault_wrapper_offset is zero
997 0x7e wrong signature
997 0x7f sigstruct: a table offset is outside the TDX module
999 0xff sigstruct: a table offset is outside the TDX module
961 0xff wrong signature
984 1 wrong signature
END
rm /lib/firmware/changed.blob
expect_refused test/bad-wrapper.blob EINVAL bad-image
expect_tds_alive 1
expect_update test/good-offsets.blob 0 success
expect_update test/good-no-tables.blob 0 success
expect_update test/good-rip.blob 0 success
expect_tds_alive 1
