// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads and unloads the module. Decides only the order in which its parts start and stop.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/module.h>

#include "tdx_update.h"

static int __init tdxu_init(void)
{
	const char *why;
	int err;

	err = tdxu_platform_init(&why);
	if (err == -ENODEV)
		pr_err("not loaded: %s\n", why);
	if (err)
		return err;

	err = tdxu_verify_init();
	if (err) {
		pr_err("not loaded: the kernel has no SHA-384 or RSA for us (%d)\n", err);
		goto exit_platform;
	}
	err = tdxu_sysfs_init();
	if (err)
		goto exit_verify;
	tdxu_fw_upload_init();
	if (IS_ENABLED(CONFIG_TDX_HOST_SERVICES))
		pr_info("this kernel has an update driver of its own, its interface stays with it\n");
	return 0;

exit_verify:
	tdxu_verify_exit();
exit_platform:
	tdxu_platform_exit();
	return err;
}

static void __exit tdxu_exit(void)
{
	tdxu_fw_upload_exit();
	tdxu_sysfs_exit();
	tdxu_verify_exit();
	tdxu_platform_exit();
}

module_init(tdxu_init);
module_exit(tdxu_exit);

MODULE_DESCRIPTION("Replaces the running Intel TDX module while the confidential guests live on");
MODULE_LICENSE("GPL");
MODULE_VERSION(TDX_UPDATE_VERSION);
