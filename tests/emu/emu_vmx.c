// SPDX-License-Identifier: GPL-2.0-only
/*
 * Support for CPUs that have VMX, as in tests/kvm. VMPTRST and VMPTRLD do not trap there, and the
 * current VMCS is the CPU's, which KVM uses. Runs in traps: only emu_vmx_init() and emu_vmx_exit()
 * may sleep or allocate.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/percpu.h>

#include <asm/asm.h>
#include <asm/cpufeature.h>
#include <asm/io.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>

#include "emu.h"

#define VMCS_REVISION	GENMASK(30, 0)	/* of IA32_VMX_BASIC */

/* A VMCS region that is only ever loaded and cleared, never run. */
static DEFINE_PER_CPU(struct page *, region);

/**
 * emu_vmx_is_real() - do the CPUs have VMX?
 *
 * Context: any.
 * Return: true if so; false if the emulator acts VMX out.
 */
bool emu_vmx_is_real(void)
{
	return boot_cpu_has(X86_FEATURE_VMX) && emu_cpu_is_whole();
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
	bool failed;

	asm volatile("vmptrld (%[pa])" : "=@ccbe" (failed) : [pa] "r" (&pa) : "memory");
	return !failed;
}

static bool vmclear(u64 pa)
{
	bool failed;

	asm volatile("vmclear (%[pa])" : "=@ccbe" (failed) : [pa] "r" (&pa) : "memory");
	return !failed;
}

/**
 * emu_vmx_on() - is this CPU in VMX operation, as far as the firmware is concerned?
 *
 * Context: under emu.lock, or a trap.
 * Return: the CPU's own state if it has VMX, else the state that file "vmx" sets.
 */
bool emu_vmx_on(void)
{
	u64 pa;

	if (!emu_vmx_is_real())
		return cpumask_test_cpu(smp_processor_id(), &emu.vmx);
	return native_read_cr4() & X86_CR4_VMXE && vmptrst(&pa);
}

/**
 * emu_vmx_lose_vmcs() - unset the current-VMCS pointer, as a P-SEAMLDR call with the erratum does
 *
 * On a CPU with VMX this loads a VMCS of the emulator's and clears it, which leaves the CPU without
 * a current VMCS. KVM's VMCS stays active and launched, because nothing clears it.
 *
 * Context: a trap, under emu.lock, in VMX operation.
 */
void emu_vmx_lose_vmcs(void)
{
	unsigned int cpu = smp_processor_id();
	u64 pa, own;

	emu.vmcs[cpu] = VMX_NO_CURRENT_VMCS;
	if (!emu_vmx_is_real())
		return;

	own = page_to_phys(this_cpu_read(region));
	if (vmptrst(&pa) && pa != VMX_NO_CURRENT_VMCS)
		emu.vmcs_lost++;
	if (!vmptrld(own) || !vmclear(own) || !vmptrst(&pa) || pa != VMX_NO_CURRENT_VMCS)
		emu.vmcs_kept++;
}

/* Allocate the VMCS regions, if the CPUs have VMX. */
int emu_vmx_init(void)
{
	struct page *page;
	unsigned int cpu;
	u32 low, high __maybe_unused;

	if (!emu_vmx_is_real())
		return 0;
	rdmsr(MSR_IA32_VMX_BASIC, low, high);
	for_each_possible_cpu(cpu) {
		page = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!page) {
			emu_vmx_exit();
			return -ENOMEM;
		}
		*(u32 *)page_address(page) = low & VMCS_REVISION;
		per_cpu(region, cpu) = page;
	}
	return 0;
}

/**
 * emu_vmx_exit() - undo emu_vmx_init()
 *
 * The regions can be freed, because every use of one ends with VMCLEAR.
 *
 * Context: may sleep; no trap can come any more.
 */
void emu_vmx_exit(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		if (per_cpu(region, cpu))
			__free_page(per_cpu(region, cpu));
}
