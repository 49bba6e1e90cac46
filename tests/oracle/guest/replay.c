// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replays sequences of SEAMCALLs against the emulator, in the guest, and compares its answers with
 * those of the oracle, made on the host. It needs tdx_emu.ko and tdx_seq.ko.
 *
 *	tdx-seq-replay FILE
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format.h"

#define EMU		"/sys/kernel/debug/tdx_emu/"
#define SEQ		"/sys/kernel/debug/tdx_seq/"
#define MAX_SHOWN	20u

#define P_LEAF		(1ull << 63)

/* Offsets in SEAMLDR_PARAMS. */
#define PARAMS_SCENARIO		4
#define PARAMS_SIGSTRUCT	8
#define PARAMS_RESERVED		16
#define PARAMS_NR_PAGES		120
#define PARAMS_PAGES		128
#define PARAMS_MAX_PAGES	496

/* Offsets in the answers of SEAMLDR.INFO and SEAMLDR.SEAMINFO. */
#define INFO_REMAINING		28
#define INFO_VALID		32
#define INFO_SVN_MINOR		40
#define INFO_SVN_MAJOR		41
#define INFO_MRSEAM		56
#define INFO_READY		160
#define INFO_FEATURES0		168
#define SEAMINFO_LPS		8

static const u8 *file, *file_end;
static const u8 *contents;
static int memory_fd, calls_fd;
static u64 base;
static u8 pool[SEQ_POOL_SIZE];
static unsigned long sequences, calls, agree, differences;

static void die(const char *what)
{
	fprintf(stderr, "tdx-seq-replay: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static const void *take(size_t size)
{
	const u8 *taken = file;

	if (size > (size_t)(file_end - file)) {
		errno = EINVAL;
		die("the file ends too early");
	}
	file += size;
	return taken;
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd))
		die(path);
}

static u64 address(u64 value)
{
	return value < SEQ_POOL_SIZE ? base + value : value;
}

static void put(u8 *page, unsigned int offset, u64 value, unsigned int size)
{
	memcpy(page + offset, &value, size);
}

static void load_operand(const struct seq_operand *operand, u8 *page)
{
	unsigned int i, last;

	memset(page, 0, SEQ_PAGE);
	put(page, 0, operand->version, 4);
	put(page, PARAMS_SCENARIO, operand->scenario, 4);
	put(page, PARAMS_SIGSTRUCT, address(operand->sigstruct), 8);
	page[PARAMS_RESERVED + operand->reserved_at] = operand->reserved_value;
	put(page, PARAMS_NR_PAGES, operand->nr_pages, 8);
	for (i = 0; i < PARAMS_MAX_PAGES && i < operand->nr_pages; i++) {
		last = i < SEQ_LISTED_PAGES ? i : SEQ_LISTED_PAGES - 1;
		put(page, PARAMS_PAGES + 8 * i, address(operand->pages[last]), 8);
	}
}

/* Set up the memory of a sequence. Fill output pages, so that a missing write is noticed. */
static void load(const struct seq_sequence *sequence)
{
	const struct seq_load *loads = take(sequence->nr_loads * sizeof(*loads));
	const struct seq_operand *operands = take(sequence->nr_operands * sizeof(*operands));
	unsigned int i;

	memset(pool, 0xa5, SEQ_OPERAND_PAGE * SEQ_PAGE);
	for (i = 0; i < sequence->nr_operands; i++)
		load_operand(&operands[i], pool + (SEQ_OPERAND_PAGE + i) * SEQ_PAGE);
	for (i = 0; i < sequence->nr_loads; i++)
		memcpy(pool + loads[i].page * SEQ_PAGE, contents + loads[i].content * SEQ_PAGE,
		       SEQ_PAGE);
	if (pwrite(memory_fd, pool, sizeof(pool), 0) != sizeof(pool))
		die("memory");
}

static u64 get(const u8 *bytes, unsigned int size)
{
	u64 value = 0;

	memcpy(&value, bytes, size);
	return value;
}

static const char *wrong_info(const struct seq_call *call, const u8 *page)
{
	if (call->checks & SEQ_CHECK_REMAINING &&
	    get(page + INFO_REMAINING, 4) != call->info.remaining)
		return "num_remaining_updates";
	if (get(page + INFO_VALID, 8) != call->info.valid)
		return "valid";
	if (page[INFO_SVN_MINOR] != call->info.svn_minor ||
	    page[INFO_SVN_MAJOR] != call->info.svn_major)
		return "TEE_TCB_SVN";
	if (call->checks & SEQ_CHECK_MRSEAM && memcmp(page + INFO_MRSEAM, call->info.mrseam, 48))
		return "MRSEAM";
	if (page[INFO_READY] != call->info.ready)
		return "seam_ready";
	if (!(get(page + INFO_FEATURES0, 8) & 2))
		return "features0";
	return NULL;
}

/* The emulator returns from a call that would stop its LP, and shows that in its state. */
static bool has_stopped(void)
{
	char state[4096];
	int fd = open(EMU "state", O_RDONLY);
	ssize_t size = read(fd, state, sizeof(state) - 1);

	if (fd < 0 || size < 0 || close(fd))
		die(EMU "state");
	state[size] = '\0';
	return strstr(state, "fatal=") && !strstr(state, "fatal=none");
}

/* Return what differs from the expected answer, or NULL. */
static const char *wrong(const struct seq_call *call, const struct seq_registers *answer,
			 const u8 *page)
{
	if (call->checks & SEQ_LAST)
		return has_stopped() ? NULL : "the LP does not stop";
	if (answer->rax != call->want_rax)
		return "RAX";
	if (call->checks & SEQ_CHECK_RDX && answer->rdx != call->want_rdx)
		return "RDX";
	if (call->checks & SEQ_CHECK_R8 && answer->r8 != call->want_r8)
		return "R8";
	if (call->checks & SEQ_CHECK_INFO)
		return wrong_info(call, page);
	if (call->checks & SEQ_CHECK_SEAMINFO &&
	    memcmp(page + SEAMINFO_LPS, &call->seaminfo, sizeof(call->seaminfo)))
		return "SEAMINFO";
	return NULL;
}

static void show_registers(const char *name_1, u64 value_1, const char *name_2, u64 value_2,
			   const char *name_3, u64 value_3)
{
	printf("%s 0x%llx %s 0x%llx %s 0x%llx", name_1, (unsigned long long)value_1, name_2,
	       (unsigned long long)value_2, name_3, (unsigned long long)value_3);
}

static void show(u64 seed, const struct seq_sequence *sequence, const struct seq_call *calls_made,
		 const struct seq_registers *answers, unsigned int at, const char *what)
{
	unsigned int i;

	if (differences > MAX_SHOWN)
		return;
	printf("difference: seed %llu sequence %u call %u: %s\n", (unsigned long long)seed,
	       sequence->number, at, what);
	for (i = 0; i <= at; i++) {
		const struct seq_call *call = &calls_made[i];

		printf("  %2u lp %u", i, call->lp);
		show_registers(" RAX", call->rax, "RCX", call->rcx, "RDX", call->rdx);
		show_registers(" -> RAX", answers[i].rax, "RDX", answers[i].rdx, "R8",
			       answers[i].r8);
		show_registers(", oracle RAX", call->want_rax, "RDX", call->want_rdx, "R8",
			       call->want_r8);
		printf(" (%s)\n", call->rule);
	}
}

/* Run a sequence. The first difference ends it, because later calls start from another state. */
static void run(u64 seed, const struct seq_sequence *sequence)
{
	struct seq_registers registers[SEQ_MAX_CALLS] = { 0 };
	const struct seq_call *todo;
	unsigned int i;

	load(sequence);
	todo = take(sequence->nr_calls * sizeof(*todo));
	write_text(EMU "reset", "1");
	for (i = 0; i < sequence->nr_calls; i++)
		registers[i] = (struct seq_registers){
			.lp = todo[i].lp,
			.rax = todo[i].rax,
			.rcx = todo[i].rax & P_LEAF ? address(todo[i].rcx) : todo[i].rcx,
			.rdx = todo[i].rdx,
			.r8 = todo[i].r8,
		};
	if (write(calls_fd, registers, sequence->nr_calls * sizeof(registers[0])) < 0)
		die("calls");
	if (pread(calls_fd, registers, sizeof(registers), 0) < 0 ||
	    pread(memory_fd, pool, SEQ_OPERAND_PAGE * SEQ_PAGE, 0) < 0)
		die("answers");

	sequences++;
	for (i = 0; i < sequence->nr_calls; i++) {
		const char *what = wrong(&todo[i], &registers[i], pool + i * SEQ_PAGE);

		calls++;
		if (what) {
			differences++;
			show(seed, sequence, todo, registers, i, what);
			return;
		}
		agree++;
	}
	/* No LP may have stopped if the oracle expects none to. */
	if (!(todo[i - 1].checks & SEQ_LAST) && has_stopped()) {
		differences++;
		show(seed, sequence, todo, registers, i - 1, "an LP has stopped");
	}
}

static void open_file(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	file = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED)
		die(path);
	file_end = file + st.st_size;
}

int main(int argc, char **argv)
{
	const struct seq_platform *platforms;
	const struct seq_header *header;
	u32 i, platform = ~0u;
	int fd;

	if (argc != 2) {
		fputs("usage: tdx-seq-replay FILE\n", stderr);
		return 2;
	}
	open_file(argv[1]);
	header = take(sizeof(*header));
	if (header->magic != SEQ_MAGIC || header->lps != sysconf(_SC_NPROCESSORS_CONF)) {
		errno = EINVAL;
		die("no file of sequences for this number of CPUs");
	}
	platforms = take(header->nr_platforms * sizeof(*platforms));
	contents = take((size_t)header->nr_contents * SEQ_PAGE);

	memory_fd = open(SEQ "memory", O_RDWR);
	calls_fd = open(SEQ "calls", O_RDWR);
	fd = open(SEQ "base", O_RDONLY);
	if (memory_fd < 0 || calls_fd < 0 || fd < 0 ||
	    read(fd, &base, sizeof(base)) != sizeof(base))
		die(SEQ);

	for (i = 0; i < header->nr_sequences; i++) {
		const struct seq_sequence *sequence = take(sizeof(*sequence));

		if (sequence->platform != platform) {
			platform = sequence->platform;
			write_text(EMU "platform", platforms[platform].platform);
			write_text(EMU "module", platforms[platform].module);
		}
		run(header->seed, sequence);
	}
	printf("%lu sequences, %lu calls: %lu as the oracle says (%lu.%02lu %%), %lu differences\n",
	       sequences, calls, agree, calls ? 100 * agree / calls : 0,
	       calls ? 10000 * agree / calls % 100 : 0, differences);
	return differences || !calls ? EXIT_FAILURE : EXIT_SUCCESS;
}
