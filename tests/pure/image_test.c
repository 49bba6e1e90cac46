// SPDX-License-Identifier: GPL-2.0-only
/*
 * Table of image.c: the result and the reason for a good container with one wrong field. Prints
 * KTAP. The fields come from docs/firmware.md, "TDX-BLOB" and "SEAM_SIGSTRUCT", not from the code
 * under test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define PAGE			4096u
#define MODULE_PAGES		2u
#define SIZE			((2 + MODULE_PAGES) * PAGE)
#define LARGEST			(498u * PAGE)
#define SIG			PAGE	/* offset of the sigstruct */

static const char * const names[] = {
#define NAME(symbol, name, code, text) [TDXU_##symbol] = name,
	TDXU_RESULTS(NAME)
#undef NAME
};

static void put(u8 *blob, unsigned int offset, unsigned int bytes, u64 value)
{
	while (bytes--) {
		blob[offset++] = value;
		value >>= 8;
	}
}

static void make_sigstruct(u8 *sig)
{
	put(sig, 0, 4, 6);
	put(sig, 4, 4, 0xE1);
	put(sig, 8, 4, 0x10000);
	put(sig, 16, 4, 0x8086);
	put(sig, 20, 4, 0x20240408);
	put(sig, 24, 4, 0x200);
	put(sig, 28, 4, 0x60);
	put(sig, 32, 4, 0x60);
	put(sig, 36, 4, 1);
	memset(sig + 128, 0xA5, 384);
	put(sig, 512, 4, 0x10001);
	memset(sig + 516, 0x5A, 384);
	memset(sig + 900, 0x33, 48);
	put(sig, 948, 2, 0x0105);
	put(sig, 992, 4, PAGE);
	put(sig, 996, 4, 1);
	put(sig, 1000, 2, 26);
	put(sig, 1002, 1, 5);
	put(sig, 1003, 1, 1);
	put(sig, 1024, 4, 1);
	put(sig, 1028, 4, 0x806F8);
}

/* Make a good container, in memory of exactly its size. */
static u8 *make(unsigned int version, size_t size)
{
	u8 *blob = calloc(1, size);

	if (!blob)
		exit(EXIT_FAILURE);
	put(blob, 0, 2, version << 8);
	memcpy(blob + (version == 1 ? 8 : 4), "TDX-BLOB", 8);
	if (version == 1) {
		put(blob, 4, 4, 2 * PAGE);
		put(blob, 16, 4, size);
	} else {
		put(blob, 12, 4, 1);
		put(blob, 16, 4, size / PAGE - 2);
	}
	make_sigstruct(blob + SIG);
	/* Words whose sum has a carry. */
	if (size > 2 * PAGE)
		memset(blob + 2 * PAGE, 0xC3, size - 2 * PAGE);
	return blob;
}

static void make_checksum(u8 *blob, size_t size)
{
	unsigned int sum = 0;
	size_t i;

	put(blob, 2, 2, 0);
	for (i = 0; i + 1 < size; i += 2)
		sum += blob[i] + 256 * blob[i + 1];
	put(blob, 2, 2, -sum);
}

#define GOOD		NULL
#define NO_BLOB		"container: not a TDX-BLOB of version 1 or 2"
#define LENGTH		"container: length is not the file's size"
#define RESERVED	"container: reserved bytes are not zero"
#define OUTSIDE		"container: offset_of_module does not point at a page of the file"
#define NO_SIGSTRUCT	"container: no room for a sigstruct"
#define COUNTS		"container: page counts do not add up to the file's size"
#define NOT_ONE		"container: not exactly one sigstruct page"
#define NO_MODULE	"container: no module pages"
#define HEADER		"sigstruct: unknown header"
#define TYPE		"sigstruct: unknown module type"
#define VENDOR		"sigstruct: vendor is not Intel"
#define SIZES		"sigstruct: wrong size of itself or of its key"
#define EXPONENT	"sigstruct: wrong exponent"
#define ATTRIBUTES	"sigstruct: unknown attributes"
#define SIG_RESERVED	"sigstruct: reserved bytes are not zero"
#define TABLE		"sigstruct: CPU table too long"
#define HV_ORDER	"sigstruct: min_update_hv is higher than module_hv"
#define GDT_ALIGN	"sigstruct: gdt_idt_offset is not a multiple of 4096"
#define ONE_TABLE	"sigstruct: one of gdt_idt_offset and fault_wrapper_offset is zero"

/* Container version, up to two fields (offset, bytes, value), reason. Without GOOD: bad-image. */
static const struct row {
	unsigned int version;
	struct {
		unsigned int offset, bytes;
		u64 value;
	} fields[2];
	const char *why;
} rows[] = {
	{ 1, { { 0 } }, GOOD },
	{ 2, { { 0 } }, GOOD },

	{ 1, { { 0, 2, 0x0101 } }, NO_BLOB },
	{ 1, { { 0, 2, 0x0300 } }, NO_BLOB },
	{ 1, { { 0, 2, 0x0001 } }, NO_BLOB },
	{ 1, { { 0, 2, 0x0200 } }, NO_BLOB },
	{ 1, { { 8, 1, 't' } }, NO_BLOB },
	{ 1, { { 12, 1, '_' } }, NO_BLOB },
	{ 1, { { 15, 1, 'b' } }, NO_BLOB },
	{ 1, { { 16, 4, SIZE - 1 } }, LENGTH },
	{ 1, { { 16, 4, SIZE + 1 } }, LENGTH },
	{ 1, { { 16, 4, SIZE - PAGE } }, LENGTH },
	{ 1, { { 16, 4, SIZE + PAGE } }, LENGTH },
	{ 1, { { 16, 4, 0 } }, LENGTH },
	{ 1, { { 20, 1, 1 } }, RESERVED },
	{ 1, { { 23, 1, 0x80 } }, RESERVED },
	{ 1, { { 24, 1, 1 } }, RESERVED },
	{ 1, { { 4095, 1, 0x80 } }, RESERVED },
	{ 1, { { 4, 4, 2 * PAGE + 1 } }, OUTSIDE },
	{ 1, { { 4, 4, 2 * PAGE + 2048 } }, OUTSIDE },
	{ 1, { { 4, 4, SIZE } }, OUTSIDE },
	{ 1, { { 4, 4, SIZE + PAGE } }, OUTSIDE },
	{ 1, { { 4, 4, 0xFFFFF000 } }, OUTSIDE },
	{ 1, { { 4, 4, PAGE } }, NO_SIGSTRUCT },
	{ 1, { { 4, 4, 0 } }, NO_SIGSTRUCT },
	{ 1, { { 4, 4, 3 * PAGE } }, NOT_ONE },

	{ 2, { { 0, 2, 0x0201 } }, NO_BLOB },
	{ 2, { { 0, 2, 0x0300 } }, NO_BLOB },
	{ 2, { { 0, 2, 0x0002 } }, NO_BLOB },
	{ 2, { { 0, 2, 0x0100 } }, NO_BLOB },
	{ 2, { { 4, 1, 't' } }, NO_BLOB },
	{ 2, { { 8, 1, '_' } }, NO_BLOB },
	{ 2, { { 11, 1, 'b' } }, NO_BLOB },
	{ 2, { { 20, 1, 1 } }, RESERVED },
	{ 2, { { 4095, 1, 0x80 } }, RESERVED },
	{ 2, { { 16, 4, MODULE_PAGES - 1 } }, COUNTS },
	{ 2, { { 16, 4, MODULE_PAGES + 1 } }, COUNTS },
	{ 2, { { 16, 4, 0 } }, COUNTS },
	{ 2, { { 12, 4, 0 } }, COUNTS },
	{ 2, { { 12, 4, 2 } }, COUNTS },
	{ 2, { { 12, 4, 2 }, { 16, 4, MODULE_PAGES - 1 } }, NOT_ONE },
	{ 2, { { 12, 4, 0 }, { 16, 4, MODULE_PAGES + 1 } }, NOT_ONE },
	/* Sums that have 33 bits. */
	{ 2, { { 12, 4, 0xFFFFFFFF }, { 16, 4, MODULE_PAGES + 2 } }, COUNTS },
	{ 2, { { 12, 4, MODULE_PAGES + 2 }, { 16, 4, 0xFFFFFFFF } }, COUNTS },
	{ 2, { { 12, 4, 0x80000001 }, { 16, 4, 0x80000000 + MODULE_PAGES } }, COUNTS },

	{ 2, { { SIG + 0, 4, 7 } }, HEADER },
	{ 2, { { SIG + 0, 4, 0x10006 } }, HEADER },
	{ 2, { { SIG + 4, 4, 0xE0 } }, HEADER },
	{ 2, { { SIG + 8, 4, 0x10001 } }, HEADER },
	{ 2, { { SIG + 8, 4, 0 } }, HEADER },
	{ 2, { { SIG + 12, 4, 1 } }, TYPE },
	{ 2, { { SIG + 12, 4, 0x40000000 } }, TYPE },
	{ 2, { { SIG + 12, 4, 0x80000001 } }, TYPE },
	{ 2, { { SIG + 12, 4, 0x80000000 } }, GOOD },
	{ 2, { { SIG + 16, 4, 0x8087 } }, VENDOR },
	{ 2, { { SIG + 16, 4, 0x18086 } }, VENDOR },
	{ 2, { { SIG + 16, 4, 0 } }, VENDOR },
	{ 2, { { SIG + 20, 4, 0xFFFFFFFF } }, GOOD },
	{ 2, { { SIG + 24, 4, 0x201 } }, SIZES },
	{ 2, { { SIG + 28, 4, 0x61 } }, SIZES },
	{ 2, { { SIG + 32, 4, 0x5F } }, SIZES },
	{ 2, { { SIG + 36, 4, 2 } }, SIZES },
	{ 2, { { SIG + 40, 1, 1 } }, SIG_RESERVED },
	{ 2, { { SIG + 127, 1, 0x80 } }, SIG_RESERVED },
	{ 2, { { SIG + 512, 4, 0x10003 } }, EXPONENT },
	{ 2, { { SIG + 512, 4, 0x1010001 } }, EXPONENT },
	{ 2, { { SIG + 950, 1, 1 } }, ATTRIBUTES },
	{ 2, { { SIG + 957, 1, 0x80 } }, ATTRIBUTES },
	{ 2, { { SIG + 958, 4, 0xFFFFFFFF } }, GOOD },
	{ 2, { { SIG + 978, 1, 1 } }, SIG_RESERVED },
	{ 2, { { SIG + 983, 1, 0x80 } }, SIG_RESERVED },
	{ 2, { { SIG + 988, 1, 1 } }, GOOD },
	{ 2, { { SIG + 989, 1, 1 } }, SIG_RESERVED },
	{ 2, { { SIG + 1004, 8, ~0ull } }, GOOD },
	{ 2, { { SIG + 1024, 4, 0 } }, GOOD },
	{ 2, { { SIG + 1024, 4, 255 } }, GOOD },
	{ 2, { { SIG + 1024, 4, 256 } }, TABLE },
	{ 2, { { SIG + 1024, 4, 0xFFFFFFFF } }, TABLE },
	{ 2, { { SIG + 984, 2, 0 }, { SIG + 986, 2, 1 } }, HV_ORDER },
	{ 2, { { SIG + 984, 2, 0xFFFE }, { SIG + 986, 2, 0xFFFF } }, HV_ORDER },
	{ 2, { { SIG + 984, 2, 1 }, { SIG + 986, 2, 1 } }, GOOD },
	{ 2, { { SIG + 984, 2, 0xFFFF }, { SIG + 986, 2, 0 } }, GOOD },
	{ 2, { { SIG + 992, 4, PAGE + 1 } }, GDT_ALIGN },
	{ 2, { { SIG + 992, 4, PAGE / 2 } }, GDT_ALIGN },
	/* plan.c compares the offsets with the module's size. */
	{ 2, { { SIG + 992, 4, 0xFFFFF000 }, { SIG + 996, 4, 0xFFFFFFFF } }, GOOD },
	{ 2, { { SIG + 992, 4, 0 } }, ONE_TABLE },
	{ 2, { { SIG + 996, 4, 0 } }, ONE_TABLE },
	{ 2, { { SIG + 992, 4, 0 }, { SIG + 996, 4, 0 } }, GOOD },
	{ 2, { { SIG + 2048, 8, ~0ull } }, GOOD },
	{ 1, { { SIG + 4095, 1, 0xFF } }, GOOD },
};

/* Container version, size in bytes, result and reason. */
static const struct {
	unsigned int version;
	size_t size;
	enum tdxu_result result;
	const char *why;
} sizes[] = {
	{ 2, 0, TDXU_BAD_IMAGE, "container: not a whole number of pages" },
	{ 2, 1, TDXU_BAD_IMAGE, "container: not a whole number of pages" },
	{ 2, PAGE - 1, TDXU_BAD_IMAGE, "container: not a whole number of pages" },
	{ 1, PAGE, TDXU_BAD_IMAGE, OUTSIDE },
	{ 2, PAGE, TDXU_BAD_IMAGE, COUNTS },
	{ 1, 2 * PAGE, TDXU_BAD_IMAGE, OUTSIDE },
	{ 2, 2 * PAGE, TDXU_BAD_IMAGE, NO_MODULE },
	{ 1, 3 * PAGE, TDXU_SUCCESS, GOOD },
	{ 2, 3 * PAGE, TDXU_SUCCESS, GOOD },
	{ 1, SIZE + 2, TDXU_BAD_IMAGE, "container: not a whole number of pages" },
	{ 2, SIZE + 2048, TDXU_BAD_IMAGE, "container: not a whole number of pages" },
	{ 1, LARGEST, TDXU_SUCCESS, GOOD },
	{ 2, LARGEST, TDXU_SUCCESS, GOOD },
	{ 2, LARGEST + 1, TDXU_TOO_LARGE, "" },
	{ 1, LARGEST + PAGE, TDXU_TOO_LARGE, "" },
	{ 2, LARGEST + PAGE, TDXU_TOO_LARGE, "" },
};

static unsigned int number, failures;

static void report(bool good, const char *what, unsigned int index, const char *expected,
		   struct tdxu_verdict seen)
{
	printf("%sok %u %s %u: %s\n", good ? "" : "not ", ++number, what, index, expected);
	if (!good) {
		printf("# expected %s, saw %s (%s)\n", expected, names[seen.result], seen.why);
		failures++;
	}
}

/* Return whether the parts of a good container were found where they are. */
static bool is_right(const u8 *blob, size_t size, const struct tdxu_image *image)
{
	return (const u8 *)image->sigstruct == blob + SIG && image->module == blob + 2 * PAGE &&
	       image->module_pages == size / PAGE - 2 && image->version.major == 1 &&
	       image->version.minor == 5 && image->version.update == 26;
}

static void test(u8 *blob, size_t size, const char *what, unsigned int index,
		 enum tdxu_result result, const char *why)
{
	struct tdxu_image image = { 0 };
	struct tdxu_verdict seen = tdxu_image_parse(blob, size, &image);

	report(seen.result == result && !strcmp(seen.why, why ?: "") &&
	       (result || is_right(blob, size, &image)), what, index,
	       why && *why ? why : names[result], seen);
	free(blob);
}

static void test_row(unsigned int i)
{
	const struct row *row = &rows[i];
	u8 *blob = make(row->version, SIZE);
	unsigned int f;

	for (f = 0; f < ARRAY_SIZE(row->fields); f++)
		put(blob, row->fields[f].offset, row->fields[f].bytes, row->fields[f].value);
	make_checksum(blob, SIZE);
	test(blob, SIZE, "row", i, row->why ? TDXU_BAD_IMAGE : TDXU_SUCCESS, row->why);
}

static void test_size(unsigned int i)
{
	/* A copy of exactly this size, so that a sanitizer sees a read past its end. */
	u8 *whole = make(sizes[i].version, sizes[i].size > 2 * PAGE ? sizes[i].size : 2 * PAGE);
	u8 *blob = malloc(sizes[i].size);

	if (!blob)
		exit(EXIT_FAILURE);
	memcpy(blob, whole, sizes[i].size);
	free(whole);
	if (sizes[i].version == 1 && sizes[i].size >= PAGE)
		put(blob, 16, 4, sizes[i].size);
	if (sizes[i].size > 4)
		make_checksum(blob, sizes[i].size);
	test(blob, sizes[i].size, "size", i, sizes[i].result, sizes[i].why);
}

/* Bytes to change by one: in the header, in the sigstruct's page, in the module pages. */
static const unsigned int offsets[] = {
	2, 3, SIG + 20, SIG + 21, SIG + 4094, 2 * PAGE, SIZE - 2, SIZE - 1,
};

static void test_checksum(unsigned int i)
{
	u8 *blob = make(2, SIZE);

	make_checksum(blob, SIZE);
	blob[offsets[i]]++;
	test(blob, SIZE, "checksum", i, TDXU_CORRUPT, "container: wrong checksum");
}

int main(void)
{
	unsigned int i;

	printf("KTAP version 1\n1..%zu\n",
	       ARRAY_SIZE(rows) + ARRAY_SIZE(sizes) + ARRAY_SIZE(offsets));
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		test_row(i);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		test_size(i);
	for (i = 0; i < ARRAY_SIZE(offsets); i++)
		test_checksum(i);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
