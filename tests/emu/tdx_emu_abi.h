/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the emulator, its TD client and mkimage agree on beyond include/tdx_arch.h: the descriptor
 * in a test image, and the operands of the TD life-cycle leaves. The operands are those of Intel's
 * ABI specification, or a subset of them. Tests only.
 */
#ifndef TDX_EMU_ABI_H
#define TDX_EMU_ABI_H

#include "tdx_arch.h"

/*
 * Descriptor at offset 0 of a test image's first module page. A valid image without a descriptor
 * runs too. Its TDX module then has the sigstruct's version (1.5.<SVN minor> if that is zero), the
 * features TD_PRESERVING and NO_RBP_MOD, and as much handoff data as its pages hold.
 */
#define TDX_EMU_DESC_MAGIC		"TDX-EMU1"
#define TDX_EMU_DESC_MAGIC_SIZE		8

struct tdx_emu_desc {
	u8 magic[TDX_EMU_DESC_MAGIC_SIZE];
	u16 major;
	u16 minor;
	u16 update;
	u16 build_num;
	u32 build_date;
	u32 reserved;
	u64 features0;
	u16 rd_module_hv;		/* for TDH.SYS.RD; leaves use the sigstruct's */
	u16 rd_min_update_hv;
	u32 handoff_size;		/* bytes that it writes; 0: as many as its pages hold */
} __attribute__((packed));
static_assert(offsetof(struct tdx_emu_desc, features0) == 24);
static_assert(sizeof(struct tdx_emu_desc) == 40);

/*
 * TDMR_INFO, 512-byte aligned: a range of whole GiB, the memory for its metadata (PAMT) and what is
 * not TDX memory in it. A reserved area of size 0 ends the list. TDH.SYS.CONFIG takes an array of
 * physical addresses of these in RCX, their number in RDX and the global KeyID in R8.
 */
#define TDX_TDMR_ALIGN			512u
#define TDX_TDMR_RESERVED		16u
#define TDX_PAMT_ENTRY_SIZE		16u
enum tdx_pamt_level { TDX_PAMT_1G, TDX_PAMT_2M, TDX_PAMT_4K, TDX_PAMT_LEVELS };

struct tdx_tdmr_info {
	u64 base;
	u64 size;
	struct { u64 base, size; } pamt[TDX_PAMT_LEVELS];
	struct { u64 offset, size; } reserved[TDX_TDMR_RESERVED];
} __attribute__((packed));
static_assert(sizeof(struct tdx_tdmr_info) == 320);

/*
 * TD life cycle. All addresses are physical addresses of 4096-byte pages of ordinary memory. The
 * caller keeps the pages allocated and unchanged while the TD lives. "TDR" names the TD.
 *
 *   leaf                      RCX            RDX          R8            R9          R10
 *   TDH.MNG.CREATE            TDR page       HKID
 *   TDH.MNG.KEY.CONFIG        TDR
 *   TDH.MNG.ADDCX             TDCS page      TDR
 *   TDH.MNG.INIT              TDR            TD_PARAMS page (not measured; may be zeroes)
 *   TDH.VP.CREATE             TDVPR page     TDR
 *   TDH.VP.INIT               TDVPR          initial RCX
 *   TDH.MEM.PAGE.ADD          GPA            TDR          TD's page     source page
 *   TDH.MR.EXTEND             GPA (256-byte aligned)      TDR in RDX
 *   TDH.MR.FINALIZE           TDR
 *   TDH.VP.ENTER              TDVPR
 *   TDH.MNG.RD                TDR            field id     -> R8 value
 *   TDH.VP.ADDCX              TDCX page      TDVPR
 *   TDH.VP.RD, TDH.VP.WR      TDVPR          field id     value         mask
 *   TDH.MEM.SEPT.ADD          GPA, level     TDR          S-EPT page
 *   TDH.MEM.RANGE.BLOCK       GPA, level     TDR
 *   TDH.MEM.TRACK             TDR
 *   TDH.MEM.PAGE.REMOVE       GPA, level     TDR
 *   TDH.PHYMEM.PAGE.RECLAIM   any page
 *   TDH.VP.FLUSH              TDVPR
 *   TDH.MNG.VPFLUSHDONE       TDR
 *   TDH.MNG.KEY.FREEID        TDR (the TD no longer exists afterwards)
 *   TDH.EXPORT.STATE.*        TDR            -            buffer page   -           bit 63 = resume
 *   TDH.IMPORT.STATE.*        TDR            -            buffer page   -           bit 63 = resume
 *
 * MRTD is the SHA-384 over one record for each call, in the order of the calls. The record of
 * MEM.PAGE.ADD is 128 bytes: "MEM.PAGE.ADD", zeroes up to offset 16, GPA, zeroes. The record of
 * MR.EXTEND is 128 bytes of the same form, "MR.EXTEND", and then the chunk's 256 bytes.
 *
 * EXPORT.STATE leaves apply to a finalized TD, in the order IMMUTABLE, TD, VP. After the first the
 * TD cannot be entered any more; after the last only teardown is left.
 *
 * IMPORT.STATE leaves take the place of MNG.INIT, in the same order. They need a TD that is created
 * and has a key and a TDCS page; IMPORT.STATE.VP also needs VP.CREATE. After the last the TD can be
 * entered, and has the exporter's MRTD and attributes.
 *
 * Each of these leaves answers TDX_TD_INTERRUPTED_RESUMABLE as often as the platform key
 * "interruptions" says. It goes on when it is called again with bit 63 of R10 set.
 */
#define TDX_TD_RESUME			(1ULL << 63)
#define TDX_TD_CHUNK_SIZE		256u
#define TDX_TD_PARAMS_SIZE		1024u
#define TDX_TD_MR_BUFFER_SIZE		128u
#define TDX_TD_MR_GPA_OFFSET		16u
#define TDX_TD_MAX_PAGES		64u	/* measured pages a TD may have in the emulator */
#define TDX_TD_MAX			1100u	/* TDs alive at once in the emulator */

/*
 * Statuses that the module under test does not know: those of TD leaves, of unusual operands, and
 * those of TDH.SYS.INIT and TDH.SYS.LP.INIT on a platform that the TDX module rejects.
 */
#define TDX_TD_STATUSES(X)								\
	X(TDX_TD_FIRST_FIELD_ID_IN_CONTEXT,  "METADATA_FIRST_FIELD_ID_IN_CONTEXT",		\
	  0x00000C0B00000000ULL)							\
	X(TDX_TD_OPERAND_ADDR_RANGE_ERROR,   "OPERAND_ADDR_RANGE_ERROR",  0xC000010100000000ULL) \
	X(TDX_TD_INCOMPATIBLE_SEAM_CAPABILITIES, "INCOMPATIBLE_SEAM_CAPABILITIES",		\
	  0xC000050D00000000ULL)							\
	X(TDX_TD_NUM_ACTIVATED_HKIDS_NOT_SUPPORTED, "NUM_ACTIVATED_HKIDS_NOT_SUPPORTED",	\
	  0xC000082500000000ULL)							\
	X(TDX_TD_SYS_KEY_CONFIG_NOT_PENDING, "SYS_KEY_CONFIG_NOT_PENDING",			\
	  0xC000050700000000ULL)							\
	X(TDX_TD_KEY_CONFIGURED,             "KEY_CONFIGURED",            0x0000081500000000ULL) \
	X(TDX_TD_INVALID_TDMR,               "INVALID_TDMR",              0xC0000A0000000000ULL) \
	X(TDX_TD_NON_ORDERED_TDMR,           "NON_ORDERED_TDMR",          0xC0000A0100000000ULL) \
	X(TDX_TD_TDMR_OUTSIDE_CMRS,          "TDMR_OUTSIDE_CMRS",         0xC0000A0200000000ULL) \
	X(TDX_TD_TDMR_ALREADY_INITIALIZED,   "TDMR_ALREADY_INITIALIZED",  0x00000A0300000000ULL) \
	X(TDX_TD_INVALID_PAMT,               "INVALID_PAMT",              0xC0000A1000000000ULL) \
	X(TDX_TD_PAMT_OUTSIDE_CMRS,          "PAMT_OUTSIDE_CMRS",         0xC0000A1100000000ULL) \
	X(TDX_TD_PAMT_OVERLAP,               "PAMT_OVERLAP",              0xC0000A1200000000ULL) \
	X(TDX_TD_INVALID_RESERVED_IN_TDMR,   "INVALID_RESERVED_IN_TDMR",  0xC0000A2000000000ULL) \
	X(TDX_TD_NON_ORDERED_RESERVED_IN_TDMR, "NON_ORDERED_RESERVED_IN_TDMR",			\
	  0xC0000A2100000000ULL)							\
	X(TDX_TD_INCONSISTENT_CPUID_FIELD,   "INCONSISTENT_CPUID_FIELD",  0xC000090200000000ULL) \
	X(TDX_TD_CPUID_LEAF_NOT_SUPPORTED,   "CPUID_LEAF_NOT_SUPPORTED",  0xC000090800000000ULL) \
	X(TDX_TD_INCONSISTENT_MSR,           "INCONSISTENT_MSR",          0xC000092000000000ULL) \
	X(TDX_TD_INCORRECT_MSR_VALUE,        "INCORRECT_MSR_VALUE",       0xC000092100000000ULL) \
	X(TDX_TD_EPT_WALK_FAILED,            "EPT_WALK_FAILED",           0xC0000B0000000000ULL) \
	X(TDX_TD_EPT_ENTRY_NOT_FREE,         "EPT_ENTRY_NOT_FREE",        0xC0000B0200000000ULL) \
	X(TDX_TD_GPA_RANGE_NOT_BLOCKED,      "GPA_RANGE_NOT_BLOCKED",     0xC0000B0600000000ULL) \
	X(TDX_TD_GPA_RANGE_ALREADY_BLOCKED,  "GPA_RANGE_ALREADY_BLOCKED", 0x00000B0700000000ULL) \
	X(TDX_TD_TLB_TRACKING_NOT_DONE,      "TLB_TRACKING_NOT_DONE",     0xC0000B0800000000ULL) \
	X(TDX_TD_INTERRUPTED_RESUMABLE,      "INTERRUPTED_RESUMABLE",     0x8000000300000000ULL) \
	X(TDX_TD_LIFECYCLE_STATE_INCORRECT,  "LIFECYCLE_STATE_INCORRECT", 0xC000060700000000ULL) \
	X(TDX_TD_OP_STATE_INCORRECT,         "OP_STATE_INCORRECT",        0xC000060800000000ULL)
#define TDX_EMU_ENUM(symbol, name, value) symbol = (value),
enum tdx_td_status { TDX_TD_STATUSES(TDX_EMU_ENUM) };
#undef TDX_EMU_ENUM

/*
 * Fields of TDH.MNG.RD; the numbers are the emulator's own, except for the last two. MRTD is six
 * fields of 8 bytes.
 */
#define TDX_TD_FIELD_STATE		0x01ULL	/* enum tdx_td_state */
#define TDX_TD_FIELD_ENTERS		0x02ULL	/* successful VP.ENTER calls */
#define TDX_TD_FIELD_MRTD		0x10ULL	/* .. + 5 */
/* These numbers are Intel's: KVM reads the fields. */
#define TDX_TD_FIELD_TSC_OFFSET		0x110000000000000AULL
#define TDX_TD_FIELD_TSC_MULTIPLIER	0x110000000000000BULL

#define TDX_TD_STATES(X)								\
	X(TDX_TD_CREATED,	"created")	/* until MNG.INIT or the first import */	\
	X(TDX_TD_BUILD,		"build")	/* until MR.FINALIZE */			\
	X(TDX_TD_RUNNABLE,	"runnable")						\
	X(TDX_TD_EXPORT,	"export")						\
	X(TDX_TD_EXPORTED,	"exported")						\
	X(TDX_TD_IMPORT,	"import")						\
	X(TDX_TD_TEARDOWN,	"teardown")	/* after VPFLUSHDONE */
#define TDX_EMU_STATE_ENUM(symbol, name) symbol,
enum tdx_td_state { TDX_TD_STATES(TDX_EMU_STATE_ENUM) };
#undef TDX_EMU_STATE_ENUM

#endif /* TDX_EMU_ABI_H */
