// SPDX-License-Identifier: GPL-2.0-only
/*
 * The TDX module from its initialisation to its shutdown and handoff: TDH.SYS.*.
 * emu_call.c has checked whether the call is allowed. Metadata is in emu_metadata.c, TDs are in
 * emu_td.c. Runs in traps under emu.lock.
 */
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/string.h>

#include <asm/processor.h>

#include "emu.h"

/* An unused byte of the BIOS data area. Neither a kernel nor kexec writes to its page. */
#define LEFT_PA			0x4f0

/**
 * emu_module_enter() - set the state of the TDX module
 * @state: the new state
 *
 * Real firmware keeps its state across kexec, the emulator does not. So the state is also stored
 * where the next kernel's emulator finds it.
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
 * emu_module_left() - the state in which the previous kernel left the TDX module (kexec)
 *
 * Context: any; before the first reset.
 * Return: the state; meaningless if the previous kernel had no emulator.
 */
enum emu_module_state emu_module_left(void)
{
	return *(u8 *)__va(LEFT_PA);
}

/* The sigstruct must have the build's newest handoff version, and no older one than the build. */
static bool sigstruct_suits(const struct emu_image *image)
{
	return image->hv.max == image->rd_hv.max && image->hv.min >= image->rd_hv.min;
}

/**
 * emu_sys_init() - TDH.SYS.INIT
 * @call: RCX = 0; RCX, RDX, R8 to R10 out: 0, since the emulator's answers have no details
 *
 * Context: a trap, under emu.lock, with the TDX module's lock held exclusively.
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
 * @call: no operands; RCX, RDX, R8 out: 0, since the emulator's answers have no details
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
 * Does nothing, and succeeds in every state.
 *
 * Context: a trap, under emu.lock.
 * Return: status.
 */
u64 emu_sys_lp_shutdown(struct emu_call *call)
{
	return TDX_SUCCESS;
}

/* Bytes that the TDX module has for handoff data, without the header. */
static u32 handoff_room(const struct emu_image *image)
{
	return (image->num_handoff_pages + 1) * TDX_PAGE_SIZE - EMU_HANDOFF_HEAD;
}

/**
 * emu_sys_shutdown_check() - check the operand of TDH.SYS.SHUTDOWN
 * @call: RCX = handoff version and AVOID_COMPAT_SENSITIVE
 *
 * A TDX module without UPDATE_COMPAT takes AVOID_COMPAT_SENSITIVE for part of the version.
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
 * A failure changes nothing. Success without race rejection spoils the update-sensitive operations
 * under way here and not in TDH.SYS.UPDATE, because nothing can undo a shutdown.
 *
 * Context: a trap, under emu.lock; no other LP is inside the TDX module.
 * Return: status.
 */
u64 emu_sys_shutdown(struct emu_call *call)
{
	const struct emu_image *image = &emu.image;
	u64 rcx = call->regs->cx;

	if (!(rcx & TDX_SHUTDOWN_AVOID_COMPAT_SENSITIVE) || emu_lies(EMU_LIE_RACE))
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
 * After a failure the handoff data remains for the next image. If the data exceeds this TDX
 * module's handoff pages, a sanity check fails, which stops the LP for good: see emu_fatal().
 *
 * Context: a trap, under emu.lock, with the TDX module's lock held exclusively.
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

	emu.handoff.valid = emu_lies(EMU_LIE_HANDOFF_KEPT);
	emu.handoff.size = 0;
	emu_module_enter(EMU_MODULE_READY);
	emu.updates++;
	return TDX_SUCCESS;
}

/**
 * emu_sys_disable() - TDH.SYS.DISABLE
 * @call: no operands
 *
 * Linux calls it when it shuts down or starts another kernel. Intel's published sources do not have
 * it. Here it ends TDX module and TDs, as Linux says of it.
 *
 * Context: a trap, under emu.lock; no other LP is inside the TDX module.
 * Return: status.
 */
u64 emu_sys_disable(struct emu_call *call)
{
	emu_td_clear();
	emu_module_clear();
	emu.seam_ready = false;
	return TDX_SUCCESS;
}

/**
 * emu_phymem_page_rdmd() - TDH.PHYMEM.PAGE.RDMD
 * @call: RCX = physical address of a page; RCX, RDX, R8 to R11 out: its metadata
 *
 * The emulator keeps no metadata. It treats every page of ordinary memory as a 4-KiB page without
 * an owner, whose metadata is all zeroes. It treats other addresses as outside of all TDMRs.
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
 * emu_module_clear() - remove the TDX module and the handoff data
 *
 * Context: under emu.lock; no LP is inside the TDX module.
 */
void emu_module_clear(void)
{
	lockdep_assert_held(&emu.lock);

	memset(&emu.image, 0, sizeof(emu.image));
	emu_module_enter(EMU_MODULE_NONE);
	cpumask_clear(&emu.lp_init);
	emu.handoff = (struct emu_handoff){ };
	emu_tdmr_clear();
}

/**
 * emu_module_reset() - install the first TDX module, or none, as the settings say
 *
 * Context: under emu.lock; no LP is inside the TDX module.
 */
void emu_module_reset(void)
{
	const struct emu_first_module *first = &emu.first_module;

	lockdep_assert_held(&emu.lock);

	emu_module_clear();
	emu.updates = 0;
	emu.spoiled = 0;
	emu.seamextend = (struct emu_seamextend){ };
	emu.seam_ready = first->state != EMU_MODULE_NONE;
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
	emu_module_enter(first->state);
	if (first->state == EMU_MODULE_READY)
		cpumask_copy(&emu.lp_init, cpu_possible_mask);
}
