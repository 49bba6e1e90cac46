// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part of mainline's TDX core that its update driver calls, in the state in which the kernel's
 * start leaves it.
 */
#define pr_fmt(fmt) "mainline_tdx: " fmt

#include <linux/errno.h>
#include <linux/percpu-defs.h>
#include <linux/printk.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include <asm/processor.h>
#include <asm/tdx.h>

#include "seamcall_internal.h"
#include "tdx.h"

/* The kernel's own is not exported. Only kexec reads it. */
DEFINE_PER_CPU(bool, cache_state_incoherent);

#include "core.c"

/**
 * mainline_attach() - read version and features of the running TDX module
 *
 * The kernel initialises the TDX module at boot and reads these and more. Here the emulator has
 * initialised it.
 *
 * Context: may sleep. Once, at module load.
 * Return: 0, or a negative errno where no TDX module answers.
 */
int __init mainline_attach(void)
{
	int cpu, ret;

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
