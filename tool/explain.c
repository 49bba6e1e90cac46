// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each result means, what has changed, and what to do next. Names, errnos and meanings are the
 * kernel module's own table; what to do next stands here and nowhere else.
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
		"Nothing. Where relying parties list the measurements they accept, see that the new module's are among them.",
	[TDXU_UPDATE_RACE] =
		"Wait until the TD is built or migrated, and try again: apply --wait SECONDS does.",
	[TDXU_IN_PROGRESS] =
		"Wait for the other update to end (state is no longer 'updating'), look what came of it, then decide.",
	[TDXU_NO_IMAGE] =
		"Put the file under /lib/firmware, or let 'tdx-update apply' take it from where it is.",
	[TDXU_BAD_NAME] =
		"Name the image relative to the firmware search path, as intel/tdx/tdx_module_1.5.24.blob.",
	[TDXU_BAD_IMAGE] =
		"The file is damaged, or of a form that this version does not know: fetch it again; the kernel log says what is wrong with it.",
	[TDXU_TOO_LARGE] =
		"The file is no image for this firmware interface: fetch it again, compare its size.",
	[TDXU_CORRUPT] =
		"Fetch the file again: it is not what was signed.",
	[TDXU_BAD_SIGNATURE] =
		"Take an image that Intel has signed for production. On a pre-production platform name its signer in module parameter 'signer'.",
	[TDXU_WRONG_CPU] =
		"Take the image that is released for this CPU: 'tdx-update list' shows each image's.",
	[TDXU_WRONG_SERIES] =
		"Take an image of the series that runs. Another series needs a reboot with that one.",
	[TDXU_OLDER] =
		"Take a newer image: the firmware never goes back in security version without a reboot.",
	[TDXU_BAD_HANDOFF] =
		"Go by way of a version between the two, or leave the recovery image out if it is the one that does not agree.",
	[TDXU_NO_UPDATES_LEFT] =
		"Reboot: the log is empty then.",
	[TDXU_UNSUPPORTED] =
		"The kernel log says which it is: see that kvm_intel is loaded with tdx=1; a module without TD_PRESERVING needs a reboot to be replaced.",
	[TDXU_CPU_OFFLINE] =
		"Bring every present CPU online; the kernel log names one that is not. Then try again.",
	[TDXU_VMX_OFF] =
		"Load kvm_intel with tdx=1, so that KVM has VMX on everywhere. Then try again.",
	[TDXU_FIRMWARE_ERROR] =
		"last/leaf and last/status say what the firmware refused; try once more, then report it.",
	[TDXU_RECOVERED] =
		"Do not try this image again. Find out with last/ and the kernel log why it failed.",
	[TDXU_LOST] =
		"Look in the kernel log whether the TDs stand still, and then apply another image at once; otherwise move what can be moved and reboot.",
	[TDXU_INTERRUPTED] =
		"Try again.",
	[TDXU_NO_MEMORY] =
		"Free some memory and try again.",
};

/**
 * result_changed() - what a result leaves changed
 * @result: the result
 */
const char *result_changed(enum tdxu_result result)
{
	switch (result) {
	case TDXU_SUCCESS:
		return "the new module runs";
	case TDXU_RECOVERED:
		return "the recovery image runs";
	case TDXU_LOST:
		return "no module runs";
	default:
		return "nothing";
	}
}

/**
 * result_is_of_image() - does a refusal say something of the image, so that another may do?
 * @result: the result
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
		return true;
	default:
		return false;
	}
}

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
	/* A system call's return value is taken, too. */
	if (*text == '-')
		text++;
	return isdigit((unsigned char)*text) && strspn(text, "0123456789") == strlen(text) &&
	       atoi(text) == error;
}

/**
 * cmd_explain() - tdx-update explain ERRNO|RESULT|all
 * @options: the argument is a result's name, or the name or number of an errno
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
	/* No results: nothing was attempted. */
	if (!strcasecmp(what, "EPERM") || is_number_of(what, EPERM) ||
	    !strcasecmp(what, "EACCES") || is_number_of(what, EACCES)) {
		printf("%s\n  meaning  no right to update (CAP_SYS_ADMIN)\n", what);
		printf("  changed  nothing\n  next     Be root.\n  exit     %d\n",
		       TOOL_NO_PERMISSION);
		found = true;
	}
	if (!found)
		fail(TOOL_USAGE, "explain: '%s' is neither a result nor the errno of one", what);
	return TOOL_DONE;
}
