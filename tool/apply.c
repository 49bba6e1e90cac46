// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx-update apply: installs an image, waits while a race lasts, and reports the outcome.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

/*
 * Pauses between attempts while a race lasts, milliseconds: each is twice as long as the last. Each
 * attempt stops all CPUs until the firmware has refused.
 */
#define FIRST_PAUSE_MS	1000
#define LONGEST_PAUSE_MS 5000

/*
 * Locked while an update is wanted, so that what starts TDs can hold their start until it is over:
 * contrib/libvirt/qemu does. Only root may open it, since a lock by others would hold the starts.
 */
#define WANTED_LOCK	"/run/tdx-update-wanted.lock"
#define LOCK_TRIES	50
#define LOCK_PAUSE_US	10000

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* ---- waiting for a race to end ---- */

static void show_waiting(unsigned int tries, double since, long limit)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr,
			"\rwaiting for a TD that is being built or migrated: %u tries, %.0f of %ld s ",
			tries, since, limit);
}

static void end_waiting(void)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%*s\r", 79, "");
}

static void pause_ms(double ms)
{
	struct timespec time = {
		.tv_sec = ms / 1000,
		.tv_nsec = (long)(ms * 1e6) % 1000000000,
	};

	/* A signal ends the sleep early; the caller checks for one. */
	nanosleep(&time, NULL);
}

/*
 * Try until there is no race or @limit seconds have passed, with a last try at the end. Each pause
 * is shortened at random to at least half its length, so that hosts do not retry in step.
 */
static unsigned int attempt(const char *name, long limit, struct answer *answer)
{
	double start = now_s(), longest = FIRST_PAUSE_MS, left, ms;
	unsigned int tries = 0;

	srandom(getpid() ^ time(NULL));
	for (;;) {
		request("update", name, answer);
		tries++;
		left = limit - (now_s() - start);
		if (!answer->has_result || answer->result != TDXU_UPDATE_RACE || left <= 0)
			break;
		show_waiting(tries, limit - left, limit);
		ms = longest * (0.5 + 0.5 * random() / RAND_MAX);
		pause_ms(ms < left * 1000 ? ms : left * 1000);
		stop_if_signalled();
		longest = longest * 2 < LONGEST_PAUSE_MS ? longest * 2 : LONGEST_PAUSE_MS;
	}
	if (tries > 1)
		end_waiting();
	return tries;
}

/*
 * Lock until this process and the one of undo.c have ended, however they do. Without the lock the
 * update goes on: the starts of TDs are not held then, and may cost it a race.
 */
static void want_update(void)
{
	int fd = open(WANTED_LOCK, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), tries = 0;

	/* A process that waits for the end of an update also locks it for a moment. */
	while (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) && tries++ < LOCK_TRIES)
		usleep(LOCK_PAUSE_US);
}

/* ---- the outcome ---- */

static void print_outcome(const char *image, const struct answer *answer, bool dry_run)
{
	char text[ANSWER_SIZE];

	answer_text(answer, text);
	if (answer->error) {
		note("%s: %s", image, text);
		if (answer->has_result)
			note("changed: %s; 'tdx-update explain %s' says what to do",
			     answer_changed(answer), result_rows[answer->result].name);
		return;
	}
	if (answer->detailed)
		snprintf(text, sizeof(text), "; %s -> %s", answer->from,
			 answer->to ?: "a version that it does not tell");
	else
		text[0] = '\0';
	if (dry_run)
		say("%s: can be installed now, nothing has changed%s", image, text);
	else if (answer->detailed)
		say("%s: installed, TDs live%s; CPUs stopped for %.3f ms", image, text,
		    record_number(answer->record, "blackout_ns") / 1e6);
	else
		say("%s: installed, TDs live", image);
}

/* End with the answer as JSON, if wanted, and as a record of the audit trail. Return @status. */
int apply_end(const struct options *options, json_t *json, enum tool_exit status)
{
	json_object_set_new(json, "exit", json_integer(status));
	if (options->json)
		print_json(json_incref(json));
	audit_end(json, status);
	json_decref(json);
	return status;
}

/* ---- the two interfaces ---- */

/* After an update the TDX module tells its version, also one whose image does not. */
static void name_running_version(const struct file *file, struct answer *answer)
{
	char claimed[VERSION_SIZE], runs[VERSION_SIZE];
	struct tdxu_version now;

	running_version(&now);
	answer_name_version(answer, &now);
	if (file->version_named && version_compare(&file->version, &now))
		note("%s: its name says %s, but %s runs now", file->path,
		     version_print(&file->version, claimed), version_print(&now, runs));
}

static enum tool_exit apply_ours(const struct options *options, const struct file *file,
				 const struct files *files, const struct tdxu_version *running,
				 struct recovery *recovery, json_t *json)
{
	char name[IMAGE_NAME_SIZE], text[ANSWER_SIZE];
	const char *image = file->path;
	unsigned int tries = 1;
	struct answer answer;

	if (!recovery->path)
		recovery_insist(options, files, running);
	loader_name(file, name);
	answer = recovery->answer;
	while (!answer.error) {
		if (options->dry_run)
			request("check", name, &answer);
		else
			tries = attempt(name, options->wait_s, &answer);
		if (!recovery->chosen_here || !recovery->path || !answer_is_on_recovery(&answer))
			break;
		/* Good in itself, but not with this image: another one may be. */
		note("passed over as recovery image: %s: %s", recovery->path,
		     answer_text(&answer, text));
		recovery_next(files, running, recovery);
		if (!recovery->path)
			recovery_insist(options, files, running);
		answer = recovery->answer;
	}
	if (recovery->answer.error || answer_is_on_recovery(&answer))
		image = recovery->path;

	/* A recovery image that is refused ends this attempt, whether or not it was to install. */
	answer.check = options->dry_run;
	cpus_hint(&answer);
	if (!answer.error && !options->dry_run)
		name_running_version(file, &answer);
	else
		answer_name_version(&answer, &file->version);
	answer_json(&answer, json);
	json_object_set_new(json, "tries", json_integer(tries));
	text_json_name(json, "recovery", recovery->path);
	text_json_name(json, "answer_on", image);
	if (!options->json)
		print_outcome(image, &answer, options->dry_run);
	vms_hint(&answer, options, json);
	return answer_exit(&answer);
}

static enum tool_exit apply_mainline(const struct options *options, const struct file *file,
				     json_t *json)
{
	char *from = host_read_module("version"), *to = NULL;
	enum tool_exit status = TOOL_REFUSED;
	char why[300] = "";

	mainline_caution();
	if (!mainline_objects(file, why, sizeof(why)))
		status = options->dry_run ? TOOL_DONE : mainline_apply(file, why, sizeof(why));
	if (status == TOOL_DONE && !options->dry_run)
		to = host_read_module("version");
	if (from)
		json_object_set_new(json, "from", text_json(from));
	if (to)
		json_object_set_new(json, "to", text_json(to));
	json_object_set_new(json, "meaning", text_json(why));
	if (status)
		note("%s: %s%s", file->path, why,
		     status == TOOL_UNCLEAR ? "; check whether TDX still works" : "");
	else if (!options->json)
		say("%s: %s", file->path, options->dry_run ?
		    "can probably be installed: this command's own checks pass" : "installed");
	return status;
}

/* Name the series of a directory's images, other than the running one: "1.5, 2.0". */
static const char *other_series(const struct files *files, const struct tdxu_version *running,
				char *buf, size_t size)
{
	const struct tdxu_version *last = running;
	size_t i, length = 0;

	buf[0] = '\0';
	for (i = 0; i < files->count; i++) {
		const struct tdxu_version *version = &files->files[i].version;

		if (!version->major || version_same_series(version, running) ||
		    version_same_series(version, last) || length >= size)
			continue;
		length += snprintf(buf + length, size - length, "%s%u.%u", length ? ", " : "",
				   version->major, version->minor);
		last = version;
	}
	return buf;
}

static void report_nothing_newer(const struct files *files, const struct tdxu_version *running)
{
	char version[VERSION_SIZE], series[100];

	other_series(files, running, series, sizeof(series));
	say("%s: nothing newer than %s in series %u.%u%s%s%s", files->dir,
	    version_print(running, version), running->major, running->minor,
	    *series ? "; the images of series " : "", series, *series ? " need a reboot" : "");
}

/* Report that there is nothing to install. @answer is a refusal about the host, or no error. */
static enum tool_exit report_none(const struct options *options, const struct files *files,
				  const struct tdxu_version *running, enum state state,
				  struct answer *answer, bool newer, json_t *json)
{
	if (answer->error) {
		answer->check = options->dry_run;
		cpus_hint(answer);
		answer_json(answer, json);
		print_outcome(options->latest, answer, true);
		return answer_exit(answer);
	}
	if (state == STATE_SHUT_DOWN) {
		note("%s: none of the images can be installed: TDX stays down", options->latest);
		return TOOL_SHUT_DOWN;
	}
	if (newer) {
		note("%s: none of the newer images can be installed", options->latest);
		return TOOL_REFUSED;
	}
	if (!options->json)
		report_nothing_newer(files, running);
	return TOOL_DONE;
}

/* For --latest: set @file, or return false and set @status if there is nothing to install. */
static bool choose(const struct options *options, struct files *files,
		   const struct tdxu_version *running, struct file *file, json_t *json,
		   enum tool_exit *status)
{
	enum state state = host_state();
	json_t *passed_over = json_array();
	const struct file *chosen = NULL;
	struct answer answer = {};
	bool newer = false;

	if (state == STATE_LOST)
		answer_lost(&answer);
	else
		chosen = latest_choose(options, files, running, &answer, passed_over, &newer);
	stop_if_signalled();
	json_object_set_new(json, "passed_over", passed_over);
	if (chosen)
		*file = *chosen;
	else
		*status = report_none(options, files, running, state, &answer, newer, json);
	return chosen;
}

/* Begin the answer as JSON. */
json_t *apply_json(const struct options *options)
{
	json_t *json = json_pack("{s:s, s:b}", "interface", host_interface_name(host_interface()),
				 "dry_run", options->dry_run);

	text_json_name(json, "file", options->argument);
	return json;
}

/**
 * apply_begin() - make sure that this host can be updated, as this user and with these options
 * @options: the command line
 *
 * Return: the beginning of the answer as JSON.
 */
json_t *apply_begin(const struct options *options)
{
	enum interface interface = host_interface();

	audit_begin(options->dry_run ? "check" : "update",
		    options->latest ?: options->argument ?: pin_path());
	if (interface == INTERFACE_NONE)
		fail(TOOL_UNAVAILABLE,
		     "nothing here updates a TDX module: modprobe tdx_update, and see the kernel log");
	if (interface == INTERFACE_MAINLINE && options->recovery &&
	    strcmp(options->recovery, "none"))
		fail(TOOL_UNAVAILABLE,
		     "--recovery: this kernel's own driver has no recovery image");
	if (!host_may_write(interface == INTERFACE_OURS ? OURS "update" : UPLOAD "loading"))
		fail(TOOL_NO_PERMISSION, "not permitted: only root may update");
	if (interface == INTERFACE_OURS)
		boot_record();
	return apply_json(options);
}

/**
 * apply_run() - choose an image and install it
 * @options: @options->argument is the image, unless @options->latest is set
 * @json: from apply_begin(); the answer is added
 *
 * Return: an exit status of enum tool_exit.
 */
enum tool_exit apply_run(const struct options *options, json_t *json)
{
	enum interface interface = host_interface();
	enum tool_exit status = TOOL_DONE;
	struct recovery recovery = {};
	struct files files = {};
	struct tdxu_version running;
	char why[ANSWER_SIZE];
	struct file file;

	if (!options->latest)
		file_must_open(options->argument, &file);
	else if (host_state() == STATE_UNINITIALIZED)
		fail(TOOL_UNAVAILABLE, "--latest: %s", state_advice(STATE_UNINITIALIZED));
	else
		files_must_read(options->latest, options->recursive, &files);
	running_version(&running);
	if (!options->latest)
		audit_image(&file);
	if (!options->latest && choice_objects(options, &running, &file, &files, why, json)) {
		objection_print(&file, why, json);
		return TOOL_REFUSED;
	}
	if (!options->dry_run)
		want_update();
	if (options->online_cpus)
		cpus_bring_online(json);
	/* Before the choice: the check of an image includes the recovery image. */
	if (interface == INTERFACE_OURS && host_state() != STATE_LOST &&
	    (!options->latest || latest_any(&files, &running)))
		recovery_set(options, options->latest ? NULL : &file, &files, &running, &recovery);
	if (options->latest && !choose(options, &files, &running, &file, json, &status))
		return status;
	if (options->latest) {
		audit_image(&file);
		choice_objects(options, &running, &file, &files, why, json);
	}
	text_json_name(json, "file", file.path);
	return interface == INTERFACE_OURS ?
	       apply_ours(options, &file, &files, &running, &recovery, json) :
	       apply_mainline(options, &file, json);
}

/**
 * cmd_apply() - run tdx-update apply
 * @options: @options->argument is the image, unless @options->latest or @options->pinned is set
 *
 * Return: an exit status of enum tool_exit.
 */
int cmd_apply(const struct options *options)
{
	json_t *json;

	if (options->pinned)
		return apply_pinned(options);
	json = apply_begin(options);
	return apply_end(options, json, apply_run(options, json));
}
