// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx-update apply --pinned: brings this host to the pinned version, as after a boot. Loads
 * tdx_update, does nothing if the version runs already, and looks for another image if the update
 * has left TDX down.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

/* ---- the version that ran at boot ---- */

#define RECORD_DIR	"/run/tdx-update"
#define RECORD		RECORD_DIR "/at-boot"
#define BOOT_ID		"/proc/sys/kernel/random/boot_id"

static bool read_boot_id(char boot_id[64])
{
	FILE *file = fopen(BOOT_ID, "re");
	bool good = file && fscanf(file, "%63s", boot_id) == 1;

	if (file)
		fclose(file);
	return good;
}

/**
 * boot_version() - read which version ran when this host had booted
 * @text: filled in
 *
 * Return: whether somebody has recorded that in this boot.
 */
bool boot_version(char text[VERSION_SIZE])
{
	char boot_id[64], recorded[64];
	struct tdxu_version version;
	FILE *file = fopen(RECORD, "re");
	bool good;

	good = file && read_boot_id(boot_id) && fscanf(file, "%63s %19s", recorded, text) == 2 &&
	       !strcmp(boot_id, recorded) && version_parse(text, &version);
	if (file)
		fclose(file);
	return good;
}

/* Without a record the version is unknown, and status says so: that is no reason not to update. */
static void write_record(const char *version)
{
	char boot_id[64];
	FILE *file;
	bool good;

	if (!read_boot_id(boot_id) || (mkdir(RECORD_DIR, 0755) && errno != EEXIST))
		return;
	file = fopen(RECORD ".new", "we");
	if (!file)
		return;
	good = fprintf(file, "%s %s\n", boot_id, version) > 0;
	if (!fclose(file) && good)
		rename(RECORD ".new", RECORD);
}

/**
 * boot_record() - record which version runs, unless that is done or another one may have run before
 *
 * To be called before an update. tdx_update's record of its last update shows whether there was one
 * since it was loaded. An update that another program made before that would go unnoticed.
 */
void boot_record(void)
{
	char *last = host_read(OURS "last/result"), text[VERSION_SIZE];
	struct tdxu_version running;

	running_version(&running);
	if (last && !strcmp(last, "none") && running.major && !boot_version(text))
		write_record(version_print(&running, text));
	free(last);
}

/* ---- the kernel module ---- */

/* Load tdx_update, but not if an administrator has blacklisted it. Failures show afterwards. */
static void load_module(void)
{
	static char * const args[] = { "modprobe", "-b", "tdx_update", NULL };
	int status;
	pid_t pid;

	if (host_interface() == INTERFACE_OURS)
		return;
	if (posix_spawnp(&pid, args[0], NULL, NULL, args, environ))
		return;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	stop_if_signalled();
}

static void must_be_ready(void)
{
	load_module();
	if (host_interface() == INTERFACE_NONE)
		fail(TOOL_UNAVAILABLE,
		     "--pinned: tdx_update cannot be loaded: is it installed, not blacklisted, and what does the kernel log say?");
	if (host_state() == STATE_UNINITIALIZED)
		fail(TOOL_UNAVAILABLE, "--pinned: %s", state_advice(STATE_UNINITIALIZED));
	if (host_version_may_be_stale())
		fail(TOOL_UNAVAILABLE,
		     "--pinned: the kernel's own driver may show a stale version, and tdx_update cannot be loaded");
}

/* ---- the pinned image ---- */

static bool is_pinned_file(const struct pin *pin, const struct file *file,
			   char hex[SHA256_HEX_SIZE])
{
	if (!file_sha256(file, hex))
		fail(TOOL_NO_INPUT, "%s: cannot be read any more", file->path);
	return !pin->values[PIN_SHA256] || !strcasecmp(pin->values[PIN_SHA256], hex);
}

/* Find the pinned image in the pinned directory. If there are several, take one that passes. */
static void find_in_directory(const struct pin *pin, struct files *files, struct file *file)
{
	char name[IMAGE_NAME_SIZE], hex[SHA256_HEX_SIZE];
	const struct file *found = NULL;
	struct answer answer = {};
	size_t i;

	files_must_read(pin->values[PIN_DIRECTORY], false, files);
	for (i = 0; i < files->count; i++) {
		const struct file *candidate = &files->files[i];

		if (version_compare(&candidate->version, &pin->version) || candidate->form.result ||
		    !is_pinned_file(pin, candidate, hex))
			continue;
		if (host_interface() == INTERFACE_OURS) {
			loader_name(candidate, name);
			request("check", name, &answer);
		}
		if (!found || !answer.error)
			found = candidate;
		if (!answer.error)
			break;
	}
	if (!found)
		fail(TOOL_NO_INPUT, "--pinned: no image of version %s%s in %s",
		     pin->values[PIN_VERSION], pin->values[PIN_SHA256] ? " with that SHA-256" : "",
		     files->dir);
	*file = *found;
}

static void find_image(const struct pin *pin, struct files *files, struct file *file)
{
	char version[VERSION_SIZE], hex[SHA256_HEX_SIZE];

	if (pin->values[PIN_DIRECTORY]) {
		find_in_directory(pin, files, file);
		return;
	}
	file_must_open(pin->values[PIN_IMAGE], file);
	if (!is_pinned_file(pin, file, hex))
		fail(TOOL_CONFIG, "%s: its SHA-256 is %s, but another one is pinned", file->path,
		     hex);
	if (!file->form.result && version_compare(&file->version, &pin->version))
		fail(TOOL_CONFIG, "%s: it is version %s, but %s is pinned", file->path,
		     version_print(&file->version, version), pin->values[PIN_VERSION]);
}

/* ---- the update ---- */

/*
 * After an update that has left TDX down, try the other images of the directory that are not newer
 * than the pinned one, newest first. The kernel module and the firmware say which of them may run.
 * Return the attempt that brought TDX back, or lost it; NULL if there is none.
 */
static json_t *bring_back(struct options *options, const struct file *pinned, struct files *files,
			  enum tool_exit *status)
{
	json_t *json;
	size_t i;

	files_beside(pinned, files);
	options->allow_downgrade = true;
	/* What the first update has set stays set. A signal must not end this command now. */
	options->recovery = NULL;
	for (i = 0; i < files->count; i++) {
		const struct file *file = &files->files[i];

		if (version_compare(&file->version, &pinned->version) > 0 || file->form.result ||
		    !strcmp(file->path, pinned->path))
			continue;
		note("%s: TDX is down; trying this image instead", file->path);
		options->argument = file->path;
		json = apply_begin(options);
		*status = apply_run(options, json);
		if (*status == TOOL_DONE || *status == TOOL_RECOVERED || *status == TOOL_LOST)
			return json;
		audit_end(json, *status);
		json_decref(json);
	}
	return NULL;
}

static enum tool_exit install(struct options *options, const struct pin *pin, json_t **json)
{
	enum tool_exit status, after = TOOL_SHUT_DOWN;
	struct files files = {};
	struct file file;
	json_t *other;

	find_image(pin, &files, &file);
	options->argument = file.path;
	status = apply_run(options, *json);
	if (status != TOOL_SHUT_DOWN || options->dry_run)
		return status;
	audit_end(*json, status);
	other = bring_back(options, &file, &files, &after);
	if (!other)
		return status;
	json_object_set(other, "pinned", json_object_get(*json, "pinned"));
	text_json_name(other, "shut_down_by", file.path);
	json_decref(*json);
	*json = other;
	return after == TOOL_DONE ? TOOL_RECOVERED : after;
}

/* Report that there is nothing to do. */
static int end_early(const struct options *options, json_t *json, const char *why)
{
	json_object_set_new(json, "meaning", text_json(why));
	if (!options->json)
		say("%s", why);
	return apply_end(options, json, TOOL_DONE);
}

/**
 * apply_pinned() - run tdx-update apply --pinned
 * @options: the command line; what it does not say, the pin says
 *
 * Return: an exit status of enum tool_exit; TOOL_DONE if nothing is pinned.
 */
int apply_pinned(const struct options *options)
{
	struct options wanted = *options;
	struct tdxu_version running;
	enum tool_exit status;
	char why[ANSWER_SIZE];
	struct pin pin;
	json_t *json;

	pin_must_read(&pin);
	if (!pin.set) {
		snprintf(why, sizeof(why), "nothing is pinned: there is no %s", pin_path());
		return end_early(options, apply_json(options), why);
	}
	must_be_ready();
	json = apply_begin(options);
	json_object_set_new(json, "pinned", text_json(pin.values[PIN_VERSION]));
	running_version(&running);
	if (!version_compare(&running, &pin.version)) {
		snprintf(why, sizeof(why), "%s runs already, as pinned", pin.values[PIN_VERSION]);
		return end_early(options, json, why);
	}
	if (!options->has_wait)
		wanted.wait_s = pin.wait_s;
	if (!options->mapping)
		wanted.mapping = pin.values[PIN_MAPPING];
	/* A name may lie about the version, but not about a SHA-256. */
	if (pin.values[PIN_SHA256] && version_compare(&pin.version, &running) > 0)
		wanted.allow_downgrade = true;
	status = install(&wanted, &pin, &json);
	return apply_end(options, json, status);
}
