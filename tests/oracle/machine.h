/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle's machine: how firmware answers a sequence of SEAMCALLs. Calls do not overlap.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include "oracle.h"

#define LEAF_P			(1ull << 63)
#define LEAF_INFO		(LEAF_P | 0)
#define LEAF_INSTALL		(LEAF_P | 1)
#define LEAF_SEAMINFO		(LEAF_P | 3)
#define LEAF_VP_ENTER		0
#define LEAF_MNG_CREATE		9
#define LEAF_SYS_INIT		33
#define LEAF_SYS_RD		34
#define LEAF_SYS_LP_INIT	35
#define LEAF_SYS_LP_SHUTDOWN	44
#define LEAF_SYS_SHUTDOWN	52
#define LEAF_SYS_UPDATE		53

#define MD_FEATURES0		0x0A00000300000008ull
#define MD_MODULE_HV		0x8900000100000000ull
#define MD_MIN_UPDATE_HV	0x8900000100000001ull
#define MD_NO_DOWNGRADE		0x8900000000000002ull
#define MD_NUM_HANDOFF_PAGES	0x8900000100000003ull
#define MD_HANDOFF_DATA_VALID	0x8900000000000004ull
#define MD_HANDOFF_DATA_HV	0x8900000100000005ull

enum machine_state { NO_MODULE, SYSINIT_PENDING, SYSINIT_DONE, SYS_READY, SYS_SHUTDOWN };

/* A TDX module: what P-SEAMLDR took from its sigstruct, and what its code reports. */
struct oracle_module {
	uint16_t hv_min;
	uint16_t hv_max;
	bool no_downgrade;
	uint16_t handoff_pages;
	uint16_t told_hv_min;
	uint16_t told_hv_max;
	uint32_t handoff_size;		/* bytes that it writes; 0: as many as its pages hold */
	uint64_t features0;
};

/* SEAMEXTEND, as SEAMLDR.INFO shows it. */
struct oracle_extend {
	bool valid;
	uint8_t svn_major;
	uint8_t svn_minor;
	uint8_t mrseam[ORACLE_HASH];
	bool mrseam_known;		/* false for the TDX module that was there from the start */
	bool ready;
};

struct oracle_machine {
	struct oracle_platform platform;
	uint32_t updates_left;
	bool updates_known;		/* false after a load: the size of the log is unknown */
	bool dirty;
	struct oracle_extend extend;
	uint32_t called;		/* LPs in the open session, 0: none is open */
	bool has_called[ORACLE_MAX_LPS];
	bool was_ready;			/* extend.ready before the session */
	enum machine_state state;
	struct oracle_module module;
	bool lp_init[ORACLE_MAX_LPS];
	struct oracle_handoff handoff;
	bool stopped;			/* an LP's call has not returned */
};

/* What is at the operand's address in the closing call of SEAMLDR.INSTALL. */
struct machine_operand {
	struct oracle_params params;
	const uint8_t *sigstruct;
	const uint8_t * const *pages;
	struct oracle_module module;	/* in this image; values in the sigstruct override it */
};

/**
 * struct machine_call - one SEAMCALL
 * @lp: 0 to platform.lps - 1
 * @rax: leaf
 * @rcx: operand
 * @rdx: operand
 * @r8: value before the call, not an operand
 * @address_good: RCX is an address of the right alignment that P-SEAMLDR may use
 * @operand: operand of LEAF_INSTALL with a good address, else NULL
 */
struct machine_call {
	unsigned int lp;
	uint64_t rax;
	uint64_t rcx;
	uint64_t rdx;
	uint64_t r8;
	bool address_good;
	const struct machine_operand *operand;
};

/* The registers after a call, as far as they are known. */
struct machine_answer {
	uint64_t rax;
	uint64_t rdx;
	uint64_t r8;
	bool rdx_known;
	bool r8_known;
	const char *rule;		/* the refusal that answered; NULL: success */
};

/* A condition under which a call is refused. The table has firmware's order; names are unique. */
struct machine_refusal {
	uint64_t leaf;
	const char *name;
	const char *section;		/* of docs/firmware.md */
	bool (*broken)(const struct oracle_machine *machine, const struct machine_call *call);
	uint64_t status;
};

extern const struct machine_refusal machine_refusals[];
extern const unsigned int machine_nr_refusals;

struct machine_answer machine_call(struct oracle_machine *machine, const struct machine_call *call);

#endif /* MACHINE_H */
