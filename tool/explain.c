// SPDX-License-Identifier: GPL-2.0-only
/*
 * Explains each result: what it means, what has changed, and what to do. Names, errnos and meanings
 * come from the table in core.h, the rest from docs/runbook.md.
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

/* One page for each result, and for what is none: docs/runbook.md, by tool/runbook.awk. */
static const struct page {
	const char *name;
	const char *errno_name;		/* "-": there is no error */
	const char *meaning;
	const char *look_at, *to_do, *do_not, *worked_if;
} pages[] = {
#include "runbook.inc"
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

/* What a page is about: a result, or an errno that is none. */
struct subject {
	const struct page *page;
	const char *changed;
	int error;
	int exit;			/* -1: no attempt, so no exit status */
	json_t *last;			/* the last update, if it ended like this, else NULL */
};

#define PAGE_WIDTH	79

static struct subject subject_of(const struct page *page)
{
	struct subject subject = { .page = page, .changed = "nothing", .exit = -1 };
	size_t i;

	for (i = 0; i < num_results; i++) {
		if (strcmp(page->name, result_rows[i].name))
			continue;
		subject.changed = result_changed(i);
		subject.error = result_rows[i].error;
		subject.exit = result_exit(i);
		subject.last = record_read(false);
		if (subject.last && strcmp(record_result(subject.last), page->name)) {
			json_decref(subject.last);
			subject.last = NULL;
		}
	}
	if (!strcmp(page->errno_name, "EPERM")) {
		subject.error = EPERM;
		subject.exit = TOOL_NO_PERMISSION;
	}
	return subject;
}

static void print_item(const char *title, const char *text)
{
	text_wrap(text, printf("  %-11s", title), PAGE_WIDTH);
}

static void print_page(const struct subject *subject)
{
	const struct page *page = subject->page;
	char cause[CAUSE_SIZE];

	if (subject->error)
		printf("%s (%s, %d)\n", page->name, page->errno_name, subject->error);
	else
		printf("%s (no error)\n", page->name);
	print_item("meaning", page->meaning);
	print_item("changed", subject->changed);
	print_item("look at", page->look_at);
	print_item("do", page->to_do);
	print_item("do not", page->do_not);
	print_item("worked if", page->worked_if);
	if (subject->exit >= 0)
		printf("  exit       %d\n", subject->exit);
	if (subject->last)
		say("  here       %s, %s -> %s%s", record_text(subject->last, "file"),
		    record_text(subject->last, "from"), record_text(subject->last, "to"),
		    record_cause(subject->last, cause));
}

static json_t *page_json(const struct subject *subject)
{
	const struct page *page = subject->page;
	json_t *json = json_pack("{s:s, s:i, s:s?, s:s, s:s, s:s, s:s, s:s, s:s}",
				 "name", page->name, "errno", subject->error,
				 "errno_name", subject->error ? page->errno_name : NULL,
				 "meaning", page->meaning, "changed", subject->changed,
				 "look_at", page->look_at, "do", page->to_do,
				 "do_not", page->do_not, "worked_if", page->worked_if);

	json_object_set_new(json, "exit", subject->exit < 0 ? json_null() :
							      json_integer(subject->exit));
	json_object_set_new(json, "last", subject->last ?: json_null());
	return json;
}

static bool is_number_of(const char *text, int error)
{
	/* Accept a negative errno, as a system call returns it. */
	if (*text == '-')
		text++;
	return isdigit((unsigned char)*text) && strspn(text, "0123456789") == strlen(text) &&
	       atoi(text) == error;
}

static bool is_asked_for(const struct subject *subject, const char *what)
{
	if (!strcmp(what, "all") || !strcmp(what, subject->page->name))
		return true;
	/* Opening a file may be EACCES where writing it is EPERM. */
	if (subject->error == EPERM && (!strcasecmp(what, "EACCES") || is_number_of(what, EACCES)))
		return true;
	return subject->error && (!strcasecmp(what, subject->page->errno_name) ||
				  is_number_of(what, subject->error));
}

/**
 * cmd_explain() - run tdx-update explain ERRNO|RESULT|all
 * @options: @options->argument is a result's name, or the name or number of an errno, "none" or
 *	"all"
 *
 * Return: TOOL_DONE. Ends the program if no page matches.
 */
int cmd_explain(const struct options *options)
{
	json_t *found = json_array();
	struct subject subject;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		subject = subject_of(&pages[i]);
		if (!is_asked_for(&subject, options->argument))
			continue;
		if (!options->json && json_array_size(found))
			putchar('\n');
		if (!options->json)
			print_page(&subject);
		json_array_append_new(found, page_json(&subject));
	}
	if (!json_array_size(found))
		fail(TOOL_USAGE, "explain: '%s' is neither a result nor the errno of one",
		     options->argument);
	if (options->json)
		print_json(json_pack("{s:o}", "pages", found));
	return TOOL_DONE;
}
