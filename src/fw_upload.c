// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mainline's interface (Linux 7.2) on kernels without it: the device tdx_host with its three files,
 * and the firmware loader's upload node. Decides nothing about images: an upload is an attempt like
 * any other and fills last/.
 */

/**
 * DOC: The upload node
 *
 * The firmware loader owns the node's files. It behaves like this on every kernel from 6.1 to 7.3:
 *
 * - Between a 1 and a 0 in file loading it collects what is written to file data, which needs
 *   CAP_SYS_RAWIO. The 0 starts a worker, which calls prepare() and write() here. The 0 needs no
 *   capability: any process with the file open for writing, which only root can open, can start
 *   what another process has written. The data does not change until the worker has ended.
 * - The worker is a kernel thread, so no signal reaches it. File cancel calls cancel() here in any
 *   state but idle, and ignores the answer.
 * - For an empty image no worker starts, and no error shows.
 * - Registering takes a reference on the module that it is given, and only unregistering drops it.
 *   A module that unregisters when it is unloaded could never be unloaded. So we pass no module,
 *   and remove_upload() makes sure that no call here outlives this one.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/compiler.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/firmware.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/sysfs.h>

#include "tdx_update.h"

#define UPLOAD_NAME	"tdx_module"
#define DEVICE_NAME	"tdx_host"

static bool mainline_interface = true;
module_param(mainline_interface, bool, 0444);
MODULE_PARM_DESC(mainline_interface,
		 "also offer the interface of Linux 7.2 if the kernel lacks it (default: 1)");

static struct faux_device *device;
static struct fw_upload *upload;

/* Ask the upload under way to end before it changes anything. */
static bool cancelled;

static ssize_t version_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return tdxu_sysfs_show_version(buf);
}
static DEVICE_ATTR_RO(version);

static ssize_t seamldr_version_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return tdxu_sysfs_show_seamldr_version(buf);
}
static DEVICE_ATTR_ADMIN_RO(seamldr_version);

static ssize_t num_remaining_updates_show(struct device *dev, struct device_attribute *attr,
					  char *buf)
{
	return tdxu_sysfs_show_num_remaining_updates(buf);
}
static DEVICE_ATTR_ADMIN_RO(num_remaining_updates);

static struct attribute *device_attrs[] = {
	&dev_attr_version.attr,
	&dev_attr_seamldr_version.attr,
	&dev_attr_num_remaining_updates.attr,
	NULL
};
ATTRIBUTE_GROUPS(device);

/* What file error shows for a result. The loader has few words: the rest is hw-error. */
static const enum fw_upload_err errors[] = {
	[TDXU_UPDATE_RACE]	= FW_UPLOAD_ERR_BUSY,
	[TDXU_NO_UPDATES_LEFT]	= FW_UPLOAD_ERR_WEAROUT,
	[TDXU_NO_IMAGE]		= FW_UPLOAD_ERR_RW_ERROR,	/* the recovery image */
	[TDXU_NO_MEMORY]	= FW_UPLOAD_ERR_RW_ERROR,
	[TDXU_TOO_LARGE]	= FW_UPLOAD_ERR_INVALID_SIZE,
	[TDXU_BAD_IMAGE]	= FW_UPLOAD_ERR_FW_INVALID,
	[TDXU_CORRUPT]		= FW_UPLOAD_ERR_FW_INVALID,
	[TDXU_BAD_SIGNATURE]	= FW_UPLOAD_ERR_FW_INVALID,
	[TDXU_WRONG_CPU]	= FW_UPLOAD_ERR_FW_INVALID,
	[TDXU_WRONG_SERIES]	= FW_UPLOAD_ERR_FW_INVALID,
	[TDXU_OLDER]		= FW_UPLOAD_ERR_FW_INVALID,
	[TDXU_BAD_HANDOFF]	= FW_UPLOAD_ERR_FW_INVALID,
	[TDXU_INTERRUPTED]	= FW_UPLOAD_ERR_CANCELED,
};

static enum fw_upload_err attempt(const u8 *data, u32 size)
{
	enum tdxu_result result = tdxu_attempt_upload(data, size, &cancelled);

	if (result == TDXU_SUCCESS)
		return FW_UPLOAD_ERR_NONE;
	if (result < ARRAY_SIZE(errors) && errors[result])
		return errors[result];
	return FW_UPLOAD_ERR_HW_ERROR;
}

/* Reject oversized images in prepare(), as fw_upload expects. */
static enum fw_upload_err upload_prepare(struct fw_upload *fwl, const u8 *data, u32 size)
{
	WRITE_ONCE(cancelled, false);
	return size > TDXU_IMAGE_MAX_SIZE ? attempt(data, size) : FW_UPLOAD_ERR_NONE;
}

/* Called once per upload: takes all of it or nothing. */
static enum fw_upload_err upload_write(struct fw_upload *fwl, const u8 *data, u32 offset, u32 size,
				       u32 *written)
{
	enum fw_upload_err err = attempt(data, size);

	*written = err == FW_UPLOAD_ERR_NONE ? size : 0;
	return err;
}

static enum fw_upload_err upload_poll_complete(struct fw_upload *fwl)
{
	return FW_UPLOAD_ERR_NONE;
}

/* Comes from another thread at any time. It has an effect until the CPUs are stopped. */
static void upload_cancel(struct fw_upload *fwl)
{
	WRITE_ONCE(cancelled, true);
}

static const struct fw_upload_ops upload_ops = {
	.prepare	= upload_prepare,
	.write		= upload_write,
	.poll_complete	= upload_poll_complete,
	.cancel		= upload_cancel,
};

/*
 * Unregistering waits only for the upload that it finds under way. An upload that starts later
 * would outlive the node and this module. So remove the file that starts uploads first, which waits
 * for its writers.
 */
static void remove_upload(void)
{
	const struct device_attribute loading = { .attr = { .name = "loading" } };
	struct device *node = device_find_child_by_name(&device->dev, UPLOAD_NAME);

	if (!WARN_ON(!node)) {
		device_remove_file(node, &loading);
		put_device(node);
	}
	firmware_upload_unregister(upload);
}

/*
 * Creating a device whose name is taken leaves a call trace in the kernel log, so look first. The
 * faux bus exports no lookup: a temporary sibling leads to the other devices.
 */
static bool has_own_driver(void)
{
	struct faux_device *sibling;
	struct device *other;

	if (IS_ENABLED(CONFIG_TDX_HOST_SERVICES))
		return true;
	sibling = faux_device_create_with_groups(KBUILD_MODNAME, NULL, NULL, NULL);
	if (!sibling)
		return false;
	other = device_find_child_by_name(sibling->dev.parent, DEVICE_NAME);
	put_device(other);
	faux_device_destroy(sibling);
	return other;
}

/**
 * tdxu_fw_upload_init() - offer mainline's interface: /sys/devices/faux/tdx_host/ and, where the
 * kernel has CONFIG_FW_UPLOAD, /sys/class/firmware/tdx_module/
 *
 * Leaves the interface to the kernel's own driver if there is one, and logs that. Offers nothing
 * with mainline_interface=0. If memory is short it logs what is missing and goes on, because
 * updates do not need this interface.
 *
 * Context: may sleep. Once, at module load, after all other initialization.
 */
void tdxu_fw_upload_init(void)
{
	if (has_own_driver()) {
		pr_info("this kernel has an update driver of its own: leaving mainline's interface to it\n");
		return;
	}
	if (!mainline_interface)
		return;

	device = faux_device_create_with_groups(DEVICE_NAME, NULL, NULL, device_groups);
	if (!device) {
		pr_notice("out of memory: no device " DEVICE_NAME "; update by name instead\n");
		return;
	}
	if (!IS_ENABLED(CONFIG_FW_UPLOAD))
		return;

	upload = firmware_upload_register(NULL, &device->dev, UPLOAD_NAME, &upload_ops, NULL);
	if (IS_ERR(upload)) {
		pr_notice("no upload node " UPLOAD_NAME " (error %ld); update by name instead\n",
			  PTR_ERR(upload));
		upload = NULL;
	}
}

/**
 * tdxu_fw_upload_exit() - undo tdxu_fw_upload_init()
 *
 * Cancels the upload under way, if it can still be cancelled, and waits for its end. None can start
 * afterwards.
 *
 * Context: may sleep. Once, at module unload, before anything else is torn down.
 */
void tdxu_fw_upload_exit(void)
{
	if (upload)
		remove_upload();
	if (device)
		faux_device_destroy(device);
}
