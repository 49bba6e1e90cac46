// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx_petted.ko: notes which CPUs pet the NMI watchdog in tdx_update. QEMU's software emulation has
 * no counter that would drive a real watchdog.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <asm/ptrace.h>

static unsigned long cpus;
module_param(cpus, ulong, 0444);
MODULE_PARM_DESC(cpus, "bit N: CPU N, of the first 64, has called touch_nmi_watchdog() in tdx_update");

static int petted(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned long bit = BIT(smp_processor_id() % BITS_PER_LONG);
	char symbol[KSYM_SYMBOL_LEN];

	if (READ_ONCE(cpus) & bit)
		return 0;
	sprint_symbol(symbol, regs_get_kernel_stack_nth(regs, 0));
	if (strstr(symbol, "[tdx_update]"))
		atomic_long_or(bit, (atomic_long_t *)&cpus);
	return 0;
}

/* A tracer could not do this: the function is not to be traced. */
static struct kprobe probe = {
	.symbol_name = "arch_touch_nmi_watchdog",
	.pre_handler = petted,
};

static int __init tdx_petted_init(void)
{
	return register_kprobe(&probe);
}

static void __exit tdx_petted_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(tdx_petted_init);
module_exit(tdx_petted_exit);

MODULE_DESCRIPTION("CPUs that pet the NMI watchdog, for tests of tdx_update");
MODULE_LICENSE("GPL");
