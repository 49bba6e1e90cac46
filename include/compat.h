/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place that knows kernel versions. The code is written for the newest kernel; what an
 * older one lacks is made up for here, by feature where it can be probed and by version range
 * otherwise.
 */
#ifndef TDX_UPDATE_COMPAT_H
#define TDX_UPDATE_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "tdx_update needs Linux 6.1 or later"
#endif

/* hex2bin() was in linux/kernel.h before it had a header. */
#include <linux/kernel.h>
#if __has_include(<linux/hex.h>)
#include <linux/hex.h>
#endif

/* cpuid_eax() was in asm/processor.h before CPUID had a header. */
#include <asm/processor.h>
#if __has_include(<asm/cpuid/api.h>)
#include <asm/cpuid/api.h>
#endif

#endif /* TDX_UPDATE_COMPAT_H */
