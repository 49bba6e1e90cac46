// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads and unloads the module, and prepares it for a restart of the host. Decides only in which
 * order its parts start and stop.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/smp.h>

#include "tdx_update.h"

/*
 * Before kexec the kernel flushes the caches of each CPU on which it made a SEAMCALL. It does not
 * see our SEAMCALLs, so this module flushes all caches itself: docs/design.md, "kexec".
 * Unconditionally, because loading has already called P-SEAMLDR.
 */
static void flush_caches(const char *before)
{
	wbinvd_on_all_cpus();
	pr_info("flushed the caches of all CPUs before %s\n", before);
}

/* Runs for kexec, reboot, halt and power-off, while all CPUs still work; not for a crash kernel. */
static int prepare_restart(struct notifier_block *block, unsigned long action, void *data)
{
	tdxu_attempts_close();
	flush_caches("the host goes down");
	return NOTIFY_DONE;
}

static struct notifier_block restart_notifier = { .notifier_call = prepare_restart };

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
		pr_err("not loaded: the kernel's crypto lacks SHA-384 or RSA (error %d)\n", err);
		goto exit_platform;
	}
	/* For its side effect: it remembers what a TDX module that is shut down cannot tell. */
	tdxu_attempt_state();

	err = register_reboot_notifier(&restart_notifier);
	if (err)
		goto exit_verify;
	err = tdxu_sysfs_init();
	if (err)
		goto exit_restart;
	tdxu_fw_upload_init();
	return 0;

exit_restart:
	unregister_reboot_notifier(&restart_notifier);
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
	unregister_reboot_notifier(&restart_notifier);
	flush_caches("unloading");
	tdxu_verify_exit();
	tdxu_platform_exit();
}

module_init(tdxu_init);
module_exit(tdxu_exit);

MODULE_DESCRIPTION("Replaces the running Intel TDX module while the confidential guests live on");
MODULE_LICENSE("GPL");
MODULE_VERSION(TDX_UPDATE_VERSION);
