// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part of mainline's TDX core that its update driver calls. mainline_attach() sets its state to
 * what the kernel's boot leaves.
 */
#define pr_fmt(fmt) "mainline_tdx: " fmt

#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/moduleparam.h>
#include <linux/percpu-defs.h>
#include <linux/printk.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include <asm/cpufeatures.h>
#include <asm/processor.h>
#include <asm/tdx.h>

#include "seamcall_internal.h"
#include "tdx.h"

/* Replaces the kernel's variable, which is not exported. Only kexec reads that. */
DEFINE_PER_CPU(bool, cache_state_incoherent);

#include "core.c"

static bool mark_erratum;
module_param(mark_erratum, bool, 0444);
MODULE_PARM_DESC(mark_erratum, "mark the CPUs as ones whose P-SEAMLDR calls unset the current VMCS");

/**
 * mainline_attach() - mark the CPUs, read version and features of the running TDX module
 *
 * At boot the kernel initialises the TDX module and then reads these and other fields. Here the
 * emulator's TDX module is initialised already. A kernel with TDX also marks CPUs that have the
 * erratum at boot; the kernels that this module is built for do not know TDX.
 *
 * Context: may sleep; called once, when the module is loaded.
 * Return: 0; a negative errno if no TDX module answers.
 */
int __init mainline_attach(void)
{
	unsigned long *features = (unsigned long *)boot_cpu_data.x86_capability;
	int cpu, ret;

	if (mark_erratum)
		set_bit(X86_BUG_SEAMRET_INVD_VMCS, features);
	else
		clear_bit(X86_BUG_SEAMRET_INVD_VMCS, features);

	ret = get_tdx_sys_info_version(&tdx_sysinfo.version);
	if (!ret)
		ret = get_tdx_sys_info_features(&tdx_sysinfo.features);
	if (ret)
		return ret;

	for_each_possible_cpu(cpu)
		per_cpu(tdx_lp_initialized, cpu) = true;
	tdx_module_state.sysinit_done = true;
	tdx_module_state.initialized = true;
	return 0;
}
