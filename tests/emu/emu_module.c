// SPDX-License-Identifier: GPL-2.0-only
/*
 * The TDX module's own life: TDH.SYS.*, from its initialisation to its shutdown and hand-over.
 * Who may call at all has been decided before (emu_call.c); TDs are emu_td.c's.
 * Runs in traps under emu.lock.
 */
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/string.h>

#include "emu.h"

#define NO_NEXT_FIELD		(~0ULL)
/* A byte of the BIOS data area that no one uses; neither a kernel nor a kexec touches its page. */
#define LEFT_PA			0x4f0

/* Little endian, so that a field's lower bytes are where the field is. */
#define FIELD(id, member)	\
	{ id, offsetof(struct emu_image, member), sizeof_field(struct emu_image, member) }

static const struct {
	u64 id;
	u16 offset;
	u16 size;
} fields[] = {
	FIELD(TDX_MD_VENDOR_ID, vendor_id),
	FIELD(TDX_MD_MINOR_VERSION, version.minor),
	FIELD(TDX_MD_MAJOR_VERSION, version.major),
	FIELD(TDX_MD_UPDATE_VERSION, version.update),
	FIELD(TDX_MD_FEATURES0, features0),
	FIELD(TDX_MD_BUILD_NUM, build_num),
	FIELD(TDX_MD_BUILD_DATE, build_date),
	FIELD(TDX_MD_NO_DOWNGRADE, no_downgrade),
	FIELD(TDX_MD_MODULE_HV, hv.max),
	FIELD(TDX_MD_MIN_UPDATE_HV, hv.min),
	FIELD(TDX_MD_NUM_HANDOFF_PAGES, num_handoff_pages),
};

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

/**
 * emu_sys_init() - TDH.SYS.INIT
 * @call: RCX = 0
 *
 * SPEC.md section 2.
 *
 * Context: a trap, under emu.lock, alone inside the module.
 * Return: status.
 */
u64 emu_sys_init(struct emu_call *call)
{
	if (call->regs->cx)
		return TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX;
	if (emu.state != EMU_MODULE_SYSINIT_PENDING)
		return TDX_SYS_INIT_NOT_PENDING;
	emu_module_enter(EMU_MODULE_SYSINIT_DONE);
	return TDX_SUCCESS;
}

/**
 * emu_sys_lp_init() - TDH.SYS.LP.INIT
 * @call: no operands
 *
 * SPEC.md section 2.
 *
 * Context: a trap, under emu.lock.
 * Return: status.
 */
u64 emu_sys_lp_init(struct emu_call *call)
{
	if (emu.state == EMU_MODULE_SYSINIT_PENDING)
		return TDX_SYS_LP_INIT_NOT_PENDING;
	if (cpumask_test_and_set_cpu(call->cpu, &emu.lp_init))
		return TDX_SYS_LP_INIT_DONE;
	return TDX_SUCCESS;
}

/**
 * emu_sys_lp_shutdown() - TDH.SYS.LP.SHUTDOWN
 * @call: no operands
 *
 * Legal in a module shut down, where it has nothing left to do.
 *
 * Context: a trap, under emu.lock.
 * Return: status.
 */
u64 emu_sys_lp_shutdown(struct emu_call *call)
{
	return emu.state == EMU_MODULE_SHUTDOWN ? TDX_SUCCESS : TDX_SYS_STATE_INCORRECT;
}

/**
 * emu_sys_rd() - TDH.SYS.RD
 * @call: RDX = field id; R8 out: value, RDX out: next field id
 *
 * SPEC.md section 2. The next field is the next one that the emulator knows, after the last all
 * ones.
 *
 * Context: a trap, under emu.lock.
 * Return: status.
 */
u64 emu_sys_rd(struct emu_call *call)
{
	unsigned int i;
	u64 value = 0;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		if (fields[i].id != call->regs->dx)
			continue;
		memcpy(&value, (const u8 *)&emu.image + fields[i].offset, fields[i].size);
		call->regs->r8 = value;
		call->regs->dx = i + 1 < ARRAY_SIZE(fields) ? fields[i + 1].id : NO_NEXT_FIELD;
		return TDX_SUCCESS;
	}
	return TDX_METADATA_FIELD_ID_INCORRECT;
}

/**
 * emu_sys_shutdown() - TDH.SYS.SHUTDOWN
 * @call: RCX = handoff version, and the wish not to split TD builds
 *
 * SPEC.md section 3. A refusal changes nothing. Success without that wish spoils the builds that it
 * splits at once, not at the hand-over: there is no way back from it.
 *
 * Context: a trap, under emu.lock, alone inside the module.
 * Return: status.
 */
u64 emu_sys_shutdown(struct emu_call *call)
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

	if (!(rcx & TDX_SHUTDOWN_AVOID_COMPAT_SENSITIVE))
		emu_td_spoil();
	else if (emu_td_update_sensitive())
		return TDX_UPDATE_COMPAT_SENSITIVE | TDX_SHUTDOWN_AVOID_COMPAT_SENSITIVE;

	emu_module_enter(EMU_MODULE_SHUTDOWN);
	emu.handoff = true;
	emu.handoff_hv = hv;
	return TDX_SUCCESS;
}

/**
 * emu_sys_update() - TDH.SYS.UPDATE
 * @call: no operands
 *
 * SPEC.md section 2. A failure leaves the handoff data to the next image.
 *
 * Context: a trap, under emu.lock, alone inside the module.
 * Return: status.
 */
u64 emu_sys_update(struct emu_call *call)
{
	if (emu.state != EMU_MODULE_SYSINIT_DONE ||
	    cpumask_weight_and(&emu.lp_init, cpu_present_mask) < emu.booted.lps)
		return TDX_SYS_STATE_INCORRECT;
	if (!emu.handoff || emu.handoff_hv < emu.image.hv.min || emu.handoff_hv > emu.image.hv.max)
		return TDX_SYS_INVALID_HANDOFF;

	emu.handoff = false;
	emu_module_enter(EMU_MODULE_READY);
	emu.updates++;
	return TDX_SUCCESS;
}

/**
 * emu_phymem_page_rdmd() - TDH.PHYMEM.PAGE.RDMD
 * @call: RCX = physical address of a page; RCX, RDX, R8 out: its type, owner and size
 *
 * The emulator keeps no metadata of pages. Every page of ordinary memory is a 4-KiB page that is
 * assigned to no TD.
 *
 * Context: a trap, under emu.lock.
 * Return: status.
 */
u64 emu_phymem_page_rdmd(struct emu_call *call)
{
	if (!emu_memory(call->regs->cx, TDX_PAGE_SIZE))
		return TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX;
	call->regs->cx = 0;
	call->regs->dx = 0;
	call->regs->r8 = 0;
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
	emu.handoff = false;
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
	emu.seam_ready = first->state == EMU_MODULE_READY;
	if (!emu.seam_ready)
		return;

	emu.image.version = first->version;
	emu.image.build_num = 1;
	emu.image.build_date = 0x20240101;
	emu.image.vendor_id = SEAM_SIGSTRUCT_VENDOR_INTEL;
	emu.image.svn = first->svn;
	emu.image.features0 = first->features0;
	emu.image.hv = first->hv;
	emu.image.no_downgrade = first->no_downgrade;
	emu.image.num_handoff_pages = 1;
	emu_module_enter(EMU_MODULE_READY);
	cpumask_copy(&emu.lp_init, cpu_possible_mask);
}
