// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chooses the newest image of a directory that can be installed, and reports why newer ones cannot.
 * Also has the objections of this command itself to an image: its name lies, it is a downgrade, the
 * mapping file rules it out. The module's check comes on top of them.
 */
#include <stdlib.h>

#include "tool.h"

/**
 * running_version() - read the version that images are compared with
 * @running: filled in; major 0: no TDX module runs, or its version may be stale
 */
void running_version(struct tdxu_version *running)
{
	char *text = host_read_module("version");

	*running = (struct tdxu_version){};
	if (!state_is_down(host_state()) && !host_version_may_be_stale())
		version_parse(text, running);
	free(text);
}

/**
 * answer_name_version() - complete the version that an image does not contain
 * @answer: an answer about the image; if its @to is "none", that becomes @version
 * @version: what is known of the version; of an unknown one @to becomes NULL
 */
void answer_name_version(struct answer *answer, const struct tdxu_version *version)
{
	char text[VERSION_SIZE];

	if (!answer->detailed || strcmp(answer->to, "none"))
		return;
	json_object_set_new(answer->record, "to", !version->major ? json_null() :
			    json_string(version_print(version, text)));
	answer->to = record_text(answer->record, "to");
}

/* Return whether two images are for the same CPUs, some at least. An empty table is for all. */
static bool share_cpu(const struct file *a, const struct file *b)
{
	u32 i, j;

	for (i = 0; i < a->num_cpus; i++)
		for (j = 0; j < b->num_cpus; j++)
			if (!((a->cpus[i] ^ b->cpus[j]) & ~SEAM_SIGSTRUCT_CPUID_STEPPING))
				return true;
	return !a->num_cpus || !b->num_cpus;
}

/* Return how an image shows that another one is older than the version in its name. */
static const char *contradicts(const struct file *lower, const struct file *file)
{
	if (lower->svn_major == file->svn_major && share_cpu(lower, file)) {
		if (lower->svn_minor > file->svn_minor)
			return "has a higher SVN";
		if (lower->date > file->date)
			return "was built later";
	}
	return memcmp(lower->seamhash, file->seamhash, sizeof(file->seamhash)) ?
	       NULL : "has the same contents";
}

/**
 * name_lies() - check whether an image of a lower version shows that an image's name lies
 * @file: the image
 * @files: the images beside it
 * @why: set to the reason if the result is true
 *
 * What is signed does not lie: from a version to the next of its series neither SVN nor build date
 * goes back.
 *
 * Return: true if @file has its version from its name, and that is too high.
 */
bool name_lies(const struct file *file, const struct files *files, char why[ANSWER_SIZE])
{
	char version[VERSION_SIZE];
	const char *how;
	size_t i;

	for (i = 0; i < files->count && file->version_named && !file->form.result; i++) {
		const struct file *other = &files->files[i];

		if (other->form.result || !version_same_series(&other->version, &file->version) ||
		    version_compare(&other->version, &file->version) >= 0)
			continue;
		how = contradicts(other, file);
		if (!how)
			continue;
		snprintf(why, ANSWER_SIZE, "its name says %s, but %s %s",
			 version_print(&file->version, version), other->path, how);
		return true;
	}
	return false;
}

static bool is_downgrade(const struct file *file, const struct tdxu_version *running,
			 char why[ANSWER_SIZE])
{
	char version[VERSION_SIZE];

	if (!running->major || !version_same_series(&file->version, running) ||
	    version_compare(&file->version, running) >= 0)
		return false;
	snprintf(why, ANSWER_SIZE, "older than %s, which runs",
		 version_print(running, version));
	return true;
}

/**
 * choice_objects() - check whether this command would refuse to install an image
 * @options: the options --mapping and --allow-downgrade
 * @running: the version that runs
 * @file: the image
 * @files: the images beside it; read if they are needed and not read yet
 * @why: set to the reason if the result is true
 * @json: "mapping_file" and "objection" are added, each a string or null; may be NULL
 *
 * Return: whether this command refuses it.
 */
bool choice_objects(const struct options *options, const struct tdxu_version *running,
		    const struct file *file, struct files *files, char why[ANSWER_SIZE],
		    json_t *json)
{
	const struct mapping *mapping = mapping_find(options, file);
	bool objects = false;

	if (file->version_named)
		files_beside(file, files);
	if (!options->allow_downgrade)
		objects = name_lies(file, files, why) ||
			  is_downgrade(file, running, why);
	if (!objects && mapping)
		objects = mapping_objects(mapping, file, running, why);
	if (json) {
		text_json_name(json, "mapping_file", mapping ? mapping->path : NULL);
		json_object_set_new(json, "objection", objects ? text_json(why) : json_null());
	}
	return objects;
}

/* Print an objection of choice_objects(), and the option that lifts it. */
void objection_print(const struct file *file, const char *why, const json_t *json)
{
	const char *mapping = json_string_value(json_object_get(json, "mapping_file"));

	note("%s: %s", file->path, why);
	note(mapping && strstr(why, mapping) ? "--mapping none ignores the mapping file" :
	     "--allow-downgrade installs it all the same");
}

/*
 * While TDX is down, any image may bring it back, even the one that failed. Otherwise an image has
 * to be newer than the running TDX module, and of its series.
 */
static bool is_candidate(const struct file *file, const struct tdxu_version *running)
{
	return !running->major || (version_same_series(&file->version, running) &&
				   version_compare(&file->version, running) > 0);
}

/* Return whether apply --latest has any image to consider. */
bool latest_any(const struct files *files, const struct tdxu_version *running)
{
	size_t i;

	for (i = 0; i < files->count; i++)
		if (is_candidate(&files->files[i], running))
			return true;
	return false;
}

/* Return whether the interface refuses an image. Only tdx_update's interface sets @answer. */
static bool interface_objects(const struct file *file, struct answer *answer,
			      char why[ANSWER_SIZE])
{
	char name[IMAGE_NAME_SIZE];

	if (host_interface() == INTERFACE_MAINLINE)
		return mainline_objects(file, why, ANSWER_SIZE);
	loader_name(file, name);
	request("check", name, answer);
	answer_text(answer, why);
	return answer->error;
}

static void pass_over(const struct file *file, const char *why, json_t *passed_over)
{
	json_t *entry = json_object();

	note("passed over %s: %s", file->path, why);
	text_json_name(entry, "file", file->path);
	json_object_set_new(entry, "reason", text_json(why));
	json_array_append_new(passed_over, entry);
}

/**
 * latest_choose() - choose the newest image that can be installed now
 * @options: the command line
 * @files: the images of @options->latest, newest first
 * @running: the version that runs; while TDX is down any version is a candidate
 * @answer: set to a refusal that is about the host and not about an image, or to no error
 * @passed_over: an object is added for each newer image that is not chosen, and for each image
 *	whose version is not known
 * @newer: set if there is a newer image
 *
 * Return: the image, or NULL if no image is newer or none of the newer ones can be installed.
 */
const struct file *latest_choose(const struct options *options, struct files *files,
				 const struct tdxu_version *running, struct answer *answer,
				 json_t *passed_over, bool *newer)
{
	bool mapped = options->mapping;
	char why[ANSWER_SIZE];
	size_t i;

	*answer = (struct answer){};
	*newer = false;
	if (host_version_may_be_stale())
		fail(TOOL_UNAVAILABLE,
		     "--latest: the kernel's own driver may show a stale version: a module from outside the kernel was loaded since boot, and the driver does not see updates by tdx_update; modprobe tdx_update, or name an image");
	if (!running->major && host_state() != STATE_SHUT_DOWN)
		fail(TOOL_UNAVAILABLE,
		     "--latest: no TDX module runs to compare with; name an image");

	for (i = 0; i < files->count && !mapped; i++)
		mapped = mapping_find(options, &files->files[i]);
	if (!mapped)
		note("no mapping_file.json in %s or above: only this host's own checks decide",
		     files->dir);
	for (i = 0; i < files->count; i++) {
		const struct file *file = &files->files[i];

		stop_if_signalled();
		if (running->major && !file->version.major) {
			pass_over(file, file->defect ?:
				  "neither its content nor its name has a version", passed_over);
			continue;
		}
		if (!is_candidate(file, running))
			continue;
		*newer = true;
		if (file->defect)
			snprintf(why, sizeof(why), "%s", file->defect);
		else if (!choice_objects(options, running, file, files, why, NULL) &&
			 !interface_objects(file, answer, why))
			return file;
		/* A refusal about the host would be the same for every image. */
		if (answer->error &&
		    (!answer->has_result || !result_is_of_image(answer->result)))
			return NULL;
		pass_over(file, why, passed_over);
	}
	*answer = (struct answer){};
	return NULL;
}
