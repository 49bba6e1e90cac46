// SPDX-License-Identifier: GPL-2.0-only
/*
 * systemd's journal, by libsystemd. The library is loaded when it is needed, so that the command
 * also runs where there is none. A failure here may not end the command, nor delay it for long.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "tool.h"

#define LIBRARY	"libsystemd.so.0"
#define SOCKET	"/run/systemd/journal/socket"

/* How long a journal that takes no messages may delay the end of this command, microseconds. */
#define LIMIT_US	500000

/**
 * journal_function() - find a function of libsystemd
 * @name: its name
 *
 * Return: the function, or NULL if there is no libsystemd or no such function.
 */
void *journal_function(const char *name)
{
	static void *library;

	if (!library)
		library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	return library ? dlsym(library, name) : NULL;
}

/* Whether there is a journal that this process may send to. */
bool journal_exists(void)
{
	return !access(SOCKET, W_OK);
}

static void on_alarm(int number)
{
	(void)number;
}

/**
 * journal_send() - send one record, if libsystemd is there and the journal takes it in time
 * @fields: the record, one KEY=VALUE each
 * @count: how many
 *
 * The library waits while the journal's queue is full. A timer, which fires again in case the wait
 * had not begun, interrupts that.
 */
void journal_send(const struct iovec *fields, int count)
{
	struct itimerval timer = { .it_value.tv_usec = LIMIT_US, .it_interval.tv_usec = LIMIT_US };
	struct sigaction action = { .sa_handler = on_alarm }, before;
	int (*send)(const struct iovec *fields, int count);

	send = journal_function("sd_journal_sendv");
	if (!send)
		return;
	sigaction(SIGALRM, &action, &before);
	setitimer(ITIMER_REAL, &timer, NULL);
	send(fields, count);
	setitimer(ITIMER_REAL, &(struct itimerval){}, NULL);
	sigaction(SIGALRM, &before, NULL);
}

/* The unit that this process belongs to, for the caller to free; NULL if none or not known. */
char *journal_unit(void)
{
	int (*get_unit)(pid_t pid, char **unit) = journal_function("sd_pid_get_unit");
	char *unit = NULL;

	return get_unit && get_unit(0, &unit) >= 0 ? unit : NULL;
}
