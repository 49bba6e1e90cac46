/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules of verify.c in user space, with OpenSSL. For tests only.
 */
#ifndef USER_VERIFY_H
#define USER_VERIFY_H

#include "core.h"

struct tdxu_signature_check user_verify(const struct tdxu_image *image,
					const u8 signer[TDX_SHA384_SIZE]);

#endif /* USER_VERIFY_H */
