// SPDX-License-Identifier: GPL-2.0-only
/*
 * The TDX module's own life: TDH.SYS.*, from its initialisation to its shutdown and hand-over.
 * emu_call.c has decided who may call at all; metadata is in emu_metadata.c, TDs are in emu_td.c.
 * Runs in traps under emu.lock.
 */
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/string.h>

#include <asm/processor.h>

#include "emu.h"

/* A byte of the BIOS data area that no one uses; neither a kernel nor a kexec touches its page. */
#define LEFT_PA			0x4f0

/**
 * emu_module_enter() - the TDX module is in another state now
 * @state: that state
 *
 * Firmware outlives the kernel, and what it is left in matters to the next one. The emulator does
 * not; so the state is also kept where the next kernel's emulator finds it.
 *
 * Context: under emu.lock.
 */
void emu_module_enter(enum emu_module_state state)
{
	lockdep_assert_held(&emu.lock);

	emu.state = state;
	*(u8 *)__va(LEFT_PA) = state;
}

/**
 * emu_module_left() - the state in which a kernel before this one left the TDX module
 *
 * Context: any; before the first reset.
 * Return: the state; meaningless where there was no emulator before.
 */
enum emu_module_state emu_module_left(void)
{
	return *(u8 *)__va(LEFT_PA);
}

/* The sigstruct's newest handoff version is the build's, and its oldest one is not older. */
static bool sigstruct_suits(const struct emu_image *image)
{
	return image->hv.max == image->rd_hv.max && image->hv.min >= image->rd_hv.min;
}

/**
 * emu_sys_init() - TDH.SYS.INIT
 * @call: RCX = 0; RCX, RDX, R8 to R10 out: what is wrong, where something is
 *
 * Context: a trap, under emu.lock, alone with the TDX module's lock.
 * Return: status.
 */
u64 emu_sys_init(struct emu_call *call)
{
	u64 rcx = call->regs->cx;

	emu_clear_outputs(call->regs);
	call->regs->r9 = 0;
	call->regs->r10 = 0;
	if (rcx)
		return TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX;
	if (emu.state != EMU_MODULE_SYSINIT_PENDING)
		return TDX_SYS_INIT_NOT_PENDING;
	if (!sigstruct_suits(&emu.image))
		return TDX_SYS_INCOMPATIBLE_SIGSTRUCT;
	emu_module_enter(EMU_MODULE_SYSINIT_DONE);
	return TDX_SUCCESS;
}

/**
 * emu_sys_lp_init() - TDH.SYS.LP.INIT
 * @call: no operands; RCX, RDX, R8 out: what is wrong, where something is
 *
 * Context: a trap, under emu.lock.
 * Return: status.
 */
u64 emu_sys_lp_init(struct emu_call *call)
{
	emu_clear_outputs(call->regs);
	if (emu.state != EMU_MODULE_SYSINIT_DONE)
		return TDX_SYS_LP_INIT_NOT_PENDING;
	if (cpumask_test_and_set_cpu(call->cpu, &emu.lp_init))
		return TDX_SYS_LP_INIT_DONE;
	return TDX_SUCCESS;
}

/**
 * emu_sys_lp_shutdown() - TDH.SYS.LP.SHUTDOWN
 * @call: no operands
 *
 * Has nothing left to do, and succeeds in every state.
 *
 * Context: a trap, under emu.lock.
 * Return: status.
 */
u64 emu_sys_lp_shutdown(struct emu_call *call)
{
	return TDX_SUCCESS;
}

/* Bytes that the TDX module has for handoff data, without its head. */
static u32 handoff_room(const struct emu_image *image)
{
	return (image->num_handoff_pages + 1) * TDX_PAGE_SIZE - EMU_HANDOFF_HEAD;
}

/**
 * emu_sys_shutdown_check() - TDH.SYS.SHUTDOWN's look at its operand
 * @call: RCX = handoff version and AVOID_COMPAT_SENSITIVE
 *
 * A TDX module without UPDATE_COMPAT takes that bit for part of the version.
 *
 * Context: a trap, under emu.lock.
 * Return: status.
 */
u64 emu_sys_shutdown_check(struct emu_call *call)
{
	const struct emu_image *image = &emu.image;
	u64 known = TDX_SHUTDOWN_HV_MASK;
	u64 rcx = call->regs->cx;
	u16 hv = rcx & TDX_SHUTDOWN_HV_MASK;

	if (image->features0 & TDX_FEATURES0_UPDATE_COMPAT)
		known |= TDX_SHUTDOWN_AVOID_COMPAT_SENSITIVE;
	if (rcx & ~known || hv < image->hv.min || hv > image->hv.max ||
	    (image->no_downgrade && hv != image->hv.max))
		return TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX;
	return TDX_SUCCESS;
}

/**
 * emu_sys_shutdown() - TDH.SYS.SHUTDOWN
 * @call: RCX, checked by emu_sys_shutdown_check()
 *
 * A refusal changes nothing. Success without race rejection spoils the builds under way at once,
 * not at the hand-over: nothing can undo it.
 *
 * Context: a trap, under emu.lock, alone inside the TDX module.
 * Return: status.
 */
u64 emu_sys_shutdown(struct emu_call *call)
{
	const struct emu_image *image = &emu.image;
	u64 rcx = call->regs->cx;

	if (!(rcx & TDX_SHUTDOWN_AVOID_COMPAT_SENSITIVE))
		emu_td_spoil();
	else if (emu_td_update_sensitive())
		return TDX_UPDATE_COMPAT_SENSITIVE | TDX_SHUTDOWN_AVOID_COMPAT_SENSITIVE;

	emu_module_enter(EMU_MODULE_SHUTDOWN);
	emu.handoff.valid = true;
	emu.handoff.hv = rcx & TDX_SHUTDOWN_HV_MASK;
	emu.handoff.size = image->handoff_size ?: handoff_room(image);
	return TDX_SUCCESS;
}

/**
 * emu_sys_update() - TDH.SYS.UPDATE
 * @call: no operands
 *
 * A failure leaves the handoff data to the next image. Data that exceeds this TDX module's handoff
 * pages fails a sanity check, which stops the LP for good.
 *
 * Context: a trap, under emu.lock, alone inside the module.
 * Return: status.
 */
u64 emu_sys_update(struct emu_call *call)
{
	if (emu.state != EMU_MODULE_SYSINIT_DONE ||
	    cpumask_weight_and(&emu.lp_init, cpu_present_mask) < emu.booted.lps)
		return TDX_SYS_STATE_INCORRECT;
	if (!emu.handoff.valid || emu.handoff.hv < emu.image.hv.min ||
	    emu.handoff.hv > emu.image.hv.max)
		return TDX_SYS_INVALID_HANDOFF;
	if (!emu.handoff.size || emu.handoff.size > handoff_room(&emu.image))
		return emu_fatal(call);

	emu.handoff.valid = false;
	emu.handoff.size = 0;
	emu_module_enter(EMU_MODULE_READY);
	emu.updates++;
	return TDX_SUCCESS;
}

/**
 * emu_phymem_page_rdmd() - TDH.PHYMEM.PAGE.RDMD
 * @call: RCX = physical address of a page; RCX, RDX, R8 to R11 out: its metadata
 *
 * The emulator keeps no metadata. It takes every page of ordinary memory for a 4-KiB page without
 * an owner, whose metadata is all zeroes. Other addresses lie outside of all TDMRs.
 *
 * Context: a trap, under emu.lock.
 * Return: status.
 */
u64 emu_phymem_page_rdmd(struct emu_call *call)
{
	struct pt_regs *regs = call->regs;
	u64 pa = regs->cx;

	emu_clear_outputs(regs);
	regs->r9 = 0;
	regs->r10 = 0;
	regs->r11 = 0;
	if (pa & (TDX_PAGE_SIZE - 1) || pa >> boot_cpu_data.x86_phys_bits)
		return TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX;
	if (!emu_memory(pa, TDX_PAGE_SIZE))
		return TDX_TD_OPERAND_ADDR_RANGE_ERROR | TDX_OPERAND_ID_RCX;
	return TDX_SUCCESS;
}

/**
 * emu_module_clear() - no module, and no handoff data
 *
 * Context: under emu.lock, no one inside the module.
 */
void emu_module_clear(void)
{
	lockdep_assert_held(&emu.lock);

	memset(&emu.image, 0, sizeof(emu.image));
	emu_module_enter(EMU_MODULE_NONE);
	cpumask_clear(&emu.lp_init);
	emu.handoff = (struct emu_handoff){ };
}

/**
 * emu_module_reset() - the first module, as the settings want it
 *
 * Context: under emu.lock, no one inside the module.
 */
void emu_module_reset(void)
{
	const struct emu_first_module *first = &emu.first_module;

	lockdep_assert_held(&emu.lock);

	emu_module_clear();
	emu.updates = 0;
	emu.spoiled = 0;
	emu.seamextend = (struct emu_seamextend){ };
	emu.seam_ready = first->state == EMU_MODULE_READY;
	emu.dirty = emu.seam_ready;
	if (!emu.seam_ready)
		return;

	emu.seamextend.valid = SEAMLDR_INFO_VALID;
	emu.seamextend.svn = first->svn;
	emu.image.version = first->version;
	emu.image.build_num = 1;
	emu.image.build_date = 0x20240101;
	emu.image.vendor_id = SEAM_SIGSTRUCT_VENDOR_INTEL;
	emu.image.features0 = first->features0;
	emu.image.hv = first->hv;
	emu.image.rd_hv = first->rd_hv.differs ? first->rd_hv.hv : first->hv;
	emu.image.no_downgrade = first->no_downgrade;
	emu.image.num_handoff_pages = first->handoff_pages;
	emu.image.handoff_size = first->handoff_size;
	emu_module_enter(EMU_MODULE_READY);
	cpumask_copy(&emu.lp_init, cpu_possible_mask);
}
