// SPDX-License-Identifier: GPL-2.0-only
/*
 * The TDs that a test makes by number, one command a write, and the files that show them.
 * Keeps the list of these TDs. A command holds the list's lock to find, add or remove a TD, but not
 * during its SEAMCALLs. Lock order: the list, then a TD.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "td.h"

#define MAX_COMMAND		128
#define MAX_OPERANDS		2

static DEFINE_MUTEX(list_lock);
static LIST_HEAD(tds);
static unsigned int nr_tds;

static DEFINE_SPINLOCK(last_lock);
static struct td_caller last = { .leaf = TD_CALLER_NONE };

static struct td *find(u64 id)
{
	struct td *td;

	lockdep_assert_held(&list_lock);
	list_for_each_entry(td, &tds, node)
		if (td->id == id)
			return td;
	return NULL;
}

/* Return the TD locked, with a reference. It may have been destroyed meanwhile: check its phase. */
static struct td *find_and_lock(u64 id)
{
	struct td *td;

	mutex_lock(&list_lock);
	td = find(id);
	if (td)
		td_get(td);
	mutex_unlock(&list_lock);
	if (td)
		mutex_lock(&td->lock);
	return td;
}

static void unlock_and_put(struct td *td)
{
	mutex_unlock(&td->lock);
	td_put(td);
}

/* Lock a new TD and put it into the list, which takes over the caller's reference. */
static int enlist_and_lock(struct td *td)
{
	int ret = -EINVAL;

	mutex_lock(&list_lock);
	if (!find(td->id)) {
		mutex_lock(&td->lock);
		list_add_tail(&td->node, &tds);
		nr_tds++;
		ret = 0;
	}
	mutex_unlock(&list_lock);
	return ret;
}

/* Remove a TD, or with @any the first one, from the list. The caller gets the list's reference. */
static struct td *delist(bool any, u64 id)
{
	struct td *td;

	mutex_lock(&list_lock);
	td = any ? list_first_entry_or_null(&tds, struct td, node) : find(id);
	if (td) {
		list_del_init(&td->node);
		nr_tds--;
	}
	mutex_unlock(&list_lock);
	return td;
}

static int destroy(struct td_caller *caller, struct td *td)
{
	int ret;

	mutex_lock(&td->lock);
	ret = td_destroy(caller, td);
	unlock_and_put(td);
	return ret;
}

static int do_new(struct td_caller *caller, u64 id, u64 unused)
{
	struct td *td;
	int ret;

	td = td_alloc(id, id);
	if (!td)
		return -ENOMEM;
	ret = enlist_and_lock(td);
	if (ret) {
		td_put(td);
		return ret;
	}
	ret = td_new(caller, td);
	mutex_unlock(&td->lock);
	return ret;
}

static int do_import(struct td_caller *caller, u64 id, u64 from_id)
{
	struct td *td, *from;
	int ret;

	td = td_alloc(id, id);
	if (!td)
		return -ENOMEM;
	ret = -EINVAL;
	from = find_and_lock(from_id);
	if (from) {
		ret = td_take_export(td, from);
		unlock_and_put(from);
	}
	if (!ret)
		ret = enlist_and_lock(td);
	if (ret) {
		td_put(td);
		return ret;
	}
	ret = td_import(caller, td);
	mutex_unlock(&td->lock);
	return ret;
}

static int do_add(struct td_caller *caller, u64 id, u64 count)
{
	struct td *td;
	int ret;

	if (count > TDX_TD_MAX_PAGES)
		return -EINVAL;
	td = find_and_lock(id);
	if (!td)
		return -EINVAL;
	ret = td_add(caller, td, count);
	unlock_and_put(td);
	return ret;
}

static int do_destroy(struct td_caller *caller, u64 id, u64 unused)
{
	struct td *td = delist(false, id);

	return td ? destroy(caller, td) : -EINVAL;
}

static int on_one(struct td_caller *caller, u64 id,
		  int (*operation)(struct td_caller *caller, struct td *td))
{
	struct td *td = find_and_lock(id);
	int ret;

	if (!td)
		return -EINVAL;
	ret = operation(caller, td);
	unlock_and_put(td);
	return ret;
}

/* Operands: IMAGE [HV]. The only command whose first operand is not a number. */
static int do_install(struct td_caller *caller, char *text)
{
	char *name = strsep(&text, " \t");
	u16 hv = 0;

	if (!name || (text && kstrtou16(text, 0, &hv)))
		return -EINVAL;
	return td_install(caller, name, hv);
}

/* A command has @run, which gets all operands, or @operation, for the one TD that it names. */
static const struct command {
	const char *name;
	unsigned int operands;
	int (*run)(struct td_caller *caller, u64 id, u64 operand);
	int (*operation)(struct td_caller *caller, struct td *td);
} commands[] = {
	{ .name = "new",	.operands = 1, .run = do_new },
	{ .name = "add",	.operands = 2, .run = do_add },
	{ .name = "finalize",	.operands = 1, .operation = td_finalize },
	{ .name = "enter",	.operands = 1, .operation = td_enter },
	{ .name = "export",	.operands = 1, .operation = td_export },
	{ .name = "export-end",	.operands = 1, .operation = td_export_end },
	{ .name = "import",	.operands = 2, .run = do_import },
	{ .name = "import-end",	.operands = 1, .operation = td_import_end },
	{ .name = "destroy",	.operands = 1, .run = do_destroy },
};

static int run(struct td_caller *caller, char *text)
{
	const struct command *command = NULL;
	u64 operands[MAX_OPERANDS] = { };
	unsigned int count = 0, i;
	char *word, *name;

	text = strim(text);
	if (!strcmp(text, "destroy all")) {
		td_destroy_all(caller);
		return caller->failed ? -EIO : 0;
	}

	name = strsep(&text, " \t");
	if (!strcmp(name, "install"))
		return do_install(caller, text);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(name, commands[i].name))
			command = &commands[i];
	if (!command)
		return -EINVAL;
	while ((word = strsep(&text, " \t"))) {
		if (!*word)
			continue;
		if (count == command->operands || kstrtou64(word, 0, &operands[count]))
			return -EINVAL;
		count++;
	}
	if (count != command->operands)
		return -EINVAL;

	if (command->operation)
		return on_one(caller, operands[0], command->operation);
	return command->run(caller, operands[0], operands[1]);
}

static ssize_t cmd_write(struct file *file, const char __user *buffer, size_t size, loff_t *pos)
{
	struct td_caller caller = { .leaf = TD_CALLER_NONE };
	char text[MAX_COMMAND];
	int ret;

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buffer, size))
		return -EFAULT;
	text[size] = '\0';
	ret = run(&caller, text);
	if (caller.leaf != TD_CALLER_NONE) {
		spin_lock(&last_lock);
		last = caller;
		spin_unlock(&last_lock);
	}
	return ret ?: size;
}

const struct file_operations td_cmd_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = cmd_write,
	.llseek = noop_llseek,
};

static int last_status_show(struct seq_file *file, void *unused)
{
	struct td_caller caller;

	spin_lock(&last_lock);
	caller = last;
	spin_unlock(&last_lock);
	if (caller.leaf == TD_CALLER_NONE)
		seq_puts(file, "none\n");
	else
		seq_printf(file, "%s 0x%llx\n", td_leaf_name(caller.leaf), caller.status);
	return 0;
}

static int last_status_open(struct inode *inode, struct file *file)
{
	return single_open(file, last_status_show, NULL);
}

const struct file_operations td_last_status_fops = {
	.owner = THIS_MODULE,
	.open = last_status_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

static void *tds_start(struct seq_file *file, loff_t *pos)
{
	mutex_lock(&list_lock);
	return seq_list_start(&tds, *pos);
}

static void *tds_next(struct seq_file *file, void *entry, loff_t *pos)
{
	return seq_list_next(entry, &tds, pos);
}

static void tds_stop(struct seq_file *file, void *entry)
{
	mutex_unlock(&list_lock);
}

static const char *state_name(u64 state)
{
#define STATE_NAME(symbol, name) [symbol] = name,
	static const char * const names[] = { TDX_TD_STATES(STATE_NAME) };
#undef STATE_NAME

	return state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

static int tds_show(struct seq_file *file, void *entry)
{
	struct td *td = list_entry(entry, struct td, node);
	struct td_caller caller = { .leaf = TD_CALLER_NONE };
	const char *verdict = "-", *name = "-";
	u8 mrtd[TDX_SHA384_SIZE];
	bool has_mrtd;
	u64 state;

	mutex_lock(&td->lock);
	if (!td_read_state(&caller, td, &state))
		name = state_name(state);
	has_mrtd = !td_read_mrtd(&caller, td, mrtd);
	if (has_mrtd)
		verdict = memcmp(mrtd, td->mrtd, sizeof(mrtd)) ? "wrong" : "good";
	seq_printf(file, "id=%llu td=0x%llx state=%s mrtd=", td->id, td_address(td), name);
	if (has_mrtd)
		seq_printf(file, "%*phN", (int)sizeof(mrtd), mrtd);
	else
		seq_putc(file, '-');
	seq_printf(file, " verdict=%s enters=%llu\n", verdict, td->enters);
	mutex_unlock(&td->lock);
	return 0;
}

static const struct seq_operations tds_ops = {
	.start = tds_start,
	.next = tds_next,
	.stop = tds_stop,
	.show = tds_show,
};

static int tds_open(struct inode *inode, struct file *file)
{
	return seq_open(file, &tds_ops);
}

const struct file_operations td_tds_fops = {
	.owner = THIS_MODULE,
	.open = tds_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release,
};

/**
 * td_enter_any() - run one of the TDs made by command once
 * @caller: as for td_call()
 * @nth: index of the TD in the list, modulo the number of TDs
 *
 * Does not wait for a TD that a command is using.
 *
 * Context: may sleep.
 * Return: 0; -ENOENT if that TD cannot be run now, or there is none; errors of td_call().
 */
int td_enter_any(struct td_caller *caller, unsigned int nth)
{
	struct td *td = NULL, *each;
	int ret = -ENOENT;

	mutex_lock(&list_lock);
	if (nr_tds)
		nth %= nr_tds;
	list_for_each_entry(each, &tds, node) {
		if (!nth--) {
			td = td_get(each);
			break;
		}
	}
	mutex_unlock(&list_lock);
	if (!td)
		return ret;

	if (mutex_trylock(&td->lock)) {
		if (td->phase == TD_RUNNABLE)
			ret = td_enter(caller, td);
		mutex_unlock(&td->lock);
	}
	td_put(td);
	return ret;
}

/**
 * td_destroy_all() - destroy all TDs made by command
 * @caller: as for td_call(), not paced
 *
 * Context: may sleep.
 */
void td_destroy_all(struct td_caller *caller)
{
	struct td *td;

	while ((td = delist(true, 0)))
		destroy(caller, td);
}
