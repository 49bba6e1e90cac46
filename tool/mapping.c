// SPDX-License-Identifier: GPL-2.0-only
/*
 * Intel's mapping_file.json: which TDX module TDs survive, and which P-SEAMLDR it needs. Finds the
 * file for an image, and says which one it is.
 */
#include <stdlib.h>
#include <unistd.h>

#include "tool.h"

#define MAPPING_FILE	"mapping_file.json"

/* Find the mapping file nearest to an image: in its directory, or above. */
static bool find_upwards(const struct file *file, char path[PATH_MAX])
{
	char dir[PATH_MAX], real[PATH_MAX];
	unsigned int level;

	snprintf(dir, sizeof(dir), "%.*s", (int)(file->name - file->path), file->path);
	if (!realpath(*dir ? dir : ".", real))
		return false;
	for (level = 0; level <= REPOSITORY_DEPTH; level++) {
		snprintf(path, PATH_MAX, "%s/" MAPPING_FILE, real);
		if (!access(path, F_OK))
			return true;
		if (!*real)
			break;
		*strrchr(real, '/') = '\0';
	}
	return false;
}

/* Read a mapping file and name it to the operator, or end the program. */
static struct mapping *load(const char *path)
{
	struct mapping *mapping = malloc(sizeof(*mapping));
	json_error_t error;
	json_t *root;

	if (!mapping)
		fail(TOOL_SYSTEM, "out of memory");
	root = json_load_file(path, 0, &error);
	if (!root)
		fail(TOOL_NO_INPUT, "%s: line %d: %s", path, error.line, error.text);
	mapping->path = strdup(path);
	mapping->releases = json_object_get(root, "tdx_module_releases");
	if (!json_is_array(mapping->releases))
		fail(TOOL_NO_INPUT, "%s: no list tdx_module_releases", path);
	note("mapping file: %s", path);
	return mapping;
}

/**
 * mapping_find() - find the mapping file for an image
 * @options: @options->mapping is its path, "none", or NULL: the nearest one in the image's
 *	directory or up to REPOSITORY_DEPTH above
 * @file: the image
 *
 * Ends the program if the file cannot be read.
 *
 * Return: the mapping file, or NULL if there is none.
 */
const struct mapping *mapping_find(const struct options *options, const struct file *file)
{
	static struct mapping *loaded;
	const char *path = options->mapping;
	struct mapping *mapping;
	char found[PATH_MAX];

	if (path && !strcmp(path, "none"))
		return NULL;
	if (!path && find_upwards(file, found))
		path = found;
	if (!path)
		return NULL;
	for (mapping = loaded; mapping; mapping = mapping->next)
		if (!strcmp(mapping->path, path))
			return mapping;
	mapping = load(path);
	mapping->next = loaded;
	loaded = mapping;
	return mapping;
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

/* Read P-SEAMLDR's version once, and only for a mapping file: that is a call of P-SEAMLDR. */
static const struct tdxu_version *seamldr_version(void)
{
	static struct tdxu_version version;
	char *text;

	if (!version.major) {
		text = host_read_module("seamldr_version");
		version_parse(text, &version);
		free(text);
	}
	return &version;
}

/**
 * mapping_objects() - check whether a mapping file rules an image out
 * @mapping: the mapping file
 * @file: the image
 * @running: the version that runs
 * @why: set to the reason if the result is true
 *
 * Newer mapping files have a list strict_compat_versions; it is ignored, because TDs survive
 * versions that are not in it.
 *
 * Return: whether the mapping file rules the image out, or cannot be applied to it.
 */
bool mapping_objects(const struct mapping *mapping, const struct file *file,
		     const struct tdxu_version *running, char why[ANSWER_SIZE])
{
	json_t *release = find_release(mapping->releases, &file->version);
	const struct tdxu_version *seamldr = seamldr_version();
	struct tdxu_version least;
	const char *text;

	if (!release) {
		snprintf(why, ANSWER_SIZE, "%s %s",
			 file->version.major ? "it is not in" :
			 "neither its content nor its name has a version to look up in",
			 mapping->path);
		return true;
	}
	text = json_string_value(json_object_get(release, "min_module_version_for_td_preserving"));
	/* While TDX is down, no TDX module runs whose version could be compared. */
	if (running->major && !version_parse(text, &least)) {
		snprintf(why, ANSWER_SIZE, "%s lacks min_module_version_for_td_preserving for it",
			 mapping->path);
		return true;
	}
	if (running->major && version_compare(running, &least) < 0) {
		snprintf(why, ANSWER_SIZE, "TDs survive it only if %s or later runs (%s)", text,
			 mapping->path);
		return true;
	}
	if (!seamldr->major) {
		snprintf(why, ANSWER_SIZE,
			 "P-SEAMLDR's version is not known, so %s cannot be applied",
			 mapping->path);
		return true;
	}
	if (!suits_seamldr(json_object_get(release, "min_seamldr_versions"), seamldr)) {
		snprintf(why, ANSWER_SIZE, "needs another P-SEAMLDR than %u.%u.%02u (%s)",
			 seamldr->major, seamldr->minor, seamldr->update, mapping->path);
		return true;
	}
	return false;
}
