// SPDX-License-Identifier: GPL-2.0-only
/*
 * One attempt, from a name or an upload to the outcome; one at a time. Each step consumes the
 * previous step's result. tdxu_install() is the only step that modifies platform state.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/firmware.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "tdx_update.h"
#include "trace.h"

static char *image = "intel/tdx/tdx_module.blob";
module_param(image, charp, 0644);
MODULE_PARM_DESC(image, "image that writing 1 to update installs (default: intel/tdx/tdx_module.blob)");

static bool require_race_protection;
module_param(require_race_protection, bool, 0644);
MODULE_PARM_DESC(require_race_protection,
		 "refuse to update a TDX module that cannot reject a race (default: 0)");

static bool require_recovery;
module_param(require_recovery, bool, 0644);
MODULE_PARM_DESC(require_recovery, "refuse an update without a recovery image (default: 0)");

static DEFINE_MUTEX(attempt_lock);

/* Held from the last chance to give an attempt up until its outcome is known. */
static DEFINE_MUTEX(install_lock);
static bool closed;			/* the host goes down; under install_lock */

/*
 * What the firmware cannot tell once TDX is down. Under attempt_lock. While TDX is down by an
 * update of ours the module holds a reference on itself, so that none of this is forgotten.
 */
static struct {
	enum tdxu_state left;		/* SHUT_DOWN or LOST: as an update left it, else READY */
	struct tdxu_handoff handoff;	/* of the last TDX module seen running or shut down */
	bool pinned;
} memory = { .left = TDXU_STATE_READY };

/* Name of the recovery image, empty: none. */
static char recovery_name[TDXU_NAME_MAX + 1];
static DEFINE_MUTEX(recovery_lock);

/* This update has left TDX down: remember what the next one needs. */
static void remember_failure(enum tdxu_state left, const struct tdxu_plan *plan)
{
	memory.left = left;
	memory.handoff.waits = true;
	if (!plan->resume) {
		memory.handoff.hv = plan->shutdown_rcx & TDX_SHUTDOWN_HV_MASK;
		memory.handoff.hv_known = true;
	}
	if (!memory.pinned)
		memory.pinned = try_module_get(THIS_MODULE);
}

/* A TDX module runs: forget an earlier failure. */
static void remember_running(const struct tdxu_module *module)
{
	memory.left = TDXU_STATE_READY;
	memory.handoff = (struct tdxu_handoff){
		.num_pages = module->num_handoff_pages, .num_pages_known = true,
	};
	if (memory.pinned)
		module_put(THIS_MODULE);
	memory.pinned = false;
}

/*
 * Combine what the firmware tells with what only this module knows. A TDX module that ran and does
 * not run any more was shut down: by us, or by another driver with an unknown handoff version.
 */
static enum tdxu_state find_state(struct tdxu_handoff *handoff)
{
	enum tdxu_state state;
	struct tdxu_module module;
	struct tdxu_answer answer;

	lockdep_assert_held(&attempt_lock);

	*handoff = memory.handoff;
	handoff->waits = handoff->waits || handoff->num_pages_known;
	state = tdxu_platform_state(handoff, &answer);
	if (state == TDXU_STATE_READY && !tdxu_platform_read_module(&module, &answer))
		remember_running(&module);
	return memory.left == TDXU_STATE_LOST ? TDXU_STATE_LOST : state;
}

/**
 * tdxu_attempt_state() - the state of TDX, as file state shows it
 *
 * Context: may sleep; calls the firmware.
 * Return: a static string.
 */
const char *tdxu_attempt_state(void)
{
	static const char * const names[] = {
		[TDXU_STATE_UNINITIALIZED]	= "uninitialized",
		[TDXU_STATE_READY]		= "ready",
		[TDXU_STATE_SHUT_DOWN]		= "shut-down",
		[TDXU_STATE_LOST]		= "lost",
	};
	struct tdxu_handoff handoff;
	enum tdxu_state state;

	if (!mutex_trylock(&attempt_lock))
		return "updating";
	state = find_state(&handoff);
	mutex_unlock(&attempt_lock);
	return names[state];
}

/**
 * tdxu_get_recovery() - copy the name of the recovery image
 * @name: filled in; empty if none is set
 *
 * Context: may sleep.
 */
void tdxu_get_recovery(char name[TDXU_NAME_MAX + 1])
{
	mutex_lock(&recovery_lock);
	strscpy(name, recovery_name, TDXU_NAME_MAX + 1);
	mutex_unlock(&recovery_lock);
}

static void set_recovery(const char *name)
{
	mutex_lock(&recovery_lock);
	strscpy(recovery_name, name, sizeof(recovery_name));
	mutex_unlock(&recovery_lock);
}

static void enter(struct tdxu_attempt *attempt, enum tdxu_phase phase)
{
	attempt->phase = phase;
	trace_phase(phase, ktime_get_ns());
}

/* The firmware loader takes any string. A good name is printable and stays in its search path. */
static bool is_good_name(const char *name, size_t len)
{
	const char *component = name, *slash;
	size_t i;

	if (!len || len > TDXU_NAME_MAX || name[0] == '/')
		return false;
	for (i = 0; i < len; i++)
		if (!isascii(name[i]) || !isprint(name[i]))
			return false;

	while ((slash = memchr(component, '/', name + len - component))) {
		if (slash - component == 2 && !memcmp(component, "..", 2))
			return false;
		component = slash + 1;
	}
	return name + len - component != 2 || memcmp(component, "..", 2);
}

/* A path for people: nothing is opened by it. It may be UTF-8. */
static bool is_good_path(const char *path, size_t len)
{
	size_t i;

	if (len < 1 || path[0] != '/' || len > TDXU_NAME_MAX)
		return false;
	for (i = 0; i < len; i++)
		if (path[i] == 0x7f || (u8)path[i] < ' ')
			return false;
	return true;
}

/*
 * Copy the name of the image to install; "1" stands for parameter image. A second line is the path
 * by which the requester knows the image.
 */
static struct tdxu_verdict take_name(const char *name, size_t len, struct tdxu_attempt *attempt)
{
	struct tdxu_verdict verdict = tdxu_verdict(TDXU_SUCCESS, NULL);
	const char *end = memchr(name, '\n', len), *path = NULL;
	size_t path_len = 0;

	if (end) {
		path = end + 1;
		path_len = name + len - path;
		len = end - name;
		if (!is_good_path(path, path_len))
			return tdxu_verdict(TDXU_BAD_NAME, "the second line is not a path");
	}
	kernel_param_lock(THIS_MODULE);
	if (len == 1 && name[0] == '1') {
		name = image;
		/* Up to the newline that echo leaves in a parameter. */
		len = strcspn(image, "\n");
	}
	if (is_good_name(name, len)) {
		memcpy(attempt->image, name, len);
		memcpy(attempt->file, path ?: name, path ? path_len : len);
	} else {
		verdict = tdxu_verdict(TDXU_BAD_NAME, NULL);
	}
	kernel_param_unlock(THIS_MODULE);
	return verdict;
}

/* The request: a file's name, or the image itself. */
struct request {
	enum tdxu_operation operation;
	const char *name;
	size_t len;			/* of @name, bytes */
	const u8 *data;			/* NULL: @name counts */
	size_t size;			/* of @data, bytes */
	const bool *cancelled;		/* with @data: end before anything changes */
};

/*
 * A private copy: nobody can change what is checked and installed. The firmware loader's buffer is
 * not private, because two requests for one name share it.
 */
static struct tdxu_verdict copy(const u8 *data, size_t size, void **blob)
{
	if (size > TDXU_IMAGE_MAX_SIZE)
		return tdxu_verdict(TDXU_TOO_LARGE, NULL);
	*blob = vmalloc(size);
	if (!*blob)
		return tdxu_verdict(TDXU_NO_MEMORY, NULL);
	memcpy(*blob, data, size);
	return tdxu_verdict(TDXU_SUCCESS, NULL);
}

static struct tdxu_verdict load(const char *name, void **blob, size_t *size)
{
	struct tdxu_verdict verdict;
	const struct firmware *fw;
	int err;

	err = request_firmware_direct(&fw, name, NULL);
	if (err == -ENOMEM)
		return tdxu_verdict(TDXU_NO_MEMORY, NULL);
	if (err)
		return tdxu_verdict(TDXU_NO_IMAGE,
				    err == -ENOENT ? NULL : "the file is empty or cannot be read");

	*size = fw->size;
	verdict = copy(fw->data, fw->size, blob);
	release_firmware(fw);
	return verdict;
}

/* Read the new TDX module, because an image need not contain its version. */
static void look_again(struct tdxu_attempt *attempt)
{
	struct tdxu_module module;
	struct tdxu_answer answer;
	struct seamldr_info info;

	if (!tdxu_platform_read_module(&module, &answer)) {
		attempt->to = module.version;
		attempt->clobbers_rbp = !(module.features0 & TDX_FEATURES0_NO_RBP_MOD);
		remember_running(&module);
	}
	if (!tdxu_platform_read_seamldr(&info).status)
		attempt->updates_left = info.num_remaining_updates;
}

/* Make a candidate of a name or of @data, in memory that the caller frees. */
static struct tdxu_verdict obtain(const char *name, const u8 *data, size_t size,
				  struct tdxu_candidate *candidate, void **blob,
				  struct tdxu_attempt *attempt)
{
	struct tdxu_verdict verdict;

	enter(attempt, TDXU_PHASE_IMAGE);
	verdict = data ? copy(data, size, blob) : load(name, blob, &size);
	if (verdict.result)
		return verdict;
	verdict = tdxu_image_parse(*blob, size, &candidate->image);
	if (verdict.result)
		return verdict;

	enter(attempt, TDXU_PHASE_VERIFY);
	return tdxu_verify(&candidate->image, &candidate->check);
}

static bool is_interrupted(const struct request *request)
{
	return signal_pending(current) || (request->cancelled && READ_ONCE(*request->cancelled));
}

static struct tdxu_verdict install(const struct request *request,
				   const struct tdxu_candidate *candidate,
				   const struct tdxu_candidate *recovery,
				   const struct tdxu_plan *plan, struct tdxu_attempt *attempt)
{
	struct tdxu_verdict verdict;

	mutex_lock(&install_lock);
	if (closed)
		/* Not TDXU_INTERRUPTED: many writers would try again at once without a signal. */
		verdict = tdxu_verdict(TDXU_UNSUPPORTED, "the host is going down");
	else if (is_interrupted(request))
		verdict = tdxu_verdict(TDXU_INTERRUPTED,
				       request->data ? "the upload was cancelled" : NULL);
	else
		verdict = tdxu_install(&candidate->image, recovery ? &recovery->image : NULL, plan,
				       attempt);
	mutex_unlock(&install_lock);
	return verdict;
}

static struct tdxu_verdict carry_out(const struct request *request,
				     const struct tdxu_candidate *candidate,
				     const struct tdxu_candidate *recovery,
				     struct tdxu_attempt *attempt)
{
	const struct tdxu_policy policy = {
		.require_race_protection = READ_ONCE(require_race_protection),
		.require_recovery = READ_ONCE(require_recovery) &&
				    request->operation != TDXU_OP_SET_RECOVERY,
	};
	struct tdxu_platform platform = {};
	struct tdxu_verdict verdict;
	struct tdxu_plan plan;

	enter(attempt, TDXU_PHASE_PLATFORM);
	if (find_state(&platform.handoff) == TDXU_STATE_LOST)
		return tdxu_verdict(TDXU_LOST, "an earlier update failed");
	verdict = tdxu_platform_snapshot(&platform, &attempt->answer);
	if (verdict.result)
		return verdict;
	attempt->from = platform.module.version;

	enter(attempt, TDXU_PHASE_PLAN);
	verdict = tdxu_plan_make(candidate, recovery, &platform, &policy, &plan);
	if (verdict.result || request->operation != TDXU_OP_UPDATE)
		return verdict;

	verdict = install(request, candidate, recovery, &plan, attempt);
	switch (verdict.result) {
	case TDXU_SUCCESS:
	case TDXU_RECOVERED:
		look_again(attempt);
		break;
	case TDXU_SHUT_DOWN:
		remember_failure(TDXU_STATE_SHUT_DOWN, &plan);
		break;
	case TDXU_LOST:
		remember_failure(TDXU_STATE_LOST, &plan);
		break;
	default:
		break;
	}
	return verdict;
}

static struct tdxu_verdict run(const struct request *request, struct tdxu_attempt *attempt)
{
	struct tdxu_candidate candidate, recovery;
	void *blob = NULL, *recovery_blob = NULL;
	struct tdxu_handoff handoff;
	struct tdxu_verdict verdict;
	bool has_recovery;

	enter(attempt, TDXU_PHASE_NAME);
	if (request->data) {
		strscpy(attempt->image, TDXU_UPLOAD_NAME, sizeof(attempt->image));
		strscpy(attempt->file, TDXU_UPLOAD_NAME, sizeof(attempt->file));
	} else {
		verdict = take_name(request->name, request->len, attempt);
		if (verdict.result)
			return verdict;
	}
	if (memory.left == TDXU_STATE_LOST && find_state(&handoff) == TDXU_STATE_LOST)
		return tdxu_verdict(TDXU_LOST, "an earlier update failed");

	verdict = obtain(attempt->image, request->data, request->size, &candidate, &blob, attempt);
	if (verdict.result)
		goto out;
	attempt->to = candidate.image.version;

	/* Load it now: no file I/O is possible after the shutdown. */
	has_recovery = request->operation != TDXU_OP_SET_RECOVERY && recovery_name[0];
	if (has_recovery) {
		verdict = obtain(recovery_name, NULL, 0, &recovery, &recovery_blob, attempt);
		if (verdict.result) {
			verdict = tdxu_verdict_of_recovery(verdict);
			goto out;
		}
	}
	verdict = carry_out(request, &candidate, has_recovery ? &recovery : NULL, attempt);
out:
	vfree(recovery_blob);
	vfree(blob);
	return verdict;
}

static enum tdxu_result make_attempt(const struct request *request)
{
	struct tdxu_attempt *attempt;
	struct tdxu_verdict verdict;
	u64 start = ktime_get_ns();

	if (!mutex_trylock(&attempt_lock)) {
		if (request->operation == TDXU_OP_UPDATE)
			pr_notice("refused: another attempt is running; try again when it has ended\n");
		return TDXU_IN_PROGRESS;
	}
	/* Clearing the recovery image needs no attempt. */
	if (request->operation == TDXU_OP_SET_RECOVERY && !request->len) {
		set_recovery("");
		mutex_unlock(&attempt_lock);
		return TDXU_SUCCESS;
	}
	attempt = kzalloc(sizeof(*attempt), GFP_KERNEL);
	if (!attempt) {
		mutex_unlock(&attempt_lock);
		return TDXU_NO_MEMORY;
	}
	attempt->answer = (struct tdxu_answer){ .leaf = TDXU_NO_LEAF, .cpu = TDXU_NO_CPU };
	attempt->updates_left = -1;

	verdict = run(request, attempt);
	attempt->result = verdict.result;
	strscpy(attempt->why, verdict.why, sizeof(attempt->why));
	if (request->operation != TDXU_OP_UPDATE)
		attempt->phase = TDXU_PHASE_CHECK;
	if (request->operation == TDXU_OP_SET_RECOVERY && !verdict.result)
		set_recovery(attempt->image);
	attempt->total_ns = ktime_get_ns() - start;
	attempt->when = ktime_get_real_seconds();

	tdxu_outcome_publish(attempt);
	mutex_unlock(&attempt_lock);
	if (request->operation == TDXU_OP_UPDATE)
		tdxu_outcome_announce(attempt);
	kfree(attempt);
	return verdict.result;
}

/**
 * tdxu_attempt() - make one attempt with an image file
 * @operation: update; check, which ends before the first step that would change anything; or check
 * and remember as recovery image
 * @name: image name, relative to the firmware search path; "1": parameter image; then, on a line
 * of its own, the path by which the requester knows the image, or nothing; need not end in NUL
 * @len: its length in bytes, any
 *
 * Publishes the outcome and, after an update, logs it and sends the uevent. If another attempt
 * runs, last/ stays about that one.
 *
 * Context: may sleep; an update stops every CPU for some milliseconds.
 * Return: 0 or the result's errno, negative.
 */
int tdxu_attempt(enum tdxu_operation operation, const char *name, size_t len)
{
	return tdxu_result_errno(make_attempt(&(struct request){
		.operation = operation, .name = name, .len = len,
	}));
}

/**
 * tdxu_attempt_upload() - make one attempt with an uploaded image
 * @data: the image; not used any more once this returns
 * @size: its size in bytes, any
 * @cancelled: anyone may set it while this runs; the attempt ends as TDXU_INTERRUPTED if nothing
 * has changed by then
 *
 * From the copy on this is the same as an update by name.
 *
 * Context: as tdxu_attempt().
 * Return: the result.
 */
enum tdxu_result tdxu_attempt_upload(const u8 *data, size_t size, const bool *cancelled)
{
	return make_attempt(&(struct request){
		.operation = TDXU_OP_UPDATE, .data = data, .size = size, .cancelled = cancelled,
	});
}

/**
 * tdxu_attempts_close() - let no attempt change anything any more
 *
 * For a host that goes down; it cannot be undone. Waits for the install under way, which takes no
 * longer than a blackout. Attempts that have not begun to install end as TDXU_UNSUPPORTED.
 *
 * Context: may sleep.
 */
void tdxu_attempts_close(void)
{
	mutex_lock(&install_lock);
	closed = true;
	mutex_unlock(&install_lock);
}
