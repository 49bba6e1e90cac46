// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes the images to be judged, and the random numbers for them. A table has the faults, each with
 * its share. A fault may leave an image good (a bit without meaning): the judges decide that.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "generate.h"

static struct evp_pkey_st *keys[NR_KEYS];
static uint8_t moduli[NR_KEYS][ORACLE_MODULUS];

static void die(const char *what)
{
	fprintf(stderr, "oracle: %s\n", what);
	exit(EXIT_FAILURE);
}

static void *allocate(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory)
		die("out of memory");
	return memory;
}

/* ---- numbers ---- */

/**
 * rng_next() - get the next number
 * @rng: state of the sequence
 *
 * Return: any number of 64 bits.
 */
uint64_t rng_next(struct rng *rng)
{
	uint64_t mixed = rng->state += 0x9E3779B97F4A7C15ull;

	mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9ull;
	mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBull;
	return mixed ^ mixed >> 31;
}

/**
 * rng_below() - get a number below a bound
 * @rng: state of the sequence
 * @bound: the bound, not 0
 *
 * Return: 0 to @bound - 1, all about equally often.
 */
uint64_t rng_below(struct rng *rng, uint64_t bound)
{
	return rng_next(rng) % bound;
}

/**
 * rng_one_in() - be true now and then
 * @rng: state of the sequence
 * @n: average number of calls for one that returns true
 *
 * Return: true in one of @n calls, on average.
 */
bool rng_one_in(struct rng *rng, uint64_t n)
{
	return rng_below(rng, n) == 0;
}

/**
 * rng_fork() - begin a sequence of numbers that depends on no other
 * @rng: filled in
 * @seed: seed of the whole run
 * @number: number of the object that is to be made
 */
void rng_fork(struct rng *rng, uint64_t seed, uint64_t number)
{
	rng->state = seed;
	rng->state = rng_next(rng) ^ number * 0xD6E8FEB86659FD93ull;
	rng_next(rng);
}

/**
 * note() - add a fault to a history
 * @history: text that does not fit is cut off
 * @format: as for printf()
 */
void note(struct history *history, const char *format, ...)
{
	const size_t room = sizeof(history->text);
	size_t used = strlen(history->text);
	va_list args;

	if (used)
		used += snprintf(history->text + used, room - used, "; ");
	if (used >= room)
		return;
	va_start(args, format);
	vsnprintf(history->text + used, room - used, format, args);
	va_end(args);
}

/* ---- keys ---- */

/* Make new keys; to be called before anything else here. */
void keys_make(void)
{
	unsigned int key;

	for (key = 0; key < NR_KEYS; key++) {
		BIGNUM *n = NULL;

		keys[key] = EVP_RSA_gen(ORACLE_MODULUS * 8);
		if (!keys[key] || !EVP_PKEY_get_bn_param(keys[key], OSSL_PKEY_PARAM_RSA_N, &n) ||
		    BN_bn2lebinpad(n, moduli[key], ORACLE_MODULUS) != ORACLE_MODULUS)
			die("cannot make a key");
		BN_free(n);
	}
}

/* Get the hash by which P-SEAMLDR knows a signer. */
void keys_signer(enum key key, uint8_t hash[ORACLE_HASH])
{
	EVP_Digest(moduli[key], ORACLE_MODULUS, hash, NULL, EVP_sha384(), NULL);
}

/* ---- images ---- */

/**
 * image_make() - make an image like those that Intel has released, but small and not signed yet
 * @image: filled in; to be freed by image_free()
 * @situation: platform on which it could be installed
 * @rng: source of numbers
 */
void image_make(struct image *image, const struct situation *situation, struct rng *rng)
{
	const struct oracle_installed *installed = &situation->installed;
	uint8_t *sigstruct = image->sigstruct;
	unsigned int i, extra;
	uint32_t entries;

	memset(image, 0, sizeof(*image));
	image->key = KEY_KNOWN;
	image->nr_pages = 1 + rng_below(rng, MAX_SMALL_PAGES);
	image->pages = allocate((size_t)image->nr_pages * ORACLE_PAGE);
	for (i = 0; i < image->nr_pages * ORACLE_PAGE; i += 8)
		oracle_put(image->pages, i, 8, rng_next(rng));

	oracle_put(sigstruct, 0, 4, 6);
	oracle_put(sigstruct, 4, 4, 0xE1);
	oracle_put(sigstruct, 8, 4, 0x10000);
	oracle_put(sigstruct, 16, 4, 0x8086);
	oracle_put(sigstruct, 20, 4, 0x20240101);
	oracle_put(sigstruct, 24, 4, 0x200);
	oracle_put(sigstruct, 28, 4, 0x60);
	oracle_put(sigstruct, 32, 4, 0x60);
	oracle_put(sigstruct, 36, 4, 1);
	oracle_put(sigstruct, 512, 4, 0x10001);
	oracle_put(sigstruct, 948, 1, installed->svn_minor);
	oracle_put(sigstruct, 949, 1, installed->svn_major);
	oracle_put(sigstruct, 958, 4, rng_below(rng, 2) ? 0x1000 : 0x40);
	oracle_put(sigstruct, 962, 1, 1 + rng_below(rng, 8));
	oracle_put(sigstruct, 963, 1, rng_below(rng, 8));
	oracle_put(sigstruct, 964, 2, rng_below(rng, 600));
	oracle_put(sigstruct, 966, 2, rng_below(rng, 400));
	oracle_put(sigstruct, 968, 2, 64);
	oracle_put(sigstruct, 970, 2, 16);
	oracle_put(sigstruct, 972, 2, 16);
	oracle_put(sigstruct, 974, 2, 16);
	oracle_put(sigstruct, 976, 2, 16);
	oracle_put(sigstruct, 984, 2, installed->hv_max);
	oracle_put(sigstruct, 986, 2, rng_below(rng, installed->hv_min + 1));
	oracle_put(sigstruct, 988, 1, rng_below(rng, 2));
	oracle_put(sigstruct, 990, 2, installed->handoff_pages + rng_below(rng, 3));
	if (image->nr_pages > 1) {
		oracle_put(sigstruct, 992, 4, (1 + rng_below(rng, image->nr_pages - 1)) * 4096);
		oracle_put(sigstruct, 996, 4, 64 * (1 + rng_below(rng, 30)));
	}
	if (situation->platform.loader.update && rng_below(rng, 2)) {
		oracle_put(sigstruct, 1000, 2, rng_below(rng, 40));
		oracle_put(sigstruct, 1002, 1, 5);
		oracle_put(sigstruct, 1003, 1, 1);
		oracle_put(sigstruct, 1004, 2, rng_below(rng, 1000));
	}

	/* Other CPUs, then the CPUs of the sockets, each of any stepping. */
	entries = situation->platform.nr_sockets + (extra = rng_below(rng, 4));
	for (i = 0; i < entries; i++) {
		uint32_t cpu = i < extra ? 0xA06D0 + 0x10 * i :
					   situation->platform.cpuid[i - extra];

		oracle_put(sigstruct, 1028 + 4 * i, 4, (cpu & ~0xfu) | rng_below(rng, 16));
	}
	oracle_put(sigstruct, 1024, 4, entries);

	image_hash(image);
}

/* Set SEAMHASH to the hash of the module pages. */
void image_hash(struct image *image)
{
	EVP_Digest(image->pages, (size_t)image->nr_pages * ORACLE_PAGE, image->sigstruct + 900,
		   NULL, EVP_sha384(), NULL);
}

/**
 * image_free() - undo image_make()
 * @image: an image, or all zeroes
 */
void image_free(struct image *image)
{
	free(image->pages);
	image->pages = NULL;
}

/**
 * image_sign() - set modulus and signature
 * @image: the image; its SEAMHASH is signed even if it is wrong
 */
void image_sign(struct image *image)
{
	const size_t tail = ORACLE_SIGSTRUCT - 900;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t signature[ORACLE_MODULUS];
	size_t size = sizeof(signature), i;

	memcpy(image->sigstruct + 128, moduli[image->key], ORACLE_MODULUS);
	if (!context ||
	    EVP_DigestSignInit(context, NULL, EVP_sha384(), NULL, keys[image->key]) <= 0 ||
	    EVP_DigestSignUpdate(context, image->sigstruct, 128) <= 0 ||
	    EVP_DigestSignUpdate(context, image->sigstruct + 900, tail) <= 0 ||
	    EVP_DigestSignFinal(context, signature, &size) <= 0 || size != sizeof(signature))
		die("cannot sign");
	EVP_MD_CTX_free(context);
	for (i = 0; i < sizeof(signature); i++)
		image->sigstruct[516 + i] = signature[sizeof(signature) - 1 - i];
}

/* ---- faults of images ---- */

/* Every field and reserved range of the sigstruct that is set before signing. */
static const struct {
	const char *name;
	unsigned int offset, size;
} fields[] = {
	{ "header_type", 0, 4 }, { "header_length", 4, 4 }, { "header_version", 8, 4 },
	{ "module_type", 12, 4 }, { "module_vendor", 16, 4 }, { "date", 20, 4 }, { "size", 24, 4 },
	{ "key_size", 28, 4 }, { "modulus_size", 32, 4 }, { "exponent_size", 36, 4 },
	{ "reserved at 40", 40, 1 }, { "reserved at 63", 63, 1 }, { "reserved at 127", 127, 1 },
	{ "exponent", 512, 4 }, { "SEAMHASH", 900, 1 }, { "SEAMHASH's end", 947, 1 },
	{ "svn_minor", 948, 1 }, { "svn_major", 949, 1 }, { "attributes", 950, 8 },
	{ "rip_offset", 958, 4 }, { "num_stack_pages", 962, 1 }, { "num_tls_pages", 963, 1 },
	{ "num_keyhole_pages", 964, 2 }, { "num_global_data_pages", 966, 2 },
	{ "max_tdmrs", 968, 2 }, { "max_rsvd_per_tdmr", 970, 2 }, { "pamt_4k", 972, 2 },
	{ "pamt_2m", 974, 2 }, { "pamt_1g", 976, 2 }, { "reserved at 978", 978, 1 },
	{ "reserved at 983", 983, 1 }, { "module_hv", 984, 2 }, { "min_update_hv", 986, 2 },
	{ "no_downgrade", 988, 1 }, { "reserved at 989", 989, 1 }, { "num_handoff_pages", 990, 2 },
	{ "gdt_idt_offset", 992, 4 }, { "fault_wrapper_offset", 996, 4 },
	{ "byte 1000", 1000, 1 }, { "byte 1003", 1003, 1 }, { "byte 1006", 1006, 1 },
	{ "byte 1023", 1023, 1 }, { "cpuid_table_size", 1024, 4 }, { "cpuid_table[0]", 1028, 4 },
	{ "cpuid_table[254]", 2044, 4 },
};

struct change {
	struct image *image;
	const struct situation *situation;
	struct rng *rng;
	struct history *history;
};

static void set(struct change *change, const char *name, unsigned int offset, unsigned int size,
		uint64_t value)
{
	oracle_put(change->image->sigstruct, offset, size, value);
	note(change->history, "%s=0x%llx", name,
	     (unsigned long long)oracle_get(change->image->sigstruct, offset, size));
}

static void any_field(struct change *change)
{
	unsigned int i = rng_below(change->rng, ARRAY_SIZE(fields));
	uint64_t old = oracle_get(change->image->sigstruct, fields[i].offset, fields[i].size);
	uint64_t bits = 8 * fields[i].size;
	const uint64_t values[] = {
		0, 1, ~0ull, old + 1, old - 1, old ^ 1ull << rng_below(change->rng, bits),
		1ull << (bits - 1), rng_next(change->rng),
	};

	set(change, fields[i].name, fields[i].offset, fields[i].size,
	    PICK(change->rng, values));
}

static void debug_signed(struct change *change)
{
	set(change, "module_type", 12, 4, 0x80000000);
	if (rng_below(change->rng, 2))
		set(change, "cpuid_table_size", 1024, 4, 0);
}

static void svn(struct change *change)
{
	uint8_t minor = change->situation->installed.svn_minor;
	uint8_t major = change->situation->installed.svn_major;
	const uint8_t majors[] = { 0, 1, major - 1, major + 1, 255 };
	const uint8_t minors[] = { 0, minor - 1, minor, minor + 1, 255 };

	if (rng_below(change->rng, 2))
		set(change, "svn_major", 949, 1, PICK(change->rng, majors));
	else
		set(change, "svn_minor", 948, 1, PICK(change->rng, minors));
}

static void tables(struct change *change)
{
	uint32_t size = change->image->nr_pages * ORACLE_PAGE;
	const uint32_t gdts[] = {
		0, 0x1000, 0x800, 1, size - 0x1000, size - 0xfff, size - 1, size, size + 0x1000,
		0xfffff000, 0xffffffff,
	};
	const uint32_t wrappers[] = {
		0, 1, 0x40, size - 0x200, size - 0x1ff, size - 1, size, size + 1, 0xfffffe00,
		0xffffffff,
	};

	if (rng_below(change->rng, 3))
		set(change, "gdt_idt_offset", 992, 4, PICK(change->rng, gdts));
	if (rng_below(change->rng, 3))
		set(change, "fault_wrapper_offset", 996, 4, PICK(change->rng, wrappers));
}

static void handoff_versions(struct change *change)
{
	const struct oracle_installed *installed = &change->situation->installed;
	const uint16_t hvs[] = {
		0, 1, installed->hv_min, installed->hv_min - 1, installed->hv_min + 1,
		installed->hv_max, installed->hv_max - 1, installed->hv_max + 1, 0xffff,
	};

	if (rng_below(change->rng, 3))
		set(change, "module_hv", 984, 2, PICK(change->rng, hvs));
	if (rng_below(change->rng, 3))
		set(change, "min_update_hv", 986, 2, PICK(change->rng, hvs));
}

static void handoff_pages(struct change *change)
{
	uint16_t pages = change->situation->installed.handoff_pages;
	const uint16_t counts[] = { 0, pages - 1, pages, pages + 1, 0xffff };

	set(change, "num_handoff_pages", 990, 2, PICK(change->rng, counts));
}

static void cpu_table(struct change *change)
{
	const struct oracle_platform *platform = &change->situation->platform;
	uint32_t entries = oracle_get(change->image->sigstruct, 1024, 4);
	unsigned int i;

	switch (rng_below(change->rng, 6)) {
	case 0:
		set(change, "cpuid_table_size", 1024, 4, 0);
		break;
	case 1:
		set(change, "cpuid_table_size", 1024, 4, entries ? entries - 1 : 0);
		break;
	case 2:
		/* A full table with the CPUs of all sockets, and a size of 255 or 256. */
		for (i = 0; i < 255; i++)
			oracle_put(change->image->sigstruct, 1028 + 4 * i, 4,
				   platform->cpuid[i % platform->nr_sockets]);
		set(change, "cpuid_table_size", 1024, 4, 255 + rng_below(change->rng, 2));
		break;
	case 3:
		i = rng_below(change->rng, entries && entries <= 255 ? entries : 1);
		set(change, "cpuid_table[some]", 1028 + 4 * i, 4,
		    oracle_get(change->image->sigstruct, 1028 + 4 * i, 4) ^
			    1u << rng_below(change->rng, 32));
		break;
	case 4:
		set(change, "cpuid_table_size", 1024, 4, 1);
		set(change, "cpuid_table[0]", 1028, 4, platform->cpuid[platform->nr_sockets - 1]);
		break;
	default:
		set(change, "cpuid_table[0]", 1028, 4, 0xA06D8);
		break;
	}
}

static void parts_of_memory(struct change *change)
{
	set(change, "num_stack_pages", 962, 1, rng_next(change->rng));
	set(change, "num_tls_pages", 963, 1, rng_next(change->rng));
	set(change, "num_keyhole_pages", 964, 2, rng_next(change->rng));
	set(change, "num_global_data_pages", 966, 2, rng_next(change->rng));
}

static void version_bytes(struct change *change)
{
	unsigned int offset = 1000 + rng_below(change->rng, 24);

	set(change, "one of bytes 1000 to 1023", offset, 1, 1 + rng_below(change->rng, 255));
}

static void other_key(struct change *change)
{
	change->image->key = KEY_OTHER;
	note(change->history, "signed by another key");
}

static void seamhash(struct change *change)
{
	unsigned int byte = 900 + rng_below(change->rng, ORACLE_HASH);

	change->image->sigstruct[byte] ^= 1u << rng_below(change->rng, 8);
	note(change->history, "SEAMHASH wrong, and signed");
}

/* About as many pages as allowed, or one more. A rare fault: there are 2 MiB to hash. */
static void many_pages(struct change *change)
{
	struct image *image = change->image;
	unsigned int nr_pages = ORACLE_MAX_PAGES - 1 + rng_below(change->rng, 3);
	uint8_t *pages;

	if (image->nr_pages > MAX_SMALL_PAGES)
		return;
	pages = allocate((size_t)nr_pages * ORACLE_PAGE);
	memcpy(pages, image->pages, (size_t)image->nr_pages * ORACLE_PAGE);
	free(image->pages);
	image->pages = pages;
	image->nr_pages = nr_pages;
	image_hash(image);
	note(change->history, "%u pages", nr_pages);
}

static const struct {
	void (*apply)(struct change *change);
	unsigned int share;
} image_faults[] = {
	{ any_field, 300 }, { debug_signed, 120 }, { svn, 80 }, { tables, 100 },
	{ handoff_versions, 100 }, { handoff_pages, 60 }, { cpu_table, 80 },
	{ parts_of_memory, 40 }, { version_bytes, 20 }, { other_key, 30 }, { seamhash, 30 },
	{ many_pages, 6 },
};

/* After signing, change an image as a bad transfer, or somebody without the key, does. */
static void damage(struct image *image, struct rng *rng, struct history *history)
{
	unsigned int byte;

	switch (rng_below(rng, 4)) {
	case 0:
		byte = 516 + rng_below(rng, ORACLE_MODULUS);
		image->sigstruct[byte] ^= 1u << rng_below(rng, 8);
		note(history, "signature damaged");
		break;
	case 1:
		byte = 128 + rng_below(rng, ORACLE_MODULUS);
		image->sigstruct[byte] ^= 1u << rng_below(rng, 8);
		note(history, "modulus damaged");
		break;
	case 2:
		byte = rng_below(rng, 2) ? rng_below(rng, 128) : 900 + rng_below(rng, 1148);
		image->sigstruct[byte] ^= 1u << rng_below(rng, 8);
		note(history, "signed byte %u damaged", byte);
		break;
	default:
		image->pages[rng_below(rng, (size_t)image->nr_pages * ORACLE_PAGE)] ^=
			1u << rng_below(rng, 8);
		note(history, "module damaged");
		break;
	}
}

/**
 * image_break() - put faults into an image, sign it, and damage it if that is one of the faults
 * @image: made for @situation
 * @situation: the platform
 * @faults: number of faults
 * @rng: source of numbers
 * @history: the faults are added
 */
void image_break(struct image *image, const struct situation *situation, unsigned int faults,
		 struct rng *rng, struct history *history)
{
	struct change change = { image, situation, rng, history };
	unsigned int total = 0, i, pick, damages = 0;

	for (i = 0; i < ARRAY_SIZE(image_faults); i++)
		total += image_faults[i].share;
	while (faults--) {
		if (rng_one_in(rng, 10)) {
			damages++;
			continue;
		}
		pick = rng_below(rng, total);
		for (i = 0; pick >= image_faults[i].share; i++)
			pick -= image_faults[i].share;
		image_faults[i].apply(&change);
	}
	image_sign(image);
	while (damages--)
		damage(image, rng, history);
}

/* ---- containers ---- */

static void put_checksum(struct file *file)
{
	unsigned int sum = 0;
	size_t i;

	if (file->size < 4)
		return;
	oracle_put(file->bytes, 2, 2, 0);
	for (i = 0; i < file->size; i++)
		sum += i % 2 ? file->bytes[i] << 8 : file->bytes[i];
	oracle_put(file->bytes, 2, 2, -(uint64_t)sum);
}

static void resize(struct file *file, size_t size, int filler)
{
	uint8_t *bytes = allocate(size);

	memset(bytes, filler, size);
	memcpy(bytes, file->bytes, size < file->size ? size : file->size);
	free(file->bytes);
	file->bytes = bytes;
	file->size = size;
}

static void break_container(struct file *file, struct rng *rng, struct history *history)
{
	static const struct {
		unsigned int offset, size;
	} header[] = {
		{ 0, 2 }, { 4, 4 }, { 8, 4 }, { 12, 4 }, { 16, 4 }, { 20, 4 }, { 24, 1 },
		{ 100, 1 }, { 4095, 1 },
	};
	const size_t sizes[] = {
		0, 1, 3, 4095, 4096, 4097, 8192, file->size - 1, file->size + 1, file->size - 4096,
		file->size + 4096, file->size + 8192,
	};
	unsigned int i;
	uint64_t old;

	switch (rng_below(rng, 6)) {
	case 0:
		i = rng_below(rng, ARRAY_SIZE(sizes));
		/* Another fault may have left a file that is too short: the size wraps. */
		if (sizes[i] > file->size + 8192)
			return;
		resize(file, sizes[i], rng_below(rng, 2) ? 0 : 0xa5);
		note(history, "file of %zu bytes", file->size);
		return;
	case 1:
		if (file->size > 6144)
			file->bytes[6144 + rng_below(rng, 2048)] = 1;
		note(history, "padding of the sigstruct not zero");
		return;
	case 2:
		if (file->size > 4)
			oracle_put(file->bytes, 4, 4, 4096 * rng_below(rng, 5));
		note(history, "offset of the module or name changed");
		return;
	case 3:
		if (file->size < 8192 || oracle_get(file->bytes, 0, 2) != 0x0200)
			return;
		resize(file, 8192, 0);
		oracle_put(file->bytes, 16, 4, 0);
		note(history, "no module pages");
		return;
	default:
		i = rng_below(rng, ARRAY_SIZE(header));
		if (file->size < 4096)
			return;
		old = oracle_get(file->bytes, header[i].offset, header[i].size);
		switch (rng_below(rng, 5)) {
		case 0:
			old++;
			break;
		case 1:
			old--;
			break;
		case 2:
			old = 0;
			break;
		case 3:
			old ^= 1ull << rng_below(rng, 8 * header[i].size);
			break;
		default:
			old = rng_next(rng);
			break;
		}
		oracle_put(file->bytes, header[i].offset, header[i].size, old);
		note(history, "container's %u bytes at %u=0x%llx", header[i].size, header[i].offset,
		     (unsigned long long)old);
	}
}

/**
 * file_pack() - pack an image into a container of either version
 * @image: a signed image
 * @faults: number of faults of the container
 * @file: filled in; to be freed by file_free()
 * @rng: source of numbers
 * @history: the faults are added
 */
void file_pack(const struct image *image, unsigned int faults, struct file *file, struct rng *rng,
	       struct history *history)
{
	size_t module_size = (size_t)image->nr_pages * ORACLE_PAGE;
	bool first_version = rng_below(rng, 2);

	file->size = 2 * ORACLE_PAGE + module_size;
	file->bytes = allocate(file->size);
	memcpy(file->bytes + ORACLE_PAGE, image->sigstruct, ORACLE_SIGSTRUCT);
	memcpy(file->bytes + 2 * ORACLE_PAGE, image->pages, module_size);
	if (first_version) {
		oracle_put(file->bytes, 0, 2, 0x0100);
		oracle_put(file->bytes, 4, 4, 2 * ORACLE_PAGE);
		memcpy(file->bytes + 8, "TDX-BLOB", 8);
		oracle_put(file->bytes, 16, 4, file->size);
	} else {
		oracle_put(file->bytes, 0, 2, 0x0200);
		memcpy(file->bytes + 4, "TDX-BLOB", 8);
		oracle_put(file->bytes, 12, 4, 1);
		oracle_put(file->bytes, 16, 4, image->nr_pages);
	}
	note(history, "container %s", first_version ? "1" : "2");

	while (faults--)
		break_container(file, rng, history);
	put_checksum(file);
	if (rng_one_in(rng, 60) && file->size > 4) {
		file->bytes[rng_below(rng, file->size)] ^= 1u << rng_below(rng, 8);
		note(history, "a bit changed after the checksum");
	}
}

/* Undo file_pack(). */
void file_free(struct file *file)
{
	free(file->bytes);
	file->bytes = NULL;
}
