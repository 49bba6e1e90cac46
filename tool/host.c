// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds the interface that updates a TDX module here, reads and writes its files, and compares
 * versions. A write is one write(2), whose errno is the answer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool.h"

const char * const state_names[NUM_STATES] = {
	[STATE_UNKNOWN] = "unknown",
	[STATE_READY] = "ready",
	[STATE_UPDATING] = "updating",
	[STATE_SHUT_DOWN] = "shut-down",
	[STATE_LOST] = "lost",
	[STATE_UNINITIALIZED] = "uninitialized",
};

/* Where the module puts its files on a vendor's kernel that has a /sys/firmware/tdx of its own. */
#define OURS_BESIDE_VENDOR	"firmware/tdx_update/"

/**
 * host_path() - absolute path of a file in sysfs
 * @file: its path in sysfs; one below OURS is looked up in the module's directory, whatever its
 * name
 * @path: filled in
 *
 * Tests name another place than /sys in TDX_UPDATE_SYSFS; a privileged program ignores that.
 */
void host_path(const char *file, char path[PATH_MAX])
{
	const char *root = secure_getenv("TDX_UPDATE_SYSFS");

	if (!root)
		root = "/sys";
	if (!strncmp(file, OURS, strlen(OURS))) {
		snprintf(path, PATH_MAX, "%s/" OURS_BESIDE_VENDOR "last/result", root);
		if (!access(path, F_OK)) {
			snprintf(path, PATH_MAX, "%s/" OURS_BESIDE_VENDOR "%s", root,
				 file + strlen(OURS));
			return;
		}
	}
	snprintf(path, PATH_MAX, "%s/%s", root, file);
}

static bool exists(const char *file)
{
	char path[PATH_MAX];

	host_path(file, path);
	return !access(path, F_OK);
}

/**
 * host_interface() - the interface that updates a TDX module here; tdx_update's if there are two
 */
enum interface host_interface(void)
{
	/* A vendor's directory of that name has no last/result. */
	if (exists(OURS "last/result"))
		return INTERFACE_OURS;
	if (exists(MAINLINE "version"))
		return INTERFACE_MAINLINE;
	return INTERFACE_NONE;
}

const char *host_interface_name(enum interface interface)
{
	static const char * const names[] = {
		[INTERFACE_NONE] = "none",
		[INTERFACE_OURS] = "tdx_update",
		[INTERFACE_MAINLINE] = "mainline",
	};

	return names[interface];
}

/**
 * host_read() - the one value of a file, without its newline
 * @file: its path in sysfs
 *
 * Return: memory for the caller to free, or NULL and errno.
 */
char *host_read(const char *file)
{
	char path[PATH_MAX], buf[4096];
	ssize_t size;
	int error;
	int fd;

	host_path(file, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	size = read(fd, buf, sizeof(buf) - 1);
	error = errno;
	close(fd);
	errno = error;
	if (size < 0)
		return NULL;
	if (size && buf[size - 1] == '\n')
		size--;
	buf[size] = '\0';
	return strdup(buf);
}

static int write_once(int fd, const void *data, size_t size)
{
	int error = write(fd, data, size) < 0 ? errno : 0;

	close(fd);
	return error;
}

/**
 * host_put() - write a file with one write(2)
 * @file: its path in sysfs
 * @data: the data
 * @size: its size, bytes
 *
 * Return: 0 or the errno of opening or writing it.
 */
int host_put(const char *file, const void *data, size_t size)
{
	char path[PATH_MAX];
	int fd;

	host_path(file, path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? errno : write_once(fd, data, size);
}

/**
 * host_write() - write a file whose errno is an answer
 * @file: its path in sysfs
 * @data: the data
 * @size: its size, bytes
 *
 * If the file cannot be opened the program ends, so every error returned is the write's.
 *
 * Return: 0 or the errno.
 */
int host_write(const char *file, const void *data, size_t size)
{
	char path[PATH_MAX];
	int fd;

	host_path(file, path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		fail(TOOL_NO_PERMISSION, "may not write %s: are you root?", path);
	if (fd < 0)
		fail(TOOL_UNAVAILABLE, "%s: %s", path, strerror(errno));
	return write_once(fd, data, size);
}

bool host_may_write(const char *file)
{
	char path[PATH_MAX];

	host_path(file, path);
	return !faccessat(AT_FDCWD, path, W_OK, AT_EACCESS);
}

/**
 * host_read_module() - what both interfaces tell of the platform
 * @name: version, seamldr_version or num_remaining_updates
 *
 * Return: as host_read().
 */
char *host_read_module(const char *name)
{
	char file[64];

	snprintf(file, sizeof(file), "%s%s",
		 host_interface() == INTERFACE_MAINLINE ? MAINLINE : OURS, name);
	return host_read(file);
}

/* As the kernel documents it: a module from outside its tree has been loaded since boot. */
#define TAINTED		"/proc/sys/kernel/tainted"
#define TAINT_OOT_MODULE (1UL << 12)

/**
 * host_version_may_be_stale() - may the version that the kernel's own driver shows be an old one?
 *
 * That driver does not see an update by tdx_update, which may have been unloaded since. Nothing
 * records that, but no module from outside the kernel's tree leaves it without a taint.
 */
bool host_version_may_be_stale(void)
{
	unsigned long tainted = TAINT_OOT_MODULE;
	FILE *file;

	if (host_interface() != INTERFACE_MAINLINE)
		return false;
	file = fopen(TAINTED, "re");
	if (file && fscanf(file, "%lu", &tainted) != 1)
		tainted = TAINT_OOT_MODULE;
	if (file)
		fclose(file);
	return tainted & TAINT_OOT_MODULE;
}

/**
 * host_state() - state of TDX, as tdx_update sees it
 *
 * Return: STATE_UNKNOWN if it is not loaded.
 */
enum state host_state(void)
{
	char *text = host_read(OURS "state");
	enum state state;

	for (state = NUM_STATES - 1; state > STATE_UNKNOWN; state--)
		if (text && !strcmp(text, state_names[state]))
			break;
	free(text);
	return state;
}

/**
 * state_is_down() - does no TDX module run, so that a version means nothing?
 * @state: a state of host_state()
 *
 * After a failure the version of a TDX module that does not run may be readable.
 */
bool state_is_down(enum state state)
{
	return state == STATE_SHUT_DOWN || state == STATE_LOST || state == STATE_UNINITIALIZED;
}

/**
 * version_parse() - read a version such as 1.5.08
 * @text: the version and nothing after it; may be NULL
 * @version: filled in; major 0 if it is none
 */
bool version_parse(const char *text, struct tdxu_version *version)
{
	int end = 0;

	if (text && sscanf(text, "%5hu.%5hu.%5hu%n", &version->major, &version->minor,
			   &version->update, &end) == 3 && !text[end] && version->major)
		return true;
	*version = (struct tdxu_version){};
	return false;
}

int version_compare(const struct tdxu_version *a, const struct tdxu_version *b)
{
	if (a->major != b->major)
		return a->major < b->major ? -1 : 1;
	if (a->minor != b->minor)
		return a->minor < b->minor ? -1 : 1;
	if (a->update != b->update)
		return a->update < b->update ? -1 : 1;
	return 0;
}

bool version_same_series(const struct tdxu_version *a, const struct tdxu_version *b)
{
	return a->major == b->major && a->minor == b->minor;
}

const char *version_print(const struct tdxu_version *version, char buf[VERSION_SIZE])
{
	if (!version->major)
		return "?";
	snprintf(buf, VERSION_SIZE, "%u.%u.%02u", version->major, version->minor, version->update);
	return buf;
}
