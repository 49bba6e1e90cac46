// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gives the kernel's firmware loader an image from anywhere on disk, and leaves nothing behind.
 *
 * An image in the loader's search path is used in place. Any other image is copied, for as long as
 * this command runs, into a new directory under /lib/firmware. If /lib/firmware cannot be written,
 * the directory is under /run and the loader's path parameter points to it.
 *
 * The second process (undo.c) makes and removes the directory. If both processes are killed, the
 * next run finds a directory that nobody has locked, and removes it. Every lock is on a file or
 * directory that only root can open, so no other user can make root wait.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tool.h"

#define FIRMWARE	"/lib/firmware"
#define RUN		"/run"
#define PREFIX		"tdx-update."
#define PATH_PARAMETER	"module/firmware_class/parameters/path"
#define PATH_BEFORE	"path-before"	/* file in the directory: the parameter's old value */

/* How long another run may use the path parameter before this one gives up. */
#define PARAMETER_WAIT_S	20

/* The directory for copies; only the second process uses this. */
static struct {
	const char *parent;		/* NULL: there is no directory */
	char path[LOADER_DIR_SIZE];
	int fd;				/* locked */
} staged;

/* ---- the loader's path parameter ---- */

/* sysfs ignores an empty write, so clear the parameter by writing one NUL. */
static int set_parameter(const char *path)
{
	return host_put(PATH_PARAMETER, path, *path ? strlen(path) : 1);
}

static bool parameter_is(const char *path)
{
	char *now = host_read(PATH_PARAMETER);
	bool same = now && !strcmp(now, path);

	free(now);
	return same;
}

/* Set the parameter back to the value saved in the directory, if it still points there. */
static void restore_parameter(int dir_fd, const char *dir)
{
	char before[PATH_MAX];
	ssize_t size;
	int fd;

	if (!parameter_is(dir))
		return;
	fd = openat(dir_fd, PATH_BEFORE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	size = read(fd, before, sizeof(before) - 1);
	close(fd);
	before[size > 0 ? size : 0] = '\0';
	set_parameter(before);
}

static bool remember_parameter(int dir_fd)
{
	char *before = host_read(PATH_PARAMETER);
	bool good = false;
	int fd;

	fd = openat(dir_fd, PATH_BEFORE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0 && before)
		good = write(fd, before, strlen(before)) == (ssize_t)strlen(before);
	if (fd >= 0)
		close(fd);
	free(before);
	return good;
}

/*
 * There is only one parameter, so only one run may use it at a time. The lock is on the module's
 * file update, which only root can open. Give up after PARAMETER_WAIT_S, or if the command ends.
 */
static int lock_parameter(int socket)
{
	struct pollfd ended = { .fd = socket, .events = POLLIN };
	char path[PATH_MAX];
	int fd, pauses = 0;

	host_path(OURS "update", path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK || pauses++ == PARAMETER_WAIT_S * 10 ||
		    poll(&ended, 1, 100) > 0) {
			int error = errno;

			close(fd);
			return error;
		}
	}
	/* Leave it open: the lock lasts until this process ends. */
	return 0;
}

/* ---- the directory ---- */

static void remove_dir(int parent, const char *path, int fd)
{
	struct dirent *entry;
	DIR *stream;

	restore_parameter(fd, path);
	stream = fdopendir(dup(fd));
	while (stream && (entry = readdir(stream)))
		unlinkat(fd, entry->d_name, 0);
	if (stream)
		closedir(stream);
	if (unlinkat(parent, strrchr(path, '/') + 1, AT_REMOVEDIR))
		note("cannot remove %s: %s", path, strerror(errno));
}

/* Remove the directories that killed runs have left: those that nobody has locked. */
static void sweep(const char *parent_path)
{
	struct dirent *entry;
	char path[PATH_MAX];
	DIR *stream = opendir(parent_path);
	int fd;

	if (!stream)
		return;
	while ((entry = readdir(stream))) {
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)))
			continue;
		snprintf(path, sizeof(path), "%s/%s", parent_path, entry->d_name);
		fd = openat(dirfd(stream), entry->d_name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!flock(fd, LOCK_EX | LOCK_NB))
			remove_dir(dirfd(stream), path, fd);
		close(fd);
	}
	closedir(stream);
}

/* Make a directory and lock it. Another run's sweep() may remove it between the two: try again. */
static int make_dir(const char *parent)
{
	struct stat st;
	int tries, fd;

	sweep(parent);
	for (tries = 0; tries < 10; tries++) {
		snprintf(staged.path, sizeof(staged.path), "%s/" PREFIX "XXXXXX", parent);
		if (!mkdtemp(staged.path))
			return errno;
		fd = open(staged.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB) && !fstat(fd, &st) && st.st_nlink) {
			staged.parent = parent;
			staged.fd = fd;
			return 0;
		}
		if (fd >= 0)
			close(fd);
	}
	errno = EEXIST;
	return errno;
}

/* Make the directory under /run, and point the loader's path parameter there. */
static int make_run_dir(int socket)
{
	int error = lock_parameter(socket);

	if (!error)
		error = make_dir(RUN);
	if (!error && !remember_parameter(staged.fd))
		error = EIO;
	if (!error)
		error = set_parameter(staged.path);
	if (error)
		loader_remove();
	return error;
}

/**
 * loader_make() - make the directory for copies
 * @socket: closes when the command ends, which ends a wait
 * @dir: filled in with the path, or with an errno
 *
 * Context: second process. May wait for another run that uses the path parameter.
 */
void loader_make(int socket, struct loader_dir *dir)
{
	int error = make_dir(FIRMWARE);

	*dir = (struct loader_dir){};
	if (error && host_may_write(PATH_PARAMETER))
		error = make_run_dir(socket);
	dir->error = error;
	if (!error)
		snprintf(dir->path, sizeof(dir->path), "%s", staged.path);
}

/* Set the loader's path parameter back. In the second process. */
void loader_leave(void)
{
	if (staged.parent)
		restore_parameter(staged.fd, staged.path);
}

/* Remove the directory for copies, if there is one. In the second process. */
void loader_remove(void)
{
	int parent;

	if (!staged.parent)
		return;
	parent = open(staged.parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	remove_dir(parent, staged.path, staged.fd);
	close(parent);
	staged.parent = NULL;
}

/* ---- images ---- */

static bool is_printable(const char *name)
{
	for (; *name; name++)
		if (*name < 0x20 || *name > 0x7e)
			return false;
	return true;
}

/* Find the name under which the loader finds this very file. Return whether there is one. */
static bool find_in_search_path(const char *path, char name[IMAGE_NAME_SIZE])
{
	char *parameter = host_read(PATH_PARAMETER);
	char dirs[5][PATH_MAX];
	struct utsname system;
	struct stat ours, found;
	size_t i, j, length;
	bool good = false;

	uname(&system);
	snprintf(dirs[0], PATH_MAX, "%s", parameter ? parameter : "");
	snprintf(dirs[1], PATH_MAX, FIRMWARE "/updates/%s", system.release);
	snprintf(dirs[2], PATH_MAX, FIRMWARE "/updates");
	snprintf(dirs[3], PATH_MAX, FIRMWARE "/%s", system.release);
	snprintf(dirs[4], PATH_MAX, FIRMWARE);
	free(parameter);
	if (stat(path, &ours))
		return false;

	for (i = 0; i < ARRAY_SIZE(dirs) && !good; i++) {
		char real[PATH_MAX], other[2 * PATH_MAX];

		if (!dirs[i][0] || !realpath(dirs[i], real))
			continue;
		length = strlen(real);
		if (strncmp(path, real, length) || path[length] != '/')
			continue;
		if (strlen(path + length + 1) >= IMAGE_NAME_SIZE || !is_printable(path))
			continue;
		snprintf(name, IMAGE_NAME_SIZE, "%s", path + length + 1);
		/* An earlier directory of the search path may have another file of that name. */
		for (j = 0; j < ARRAY_SIZE(dirs); j++) {
			if (!dirs[j][0])
				continue;
			snprintf(other, sizeof(other), "%s/%s", dirs[j], name);
			if (!stat(other, &found)) {
				good = found.st_dev == ours.st_dev && found.st_ino == ours.st_ino;
				break;
			}
		}
	}
	return good;
}

/* Copy at most one page more than the largest image: enough to be refused as too large. */
static void copy(const char *from, const char *to)
{
	size_t left = TDXU_IMAGE_MAX_SIZE + TDX_PAGE_SIZE;
	ssize_t sent = 1;
	int in, out;

	in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (in < 0)
		fail(TOOL_NO_INPUT, "%s: %s", from, strerror(errno));
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		fail(TOOL_SYSTEM, "%s: %s", to, strerror(errno));
	while (left && (sent = sendfile(out, in, NULL, left)) > 0)
		left -= sent;
	if (sent < 0 || close(out))
		fail(TOOL_SYSTEM, "cannot copy %s to %s: %s", from, to, strerror(errno));
	close(in);
}

/* Return the directory for copies. It is made when the first image needs it. */
static const char *copies_dir(const char *path)
{
	static struct loader_dir dir;

	if (!dir.path[0])
		undo_directory(&dir);
	if (dir.error == EWOULDBLOCK)
		fail(TOOL_TRY_AGAIN,
		     "%s: another tdx-update has used the loader's path for %d s; try again",
		     path, PARAMETER_WAIT_S);
	if (dir.error)
		fail(TOOL_SYSTEM,
		     "%s: cannot write " FIRMWARE " or the loader's path: %s",
		     path, strerror(dir.error));
	return dir.path;
}

/* The names given so far, and the paths they stand for. */
static struct given {
	char name[IMAGE_NAME_SIZE];
	char path[IMAGE_NAME_SIZE];
	struct given *next;
} *all_given;

/**
 * loader_path() - the path that a name stands for
 * @name: a name that loader_name() has given
 *
 * Return: an absolute path as the user named it, escaped as text_put() does; shortened at its
 * beginning if it does not fit into a name of the module. NULL for any other name.
 */
const char *loader_path(const char *name)
{
	const struct given *given = all_given;

	while (given && strcmp(given->name, name))
		given = given->next;
	return given ? given->path : NULL;
}

static void remember(const char *name, const char *path)
{
	struct given *given = calloc(1, sizeof(*given));
	char *dir = path[0] == '/' ? NULL : getcwd(NULL, 0), *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!given || !out || (path[0] != '/' && !dir))
		fail(TOOL_SYSTEM, "%s: %s", path, strerror(errno));
	if (dir) {
		text_put(out, dir);
		fputc('/', out);
	}
	text_put(out, path);
	fclose(out);
	snprintf(given->name, sizeof(given->name), "%s", name);
	if (length < sizeof(given->path))
		strcpy(given->path, text);
	else
		snprintf(given->path, sizeof(given->path), "/...%s",
			 text + length - sizeof(given->path) + 5);
	given->next = all_given;
	all_given = given;
	free(dir);
	free(text);
}

/**
 * loader_name() - find or make a name by which the firmware loader finds an image
 * @file: the image
 * @name: filled in; valid until undo_end()
 *
 * Ends the program, with every change undone, if the image cannot be offered to the loader.
 */
void loader_name(const struct file *file, char name[IMAGE_NAME_SIZE])
{
	char real[PATH_MAX], to[PATH_MAX];
	static unsigned int copies;
	const char *base, *dir;

	if (!realpath(file->path, real))
		fail(TOOL_NO_INPUT, "%s: %s", file->path, strerror(errno));
	if (file->source == file->path && find_in_search_path(real, name)) {
		remember(name, file->path);
		return;
	}

	dir = copies_dir(file->path);
	/* Keep the file's own name. The number tells apart two of one name. */
	base = strrchr(real, '/') + 1;
	if (!is_printable(base) || strlen(base) > IMAGE_NAME_SIZE - 64)
		base = "image";
	snprintf(to, sizeof(to), "%s/%u-%s", dir, ++copies, base);
	copy(file->source, to);
	/* The name is relative to the parameter's directory if that is ours, else to FIRMWARE. */
	base = to + strlen(parameter_is(dir) ? dir : FIRMWARE) + 1;
	snprintf(name, IMAGE_NAME_SIZE, "%s", base);
	remember(name, file->path);
}
