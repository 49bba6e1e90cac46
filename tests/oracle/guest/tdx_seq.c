// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx_seq.ko makes SEAMCALLs on chosen CPUs with chosen registers, and has memory for their
 * operands. It knows no leaf and checks nothing; replay.c does. For the emulator only: a call may
 * write to no memory but the module's own.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/smp.h>
#include <linux/uaccess.h>

#include "format.h"

static struct dentry *directory;
static u8 *pool;
static struct debugfs_blob_wrapper pool_blob;

/* The calls of the last write, with their answers. */
static DEFINE_MUTEX(calls_lock);
static struct seq_registers calls[SEQ_MAX_CALLS];
static size_t calls_size;

static void execute(void *data)
{
	struct seq_registers *call = data;
	u64 rax = call->rax, rcx = call->rcx, rdx = call->rdx, in_r8 = call->r8;
	u8 carry;
	/* No memory access from here to the asm: a sanitizer's call for it would clobber R8. */
	register u64 r8 asm("r8") = in_r8;

	asm volatile(".byte 0x66, 0x0f, 0x01, 0xcf\n"
		     "	setc	%[carry]"
		     : [carry] "=q" (carry), "+a" (rax), "+c" (rcx), "+d" (rdx), "+r" (r8)
		     : : "cc", "memory", "r9", "r10", "r11");

	in_r8 = r8;
	call->rax = carry ? SEQ_VMFAILINVALID : rax;
	call->rcx = rcx;
	call->rdx = rdx;
	call->r8 = in_r8;
}

static ssize_t write_calls(struct file *file, const char __user *from, size_t size, loff_t *offset)
{
	ssize_t ret = size;
	size_t i;

	if (size % sizeof(calls[0]) || size > sizeof(calls))
		return -EINVAL;
	mutex_lock(&calls_lock);
	calls_size = 0;
	if (copy_from_user(calls, from, size)) {
		ret = -EFAULT;
		goto out;
	}
	for (i = 0; i < size / sizeof(calls[0]); i++) {
		if (smp_call_function_single(calls[i].lp, execute, &calls[i], true)) {
			ret = -ENXIO;
			goto out;
		}
	}
	calls_size = size;
out:
	mutex_unlock(&calls_lock);
	return ret;
}

static ssize_t read_calls(struct file *file, char __user *to, size_t size, loff_t *offset)
{
	loff_t from_start = 0;
	ssize_t ret;

	mutex_lock(&calls_lock);
	ret = simple_read_from_buffer(to, size, &from_start, calls, calls_size);
	mutex_unlock(&calls_lock);
	return ret;
}

static const struct file_operations calls_fops = {
	.owner = THIS_MODULE,
	.read = read_calls,
	.write = write_calls,
};

static ssize_t write_memory(struct file *file, const char __user *from, size_t size, loff_t *offset)
{
	return simple_write_to_buffer(pool, SEQ_POOL_SIZE, offset, from, size);
}

static ssize_t read_memory(struct file *file, char __user *to, size_t size, loff_t *offset)
{
	return simple_read_from_buffer(to, size, offset, pool, SEQ_POOL_SIZE);
}

static const struct file_operations memory_fops = {
	.owner = THIS_MODULE,
	.read = read_memory,
	.write = write_memory,
	.llseek = default_llseek,
};

static u64 base;

static int __init tdx_seq_init(void)
{
	pool = alloc_pages_exact(SEQ_POOL_SIZE, GFP_KERNEL | __GFP_ZERO);
	if (!pool)
		return -ENOMEM;
	base = virt_to_phys(pool);
	pool_blob = (struct debugfs_blob_wrapper){ .data = &base, .size = sizeof(base) };
	directory = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_blob("base", 0400, directory, &pool_blob);
	debugfs_create_file("memory", 0600, directory, NULL, &memory_fops);
	debugfs_create_file("calls", 0600, directory, NULL, &calls_fops);
	return 0;
}

static void __exit tdx_seq_exit(void)
{
	debugfs_remove(directory);
	free_pages_exact(pool, SEQ_POOL_SIZE);
}

module_init(tdx_seq_init);
module_exit(tdx_seq_exit);

MODULE_DESCRIPTION("SEAMCALLs by hand, for tests");
MODULE_LICENSE("GPL");
