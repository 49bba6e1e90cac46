/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers of both proofs: arbitrary values, and bytes of firmware's structures by their offsets.
 * Uses nothing of src/ and include/tdx_arch.h, so that a wrong constant there is found.
 */
#ifndef PROOF_H
#define PROOF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CBMC lets a function without a body return any value. */
uint8_t nondet_u8(void);
uint16_t nondet_u16(void);
uint32_t nondet_u32(void);
uint64_t nondet_u64(void);
size_t nondet_size(void);

/* CBMC lets each of these be any function: the same arguments give the same result. */
bool __CPROVER_uninterpreted_has_kind(bool is_recovery, uint32_t kind);
bool __CPROVER_uninterpreted_fits(uint64_t pages, uint64_t room);
uint64_t __CPROVER_uninterpreted_mapped(uint64_t pages);

/* The proofs. */
void any_container(void);
void one_page(void);
void odd_size(void);
void any_checksum(void);
void any_plan(void);
void any_lps(void);
void right_table(void);
void right_room(void);
void right_tables(void);
void right_pages(void);

/* Functions that run.sh puts in place of those of src/; next_word() it adds to checksum(). */
struct seam_sigstruct;
struct tdxu_image;
uint16_t proof_checksum(const uint8_t *blob, size_t size);
bool proof_table_has(const struct seam_sigstruct *sig, uint32_t kind);
bool proof_has_room(uint64_t needed, uint64_t room);
uint64_t proof_pages_needed(const struct tdxu_image *image, uint64_t lps);
uint64_t proof_page_tables(uint64_t pages);
void next_word(const uint8_t *file, size_t bytes);

static inline bool nondet_flag(void)
{
	return nondet_u8() & 1;
}

#define assume(condition)	__CPROVER_assume(condition)
#define prove(condition, text)	__CPROVER_assert(condition, text)
/* Prove that whatever is accepted keeps a rule. */
#define holds(accepted, rule)	__CPROVER_assert(!(accepted) || (rule), "let through: " #rule)

#define PAGE			4096u

static inline uint16_t get16(const uint8_t *bytes, size_t offset)
{
	return (uint16_t)(bytes[offset] | bytes[offset + 1] << 8);
}

static inline uint32_t get32(const uint8_t *bytes, size_t offset)
{
	return get16(bytes, offset) | (uint32_t)get16(bytes, offset + 2) << 16;
}

static inline bool all_zero(const uint8_t *bytes, size_t from, size_t end)
{
	uint8_t any = 0;
	size_t i;

	prove(__CPROVER_r_ok(bytes, end), "the proof's own bytes are there");
/* The proof above covers each byte, so the loop needs no pointer checks. */
#pragma CPROVER check push
#pragma CPROVER check disable "pointer"
#pragma CPROVER check disable "pointer-overflow"
#pragma CPROVER check disable "pointer-primitive"
	for (i = from; i < end; i++)
		any |= bytes[i];
#pragma CPROVER check pop
	return !any;
}

/*
 * Replaces the C library's: any text that fits. The code under proof depends on the first byte of a
 * reason only.
 */
int vsnprintf(char *buffer, size_t size, const char *format, va_list args)
{
	(void)args;
	prove(size && __CPROVER_w_ok(buffer, size), "vsnprintf: its buffer is as large as it says");
	prove(__CPROVER_r_ok(format, 1), "vsnprintf: there is a format");
	buffer[0] = (char)(nondet_u8() & 0x7f);
	buffer[size - 1] = 0;
	return 0;
}

#endif /* PROOF_H */
