/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before each of mainline's files. Replaces functions that only the kernel itself can
 * call. It must not change the code that runs while the CPUs are stopped.
 */
#ifndef __MAINLINE_GLUE_H
#define __MAINLINE_GLUE_H

#ifndef __ASSEMBLER__
#include <linux/cpu.h>
#include <linux/export.h>
#include <linux/firmware.h>
#include <linux/stop_machine.h>

#include <asm/cpu_device_id.h>

/* Each of the files defines its own. */
#undef pr_fmt

int mainline_attach(void);

/* All files are in one module. */
#undef EXPORT_SYMBOL_FOR_MODULES
#define EXPORT_SYMBOL_FOR_MODULES(symbol, modules)

/* stop_machine_cpuslocked() is not exported. stop_machine() takes the lock itself. */
#define stop_machine_cpuslocked(fn, data, cpus)	stop_machine(fn, data, cpus)
#define cpus_read_lock()
#define cpus_read_unlock()

/* An emulated CPU lacks the feature. When a kernel gets here it has initialised TDX at boot. */
#define x86_match_cpu(ids)			(!mainline_attach())

/* The device's name, not the module's: DKMS would archive an in-tree tdx_host. */
#undef KBUILD_MODNAME
#define KBUILD_MODNAME				"tdx_host"

/* With THIS_MODULE the module would hold a reference on itself, and could not be unloaded. */
#define firmware_upload_register(module, ...)	firmware_upload_register(NULL, __VA_ARGS__)
#endif

#endif
