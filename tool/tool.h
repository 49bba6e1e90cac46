/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tdx-update, the operator's command: its exit statuses, and the calls between its files.
 * The command does not decide what may be installed: tdx_update does. The two share the table of
 * results, the parser of containers, and the plan, by which verdict.c judges an image without a
 * host.
 */
#ifndef TOOL_H
#define TOOL_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include <jansson.h>

#include "core.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define IMAGE_NAME_SIZE		256	/* longest name that the module takes, with its NUL */
#define VERSION_SIZE		20
#define REPOSITORY_DEPTH	3	/* directories between the top of Intel's and an image */

/* Exit statuses for scripts; from sysexits.h where one fits. The numbers never change. */
#define EXITS(X)									\
	X(DONE, 0, "done; of check and --dry-run: it could be done now")		\
	X(REFUSED, 1, "refused, and nothing has changed: the result says why")		\
	X(RECOVERED, 2, "the update failed, the recovery image runs, TDs live")		\
	X(LOST, 3, "TDX is down until reboot, the TDs are gone")			\
	X(UNCLEAR, 4, "the update failed and this kernel's interface cannot tell how")	\
	X(SHUT_DOWN, 5, "TDX is down; another update brings it back without a reboot")	\
	X(USAGE, 64, "no such command, option or argument: nothing was touched")	\
	X(NO_INPUT, 66, "an image, directory, mapping file or key cannot be read")	\
	X(UNAVAILABLE, 69, "TDX cannot be updated here, or not in this way")	\
	X(SYSTEM, 71, "the system failed this command: memory, files, processes")	\
	X(TRY_AGAIN, 75, "a race or another update: nothing has changed, try again")	\
	X(NO_PERMISSION, 77, "not permitted: needs root (CAP_SYS_ADMIN)")		\
	X(CONFIG, 78, "the pin is wrong, or another file is at its place: nothing has changed")

#define EXIT_ENUM(symbol, code, text) TOOL_##symbol = (code),
enum tool_exit { EXITS(EXIT_ENUM) };
#undef EXIT_ENUM

/* main.c */
struct options {
	bool json;
	bool prometheus;
	bool nfd;
	bool dry_run;
	bool online_cpus;
	bool recursive;
	bool allow_downgrade;
	bool pinned;
	bool clear;
	bool has_wait;			/* --wait was given */
	bool corim;
	long wait_s;			/* 0: do not wait */
	const char *latest;		/* directory, or NULL */
	const char *running;		/* directory, or NULL */
	const char *recovery;		/* image, "auto" or "none", or NULL: see recovery_set() */
	const char *mapping;		/* mapping file or "none"; NULL: look for one */
	const char *signing_key;	/* of a CoRIM; NULL: not signed */
	const char *output;		/* file, or NULL: standard output */
	const char *argument;		/* IMAGE, DIR, or what to explain; NULL: not given */
	const char **arguments;		/* all of them; the first is @argument */
	size_t num_arguments;
};

void fail(enum tool_exit status, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
void stop_if_signalled(void);
int cmd_status(const struct options *options);
int cmd_list(const struct options *options);
int cmd_check(const struct options *options);
int cmd_apply(const struct options *options);
int cmd_pin(const struct options *options);
int cmd_explain(const struct options *options);
int cmd_history(const struct options *options);
int cmd_reference(const struct options *options);

/* text.c */
void text_put(FILE *out, const char *text);
const char *text_hex(const u8 *data, size_t size, char *buf);
size_t text_terminal_width(void);
void text_wrap(const char *text, size_t indent, size_t width);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
json_t *text_json(const char *text);
void text_json_name(json_t *json, const char *key, const char *name);
void print_json(json_t *json);

/* host.c */
enum interface {
	INTERFACE_NONE,
	INTERFACE_OURS,			/* tdx_update.ko */
	INTERFACE_MAINLINE,		/* the kernel's own driver, from 7.2 on */
};

enum state {
	STATE_UNKNOWN,
	STATE_READY,
	STATE_UPDATING,
	STATE_SHUT_DOWN,
	STATE_LOST,
	STATE_UNINITIALIZED,
	NUM_STATES
};

extern const char * const state_names[NUM_STATES];

#define OURS		"firmware/tdx/"	/* see host_path() */
#define MAINLINE	"devices/faux/tdx_host/"
#define UPLOAD		"class/firmware/tdx_module/"

enum interface host_interface(void);
const char *host_interface_name(enum interface interface);
void host_path(const char *file, char path[PATH_MAX]);
char *host_read(const char *file);
int host_put(const char *file, const void *data, size_t size);
int host_write(const char *file, const void *data, size_t size);
bool host_may_write(const char *file);
char *host_read_module(const char *name);
bool host_version_may_be_stale(void);
enum state host_state(void);
bool state_is_down(enum state state);
bool version_parse(const char *text, struct tdxu_version *version);
int version_compare(const struct tdxu_version *a, const struct tdxu_version *b);
bool version_same_series(const struct tdxu_version *a, const struct tdxu_version *b);
const char *version_print(const struct tdxu_version *version, char buf[VERSION_SIZE]);

/* container.c */
#define SHA256_HEX_SIZE	65

struct file {
	char *path;
	const char *name;		/* last part of path */
	const char *source;		/* path to read the container from */
	const char *defect;		/* why it cannot be an image; NULL: the module judges */
	unsigned int container;		/* version of the container, 1 or 2; 0: no container */
	struct tdxu_verdict form;	/* image.c's verdict on container and sigstruct */
	struct tdxu_verdict verdict;	/* that, or verdict_of_image() */
	struct tdxu_version version;	/* major 0: not known */
	bool version_named;		/* the version comes from the name, which can lie */
	u8 svn_major;			/* this and what follows: only if @form is a success */
	u8 svn_minor;
	u32 date;			/* BCD yyyymmdd */
	u16 build_num;
	u8 seamhash[TDX_SHA384_SIZE];
	bool debug_signed;
	u32 num_cpus;
	u32 cpus[SEAM_SIGSTRUCT_MAX_CPUIDS];
	u16 module_hv;
	u16 min_update_hv;
	u16 num_handoff_pages;
	char signer[2 * TDX_SHA384_SIZE + 1];
};

struct files {
	const char *dir;		/* NULL: not read yet */
	struct file *files;
	size_t count;
};

bool file_open(const char *path, struct file *file);
void file_must_open(const char *path, struct file *file);
bool files_read(const char *dir, bool recursive, struct files *files);
void files_must_read(const char *dir, bool recursive, struct files *files);
void files_beside(const struct file *file, struct files *files);
const char *file_date(const struct file *file, char buf[12]);
const char *file_signer(const struct file *file, char buf[40]);
json_t *file_json(const struct file *file);
bool file_sha256(const struct file *file, char hex[SHA256_HEX_SIZE]);

/* verdict.c */
struct tdxu_verdict verdict_of_image(const struct tdxu_image *image, enum tdxu_signer signer);

/* cbor.c */
struct cbor {
	u8 *data;			/* the caller frees it */
	size_t size;
};

void cbor_int(struct cbor *cbor, int number);
void cbor_bytes(struct cbor *cbor, const void *data, size_t size);
void cbor_text(struct cbor *cbor, const char *text);
void cbor_array(struct cbor *cbor, size_t count);
void cbor_map(struct cbor *cbor, size_t count);
void cbor_tag(struct cbor *cbor, u64 tag);
void cbor_items(struct cbor *cbor, const struct cbor *items);

/* corim.c */
#define SEAM_ATTRIBUTES_SIZE	8

struct corim_key;

extern const u8 mrsignerseam[TDX_SHA384_SIZE];
extern const u8 seam_attributes[SEAM_ATTRIBUTES_SIZE];

struct cbor corim_make(const struct file *files, size_t count);
const struct corim_key *corim_read_key(const char *path);
struct cbor corim_sign(const struct cbor *corim, const struct corim_key *key);

/* loader.c */
#define LOADER_DIR_SIZE	64

struct loader_dir {
	int error;			/* errno; EWOULDBLOCK: another run uses the parameter */
	char path[LOADER_DIR_SIZE];
};

void loader_name(const struct file *file, char name[IMAGE_NAME_SIZE]);
const char *loader_path(const char *name);
void loader_make(int socket, struct loader_dir *dir);
void loader_leave(void);
void loader_remove(void);

/* undo.c */
enum undo_kind { UNDO_RECOVERY, UNDO_CPU, UNDO_KINDS };

void undo_directory(struct loader_dir *dir);
void undo_file(enum undo_kind kind, const char *file, const char *now, const char *before);
void undo_end(void);

/* request.c */
#define ANSWER_SIZE	600
#define CAUSE_SIZE	400

struct answer {
	bool has_result;		/* false: the errno is not that of any result */
	enum tdxu_result result;
	int error;
	bool check;			/* nothing was to change, and nothing has */
	bool detailed;			/* there is a record of it: the members below are set */
	json_t *record;			/* as record_read() returns it */
	const char *from, *to;		/* in @record */
};

json_t *record_read(bool check);
long long record_number(const json_t *record, const char *file);
const char *record_result(const json_t *record);
const char *record_cause(const json_t *record, char buf[CAUSE_SIZE]);
const char *record_text(const json_t *record, const char *file);
void request(const char *file, const char *name, struct answer *answer);
void answer_lost(struct answer *answer);
enum tool_exit answer_exit(const struct answer *answer);
const char *answer_text(const struct answer *answer, char buf[ANSWER_SIZE]);
const char *answer_changed(const struct answer *answer);
void answer_json(const struct answer *answer, json_t *json);

/* apply.c */
json_t *apply_json(const struct options *options);
json_t *apply_begin(const struct options *options);
enum tool_exit apply_run(const struct options *options, json_t *json);
int apply_end(const struct options *options, json_t *json, enum tool_exit status);

/* config.c */
#define PIN_WAIT_S	60		/* unless the file says otherwise */

enum pin_key {
	PIN_VERSION, PIN_IMAGE, PIN_DIRECTORY, PIN_SHA256, PIN_MAPPING, PIN_WAIT,
	NUM_PIN_KEYS
};

struct pin {
	bool set;			/* there is a file */
	char *error;			/* what is wrong with it; NULL: nothing */
	char *values[NUM_PIN_KEYS];	/* NULL: the file does not have the key */
	struct tdxu_version version;
	long wait_s;
};

const char *pin_path(void);
const char *pin_key_name(enum pin_key key);
void pin_read(struct pin *pin);
void pin_must_read(struct pin *pin);
void pin_set(struct pin *pin, enum pin_key key, const char *value);
void pin_write(const struct pin *pin);
bool pin_remove(void);

/* pinned.c */
bool boot_version(char text[VERSION_SIZE]);
void boot_record(void);
int apply_pinned(const struct options *options);

/* list.c */
const char *why_not_asked(void);

/* nfd.c */
void nfd_print(void);

/* cpus.c */
bool cpus_all_online(void);
void cpus_hint(const struct answer *answer);
void cpus_bring_online(json_t *json);

/* journal.c */
void *journal_function(const char *name);
bool journal_exists(void);
void journal_send(const struct iovec *fields, int count);
char *journal_unit(void);

/* audit.c */
#define AUDIT_MESSAGE_ID "beca4ad206924c139250a740cf02b387"	/* fixed: others look for it */
#define AUDIT_FIELD	"TDX_UPDATE_"

struct audit_field {
	const char *name;		/* after AUDIT_FIELD */
	const char *member;		/* in the JSON of tdx-update history */
	bool is_number;
	bool of_answer;			/* the JSON answer has such a member, too */
};

extern const struct audit_field audit_fields[];
extern const size_t num_audit_fields;

void audit_begin(const char *operation, const char *file);
void audit_image(const struct file *file);
void audit_end(const json_t *json, enum tool_exit status);
void audit_fail(int status, const char *text);

/* vms.c */
void vms_hint(const struct answer *answer, const struct options *options, json_t *json);

/* mainline.c */
void mainline_caution(void);
bool mainline_objects(const struct file *file, char *why, size_t size);
enum tool_exit mainline_apply(const struct file *file, char *why, size_t size);

/* latest.c */
void running_version(struct tdxu_version *running);
void answer_name_version(struct answer *answer, const struct tdxu_version *version);
bool name_lies(const struct file *file, const struct files *files, char why[ANSWER_SIZE]);
bool choice_objects(const struct options *options, const struct tdxu_version *running,
		    const struct file *file, struct files *files, char why[ANSWER_SIZE],
		    json_t *json);
void objection_print(const struct file *file, const char *why, const json_t *json);
bool latest_any(const struct files *files, const struct tdxu_version *running);
const struct file *latest_choose(const struct options *options, struct files *files,
				 const struct tdxu_version *running, struct answer *answer,
				 json_t *passed_over, bool *newer);

/* mapping.c */
struct mapping {
	char *path;
	json_t *releases;
	struct mapping *next;
};

const struct mapping *mapping_find(const struct options *options, const struct file *file);
bool mapping_objects(const struct mapping *mapping, const struct file *file,
		     const struct tdxu_version *running, char why[ANSWER_SIZE]);

/* recovery.c */
struct recovery {
	const char *path;		/* NULL: none */
	bool chosen_here;		/* recovery_next() may choose another one */
	size_t next;			/* index of the file to try next */
	struct answer answer;		/* an error: why the update cannot begin */
};

char *recovery_current(void);
void recovery_set(const struct options *options, const struct file *file, struct files *files,
		  const struct tdxu_version *running, struct recovery *recovery);
void recovery_next(const struct files *files, const struct tdxu_version *running,
		   struct recovery *recovery);
void recovery_insist(const struct options *options, const struct files *files,
		     const struct tdxu_version *running);
bool answer_is_on_recovery(const struct answer *answer);

/* explain.c */
struct result_row {
	const char *name;
	const char *errno_name;
	int error;
	const char *text;
};

extern const struct result_row result_rows[];
extern const size_t num_results;
const char *result_changed(enum tdxu_result result);
bool result_is_of_image(enum tdxu_result result);
const char *state_advice(enum state state);
enum tool_exit result_exit(enum tdxu_result result);

#endif /* TOOL_H */
