// SPDX-License-Identifier: GPL-2.0-only
/*
 * An update without checks, for tests of the firmware's own checks: TDH.SYS.SHUTDOWN, then
 * SEAMLDR.INSTALL with the content of a file. The offsets in its container are trusted.
 * CPUs are not stopped but call one after another, so the guest must be idle.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/firmware.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "td.h"

/* Call on one CPU, or on each in turn. If a call fails, the other CPUs call all the same. */
static int ask(struct td_caller *caller, u64 leaf, u64 rcx, bool everyone)
{
	unsigned int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		struct td_answer answer = { .args.rcx = rcx };

		td_seamcall_on(cpu, leaf, &answer);
		if (!caller->failed) {
			caller->leaf = leaf;
			caller->status = answer.status;
			caller->failed = answer.status;
		}
		if (!everyone)
			break;
	}
	cpus_read_unlock();
	return caller->failed ? -EIO : 0;
}

/* Read the file into pages of its own. The rest of the last page is zero. */
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

static struct seamldr_params *make_params(const u8 *blob, size_t size, u32 scenario)
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

	params->scenario = scenario;
	params->sigstruct_pa = PFN_PHYS(vmalloc_to_pfn(blob + TDX_PAGE_SIZE));
	params->num_module_pages = (PAGE_ALIGN(size) - module) / TDX_PAGE_SIZE;
	for (i = 0; i < min_t(u64, params->num_module_pages, SEAMLDR_MAX_MODULE_PAGES); i++)
		params->module_pages_pa[i] =
			PFN_PHYS(vmalloc_to_pfn(blob + module + i * TDX_PAGE_SIZE));
	return params;
}

/**
 * td_image_load() - read a file and make the operand of SEAMLDR.INSTALL for it
 * @name: path in the firmware search path
 * @scenario: SEAMLDR_SCENARIO_*
 * @image: filled in on success, else empty
 *
 * Context: may sleep.
 * Return: 0; -ENOENT: the file cannot be read, or no memory for it; -EINVAL: the container's parts
 * cannot be found, or no memory for the operand.
 */
int td_image_load(const char *name, u32 scenario, struct td_image *image)
{
	size_t size = 0;

	*image = (struct td_image){ .blob = load(name, &size) };
	if (!image->blob)
		return -ENOENT;
	image->params = make_params(image->blob, size, scenario);
	if (image->params)
		return 0;
	td_image_free(image);
	return -EINVAL;
}

/**
 * td_image_free() - undo td_image_load()
 * @image: loaded or empty; it is empty afterwards
 *
 * Context: may sleep.
 */
void td_image_free(struct td_image *image)
{
	free_page((unsigned long)image->params);
	vfree(image->blob);
	*image = (struct td_image){ };
}

/**
 * td_install() - install a file without any check
 * @caller: leaf and status of the first SEAMCALL that failed are stored in it
 * @name: path in the firmware search path
 * @hv: handoff version for TDH.SYS.SHUTDOWN
 *
 * A failure after the shutdown leaves the TDX module shut down.
 *
 * Context: may sleep.
 * Return: 0: the image runs; -EIO: a SEAMCALL failed; errors of td_image_load().
 */
int td_install(struct td_caller *caller, const char *name, u16 hv)
{
	struct td_image image;
	int ret;

	ret = td_image_load(name, SEAMLDR_SCENARIO_UPDATE, &image);
	if (ret)
		return ret;
	ret = ask(caller, TDH_SYS_SHUTDOWN, hv, false);
	if (!ret)
		ret = ask(caller, SEAMLDR_INSTALL, virt_to_phys(image.params), true);
	if (!ret)
		ret = ask(caller, TDH_SYS_INIT, 0, false);
	if (!ret)
		ret = ask(caller, TDH_SYS_LP_INIT, 0, true);
	if (!ret)
		ret = ask(caller, TDH_SYS_UPDATE, 0, false);
	td_image_free(&image);
	return ret;
}
