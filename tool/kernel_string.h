/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one string function of the kernel that image.c uses and user space lacks.
 */
#ifndef KERNEL_STRING_H
#define KERNEL_STRING_H

#include <string.h>

/* Return the first of @size bytes at @start that is not @c, or NULL. */
static inline const void *memchr_inv(const void *start, int c, size_t size)
{
	const unsigned char *byte = start;

	for (; size--; byte++)
		if (*byte != (unsigned char)c)
			return byte;
	return NULL;
}

#endif /* KERNEL_STRING_H */
