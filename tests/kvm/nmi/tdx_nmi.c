// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx_nmi.ko: sends NMIs from CPU to CPU, as fast as the CPUs take them.
 *
 * The handler of an NMI sends the next one to the next CPU. So they continue while stop_machine()
 * keeps all CPUs from running anything else. Only one NMI is under way at a time, so that no two
 * can merge and each that was sent must arrive.
 *
 * Parameter run starts (1) and stops (0) the NMIs. The other parameters can be read only:
 *	sent, taken		NMIs sent, and taken
 *	in_vmx			of those taken: the CPU was in VMX operation
 *	irqs_off		of those in_vmx: the interrupted code had interrupts off
 *	no_vmcs			of those irqs_off: no VMCS was current. If KVM has run a guest on
 *				every CPU, the NMI came between a P-SEAMLDR call and the VMPTRLD
 *				after it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/smp.h>

#include <asm/apic.h>
#include <asm/asm.h>
#include <asm/msr.h>
#include <asm/nmi.h>
#include <asm/processor-flags.h>
#include <asm/processor.h>
#include <asm/special_insns.h>

#include "compat.h"

#define NO_VMCS		(~0ULL)
#define NOBODY		(-1)

enum count { SENT, TAKEN, IN_VMX, IRQS_OFF, NO_CURRENT, NUM_COUNTS };

static unsigned int counts[NUM_COUNTS];	/* only one CPU at a time writes them */
static u32 apic_ids[NR_CPUS];
static bool x2apic;
static bool running;
static int target = NOBODY;		/* CPU to which an NMI has been sent */

static void send(int cpu)
{
	u32 interrupted;

	counts[SENT]++;
	WRITE_ONCE(target, cpu);
	/* The handler reads @target, and a write to x2APIC does not wait for earlier stores. */
	mb();
	if (x2apic) {
		wrmsr(APIC_BASE_MSR + (APIC_ICR >> 4), APIC_DM_NMI, apic_ids[cpu]);
		return;
	}
	/* The interrupted code may have written ICR2 for its own interrupt: restore it below. */
	interrupted = native_apic_mem_read(APIC_ICR2);
	while (native_apic_mem_read(APIC_ICR) & APIC_ICR_BUSY)
		cpu_relax();
	native_apic_mem_write(APIC_ICR2, SET_XAPIC_DEST_FIELD(apic_ids[cpu]));
	native_apic_mem_write(APIC_ICR, APIC_DM_NMI);
	native_apic_mem_write(APIC_ICR2, interrupted);
}

static int next_cpu(int cpu)
{
	cpu = cpumask_next(cpu, cpu_online_mask);
	return cpu < nr_cpu_ids ? cpu : cpumask_first(cpu_online_mask);
}

/* Return false if the CPU is not in VMX operation. */
static bool current_vmcs(u64 *pa)
{
	u64 trap = 0;

	if (!(native_read_cr4() & X86_CR4_VMXE))
		return false;
	asm volatile("1:\tvmptrst (%[pa])\n"
		     "2:\n"
		     _ASM_EXTABLE_FAULT(1b, 2b)
		     : "+a" (trap) : [pa] "r" (pa) : "cc", "memory");
	return !trap;
}

static int take(unsigned int type, struct pt_regs *regs)
{
	int cpu = smp_processor_id();
	u64 vmcs;

	if (READ_ONCE(target) != cpu)
		return NMI_DONE;

	counts[TAKEN]++;
	if (current_vmcs(&vmcs)) {
		counts[IN_VMX]++;
		if (!(regs->flags & X86_EFLAGS_IF)) {
			counts[IRQS_OFF]++;
			if (vmcs == NO_VMCS)
				counts[NO_CURRENT]++;
		}
	}
	if (READ_ONCE(running))
		send(next_cpu(cpu));
	else
		WRITE_ONCE(target, NOBODY);
	return NMI_HANDLED;
}

static bool all_taken(void)
{
	unsigned int ms;

	for (ms = 0; READ_ONCE(target) != NOBODY && ms < 1000; ms++)
		usleep_range(USEC_PER_MSEC, 2 * USEC_PER_MSEC);
	return READ_ONCE(target) == NOBODY;
}

static int set_run(const char *text, const struct kernel_param *param)
{
	bool on;
	int ret = kstrtobool(text, &on);

	if (ret || on == running)
		return ret;
	WRITE_ONCE(running, on);
	if (!on)
		return all_taken() ? 0 : -EIO;

	/* Nothing may come between the choice of the CPU and the NMI. */
	local_irq_disable();
	send(next_cpu(smp_processor_id()));
	local_irq_enable();
	return 0;
}

static const struct kernel_param_ops run_ops = { .set = set_run, .get = param_get_bool };

module_param_cb(run, &run_ops, &running, 0644);
MODULE_PARM_DESC(run, "send NMIs round the CPUs (default: 0)");
module_param_named(sent, counts[SENT], uint, 0444);
MODULE_PARM_DESC(sent, "NMIs sent; read only");
module_param_named(taken, counts[TAKEN], uint, 0444);
MODULE_PARM_DESC(taken, "NMIs taken; read only");
module_param_named(in_vmx, counts[IN_VMX], uint, 0444);
MODULE_PARM_DESC(in_vmx, "NMIs taken in VMX operation; read only");
module_param_named(irqs_off, counts[IRQS_OFF], uint, 0444);
MODULE_PARM_DESC(irqs_off, "NMIs taken in VMX operation with interrupts off; read only");
module_param_named(no_vmcs, counts[NO_CURRENT], uint, 0444);
MODULE_PARM_DESC(no_vmcs, "NMIs taken so and without a current VMCS; read only");

static void learn_apic_id(void *unused)
{
	apic_ids[smp_processor_id()] = cpuid_ebx(1) >> 24;
}

static int __init tdx_nmi_init(void)
{
	u32 low, high __maybe_unused;

	rdmsr(MSR_IA32_APICBASE, low, high);
	x2apic = low & X2APIC_ENABLE;
	on_each_cpu(learn_apic_id, NULL, true);
	return register_nmi_handler(NMI_LOCAL, take, 0, KBUILD_MODNAME);
}

static void __exit tdx_nmi_exit(void)
{
	WRITE_ONCE(running, false);
	if (!all_taken())
		pr_err("an NMI was lost\n");
	unregister_nmi_handler(NMI_LOCAL, KBUILD_MODNAME);
}

module_init(tdx_nmi_init);
module_exit(tdx_nmi_exit);

MODULE_DESCRIPTION("NMIs that never stop, for tests of tdx_update");
MODULE_LICENSE("GPL");
