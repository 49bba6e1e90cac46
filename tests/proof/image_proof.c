// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves what src/image.c lets through, for every container of every size. The rules are those of
 * docs/firmware.md, TDX-BLOB and SEAM_SIGSTRUCT, read from the file's bytes.
 *
 * Only the checksum reads more than two pages. So any_container() passes two pages as a file of any
 * size, with any checksum; a read beyond them fails the proof. any_checksum() proves the checksum,
 * for files of any size.
 */
#include <stdlib.h>

#include "proof.h"

/* sums[i] is the sum of the words in the first i bytes; for the induction in any_checksum(). */
static uint16_t sums[__CPROVER_constant_infinity_uint];

#include "image.c"

#define MAX_PAGES	498u	/* header, sigstruct, 496 module pages */

static uint8_t container[2 * PAGE];
static uint16_t any_sum;

/* Replaces checksum() in all proofs but any_checksum(). */
uint16_t proof_checksum(const uint8_t *blob, size_t size)
{
	prove(size % 2 == 0, "checksum: the file has whole words");
	return any_sum;
}

static bool has_magic(const uint8_t *at)
{
	return at[0] == 'T' && at[1] == 'D' && at[2] == 'X' && at[3] == '-' &&
	       at[4] == 'B' && at[5] == 'L' && at[6] == 'O' && at[7] == 'B';
}

/* One sigstruct page; the rest are module pages. */
static bool is_version_1(const uint8_t *file, size_t size)
{
	return get16(file, 0) == 0x0100 && has_magic(file + 8) && get32(file, 4) == 2 * PAGE &&
	       get32(file, 16) == size && all_zero(file, 20, PAGE);
}

static bool is_version_2(const uint8_t *file, size_t size)
{
	return get16(file, 0) == 0x0200 && has_magic(file + 4) && get32(file, 12) == 1 &&
	       get32(file, 16) == size / PAGE - 2 && all_zero(file, 20, PAGE);
}

static bool is_container(const uint8_t *file, size_t size)
{
	return size % PAGE == 0 && size >= 3 * PAGE && size <= MAX_PAGES * PAGE &&
	       (is_version_1(file, size) || is_version_2(file, size));
}

static bool sigstruct_is_good(const uint8_t *sig, bool accepted)
{
	bool header = get32(sig, 0) == 6 && get32(sig, 4) == 0xe1 && get32(sig, 8) == 0x10000;
	bool type = (get32(sig, 12) & 0x7fffffff) == 0 && get32(sig, 16) == 0x8086;
	bool sizes = get32(sig, 24) == 0x200 && get32(sig, 28) == 0x60 && get32(sig, 32) == 0x60 &&
		     get32(sig, 36) == 1;
	bool exponent = get32(sig, 512) == 0x10001;
	bool zeroes = all_zero(sig, 40, 128) && all_zero(sig, 950, 958) &&
		      all_zero(sig, 978, 984) && all_zero(sig, 989, 990);
	bool handoff_versions = get16(sig, 986) <= get16(sig, 984);
	bool aligned = get32(sig, 992) % PAGE == 0;
	bool both_or_neither = (get32(sig, 992) == 0) == (get32(sig, 996) == 0);
	bool cpu_table = get32(sig, 1024) <= 255;

	holds(accepted, header);
	holds(accepted, type);
	holds(accepted, sizes);
	holds(accepted, exponent);
	holds(accepted, zeroes);
	holds(accepted, handoff_versions);
	holds(accepted, aligned);
	holds(accepted, both_or_neither);
	holds(accepted, cpu_table);
	return header && type && sizes && exponent && zeroes && handoff_versions && aligned &&
	       both_or_neither && cpu_table;
}

static void check_parts(const struct tdxu_image *image, size_t size)
{
	prove((const uint8_t *)image->sigstruct == container + PAGE, "the sigstruct is page 1");
	prove(image->module == container + 2 * PAGE, "the module begins at page 2");
	prove(image->module_pages == size / PAGE - 2, "the module is the rest of the file");
	prove(image->module_pages >= 1 && image->module_pages <= 496, "1 to 496 module pages");
	prove(image->version.major == container[PAGE + 1003] &&
	      image->version.minor == container[PAGE + 1002] &&
	      image->version.update == get16(container, PAGE + 1000), "the version is the image's");
}

/* Every file of at least two pages. */
void any_container(void)
{
	struct tdxu_image image = {};
	size_t size = nondet_size();
	struct tdxu_verdict verdict;
	bool accepted, whole, good;

	assume(size >= 2 * PAGE);
	__CPROVER_havoc_object(container);
	any_sum = nondet_u16();
	verdict = tdxu_image_parse(container, size, &image);

	accepted = verdict.result == TDXU_SUCCESS;
	whole = is_container(container, size);
	good = sigstruct_is_good(container + PAGE, accepted);
	holds(accepted, whole);
	holds(accepted, any_sum == 0);
	prove(accepted || !(whole && good && any_sum == 0), "nothing good is refused");
	prove(accepted || verdict.result == TDXU_BAD_IMAGE || verdict.result == TDXU_CORRUPT ||
	      verdict.result == TDXU_TOO_LARGE, "a refusal is one of those that are documented");
	prove((verdict.result == TDXU_TOO_LARGE) == (size > MAX_PAGES * PAGE), "too large");
	if (accepted)
		check_parts(&image, size);
}

static void refuse(const uint8_t *file, size_t size)
{
	struct tdxu_image image = {};
	struct tdxu_verdict verdict = tdxu_image_parse(file, size, &image);

	prove(verdict.result == TDXU_BAD_IMAGE || verdict.result == TDXU_CORRUPT ||
	      verdict.result == TDXU_TOO_LARGE, "a file without sigstruct and module is refused");
	prove(!image.sigstruct && !image.module && !image.module_pages, "nothing is said of it");
}

/* A file of one page: nothing beyond that page may be read. */
void one_page(void)
{
	static uint8_t page[PAGE];

	__CPROVER_havoc_object(page);
	any_sum = nondet_u16();
	refuse(page, PAGE);
}

/* A file that is empty or not a whole number of pages is not read at all. */
void odd_size(void)
{
	static uint8_t byte;
	size_t size = nondet_size();

	assume(size % PAGE || !size);
	refuse(&byte + 1, size);
}

/*
 * checksum() of a file of any size, by induction. run.sh gives its loop the invariant that @i is
 * even and not beyond the file, and that @sum is sums[i]. It makes each iteration call next_word(),
 * which defines sums[].
 */

void next_word(const uint8_t *file, size_t bytes)
{
	assume(sums[bytes + 2] == ((sums[bytes] + get16(file, bytes)) & 0xffff));
}

void any_checksum(void)
{
	size_t size = nondet_size();
	uint8_t *file;

	assume(size >= PAGE && size <= MAX_PAGES * PAGE && size % PAGE == 0);
	__CPROVER_havoc_object(sums);
	file = malloc(size);
	assume(file && sums[0] == 0);
	prove(checksum(file, size) == sums[size], "the sum is that of all words");
}
