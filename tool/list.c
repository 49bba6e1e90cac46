// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx-update list and check: what images say about themselves, and the module's verdict on them.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#define COLUMNS	6

/* Return why the module cannot be asked for its verdict, or NULL if it can. */
static const char *why_not_asked(void)
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

/* Get the module's verdict, as text and as JSON. */
static void judge(const struct file *file, const char *not_asked, char *now, size_t size,
		  json_t *json)
{
	char name[IMAGE_NAME_SIZE], text[ANSWER_SIZE];
	struct answer answer;

	if (not_asked) {
		snprintf(now, size, "?");
		json_object_set_new(json, "installable", json_null());
		json_object_set_new(json, "not_asked", json_string(not_asked));
		return;
	}
	loader_name(file->path, name);
	request("check", name, &answer);
	stop_if_signalled();
	json_object_set_new(json, "installable", json_boolean(!answer.error));
	answer_json(&answer, json);
	if (!answer.error)
		snprintf(now, size, "yes");
	else
		snprintf(now, size, "no: %s", answer_text(&answer, text));
}

static void fill_row(const struct file *file, char *row[COLUMNS], const char *now)
{
	char version[VERSION_SIZE], series[VERSION_SIZE] = "?", svn[12] = "?", cpus[60] = "?";
	char signer[40] = "?";

	if (file->version.major)
		snprintf(series, sizeof(series), "%u.%u", file->version.major,
			 file->version.minor);
	if (!file->form.result) {
		snprintf(svn, sizeof(svn), "%u.%u", file->svn_major, file->svn_minor);
		print_cpus(file, cpus, sizeof(cpus));
		file_signer(file, signer);
	}
	row[0] = strdup(version_print(&file->version, version));
	row[1] = strdup(series);
	row[2] = strdup(svn);
	row[3] = strdup(cpus);
	row[4] = strdup(signer);
	if (asprintf(&row[5], "%s: %s", file->name, now) < 0)
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
			putchar('\n');
			text_wrap(rows[i][COLUMNS - 1], 4, terminal);
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
		"VERSION", "SERIES", "SVN", "CPUS", "SIGNED BY", "IMAGE: INSTALLABLE NOW?",
	};
	const char *not_asked = why_not_asked();
	enum state state = host_state();
	json_t *list = json_array(), *json;
	char *(*rows)[COLUMNS];
	struct files files;
	char now[ANSWER_SIZE + 10];
	size_t i;

	files_must_read(options->argument, &files);
	rows = calloc(files.count + 1, sizeof(*rows));
	if (!rows)
		fail(TOOL_SYSTEM, "out of memory");
	memcpy(rows[0], heads, sizeof(heads));
	for (i = 0; i < files.count; i++) {
		json = file_json(&files.files[i]);
		judge(&files.files[i], not_asked, now, sizeof(now), json);
		fill_row(&files.files[i], rows[i + 1], now);
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
	char name[IMAGE_NAME_SIZE], text[ANSWER_SIZE];
	struct answer answer;
	struct file file;
	json_t *json;

	if (not_asked)
		fail(host_interface() == INTERFACE_OURS ? TOOL_NO_PERMISSION : TOOL_UNAVAILABLE,
		     "cannot check: %s", not_asked);
	file_must_open(options->argument, &file);
	loader_name(file.path, name);
	request("check", name, &answer);
	stop_if_signalled();
	cpus_hint(&answer);
	if (options->json) {
		json = file_json(&file);
		json_object_set_new(json, "installable", json_boolean(!answer.error));
		answer_json(&answer, json);
		json_object_set_new(json, "exit", json_integer(answer_exit(&answer)));
		print_json(json);
	} else if (!answer.error && answer.detailed) {
		say("%s: can be installed now: %s -> %s", file.path, answer.from, answer.to);
	} else if (!answer.error) {
		say("%s: can be installed now", file.path);
	} else {
		note("%s: %s", file.path, answer_text(&answer, text));
	}
	return answer_exit(&answer);
}
