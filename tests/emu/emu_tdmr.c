// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory that a kernel gives the TDX module when it brings TDX up: TDH.SYS.CONFIG,
 * TDH.SYS.KEY.CONFIG and TDH.SYS.TDMR.INIT. The emulator checks what it is told, as the TDX module
 * does, but keeps no metadata in the PAMTs. Runs in traps under emu.lock.
 */
#include <linux/align.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/topology.h>

#include "emu.h"

#define TDMR_INFO_OPERAND	96u	/* operand id of TDMR_INFO_PA */
#define INIT_STEP		SZ_256M	/* of a TDMR that one call initializes */

static const u64 page_sizes[TDX_PAMT_LEVELS] = {
	[TDX_PAMT_1G] = SZ_1G,
	[TDX_PAMT_2M] = SZ_2M,
	[TDX_PAMT_4K] = SZ_4K,
};

/* The TDMRs of the call under way. A call of TDH.SYS.CONFIG holds the TDX module exclusively. */
static const struct tdx_tdmr_info *asked[EMU_MAX_TDMRS];

/* Is all of it convertible memory? CMRs may adjoin. */
static bool in_cmrs(u64 start, u64 end)
{
	unsigned int i;

	if (!emu.nr_cmrs)
		return end <= 1ULL << boot_cpu_data.x86_phys_bits;
	while (start < end) {
		for (i = 0; i < emu.nr_cmrs; i++)
			if (start >= emu.cmrs[i].start && start < emu.cmrs[i].end)
				break;
		if (i == emu.nr_cmrs)
			return false;
		start = emu.cmrs[i].end;
	}
	return true;
}

static unsigned int nr_reserved(const struct tdx_tdmr_info *tdmr)
{
	unsigned int i;

	for (i = 0; i < TDX_TDMR_RESERVED && tdmr->reserved[i].size; i++)
		;
	return i;
}

/* Piece @nr of the TDMR that is not reserved, from 0 to the number of reserved areas. */
static struct emu_cmr free_piece(const struct tdx_tdmr_info *tdmr, unsigned int nr)
{
	struct emu_cmr piece = { .start = tdmr->base, .end = tdmr->base + tdmr->size };

	if (nr)
		piece.start += tdmr->reserved[nr - 1].offset + tdmr->reserved[nr - 1].size;
	if (nr < nr_reserved(tdmr))
		piece.end = tdmr->base + tdmr->reserved[nr].offset;
	return piece;
}

static u64 check_range(unsigned int nr)
{
	const struct tdx_tdmr_info *tdmr = asked[nr];

	if (!tdmr->size || !IS_ALIGNED(tdmr->base, SZ_1G) || !IS_ALIGNED(tdmr->size, SZ_1G) ||
	    tdmr->base + tdmr->size < tdmr->base)
		return TDX_TD_INVALID_TDMR | nr;
	if (nr && tdmr->base < asked[nr - 1]->base + asked[nr - 1]->size)
		return TDX_TD_NON_ORDERED_TDMR | nr;
	return TDX_SUCCESS;
}

static u64 check_reserved(unsigned int nr)
{
	const struct tdx_tdmr_info *tdmr = asked[nr];
	unsigned int i;
	u64 end = 0;

	for (i = 0; i < nr_reserved(tdmr); i++) {
		u64 offset = tdmr->reserved[i].offset, size = tdmr->reserved[i].size;

		if (!PAGE_ALIGNED(offset) || !PAGE_ALIGNED(size) || offset > tdmr->size ||
		    size > tdmr->size - offset)
			return TDX_TD_INVALID_RESERVED_IN_TDMR | i << 8 | nr;
		if (offset < end)
			return TDX_TD_NON_ORDERED_RESERVED_IN_TDMR | i << 8 | nr;
		end = offset + size;
	}
	return TDX_SUCCESS;
}

static u64 check_convertible(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i <= nr_reserved(asked[nr]); i++) {
		struct emu_cmr piece = free_piece(asked[nr], i);

		if (!in_cmrs(piece.start, piece.end))
			return TDX_TD_TDMR_OUTSIDE_CMRS | nr;
	}
	return TDX_SUCCESS;
}

/* Is any of it TDX memory of a TDMR? */
static bool is_tdx_memory(u64 start, u64 end, unsigned int nr_tdmrs)
{
	unsigned int nr, i;

	for (nr = 0; nr < nr_tdmrs; nr++)
		for (i = 0; i <= nr_reserved(asked[nr]); i++) {
			struct emu_cmr piece = free_piece(asked[nr], i);

			if (start < piece.end && end > piece.start && piece.start < piece.end)
				return true;
		}
	return false;
}

/* Does it overlap a PAMT of this TDMR from @level on, or one of the TDMRs after it? */
static bool overlaps_later(u64 start, u64 end, unsigned int nr, unsigned int level,
			   unsigned int nr_tdmrs)
{
	for (; nr < nr_tdmrs; nr++, level = 0)
		for (; level < TDX_PAMT_LEVELS; level++)
			if (start < asked[nr]->pamt[level].base + asked[nr]->pamt[level].size &&
			    end > asked[nr]->pamt[level].base)
				return true;
	return false;
}

static u64 check_pamts(unsigned int nr, unsigned int nr_tdmrs)
{
	const struct tdx_tdmr_info *tdmr = asked[nr];
	unsigned int level;

	for (level = 0; level < TDX_PAMT_LEVELS; level++) {
		u64 start = tdmr->pamt[level].base, size = tdmr->pamt[level].size;
		u64 need = tdmr->size / page_sizes[level] * TDX_PAMT_ENTRY_SIZE;

		if (!PAGE_ALIGNED(start) || !PAGE_ALIGNED(size) || size < need)
			return TDX_TD_INVALID_PAMT | level << 8 | nr;
		if (!in_cmrs(start, start + size))
			return TDX_TD_PAMT_OUTSIDE_CMRS | level << 8 | nr;
		if (is_tdx_memory(start, start + size, nr_tdmrs) ||
		    overlaps_later(start, start + size, nr, level + 1, nr_tdmrs))
			return TDX_TD_PAMT_OVERLAP | level << 8 | nr;
	}
	return TDX_SUCCESS;
}

static u64 check_tdmrs(unsigned int nr_tdmrs)
{
	unsigned int nr;
	u64 status;

	for (nr = 0; nr < nr_tdmrs; nr++) {
		status = check_range(nr) ?: check_reserved(nr) ?: check_convertible(nr);
		if (status)
			return status;
	}
	for (nr = 0; nr < nr_tdmrs; nr++) {
		status = check_pamts(nr, nr_tdmrs);
		if (status)
			return status;
	}
	return TDX_SUCCESS;
}

/**
 * emu_tdmr_clear() - forget TDMRs and global key
 *
 * Context: under emu.lock; no LP is inside the TDX module.
 */
void emu_tdmr_clear(void)
{
	lockdep_assert_held(&emu.lock);

	emu.nr_tdmrs = 0;
	cpumask_clear(&emu.keyed);
}

/**
 * emu_sys_config() - TDH.SYS.CONFIG
 * @call: RCX = array of the TDMR_INFOs' addresses, RDX = their number, R8 = global KeyID
 *
 * It takes any KeyID but 0.
 *
 * Context: a trap, under emu.lock, with the TDX module's lock held exclusively.
 * Return: status.
 */
u64 emu_sys_config(struct emu_call *call)
{
	const u64 *array = emu_memory(call->regs->cx, TDX_TDMR_ALIGN);
	u64 nr = call->regs->dx, status;
	unsigned int i;

	if (emu.state != EMU_MODULE_SYSINIT_DONE ||
	    cpumask_weight_and(&emu.lp_init, cpu_present_mask) < emu.booted.lps)
		return TDX_SYS_CONFIG_NOT_PENDING;
	if (!array)
		return TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX;
	if (!nr || nr > EMU_MAX_TDMRS)
		return TDX_OPERAND_INVALID | TDX_OPERAND_ID_RDX;
	if (!call->regs->r8 || call->regs->r8 > U16_MAX)
		return TDX_OPERAND_INVALID | TDX_OPERAND_ID_R8;
	for (i = 0; i < nr; i++) {
		asked[i] = emu_memory(array[i], TDX_TDMR_ALIGN);
		if (!asked[i])
			return TDX_OPERAND_INVALID | TDMR_INFO_OPERAND;
	}
	status = check_tdmrs(nr);
	if (status)
		return status;

	for (i = 0; i < nr; i++)
		emu.tdmrs[i] = (struct emu_tdmr){ asked[i]->base, asked[i]->size };
	emu.nr_tdmrs = nr;
	emu_module_enter(EMU_MODULE_SYSCONFIG_DONE);
	return TDX_SUCCESS;
}

/**
 * emu_sys_key_config() - TDH.SYS.KEY.CONFIG
 * @call: no operands
 *
 * Once it has succeeded on each package that has a CPU, the TDX module is ready.
 *
 * Context: a trap, under emu.lock.
 * Return: status.
 */
u64 emu_sys_key_config(struct emu_call *call)
{
	unsigned int cpu;

	if (emu.state != EMU_MODULE_SYSCONFIG_DONE)
		return TDX_TD_SYS_KEY_CONFIG_NOT_PENDING;
	if (cpumask_test_and_set_cpu(topology_physical_package_id(call->cpu), &emu.keyed))
		return TDX_TD_KEY_CONFIGURED;
	for_each_present_cpu(cpu)
		if (!cpumask_test_cpu(topology_physical_package_id(cpu), &emu.keyed))
			return TDX_SUCCESS;
	emu_module_enter(EMU_MODULE_READY);
	return TDX_SUCCESS;
}

/**
 * emu_sys_tdmr_init() - TDH.SYS.TDMR.INIT
 * @call: RCX = base of a TDMR; RDX out: the address that the next call goes on from
 *
 * Context: a trap, under emu.lock.
 * Return: status.
 */
u64 emu_sys_tdmr_init(struct emu_call *call)
{
	struct emu_tdmr *tdmr;

	for (tdmr = emu.tdmrs; tdmr < emu.tdmrs + emu.nr_tdmrs; tdmr++)
		if (tdmr->base == call->regs->cx)
			break;
	if (tdmr == emu.tdmrs + emu.nr_tdmrs)
		return TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX;
	if (tdmr->initialized == tdmr->size)
		return TDX_TD_TDMR_ALREADY_INITIALIZED;
	tdmr->initialized += INIT_STEP;
	call->regs->dx = tdmr->base + tdmr->initialized;
	return TDX_SUCCESS;
}
