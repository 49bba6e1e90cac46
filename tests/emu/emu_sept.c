// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KVM does with a TD beyond its life cycle: secure EPT, removal of pages, control pages and
 * fields of a vCPU; and the guest that is acted out (tdx_emu_guest.h). Runs in traps under
 * emu.lock.
 */
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <asm/irq_vectors.h>
#include <asm/vmx.h>

#include "emu.h"
#include "emu_td.h"
#include "tdx_emu_guest.h"

/* RCX of the TDH.MEM.* leaves: level in bits 2:0, GPA above bit 11. Level 0 maps 4 KiB. */
#define GPA_LEVEL		GENMASK_ULL(2, 0)
#define GPA_MASK		GENMASK_ULL(51, 12)
#define MAX_LEVEL		3u
#define LEVEL_BITS		9u

/* Class of a field of TDH.VP.RD and TDH.VP.WR, in bits 61:56. */
#define FIELD_CLASS(id)		((id) >> 56 & 0x3f)
#define CLASS_VMCS		0u
#define CLASS_GUEST_STATE	17u
#define CLASS_MANAGEMENT	32u

/* Exit of a TD by TDG.VP.VMCALL: RCX says which registers it passed on, here R10 to R15. */
#define EXIT_TDCALL		77u
#define EXIT_EXTERNAL_INTERRUPT	1u
#define EXIT_HLT		12u
#define EXIT_IO_INSTRUCTION	30u
#define PASSED_REGISTERS	0xfc00u
#define INTERRUPT_VALID		BIT(31)

static u64 region(u64 gpa, unsigned int level)
{
	return gpa >> (PAGE_SHIFT + LEVEL_BITS * level);
}

/**
 * emu_sept_has() - does a TD have the S-EPT page that an entry of a level below is in?
 * @td: the TD
 * @gpa: guest-physical address
 * @level: of the S-EPT page: 1 to 3; the root, which has level 4, is part of the TD
 *
 * Context: under emu.lock, @td locked.
 * Return: true if so; true for all pages of a TD that never had one.
 */
bool emu_sept_has(const struct emu_td *td, u64 gpa, unsigned int level)
{
	unsigned int i;

	for (i = 0; i < td->nr_septs; i++)
		if (td->sept[i].level == level &&
		    region(td->sept[i].gpa, level) == region(gpa, level))
			return true;
	return level > MAX_LEVEL || !td->nr_septs;
}

/* KVM prints these two for an error: the S-EPT entry and its state. */
static void clear_entry(struct pt_regs *regs)
{
	regs->cx = 0;
	regs->dx = 0;
}

/**
 * emu_mem_sept_add() - TDH.MEM.SEPT.ADD
 * @call: RCX = GPA and level of the new page, 1 to 3, RDX = TDR, R8 = S-EPT page
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_mem_sept_add(struct emu_call *call)
{
	u64 gpa = call->regs->cx & GPA_MASK, status = emu_td_check_keyed(call->td);
	unsigned int level = call->regs->cx & GPA_LEVEL;
	struct emu_td *td = call->td;

	clear_entry(call->regs);
	if (status)
		return status;
	if (!level || level > MAX_LEVEL || td->nr_septs == MAX_SEPT_PAGES)
		return TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX;
	if (td->nr_septs && emu_sept_has(td, gpa, level))
		return TDX_TD_EPT_ENTRY_NOT_FREE | TDX_OPERAND_ID_RCX;
	if (level < MAX_LEVEL && (!td->nr_septs || !emu_sept_has(td, gpa, level + 1)))
		return TDX_TD_EPT_WALK_FAILED | TDX_OPERAND_ID_RCX;
	if (!emu_td_page_is_free(call->regs->r8))
		return TDX_OPERAND_INVALID | TDX_OPERAND_ID_R8;
	td->sept[td->nr_septs].gpa = gpa;
	td->sept[td->nr_septs].pa = call->regs->r8;
	td->sept[td->nr_septs++].level = level;
	return TDX_SUCCESS;
}

/* The page that RCX of a leaf names, which is then cleared. NULL if the TD has none. */
static struct emu_td_page *named_page(struct emu_call *call)
{
	u64 rcx = call->regs->cx;

	clear_entry(call->regs);
	return rcx & GPA_LEVEL ? NULL : emu_td_page(call->td, rcx & GPA_MASK);
}

/**
 * emu_mem_range_block() - TDH.MEM.RANGE.BLOCK
 * @call: RCX = GPA and level 0, RDX = TDR
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_mem_range_block(struct emu_call *call)
{
	struct emu_td_page *page = named_page(call);
	u64 status = emu_td_check_keyed(call->td);

	if (status)
		return status;
	if (!page)
		return TDX_TD_EPT_WALK_FAILED | TDX_OPERAND_ID_RCX;
	if (page->blocked)
		return TDX_TD_GPA_RANGE_ALREADY_BLOCKED;
	page->blocked = true;
	page->blocked_epoch = call->td->epoch;
	return TDX_SUCCESS;
}

/**
 * emu_mem_track() - TDH.MEM.TRACK
 * @call: RCX = TDR
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_mem_track(struct emu_call *call)
{
	u64 status = emu_td_check_keyed(call->td);

	if (!status)
		call->td->epoch++;
	return status;
}

/**
 * emu_mem_page_remove() - TDH.MEM.PAGE.REMOVE
 * @call: RCX = GPA and level 0, RDX = TDR
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_mem_page_remove(struct emu_call *call)
{
	struct emu_td_page *page = named_page(call);
	u64 status = emu_td_check_keyed(call->td);
	struct emu_td *td = call->td;

	if (status)
		return status;
	if (!page)
		return TDX_TD_EPT_WALK_FAILED | TDX_OPERAND_ID_RCX;
	if (!page->blocked)
		return TDX_TD_GPA_RANGE_NOT_BLOCKED | TDX_OPERAND_ID_RCX;
	if (page->blocked_epoch == td->epoch)
		return TDX_TD_TLB_TRACKING_NOT_DONE | TDX_OPERAND_ID_RCX;
	*page = td->page[--td->nr_pages];
	return TDX_SUCCESS;
}

/**
 * emu_vp_addcx() - TDH.VP.ADDCX
 * @call: RCX = TDCX page, RDX = TDVPR
 *
 * It takes any number of pages. A vCPU needs none.
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_vp_addcx(struct emu_call *call)
{
	u64 status = emu_td_check_keyed(call->td);

	if (status)
		return status;
	if (call->vp->initialized)
		return TDX_TD_OP_STATE_INCORRECT;
	if (!emu_td_page_is_free(call->regs->cx))
		return TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX;
	return TDX_SUCCESS;
}

/* VCPU_STATE_DETAILS: bit 0 says that an interrupt waits for the guest. */
#define VCPU_STATE_DETAILS	(BIT_ULL(63) | (u64)CLASS_GUEST_STATE << 56 | 0x100)

static bool is_known(u64 field)
{
	return FIELD_CLASS(field) == CLASS_VMCS || FIELD_CLASS(field) == CLASS_GUEST_STATE ||
	       FIELD_CLASS(field) == CLASS_MANAGEMENT;
}

/**
 * emu_vp_rd() - TDH.VP.RD
 * @call: RCX = TDVPR, RDX = field id; R8 out: 0, the value of every field that KVM reads, but for
 *	VCPU_STATE_DETAILS: a guest that has halted has an interrupt waiting at once
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_vp_rd(struct emu_call *call)
{
	u64 field = call->regs->dx, status = emu_td_check_keyed(call->td);

	call->regs->r8 = 0;
	if (!status && !is_known(field))
		status = TDX_METADATA_FIELD_ID_INCORRECT;
	if (!status && field == VCPU_STATE_DETAILS)
		call->regs->r8 = call->vp->halted;
	return status;
}

/**
 * emu_vp_wr() - TDH.VP.WR
 * @call: RCX = TDVPR, RDX = field id, R8 = value, R9 = mask; R8 out: 0
 *
 * It forgets the value: the guest that is acted out has no use for it.
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_vp_wr(struct emu_call *call)
{
	return emu_vp_rd(call);
}

/**
 * emu_phymem_page_reclaim() - TDH.PHYMEM.PAGE.RECLAIM
 * @call: RCX = a page; RCX, RDX, R8 out: 0
 *
 * The emulator has no record of pages (PAMT). So it takes every page for one that can be reclaimed,
 * except for TDR and TDVPR of a TD whose KeyID is not freed.
 *
 * Context: a trap, under emu.lock.
 * Return: status.
 */
u64 emu_phymem_page_reclaim(struct emu_call *call)
{
	bool free = emu_td_page_is_free(call->regs->cx);
	bool page = emu_memory(call->regs->cx, TDX_PAGE_SIZE);

	emu_clear_outputs(call->regs);
	if (!page)
		return TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX;
	return free ? TDX_SUCCESS : TDX_TD_LIFECYCLE_STATE_INCORRECT;
}

/**
 * emu_phymem_cache_wb() - TDH.PHYMEM.CACHE.WB
 * @call: RCX = 0, or 1 to resume
 *
 * There is no cache to write back.
 *
 * Context: a trap, under emu.lock.
 * Return: status.
 */
u64 emu_phymem_cache_wb(struct emu_call *call)
{
	return call->regs->cx > 1 ? TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX : TDX_SUCCESS;
}

/**
 * emu_phymem_page_wbinvd() - TDH.PHYMEM.PAGE.WBINVD
 * @call: RCX = a page, with a KeyID above the physical address
 *
 * Context: a trap, under emu.lock.
 * Return: status.
 */
u64 emu_phymem_page_wbinvd(struct emu_call *call)
{
	u64 pa = call->regs->cx & ((1ULL << boot_cpu_data.x86_phys_bits) - 1);

	return emu_memory(pa, TDX_PAGE_SIZE) ? TDX_SUCCESS :
					       TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX;
}

static u64 exit_by_interrupt(struct pt_regs *regs)
{
	emu_clear_outputs(regs);
	/* The vector that KVM's handler of the host takes for nothing. */
	regs->r9 = INTERRUPT_VALID | POSTED_INTR_VECTOR;
	return EXIT_EXTERNAL_INTERRUPT;
}

/* TDG.VP.VMCALL: the guest wants its host to act out an instruction. */
static u64 exit_by_vmcall(struct pt_regs *regs, u32 instruction, u64 r12)
{
	regs->cx = PASSED_REGISTERS;
	regs->dx = 0;
	regs->r8 = 0;
	regs->r9 = 0;
	regs->r10 = 0;
	regs->r11 = instruction;
	regs->r12 = r12;
	return EXIT_TDCALL;
}

static u64 exit_by_io(struct pt_regs *regs, u32 port, u32 value)
{
	regs->r13 = 1;
	regs->r14 = port;
	regs->r15 = value;
	return exit_by_vmcall(regs, EXIT_IO_INSTRUCTION, sizeof(value));
}

/* A guest that shows its measurement and then counts, as that of tdx-update-hwtest does. */
static u64 show_and_count(struct emu_td *td, struct pt_regs *regs)
{
	const u32 words = sizeof(td->mrtd) / sizeof(u32);
	u32 word;

	if (td->written++ >= words)
		return exit_by_io(regs, emu.platform.guest_count, td->written - words);
	memcpy(&word, td->mrtd + (td->written - 1) * sizeof(word), sizeof(word));
	return exit_by_io(regs, emu.platform.guest_mrtd, word);
}

/**
 * emu_guest_run() - act out a TD's guest until it leaves the TD
 * @call: TDH.VP.ENTER; its registers become those of the exit
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: TDX_SUCCESS with the exit reason.
 */
u64 emu_guest_run(struct emu_call *call)
{
	struct emu_td *td = call->td;
	struct tdx_emu_guest *guest;
	bool speaks;

	if (!td->nr_pages)
		return TDX_SUCCESS;
	guest = __va(td->page[0].pa);
	speaks = guest->magic == TDX_EMU_GUEST_MAGIC;
	if (!speaks && !emu.platform.guest_count)
		return TDX_SUCCESS;
	if (speaks)
		guest->count++;
	call->vp->halted = td->enters % 8 == 6;
	if (call->vp->halted)
		return exit_by_vmcall(call->regs, EXIT_HLT, 0);
	if (td->enters % 4 == 0)
		return exit_by_interrupt(call->regs);
	return speaks ? exit_by_io(call->regs, guest->port, guest->count) :
			show_and_count(td, call->regs);
}
