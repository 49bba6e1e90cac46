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
 * have one writer each, and few who wait for them. There are two ways:
 *
 * - A chain, for SEAMLDR.INSTALL, of which one LP at a time may make its one call of the session:
 *   each LP's @turn is the pass in which it may call now. The LP before it writes that, after its
 *   own call, and hands a baton along; the last one of the chain writes @passed.
 * - A tree, with the conductor at its root, for all else. Down it go orders (@order: for a round of
 *   TDH.SYS.LP.INIT, the number of the step; or that it is all over), which those below an LP wait
 *   for and pass on. Up it come reports (@reports: questions answered by this LP and by all below
 *   it), which the LP above waits for. What the conductor has had reported all LPs have done: that
 *   is the barrier.
 *
 * OVER is ordered once, with no session open and no question unanswered.
 *
 * A session is one pass, unless an LP's call did not count; then there is another pass, in which
 * only such LPs call, until the session is closed or the firmware has refused too often.
 *
 * What takes time and can wait comes after the word that another LP waits for: so an LP loads its
 * VMCS again when the next one has its turn. While all goes well no LP is looked at one by one; who
 * it was that failed is searched for only once the chain or the tree has told that someone has.
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

/* An order beyond all rounds: everyone may go. */
#define OVER			UINT_MAX

/*
 * How many LPs an LP has below it in the tree. More make it wide: it looks at one after another;
 * fewer make it deep (docs/blackout.md has what that costs).
 */
#define FAN_OUT			4u

/* Of an LP's SEAMCALLs this many, the last ones, are kept for the tracepoints. */
#define CALLS_KEPT		16
/* Phases that a blackout can enter: each once, those of an image twice, and its end. */
#define PHASES_MAX		(2 + 2 * 3 + 1)

/* For the tracepoints: what happened in the blackout, see trace.h. Steps are its order. */
struct call {
	struct tdxu_answer answer;
	unsigned int step;
};

struct entry {
	enum tdxu_phase phase;
	unsigned int step;		/* that begins with it */
	u64 ns;
};

/* What goes along the chain in a pass. */
struct baton {
	u64 params_pa;			/* of the image */
	unsigned int session;
	unsigned int step;
	bool failed;			/* the call of an LP that had it in this pass */
};

/* One LP: a cache line for each of those who wait for what is in it. */
struct lp {
	/* The LP before it in the chain writes, it waits. */
	unsigned int turn;
	struct baton baton;

	/* It writes, those below it in the tree wait. */
	unsigned int order ____cacheline_aligned_in_smp;

	/* It writes, the LP above it in the tree waits. */
	unsigned int reports ____cacheline_aligned_in_smp;
	bool bad;			/* its answer, or one below it; once reported */

	/* Its own; only what has failed others look at. Writing here must not wait for a line. */
	unsigned int session ____cacheline_aligned_in_smp;	/* in which its call counted last */
	u64 vmcs;
	struct tdxu_answer answer;	/* of its last call: once reported, or past its turn */
	int cpu;
	unsigned int place;		/* of the CPU whose number is this one's index: constant */
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
	bool traced;			/* someone reads what is written down */
	cpumask_t cpus;			/* of the LPs */
	unsigned int lps;

	/* The conductor's; its own lines, since the others read what stands above. */
	enum tdxu_phase phase ____cacheline_aligned_in_smp;
	struct tdxu_verdict verdict;
	struct tdxu_answer answer;
	bool installed;			/* an image, in this blackout */
	bool repairable;
	unsigned int sessions;
	unsigned int passes;
	unsigned int step;
	u64 params_pa;
	u64 ns;
	unsigned int num_entries;
	struct entry entries[PHASES_MAX];

	/* The last LP of the chain writes, the conductor waits for it. */
	unsigned int passed ____cacheline_aligned_in_smp;
	bool failed;			/* a call in that pass */

	struct lp lp[];			/* by place: the chain, and the tree as a heap */
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

/* The LPs below one in the tree: from the first up to, not including, @end. */
static struct lp *below(struct blackout *b, const struct lp *lp, struct lp **end)
{
	unsigned int first = (lp - b->lp) * FAN_OUT + 1;

	*end = &b->lp[min(first + FAN_OUT, b->lps)];
	return &b->lp[min(first, b->lps)];
}

/* This LP has answered the next question, and so have all below it. */
static void report(struct blackout *b, struct lp *lp)
{
	unsigned int question = lp->reports + 1;
	bool bad = lp->answer.status;
	struct lp *other, *end;

	for (other = below(b, lp, &end); other < end; other++) {
		while (hear(&other->reports) != question)
			relax();
		bad |= other->bad;
	}
	lp->bad = bad;
	tell(&lp->reports, question);
}

/* To the LP's own memory only: it is in every LP's way. */
static void note_call(const struct blackout *b, struct lp *lp, const struct tdxu_answer *answer,
		      unsigned int step)
{
	if (unlikely(b->traced))
		lp->calls[lp->num_calls++ % CALLS_KEPT] =
			(struct call){ .answer = *answer, .step = step };
}

static void enter(struct blackout *b, enum tdxu_phase phase)
{
	b->phase = phase;
	b->step++;
	if (unlikely(b->traced))
		b->entries[b->num_entries++] =
			(struct entry){ .phase = phase, .step = b->step, .ns = ktime_get_ns() };
}

static void quiesce(struct lp *lp)
{
	lp->answer = (struct tdxu_answer){ .leaf = TDXU_NO_LEAF, .cpu = TDXU_NO_CPU };
	if (!tdxu_vmcs_save(&lp->vmcs)) {
		lp->answer.status = TDX_SW_UD;
		lp->answer.cpu = lp->cpu;
	}
}

/* Leaves the VMCS pointer to be restored. */
static void call_install(struct lp *lp, u64 params_pa)
{
	unsigned int tries = 0;
	struct tdxu_args args;
	u64 status;

	for (;;) {
		args = (struct tdxu_args){ .rcx = params_pa };
		status = tdxu_seamcall(SEAMLDR_INSTALL, &args);
		if (status != TDX_SW_VMFAILINVALID || ++tries == INSTALL_BUSY_TRIES)
			break;
		relax();
	}
	lp->answer = (struct tdxu_answer){ .leaf = SEAMLDR_INSTALL, .status = status,
					   .rdx = args.rdx, .cpu = lp->cpu };
}

/* This LP's turn in a pass, its one call of the session; then the next LP's. */
static void take_turn(struct blackout *b, struct lp *lp, unsigned int pass)
{
	struct baton baton = lp->baton;
	struct lp *next = lp + 1;
	/* Where its call counts in the open session, calling again would be one too many. */
	bool call = lp->session != baton.session;

	if (call) {
		call_install(lp, baton.params_pa);
		if (lp->answer.status)
			baton.failed = true;
		else
			lp->session = baton.session;
	}
	if (next < &b->lp[b->lps]) {
		next->baton = baton;
		tell(&next->turn, pass);
	} else {
		b->failed = baton.failed;
		tell(&b->passed, pass);
	}
	if (call) {
		tdxu_vmcs_restore(lp->vmcs);
		note_call(b, lp, &lp->answer, baton.step);
	}
}

static void call_module(const struct blackout *b, struct lp *lp, u64 leaf, unsigned int step)
{
	struct tdxu_args args = {};
	u64 status = tdxu_seamcall_retry(leaf, &args);

	lp->answer = (struct tdxu_answer){ .leaf = leaf, .status = status, .cpu = lp->cpu };
	note_call(b, lp, &lp->answer, step);
}

/* A round of TDH.SYS.LP.INIT, of those below this LP and of itself. */
static void init_lps(struct blackout *b, struct lp *lp, unsigned int step)
{
	tell(&lp->order, step);
	call_module(b, lp, TDH_SYS_LP_INIT, step);
	report(b, lp);
}

/* What a CPU does that does not conduct. */
static void follow(struct blackout *b, struct lp *lp)
{
	const struct lp *above = &b->lp[(lp - b->lp - 1) / FAN_OUT];
	unsigned int passes = 0, last_order = 0, order;

	report(b, lp);
	for (;;) {
		order = hear(&above->order);
		if (hear(&lp->turn) != passes)
			take_turn(b, lp, ++passes);
		else if (order == OVER)
			break;
		else if (order != last_order)
			init_lps(b, lp, last_order = order);
		else
			relax();
	}
	tell(&lp->order, OVER);
}

static void fail(struct blackout *b, struct tdxu_verdict verdict, const struct tdxu_answer *answer)
{
	b->verdict = verdict;
	b->answer = *answer;
}

/* The first LP but @other_than whose answer is no success. */
static const struct lp *find_failed(const struct blackout *b, const struct lp *other_than)
{
	const struct lp *lp;

	for (lp = b->lp; lp < &b->lp[b->lps]; lp++)
		if (lp != other_than && lp->answer.status)
			return lp;
	return NULL;
}

/* Every present CPU is here, as when the LPs' places were made; the same on every CPU. */
static bool is_complete(const struct blackout *b)
{
	return cpumask_equal(cpu_online_mask, &b->cpus) &&
	       cpumask_equal(cpu_online_mask, cpu_present_mask);
}

static void fail_incomplete(struct blackout *b)
{
	struct tdxu_answer absent = { .leaf = TDXU_NO_LEAF, .cpu = TDXU_NO_CPU };
	int cpu;

	for_each_present_cpu(cpu)
		if (!cpu_online(cpu))
			absent.cpu = cpu;
	enter(b, TDXU_PHASE_QUIESCE);
	fail(b, tdxu_say(TDXU_CPU_OFFLINE, "CPUs came or went meanwhile"), &absent);
}

/* Every LP can call firmware; if not, no session may be opened. */
static bool all_ready(struct blackout *b, struct lp *conductor)
{
	enter(b, TDXU_PHASE_QUIESCE);
	quiesce(conductor);
	report(b, conductor);
	if (conductor->bad)
		fail(b, tdxu_say(TDXU_VMX_OFF, NULL), &find_failed(b, NULL)->answer);
	return !conductor->bad;
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
	note_call(b, lp, &lp->answer, b->step);
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
	note_call(b, conductor, &answer, ++b->step);
	return !answer.status && b->info->seam_ready;
}

static bool was_answered(const struct lp *lp)
{
	return (lp->answer.status & TDX_SW_ERROR) != TDX_SW_ERROR;
}

static void run_pass(struct blackout *b, struct lp *conductor)
{
	conductor->baton = (struct baton){ .params_pa = b->params_pa, .session = b->sessions,
					   .step = ++b->step };
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

	b->sessions++;
	*closed = true;
	for (passes = 1;; passes++) {
		run_pass(b, conductor);

		if (!b->failed)
			return conductor;	/* all have succeeded, the closing one too */
		bad = find_failed(b, NULL);
		/* The only one, answered, and after all others: so it closed the session. */
		if (!find_failed(b, bad) && was_answered(bad) &&
		    (bad == &b->lp[b->lps - 1] || passes > 1))
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
	call_module(b, conductor, TDH_SYS_INIT, b->step);
	if (conductor->answer.status)
		goto failed;

	init_lps(b, conductor, b->step);
	if (conductor->bad) {
		bad = find_failed(b, NULL);
		goto failed;
	}

	enter(b, TDXU_PHASE_UPDATE);
	call_module(b, conductor, TDH_SYS_UPDATE, b->step);
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
	if (all_ready(b, lp) && (b->plan.resume || shut_down(b, lp))) {
		fate = run_image(b, lp, b->params);
		if (fate == RUNS)
			enter(b, TDXU_PHASE_DONE);
		else
			recover(b, lp, fate);
	}

	tell(&lp->order, OVER);
	b->ns = ktime_get_ns() - start;
}

/* Runs on every online CPU at once, interrupts off. */
static int run_blackout(void *data)
{
	struct blackout *b = data;
	int cpu = smp_processor_id();
	struct lp *lp;

	/* CPUs may have come and gone since the places were made. They cannot now. */
	if (!is_complete(b)) {
		if (cpu == cpumask_first(cpu_online_mask))
			fail_incomplete(b);
		return 0;
	}

	lp = &b->lp[b->lp[cpu].place];
	if (lp == b->lp) {
		conduct(b, lp);
	} else {
		quiesce(lp);
		follow(b, lp);
	}
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

static void make_places(struct blackout *b)
{
	int cpu;

	cpumask_copy(&b->cpus, cpu_present_mask);
	for_each_cpu(cpu, &b->cpus) {
		b->lp[b->lps].cpu = cpu;
		b->lp[cpu].place = b->lps++;
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
	b->traced = trace_phase_enabled() || trace_seamcall_enabled();
	b->verdict = tdxu_say(TDXU_SUCCESS, NULL);
	b->answer = (struct tdxu_answer){ .leaf = TDXU_NO_LEAF, .cpu = TDXU_NO_CPU };
	make_places(b);
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

	if (!b->traced)
		return;
	for (step = 0; step <= b->step; step++) {
		for (; entry < b->num_entries && b->entries[entry].step == step; entry++)
			trace_phase(b->entries[entry].phase, b->entries[entry].ns);
		for (lp = b->lp; lp < &b->lp[b->lps]; lp++) {
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
