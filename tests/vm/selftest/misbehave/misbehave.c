// SPDX-License-Identifier: GPL-2.0-only
/* Leaks memory or warns on purpose. Only for the test of the test harness. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

static char *what = "";
module_param(what, charp, 0);
MODULE_PARM_DESC(what, "warn: a kernel warning; leak: memory that nobody frees");

/* Not inlined: the kernel frees the init function after loading, and forgets its addresses. */
static noinline void leak(void)
{
	void *small = kmalloc(100, GFP_KERNEL);
	void *large = vmalloc(3 * PAGE_SIZE);

	pr_info("leaking %p and %p\n", small, large);
}

static int __init misbehave_init(void)
{
	if (!strcmp(what, "leak"))
		leak();
	WARN_ON(!strcmp(what, "warn"));
	return 0;
}
module_init(misbehave_init);

static void __exit misbehave_exit(void)
{
}
module_exit(misbehave_exit);

MODULE_DESCRIPTION("Misbehaves for the test of the test harness");
MODULE_LICENSE("GPL");
