/* SPDX-License-Identifier: GPL-2.0-only */
/* The entry points of libFuzzer that fuzz.c uses. libFuzzer has no header for C. */
#ifndef LIBFUZZER_H
#define LIBFUZZER_H

#include <stddef.h>

#include "core.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned int seed);

#endif /* LIBFUZZER_H */
