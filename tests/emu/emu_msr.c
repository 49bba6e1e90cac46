// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MSRs that describe SEAM. QEMU's software emulation reads an unknown MSR as 0 and raises no
 * #GP, so there is no trap to catch. The emulator diverts the reads of rdmsr_safe() instead; other
 * ways to read an MSR return the CPU's own value.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <asm/extable.h>
#include <asm/msr.h>
#include <asm/paravirt.h>
#include <asm/processor.h>

#include "emu.h"

/* Bits of IA32_VMX_BASIC. If VMCS_KEPT is 0, P-SEAMLDR calls clear the current-VMCS pointer. */
#define VMX_BASIC_REVISION	0x13ULL
#define VMX_BASIC_VMCS_SIZE	(0x400ULL << 32)
#define VMX_BASIC_WRITE_BACK	(6ULL << 50)
#define VMX_BASIC_TRUE_CTLS	(1ULL << 55)
#define VMX_BASIC_VMCS_KEPT	(1ULL << 60)

#define SEAMRR_MASK_LOCKED	(1ULL << 10)

/* On a CPU with VMX, KVM reads this MSR too, and needs the CPU's own value. */
static u64 vmx_basic(void)
{
	const bool kept = !emu.platform.erratum || emu_lies(EMU_LIE_VMCS_BIT);
	u64 basic;

	if (emu_vmx_is_real()) {
		basic = native_read_msr(MSR_IA32_VMX_BASIC) & ~VMX_BASIC_VMCS_KEPT;
		return basic | (kept ? VMX_BASIC_VMCS_KEPT : 0);
	}
	return VMX_BASIC_REVISION | VMX_BASIC_VMCS_SIZE | VMX_BASIC_WRITE_BACK |
	       VMX_BASIC_TRUE_CTLS | (kept ? VMX_BASIC_VMCS_KEPT : 0);
}

/* All other bits are set, so that a reader that does not mask them reads a wrong value. */
static u64 sgx_debug_mode(void)
{
	return emu.booted.unlocked ? ~0u : ~SGX_DEBUG_MODE_UNLOCKED;
}

static u64 seamrr_base(void)
{
	return EMU_SEAMRR_BASE;
}

/* The range's size is a power of two, so it may extend beyond P-SEAMLDR's end. */
static u64 seamrr_mask(void)
{
	u64 size = roundup_pow_of_two(emu_p_seamldr_base() + EMU_P_SEAMLDR_SIZE - EMU_SEAMRR_BASE);
	u64 addresses = (1ULL << boot_cpu_data.x86_phys_bits) - 1;

	return (addresses & ~(size - 1)) | SEAMRR_MASK_LOCKED | SEAMRR_PHYS_MASK_ENABLED;
}

static const struct {
	u32 nr;
	u64 (*value)(void);
} msrs[EMU_NR_MSRS] = {
	{ MSR_IA32_VMX_BASIC, vmx_basic },
	{ MSR_SGX_DEBUG_MODE, sgx_debug_mode },
	{ MSR_IA32_SEAMRR_PHYS_BASE, seamrr_base },
	{ MSR_IA32_SEAMRR_PHYS_MASK, seamrr_mask },
};

/**
 * emu_msr_nr() - number of an emulated MSR
 * @index: its index, below EMU_NR_MSRS
 *
 * Context: any.
 * Return: the number.
 */
u32 emu_msr_nr(unsigned int index)
{
	return msrs[index].nr;
}

/**
 * emu_msr_find() - find an emulated MSR
 * @nr: its number
 *
 * Context: any.
 * Return: its index, or EMU_NR_MSRS if this MSR is not emulated.
 */
unsigned int emu_msr_find(u32 nr)
{
	unsigned int index;

	for (index = 0; index < EMU_NR_MSRS; index++)
		if (msrs[index].nr == nr)
			break;
	return index;
}

/* Read an emulated MSR. Return 0, or rdmsr_safe()'s -EIO if the MSR is set to raise #GP. */
static int read_msr(unsigned int index, u64 *value)
{
	unsigned long flags;
	bool gp;

	raw_spin_lock_irqsave(&emu.lock, flags);
	gp = emu.msr_gp[index];
	*value = gp ? 0 : msrs[index].value();
	raw_spin_unlock_irqrestore(&emu.lock, flags);
	return gp ? -EIO : 0;
}

#ifndef MODULE

/**
 * emu_msr_read() - read an MSR for the kernel that the emulator is built into
 * @nr: the MSR
 * @value: its value, if it is emulated
 *
 * Context: any, also before there are traps.
 * Return: 0; -EIO if it is set to raise #GP; -ENOENT if the emulator does not emulate it.
 */
int emu_msr_read(u32 nr, u64 *value)
{
	unsigned int index = emu_msr_find(nr);

	return index < EMU_NR_MSRS ? read_msr(index, value) : -ENOENT;
}

/* emu_cpu.c diverts all reads. */
int emu_msr_init(void)
{
	return 0;
}

void emu_msr_exit(void)
{
}

bool emu_msr_trap(struct pt_regs *regs)
{
	return false;
}

#elif defined(CONFIG_PARAVIRT_XXL)

/*
 * rdmsr_safe() calls one function of the kernel, whose prototype depends on the kernel's version. A
 * kprobe at its entry redirects reads of the emulated MSRs to a function of the same type.
 */
static int __maybe_unused read_value(u32 nr, u64 *value)
{
	return read_msr(emu_msr_find(nr), value);
}

static unsigned long long __maybe_unused read_error(unsigned int nr, int *error)
{
	u64 value;

	*error = read_msr(emu_msr_find(nr), &value);
	return value;
}

#define READ_MSR_SAFE								\
	__builtin_choose_expr(							\
		__builtin_types_compatible_p(typeof(pv_ops.cpu.read_msr_safe),	\
					     int (*)(u32, u64 *)),		\
		read_value, read_error)

static int divert(struct kprobe *probe, struct pt_regs *regs)
{
	if (emu_msr_find(regs->di) == EMU_NR_MSRS)
		return 0;
	regs->ip = (unsigned long)READ_MSR_SAFE;
	return 1;
}

/* A probe with a post handler is not optimized into a jump, which could not be redirected. */
static void after(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static struct kprobe probe = {
	.pre_handler = divert,
	.post_handler = after,
};

/* Begin to divert reads of the emulated MSRs. */
int emu_msr_init(void)
{
	static_assert(__same_type(pv_ops.cpu.read_msr_safe, &READ_MSR_SAFE));

	probe.addr = (kprobe_opcode_t *)pv_ops.cpu.read_msr_safe;
	return register_kprobe(&probe);
}

/**
 * emu_msr_exit() - undo emu_msr_init()
 *
 * Context: may sleep; no read of an emulated MSR may be under way.
 */
void emu_msr_exit(void)
{
	unregister_kprobe(&probe);
}

/* The probe diverts the reads of all modules. */
void emu_msr_divert(const struct module *module, bool on)
{
}

bool emu_msr_trap(struct pt_regs *regs)
{
	return false;
}

#else /* a module, !CONFIG_PARAVIRT_XXL */

/*
 * rdmsr_safe() is inlined, so RDMSR is in the calling module. In modules loaded after the emulator
 * UD2, which has the same length, replaces RDMSR, and emu_msr_trap() reads the MSR.
 */
#define INSN_SIZE	2
static const u8 rdmsr_insn[INSN_SIZE] = { 0x0f, 0x32 };
static const u8 ud2_insn[INSN_SIZE] = { 0x0f, 0x0b };

int emu_msr_init(void)
{
	return 0;
}

void emu_msr_exit(void)
{
}

/* The mapping that executes the code is read-only, so write through a second one. */
static void replace(unsigned long ip, const u8 *from, const u8 *to)
{
	struct page *pages[2] = {
		vmalloc_to_page((void *)ip),
		vmalloc_to_page((void *)(ip + INSN_SIZE - 1)),
	};
	u8 *alias;

	if (memcmp((void *)ip, from, INSN_SIZE))
		return;
	alias = vmap(pages, pages[0] == pages[1] ? 1 : 2, VM_MAP, PAGE_KERNEL);
	if (!alias) {
		pr_err("no memory to divert a RDMSR at %pS\n", (void *)ip);
		return;
	}
	memcpy(alias + offset_in_page(ip), to, INSN_SIZE);
	vunmap(alias);
}

/**
 * emu_msr_divert() - divert a module's reads of MSRs, or undo it
 * @module: a module that is being loaded, or one whose reads are diverted
 * @on: true: divert its reads; false: undo that
 *
 * Context: may sleep.
 */
void emu_msr_divert(const struct module *module, bool on)
{
	unsigned int i;

	for (i = 0; i < module->num_exentries; i++) {
		const struct exception_table_entry *entry = &module->extable[i];
		unsigned long ip = (unsigned long)&entry->insn + entry->insn;

		if ((entry->data & EX_DATA_TYPE_MASK) != EX_TYPE_RDMSR_SAFE)
			continue;
		/* The init function's code is freed; its entries stay in the table. */
		if (!on && within_module_init(ip, module))
			continue;
		replace(ip, on ? rdmsr_insn : ud2_insn, on ? ud2_insn : rdmsr_insn);
	}
}

/**
 * emu_msr_trap() - carry out an RDMSR that emu_msr_divert() replaced
 * @regs: registers of the trap
 *
 * Context: a trap.
 * Return: false if the instruction at RIP is no such RDMSR.
 */
bool emu_msr_trap(struct pt_regs *regs)
{
	const struct exception_table_entry *entry;
	unsigned int index;
	u32 low, high;
	u64 value;
	int error;

	if (memcmp((void *)regs->ip, ud2_insn, INSN_SIZE))
		return false;
	entry = emu_extable_find(regs->ip, EX_TYPE_RDMSR_SAFE);
	if (!entry)
		return false;

	index = emu_msr_find(regs->cx);
	if (index < EMU_NR_MSRS) {
		error = read_msr(index, &value);
		low = value;
		high = value >> 32;
	} else {
		error = rdmsr_safe(regs->cx, &low, &high);
	}
	regs->ax = low;
	regs->dx = high;
	if (error) {
		*emu_reg(regs, (entry->data & EX_DATA_REG_MASK) >> EX_DATA_REG_SHIFT) = error;
		regs->ip = (unsigned long)&entry->fixup + entry->fixup;
	} else {
		regs->ip += INSN_SIZE;
	}
	return true;
}

#endif
