// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEAMCALL to the TDX module and to P-SEAMLDR, and the VMCS guard that P-SEAMLDR needs. Usable in
 * the blackout: nothing here sleeps, allocates, prints or takes a lock.
 */
#include <linux/atomic.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>

#include <asm/asm.h>
#include <asm/processor.h>
#include <asm/trapnr.h>

#include "tdx_update.h"

/*
 * How often to repeat a call after a transient answer (busy, no entropy). Firmware becomes free
 * within microseconds; a thousand calls take much longer.
 */
#define RETRIES_MAX	1000

static atomic_t vmcs_lost = ATOMIC_INIT(0);

/**
 * tdxu_seamcall() - execute SEAMCALL once
 * @leaf: leaf number
 * @args: operands in, outputs out
 *
 * docs/firmware.md, SEAMCALL. For leaves of P-SEAMLDR call tdxu_seamldr_call() instead, or call
 * tdxu_vmcs_save() before and tdxu_vmcs_restore() after them.
 *
 * Context: any, interrupts on or off. A leaf that is about the LP needs preemption off.
 * Return: the completion status, or a software status (TDX_SW_STATUSES) if the firmware gave none.
 */
u64 tdxu_seamcall(u64 leaf, struct tdxu_args *args)
{
	u64 rcx = args->rcx, rdx = args->rdx;
	u64 save8 = args->r8, save9 = args->r9, save10 = args->r10, save11 = args->r11;
	u64 status = leaf;
	/*
	 * A sanitizer adds calls to every memory access, which would destroy these registers. So
	 * access no memory until all of them are saved.
	 */
	register u64 r8 asm("r8") = save8;
	register u64 r9 asm("r9") = save9;
	register u64 r10 asm("r10") = save10;
	register u64 r11 asm("r11") = save11;

	/*
	 * A trap continues at 2 with its vector in RAX; TDX_SW_ERROR makes that a status.
	 * VMfailInvalid sets CF and leaves RAX alone.
	 */
	asm volatile("1:\t.byte 0x66, 0x0f, 0x01, 0xcf\n\t"
		     "jnc 3f\n\t"
		     "mov %[vmfail], %%rax\n\t"
		     "jmp 3f\n"
		     "2:\tor %[trap], %%rax\n"
		     "3:\n"
		     _ASM_EXTABLE_FAULT(1b, 2b)
		     : "+a" (status), "+c" (rcx), "+d" (rdx),
		       "+r" (r8), "+r" (r9), "+r" (r10), "+r" (r11)
		     : [vmfail] "r" ((u64)TDX_SW_VMFAILINVALID), [trap] "r" ((u64)TDX_SW_ERROR)
		     : "cc", "memory");

	save8 = r8;
	save9 = r9;
	save10 = r10;
	save11 = r11;
	*args = (struct tdxu_args){
		.rcx = rcx, .rdx = rdx, .r8 = save8, .r9 = save9, .r10 = save10, .r11 = save11,
	};
	return status;
}

/* Can the same call of the TDX module succeed later? */
static bool is_transient(u64 status)
{
	switch (status & TDX_STATUS_MASK) {
	case TDX_OPERAND_BUSY:
	case TDX_SYS_BUSY:
	case TDX_RND_NO_ENTROPY:
		return true;
	}
	return false;
}

/**
 * tdxu_seamcall_retry() - call a leaf of the TDX module, and repeat it after a transient answer
 * @leaf: leaf number
 * @in: operands, the same for every call
 * @out: filled in: outputs of the last call
 *
 * Repeats the call a bounded number of times.
 *
 * Context: as tdxu_seamcall().
 * Return: as tdxu_seamcall(), of the last call.
 */
u64 tdxu_seamcall_retry(u64 leaf, const struct tdxu_args *in, struct tdxu_args *out)
{
	unsigned int tries = 0;
	u64 status;

	for (;;) {
		*out = *in;
		status = tdxu_seamcall(leaf, out);
		if (!is_transient(status) || ++tries > RETRIES_MAX)
			return status;
		cpu_relax();
	}
}

/* Return false if the instruction traps: this CPU is not in VMX operation. */
static bool vmptrst(u64 *pa)
{
	u64 trap = 0;

	asm volatile("1:\tvmptrst (%[pa])\n"
		     "2:\n"
		     _ASM_EXTABLE_FAULT(1b, 2b)
		     : "+a" (trap) : [pa] "r" (pa) : "cc", "memory");
	return !trap;
}

static bool vmptrld(u64 pa)
{
	u64 trap = 0;
	bool failed;

	/* CF or ZF: VMfail. */
	asm volatile("1:\tvmptrld (%[pa])\n"
		     "2:\n"
		     _ASM_EXTABLE_FAULT(1b, 2b)
		     : "+a" (trap), "=@ccbe" (failed) : [pa] "r" (&pa) : "memory");
	return !trap && !failed;
}

/**
 * tdxu_vmcs_save() - read the current-VMCS pointer of this CPU
 * @pa: filled in: its physical address, or VMX_NO_CURRENT_VMCS
 *
 * Call this before P-SEAMLDR, and tdxu_vmcs_restore() after it (docs/firmware.md, Current VMCS).
 *
 * Context: interrupts off until the pointer is restored.
 * Return: false if the CPU is not in VMX operation; then there is nothing to restore.
 */
bool tdxu_vmcs_save(u64 *pa)
{
	return vmptrst(pa);
}

/**
 * tdxu_vmcs_restore() - restore the current-VMCS pointer of this CPU
 * @pa: the value that tdxu_vmcs_save() read
 *
 * Counts a failure, see tdxu_vmcs_lost().
 *
 * Context: interrupts off since the pointer was saved.
 */
void tdxu_vmcs_restore(u64 pa)
{
	lockdep_assert_irqs_disabled();

	if (pa != VMX_NO_CURRENT_VMCS && !vmptrld(pa))
		atomic_inc(&vmcs_lost);
}

/**
 * tdxu_seamldr_call() - call a leaf of P-SEAMLDR and keep KVM's current VMCS
 * @leaf: leaf number
 * @args: operands in, outputs out
 *
 * On CPUs with IA32_VMX_BASIC bit 60 clear a P-SEAMLDR call clears the current-VMCS pointer
 * (docs/firmware.md, Current VMCS). Interrupts are off so that nothing uses the pointer meanwhile;
 * an NMI does not use it. P-SEAMLDR serves one LP at a time. If it is busy or not loaded the answer
 * is TDX_SW_VMFAILINVALID.
 *
 * Context: interrupts off.
 * Return: the completion status, or a software status. TDX_SW_UD also if the CPU is not in VMX
 * operation; then P-SEAMLDR was not called.
 */
u64 tdxu_seamldr_call(u64 leaf, struct tdxu_args *args)
{
	u64 status, vmcs;

	lockdep_assert_irqs_disabled();

	if (!tdxu_vmcs_save(&vmcs))
		return TDX_SW_UD;
	status = tdxu_seamcall(leaf, args);
	tdxu_vmcs_restore(vmcs);
	return status;
}

/**
 * tdxu_in_vmx_operation() - is this CPU in VMX root operation?
 *
 * Context: any; migration off if the answer has to be about this CPU.
 * Return: whether VMPTRST works here, because SEAMCALL needs the same (docs/firmware.md, Current
 * VMCS).
 */
bool tdxu_in_vmx_operation(void)
{
	u64 vmcs;

	return vmptrst(&vmcs);
}

/**
 * tdxu_vmcs_lost() - count failures of tdxu_vmcs_restore() since the module was loaded
 *
 * No CPU is known to do this. If one does, nobody may trust KVM on this host any more.
 *
 * Context: any.
 */
unsigned int tdxu_vmcs_lost(void)
{
	return atomic_read(&vmcs_lost);
}

#define NAME_OF(symbol, name, value) { value, name },

struct name_of {
	u64 value;
	const char *name;
};

static const struct name_of leaf_names[] = { TDX_LEAVES(NAME_OF) };
static const struct name_of module_statuses[] = { TDX_STATUSES(NAME_OF) };
static const struct name_of seamldr_statuses[] = { SEAMLDR_STATUSES(NAME_OF) };
static const struct name_of sw_statuses[] = { TDX_SW_STATUSES(NAME_OF) };

static const char *look_up(const struct name_of *names, size_t num, u64 value)
{
	size_t i;

	for (i = 0; i < num; i++)
		if (names[i].value == value)
			return names[i].name;
	return NULL;
}

/* The name of a leaf, as the specification spells it; "none" for TDXU_NO_LEAF. */
const char *tdxu_leaf_name(u64 leaf)
{
	return look_up(leaf_names, ARRAY_SIZE(leaf_names), leaf) ?: "none";
}

/**
 * tdxu_status_key() - the part of a status that has a name
 * @leaf: the leaf that returned it: only statuses of the TDX module have details
 * @status: the status
 *
 * Context: any.
 */
u64 tdxu_status_key(u64 leaf, u64 status)
{
	if ((leaf & TDX_LEAF_P_SEAMLDR) || (status & TDX_SW_ERROR) == TDX_SW_ERROR)
		return status;
	return status & TDX_STATUS_MASK;
}

/**
 * tdxu_status_name() - the name of a status, as the specification spells it
 * @leaf: the leaf that returned it: P-SEAMLDR and the TDX module have different statuses
 * @status: the status with its details
 *
 * Context: any.
 * Return: the name, "unknown status" if the specification has none.
 */
const char *tdxu_status_name(u64 leaf, u64 status)
{
	const u64 key = tdxu_status_key(leaf, status);
	const char *name = look_up(sw_statuses, ARRAY_SIZE(sw_statuses), key);

	if (!name && (leaf & TDX_LEAF_P_SEAMLDR))
		name = look_up(seamldr_statuses, ARRAY_SIZE(seamldr_statuses), key);
	else if (!name)
		name = look_up(module_statuses, ARRAY_SIZE(module_statuses), key);
	return name ?: "unknown status";
}
