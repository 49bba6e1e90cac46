/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle: docs/firmware.md once more, as tables that say how firmware treats an image, a
 * platform and a call. It judges the checks (src/image.c, src/plan.c) and the emulator (tests/emu),
 * so it may neither include nor call their code. It does not include include/tdx_arch.h either: a
 * number that is misread there must not be wrong here through the same line.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORACLE_PAGE		4096u
#define ORACLE_MAX_PAGES	496u
#define ORACLE_MAX_SOCKETS	8u
#define ORACLE_MAX_LPS		64u
#define ORACLE_SIGSTRUCT	2048u
#define ORACLE_HASH		48u
#define ORACLE_MODULUS		384u

/* Completion statuses, docs/firmware.md, Statuses. */
#define P_EBADPARAM		0x8000000000000000ull
#define P_EBADCALL		0x8000000000000003ull
#define P_EBADHANDOFF		0x8000000000000004ull
#define P_ECLEANUPREQ		0x8000000000000005ull
#define P_EUNSUPPORTED		0x8000000000000006ull
#define P_ENOMEM		0x8000000000010002ull
#define P_EUNSUPCPU		0x8000000000010004ull
#define P_EBADSIG		0x8000000000020000ull
#define P_EBADHASH		0x8000000000020001ull
#define M_OPERAND_INVALID	0xC000010000000000ull
#define OPERAND_RCX		1ull			/* in its details: the operand is RCX */
#define M_SYS_INIT_NOT_PENDING	0xC000050000000000ull
#define M_LP_INIT_NOT_DONE	0xC000050200000000ull
#define M_LP_INIT_DONE		0xC000050300000000ull
#define M_SYS_NOT_READY		0xC000050500000000ull
#define M_SYS_SHUTDOWN		0xC000050600000000ull
#define M_STATE_INCORRECT	0xC000050800000000ull
#define M_INVALID_HANDOFF	0xC000050900000000ull
#define M_BAD_SIGSTRUCT		0xC000050A00000000ull
#define M_LP_INIT_NOT_PENDING	0xC000050B00000000ull
#define M_FIELD_ID_INCORRECT	0xC0000C0000000000ull
#define VMFAILINVALID		0x8000FF00FFFF0000ull	/* a code of the software, not a status */
#define LP_STOPS		0x8000FF00FFFFFFFFull	/* no answer: the call never returns */

#define F0_TD_PRESERVING	(1ull << 1)
#define F0_UPDATE_COMPAT	(1ull << 47)
#define AVOID_COMPAT_SENSITIVE	(1ull << 16)

struct oracle_loader {
	uint16_t major;
	uint16_t minor;
	uint16_t update;
};

/**
 * struct oracle_platform - properties of the machine that do not change until it reboots
 * @lps: tot_num_lps of SEAMLDR.SEAMINFO
 * @addressable_lps: A of "Memory of a TDX module"
 * @nr_sockets: 1 to ORACLE_MAX_SOCKETS
 * @cpuid: CPUID(1).EAX of each socket
 * @room: bytes between SEAM's range and P-SEAMLDR's
 * @signer: SHA-384 of the modulus of the one signer that P-SEAMLDR accepts
 * @unlocked: P-SEAMLDR accepts debug-signed images
 * @loader: P-SEAMLDR's version as SEAMLDR.INFO shows it: 1.5.02 shows 1.5.0
 */
struct oracle_platform {
	uint32_t lps;
	uint32_t addressable_lps;
	uint32_t nr_sockets;
	uint32_t cpuid[ORACLE_MAX_SOCKETS];
	uint64_t room;
	uint8_t signer[ORACLE_HASH];
	bool unlocked;
	struct oracle_loader loader;
};

/**
 * struct oracle_installed - the TDX module that is installed
 * @valid: a TDX module is installed
 * @ready: it was open to calls when the session began
 * @svn_major: major part of TEE_TCB_SVN
 * @svn_minor: minor part of TEE_TCB_SVN
 * @hv_min: lowest handoff version that TDH.SYS.SHUTDOWN accepts
 * @hv_max: highest handoff version that TDH.SYS.SHUTDOWN accepts
 * @no_downgrade: TDH.SYS.SHUTDOWN accepts @hv_max only
 * @handoff_pages: NUM_HANDOFF_PAGES
 * @features0: TDX_FEATURES0
 */
struct oracle_installed {
	bool valid;
	bool ready;
	uint8_t svn_major;
	uint8_t svn_minor;
	uint16_t hv_min;
	uint16_t hv_max;
	bool no_downgrade;
	uint16_t handoff_pages;
	uint64_t features0;
};

/* Handoff data. @size does not include its header of 8 bytes. */
struct oracle_handoff {
	bool valid;
	uint16_t hv;
	uint64_t size;
};

/* SEAMLDR_PARAMS of the closing call. */
struct oracle_params {
	bool address_good;		/* of the page with SEAMLDR_PARAMS */
	uint32_t version;
	uint32_t scenario;
	bool reserved_zero;
	bool sigstruct_address_good;
	uint64_t nr_pages;
	bool page_addresses_good;	/* of the first nr_pages, or of all if there are fewer */
};

/**
 * struct oracle_install - everything that the closing call of SEAMLDR.INSTALL checks
 * @platform: the machine
 * @installed: the old TDX module, as the session found it
 * @handoff: handoff data of the old TDX module
 * @updates_left: num_remaining_updates
 * @dirty: TDs may have run since the machine booted, so their keys and cache lines may be there
 * @params: the operand
 * @sigstruct: ORACLE_SIGSTRUCT bytes
 * @pages: the module pages, each ORACLE_PAGE bytes; @params has their number
 */
struct oracle_install {
	const struct oracle_platform *platform;
	const struct oracle_installed *installed;
	struct oracle_handoff handoff;
	uint32_t updates_left;
	bool dirty;
	struct oracle_params params;
	const uint8_t *sigstruct;
	const uint8_t * const *pages;
};

/* A field of the sigstruct: its bits in @mask have to be @value. */
struct oracle_field {
	unsigned int offset;
	unsigned int size;
	uint64_t mask;
	uint64_t value;
};

/**
 * struct oracle_rule - a condition under which an image is not installed
 * @name: identifies the rule in comparisons
 * @section: section of docs/firmware.md
 * @broken: returns whether the condition holds; gets the rule for its @field
 * @status: RAX if the condition holds; LP_STOPS if there is no answer
 * @rdx: RDX then: 0 if the old TDX module can be brought back, 1 if it cannot
 * @field: field of the sigstruct, if @broken checks one
 */
struct oracle_rule {
	const char *name;
	const char *section;
	bool (*broken)(const struct oracle_install *install, const struct oracle_rule *rule);
	uint64_t status;
	uint64_t rdx;
	struct oracle_field field;
};

/* The rules in the order in which firmware applies them; those of SEAMLDR.INSTALL come first. */
extern const struct oracle_rule oracle_rules[];
extern const unsigned int oracle_nr_rules;

const struct oracle_rule *oracle_first_broken(const struct oracle_install *install);
bool oracle_is_broken(const struct oracle_install *install, const char *name);
uint64_t oracle_bytes_needed(const struct oracle_install *install);

/**
 * struct oracle_container_rule - a condition under which a file is not a TDX-BLOB
 * @name: identifies the rule in comparisons
 * @broken: returns whether the condition holds; reads no byte past the file's end
 */
struct oracle_container_rule {
	const char *name;
	bool (*broken)(const uint8_t *file, size_t size);
};

extern const struct oracle_container_rule oracle_container_rules[];
extern const unsigned int oracle_nr_container_rules;

bool oracle_container_open(const uint8_t *file, size_t size, const uint8_t **sigstruct,
			   const uint8_t **module, uint64_t *nr_pages);

/* Little-endian fields of any alignment. */
static inline uint64_t oracle_get(const uint8_t *bytes, unsigned int offset, unsigned int size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | bytes[offset + size];
	return value;
}

static inline void oracle_put(uint8_t *bytes, unsigned int offset, unsigned int size,
			      uint64_t value)
{
	for (; size--; value >>= 8)
		bytes[offset++] = value;
}

#endif /* ORACLE_H */
