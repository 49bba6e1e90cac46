// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fields of TDH.SYS.RD: those of the TDX module and its handoff data, and those that a kernel
 * reads when it brings TDX up. The latter are constants of a plausible TDX module, of which the
 * emulator itself uses those of TDMRs. And a TD's CPUID, for TDH.MNG.RD. Runs in traps under
 * emu.lock.
 */
#include <linux/bitfield.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include <asm/cpufeatures.h>

#include "compat.h"
#include "emu.h"

#define TDX_MD_HANDOFF_DATA_SIZE	0x8900000200000006ULL

/* TDMRs and their metadata. */
#define TDX_MD_MAX_TDMRS		0x9100000100000008ULL
#define TDX_MD_MAX_RESERVED_PER_TDMR	0x9100000100000009ULL
#define TDX_MD_PAMT_4K_ENTRY_SIZE	0x9100000100000010ULL
#define TDX_MD_PAMT_2M_ENTRY_SIZE	0x9100000100000011ULL
#define TDX_MD_PAMT_1G_ENTRY_SIZE	0x9100000100000012ULL

/* Control structures of a TD. */
#define TDX_MD_TDR_BASE_SIZE		0x9800000100000000ULL
#define TDX_MD_TDCS_BASE_SIZE		0x9800000100000100ULL
#define TDX_MD_TDVPS_BASE_SIZE		0x9800000100000200ULL

/* Configuration of a TD. */
#define TDX_MD_ATTRIBUTES_FIXED0	0x1900000300000000ULL
#define TDX_MD_ATTRIBUTES_FIXED1	0x1900000300000001ULL
#define TDX_MD_XFAM_FIXED0		0x1900000300000002ULL
#define TDX_MD_XFAM_FIXED1		0x1900000300000003ULL
#define TDX_MD_NUM_CPUID_CONFIG		0x9900000100000004ULL
#define TDX_MD_MAX_VCPUS_PER_TD		0x9900000100000008ULL
#define TDX_MD_CPUID_CONFIG_LEAVES	0x9900000300000400ULL
#define TDX_MD_CPUID_CONFIG_VALUES	0x9900000300000500ULL

static const u16 max_tdmrs = EMU_MAX_TDMRS;
static const u16 max_reserved_per_tdmr = TDX_TDMR_RESERVED;
static const u16 pamt_entry_size = TDX_PAMT_ENTRY_SIZE;
static const u16 tdr_base_size = TDX_PAGE_SIZE;
static const u16 tdcs_base_size = 4 * TDX_PAGE_SIZE;
static const u16 tdvps_base_size = 6 * TDX_PAGE_SIZE;
static const u16 max_vcpus_per_td = 576;

/* FIXED0: bits that may be 1. FIXED1: bits that must be 1. */
static const u64 attributes_fixed0 = BIT_ULL(63) | BIT_ULL(30) | BIT_ULL(28) | BIT_ULL(0);
static const u64 attributes_fixed1;
static const u64 xfam_fixed0 = 0x61ae7;		/* x87, SSE, AVX, AVX-512, PKRU, CET, AMX */
static const u64 xfam_fixed1 = 0x3;		/* x87, SSE */

/* Leaf in bits 31:0, subleaf in bits 63:32: all ones if the leaf has no subleaves. */
static const u64 cpuid_config_leaves[] = {
	0xffffffff00000001ULL,
	0x0000000000000007ULL,
	0xffffffff80000008ULL,
};

static const u16 num_cpuid_config = ARRAY_SIZE(cpuid_config_leaves);

/* For each leaf the bits that a host may set: EAX and EBX in one field, ECX and EDX in the next. */
static const u64 cpuid_config_values[][2] = {
	{ 0x00ff00000fff3fffULL, 0x0000000031044988ULL },
	{ 0xd09f4fb900000000ULL, 0x00000420 | 0x1a01f5f2ULL << 32 },
	{ 0x00000000000000ffULL, 0 },
};

/*
 * A TD's CPUID. A field code has bit 31 of the leaf in bit 16, the leaf's lower bits in bits 15:9,
 * in bit 8 whether there is no subleaf, the subleaf in bits 7:1, and in bit 0 whether the field is
 * ECX and EDX, not EAX and EBX.
 */
#define TDX_MD_CPUID_VALUES		0x9410000300000000ULL
#define CPUID_VALUES_MASK		GENMASK_ULL(16, 0)
#define CPUID_VALUES_LEAF		GENMASK_ULL(15, 9)
#define CPUID_VALUES_SUBLEAF		GENMASK_ULL(7, 1)
#define CPUID_NO_SUBLEAF		0x7fu

/* How many subleaves a leaf has. Leaves that are not here have none. */
static const struct { u32 leaf, subleaves; } cpuid_subleaves[] = {
	{ 0x4, 4 }, { 0x7, 2 }, { 0xb, 2 }, { 0xd, 3 }, { 0x14, 2 }, { 0x1d, 2 }, { 0x1e, 1 },
	{ 0x1f, 2 },
};

/*
 * An entry has one field, or several with consecutive numbers. A value may be shorter than 8 bytes;
 * x86 is little endian, so its bytes are the lower ones of R8.
 */
struct field {
	u64 id;
	const void *value;
	unsigned int size;		/* bytes of each field */
	unsigned int count;
};

#define FIELD(id, value)		{ id, &(value), sizeof(value), 1 }
#define ARRAY(id, values)		{ id, values, sizeof(u64), sizeof(values) / sizeof(u64) }

static const struct field fields[] = {
	FIELD(TDX_MD_VENDOR_ID, emu.image.vendor_id),
	FIELD(TDX_MD_MINOR_VERSION, emu.image.version.minor),
	FIELD(TDX_MD_MAJOR_VERSION, emu.image.version.major),
	FIELD(TDX_MD_UPDATE_VERSION, emu.image.version.update),
	FIELD(TDX_MD_FEATURES0, emu.image.features0),
	FIELD(TDX_MD_ATTRIBUTES_FIXED0, attributes_fixed0),
	FIELD(TDX_MD_ATTRIBUTES_FIXED1, attributes_fixed1),
	FIELD(TDX_MD_XFAM_FIXED0, xfam_fixed0),
	FIELD(TDX_MD_XFAM_FIXED1, xfam_fixed1),
	FIELD(TDX_MD_BUILD_NUM, emu.image.build_num),
	FIELD(TDX_MD_BUILD_DATE, emu.image.build_date),
	FIELD(TDX_MD_MODULE_HV, emu.image.rd_hv.max),
	FIELD(TDX_MD_MIN_UPDATE_HV, emu.image.rd_hv.min),
	FIELD(TDX_MD_NO_DOWNGRADE, emu.image.no_downgrade),
	FIELD(TDX_MD_NUM_HANDOFF_PAGES, emu.image.num_handoff_pages),
	FIELD(TDX_MD_HANDOFF_DATA_VALID, emu.handoff.valid),
	FIELD(TDX_MD_HANDOFF_DATA_HV, emu.handoff.hv),
	FIELD(TDX_MD_HANDOFF_DATA_SIZE, emu.handoff.size),
	FIELD(TDX_MD_MAX_TDMRS, max_tdmrs),
	FIELD(TDX_MD_MAX_RESERVED_PER_TDMR, max_reserved_per_tdmr),
	FIELD(TDX_MD_PAMT_4K_ENTRY_SIZE, pamt_entry_size),
	FIELD(TDX_MD_PAMT_2M_ENTRY_SIZE, pamt_entry_size),
	FIELD(TDX_MD_PAMT_1G_ENTRY_SIZE, pamt_entry_size),
	FIELD(TDX_MD_TDR_BASE_SIZE, tdr_base_size),
	FIELD(TDX_MD_TDCS_BASE_SIZE, tdcs_base_size),
	FIELD(TDX_MD_TDVPS_BASE_SIZE, tdvps_base_size),
	FIELD(TDX_MD_NUM_CPUID_CONFIG, num_cpuid_config),
	FIELD(TDX_MD_MAX_VCPUS_PER_TD, max_vcpus_per_td),
	ARRAY(TDX_MD_CPUID_CONFIG_LEAVES, cpuid_config_leaves),
	ARRAY(TDX_MD_CPUID_CONFIG_VALUES, cpuid_config_values),
};

/* A TDX module without TD_PRESERVING has no fields of the handoff. */
static bool is_missing(u64 id)
{
	return id >> 56 == TDX_MD_MODULE_HV >> 56 &&
	       !(emu.image.features0 & TDX_FEATURES0_TD_PRESERVING);
}

/* Number of the field after field @nr of the entry @field. */
static u64 next_field(const struct field *field, unsigned int nr)
{
	if (nr + 1 < field->count)
		return field->id + nr + 1;
	return field + 1 < fields + ARRAY_SIZE(fields) ? field[1].id : EMU_NO_FIELD;
}

/**
 * emu_sys_rd() - TDH.SYS.RD
 * @call: RDX = field id; R8 out: value, RDX out: next field id
 *
 * The next field is the next one in the emulator's table; after the last it is all ones. A field id
 * of all ones fails and returns the first field id. Takes no lock of the TDX module.
 *
 * Context: a trap, under emu.lock.
 * Return: status.
 */
u64 emu_sys_rd(struct emu_call *call)
{
	u64 id = call->regs->dx, value = 0;
	const struct field *field;

	call->regs->dx = EMU_NO_FIELD;
	call->regs->r8 = 0;
	if (id == EMU_NO_FIELD) {
		call->regs->dx = fields[0].id;
		return TDX_TD_FIRST_FIELD_ID_IN_CONTEXT;
	}
	if (is_missing(id))
		return TDX_METADATA_FIELD_ID_INCORRECT;
	for (field = fields; field < fields + ARRAY_SIZE(fields); field++) {
		if (id < field->id || id - field->id >= field->count)
			continue;
		memcpy(&value, (const u8 *)field->value + (id - field->id) * field->size,
		       field->size);
		call->regs->r8 = value;
		call->regs->dx = next_field(field, id - field->id);
		return TDX_SUCCESS;
	}
	if (emu_lies(EMU_LIE_RD_OUTPUTS))
		call->regs->dx = id;
	return emu_lies(EMU_LIE_UNKNOWN_FIELD) ? TDX_OPERAND_INVALID | TDX_OPERAND_ID_RDX :
						 TDX_METADATA_FIELD_ID_INCORRECT;
}

static bool has_cpuid(u32 leaf, bool no_subleaf, u32 subleaf)
{
	u32 subleaves = 0;
	unsigned int i;

	if (leaf > cpuid_eax(leaf & BIT(31)))
		return false;
	for (i = 0; i < ARRAY_SIZE(cpuid_subleaves); i++)
		if (cpuid_subleaves[i].leaf == leaf)
			subleaves = cpuid_subleaves[i].subleaves;
	return no_subleaf ? !subleaves && subleaf == CPUID_NO_SUBLEAF : subleaf < subleaves;
}

/**
 * emu_td_cpuid() - a field of TDH.MNG.RD that holds a part of the TD's CPUID
 * @field: the field's id
 * @value: two registers, filled in on success
 *
 * A TD has the CPUID of this CPU, but no VMX, and always x2APIC.
 *
 * Context: a trap.
 * Return: 0, -ENOENT if there is no such field.
 */
int emu_td_cpuid(u64 field, u64 *value)
{
	u32 leaf = FIELD_GET(CPUID_VALUES_LEAF, field) | (field & BIT_ULL(16) ? BIT(31) : 0);
	u32 subleaf = FIELD_GET(CPUID_VALUES_SUBLEAF, field), eax, ebx, ecx, edx;

	if ((field & ~CPUID_VALUES_MASK) != TDX_MD_CPUID_VALUES ||
	    !has_cpuid(leaf, field & BIT_ULL(8), subleaf))
		return -ENOENT;
	cpuid_count(leaf, subleaf == CPUID_NO_SUBLEAF ? 0 : subleaf, &eax, &ebx, &ecx, &edx);
	if (leaf == 1)
		ecx = (ecx & ~BIT(X86_FEATURE_VMX & 31)) | BIT(X86_FEATURE_X2APIC & 31);
	*value = field & 1 ? (u64)edx << 32 | ecx : (u64)ebx << 32 | eax;
	return 0;
}
