// SPDX-License-Identifier: GPL-2.0-only
/*
 * The audit trail: one record in systemd's journal for each run that asked for an update or a check
 * of one image, with the answer or the reason why there is none. The record is made of the JSON
 * answer. The journal adds fields of its own, but of a process that has ended meanwhile it finds no
 * more than user and process ID. So the record has login, unit and command, too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tool.h"

#define MAX_FIELDS	40
#define NO_LOGIN	"4294967295"	/* /proc/self/loginuid before any login */

static struct {
	const char *operation;		/* NULL: nothing to record, or done */
	pid_t pid;			/* the process that records */
	char *file, *from, *to, *sha256;
	struct iovec fields[MAX_FIELDS];
	int count;
} audit;

const struct audit_field audit_fields[] = {
	{ .name = "OPERATION", .member = "operation" },
	{ .name = "FILE", .member = "file" },
	{ .name = "SHA256", .member = "sha256" },
	{ .name = "INTERFACE", .member = "interface" },
	{ .name = "FROM", .member = "from" },
	{ .name = "TO", .member = "to" },
	{ .name = "EXIT", .member = "exit", .is_number = true },
	{ .name = "RESULT", .member = "result", .of_answer = true },
	{ .name = "ERRNO", .member = "errno", .is_number = true, .of_answer = true },
	{ .name = "REASON", .member = "reason", .of_answer = true },
	{ .name = "LEAF", .member = "leaf", .of_answer = true },
	{ .name = "STATUS_NAME", .member = "status_name", .of_answer = true },
	{ .name = "TDS", .member = "tds", .of_answer = true },
	{ .name = "CHANGED", .member = "changed", .of_answer = true },
	{ .name = "TRIES", .member = "tries", .is_number = true, .of_answer = true },
	{ .name = "BLACKOUT_NS", .member = "blackout_ns", .is_number = true, .of_answer = true },
	{ .name = "RECOVERY", .member = "recovery", .of_answer = true },
	{ .name = "OBJECTION", .member = "objection", .of_answer = true },
	{ .name = "ERROR", .member = "error", .of_answer = true },
	{ .name = "LOGINUID", .member = "loginuid", .is_number = true },
	{ .name = "SESSION", .member = "session", .is_number = true },
	{ .name = "TERMINAL", .member = "terminal" },
	{ .name = "UNIT", .member = "unit" },
	{ .name = "COMMAND", .member = "command" },
	{ .name = "PARENT", .member = "parent" },
};

const size_t num_audit_fields = ARRAY_SIZE(audit_fields);

/* Syslog's levels by exit status, of updates. A check is never more than information. */
static const struct {
	enum tool_exit status;
	int priority;
} priorities[] = {
	{ TOOL_DONE, 6 },
	{ TOOL_TRY_AGAIN, 5 },
	{ TOOL_LOST, 2 },
	{ TOOL_UNCLEAR, 2 },
	{ TOOL_SHUT_DOWN, 2 },
};

static int priority_of(int status, bool check)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(priorities); i++)
		if (check || (int)priorities[i].status == status)
			return priorities[i].priority;
	return 4;
}

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void add(const char *format, ...)
{
	struct iovec *field = &audit.fields[audit.count];
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0 || audit.count == MAX_FIELDS)
		return;
	*field = (struct iovec){ .iov_base = text, .iov_len = length };
	audit.count++;
}

/* Add AUDIT_FIELD and @name with a value, if there is one. */
static void add_value(const char *name, const char *value)
{
	if (value && *value)
		add(AUDIT_FIELD "%s=%s", name, value);
}

/* Read a small file of /proc, whose lines or words are parted by @part. The caller frees it. */
static char *read_proc(const char *path, char part)
{
	char buf[2048];
	ssize_t size = -1, i;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		size = read(fd, buf, sizeof(buf));
		close(fd);
	}
	if (size <= 0)
		return NULL;
	while (size && (!buf[size - 1] || buf[size - 1] == '\n'))
		size--;
	for (i = 0; i < size; i++)
		if (!buf[i])
			buf[i] = part;
	return strndup(buf, size);
}

static const char *terminal(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (isatty(fd))
			return ttyname(fd);
	return NULL;
}

/* Add who asks. The journal itself adds the user, _UID, which nobody can forge. */
static void add_asker(void)
{
	char *login = read_proc("/proc/self/loginuid", ' ');
	char *session = read_proc("/proc/self/sessionid", ' ');
	char path[40];

	if (login && strcmp(login, NO_LOGIN)) {
		add_value("LOGINUID", login);
		add_value("SESSION", session);
	}
	add_value("TERMINAL", terminal());
	add_value("UNIT", journal_unit());
	add_value("COMMAND", read_proc("/proc/self/cmdline", ' '));
	snprintf(path, sizeof(path), "/proc/%d/comm", getppid());
	add_value("PARENT", read_proc(path, ' '));
}

/* Add a value of the answer under its field's name. */
static void add_member(const char *field, const json_t *value)
{
	if (json_is_integer(value))
		add(AUDIT_FIELD "%s=%lld", field, json_integer_value(value));
	else
		add_value(field, json_string_value(value));
}

static void add_answer(const json_t *json)
{
	size_t i;

	for (i = 0; i < num_audit_fields; i++)
		if (audit_fields[i].of_answer)
			add_member(audit_fields[i].name,
				   json_object_get(json, audit_fields[i].member));
	/* What an update would have, where nothing was to change. */
	add_member("RESULT", json_object_get(json, "expected"));
}

/* A member that is text and says something, else @otherwise. */
static const char *known(const json_t *json, const char *member, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(json, member));

	return text && strcmp(text, "none") ? text : otherwise;
}

/* The journal's line for people. */
static void add_message(const json_t *json, int status)
{
	const char *result = known(json, "result", known(json, "expected", "no answer"));
	const char *cause = known(json, "error", known(json, "objection",
						       known(json, "meaning", "none")));

	add("MESSAGE=%s of %s: %s: %s; from %s to %s, exit status %d, asked by uid %u",
	    audit.operation, audit.file, result, cause, known(json, "from", audit.from) ?: "?",
	    known(json, "to", audit.to) ?: "?", status, getuid());
}

static void send_record(const json_t *json, int status)
{
	bool check = strcmp(audit.operation, "update");

	if (audit.pid != getpid())
		return;
	fflush(stdout);
	add_message(json, status);
	add("MESSAGE_ID=" AUDIT_MESSAGE_ID);
	add("PRIORITY=%d", priority_of(status, check));
	add("SYSLOG_IDENTIFIER=tdx-update");
	add_value("OPERATION", audit.operation);
	add_value("FILE", audit.file);
	add_value("SHA256", audit.sha256);
	add_value("INTERFACE", host_interface_name(host_interface()));
	add_value("FROM", known(json, "from", audit.from));
	add_value("TO", known(json, "to", audit.to));
	add(AUDIT_FIELD "EXIT=%d", status);
	add_answer(json);
	add_asker();
	audit.operation = NULL;
	journal_send(audit.fields, audit.count);
	audit.count = 0;
}

/**
 * audit_begin() - have this run recorded, if there is a journal
 * @operation: update, or check if nothing is to change
 * @file: the image or directory that was named
 */
void audit_begin(const char *operation, const char *file)
{
	if (!journal_exists())
		return;
	audit.operation = operation;
	audit.pid = getpid();
	audit.file = realpath(file, NULL) ?: strdup(file);
	audit.sha256 = NULL;
	audit.to = NULL;
	if (!state_is_down(host_state()))
		audit.from = host_read_module("version");
}

/**
 * audit_image() - record which image this run is about
 * @file: the image; its SHA-256 is that of the container, also if it is in two halves
 */
void audit_image(const struct file *file)
{
	char version[VERSION_SIZE], sha256[SHA256_HEX_SIZE];

	if (!audit.operation)
		return;
	audit.file = realpath(file->path, NULL) ?: strdup(file->path);
	audit.sha256 = file_sha256(file, sha256) ? strdup(sha256) : NULL;
	audit.to = file->version.major ? strdup(version_print(&file->version, version)) : NULL;
}

/**
 * audit_end() - record the answer, once it has been shown
 * @json: the answer as JSON
 * @status: exit status
 *
 * That there is nothing to install is no attempt.
 */
void audit_end(const json_t *json, enum tool_exit status)
{
	if (audit.operation && (status || audit.sha256))
		send_record(json, status);
}

/**
 * audit_fail() - record that this run ends without an answer
 * @status: exit status, or 128 and the signal's number
 * @text: why
 */
void audit_fail(int status, const char *text)
{
	json_t *json;

	if (!audit.operation)
		return;
	json = json_pack("{s:o}", "error", text_json(text));
	send_record(json, status);
	json_decref(json);
}
