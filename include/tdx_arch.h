/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the hardware and its firmware define: leaves, statuses, metadata fields, structures.
 * Nothing here is ours to choose and nothing here has behaviour. Also compiles in user space,
 * for the image tools and the table tests.
 *
 * Sources: "Intel TDX Module Base Architecture / ABI Reference Specification" (TDH.* leaves,
 * statuses, metadata) and "Intel TDX Loader Interface Specification" (SEAMLDR.* leaves,
 * SEAM_SIGSTRUCT).
 */
#ifndef TDX_ARCH_H
#define TDX_ARCH_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#else
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
#endif

#define TDX_PAGE_SIZE			4096u
#define TDX_SHA384_SIZE			48u

/*
 * Leaves: symbol, name in the specification, number. Bit 63 selects P-SEAMLDR.
 * The leaves below the blank line are those of Linux's TDX core and of KVM; this project calls them
 * in tests only.
 */
#define TDX_LEAF_P_SEAMLDR		(1ULL << 63)

#define TDX_LEAVES(X)									\
	X(SEAMLDR_INFO,			"SEAMLDR.INFO",			TDX_LEAF_P_SEAMLDR | 0) \
	X(SEAMLDR_INSTALL,		"SEAMLDR.INSTALL",		TDX_LEAF_P_SEAMLDR | 1) \
	X(SEAMLDR_SEAMINFO,		"SEAMLDR.SEAMINFO",		TDX_LEAF_P_SEAMLDR | 3) \
	X(TDH_PHYMEM_PAGE_RDMD,		"TDH.PHYMEM.PAGE.RDMD",		24)		\
	X(TDH_SYS_INIT,			"TDH.SYS.INIT",			33)		\
	X(TDH_SYS_RD,			"TDH.SYS.RD",			34)		\
	X(TDH_SYS_LP_INIT,		"TDH.SYS.LP.INIT",		35)		\
	X(TDH_SYS_LP_SHUTDOWN,		"TDH.SYS.LP.SHUTDOWN",		44)		\
	X(TDH_SYS_SHUTDOWN,		"TDH.SYS.SHUTDOWN",		52)		\
	X(TDH_SYS_UPDATE,		"TDH.SYS.UPDATE",		53)		\
											\
	X(TDH_SYS_KEY_CONFIG,		"TDH.SYS.KEY.CONFIG",		31)		\
	X(TDH_SYS_TDMR_INIT,		"TDH.SYS.TDMR.INIT",		36)		\
	X(TDH_SYS_CONFIG,		"TDH.SYS.CONFIG",		45)		\
	X(TDH_SYS_DISABLE,		"TDH.SYS.DISABLE",		69)		\
	X(TDH_VP_ENTER,			"TDH.VP.ENTER",			0)		\
	X(TDH_MNG_ADDCX,		"TDH.MNG.ADDCX",		1)		\
	X(TDH_MEM_PAGE_ADD,		"TDH.MEM.PAGE.ADD",		2)		\
	X(TDH_MEM_SEPT_ADD,		"TDH.MEM.SEPT.ADD",		3)		\
	X(TDH_VP_ADDCX,			"TDH.VP.ADDCX",			4)		\
	X(TDH_MEM_RANGE_BLOCK,		"TDH.MEM.RANGE.BLOCK",		7)		\
	X(TDH_MNG_KEY_CONFIG,		"TDH.MNG.KEY.CONFIG",		8)		\
	X(TDH_MNG_CREATE,		"TDH.MNG.CREATE",		9)		\
	X(TDH_VP_CREATE,		"TDH.VP.CREATE",		10)		\
	X(TDH_MNG_RD,			"TDH.MNG.RD",			11)		\
	X(TDH_MR_EXTEND,		"TDH.MR.EXTEND",		16)		\
	X(TDH_MR_FINALIZE,		"TDH.MR.FINALIZE",		17)		\
	X(TDH_VP_FLUSH,			"TDH.VP.FLUSH",			18)		\
	X(TDH_MNG_VPFLUSHDONE,		"TDH.MNG.VPFLUSHDONE",		19)		\
	X(TDH_MNG_KEY_FREEID,		"TDH.MNG.KEY.FREEID",		20)		\
	X(TDH_MNG_INIT,			"TDH.MNG.INIT",			21)		\
	X(TDH_VP_INIT,			"TDH.VP.INIT",			22)		\
	X(TDH_VP_RD,			"TDH.VP.RD",			26)		\
	X(TDH_PHYMEM_PAGE_RECLAIM,	"TDH.PHYMEM.PAGE.RECLAIM",	28)		\
	X(TDH_MEM_PAGE_REMOVE,		"TDH.MEM.PAGE.REMOVE",		29)		\
	X(TDH_MEM_TRACK,		"TDH.MEM.TRACK",		38)		\
	X(TDH_PHYMEM_CACHE_WB,		"TDH.PHYMEM.CACHE.WB",		40)		\
	X(TDH_PHYMEM_PAGE_WBINVD,	"TDH.PHYMEM.PAGE.WBINVD",	41)		\
	X(TDH_VP_WR,			"TDH.VP.WR",			43)		\
	X(TDH_EXPORT_STATE_IMMUTABLE,	"TDH.EXPORT.STATE.IMMUTABLE",	72)		\
	X(TDH_EXPORT_STATE_TD,		"TDH.EXPORT.STATE.TD",		73)		\
	X(TDH_EXPORT_STATE_VP,		"TDH.EXPORT.STATE.VP",		74)		\
	X(TDH_IMPORT_STATE_IMMUTABLE,	"TDH.IMPORT.STATE.IMMUTABLE",	85)		\
	X(TDH_IMPORT_STATE_TD,		"TDH.IMPORT.STATE.TD",		86)		\
	X(TDH_IMPORT_STATE_VP,		"TDH.IMPORT.STATE.VP",		87)

/*
 * Completion statuses of the TDX module: symbol, name, value. Bits 63:32 are the class and name,
 * bits 31:0 details, so they are compared under TDX_STATUS_MASK.
 */
#define TDX_STATUS_MASK			0xFFFFFFFF00000000ULL

#define TDX_STATUSES(X)									\
	X(TDX_SUCCESS,                     "SUCCESS",                     0)                    \
	X(TDX_OPERAND_INVALID,             "OPERAND_INVALID",             0xC000010000000000ULL) \
	X(TDX_OPERAND_BUSY,                "OPERAND_BUSY",                0x8000020000000000ULL) \
	X(TDX_SYS_BUSY,                    "SYS_BUSY",                    0x8000020200000000ULL) \
	X(TDX_RND_NO_ENTROPY,              "RND_NO_ENTROPY",              0x8000020300000000ULL) \
	X(TDX_SYS_INIT_NOT_PENDING,        "SYS_INIT_NOT_PENDING",        0xC000050000000000ULL) \
	X(TDX_SYS_LP_INIT_NOT_DONE,        "SYS_LP_INIT_NOT_DONE",        0xC000050200000000ULL) \
	X(TDX_SYS_LP_INIT_DONE,            "SYS_LP_INIT_DONE",            0xC000050300000000ULL) \
	X(TDX_SYS_NOT_READY,               "SYS_NOT_READY",               0xC000050500000000ULL) \
	X(TDX_SYS_SHUTDOWN,                "SYS_SHUTDOWN",                0xC000050600000000ULL) \
	X(TDX_SYS_STATE_INCORRECT,         "SYS_STATE_INCORRECT",         0xC000050800000000ULL) \
	X(TDX_SYS_INVALID_HANDOFF,         "SYS_INVALID_HANDOFF",         0xC000050900000000ULL) \
	X(TDX_SYS_INCOMPATIBLE_SIGSTRUCT,  "SYS_INCOMPATIBLE_SIGSTRUCT",  0xC000050A00000000ULL) \
	X(TDX_SYS_LP_INIT_NOT_PENDING,     "SYS_LP_INIT_NOT_PENDING",     0xC000050B00000000ULL) \
	X(TDX_SYS_CONFIG_NOT_PENDING,      "SYS_CONFIG_NOT_PENDING",      0xC000050C00000000ULL) \
	X(TDX_UPDATE_COMPAT_SENSITIVE,     "UPDATE_COMPAT_SENSITIVE",     0x8000051200000000ULL) \
	X(TDX_METADATA_FIELD_ID_INCORRECT, "METADATA_FIELD_ID_INCORRECT", 0xC0000C0000000000ULL)

/* Completion statuses of P-SEAMLDR, compared whole. */
#define SEAMLDR_STATUSES(X)								\
	X(SEAMLDR_SUCCESS,                 "SUCCESS",                     0)                    \
	X(SEAMLDR_EBADPARAM,               "EBADPARAM",                   0x8000000000000000ULL) \
	X(SEAMLDR_EBADCALL,                "EBADCALL",                    0x8000000000000003ULL) \
	X(SEAMLDR_EBADHANDOFF,             "EBADHANDOFF",                 0x8000000000000004ULL) \
	X(SEAMLDR_ECLEANUPREQ,             "ECLEANUPREQ",                 0x8000000000000005ULL) \
	X(SEAMLDR_EUNSUPPORTED,            "EUNSUPPORTED",                0x8000000000000006ULL) \
	X(SEAMLDR_ENOMEM,                  "ENOMEM",                      0x8000000000010002ULL) \
	X(SEAMLDR_EUNSPECERR,              "EUNSPECERR",                  0x8000000000010003ULL) \
	X(SEAMLDR_EUNSUPCPU,               "EUNSUPCPU",                   0x8000000000010004ULL) \
	X(SEAMLDR_EBADSIG,                 "EBADSIG",                     0x8000000000020000ULL) \
	X(SEAMLDR_EBADHASH,                "EBADHASH",                    0x8000000000020001ULL) \
	X(SEAMLDR_EINTERRUPT,              "EINTERRUPT",                  0x8000000000030000ULL) \
	X(SEAMLDR_ENOENTROPY,              "ENOENTROPY",                  0x8000000000030001ULL)

/*
 * Software statuses for a SEAMCALL that brought none back. Firmware never uses 0xFF in bits 47:40.
 * A trap carries its vector in bits 31:0.
 */
#define TDX_SW_ERROR			0x8000FF0000000000ULL
#define TDX_SW_STATUSES(X)								\
	X(TDX_SW_VMFAILINVALID, "VMfailInvalid",	TDX_SW_ERROR | 0xFFFF0000)	\
	X(TDX_SW_UD,		"#UD",			TDX_SW_ERROR | 6)		\
	X(TDX_SW_GP,		"#GP",			TDX_SW_ERROR | 13)

#define TDX_ARCH_ENUM(symbol, name, value) symbol = (value),
enum tdx_leaf { TDX_LEAVES(TDX_ARCH_ENUM) };
enum tdx_status {
	TDX_STATUSES(TDX_ARCH_ENUM)
	SEAMLDR_STATUSES(TDX_ARCH_ENUM)
	TDX_SW_STATUSES(TDX_ARCH_ENUM)
};

#undef TDX_ARCH_ENUM

/* Operand ids in bits 31:0 of OPERAND_INVALID and OPERAND_BUSY: the number of the register. */
#define TDX_OPERAND_ID_RCX		1u
#define TDX_OPERAND_ID_RDX		2u
#define TDX_OPERAND_ID_R8		8u
#define TDX_OPERAND_ID_R9		9u

/* TDH.SYS.SHUTDOWN, RCX. */
#define TDX_SHUTDOWN_HV_MASK		0xFFFFULL
#define TDX_SHUTDOWN_AVOID_COMPAT_SENSITIVE	(1ULL << 16)

/* SEAMLDR.INSTALL, RDX of a failed call. */
#define SEAMLDR_RECOVERABLE		0ULL
#define SEAMLDR_UNRECOVERABLE		1ULL

/* Metadata fields of TDH.SYS.RD. */
#define TDX_MD_MINOR_VERSION		0x0800000100000003ULL
#define TDX_MD_MAJOR_VERSION		0x0800000100000004ULL
#define TDX_MD_UPDATE_VERSION		0x0800000100000005ULL
#define TDX_MD_BUILD_NUM		0x8800000100000002ULL
#define TDX_MD_BUILD_DATE		0x8800000200000001ULL
#define TDX_MD_VENDOR_ID		0x0800000200000000ULL
#define TDX_MD_FEATURES0		0x0A00000300000008ULL
#define TDX_MD_MODULE_HV		0x8900000100000000ULL
#define TDX_MD_MIN_UPDATE_HV		0x8900000100000001ULL
#define TDX_MD_NO_DOWNGRADE		0x8900000000000002ULL
#define TDX_MD_NUM_HANDOFF_PAGES	0x8900000100000003ULL
/*
 * Of a module that was just installed: does handoff data wait for TDH.SYS.UPDATE, in which version?
 */
#define TDX_MD_HANDOFF_DATA_VALID	0x8900000000000004ULL
#define TDX_MD_HANDOFF_DATA_HV		0x8900000100000005ULL

/* TDX_FEATURES0 */
#define TDX_FEATURES0_TD_PRESERVING	(1ULL << 1)
#define TDX_FEATURES0_NO_RBP_MOD	(1ULL << 18)
#define TDX_FEATURES0_UPDATE_COMPAT	(1ULL << 47)

/* VMPTRST's answer where no VMCS is current. */
#define VMX_NO_CURRENT_VMCS		(~0ULL)

/* SGX_DEBUG_MODE: with bit 1 the platform is debug-unlocked and accepts debug-signed images. */
#define MSR_SGX_DEBUG_MODE		0x503u
#define SGX_DEBUG_MODE_UNLOCKED		(1u << 1)

/* IA32_SEAMRR_PHYS_BASE: start of SEAM's memory range in bits 12 and up. */
#define MSR_IA32_SEAMRR_PHYS_BASE	0x1400u
/* IA32_SEAMRR_PHYS_MASK: bit 11 says that the range is enabled. */
#define MSR_IA32_SEAMRR_PHYS_MASK	0x1401u
#define SEAMRR_PHYS_MASK_ENABLED	(1u << 11)

/* SEAMLDR.INFO's answer. */
struct seamldr_info {
	u32 version;
	u32 attributes;
	u32 vendor_id;
	u32 build_date;
	u16 build_num;
	u16 minor;
	u16 major;
	u16 update;
	u32 acm_x2apicid;
	u32 num_remaining_updates;
	struct {
		u64 valid;
		u8 tee_tcb_svn[16];
		u8 mrseam[TDX_SHA384_SIZE];
		u8 mrsigner[TDX_SHA384_SIZE];
		u64 attributes;
	} __attribute__((packed)) seam_info;
	u8 seam_ready;
	u8 seam_debug;
	u8 p_seam_ready;
	u8 reserved0[5];
	u64 features0;
	u8 reserved1[80];
} __attribute__((packed));
#define SEAMLDR_INFO_VALID		0x1FFULL	/* seam_info.valid of a module in place */
#define SEAMLDR_INFO_ALIGN		256u
#define SEAMLDR_INFO_ATTR_DEBUG		(1u << 31)
#define TEE_TCB_SVN_MINOR		0	/* index in tee_tcb_svn */
#define TEE_TCB_SVN_MAJOR		1
static_assert(sizeof(struct seamldr_info) == 256);
static_assert(offsetof(struct seamldr_info, num_remaining_updates) == 28);
static_assert(offsetof(struct seamldr_info, seam_info) == 32);
static_assert(offsetof(struct seamldr_info, seam_ready) == 160);
static_assert(offsetof(struct seamldr_info, features0) == 168);

/* SEAMLDR.SEAMINFO's answer: the platform as counted at boot. */
#define SEAMLDR_MAX_SOCKETS		8u
struct seamldr_seaminfo {
	u64 version;
	u32 tot_num_lps;		/* each must call SEAMLDR.INSTALL once a session */
	u32 tot_num_sockets;
	u32 socket_cpuid[SEAMLDR_MAX_SOCKETS];	/* CPUID(1).EAX of each package */
	u64 p_seamldr_base;		/* P-SEAMLDR's own range; a TDX module lies below it */
	u64 p_seamldr_size;
	u8 reserved0[64];
	struct {
		u64 base;
		u64 size;
	} __attribute__((packed)) cmrs[32];
	u8 reserved1[1408];
} __attribute__((packed));
#define SEAMLDR_SEAMINFO_ALIGN		2048u
static_assert(sizeof(struct seamldr_seaminfo) == SEAMLDR_SEAMINFO_ALIGN);
static_assert(offsetof(struct seamldr_seaminfo, tot_num_lps) == 8);
static_assert(offsetof(struct seamldr_seaminfo, socket_cpuid) == 16);
static_assert(offsetof(struct seamldr_seaminfo, p_seamldr_base) == 48);
static_assert(offsetof(struct seamldr_seaminfo, cmrs) == 128);

/* SEAMLDR.INSTALL's operand. */
#define SEAMLDR_MAX_MODULE_PAGES	496u
#define SEAMLDR_SCENARIO_LOAD		0u
#define SEAMLDR_SCENARIO_UPDATE		1u
struct seamldr_params {
	u32 version;
	u32 scenario;
	u64 sigstruct_pa;
	u8 reserved[104];
	u64 num_module_pages;
	u64 module_pages_pa[SEAMLDR_MAX_MODULE_PAGES];
} __attribute__((packed));
static_assert(sizeof(struct seamldr_params) == TDX_PAGE_SIZE);
static_assert(offsetof(struct seamldr_params, sigstruct_pa) == 8);
static_assert(offsetof(struct seamldr_params, num_module_pages) == 120);
static_assert(offsetof(struct seamldr_params, module_pages_pa) == 128);

#define SEAM_SIGSTRUCT_HEADER_TYPE	6u
#define SEAM_SIGSTRUCT_HEADER_LENGTH	0xE1u
#define SEAM_SIGSTRUCT_HEADER_VERSION	0x10000u
#define SEAM_SIGSTRUCT_DEBUG_SIGNED	(1u << 31)	/* module_type */
#define SEAM_SIGSTRUCT_VENDOR_INTEL	0x8086u
#define SEAM_SIGSTRUCT_SIZE_DWORDS	0x200u
#define SEAM_SIGSTRUCT_KEY_DWORDS	0x60u
#define SEAM_SIGSTRUCT_EXPONENT_DWORDS	1u
#define SEAM_SIGSTRUCT_EXPONENT		0x10001u
#define SEAM_SIGSTRUCT_MODULUS_SIZE	384u
#define SEAM_SIGSTRUCT_MAX_CPUIDS	255u
#define SEAM_SIGSTRUCT_CPUID_STEPPING	0xFu		/* not compared */
/* What fault_wrapper_offset points at: 32 handlers of 16 bytes. */
#define SEAM_SIGSTRUCT_FAULT_WRAPPERS_SIZE	512u

/* The signed description of a TDX module. The signature covers bytes 0..127 and 900..2047. */
struct seam_sigstruct {
	u32 header_type;
	u32 header_length;
	u32 header_version;
	u32 module_type;
	u32 module_vendor;
	u32 date;
	u32 size;
	u32 key_size;
	u32 modulus_size;
	u32 exponent_size;
	u8 reserved0[88];

	u8 modulus[SEAM_SIGSTRUCT_MODULUS_SIZE];
	u32 exponent;
	u8 signature[SEAM_SIGSTRUCT_MODULUS_SIZE];

	u8 seamhash[TDX_SHA384_SIZE];
	u8 svn_minor;
	u8 svn_major;
	u64 attributes;
	u32 rip_offset;
	u8 num_stack_pages;
	u8 num_tls_pages;
	u16 num_keyhole_pages;
	u16 num_global_data_pages;
	u16 max_tdmrs;
	u16 max_rsvd_per_tdmr;
	u16 pamt_entry_size_4k;
	u16 pamt_entry_size_2m;
	u16 pamt_entry_size_1g;
	u8 reserved1[6];
	u16 module_hv;
	u16 min_update_hv;
	u8 no_downgrade;
	u8 reserved2;
	u16 num_handoff_pages;
	u32 gdt_idt_offset;
	u32 fault_wrapper_offset;
	/* To the CPU table older images have zeroes, later ones may have more than we know. */
	u16 update;
	u8 minor;
	u8 major;
	u16 build_num;
	u8 unspecified[18];
	u32 cpuid_table_size;
	u32 cpuid_table[SEAM_SIGSTRUCT_MAX_CPUIDS];
} __attribute__((packed));
static_assert(sizeof(struct seam_sigstruct) == SEAM_SIGSTRUCT_SIZE_DWORDS * 4);
static_assert(offsetof(struct seam_sigstruct, reserved0) == 40);
static_assert(offsetof(struct seam_sigstruct, modulus) == 128);
static_assert(offsetof(struct seam_sigstruct, exponent) == 512);
static_assert(offsetof(struct seam_sigstruct, signature) == 516);
static_assert(offsetof(struct seam_sigstruct, seamhash) == 900);
static_assert(offsetof(struct seam_sigstruct, svn_minor) == 948);
static_assert(offsetof(struct seam_sigstruct, attributes) == 950);
static_assert(offsetof(struct seam_sigstruct, rip_offset) == 958);
static_assert(offsetof(struct seam_sigstruct, reserved1) == 978);
static_assert(offsetof(struct seam_sigstruct, module_hv) == 984);
static_assert(offsetof(struct seam_sigstruct, gdt_idt_offset) == 992);
static_assert(offsetof(struct seam_sigstruct, update) == 1000);
static_assert(offsetof(struct seam_sigstruct, cpuid_table_size) == 1024);

/* TDX-BLOB: the container Intel ships. The 16-bit little-endian words of the file add up to 0. */
#define TDX_BLOB_SIGNATURE		"TDX-BLOB"
#define TDX_BLOB_SIGNATURE_SIZE		8u
#define TDX_BLOB_VERSION_1		0x0100u
#define TDX_BLOB_VERSION_2		0x0200u
struct tdx_blob_v1 {
	u16 version;
	u16 checksum;
	u32 offset_of_module;
	u8 signature[TDX_BLOB_SIGNATURE_SIZE];
	u32 length;
	u32 reserved0;
	u64 reserved1[509];
} __attribute__((packed));
struct tdx_blob_v2 {
	u16 version;
	u16 checksum;
	u8 signature[TDX_BLOB_SIGNATURE_SIZE];
	u32 sigstruct_nr_pages;
	u32 module_nr_pages;
	u8 reserved[4076];
} __attribute__((packed));
static_assert(sizeof(struct tdx_blob_v1) == TDX_PAGE_SIZE);
static_assert(sizeof(struct tdx_blob_v2) == TDX_PAGE_SIZE);
static_assert(offsetof(struct tdx_blob_v1, length) == 16);
static_assert(offsetof(struct tdx_blob_v2, sigstruct_nr_pages) == 12);

#endif /* TDX_ARCH_H */
