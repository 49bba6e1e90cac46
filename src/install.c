// SPDX-License-Identifier: GPL-2.0-only
/*
 * The blackout: every CPU stopped in one stop_machine(), from quiesce to TDH.SYS.UPDATE.
 * Inside it nothing sleeps, allocates, prints, takes a lock or looks anything up; every wait ends,
 * and no CPU leaves while an install session is open.
 */

/**
 * DOC: The blackout
 *
 * The first online CPU conducts, the others follow. They speak through words that only grow and
 * have one writer each:
 *
 * - each LP's @reports: how many of the conductor's questions it has answered (in @answer). The
 *   conductor waits for all of them: that is the barrier.
 * - each LP's @turn: the install session in which it may call SEAMLDR.INSTALL now. The LP before it
 *   in the chain writes it, after its own call. So one LP calls at a time, each once a session.
 * - @closed: the last session whose last LP has called.
 * - @init: how many rounds of TDH.SYS.LP.INIT the conductor has asked for.
 * - @over: everyone may go. Written once, with no session open and no question unanswered.
 *
 * An LP answers its question whatever firmware says, and every repetition of a call is bounded. So
 * every wait above ends.
 */

#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/nmi.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/stop_machine.h>
#include <linux/vmalloc.h>

#include <asm/barrier.h>
#include <asm/page.h>
#include <asm/processor.h>

#include "tdx_update.h"

/* Sessions that a transient, recoverable failure may cost before it counts. */
#define SESSIONS_MAX		8
/*
 * How often an LP repeats a SEAMLDR.INSTALL that answers VMfailInvalid. No LP but this one runs, so
 * P-SEAMLDR can only be busy for the moment; if it stays so, it is not there any more.
 */
#define INSTALL_BUSY_TRIES	10000

/* One LP; its own cache line, since it spins on it. */
struct lp {
	struct lp *next;		/* in the chain, NULL: the last */
	int cpu;
	unsigned int turn;
	unsigned int reports;
	struct tdxu_answer answer;	/* of its last call: once reported, or past its turn */
} ____cacheline_aligned_in_smp;

struct blackout {
	/* Stands before it begins. */
	u64 shutdown_rcx;
	struct seamldr_params *params;
	u64 params_pa;
	cpumask_t lps;			/* the CPUs of the chain */
	struct lp *first;

	/* The conductor's. */
	enum tdxu_phase phase;
	struct tdxu_verdict verdict;
	struct tdxu_answer answer;
	unsigned int sessions;
	unsigned int questions;
	u64 ns;

	/* The conductor writes, all read. */
	unsigned int init ____cacheline_aligned_in_smp;
	unsigned int over;

	/* The last LP of the chain writes, the conductor reads. */
	unsigned int closed ____cacheline_aligned_in_smp;

	struct lp lp[];			/* by CPU number */
};

/* A spin must look neither stuck to the NMI watchdog nor busy to the sibling thread. */
static void relax(void)
{
	touch_nmi_watchdog();
	cpu_relax();
}

/* What a CPU did before it tells, another one sees that has heard it. */
static void tell(unsigned int *word, unsigned int value)
{
	/* Pairs with the acquire in hear(). */
	smp_store_release(word, value);
}

static unsigned int hear(const unsigned int *word)
{
	/* Pairs with the release in tell(). */
	return smp_load_acquire(word);
}

static void report(struct lp *lp)
{
	tell(&lp->reports, lp->reports + 1);
}

static void quiesce(struct lp *lp)
{
	if (tdxu_in_vmx_operation())
		lp->answer = (struct tdxu_answer){ .leaf = TDXU_NO_LEAF, .cpu = TDXU_NO_CPU };
	else
		lp->answer = (struct tdxu_answer){ .leaf = TDXU_NO_LEAF, .status = TDX_SW_UD,
						   .cpu = lp->cpu };
	report(lp);
}

/* This LP's one call of the session; then the next LP's turn. */
static void install(struct blackout *b, struct lp *lp, unsigned int session)
{
	unsigned int tries = 0;
	struct tdxu_args args;
	u64 status;

	do {
		args = (struct tdxu_args){ .rcx = b->params_pa };
		status = tdxu_seamldr_call(SEAMLDR_INSTALL, &args);
		relax();
	} while (status == TDX_SW_VMFAILINVALID && ++tries < INSTALL_BUSY_TRIES);

	lp->answer = (struct tdxu_answer){ .leaf = SEAMLDR_INSTALL, .status = status,
					   .rdx = args.rdx, .cpu = lp->cpu };
	if (lp->next)
		tell(&lp->next->turn, session);
	else
		tell(&b->closed, session);
}

static void call_module(struct lp *lp, u64 leaf)
{
	struct tdxu_args args = {};
	u64 status = tdxu_seamcall_retry(leaf, &args);

	lp->answer = (struct tdxu_answer){ .leaf = leaf, .status = status, .cpu = lp->cpu };
}

static void init_lp(struct lp *lp)
{
	call_module(lp, TDH_SYS_LP_INIT);
	report(lp);
}

/* What a CPU does that does not conduct. */
static void follow(struct blackout *b, struct lp *lp)
{
	unsigned int sessions = 0, inits = 0;

	while (!hear(&b->over)) {
		if (hear(&lp->turn) != sessions)
			install(b, lp, ++sessions);
		else if (hear(&b->init) != inits)
			inits++, init_lp(lp);
		else
			relax();
	}
}

static void fail(struct blackout *b, struct tdxu_verdict verdict, const struct tdxu_answer *answer)
{
	b->verdict = verdict;
	b->answer = *answer;
}

/* Wait until every LP has answered the next question. Return the first with a bad answer. */
static const struct lp *gather(struct blackout *b)
{
	const struct lp *lp, *bad = NULL;

	b->questions++;
	for (lp = b->first; lp; lp = lp->next) {
		while (hear(&lp->reports) != b->questions)
			relax();
		if (!bad && lp->answer.status)
			bad = lp;
	}
	return bad;
}

/* Every present CPU is here and can call firmware; if not, no session may be opened. */
static bool all_ready(struct blackout *b)
{
	struct tdxu_answer absent = { .leaf = TDXU_NO_LEAF, .cpu = TDXU_NO_CPU };
	const struct lp *bad;
	int cpu;

	b->phase = TDXU_PHASE_QUIESCE;

	/* CPUs may have come and gone since the chain was made. They cannot now. */
	if (!cpumask_equal(cpu_online_mask, &b->lps) ||
	    !cpumask_equal(cpu_online_mask, cpu_present_mask)) {
		for_each_present_cpu(cpu)
			if (!cpu_online(cpu))
				absent.cpu = cpu;
		fail(b, tdxu_say(TDXU_CPU_OFFLINE, "CPUs came or went meanwhile"), &absent);
		return false;
	}

	bad = gather(b);
	if (bad)
		fail(b, tdxu_say(TDXU_VMX_OFF, NULL), &bad->answer);
	return !bad;
}

/* Success is the point of no return. Anything else has changed nothing. */
static bool shut_down(struct blackout *b, struct lp *lp)
{
	struct tdxu_args args = { .rcx = b->shutdown_rcx };
	u64 status;

	b->phase = TDXU_PHASE_SHUTDOWN;

	/* Asked once: no other LP runs that it could be busy with. */
	status = tdxu_seamcall(TDH_SYS_SHUTDOWN, &args);
	lp->answer = (struct tdxu_answer){ .leaf = TDH_SYS_SHUTDOWN, .status = status,
					   .cpu = lp->cpu };
	if (!status)
		return true;
	if ((status & TDX_STATUS_MASK) == TDX_UPDATE_COMPAT_SENSITIVE)
		fail(b, tdxu_say(TDXU_UPDATE_RACE, NULL), &lp->answer);
	else
		fail(b, tdxu_say(TDXU_FIRMWARE_ERROR, NULL), &lp->answer);
	return false;
}

/*
 * One session, every LP once. Return the LP whose answer is its result: the last, whose call closed
 * it, unless an earlier one got an answer other than success, which says that its call did not
 * count.
 */
static const struct lp *run_session(struct blackout *b, struct lp *conductor)
{
	const struct lp *lp;

	install(b, conductor, ++b->sessions);
	while (hear(&b->closed) != b->sessions)
		relax();

	for (lp = b->first; lp->next && !lp->answer.status; lp = lp->next)
		;
	return lp;
}

/* Worth another session: this one is closed, the handoff data is whole, and time may heal it. */
static bool is_transient(const struct lp *lp)
{
	return !lp->next && lp->answer.rdx == SEAMLDR_RECOVERABLE &&
	       (lp->answer.status == SEAMLDR_ENOENTROPY || lp->answer.status == SEAMLDR_EINTERRUPT);
}

static bool install_image(struct blackout *b, struct lp *conductor)
{
	const struct lp *lp;

	b->phase = TDXU_PHASE_INSTALL;

	do {
		lp = run_session(b, conductor);
	} while (is_transient(lp) && b->sessions < SESSIONS_MAX);

	if (lp->answer.status)
		fail(b, tdxu_say(TDXU_LOST, NULL), &lp->answer);
	return !lp->answer.status;
}

static bool bring_up(struct blackout *b, struct lp *lp)
{
	const struct lp *bad = NULL;

	b->phase = TDXU_PHASE_INIT;

	call_module(lp, TDH_SYS_INIT);
	if (lp->answer.status) {
		bad = lp;
	} else {
		tell(&b->init, b->init + 1);
		init_lp(lp);
		bad = gather(b);
	}
	if (bad)
		fail(b, tdxu_say(TDXU_LOST, NULL), &bad->answer);
	return !bad;
}

static bool update(struct blackout *b, struct lp *lp)
{
	b->phase = TDXU_PHASE_UPDATE;

	call_module(lp, TDH_SYS_UPDATE);
	if (lp->answer.status)
		fail(b, tdxu_say(TDXU_LOST, NULL), &lp->answer);
	return !lp->answer.status;
}

static void conduct(struct blackout *b, struct lp *lp)
{
	u64 start = ktime_get_ns();

	if (all_ready(b) && shut_down(b, lp) && install_image(b, lp) && bring_up(b, lp) &&
	    update(b, lp))
		b->phase = TDXU_PHASE_DONE;

	b->ns = ktime_get_ns() - start;
	tell(&b->over, 1);
}

/* Runs on every online CPU at once, interrupts off. */
static int run_blackout(void *data)
{
	struct blackout *b = data;
	int cpu = smp_processor_id();
	struct lp *lp = &b->lp[cpu];

	quiesce(lp);
	if (cpu == cpumask_first(cpu_online_mask))
		conduct(b, lp);
	else
		follow(b, lp);
	return 0;
}

static void free_blackout(struct blackout *b)
{
	if (b)
		free_page((unsigned long)b->params);
	vfree(b);
}

/* All that the blackout touches. Whole pages, so that the LPs' lines are theirs alone. */
static struct blackout *make_blackout(const struct tdxu_image *image, const struct tdxu_plan *plan)
{
	struct seamldr_params *params;
	struct lp *last = NULL;
	struct blackout *b;
	unsigned int i;
	int cpu;

	b = vzalloc(struct_size(b, lp, nr_cpu_ids));
	if (!b)
		return NULL;
	params = (void *)get_zeroed_page(GFP_KERNEL);
	if (!params)
		goto out;

	params->scenario = SEAMLDR_SCENARIO_UPDATE;
	params->sigstruct_pa = PFN_PHYS(vmalloc_to_pfn(image->sigstruct));
	params->num_module_pages = image->module_pages;
	for (i = 0; i < image->module_pages; i++)
		params->module_pages_pa[i] =
			PFN_PHYS(vmalloc_to_pfn(image->module + i * TDX_PAGE_SIZE));

	b->shutdown_rcx = plan->shutdown_rcx;
	b->params = params;
	b->params_pa = __pa(params);
	b->verdict = tdxu_say(TDXU_SUCCESS, NULL);
	b->answer = (struct tdxu_answer){ .leaf = TDXU_NO_LEAF, .cpu = TDXU_NO_CPU };

	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		b->lp[cpu].cpu = cpu;
	cpumask_copy(&b->lps, cpu_present_mask);
	for_each_cpu(cpu, &b->lps) {
		if (last)
			last->next = &b->lp[cpu];
		else
			b->first = &b->lp[cpu];
		last = &b->lp[cpu];
	}
	return b;
out:
	free_blackout(b);
	return NULL;
}

/**
 * tdxu_install() - replace the running TDX module: the one step that changes the world
 * @image: what to install; in vmalloc() memory that no one changes
 * @plan: how
 * @attempt: @phase, @answer, @sessions and @blackout_ns are filled in
 *
 * Stops every CPU for the whole of it (SPEC.md sections 3 and 4). A refusal up to and including
 * TDH.SYS.SHUTDOWN has changed nothing; a failure after it is TDXU_LOST.
 *
 * Context: may sleep; calls stop_machine().
 * Return: TDXU_SUCCESS; nothing changed: TDXU_UPDATE_RACE, TDXU_FIRMWARE_ERROR, TDXU_CPU_OFFLINE,
 * TDXU_VMX_OFF, TDXU_NO_MEMORY; TDXU_LOST.
 */
struct tdxu_verdict tdxu_install(const struct tdxu_image *image, const struct tdxu_plan *plan,
				 struct tdxu_attempt *attempt)
{
	struct blackout *b = make_blackout(image, plan);
	struct tdxu_verdict verdict;

	if (!b)
		return tdxu_say(TDXU_NO_MEMORY, NULL);

	/* Fails only where no CPU runs the function, and the one that we are on does. */
	stop_machine(run_blackout, b, cpu_online_mask);

	verdict = b->verdict;
	attempt->phase = b->phase;
	attempt->answer = b->answer;
	attempt->sessions = b->sessions;
	attempt->blackout_ns = b->ns;
	free_blackout(b);
	return verdict;
}
