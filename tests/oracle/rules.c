// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables: when a file is not a container, when SEAMLDR.INSTALL refuses an image, and when
 * TDH.SYS.UPDATE does not return. Each row names the section of docs/firmware.md that has its rule.
 * The code shares nothing with the project's checks; libcrypto has SHA-384 and big numbers.
 */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/evp.h>

#include "oracle.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* Offsets in the sigstruct. */
#define MODULE_TYPE		12
#define MODULUS			128
#define SIGNATURE		516
#define SEAMHASH		900
#define SVN_MINOR		948
#define SVN_MAJOR		949
#define STACK_PAGES		962
#define TLS_PAGES		963
#define KEYHOLE_PAGES		964
#define GLOBAL_PAGES		966
#define MODULE_HV		984
#define MIN_UPDATE_HV		986
#define HANDOFF_PAGES		990
#define GDT_IDT			992
#define FAULT_WRAPPER		996
#define CPUID_TABLE_SIZE	1024
#define CPUID_TABLE		1028
#define CPUID_TABLE_ENTRIES	255

#define DEBUG_SIGNED		0x80000000u
#define STEPPING		0xfu
#define EXCEPTION_HANDLERS	(32 * 16)

static uint64_t field(const struct oracle_install *install, unsigned int offset, unsigned int size)
{
	return oracle_get(install->sigstruct, offset, size);
}

static uint64_t module_size(const struct oracle_install *install)
{
	return install->params.nr_pages * ORACLE_PAGE;
}

static bool is_update(const struct oracle_install *install)
{
	return install->params.scenario == 1;
}

static bool is_debug_signed(const struct oracle_install *install)
{
	return field(install, MODULE_TYPE, 4) & DEBUG_SIGNED;
}

/* ---- SEAMLDR_PARAMS ---- */

static bool params_address(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return !install->params.address_good;
}

static bool params_fields(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return install->params.version != 0 || install->params.scenario > 1 ||
	       !install->params.reserved_zero;
}

static bool params_pages(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return install->params.nr_pages < 1 || install->params.nr_pages > ORACLE_MAX_PAGES;
}

static bool params_addresses(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return !install->params.sigstruct_address_good || !install->params.page_addresses_good;
}

static bool nothing_to_update(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return is_update(install) && !install->installed->ready;
}

/* ---- the sigstruct, without its signature ---- */

static bool is_not(const struct oracle_install *install, const struct oracle_rule *rule)
{
	const struct oracle_field *is = &rule->field;

	return (field(install, is->offset, is->size) & is->mask) != is->value;
}

static bool is_above(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return field(install, rule->field.offset, rule->field.size) > rule->field.value;
}

static bool not_zero(const struct oracle_install *install, const struct oracle_rule *rule)
{
	unsigned int i;

	for (i = 0; i < rule->field.size; i++)
		if (install->sigstruct[rule->field.offset + i])
			return true;
	return false;
}

/* To P-SEAMLDR 1.5.02, which shows 1.5.0, the version in the sigstruct is a reserved field. */
static bool tail_not_zero(const struct oracle_install *install, const struct oracle_rule *rule)
{
	const struct oracle_loader *loader = &install->platform->loader;

	return loader->major == 1 && loader->minor == 5 && loader->update == 0 &&
	       not_zero(install, rule);
}

static bool hv_reversed(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return field(install, MIN_UPDATE_HV, 2) > field(install, MODULE_HV, 2);
}

static bool gdt_unaligned(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return field(install, GDT_IDT, 4) % 4096;
}

static bool one_table_only(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return !field(install, GDT_IDT, 4) != !field(install, FAULT_WRAPPER, 4);
}

static bool gdt_outside(const struct oracle_install *install, const struct oracle_rule *rule)
{
	uint64_t gdt = field(install, GDT_IDT, 4);

	return gdt && gdt + 4096 > module_size(install);
}

static bool wrapper_outside(const struct oracle_install *install, const struct oracle_rule *rule)
{
	uint64_t wrapper = field(install, FAULT_WRAPPER, 4);

	return wrapper && wrapper + EXCEPTION_HANDLERS > module_size(install);
}

/* ---- who signed it, for what ---- */

static void sha384(const uint8_t *bytes, size_t size, uint8_t *hash)
{
	EVP_Digest(bytes, size, hash, NULL, EVP_sha384(), NULL);
}

static bool unknown_signer(const struct oracle_install *install, const struct oracle_rule *rule)
{
	uint8_t hash[ORACLE_HASH];

	sha384(install->sigstruct + MODULUS, ORACLE_MODULUS, hash);
	return memcmp(hash, install->platform->signer, ORACLE_HASH) != 0;
}

static bool debug_on_locked(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return is_debug_signed(install) && !install->platform->unlocked;
}

static bool svn_major_zero(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return field(install, SVN_MAJOR, 1) == 0;
}

static bool svn_major_differs(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return is_update(install) && field(install, SVN_MAJOR, 1) != install->installed->svn_major;
}

static bool svn_minor_lower(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return is_update(install) && field(install, SVN_MINOR, 1) < install->installed->svn_minor;
}

/* Loading a TDX module from nothing must not get around the two rules above. */
static bool cleanup_required(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return !is_update(install) && install->dirty &&
	       (field(install, SVN_MAJOR, 1) != install->installed->svn_major ||
		field(install, SVN_MINOR, 1) < install->installed->svn_minor);
}

static bool table_lacks_socket(const struct oracle_install *install,
			       const struct oracle_rule *rule)
{
	const struct oracle_platform *platform = install->platform;
	uint32_t entries = field(install, CPUID_TABLE_SIZE, 4), socket, i;

	if (entries > CPUID_TABLE_ENTRIES)
		entries = CPUID_TABLE_ENTRIES;
	for (socket = 0; entries && socket < platform->nr_sockets; socket++) {
		for (i = 0; i < entries; i++)
			if ((field(install, CPUID_TABLE + 4 * i, 4) | STEPPING) ==
			    (platform->cpuid[socket] | STEPPING))
				break;
		if (i == entries)
			return true;
	}
	return false;
}

static bool production_for_any_cpu(const struct oracle_install *install,
				   const struct oracle_rule *rule)
{
	return !is_debug_signed(install) && field(install, CPUID_TABLE_SIZE, 4) == 0;
}

/*
 * RSA by hand: signature^65537 mod modulus has to be the bytes 0, 1, as many 0xff as there is room
 * for, 0, the DER prefix of SHA-384, the hash.
 */
static bool bad_signature(const struct oracle_install *install, const struct oracle_rule *rule)
{
	static const uint8_t prefix[] = {
		0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
		0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30,
	};
	const size_t hash_at = ORACLE_MODULUS - ORACLE_HASH, prefix_at = hash_at - sizeof(prefix);
	const uint8_t *sigstruct = install->sigstruct;
	uint8_t signed_bytes[128 + ORACLE_SIGSTRUCT - SEAMHASH];
	uint8_t wanted[ORACLE_MODULUS], message[ORACLE_MODULUS];
	BIGNUM *n = BN_lebin2bn(sigstruct + MODULUS, ORACLE_MODULUS, NULL);
	BIGNUM *s = BN_lebin2bn(sigstruct + SIGNATURE, ORACLE_MODULUS, NULL);
	BIGNUM *e = BN_new(), *m = BN_new();
	BN_CTX *context = BN_CTX_new();
	bool good;

	memcpy(signed_bytes, sigstruct, 128);
	memcpy(signed_bytes + 128, sigstruct + SEAMHASH, ORACLE_SIGSTRUCT - SEAMHASH);
	memset(wanted, 0xff, sizeof(wanted));
	wanted[0] = 0;
	wanted[1] = 1;
	wanted[prefix_at - 1] = 0;
	memcpy(wanted + prefix_at, prefix, sizeof(prefix));
	sha384(signed_bytes, sizeof(signed_bytes), wanted + hash_at);

	good = BN_set_word(e, 0x10001) && BN_cmp(s, n) < 0 && BN_is_odd(n) &&
	       BN_mod_exp(m, s, e, n, context) == 1 &&
	       BN_bn2binpad(m, message, sizeof(message)) == sizeof(message) &&
	       !memcmp(message, wanted, sizeof(message));
	BN_free(n);
	BN_free(s);
	BN_free(e);
	BN_free(m);
	BN_CTX_free(context);
	return !good;
}

/* ---- what the platform has left ---- */

static uint64_t pages_of(uint64_t bytes)
{
	return (bytes + ORACLE_PAGE - 1) / ORACLE_PAGE;
}

/* Page tables of three levels for a region; the counts of the upper two are rounded down. */
static uint64_t tables_for(uint64_t pages)
{
	return pages_of(8 * pages) + pages_of(8 * (pages / 512)) +
	       pages_of(8 * (pages / 512 / 512));
}

/**
 * oracle_bytes_needed() - compute how much memory a TDX module occupies once it is installed
 * @install: the image; only sigstruct, page count and addressable LPs are used
 *
 * Return: bytes.
 */
uint64_t oracle_bytes_needed(const struct oracle_install *install)
{
	uint64_t lps = install->platform->addressable_lps;
	uint64_t system_information = 1, vmcs = lps, code = 512;
	uint64_t stacks = lps * (field(install, STACK_PAGES, 1) + 2);
	uint64_t data = lps * (field(install, TLS_PAGES, 1) + 1) +
			(field(install, GLOBAL_PAGES, 2) + 1) +
			(field(install, HANDOFF_PAGES, 2) + 1);
	uint64_t keyholes = lps * (field(install, KEYHOLE_PAGES, 2) + 1);
	uint64_t tables = 1 + tables_for(system_information) + tables_for(stacks) +
			  tables_for(data) + tables_for(keyholes) +
			  tables_for(pages_of(8 * keyholes)) +
			  tables_for(install->params.nr_pages);

	return (system_information + vmcs + stacks + data + code + tables) * ORACLE_PAGE;
}

static bool no_room(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return oracle_bytes_needed(install) > install->platform->room;
}

static bool no_updates_left(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return is_update(install) && install->updates_left == 0;
}

/* ---- handoff data ---- */

static bool no_handoff_data(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return is_update(install) && !install->handoff.valid;
}

static bool old_handoff_size(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return is_update(install) &&
	       install->handoff.size + 8 > (install->installed->handoff_pages + 1ull) * ORACLE_PAGE;
}

static bool handoff_version(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return is_update(install) && (install->handoff.hv < field(install, MIN_UPDATE_HV, 2) ||
				      install->handoff.hv > field(install, MODULE_HV, 2));
}

static bool new_handoff_size(const struct oracle_install *install, const struct oracle_rule *rule)
{
	return is_update(install) &&
	       install->handoff.size + 8 > (field(install, HANDOFF_PAGES, 2) + 1) * ORACLE_PAGE;
}

/* ---- the module ---- */

static bool bad_hash(const struct oracle_install *install, const struct oracle_rule *rule)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t hash[ORACLE_HASH];
	uint64_t i;

	EVP_DigestInit_ex(context, EVP_sha384(), NULL);
	for (i = 0; i < install->params.nr_pages; i++)
		EVP_DigestUpdate(context, install->pages[i], ORACLE_PAGE);
	EVP_DigestFinal_ex(context, hash, NULL);
	EVP_MD_CTX_free(context);
	return memcmp(hash, install->sigstruct + SEAMHASH, ORACLE_HASH) != 0;
}

#define ALL	(~0ull)

/* A row without a field, and a row with a field of the sigstruct. */
#define RULE(name, section, broken, status, rdx)	\
	{ name, section, broken, status, rdx, { 0, 0, 0, 0 } }
#define FIELD(name, broken, offset, size, mask, value)	\
	{ name, "SEAM_SIGSTRUCT", broken, P_EBADSIG, 0, { offset, size, mask, value } }

const struct oracle_rule oracle_rules[] = {
	RULE("params-address", "SEAMLDR.INSTALL", params_address, P_EBADPARAM, 0),
	RULE("params-fields", "SEAMLDR.INSTALL", params_fields, P_EBADPARAM, 0),
	RULE("params-pages", "SEAMLDR.INSTALL", params_pages, P_EBADPARAM, 0),
	RULE("params-addresses", "SEAMLDR.INSTALL", params_addresses, P_EBADPARAM, 0),
	RULE("nothing-to-update", "SEAMLDR.INSTALL", nothing_to_update, P_EBADPARAM, 0),

	FIELD("header-type", is_not, 0, 4, ALL, 6),
	FIELD("header-length", is_not, 4, 4, ALL, 0xE1),
	FIELD("header-version", is_not, 8, 4, ALL, 0x10000),
	FIELD("module-type", is_not, 12, 4, 0x7fffffff, 0),
	FIELD("vendor", is_not, 16, 4, ALL, 0x8086),
	FIELD("size", is_not, 24, 4, ALL, 0x200),
	FIELD("key-size", is_not, 28, 4, ALL, 0x60),
	FIELD("modulus-size", is_not, 32, 4, ALL, 0x60),
	FIELD("exponent-size", is_not, 36, 4, ALL, 1),
	FIELD("reserved-40", not_zero, 40, 88, ALL, 0),
	FIELD("exponent", is_not, 512, 4, ALL, 0x10001),
	FIELD("attributes", is_not, 950, 8, ALL, 0),
	FIELD("reserved-978", not_zero, 978, 6, ALL, 0),
	FIELD("reserved-989", is_not, 989, 1, ALL, 0),
	FIELD("reserved-1000", tail_not_zero, 1000, 24, ALL, 0),
	FIELD("cpu-table-size", is_above, 1024, 4, ALL, CPUID_TABLE_ENTRIES),
	RULE("hv-reversed", "SEAM_SIGSTRUCT", hv_reversed, P_EBADSIG, 0),
	RULE("gdt-alignment", "SEAM_SIGSTRUCT", gdt_unaligned, P_EBADSIG, 0),
	RULE("one-table-only", "SEAM_SIGSTRUCT", one_table_only, P_EBADSIG, 0),

	RULE("signer", "Signer", unknown_signer, P_EBADSIG, 0),
	RULE("debug-signed", "Signer", debug_on_locked, P_EBADSIG, 0),
	RULE("svn-major-0", "SEAMLDR.INSTALL", svn_major_zero, P_EUNSUPPORTED, 0),
	RULE("svn-major", "SEAMLDR.INSTALL", svn_major_differs, P_EUNSUPPORTED, 0),
	RULE("svn-minor", "SEAMLDR.INSTALL", svn_minor_lower, P_EBADSIG, 0),
	RULE("cleanup-required", "SEAMLDR.INSTALL", cleanup_required, P_ECLEANUPREQ, 0),
	RULE("gdt-outside", "SEAMLDR.INSTALL", gdt_outside, P_EBADSIG, 0),
	RULE("wrapper-outside", "SEAMLDR.INSTALL", wrapper_outside, P_EBADSIG, 0),
	RULE("cpu-table", "SEAMLDR.INSTALL", table_lacks_socket, P_EUNSUPCPU, 0),
	RULE("cpu-table-empty", "SEAMLDR.INSTALL", production_for_any_cpu, P_EBADSIG, 0),
	RULE("signature", "Signer", bad_signature, P_EBADSIG, 0),
	RULE("room", "Memory of a TDX module", no_room, P_ENOMEM, 0),
	RULE("updates-left", "SEAMLDR.INSTALL", no_updates_left, P_EBADCALL, 0),
	RULE("handoff-valid", "Handoff data", no_handoff_data, P_EBADHANDOFF, 0),
	RULE("handoff-size", "Handoff data", old_handoff_size, P_EBADHANDOFF, 0),
	RULE("handoff-version", "Handoff data", handoff_version, P_EBADHANDOFF, 0),
	/* P-SEAMLDR has cleared the old TDX module's memory before it checks the hash. */
	RULE("hash", "SEAMLDR.INSTALL", bad_hash, P_EBADHASH, 1),
	/* SEAMLDR.INSTALL has succeeded; TDH.SYS.UPDATE does not return. */
	RULE("handoff-pages", "Handoff data", new_handoff_size, LP_STOPS, 1),
};

const unsigned int oracle_nr_rules = ARRAY_SIZE(oracle_rules);

/**
 * oracle_first_broken() - find the rule that decides about an image
 * @install: what the closing call of SEAMLDR.INSTALL checks
 *
 * A rule may rely on it that no earlier rule is broken.
 *
 * Return: the rule that answers, or NULL if the image is installed and its TDX module takes over.
 */
const struct oracle_rule *oracle_first_broken(const struct oracle_install *install)
{
	unsigned int i;

	for (i = 0; i < oracle_nr_rules; i++)
		if (oracle_rules[i].broken(install, &oracle_rules[i]))
			return &oracle_rules[i];
	return NULL;
}

/**
 * oracle_is_broken() - check one rule, whatever the others answer
 * @install: the image; its page count and CPU table have to be valid
 * @name: name of the rule
 *
 * Return: whether the rule is broken; false if no rule has this name.
 */
bool oracle_is_broken(const struct oracle_install *install, const char *name)
{
	unsigned int i;

	for (i = 0; i < oracle_nr_rules; i++)
		if (!strcmp(oracle_rules[i].name, name))
			return oracle_rules[i].broken(install, &oracle_rules[i]);
	return false;
}

/* ---- containers, docs/firmware.md, TDX-BLOB ---- */

static bool has_header(const uint8_t *file, size_t size)
{
	return size >= ORACLE_PAGE;
}

static bool is_version(const uint8_t *file, size_t size, unsigned int version)
{
	return has_header(file, size) && oracle_get(file, 0, 2) == version &&
	       !memcmp(file + (version == 0x0100 ? 8 : 4), "TDX-BLOB", 8);
}

/* Number of pages of the sigstruct and of the module, according to the header. */
static uint64_t sigstruct_pages(const uint8_t *file, size_t size)
{
	return is_version(file, size, 0x0100) ? oracle_get(file, 4, 4) / ORACLE_PAGE - 1 :
						oracle_get(file, 12, 4);
}

static uint64_t module_pages(const uint8_t *file, size_t size)
{
	return is_version(file, size, 0x0100) ? (size - oracle_get(file, 4, 4)) / ORACLE_PAGE :
						oracle_get(file, 16, 4);
}

static bool has_layout(const uint8_t *file, size_t size)
{
	uint64_t module_at = has_header(file, size) ? oracle_get(file, 4, 4) : 0;

	if (is_version(file, size, 0x0100))
		return module_at % ORACLE_PAGE == 0 && module_at >= 2 * ORACLE_PAGE &&
		       module_at < size;
	return is_version(file, size, 0x0200);
}

static bool partial_pages(const uint8_t *file, size_t size)
{
	return size == 0 || size % ORACLE_PAGE;
}

static bool no_container(const uint8_t *file, size_t size)
{
	return !is_version(file, size, 0x0100) && !is_version(file, size, 0x0200);
}

static bool length_differs(const uint8_t *file, size_t size)
{
	if (is_version(file, size, 0x0100))
		return oracle_get(file, 16, 4) != size;
	return is_version(file, size, 0x0200) &&
	       (1 + sigstruct_pages(file, size) + module_pages(file, size)) * ORACLE_PAGE != size;
}

static bool no_layout(const uint8_t *file, size_t size)
{
	return !no_container(file, size) && !has_layout(file, size);
}

static bool reserved_bytes(const uint8_t *file, size_t size)
{
	size_t i;

	for (i = 20; !no_container(file, size) && i < ORACLE_PAGE; i++)
		if (file[i])
			return true;
	return false;
}

static bool not_one_sigstruct(const uint8_t *file, size_t size)
{
	return has_layout(file, size) && sigstruct_pages(file, size) != 1;
}

static bool no_module(const uint8_t *file, size_t size)
{
	return has_layout(file, size) && module_pages(file, size) == 0;
}

static bool too_many_pages(const uint8_t *file, size_t size)
{
	return size > (2 + ORACLE_MAX_PAGES) * ORACLE_PAGE;
}

static bool bad_checksum(const uint8_t *file, size_t size)
{
	unsigned int sum = 0;
	size_t i;

	for (i = 0; i < size; i++)
		sum += i % 2 ? file[i] << 8 : file[i];
	return sum & 0xffff;
}

const struct oracle_container_rule oracle_container_rules[] = {
	{ "container-size", partial_pages },
	{ "container-version", no_container },
	{ "container-length", length_differs },
	{ "container-layout", no_layout },
	{ "container-reserved", reserved_bytes },
	{ "container-sigstruct", not_one_sigstruct },
	{ "container-module", no_module },
	{ "container-pages", too_many_pages },
	{ "container-checksum", bad_checksum },
};

const unsigned int oracle_nr_container_rules = ARRAY_SIZE(oracle_container_rules);

/**
 * oracle_container_open() - find the parts of an image
 * @file: the container
 * @size: its size, bytes
 * @sigstruct: set to the sigstruct in @file
 * @module: set to the first module page in @file
 * @nr_pages: set to the number of module pages
 *
 * Return: false if a rule of containers is broken; nothing is set then.
 */
bool oracle_container_open(const uint8_t *file, size_t size, const uint8_t **sigstruct,
			   const uint8_t **module, uint64_t *nr_pages)
{
	unsigned int i;

	for (i = 0; i < oracle_nr_container_rules; i++)
		if (oracle_container_rules[i].broken(file, size))
			return false;
	*sigstruct = file + ORACLE_PAGE;
	*module = file + 2 * ORACLE_PAGE;
	*nr_pages = module_pages(file, size);
	return true;
}
