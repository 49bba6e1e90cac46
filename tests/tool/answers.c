// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stands between the command and a sysfs of ordinary files, preloaded: a write to update, check or
 * recovery_image gets the next answer that the test has in store for that file, and last/ or
 * last_check/ tells of it. An update that succeeds or leaves TDX down also sets state.
 *
 * ANSWERS is a list of FILE:ERRNO:RESULT. The last one for a file is given again and again; without
 * any the answer is success. With the RESULT "-" last/ stays as it is, as after another attempt.
 * Each write is a line of the file ANSWERS_LOG: file, name, milliseconds of the monotonic clock.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char * const files[] = { "update", "check", "recovery_image" };

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define NUM_FILES		ARRAY_SIZE(files)

static unsigned int given[NUM_FILES];

static void put(const char *directory, const char *file, const char *text)
{
	char path[4096];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	out = fopen(path, "we");
	if (!out)
		abort();
	fprintf(out, "%s\n", text);
	fclose(out);
}

/* The next answer for a file: its errno, and the result's name. */
static int answer(unsigned int file, char result[40])
{
	char *answers = strdup(getenv("ANSWERS") ?: ""), *at = answers, *word;
	unsigned int nr = 0;
	int error = 0;

	strcpy(result, "success");
	while ((word = strsep(&at, " "))) {
		size_t length = strlen(files[file]);

		if (strncmp(word, files[file], length) || word[length] != ':')
			continue;
		if (nr++ > given[file])
			break;
		if (sscanf(word + length, ":%d:%39s", &error, result) != 2)
			abort();
	}
	given[file]++;
	free(answers);
	return error;
}

ssize_t write(int fd, const void *data, size_t size)
{
	ssize_t (*next)(int fd, const void *data, size_t size) = dlsym(RTLD_NEXT, "write");
	char link[40], path[4096], last[4200], result[40], name[600], code[12], *file;
	ssize_t length;
	struct timespec now;
	unsigned int i;
	char *slash;
	FILE *log;
	int error;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0 || !getenv("ANSWERS_LOG"))
		return next(fd, data, size);
	path[length] = '\0';
	slash = strrchr(path, '/');
	for (i = 0; i < NUM_FILES; i++)
		if (slash && !strcmp(slash + 1, files[i]))
			break;
	if (i == NUM_FILES)
		return next(fd, data, size);

	*slash = '\0';
	snprintf(name, sizeof(name), "%.*s", (int)size - 1, (const char *)data);
	/* The second line is the path that is shown. */
	file = name;
	strsep(&file, "\n");
	clock_gettime(CLOCK_MONOTONIC, &now);
	log = fopen(getenv("ANSWERS_LOG"), "ae");
	fprintf(log, "%s %s %lld\n", files[i], name,
		now.tv_sec * 1000LL + now.tv_nsec / 1000000);
	if (file)
		fprintf(log, "file %s\n", file);
	fclose(log);
	error = answer(i, result);
	if (strcmp(result, "-")) {
		snprintf(last, sizeof(last), "%s/last%s", path, i ? "_check" : "");
		snprintf(code, sizeof(code), "%d", error);
		put(last, "image", name);
		if (file)
			put(last, "file", file);
		put(last, "result", result);
		put(last, "errno", code);
		if (!i && (!error || !strcmp(result, "shut-down")))
			put(path, "state", error ? "shut-down" : "ready");
	}
	errno = error;
	if (error)
		return -1;
	if (!strcmp(files[i], "recovery_image"))
		put(path, files[i], name);
	return size;
}
