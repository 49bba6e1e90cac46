// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exception tables of the modules loaded after the emulator: they say where code continues after a
 * trap. The emulator searches them itself, because the kernel does not export its search.
 * The search runs in traps; everything else here may sleep.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/extable.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include <asm/extable.h>

#include "emu.h"

#ifdef MODULE

struct watched_module {
	struct list_head node;
	const struct module *module;
};

static LIST_HEAD(watched_modules);
static DEFINE_RAW_SPINLOCK(watched_modules_lock);

/**
 * emu_extable_find() - find the exception table entry of an instruction
 * @ip: its address
 * @type: EX_TYPE_* that the entry must have
 *
 * Context: any.
 * Return: the entry, valid while code of its module executes; NULL if there is none.
 */
const struct exception_table_entry *emu_extable_find(unsigned long ip, int type)
{
	const struct exception_table_entry *entry, *found = NULL;
	struct watched_module *watched;
	unsigned long flags;
	unsigned int i;

	raw_spin_lock_irqsave(&watched_modules_lock, flags);
	list_for_each_entry(watched, &watched_modules, node) {
		for (i = 0; i < watched->module->num_exentries && !found; i++) {
			entry = &watched->module->extable[i];
			if ((unsigned long)&entry->insn + entry->insn == ip &&
			    (entry->data & EX_DATA_TYPE_MASK) == type)
				found = entry;
		}
	}
	raw_spin_unlock_irqrestore(&watched_modules_lock, flags);
	return found;
}

static void watch(const struct module *module)
{
	struct watched_module *watched = kmalloc(sizeof(*watched), GFP_KERNEL);
	unsigned long flags;

	if (!watched) {
		pr_err("no memory for the exception table of %s\n", module->name);
		return;
	}
	watched->module = module;
	raw_spin_lock_irqsave(&watched_modules_lock, flags);
	list_add(&watched->node, &watched_modules);
	raw_spin_unlock_irqrestore(&watched_modules_lock, flags);
	emu_msr_divert(module, true);
}

static void unwatch(const struct module *module)
{
	struct watched_module *watched, *next, *found = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&watched_modules_lock, flags);
	list_for_each_entry_safe(watched, next, &watched_modules, node) {
		if (watched->module == module) {
			list_del(&watched->node);
			found = watched;
			break;
		}
	}
	raw_spin_unlock_irqrestore(&watched_modules_lock, flags);
	kfree(found);
}

static int module_changed(struct notifier_block *nb, unsigned long state, void *module)
{
	/* At COMING the table is sorted, and the module's init function has not run yet. */
	if (state == MODULE_STATE_COMING)
		watch(module);
	else if (state == MODULE_STATE_GOING)
		unwatch(module);
	return NOTIFY_DONE;
}

static struct notifier_block module_notifier = {
	.notifier_call = module_changed,
};

/* Begin to watch modules that are loaded. */
int emu_extable_init(void)
{
	return register_module_notifier(&module_notifier);
}

/**
 * emu_extable_exit() - undo emu_extable_init(), and emu_msr_divert() in all watched modules
 *
 * Context: may sleep; no trap can come any more.
 */
void emu_extable_exit(void)
{
	struct watched_module *watched, *next;

	unregister_module_notifier(&module_notifier);
	list_for_each_entry_safe(watched, next, &watched_modules, node) {
		emu_msr_divert(watched->module, false);
		kfree(watched);
	}
}

#else /* built in: the kernel's search can be called */

const struct exception_table_entry *emu_extable_find(unsigned long ip, int type)
{
	const struct exception_table_entry *entry = search_exception_tables(ip);

	return entry && (entry->data & EX_DATA_TYPE_MASK) == type ? entry : NULL;
}

int emu_extable_init(void)
{
	return 0;
}

void emu_extable_exit(void)
{
}

#endif
