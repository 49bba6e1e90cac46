// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes up for what the CPU lacks, so that Linux brings TDX up and loads KVM on QEMU's software
 * emulation: CPUID bits and MSRs of VMX and TDX, and the instructions that neither SEAM nor a
 * guest's run needs. Only where the emulator is built into a kernel, with the word tdx_emu on its
 * command line: the hooks of PARAVIRT_XXL are there before Linux looks at the CPU.
 */
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/sizes.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <asm/cpufeatures.h>
#include <asm/cpuid/api.h>
#include <asm/msr.h>
#include <asm/paravirt.h>
#include <asm/processor-flags.h>
#include <asm/tlbflush.h>
#include <asm/vmx.h>

#include "emu.h"

/* KVM wants it of a TDX module. */
#define FEATURES0_TOPOLOGY_ENUM	BIT_ULL(20)

#define FEATURE_BIT(feature)	BIT((feature) & 31)

/* MSR 0x87: the KeyIDs after the first 31 are TDX's. */
#define MSR_KEYID_PARTITIONING	0x87u
#define MKTME_KEYIDS		31u
#define TDX_KEYIDS		(1024u - MKTME_KEYIDS - 1)

/* An MSR of VMX controls has in its low half what must be 1 and in its high half what may be. */
#define CONTROLS(must, may)	((u64)(may) << 32 | (must))

/* What a server CPU of recent years says of its VMX. KVM reads it; nothing here carries it out. */
static const struct { u32 nr; u64 value; } constants[] = {
	{ MSR_KEYID_PARTITIONING, (u64)TDX_KEYIDS << 32 | MKTME_KEYIDS },
	{ MSR_IA32_VMX_PINBASED_CTLS, CONTROLS(0x16, 0xff) },
	{ MSR_IA32_VMX_PROCBASED_CTLS, CONTROLS(0x0401e172, 0xfff9fffe) },
	{ MSR_IA32_VMX_EXIT_CTLS, CONTROLS(0x00036dff, 0x01ffffff) },
	{ MSR_IA32_VMX_ENTRY_CTLS, CONTROLS(0x000011ff, 0x0003ffff) },
	{ MSR_IA32_VMX_MISC, 0x20000065 },
	{ MSR_IA32_VMX_CR0_FIXED0, 0x80000021 },
	{ MSR_IA32_VMX_CR0_FIXED1, 0xffffffff },
	{ MSR_IA32_VMX_CR4_FIXED0, 0x2000 },
	{ MSR_IA32_VMX_CR4_FIXED1, 0xffffff },
	{ MSR_IA32_VMX_VMCS_ENUM, 0x2e },
	{ MSR_IA32_VMX_PROCBASED_CTLS2, CONTROLS(0, 0x03cff7ff) },
	{ MSR_IA32_VMX_EPT_VPID_CAP, 0x00000f0106734141 },
	{ MSR_IA32_VMX_TRUE_PINBASED_CTLS, CONTROLS(0x16, 0xff) },
	{ MSR_IA32_VMX_TRUE_PROCBASED_CTLS, CONTROLS(0x04006172, 0xfff9fffe) },
	{ MSR_IA32_VMX_TRUE_EXIT_CTLS, CONTROLS(0x00036dfb, 0x01ffffff) },
	{ MSR_IA32_VMX_TRUE_ENTRY_CTLS, CONTROLS(0x000011fb, 0x0003ffff) },
	{ MSR_IA32_VMX_VMFUNC, 1 },
};

static bool active __ro_after_init;

/* CPUs in VMX operation, whatever a reset of the firmware says. */
static struct cpumask vmxon;

/**
 * emu_cpu_is_whole() - does the CPU itself have what CPUID says?
 *
 * Context: any.
 * Return: false if the emulator makes up for what it lacks.
 */
bool emu_cpu_is_whole(void)
{
	return !active;
}

/**
 * emu_cpu_vmx() - which CPUs are in VMX operation
 *
 * Context: any.
 * Return: those that have executed VMXON, as far as the emulator acts it out; else all of them.
 */
const struct cpumask *emu_cpu_vmx(void)
{
	return active ? &vmxon : cpu_possible_mask;
}

/**
 * emu_cpu_incoherent() - which CPUs Linux flushes before kexec
 *
 * Linux marks a CPU at each SEAMCALL of its own, and flushes it when it takes it offline.
 *
 * Context: under emu.lock.
 * Return: a mask that is valid until the lock is released; NULL if the emulator is a module, which
 *	cannot see the marks.
 */
const struct cpumask *emu_cpu_incoherent(void)
{
	static struct cpumask marked;
	unsigned int cpu;

	lockdep_assert_held(&emu.lock);

	cpumask_clear(&marked);
	for_each_possible_cpu(cpu)
		if (per_cpu(cache_state_incoherent, cpu))
			cpumask_set_cpu(cpu, &marked);
	return &marked;
}

/* Return -ENOENT if the MSR is the CPU's own. */
static int supply_msr(u32 nr, u64 *value)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(constants); i++) {
		if (constants[i].nr == nr) {
			*value = constants[i].value;
			return 0;
		}
	}
	return emu_msr_read(nr, value);
}

static u64 read_msr(u32 nr)
{
	u64 value;

	return supply_msr(nr, &value) ? native_read_msr(nr) : value;
}

static int read_msr_safe(u32 nr, u64 *value)
{
	int ret = supply_msr(nr, value);

	return ret == -ENOENT ? native_read_msr_safe(nr, value) : ret;
}

static void cpuid_with_vmx(unsigned int *eax, unsigned int *ebx, unsigned int *ecx,
			   unsigned int *edx)
{
	unsigned int leaf = *eax, subleaf = *ecx;

	native_cpuid(eax, ebx, ecx, edx);
	if (leaf == 1) {
		*ecx |= FEATURE_BIT(X86_FEATURE_VMX);
		*edx |= FEATURE_BIT(X86_FEATURE_SELFSNOOP);
	} else if (leaf == 7 && !subleaf) {
		*ecx |= FEATURE_BIT(X86_FEATURE_MOVDIR64B);
	}
}

/* QEMU's software emulation raises #GP if VMXE is set. Linux reads it in its shadow of CR4. */
static void write_cr4(unsigned long cr4)
{
	native_write_cr4(cr4 & ~X86_CR4_VMXE);
}

/* The kernel's own function writes the shadow of CR4 back. */
static void flush_tlb_global(void)
{
	unsigned long flags, cr4;

	raw_local_irq_save(flags);
	cr4 = native_read_cr4();
	native_write_cr4(cr4 ^ X86_CR4_PGE);
	native_write_cr4(cr4);
	raw_local_irq_restore(flags);
}

static int __init activate(char *words)
{
	active = true;
	pv_ops.cpu.cpuid = cpuid_with_vmx;
	pv_ops.cpu.read_msr = read_msr;
	pv_ops.cpu.read_msr_safe = read_msr_safe;
	pv_ops.cpu.write_cr4 = write_cr4;
	pv_ops.mmu.flush_tlb_kernel = flush_tlb_global;
	/* Mainline's driver does not update on a CPU with the erratum. */
	emu.platform.erratum = words && strstr(words, "erratum");
	emu.first_module.state = EMU_MODULE_SYSINIT_PENDING;
	emu.first_module.features0 |= FEATURES0_TOPOLOGY_ENUM;
	return 0;
}
early_param("tdx_emu", activate);

/* All memory is convertible, except for the first MiB. Later the memory map may change. */
void __init emu_cpu_init(void)
{
	unsigned long start_pfn, end_pfn;
	int i;

	for_each_mem_pfn_range(i, MAX_NUMNODES, &start_pfn, &end_pfn, NULL) {
		u64 start = max_t(u64, PFN_PHYS(start_pfn), SZ_1M), end = PFN_PHYS(end_pfn);

		if (start < end && emu.nr_cmrs < EMU_MAX_CMRS)
			emu.cmrs[emu.nr_cmrs++] = (struct emu_cmr){ start, end };
	}
}

/* Return false for #UD. */
static bool do_vmxon(struct pt_regs *regs, unsigned int length)
{
	unsigned int cpu = smp_processor_id();
	unsigned long flags;
	bool was_on;

	raw_spin_lock_irqsave(&emu.lock, flags);
	was_on = cpumask_test_and_set_cpu(cpu, &vmxon);
	cpumask_set_cpu(cpu, &emu.vmx);
	if (!was_on)
		emu.vmcs[cpu] = VMX_NO_CURRENT_VMCS;
	raw_spin_unlock_irqrestore(&emu.lock, flags);
	emu_step_over(regs, length, was_on ? X86_EFLAGS_CF : 0);
	return true;
}

static bool do_vmxoff(struct pt_regs *regs, unsigned int length)
{
	unsigned int cpu = smp_processor_id();
	unsigned long flags;
	bool was_on;

	raw_spin_lock_irqsave(&emu.lock, flags);
	was_on = cpumask_test_and_clear_cpu(cpu, &vmxon);
	cpumask_clear_cpu(cpu, &emu.vmx);
	raw_spin_unlock_irqrestore(&emu.lock, flags);
	if (was_on)
		emu_step_over(regs, length, 0);
	return was_on;
}

/* INVEPT, INVVPID: there is no guest whose translations could be cached. */
static bool do_nothing(struct pt_regs *regs, unsigned int length)
{
	if (!cpumask_test_cpu(smp_processor_id(), &vmxon))
		return false;
	emu_step_over(regs, length, 0);
	return true;
}

/* MOVDIR64B changes no flags. */
static bool do_movdir64b(struct pt_regs *regs, const u8 *modrm, u8 rex)
{
	void *to = (void *)*emu_reg(regs, ((*modrm >> 3) & 7) | (rex & 4 ? 8 : 0));
	const u8 *end;
	void *from;

	end = emu_operand(regs, modrm, rex & 1, &from);
	if (!end || (unsigned long)to < TASK_SIZE_MAX)
		return false;
	memcpy(to, from, 64);
	regs->ip = (unsigned long)end;
	return true;
}

/* Instructions with the prefix 0x66, at their opcode. */
static bool trap_66(struct pt_regs *regs, const u8 *p)
{
	const u8 *end;
	void *operand;
	u8 rex = 0;

	if ((*p & 0xf0) == 0x40)
		rex = *p++;
	if (p[0] != 0x0f || p[1] != 0x38)
		return false;
	switch (p[2]) {
	case 0x80:
	case 0x81:
		end = emu_operand(regs, p + 3, rex & 1, &operand);
		return end && do_nothing(regs, (unsigned long)end - regs->ip);
	case 0xf8:
		return do_movdir64b(regs, p + 3, rex);
	default:
		return false;
	}
}

/**
 * emu_cpu_trap() - carry out an instruction that the CPU lacks
 * @regs: registers of the trap
 *
 * Context: a trap.
 * Return: false if it is none of these.
 */
bool emu_cpu_trap(struct pt_regs *regs)
{
	const u8 *p = (const u8 *)regs->ip, *end;
	void *operand;
	u8 rex = 0;

	if (!active)
		return false;
	if (p[0] == 0x66)
		return trap_66(regs, p + 1);
	if (p[0] == 0x0f && p[1] == 0x01 && p[2] == 0xc4)
		return do_vmxoff(regs, 3);
	if (*p++ != 0xf3)
		return false;
	if ((*p & 0xf0) == 0x40)
		rex = *p++;
	if (p[0] != 0x0f || p[1] != 0xc7 || ((p[2] >> 3) & 7) != 6)
		return false;
	end = emu_operand(regs, p + 2, rex & 1, &operand);
	return end && do_vmxon(regs, (unsigned long)end - regs->ip);
}
