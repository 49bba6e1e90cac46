/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memchr_inv() for the proofs, in place of tool/kernel_string.h: nothing wraps in it, and all that
 * it is to read has to be there.
 */
#ifndef KERNEL_STRING_H
#define KERNEL_STRING_H

#include <string.h>

/* NULL if all of @size bytes at @start are @c. Callers look at nothing else of what it returns. */
static inline const void *memchr_inv(const void *start, int c, size_t size)
{
	const unsigned char *bytes = start;
	unsigned char other = 0;
	size_t i;

	__CPROVER_assert(__CPROVER_r_ok(start, size), "memchr_inv: all of it is there");
/* That was the check of each byte. */
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
