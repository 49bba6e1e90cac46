/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest that the emulator acts out in a TD: the first page that MEM.PAGE.ADD adds begins with
 * this structure. Each TDH.VP.ENTER adds one to @count, in the TD's memory, and leaves the TD. Of
 * eight times it leaves twice by an external interrupt, once by TDG.VP.VMCALL for HLT, with an
 * interrupt that comes at once, else by TDG.VP.VMCALL to write @count to @port. A TD without the
 * structure exits at once, with all outputs unchanged, unless the setting guest_count says what it
 * does (README.md). Tests only.
 */
#ifndef TDX_EMU_GUEST_H
#define TDX_EMU_GUEST_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
typedef uint32_t u32;
typedef uint64_t u64;
#endif

#define TDX_EMU_GUEST_MAGIC	0x5453455547584454ULL	/* "TDXGUEST" */
#define TDX_EMU_GUEST_PORT	0x10u

struct tdx_emu_guest {
	u64 magic;
	u32 port;
	u32 count;
};

#endif /* TDX_EMU_GUEST_H */
