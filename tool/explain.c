// SPDX-License-Identifier: GPL-2.0-only
/*
 * Explains each result: what it means, what has changed, and what to do next. Names, errnos and
 * meanings come from the table in core.h; the next steps are only here.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tool.h"

const struct result_row result_rows[] = {
#define ROW(symbol, result, number, meaning)				\
	[TDXU_##symbol] = {						\
		.name = result,						\
		.errno_name = #number,					\
		.error = number,					\
		.text = meaning,					\
	},
	TDXU_RESULTS(ROW)
#undef ROW
};

const size_t num_results = ARRAY_SIZE(result_rows);

static const char * const next_steps[] = {
	[TDXU_SUCCESS] =
		"Nothing. If relying parties list the measurements they accept, make sure that the new TDX module's are among them.",
	[TDXU_UPDATE_RACE] =
		"Wait until the TD is built or migrated, and try again: apply --wait SECONDS does both.",
	[TDXU_IN_PROGRESS] =
		"Wait until the other update has ended (state is no longer 'updating'), see how it ended, then decide.",
	[TDXU_NO_IMAGE] =
		"Put the file under /lib/firmware, or use 'tdx-update apply', which takes it from anywhere.",
	[TDXU_BAD_NAME] =
		"Name the image relative to the firmware search path, for example intel/tdx/tdx_module_1.5.24.blob.",
	[TDXU_BAD_IMAGE] =
		"The file is damaged, or its format is newer than this version of tdx_update. last/reason says what is wrong. Fetch it again.",
	[TDXU_TOO_LARGE] =
		"The file is not an image that this P-SEAMLDR can install. Fetch it again and compare its size.",
	[TDXU_CORRUPT] =
		"Fetch the file again: it is not what was signed.",
	[TDXU_BAD_SIGNATURE] =
		"Use an image that Intel has signed for production. On a pre-production platform name its signer in module parameter 'signer'.",
	[TDXU_WRONG_CPU] =
		"Use the image that is released for this CPU: 'tdx-update list' shows the CPUs of each image.",
	[TDXU_WRONG_SERIES] =
		"Use an image of the running series. Another series needs a reboot.",
	[TDXU_OLDER] =
		"Use a newer image: the firmware never goes back in security version without a reboot.",
	[TDXU_BAD_HANDOFF] =
		"Update to a version between the two first. If last/reason names the recovery image, leave it out: --recovery none.",
	[TDXU_NO_ROOM] =
		"Use a smaller image. Only a reboot with another P-SEAMLDR gives more room.",
	[TDXU_NO_UPDATES_LEFT] =
		"Reboot: that empties P-SEAMLDR's log.",
	[TDXU_UNSUPPORTED] =
		"last/reason says which condition is not met. TDX has to be initialized (kvm_intel with tdx=1); a TDX module without TD_PRESERVING can only be replaced by a reboot.",
	[TDXU_CPU_OFFLINE] =
		"Bring every present CPU online: apply --online-cpus does so for the update and puts them back. CPUs that Linux left out at boot (nr_cpus=) need a reboot.",
	[TDXU_VMX_OFF] =
		"Load kvm_intel with tdx=1, which keeps every CPU in VMX operation. Then try again.",
	[TDXU_FIRMWARE_ERROR] =
		"last/leaf and last/status say what the firmware refused. Try once more, then report it.",
	[TDXU_RECOVERED] =
		"Do not try this image again. last/ and the kernel log say why it failed.",
	[TDXU_SHUT_DOWN] =
		"Apply another image, or the same one again, at once; no reboot is needed. Keep tdx_update loaded. TDs that were paused before the update survive until then; KVM gives up the others.",
	[TDXU_LOST] =
		"Reboot. No update can bring TDX back before that, and the TDs are gone.",
	[TDXU_INTERRUPTED] =
		"Try again.",
	[TDXU_CRYPTO_ERROR] =
		"The kernel log has the error of SHA-384 or RSA, /proc/crypto the drivers that provide them. Unload the driver that failed, then try again.",
	[TDXU_NO_MEMORY] =
		"Free some memory and try again.",
};

/* Describe what an attempt with this result has changed. */
const char *result_changed(enum tdxu_result result)
{
	switch (result) {
	case TDXU_SUCCESS:
		return "the new TDX module runs";
	case TDXU_RECOVERED:
		return "the recovery image runs";
	case TDXU_SHUT_DOWN:
		return "no TDX module runs, its handoff data is whole";
	case TDXU_LOST:
		return "no TDX module runs";
	default:
		return "nothing";
	}
}

/**
 * result_is_of_image() - check whether a refusal is about the image
 * @result: the result
 *
 * Return: true if another image may pass, false if every image would meet the same refusal.
 */
bool result_is_of_image(enum tdxu_result result)
{
	switch (result) {
	case TDXU_NO_IMAGE:
	case TDXU_BAD_NAME:
	case TDXU_BAD_IMAGE:
	case TDXU_TOO_LARGE:
	case TDXU_CORRUPT:
	case TDXU_BAD_SIGNATURE:
	case TDXU_WRONG_CPU:
	case TDXU_WRONG_SERIES:
	case TDXU_OLDER:
	case TDXU_BAD_HANDOFF:
	case TDXU_NO_ROOM:
		return true;
	default:
		return false;
	}
}

/**
 * state_advice() - describe what an operator has to do in a state of TDX
 * @state: the state
 *
 * Return: a constant string, or NULL if there is nothing to do.
 */
const char *state_advice(enum state state)
{
	switch (state) {
	case STATE_SHUT_DOWN:
		return "TDX is down: apply an image to bring it back; keep tdx_update loaded";
	case STATE_LOST:
		return "TDX is down until reboot";
	case STATE_UNINITIALIZED:
		return "TDX is not initialized: load kvm_intel with tdx=1";
	default:
		return NULL;
	}
}

/* Map a result to the command's exit status. */
enum tool_exit result_exit(enum tdxu_result result)
{
	switch (result) {
	case TDXU_SUCCESS:
		return TOOL_DONE;
	case TDXU_UPDATE_RACE:
	case TDXU_IN_PROGRESS:
	case TDXU_INTERRUPTED:
		return TOOL_TRY_AGAIN;
	case TDXU_RECOVERED:
		return TOOL_RECOVERED;
	case TDXU_SHUT_DOWN:
		return TOOL_SHUT_DOWN;
	case TDXU_LOST:
		return TOOL_LOST;
	default:
		return TOOL_REFUSED;
	}
}

static void explain(enum tdxu_result result)
{
	const struct result_row *row = &result_rows[result];

	if (row->error)
		printf("%s (%s, %d)\n", row->name, row->errno_name, row->error);
	else
		printf("%s (no error)\n", row->name);
	printf("  meaning  %s\n", row->text);
	printf("  changed  %s\n", result_changed(result));
	printf("  next     %s\n", next_steps[result]);
	printf("  exit     %d\n", result_exit(result));
}

static bool is_number_of(const char *text, int error)
{
	/* Accept a negative errno, as a system call returns it. */
	if (*text == '-')
		text++;
	return isdigit((unsigned char)*text) && strspn(text, "0123456789") == strlen(text) &&
	       atoi(text) == error;
}

/**
 * cmd_explain() - run tdx-update explain ERRNO|RESULT|all
 * @options: @options->argument is a result's name, or the name or number of an errno, or "all"
 *
 * Return: TOOL_DONE. Ends the program if no result matches.
 */
int cmd_explain(const struct options *options)
{
	const char *what = options->argument;
	bool found = false;
	size_t i;

	for (i = 0; i < num_results; i++) {
		const struct result_row *row = &result_rows[i];

		if (strcmp(what, "all") && strcmp(what, row->name) &&
		    (!row->error || strcasecmp(what, row->errno_name)) &&
		    !is_number_of(what, row->error))
			continue;
		if (found)
			putchar('\n');
		explain(i);
		found = true;
	}
	/* Errnos that no result has: access was denied before any attempt. */
	if (!strcasecmp(what, "EPERM") || is_number_of(what, EPERM) ||
	    !strcasecmp(what, "EACCES") || is_number_of(what, EACCES)) {
		printf("%s\n  meaning  only root may update (CAP_SYS_ADMIN)\n", what);
		printf("  changed  nothing\n  next     Run the command as root.\n  exit     %d\n",
		       TOOL_NO_PERMISSION);
		found = true;
	}
	if (!found)
		fail(TOOL_USAGE, "explain: '%s' is neither a result nor the errno of one", what);
	return TOOL_DONE;
}
