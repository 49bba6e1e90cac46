// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin for QEMU that gives each CPU of the guest a clock of its own while it is in a blackout,
 * so that what a rendezvous costs does not depend on the machine that emulates it:
 *
 * - an instruction takes a nanosecond;
 * - VMPTRST and VMPTRLD take what vmx= says, a SEAMCALL what leaf= says, whatever happens in the
 *   trap;
 * - a cache line that another CPU has written takes what line= says to arrive, and cannot go to
 *   yet another one for a quarter of that. A plain store goes on meanwhile, in order with other
 *   stores; a locked instruction waits for it;
 * - waiting takes no time of its own: where a CPU's way from one PAUSE to the next is the same as
 *   from the one before, it has gone nowhere, and its clock goes back to that. What it then sees
 *   it sees when the line with it arrives.
 *
 * Who comes first is what QEMU makes it, with all of the guest's CPUs in one thread; the clocks
 * then say when. Only what CPUs write during the blackout moves: caches are warm at its beginning.
 *
 * The guest tells where the code is by a line on its serial port, which is read from log= :
 *
 *	code DRIVER LOW HIGH BLACKOUT STOP_LOW STOP_HIGH
 *
 * addresses in hexadecimal: the driver's text, the function that stop_machine() runs, and the one
 * that this returns to. For each blackout, a line of figures is written to out= .
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "qemu_plugin.h"

#define EXPORT		__attribute__((visibility("default")))
#define MAX_CPUS	64u
#define MAX_CALLS	(4 * MAX_CPUS)
#define LINES		65536u			/* a power of two; what does not fit is free */
#define LINE_SHIFT	6
#define KERNEL		0xffff800000000000ull
#define MODULES		0xffffffffa0000000ull	/* and above: may be a module */

EXPORT int qemu_plugin_version = PLUGIN_API_VERSION;

struct line {
	uint64_t key;				/* address, and number of the blackout */
	uint64_t free;				/* when it can go to another CPU */
	uint64_t sharers;			/* who has it */
	int owner;				/* who has written it last */
};

struct cpu {
	uint64_t now;
	uint64_t stored;			/* when its last store is seen by all */
	uint64_t work, waiting;			/* instructions */
	/* Since the last PAUSE. */
	uint64_t began, path, last_path, insns;
	bool called;
	bool inside;				/* the blackout */
	bool in_trap;
	bool left;
};

enum { ENDS_OTHERWISE, ENDS_PAUSE, ENDS_SEAMCALL, ENDS_VMX };

/* A translated piece of code. */
struct block {
	uint64_t vaddr;
	unsigned int insns;
	int end;
};

static struct {
	const char *log;
	FILE *out;
	uint64_t leaf, line, vmx;
} option = { .leaf = 20000, .line = 100, .vmx = 50 };

static struct {
	char driver[64];
	uint64_t low, high, blackout, stop_low, stop_high;
} code;

static struct cpu cpus[MAX_CPUS];
static struct line lines[LINES];
static uint64_t calls[MAX_CALLS];		/* when each SEAMCALL of the blackout began */
static unsigned int num_cpus, num_inside, num_left, num_calls, overflows;
static uint64_t blackouts;
static bool instrumented;

static struct line *find_line(uint64_t vaddr)
{
	uint64_t key = (vaddr >> LINE_SHIFT) << 20 | (blackouts & 0xfffff);
	uint64_t hash = (key * 0x9e3779b97f4a7c15ull) >> 40;
	unsigned int i;

	for (i = 0; i < 16; i++) {
		struct line *line = &lines[(hash + i) & (LINES - 1)];

		if (line->key == key)
			return line;
		/* One of an earlier blackout is as good as none. */
		if ((line->key & 0xfffff) != (blackouts & 0xfffff)) {
			*line = (struct line){ .key = key, .owner = -1 };
			return line;
		}
	}
	overflows++;
	return NULL;
}

static uint64_t latest(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void load(unsigned int i, struct line *line)
{
	struct cpu *cpu = &cpus[i];
	uint64_t start;

	if (line->sharers & 1ull << i)
		return;
	line->sharers |= 1ull << i;
	if (line->owner < 0)
		return;
	start = latest(cpu->now, line->free);
	cpu->now = start + option.line;
	line->free = start + option.line / 4;
}

static void store(unsigned int i, struct line *line, bool locked)
{
	struct cpu *cpu = &cpus[i];
	uint64_t seen = latest(cpu->now, cpu->stored);

	if (line->sharers & ~(1ull << i))
		seen = latest(seen, line->free) + option.line;
	cpu->stored = seen;
	if (locked)
		cpu->now = seen;
	line->owner = i;
	line->sharers = 1ull << i;
	line->free = latest(line->free, seen);
}

static void access_memory(unsigned int i, uint32_t info, uint64_t vaddr, void *locked)
{
	struct line *line;

	if (i >= MAX_CPUS || !cpus[i].inside || cpus[i].in_trap)
		return;
	line = find_line(vaddr);
	if (!line)
		return;
	if (qemu_plugin_mem_is_store(info))
		store(i, line, locked);
	else if (!locked)		/* else its store follows, and is what it waits for */
		load(i, line);
}

static void end_segment(struct cpu *cpu)
{
	if (!cpu->called && cpu->path == cpu->last_path) {
		cpu->now = cpu->began;
		cpu->waiting += cpu->insns;
	} else {
		cpu->work += cpu->insns;
	}
	cpu->last_path = cpu->path;
	cpu->began = cpu->now;
	cpu->path = 0;
	cpu->insns = 0;
	cpu->called = false;
}

static int by_time(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void report(void)
{
	uint64_t end = 0, work = 0, most = 0, waiting = 0;
	unsigned int i, n = num_inside;

	for (i = 0; i < num_cpus; i++) {
		end = latest(end, cpus[i].now);
		work += cpus[i].work;
		most = latest(most, cpus[i].work);
		waiting += cpus[i].waiting;
	}
	qsort(calls, num_calls, sizeof(*calls), by_time);
	fprintf(option.out, "model driver=%s cpus=%u leaf=%" PRIu64 " calls=%u blackout=%" PRIu64
		" work=%" PRIu64 " most=%" PRIu64 " waiting=%" PRIu64, code.driver, n, option.leaf,
		num_calls, end, work, most, waiting);
	/* An update as it should be: SHUTDOWN, n INSTALLs, INIT, n LP.INITs at a time, UPDATE. */
	if (num_calls == 2 * n + 3)
		fprintf(option.out, " path=%" PRIu64 " quiesce=%" PRIu64 " to_install=%" PRIi64
			" install=%" PRIi64 " to_init=%" PRIi64 " to_update=%" PRIi64
			" leave=%" PRIi64, (n + 4) * option.leaf, calls[0],
			calls[1] - calls[0] - option.leaf,
			calls[n] - calls[1] - (n - 1) * option.leaf,
			calls[n + 1] - calls[n] - option.leaf,
			calls[2 * n + 2] - calls[n + 1] - 2 * option.leaf,
			end - calls[2 * n + 2] - option.leaf);
	fprintf(option.out, " overflows=%u\n", overflows);
	fflush(option.out);
}

static void enter(struct cpu *cpu)
{
	if (!num_inside) {
		blackouts++;
		memset(cpus, 0, sizeof(cpus));
		num_left = 0;
		num_calls = 0;
		overflows = 0;
	}
	num_inside++;
	cpu->inside = true;
}

static void leave(struct cpu *cpu)
{
	end_segment(cpu);
	cpu->inside = false;
	/* All of them are inside before the first one can leave. */
	if (++num_left == num_inside) {
		report();
		num_inside = 0;
	}
}

static void execute(unsigned int i, void *data)
{
	const struct block *block = data;
	struct cpu *cpu = &cpus[i];

	if (i >= MAX_CPUS)
		return;
	if (!cpu->inside) {
		if (block->vaddr != code.blackout)
			return;
		enter(cpu);
	}
	if (cpu->in_trap) {
		if (block->vaddr < code.low || block->vaddr >= code.high)
			return;
		cpu->in_trap = false;
	}
	if (block->vaddr >= code.stop_low && block->vaddr < code.stop_high) {
		leave(cpu);
		return;
	}

	cpu->now += block->insns;
	cpu->insns += block->insns;
	cpu->path = (cpu->path ^ block->vaddr) * 0x100000001b3ull;
	switch (block->end) {
	case ENDS_PAUSE:
		end_segment(cpu);
		break;
	case ENDS_SEAMCALL:
		if (num_calls < MAX_CALLS)
			calls[num_calls++] = cpu->now;
		cpu->now += option.leaf;
		cpu->called = true;
		cpu->in_trap = true;
		break;
	case ENDS_VMX:
		cpu->now += option.vmx;
		cpu->called = true;
		cpu->in_trap = true;
		break;
	}
}

/* What the guest's log says last; it grows. */
static void look_up_code(void)
{
	static off_t seen;
	char text[512];
	struct stat st;
	FILE *log;

	if (stat(option.log, &st) || st.st_size == seen)
		return;
	log = fopen(option.log, "r");
	if (!log)
		return;
	seen = st.st_size;
	while (fgets(text, sizeof(text), log)) {
		char driver[sizeof(code.driver)];
		uint64_t a[5];

		if (sscanf(text, "code %63s %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
			   " %" SCNx64, driver, &a[0], &a[1], &a[2], &a[3], &a[4]) != 6)
			continue;
		strcpy(code.driver, driver);
		code.low = a[0];
		code.high = a[1];
		code.blackout = a[2];
		code.stop_low = a[3];
		code.stop_high = a[4];
	}
	fclose(log);
}

static int end_of(const struct qemu_plugin_insn *insn)
{
	const uint8_t *p = qemu_plugin_insn_data(insn);
	size_t size = qemu_plugin_insn_size(insn);

	if (size == 2 && p[0] == 0xf3 && p[1] == 0x90)
		return ENDS_PAUSE;
	if (size >= 4 && p[0] == 0x66 && p[1] == 0x0f && p[2] == 0x01 && p[3] == 0xcf)
		return ENDS_SEAMCALL;
	if (size && (p[0] & 0xf0) == 0x40) {
		p++;
		size--;
	}
	if (size >= 3 && p[0] == 0x0f && p[1] == 0xc7 && (p[2] & 0xc0) != 0xc0 &&
	    (p[2] >> 3 & 7) >= 6)
		return ENDS_VMX;
	return ENDS_OTHERWISE;
}

/* With a prefix of its own, or an exchange with memory. */
static bool is_locked(const struct qemu_plugin_insn *insn)
{
	const uint8_t *p = qemu_plugin_insn_data(insn);
	size_t i, size = qemu_plugin_insn_size(insn);

	for (i = 0; i < size; i++) {
		if (p[i] == 0xf0)
			return true;
		if (p[i] != 0x66 && p[i] != 0xf2 && p[i] != 0xf3 && (p[i] & 0xf0) != 0x40)
			return p[i] == 0x86 || p[i] == 0x87;
	}
	return false;
}

static void translate(plugin_id id, struct qemu_plugin_tb *tb);

static void instrument(plugin_id id)
{
	instrumented = true;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
}

/*
 * Nothing is looked at before the first blackout is about to begin: then all that has been
 * translated is thrown away, and what is translated from then on is looked at.
 */
static void translate(plugin_id id, struct qemu_plugin_tb *tb)
{
	uint64_t vaddr = qemu_plugin_tb_vaddr(tb);
	static bool resetting;
	struct block *block;
	size_t i, insns;

	if (vaddr < KERNEL)
		return;
	if (vaddr >= MODULES)
		look_up_code();
	if (!instrumented) {
		if (code.blackout && vaddr == code.blackout && !resetting) {
			resetting = true;
			qemu_plugin_reset(id, instrument);
		}
		return;
	}

	insns = qemu_plugin_tb_n_insns(tb);
	block = malloc(sizeof(*block));		/* for as long as QEMU runs */
	if (!block || !insns)
		abort();
	*block = (struct block){
		.vaddr = vaddr,
		.insns = insns,
		.end = end_of(qemu_plugin_tb_get_insn(tb, insns - 1)),
	};
	qemu_plugin_register_vcpu_tb_exec_cb(tb, execute, PLUGIN_CB_NO_REGS, block);
	for (i = 0; i < insns; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		qemu_plugin_register_vcpu_mem_cb(insn, access_memory, PLUGIN_CB_NO_REGS,
						 PLUGIN_MEM_RW,
						 is_locked(insn) ? (void *)1 : NULL);
	}
}

EXPORT int qemu_plugin_install(plugin_id id, const struct plugin_info *info, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (!value)
			return -1;
		*value++ = '\0';
		if (!strcmp(argv[i], "log"))
			option.log = value;
		else if (!strcmp(argv[i], "out"))
			option.out = fopen(value, "w");
		else if (!strcmp(argv[i], "leaf"))
			option.leaf = strtoull(value, NULL, 0);
		else if (!strcmp(argv[i], "line"))
			option.line = strtoull(value, NULL, 0);
		else if (!strcmp(argv[i], "vmx"))
			option.vmx = strtoull(value, NULL, 0);
		else
			return -1;
	}
	num_cpus = info->system.smp_vcpus;
	if (!option.log || !option.out || !num_cpus || num_cpus > MAX_CPUS)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
