// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx-update pin: shows, sets or clears the version that this host is to run after each boot. An
 * image is checked before it is pinned, as far as this host can check it now.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool.h"

/* ---- showing ---- */

static void print_as_json(const struct pin *pin)
{
	json_t *json = json_pack("{s:s}", "configuration", pin_path());
	enum pin_key key;

	json_object_set_new(json, "pinned", text_json(pin->values[PIN_VERSION]));
	for (key = PIN_VERSION + 1; pin->set && key < NUM_PIN_KEYS; key++)
		if (key == PIN_WAIT)
			json_object_set_new(json, "wait", json_integer(pin->wait_s));
		else
			text_json_name(json, pin_key_name(key), pin->values[key]);
	json_object_set_new(json, "exit", json_integer(TOOL_DONE));
	print_json(json);
}

static void print_words(const struct pin *pin)
{
	enum pin_key key;

	if (!pin->set) {
		say("nothing is pinned: there is no %s", pin_path());
		return;
	}
	for (key = 0; key < NUM_PIN_KEYS; key++)
		if (pin->values[key])
			say("%-10s %s", pin_key_name(key), pin->values[key]);
}

static int show(const struct options *options)
{
	struct pin pin;

	pin_must_read(&pin);
	if (options->json)
		print_as_json(&pin);
	else
		print_words(&pin);
	return TOOL_DONE;
}

static int clear(const struct options *options)
{
	bool was_set = pin_remove();

	if (options->json)
		print_as_json(&(struct pin){});
	else
		say("%s: %s", pin_path(), was_set ? "removed; nothing is pinned" :
		    "there is none, so nothing is pinned");
	return TOOL_DONE;
}

/* ---- setting ---- */

/* Choose the image of the running version in a directory. */
static void choose_running(const char *dir, const struct tdxu_version *running, struct file *file)
{
	char version[VERSION_SIZE], why[ANSWER_SIZE];
	struct files files;
	size_t i;

	if (!running->major)
		fail(TOOL_UNAVAILABLE,
		     "--running: no TDX module runs here, or its version may be stale");
	files_must_read(dir, false, &files);
	for (i = 0; i < files.count; i++) {
		*file = files.files[i];
		if (!version_compare(&file->version, running) && !file->form.result &&
		    !name_lies(file, &files, why))
			return;
	}
	fail(TOOL_NO_INPUT, "--running: no image of the running version %s in %s",
	     version_print(running, version), dir);
}

/* Refuse a file that is not an image. The kernel module may not be here to do so. */
static void must_have_form(const struct file *file)
{
	if (file->form.result)
		fail(TOOL_REFUSED, "%s: %s: %s", file->path, result_rows[file->form.result].name,
		     result_rows[file->form.result].text);
	if (!file->version.major)
		fail(TOOL_NO_INPUT, "%s: neither its content nor its name has a version",
		     file->path);
}

/*
 * Ask the kernel module whether the image could be installed now. Refuse what is wrong with the
 * image. What is wrong with the host may have changed by the next boot.
 */
static void must_pass_check(const struct file *file)
{
	const char *not_asked = why_not_asked();
	char name[IMAGE_NAME_SIZE], why[ANSWER_SIZE];
	struct answer answer;

	if (not_asked) {
		note("%s: not checked: %s", file->path, not_asked);
		return;
	}
	loader_name(file, name);
	request("check", name, &answer);
	stop_if_signalled();
	if (!answer.error)
		return;
	answer_text(&answer, why);
	if (answer.has_result && result_is_of_image(answer.result) &&
	    !answer_is_on_recovery(&answer))
		fail(answer_exit(&answer), "%s: %s", file->path, why);
	note("%s: could not be installed now: %s", file->path, why);
}

/* Make a path absolute, but keep the links in it: one may point to another image later. */
static char *absolute(const char *path)
{
	char *dir = getcwd(NULL, 0), *whole;

	if (path[0] == '/')
		return strdup(path);
	if (!dir || asprintf(&whole, "%s/%s", dir, path) < 0)
		fail(TOOL_SYSTEM, "%s: %s", path, strerror(errno));
	return whole;
}

static void fill_in(const struct options *options, const struct file *file, struct pin *pin)
{
	char version[VERSION_SIZE], sha256[SHA256_HEX_SIZE], wait[24];
	const char *mapping = options->mapping;

	if (!file_sha256(file, sha256))
		fail(TOOL_NO_INPUT, "%s: cannot be read any more", file->path);
	pin_set(pin, PIN_VERSION, version_print(&file->version, version));
	pin_set(pin, PIN_IMAGE, absolute(file->path));
	pin_set(pin, PIN_DIRECTORY, NULL);
	pin_set(pin, PIN_SHA256, sha256);
	pin_set(pin, PIN_MAPPING, mapping && strcmp(mapping, "none") ? absolute(mapping) : mapping);
	if (options->has_wait) {
		snprintf(wait, sizeof(wait), "%ld", options->wait_s);
		pin_set(pin, PIN_WAIT, wait);
		pin->wait_s = options->wait_s;
	}
	pin->version = file->version;
	pin->set = true;
}

static int set(const struct options *options)
{
	struct tdxu_version running;
	struct files files = {};
	char why[ANSWER_SIZE];
	struct file file;
	struct pin pin;

	pin_must_read(&pin);
	running_version(&running);
	if (options->running)
		choose_running(options->running, &running, &file);
	else
		file_must_open(options->argument, &file);
	must_have_form(&file);
	if (choice_objects(options, &running, &file, &files, why, NULL))
		fail(TOOL_REFUSED,
		     "%s: %s; --allow-downgrade and --mapping none pin it all the same", file.path,
		     why);
	must_pass_check(&file);
	fill_in(options, &file, &pin);
	pin_write(&pin);
	if (options->json)
		print_as_json(&pin);
	else
		say("%s: pinned, %s; apply --pinned installs it", file.path,
		    pin.values[PIN_VERSION]);
	return TOOL_DONE;
}

/**
 * cmd_pin() - run tdx-update pin
 * @options: @options->argument is the image to pin, unless @options->running is set; with neither
 *	the pin is shown, or cleared if @options->clear is set
 *
 * Return: an exit status of enum tool_exit.
 */
int cmd_pin(const struct options *options)
{
	if (options->clear)
		return clear(options);
	return options->argument || options->running ? set(options) : show(options);
}
