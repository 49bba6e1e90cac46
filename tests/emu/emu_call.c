// SPDX-License-Identifier: GPL-2.0-only
/*
 * The path of a SEAMCALL: dispatcher, armed faults, delay, handler, log.
 * This file has the rules that all leaves share. The other files implement the leaves.
 * This code runs in traps: only emu_call_init() and emu_call_exit() may sleep, allocate or free.
 */
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <asm/processor-flags.h>

#include "emu.h"

/* RAX of a call of the TDX module: leaf in bits 15:0, then its version, then reserved bits. */
#define RAX_VERSION		GENMASK_ULL(23, 16)
#define RAX_RESERVED		GENMASK_ULL(62, 24)

#define NEEDS_LP_INIT		BIT(0)	/* this LP has done TDH.SYS.LP.INIT */
#define NEEDS_READY		BIT(1)	/* SYS_READY */
#define NEEDS_TD_PRESERVING	BIT(2)	/* unknown leaf without TD_PRESERVING */
#define LOCK_SHARED		BIT(3)	/* the TDX module's own lock */
#define LOCK_EXCLUSIVE		BIT(4)
#define ALONE			BIT(5)	/* no other LP may be inside the TDX module */
#define AFTER_SHUTDOWN		BIT(6)	/* answered even after TDH.SYS.SHUTDOWN */
#define HAS_VERSIONS		BIT(7)	/* accepts any RAX_VERSION */

enum td_operand { NO_TD, TDR_IN_RCX, TDR_IN_RDX, TDVPR_IN_RCX, TDVPR_IN_RDX };

struct leaf_ops {
	u64 (*handle)(struct emu_call *call);
	unsigned int flags;
	enum td_operand td;
	u64 (*check)(struct emu_call *call);	/* operands, before locking */
};

#define TD_LEAF			(NEEDS_LP_INIT | NEEDS_READY | LOCK_SHARED)

static const struct leaf_ops leaf_ops[EMU_NR_LEAVES] = {
	[EMU_SEAMLDR_INFO] = { emu_seamldr_info },
	[EMU_SEAMLDR_INSTALL] = { emu_seamldr_install },
	[EMU_SEAMLDR_SEAMINFO] = { emu_seamldr_seaminfo },

	[EMU_TDH_SYS_INIT] = { emu_sys_init, LOCK_EXCLUSIVE | HAS_VERSIONS },
	[EMU_TDH_SYS_RD] = { emu_sys_rd, NEEDS_LP_INIT },
	[EMU_TDH_SYS_LP_INIT] = { emu_sys_lp_init, LOCK_SHARED },
	[EMU_TDH_SYS_LP_SHUTDOWN] = { emu_sys_lp_shutdown, AFTER_SHUTDOWN },
	[EMU_TDH_SYS_SHUTDOWN] = {
		emu_sys_shutdown,
		NEEDS_LP_INIT | NEEDS_READY | NEEDS_TD_PRESERVING | LOCK_EXCLUSIVE | ALONE,
		.check = emu_sys_shutdown_check,
	},
	[EMU_TDH_SYS_UPDATE] = { emu_sys_update, NEEDS_TD_PRESERVING | LOCK_EXCLUSIVE },
	[EMU_TDH_PHYMEM_PAGE_RDMD] = { emu_phymem_page_rdmd, NEEDS_LP_INIT | NEEDS_READY },

	[EMU_TDH_SYS_KEY_CONFIG] = { emu_sys_key_config, NEEDS_LP_INIT | LOCK_SHARED },
	[EMU_TDH_SYS_TDMR_INIT] = { emu_sys_tdmr_init, TD_LEAF },
	[EMU_TDH_SYS_CONFIG] = { emu_sys_config, NEEDS_LP_INIT | LOCK_EXCLUSIVE },
	[EMU_TDH_SYS_DISABLE] = { emu_sys_disable, LOCK_EXCLUSIVE | ALONE },

	[EMU_TDH_MNG_CREATE] = { emu_mng_create, TD_LEAF },
	[EMU_TDH_MNG_KEY_CONFIG] = { emu_mng_key_config, TD_LEAF, TDR_IN_RCX },
	[EMU_TDH_MNG_ADDCX] = { emu_mng_addcx, TD_LEAF, TDR_IN_RDX },
	[EMU_TDH_MNG_INIT] = { emu_mng_init, TD_LEAF, TDR_IN_RCX },
	[EMU_TDH_MNG_RD] = { emu_mng_rd, TD_LEAF | HAS_VERSIONS, TDR_IN_RCX },
	[EMU_TDH_MNG_VPFLUSHDONE] = { emu_mng_vpflushdone, TD_LEAF, TDR_IN_RCX },
	[EMU_TDH_MNG_KEY_FREEID] = { emu_mng_key_freeid, TD_LEAF, TDR_IN_RCX },
	[EMU_TDH_MEM_PAGE_ADD] = { emu_mem_page_add, TD_LEAF, TDR_IN_RDX },
	[EMU_TDH_MR_EXTEND] = { emu_mr_extend, TD_LEAF, TDR_IN_RDX },
	[EMU_TDH_MR_FINALIZE] = { emu_mr_finalize, TD_LEAF, TDR_IN_RCX },
	[EMU_TDH_VP_CREATE] = { emu_vp_create, TD_LEAF, TDR_IN_RDX },
	[EMU_TDH_VP_INIT] = { emu_vp_init, TD_LEAF | HAS_VERSIONS, TDVPR_IN_RCX },
	[EMU_TDH_VP_ENTER] = { emu_vp_enter, TD_LEAF, TDVPR_IN_RCX },
	[EMU_TDH_VP_FLUSH] = { emu_vp_flush, TD_LEAF, TDVPR_IN_RCX },
	[EMU_TDH_VP_ADDCX] = { emu_vp_addcx, TD_LEAF, TDVPR_IN_RDX },
	[EMU_TDH_VP_RD] = { emu_vp_rd, TD_LEAF | HAS_VERSIONS, TDVPR_IN_RCX },
	[EMU_TDH_VP_WR] = { emu_vp_wr, TD_LEAF, TDVPR_IN_RCX },
	[EMU_TDH_MEM_SEPT_ADD] = { emu_mem_sept_add, TD_LEAF, TDR_IN_RDX },
	[EMU_TDH_MEM_RANGE_BLOCK] = { emu_mem_range_block, TD_LEAF, TDR_IN_RDX },
	[EMU_TDH_MEM_TRACK] = { emu_mem_track, TD_LEAF, TDR_IN_RCX },
	[EMU_TDH_MEM_PAGE_REMOVE] = { emu_mem_page_remove, TD_LEAF, TDR_IN_RDX },
	[EMU_TDH_PHYMEM_PAGE_RECLAIM] = { emu_phymem_page_reclaim, TD_LEAF },
	[EMU_TDH_PHYMEM_CACHE_WB] = { emu_phymem_cache_wb, TD_LEAF },
	[EMU_TDH_PHYMEM_PAGE_WBINVD] = { emu_phymem_page_wbinvd, TD_LEAF },
	[EMU_TDH_EXPORT_STATE_IMMUTABLE] = { emu_export_state, TD_LEAF, TDR_IN_RCX },
	[EMU_TDH_EXPORT_STATE_TD] = { emu_export_state, TD_LEAF, TDR_IN_RCX },
	[EMU_TDH_EXPORT_STATE_VP] = { emu_export_state, TD_LEAF, TDR_IN_RCX },
	[EMU_TDH_IMPORT_STATE_IMMUTABLE] = { emu_import_state, TD_LEAF, TDR_IN_RCX },
	[EMU_TDH_IMPORT_STATE_TD] = { emu_import_state, TD_LEAF, TDR_IN_RCX },
	[EMU_TDH_IMPORT_STATE_VP] = { emu_import_state, TD_LEAF, TDR_IN_RCX },
};

#define LEAF_NAME(symbol, name, nr) [EMU_##symbol] = name,
#define LEAF_NR(symbol, name, nr) [EMU_##symbol] = nr,
static const char *const leaf_names[] = { TDX_LEAVES(LEAF_NAME) };
static const u64 leaf_nrs[] = { TDX_LEAVES(LEAF_NR) };

/* emu.lock protects all of these. */
static struct emu_fault injected[EMU_MAX_FAULTS];
static unsigned int nr_injected;
static struct emu_log_entry *call_log;	/* a ring: entry N is at N % EMU_LOG_SIZE */
static u64 log_first, log_next;

/* Name of a leaf in the specification. */
const char *emu_leaf_name(enum emu_leaf leaf)
{
	return leaf_names[leaf];
}

/* Number of a leaf. */
u64 emu_leaf_nr(enum emu_leaf leaf)
{
	return leaf_nrs[leaf];
}

/**
 * emu_leaf_find() - find a leaf by its number
 * @nr: RAX of a SEAMCALL; the version of a TDX module's leaf is ignored
 *
 * Context: any.
 * Return: the leaf, or EMU_UNKNOWN_LEAF.
 */
enum emu_leaf emu_leaf_find(u64 nr)
{
	unsigned int leaf;

	if (!(nr & TDX_LEAF_P_SEAMLDR))
		nr &= ~RAX_VERSION;
	for (leaf = 0; leaf < EMU_NR_LEAVES; leaf++)
		if (leaf_nrs[leaf] == nr)
			break;
	return leaf;
}

/*
 * Find the armed fault that answers this call. Every matching fault counts the call. If two are
 * due, the first one answers, and the other one stays due for the next call.
 */
static bool fault_due(const struct emu_call *call, struct emu_fault *due)
{
	struct emu_fault *fault;
	unsigned int i, kept = 0;
	bool hit = false;

	for (i = 0; i < nr_injected; i++) {
		bool used_up = false;

		fault = &injected[i];
		if (fault->leaf == (call->leaf < EMU_NR_LEAVES ? leaf_nrs[call->leaf] : call->nr) &&
		    (fault->cpu == EMU_ANY_CPU || fault->cpu == (int)call->cpu)) {
			if (fault->nth > 1) {
				fault->nth--;
			} else if (!hit) {
				*due = *fault;
				hit = true;
				used_up = fault->count && !--fault->count;
			}
		}
		if (!used_up)
			injected[kept++] = *fault;
	}
	nr_injected = kept;
	return hit;
}

/*
 * Wait until the test releases the call, a minute at most. Interrupts are on meanwhile, even if the
 * caller had disabled them: other CPUs must be able to reach this one. On PREEMPT_RT preemption is
 * on too, because another task on this CPU may hold a lock that the releasing task needs. Without
 * PREEMPT_RT the holder of such a lock is not preempted. There this task must not be preempted
 * either, because it is inside an RCU read-side section.
 */
static void hold(unsigned int leaf)
	__releases(&emu.lock) __acquires(&emu.lock)
{
	unsigned int ms;

	migrate_disable();
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_disable();
	raw_spin_unlock(&emu.lock);
	for (ms = 0; READ_ONCE(emu.hold[leaf]) && ms < 60 * MSEC_PER_SEC; ms++) {
		local_irq_enable();
		emu_busy_wait(NSEC_PER_MSEC);
		local_irq_disable();
	}
	raw_spin_lock(&emu.lock);
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_enable();
	migrate_enable();
}

/* Spend the time that the leaf takes. Other LPs can see that this LP is inside the firmware. */
static void leaf_delay(const struct emu_call *call)
	__releases(&emu.lock) __acquires(&emu.lock)
{
	u64 ns = call->leaf < EMU_NR_LEAVES ? emu.delay_ns[call->leaf] : 0;

	if (call->leaf < EMU_NR_LEAVES && emu.hold[call->leaf])
		hold(call->leaf);
	if (!ns)
		return;
	raw_spin_unlock(&emu.lock);
	emu_busy_wait(ns);
	raw_spin_lock(&emu.lock);
}

/* P-SEAMLDR serves one LP of the whole machine at a time (docs/firmware.md, SEAMCALL). */
static u64 call_seamldr(struct emu_call *call)
{
	struct emu_fault fault;
	bool faulty;
	u64 status;

	if (!emu.platform.pseamldr || emu.seamldr_busy)
		return TDX_SW_VMFAILINVALID;
	faulty = fault_due(call, &fault);
	if (faulty && emu_is_sw_status(fault.status))
		return fault.status;

	emu.seamldr_busy = true;
	leaf_delay(call);
	if (faulty)
		status = emu_seamldr_fault(call, &fault);
	else if (call->leaf == EMU_UNKNOWN_LEAF)
		status = SEAMLDR_EBADPARAM;
	else
		status = leaf_ops[call->leaf].handle(call);
	emu.seamldr_busy = false;

	if (emu_lies(EMU_LIE_REGISTERS))
		call->regs->r9 = 1;
	if (emu.platform.erratum)
		emu_vmx_lose_vmcs();
	return status;
}

/*
 * The checks of the TDX module's dispatcher, in its order. OPERAND_INVALID is about RAX, whose
 * operand id is 0.
 */
static u64 dispatch(const struct emu_call *call)
{
	bool known = call->leaf != EMU_UNKNOWN_LEAF;
	unsigned int flags = 0;

	if (known)
		flags = leaf_ops[call->leaf].flags;
	if (flags & NEEDS_TD_PRESERVING &&
	    !(emu.image.features0 & TDX_FEATURES0_TD_PRESERVING)) {
		known = false;
		flags = 0;
	}

	if (call->nr & RAX_RESERVED || (call->nr & RAX_VERSION && !(flags & HAS_VERSIONS)))
		return TDX_OPERAND_INVALID;
	if (emu.state == EMU_MODULE_SHUTDOWN && !(flags & AFTER_SHUTDOWN))
		return TDX_SYS_SHUTDOWN;
	if (emu.state != EMU_MODULE_READY && (!known || flags & NEEDS_READY) &&
	    !(flags & AFTER_SHUTDOWN))
		return TDX_SYS_NOT_READY;
	return known ? TDX_SUCCESS : TDX_OPERAND_INVALID;
}

/* The checks that a leaf makes after the dispatcher's: its LP, its operands, the locks. */
static u64 admit(struct emu_call *call)
{
	const struct leaf_ops *ops = &leaf_ops[call->leaf];
	u64 status = TDX_SUCCESS;

	if (ops->flags & NEEDS_LP_INIT && !cpumask_test_cpu(call->cpu, &emu.lp_init))
		return TDX_SYS_LP_INIT_NOT_DONE;
	if (ops->check)
		status = ops->check(call);
	if (status)
		return status;
	if ((ops->flags & (LOCK_SHARED | LOCK_EXCLUSIVE) && emu.exclusive) ||
	    (ops->flags & LOCK_EXCLUSIVE && emu.shared) || (ops->flags & ALONE && emu.inside))
		return TDX_SYS_BUSY;

	switch (ops->td) {
	case TDR_IN_RCX:
		return emu_td_lock_tdr(call, call->regs->cx, TDX_OPERAND_ID_RCX);
	case TDR_IN_RDX:
		return emu_td_lock_tdr(call, call->regs->dx, TDX_OPERAND_ID_RDX);
	case TDVPR_IN_RCX:
		return emu_td_lock_tdvpr(call, call->regs->cx, TDX_OPERAND_ID_RCX);
	case TDVPR_IN_RDX:
		return emu_td_lock_tdvpr(call, call->regs->dx, TDX_OPERAND_ID_RDX);
	default:
		return TDX_SUCCESS;
	}
}

/* Enter the TDX module and take the leaf's lock (@by = 1), or release it and leave (@by = -1). */
static void lock(const struct emu_call *call, int by)
{
	unsigned int flags = leaf_ops[call->leaf].flags;

	emu.inside += by;
	if (flags & LOCK_SHARED)
		emu.shared += by;
	if (flags & LOCK_EXCLUSIVE)
		emu.exclusive = by > 0;
}

/**
 * emu_clear_outputs() - clear RCX, RDX and R8
 * @regs: the caller's registers
 *
 * TDH.SYS.INIT and TDH.SYS.LP.INIT name a wrong MSR or CPUID field in these registers.
 *
 * Context: a trap.
 */
void emu_clear_outputs(struct pt_regs *regs)
{
	regs->cx = 0;
	regs->dx = 0;
	regs->r8 = 0;
}

/* These leaves set their outputs before they check anything, so a failed call has them too. */
static void failed_outputs(struct pt_regs *regs, enum emu_leaf leaf)
{
	switch (leaf) {
	case EMU_TDH_SYS_RD:
		regs->dx = EMU_NO_FIELD;
		regs->r8 = 0;
		break;
	case EMU_TDH_SYS_INIT:
		regs->r9 = 0;
		regs->r10 = 0;
		fallthrough;
	case EMU_TDH_SYS_LP_INIT:
		emu_clear_outputs(regs);
		break;
	default:
		break;
	}
}

static u64 answer_fault(struct emu_call *call, const struct emu_fault *fault)
{
	struct pt_regs *regs = call->regs;

	if (emu_is_sw_status(fault->status))
		return fault->status;
	emu.inside++;
	leaf_delay(call);
	emu.inside--;
	regs->dx = fault->rdx;
	failed_outputs(regs, call->leaf);
	if (fault->rdx)
		regs->dx = fault->rdx;
	if (fault->rcx)
		regs->cx = fault->rcx;
	if (fault->r8)
		regs->r8 = fault->r8;
	return fault->status;
}

static u64 call_module(struct emu_call *call)
{
	struct emu_fault fault;
	u64 status;

	if (emu.state == EMU_MODULE_NONE || !emu.seam_ready)
		return TDX_SW_VMFAILINVALID;
	if (fault_due(call, &fault))
		return answer_fault(call, &fault);

	status = dispatch(call);
	if (status)
		return status;
	status = admit(call);
	if (status) {
		failed_outputs(call->regs, call->leaf);
		return status;
	}

	lock(call, 1);
	leaf_delay(call);
	status = leaf_ops[call->leaf].handle(call);
	lock(call, -1);
	if (call->td)
		emu_td_unlock(call);
	return status;
}

/**
 * emu_fatal() - act out a failed sanity check of the firmware
 * @call: the call
 *
 * On hardware it stops the LP for good, which would hang the guest before a test could see it. So
 * this call and every later SEAMCALL of any LP end in VMfailInvalid until the next reset.
 *
 * Context: a trap, under emu.lock.
 * Return: TDX_SW_VMFAILINVALID.
 */
u64 emu_fatal(const struct emu_call *call)
{
	emu.fatal = call->leaf + 1;
	return TDX_SW_VMFAILINVALID;
}

/**
 * emu_seamcall() - carry out one SEAMCALL
 * @regs: the caller's registers; operands in, outputs out, except for RAX
 *
 * Takes as long as the delay of the leaf says, and waits while the leaf is held.
 *
 * Context: a trap; does not allocate or print, and does not sleep.
 * Return: the completion status, or one of TDX_SW_STATUSES.
 */
u64 emu_seamcall(struct pt_regs *regs)
{
	struct emu_call call = {
		.regs = regs,
		.nr = regs->ax,
		.leaf = emu_leaf_find(regs->ax),
		.cpu = smp_processor_id(),
	};
	struct emu_log_entry entry = {
		.cpu = call.cpu,
		.nr = call.nr,
		.rcx = regs->cx,
		.rdx = regs->dx,
		/* This clock is safe in a trap that interrupted the timekeeping code. */
		.start_ns = ktime_get_mono_fast_ns(),
	};
	unsigned long flags;

	raw_spin_lock_irqsave(&emu.lock, flags);
	emu.calls[call.leaf]++;
	if (!emu_vmx_on() || emu.platform.seam == EMU_SEAM_OFF)
		entry.status = TDX_SW_UD;
	else if (emu.platform.seam == EMU_SEAM_GP)
		entry.status = TDX_SW_GP;
	else if (emu.fatal)
		entry.status = TDX_SW_VMFAILINVALID;
	else if (call.nr & TDX_LEAF_P_SEAMLDR)
		entry.status = call_seamldr(&call);
	else
		entry.status = call_module(&call);
	if (call.nr & TDX_LEAF_P_SEAMLDR && regs->flags & X86_EFLAGS_IF)
		emu.irqs_on++;

	entry.rdx_out = regs->dx;
	entry.seq = log_next + 1;
	entry.end_ns = ktime_get_mono_fast_ns();
	call_log[log_next++ % EMU_LOG_SIZE] = entry;
	raw_spin_unlock_irqrestore(&emu.lock, flags);
	return entry.status;
}

/**
 * emu_faults_arm() - arm faults, after the ones armed before
 * @faults: the faults
 * @nr: number of faults
 * @clear_first: disarm the earlier faults first
 *
 * Context: under emu.lock.
 * Return: false if there is no room for all; then nothing has changed.
 */
bool emu_faults_arm(const struct emu_fault *faults, unsigned int nr, bool clear_first)
{
	unsigned int kept = clear_first ? 0 : nr_injected;

	lockdep_assert_held(&emu.lock);

	if (nr > EMU_MAX_FAULTS - kept)
		return false;
	memcpy(&injected[kept], faults, nr * sizeof(*faults));
	nr_injected = kept + nr;
	return true;
}

/**
 * emu_faults_copy() - copy the armed faults
 * @faults: filled in; room for EMU_MAX_FAULTS
 *
 * Their @nth and @count are what is left of them.
 *
 * Context: under emu.lock.
 * Return: the number of faults.
 */
unsigned int emu_faults_copy(struct emu_fault *faults)
{
	lockdep_assert_held(&emu.lock);

	memcpy(faults, injected, nr_injected * sizeof(*faults));
	return nr_injected;
}

/**
 * emu_log_copy() - copy the log, oldest call first
 * @entries: filled in; room for EMU_LOG_SIZE, or NULL to count only
 *
 * Calls are in the order in which they ended.
 *
 * Context: under emu.lock.
 * Return: the number of entries.
 */
unsigned int emu_log_copy(struct emu_log_entry *entries)
{
	u64 first, seq;

	lockdep_assert_held(&emu.lock);

	first = log_next - log_first > EMU_LOG_SIZE ? log_next - EMU_LOG_SIZE : log_first;
	for (seq = first; entries && seq < log_next; seq++)
		*entries++ = call_log[seq % EMU_LOG_SIZE];
	return log_next - first;
}

/* Empty the log; sequence numbers go on. Under emu.lock. */
void emu_log_clear(void)
{
	lockdep_assert_held(&emu.lock);

	log_first = log_next;
}

/* Disarm all injected faults, and clear stopped LPs, counters and the log. Under emu.lock. */
void emu_call_reset(void)
{
	lockdep_assert_held(&emu.lock);

	nr_injected = 0;
	emu.fatal = 0;
	emu.irqs_on = 0;
	memset(emu.calls, 0, sizeof(emu.calls));
	log_first = 0;
	log_next = 0;
}

/* Allocate the log. */
int emu_call_init(void)
{
	BUILD_BUG_ON(ARRAY_SIZE(leaf_names) != EMU_NR_LEAVES);

	call_log = vzalloc(EMU_LOG_SIZE * sizeof(*call_log));
	return call_log ? 0 : -ENOMEM;
}

/* Undo emu_call_init(). */
void emu_call_exit(void)
{
	vfree(call_log);
}
