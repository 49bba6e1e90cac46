// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx-update reference: what a quote shows once an image runs, for those who verify quotes. Reads
 * image files only, so it needs neither root nor TDX. All images are read and judged before the
 * first byte is printed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

#define VALUE_COLUMN	18	/* of a value's text, after its name */
#define TEE_TCB_SVN_SIZE	16
#define TEE_TCB_SVN_KNOWN	2	/* bytes that follow from the image: SVN minor and major */

/* Family and model as software shows them, of CPUID(1).EAX (SDM). */
static unsigned int family_of(u32 eax)
{
	unsigned int family = eax >> 8 & 0xf;

	return family == 0xf ? family + (eax >> 20 & 0xff) : family;
}

static unsigned int model_of(u32 eax)
{
	unsigned int family = eax >> 8 & 0xf, model = eax >> 4 & 0xf;

	return family == 0x6 || family == 0xf ? model | (eax >> 12 & 0xf0) : model;
}

/* ---- text ---- */

static void print_value(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void print_value(const char *name, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		fail(TOOL_SYSTEM, "out of memory");
	va_end(args);
	printf("  %-*s", VALUE_COLUMN - 2, name);
	text_wrap(text, VALUE_COLUMN, text_terminal_width());
	free(text);
}

static void print_module(const struct file *file)
{
	char version[VERSION_SIZE], date[12], signer[40];

	print_value("TDX module", "%s%s, built %s, build %u",
		    version_print(&file->version, version),
		    file->version_named ? " by the file's name" : "", file_date(file, date),
		    file->build_num);
	print_value("signed by", "%s", file_signer(file, signer));
}

static void print_svns(const struct file *file)
{
	char known[2 * TEE_TCB_SVN_KNOWN + 1];
	const u8 svn[TEE_TCB_SVN_KNOWN] = { file->svn_minor, file->svn_major };

	print_value("SVN", "%u.%u: TDX_%02X with isvsvn %u in Intel's TCB info", file->svn_major,
		    file->svn_minor, file->svn_major, file->svn_minor);
	print_value("TEE_TCB_SVN", "%s and %u bytes that the image does not tell",
		    text_hex(svn, sizeof(svn), known), TEE_TCB_SVN_SIZE - TEE_TCB_SVN_KNOWN);
	print_value("TEE_TCB_SVN_2", "the same");
}

static void print_cpus(const struct file *file)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);
	u32 i;

	if (!out)
		fail(TOOL_SYSTEM, "out of memory");
	if (!file->num_cpus)
		fputs("any", out);
	for (i = 0; i < file->num_cpus; i++)
		fprintf(out, "%s0x%05X (family %u, model %u, stepping %u or another)",
			i ? ", " : "", file->cpus[i], family_of(file->cpus[i]),
			model_of(file->cpus[i]), file->cpus[i] & SEAM_SIGSTRUCT_CPUID_STEPPING);
	fclose(out);
	print_value("CPUs", "%s", text);
	free(text);
}

/* Values of such an image belong to verifiers of pre-production platforms only. */
static void note_signer(const struct file *file)
{
	char signer[40];

	file_signer(file, signer);
	if (strcmp(signer, "Intel"))
		note("%s: signed by %s, not by Intel: no production platform runs it", file->path,
		     signer);
}

static void print_image(const struct file *file)
{
	char digest[2 * TDX_SHA384_SIZE + 1];

	say("%s", file->path);
	print_module(file);
	print_value("MRSEAM", "%s", text_hex(file->seamhash, sizeof(file->seamhash), digest));
	print_value("MRSIGNERSEAM", "%s", text_hex(mrsignerseam, sizeof(mrsignerseam), digest));
	print_value("SEAMATTRIBUTES", "%s",
		    text_hex(seam_attributes, sizeof(seam_attributes), digest));
	print_svns(file);
	print_cpus(file);
	print_value("handoff", "versions %u to %u, %u pages", file->min_update_hv, file->module_hv,
		    file->num_handoff_pages);
}

/* ---- JSON ---- */

static void add_hex(json_t *json, const char *key, const u8 *data, size_t size)
{
	char text[2 * TDX_SHA384_SIZE + 1];

	json_object_set_new(json, key, json_string(text_hex(data, size, text)));
}

static json_t *cpus_json(const struct file *file)
{
	json_t *cpus = json_array();
	u32 i;

	for (i = 0; i < file->num_cpus; i++)
		json_array_append_new(cpus, json_pack("{s:i, s:i, s:i}",
						      "family", family_of(file->cpus[i]),
						      "model", model_of(file->cpus[i]),
						      "stepping", file->cpus[i] &
						      SEAM_SIGSTRUCT_CPUID_STEPPING));
	return cpus;
}

static json_t *image_json(const struct file *file)
{
	const u8 svn[TEE_TCB_SVN_SIZE] = { file->svn_minor, file->svn_major };
	const u8 mask[TEE_TCB_SVN_SIZE] = { 0xff, 0xff };
	json_t *json = file_json(file);
	char identity[8];

	snprintf(identity, sizeof(identity), "TDX_%02X", file->svn_major);
	add_hex(json, "mrseam", file->seamhash, sizeof(file->seamhash));
	add_hex(json, "mrsignerseam", mrsignerseam, sizeof(mrsignerseam));
	add_hex(json, "seam_attributes", seam_attributes, sizeof(seam_attributes));
	add_hex(json, "tee_tcb_svn", svn, sizeof(svn));
	add_hex(json, "tee_tcb_svn_mask", mask, sizeof(mask));
	json_object_set_new(json, "tcb_identity", json_string(identity));
	json_object_set_new(json, "isvsvn", json_integer(file->svn_minor));
	json_object_set_new(json, "cpu_models", cpus_json(file));
	json_object_set_new(json, "min_update_hv", json_integer(file->min_update_hv));
	json_object_set_new(json, "module_hv", json_integer(file->module_hv));
	json_object_set_new(json, "num_handoff_pages", json_integer(file->num_handoff_pages));
	return json;
}

static void print_images_json(const struct file *files, size_t count)
{
	json_t *images = json_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_array_append_new(images, image_json(&files[i]));
	print_json(json_pack("{s:o}", "images", images));
}

/* ---- CoRIM ---- */

static void print_corim(const struct file *files, size_t count, const struct corim_key *key)
{
	struct cbor corim = corim_make(files, count), message;

	if (key) {
		message = corim_sign(&corim, key);
		free(corim.data);
		corim = message;
	}
	fwrite(corim.data, 1, corim.size, stdout);
	free(corim.data);
}

/* ---- --output ---- */

/* A file that is not finished: removed at exit. */
static char *unfinished;

static void remove_unfinished(void)
{
	if (unfinished)
		unlink(unfinished);
}

static bool is_same_file(const struct stat *st, const char *path)
{
	struct stat other;

	return path && !stat(path, &other) && other.st_dev == st->st_dev &&
	       other.st_ino == st->st_ino;
}

/* `reference --output *.blob` must not replace an image by the values of the others. */
static void refuse_to_replace(const struct options *options, const struct stat *st)
{
	struct file file;

	if (is_same_file(st, options->signing_key))
		fail(TOOL_USAGE, "reference: --output: %s is the key", options->output);
	if (file_open(options->output, &file) && file.container)
		fail(TOOL_USAGE, "reference: --output: %s is an image, and is not replaced",
		     options->output);
}

/* Have standard output write to a new file in the directory of @path. */
static void redirect(const char *path)
{
	mode_t mask = umask(0);
	char *copy = strdup(path);
	int fd;

	umask(mask);
	if (!copy || asprintf(&unfinished, "%s/.tdx-update.XXXXXX", dirname(copy)) < 0)
		fail(TOOL_SYSTEM, "out of memory");
	free(copy);
	fd = mkostemp(unfinished, O_CLOEXEC);
	if (fd < 0) {
		free(unfinished);
		unfinished = NULL;
		fail(TOOL_SYSTEM, "%s: %s", path, strerror(errno));
	}
	atexit(remove_unfinished);
	if (fchmod(fd, 0666 & ~mask) || dup2(fd, STDOUT_FILENO) < 0)
		fail(TOOL_SYSTEM, "%s: %s", path, strerror(errno));
	close(fd);
}

/*
 * Begin to write to the file that --output names. A regular file is replaced at the end, whole, or
 * not at all; anything else, such as a pipe, is written to. Return its path.
 */
static const char *begin_output(const struct options *options)
{
	const char *path = options->output;
	struct stat st;
	int fd;

	if (stat(path, &st)) {
		redirect(path);
		return path;
	}
	refuse_to_replace(options, &st);
	if (S_ISREG(st.st_mode)) {
		/* Replace what a link leads to, not the link. */
		path = realpath(path, NULL) ?: path;
		redirect(path);
		return path;
	}
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
		fail(TOOL_SYSTEM, "%s: %s", path, strerror(errno));
	close(fd);
	return path;
}

/* Complete the output. With --output nothing is left of an incomplete one. */
static void end_output(const struct options *options, const char *path)
{
	bool failed = fflush(stdout) || ferror(stdout);

	if (unfinished && !failed)
		failed = fsync(STDOUT_FILENO) || rename(unfinished, path);
	/* A reader that closes a pipe of text has seen enough. */
	if (failed && (options->corim || errno != EPIPE))
		fail(TOOL_SYSTEM, "%s: %s", path ?: "standard output", strerror(errno));
	if (!failed && unfinished) {
		free(unfinished);
		unfinished = NULL;
	}
}

/* ---- the command ---- */

/* Read and judge the images. End the program at the first one that no host would take. */
static struct file *read_images(const struct options *options)
{
	struct file *files = calloc(options->num_arguments, sizeof(*files));
	const struct result_row *row;
	size_t i;

	if (!files)
		fail(TOOL_SYSTEM, "out of memory");
	for (i = 0; i < options->num_arguments; i++) {
		const struct tdxu_verdict *verdict = &files[i].verdict;

		file_must_open(options->arguments[i], &files[i]);
		row = &result_rows[verdict->result];
		if (verdict->result)
			fail(result_exit(verdict->result), "%s: %s (%s): %s%s%s", files[i].path,
			     row->name, row->errno_name, row->text, *verdict->why ? ": " : "",
			     verdict->why);
	}
	return files;
}

/**
 * cmd_reference() - run tdx-update reference IMAGE...
 * @options: @options->arguments are the images
 *
 * Return: TOOL_DONE.
 */
int cmd_reference(const struct options *options)
{
	const struct corim_key *key = NULL;
	struct file *files = read_images(options);
	size_t count = options->num_arguments, i;
	const char *path = NULL;

	for (i = 0; i < count; i++)
		note_signer(&files[i]);
	if (options->signing_key)
		key = corim_read_key(options->signing_key);
	if (options->output)
		path = begin_output(options);
	else if (options->corim && isatty(STDOUT_FILENO))
		fail(TOOL_USAGE,
		     "reference: a CoRIM is binary, and standard output is a terminal: give --output FILE");

	if (options->corim)
		print_corim(files, count, key);
	else if (options->json)
		print_images_json(files, count);
	else
		for (i = 0; i < count; i++)
			print_image(&files[i]);
	end_output(options, path);
	return TOOL_DONE;
}
