// SPDX-License-Identifier: GPL-2.0-only
/* The TD's memory as it is added, and the measurement that it has to give. Knows nothing of KVM. */
#include <stdint.h>
#include <string.h>

#include <openssl/evp.h>

#include "td.h"

/* MR.EXTEND measures so many bytes at once. */
#define CHUNK_SIZE	256
/* Each of both leaves adds a record of so many bytes: its name, at 16 the GPA, zeroes. */
#define RECORD_SIZE	128
#define RECORD_GPA	16

/* Present and writable, accessed, dirty: so that no page walk has to write to a page. */
#define PTE_TABLE	0x23
#define PTE_LARGE	0xe3

static uint64_t first_gpa(unsigned int pages)
{
	return TD_END - (uint64_t)pages * TD_PAGE_SIZE;
}

static uint64_t *table_at(unsigned char *memory, unsigned int pages, uint64_t gpa)
{
	return (uint64_t *)(memory + (gpa - first_gpa(pages)));
}

/*
 * The last 2 MiB below 4 GiB are mapped to themselves. The other pages only make the build longer.
 * They differ from one another, so that a page in a wrong place changes the measurement.
 */
void td_fill_memory(unsigned char *memory, unsigned int pages)
{
	size_t i;

	for (i = 0; i < (pages - TD_MIN_PAGES) * (size_t)TD_PAGE_SIZE; i++)
		memory[i] = (i * 2654435761U) >> 24;
	memcpy(memory + (TD_CODE - first_gpa(pages)), td_guest, TD_PAGE_SIZE);
	table_at(memory, pages, TD_PML4)[0] = TD_PDPT | PTE_TABLE;
	table_at(memory, pages, TD_PDPT)[3] = TD_PD | PTE_TABLE;
	table_at(memory, pages, TD_PD)[511] = (TD_END - 0x200000) | PTE_LARGE;
}

static int add_record(EVP_MD_CTX *hash, const char *leaf, uint64_t gpa)
{
	unsigned char record[RECORD_SIZE] = { 0 };

	memcpy(record, leaf, strlen(leaf));
	memcpy(record + RECORD_GPA, &gpa, sizeof(gpa));
	return EVP_DigestUpdate(hash, record, sizeof(record));
}

static int add_page(EVP_MD_CTX *hash, const unsigned char *page, uint64_t gpa)
{
	unsigned int at;

	if (!add_record(hash, "MEM.PAGE.ADD", gpa))
		return 0;
	for (at = 0; at < TD_PAGE_SIZE; at += CHUNK_SIZE)
		if (!add_record(hash, "MR.EXTEND", gpa + at) ||
		    !EVP_DigestUpdate(hash, page + at, CHUNK_SIZE))
			return 0;
	return 1;
}

/* Returns 0; -1 if libcrypto fails. */
int td_measure(const unsigned char *memory, unsigned int pages, uint64_t gpa,
	       unsigned char mrtd[TD_MRTD_SIZE])
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	unsigned int i;
	int good;

	good = hash && EVP_DigestInit_ex(hash, EVP_sha384(), NULL);
	for (i = 0; good && i < pages; i++)
		good = add_page(hash, memory + i * (size_t)TD_PAGE_SIZE,
				gpa + i * (uint64_t)TD_PAGE_SIZE);
	good = good && EVP_DigestFinal_ex(hash, mrtd, NULL);
	EVP_MD_CTX_free(hash);
	return good ? 0 : -1;
}
