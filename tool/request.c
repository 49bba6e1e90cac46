// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends one request to tdx_update by one write to one of its files, and reads the answer. The errno
 * gives the result. The records of the last update (last/) and of the last check (last_check/) give
 * the details, but only of the attempt that ended last.
 */
#include <errno.h>
#include <stdlib.h>

#include "tool.h"

/* The files of a record. */
static const struct {
	const char *name;
	bool is_number;
	bool of_updates;		/* a check has nothing to tell here */
} record_files[] = {
	{ .name = "result" },
	{ .name = "errno", .is_number = true },
	{ .name = "reason" },
	{ .name = "tds", .of_updates = true },
	{ .name = "phase", .of_updates = true },
	{ .name = "leaf" },
	{ .name = "status" },
	{ .name = "status_name" },
	{ .name = "rcx" },
	{ .name = "rdx" },
	{ .name = "r8" },
	{ .name = "cpu", .is_number = true },
	{ .name = "sessions", .is_number = true, .of_updates = true },
	{ .name = "image" },
	{ .name = "file" },
	{ .name = "from" },
	{ .name = "to" },
	{ .name = "blackout_ns", .is_number = true, .of_updates = true },
	{ .name = "total_ns", .is_number = true },
	{ .name = "when", .is_number = true },
};

/**
 * record_read() - read the record of the last update or check
 * @check: which of the two
 *
 * Return: an object with a member for each file, which the caller releases; NULL if the module has
 * no such record. A check's result is "expected": it is what an update would have.
 */
json_t *record_read(bool check)
{
	json_t *record = json_object();
	char path[60], *text;
	const char *key;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(record_files); i++) {
		if (check && record_files[i].of_updates)
			continue;
		key = check && !i ? "expected" : record_files[i].name;
		snprintf(path, sizeof(path), OURS "last%s/%s", check ? "_check" : "",
			 record_files[i].name);
		text = host_read(path);
		if (!text) {
			json_decref(record);
			return NULL;
		}
		json_object_set_new(record, key, record_files[i].is_number ?
				    json_integer(atoll(text)) : text_json(text));
		free(text);
	}
	return record;
}

/* A member of a record that is text; NULL without such a record. */
const char *record_text(const json_t *record, const char *file)
{
	return json_string_value(json_object_get(record, file));
}

/* A member of a record that is a number; 0 without such a record. */
long long record_number(const json_t *record, const char *file)
{
	return json_integer_value(json_object_get(record, file));
}

/* The result that a record tells, also of a check. */
const char *record_result(const json_t *record)
{
	return record_text(record, "result") ?: record_text(record, "expected");
}

static bool is(const char *text, const char *value)
{
	return text && !strcmp(text, value);
}

/* Find the result with this errno. If there are several, take the record's, else the first. */
static bool find_result(int error, const json_t *record, enum tdxu_result *result)
{
	bool found = false;
	size_t i;

	for (i = 0; i < num_results; i++) {
		if (result_rows[i].error != error)
			continue;
		if (!found || is(record_result(record), result_rows[i].name))
			*result = i;
		found = true;
	}
	return found;
}

static void add_record(struct answer *answer, json_t *record)
{
	answer->detailed = true;
	answer->record = record;
	answer->from = record_text(record, "from");
	answer->to = record_text(record, "to");
}

/**
 * request() - write an image's name to one of the module's files
 * @file: update, check or recovery_image
 * @name: name by which the firmware loader finds the image
 * @answer: filled in
 */
void request(const char *file, const char *name, struct answer *answer)
{
	char line[2 * IMAGE_NAME_SIZE + 1], to[40];
	bool check = strcmp(file, "update");
	/* An older module, perhaps still loaded after an upgrade, takes no second line. */
	char *takes_path = host_read(OURS "last/file");
	json_t *record;

	*answer = (struct answer){ .check = check };
	snprintf(line, sizeof(line), "%s\n", name);
	if (takes_path && loader_path(name))
		snprintf(line, sizeof(line), "%s\n%s\n", name, loader_path(name));
	free(takes_path);
	snprintf(to, sizeof(to), OURS "%s", file);
	answer->error = host_write(to, line, strlen(line));
	record = record_read(check);
	answer->has_result = find_result(answer->error, record, &answer->result);

	/*
	 * The record may be about another attempt: after in-progress, or if one has ended since.
	 * Once TDX is lost, it is about the update that lost it.
	 */
	if (answer->has_result && answer->result != TDXU_IN_PROGRESS &&
	    is(record_result(record), result_rows[answer->result].name) &&
	    (is(record_text(record, "image"), name) || answer->result == TDXU_LOST))
		add_record(answer, record);
	else
		json_decref(record);
}

/* Fill in the answer of an update that would be refused because TDX is lost. */
void answer_lost(struct answer *answer)
{
	json_t *record = record_read(false);

	*answer = (struct answer){ .has_result = true, .result = TDXU_LOST,
				   .error = result_rows[TDXU_LOST].error };
	if (is(record_result(record), result_rows[TDXU_LOST].name))
		add_record(answer, record);
	else
		json_decref(record);
}

/* Map an answer to the command's exit status. */
enum tool_exit answer_exit(const struct answer *answer)
{
	if (answer->has_result)
		return result_exit(answer->result);
	return answer->error == EPERM ? TOOL_NO_PERMISSION : TOOL_SYSTEM;
}

/* Describe the exact cause and the SEAMCALL of a record, each if there is one. */
const char *record_cause(const json_t *record, char buf[CAUSE_SIZE])
{
	int length = 0;

	buf[0] = '\0';
	if (record_text(record, "reason") && !is(record_text(record, "reason"), "none"))
		length = snprintf(buf, CAUSE_SIZE, ": %.200s", record_text(record, "reason"));
	if (record_text(record, "leaf") && !is(record_text(record, "leaf"), "none"))
		snprintf(buf + length, CAUSE_SIZE - length, " [%s on CPU %lld: %s %s]",
			 record_text(record, "leaf"), record_number(record, "cpu"),
			 record_text(record, "status"), record_text(record, "status_name"));
	return buf;
}

/* Describe an answer in one line: result, errno, meaning, exact cause, SEAMCALL. */
const char *answer_text(const struct answer *answer, char buf[ANSWER_SIZE])
{
	const struct result_row *row = &result_rows[answer->result];
	char cause[CAUSE_SIZE];

	if (!answer->has_result) {
		snprintf(buf, ANSWER_SIZE, "%s", strerror(answer->error));
		return buf;
	}
	snprintf(buf, ANSWER_SIZE, "%s (%s): %s%s", row->name, row->errno_name, row->text,
		 record_cause(answer->record, cause));
	return buf;
}

/* Describe what the attempt has changed. A check changes nothing, whatever its result. */
const char *answer_changed(const struct answer *answer)
{
	return answer->check ? "nothing" : result_changed(answer->result);
}

/**
 * answer_json() - add an answer to a JSON object
 * @answer: the answer
 * @json: the object, which has the image's path already
 *
 * A check says what an update would do ("expected"), an update what it has done ("result").
 */
void answer_json(const struct answer *answer, json_t *json)
{
	const struct result_row *row = &result_rows[answer->result];
	const char *meaning = !answer->has_result ? strerror(answer->error) :
			      answer->check && !answer->error ? "can be installed now" : row->text;
	const char *key;
	json_t *value;

	json_object_set_new(json, answer->check ? "expected" : "result",
			    answer->has_result ? json_string(row->name) : json_null());
	json_object_set_new(json, "errno", json_integer(answer->error));
	json_object_set_new(json, "meaning", json_string(meaning));
	if (answer->has_result)
		json_object_set_new(json, "changed", json_string(answer_changed(answer)));
	if (!answer->detailed)
		return;
	/* Result and path are there already. */
	json_object_foreach(answer->record, key, value)
		if (strcmp(key, "expected") && strcmp(key, "image") && strcmp(key, "file"))
			json_object_set(json, key, value);
	if (answer->result == TDXU_LOST && !answer->check)
		json_object_set(json, "lost_by", json_object_get(answer->record, "file"));
}
