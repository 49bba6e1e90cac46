/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memchr_inv() for the proofs, in place of tool/kernel_string.h. No number wraps in it, and it
 * checks that all memory it may read is there.
 */
#ifndef KERNEL_STRING_H
#define KERNEL_STRING_H

#include <string.h>

/* Return NULL if all of @size bytes at @start are @c. Callers only compare the result with NULL. */
static inline const void *memchr_inv(const void *start, int c, size_t size)
{
	const unsigned char *bytes = start;
	unsigned char other = 0;
	size_t i;

	__CPROVER_assert(__CPROVER_r_ok(start, size), "memchr_inv: all of it is there");
/* The assertion above covers each byte, so the loop needs no pointer checks. */
#pragma CPROVER check push
#pragma CPROVER check disable "pointer"
#pragma CPROVER check disable "pointer-overflow"
#pragma CPROVER check disable "pointer-primitive"
	for (i = 0; i < size; i++)
		other |= bytes[i] ^ (unsigned char)c;
#pragma CPROVER check pop
	return other ? start : NULL;
}

#endif /* KERNEL_STRING_H */
