// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes an image anywhere on disk one that the firmware loader finds, and leaves nothing behind.
 *
 * An image in the loader's search path is named as it is. Of any other there is a copy for as long
 * as this command runs, in a directory of its own under /lib/firmware; where that cannot be
 * written, under /run, to which the loader's path parameter then points.
 *
 * All that is temporary belongs to a second process, the keeper: it makes the directory, sets the
 * parameter, and undoes both when the other end of its socket closes, by whatever death. Should the
 * machine stop first, or both be killed, the next run finds the directory without a lock and undoes
 * it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

#define FIRMWARE	"/lib/firmware"
#define RUN		"/run"
#define PREFIX		"tdx-update."
#define PATH_PARAMETER	"module/firmware_class/parameters/path"
#define PATH_BEFORE	"path-before"	/* in the directory: what the parameter was */

/* What the keeper is told: a recovery image is being set, and which was set before. */
struct recovery_change {
	char now[IMAGE_NAME_SIZE];
	char before[IMAGE_NAME_SIZE];
};

static struct {
	pid_t pid;			/* 0: there is none */
	int socket;
	char dir[64];			/* empty: it could not make one */
} keeper;

/* ---- the loader's path parameter ---- */

/* A string of no bytes cannot be written to sysfs; a NUL ends the string where it begins. */
static int set_parameter(const char *path)
{
	return host_write(PATH_PARAMETER, path, *path ? strlen(path) : 1);
}

static bool parameter_is(const char *path)
{
	char *now = host_read(PATH_PARAMETER);
	bool same = now && !strcmp(now, path);

	free(now);
	return same;
}

/* If it still points at @dir: back to what that directory remembers. */
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

/* ---- the directory ---- */

static void remove_dir(int parent, const char *parent_path, const char *name, int fd)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *stream;

	snprintf(path, sizeof(path), "%s/%s", parent_path, name);
	restore_parameter(fd, path);
	stream = fdopendir(dup(fd));
	while (stream && (entry = readdir(stream)))
		unlinkat(fd, entry->d_name, 0);
	if (stream)
		closedir(stream);
	if (unlinkat(parent, name, AT_REMOVEDIR))
		note("cannot remove %s: %s", path, strerror(errno));
}

/* What runs that are no more have left; they would hold a lock on it. */
static void sweep(int parent, const char *parent_path)
{
	struct dirent *entry;
	DIR *stream = fdopendir(dup(parent));
	int fd;

	if (!stream)
		return;
	while ((entry = readdir(stream))) {
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)))
			continue;
		fd = openat(parent, entry->d_name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!flock(fd, LOCK_EX | LOCK_NB))
			remove_dir(parent, parent_path, entry->d_name, fd);
		close(fd);
	}
	closedir(stream);
}

/* A fresh directory, locked. Nobody sweeps meanwhile: the parent is locked, too. */
static int make_dir(const char *parent_path, char dir[64], int *parent)
{
	int fd = -1;

	*parent = open(parent_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*parent < 0)
		return -1;
	flock(*parent, LOCK_EX);
	sweep(*parent, parent_path);
	snprintf(dir, 64, "%s/" PREFIX "XXXXXX", parent_path);
	if (mkdtemp(dir)) {
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		flock(fd, LOCK_EX);
	} else {
		dir[0] = '\0';
	}
	flock(*parent, LOCK_UN);
	return fd;
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

/* ---- the keeper ---- */

/* Where the recovery image is still the one that was set for this run. */
static void restore_recovery(const struct recovery_change *change)
{
	char *now = host_read(OURS "recovery_image");
	char line[IMAGE_NAME_SIZE + 1];
	int tries = 0;
	int error;

	if (!change->now[0] || !now || strcmp(now, change->now)) {
		free(now);
		return;
	}
	free(now);

	snprintf(line, sizeof(line), "%s\n", change->before);
	/* Of another's attempt the end is awaited: it may have begun with our image. */
	while ((error = host_write(OURS "recovery_image", line, strlen(line))) == EALREADY &&
	       tries++ < 600)
		usleep(100000);
	if (!error)
		return;
	note("recovery image %s is none for the module that runs now (%s); there is none set now",
	     change->before, strerror(error));
	host_write(OURS "recovery_image", "\n", 1);
}

static void keep(int socket)
{
	struct recovery_change change = {}, next;
	char dir[64] = "";
	int parameter_lock = -1;
	int fd, parent = -1;

	fd = make_dir(FIRMWARE, dir, &parent);
	if (fd < 0) {
		char path[PATH_MAX];

		/* One parameter: whoever else needs it waits for us. */
		host_path(PATH_PARAMETER, path);
		if (host_may_write(PATH_PARAMETER))
			parameter_lock = open(path, O_RDONLY | O_CLOEXEC);
		if (parameter_lock >= 0 && !flock(parameter_lock, LOCK_EX)) {
			fd = make_dir(RUN, dir, &parent);
			if (fd >= 0 && (!remember_parameter(fd) || set_parameter(dir))) {
				remove_dir(parent, RUN, strrchr(dir, '/') + 1, fd);
				dir[0] = '\0';
				fd = -1;
			}
		}
	}

	if (write(socket, dir, sizeof(dir)) == sizeof(dir))
		while (read(socket, &next, sizeof(next)) == sizeof(next))
			change = next;

	restore_recovery(&change);
	if (fd >= 0) {
		char *name = strrchr(dir, '/');

		*name = '\0';
		remove_dir(parent, dir, name + 1, fd);
	}
}

/* Only what is for all to see may be held open by it, as it may outlive this command. */
static void start_keeper(void)
{
	int sockets[2], null;

	if (keeper.pid)
		return;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		fail(TOOL_SYSTEM, "no socket: %s", strerror(errno));
	fflush(NULL);
	keeper.pid = fork();
	if (keeper.pid < 0)
		fail(TOOL_SYSTEM, "no second process: %s", strerror(errno));
	if (!keeper.pid) {
		/* No terminal's signal, nor one to the process group, is for this one. */
		setsid();
		signal(SIGHUP, SIG_IGN);
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		signal(SIGPIPE, SIG_IGN);
		null = open("/dev/null", O_RDWR);
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		close(sockets[0]);
		keep(sockets[1]);
		_exit(0);
	}
	close(sockets[1]);
	keeper.socket = sockets[0];
	if (recv(keeper.socket, keeper.dir, sizeof(keeper.dir), MSG_WAITALL) != sizeof(keeper.dir))
		fail(TOOL_SYSTEM, "the second process has died");
}

/**
 * reach_end() - undo all of it, and wait until that is done
 */
void reach_end(void)
{
	if (!keeper.pid)
		return;
	close(keeper.socket);
	while (waitpid(keeper.pid, NULL, 0) < 0 && errno == EINTR)
		;
	keeper.pid = 0;
}

/**
 * reach_set_recovery() - have the recovery image set back at the end
 * @name: what it is going to be set to
 */
void reach_set_recovery(const char *name)
{
	struct recovery_change change = {};
	char *before = host_read(OURS "recovery_image");

	if (!before)
		fail(errno == EACCES ? TOOL_NO_PERMISSION : TOOL_UNAVAILABLE,
		     "cannot read the recovery image that is set: %s", strerror(errno));
	snprintf(change.now, sizeof(change.now), "%s", name);
	snprintf(change.before, sizeof(change.before), "%s", before);
	free(before);
	start_keeper();
	if (write(keeper.socket, &change, sizeof(change)) != sizeof(change))
		fail(TOOL_SYSTEM, "the second process has died");
}

/* ---- images ---- */

static bool is_printable(const char *name)
{
	for (; *name; name++)
		if (*name < 0x20 || *name > 0x7e)
			return false;
	return true;
}

/* The name under which the loader finds this very file, if it does. */
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
		/* Unless another file of that name comes first. */
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

/* No more of it than shows the kernel module that it is too large. */
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

/**
 * reach() - a name by which the firmware loader finds an image, until reach_end()
 * @path: where it is
 * @name: filled in
 *
 * What cannot be reached ends this program; nothing is left behind then either.
 */
void reach(const char *path, char name[IMAGE_NAME_SIZE])
{
	char real[PATH_MAX], to[PATH_MAX];
	static unsigned int copies;
	const char *base;

	if (!realpath(path, real))
		fail(TOOL_NO_INPUT, "%s: %s", path, strerror(errno));
	if (find_in_search_path(real, name))
		return;

	start_keeper();
	if (!keeper.dir[0])
		fail(TOOL_SYSTEM,
		     "%s is not in " FIRMWARE ", which cannot be written, nor the loader's path",
		     path);
	/* Its own name, for the kernel log to show; numbered, as two may be called the same. */
	base = strrchr(real, '/') + 1;
	if (!is_printable(base) || strlen(base) > IMAGE_NAME_SIZE - 64)
		base = "image";
	snprintf(to, sizeof(to), "%s/%u-%s", keeper.dir, ++copies, base);
	copy(real, to);
	/* From the parameter's directory the name is one component, from FIRMWARE two. */
	base = to + strlen(parameter_is(keeper.dir) ? keeper.dir : FIRMWARE) + 1;
	snprintf(name, IMAGE_NAME_SIZE, "%s", base);
}
