// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chooses the newest image of a directory that can be installed, and reports why newer ones cannot.
 * Intel's mapping_file.json beside the images is asked first, then the module's check.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool.h"

/* Return tdx_module_releases of the mapping file, or NULL if there is no such file. */
static json_t *read_releases(const char *dir)
{
	char path[PATH_MAX];
	json_error_t error;
	json_t *releases;
	json_t *root;

	snprintf(path, sizeof(path), "%s/mapping_file.json", dir);
	if (access(path, F_OK)) {
		note("no mapping_file.json in %s: only this host's own checks decide", dir);
		return NULL;
	}
	root = json_load_file(path, 0, &error);
	if (!root)
		fail(TOOL_NO_INPUT, "%s: line %d: %s", path, error.line, error.text);
	releases = json_object_get(root, "tdx_module_releases");
	if (!json_is_array(releases))
		fail(TOOL_NO_INPUT, "%s: no list tdx_module_releases", path);
	return releases;
}

static json_t *find_release(json_t *releases, const struct tdxu_version *version)
{
	struct tdxu_version of;
	json_t *release;
	size_t i;

	json_array_foreach(releases, i, release)
		if (version_parse(json_string_value(json_object_get(release, "version")), &of) &&
		    !version_compare(&of, version))
			return release;
	return NULL;
}

/* @list has one entry for each series of P-SEAMLDR that suits: the lowest version in it. */
static bool suits_seamldr(json_t *list, const struct tdxu_version *seamldr)
{
	struct tdxu_version least;
	json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
		if (version_parse(json_string_value(entry), &least) &&
		    version_same_series(&least, seamldr) && version_compare(seamldr, &least) >= 0)
			return true;
	return false;
}

/*
 * Return whether the mapping file rules an image out. Newer mapping files have a list
 * strict_compat_versions; it is ignored, because TDs survive versions that are not in it.
 */
static bool mapping_objects(json_t *releases, const struct file *file,
			    const struct tdxu_version *running, const struct tdxu_version *seamldr,
			    char *why, size_t size)
{
	json_t *release = find_release(releases, &file->version);
	struct tdxu_version least;
	const char *text;

	if (!release) {
		snprintf(why, size, "it is not in mapping_file.json");
		return true;
	}
	text = json_string_value(json_object_get(release, "min_module_version_for_td_preserving"));
	/* While TDX is down, no TDX module runs whose version could be compared. */
	if (running->major && !version_parse(text, &least)) {
		snprintf(why, size,
			 "mapping_file.json lacks min_module_version_for_td_preserving for it");
		return true;
	}
	if (running->major && version_compare(running, &least) < 0) {
		snprintf(why, size, "TDs survive it only if %s or later runs (mapping_file.json)",
			 text);
		return true;
	}
	if (!seamldr->major) {
		snprintf(why, size,
			 "P-SEAMLDR's version is not known, so mapping_file.json cannot be applied");
		return true;
	}
	if (!suits_seamldr(json_object_get(release, "min_seamldr_versions"), seamldr)) {
		snprintf(why, size, "needs another P-SEAMLDR than %u.%u.%02u (mapping_file.json)",
			 seamldr->major, seamldr->minor, seamldr->update);
		return true;
	}
	return false;
}

static void read_version(const char *name, struct tdxu_version *version)
{
	char *text = host_read_module(name);

	version_parse(text, version);
	free(text);
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

/* Return whether the interface refuses an image. Only tdx_update's interface sets @answer. */
static bool interface_objects(const struct file *file, struct answer *answer,
			      char why[ANSWER_SIZE])
{
	char name[IMAGE_NAME_SIZE];

	if (host_interface() == INTERFACE_MAINLINE)
		return mainline_objects(file, why, ANSWER_SIZE);
	loader_name(file->path, name);
	request("check", name, answer);
	answer_text(answer, why);
	return answer->error;
}

/**
 * latest_choose() - choose the newest image that can be installed now
 * @files: the images, newest first
 * @dir: their directory
 * @state: state of TDX; in STATE_SHUT_DOWN any version is a candidate
 * @answer: set to a refusal that is about the host and not about an image, or to no error
 * @passed_over: an object is added for each newer image that is not chosen
 *
 * Return: the image, or NULL if no image is newer (@passed_over is empty) or none of the newer ones
 * can be installed.
 */
const struct file *latest_choose(const struct files *files, const char *dir, enum state state,
				 struct answer *answer, json_t *passed_over)
{
	struct tdxu_version running = {}, seamldr;
	json_t *releases, *entry;
	char why[ANSWER_SIZE];
	size_t i;

	*answer = (struct answer){};
	if (state != STATE_SHUT_DOWN) {
		read_version("version", &running);
		if (!running.major)
			fail(TOOL_UNAVAILABLE,
			     "--latest: no TDX module runs to compare with; name an image");
		if (host_version_may_be_stale())
			fail(TOOL_UNAVAILABLE,
			     "--latest: the kernel's own driver may show a stale version: a module from outside the kernel was loaded since boot, and the driver does not see updates by tdx_update; modprobe tdx_update, or name an image");
	}
	read_version("seamldr_version", &seamldr);
	releases = read_releases(dir);

	for (i = 0; i < files->count; i++) {
		const struct file *file = &files->files[i];

		stop_if_signalled();
		if (!is_candidate(file, &running))
			continue;
		if (!(releases &&
		      mapping_objects(releases, file, &running, &seamldr, why, sizeof(why))) &&
		    !interface_objects(file, answer, why))
			return file;
		/* A refusal about the host would be the same for every image. */
		if (answer->error &&
		    (!answer->has_result || !result_is_of_image(answer->result)))
			return NULL;
		note("passed over %s: %s", file->path, why);
		entry = json_object();
		text_json_name(entry, "file", file->path);
		json_object_set_new(entry, "reason", text_json(why));
		json_array_append_new(passed_over, entry);
	}
	*answer = (struct answer){};
	return NULL;
}
