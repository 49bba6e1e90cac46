/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What also compiles in user space: results, images, the platform state, the plan.
 * image.c, plan.c and the operator's command share it. It may not use kernel services.
 */
#ifndef TDX_UPDATE_CORE_H
#define TDX_UPDATE_CORE_H

#include "tdx_arch.h"

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/stdarg.h>
#else
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#endif

/*
 * Every way an attempt can end: symbol, name, errno, meaning. The one table that code, tests and
 * documentation are checked against.
 */
#define TDXU_RESULTS(X)								\
	X(SUCCESS, "success", 0,							\
	  "the new TDX module runs, TDs live")						\
	X(UPDATE_RACE, "update-race", EBUSY,						\
	  "a TD is in an update-sensitive operation: wait for it, try again")		\
	X(IN_PROGRESS, "in-progress", EALREADY,						\
	  "another update is running")							\
	X(NO_IMAGE, "no-image", ENOENT,							\
	  "the file is not in the firmware search path")				\
	X(BAD_NAME, "bad-name", EINVAL,							\
	  "the name is empty, too long, absolute, not printable, or has '..' in it")	\
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
	  "SVN major differs from the running TDX module's")				\
	X(OLDER, "older", ESTALE,							\
	  "SVN minor lower than the running TDX module's")					\
	X(BAD_HANDOFF, "bad-handoff", EPROTO,						\
	  "handoff data of one TDX module does not suit the other")			\
	X(NO_ROOM, "no-room", ENOBUFS,							\
	  "the image needs more memory than P-SEAMLDR has for it")			\
	X(NO_UPDATES_LEFT, "no-updates-left", ENOSPC,					\
	  "P-SEAMLDR's log is full until reboot")					\
	X(UNSUPPORTED, "unsupported", EOPNOTSUPP,					\
	  "the running TDX module cannot be updated like this")				\
	X(CPU_OFFLINE, "cpu-offline", EHOSTDOWN,					\
	  "a present CPU is offline")							\
	X(VMX_OFF, "vmx-off", ENXIO,							\
	  "a CPU is not in VMX operation: load kvm_intel with tdx=1")			\
	X(FIRMWARE_ERROR, "firmware-error", EIO,					\
	  "the firmware refused")							\
	X(RECOVERED, "recovered", ECANCELED,						\
	  "failed past the shutdown; the recovery image runs, TDs live")		\
	X(SHUT_DOWN, "shut-down", ESHUTDOWN,						\
	  "failed past the shutdown: TDX is down, a further update can bring it back")	\
	X(LOST, "lost", ENOTRECOVERABLE,						\
	  "failed past the shutdown for good: TDX is down until reboot")			\
	X(INTERRUPTED, "interrupted", EINTR,						\
	  "a signal came before anything was changed")					\
	X(CRYPTO_ERROR, "crypto-error", ENOPKG,						\
	  "the kernel's crypto failed")							\
	X(NO_MEMORY, "no-memory", ENOMEM,						\
	  "out of memory")

#define TDXU_RESULT_ENUM(symbol, name, code, text) TDXU_##symbol,
enum tdxu_result { TDXU_RESULTS(TDXU_RESULT_ENUM) };
#undef TDXU_RESULT_ENUM

/* What an attempt with this result means for the TDs, as last/tds shows it. */
static inline const char *tdxu_result_tds(enum tdxu_result result)
{
	switch (result) {
	case TDXU_SUCCESS:
	case TDXU_RECOVERED:
		return "live";
	case TDXU_SHUT_DOWN:
		return "paused-only";
	case TDXU_LOST:
		return "gone";
	default:
		return "untouched";
	}
}

#define TDXU_WHY_SIZE	128	/* of the longest reason and its NUL */

/**
 * struct tdxu_verdict - a check's answer
 * @result: its result
 * @why: the exact cause, or an empty string
 */
struct tdxu_verdict {
	enum tdxu_result result;
	char why[TDXU_WHY_SIZE];
};

/* Make a verdict with a reason that contains a CPU or a number. */
static inline __attribute__((format(printf, 2, 3)))
struct tdxu_verdict tdxu_verdictf(enum tdxu_result result, const char *format, ...)
{
	struct tdxu_verdict verdict = { .result = result };
	va_list args;

	va_start(args, format);
	vsnprintf(verdict.why, sizeof(verdict.why), format, args);
	va_end(args);
	return verdict;
}

/* Make a verdict with a fixed reason; @why may be NULL. */
static inline struct tdxu_verdict tdxu_verdict(enum tdxu_result result, const char *why)
{
	return tdxu_verdictf(result, "%s", why ?: "");
}

/* Turn the verdict on an image into one on the recovery image. */
static inline struct tdxu_verdict tdxu_verdict_of_recovery(struct tdxu_verdict verdict)
{
	return tdxu_verdictf(verdict.result, "recovery image%s%s", verdict.why[0] ? ": " : "",
			     verdict.why);
}

struct tdxu_version {
	u16 major;			/* 0: not known */
	u16 minor;
	u16 update;
};

/**
 * struct tdxu_image - contents of a container; points into the caller's copy
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

/* Owner of the key that signed an image. */
enum tdxu_signer {
	TDXU_SIGNER_UNKNOWN,
	TDXU_SIGNER_INTEL,		/* production */
	TDXU_SIGNER_PARAMETER,		/* the one the administrator added */
};

/**
 * struct tdxu_signature_check - result of an image's signature check
 * @signer: whose key it claims to be signed with
 * @signature_good: that key has signed this sigstruct
 * @hash_good: SEAMHASH is that of the module pages
 */
struct tdxu_signature_check {
	enum tdxu_signer signer;
	bool signature_good;
	bool hash_good;
};

/* An image and its signature check result. */
struct tdxu_candidate {
	struct tdxu_image image;
	struct tdxu_signature_check check;
};

/* The largest container there can be: header, one sigstruct page, the most module pages. */
#define TDXU_IMAGE_MAX_SIZE	((1 + 1 + (size_t)SEAMLDR_MAX_MODULE_PAGES) * TDX_PAGE_SIZE)

/**
 * struct tdxu_module - the installed TDX module, as it answered at one moment
 * @version: its version
 * @features0: TDX_FEATURES0
 * @module_hv: the handoff version it writes best; meaningless without TD_PRESERVING, as all below
 * @min_update_hv: the oldest handoff version it can write
 * @no_downgrade: it writes @module_hv only
 * @num_handoff_pages: most pages of handoff data that it writes or reads
 */
struct tdxu_module {
	struct tdxu_version version;
	u64 features0;
	u16 module_hv;
	u16 min_update_hv;
	bool no_downgrade;
	u16 num_handoff_pages;
};

/* Most CPU models in one machine, steppings aside: one for each package. */
#define TDXU_MAX_CPU_KINDS	SEAMLDR_MAX_SOCKETS

/* Whether the platform accepts debug-signed images. */
enum tdxu_debug {
	TDXU_DEBUG_UNKNOWN,		/* the MSR cannot be read: @debug_loader decides */
	TDXU_DEBUG_LOCKED,
	TDXU_DEBUG_UNLOCKED,
};

/**
 * struct tdxu_handoff - the handoff data that waits for the next TDX module
 * @waits: TDX is shut down and handoff data is ready; else all below is meaningless
 * @hv: its version, where @hv_known
 * @hv_known: false after a shutdown that another driver made
 * @num_pages: NUM_HANDOFF_PAGES of the TDX module that is installed, where @num_pages_known
 * @num_pages_known: false if neither this module nor the firmware can tell
 * @session_open: an install session is open, or looks so: LPs have called and others have not
 */
struct tdxu_handoff {
	bool waits;
	u16 hv;
	bool hv_known;
	u16 num_pages;
	bool num_pages_known;
	bool session_open;
};

/**
 * struct tdxu_platform - platform state, as a plan needs it
 * @handoff: what an earlier attempt has left, if it failed past the shutdown
 * @module: the running TDX module, unless @handoff.waits
 * @svn_major: TEE_TCB_SVN of the installed TDX module
 * @svn_minor: TEE_TCB_SVN of the installed TDX module
 * @mrseam: SEAMHASH of the installed TDX module
 * @updates_left: how many more images P-SEAMLDR will install until reboot
 * @debug: does the platform accept debug-signed images?
 * @debug_loader: P-SEAMLDR is a debug build; decides only where @debug is not known
 * @seamldr: P-SEAMLDR's version; 1.5.02 and older do not tell @update, which is 0 then
 * @num_cpu_kinds: how many packages there are, 1 to TDXU_MAX_CPU_KINDS
 * @cpu_kinds: CPUID(1).EAX of each package with the stepping masked
 * @num_lps: addressable LPs of all packages, which is what P-SEAMLDR reserves memory for
 * @room: bytes that P-SEAMLDR has for a TDX module; 0: not known
 */
struct tdxu_platform {
	struct tdxu_handoff handoff;
	struct tdxu_module module;
	u8 svn_major;
	u8 svn_minor;
	u8 mrseam[TDX_SHA384_SIZE];
	u32 updates_left;
	enum tdxu_debug debug;
	bool debug_loader;
	struct tdxu_version seamldr;
	unsigned int num_cpu_kinds;
	u32 cpu_kinds[TDXU_MAX_CPU_KINDS];
	u32 num_lps;
	u64 room;
};

/* The administrator's conditions for an update. */
struct tdxu_policy {
	bool require_race_protection;
	bool require_recovery;
};

/**
 * struct tdxu_plan - what the blackout will do
 * @shutdown_rcx: RCX of TDH.SYS.SHUTDOWN: handoff version and race rejection; 0 with @resume
 * @resume: leave the shutdown out: an earlier attempt, or another driver, did it
 * @join_session: with @resume: an install session is open and has to be closed first
 * @svn_minor: of the installed TDX module; one of a lower SVN minor cannot follow it
 * @updates_left: how many more images P-SEAMLDR will install
 */
struct tdxu_plan {
	u64 shutdown_rcx;
	bool resume;
	bool join_session;
	u8 svn_minor;
	u32 updates_left;
};

struct tdxu_verdict tdxu_image_parse(const void *blob, size_t size, struct tdxu_image *image);
struct tdxu_verdict tdxu_plan_make(const struct tdxu_candidate *candidate,
				   const struct tdxu_candidate *recovery,
				   const struct tdxu_platform *platform,
				   const struct tdxu_policy *policy, struct tdxu_plan *plan);

#endif /* TDX_UPDATE_CORE_H */
