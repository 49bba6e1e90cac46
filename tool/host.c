// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds the interface that updates a TDX module here, reads and writes its files, and compares
 * versions. Each request is one write(2), and its errno is the answer.
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

/* The module's directory where a vendor's kernel has a /sys/firmware/tdx of its own. */
#define OURS_BESIDE_VENDOR	"firmware/tdx_update/"

/**
 * host_path() - make the absolute path of a file in sysfs
 * @file: path below /sys; OURS stands for the module's directory, also where that is
 *	OURS_BESIDE_VENDOR
 * @path: filled in
 *
 * Tests set TDX_UPDATE_SYSFS to replace /sys. secure_getenv() ignores it in a privileged program.
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
 * host_interface() - find the interface that updates a TDX module here
 *
 * Return: the interface; INTERFACE_OURS if there are two.
 */
enum interface host_interface(void)
{
	/* Not the directory: a vendor's kernel may have one of that name, without last/result. */
	if (exists(OURS "last/result"))
		return INTERFACE_OURS;
	if (exists(MAINLINE "version"))
		return INTERFACE_MAINLINE;
	return INTERFACE_NONE;
}

/* Name an interface for JSON and metrics. */
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
 * host_read() - read the value of a file
 * @file: path in sysfs
 *
 * Return: the value without its last newline, for the caller to free; or NULL, with errno set.
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
 * @file: path in sysfs
 * @data: data
 * @size: size of @data, bytes
 *
 * Return: 0, or the errno of open(2) or write(2).
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
 * host_write() - write a request, whose errno is the answer
 * @file: path in sysfs
 * @data: data
 * @size: size of @data, bytes
 *
 * Ends the program if the file cannot be opened, so a returned error is always that of write(2).
 *
 * Return: 0, or the errno of write(2).
 */
int host_write(const char *file, const void *data, size_t size)
{
	char path[PATH_MAX];
	int fd;

	host_path(file, path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		fail(TOOL_NO_PERMISSION, "not permitted to write %s: run this as root", path);
	if (fd < 0)
		fail(TOOL_UNAVAILABLE, "%s: %s", path, strerror(errno));
	return write_once(fd, data, size);
}

/**
 * host_may_write() - check whether this process may write a file
 * @file: path in sysfs
 *
 * Return: whether the file exists and the effective user may write it.
 */
bool host_may_write(const char *file)
{
	char path[PATH_MAX];

	host_path(file, path);
	return !faccessat(AT_FDCWD, path, W_OK, AT_EACCESS);
}

/**
 * host_read_module() - read a file that both interfaces have
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

/* An out-of-tree module was loaded since boot: Documentation/admin-guide/tainted-kernels.rst */
#define TAINTED		"/proc/sys/kernel/tainted"
#define TAINT_OOT_MODULE (1UL << 12)

/**
 * host_version_may_be_stale() - check whether the kernel's own driver may show an old version
 *
 * That driver does not notice an update by tdx_update, which may have been unloaded since. Nothing
 * records such an update, but every out-of-tree module taints the kernel.
 *
 * Return: true if that driver is the interface here, and an out-of-tree module has been loaded
 * since boot or the taint cannot be read.
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
 * host_state() - read the state of TDX from tdx_update
 *
 * Return: the state, or STATE_UNKNOWN if tdx_update is not loaded.
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
 * state_is_down() - check whether a state means that no TDX module runs
 * @state: from host_state()
 *
 * After a failure the version of a TDX module that does not run may still be readable.
 *
 * Return: whether a version that is read in this state must be ignored.
 */
bool state_is_down(enum state state)
{
	return state == STATE_SHUT_DOWN || state == STATE_LOST || state == STATE_UNINITIALIZED;
}

/**
 * version_parse() - parse a version such as 1.5.08
 * @text: the version and nothing after it; may be NULL
 * @version: filled in; all zero if @text is not a version
 *
 * Return: whether @text is a version.
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

/**
 * version_compare() - compare two versions
 * @a: a version
 * @b: another version
 *
 * Return: -1, 0 or 1 if @a is lower than, equal to or higher than @b.
 */
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

/**
 * version_same_series() - check whether two versions belong to one series, such as 1.5
 * @a: a version
 * @b: another version
 *
 * Return: whether major and minor are equal.
 */
bool version_same_series(const struct tdxu_version *a, const struct tdxu_version *b)
{
	return a->major == b->major && a->minor == b->minor;
}

/**
 * version_print() - format a version
 * @version: the version
 * @buf: holds the text
 *
 * Return: the text, or "?" if the version is not known (major 0).
 */
const char *version_print(const struct tdxu_version *version, char buf[VERSION_SIZE])
{
	if (!version->major)
		return "?";
	snprintf(buf, VERSION_SIZE, "%u.%u.%02u", version->major, version->minor, version->update);
	return buf;
}
