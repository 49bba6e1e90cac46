/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Format of the file of sequences that the host makes and the guest replays, and of the calls that
 * tdx_seq.ko makes. It is little endian, as all hosts and guests of these tests are.
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

/* The pool: the memory that calls may use, one range of numbered pages. */
#define SEQ_POOL_PAGES		160u
#define SEQ_OUTPUT_PAGE		0u	/* from here on a page for each call's output */
#define SEQ_OPERAND_PAGE	48u	/* from here on a page for each SEAMLDR_PARAMS */
#define SEQ_MAX_OPERANDS	SEQ_MAX_CALLS
#define SEQ_IMAGE_PAGE		96u	/* from here on images: sigstruct, then module pages */
#define SEQ_IMAGE_PAGES		8u
#define SEQ_MAX_IMAGES		8u

/* An address below this is an offset in the pool; other addresses are used as they are. */
#define SEQ_POOL_SIZE		((u64)SEQ_POOL_PAGES * SEQ_PAGE)

struct seq_header {
	u64 magic;
	u64 seed;
	u32 lps;			/* the guest must have as many CPUs */
	u32 nr_platforms;
	u32 nr_contents;
	u32 nr_sequences;
} __attribute__((packed));

/* Settings to write to the emulator's files before a reset. */
struct seq_platform {
	char platform[SEQ_TEXT];
	char module[SEQ_TEXT];
} __attribute__((packed));

struct seq_sequence {
	u32 number;			/* with the seed, makes the same sequence again */
	u32 platform;
	u16 nr_loads;
	u16 nr_operands;
	u16 nr_calls;
	u16 reserved;
} __attribute__((packed));

/* Before the first call, copy a content to a page of the pool. */
struct seq_load {
	u32 page;
	u32 content;
} __attribute__((packed));

/* A short form of SEAMLDR_PARAMS. Pages beyond those listed have the address of the last one. */
#define SEQ_LISTED_PAGES	8u
struct seq_operand {
	u32 version;
	u32 scenario;
	u64 sigstruct;
	u16 reserved_at;		/* which of 104 reserved bytes has reserved_value */
	u8 reserved_value;
	u8 padding[5];
	u64 nr_pages;
	u64 pages[SEQ_LISTED_PAGES];
} __attribute__((packed));

/* What to check after a call. */
#define SEQ_CHECK_RDX		1u
#define SEQ_CHECK_R8		2u
#define SEQ_CHECK_INFO		4u	/* SEAMLDR.INFO's buffer */
#define SEQ_CHECK_MRSEAM	8u	/* with SEQ_CHECK_INFO: MRSEAM too */
#define SEQ_CHECK_SEAMINFO	16u
#define SEQ_CHECK_REMAINING	32u	/* with SEQ_CHECK_INFO: num_remaining_updates too */
#define SEQ_LAST		64u	/* no answer: the call never returns */

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
	u64 rcx;			/* for P-SEAMLDR an offset if below SEQ_POOL_SIZE */
	u64 rdx;
	u64 r8;
	u64 want_rax;
	u64 want_rdx;
	u64 want_r8;
	char rule[24];			/* the oracle's rule that answered */
	union {
		struct seq_info info;
		struct seq_seaminfo seaminfo;
	};
} __attribute__((packed));

/* File calls of tdx_seq.ko: a write of such structs makes the calls, a read returns the answers. */
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
