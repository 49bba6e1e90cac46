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
 * - each LP's @turn: the pass in which it may call SEAMLDR.INSTALL now. The LP before it in the
 *   chain writes it, after its own call. So one LP calls at a time, each once a session.
 * - @passed: the last pass whose last LP has had its turn.
 * - @init: how many rounds of TDH.SYS.LP.INIT the conductor has asked for.
 * - @over: everyone may go. Written once, with no session open and no question unanswered.
 *
 * A session is one pass, unless an LP's call did not count; then there is another pass, in which
 * only such LPs call, until the session is closed or the firmware has refused too often.
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
#include "trace.h"

/* Sessions that transient, recoverable failures may cost an image before they count. */
#define SESSIONS_MAX		8
/* Passes that a session may take: each gives an LP whose call did not count another one. */
#define PASSES_MAX		4
/*
 * How often an LP repeats a SEAMLDR.INSTALL that answers VMfailInvalid. No LP but this one runs, so
 * P-SEAMLDR can only be busy for the moment; if it stays so, it is not there any more.
 */
#define INSTALL_BUSY_TRIES	10000

/* Of an LP's SEAMCALLs this many, the last ones, are kept for the tracepoints. */
#define CALLS_KEPT		16
/* Phases that a blackout can enter: each once, those of an image twice, and its end. */
#define PHASES_MAX		(2 + 2 * 3 + 1)

/* For the tracepoints: what happened in the blackout, see trace.h. */
struct call {
	struct tdxu_answer answer;
	unsigned int step;
};

struct entry {
	enum tdxu_phase phase;
	unsigned int step;		/* that begins with it */
	u64 ns;
};

/* One LP; its own cache line, since it spins on it. */
struct lp {
	struct lp *next;		/* in the chain, NULL: the last */
	int cpu;
	unsigned int turn;
	unsigned int reports;
	struct tdxu_answer answer;	/* of its last call: once reported, or past its turn */
	unsigned int num_calls;
	struct call calls[CALLS_KEPT];
} ____cacheline_aligned_in_smp;

/* How far an image got. */
enum fate {
	RUNS,
	REPAIRABLE,	/* it does not run, the handoff data is whole: another image may be tried */
	LOST,
};

struct blackout {
	/* Stands before it begins. */
	struct tdxu_plan plan;
	struct seamldr_params *params;		/* of the image */
	struct seamldr_params *recovery;	/* of the recovery image, NULL: none is set */
	struct seamldr_info *info;
	cpumask_t lps;			/* the CPUs of the chain */
	struct lp *first;

	/* The conductor's. */
	enum tdxu_phase phase;
	struct tdxu_verdict verdict;
	struct tdxu_answer answer;
	bool installed;			/* an image, in this blackout */
	bool repairable;
	unsigned int sessions;
	unsigned int passes;
	unsigned int questions;
	u64 ns;
	unsigned int num_entries;
	struct entry entries[PHASES_MAX];

	/* The conductor writes before a session, all read in it. */
	u64 params_pa;
	unsigned int step;		/* so that calls can be told in order */

	/* The conductor writes, all read. */
	unsigned int init ____cacheline_aligned_in_smp;
	unsigned int over;

	/* The last LP of the chain writes, the conductor reads. */
	unsigned int passed ____cacheline_aligned_in_smp;

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

/* To its own memory only, and nothing but stores: it is in every LP's way. */
static void note_call(const struct blackout *b, struct lp *lp, const struct tdxu_answer *answer)
{
	lp->calls[lp->num_calls++ % CALLS_KEPT] = (struct call){ .answer = *answer,
								 .step = b->step };
}

static void enter(struct blackout *b, enum tdxu_phase phase)
{
	b->phase = phase;
	b->entries[b->num_entries++] = (struct entry){ .phase = phase, .step = ++b->step,
						       .ns = ktime_get_ns() };
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

/* This LP's call counts in the open session: calling again would be one too many. */
static bool has_called(const struct lp *lp)
{
	return lp->answer.leaf == SEAMLDR_INSTALL && !lp->answer.status;
}

static void call_install(struct blackout *b, struct lp *lp)
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
	note_call(b, lp, &lp->answer);
}

/* This LP's turn in a pass, its one call of the session; then the next LP's. */
static void take_turn(struct blackout *b, struct lp *lp, unsigned int pass)
{
	if (!has_called(lp))
		call_install(b, lp);
	if (lp->next)
		tell(&lp->next->turn, pass);
	else
		tell(&b->passed, pass);
}

static void call_module(const struct blackout *b, struct lp *lp, u64 leaf)
{
	struct tdxu_args args = {};
	u64 status = tdxu_seamcall_retry(leaf, &args);

	lp->answer = (struct tdxu_answer){ .leaf = leaf, .status = status, .cpu = lp->cpu };
	note_call(b, lp, &lp->answer);
}

static void init_lp(const struct blackout *b, struct lp *lp)
{
	call_module(b, lp, TDH_SYS_LP_INIT);
	report(lp);
}

/* What a CPU does that does not conduct. */
static void follow(struct blackout *b, struct lp *lp)
{
	unsigned int passes = 0, inits = 0;

	while (!hear(&b->over)) {
		if (hear(&lp->turn) != passes) {
			take_turn(b, lp, ++passes);
		} else if (hear(&b->init) != inits) {
			inits++;
			init_lp(b, lp);
		} else {
			relax();
		}
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

	enter(b, TDXU_PHASE_QUIESCE);

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
	struct tdxu_args args = { .rcx = b->plan.shutdown_rcx };
	u64 status;

	enter(b, TDXU_PHASE_SHUTDOWN);

	/* Asked once: no other LP runs that it could be busy with. */
	status = tdxu_seamcall(TDH_SYS_SHUTDOWN, &args);
	lp->answer = (struct tdxu_answer){ .leaf = TDH_SYS_SHUTDOWN, .status = status,
					   .cpu = lp->cpu };
	note_call(b, lp, &lp->answer);
	if (!status)
		return true;
	if ((status & TDX_STATUS_MASK) == TDX_UPDATE_COMPAT_SENSITIVE)
		fail(b, tdxu_say(TDXU_UPDATE_RACE, NULL), &lp->answer);
	else
		fail(b, tdxu_say(TDXU_FIRMWARE_ERROR, NULL), &lp->answer);
	return false;
}

/* Does P-SEAMLDR say that no session is open? It closes the old module for as long as one is. */
static bool says_closed(struct blackout *b, struct lp *conductor)
{
	struct tdxu_args args = { .rcx = __pa(b->info) };
	struct tdxu_answer answer = { .leaf = SEAMLDR_INFO, .cpu = conductor->cpu };

	answer.status = tdxu_seamldr_call(SEAMLDR_INFO, &args);
	b->step++;
	note_call(b, conductor, &answer);
	return !answer.status && b->info->seam_ready;
}

/* The first LP but @other_than whose call has not succeeded. */
static const struct lp *find_failed(const struct blackout *b, const struct lp *other_than)
{
	const struct lp *lp;

	for (lp = b->first; lp; lp = lp->next)
		if (lp != other_than && lp->answer.status)
			return lp;
	return NULL;
}

static bool was_answered(const struct lp *lp)
{
	return (lp->answer.status & TDX_SW_ERROR) != TDX_SW_ERROR;
}

static void run_pass(struct blackout *b, struct lp *conductor)
{
	b->step++;
	take_turn(b, conductor, ++b->passes);
	while (hear(&b->passed) != b->passes)
		relax();
}

/*
 * One session, every LP once. The result is the closing call's, which is the last that counted:
 * the last LP's if those before it have all succeeded. Where one has not, its call cannot have
 * counted, and the session waits for it. Return the LP that has the result, with @closed false if
 * the firmware would not let the session be closed.
 */
static const struct lp *run_session(struct blackout *b, struct lp *conductor, bool *closed)
{
	const struct lp *bad;
	unsigned int passes;
	struct lp *lp;

	b->sessions++;
	for (lp = b->first; lp; lp = lp->next)
		lp->answer.leaf = TDXU_NO_LEAF;

	*closed = true;
	for (passes = 1;; passes++) {
		run_pass(b, conductor);

		bad = find_failed(b, NULL);
		if (!bad)
			return conductor;	/* all have succeeded, the closing one too */
		/* The only one, answered, and after all others: so it closed the session. */
		if (!find_failed(b, bad) && was_answered(bad) && (!bad->next || passes > 1))
			return bad;
		/* Calls that failed counted all the same? Then one more would open a session. */
		if (says_closed(b, conductor))
			return bad;
		if (passes == PASSES_MAX)
			break;
	}
	*closed = false;
	return bad;
}

/* Worth another session: the handoff data is whole, and time may heal it. */
static bool is_transient(const struct tdxu_answer *answer)
{
	return answer->rdx == SEAMLDR_RECOVERABLE && (answer->status == SEAMLDR_ENOENTROPY ||
						      answer->status == SEAMLDR_EINTERRUPT);
}

static enum fate install_image(struct blackout *b, struct lp *conductor)
{
	unsigned int sessions = 0;
	const struct lp *lp;
	bool closed;

	enter(b, TDXU_PHASE_INSTALL);

	do {
		lp = run_session(b, conductor, &closed);
	} while (closed && is_transient(&lp->answer) && ++sessions < SESSIONS_MAX);

	if (!lp->answer.status)
		return RUNS;
	b->answer = lp->answer;
	return closed && lp->answer.rdx == SEAMLDR_RECOVERABLE ? REPAIRABLE : LOST;
}

/* The module that was installed, from its first call to the TDs' return. */
static enum fate bring_up(struct blackout *b, struct lp *conductor)
{
	const struct lp *bad = conductor;

	enter(b, TDXU_PHASE_INIT);
	call_module(b, conductor, TDH_SYS_INIT);
	if (conductor->answer.status)
		goto failed;

	tell(&b->init, b->init + 1);
	init_lp(b, conductor);
	bad = gather(b);
	if (bad)
		goto failed;

	bad = conductor;
	enter(b, TDXU_PHASE_UPDATE);
	call_module(b, conductor, TDH_SYS_UPDATE);
	if (!conductor->answer.status)
		return RUNS;
failed:
	b->answer = bad->answer;
	return REPAIRABLE;
}

static enum fate run_image(struct blackout *b, struct lp *conductor,
			   const struct seamldr_params *params)
{
	enum fate fate;

	b->params_pa = __pa(params);
	fate = install_image(b, conductor);
	if (fate != RUNS)
		return fate;
	b->installed = true;
	return bring_up(b, conductor);
}

/*
 * Past the point of no return, and the image does not run. What is told of the attempt is this
 * failure, whatever comes of the recovery image.
 */
static void recover(struct blackout *b, struct lp *conductor, enum fate fate)
{
	const struct tdxu_answer answer = b->answer;
	const enum tdxu_phase phase = b->phase;

	b->verdict = tdxu_say(TDXU_LOST, NULL);
	/* Once the new image is installed, not every recovery image can follow it. */
	if (fate == REPAIRABLE && b->recovery &&
	    (!b->installed || b->plan.recovery_can_follow)) {
		fate = run_image(b, conductor, b->recovery);
		b->verdict = fate == RUNS ? tdxu_say(TDXU_RECOVERED, NULL) :
					    tdxu_say(TDXU_LOST, "the recovery image failed, too");
		b->answer = answer;
		b->phase = phase;
	}
	b->repairable = fate == REPAIRABLE;
}

static void conduct(struct blackout *b, struct lp *lp)
{
	u64 start = ktime_get_ns();
	enum fate fate;

	/* What an earlier attempt has shut down needs no shutdown. */
	if (all_ready(b) && (b->plan.resume || shut_down(b, lp))) {
		fate = run_image(b, lp, b->params);
		if (fate == RUNS)
			enter(b, TDXU_PHASE_DONE);
		else
			recover(b, lp, fate);
	}

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

static void free_blackout(struct blackout *b)
{
	free_page((unsigned long)b->params);
	free_page((unsigned long)b->recovery);
	free_page((unsigned long)b->info);
	vfree(b);
}

static void make_chain(struct blackout *b)
{
	struct lp *last = NULL;
	int cpu;

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
}

/* All that the blackout touches. Whole pages, so that the LPs' lines are theirs alone. */
static struct blackout *make_blackout(const struct tdxu_image *image,
				      const struct tdxu_image *recovery,
				      const struct tdxu_plan *plan)
{
	struct blackout *b;

	b = vzalloc(struct_size(b, lp, nr_cpu_ids));
	if (!b)
		return NULL;

	b->plan = *plan;
	b->verdict = tdxu_say(TDXU_SUCCESS, NULL);
	b->answer = (struct tdxu_answer){ .leaf = TDXU_NO_LEAF, .cpu = TDXU_NO_CPU };
	make_chain(b);
	b->params = make_params(image);
	b->recovery = recovery ? make_params(recovery) : NULL;
	b->info = (void *)get_zeroed_page(GFP_KERNEL);
	if (b->params && b->info && (b->recovery || !recovery))
		return b;

	free_blackout(b);
	return NULL;
}

/* Makes events of what the blackout has written down, in the order in which it happened. */
static void trace_blackout(const struct blackout *b)
{
	unsigned int step, i, entry = 0;
	const struct lp *lp;

	if (!trace_phase_enabled() && !trace_seamcall_enabled())
		return;
	for (step = 0; step <= b->step; step++) {
		for (; entry < b->num_entries && b->entries[entry].step == step; entry++)
			trace_phase(b->entries[entry].phase, b->entries[entry].ns);
		for (lp = b->first; lp; lp = lp->next) {
			i = lp->num_calls > CALLS_KEPT ? lp->num_calls - CALLS_KEPT : 0;
			for (; i < lp->num_calls; i++)
				if (lp->calls[i % CALLS_KEPT].step == step)
					trace_seamcall(&lp->calls[i % CALLS_KEPT].answer);
		}
	}
}

/**
 * tdxu_install() - replace the running TDX module: the one step that changes the world
 * @image: what to install; in vmalloc() memory that no one changes
 * @recovery: what to install if @image fails past the point of no return, as @image; NULL: nothing
 * @plan: how
 * @attempt: @phase, @answer, @sessions, @blackout_ns and @repairable are filled in
 *
 * Stops every CPU for the whole of it (SPEC.md sections 3 and 4). A refusal up to and including
 * TDH.SYS.SHUTDOWN has changed nothing. After it, recoverable failures that time may heal get new
 * sessions; where @image cannot be made to run and the firmware lets another follow, @recovery is.
 *
 * Context: may sleep; calls stop_machine().
 * Return: TDXU_SUCCESS; nothing changed: TDXU_UPDATE_RACE, TDXU_FIRMWARE_ERROR, TDXU_CPU_OFFLINE,
 * TDXU_VMX_OFF, TDXU_NO_MEMORY; TDXU_RECOVERED: @recovery runs; TDXU_LOST.
 */
struct tdxu_verdict tdxu_install(const struct tdxu_image *image, const struct tdxu_image *recovery,
				 const struct tdxu_plan *plan, struct tdxu_attempt *attempt)
{
	struct blackout *b = make_blackout(image, recovery, plan);
	struct tdxu_verdict verdict;

	if (!b)
		return tdxu_say(TDXU_NO_MEMORY, NULL);

	/* Fails only where no CPU runs the function, and the one that we are on does. */
	stop_machine(run_blackout, b, cpu_online_mask);

	verdict = b->verdict;
	attempt->phase = b->phase;
	attempt->answer = b->answer;
	attempt->sessions = b->sessions;
	attempt->repairable = b->repairable;
	attempt->blackout_ns = b->ns;
	trace_blackout(b);
	free_blackout(b);
	return verdict;
}
