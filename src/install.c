// SPDX-License-Identifier: GPL-2.0-only
/*
 * The blackout: every CPU stopped in one stop_machine(), from quiesce to TDH.SYS.UPDATE.
 * Code here must not sleep, allocate, print, take a lock or look anything up. Every wait ends, and
 * no CPU leaves while an install session is open.
 */

/**
 * DOC: The blackout
 *
 * The first online CPU is the lead CPU. It decides everything; the other CPUs do what it asks for.
 * CPUs synchronize through monotonic counters:
 *
 * - @state: the lead CPU writes it, all others poll it. A new value orders a round of
 *   TDH.SYS.LP.INIT and is the number of that step. The lead CPU writes DONE once, with no session
 *   open and no ack missing.
 * - @acks: every other CPU increments it after a step: after saving its VMCS pointer, and after its
 *   TDH.SYS.LP.INIT. The last LP of the chain increments it once for a whole pass. The lead CPU
 *   waits until all acks of a step have come.
 * - @pass of each LP: SEAMLDR.INSTALL admits one LP at a time, so the LPs call it in a chain. An LP
 *   that has made its call stores the number of the pass in @pass of the next LP, together with a
 *   ticket that holds the operands.
 *
 * A CPU that fails sets @failed before it acks or passes the ticket on. Per-CPU answers are scanned
 * only then.
 *
 * A session takes one pass, unless an LP's call did not count. Then only such LPs call again, in
 * another pass, until the session is closed or PASSES_MAX is reached. If the lead CPU's call does
 * not count, no session is open and no other LP calls in that pass. A session that is still open
 * when the next image is tried, or that another driver left open, is joined: see join_session().
 *
 * Work that can wait comes after the store that another CPU waits for: an LP restores its VMCS
 * pointer while the next LP makes its call.
 *
 * Every step ends with an ack whatever the firmware answers, and every retry is bounded. So every
 * wait ends.
 */

/**
 * DOC: After a failure
 *
 * KVM gives a TD up at its first failing SEAMCALL, so the CPUs stay stopped while the firmware
 * allows anything that has not been tried. In this order, cheapest and most promising first:
 *
 * 1. A transient failure of SEAMLDR.INSTALL: another session, up to SESSIONS_MAX.
 * 2. TDH.SYS.INIT, TDH.SYS.UPDATE: once more. TDH.SYS.LP.INIT: another round, up to
 *    LP_INIT_ROUNDS_MAX.
 * 3. The recovery image, with 1 and 2.
 * 4. The image once more, with 1 and 2: a new installation clears what the first one left.
 *
 * 3 and 4 need an update left, and an SVN minor that is not lower than that of the TDX module
 * installed last. Only SEAMLDR.INSTALL with RDX = 1 and a session that waits for LPs that are not
 * here end it earlier: the firmware allows nothing any more.
 */

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/nmi.h>
#include <linux/smp.h>

#include <asm/barrier.h>
#include <asm/page.h>
#include <asm/processor.h>

#include "install.h"

/* Sessions that an image may take for transient failures. */
#define SESSIONS_MAX		8
/* Passes of one session: each repeats the calls that did not count. */
#define PASSES_MAX		4
/* Rounds of TDH.SYS.LP.INIT for one image. */
#define LP_INIT_ROUNDS_MAX	3
/*
 * How often an LP repeats a SEAMLDR.INSTALL that answers VMfailInvalid. No other LP calls now, so
 * P-SEAMLDR can be busy for a moment only. Longer than that means that it is gone.
 */
#define INSTALL_BUSY_TRIES	10000

/* Value of @state that lets every CPU go. */
#define DONE			UINT_MAX

/* How far an image got. */
enum outcome {
	RUNS,
	SHUT_DOWN,	/* it does not run, the handoff data is whole: another image may follow */
	LOST,
};

/* Pet the NMI watchdog and yield to the SMT sibling. */
static void relax(void)
{
	touch_nmi_watchdog();
	cpu_relax();
}

static void ack(struct blackout *b, u64 status)
{
	if (status)
		WRITE_ONCE(b->failed, true);
	/* Publish @failed and the answer; pairs with the acquire in wait_for_acks(). */
	smp_mb__before_atomic();
	atomic_inc(&b->acks);
}

/* Wait for this many more acks. Return whether every CPU succeeded. */
static bool wait_for_acks(struct blackout *b, unsigned int num)
{
	b->acks_expected += num;
	while (atomic_read_acquire(&b->acks) != b->acks_expected)
		relax();
	return !b->failed;
}

static struct tdxu_answer answer_of(const struct lp *lp, u64 leaf, u64 status,
				    const struct tdxu_args *out)
{
	return (struct tdxu_answer){
		.leaf = leaf, .status = status, .cpu = lp->cpu,
		.rcx = out->rcx, .rdx = out->rdx, .r8 = out->r8,
	};
}

/* Hot path: write CPU-local memory only. */
static void record_call(const struct blackout *b, struct lp *lp, const struct tdxu_answer *answer,
			unsigned int step)
{
	if (unlikely(b->traced))
		lp->calls[lp->num_calls++ % TDXU_CALLS_KEPT] =
			(struct call_record){ .answer = *answer, .step = step };
}

static void enter(struct blackout *b, enum tdxu_phase phase)
{
	b->phase = phase;
	b->step++;
	if (unlikely(b->traced))
		b->phases[b->num_phases++] = (struct phase_record){
			.phase = phase, .step = b->step, .ns = ktime_get_ns(),
		};
}

static u64 quiesce(struct lp *lp)
{
	if (!tdxu_vmcs_save(&lp->vmcs)) {
		lp->answer.status = TDX_SW_UD;
		lp->answer.cpu = lp->cpu;
	}
	return lp->answer.status;
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
	lp->answer = answer_of(lp, SEAMLDR_INSTALL, status, &args);
}

/* SEAMLDR.INFO into @info: seam_ready is 0 while a session is open. Return whether it succeeded. */
static bool read_info(struct blackout *b, struct lp *lp, unsigned int step)
{
	struct tdxu_args args = { .rcx = __pa(b->info) };
	struct tdxu_answer answer;
	u64 status;

	status = tdxu_seamldr_call(SEAMLDR_INFO, &args);
	answer = answer_of(lp, SEAMLDR_INFO, status, &args);
	record_call(b, lp, &answer, step);
	return !status;
}

static bool was_answered(const struct lp *lp)
{
	return (lp->answer.status & TDX_SW_ERROR) != TDX_SW_ERROR;
}

/* Answers of SEAMLDR.INSTALL after which the LP does not count as having called just now. */
static bool is_uncounted(const struct lp *lp)
{
	return !was_answered(lp) || (lp->answer.rdx == SEAMLDR_RECOVERABLE &&
				     (lp->answer.status == SEAMLDR_EBADCALL ||
				      lp->answer.status == SEAMLDR_EUNSPECERR));
}

/*
 * This LP's part in a session that was open before: nobody knows which LPs have called. One that
 * has gets EBADCALL. Any other call counts, and only the closing call fails or opens the TDX
 * module. No LP may call after it, as that would open another session.
 */
static void join_session(struct blackout *b, struct lp *lp, struct ticket *ticket)
{
	call_install(lp, ticket->params_pa);
	if (is_uncounted(lp))
		return;
	if (lp->answer.status || (read_info(b, lp, ticket->step) && b->info->seam_ready)) {
		ticket->closed = true;
		b->closer = lp;
	}
}

/* Make this LP's one call of the session, unless an earlier pass made it. Pass the ticket on. */
static void use_ticket(struct blackout *b, struct lp *lp, unsigned int pass)
{
	struct ticket ticket = lp->ticket;
	bool call = ticket.join ? !ticket.closed : lp->session != ticket.session;
	struct lp *next = lp + 1;
	bool unopened = false;

	if (call && ticket.join) {
		join_session(b, lp, &ticket);
	} else if (call) {
		call_install(lp, ticket.params_pa);
		if (lp->answer.status) {
			WRITE_ONCE(b->failed, true);
			/* The others would open a session that cannot be closed without this LP. */
			unopened = lp == b->lp && is_uncounted(lp);
		} else {
			lp->session = ticket.session;
		}
	}
	if (next < &b->lp[b->num_lps] && !unopened) {
		next->ticket = ticket;
		/* Publish ticket, answer and @failed; pairs with the acquire in follow(). */
		smp_store_release(&next->pass, pass);
	} else {
		ack(b, 0);
	}
	if (call) {
		tdxu_vmcs_restore(lp->vmcs);
		record_call(b, lp, &lp->answer, ticket.step);
	}
}

/* Call a leaf of the TDX module that takes no operands. */
static u64 call_module(const struct blackout *b, struct lp *lp, u64 leaf, unsigned int step)
{
	static const struct tdxu_args none;
	struct tdxu_args out;
	u64 status = tdxu_seamcall_retry(leaf, &none, &out);

	lp->answer = answer_of(lp, leaf, status, &out);
	record_call(b, lp, &lp->answer, step);
	return status;
}

/* An LP that an earlier round has initialized would answer SYS_LP_INIT_DONE: skip it. */
static u64 init_lp(const struct blackout *b, struct lp *lp, unsigned int step)
{
	bool done = lp->answer.leaf == TDH_SYS_LP_INIT && !lp->answer.status;

	return done ? 0 : call_module(b, lp, TDH_SYS_LP_INIT, step);
}

/* What every CPU but the lead CPU does. */
static void follow(struct blackout *b, struct lp *lp)
{
	unsigned int last_pass = 0, last_state = 0, pass, state;

	ack(b, quiesce(lp));
	for (;;) {
		/* Before @pass: DONE means that no pass is to come. Pairs with init_lps(). */
		state = smp_load_acquire(&b->state);
		/* Pairs with the release in use_ticket(). */
		pass = smp_load_acquire(&lp->pass);
		if (pass != last_pass) {
			last_pass = pass;
			use_ticket(b, lp, pass);
		} else if (state == DONE) {
			break;
		} else if (state != last_state) {
			last_state = state;
			ack(b, init_lp(b, lp, state));
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

/* The first LP other than @other_than whose call failed. */
static const struct lp *find_failed(const struct blackout *b, const struct lp *other_than)
{
	const struct lp *lp;

	for (lp = b->lp; lp < &b->lp[b->num_lps]; lp++)
		if (lp != other_than && lp->answer.status)
			return lp;
	return NULL;
}

/* Present == online == the set recorded at setup; every CPU gets the same answer. */
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
	fail(b, tdxu_verdict(TDXU_CPU_OFFLINE, "CPUs came or went meanwhile"), &absent);
}

/* Every LP can make SEAMCALLs. If one cannot, no session may be opened. */
static bool all_ready(struct blackout *b, struct lp *lead)
{
	bool ready;

	enter(b, TDXU_PHASE_QUIESCE);
	if (quiesce(lead))
		WRITE_ONCE(b->failed, true);
	ready = wait_for_acks(b, b->num_lps - 1);
	if (!ready)
		fail(b, tdxu_verdict(TDXU_VMX_OFF, NULL), &find_failed(b, NULL)->answer);
	return ready;
}

/* Success is the point of no return. A failure has changed nothing. */
static bool shut_down(struct blackout *b, struct lp *lp)
{
	struct tdxu_args args = { .rcx = b->plan.shutdown_rcx };
	u64 status;

	enter(b, TDXU_PHASE_SHUTDOWN);

	/* One call: no other LP runs that could keep the TDX module busy. */
	status = tdxu_seamcall(TDH_SYS_SHUTDOWN, &args);
	lp->answer = answer_of(lp, TDH_SYS_SHUTDOWN, status, &args);
	record_call(b, lp, &lp->answer, b->step);
	if (!status)
		return true;
	if ((status & TDX_STATUS_MASK) == TDX_UPDATE_COMPAT_SENSITIVE)
		fail(b, tdxu_verdict(TDXU_UPDATE_RACE, NULL), &lp->answer);
	else
		fail(b, tdxu_verdict(TDXU_FIRMWARE_ERROR, NULL), &lp->answer);
	return false;
}

/* Return whether every call of the pass succeeded. */
static bool run_pass(struct blackout *b, struct lp *lead, bool join)
{
	b->failed = false;
	b->closer = NULL;
	lead->ticket = (struct ticket){ .params_pa = b->params_pa, .session = b->sessions,
					.step = ++b->step, .join = join };
	use_ticket(b, lead, ++b->passes);
	return wait_for_acks(b, 1);
}

/*
 * One session, in which every LP calls once. The result is the closing call's, the last call that
 * counted: the last LP's if all before it succeeded. A call that failed before that did not count,
 * and the session waits for it. Return the LP that has the result; @session_open is true afterwards
 * if the session could not be closed. It stays false if the lead CPU could not open one.
 */
static const struct lp *run_session(struct blackout *b, struct lp *lead)
{
	unsigned int passes = 0, unopened = 0;
	const struct lp *bad;

	b->sessions++;
	if (b->session_open) {
		run_pass(b, lead, true);
		b->session_open = !b->closer;
		return b->closer ?: find_failed(b, NULL) ?: lead;
	}
	for (;;) {
		if (run_pass(b, lead, false))
			return lead;	/* all succeeded, the closing call among them */
		if (lead->session != b->sessions && is_uncounted(lead)) {
			if (++unopened == PASSES_MAX)
				return lead;
			continue;
		}
		passes++;
		bad = find_failed(b, NULL);
		/* The only failure, counted, after all other calls: it closed the session. */
		if (!find_failed(b, bad) && !is_uncounted(bad) &&
		    (bad == &b->lp[b->num_lps - 1] || passes > 1))
			return bad;
		/* Did failed calls count all the same? Then one more would open a session. */
		if (read_info(b, lead, ++b->step) && b->info->seam_ready)
			return bad;
		if (passes == PASSES_MAX)
			break;
	}
	b->session_open = true;
	return bad;
}

/* Worth another session: memory is untouched, and the next try may have entropy. */
static bool is_transient(const struct tdxu_answer *answer)
{
	return answer->rdx == SEAMLDR_RECOVERABLE && answer->status == SEAMLDR_ENOENTROPY;
}

static void because(struct blackout *b, const char *why)
{
	strscpy(b->verdict.why, why, sizeof(b->verdict.why));
}

static enum outcome install_image(struct blackout *b, struct lp *lead)
{
	const bool joined = b->session_open;
	unsigned int sessions = 0;
	const struct lp *lp;

	enter(b, TDXU_PHASE_INSTALL);

	do {
		lp = run_session(b, lead);
	} while (!b->session_open && is_transient(&lp->answer) && ++sessions < SESSIONS_MAX);

	if (b->session_open)
		because(b, "an install session stays open");
	else if (!lp->answer.status)
		return RUNS;
	b->answer = lp->answer;
	/* The session that was joined is closed and seam_ready still 0: a cleared TDX module. */
	if (b->session_open || (lp->answer.rdx == SEAMLDR_RECOVERABLE &&
				!(joined && read_info(b, lead, ++b->step) && !b->info->seam_ready)))
		return SHUT_DOWN;
	because(b, "the firmware has cleared the TDX module's memory");
	return LOST;
}

/* One round of TDH.SYS.LP.INIT on every LP that has not done it. */
static bool init_lps(struct blackout *b, struct lp *lead)
{
	b->failed = false;
	/* Publish @failed; pairs with the acquire in follow(). */
	smp_store_release(&b->state, b->step);
	if (init_lp(b, lead, b->step))
		WRITE_ONCE(b->failed, true);
	return wait_for_acks(b, b->num_lps - 1);
}

/* Call a leaf on the lead CPU, and once more if that fails. */
static u64 call_twice(struct blackout *b, struct lp *lead, u64 leaf)
{
	return call_module(b, lead, leaf, b->step) ? call_module(b, lead, leaf, ++b->step) : 0;
}

/* Initialize the installed TDX module and have it take over the TDs. */
static enum outcome bring_up(struct blackout *b, struct lp *lead)
{
	const struct lp *bad = lead;
	unsigned int rounds = 0;

	enter(b, TDXU_PHASE_INIT);
	if (call_twice(b, lead, TDH_SYS_INIT))
		goto failed;

	while (!init_lps(b, lead)) {
		if (++rounds == LP_INIT_ROUNDS_MAX) {
			bad = find_failed(b, NULL);
			goto failed;
		}
		b->step++;
	}

	enter(b, TDXU_PHASE_UPDATE);
	if (!call_twice(b, lead, TDH_SYS_UPDATE))
		return RUNS;
failed:
	b->answer = bad->answer;
	/* Closed right after its installation? Then P-SEAMLDR waits for LPs that are not here. */
	if (!was_answered(bad) && read_info(b, lead, ++b->step) && !b->info->seam_ready) {
		because(b, "an install session stays open: P-SEAMLDR waits for more LPs");
		return LOST;
	}
	return SHUT_DOWN;
}

/* False for an image that is missing or that the firmware would refuse. */
static bool can_follow(const struct blackout *b, const struct payload *payload)
{
	return payload->params && payload->svn_minor >= b->svn_minor && b->updates_left;
}

static enum outcome run_image(struct blackout *b, struct lp *lead, const struct payload *payload)
{
	enum outcome outcome;

	b->params_pa = __pa(payload->params);
	outcome = install_image(b, lead);
	if (outcome != RUNS)
		return outcome;
	/* What may follow from here on; the firmware counts the same. */
	b->svn_minor = payload->svn_minor;
	b->updates_left--;
	return bring_up(b, lead);
}

/* Past the point of no return: see "After a failure". The reported failure is the first image's. */
static void run_images(struct blackout *b, struct lp *lead)
{
	const struct payload *const order[TDXU_RUNS_MAX] = { &b->image, &b->recovery, &b->image };
	enum tdxu_phase phase = b->phase;
	enum outcome outcome = SHUT_DOWN;
	struct tdxu_answer answer;	/* valid if @failed */
	bool failed = false;
	unsigned int i;

	for (i = 0; i < TDXU_RUNS_MAX; i++) {
		if (!can_follow(b, order[i]))
			continue;
		outcome = run_image(b, lead, order[i]);
		if (outcome != RUNS && !failed) {
			failed = true;
			answer = b->answer;
			phase = b->phase;
		}
		if (outcome != SHUT_DOWN)
			break;
		if (order[i] == &b->recovery && !b->session_open)
			because(b, "the recovery image failed, too");
	}

	if (outcome == RUNS && order[i] == &b->image) {
		enter(b, TDXU_PHASE_DONE);
		if (failed)
			b->answer = (struct tdxu_answer){
				.leaf = TDXU_NO_LEAF, .cpu = TDXU_NO_CPU,
			};
		return;
	}
	if (failed)
		b->answer = answer;
	b->phase = phase;
	b->verdict.result = outcome == RUNS ? TDXU_RECOVERED :
			    outcome == LOST ? TDXU_LOST : TDXU_SHUT_DOWN;
}

static void lead_all(struct blackout *b, struct lp *lead)
{
	u64 start = ktime_get_ns();

	/* A TDX module that is shut down already needs no shutdown. */
	if (all_ready(b, lead) && (b->plan.resume || shut_down(b, lead)))
		run_images(b, lead);

	/* Pairs with the acquire in follow(). */
	smp_store_release(&b->state, DONE);
	b->ns = ktime_get_ns() - start;
}

/**
 * tdxu_blackout_run() - one CPU's part of the blackout
 * @blackout: struct blackout, set up by install_setup.c
 *
 * Context: stop_machine() on every online CPU, interrupts off.
 * Return: 0; the outcome is in the struct.
 */
int tdxu_blackout_run(void *blackout)
{
	struct blackout *b = blackout;
	int cpu = smp_processor_id();
	struct lp *lp;

	/* CPUs may have come and gone since the setup. They cannot now. */
	if (!is_complete(b)) {
		if (cpu == cpumask_first(cpu_online_mask))
			fail_incomplete(b);
		return 0;
	}

	lp = &b->lp[b->lp[cpu].index];
	if (lp == b->lp)
		lead_all(b, lp);
	else
		follow(b, lp);
	return 0;
}
