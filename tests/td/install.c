// SPDX-License-Identifier: GPL-2.0-only
/*
 * An update without any check: SHUTDOWN and INSTALL with whatever a file holds, as it is the
 * firmware's judgement that is wanted. Takes a container apart by its offsets and believes them.
 * For a quiet guest: CPUs are asked one after another, not stopped.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/firmware.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "td.h"

/* One SEAMCALL on another CPU. */
struct remote_call {
	u64 leaf;
	struct td_args args;
	u64 status;
};

static void execute(void *data)
{
	struct remote_call *call = data;

	call->status = td_seamcall(call->leaf, &call->args);
}

/* On one CPU, or on each in turn. Every one of them is asked, whatever the others say. */
static int ask(struct td_caller *caller, u64 leaf, u64 rcx, bool everyone)
{
	unsigned int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		struct remote_call call = { .leaf = leaf, .args.rcx = rcx };

		smp_call_function_single(cpu, execute, &call, true);
		if (!caller->failed) {
			caller->leaf = leaf;
			caller->status = call.status;
			caller->failed = call.status;
		}
		if (!everyone)
			break;
	}
	cpus_read_unlock();
	return caller->failed ? -EIO : 0;
}

/* The file in pages of its own, the rest of the last one zero. */
static void *load(const char *name, size_t *size)
{
	const struct firmware *fw;
	void *blob;

	if (request_firmware_direct(&fw, name, NULL))
		return NULL;
	*size = fw->size;
	blob = vzalloc(PAGE_ALIGN(fw->size));
	if (blob)
		memcpy(blob, fw->data, fw->size);
	release_firmware(fw);
	return blob;
}

static struct seamldr_params *make_params(const u8 *blob, size_t size)
{
	const struct tdx_blob_v1 *v1 = (const void *)blob;
	const struct tdx_blob_v2 *v2 = (const void *)blob;
	struct seamldr_params *params;
	size_t module, i;

	module = v1->version == TDX_BLOB_VERSION_1 ?
		v1->offset_of_module : (1 + (size_t)v2->sigstruct_nr_pages) * TDX_PAGE_SIZE;
	if (size < 2 * TDX_PAGE_SIZE || module % TDX_PAGE_SIZE || module > size)
		return NULL;
	params = (void *)get_zeroed_page(GFP_KERNEL);
	if (!params)
		return NULL;

	params->scenario = SEAMLDR_SCENARIO_UPDATE;
	params->sigstruct_pa = PFN_PHYS(vmalloc_to_pfn(blob + TDX_PAGE_SIZE));
	params->num_module_pages = (PAGE_ALIGN(size) - module) / TDX_PAGE_SIZE;
	for (i = 0; i < min_t(u64, params->num_module_pages, SEAMLDR_MAX_MODULE_PAGES); i++)
		params->module_pages_pa[i] =
			PFN_PHYS(vmalloc_to_pfn(blob + module + i * TDX_PAGE_SIZE));
	return params;
}

/**
 * td_install - hand a file to the firmware as it is
 * @caller: takes leaf and status of the first SEAMCALL that failed
 * @name: in the firmware search path
 * @hv: handoff version to shut the running module down with
 *
 * Once the module is shut down a failure leaves it so. Context: may sleep.
 *
 * Return: 0: the image runs; -EIO: a SEAMCALL failed; -ENOENT: no such file; -EINVAL: no container
 * whose parts could be told apart.
 */
int td_install(struct td_caller *caller, const char *name, u16 hv)
{
	struct seamldr_params *params;
	size_t size = 0;
	void *blob;
	int ret;

	blob = load(name, &size);
	if (!blob)
		return -ENOENT;
	ret = -EINVAL;
	params = make_params(blob, size);
	if (!params)
		goto out;

	ret = ask(caller, TDH_SYS_SHUTDOWN, hv, false);
	if (!ret)
		ret = ask(caller, SEAMLDR_INSTALL, virt_to_phys(params), true);
	if (!ret)
		ret = ask(caller, TDH_SYS_INIT, 0, false);
	if (!ret)
		ret = ask(caller, TDH_SYS_LP_INIT, 0, true);
	if (!ret)
		ret = ask(caller, TDH_SYS_UPDATE, 0, false);
	free_page((unsigned long)params);
out:
	vfree(blob);
	return ret;
}
