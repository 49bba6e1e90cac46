// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads what an image file says about itself, and joins images that come in two halves. The kernel
 * module's own code, image.c, checks container and sigstruct. Whether the image may be installed is
 * not decided here.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "tool.h"

/* SHA-384 of the modulus of Intel's production key: docs/firmware.md, Signer. */
#define INTEL_SIGNER	"c8572f548869a0beca19376b81c2dffc2a23b5a5f71da0b87579b43f408daa1a" \
			"33bad9c149eb56c634f883737968a34c"

/* The largest container, and a page more to see that a file is larger. */
#define BLOB_SIZE	(TDXU_IMAGE_MAX_SIZE + TDX_PAGE_SIZE)

/* Endings of the halves in which Intel ships images too. */
#define MODULE_ENDING		".bin"
#define SIGSTRUCT_ENDING	".sigstruct"

static bool ends_in(const char *name, const char *ending)
{
	size_t length = strlen(name);

	return length > strlen(ending) && !strcmp(name + length - strlen(ending), ending);
}

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

/* Find whose key this is, by the SHA-384 of its modulus in hexadecimal. */
static enum tdxu_signer find_signer(const char *hex)
{
	char *parameter = host_read("module/tdx_update/parameters/signer");
	enum tdxu_signer signer = TDXU_SIGNER_UNKNOWN;

	if (!strcmp(hex, INTEL_SIGNER))
		signer = TDXU_SIGNER_INTEL;
	else if (parameter && !strcmp(hex, parameter))
		signer = TDXU_SIGNER_PARAMETER;
	free(parameter);
	return signer;
}

static void describe_signer(const u8 *modulus, char hex[2 * TDX_SHA384_SIZE + 1])
{
	u8 digest[TDX_SHA384_SIZE];

	if (!EVP_Digest(modulus, SEAM_SIGSTRUCT_MODULUS_SIZE, digest, NULL, EVP_sha384(), NULL))
		fail(TOOL_SYSTEM, "no SHA-384 here");
	text_hex(digest, sizeof(digest), hex);
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
	file->version_named = file->version.major;
	file->form = tdxu_image_parse(blob, size, &image);
	file->verdict = file->form;
	if (file->form.result)
		return;

	sig = image.sigstruct;
	if (image.version.major) {
		file->version = image.version;
		file->version_named = false;
	}
	file->svn_major = sig->svn_major;
	file->svn_minor = sig->svn_minor;
	file->date = sig->date;
	file->build_num = sig->build_num;
	memcpy(file->seamhash, sig->seamhash, sizeof(file->seamhash));
	file->debug_signed = sig->module_type & SEAM_SIGSTRUCT_DEBUG_SIGNED;
	file->num_cpus = sig->cpuid_table_size;
	memcpy(file->cpus, sig->cpuid_table, sizeof(file->cpus));
	file->module_hv = sig->module_hv;
	file->min_update_hv = sig->min_update_hv;
	file->num_handoff_pages = sig->num_handoff_pages;
	describe_signer(sig->modulus, file->signer);
	/* Here, so that verdict and values are of the same bytes. */
	file->verdict = verdict_of_image(&image, find_signer(file->signer));
}

/*
 * Read a file, at most @max bytes. With @if_container stop once it is seen not to be a container.
 * Return how many bytes there are, or -1 with errno set.
 */
static ssize_t read_file(const char *path, bool if_container, void *blob, size_t max)
{
	size_t size = 0;
	ssize_t got = 1;
	struct stat st;
	int fd, error;

	/* O_NONBLOCK: do not hang if the path is a FIFO. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return -1;
	}
	while (got > 0 && size < max &&
	       (!if_container || size < TDX_PAGE_SIZE || container_of_blob(blob, size))) {
		got = read(fd, blob + size, max - size);
		if (got > 0)
			size += got;
	}
	error = errno;
	close(fd);
	errno = error;
	return got < 0 ? -1 : (ssize_t)size;
}

/* Return the path of a half, given the other's or its own. The caller frees it. */
static char *half_path(const char *path, const char *ending)
{
	char *half;

	if (asprintf(&half, "%.*s%s", (int)(strrchr(path, '.') - path), path, ending) < 0)
		fail(TOOL_SYSTEM, "out of memory");
	return half;
}

static bool half_exists(const char *path, const char *ending)
{
	char *half = half_path(path, ending);
	bool exists = !access(half, F_OK);

	free(half);
	return exists;
}

/* Read a half of an image. Return its size, or 0 if there is none: @file->defect says why. */
static size_t read_half(struct file *file, const char *ending, void *to, size_t max)
{
	char *path = half_path(file->path, ending);
	ssize_t size = read_file(path, false, to, max);

	if (size < 0 && errno != ENOENT)
		file->defect = "the other half of this image cannot be read";
	else if (size < 0)
		file->defect = !strcmp(ending, MODULE_ENDING) ?
			       "half an image: its module, the file .bin, is missing" :
			       "half an image: its signature, the file .sigstruct, is missing";
	else if (!size)
		file->defect = "half of this image is an empty file";
	free(path);
	return size > 0 ? size : 0;
}

/* Keep the container in memory, under a path by which it can be read. */
static void keep(struct file *file, const u8 *blob, size_t size)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	char *path;

	if (fd < 0 || write(fd, blob, size) != (ssize_t)size ||
	    asprintf(&path, "/proc/self/fd/%d", fd) < 0)
		fail(TOOL_SYSTEM, "%s: cannot join it in memory: %s", file->path, strerror(errno));
	file->source = path;
}

/*
 * Join the two halves of an image, either of which @file names, as a container of version 2.
 * Return its size, or 0 if there is none: @file->defect says why.
 */
static size_t join(struct file *file, u8 *blob)
{
	struct tdx_blob_v2 *header = (void *)blob;
	size_t signature, module, size, i;
	u16 sum = 0;

	memset(blob, 0, BLOB_SIZE);
	signature = read_half(file, SIGSTRUCT_ENDING, blob + TDX_PAGE_SIZE, TDX_PAGE_SIZE);
	if (!signature)
		return 0;
	module = read_half(file, MODULE_ENDING, blob + 2 * TDX_PAGE_SIZE,
			   BLOB_SIZE - 2 * TDX_PAGE_SIZE);
	if (!module)
		return 0;
	if (signature != sizeof(struct seam_sigstruct)) {
		file->defect = "its file .sigstruct does not have 2048 bytes";
		return 0;
	}
	header->version = TDX_BLOB_VERSION_2;
	memcpy(header->signature, TDX_BLOB_SIGNATURE, TDX_BLOB_SIGNATURE_SIZE);
	header->sigstruct_nr_pages = 1;
	header->module_nr_pages = (module + TDX_PAGE_SIZE - 1) / TDX_PAGE_SIZE;
	size = (size_t)(2 + header->module_nr_pages) * TDX_PAGE_SIZE;
	for (i = 0; i < size; i += 2)
		sum += blob[i] | blob[i + 1] << 8;
	header->checksum = -sum;
	keep(file, blob, size);
	return size;
}

/* Name what the module could only call malformed, or would not even find. */
static const char *find_defect(const char *blob, size_t size)
{
	size_t blanks = 0;

	if (!size)
		return "the file is empty";
	while (blanks < size && memchr(" \t\r\n", blob[blanks], 4))
		blanks++;
	if (blanks < size && memchr("{[", blob[blanks], 2))
		return "JSON, not an image; --mapping takes a mapping file";
	return NULL;
}

static bool is_half(const char *name)
{
	return ends_in(name, MODULE_ENDING) || ends_in(name, SIGSTRUCT_ENDING);
}

/**
 * file_open() - read an image file
 * @path: its path; of an image in two halves, the path of either
 * @file: filled in; invalid if the file cannot be read
 *
 * Stops reading once the file is seen to be too large or not a container.
 *
 * Return: whether the file could be read; if not, errno is set.
 */
bool file_open(const char *path, struct file *file)
{
	char *blob = malloc(BLOB_SIZE);
	ssize_t size;
	int error;

	if (!blob)
		fail(TOOL_SYSTEM, "out of memory");
	*file = (struct file){};
	size = read_file(path, true, blob, BLOB_SIZE);
	error = errno;
	if (size >= 0) {
		file->path = strdup(path);
		file->name = strrchr(file->path, '/') ? strrchr(file->path, '/') + 1 : file->path;
		file->source = file->path;
		if (!container_of_blob(blob, size) && is_half(file->name))
			size = join(file, (u8 *)blob);
		else
			file->defect = find_defect(blob, size);
		describe(blob, size, file);
	}
	free(blob);
	errno = error;
	return size >= 0;
}

/* Read an image file, or end the program if it cannot be read or cannot be an image. */
void file_must_open(const char *path, struct file *file)
{
	if (!file_open(path, file))
		fail(TOOL_NO_INPUT, "%s: %s", path, strerror(errno));
	if (file->defect)
		fail(TOOL_NO_INPUT, "%s: %s", path, file->defect);
}

/* Order for qsort(): newest first, images of unknown version last. */
static int compare_files(const void *a, const void *b)
{
	const struct file *x = a, *y = b;
	int order = version_compare(&y->version, &x->version);

	return order ? order : strcmp(x->path, y->path);
}

/*
 * A directory also has other files, and many a file .bin is firmware for something else. Both
 * halves of an image are one entry.
 */
static bool is_listed(const struct file *file)
{
	return file->container || ends_in(file->name, ".blob") ||
	       ends_in(file->name, SIGSTRUCT_ENDING) ||
	       (ends_in(file->name, MODULE_ENDING) && half_exists(file->path, SIGSTRUCT_ENDING));
}

static void add_file(const char *path, struct files *files)
{
	struct file file, *grown;

	if (ends_in(path, SIGSTRUCT_ENDING) && half_exists(path, MODULE_ENDING))
		return;
	if (!file_open(path, &file) || !is_listed(&file))
		return;
	grown = reallocarray(files->files, files->count + 1, sizeof(file));
	if (!grown)
		fail(TOOL_SYSTEM, "out of memory");
	files->files = grown;
	files->files[files->count++] = file;
}

/*
 * Read a directory and, @depth levels deep, those below on the same file system: not /proc or /sys.
 * Return whether it can be opened.
 */
static bool read_dir(const char *dir, unsigned int depth, struct files *files)
{
	DIR *stream = opendir(dir);
	struct stat top, st;
	struct dirent *entry;
	char path[PATH_MAX];

	if (!stream)
		return false;
	fstat(dirfd(stream), &top);
	while ((entry = readdir(stream))) {
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		/* lstat: a link could lead back up. */
		if (entry->d_name[0] == '.' || lstat(path, &st))
			continue;
		if (!S_ISDIR(st.st_mode))
			add_file(path, files);
		else if (depth && st.st_dev == top.st_dev)
			read_dir(path, depth - 1, files);
	}
	closedir(stream);
	return true;
}

/**
 * files_read() - read the images of a directory
 * @dir: its path
 * @recursive: read the directories below too
 * @files: filled in, newest first. Has containers, images in two halves, and files whose names end
 *	in .blob; other files are left out
 *
 * Return: whether there is an image; if not, errno is set, to ENOENT if @dir has no image.
 */
bool files_read(const char *dir, bool recursive, struct files *files)
{
	*files = (struct files){ .dir = dir };
	if (!read_dir(dir, recursive ? REPOSITORY_DEPTH : 0, files))
		return false;
	if (files->count)
		qsort(files->files, files->count, sizeof(*files->files), compare_files);
	errno = ENOENT;
	return files->count;
}

/* Read the images of a directory, or end the program if there is none. */
void files_must_read(const char *dir, bool recursive, struct files *files)
{
	if (files_read(dir, recursive, files))
		return;
	if (errno != ENOENT || access(dir, F_OK))
		fail(TOOL_NO_INPUT, "%s: %s", dir, strerror(errno));
	if (files_read(dir, true, files))
		fail(TOOL_NO_INPUT,
		     "%s: no image there, but %zu below, such as %s: name their directory, or use --recursive",
		     dir, files->count, files->files[0].path);
	fail(TOOL_NO_INPUT, "%s: no image (TDX-BLOB container, or .bin with .sigstruct) there",
	     dir);
}

/**
 * files_beside() - read the images in the directory of an image, unless that is done
 * @file: the image
 * @files: filled in, as by files_read(), if its @dir is NULL
 */
void files_beside(const struct file *file, struct files *files)
{
	if (files->dir)
		return;
	if (file->name - file->path > 1)
		files_read(strndup(file->path, file->name - file->path - 1), false, files);
	else
		files_read(file->name == file->path ? "." : "/", false, files);
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
	static const char * const names[] = {
		[TDXU_SIGNER_INTEL] = "Intel",
		[TDXU_SIGNER_PARAMETER] = "parameter signer",
	};
	enum tdxu_signer signer = find_signer(file->signer);

	if (signer != TDXU_SIGNER_UNKNOWN)
		snprintf(buf, 40, "%s%s", names[signer], file->debug_signed ? " (debug)" : "");
	else
		snprintf(buf, 40, "unknown %.8s%s", file->signer,
			 file->debug_signed ? " (debug)" : "");
	return buf;
}

/* Format the date on which an image was built, 2025-01-31. Its form has to be good. */
const char *file_date(const struct file *file, char buf[12])
{
	snprintf(buf, 12, "%04x-%02x-%02x", file->date >> 16, file->date >> 8 & 0xff,
		 file->date & 0xff);
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
	char version[VERSION_SIZE], series[VERSION_SIZE], svn[12], date[12], signer[40], cpu[12];
	json_t *json = json_object(), *cpus;
	u32 i;

	text_json_name(json, "file", file->path);
	json_object_set_new(json, "container", json_integer(file->container));
	json_object_set_new(json, "version", file->version.major ?
			    json_string(version_print(&file->version, version)) : json_null());
	snprintf(series, sizeof(series), "%u.%u", file->version.major, file->version.minor);
	json_object_set_new(json, "series",
			    file->version.major ? json_string(series) : json_null());
	json_object_set_new(json, "version_named", json_boolean(file->version_named));
	if (file->defect)
		json_object_set_new(json, "defect", json_string(file->defect));
	if (file->form.result)
		return json;

	snprintf(svn, sizeof(svn), "%u.%u", file->svn_major, file->svn_minor);
	cpus = json_array();
	for (i = 0; i < file->num_cpus; i++) {
		snprintf(cpu, sizeof(cpu), "0x%05X", file->cpus[i]);
		json_array_append_new(cpus, json_string(cpu));
	}
	json_object_set_new(json, "svn", json_string(svn));
	json_object_set_new(json, "built", json_string(file_date(file, date)));
	json_object_set_new(json, "build", json_integer(file->build_num));
	json_object_set_new(json, "cpus", cpus);
	json_object_set_new(json, "signer", json_string(file_signer(file, signer)));
	json_object_set_new(json, "signer_sha384", json_string(file->signer));
	json_object_set_new(json, "debug_signed", json_boolean(file->debug_signed));
	return json;
}

/**
 * file_sha256() - compute the SHA-256 of an image
 * @file: the image; of one in two halves the container that this command has joined
 * @hex: filled in
 *
 * Return: false if the file cannot be read any more, or is larger than any image.
 */
bool file_sha256(const struct file *file, char hex[SHA256_HEX_SIZE])
{
	int fd = open(file->source, O_RDONLY | O_CLOEXEC);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char buf[65536], digest[SHA256_HEX_SIZE / 2];
	size_t total = 0;
	ssize_t size = -1;

	if (context && fd >= 0 && EVP_DigestInit_ex(context, EVP_sha256(), NULL))
		while (total <= BLOB_SIZE && (size = read(fd, buf, sizeof(buf))) > 0) {
			EVP_DigestUpdate(context, buf, size);
			total += size;
		}
	if (!size && !EVP_DigestFinal_ex(context, digest, NULL))
		size = -1;
	if (!size)
		text_hex(digest, sizeof(digest), hex);
	if (fd >= 0)
		close(fd);
	EVP_MD_CTX_free(context);
	return !size;
}
