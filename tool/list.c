// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx-update list and check: what images say about themselves, and the module's verdict on them.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#define COLUMNS	6
#define NAME_COLUMN	4	/* of names that have lines of their own */

/* Return why the module cannot be asked for its verdict, or NULL if it can. */
const char *why_not_asked(void)
{
	if (host_interface() == INTERFACE_MAINLINE)
		return "this kernel's own driver has no check";
	if (host_interface() == INTERFACE_NONE)
		return "tdx_update is not loaded";
	if (!host_may_write(OURS "check"))
		return "only root may ask";
	return NULL;
}

static void print_cpus(const struct file *file, char *buf, size_t size)
{
	size_t length = 0;
	u32 i;

	snprintf(buf, size, "any");
	for (i = 0; i < file->num_cpus && i < 3; i++)
		length += snprintf(buf + length, size - length, "%s0x%05X", i ? "," : "",
				   file->cpus[i]);
	if (file->num_cpus > 3)
		snprintf(buf + length, size - length, ",+%u", file->num_cpus - 3);
}

/*
 * Get the verdict on an image, the module's and this command's own: @answer, @why and JSON. Return
 * whether it can be installed.
 */
static bool judge(const struct options *options, const struct tdxu_version *running,
		  const struct file *file, struct files *files, struct answer *answer,
		  char why[ANSWER_SIZE], json_t *json)
{
	char name[IMAGE_NAME_SIZE];
	bool objects;

	loader_name(file, name);
	request("check", name, answer);
	stop_if_signalled();
	answer_name_version(answer, &file->version);
	objects = choice_objects(options, running, file, files, why, json);
	if (answer->error)
		answer_text(answer, why);
	json_object_set_new(json, "installable", json_boolean(!answer->error && !objects));
	answer_json(answer, json);
	return !answer->error && !objects;
}

static void fill_row(const struct file *file, const char *name, char *row[COLUMNS],
		     const char *now)
{
	char version[VERSION_SIZE], date[12] = "?", svn[12] = "?", cpus[60] = "?";
	char signer[40] = "?";

	if (!file->form.result) {
		file_date(file, date);
		snprintf(svn, sizeof(svn), "%u.%u", file->svn_major, file->svn_minor);
		print_cpus(file, cpus, sizeof(cpus));
		file_signer(file, signer);
	}
	row[0] = strdup(version_print(&file->version, version));
	row[1] = strdup(date);
	row[2] = strdup(svn);
	row[3] = strdup(cpus);
	row[4] = strdup(signer);
	if (asprintf(&row[5], "%s: %s", name, now) < 0)
		fail(TOOL_SYSTEM, "out of memory");
}

/* Print the table. Where a terminal is too narrow, the last column has lines of its own. */
static void print_table(char *(*rows)[COLUMNS], size_t count)
{
	size_t width[COLUMNS] = {}, total = 2 * (COLUMNS - 1), terminal = text_terminal_width();
	size_t i, j;

	for (i = 0; i < count; i++)
		for (j = 0; j < COLUMNS; j++)
			if (strlen(rows[i][j]) > width[j])
				width[j] = strlen(rows[i][j]);
	for (j = 0; j < COLUMNS; j++)
		total += width[j];
	for (i = 0; i < count; i++) {
		for (j = 0; j + 1 < COLUMNS; j++)
			printf("%-*s  ", (int)width[j], rows[i][j]);
		if (total <= terminal) {
			say("%s", rows[i][COLUMNS - 1]);
		} else {
			printf("\n%*s", NAME_COLUMN, "");
			text_wrap(rows[i][COLUMNS - 1], NAME_COLUMN, terminal);
		}
	}
}

/**
 * cmd_list() - run tdx-update list DIR
 * @options: @options->argument is the directory
 *
 * Return: TOOL_LOST if TDX is down until reboot, else TOOL_DONE.
 */
int cmd_list(const struct options *options)
{
	static char *heads[COLUMNS] = {
		"VERSION", "BUILT", "SVN", "CPUS", "SIGNED BY", "IMAGE: INSTALLABLE NOW?",
	};
	const char *not_asked = why_not_asked();
	enum state state = host_state();
	json_t *list = json_array(), *json;
	struct tdxu_version running;
	char *(*rows)[COLUMNS];
	struct answer answer;
	struct files files;
	char why[ANSWER_SIZE], now[ANSWER_SIZE + 10];
	size_t i;

	files_must_read(options->argument, options->recursive, &files);
	running_version(&running);
	rows = calloc(files.count + 1, sizeof(*rows));
	if (!rows)
		fail(TOOL_SYSTEM, "out of memory");
	memcpy(rows[0], heads, sizeof(heads));
	for (i = 0; i < files.count; i++) {
		const struct file *file = &files.files[i];

		json = file_json(file);
		snprintf(now, sizeof(now), "yes");
		if (file->defect) {
			snprintf(now, sizeof(now), "no: %s", file->defect);
			json_object_set_new(json, "installable", json_false());
		} else if (not_asked) {
			snprintf(now, sizeof(now), "?");
			json_object_set_new(json, "installable", json_null());
			json_object_set_new(json, "not_asked", json_string(not_asked));
		} else if (!judge(options, &running, file, &files, &answer, why, json)) {
			snprintf(now, sizeof(now), "no: %s", why);
		}
		fill_row(file, file->path + strlen(files.dir) + 1, rows[i + 1], now);
		json_array_append_new(list, json);
	}
	if (options->json)
		print_json(json_pack("{s:s, s:o}", "state", state_names[state], "images", list));
	else
		print_table(rows, files.count + 1);
	if (not_asked && !options->json)
		note("cannot tell which can be installed: %s", not_asked);
	if (state_advice(state))
		note("%s", state_advice(state));
	return state == STATE_LOST ? TOOL_LOST : TOOL_DONE;
}

/**
 * cmd_check() - run tdx-update check IMAGE
 * @options: @options->argument is the image
 *
 * Return: an exit status of enum tool_exit.
 */
int cmd_check(const struct options *options)
{
	const char *not_asked = why_not_asked();
	enum tool_exit status = TOOL_DONE;
	struct tdxu_version running;
	char why[ANSWER_SIZE];
	struct answer answer;
	struct files files = {};
	const char *image;
	struct file file;
	json_t *json;

	audit_begin("check", options->argument);
	if (not_asked)
		fail(host_interface() == INTERFACE_OURS ? TOOL_NO_PERMISSION : TOOL_UNAVAILABLE,
		     "cannot check: %s", not_asked);
	file_must_open(options->argument, &file);
	audit_image(&file);
	image = file.path;
	running_version(&running);
	json = file_json(&file);
	if (!judge(options, &running, &file, &files, &answer, why, json))
		status = answer.error ? answer_exit(&answer) : TOOL_REFUSED;
	if (answer_is_on_recovery(&answer))
		image = recovery_current();
	cpus_hint(&answer);
	text_json_name(json, "answer_on", image);
	json_object_set_new(json, "exit", json_integer(status));
	if (options->json)
		print_json(json_incref(json));
	else if (answer.error)
		note("%s: %s", image, why);
	else if (status)
		objection_print(&file, why, json);
	else if (answer.detailed)
		say("%s: can be installed now: %s -> %s", file.path, answer.from,
		    answer.to ?: "a version that it does not tell");
	else
		say("%s: can be installed now", file.path);
	audit_end(json, status);
	return status;
}
