// SPDX-License-Identifier: GPL-2.0-only
/*
 * A second process that undoes what this command changes for a while: the directory of copies, the
 * firmware loader's path, the recovery image, CPUs. It waits until the other end of its socket
 * closes, so it does its work however the command dies, even by SIGKILL.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

/* How often a write is retried while another attempt runs or CPUs cannot be switched. */
#define TRIES		600
#define TRY_PAUSE_US	100000

/* A request to the second process: set a file back; with an empty name, make the directory. */
struct change {
	enum undo_kind kind;
	char file[48];			/* in sysfs */
	char now[IMAGE_NAME_SIZE];	/* its value while this command runs */
	char before[IMAGE_NAME_SIZE];
};

static struct {
	pid_t pid;			/* 0: no second process */
	int socket;
} helper;

/* ---- in the second process ---- */

static int write_back(const struct change *change)
{
	char line[IMAGE_NAME_SIZE + 1];
	int error, tries = 0;

	snprintf(line, sizeof(line), "%s\n", change->before);
	do {
		error = host_put(change->file, line, strlen(line));
		/* EALREADY: another attempt runs. EBUSY: the kernel cannot switch CPUs now. */
	} while ((error == EALREADY || (error == EBUSY && change->kind == UNDO_CPU)) &&
		 tries++ < TRIES && !usleep(TRY_PAUSE_US));
	return error;
}

/* Restore a file. If somebody else has changed it since, leave it alone. */
static void set_back(const struct change *change)
{
	char *value = host_read(change->file);
	int error;

	if (value && !strcmp(value, change->now)) {
		error = write_back(change);
		if (error)
			note("cannot set %s back to '%s': %s", change->file, change->before,
			     strerror(error));
		/* Rather leave no recovery image than one that was meant for this run only. */
		if (error && change->kind == UNDO_RECOVERY)
			host_put(change->file, "\n", 1);
	}
	free(value);
}

/*
 * The module checks the recovery image when it is set back. So before that the loader's path gets
 * its old value, and only after that CPUs go offline. Within a kind the last change is undone
 * first.
 */
static void set_all_back(const struct change *changes, size_t count)
{
	enum undo_kind kind;
	size_t i;

	loader_leave();
	for (kind = 0; kind < UNDO_KINDS; kind++)
		for (i = count; i-- > 0;)
			if (changes[i].kind == kind)
				set_back(&changes[i]);
	loader_remove();
}

static void serve(int socket)
{
	struct change *changes = NULL, change;
	struct loader_dir dir;
	size_t count = 0;

	while (recv(socket, &change, sizeof(change), 0) == sizeof(change)) {
		if (!change.file[0]) {
			loader_make(socket, &dir);
			send(socket, &dir, sizeof(dir), MSG_NOSIGNAL);
			continue;
		}
		changes = reallocarray(changes, count + 1, sizeof(change));
		if (!changes)
			fail(TOOL_SYSTEM, "out of memory");
		changes[count++] = change;
		/* Acknowledge: the command makes the change only after this. */
		send(socket, "", 1, MSG_NOSIGNAL);
	}
	set_all_back(changes, count);
}

/* ---- in the command ---- */

/* Ignore the signals of a terminal or a service manager: they are meant for the command. */
static void become_helper(int socket)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	serve(socket);
	_exit(0);
}

static void start_helper(void)
{
	int sockets[2];

	if (helper.pid)
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		fail(TOOL_SYSTEM, "cannot create a socket: %s", strerror(errno));
	fflush(NULL);
	helper.pid = fork();
	if (helper.pid < 0) {
		helper.pid = 0;
		fail(TOOL_SYSTEM, "cannot start the second process: %s", strerror(errno));
	}
	if (!helper.pid) {
		close(sockets[0]);
		become_helper(sockets[1]);
	}
	close(sockets[1]);
	helper.socket = sockets[0];
}

/* Send a request and wait for the reply. A signal ends the wait, and with it this command. */
static void tell_helper(const struct change *change, void *reply, size_t size)
{
	ssize_t got;

	start_helper();
	if (send(helper.socket, change, sizeof(*change), MSG_NOSIGNAL) != sizeof(*change))
		fail(TOOL_SYSTEM, "the second process has died");
	while ((got = recv(helper.socket, reply, size, 0)) < 0 && errno == EINTR)
		stop_if_signalled();
	if (got != (ssize_t)size)
		fail(TOOL_SYSTEM, "the second process has died");
}

/**
 * undo_directory() - make a directory for copies of images that lasts until undo_end()
 * @dir: filled in with the path, or with an errno
 */
void undo_directory(struct loader_dir *dir)
{
	tell_helper(&(struct change){}, dir, sizeof(*dir));
}

/**
 * undo_file() - have undo_end() restore a file in sysfs, if it still has this command's value
 * @kind: what the file is for; kinds are undone in the order of the enum
 * @file: path in sysfs
 * @now: the value that the caller is going to write
 * @before: the value to restore
 */
void undo_file(enum undo_kind kind, const char *file, const char *now, const char *before)
{
	struct change change = { .kind = kind };
	char done;

	snprintf(change.file, sizeof(change.file), "%s", file);
	snprintf(change.now, sizeof(change.now), "%s", now);
	snprintf(change.before, sizeof(change.before), "%s", before);
	tell_helper(&change, &done, sizeof(done));
}

/* Undo every change, and wait until that is done. */
void undo_end(void)
{
	if (!helper.pid)
		return;
	close(helper.socket);
	while (waitpid(helper.pid, NULL, 0) < 0 && errno == EINTR)
		;
	helper.pid = 0;
}
