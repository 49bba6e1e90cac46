/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The emulator's state and the calls between its files.
 * emu.lock protects all of struct emu. Trap handlers use the state, so the lock is a raw spinlock
 * taken with interrupts off, and code under it must not sleep, allocate or print.
 */
#ifndef EMU_H
#define EMU_H

#include <linux/cpumask.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <asm/ptrace.h>

#include <crypto/hash.h>

struct exception_table_entry;
struct module;

#include "tdx_arch.h"
#include "tdx_emu_abi.h"

#define EMU_MAX_FAULTS		64u		/* armed by "inject" */
#define EMU_LOG_SIZE		16384u		/* calls */
#define EMU_NR_MSRS		4u
#define EMU_NO_FIELD		(~0ULL)		/* TDH.SYS.RD: no next field, or no field at all */

/* SEAM's memory range: above the memory of any test machine. The TDX module is below P-SEAMLDR. */
#define EMU_SEAMRR_BASE		(1ULL << 38)
#define EMU_P_SEAMLDR_SIZE	(32ULL << 20)

/* The leaves in the order of TDX_LEAVES. The last value stands for every other leaf number. */
#define EMU_LEAF_INDEX(symbol, name, nr) EMU_##symbol,
enum emu_leaf { TDX_LEAVES(EMU_LEAF_INDEX) EMU_UNKNOWN_LEAF };
#undef EMU_LEAF_INDEX
#define EMU_NR_LEAVES		EMU_UNKNOWN_LEAF

/* Whether SEAMCALL works at all: platform key "seam". */
#define EMU_SEAM_MODES(X)	\
	X(EMU_SEAM_ON,	"on")	\
	X(EMU_SEAM_OFF,	"off")	\
	X(EMU_SEAM_GP,	"gp")

/*
 * Lies: platform key "lie". Each makes the firmware break one fact of docs/firmware.md, for cases
 * about what notices that.
 */
#define EMU_LIES(X)							\
	X(EMU_LIE_NONE,			"none")				\
	X(EMU_LIE_VMCS_BIT,		"vmcs-bit")			\
	X(EMU_LIE_REGISTERS,		"registers")			\
	X(EMU_LIE_UNKNOWN_FIELD,	"unknown-field")		\
	X(EMU_LIE_RD_OUTPUTS,		"rd-outputs")			\
	X(EMU_LIE_INFO_VALID,		"info-valid")			\
	X(EMU_LIE_INFO_READY,		"info-ready")			\
	X(EMU_LIE_INFO_MRSIGNER,	"info-mrsigner")		\
	X(EMU_LIE_INFO_FEATURES0,	"info-features0")		\
	X(EMU_LIE_SEAMINFO_VERSION,	"seaminfo-version")		\
	X(EMU_LIE_REMAINING,		"remaining")			\
	X(EMU_LIE_HANDOFF_KEPT,		"handoff-kept")			\
	X(EMU_LIE_RACE,			"race")

/* States of the TDX module. */
#define EMU_MODULE_STATES(X)				\
	X(EMU_MODULE_NONE,		"none")		\
	X(EMU_MODULE_SYSINIT_PENDING,	"sysinit_pending")	\
	X(EMU_MODULE_SYSINIT_DONE,	"sysinit_done")	\
	X(EMU_MODULE_SYSCONFIG_DONE,	"sysconfig_done")	\
	X(EMU_MODULE_READY,		"ready")	\
	X(EMU_MODULE_SHUTDOWN,		"shutdown")

#define EMU_SYMBOL(symbol, name) symbol,
enum emu_seam_mode { EMU_SEAM_MODES(EMU_SYMBOL) };
enum emu_lie { EMU_LIES(EMU_SYMBOL) };
enum emu_module_state { EMU_MODULE_STATES(EMU_SYMBOL) };
#undef EMU_SYMBOL

struct emu_version {
	u16 major;
	u16 minor;
	u16 update;
};

struct emu_svn {
	u8 major;
	u8 minor;
};

struct emu_hv_range {
	u16 min;
	u16 max;
};

/* Handoff versions that TDH.SYS.RD returns, if they differ from the sigstruct's. */
struct emu_rd_hv {
	bool differs;
	struct emu_hv_range hv;
};

/* CPUID(1).EAX of each package. Packages beyond the list have the value of its last entry. */
struct emu_cpus {
	u32 nr;
	u32 eax[SEAMLDR_MAX_SOCKETS];
};

/* The signer whose images P-SEAMLDR accepts. */
struct emu_signer {
	bool any;
	u8 hash[TDX_SHA384_SIZE];	/* SHA-384 of the modulus bytes as stored */
};

#define EMU_TRUE_COUNT		U32_MAX

/* File "platform". */
struct emu_platform {
	/* These take effect at once. */
	u32 erratum;
	u32 seam;			/* enum emu_seam_mode */
	u32 pseamldr;
	u32 interruptions;
	u32 crypto;
	u32 seaminfo_lps;		/* SEAMLDR.SEAMINFO's count; EMU_TRUE_COUNT: the true one */
	u32 seaminfo_sockets;		/* the same */
	u32 lie;			/* enum emu_lie */
	u32 guest_mrtd;			/* ports of the guest of a TD without tdx_emu_guest.h; */
	u32 guest_count;		/* 0: it exits at once */
	/* These take effect at the next reset. */
	u32 remaining;
	struct emu_version seamldr;
	u32 debug;			/* P-SEAMLDR is a debug build */
	u32 unlocked;			/* the platform accepts debug-signed images */
	u32 room;			/* pages below P-SEAMLDR, for the TDX module */
	u32 lps;			/* at least the CPUs that this kernel has */
	u32 sockets;
	struct emu_cpus cpus;
	struct emu_signer signer;
};

/*
 * Properties of a TDX module. TDH.SYS.SHUTDOWN and TDH.SYS.UPDATE accept the handoff versions of
 * @hv, which come from the sigstruct. @rd_hv are constants of the build: TDH.SYS.RD returns them,
 * and TDH.SYS.INIT compares them with @hv.
 */
struct emu_image {
	struct emu_version version;
	u16 build_num;
	u32 build_date;
	u32 vendor_id;
	u64 features0;
	struct emu_hv_range hv;
	struct emu_hv_range rd_hv;
	u8 no_downgrade;
	u16 num_handoff_pages;
	u32 handoff_size;		/* bytes that it writes; 0: as many as its pages hold */
};

#define EMU_ANY_CPU	(-1)

/* An answer that a call gets instead of the firmware's; see "inject" in README.md. */
struct emu_fault {
	u64 leaf;
	u64 status;
	u64 rdx;
	u64 rcx;			/* 0: what the failing leaf leaves there */
	u64 r8;				/* the same */
	int cpu;			/* EMU_ANY_CPU: any */
	u32 nth;			/* 1: the next call of this leaf */
	u32 count;			/* calls in a row from the nth on; 0: all of them */
};

/* File "module": the module that runs after the next reset. */
struct emu_first_module {
	struct emu_version version;
	struct emu_svn svn;
	u64 features0;
	struct emu_hv_range hv;
	struct emu_rd_hv rd_hv;
	u32 no_downgrade;
	u32 handoff_pages;
	u32 handoff_size;
	u32 state;			/* enum emu_module_state */
};

/* P-SEAMLDR's record of the installed TDX module, which SEAMLDR.INFO returns. */
struct emu_seamextend {
	u64 valid;
	struct emu_svn svn;
	u8 mrseam[TDX_SHA384_SIZE];
};

/* Header of the handoff data. The data remains after the TDX module that wrote it is gone. */
struct emu_handoff {
	u8 valid;
	u16 hv;				/* keeps its value when @valid is cleared */
	u32 size;			/* bytes, without this header */
};

#define EMU_HANDOFF_HEAD	8u

#define EMU_MAX_CMRS		32u
#define EMU_MAX_TDMRS		64u

/* Convertible memory: what may become TDX memory. */
struct emu_cmr {
	u64 start;
	u64 end;
};

struct emu_tdmr {
	u64 base;
	u64 size;
	u64 initialized;		/* bytes from the base on */
};

struct emu {
	raw_spinlock_t lock;

	/* Settings. @booted: the platform's settings as of the last reset. */
	struct emu_platform platform;
	struct emu_first_module first_module;
	/* As they are after loading. */
	struct emu_platform default_platform;
	struct emu_first_module default_module;
	struct emu_platform booted;
	u64 delay_ns[EMU_NR_LEAVES];
	bool hold[EMU_NR_LEAVES];
	bool msr_gp[EMU_NR_MSRS];	/* reading it raises #GP */
	u64 close_delay_ns;		/* additional delay of SEAMLDR.INSTALL's closing call */

	/* Per LP. */
	struct cpumask vmx;		/* in VMX root operation */
	u64 *vmcs;			/* current-VMCS pointers, by CPU number */
	u64 vmcs_lost;			/* CPUs with VMX: calls that unset a current VMCS */
	u64 vmcs_kept;			/* CPUs with VMX: calls that should have and did not */

	/* P-SEAMLDR. */
	bool seamldr_busy;		/* an LP is inside */
	struct cpumask session;		/* LPs that have called in the open session */
	bool session_seam_ready;	/* seam_ready before the session */
	bool seam_ready;		/* the TDX module is open to SEAMCALLs */
	struct emu_seamextend seamextend;
	bool dirty;			/* there has been a TDX module since boot */
	u32 package_lps;		/* addressable in one package */
	u64 needed_pages;		/* need of the last image for which it was computed */
	u32 remaining;
	u32 installs;

	/* The TDX module. */
	enum emu_module_state left;	/* state that the previous kernel left (kexec) */
	enum emu_module_state state;
	struct emu_image image;
	struct cpumask lp_init;
	unsigned int inside;		/* LPs inside it */
	unsigned int shared;		/* LPs that hold its lock shared */
	bool exclusive;			/* an LP holds its lock exclusively */
	struct emu_handoff handoff;
	struct emu_cmr cmrs[EMU_MAX_CMRS];
	unsigned int nr_cmrs;		/* 0: all of the physical address space is convertible */
	struct emu_tdmr tdmrs[EMU_MAX_TDMRS];
	unsigned int nr_tdmrs;
	struct cpumask keyed;		/* packages with the global key, by package id */
	u64 fatal;			/* leaf + 1 of the call that stopped its LP; 0: none */
	u32 updates;			/* TDH.SYS.UPDATE calls that succeeded */
	u32 spoiled;			/* TDs whose hash context an unprotected shutdown broke */

	/* Statistics. */
	u64 calls[EMU_NR_LEAVES + 1];	/* by leaf; the last element counts unknown leaves */
	u64 vmptrst;
	u64 vmptrld;
	u64 irqs_on;			/* calls of P-SEAMLDR with interrupts on */
};

extern struct emu emu;

static inline bool emu_lies(enum emu_lie lie)
{
	return emu.platform.lie == lie;
}

struct emu_td;
struct emu_vp;

/*
 * One SEAMCALL under way. Handlers read operands from @regs and write outputs to it. RAX is the
 * exception: handlers return it, as a completion status or one of TDX_SW_STATUSES.
 */
struct emu_call {
	struct pt_regs *regs;
	u64 nr;				/* RAX */
	enum emu_leaf leaf;
	unsigned int cpu;
	struct emu_td *td;		/* locked for this call if the leaf is about a TD */
	struct emu_vp *vp;		/* set if the leaf names a TDVPR */
};

struct emu_log_entry {
	u64 seq;
	u64 nr;
	u64 rcx;
	u64 rdx;
	u64 status;
	u64 rdx_out;
	u64 start_ns;			/* CLOCK_MONOTONIC */
	u64 end_ns;
	u32 cpu;
};

/* A TD as file "tds" shows it. */
struct emu_td_view {
	u64 tdr;
	u64 enters;
	enum tdx_td_state state;
	bool checked;
	bool measured;
	u8 mrtd[TDX_SHA384_SIZE];
};

/* Is this a software status? Then the call trapped or failed before any firmware answered. */
static inline bool emu_is_sw_status(u64 status)
{
	return (status & TDX_SW_ERROR) == TDX_SW_ERROR;
}

/* emu_main.c */
extern struct crypto_shash *emu_sha384;
int emu_reset(void);
void *emu_memory(u64 pa, u64 align);
void emu_busy_wait(u64 ns);
unsigned long *emu_reg(struct pt_regs *regs, unsigned int nr);
const u8 *emu_operand(struct pt_regs *regs, const u8 *p, bool rex_b, void **operand);
void emu_step_over(struct pt_regs *regs, unsigned int length, unsigned long vmfail);

/* emu_cpu.c: what the CPU lacks, in a kernel that the emulator is built into */
#ifdef MODULE
static inline bool emu_cpu_is_whole(void)
{
	return true;
}

static inline const struct cpumask *emu_cpu_vmx(void)
{
	return cpu_possible_mask;
}

static inline const struct cpumask *emu_cpu_incoherent(void)
{
	return NULL;
}

static inline bool emu_cpu_trap(struct pt_regs *regs)
{
	return false;
}
#else
bool emu_cpu_is_whole(void);
const struct cpumask *emu_cpu_vmx(void);
const struct cpumask *emu_cpu_incoherent(void);
bool emu_cpu_trap(struct pt_regs *regs);
void emu_cpu_init(void);
#endif

/* emu_extable.c */
int emu_extable_init(void);
void emu_extable_exit(void);
const struct exception_table_entry *emu_extable_find(unsigned long ip, int type);

/* emu_msr.c */
int emu_msr_init(void);
void emu_msr_exit(void);
u32 emu_msr_nr(unsigned int index);
unsigned int emu_msr_find(u32 nr);
void emu_msr_divert(const struct module *module, bool on);
bool emu_msr_trap(struct pt_regs *regs);
int emu_msr_read(u32 nr, u64 *value);

/* emu_vmx.c */
bool emu_vmx_is_real(void);
bool emu_vmx_on(void);
void emu_vmx_lose_vmcs(void);
int emu_vmx_init(void);
void emu_vmx_exit(void);

/* emu_call.c */
u64 emu_seamcall(struct pt_regs *regs);
u64 emu_fatal(const struct emu_call *call);
void emu_clear_outputs(struct pt_regs *regs);
const char *emu_leaf_name(enum emu_leaf leaf);
u64 emu_leaf_nr(enum emu_leaf leaf);
enum emu_leaf emu_leaf_find(u64 nr);
int emu_call_init(void);
void emu_call_exit(void);
void emu_call_reset(void);
bool emu_faults_arm(const struct emu_fault *faults, unsigned int nr, bool clear_first);
unsigned int emu_faults_copy(struct emu_fault *faults);
unsigned int emu_log_copy(struct emu_log_entry *entries);
void emu_log_clear(void);

/* emu_seamldr.c */
void emu_seamldr_reset(void);
u64 emu_p_seamldr_base(void);
unsigned int emu_num_sockets(void);
u32 emu_socket_cpuid(unsigned int socket);
bool emu_seamldr_is_1_5_02(void);
u64 emu_seamldr_info(struct emu_call *call);
u64 emu_seamldr_seaminfo(struct emu_call *call);

/* emu_install.c */
int emu_install_init(void);
void emu_install_exit(void);
u64 emu_seamldr_fault(struct emu_call *call, const struct emu_fault *fault);
u64 emu_seamldr_install(struct emu_call *call);

/* emu_rsa.c */
bool emu_rsa_public(const u8 *modulus, const u8 *signature, u8 *result);

/* emu_module.c */
void emu_module_enter(enum emu_module_state state);
enum emu_module_state emu_module_left(void);
void emu_module_reset(void);
void emu_module_clear(void);
u64 emu_sys_init(struct emu_call *call);
u64 emu_sys_lp_init(struct emu_call *call);
u64 emu_sys_lp_shutdown(struct emu_call *call);
u64 emu_sys_shutdown_check(struct emu_call *call);
u64 emu_sys_shutdown(struct emu_call *call);
u64 emu_sys_update(struct emu_call *call);
u64 emu_sys_disable(struct emu_call *call);
u64 emu_phymem_page_rdmd(struct emu_call *call);

/* emu_tdmr.c */
void emu_tdmr_clear(void);
u64 emu_sys_config(struct emu_call *call);
u64 emu_sys_key_config(struct emu_call *call);
u64 emu_sys_tdmr_init(struct emu_call *call);

/* emu_metadata.c */
u64 emu_sys_rd(struct emu_call *call);
int emu_td_cpuid(u64 field, u64 *value);

/* emu_td.c */
int emu_td_init(void);
void emu_td_exit(void);
void emu_td_clear(void);
bool emu_td_update_sensitive(void);
void emu_td_spoil(void);
u64 emu_td_lock_tdr(struct emu_call *call, u64 tdr, u32 operand);
u64 emu_td_lock_tdvpr(struct emu_call *call, u64 tdvpr, u32 operand);
void emu_td_unlock(struct emu_call *call);
unsigned int emu_td_copy(struct emu_td_view *views);
u64 emu_mng_create(struct emu_call *call);
u64 emu_mng_key_config(struct emu_call *call);
u64 emu_mng_addcx(struct emu_call *call);
u64 emu_mng_init(struct emu_call *call);
u64 emu_mng_rd(struct emu_call *call);
u64 emu_mng_vpflushdone(struct emu_call *call);
u64 emu_mng_key_freeid(struct emu_call *call);
u64 emu_mem_page_add(struct emu_call *call);
u64 emu_mr_extend(struct emu_call *call);
u64 emu_mr_finalize(struct emu_call *call);
u64 emu_vp_create(struct emu_call *call);
u64 emu_vp_init(struct emu_call *call);
u64 emu_vp_enter(struct emu_call *call);
u64 emu_vp_flush(struct emu_call *call);
u64 emu_export_state(struct emu_call *call);
u64 emu_import_state(struct emu_call *call);

/* emu_sept.c */
bool emu_sept_has(const struct emu_td *td, u64 gpa, unsigned int level);
u64 emu_mem_sept_add(struct emu_call *call);
u64 emu_mem_range_block(struct emu_call *call);
u64 emu_mem_track(struct emu_call *call);
u64 emu_mem_page_remove(struct emu_call *call);
u64 emu_vp_addcx(struct emu_call *call);
u64 emu_vp_rd(struct emu_call *call);
u64 emu_vp_wr(struct emu_call *call);
u64 emu_phymem_page_reclaim(struct emu_call *call);
u64 emu_phymem_cache_wb(struct emu_call *call);
u64 emu_phymem_page_wbinvd(struct emu_call *call);
u64 emu_guest_run(struct emu_call *call);

/* emu_debugfs.c */
void emu_debugfs_init(void);
void emu_debugfs_exit(void);

#endif /* EMU_H */
