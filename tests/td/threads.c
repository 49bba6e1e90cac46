// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that build, run and migrate TDs all the time, so that an update meets these operations.
 * A round destroys the TDs that it makes, however it ends. Threads are not bound to a CPU, and must
 * not depend on which TDX module answers.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/numa.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "td.h"

#define MAX_THREADS		64	/* of each kind */
#define MAX_LINE		128

/* Pause after a failed round, so that threads do not burn CPUs once the TDX module is lost. */
#define IDLE_US			1000

/* IDs, and so seeds, of the threads' TDs begin here, far from those that tests choose. */
#define FIRST_ID		(1ULL << 32)

struct kind {
	const char *name;
	int (*round)(void);
	unsigned int running;
	struct task_struct *tasks[MAX_THREADS];
};

static int build_round(void);
static int run_round(void);
static int migrate_round(void);

static struct kind kinds[] = {
	{ .name = "builders", .round = build_round },
	{ .name = "runners", .round = run_round },
	{ .name = "migrators", .round = migrate_round },
};

static DEFINE_MUTEX(threads_lock);	/* protects running and tasks */
static atomic64_t next_id = ATOMIC64_INIT(FIRST_ID);
static atomic_t next_cpu;
static atomic_t next_run;

/* Pages of each TD that a thread builds. */
u32 td_thread_pages = 4;

static struct td *alloc_td(void)
{
	u64 id = atomic64_inc_return(&next_id);

	return td_alloc(id, id);
}

static int build(struct td_caller *caller, struct td *td)
{
	int ret;

	ret = td_new(caller, td);
	if (!ret)
		ret = td_add(caller, td, READ_ONCE(td_thread_pages));
	if (!ret)
		ret = td_finalize(caller, td);
	if (!ret)
		td_count(TD_BUILT);
	return ret;
}

static int check_and_enter(struct td_caller *caller, struct td *td)
{
	u8 mrtd[TDX_SHA384_SIZE];
	int ret;

	ret = td_read_mrtd(caller, td, mrtd);
	if (ret)
		return ret;
	if (memcmp(mrtd, td->mrtd, sizeof(mrtd)))
		td_count(TD_WRONG);
	ret = td_enter(caller, td);
	if (!ret)
		td_count(TD_ENTERED);
	return ret;
}

/* The caller is not paced: the TD has to be destroyed even if the thread shall stop. */
static int clean_up(struct td *td)
{
	struct td_caller caller = { };
	int ret;

	mutex_lock(&td->lock);
	ret = td_destroy(&caller, td);
	mutex_unlock(&td->lock);
	td_put(td);
	return ret;
}

static int build_round(void)
{
	struct td_caller caller = { .paced = true };
	struct td *td;
	int ret, err;

	td = alloc_td();
	if (!td)
		return -ENOMEM;
	mutex_lock(&td->lock);
	ret = build(&caller, td);
	if (!ret)
		ret = check_and_enter(&caller, td);
	mutex_unlock(&td->lock);
	err = clean_up(td);
	return err == -EIO ? err : ret;
}

static int migrate_round(void)
{
	struct td_caller caller = { .paced = true };
	struct td *from, *to;
	int ret, err;

	from = alloc_td();
	if (!from)
		return -ENOMEM;
	to = alloc_td();
	if (!to) {
		td_put(from);
		return -ENOMEM;
	}

	mutex_lock(&from->lock);
	ret = build(&caller, from);
	if (!ret)
		ret = td_export(&caller, from);
	if (!ret)
		ret = td_export_end(&caller, from);
	if (!ret)
		ret = td_take_export(to, from);
	mutex_unlock(&from->lock);

	mutex_lock(&to->lock);
	if (!ret)
		ret = td_import(&caller, to);
	if (!ret)
		ret = td_import_end(&caller, to);
	if (!ret) {
		td_count(TD_MIGRATED);
		ret = check_and_enter(&caller, to);
	}
	mutex_unlock(&to->lock);

	err = clean_up(to);
	if (err == -EIO)
		ret = err;
	err = clean_up(from);
	return err == -EIO ? err : ret;
}

static int run_round(void)
{
	/* Pause here and not in the call, during which the TD is locked. */
	struct td_caller caller = { };
	int ret;

	td_pace();
	ret = td_enter_any(&caller, atomic_inc_return(&next_run));
	if (!ret)
		td_count(TD_ENTERED);
	return ret;
}

/* Begin on a CPU of the thread's own while there are any, then let the scheduler choose. */
static void spread(void)
{
	unsigned int cpu;

	cpus_read_lock();
	cpu = cpumask_local_spread(atomic_inc_return(&next_cpu) % num_online_cpus(), NUMA_NO_NODE);
	cpus_read_unlock();
	set_cpus_allowed_ptr(current, cpumask_of(cpu));
	set_cpus_allowed_ptr(current, cpu_possible_mask);
}

static int thread(void *data)
{
	const struct kind *kind = data;
	int ret;

	spread();
	while (!kthread_should_stop()) {
		ret = kind->round();
		if (ret == -EIO)
			td_count(TD_FAILED);
		if (ret && ret != -EINTR)
			usleep_range(IDLE_US, 2 * IDLE_US);
		cond_resched();
	}
	return 0;
}

static void stop_to(struct kind *kind, unsigned int count)
{
	lockdep_assert_held(&threads_lock);
	while (kind->running > count)
		kthread_stop(kind->tasks[--kind->running]);
}

static int start_to(struct kind *kind, unsigned int count)
{
	struct task_struct *task;

	lockdep_assert_held(&threads_lock);
	while (kind->running < count) {
		task = kthread_run(thread, kind, "tdx_td/%.5s%u", kind->name, kind->running);
		if (IS_ERR(task))
			return PTR_ERR(task);
		kind->tasks[kind->running++] = task;
	}
	return 0;
}

/* Parse KIND=N words. The count of a kind that is not named does not change. */
static int parse(char *text, unsigned int *counts)
{
	char *word, *value;
	unsigned int i;

	while ((word = strsep(&text, " \t\n"))) {
		if (!*word)
			continue;
		value = strchr(word, '=');
		if (!value)
			return -EINVAL;
		*value++ = '\0';
		for (i = 0; i < ARRAY_SIZE(kinds); i++)
			if (!strcmp(word, kinds[i].name))
				break;
		if (i == ARRAY_SIZE(kinds) || kstrtouint(value, 0, &counts[i]) ||
		    counts[i] > MAX_THREADS)
			return -EINVAL;
	}
	return 0;
}

static ssize_t threads_write(struct file *file, const char __user *buffer, size_t size,
			     loff_t *pos)
{
	unsigned int counts[ARRAY_SIZE(kinds)], i;
	char text[MAX_LINE];
	int ret;

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buffer, size))
		return -EFAULT;
	text[size] = '\0';

	mutex_lock(&threads_lock);
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		counts[i] = kinds[i].running;
	ret = parse(text, counts);
	if (!ret)
		for (i = 0; i < ARRAY_SIZE(kinds); i++)
			stop_to(&kinds[i], counts[i]);
	for (i = 0; !ret && i < ARRAY_SIZE(kinds); i++)
		ret = start_to(&kinds[i], counts[i]);
	mutex_unlock(&threads_lock);
	return ret ?: size;
}

static int threads_show(struct seq_file *file, void *unused)
{
	unsigned int i;

	mutex_lock(&threads_lock);
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		seq_printf(file, "%s%s=%u", i ? " " : "", kinds[i].name, kinds[i].running);
	mutex_unlock(&threads_lock);
	seq_putc(file, '\n');
	return 0;
}

static int threads_open(struct inode *inode, struct file *file)
{
	return single_open(file, threads_show, NULL);
}

const struct file_operations td_threads_fops = {
	.owner = THIS_MODULE,
	.open = threads_open,
	.read = seq_read,
	.write = threads_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/* Stop all threads and wait until they have ended. */
void td_stop_threads(void)
{
	unsigned int i;

	mutex_lock(&threads_lock);
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		stop_to(&kinds[i], 0);
	mutex_unlock(&threads_lock);
}
