// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends one request to tdx_update by one write to one of its files, and reads the answer.
 * The errno gives the result. last/ gives the details, but only of the attempt that ended last.
 */
#include <errno.h>
#include <stdlib.h>

#include "tool.h"

static char *last(const char *file)
{
	char path[40];

	snprintf(path, sizeof(path), OURS "last/%s", file);
	return host_read(path);
}

static bool last_is(const char *file, const char *value)
{
	char *is = last(file);
	bool same = is && !strcmp(is, value);

	free(is);
	return same;
}

/* Find the result with this errno. If there are several, take the one in last/, else the first. */
static bool find_result(int error, enum tdxu_result *result)
{
	bool found = false;
	size_t i;

	for (i = 0; i < num_results; i++) {
		if (result_rows[i].error != error)
			continue;
		if (!found || last_is("result", result_rows[i].name))
			*result = i;
		found = true;
	}
	return found;
}

/**
 * request() - write an image's name to one of the module's files
 * @file: update, check or recovery_image
 * @name: name by which the firmware loader finds the image
 * @answer: filled in; the caller frees its strings
 */
void request(const char *file, const char *name, struct answer *answer)
{
	char path[40], line[IMAGE_NAME_SIZE + 1];

	*answer = (struct answer){};
	snprintf(path, sizeof(path), OURS "%s", file);
	snprintf(line, sizeof(line), "%s\n", name);
	answer->error = host_write(path, line, strlen(line));
	answer->has_result = find_result(answer->error, &answer->result);

	/* last/ may be about another attempt: after in-progress, or if one has ended since. */
	if (!answer->has_result || answer->result == TDXU_IN_PROGRESS || !last_is("image", name) ||
	    !last_is("result", result_rows[answer->result].name))
		return;
	answer->phase = last("phase");
	answer->reason = last("reason");
	answer->leaf = last("leaf");
	answer->status = last("status");
	answer->rcx = last("rcx");
	answer->rdx = last("rdx");
	answer->r8 = last("r8");
	answer->cpu = last("cpu");
	answer->from = last("from");
	answer->to = last("to");
	answer->blackout_ns = last("blackout_ns");
	answer->detailed = answer->phase && answer->reason && answer->leaf && answer->status &&
			   answer->rcx && answer->rdx && answer->r8 && answer->cpu &&
			   answer->from && answer->to && answer->blackout_ns;
}

/* Map an answer to the command's exit status. */
enum tool_exit answer_exit(const struct answer *answer)
{
	if (answer->has_result)
		return result_exit(answer->result);
	return answer->error == EPERM ? TOOL_NO_PERMISSION : TOOL_SYSTEM;
}

/* Describe an answer in one line: result, errno, meaning, exact cause, SEAMCALL. */
const char *answer_text(const struct answer *answer, char buf[ANSWER_SIZE])
{
	const struct result_row *row = &result_rows[answer->result];
	int length;

	if (!answer->has_result) {
		snprintf(buf, ANSWER_SIZE, "%s", strerror(answer->error));
		return buf;
	}
	length = snprintf(buf, ANSWER_SIZE, "%s (%s): %s", row->name, row->errno_name, row->text);
	if (answer->detailed && strcmp(answer->reason, "none"))
		length += snprintf(buf + length, ANSWER_SIZE - length, ": %.300s", answer->reason);
	if (answer->detailed && strcmp(answer->leaf, "none"))
		snprintf(buf + length, ANSWER_SIZE - length, " [%s on CPU %s: %s]", answer->leaf,
			 answer->cpu, answer->status);
	return buf;
}

/* Add an answer to a JSON object. */
void answer_json(const struct answer *answer, json_t *json)
{
	const struct result_row *row = &result_rows[answer->result];

	json_object_set_new(json, "result",
			    answer->has_result ? json_string(row->name) : json_null());
	json_object_set_new(json, "errno", json_integer(answer->error));
	json_object_set_new(json, "meaning", json_string(answer->has_result ?
							 row->text : strerror(answer->error)));
	if (answer->has_result)
		json_object_set_new(json, "changed", json_string(result_changed(answer->result)));
	if (!answer->detailed)
		return;
	json_object_set_new(json, "reason", text_json(answer->reason));
	json_object_set_new(json, "phase", text_json(answer->phase));
	json_object_set_new(json, "leaf", text_json(answer->leaf));
	json_object_set_new(json, "status", text_json(answer->status));
	json_object_set_new(json, "rcx", text_json(answer->rcx));
	json_object_set_new(json, "rdx", text_json(answer->rdx));
	json_object_set_new(json, "r8", text_json(answer->r8));
	json_object_set_new(json, "cpu", json_integer(atoi(answer->cpu)));
	json_object_set_new(json, "from", text_json(answer->from));
	json_object_set_new(json, "to", text_json(answer->to));
	json_object_set_new(json, "blackout_ns", json_integer(atoll(answer->blackout_ns)));
}
