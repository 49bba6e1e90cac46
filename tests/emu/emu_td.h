/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A TD as the emulator keeps it. emu_td.c has its life cycle, emu_sept.c its memory after the build
 * and what only KVM does with a TD.
 */
#ifndef EMU_TD_H
#define EMU_TD_H

#include <linux/types.h>

#include "emu.h"

struct shash_desc;

#define MAX_VPS			8u
#define MAX_SEPT_PAGES		12u

struct emu_vp {
	u64 tdvpr;
	bool initialized;
	bool associated;		/* entered since the last VP.FLUSH */
	bool halted;			/* its guest has left by HLT */
};

struct emu_td_page {
	u64 gpa;
	u64 pa;
	bool blocked;
	u64 blocked_epoch;
};

struct emu_td {
	u64 tdr;			/* 0: this element of the pool is free */
	bool busy;			/* a call is using it */
	enum tdx_td_state state;
	u64 keys;			/* packages that KEY.CONFIG gave its key, by logical id */
	unsigned int tdcs_pages;
	bool checked;			/* initialised under a TDX module with UPDATE_COMPAT */
	u64 attributes;			/* first field of TD_PARAMS */
	u64 enters;
	u32 written;			/* numbers that the guest has written to ports */

	struct emu_vp vp[MAX_VPS];
	unsigned int nr_vps;
	struct emu_td_page page[TDX_TD_MAX_PAGES];
	unsigned int nr_pages;
	struct { u64 gpa, pa; unsigned int level; } sept[MAX_SEPT_PAGES];
	unsigned int nr_septs;		/* 0: its caller does without, so nothing is missing */
	u64 epoch;			/* MEM.TRACK calls */

	struct shash_desc *hash;	/* MRTD so far, in state build */
	bool measured;			/* @mrtd is final */
	u8 mrtd[TDX_SHA384_SIZE];
	bool spoiled;			/* its measurement comes out wrong */

	unsigned int step;		/* EXPORT/IMPORT.STATE leaves done */
	bool interrupted;		/* the next one has begun and was interrupted */
	u32 interruptions;		/* that are still to come in it */
	u64 stream;			/* number of the export, or of the one imported */
};

struct emu_td_page *emu_td_page(struct emu_td *td, u64 gpa);
bool emu_td_page_is_free(u64 pa);
u64 emu_td_check_keyed(const struct emu_td *td);

#endif /* EMU_TD_H */
