// SPDX-License-Identifier: GPL-2.0-only
/*
 * Updates through the driver that kernels have from 7.2 on: a firmware-upload node takes the image,
 * and reports success or failure later. That driver checks little before the shutdown, so this file
 * checks what an image file and the CPUs show.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool.h"

/* Warn of what this interface cannot promise. */
void mainline_caution(void)
{
	note("using this kernel's own driver, because tdx_update is not loaded");
	note("it does not protect TDs that are being built or migrated, checks little beforehand,");
	note("has no image to fall back to, and reports every failure as firmware-invalid");
}

static bool lists_this_cpu(const struct file *file)
{
	unsigned int eax, ebx, ecx, edx;
	u32 i;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx))
		return false;
	for (i = 0; i < file->num_cpus; i++)
		if (!((file->cpus[i] ^ eax) & ~SEAM_SIGSTRUCT_CPUID_STEPPING))
			return true;
	return false;
}

/**
 * mainline_objects() - check whether an update by mainline's driver would fail
 * @file: the image
 * @why: set to the reason if the result is true
 * @size: size of @why, bytes
 *
 * Return: whether the update would fail.
 */
bool mainline_objects(const struct file *file, char *why, size_t size)
{
	char signer[40];

	if (file->form.result)
		snprintf(why, size, "%s", result_rows[file->form.result].text);
	else if (file->container != 2)
		snprintf(why, size, "container version 1: this kernel takes version 2 only");
	else if (!strncmp(file_signer(file, signer), "unknown", 7) || file->debug_signed)
		snprintf(why, size, "signed by: %s", signer);
	else if (!lists_this_cpu(file))
		snprintf(why, size, "its CPU table lacks this CPU");
	else if (!cpus_all_online())
		snprintf(why, size, "a present CPU is offline: --online-cpus brings it online");
	else
		return false;
	return true;
}

static int write_data(const char *from)
{
	char path[PATH_MAX], buf[65536];
	int in, out, error = 0;
	ssize_t got, put, n;

	host_path(UPLOAD "data", path);
	in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return errno;
	out = open(path, O_WRONLY | O_CLOEXEC);
	if (out < 0)
		error = errno;
	while (!error && (got = read(in, buf, sizeof(buf))) > 0) {
		for (put = 0; put < got; put += n) {
			n = write(out, buf + put, got - put);
			if (n < 0) {
				error = errno;
				break;
			}
		}
	}
	close(in);
	if (out >= 0 && close(out) && !error)
		error = errno;
	return error;
}

/**
 * mainline_apply() - upload an image, and wait until the update has ended
 * @file: the image
 * @why: set to a description of the failure, or to "" on success
 * @size: size of @why, bytes
 *
 * Return: the exit status; TOOL_UNCLEAR if the node cannot tell how it failed.
 */
enum tool_exit mainline_apply(const struct file *file, char *why, size_t size)
{
	char *text;
	int error;

	why[0] = '\0';
	error = host_write(UPLOAD "loading", "1", 1);
	if (!error) {
		error = write_data(file->source);
		/* -1 discards what has been written so far. */
		if (error)
			host_write(UPLOAD "loading", "-1", 2);
		else
			error = host_write(UPLOAD "loading", "0", 1);
	}
	if (error) {
		snprintf(why, size, "upload: %s", strerror(error));
		return error == EBUSY ? TOOL_TRY_AGAIN : TOOL_SYSTEM;
	}

	/* From here on nothing can stop it. */
	while ((text = host_read(UPLOAD "status")) && strcmp(text, "idle")) {
		free(text);
		usleep(50000);
	}
	free(text);
	text = host_read(UPLOAD "error");
	if (text && !*text) {
		free(text);
		return TOOL_DONE;
	}
	snprintf(why, size, "%s", text ? text : "the outcome cannot be read");
	free(text);
	/* The driver refuses a file in phase preparing, before it shuts the TDX module down. */
	return strncmp(why, "preparing:", 10) ? TOOL_UNCLEAR : TOOL_REFUSED;
}
