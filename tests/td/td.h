/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of tdx_td.ko share: a TD as its host sees it, and the calls between the files.
 * call.c executes SEAMCALL, td.c handles one TD, cmd.c and threads.c use TDs, install.c installs
 * images, raw.c makes single calls for tests, main.c owns the debugfs directory.
 * No file may keep platform state, because an update may come between any two calls.
 */
#ifndef TDX_TD_H
#define TDX_TD_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/seq_file.h>
#include <linux/types.h>

#include "tdx_arch.h"
#include "tdx_emu_abi.h"

/* Registers of a SEAMCALL except for RAX: operands in, outputs out. */
struct td_args {
	u64 rcx;
	u64 rdx;
	u64 r8;
	u64 r9;
	u64 r10;
	u64 r11;
};

/* The answer of a SEAMCALL. @args has the operands before the call and the outputs after it. */
struct td_answer {
	u64 status;
	struct td_args args;
};

/*
 * What a series of SEAMCALLs has in common. @paced: a thread makes them, so pause before each, and
 * do not call once the thread shall stop. @leaf and @status are those of the last call or, once
 * @failed is set, of the first call that failed.
 */
struct td_caller {
	u64 leaf;
	u64 status;
	bool paced;
	bool failed;
};

enum td_counter { TD_BUILT, TD_WRONG, TD_MIGRATED, TD_ENTERED, TD_FAILED, TD_NR_COUNTERS };

#define TD_CALLER_NONE		(~0ULL)		/* td_caller.leaf before the first call */

extern u32 td_pace_us;

void td_pace(void);
u64 td_seamcall(u64 leaf, struct td_args *args);
int td_seamcall_on(unsigned int cpu, u64 leaf, struct td_answer *answer);
int td_call(struct td_caller *caller, u64 leaf, struct td_args *args);
int td_call_resumable(struct td_caller *caller, u64 leaf, struct td_args *args);
const char *td_leaf_name(u64 leaf);
const char *td_status_name(u64 leaf, u64 status);
bool td_leaf_by_name(const char *name, u64 *leaf);
void td_count(enum td_counter counter);
void td_stats_show(struct seq_file *file);
void td_stats_clear(void);

/* How far a TD has come, by the calls that succeeded. It decides which operations are allowed. */
enum td_phase {
	TD_NEW,			/* until its build or import begins; stays so if that fails */
	TD_BUILDING,
	TD_RUNNABLE,
	TD_EXPORTING,
	TD_EXPORTED,
	TD_IMPORTING,
	TD_GONE,		/* destroyed: only the structure is left */
};

/* EXPORT.STATE.* and IMPORT.STATE.* are three leaves each. Each leaf has its page of state. */
#define TD_MIGRATION_STEPS	3

/* A measured page of a TD. @private and @source must not change while the TD lives. */
struct td_page {
	void *private;
	void *source;
	unsigned int extends;		/* MR.EXTEND calls that succeeded */
};

struct td {
	struct list_head node;		/* in cmd.c's list */
	refcount_t refs;
	u64 id;

	struct mutex lock;		/* protects all below, and the order of SEAMCALLs */
	enum td_phase phase;
	bool created;			/* the TDX module knows it */
	bool has_vp;
	bool measured;			/* @mrtd is known */
	int hkid;
	u64 seed;			/* for the contents of its pages */
	u64 enters;
	unsigned int step;		/* next leaf of a migration; TD_MIGRATION_STEPS: done */
	bool interrupted;		/* that leaf has to be resumed */
	void *tdr;
	void *tdcs;
	void *tdvpr;
	void *params;
	void *state[TD_MIGRATION_STEPS];
	unsigned int nr_pages;
	struct td_page pages[TDX_TD_MAX_PAGES];
	u8 mrtd[TDX_SHA384_SIZE];	/* expected measurement, computed by measure() */
};

int td_init(void);
void td_exit(void);
struct td *td_alloc(u64 id, u64 seed);
struct td *td_get(struct td *td);
void td_put(struct td *td);
u64 td_address(const struct td *td);
int td_new(struct td_caller *caller, struct td *td);
int td_add(struct td_caller *caller, struct td *td, unsigned int count);
int td_finalize(struct td_caller *caller, struct td *td);
int td_enter(struct td_caller *caller, struct td *td);
int td_export(struct td_caller *caller, struct td *td);
int td_export_end(struct td_caller *caller, struct td *td);
int td_take_export(struct td *to, struct td *from);
int td_import(struct td_caller *caller, struct td *td);
int td_import_end(struct td_caller *caller, struct td *td);
int td_read_state(struct td_caller *caller, struct td *td, u64 *state);
int td_read_mrtd(struct td_caller *caller, struct td *td, u8 *mrtd);
int td_destroy(struct td_caller *caller, struct td *td);

extern const struct file_operations td_cmd_fops;
extern const struct file_operations td_tds_fops;
extern const struct file_operations td_last_status_fops;
int td_enter_any(struct td_caller *caller, unsigned int nth);
void td_destroy_all(struct td_caller *caller);

/* A file from the firmware search path, and the operand of SEAMLDR.INSTALL for it. */
struct td_image {
	void *blob;
	struct seamldr_params *params;
};

int td_image_load(const char *name, u32 scenario, struct td_image *image);
void td_image_free(struct td_image *image);
int td_install(struct td_caller *caller, const char *name, u16 hv);

extern const struct file_operations td_raw_fops;
extern const struct file_operations td_buffer_fops;
int td_raw_init(void);
void td_raw_exit(void);

extern const struct file_operations td_threads_fops;
extern u32 td_thread_pages;
void td_stop_threads(void);

#endif /* TDX_TD_H */
