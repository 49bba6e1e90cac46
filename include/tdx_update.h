/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tdx_update's own types and the calls between its files. The upper part, what image.c and plan.c
 * need, also compiles in user space; it may not use kernel services.
 */
#ifndef TDX_UPDATE_H
#define TDX_UPDATE_H

#include "tdx_arch.h"

#ifdef __KERNEL__
#include <linux/errno.h>
#else
#include <errno.h>
#endif

/*
 * Every way an attempt can end: symbol, name, errno, meaning. The one table that code, tests and
 * documentation are checked against.
 */
#define TDXU_RESULTS(X)								\
	X(SUCCESS, "success", 0,							\
	  "the new module runs, TDs live")						\
	X(UPDATE_RACE, "update-race", EBUSY,						\
	  "a TD is in an update-sensitive operation: wait for it, try again")		\
	X(IN_PROGRESS, "in-progress", EALREADY,						\
	  "another update is running")							\
	X(NO_IMAGE, "no-image", ENOENT,							\
	  "the file is not in the firmware search path")				\
	X(BAD_NAME, "bad-name", EINVAL,							\
	  "the name is absolute, has '..' in it, or is no name")			\
	X(BAD_IMAGE, "bad-image", EINVAL,						\
	  "container or sigstruct malformed")						\
	X(TOO_LARGE, "too-large", EFBIG,						\
	  "more than 496 module pages")							\
	X(CORRUPT, "corrupt", EBADMSG,							\
	  "checksum or SEAMHASH wrong")							\
	X(BAD_SIGNATURE, "bad-signature", EKEYREJECTED,					\
	  "unknown signer, wrong signature, or debug-signed")				\
	X(WRONG_CPU, "wrong-cpu", ENODEV,						\
	  "the image's CPU table lacks this CPU")					\
	X(WRONG_SERIES, "wrong-series", EXDEV,						\
	  "SVN major differs from the running module's")				\
	X(OLDER, "older", ESTALE,							\
	  "SVN minor lower than the running module's")					\
	X(BAD_HANDOFF, "bad-handoff", EPROTO,						\
	  "no handoff version that both modules speak")					\
	X(NO_UPDATES_LEFT, "no-updates-left", ENOSPC,					\
	  "P-SEAMLDR's log is full until reboot")					\
	X(UNSUPPORTED, "unsupported", EOPNOTSUPP,					\
	  "the running module cannot be updated like this")				\
	X(CPU_OFFLINE, "cpu-offline", EHOSTDOWN,					\
	  "a present CPU is offline")							\
	X(VMX_OFF, "vmx-off", ENXIO,							\
	  "a CPU is not in VMX operation: load kvm_intel with tdx=1")			\
	X(FIRMWARE_ERROR, "firmware-error", EIO,					\
	  "the firmware refused")							\
	X(RECOVERED, "recovered", ECANCELED,						\
	  "failed past the shutdown; the recovery image runs, TDs live")		\
	X(LOST, "lost", ENOTRECOVERABLE,						\
	  "failed past the shutdown and not repaired: TDX is down")			\
	X(INTERRUPTED, "interrupted", EINTR,						\
	  "a signal came before anything was changed")					\
	X(NO_MEMORY, "no-memory", ENOMEM,						\
	  "out of memory")

#define TDXU_RESULT_ENUM(symbol, name, code, text) TDXU_##symbol,
enum tdxu_result { TDXU_RESULTS(TDXU_RESULT_ENUM) };
#undef TDXU_RESULT_ENUM

/* A check's answer. @why is NULL or a static string that makes the result's meaning more exact. */
struct tdxu_verdict {
	enum tdxu_result result;
	const char *why;
};

static inline struct tdxu_verdict tdxu_say(enum tdxu_result result, const char *why)
{
	return (struct tdxu_verdict){ .result = result, .why = why };
}

struct tdxu_version {
	u16 major;			/* 0: not known */
	u16 minor;
	u16 update;
};

/**
 * struct tdxu_image - what a container holds; points into the caller's copy of it
 * @sigstruct: its one sigstruct, page-aligned in the container, fields checked
 * @module: first of its module pages, page-aligned in the container
 * @module_pages: how many, 1 to SEAMLDR_MAX_MODULE_PAGES
 * @version: the module's version if the sigstruct tells it
 */
struct tdxu_image {
	const struct seam_sigstruct *sigstruct;
	const u8 *module;
	u32 module_pages;
	struct tdxu_version version;
};

/* Whose key an image is signed with. */
enum tdxu_signer {
	TDXU_SIGNER_UNKNOWN,
	TDXU_SIGNER_INTEL,		/* production */
	TDXU_SIGNER_PARAMETER,		/* the one the administrator added */
};

/**
 * struct tdxu_findings - what cryptography says of an image
 * @signer: whose key it claims to be signed with
 * @signature_good: that key has signed this sigstruct
 * @hash_good: SEAMHASH is that of the module pages
 */
struct tdxu_findings {
	enum tdxu_signer signer;
	bool signature_good;
	bool hash_good;
};

/* An image, and what is known of it before the platform is asked. */
struct tdxu_candidate {
	struct tdxu_image image;
	struct tdxu_findings findings;
};

/* The largest container there can be: header, one sigstruct page, the most module pages. */
#define TDXU_IMAGE_MAX_SIZE	((1 + 1 + (size_t)SEAMLDR_MAX_MODULE_PAGES) * TDX_PAGE_SIZE)

/**
 * struct tdxu_module - the running TDX module, as it answered at one moment
 * @version: its version
 * @features0: TDX_FEATURES0
 * @module_hv: the handoff version it writes best; meaningless without TD_PRESERVING, as all below
 * @min_update_hv: the oldest handoff version it can write
 * @no_downgrade: it writes @module_hv only
 */
struct tdxu_module {
	struct tdxu_version version;
	u64 features0;
	u16 module_hv;
	u16 min_update_hv;
	bool no_downgrade;
};

/* Kinds of CPUs, stepping apart, that one machine can have here; hardware has one. */
#define TDXU_MAX_CPU_KINDS	8u

/**
 * struct tdxu_platform - all that a plan has to know of this machine
 * @shut_down: no module runs: an earlier attempt has shut it down, and its handoff data waits
 * @handoff_hv: that data's version, where @shut_down
 * @module: the running module, unless @shut_down
 * @svn_major: its TEE_TCB_SVN
 * @svn_minor: its TEE_TCB_SVN
 * @updates_left: how many more images P-SEAMLDR will install until reboot
 * @debug: a pre-production platform, whose P-SEAMLDR takes debug-signed images
 * @num_cpu_kinds: how many of @cpu_kinds there are; more than fit count as TDXU_MAX_CPU_KINDS + 1
 * @cpu_kinds: CPUID(1).EAX of its CPUs with the stepping masked, each once
 */
struct tdxu_platform {
	bool shut_down;
	u16 handoff_hv;
	struct tdxu_module module;
	u8 svn_major;
	u8 svn_minor;
	u32 updates_left;
	bool debug;
	unsigned int num_cpu_kinds;
	u32 cpu_kinds[TDXU_MAX_CPU_KINDS];
};

/* What the administrator asks for beyond an image. */
struct tdxu_policy {
	bool require_race_protection;
};

/**
 * struct tdxu_plan - what the blackout is to do
 * @shutdown_rcx: RCX of TDH.SYS.SHUTDOWN: handoff version and race rejection
 * @resume: leave the shutdown out: an earlier attempt did it, with that handoff version
 * @recovery_can_follow: the recovery image may be installed even after the image has been
 */
struct tdxu_plan {
	u64 shutdown_rcx;
	bool resume;
	bool recovery_can_follow;
};

struct tdxu_verdict tdxu_image_parse(const void *blob, size_t size, struct tdxu_image *image);
struct tdxu_verdict tdxu_plan_make(const struct tdxu_candidate *candidate,
				   const struct tdxu_candidate *recovery,
				   const struct tdxu_platform *platform,
				   const struct tdxu_policy *policy, struct tdxu_plan *plan);

#ifdef __KERNEL__

#include <linux/types.h>

#include "compat.h"

#define TDXU_NAME_MAX	255	/* bytes of an image name, without the terminating NUL */
/* What stands for the name of an image that was uploaded; no name of a file may begin like that. */
#define TDXU_UPLOAD_NAME	"/sys/class/firmware/tdx_module"

/*
 * The steps of an attempt, in order; an attempt's phase is the last one it entered. One that only
 * checks shows as CHECK wherever it ends.
 */
#define TDXU_PHASES(X)			\
	X(NONE,		"none")		\
	X(NAME,		"name")		\
	X(IMAGE,	"image")	\
	X(VERIFY,	"verify")	\
	X(PLATFORM,	"platform")	\
	X(PLAN,		"plan")		\
	X(QUIESCE,	"quiesce")	\
	X(SHUTDOWN,	"shutdown")	\
	X(INSTALL,	"install")	\
	X(INIT,		"init")		\
	X(UPDATE,	"update")	\
	X(DONE,		"done")		\
	X(CHECK,	"check")

#define TDXU_PHASE_ENUM(symbol, name) TDXU_PHASE_##symbol,
enum tdxu_phase { TDXU_PHASES(TDXU_PHASE_ENUM) };
#undef TDXU_PHASE_ENUM

/* Operands of a SEAMCALL, in and out. */
struct tdxu_args {
	u64 rcx, rdx, r8, r9, r10, r11;
};

#define TDXU_NO_LEAF	(~0ULL)
#define TDXU_NO_CPU	(-1)

/**
 * struct tdxu_answer - who answered what
 * @leaf: the leaf that was called, TDXU_NO_LEAF: none
 * @status: its completion status, or a software status (TDX_SW_STATUSES)
 * @rdx: its RDX; of SEAMLDR.INSTALL whether a failure is recoverable
 * @cpu: the CPU it was called on, TDXU_NO_CPU: none
 */
struct tdxu_answer {
	u64 leaf;
	u64 status;
	u64 rdx;
	int cpu;
};

/**
 * struct tdxu_attempt - one attempt, from the write to its end; what last/ shows
 * @result: how it ended
 * @why: NULL, or a static string that makes @result more exact
 * @phase: the last step it entered
 * @answer: of the SEAMCALL that ended it, and the CPU it ended on
 * @sessions: SEAMLDR.INSTALL sessions it opened
 * @image: name of the image as asked for, TDXU_UPLOAD_NAME where it was uploaded, empty where the
 * name itself was no good
 * @from: version that ran when it began, where it came so far as to ask
 * @to: version that runs now if it succeeded, else the image's if the image tells it
 * @updates_left: what P-SEAMLDR had left afterwards; valid if a new module runs
 * @repairable: of TDXU_LOST: the handoff data is whole, another image may still be tried
 * @blackout_ns: for how long the CPUs were stopped, nanoseconds
 * @total_ns: from the write to the end, nanoseconds
 */
struct tdxu_attempt {
	enum tdxu_result result;
	const char *why;
	enum tdxu_phase phase;
	struct tdxu_answer answer;
	unsigned int sessions;
	char image[TDXU_NAME_MAX + 1];
	struct tdxu_version from;
	struct tdxu_version to;
	u32 updates_left;
	bool repairable;
	u64 blackout_ns;
	u64 total_ns;
};

/* main.c */
enum tdxu_errand { TDXU_ERRAND_UPDATE, TDXU_ERRAND_CHECK, TDXU_ERRAND_SET_RECOVERY };
int tdxu_attempt(enum tdxu_errand errand, const char *name, size_t len);
enum tdxu_result tdxu_attempt_upload(const u8 *data, size_t size, const bool *cancelled);
bool tdxu_is_updating(void);
bool tdxu_is_lost(void);
void tdxu_get_recovery(char name[TDXU_NAME_MAX + 1]);

/* seamcall.c */
u64 tdxu_seamcall(u64 leaf, struct tdxu_args *args);
u64 tdxu_seamcall_retry(u64 leaf, struct tdxu_args *args);
u64 tdxu_seamldr_call(u64 leaf, struct tdxu_args *args);
bool tdxu_vmcs_save(u64 *pa);
void tdxu_vmcs_restore(u64 pa);
bool tdxu_in_vmx_operation(void);
unsigned int tdxu_vmcs_lost(void);
const char *tdxu_leaf_name(u64 leaf);
u64 tdxu_status_key(u64 leaf, u64 status);
const char *tdxu_status_name(u64 leaf, u64 status);

/* verify.c */
int tdxu_verify_init(void);
void tdxu_verify_exit(void);
struct tdxu_verdict tdxu_verify(const struct tdxu_image *image, struct tdxu_findings *findings);

/* platform.c */
int tdxu_platform_init(const char **why);
void tdxu_platform_exit(void);
struct tdxu_verdict tdxu_platform_snapshot(struct tdxu_platform *platform,
					   struct tdxu_answer *answer);
u64 tdxu_platform_read_module(struct tdxu_module *module);
struct tdxu_answer tdxu_platform_read_seamldr(struct seamldr_info *info);

/* install.c */
struct tdxu_verdict tdxu_install(const struct tdxu_image *image, const struct tdxu_image *recovery,
				 const struct tdxu_plan *plan, struct tdxu_attempt *attempt);

/* outcome.c */
int tdxu_result_errno(enum tdxu_result result);
void tdxu_outcome_publish(const struct tdxu_attempt *attempt);
void tdxu_outcome_last(struct tdxu_attempt *attempt);
const char *tdxu_result_name(enum tdxu_result result);
const char *tdxu_phase_name(enum tdxu_phase phase);

#define TDXU_VERSION_SIZE	20	/* "65535.65535.65535" and its NUL */
const char *tdxu_version_string(const struct tdxu_version *version, char buf[TDXU_VERSION_SIZE]);

/* sysfs.c */
int tdxu_sysfs_init(void);
void tdxu_sysfs_exit(void);
void tdxu_sysfs_announce(const struct tdxu_attempt *attempt);
ssize_t tdxu_sysfs_show_version(char *buf);
ssize_t tdxu_sysfs_show_seamldr_version(char *buf);
ssize_t tdxu_sysfs_show_num_remaining_updates(char *buf);

/* node.c */
void tdxu_node_init(void);
void tdxu_node_exit(void);

#endif /* __KERNEL__ */
#endif /* TDX_UPDATE_H */
