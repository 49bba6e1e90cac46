/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file of sequences that the host makes and the guest replays, and the calls that tdx_seq.ko
 * makes. Little endian, as all hosts and guests of these tests are.
 *
 * File: struct seq_header, platforms, contents (a page each), sequences. A sequence is its struct,
 * then its loads, operands and calls.
 */
#ifndef SEQ_FORMAT_H
#define SEQ_FORMAT_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
#endif

#define SEQ_MAGIC		0x3151455358445400ull	/* "\0TDXSEQ1" */
#define SEQ_PAGE		4096u
#define SEQ_TEXT		1024u
#define SEQ_MAX_CALLS		48u

/* The memory that calls may name: pages of one range, by their number. */
#define SEQ_POOL_PAGES		160u
#define SEQ_OUTPUT_PAGE		0u	/* a page for each call's output */
#define SEQ_OPERAND_PAGE	48u	/* SEAMLDR_PARAMS */
#define SEQ_MAX_OPERANDS	SEQ_MAX_CALLS
#define SEQ_IMAGE_PAGE		96u	/* of each image: its sigstruct, then its module pages */
#define SEQ_IMAGE_PAGES		8u
#define SEQ_MAX_IMAGES		8u

/* An address below this is an offset in the pool; others are themselves. */
#define SEQ_POOL_SIZE		((u64)SEQ_POOL_PAGES * SEQ_PAGE)

struct seq_header {
	u64 magic;
	u64 seed;
	u32 lps;			/* that the guest must have */
	u32 nr_platforms;
	u32 nr_contents;
	u32 nr_sequences;
} __attribute__((packed));

/* What to write to the emulator's files before a reset. */
struct seq_platform {
	char platform[SEQ_TEXT];
	char module[SEQ_TEXT];
} __attribute__((packed));

struct seq_sequence {
	u32 number;			/* for whoever wants to make it again */
	u32 platform;
	u16 nr_loads;
	u16 nr_operands;
	u16 nr_calls;
	u16 reserved;
} __attribute__((packed));

/* Before the first call: content into a page of the pool. */
struct seq_load {
	u32 page;
	u32 content;
} __attribute__((packed));

/* SEAMLDR_PARAMS in short. Pages beyond those listed have the last one's address. */
#define SEQ_LISTED_PAGES	8u
struct seq_operand {
	u32 version;
	u32 scenario;
	u64 sigstruct;
	u16 reserved_at;		/* of 104 bytes, which one is not 0 */
	u8 reserved_value;
	u8 padding[5];
	u64 nr_pages;
	u64 pages[SEQ_LISTED_PAGES];
} __attribute__((packed));

/* What must come of a call. */
#define SEQ_CHECK_RDX		1u
#define SEQ_CHECK_R8		2u
#define SEQ_CHECK_INFO		4u	/* SEAMLDR.INFO's buffer */
#define SEQ_CHECK_MRSEAM	8u	/* and MRSEAM in it */
#define SEQ_CHECK_SEAMINFO	16u
#define SEQ_CHECK_REMAINING	32u	/* and num_remaining_updates */
#define SEQ_LAST		64u	/* no answer: the LP does not come back */

struct seq_info {
	u32 remaining;
	u64 valid;
	u8 svn_minor;
	u8 svn_major;
	u8 mrseam[48];
	u8 ready;
} __attribute__((packed));

struct seq_seaminfo {
	u32 lps;
	u32 sockets;
	u32 cpuid[8];
} __attribute__((packed));

struct seq_call {
	u32 lp;
	u32 checks;
	u64 rax;
	u64 rcx;			/* to P-SEAMLDR an offset if below SEQ_POOL_SIZE */
	u64 rdx;
	u64 r8;
	u64 want_rax;
	u64 want_rdx;
	u64 want_r8;
	char rule[24];			/* of the oracle, that answered */
	union {
		struct seq_info info;
		struct seq_seaminfo seaminfo;
	};
} __attribute__((packed));

/* What tdx_seq.ko takes and gives: a write of some carries them out, a read has the answers. */
struct seq_registers {
	u32 lp;
	u32 reserved;
	u64 rax;
	u64 rcx;
	u64 rdx;
	u64 r8;
} __attribute__((packed));

#define SEQ_VMFAILINVALID	0x8000FF00FFFF0000ull

#endif /* SEQ_FORMAT_H */
