// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx_nomem.ko: makes one allocation of tdx_update fail, on kernels without fault injection too.
 *
 * A process writes N to the parameter nth. From then on the N-th allocation fails that the process
 * makes in a function of tdx_update, or in one that tdx_update has called. With calls=1 those that
 * one call in tdx_update leads to count as one, for calls that fail in one way only. Kprobes at the
 * entries of the kernel's allocators return NULL instead.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/linkage.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>
#include <linux/string.h>

#include <asm/pgtable.h>

#define MAX_FRAMES	64

/* The process, and how many of its allocations are left until one fails. 0: none fails. */
static struct task_struct *process;
static unsigned int left;

/* The calls in tdx_update that have led to the last allocation, added up. 0: there was none. */
static unsigned long last_path;

static bool calls;
module_param(calls, bool, 0644);
MODULE_PARM_DESC(calls, "count calls in tdx_update that allocate, not allocations (default: 0)");

static unsigned int failed;
module_param(failed, uint, 0444);
MODULE_PARM_DESC(failed, "allocations that were made to fail; read only");

static int set_nth(const char *text, const struct kernel_param *param)
{
	unsigned int nth;
	int err = kstrtouint(text, 0, &nth);

	if (err)
		return err;
	WRITE_ONCE(left, 0);
	last_path = 0;
	WRITE_ONCE(process, current);
	WRITE_ONCE(left, nth);
	return 0;
}

static const struct kernel_param_ops nth_ops = { .set = set_nth };
module_param_cb(nth, &nth_ops, NULL, 0200);
MODULE_PARM_DESC(nth, "the allocation of tdx_update in the writing process that is to fail, 0: none");

/* What an allocator is replaced with. Takes and touches nothing, so it suits every prototype. */
static noinline void *no_memory(void)
{
	return NULL;
}

/* Interrupts are not the process. A kprobe that traps is itself an NMI, which counts as one. */
static bool of_process(void)
{
	unsigned long own = in_nmi() ? HARDIRQ_OFFSET : 0;

	return READ_ONCE(process) == current && hardirq_count() == own && !in_serving_softirq();
}

/*
 * Add up the return addresses in tdx_update that are on the stack; 0: there is none. One process at
 * a time gets here, so the buffers are static.
 */
static unsigned long path_in_tdx_update(void)
{
	static unsigned long frames[MAX_FRAMES];
	static char symbol[KSYM_SYMBOL_LEN];
	unsigned long path = 0;
	unsigned int i, count;

	count = stack_trace_save(frames, MAX_FRAMES, 0);
	for (i = 0; i < count; i++) {
		if (frames[i] < MODULES_VADDR || frames[i] >= MODULES_END)
			continue;
		sprint_symbol(symbol, frames[i]);
		if (strstr(symbol, "[tdx_update]"))
			path += frames[i];
	}
	return path;
}

static int refuse(struct pt_regs *regs, gfp_t gfp)
{
	unsigned long path;

	if (!READ_ONCE(left) || !of_process() || gfp & __GFP_NOFAIL)
		return 0;
	path = path_in_tdx_update();
	if (!path || (READ_ONCE(calls) && path == last_path))
		return 0;
	last_path = path;
	WRITE_ONCE(left, left - 1);
	if (left)
		return 0;
	failed++;
	regs->ip = (unsigned long)no_memory;
	return 1;
}

/* Named after the parameter that is gfp. */
static int refuse_first(struct kprobe *probe, struct pt_regs *regs)
{
	return refuse(regs, (__force gfp_t)regs->di);
}

static int refuse_second(struct kprobe *probe, struct pt_regs *regs)
{
	return refuse(regs, (__force gfp_t)regs->si);
}

static int __maybe_unused refuse_third(struct kprobe *probe, struct pt_regs *regs)
{
	return refuse(regs, (__force gfp_t)regs->dx);
}

/* A probe with a post handler is not optimized into a jump, which could not be redirected. */
static void after(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

#define ALLOCATOR(name, refuse) \
	{ .symbol_name = name, .pre_handler = refuse, .post_handler = after }

#ifdef CONFIG_SLAB_BUCKETS
#define refuse_bucket refuse_third	/* a size and a bucket come before */
#else
#define refuse_bucket refuse_second
#endif

/* A kernel has some of them. What one of them gets from another counts twice. */
static struct kprobe pages[] = {
	ALLOCATOR("__alloc_pages", refuse_first),
	ALLOCATOR("__alloc_pages_noprof", refuse_first),
	ALLOCATOR("__alloc_frozen_pages_noprof", refuse_first),
};

static struct kprobe objects[] = {
	ALLOCATOR("__kmalloc", refuse_second),
	ALLOCATOR("__kmalloc_node", refuse_second),
	ALLOCATOR("__kmalloc_node_track_caller", refuse_second),
	ALLOCATOR("kmalloc_trace", refuse_second),
	ALLOCATOR("kmem_cache_alloc", refuse_second),
	ALLOCATOR("kmem_cache_alloc_lru", refuse_second),
	ALLOCATOR("kmem_cache_alloc_node", refuse_second),
	ALLOCATOR("__kmalloc_noprof", refuse_second),
	ALLOCATOR("__kmalloc_node_noprof", refuse_bucket),
	ALLOCATOR("__kmalloc_node_track_caller_noprof", refuse_bucket),
	ALLOCATOR("__kmalloc_cache_noprof", refuse_second),
	ALLOCATOR("kmem_cache_alloc_noprof", refuse_second),
	ALLOCATOR("kmem_cache_alloc_lru_noprof", refuse_second),
	ALLOCATOR("kmem_cache_alloc_node_noprof", refuse_second),
};

static void disarm(struct kprobe *probes, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (probes[i].addr)
			unregister_kprobe(&probes[i]);
}

/* Return 0, or -ENOENT if the kernel has none of these functions. */
static int arm(struct kprobe *probes, size_t count)
{
	size_t i, armed = 0;

	for (i = 0; i < count; i++) {
		if (register_kprobe(&probes[i]))
			probes[i].addr = NULL;
		else
			armed++;
	}
	return armed ? 0 : -ENOENT;
}

static int __init tdx_nomem_init(void)
{
	int err;

	err = arm(pages, ARRAY_SIZE(pages));
	if (err)
		return err;
	err = arm(objects, ARRAY_SIZE(objects));
	if (err)
		disarm(pages, ARRAY_SIZE(pages));
	return err;
}

static void __exit tdx_nomem_exit(void)
{
	disarm(objects, ARRAY_SIZE(objects));
	disarm(pages, ARRAY_SIZE(pages));
}

module_init(tdx_nomem_init);
module_exit(tdx_nomem_exit);

MODULE_DESCRIPTION("Allocations that fail, for tests of tdx_update");
MODULE_LICENSE("GPL");
