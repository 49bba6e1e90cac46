// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes mutants of valid images and has image.c and plan.c check them. The firmware reads the
 * sigstruct's 2048 bytes and the module pages, so a mutant that is let through may not differ from
 * the original there. A sample goes to the guest.
 *
 *	mutants --signer HEX [--random N] [--sample N DIR] IMAGE...
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core.h"
#include "user_verify.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define SIG			TDX_PAGE_SIZE	/* offset of the sigstruct */
#define MAX_EXTRA		(3 * TDX_PAGE_SIZE)
#define SAMPLE_SHARE		20	/* mutants of each kind and result that go to the guest */

static const struct {
	const char *name;
	const char *errno_name;
} results[] = {
#define RESULT(symbol, result, code, text) [TDXU_##symbol] = { result, #code },
	TDXU_RESULTS(RESULT)
#undef RESULT
};

enum kind { BIT, RANDOM_BITS, PAGES_SWAPPED, TRUNCATED, EXTENDED, FIELD, NUM_KINDS };

static const char * const kind_names[] = {
	[BIT] = "one bit, at every offset of header and sigstruct",
	[RANDOM_BITS] = "one to eight random bits anywhere",
	[PAGES_SWAPPED] = "two pages swapped",
	[TRUNCATED] = "truncated",
	[EXTENDED] = "extended",
	[FIELD] = "a field set to 0, all ones, one more, its last good value or the next",
};

/* Fields with a meaning, by offset in the file and size: of both headers, then of the sigstruct. */
static const struct {
	unsigned int offset, size;
} fields[] = {
	{ 0, 2 }, { 2, 2 }, { 4, 4 }, { 8, 4 }, { 12, 4 }, { 16, 4 }, { 20, 4 }, { 4092, 4 },
	{ SIG + 0, 4 }, { SIG + 4, 4 }, { SIG + 8, 4 }, { SIG + 12, 4 }, { SIG + 16, 4 },
	{ SIG + 20, 4 }, { SIG + 24, 4 }, { SIG + 28, 4 }, { SIG + 32, 4 }, { SIG + 36, 4 },
	{ SIG + 40, 4 }, { SIG + 124, 4 }, { SIG + 128, 8 }, { SIG + 504, 8 }, { SIG + 512, 4 },
	{ SIG + 516, 8 }, { SIG + 892, 8 }, { SIG + 900, 8 }, { SIG + 940, 8 }, { SIG + 948, 1 },
	{ SIG + 949, 1 }, { SIG + 950, 8 }, { SIG + 958, 4 }, { SIG + 962, 1 }, { SIG + 963, 1 },
	{ SIG + 964, 2 }, { SIG + 966, 2 }, { SIG + 968, 2 }, { SIG + 970, 2 }, { SIG + 972, 2 },
	{ SIG + 974, 2 }, { SIG + 976, 2 }, { SIG + 978, 2 }, { SIG + 984, 2 }, { SIG + 986, 2 },
	{ SIG + 988, 1 }, { SIG + 989, 1 }, { SIG + 990, 2 }, { SIG + 992, 4 }, { SIG + 996, 4 },
	{ SIG + 1000, 2 }, { SIG + 1002, 1 }, { SIG + 1003, 1 }, { SIG + 1004, 2 },
	{ SIG + 1020, 4 }, { SIG + 1024, 4 }, { SIG + 1028, 4 }, { SIG + 2044, 4 },
	{ SIG + 2048, 4 }, { SIG + 4092, 4 },
};

/* The last good value of a field and the first bad one. The images have 2 module pages. */
static const struct {
	unsigned int offset, size;
	u32 value;
} limits[] = {
	{ 16, 4, SEAMLDR_MAX_MODULE_PAGES }, { 16, 4, SEAMLDR_MAX_MODULE_PAGES + 1 },
	{ SIG + 992, 4, TDX_PAGE_SIZE }, { SIG + 992, 4, 2 * TDX_PAGE_SIZE },
	{ SIG + 996, 4, 2 * TDX_PAGE_SIZE - 512 }, { SIG + 996, 4, 2 * TDX_PAGE_SIZE - 511 },
	{ SIG + 986, 2, 0 }, { SIG + 986, 2, 1 },
	{ SIG + 1024, 4, SEAM_SIGSTRUCT_MAX_CPUIDS },
	{ SIG + 1024, 4, SEAM_SIGSTRUCT_MAX_CPUIDS + 1 },
};

static u8 signer[TDX_SHA384_SIZE];
static u8 *original, *mutant;
static size_t original_size, mutant_size;
static unsigned long made[NUM_KINDS], let_through[NUM_KINDS];
static unsigned long of_result[ARRAY_SIZE(results)];
static unsigned long same_bytes, other_padding, errors;

static const char *sample_dir;
static unsigned long sample_size, sampled;
static unsigned long sampled_of[NUM_KINDS][ARRAY_SIZE(results)];
static FILE *sample_list;
static u64 random_state = 1;

static u64 random_number(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void mend_checksum(void)
{
	u16 sum = 0;
	size_t i;

	if (mutant_size < 4)
		return;
	memset(mutant + 2, 0, sizeof(sum));
	for (i = 0; i + 1 < mutant_size; i += 2)
		sum += mutant[i] | mutant[i + 1] << 8;
	sum = -sum;
	memcpy(mutant + 2, &sum, sizeof(sum));
}

/* Check the mutant on the emulator's default platform, with its first TDX module. */
static enum tdxu_result judge(void)
{
	static const struct tdxu_platform platform = {
		.module.features0 = TDX_FEATURES0_TD_PRESERVING | TDX_FEATURES0_UPDATE_COMPAT,
		.module.num_handoff_pages = 13,
		.svn_major = 1,
		.svn_minor = 5,
		.updates_left = 1,
		.debug = TDXU_DEBUG_LOCKED,
		.seamldr = { 1, 5, 12 },
		.num_cpu_kinds = 1,
		.cpu_kinds = { 0x806F0 },
		.num_lps = 1,
		.room = 8192 * TDX_PAGE_SIZE,
	};
	static const struct tdxu_policy policy;
	struct tdxu_candidate candidate;
	struct tdxu_verdict verdict;
	struct tdxu_plan plan;
	u8 *copy;

	/* A copy of exactly this size, so that a sanitizer sees a read past its end. */
	copy = malloc(mutant_size ?: 1);
	if (!copy)
		die("mutants");
	memcpy(copy, mutant, mutant_size);
	verdict = tdxu_image_parse(copy, mutant_size, &candidate.image);
	if (!verdict.result) {
		candidate.check = user_verify(&candidate.image, signer);
		verdict = tdxu_plan_make(&candidate, NULL, &platform, &policy, &plan);
	}
	free(copy);
	return verdict.result;
}

static void check_let_through(enum kind kind)
{
	let_through[kind]++;
	if (mutant_size == original_size && !memcmp(mutant, original, mutant_size)) {
		same_bytes++;
	} else if (mutant_size == original_size &&
		   !memcmp(mutant + SIG, original + SIG, sizeof(struct seam_sigstruct)) &&
		   !memcmp(mutant + SIG + TDX_PAGE_SIZE, original + SIG + TDX_PAGE_SIZE,
			   mutant_size - SIG - TDX_PAGE_SIZE)) {
		other_padding++;
	} else {
		printf("let through, but not what was signed: %s\n", kind_names[kind]);
		errors++;
	}
}

/* The first SAMPLE_SHARE mutants of each kind and result, and a few of the others. */
static bool is_wanted(enum kind kind, enum tdxu_result result)
{
	if (!sample_dir || sampled == sample_size)
		return false;
	return sampled_of[kind][result] < SAMPLE_SHARE || random_number() % 499 == 0;
}

static void write_sample(enum kind kind, enum tdxu_result result)
{
	char path[4096];
	FILE *file;

	if (!is_wanted(kind, result))
		return;
	sampled_of[kind][result]++;
	snprintf(path, sizeof(path), "%s/%lu.blob", sample_dir, sampled);
	file = fopen(path, "wb");
	if (!file || fwrite(mutant, 1, mutant_size, file) != mutant_size || fclose(file))
		die(path);
	fprintf(sample_list, "%lu %s %s\n", sampled++, results[result].errno_name,
		results[result].name);
}

static void submit(enum kind kind)
{
	enum tdxu_result result = judge();

	made[kind]++;
	of_result[result]++;
	if (result == TDXU_SUCCESS)
		check_let_through(kind);
	write_sample(kind, result);
}

/* Check each mutant twice: as it is, and with a correct checksum. */
static void submit_both(enum kind kind)
{
	submit(kind);
	mend_checksum();
	submit(kind);
}

static void start_anew(void)
{
	memcpy(mutant, original, original_size);
	mutant_size = original_size;
}

static void mutate_bits(void)
{
	size_t bit;

	for (bit = 0; bit < (SIG + sizeof(struct seam_sigstruct)) * 8; bit++) {
		start_anew();
		mutant[bit / 8] ^= 1 << bit % 8;
		submit_both(BIT);
	}
}

static void mutate_random_bits(unsigned long count)
{
	while (count--) {
		u64 bits = random_number() % 8 + 1;

		start_anew();
		while (bits--) {
			u64 bit = random_number() % (original_size * 8);

			mutant[bit / 8] ^= 1 << bit % 8;
		}
		submit_both(RANDOM_BITS);
	}
}

static void mutate_pages(void)
{
	size_t pages = original_size / TDX_PAGE_SIZE, i, j;

	for (i = 0; i < pages; i++)
		for (j = i + 1; j < pages; j++) {
			start_anew();
			memcpy(mutant + i * TDX_PAGE_SIZE, original + j * TDX_PAGE_SIZE,
			       TDX_PAGE_SIZE);
			memcpy(mutant + j * TDX_PAGE_SIZE, original + i * TDX_PAGE_SIZE,
			       TDX_PAGE_SIZE);
			submit_both(PAGES_SWAPPED);
		}
}

static void mutate_size(void)
{
	size_t size;

	for (size = 0; size < original_size; size += size < 64 ? 1 : 61) {
		start_anew();
		mutant_size = size;
		submit_both(TRUNCATED);
	}
	for (size = 0; size <= original_size; size += TDX_PAGE_SIZE) {
		start_anew();
		mutant_size = size;
		submit_both(TRUNCATED);
	}
	for (size = 1; size <= MAX_EXTRA; size += size < 64 ? 1 : 64) {
		start_anew();
		memset(mutant + mutant_size, size % 2 ? 0 : 0xa5, size);
		mutant_size += size;
		submit_both(EXTENDED);
	}
}

static void mutate_fields(void)
{
	u64 value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		start_anew();
		memset(mutant + fields[i].offset, 0, fields[i].size);
		submit_both(FIELD);
		start_anew();
		memset(mutant + fields[i].offset, 0xff, fields[i].size);
		submit_both(FIELD);
		start_anew();
		value = 0;
		memcpy(&value, mutant + fields[i].offset, fields[i].size);
		value++;
		memcpy(mutant + fields[i].offset, &value, fields[i].size);
		submit_both(FIELD);
	}
}

static void mutate_limits(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		start_anew();
		memcpy(mutant + limits[i].offset, &limits[i].value, limits[i].size);
		submit_both(FIELD);
	}
}

static void load(const char *path)
{
	struct stat st;
	FILE *file = fopen(path, "rb");

	if (!file || fstat(fileno(file), &st))
		die(path);
	original_size = st.st_size;
	original = malloc(original_size);
	mutant = malloc(original_size + MAX_EXTRA);
	if (!original || !mutant || fread(original, 1, original_size, file) != original_size)
		die(path);
	fclose(file);
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || !*text) {
		fprintf(stderr, "mutants: '%s' is no number\n", text);
		exit(2);
	}
	return value;
}

static void take_signer(const char *hex)
{
	unsigned int i;

	for (i = 0; i < sizeof(signer); i++)
		if (sscanf(hex + 2 * i, "%2hhx", &signer[i]) != 1) {
			fprintf(stderr, "mutants: the signer has %zu hexadecimal digits\n",
				2 * sizeof(signer));
			exit(2);
		}
}

static void open_sample(const char *dir, unsigned long size)
{
	char path[4096];

	sample_dir = dir;
	sample_size = size;
	snprintf(path, sizeof(path), "%s/expected", dir);
	sample_list = fopen(path, "w");
	if (!sample_list)
		die(path);
}

static void print_summary(void)
{
	unsigned long total = 0, through = 0;
	unsigned int i;

	for (i = 0; i < NUM_KINDS; i++) {
		printf("%8lu %s: %lu let through\n", made[i], kind_names[i], let_through[i]);
		total += made[i];
		through += let_through[i];
	}
	printf("%8lu mutants in all, of them\n", total);
	for (i = 0; i < ARRAY_SIZE(results); i++)
		if (of_result[i])
			printf("%8lu %s\n", of_result[i], results[i].name);
	printf("Of the %lu let through\n"
	       "%8lu are the original byte for byte\n"
	       "%8lu differ in bytes that no one signs and the firmware does not read\n"
	       "%8lu in others\n", through, same_bytes, other_padding, errors);
	if (sample_dir)
		printf("%lu of them are for the guest.\n", sampled);
}

int main(int argc, char **argv)
{
	unsigned long randoms = 1000;
	int i = 1;

	while (i < argc && argv[i][0] == '-') {
		if (!strcmp(argv[i], "--signer") && i + 1 < argc) {
			take_signer(argv[i + 1]);
			i += 2;
		} else if (!strcmp(argv[i], "--random") && i + 1 < argc) {
			randoms = number(argv[i + 1]);
			i += 2;
		} else if (!strcmp(argv[i], "--sample") && i + 2 < argc) {
			open_sample(argv[i + 2], number(argv[i + 1]));
			i += 3;
		} else {
			break;
		}
	}
	if (i >= argc || argv[i][0] == '-') {
		fputs("usage: mutants --signer HEX [--random N] [--sample N DIR] IMAGE...\n",
		      stderr);
		return 2;
	}

	for (; i < argc; i++) {
		load(argv[i]);
		start_anew();
		if (judge() != TDXU_SUCCESS) {
			fprintf(stderr, "mutants: %s is not a good image to begin with\n", argv[i]);
			return EXIT_FAILURE;
		}
		mutate_fields();
		mutate_limits();
		mutate_pages();
		mutate_size();
		mutate_random_bits(randoms);
		mutate_bits();
		free(original);
		free(mutant);
	}
	print_summary();
	if (sample_list && fclose(sample_list))
		die("sample");
	return errors ? EXIT_FAILURE : EXIT_SUCCESS;
}
