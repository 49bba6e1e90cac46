// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx-update history: prints the records of the audit trail that systemd's journal has. audit.c
 * makes them.
 */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <time.h>

#include "tool.h"

#define LOCAL_ONLY	(1 << 0)	/* sd_journal_open() */

struct sd_journal;

/* The functions of libsystemd that this file calls. */
static struct {
	int (*open)(struct sd_journal **journal, int flags);
	int (*add_match)(struct sd_journal *journal, const void *data, size_t size);
	int (*next)(struct sd_journal *journal);
	int (*get_data)(struct sd_journal *journal, const char *field, const void **data,
			size_t *length);
	int (*get_time)(struct sd_journal *journal, uint64_t *usec);
} lib;

static void load(void)
{
	lib.open = journal_function("sd_journal_open");
	lib.add_match = journal_function("sd_journal_add_match");
	lib.next = journal_function("sd_journal_next");
	lib.get_data = journal_function("sd_journal_get_data");
	lib.get_time = journal_function("sd_journal_get_realtime_usec");
	if (!lib.open || !lib.add_match || !lib.next || !lib.get_data || !lib.get_time)
		fail(TOOL_UNAVAILABLE, "history: there is no libsystemd that reads a journal");
}

/* Read one field of the entry, without its name; NULL if there is none. The caller frees it. */
static char *read_field(struct sd_journal *journal, const char *prefix, const char *name)
{
	char field[40];
	const void *data;
	size_t length;

	snprintf(field, sizeof(field), "%s%s", prefix, name);
	if (lib.get_data(journal, field, &data, &length) || length <= strlen(field))
		return NULL;
	return strndup((const char *)data + strlen(field) + 1, length - strlen(field) - 1);
}

static json_t *read_entry(struct sd_journal *journal)
{
	json_t *record = json_object();
	uint64_t usec = 0;
	char *text;
	size_t i;

	lib.get_time(journal, &usec);
	json_object_set_new(record, "when", json_integer(usec / 1000000));
	/* The journal's own field: every user may send records. */
	text = read_field(journal, "_", "UID");
	json_object_set_new(record, "uid", text ? json_integer(atoll(text)) : json_null());
	free(text);
	for (i = 0; i < num_audit_fields; i++) {
		text = read_field(journal, AUDIT_FIELD, audit_fields[i].name);
		if (!text)
			continue;
		json_object_set_new(record, audit_fields[i].member, audit_fields[i].is_number ?
				    json_integer(atoll(text)) : text_json(text));
		free(text);
	}
	return record;
}

static json_t *read_all(void)
{
	static const char match[] = "MESSAGE_ID=" AUDIT_MESSAGE_ID;
	json_t *records = json_array();
	struct sd_journal *journal;
	int error;

	load();
	error = lib.open(&journal, LOCAL_ONLY);
	if (!error)
		error = lib.add_match(journal, match, 0);
	while (error >= 0 && (error = lib.next(journal)) > 0)
		json_array_append_new(records, read_entry(journal));
	if (error < 0)
		fail(error == -EACCES ? TOOL_NO_PERMISSION : TOOL_UNAVAILABLE,
		     "history: cannot read the journal: %s", strerror(-error));
	return records;
}

/* Name the user: of a process of root the one who logged in. Other users could claim any login. */
static const char *asker(const json_t *record, char buf[40])
{
	long long uid = record_number(record, "uid");
	const struct passwd *user;

	if (!uid && json_object_get(record, "loginuid"))
		uid = record_number(record, "loginuid");
	user = getpwuid(uid);
	if (user)
		snprintf(buf, 40, "%s", user->pw_name);
	else
		snprintf(buf, 40, "uid %lld", uid);
	return buf;
}

static void print_entry(const json_t *record)
{
	time_t when = record_number(record, "when");
	const char *unit = record_text(record, "unit");
	char date[40], user[40];

	strftime(date, sizeof(date), "%F %T %z", localtime(&when));
	say("%s %s of %s, %s -> %s: %s", date, record_text(record, "operation") ?: "?",
	    record_text(record, "file") ?: "?", record_text(record, "from") ?: "?",
	    record_text(record, "to") ?: "?", record_text(record, "result") ?:
	    record_text(record, "objection") ?: record_text(record, "error") ?: "no result");
	say("    exit status %lld, by %s%s%s: %s", record_number(record, "exit"),
	    asker(record, user), unit ? " in " : "", unit ?: "",
	    record_text(record, "command") ?: "?");
}

/**
 * cmd_history() - run tdx-update history
 * @options: @options->json chooses the format
 *
 * Return: TOOL_DONE, also if there is no record.
 */
int cmd_history(const struct options *options)
{
	json_t *records = read_all(), *record;
	size_t i;

	if (options->json) {
		print_json(json_pack("{s:o}", "records", records));
		return TOOL_DONE;
	}
	json_array_foreach(records, i, record)
		print_entry(record);
	if (!json_array_size(records))
		note("the journal has no record of an update or a check that this user may read");
	return TOOL_DONE;
}
