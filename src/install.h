/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by install.c (the blackout) and install_setup.c (its setup and teardown). No other file
 * includes this.
 */
#ifndef TDX_UPDATE_INSTALL_H
#define TDX_UPDATE_INSTALL_H

#include <linux/cache.h>
#include <linux/cpumask.h>
#include <linux/types.h>

#include "tdx_update.h"

/* Images that a blackout can run: the image, the recovery image, the image once more. */
#define TDXU_RUNS_MAX		3u
/* How many SEAMCALLs of each LP are kept for the tracepoints: the last ones. */
#define TDXU_CALLS_KEPT		32u
/* Phases that a blackout can enter: those of a run once for each run, all others once. */
#define TDXU_PHASES_MAX		(2u + 3u * TDXU_RUNS_MAX + 1u)

/* A SEAMCALL and a phase for the tracepoints. @step orders both. */
struct call_record {
	struct tdxu_answer answer;
	unsigned int step;
};

struct phase_record {
	enum tdxu_phase phase;
	unsigned int step;		/* the first one of this phase */
	u64 ns;
};

/* What an LP needs for its SEAMLDR.INSTALL call of a pass. */
struct ticket {
	u64 params_pa;
	unsigned int session;
	unsigned int step;
	bool join;			/* the session was open before */
	bool closed;			/* of @join: an LP before this one has closed it */
};

/* One LP. What another CPU polls or writes has a cache line of its own. */
struct lp {
	/* The previous LP of the chain writes both, this LP polls @pass. */
	unsigned int pass;
	struct ticket ticket;

	/* Private; the lead CPU reads @answer once this LP has acked or passed the ticket on. */
	unsigned int session ____cacheline_aligned_in_smp;	/* its last call that counted */
	u64 vmcs;
	struct tdxu_answer answer;
	int cpu;
	unsigned int index;		/* constant: lp[N].index is the index of CPU N's LP */
	unsigned int num_calls;
	struct call_record calls[TDXU_CALLS_KEPT];
} ____cacheline_aligned_in_smp;

/* An image prepared for P-SEAMLDR; @params is NULL if there is none. */
struct payload {
	struct seamldr_params *params;
	u8 svn_minor;
};

struct blackout {
	/* Constant during the blackout. */
	struct tdxu_plan plan;
	struct payload image;
	struct payload recovery;
	struct seamldr_info *info;
	bool traced;			/* a tracepoint is enabled */
	cpumask_t cpus;			/* those of the LPs */
	unsigned int num_lps;

	/* Private to the lead CPU. */
	struct tdxu_verdict verdict ____cacheline_aligned_in_smp;
	enum tdxu_phase phase;
	struct tdxu_answer answer;
	u8 svn_minor;			/* of the installed TDX module */
	u32 updates_left;
	unsigned int sessions;
	unsigned int passes;
	unsigned int step;
	unsigned int acks_expected;
	bool session_open;		/* no LP may open one before it is closed */
	u64 params_pa;
	u64 ns;
	unsigned int num_phases;
	struct phase_record phases[TDXU_PHASES_MAX];

	/* The lead CPU writes, all others poll. */
	unsigned int state ____cacheline_aligned_in_smp;

	/* All write, the lead CPU polls @acks. */
	atomic_t acks ____cacheline_aligned_in_smp;
	bool failed;			/* an LP, since the lead CPU cleared it */
	const struct lp *closer;	/* the LP that closed a session that was joined */

	struct lp lp[];			/* by index, in the order of the chain */
};

int tdxu_blackout_run(void *blackout);

#endif /* TDX_UPDATE_INSTALL_H */
