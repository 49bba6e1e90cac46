// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEAMCALL, repeated while the TDX module is busy, and statistics of the answers.
 * tdx_update has a wrapper of its own. The two share no code, so that one cannot hide the other's
 * mistakes. This file must not depend on TDs or keep platform state.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include <asm/asm.h>

#include "td.h"

/* Longer than any lock of the TDX module is held, and short enough for a test to see a failure. */
#define BUSY_TIMEOUT		HZ
#define MAX_PAIRS		256
#define PACE_STEP_US		1000u

/* How a SEAMCALL ended. Only the first outcome has a status of the firmware. */
enum outcome { OUTCOME_STATUS, OUTCOME_VMFAILINVALID, OUTCOME_TRAP };

struct pair {
	u64 leaf;
	u64 status;
	u64 count;
};

static DEFINE_SPINLOCK(stats_lock);
static u64 counters[TD_NR_COUNTERS];
static struct pair pairs[MAX_PAIRS];
static unsigned int nr_pairs;

static const char * const counter_names[TD_NR_COUNTERS] = {
	[TD_BUILT]	= "built",
	[TD_WRONG]	= "wrong",
	[TD_MIGRATED]	= "migrated",
	[TD_ENTERED]	= "entered",
	[TD_FAILED]	= "failed",
};

/* Pause of a thread before each SEAMCALL, in microseconds. */
u32 td_pace_us = 50;

/**
 * td_seamcall() - execute SEAMCALL once
 * @leaf: the leaf's number
 * @args: operands in, outputs out
 *
 * Does not count the call in the statistics.
 *
 * Context: any.
 * Return: the completion status, or a software status if the firmware gave none.
 */
u64 td_seamcall(u64 leaf, struct td_args *args)
{
	u64 rax = leaf, rcx = args->rcx, rdx = args->rdx;
	u64 save8 = args->r8, save9 = args->r9, save10 = args->r10, save11 = args->r11;
	u8 outcome;
	/*
	 * A sanitizer adds a call to each memory access, which would destroy these registers. So
	 * access no memory until they are saved.
	 */
	register u64 r8 asm("r8") = save8;
	register u64 r9 asm("r9") = save9;
	register u64 r10 asm("r10") = save10;
	register u64 r11 asm("r11") = save11;

	/* A trap continues at 2 with its vector in RAX. */
	asm volatile("1:	.byte	0x66, 0x0f, 0x01, 0xcf\n"
		     "	setc	%[outcome]\n"
		     "	jmp	3f\n"
		     "2:	movb	%[trap], %[outcome]\n"
		     "3:\n"
		     _ASM_EXTABLE_FAULT(1b, 2b)
		     : [outcome] "=&q" (outcome), "+a" (rax), "+c" (rcx), "+d" (rdx),
		       "+r" (r8), "+r" (r9), "+r" (r10), "+r" (r11)
		     : [trap] "i" (OUTCOME_TRAP)
		     : "cc", "memory");

	save8 = r8;
	save9 = r9;
	save10 = r10;
	save11 = r11;
	args->rcx = rcx;
	args->rdx = rdx;
	args->r8 = save8;
	args->r9 = save9;
	args->r10 = save10;
	args->r11 = save11;

	if (outcome == OUTCOME_VMFAILINVALID)
		return TDX_SW_VMFAILINVALID;
	if (outcome == OUTCOME_TRAP)
		return TDX_SW_ERROR | (u32)rax;
	return rax;
}

/* One SEAMCALL on another CPU. */
struct remote_call {
	u64 leaf;
	struct td_answer *answer;
};

static void execute(void *data)
{
	struct remote_call *call = data;

	call->answer->status = td_seamcall(call->leaf, &call->answer->args);
}

/**
 * td_seamcall_on() - execute SEAMCALL once on a given CPU
 * @cpu: the CPU
 * @leaf: the leaf's number
 * @answer: operands in; status and outputs out
 *
 * Does not count the call in the statistics.
 *
 * Context: process, interrupts on.
 * Return: 0; -ENXIO if the CPU is not online.
 */
int td_seamcall_on(unsigned int cpu, u64 leaf, struct td_answer *answer)
{
	struct remote_call call = { .leaf = leaf, .answer = answer };

	return smp_call_function_single(cpu, execute, &call, true);
}

static void count_pair(u64 leaf, u64 status)
{
	unsigned int i;

	spin_lock(&stats_lock);
	for (i = 0; i < nr_pairs; i++)
		if (pairs[i].leaf == leaf && pairs[i].status == status)
			break;
	if (i < MAX_PAIRS) {
		if (i == nr_pairs)
			pairs[nr_pairs++] = (struct pair){ .leaf = leaf, .status = status };
		pairs[i].count++;
	} else {
		pr_warn_once("stats: more than %d pairs of leaf and status\n", MAX_PAIRS);
	}
	spin_unlock(&stats_lock);
}

static bool is_busy(u64 status)
{
	switch (status & TDX_STATUS_MASK) {
	case TDX_SYS_BUSY:
	case TDX_OPERAND_BUSY:
	case TDX_RND_NO_ENTROPY:
		return true;
	default:
		return false;
	}
}

/**
 * td_pace() - pause a thread before a SEAMCALL
 *
 * The pause ends early when the thread shall stop.
 *
 * Context: a kthread; may sleep.
 */
void td_pace(void)
{
	u32 pace = READ_ONCE(td_pace_us), slept = 0;

	if (!pace)
		cond_resched();
	/* Sleep in small steps, so that a stop or a new setting takes effect soon. */
	while (slept < pace && !kthread_should_stop()) {
		u32 step = min(pace - slept, PACE_STEP_US);

		usleep_range(step, step + step / 4 + 1);
		slept += step;
		pace = READ_ONCE(td_pace_us);
	}
}

/* Store leaf and status in @caller, unless an earlier call has failed. */
static int call(struct td_caller *caller, u64 leaf, struct td_args *args, u64 *status)
{
	unsigned long deadline = jiffies + BUSY_TIMEOUT;
	const struct td_args in = *args;

	if (caller->paced) {
		td_pace();
		if (kthread_should_stop())
			return -EINTR;
	}

	for (;;) {
		*args = in;
		*status = td_seamcall(leaf, args);
		count_pair(leaf, *status);
		if (!is_busy(*status) || time_after(jiffies, deadline))
			break;
		usleep_range(20, 50);
	}

	if (!caller->failed) {
		caller->leaf = leaf;
		caller->status = *status;
	}
	return 0;
}

/**
 * td_call() - make a SEAMCALL that is expected to succeed
 * @caller: the caller; leaf, status and a failure are stored in it
 * @leaf: the leaf's number
 * @args: operands in, outputs of the last call out
 *
 * Repeats the call while the TDX module is busy, for a second at most.
 *
 * Context: may sleep; a kthread if @caller is paced.
 * Return: 0; -EIO on any status but success; -EINTR if the thread shall stop and made no call.
 */
int td_call(struct td_caller *caller, u64 leaf, struct td_args *args)
{
	u64 status;
	int ret;

	ret = call(caller, leaf, args, &status);
	if (ret || (status & TDX_STATUS_MASK) == TDX_SUCCESS)
		return ret;
	caller->failed = true;
	return -EIO;
}

/**
 * td_call_resumable() - make a SEAMCALL that may be interrupted
 * @caller: as for td_call()
 * @leaf: the leaf's number
 * @args: operands in, outputs of the last call out
 *
 * Context: as for td_call().
 * Return: 0 if the leaf has finished; 1 if it was interrupted; -EIO and -EINTR as td_call().
 */
int td_call_resumable(struct td_caller *caller, u64 leaf, struct td_args *args)
{
	u64 status;
	int ret;

	ret = call(caller, leaf, args, &status);
	if (ret || (status & TDX_STATUS_MASK) == TDX_SUCCESS)
		return ret;
	if ((status & TDX_STATUS_MASK) == TDX_TD_INTERRUPTED_RESUMABLE)
		return 1;
	caller->failed = true;
	return -EIO;
}

#define LEAF_NAME(symbol, name, value) { name, value },
static const struct {
	const char *name;
	u64 leaf;
} leaf_names[] = { TDX_LEAVES(LEAF_NAME) };
#undef LEAF_NAME

/**
 * td_leaf_name() - name of a leaf in the specification
 * @leaf: its number
 *
 * Context: any.
 * Return: the name, or NULL if TDX_LEAVES does not have the leaf.
 */
const char *td_leaf_name(u64 leaf)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(leaf_names); i++)
		if (leaf_names[i].leaf == leaf)
			return leaf_names[i].name;
	return NULL;
}

/**
 * td_leaf_by_name() - find a leaf by its name
 * @name: as the specification spells it
 * @leaf: its number; filled in on success
 *
 * Context: any.
 * Return: true if TDX_LEAVES has the leaf.
 */
bool td_leaf_by_name(const char *name, u64 *leaf)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(leaf_names); i++) {
		if (!strcmp(leaf_names[i].name, name)) {
			*leaf = leaf_names[i].leaf;
			return true;
		}
	}
	return false;
}

/**
 * td_status_name() - name of a status in the specification
 * @leaf: the leaf that returned it
 * @status: the status with its details
 *
 * Context: any.
 * Return: the name, or "unknown".
 */
const char *td_status_name(u64 leaf, u64 status)
{
#define STATUS_NAME(symbol, name, value) { name, value },
	static const struct {
		const char *name;
		u64 status;
	} module_statuses[] = { TDX_STATUSES(STATUS_NAME) TDX_TD_STATUSES(STATUS_NAME) },
	  seamldr_statuses[] = { SEAMLDR_STATUSES(STATUS_NAME) },
	  software_statuses[] = { TDX_SW_STATUSES(STATUS_NAME) };
#undef STATUS_NAME
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(software_statuses); i++)
		if (software_statuses[i].status == status)
			return software_statuses[i].name;
	if (leaf & TDX_LEAF_P_SEAMLDR) {
		for (i = 0; i < ARRAY_SIZE(seamldr_statuses); i++)
			if (seamldr_statuses[i].status == status)
				return seamldr_statuses[i].name;
		return "unknown";
	}
	for (i = 0; i < ARRAY_SIZE(module_statuses); i++)
		if (module_statuses[i].status == (status & TDX_STATUS_MASK))
			return module_statuses[i].name;
	return "unknown";
}

/**
 * td_count() - count an event of the threads
 * @counter: the event
 *
 * Context: any but interrupts.
 */
void td_count(enum td_counter counter)
{
	spin_lock(&stats_lock);
	counters[counter]++;
	spin_unlock(&stats_lock);
}

/* Print the statistics since the last td_stats_clear(). */
void td_stats_show(struct seq_file *file)
{
	unsigned int i;

	spin_lock(&stats_lock);
	for (i = 0; i < TD_NR_COUNTERS; i++)
		seq_printf(file, "%s=%llu\n", counter_names[i], counters[i]);
	for (i = 0; i < nr_pairs; i++)
		seq_printf(file, "%s 0x%llx %llu\n", td_leaf_name(pairs[i].leaf), pairs[i].status,
			   pairs[i].count);
	spin_unlock(&stats_lock);
}

/* Clear the statistics. */
void td_stats_clear(void)
{
	spin_lock(&stats_lock);
	memset(counters, 0, sizeof(counters));
	nr_pairs = 0;
	spin_unlock(&stats_lock);
}
