// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chooses the recovery image of an update, and sets it for this run only. The module decides
 * whether the image is good.
 */
#include <errno.h>
#include <stdlib.h>

#include "tool.h"

#define RECOVERY_IMAGE	OURS "recovery_image"

static char *read_current(void)
{
	char *current = host_read(RECOVERY_IMAGE);

	if (!current)
		fail(errno == EACCES ? TOOL_NO_PERMISSION : TOOL_UNAVAILABLE,
		     "cannot read the recovery image that is set: %s", strerror(errno));
	return current;
}

/* Set the recovery image; a dry run only checks it. Return whether the module accepts it. */
static bool set(const char *path, bool dry_run, struct answer *answer)
{
	char name[IMAGE_NAME_SIZE], *current;

	loader_name(path, name);
	if (!dry_run) {
		current = read_current();
		undo_file(UNDO_RECOVERY, RECOVERY_IMAGE, name, current);
		free(current);
	}
	request(dry_run ? "check" : "recovery_image", name, answer);
	stop_if_signalled();
	return !answer->error;
}

static void set_none(void)
{
	char *current = read_current();

	if (*current) {
		undo_file(UNDO_RECOVERY, RECOVERY_IMAGE, "", current);
		if (host_put(RECOVERY_IMAGE, "\n", 1))
			fail(TOOL_TRY_AGAIN, "cannot clear the recovery image now; try again");
	}
	free(current);
}

/*
 * Set the first image of the running version in @dir that the module accepts. If it accepts none,
 * return NULL with the last refusal, if any, in @answer. A refusal that is not about the image ends
 * the search: return the image that met it.
 */
static char *set_auto(const struct tdxu_version *running, const char *dir, bool dry_run,
		      struct answer *answer)
{
	char text[ANSWER_SIZE];
	struct files files;
	size_t i;

	files_read(dir, &files);
	for (i = 0; i < files.count; i++) {
		const struct file *file = &files.files[i];

		if (version_compare(&file->version, running))
			continue;
		if (file->form.result) {
			note("passed over as recovery image: %s: %s", file->path,
			     result_rows[file->form.result].text);
			continue;
		}
		if (set(file->path, dry_run, answer))
			return file->path;
		if (!answer->has_result || !result_is_of_image(answer->result))
			return file->path;
		note("passed over as recovery image: %s: %s", file->path,
		     answer_text(answer, text));
	}
	return NULL;
}

/* Find the running version. While TDX is down, no TDX module runs, so there is none. */
static bool find_running(struct tdxu_version *running, char buf[VERSION_SIZE])
{
	char *text = host_read_module("version");
	bool found = !state_is_down(host_state()) && version_parse(text, running);

	free(text);
	if (found)
		version_print(running, buf);
	return found;
}

/**
 * recovery_set() - set the recovery image that the command line asks for
 * @options: @options->recovery is a path, "auto", "none", or NULL. NULL keeps the image that is
 *	set; if none is set it is like "auto", but goes on without an image
 * @dir: directory that "auto" searches
 * @json: "recovery" is added, the image or null
 * @answer: set to no error, or to the reason why the update cannot begin
 *
 * Return: the recovery image, which @answer is about; NULL if there is none.
 */
const char *recovery_set(const struct options *options, const char *dir, json_t *json,
			 struct answer *answer)
{
	const char *wanted = options->recovery, *path = NULL;
	struct tdxu_version running;
	char version[VERSION_SIZE];
	char *current;

	*answer = (struct answer){};
	if (!wanted) {
		current = read_current();
		if (*current)
			path = current;
		else
			free(current);
	}
	if (path) {
		/* Keep the image that an administrator has set. */
	} else if (wanted && !strcmp(wanted, "none")) {
		set_none();
	} else if (wanted && strcmp(wanted, "auto")) {
		struct file file;

		path = wanted;
		file_must_open(path, &file);
		set(path, options->dry_run, answer);
	} else if (!find_running(&running, version)) {
		note("no TDX module runs, so there is no recovery image of its version");
	} else {
		path = set_auto(&running, dir, options->dry_run, answer);
		if (!path && wanted)
			fail(TOOL_NO_INPUT,
			     "--recovery auto: no usable image of the running version %s in %s",
			     version, dir);
		if (!path) {
			note("no usable image of the running version %s in %s: no recovery image",
			     version, dir);
			*answer = (struct answer){};
		}
	}
	text_json_name(json, "recovery", path);
	return path;
}
