// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads and writes /etc/tdx-update.conf: the pin, which is the version of the TDX module that this
 * host is to run after each boot. Does not decide whether the image may be installed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

#define HEADER	"# The TDX module that this host is to run: see tdx-update(8), CONFIGURATION.\n"

/* ---- the keys and their values ---- */

static bool is_version(const char *value)
{
	struct tdxu_version version;

	return version_parse(value, &version);
}

static bool is_path(const char *value)
{
	return value[0] == '/';
}

static bool is_path_or_none(const char *value)
{
	return is_path(value) || !strcmp(value, "none");
}

static bool is_sha256(const char *value)
{
	return strlen(value) == 64 && strspn(value, "0123456789abcdefABCDEF") == 64;
}

static bool is_wait(const char *value)
{
	return *value && strlen(value) <= 4 && strspn(value, "0123456789") == strlen(value);
}

static const struct {
	const char *name;
	bool (*is_valid)(const char *value);
	const char *must_be;
} keys[NUM_PIN_KEYS] = {
	[PIN_VERSION] = { "version", is_version, "a version such as 1.5.26" },
	[PIN_IMAGE] = { "image", is_path, "an absolute path" },
	[PIN_DIRECTORY] = { "directory", is_path, "an absolute path" },
	[PIN_SHA256] = { "sha256", is_sha256, "64 hexadecimal digits" },
	[PIN_MAPPING] = { "mapping", is_path_or_none, "an absolute path or none" },
	[PIN_WAIT] = { "wait", is_wait, "a number of seconds, at most 9999" },
};

/* Name a key as the file and JSON have it. */
const char *pin_key_name(enum pin_key key)
{
	return keys[key].name;
}

/* ---- reading ---- */

/**
 * pin_path() - the path of the file
 *
 * Tests set TDX_UPDATE_CONF to replace it. secure_getenv() ignores it in a privileged program.
 *
 * Return: the path.
 */
const char *pin_path(void)
{
	return secure_getenv("TDX_UPDATE_CONF") ?: "/etc/tdx-update.conf";
}

/* Say in @pin why the file cannot be used: only the first reason counts. @line 0: all of it. */
static void wrong(struct pin *pin, unsigned int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void wrong(struct pin *pin, unsigned int line, const char *format, ...)
{
	char number[12] = "", *text;
	va_list args;

	if (pin->error)
		return;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		fail(TOOL_SYSTEM, "out of memory");
	va_end(args);
	if (line)
		snprintf(number, sizeof(number), ":%u", line);
	if (asprintf(&pin->error, "%s%s: %s", pin_path(), number, text) < 0)
		fail(TOOL_SYSTEM, "out of memory");
	free(text);
}

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t\r\n");
	length = strlen(text);
	while (length && strchr(" \t\r\n", text[length - 1]))
		length--;
	text[length] = '\0';
	return text;
}

static enum pin_key find_key(const char *name)
{
	enum pin_key key;

	for (key = 0; key < NUM_PIN_KEYS; key++)
		if (!strcmp(name, keys[key].name))
			break;
	return key;
}

/* Split a line at its "=". Return its key; NUM_PIN_KEYS: none, or it is wrong, as @pin says. */
static enum pin_key parse_line(char *line, unsigned int number, struct pin *pin, char **value)
{
	char *text = trim(line), *equals = strchr(text, '=');
	enum pin_key key;

	if (!*text || *text == '#')
		return NUM_PIN_KEYS;
	if (!equals) {
		wrong(pin, number, "'%s' is not KEY = VALUE", text);
		return NUM_PIN_KEYS;
	}
	*equals = '\0';
	*value = trim(equals + 1);
	key = find_key(trim(text));
	if (key == NUM_PIN_KEYS)
		wrong(pin, number, "there is no key '%s'", trim(text));
	return key;
}

static void take_line(char *line, unsigned int number, struct pin *pin)
{
	enum pin_key key;
	char *value;

	key = parse_line(line, number, pin, &value);
	if (key == NUM_PIN_KEYS)
		return;
	if (pin->values[key])
		wrong(pin, number, "a second '%s'", keys[key].name);
	else if (!keys[key].is_valid(value))
		wrong(pin, number, "'%s' has to be %s, not '%s'", keys[key].name, keys[key].must_be,
		      value);
	else
		pin->values[key] = strdup(value);
}

static void check_whole(struct pin *pin)
{
	if (!pin->values[PIN_VERSION])
		wrong(pin, 0, "there is no version");
	if (!pin->values[PIN_IMAGE] && !pin->values[PIN_DIRECTORY])
		wrong(pin, 0, "there is neither image nor directory");
	if (pin->values[PIN_IMAGE] && pin->values[PIN_DIRECTORY])
		wrong(pin, 0, "there are both image and directory: keep one of them");
}

/**
 * pin_read() - read the pin
 * @pin: filled in; its @error says what is wrong with the file, if anything is
 */
void pin_read(struct pin *pin)
{
	FILE *file = fopen(pin_path(), "re");
	unsigned int number = 0;
	size_t size = 0;
	char *line = NULL;
	ssize_t length;

	*pin = (struct pin){ .set = file || errno != ENOENT, .wait_s = PIN_WAIT_S };
	if (!file) {
		if (pin->set)
			wrong(pin, 0, "%s", strerror(errno));
		return;
	}
	errno = 0;
	while ((length = getline(&line, &size, file)) >= 0) {
		number++;
		if (strlen(line) != (size_t)length)
			wrong(pin, number, "a NUL byte");
		take_line(line, number, pin);
	}
	if (ferror(file))
		wrong(pin, 0, "%s", strerror(errno));
	fclose(file);
	free(line);
	check_whole(pin);
	version_parse(pin->values[PIN_VERSION], &pin->version);
	if (pin->values[PIN_WAIT])
		pin->wait_s = atol(pin->values[PIN_WAIT]);
}

/* Read the pin, or end the program if its file is wrong. */
void pin_must_read(struct pin *pin)
{
	pin_read(pin);
	if (pin->error)
		fail(TOOL_CONFIG, "%s", pin->error);
}

/**
 * pin_set() - set a value that pin_write() is to write
 * @pin: the pin
 * @key: the key
 * @value: the value; NULL: the key is left out
 *
 * Ends the program if the file cannot have the value.
 */
void pin_set(struct pin *pin, enum pin_key key, const char *value)
{
	char *trimmed = value ? trim(strdup(value)) : NULL;

	if (value && (strcmp(trimmed, value) || strchr(value, '\n') || !keys[key].is_valid(value)))
		fail(TOOL_CONFIG, "%s: cannot take '%s' as %s", pin_path(), value, keys[key].name);
	pin->values[key] = trimmed;
}

/* ---- writing ---- */

/* Copy the old file, with the new values in place of the old ones. Comments stay. */
static void put_lines(FILE *old, FILE *out, const struct pin *pin)
{
	bool done[NUM_PIN_KEYS] = {};
	struct pin ignored = {};
	enum pin_key key;
	char *line = NULL, *copy, *value;
	size_t size = 0;

	if (!old)
		fputs(HEADER, out);
	while (old && getline(&line, &size, old) >= 0) {
		copy = strdup(line);
		key = parse_line(copy, 1, &ignored, &value);
		free(copy);
		if (key == NUM_PIN_KEYS)
			fprintf(out, "%.*s\n", (int)strcspn(line, "\n"), line);
		else if (pin->values[key])
			fprintf(out, "%s = %s\n", keys[key].name, pin->values[key]);
		if (key < NUM_PIN_KEYS)
			done[key] = true;
	}
	free(line);
	for (key = 0; key < NUM_PIN_KEYS; key++)
		if (pin->values[key] && !done[key])
			fprintf(out, "%s = %s\n", keys[key].name, pin->values[key]);
}

static bool sync_directory_of(const char *path)
{
	char *dir = strndup(path, strrchr(path, '/') - path + 1);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && !fsync(fd);

	if (fd >= 0)
		close(fd);
	free(dir);
	return good;
}

/* End the program after a failed change of the file; @remove is what is left of it, or NULL. */
static void failed(const char *remove) __attribute__((noreturn));
static void failed(const char *remove)
{
	int error = errno;

	if (remove)
		unlink(remove);
	fail(error == EACCES || error == EPERM ? TOOL_NO_PERMISSION : TOOL_SYSTEM,
	     "%s: cannot be changed: %s", pin_path(), strerror(error));
}

/**
 * pin_write() - write the pin
 * @pin: a pin without error, with new values
 *
 * The new file takes the place of the old one at once, also when the power fails. It keeps mode and
 * owner. A link stays a link.
 */
void pin_write(const struct pin *pin)
{
	char path[PATH_MAX], temporary[PATH_MAX + 8];
	struct stat st;
	FILE *old, *out;
	int fd;

	if (!realpath(pin_path(), path))
		snprintf(path, sizeof(path), "%s", pin_path());
	snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		failed(NULL);
	old = fopen(path, "re");
	if (fchmod(fd, old && !fstat(fileno(old), &st) ? st.st_mode & 07777 : 0644) ||
	    (old && fchown(fd, st.st_uid, st.st_gid)))
		failed(temporary);
	out = fdopen(fd, "w");
	if (!out)
		failed(temporary);
	put_lines(old, out, pin);
	if (fflush(out) || fsync(fd) || fclose(out) || rename(temporary, path))
		failed(temporary);
	if (old)
		fclose(old);
	if (!sync_directory_of(path))
		failed(NULL);
}

/* Remove the file. Return whether there was one. */
bool pin_remove(void)
{
	if (unlink(pin_path())) {
		if (errno == ENOENT)
			return false;
		failed(NULL);
	}
	if (!sync_directory_of(pin_path()))
		failed(NULL);
	return true;
}
