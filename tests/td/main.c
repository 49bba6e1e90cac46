// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx_td.ko: the host's part in TDs' lives, for tests of an update. Tests control it by debugfs,
 * tdx_td/. This file creates and removes the directory and has the files of the settings. It uses
 * no TD, except to destroy all of them when the module is unloaded.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/module.h>

#include "td.h"

static struct dentry *directory;

static int pace_get(void *data, u64 *value)
{
	*value = READ_ONCE(td_pace_us);
	return 0;
}

static int pace_set(void *data, u64 value)
{
	if (value > U32_MAX)
		return -EINVAL;
	WRITE_ONCE(td_pace_us, value);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(pace_fops, pace_get, pace_set, "%llu\n");

static int pages_get(void *data, u64 *value)
{
	*value = READ_ONCE(td_thread_pages);
	return 0;
}

static int pages_set(void *data, u64 value)
{
	if (value > TDX_TD_MAX_PAGES)
		return -EINVAL;
	WRITE_ONCE(td_thread_pages, value);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(pages_fops, pages_get, pages_set, "%llu\n");

static int stats_show(struct seq_file *file, void *unused)
{
	td_stats_show(file);
	return 0;
}

static int stats_open(struct inode *inode, struct file *file)
{
	return single_open(file, stats_show, NULL);
}

/* A write clears the statistics, whatever its content. */
static ssize_t stats_write(struct file *file, const char __user *buffer, size_t size, loff_t *pos)
{
	td_stats_clear();
	return size;
}

static const struct file_operations stats_fops = {
	.owner = THIS_MODULE,
	.open = stats_open,
	.read = seq_read,
	.write = stats_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int __init tdx_td_init(void)
{
	int ret;

	ret = td_init();
	if (ret) {
		pr_err("no SHA-384: %d\n", ret);
		return ret;
	}
	ret = td_raw_init();
	if (ret)
		goto exit_td;
	directory = debugfs_create_dir(KBUILD_MODNAME, NULL);
	if (IS_ERR(directory)) {
		ret = PTR_ERR(directory);
		pr_err("no debugfs: %d\n", ret);
		goto exit_raw;
	}
	debugfs_create_file("cmd", 0200, directory, NULL, &td_cmd_fops);
	debugfs_create_file("last_status", 0400, directory, NULL, &td_last_status_fops);
	debugfs_create_file("tds", 0400, directory, NULL, &td_tds_fops);
	debugfs_create_file("threads", 0600, directory, NULL, &td_threads_fops);
	debugfs_create_file("raw", 0600, directory, NULL, &td_raw_fops);
	debugfs_create_file("buffer", 0600, directory, NULL, &td_buffer_fops);
	debugfs_create_file("stats", 0600, directory, NULL, &stats_fops);
	debugfs_create_file_unsafe("pace_us", 0600, directory, NULL, &pace_fops);
	debugfs_create_file_unsafe("pages", 0600, directory, NULL, &pages_fops);
	return 0;

exit_raw:
	td_raw_exit();
exit_td:
	td_exit();
	return ret;
}

static void __exit tdx_td_exit(void)
{
	struct td_caller caller = { };

	/* First the files, so that no command can come in between. */
	debugfs_remove(directory);
	td_stop_threads();
	td_destroy_all(&caller);
	if (caller.failed)
		pr_info("%s answered 0x%llx; memory is freed all the same\n",
			td_leaf_name(caller.leaf), caller.status);
	td_raw_exit();
	td_exit();
}

module_init(tdx_td_init);
module_exit(tdx_td_exit);

MODULE_DESCRIPTION("Builds, runs and migrates TDs over the TDX emulator (test-only)");
MODULE_LICENSE("GPL");
MODULE_SOFTDEP("pre: crypto-sha384");
