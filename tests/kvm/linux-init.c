// SPDX-License-Identifier: GPL-2.0-only
/*
 * The only process of the Linux that linux.c runs. Writes lines "init NUMBER MILLISECONDS", with
 * the time since boot, and sleeps after each. A character from the console makes it reboot. Runs
 * without a C library, so that the initramfs is small.
 */
#include <linux/reboot.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>

#define PAUSE_MS	10
#define SYSLOG_CONSOLE_LEVEL 8	/* syslog(2) */

static long call(long nr, long a, long b, long c)
{
	long result;

	asm volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c)
		     : "rcx", "r11", "memory");
	return result;
}

/* Write a number in front of END. Return its first character. */
static char *put(char *end, unsigned long number)
{
	do {
		end--;
		*end = '0' + number % 10;
		number /= 10;
	} while (number);
	return end;
}

static void print(unsigned long number, const struct timespec *ts)
{
	static const char start[] = "init ";
	char line[64], *end = line + sizeof(line), *at = end;
	int i;

	*--at = '\n';
	at = put(at, ts->tv_sec * 1000ul + ts->tv_nsec / 1000000);
	*--at = ' ';
	at = put(at, number);
	for (i = sizeof(start) - 2; i >= 0; i--)
		*--at = start[i];
	call(SYS_write, 1, (long)at, end - at);
}

__attribute__((noreturn, used)) void _start(void)
{
	struct pollfd console = { .fd = 0, .events = POLLIN };
	unsigned long number = 0;
	struct timespec ts;

	/* On a developer's machine the reboot would be a real one. */
	if (call(SYS_getpid, 0, 0, 0) != 1)
		call(SYS_exit, 1, 0, 0);
	/* Only errors and warnings may come between the lines, and then the count is wrong. */
	call(SYS_syslog, SYSLOG_CONSOLE_LEVEL, 0, 5);
	do {
		call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&ts, 0);
		print(++number, &ts);
	} while (!call(SYS_poll, (long)&console, 1, PAUSE_MS));
	call(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART);
	for (;;)
		;
}
