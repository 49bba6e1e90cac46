/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's own types and the calls between its files. Calls go one way: sysfs.c and fw_upload.c
 * call attempt.c, which calls the steps and then outcome.c.
 */
#ifndef TDX_UPDATE_H
#define TDX_UPDATE_H

#include <linux/types.h>

struct kobject;

#include "compat.h"
#include "core.h"

#define TDXU_NAME_MAX	255	/* bytes of an image's name or path, without the terminating NUL */
/* Stands for the name of an uploaded image; no file name may begin like this. */
#define TDXU_UPLOAD_NAME	"/sys/class/firmware/tdx_module"

/*
 * The steps of an attempt, in order. An attempt's phase is the last one it entered; that of a check
 * is always CHECK.
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
 * struct tdxu_answer - the answer of a SEAMCALL
 * @leaf: the leaf that was called, TDXU_NO_LEAF: none
 * @status: its completion status, or a software status (TDX_SW_STATUSES)
 * @rcx: its RCX
 * @rdx: its RDX; of SEAMLDR.INSTALL whether a failure is recoverable
 * @r8: its R8
 * @cpu: the CPU it was called on, TDXU_NO_CPU: none
 */
struct tdxu_answer {
	u64 leaf;
	u64 status;
	u64 rcx;
	u64 rdx;
	u64 r8;
	int cpu;
};

/**
 * struct tdxu_attempt - one attempt; last/ shows the last update, last_check/ the last check
 * @result: how it ended
 * @why: the exact cause, or an empty string
 * @phase: the last step it entered
 * @answer: of the SEAMCALL that ended it, and the CPU it ended on
 * @sessions: SEAMLDR.INSTALL sessions it opened
 * @image: the image's name as requested, TDXU_UPLOAD_NAME for an upload, empty if the name was bad
 * @file: the path by which the requester knows the image, else as @image
 * @from: version that ran when it began, if it got far enough to ask
 * @to: version that runs now if it succeeded, else the image's if known
 * @updates_left: updates left afterwards; -1: not known, or no new TDX module runs
 * @clobbers_rbp: the new TDX module lacks NO_RBP_MOD
 * @blackout_ns: for how long the CPUs were stopped, nanoseconds
 * @total_ns: from the write to the end, nanoseconds
 * @when: wall clock at the end, seconds since 1970
 */
struct tdxu_attempt {
	enum tdxu_result result;
	char why[TDXU_WHY_SIZE];
	enum tdxu_phase phase;
	struct tdxu_answer answer;
	unsigned int sessions;
	char image[TDXU_NAME_MAX + 1];
	char file[TDXU_NAME_MAX + 1];
	struct tdxu_version from;
	struct tdxu_version to;
	s64 updates_left;
	bool clobbers_rbp;
	u64 blackout_ns;
	u64 total_ns;
	s64 when;
};

/* attempt.c */
enum tdxu_operation { TDXU_OP_UPDATE, TDXU_OP_CHECK, TDXU_OP_SET_RECOVERY };
int tdxu_attempt(enum tdxu_operation operation, const char *name, size_t len);
enum tdxu_result tdxu_attempt_upload(const u8 *data, size_t size, const bool *cancelled);
void tdxu_attempts_close(void);
const char *tdxu_attempt_state(void);
void tdxu_get_recovery(char name[TDXU_NAME_MAX + 1]);

/* seamcall.c */
u64 tdxu_seamcall(u64 leaf, struct tdxu_args *args);
u64 tdxu_seamcall_retry(u64 leaf, const struct tdxu_args *in, struct tdxu_args *out);
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
struct tdxu_verdict tdxu_verify(const struct tdxu_image *image, struct tdxu_signature_check *check);

/* platform.c */
enum tdxu_state {
	TDXU_STATE_UNINITIALIZED,	/* no TDX module, or one that no one has initialized */
	TDXU_STATE_READY,
	TDXU_STATE_SHUT_DOWN,		/* handoff data waits for the next TDX module */
	TDXU_STATE_LOST,		/* until reboot */
};

enum tdxu_state tdxu_platform_state(struct tdxu_handoff *handoff, struct tdxu_answer *answer);
int tdxu_platform_init(const char **why);
void tdxu_platform_exit(void);
struct tdxu_verdict tdxu_platform_snapshot(struct tdxu_platform *platform,
					   struct tdxu_answer *answer);
u64 tdxu_platform_read_module(struct tdxu_module *module, struct tdxu_answer *answer);
struct tdxu_answer tdxu_platform_read_seamldr(struct seamldr_info *info);

/* install.c */
struct tdxu_verdict tdxu_install(const struct tdxu_image *image, const struct tdxu_image *recovery,
				 const struct tdxu_plan *plan, struct tdxu_attempt *attempt);

/* outcome.c */
int tdxu_result_errno(enum tdxu_result result);
void tdxu_outcome_publish(const struct tdxu_attempt *attempt);
void tdxu_outcome_last(bool check, struct tdxu_attempt *attempt);
void tdxu_outcome_send_uevents(struct kobject *kobj);
void tdxu_outcome_announce(const struct tdxu_attempt *attempt);
const char *tdxu_result_name(enum tdxu_result result);
const char *tdxu_phase_name(enum tdxu_phase phase);

#define TDXU_VERSION_SIZE	20	/* "65535.65535.65535" and its NUL */
const char *tdxu_version_string(const struct tdxu_version *version, char buf[TDXU_VERSION_SIZE]);

/* sysfs.c */
int tdxu_sysfs_init(void);
void tdxu_sysfs_exit(void);
ssize_t tdxu_sysfs_show_version(char *buf);
ssize_t tdxu_sysfs_show_seamldr_version(char *buf);
ssize_t tdxu_sysfs_show_num_remaining_updates(char *buf);

/* fw_upload.c */
void tdxu_fw_upload_init(void);
void tdxu_fw_upload_exit(void);

#endif /* TDX_UPDATE_H */
