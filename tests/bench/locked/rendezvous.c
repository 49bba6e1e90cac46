// SPDX-License-Identifier: GPL-2.0-only
/*
 * The blackout with another rendezvous, for `make bench` to compare src/install.c with: all CPUs
 * go through the steps at the same time. One counter under one raw spinlock says how many have yet
 * to acknowledge a step, the last one to do so opens the next; P-SEAMLDR is called by all CPUs at
 * once, under another raw spinlock.
 * Not for use: a failure past the shutdown loses the module, nothing is repaired.
 */
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/nmi.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/stop_machine.h>
#include <linux/vmalloc.h>

#include <asm/page.h>
#include <asm/processor.h>

#include "tdx_update.h"

/* Those that one CPU carries out while the others only acknowledge: SHUTDOWN, INIT, UPDATE. */
enum stage { NONE, QUIESCE, SHUTDOWN, INSTALL, INIT, LP_INIT, UPDATE, OVER };

struct rendezvous {
	struct tdxu_plan plan;
	struct seamldr_params *params;
	struct cpumask lps;			/* who takes part */
	u64 ns;

	raw_spinlock_t seamldr;			/* held round calls of P-SEAMLDR */

	raw_spinlock_t lock;			/* of what follows; @step is also read without */
	enum stage step;
	unsigned int missing;			/* CPUs that have not acknowledged it */
	struct tdxu_verdict verdict;
	struct tdxu_answer answer;		/* of the first call that failed */
	enum tdxu_phase phase;
};

static const enum tdxu_phase phases[] = {
	[QUIESCE] = TDXU_PHASE_QUIESCE,
	[SHUTDOWN] = TDXU_PHASE_SHUTDOWN,
	[INSTALL] = TDXU_PHASE_INSTALL,
	[INIT] = TDXU_PHASE_INIT,
	[LP_INIT] = TDXU_PHASE_INIT,
	[UPDATE] = TDXU_PHASE_UPDATE,
	[OVER] = TDXU_PHASE_DONE,
};

static struct tdxu_verdict verdict_of(enum stage step, u64 status)
{
	if (step == QUIESCE)
		return tdxu_say(TDXU_VMX_OFF, NULL);
	if (step == SHUTDOWN && (status & TDX_STATUS_MASK) == TDX_UPDATE_COMPAT_SENSITIVE)
		return tdxu_say(TDXU_UPDATE_RACE, NULL);
	if (step == SHUTDOWN)
		return tdxu_say(TDXU_FIRMWARE_ERROR, NULL);
	return tdxu_say(TDXU_LOST, NULL);
}

/* Whoever is the last of all opens the next step, or ends it all if anyone's call has failed. */
static noinline void acknowledge(struct rendezvous *r, enum stage step,
				 const struct tdxu_answer *answer)
{
	raw_spin_lock(&r->lock);
	if (answer->status && !r->verdict.result) {
		r->verdict = verdict_of(step, answer->status);
		r->answer = *answer;
	}
	if (!--r->missing) {
		enum stage next = r->verdict.result ? OVER : step + 1;

		if (!r->verdict.result)
			r->phase = phases[next];
		r->missing = cpumask_weight(&r->lps);
		WRITE_ONCE(r->step, next);
	}
	raw_spin_unlock(&r->lock);
}

static struct tdxu_answer call_module(u64 leaf, u64 rcx, int cpu)
{
	struct tdxu_args args = { .rcx = rcx };

	return (struct tdxu_answer){
		.leaf = leaf,
		.status = leaf == TDH_SYS_SHUTDOWN ? tdxu_seamcall(leaf, &args) :
						     tdxu_seamcall_retry(leaf, &args),
		.cpu = cpu,
	};
}

static struct tdxu_answer call_install(struct rendezvous *r, int cpu)
{
	struct tdxu_args args = { .rcx = __pa(r->params) };
	u64 status;

	raw_spin_lock(&r->seamldr);
	status = tdxu_seamldr_call(SEAMLDR_INSTALL, &args);
	raw_spin_unlock(&r->seamldr);
	return (struct tdxu_answer){ .leaf = SEAMLDR_INSTALL, .status = status, .rdx = args.rdx,
				     .cpu = cpu };
}

static struct tdxu_answer carry_out(struct rendezvous *r, enum stage step, int cpu, bool first)
{
	struct tdxu_answer answer = { .leaf = TDXU_NO_LEAF, .cpu = cpu };

	switch (step) {
	case QUIESCE:
		if (!tdxu_in_vmx_operation())
			answer.status = TDX_SW_UD;
		break;
	case SHUTDOWN:
		if (first && !r->plan.resume)
			answer = call_module(TDH_SYS_SHUTDOWN, r->plan.shutdown_rcx, cpu);
		break;
	case INSTALL:
		answer = call_install(r, cpu);
		break;
	case INIT:
		if (first)
			answer = call_module(TDH_SYS_INIT, 0, cpu);
		break;
	case LP_INIT:
		answer = call_module(TDH_SYS_LP_INIT, 0, cpu);
		break;
	case UPDATE:
		if (first)
			answer = call_module(TDH_SYS_UPDATE, 0, cpu);
		break;
	default:
		break;
	}
	return answer;
}

/* Runs on every online CPU at once, interrupts off. */
static int run_blackout(void *data)
{
	struct rendezvous *r = data;
	int cpu = smp_processor_id();
	bool first = cpu == cpumask_first(cpu_online_mask);
	u64 start = first ? ktime_get_ns() : 0;
	enum stage step = NONE, now;

	if (!cpumask_equal(cpu_online_mask, &r->lps)) {
		if (first)
			r->verdict = tdxu_say(TDXU_CPU_OFFLINE, NULL);
		return 0;
	}

	/* Every CPU sees every step: none begins before all have acknowledged the one before. */
	while ((now = READ_ONCE(r->step)) != OVER) {
		if (now != step) {
			struct tdxu_answer answer = carry_out(r, now, cpu, first);

			step = now;
			acknowledge(r, step, &answer);
		} else {
			touch_nmi_watchdog();
			cpu_relax();
		}
	}
	if (first)
		r->ns = ktime_get_ns() - start;
	return 0;
}

static struct seamldr_params *make_params(const struct tdxu_image *image)
{
	struct seamldr_params *params = (void *)get_zeroed_page(GFP_KERNEL);
	unsigned int i;

	if (!params)
		return NULL;
	params->scenario = SEAMLDR_SCENARIO_UPDATE;
	params->sigstruct_pa = PFN_PHYS(vmalloc_to_pfn(image->sigstruct));
	params->num_module_pages = image->module_pages;
	for (i = 0; i < image->module_pages; i++)
		params->module_pages_pa[i] =
			PFN_PHYS(vmalloc_to_pfn(image->module + i * TDX_PAGE_SIZE));
	return params;
}

/**
 * tdxu_install() - replace the running TDX module, in the way that is to be compared with
 * @image: what to install; in vmalloc() memory that no one changes
 * @recovery: not used
 * @plan: how
 * @attempt: @phase, @answer, @sessions and @blackout_ns are filled in
 *
 * docs/firmware.md, TDH.SYS.SHUTDOWN and SEAMLDR.INSTALL.
 *
 * Context: may sleep; calls stop_machine().
 * Return: TDXU_SUCCESS; nothing changed: TDXU_UPDATE_RACE, TDXU_FIRMWARE_ERROR, TDXU_CPU_OFFLINE,
 * TDXU_VMX_OFF, TDXU_NO_MEMORY; TDXU_LOST.
 */
struct tdxu_verdict tdxu_install(const struct tdxu_image *image, const struct tdxu_image *recovery,
				 const struct tdxu_plan *plan, struct tdxu_attempt *attempt)
{
	struct rendezvous *r = kzalloc(sizeof(*r), GFP_KERNEL);
	struct tdxu_verdict verdict;

	if (!r)
		return tdxu_say(TDXU_NO_MEMORY, NULL);
	r->params = make_params(image);
	if (!r->params) {
		kfree(r);
		return tdxu_say(TDXU_NO_MEMORY, NULL);
	}
	r->plan = *plan;
	r->verdict = tdxu_say(TDXU_SUCCESS, NULL);
	r->answer = (struct tdxu_answer){ .leaf = TDXU_NO_LEAF, .cpu = TDXU_NO_CPU };
	r->step = QUIESCE;
	r->phase = TDXU_PHASE_QUIESCE;
	cpumask_copy(&r->lps, cpu_present_mask);
	r->missing = cpumask_weight(&r->lps);
	raw_spin_lock_init(&r->seamldr);
	raw_spin_lock_init(&r->lock);

	stop_machine(run_blackout, r, cpu_online_mask);

	verdict = r->verdict;
	attempt->phase = r->phase;
	attempt->answer = r->answer;
	attempt->sessions = r->phase >= TDXU_PHASE_INSTALL;
	attempt->blackout_ns = r->ns;
	free_page((unsigned long)r->params);
	kfree(r);
	return verdict;
}
