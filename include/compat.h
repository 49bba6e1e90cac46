/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place that knows kernel versions. The code is written for the newest kernel; what an
 * older one lacks is made up for here, by feature: vendors' kernels have features of newer ones.
 */
#ifndef TDX_UPDATE_COMPAT_H
#define TDX_UPDATE_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "tdx_update needs Linux 6.1 or later"
#endif

/* hex2bin() was in linux/kernel.h before it had a header. */
#include <linux/kernel.h>
#if __has_include(<linux/hex.h>)
#include <linux/hex.h>
#endif

/* cpuid_eax() was in asm/processor.h before CPUID had a header. */
#include <asm/processor.h>
#if __has_include(<asm/cpuid/api.h>)
#include <asm/cpuid/api.h>
#endif

/*
 * The faux bus is from 6.14 (35fa2d88ca94, "driver core: add a faux bus for use when a simple
 * device/bus is needed"). Before that a platform device below a root device "faux" has the same
 * path; the memory of both, and what frees it, are the kernel's, so nothing outlives this module.
 */
#if __has_include(<linux/device/faux.h>)
#include <linux/device/faux.h>
#else
#include <linux/err.h>
#include <linux/platform_device.h>

#define faux_device platform_device

struct faux_device_ops;

static inline struct faux_device *
faux_device_create_with_groups(const char *name, struct device *parent,
			       const struct faux_device_ops *ops,
			       const struct attribute_group **groups)
{
	struct device *root = __root_device_register("faux", NULL);
	struct faux_device *faux;

	if (IS_ERR(root))
		return NULL;
	faux = platform_device_alloc(name, PLATFORM_DEVID_NONE);
	if (!faux)
		goto out;
	faux->dev.parent = root;
	faux->dev.groups = groups;
	if (!platform_device_add(faux))
		return faux;
	platform_device_put(faux);
out:
	root_device_unregister(root);
	return NULL;
}

static inline void faux_device_destroy(struct faux_device *faux)
{
	struct device *root = faux->dev.parent;

	platform_device_unregister(faux);
	root_device_unregister(root);
}
#endif

/*
 * "firmware-invalid" is from 6.8 (a066f906ba39, "firmware_loader: Expand Firmware upload error
 * codes with firmware invalid error"). Before that no word says it. The preprocessor does not see
 * an enumerator, and a backport has an older version, but the last error before it is known: the
 * number after that one is its number, unless the list ends there.
 */
#include <linux/firmware.h>

#define FW_UPLOAD_ERR_FW_INVALID \
	(FW_UPLOAD_ERR_MAX > FW_UPLOAD_ERR_WEAROUT + 1 ? FW_UPLOAD_ERR_WEAROUT + 1 : \
	 FW_UPLOAD_ERR_HW_ERROR)

#endif /* TDX_UPDATE_COMPAT_H */
