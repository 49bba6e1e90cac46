// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads what an image file says about itself. The kernel module's own code, image.c, checks
 * container and sigstruct. Whether the image may be installed is not decided here.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "tool.h"

/* SHA-384 of the modulus of Intel's production key: docs/firmware.md, Signer. */
#define INTEL_SIGNER	"c8572f548869a0beca19376b81c2dffc2a23b5a5f71da0b87579b43f408daa1a" \
			"33bad9c149eb56c634f883737968a34c"

/* Find a version in a name like tdx_module_1.5.16.blob, for images whose sigstruct has none. */
static void version_of_name(const char *name, struct tdxu_version *version)
{
	const char *at = name;

	*version = (struct tdxu_version){};
	while ((at = strpbrk(at, "0123456789"))) {
		char text[VERSION_SIZE] = "";
		size_t length = strspn(at, "0123456789.");

		/* The dot before "blob" is not part of the version. */
		while (length && at[length - 1] == '.')
			length--;
		if (length < sizeof(text)) {
			memcpy(text, at, length);
			if (version_parse(text, version))
				return;
		}
		at += length;
	}
}

static void describe_signer(const u8 *modulus, char hex[2 * TDX_SHA384_SIZE + 1])
{
	u8 digest[TDX_SHA384_SIZE];
	size_t i;

	if (!EVP_Digest(modulus, SEAM_SIGSTRUCT_MODULUS_SIZE, digest, NULL, EVP_sha384(), NULL))
		fail(TOOL_SYSTEM, "no SHA-384 here");
	for (i = 0; i < sizeof(digest); i++)
		sprintf(hex + 2 * i, "%02x", digest[i]);
}

/* Return the version of the container by its first page, or 0 if it is not a container. */
static unsigned int container_of_blob(const void *blob, size_t size)
{
	const struct tdx_blob_v1 *v1 = blob;
	const struct tdx_blob_v2 *v2 = blob;

	if (size < TDX_PAGE_SIZE)
		return 0;
	if (v1->version == TDX_BLOB_VERSION_1 &&
	    !memcmp(v1->signature, TDX_BLOB_SIGNATURE, TDX_BLOB_SIGNATURE_SIZE))
		return 1;
	if (v2->version == TDX_BLOB_VERSION_2 &&
	    !memcmp(v2->signature, TDX_BLOB_SIGNATURE, TDX_BLOB_SIGNATURE_SIZE))
		return 2;
	return 0;
}

static void describe(const void *blob, size_t size, struct file *file)
{
	const struct seam_sigstruct *sig;
	struct tdxu_image image;

	file->container = container_of_blob(blob, size);
	version_of_name(file->name, &file->version);
	file->form = tdxu_image_parse(blob, size, &image);
	if (file->form.result)
		return;

	sig = image.sigstruct;
	if (image.version.major)
		file->version = image.version;
	file->svn_major = sig->svn_major;
	file->svn_minor = sig->svn_minor;
	file->debug_signed = sig->module_type & SEAM_SIGSTRUCT_DEBUG_SIGNED;
	file->num_cpus = sig->cpuid_table_size;
	memcpy(file->cpus, sig->cpuid_table, sizeof(file->cpus));
	describe_signer(sig->modulus, file->signer);
}

/**
 * file_open() - read an image file
 * @path: its path
 * @file: filled in; invalid if the file cannot be read
 *
 * Stops reading once the file is seen to be too large or not a container.
 *
 * Return: whether the file could be read; if not, errno is set.
 */
bool file_open(const char *path, struct file *file)
{
	const size_t max = TDXU_IMAGE_MAX_SIZE + TDX_PAGE_SIZE;
	size_t size = 0;
	ssize_t got = 1;
	int fd, error;
	struct stat st;
	char *blob;

	*file = (struct file){};
	/* O_NONBLOCK: do not hang if the path is a FIFO. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return false;
	}

	blob = malloc(max);
	if (!blob)
		fail(TOOL_SYSTEM, "out of memory");
	while (got > 0 && size < max &&
	       (size < TDX_PAGE_SIZE || container_of_blob(blob, size))) {
		got = read(fd, blob + size, max - size);
		if (got > 0)
			size += got;
	}
	error = errno;
	close(fd);
	if (got >= 0) {
		file->path = strdup(path);
		file->name = strrchr(file->path, '/') ? strrchr(file->path, '/') + 1 : file->path;
		describe(blob, size, file);
	}
	free(blob);
	errno = error;
	return got >= 0;
}

/* Read an image file, or end the program. */
void file_must_open(const char *path, struct file *file)
{
	if (!file_open(path, file))
		fail(TOOL_NO_INPUT, "%s: %s", path, strerror(errno));
}

/* Order for qsort(): newest first, images of unknown version last. */
static int compare_files(const void *a, const void *b)
{
	const struct file *x = a, *y = b;
	int order = version_compare(&y->version, &x->version);

	return order ? order : strcmp(x->name, y->name);
}

/**
 * files_read() - read the images of a directory
 * @dir: its path
 * @files: filled in, newest first; files that are not TDX-BLOB containers are left out
 *
 * Return: whether there is an image; if not, errno is set, to ENOENT if @dir has no image.
 */
bool files_read(const char *dir, struct files *files)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;

	*files = (struct files){};
	if (!stream)
		return false;
	while ((entry = readdir(stream))) {
		struct file file, *grown;
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (entry->d_name[0] == '.' || !file_open(path, &file) || !file.container)
			continue;
		grown = reallocarray(files->files, files->count + 1, sizeof(file));
		if (!grown)
			fail(TOOL_SYSTEM, "out of memory");
		files->files = grown;
		files->files[files->count++] = file;
	}
	closedir(stream);
	if (files->count)
		qsort(files->files, files->count, sizeof(*files->files), compare_files);
	errno = ENOENT;
	return files->count;
}

/* Read the images of a directory, or end the program if there is none. */
void files_must_read(const char *dir, struct files *files)
{
	if (files_read(dir, files))
		return;
	if (errno == ENOENT && !access(dir, F_OK))
		fail(TOOL_NO_INPUT, "%s: no image (TDX-BLOB container) there", dir);
	fail(TOOL_NO_INPUT, "%s: %s", dir, strerror(errno));
}

/**
 * file_signer() - describe the key with which an image claims to be signed
 * @file: the image; its form has to be good
 * @buf: holds the text
 *
 * Return: @buf.
 */
const char *file_signer(const struct file *file, char buf[40])
{
	char *parameter = host_read("module/tdx_update/parameters/signer");
	const char *who = NULL;

	if (!strcmp(file->signer, INTEL_SIGNER))
		who = "Intel";
	else if (parameter && !strcmp(file->signer, parameter))
		who = "parameter signer";
	free(parameter);
	if (who)
		snprintf(buf, 40, "%s%s", who, file->debug_signed ? " (debug)" : "");
	else
		snprintf(buf, 40, "unknown %.8s%s", file->signer,
			 file->debug_signed ? " (debug)" : "");
	return buf;
}

/**
 * file_json() - describe an image as JSON
 * @file: the image
 *
 * Return: a new object.
 */
json_t *file_json(const struct file *file)
{
	char version[VERSION_SIZE], series[VERSION_SIZE], svn[12], signer[40], cpu[12];
	json_t *json = json_object(), *cpus;
	u32 i;

	text_json_name(json, "file", file->path);
	json_object_set_new(json, "container", json_integer(file->container));
	json_object_set_new(json, "version", file->version.major ?
			    json_string(version_print(&file->version, version)) : json_null());
	snprintf(series, sizeof(series), "%u.%u", file->version.major, file->version.minor);
	json_object_set_new(json, "series",
			    file->version.major ? json_string(series) : json_null());
	if (file->form.result)
		return json;

	snprintf(svn, sizeof(svn), "%u.%u", file->svn_major, file->svn_minor);
	cpus = json_array();
	for (i = 0; i < file->num_cpus; i++) {
		snprintf(cpu, sizeof(cpu), "0x%05X", file->cpus[i]);
		json_array_append_new(cpus, json_string(cpu));
	}
	json_object_set_new(json, "svn", json_string(svn));
	json_object_set_new(json, "cpus", cpus);
	json_object_set_new(json, "signer", json_string(file_signer(file, signer)));
	json_object_set_new(json, "signer_sha384", json_string(file->signer));
	json_object_set_new(json, "debug_signed", json_boolean(file->debug_signed));
	return json;
}
