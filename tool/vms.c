// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names the processes that may be in the way of an update: those with a VM of KVM that has not run
 * yet. The virtual CPUs of a TD do not run before it is built. KVM's debugfs has a directory for
 * each VM, PROCESS-FD, but does not tell which VM is a TD.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "tool.h"

#define KVM	"kernel/debug/kvm"

static bool has_run(const char *vm)
{
	char file[PATH_MAX], *exits;
	bool run;

	snprintf(file, sizeof(file), KVM "/%s/exits", vm);
	exits = host_read(file);
	run = !exits || strcmp(exits, "0");
	free(exits);
	return run;
}

static json_t *command_of(int process)
{
	char path[40], name[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", process);
	file = fopen(path, "re");
	if (file) {
		if (fgets(name, sizeof(name), file))
			name[strcspn(name, "\n")] = '\0';
		fclose(file);
	}
	return *name ? text_json(name) : json_null();
}

/* Return the processes with a VM that has not run yet, or NULL with errno set. */
static json_t *find_builders(void)
{
	json_t *builders = json_array();
	struct dirent *entry;
	char path[PATH_MAX];
	int process, fd;
	DIR *dir;

	host_path(KVM, path);
	dir = opendir(path);
	if (!dir) {
		json_decref(builders);
		return NULL;
	}
	while ((entry = readdir(dir)))
		if (sscanf(entry->d_name, "%d-%d", &process, &fd) == 2 && !has_run(entry->d_name))
			json_array_append_new(builders, json_pack("{s:i, s:o}", "process", process,
								  "command", command_of(process)));
	closedir(dir);
	return builders;
}

/**
 * vms_hint() - name what may be in the way of an update
 * @answer: an answer; ignored unless it is update-race
 * @options: without --json, name them in words, too
 * @json: gets the processes as "not_run_yet"; null if KVM's debugfs cannot be read
 */
void vms_hint(const struct answer *answer, const struct options *options, json_t *json)
{
	json_t *builders, *builder;
	size_t i;

	if (!answer->has_result || answer->result != TDXU_UPDATE_RACE)
		return;
	builders = find_builders();
	json_object_set_new(json, "not_run_yet", builders ?: json_null());
	if (options->json)
		return;
	if (!builders)
		note("cannot tell which TD is in the way: /sys/" KVM ": %s", strerror(errno));
	json_array_foreach(builders, i, builder)
		note("may be in the way: process %lld (%s), whose VM has not run yet",
		     record_number(builder, "process"),
		     record_text(builder, "command") ?: "it has ended");
	if (builders && !json_array_size(builders))
		note("every VM has run by now; a TD may have been exported or imported");
}
