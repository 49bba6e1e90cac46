// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports how an attempt ended: the log line, the contents of last/, the uevent, the names of
 * results and phases, the tracepoints. Decides nothing: the result is final when it gets here.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/audit.h>
#include <linux/cred.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/ktime.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/time64.h>

#include "tdx_update.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static const struct {
	const char *name;
	const char *errno_name;
	int code;
	const char *text;
} results[] = {
#define RESULT(symbol, result, number, meaning)				\
	[TDXU_##symbol] = {						\
		.name = result,						\
		.errno_name = #number,					\
		.code = number,						\
		.text = meaning,					\
	},
	TDXU_RESULTS(RESULT)
#undef RESULT
};

static const char * const phases[] = {
#define PHASE(symbol, name) [TDXU_PHASE_##symbol] = name,
	TDXU_PHASES(PHASE)
#undef PHASE
};

/* The object that sends uevents; NULL while it does not exist. */
static struct kobject *uevent_kobj;

static DEFINE_SPINLOCK(last_lock);
/* The last update, and the last check: phase TDXU_PHASE_NONE before the first one. */
static struct tdxu_attempt last[2] = {
	{ .answer = { .leaf = TDXU_NO_LEAF, .cpu = TDXU_NO_CPU } },
	{ .answer = { .leaf = TDXU_NO_LEAF, .cpu = TDXU_NO_CPU } },
};

/* The errno of a result. */
int tdxu_result_errno(enum tdxu_result result)
{
	return -results[result].code;
}

/* The name of a result, as last/result shows it. */
const char *tdxu_result_name(enum tdxu_result result)
{
	return results[result].name;
}

/* The name of a phase, as last/phase shows it. */
const char *tdxu_phase_name(enum tdxu_phase phase)
{
	return phases[phase];
}

/**
 * tdxu_version_string() - print a version as the specification does: 1.5.08
 * @version: the version
 * @buf: where to
 *
 * Context: any.
 * Return: @buf, or "none" for an unknown version.
 */
const char *tdxu_version_string(const struct tdxu_version *version, char buf[TDXU_VERSION_SIZE])
{
	if (!version->major)
		return "none";
	snprintf(buf, TDXU_VERSION_SIZE, "%u.%u.%02u", version->major, version->minor,
		 version->update);
	return buf;
}

/**
 * tdxu_outcome_last() - copy the last update or check that ended
 * @check: which of the two; setting a recovery image is a check
 * @attempt: filled in; its phase is TDXU_PHASE_NONE before the first one
 *
 * Context: process.
 */
void tdxu_outcome_last(bool check, struct tdxu_attempt *attempt)
{
	spin_lock(&last_lock);
	*attempt = last[check];
	spin_unlock(&last_lock);
}

/* The firmware's answer, or the CPU: "TDH.SYS.SHUTDOWN on CPU 0: 0x... SYS_BUSY". */
static void describe_answer(const struct tdxu_answer *answer, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	if (answer->leaf != TDXU_NO_LEAF)
		len += scnprintf(buf, size, ", %s", tdxu_leaf_name(answer->leaf));
	if (answer->cpu != TDXU_NO_CPU)
		len += scnprintf(buf + len, size - len, "%s CPU %d", len ? " on" : ",",
				 answer->cpu);
	if (answer->leaf != TDXU_NO_LEAF)
		len += scnprintf(buf + len, size - len, ": %#018llx %s", answer->status,
				 tdxu_status_name(answer->leaf, answer->status));
	/* With most statuses these name the operand at fault, or a value. */
	if (answer->rcx || answer->rdx || answer->r8)
		scnprintf(buf + len, size - len, ", RCX %#llx RDX %#llx R8 %#llx", answer->rcx,
			  answer->rdx, answer->r8);
}

static const char *level_of(enum tdxu_result result)
{
	switch (result) {
	case TDXU_SUCCESS:
		return KERN_INFO;
	case TDXU_UPDATE_RACE:		/* no fault, and possibly frequent */
	case TDXU_INTERRUPTED:
		return KERN_NOTICE;
	case TDXU_RECOVERED:
		return KERN_WARNING;
	case TDXU_SHUT_DOWN:
	case TDXU_LOST:
		return KERN_CRIT;
	default:
		return KERN_ERR;
	}
}

/* The consequence, and what to do if the result does not already say it. */
static const char *aftermath(enum tdxu_result result)
{
	switch (result) {
	case TDXU_RECOVERED:
		return "";
	case TDXU_SHUT_DOWN:
		return "; KVM gives up TDs that run now; install an image at once, do not reboot";
	case TDXU_LOST:
		return "; the TDs are gone; reboot to have TDX again";
	default:
		return "; nothing has changed";
	}
}

/*
 * This process, which has asked for the attempt: "uid 0, login 1000, sh[42]". An upload's is not
 * known, because the firmware loader asks from a kernel thread.
 */
static void describe_asker(char *buf, size_t size)
{
	kuid_t login = audit_get_loginuid(current);
	size_t len;

	if (current->flags & PF_KTHREAD) {
		snprintf(buf, size, "an upload");
		return;
	}
	len = scnprintf(buf, size, "uid %u", from_kuid_munged(&init_user_ns, current_uid()));
	if (uid_valid(login))
		len += scnprintf(buf + len, size - len, ", login %u",
				 from_kuid_munged(&init_user_ns, login));
	scnprintf(buf + len, size - len, ", %*pE[%d]", (int)strlen(current->comm), current->comm,
		  task_pid_nr(current));
}

static void log_attempt(const struct tdxu_attempt *attempt)
{
	const char *level = level_of(attempt->result);
	const char *image = attempt->file[0] ? attempt->file : "update";
	char from[TDXU_VERSION_SIZE], to[TDXU_VERSION_SIZE];
	char answer[200], left[40] = "", sessions[40] = "", asker[120];

	describe_asker(asker, sizeof(asker));
	if (!attempt->result) {
		if (attempt->updates_left >= 0)
			snprintf(left, sizeof(left), ", %lld updates left", attempt->updates_left);
		if (attempt->sessions > 1)
			snprintf(sessions, sizeof(sessions), " after %u install sessions",
				 attempt->sessions);
		printk("%s" pr_fmt("%s: %s -> %s%s, TDs live; CPUs stopped for %llu us%s; by %s\n"),
		       level, image, tdxu_version_string(&attempt->from, from),
		       tdxu_version_string(&attempt->to, to), sessions,
		       attempt->blackout_ns / NSEC_PER_USEC, left, asker);
		return;
	}

	describe_answer(&attempt->answer, answer, sizeof(answer));
	printk("%s" pr_fmt("%s: %s (%s): %s%s%s%s [phase %s%s]; by %s\n"), level, image,
	       tdxu_result_name(attempt->result), results[attempt->result].errno_name,
	       results[attempt->result].text, attempt->why[0] ? ": " : "", attempt->why,
	       aftermath(attempt->result), tdxu_phase_name(attempt->phase), answer, asker);
}

/* The kernel checks NO_RBP_MOD only at boot, and relies on it if it has frame pointers. */
static void log_rbp(const struct tdxu_attempt *attempt)
{
	if (attempt->clobbers_rbp)
		pr_warn("the TDX module that runs now has no NO_RBP_MOD and may clobber RBP; install one that has it\n");
}

/* The attempt may have succeeded all the same, but an operator must not miss this. */
static void log_lost_vmcs(void)
{
	static unsigned int told;	/* attempts end one at a time */
	unsigned int lost = tdxu_vmcs_lost();

	if (lost != told)
		pr_crit("a CPU's current VMCS could not be loaded again (%u times so far): do not trust KVM on this host, reboot\n",
			lost);
	told = lost;
}

#define RACE_QUIET_NS	(60 * NSEC_PER_SEC)

/* The same race again: while somebody waits for its end, one line a minute is enough. */
static bool races_again(const struct tdxu_attempt *attempt)
{
	static char file[TDXU_NAME_MAX + 1];	/* attempts end one at a time */
	static u64 logged;
	bool race = attempt->result == TDXU_UPDATE_RACE;
	u64 now = ktime_get_ns();

	if (race && !strcmp(file, attempt->file) && now - logged < RACE_QUIET_NS)
		return true;
	strscpy(file, race ? attempt->file : "", sizeof(file));
	logged = now;
	return false;
}

/* Refused because an earlier update has lost TDX: last/ keeps the failure of that one. */
static bool repeats_loss(const struct tdxu_attempt *attempt)
{
	return attempt->result == TDXU_LOST && attempt->phase < TDXU_PHASE_QUIESCE;
}

/**
 * tdxu_outcome_publish() - show an attempt that ended in last/ or last_check/, log and trace it
 * @attempt: the attempt; a check is not logged
 *
 * Context: process.
 */
void tdxu_outcome_publish(const struct tdxu_attempt *attempt)
{
	bool check = attempt->phase == TDXU_PHASE_CHECK;

	if (!repeats_loss(attempt)) {
		spin_lock(&last_lock);
		last[check] = *attempt;
		spin_unlock(&last_lock);
	}
	if (!check && !races_again(attempt)) {
		log_attempt(attempt);
		log_rbp(attempt);
	}
	log_lost_vmcs();
	trace_done(attempt);
}

/**
 * tdxu_outcome_send_uevents() - set the object that sends uevents
 * @kobj: the object, a member of a kset; NULL: send none
 *
 * Context: process; no attempt is under way.
 */
void tdxu_outcome_send_uevents(struct kobject *kobj)
{
	uevent_kobj = kobj;
}

/**
 * tdxu_outcome_announce() - send the uevent of an update that ended
 * @attempt: the attempt, already published
 *
 * KOBJ_CHANGE of last/ with TDX_UPDATE=<result>, TDX_FROM= and TDX_TO=.
 *
 * Context: may sleep.
 */
void tdxu_outcome_announce(const struct tdxu_attempt *attempt)
{
	char from[TDXU_VERSION_SIZE], to[TDXU_VERSION_SIZE];
	char update_env[40], from_env[40], to_env[40];
	char *env[] = { update_env, from_env, to_env, NULL };

	if (!uevent_kobj)
		return;
	snprintf(update_env, sizeof(update_env), "TDX_UPDATE=%s",
		 tdxu_result_name(attempt->result));
	snprintf(from_env, sizeof(from_env), "TDX_FROM=%s",
		 tdxu_version_string(&attempt->from, from));
	snprintf(to_env, sizeof(to_env), "TDX_TO=%s", tdxu_version_string(&attempt->to, to));
	kobject_uevent_env(uevent_kobj, KOBJ_CHANGE, env);
}
