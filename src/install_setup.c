// SPDX-License-Identifier: GPL-2.0-only
/*
 * Setup and teardown of a blackout: its memory, stop_machine(), the tracepoints. Inside the
 * blackout only preallocated memory may be accessed, so all of it is allocated here.
 */

#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stop_machine.h>
#include <linux/vmalloc.h>

#include <asm/page.h>

#include "install.h"
#include "trace.h"

/* False if memory is short. */
static bool make_payload(const struct tdxu_image *image, struct payload *payload)
{
	struct seamldr_params *params = (void *)get_zeroed_page(GFP_KERNEL);
	unsigned int i;

	if (!params)
		return false;
	params->scenario = SEAMLDR_SCENARIO_UPDATE;
	params->sigstruct_pa = PFN_PHYS(vmalloc_to_pfn(image->sigstruct));
	params->num_module_pages = image->module_pages;
	for (i = 0; i < image->module_pages; i++)
		params->module_pages_pa[i] =
			PFN_PHYS(vmalloc_to_pfn(image->module + i * TDX_PAGE_SIZE));
	*payload = (struct payload){ .params = params, .svn_minor = image->sigstruct->svn_minor };
	return true;
}

static void free_blackout(struct blackout *b)
{
	free_page((unsigned long)b->image.params);
	free_page((unsigned long)b->recovery.params);
	free_page((unsigned long)b->info);
	vfree(b);
}

static void record_cpus(struct blackout *b)
{
	int cpu;

	cpumask_copy(&b->cpus, cpu_present_mask);
	for_each_cpu(cpu, &b->cpus) {
		b->lp[b->num_lps].cpu = cpu;
		b->lp[b->num_lps].answer = (struct tdxu_answer){
			.leaf = TDXU_NO_LEAF, .cpu = TDXU_NO_CPU,
		};
		b->lp[cpu].index = b->num_lps++;
	}
}

/* vzalloc(): whole pages, so that no cache line is shared with other memory. */
static struct blackout *make_blackout(const struct tdxu_image *image,
				      const struct tdxu_image *recovery,
				      const struct tdxu_plan *plan)
{
	struct blackout *b;

	b = vzalloc(struct_size(b, lp, nr_cpu_ids));
	if (!b)
		return NULL;

	b->plan = *plan;
	b->svn_minor = plan->svn_minor;
	b->updates_left = plan->updates_left;
	b->session_open = plan->join_session;
	b->traced = trace_phase_enabled() || trace_seamcall_enabled();
	b->verdict = tdxu_verdict(TDXU_SUCCESS, NULL);
	b->answer = (struct tdxu_answer){ .leaf = TDXU_NO_LEAF, .cpu = TDXU_NO_CPU };
	record_cpus(b);
	b->info = (void *)get_zeroed_page(GFP_KERNEL);
	if (b->info && make_payload(image, &b->image) &&
	    (!recovery || make_payload(recovery, &b->recovery)))
		return b;

	free_blackout(b);
	return NULL;
}

/* Emit the recorded calls and phases as events, in the order of their steps. */
static void trace_blackout(const struct blackout *b)
{
	unsigned int step, i, phase = 0;
	const struct lp *lp;

	if (!b->traced)
		return;
	for (step = 0; step <= b->step; step++) {
		for (; phase < b->num_phases && b->phases[phase].step == step; phase++)
			trace_phase(b->phases[phase].phase, b->phases[phase].ns);
		for (lp = b->lp; lp < &b->lp[b->num_lps]; lp++) {
			i = lp->num_calls > TDXU_CALLS_KEPT ? lp->num_calls - TDXU_CALLS_KEPT : 0;
			for (; i < lp->num_calls; i++)
				if (lp->calls[i % TDXU_CALLS_KEPT].step == step)
					trace_seamcall(&lp->calls[i % TDXU_CALLS_KEPT].answer);
		}
	}
}

/**
 * tdxu_install() - replace the TDX module: the only step that modifies platform state
 * @image: what to install; in vmalloc() memory that no one changes
 * @recovery: what to install if @image fails past the shutdown, as @image; NULL: nothing
 * @plan: how
 * @attempt: @phase, @answer, @sessions and @blackout_ns are filled in
 *
 * Stops every CPU for all of it. A refusal up to and including TDH.SYS.SHUTDOWN has changed
 * nothing. After that the CPUs stay stopped until a TDX module runs or the firmware allows nothing
 * that has not been tried ("After a failure" in install.c).
 *
 * Context: may sleep; calls stop_machine().
 * Return: TDXU_SUCCESS; nothing changed: TDXU_UPDATE_RACE, TDXU_FIRMWARE_ERROR, TDXU_CPU_OFFLINE,
 * TDXU_VMX_OFF, TDXU_NO_MEMORY; TDXU_RECOVERED: @recovery runs; TDXU_SHUT_DOWN; TDXU_LOST.
 */
struct tdxu_verdict tdxu_install(const struct tdxu_image *image, const struct tdxu_image *recovery,
				 const struct tdxu_plan *plan, struct tdxu_attempt *attempt)
{
	struct blackout *b = make_blackout(image, recovery, plan);
	struct tdxu_verdict verdict;

	if (!b)
		return tdxu_verdict(TDXU_NO_MEMORY, NULL);

	/* Fails only if no CPU runs the function, and this CPU does. */
	stop_machine(tdxu_blackout_run, b, cpu_online_mask);

	verdict = b->verdict;
	attempt->phase = b->phase;
	attempt->answer = b->answer;
	attempt->sessions = b->sessions;
	attempt->blackout_ns = b->ns;
	trace_blackout(b);
	free_blackout(b);
	return verdict;
}
