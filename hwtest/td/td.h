/* SPDX-License-Identifier: GPL-2.0-only */
/* The TD that tdx-update-hwtest builds: its memory, and what it tells its host by port I/O. */
#ifndef TD_H
#define TD_H

#define TD_PAGE_SIZE	4096
/* A TD starts 16 bytes below 4 GiB, so its memory ends there. */
#define TD_END		0x100000000
#define TD_MAX_PAGES	64
/* Its last pages, each by its distance from the end. */
#define TD_CODE		(TD_END - 1 * TD_PAGE_SIZE)
#define TD_PD		(TD_END - 2 * TD_PAGE_SIZE)
#define TD_PDPT		(TD_END - 3 * TD_PAGE_SIZE)
#define TD_PML4		(TD_END - 4 * TD_PAGE_SIZE)
/* Zeroes, until the TD has its report there. */
#define TD_REPORT	(TD_END - 5 * TD_PAGE_SIZE)
#define TD_MIN_PAGES	5
/* The operand of TDG.MR.REPORT that becomes a part of the report. It stays zero. */
#define TD_REPORTDATA	(TD_REPORT + 2048)
/* Where a report has the measurement: TDINFO_STRUCT at 512, MRTD at 16 in it. */
#define TD_REPORT_MRTD	(512 + 16)
#define TD_MRTD_SIZE	48

/* Ports, written to with 4 bytes each: the measurement word by word, a count, a failed status. */
#define TD_PORT_MRTD	0x500
#define TD_PORT_COUNT	0x504
#define TD_PORT_FAILED	0x508

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* guest.S: the page TD_CODE. */
extern const unsigned char td_guest[TD_PAGE_SIZE];

void td_fill_memory(unsigned char *memory, unsigned int pages);

/* Computes the measurement of these pages, added and measured in ascending order from gpa on. */
int td_measure(const unsigned char *memory, unsigned int pages, uint64_t gpa,
	       unsigned char mrtd[TD_MRTD_SIZE]);
#endif
#endif
