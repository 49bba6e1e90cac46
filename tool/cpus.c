// SPDX-License-Identifier: GPL-2.0-only
/*
 * Brings present CPUs online for an update, because every CPU has to make a SEAMCALL in it. The
 * second process (undo.c) takes them offline again, however this command ends.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool.h"

#define CPU		"devices/system/cpu/"
#define SMT_CONTROL	CPU "smt/control"
#define MAX_CPUS	8192		/* the most that an x86 kernel can be built for */

struct cpus {
	bool has[MAX_CPUS];
};

/* Parse a file with a list such as 0-3,5. */
static void read_cpus(const char *file, struct cpus *cpus)
{
	char *text = host_read(file), *at = text, *end;
	unsigned long first, last;

	memset(cpus, 0, sizeof(*cpus));
	while (at && *at) {
		first = strtoul(at, &end, 10);
		last = *end == '-' ? strtoul(end + 1, &end, 10) : first;
		if (end == at || last < first || last >= MAX_CPUS)
			fail(TOOL_SYSTEM, "%s: not a list of CPUs: %s", file, text);
		while (first <= last)
			cpus->has[first++] = true;
		at = *end == ',' ? end + 1 : end;
	}
	free(text);
}

static size_t read_offline(struct cpus *offline)
{
	struct cpus online;
	size_t cpu, count = 0;

	read_cpus(CPU "present", offline);
	read_cpus(CPU "online", &online);
	for (cpu = 0; cpu < MAX_CPUS; cpu++) {
		offline->has[cpu] &= !online.has[cpu];
		count += offline->has[cpu];
	}
	return count;
}

/* Check whether every present CPU is online. */
bool cpus_all_online(void)
{
	struct cpus offline;

	return !read_offline(&offline);
}

/**
 * cpus_hint() - point out --online-cpus if it helps against a refusal
 * @answer: an answer; ignored unless it is cpu-offline and a present CPU is offline
 */
void cpus_hint(const struct answer *answer)
{
	if (answer->has_result && answer->result == TDXU_CPU_OFFLINE && !cpus_all_online())
		note("'apply --online-cpus' brings them online, for the update only");
}

/*
 * Bring a CPU or SMT online. undo_file() has been called for @file. EBUSY is transient: the kernel
 * starts another kernel or suspends.
 */
static void switch_on(const char *file, const char *on)
{
	int error, tries = 0;

	do {
		error = host_put(file, on, strlen(on));
		stop_if_signalled();
	} while (error == EBUSY && tries++ < 50 && !usleep(100000));
	if (error)
		note("/sys/%s: cannot be set to %s: %s", file, on, strerror(error));
}

/* While SMT is off, the kernel refuses to bring its threads online one by one. */
static bool smt_must_go_on(void)
{
	char *control = host_read(SMT_CONTROL);
	bool off = control && !strcmp(control, "off");

	if (control && !strcmp(control, "forceoff"))
		note("SMT is forced off (nosmt=force): its threads need a reboot to come online");
	free(control);
	return off;
}

static void name_file(size_t cpu, char file[48])
{
	snprintf(file, 48, CPU "cpu%zu/online", cpu);
}

static char *list_of(const struct cpus *cpus)
{
	size_t cpu, last, size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		fail(TOOL_SYSTEM, "out of memory");
	for (cpu = 0; cpu < MAX_CPUS; cpu = last + 1) {
		last = cpu;
		if (!cpus->has[cpu])
			continue;
		while (last + 1 < MAX_CPUS && cpus->has[last + 1])
			last++;
		fprintf(out, "%s%zu", ftell(out) ? "," : "", cpu);
		if (last > cpu)
			fprintf(out, "-%zu", last);
	}
	fclose(out);
	return text;
}

/**
 * cpus_bring_online() - bring every present CPU online until undo_end()
 * @json: "cpus_brought_online" is added, a list such as 1,3-5
 *
 * A CPU that stays offline is named on standard error, and the update will be refused for it.
 */
void cpus_bring_online(json_t *json)
{
	struct cpus before, offline;
	size_t count = read_offline(&before), cpu;
	bool smt = count && smt_must_go_on();
	char file[48], *list;

	/*
	 * Switching SMT on may bring any CPU online, so register all of them first. The last
	 * change is undone first, so SMT goes off after the CPUs.
	 */
	if (smt)
		undo_file(UNDO_CPU, SMT_CONTROL, "on", "off");
	for (cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (!before.has[cpu])
			continue;
		name_file(cpu, file);
		undo_file(UNDO_CPU, file, "1", "0");
	}
	if (smt)
		switch_on(SMT_CONTROL, "on");
	read_offline(&offline);
	for (cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (!offline.has[cpu])
			continue;
		name_file(cpu, file);
		switch_on(file, "1");
	}
	count -= read_offline(&offline);
	for (cpu = 0; cpu < MAX_CPUS; cpu++)
		before.has[cpu] &= !offline.has[cpu];
	list = list_of(&before);
	if (count)
		note("online for this update: CPU %s", list);
	json_object_set_new(json, "cpus_brought_online", json_string(list));
	free(list);
}
