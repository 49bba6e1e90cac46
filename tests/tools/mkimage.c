// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkimage: makes TDX-BLOB containers for the tests, signed with a key of the tests' own.
 * Container, sigstruct and signature are as Intel ships them; the module pages are noise.
 * It may share only two headers with the image code under test, so that it can contradict it.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#ifdef __clang__
/* The kernel's static_assert() needs no message; clang reports that as newer than gnu11. */
#pragma clang diagnostic ignored "-Wc2x-extensions"
#endif
#include "tdx_arch.h"
#include "tdx_emu_abi.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "structures are used in place");

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#define MAX_PAGES		4096u
#define MAX_SIGNED_BYTES	32u
#define KEY_BITS		(SEAM_SIGSTRUCT_MODULUS_SIZE * 8)
#define FAULT_WRAPPERS_SIZE	512u	/* 32 exception handlers of 16 bytes */

/* The signature covers the sigstruct except modulus, exponent and signature. */
#define SIGNED_HEAD_SIZE	offsetof(struct seam_sigstruct, modulus)
#define SIGNED_TAIL		offsetof(struct seam_sigstruct, seamhash)
#define SIGNED_TAIL_SIZE	(sizeof(struct seam_sigstruct) - SIGNED_TAIL)

enum exit_code { EXIT_BAD = 1, EXIT_USAGE = 2 };

static const char usage_text[] =
"usage: mkimage make [options] --key KEY.pem -o FILE\n"
"       mkimage key -o KEY.pem      make a signing key (RSA-3072, e=65537)\n"
"       mkimage signer KEY.pem      print the SHA-384 of its modulus as a sigstruct stores it\n"
"       mkimage --help\n"
"\n"
"Options of make:\n"
"  -o, --output FILE           the container to write\n"
"  --key KEY.pem               the signing key\n"
"  --container 1|2             container version (2)\n"
"  --version X.Y.Z             module version, in sigstruct and descriptor (1.5.24)\n"
"  --no-sigstruct-version      leave it out of the sigstruct, as old images do\n"
"  --svn MAJOR.MINOR           security version (1.5)\n"
"  --cpu 0xEAX                 CPU of the CPU table, repeatable (0x806F8)\n"
"  --no-cpu                    empty CPU table\n"
"  --hv MIN-MAX                handoff versions, in sigstruct and descriptor (0-0); MIN may be\n"
"                              the greater one\n"
"  --rd-hv MIN-MAX             handoff versions that TDH.SYS.RD tells, in the descriptor only\n"
"  --handoff-pages N           pages for handoff data (13)\n"
"  --global-data-pages N       pages of global data (8)\n"
"  --rip-offset N              entry point (0x400)\n"
"  --gdt-idt-offset N          (a page near the end; 0 in an image of one page)\n"
"  --fault-wrapper-offset N    (512 bytes before that; 0 in an image of one page)\n"
"  --features0 0xN             TDX_FEATURES0 (TD_PRESERVING|NO_RBP_MOD|UPDATE_COMPAT)\n"
"  --pages N                   module pages, 1 to 4096 (8); firmware takes up to 496\n"
"  --seed N                    other contents of the module pages (0)\n"
"  --debug-signed              set the sigstruct's debug bit\n"
"  --signed-byte OFFSET=VALUE  set a byte of the sigstruct before it is signed, repeatable up to 32\n"
"                              times: a fault that the signature vouches for\n"
"  --encoded-flip OFFSET=BITS  flip bits of the padded message before it is raised to the private\n"
"                              exponent: wrong padding round a right hash\n"
"  --signature N               the number N for a signature; negative: modulus + N\n";

static void usage(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
static void fail(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

static void complain(const char *format, va_list args)
{
	fputs("mkimage: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

static void usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	fputs("mkimage: 'mkimage --help' lists commands and options\n", stderr);
	exit(EXIT_USAGE);
}

static void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	ERR_print_errors_fp(stderr);
	exit(EXIT_BAD);
}

static void *zalloc(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		fail("out of memory");
	return memory;
}

/* ---- names and numbers ---- */

static bool parse_number(const char *text, u64 min, u64 max, u64 *value)
{
	char *end;

	/* strtoull() would accept blanks and signs. */
	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*value = strtoull(text, &end, 0);
	return !errno && !*end && *value >= min && *value <= max;
}

static u64 number_option(const char *option, const char *text, u64 min, u64 max)
{
	u64 value;

	if (!parse_number(text, min, max, &value))
		usage("--%s: '%s' is no number from %llu to %llu", option, text,
		      (unsigned long long)min, (unsigned long long)max);
	return value;
}

/* Parse @count decimal numbers with @separator between them: 08 in 1.5.08 is not octal. */
static void numbers_option(const char *option, const char *text, char separator, const char *form,
			   const unsigned long *max, unsigned long *values, int count)
{
	const char *at = text;
	char *end;

	for (int i = 0; i < count; i++, at = end + 1) {
		char expected = i == count - 1 ? '\0' : separator;

		if (!isdigit((unsigned char)*at))
			usage("--%s: '%s' is not of the form %s", option, text, form);
		errno = 0;
		values[i] = strtoul(at, &end, 10);
		if (*end != expected)
			usage("--%s: '%s' is not of the form %s", option, text, form);
		if (errno || values[i] > max[i])
			usage("--%s: a number of '%s' is greater than %lu", option, text, max[i]);
	}
}

static void range_option(const char *option, const char *text, u16 *low, u16 *high)
{
	static const unsigned long max[] = { UINT16_MAX, UINT16_MAX };
	unsigned long values[2];

	numbers_option(option, text, '-', "MIN-MAX", max, values, 2);
	*low = values[0];
	*high = values[1];
}

/* ---- files, keys, signatures ---- */

static void write_file(const char *path, const u8 *data, size_t size)
{
	FILE *file = fopen(path, "wb");

	if (!file)
		fail("%s: %s", path, strerror(errno));
	if (fwrite(data, 1, size, file) != size || fflush(file)) {
		int error = errno;

		remove(path);
		fail("%s: %s", path, strerror(error));
	}
	if (fclose(file))
		fail("%s: %s", path, strerror(errno));
}

static void sha384(const void *data, size_t size, u8 *digest)
{
	if (!EVP_Digest(data, size, digest, NULL, EVP_sha384(), NULL))
		fail("SHA-384");
}

static void reverse(u8 *to, const u8 *from, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = from[size - 1 - i];
}

static EVP_PKEY *load_key(const char *path)
{
	FILE *file = fopen(path, "r");
	BIGNUM *exponent = NULL;
	EVP_PKEY *key;

	if (!file)
		fail("%s: %s", path, strerror(errno));
	/* The empty passphrase keeps OpenSSL from asking for one. */
	key = PEM_read_PrivateKey(file, NULL, NULL, (void *)"");
	fclose(file);
	if (!key)
		fail("%s: no private key", path);
	if (!EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_get_bits(key) != KEY_BITS ||
	    !EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) ||
	    !BN_is_word(exponent, SEAM_SIGSTRUCT_EXPONENT))
		fail("%s: not an RSA-%u key with exponent %u", path, KEY_BITS,
		     SEAM_SIGSTRUCT_EXPONENT);
	BN_free(exponent);
	return key;
}

static void get_modulus(EVP_PKEY *key, u8 *modulus)
{
	BIGNUM *number = NULL;

	if (!EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &number) ||
	    BN_bn2lebinpad(number, modulus, SEAM_SIGSTRUCT_MODULUS_SIZE) < 0)
		fail("no modulus");
	BN_free(number);
}

static void sign(struct seam_sigstruct *sigstruct, EVP_PKEY *key)
{
	u8 signature[SEAM_SIGSTRUCT_MODULUS_SIZE];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t size = sizeof(signature);

	/* PKCS#1 v1.5 is the default padding of RSA signatures. */
	if (!context || EVP_DigestSignInit(context, NULL, EVP_sha384(), NULL, key) <= 0 ||
	    EVP_DigestSignUpdate(context, sigstruct, SIGNED_HEAD_SIZE) <= 0 ||
	    EVP_DigestSignUpdate(context, (u8 *)sigstruct + SIGNED_TAIL, SIGNED_TAIL_SIZE) <= 0 ||
	    EVP_DigestSignFinal(context, signature, &size) <= 0 || size != sizeof(signature))
		fail("cannot sign");
	EVP_MD_CTX_free(context);
	get_modulus(key, sigstruct->modulus);
	reverse(sigstruct->signature, signature, sizeof(signature));
}

static u16 word_sum(const u8 *data, size_t size)
{
	u16 sum = 0;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum += data[i] | data[i + 1] << 8;
	return sum;
}

/* ---- make ---- */

struct recipe {
	const char *output;
	const char *key;
	unsigned int container;
	u32 pages;
	u64 seed;
	bool no_sigstruct_version;
	bool rd_hv;
	bool gdt_given;
	bool wrapper_given;
	bool cpus_given;
	unsigned int num_signed_bytes;
	struct {
		u16 offset;
		u8 value;
	} signed_bytes[MAX_SIGNED_BYTES];
	u16 flip_offset;
	u8 flip_bits;			/* 0: leave the padded message as it is */
	bool number_given;
	long number;			/* to store in place of the signature */
	struct seam_sigstruct sigstruct;	/* without version, hash and signature */
	struct tdx_emu_desc desc;
};

/* Set the defaults of all options; the sigstruct's values are like those of a real one. */
static void init_recipe(struct recipe *recipe)
{
	static const struct seam_sigstruct sigstruct = {
		.header_type = SEAM_SIGSTRUCT_HEADER_TYPE,
		.header_length = SEAM_SIGSTRUCT_HEADER_LENGTH,
		.header_version = SEAM_SIGSTRUCT_HEADER_VERSION,
		.module_vendor = SEAM_SIGSTRUCT_VENDOR_INTEL,
		.date = 0x20250101,
		.size = SEAM_SIGSTRUCT_SIZE_DWORDS,
		.key_size = SEAM_SIGSTRUCT_KEY_DWORDS,
		.modulus_size = SEAM_SIGSTRUCT_KEY_DWORDS,
		.exponent_size = SEAM_SIGSTRUCT_EXPONENT_DWORDS,
		.exponent = SEAM_SIGSTRUCT_EXPONENT,
		.svn_minor = 5,
		.svn_major = 1,
		/* In the first page, after the descriptor, so that one page is enough. */
		.rip_offset = 0x400,
		.num_stack_pages = 2,
		.num_tls_pages = 1,
		.num_keyhole_pages = 64,
		.num_global_data_pages = 8,
		.max_tdmrs = 64,
		.max_rsvd_per_tdmr = 16,
		.pamt_entry_size_4k = 16,
		.pamt_entry_size_2m = 16,
		.pamt_entry_size_1g = 16,
		.num_handoff_pages = 13,
	};

	*recipe = (struct recipe){
		.container = 2,
		.pages = 8,
		.sigstruct = sigstruct,
		.desc = {
			.major = 1,
			.minor = 5,
			.update = 24,
			.build_num = 1,
			.features0 = TDX_FEATURES0_TD_PRESERVING | TDX_FEATURES0_NO_RBP_MOD |
				     TDX_FEATURES0_UPDATE_COMPAT,
		},
	};
	memcpy(recipe->desc.magic, TDX_EMU_DESC_MAGIC, TDX_EMU_DESC_MAGIC_SIZE);
}

static void add_cpu(struct recipe *recipe, u32 cpu)
{
	if (recipe->sigstruct.cpuid_table_size >= SEAM_SIGSTRUCT_MAX_CPUIDS)
		usage("--cpu: more than %u CPUs", SEAM_SIGSTRUCT_MAX_CPUIDS);
	recipe->sigstruct.cpuid_table[recipe->sigstruct.cpuid_table_size++] = cpu;
	recipe->cpus_given = true;
}

enum option_id {
	OPT_HELP = 'h', OPT_OUTPUT = 'o',
	OPT_KEY = 256, OPT_CONTAINER, OPT_VERSION, OPT_NO_SIGSTRUCT_VERSION, OPT_SVN, OPT_CPU,
	OPT_NO_CPU, OPT_HV, OPT_RD_HV, OPT_HANDOFF_PAGES, OPT_GLOBAL_DATA_PAGES, OPT_RIP_OFFSET,
	OPT_GDT_IDT_OFFSET, OPT_FAULT_WRAPPER_OFFSET, OPT_FEATURES0, OPT_PAGES, OPT_SEED,
	OPT_DEBUG_SIGNED, OPT_SIGNED_BYTE, OPT_ENCODED_FLIP, OPT_SIGNATURE,
};

static const struct option make_options[] = {
	{ "help", no_argument, NULL, OPT_HELP },
	{ "output", required_argument, NULL, OPT_OUTPUT },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "container", required_argument, NULL, OPT_CONTAINER },
	{ "version", required_argument, NULL, OPT_VERSION },
	{ "no-sigstruct-version", no_argument, NULL, OPT_NO_SIGSTRUCT_VERSION },
	{ "svn", required_argument, NULL, OPT_SVN },
	{ "cpu", required_argument, NULL, OPT_CPU },
	{ "no-cpu", no_argument, NULL, OPT_NO_CPU },
	{ "hv", required_argument, NULL, OPT_HV },
	{ "rd-hv", required_argument, NULL, OPT_RD_HV },
	{ "handoff-pages", required_argument, NULL, OPT_HANDOFF_PAGES },
	{ "global-data-pages", required_argument, NULL, OPT_GLOBAL_DATA_PAGES },
	{ "rip-offset", required_argument, NULL, OPT_RIP_OFFSET },
	{ "gdt-idt-offset", required_argument, NULL, OPT_GDT_IDT_OFFSET },
	{ "fault-wrapper-offset", required_argument, NULL, OPT_FAULT_WRAPPER_OFFSET },
	{ "features0", required_argument, NULL, OPT_FEATURES0 },
	{ "pages", required_argument, NULL, OPT_PAGES },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "debug-signed", no_argument, NULL, OPT_DEBUG_SIGNED },
	{ "signed-byte", required_argument, NULL, OPT_SIGNED_BYTE },
	{ "encoded-flip", required_argument, NULL, OPT_ENCODED_FLIP },
	{ "signature", required_argument, NULL, OPT_SIGNATURE },
	{ NULL, 0, NULL, 0 },
};

/* @name is the option's long name, for messages; @text its argument. */
static void make_option(struct recipe *recipe, int option, const char *name, const char *text)
{
	static const unsigned long version_max[] = { UINT8_MAX, UINT8_MAX, UINT16_MAX };
	static const unsigned long svn_max[] = { UINT8_MAX, UINT8_MAX };
	static const unsigned long byte_max[] = { sizeof(struct seam_sigstruct) - 1, UINT8_MAX };
	static const unsigned long encoded_max[] = { SEAM_SIGSTRUCT_MODULUS_SIZE - 1, UINT8_MAX };
	struct seam_sigstruct *sigstruct = &recipe->sigstruct;
	struct tdx_emu_desc *desc = &recipe->desc;
	unsigned long values[3];
	u16 low, high;
	char *end;

	switch (option) {
	case OPT_OUTPUT:
		recipe->output = text;
		break;
	case OPT_KEY:
		recipe->key = text;
		break;
	case OPT_CONTAINER:
		recipe->container = number_option(name, text, 1, 2);
		break;
	case OPT_VERSION:
		numbers_option(name, text, '.', "X.Y.Z", version_max, values, 3);
		desc->major = values[0];
		desc->minor = values[1];
		desc->update = values[2];
		break;
	case OPT_NO_SIGSTRUCT_VERSION:
		recipe->no_sigstruct_version = true;
		break;
	case OPT_SVN:
		numbers_option(name, text, '.', "MAJOR.MINOR", svn_max, values, 2);
		sigstruct->svn_major = values[0];
		sigstruct->svn_minor = values[1];
		break;
	case OPT_CPU:
		add_cpu(recipe, number_option(name, text, 0, UINT32_MAX));
		break;
	case OPT_NO_CPU:
		recipe->cpus_given = true;
		break;
	case OPT_HV:
		range_option(name, text, &low, &high);
		sigstruct->min_update_hv = low;
		sigstruct->module_hv = high;
		break;
	case OPT_RD_HV:
		range_option(name, text, &low, &high);
		desc->rd_min_update_hv = low;
		desc->rd_module_hv = high;
		recipe->rd_hv = true;
		break;
	case OPT_HANDOFF_PAGES:
		sigstruct->num_handoff_pages = number_option(name, text, 0, UINT16_MAX);
		break;
	case OPT_GLOBAL_DATA_PAGES:
		sigstruct->num_global_data_pages = number_option(name, text, 0, UINT16_MAX);
		break;
	case OPT_RIP_OFFSET:
		sigstruct->rip_offset = number_option(name, text, 0, UINT32_MAX);
		break;
	case OPT_GDT_IDT_OFFSET:
		sigstruct->gdt_idt_offset = number_option(name, text, 0, UINT32_MAX);
		recipe->gdt_given = true;
		break;
	case OPT_FAULT_WRAPPER_OFFSET:
		sigstruct->fault_wrapper_offset = number_option(name, text, 0, UINT32_MAX);
		recipe->wrapper_given = true;
		break;
	case OPT_FEATURES0:
		desc->features0 = number_option(name, text, 0, UINT64_MAX);
		break;
	case OPT_PAGES:
		recipe->pages = number_option(name, text, 1, MAX_PAGES);
		break;
	case OPT_SEED:
		recipe->seed = number_option(name, text, 0, UINT64_MAX);
		break;
	case OPT_DEBUG_SIGNED:
		sigstruct->module_type |= SEAM_SIGSTRUCT_DEBUG_SIGNED;
		break;
	case OPT_SIGNED_BYTE:
		if (recipe->num_signed_bytes >= MAX_SIGNED_BYTES)
			usage("--signed-byte: more than %u bytes", MAX_SIGNED_BYTES);
		numbers_option(name, text, '=', "OFFSET=VALUE", byte_max, values, 2);
		recipe->signed_bytes[recipe->num_signed_bytes].offset = values[0];
		recipe->signed_bytes[recipe->num_signed_bytes++].value = values[1];
		break;
	case OPT_ENCODED_FLIP:
		numbers_option(name, text, '=', "OFFSET=BITS", encoded_max, values, 2);
		recipe->flip_offset = values[0];
		recipe->flip_bits = values[1];
		break;
	case OPT_SIGNATURE:
		recipe->number = strtol(text, &end, 10);
		if (end == text || *end)
			usage("--signature: '%s' is no number", text);
		recipe->number_given = true;
		break;
	default:
		usage("unknown option");
	}
}

static void parse_make(int argc, char **argv, struct recipe *recipe)
{
	bool no_cpu = false;
	int option, index;

	opterr = 0;
	for (;;) {
		const char *given = argv[optind];

		index = -1;
		option = getopt_long(argc, argv, ":ho:", make_options, &index);
		if (option < 0)
			break;
		if (option == OPT_HELP) {
			fputs(usage_text, stdout);
			exit(EXIT_SUCCESS);
		}
		if (option == ':')
			usage("make: %s needs an argument", given);
		if (option == '?')
			usage("make: '%s' is no option, not the whole of one, or takes no argument",
			      given);
		no_cpu |= option == OPT_NO_CPU;
		make_option(recipe, option, index < 0 ? "output" : make_options[index].name,
			    optarg);
	}
	if (optind < argc)
		usage("make: '%s' is no option", argv[optind]);
	if (!recipe->output)
		usage("make: -o FILE is missing");
	if (!recipe->key)
		usage("make: --key KEY.pem is missing");
	if (no_cpu && recipe->sigstruct.cpuid_table_size)
		usage("make: --cpu and --no-cpu exclude each other");
}

/* Place GDT and IDT in a page near the end and the handlers before it, as released images do. */
static void place_tables(struct recipe *recipe)
{
	struct seam_sigstruct *sigstruct = &recipe->sigstruct;
	u32 gdt = 0;

	if (recipe->pages > 1)
		gdt = (recipe->pages > 2 ? recipe->pages - 2 : 1) * TDX_PAGE_SIZE;
	if (!recipe->gdt_given)
		sigstruct->gdt_idt_offset = gdt;
	if (!recipe->wrapper_given && gdt)
		sigstruct->fault_wrapper_offset = gdt - FAULT_WRAPPERS_SIZE;
}

/* Fill @size bytes, a multiple of 8, with a SplitMix64 sequence. */
static void fill(u8 *data, size_t size, u64 seed)
{
	for (size_t i = 0; i < size; i += sizeof(u64)) {
		u64 mixed = seed += 0x9E3779B97F4A7C15ULL;

		mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9ULL;
		mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBULL;
		mixed ^= mixed >> 31;
		memcpy(data + i, &mixed, sizeof(mixed));
	}
}

static void make_module(struct recipe *recipe, u8 *module)
{
	struct seam_sigstruct *sigstruct = &recipe->sigstruct;
	struct tdx_emu_desc *desc = &recipe->desc;
	u64 version = (u64)desc->major << 32 | (u64)desc->minor << 16 | desc->update;

	/* The odd factor keeps neighbouring seeds from meeting neighbouring versions. */
	fill(module, (size_t)recipe->pages * TDX_PAGE_SIZE,
	     version ^ recipe->seed * 0xD6E8FEB86659FD93ULL);
	desc->build_date = sigstruct->date;
	if (!recipe->rd_hv) {
		desc->rd_module_hv = sigstruct->module_hv;
		desc->rd_min_update_hv = sigstruct->min_update_hv;
	}
	memcpy(module, desc, sizeof(*desc));
}

/* Compute RSA without padding, with either half of the key. */
static void raise_to(bool private, EVP_PKEY *key, const u8 *in, u8 *out)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	size_t size = SEAM_SIGSTRUCT_MODULUS_SIZE;
	int done;

	if (!context || (private ? EVP_PKEY_sign_init(context) :
				   EVP_PKEY_verify_recover_init(context)) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) <= 0)
		fail("cannot use the key without padding");
	done = private ? EVP_PKEY_sign(context, out, &size, in, size) :
			 EVP_PKEY_verify_recover(context, out, &size, in, size);
	if (done <= 0 || size != SEAM_SIGSTRUCT_MODULUS_SIZE)
		fail("cannot use the key without padding");
	EVP_PKEY_CTX_free(context);
}

/* Recover the padded message from the signature, change it, and sign that. */
static void flip_encoded(u16 offset, u8 bits, u8 *signature, EVP_PKEY *key)
{
	u8 number[SEAM_SIGSTRUCT_MODULUS_SIZE], message[SEAM_SIGSTRUCT_MODULUS_SIZE];

	reverse(number, signature, sizeof(number));
	raise_to(false, key, number, message);
	message[offset] ^= bits;
	raise_to(true, key, message, number);
	reverse(signature, number, sizeof(number));
}

static void put_number(long number, u8 *signature, EVP_PKEY *key)
{
	BIGNUM *modulus = NULL, *sum = BN_new();

	if (!sum || !EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus) ||
	    (number < 0 && !BN_copy(sum, modulus)) ||
	    !(number < 0 ? BN_sub_word(sum, -number) : BN_add_word(sum, number)) ||
	    BN_bn2lebinpad(sum, signature, SEAM_SIGSTRUCT_MODULUS_SIZE) < 0)
		fail("cannot put a number in the signature's place");
	BN_free(modulus);
	BN_free(sum);
}

static int cmd_make(int argc, char **argv)
{
	struct recipe recipe;
	size_t offset, module_size, size;
	u8 *file, *module;
	EVP_PKEY *key;
	u16 checksum;

	init_recipe(&recipe);
	parse_make(argc, argv, &recipe);
	if (!recipe.cpus_given)
		add_cpu(&recipe, 0x806F8);
	place_tables(&recipe);
	key = load_key(recipe.key);

	offset = 2 * TDX_PAGE_SIZE;
	module_size = (size_t)recipe.pages * TDX_PAGE_SIZE;
	size = offset + module_size;
	file = zalloc(size);
	module = file + offset;

	make_module(&recipe, module);
	if (!recipe.no_sigstruct_version) {
		recipe.sigstruct.major = recipe.desc.major;
		recipe.sigstruct.minor = recipe.desc.minor;
		recipe.sigstruct.update = recipe.desc.update;
		recipe.sigstruct.build_num = recipe.desc.build_num;
	}
	sha384(module, module_size, recipe.sigstruct.seamhash);
	for (unsigned int i = 0; i < recipe.num_signed_bytes; i++)
		((u8 *)&recipe.sigstruct)[recipe.signed_bytes[i].offset] =
			recipe.signed_bytes[i].value;
	sign(&recipe.sigstruct, key);
	if (recipe.flip_bits)
		flip_encoded(recipe.flip_offset, recipe.flip_bits, recipe.sigstruct.signature, key);
	if (recipe.number_given)
		put_number(recipe.number, recipe.sigstruct.signature, key);
	memcpy(file + TDX_PAGE_SIZE, &recipe.sigstruct, sizeof(recipe.sigstruct));

	if (recipe.container == 1) {
		struct tdx_blob_v1 *blob = (struct tdx_blob_v1 *)file;

		blob->version = TDX_BLOB_VERSION_1;
		blob->offset_of_module = offset;
		memcpy(blob->signature, TDX_BLOB_SIGNATURE, TDX_BLOB_SIGNATURE_SIZE);
		blob->length = size;
	} else {
		struct tdx_blob_v2 *blob = (struct tdx_blob_v2 *)file;

		blob->version = TDX_BLOB_VERSION_2;
		memcpy(blob->signature, TDX_BLOB_SIGNATURE, TDX_BLOB_SIGNATURE_SIZE);
		blob->sigstruct_nr_pages = 1;
		blob->module_nr_pages = recipe.pages;
	}
	checksum = -word_sum(file, size);
	memcpy(file + offsetof(struct tdx_blob_v1, checksum), &checksum, sizeof(checksum));

	write_file(recipe.output, file, size);
	EVP_PKEY_free(key);
	free(file);
	return EXIT_SUCCESS;
}

/* ---- key, signer ---- */

static int cmd_key(int argc, char **argv)
{
	const char *path = NULL;
	EVP_PKEY *key;
	FILE *file;

	if (argc == 3 && !strcmp(argv[1], "-o"))
		path = argv[2];
	if (!path)
		usage("key: takes -o KEY.pem and nothing else");
	key = EVP_RSA_gen(KEY_BITS);
	if (!key)
		fail("cannot make a key");
	umask(077);
	file = fopen(path, "w");
	if (!file)
		fail("%s: %s", path, strerror(errno));
	if (!PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) || fclose(file))
		fail("%s: cannot write the key", path);
	EVP_PKEY_free(key);
	return EXIT_SUCCESS;
}

static int cmd_signer(int argc, char **argv)
{
	u8 modulus[SEAM_SIGSTRUCT_MODULUS_SIZE], digest[TDX_SHA384_SIZE];
	EVP_PKEY *key;

	if (argc != 2)
		usage("signer: takes KEY.pem and nothing else");
	key = load_key(argv[1]);
	get_modulus(key, modulus);
	sha384(modulus, sizeof(modulus), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		printf("%02x", digest[i]);
	putchar('\n');
	EVP_PKEY_free(key);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = {
		{ "make", cmd_make },
		{ "key", cmd_key },
		{ "signer", cmd_signer },
	};

	if (argc < 2)
		usage("a command is missing");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		fputs(usage_text, stdout);
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	usage("'%s' is no command", argv[1]);
}
