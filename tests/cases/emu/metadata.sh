#!/bin/sh
# The emulator has the metadata that Linux 7.3 reads when it brings TDX up, with values that Linux
# accepts. The case reads them in that order.
# SMP: 1
. /tests/lib.sh
. /tests/firmware.sh

setup_emu

# id NUMBER: print a field's number as the TD client takes it.
id() {
	printf '0x%x' "$1"
}

# read_field ID: read a field; set VALUE.
read_field() {
	expect_call SUCCESS 0 TDH.SYS.RD 0 "$(id "$1")"
	VALUE=$(($(answer r8)))
}

# expect_field ID VALUE
expect_field() {
	read_field "$1"
	expect "field $1" "$(($2))" "$VALUE"
}

note "Version, features"
expect_field 0x0800000100000003 5
expect_field 0x0800000100000004 1
expect_field 0x0800000100000005 24
expect_field 0x0A00000300000008 0x0000800000040002

note "TDMRs: PAMT entries have 16 bytes"
expect_field 0x9100000100000008 64
expect_field 0x9100000100000009 16
for size in 0x9100000100000010 0x9100000100000011 0x9100000100000012; do
	expect_field $size 16
done

note "TD control: whole pages; a TD has one for its root, and more for each vCPU"
expect_field 0x9800000100000000 4096
for size in 0x9800000100000100 0x9800000100000200; do
	read_field $size
	expect "rest of the last page of field $size" 0 $((VALUE % 4096))
	expect_ge "field $size" 8192 "$VALUE"
done

note "TD configuration: what must be 1 may be 1"
for fixed0 in 0x1900000300000000 0x1900000300000002; do
	read_field $fixed0
	may=$VALUE
	read_field $((fixed0 + 1))
	expect "bits of field $fixed0 that must be set and may not" 0 $((VALUE & ~may))
done
read_field 0x9900000100000004
leaves=$VALUE
expect_ge "CPUID leaves" 1 "$leaves"
read_field 0x9900000100000008
expect_ge "vCPUs of a TD" "$(nproc)" "$VALUE"
leaf=0
while [ $leaf -lt "$leaves" ]; do
	read_field $((0x9900000300000400 + leaf))
	expect_not "CPUID leaf $leaf" 0 "$VALUE"
	read_field $((0x9900000300000500 + 2 * leaf))
	read_field $((0x9900000300000501 + 2 * leaf))
	leaf=$((leaf + 1))
done
expect_call METADATA_FIELD_ID_INCORRECT 0 TDH.SYS.RD 0 "$(id $((0x9900000300000400 + leaves)))"
expect_call METADATA_FIELD_ID_INCORRECT 0 TDH.SYS.RD 0 "$(id $((0x9900000300000500 + 2 * leaves)))"
