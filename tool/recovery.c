// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chooses the recovery image of an update, and sets it for this run only. The module decides
 * whether the image is good.
 */
#include <errno.h>
#include <stdlib.h>

#include "tool.h"

#define RECOVERY_IMAGE	OURS "recovery_image"

/* Read the name of the recovery image that is set, or "". The caller frees it. */
char *recovery_current(void)
{
	char *current = host_read(RECOVERY_IMAGE);

	if (!current)
		fail(errno == EACCES ? TOOL_NO_PERMISSION : TOOL_UNAVAILABLE,
		     "cannot read the recovery image that is set: %s", strerror(errno));
	return current;
}

/* Have undo_end() restore what was set before the first change, not what was tried since. */
static void will_be(const char *name)
{
	static char *before;

	if (!before)
		before = recovery_current();
	undo_file(UNDO_RECOVERY, RECOVERY_IMAGE, name, before);
}

/* Set the recovery image. Return whether the module accepts it. */
static bool set(const struct file *file, struct recovery *recovery)
{
	char name[IMAGE_NAME_SIZE];

	recovery->path = file->path;
	loader_name(file, name);
	will_be(name);
	request("recovery_image", name, &recovery->answer);
	stop_if_signalled();
	return !recovery->answer.error;
}

static void set_none(void)
{
	char *current = recovery_current();

	if (*current) {
		will_be("");
		if (host_put(RECOVERY_IMAGE, "\n", 1))
			fail(TOOL_TRY_AGAIN, "cannot clear the recovery image now; try again");
	}
	free(current);
}

static void pass_over(const struct file *file, const char *why)
{
	note("passed over as recovery image: %s: %s", file->path, why);
}

/**
 * recovery_next() - set the next image of the running version that the module accepts
 * @files: where to look
 * @running: the version that runs
 * @recovery: its @path becomes NULL if there is no further image. A refusal that is not about the
 *	image ends the search: @path is the image that met it, and @answer the refusal
 */
void recovery_next(const struct files *files, const struct tdxu_version *running,
		   struct recovery *recovery)
{
	char text[ANSWER_SIZE];

	while (recovery->next < files->count) {
		const struct file *file = &files->files[recovery->next++];

		if (version_compare(&file->version, running))
			continue;
		if (file->form.result) {
			pass_over(file, file->defect ?: result_rows[file->form.result].text);
			continue;
		}
		if (name_lies(file, files, text)) {
			pass_over(file, text);
			continue;
		}
		if (set(file, recovery) || !recovery->answer.has_result ||
		    !result_is_of_image(recovery->answer.result))
			return;
		pass_over(file, answer_text(&recovery->answer, text));
	}
	set_none();
	*recovery = (struct recovery){ .chosen_here = true, .next = recovery->next };
}

/**
 * recovery_set() - set the recovery image that the command line asks for
 * @options: @options->recovery is a path, "auto", "none", or NULL. NULL keeps the image that is
 *	set; if none is set it is like "auto", but goes on without an image
 * @file: the image to install, beside which "auto" looks; NULL: @files are read
 * @files: where "auto" looks
 * @running: the version that runs. While TDX is down, there is no image of the running version
 * @recovery: filled in
 */
void recovery_set(const struct options *options, const struct file *file, struct files *files,
		  const struct tdxu_version *running, struct recovery *recovery)
{
	const char *wanted = options->recovery;
	char *current = recovery_current();

	*recovery = (struct recovery){};
	if (!wanted && *current) {
		/* Keep the image that an administrator has set. */
		recovery->path = current;
		return;
	}
	free(current);
	if (wanted && !strcmp(wanted, "none")) {
		set_none();
	} else if (wanted && strcmp(wanted, "auto")) {
		struct file wanted_file;

		file_must_open(wanted, &wanted_file);
		set(&wanted_file, recovery);
	} else if (running->major) {
		if (file)
			files_beside(file, files);
		recovery->chosen_here = true;
		recovery_next(files, running, recovery);
	}
}

/**
 * recovery_insist() - report that there is no recovery image where the command line wants one
 * @options: with "auto" the program ends, by default it goes on
 * @files: where recovery_set() has looked
 * @running: the version that runs
 */
void recovery_insist(const struct options *options, const struct files *files,
		     const struct tdxu_version *running)
{
	char version[VERSION_SIZE];

	if (options->recovery && strcmp(options->recovery, "auto"))
		return;
	version_print(running, version);
	if (!running->major)
		note("no TDX module runs, so there is no recovery image of its version");
	else if (options->recovery)
		fail(TOOL_NO_INPUT,
		     "--recovery auto: no usable image of the running version %s in %s", version,
		     files->dir);
	else
		note("no usable image of the running version %s in %s: no recovery image", version,
		     files->dir);
}

/* Return whether a refusal of an image is really about the recovery image. */
bool answer_is_on_recovery(const struct answer *answer)
{
	static const char start[] = "recovery image";
	const char *reason = record_text(answer->record, "reason");

	return answer->error && reason && !strncmp(reason, start, strlen(start));
}
