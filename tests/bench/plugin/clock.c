// SPDX-License-Identifier: GPL-2.0-only
/*
 * A QEMU plugin that gives each guest CPU a clock of its own inside a blackout. What a rendezvous
 * takes on these clocks does not depend on the machine that emulates it:
 *
 * - An instruction takes a nanosecond.
 * - A SEAMCALL takes LEAF_NS, VMPTRST and VMPTRLD take VMX_NS, however long the trap takes.
 * - A cache line that another CPU has written arrives after LINE_NS. It cannot go to yet another
 *   CPU for a quarter of that. A plain store does not stop its CPU, and stores stay in order. A
 *   locked instruction waits for its line.
 * - Polling takes no time. If a CPU's path from one PAUSE to the next is the same as the path
 *   before it, the CPU has waited, and its clock goes back. The CPU sees a new value when the line
 *   arrives.
 *
 * QEMU runs all guest CPUs in one thread and so decides their order. The clocks then say when. Only
 * lines written during the blackout move: all caches are warm at its beginning.
 *
 * The guest prints where each driver's code is, one line a driver. The plugin reads them from the
 * file log= (the guest's serial port):
 *
 *	code DRIVER LOW HIGH BLACKOUT STOP_LOW STOP_HIGH
 *
 * Addresses are hexadecimal: the first and the last function of the driver, the function that
 * stop_machine() calls, and the range of the kernel's function that it returns to. After each
 * blackout the plugin writes a line to the file out=: how many SEAMCALLs it had, how long it took,
 * and how long a firmware takes that runs every TDH.SYS.LP.INIT at once, in nanoseconds.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "qemu_plugin.h"

#define EXPORT		__attribute__((visibility("default")))
#define LEAF_NS		20000
#define LINE_NS		100
#define VMX_NS		50
#define MAX_CPUS	64u
#define MAX_DRIVERS	2u
#define LINES		65536u			/* a power of two */
#define LINE_SHIFT	6
#define PAGE_MASK	0xfffull
#define KERNEL		0xffff800000000000ull
#define MODULES		0xffffffffa0000000ull	/* and above: may be a module */

EXPORT int qemu_plugin_version = PLUGIN_API_VERSION;

struct line {
	uint64_t key;				/* address, and number of the blackout */
	uint64_t free;				/* time from which it can go to another CPU */
	uint64_t sharers;			/* CPUs that have it, as bits */
	int owner;				/* CPU that wrote it last; -1: none */
};

struct cpu {
	uint64_t now;
	uint64_t stored;			/* time at which all CPUs see its last store */
	/* Since the last PAUSE. */
	uint64_t began, path, last_path;
	bool called;
	bool inside;				/* the blackout */
	bool in_trap;
};

enum { ENDS_OTHERWISE, ENDS_PAUSE, ENDS_SEAMCALL, ENDS_VMX };

/* A translated piece of code. */
struct block {
	uint64_t vaddr;
	unsigned int insns;
	int end;
};

static struct driver {
	char name[64];
	uint64_t low, high, blackout, stop_low, stop_high;
} drivers[MAX_DRIVERS];

static const char *log_path;
static FILE *out;
static const struct driver *driver;		/* the driver whose blackout it is */
static struct cpu cpus[MAX_CPUS];
static struct line lines[LINES];
static unsigned int num_drivers, num_cpus, num_inside, num_left, num_calls;
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
		/* A line of an earlier blackout is a free place. */
		if ((line->key & 0xfffff) != (blackouts & 0xfffff)) {
			*line = (struct line){ .key = key, .owner = -1 };
			return line;
		}
	}
	fprintf(stderr, "clock: too many lines in one blackout\n");
	abort();
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
	cpu->now = start + LINE_NS;
	line->free = start + LINE_NS / 4;
}

static void store(unsigned int i, struct line *line, bool locked)
{
	struct cpu *cpu = &cpus[i];
	uint64_t seen = latest(cpu->now, cpu->stored);

	if (line->sharers & ~(1ull << i))
		seen = latest(seen, line->free) + LINE_NS;
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
	if (qemu_plugin_mem_is_store(info))
		store(i, line, locked);
	else if (!locked)		/* a locked instruction waits for its line in store() */
		load(i, line);
}

static void end_segment(struct cpu *cpu)
{
	if (!cpu->called && cpu->path == cpu->last_path)
		cpu->now = cpu->began;
	cpu->last_path = cpu->path;
	cpu->began = cpu->now;
	cpu->path = 0;
	cpu->called = false;
}

static void report(void)
{
	uint64_t end = 0;
	unsigned int i;

	for (i = 0; i < num_cpus; i++)
		end = latest(end, cpus[i].now);
	fprintf(out, "blackout driver=%s cpus=%u calls=%u ns=%" PRIu64 " path=%" PRIu64 "\n",
		driver->name, num_inside, num_calls, end,
		(num_calls - (num_inside - 1)) * (uint64_t)LEAF_NS);
	fflush(out);
}

static const struct driver *find_driver(uint64_t vaddr)
{
	unsigned int i;

	for (i = 0; i < num_drivers; i++)
		if (drivers[i].blackout == vaddr)
			return &drivers[i];
	return NULL;
}

static void enter(struct cpu *cpu)
{
	if (!num_inside) {
		blackouts++;
		memset(cpus, 0, sizeof(cpus));
		num_left = 0;
		num_calls = 0;
	}
	num_inside++;
	cpu->inside = true;
}

static void leave(struct cpu *cpu)
{
	end_segment(cpu);
	cpu->inside = false;
	/* All CPUs are inside before the first one can leave. */
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
		const struct driver *entered = find_driver(block->vaddr);

		if (!entered)
			return;
		driver = entered;
		enter(cpu);
	}
	if (cpu->in_trap) {
		if (block->vaddr < driver->low || block->vaddr > driver->high)
			return;
		cpu->in_trap = false;
	}
	if (block->vaddr >= driver->stop_low && block->vaddr < driver->stop_high) {
		leave(cpu);
		return;
	}

	cpu->now += block->insns;
	cpu->path = (cpu->path ^ block->vaddr) * 0x100000001b3ull;
	if (block->end == ENDS_PAUSE) {
		end_segment(cpu);
	} else if (block->end != ENDS_OTHERWISE) {
		num_calls += block->end == ENDS_SEAMCALL;
		cpu->now += block->end == ENDS_SEAMCALL ? LEAF_NS : VMX_NS;
		cpu->called = true;
		cpu->in_trap = true;
	}
}

/* The log grows until the first blackout. */
static void look_up_code(void)
{
	static off_t seen;
	char text[512];
	struct stat st;
	FILE *log;

	if (stat(log_path, &st) || st.st_size == seen)
		return;
	log = fopen(log_path, "r");
	if (!log)
		return;
	seen = st.st_size;
	num_drivers = 0;
	while (num_drivers < MAX_DRIVERS && fgets(text, sizeof(text), log)) {
		struct driver *d = &drivers[num_drivers];

		if (sscanf(text, "code %63s %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
			   " %" SCNx64, d->name, &d->low, &d->high, &d->blackout, &d->stop_low,
			   &d->stop_high) != 6)
			continue;
		/* Assume that the last function ends on its page. */
		d->high |= PAGE_MASK;
		num_drivers++;
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

/* Return whether it has a LOCK prefix or is an exchange. */
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
 * No code is instrumented until the first blackout is about to begin. Then QEMU drops all
 * translated code and translates it again with instrumentation.
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
		if (find_driver(vaddr) && !resetting) {
			resetting = true;
			qemu_plugin_reset(id, instrument);
		}
		return;
	}

	insns = qemu_plugin_tb_n_insns(tb);
	block = malloc(sizeof(*block));		/* never freed: QEMU keeps the code */
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
			log_path = value;
		else if (!strcmp(argv[i], "out"))
			out = fopen(value, "w");
		else
			return -1;
	}
	num_cpus = info->system.smp_vcpus;
	if (!log_path || !out || !num_cpus || num_cpus > MAX_CPUS)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
