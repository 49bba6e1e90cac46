// SPDX-License-Identifier: GPL-2.0-only
/*
 * Table of image.c and plan.c: the result for a good image if each fact is changed, alone and in
 * pairs. Prints KTAP. The order of the checks comes from docs/firmware.md, "SEAMLDR.INSTALL", not
 * from the code under test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define THIS_CPU		0x806F8u
#define OTHER_CPU		0xC06F2u
#define MODULE_PAGES		4u
#define MODULE_SIZE		(MODULE_PAGES * TDX_PAGE_SIZE)
#define HANDOFF_PAGES		13u

static const char * const names[] = {
#define NAME(symbol, name, code, text) [TDXU_##symbol] = name,
	TDXU_RESULTS(NAME)
#undef NAME
};

/* A container: header, a page for the sigstruct, the module. */
struct file {
	union {
		struct tdx_blob_v2 header;
		u8 bytes[TDX_PAGE_SIZE];
	};
	union {
		struct seam_sigstruct sig;
		u8 sig_page[TDX_PAGE_SIZE];
	};
	u8 module[MODULE_SIZE];
};

struct world {
	struct file image;
	struct tdxu_signature_check check;
	struct file recovery;
	struct tdxu_signature_check recovery_check;
	bool has_recovery;
	struct tdxu_platform platform;
	struct tdxu_policy policy;
};

static void make_good_file(struct file *file, u8 hash)
{
	struct seam_sigstruct *sig = &file->sig;

	file->header.version = TDX_BLOB_VERSION_2;
	memcpy(file->header.signature, TDX_BLOB_SIGNATURE, TDX_BLOB_SIGNATURE_SIZE);
	file->header.sigstruct_nr_pages = 1;
	file->header.module_nr_pages = MODULE_PAGES;

	sig->header_type = SEAM_SIGSTRUCT_HEADER_TYPE;
	sig->header_length = SEAM_SIGSTRUCT_HEADER_LENGTH;
	sig->header_version = SEAM_SIGSTRUCT_HEADER_VERSION;
	sig->module_vendor = SEAM_SIGSTRUCT_VENDOR_INTEL;
	sig->size = SEAM_SIGSTRUCT_SIZE_DWORDS;
	sig->key_size = SEAM_SIGSTRUCT_KEY_DWORDS;
	sig->modulus_size = SEAM_SIGSTRUCT_KEY_DWORDS;
	sig->exponent_size = SEAM_SIGSTRUCT_EXPONENT_DWORDS;
	sig->exponent = SEAM_SIGSTRUCT_EXPONENT;
	memset(sig->seamhash, hash, sizeof(sig->seamhash));
	sig->svn_major = 1;
	sig->svn_minor = 5;
	sig->num_handoff_pages = HANDOFF_PAGES;
	sig->gdt_idt_offset = TDX_PAGE_SIZE;
	sig->fault_wrapper_offset = 1;
	sig->major = 1;
	sig->minor = 5;
	sig->update = 26;
	sig->cpuid_table_size = 2;
	sig->cpuid_table[0] = 0xA06F0;
	sig->cpuid_table[1] = THIS_CPU;
}

static void make_good(struct world *w)
{
	memset(w, 0, sizeof(*w));
	make_good_file(&w->image, 1);
	make_good_file(&w->recovery, 2);
	w->check = (struct tdxu_signature_check){ TDXU_SIGNER_INTEL, true, true };
	w->recovery_check = w->check;
	w->platform.module.features0 = TDX_FEATURES0_TD_PRESERVING | TDX_FEATURES0_UPDATE_COMPAT;
	w->platform.module.num_handoff_pages = HANDOFF_PAGES;
	w->platform.svn_major = 1;
	w->platform.svn_minor = 5;
	memset(w->platform.mrseam, 3, sizeof(w->platform.mrseam));
	w->platform.updates_left = 2;
	w->platform.debug = TDXU_DEBUG_LOCKED;
	w->platform.seamldr = (struct tdxu_version){ 2, 0, 0 };
	w->platform.num_cpu_kinds = 1;
	w->platform.cpu_kinds[0] = THIS_CPU & ~SEAM_SIGSTRUCT_CPUID_STEPPING;
	w->platform.num_lps = 128;
	w->platform.room = 1u << 30;
}

static void no_preserving(struct world *w)
{
	w->platform.module.features0 &= ~TDX_FEATURES0_TD_PRESERVING;
}

static void no_protection(struct world *w)
{
	w->platform.module.features0 &= ~TDX_FEATURES0_UPDATE_COMPAT;
}

static void protection_required(struct world *w)
{
	no_protection(w);
	w->policy.require_race_protection = true;
}

static void protection_required_and_there(struct world *w)
{
	w->policy.require_race_protection = true;
}

static void unknown_signer(struct world *w)
{
	w->check.signer = TDXU_SIGNER_UNKNOWN;
}

static void signer_of_parameter(struct world *w)
{
	w->check.signer = TDXU_SIGNER_PARAMETER;
}

static void debug_signed(struct world *w)
{
	w->image.sig.module_type = SEAM_SIGSTRUCT_DEBUG_SIGNED;
}

static void debug_signed_on_unlocked_platform(struct world *w)
{
	debug_signed(w);
	w->platform.debug = TDXU_DEBUG_UNLOCKED;
}

static void debug_signed_by_parameter(struct world *w)
{
	debug_signed(w);
	signer_of_parameter(w);
}

/* If the platform shows whether it is unlocked, it does not matter whether the loader is debug. */
static void debug_signed_on_debug_loader(struct world *w)
{
	debug_signed_by_parameter(w);
	w->platform.debug_loader = true;
}

static void debug_signed_on_unknown_platform(struct world *w)
{
	debug_signed_by_parameter(w);
	w->platform.debug = TDXU_DEBUG_UNKNOWN;
}

static void debug_signed_allowed(struct world *w)
{
	debug_signed_by_parameter(w);
	w->platform.debug = TDXU_DEBUG_UNLOCKED;
}

static void debug_signed_allowed_by_loader(struct world *w)
{
	debug_signed_on_unknown_platform(w);
	w->platform.debug_loader = true;
}

static void debug_signed_allowed_no_table(struct world *w)
{
	debug_signed_allowed(w);
	w->image.sig.cpuid_table_size = 0;
}

static void series_zero(struct world *w)
{
	w->image.sig.svn_major = 0;
	w->platform.svn_major = 0;
}

static void series_higher(struct world *w)
{
	w->image.sig.svn_major = 2;
}

static void svn_lower(struct world *w)
{
	w->image.sig.svn_minor = 4;
}

static void svn_higher(struct world *w)
{
	w->image.sig.svn_minor = 255;
}

static void rip_outside(struct world *w)
{
	w->image.sig.rip_offset = UINT32_MAX;
}

static void gdt_outside(struct world *w)
{
	w->image.sig.gdt_idt_offset = MODULE_SIZE;
}

static void gdt_far_outside(struct world *w)
{
	w->image.sig.gdt_idt_offset = -TDX_PAGE_SIZE;
}

static void fault_wrapper_outside(struct world *w)
{
	w->image.sig.fault_wrapper_offset = MODULE_SIZE - 511;
}

static void fault_wrapper_far_outside(struct world *w)
{
	w->image.sig.fault_wrapper_offset = UINT32_MAX;
}

static void tables_at_end(struct world *w)
{
	w->image.sig.gdt_idt_offset = MODULE_SIZE - TDX_PAGE_SIZE;
	w->image.sig.fault_wrapper_offset = MODULE_SIZE - 512;
}

static void no_tables(struct world *w)
{
	w->image.sig.gdt_idt_offset = 0;
	w->image.sig.fault_wrapper_offset = 0;
}

static void gdt_only(struct world *w)
{
	w->image.sig.fault_wrapper_offset = 0;
}

static void fault_wrapper_only(struct world *w)
{
	w->image.sig.gdt_idt_offset = 0;
}

static void gdt_unaligned(struct world *w)
{
	w->image.sig.gdt_idt_offset += 1;
}

static void gdt_half_a_page(struct world *w)
{
	w->image.sig.gdt_idt_offset = TDX_PAGE_SIZE / 2;
}

static void hv_reversed(struct world *w)
{
	w->image.sig.min_update_hv = 1;
}

static void recovery_hv_reversed(struct world *w)
{
	w->has_recovery = true;
	w->recovery.sig.min_update_hv = 1;
}

static void version_for_old_loader(struct world *w)
{
	w->platform.seamldr = (struct tdxu_version){ 1, 5, 0 };
}

static void no_version_for_old_loader(struct world *w)
{
	version_for_old_loader(w);
	w->image.sig.major = 0;
	w->image.sig.minor = 0;
	w->image.sig.update = 0;
}

static void version_for_next_loader(struct world *w)
{
	w->platform.seamldr = (struct tdxu_version){ 1, 5, 3 };
}

static void version_for_next_series(struct world *w)
{
	w->platform.seamldr = (struct tdxu_version){ 1, 6, 0 };
}

static void version_for_older_loader(struct world *w)
{
	w->platform.seamldr = (struct tdxu_version){ 1, 4, 9 };
}

static void version_for_oldest_loader(struct world *w)
{
	w->platform.seamldr = (struct tdxu_version){ 0, 6, 9 };
}

static void recovery_required(struct world *w)
{
	w->policy.require_recovery = true;
}

static void other_cpu(struct world *w)
{
	w->platform.cpu_kinds[0] = OTHER_CPU & ~SEAM_SIGSTRUCT_CPUID_STEPPING;
}

static void one_package_other(struct world *w)
{
	w->platform.num_cpu_kinds = 2;
	w->platform.cpu_kinds[1] = OTHER_CPU & ~SEAM_SIGSTRUCT_CPUID_STEPPING;
}

static void two_packages_known(struct world *w)
{
	w->platform.num_cpu_kinds = 2;
	w->platform.cpu_kinds[1] = 0xA06F0;
}

/* The last package of a full machine has a CPU of its own. */
static void last_package_other(struct world *w)
{
	unsigned int i;

	w->platform.num_cpu_kinds = TDXU_MAX_CPU_KINDS;
	for (i = 0; i < TDXU_MAX_CPU_KINDS; i++)
		w->platform.cpu_kinds[i] = w->platform.cpu_kinds[0];
	w->platform.cpu_kinds[i - 1] = OTHER_CPU & ~SEAM_SIGSTRUCT_CPUID_STEPPING;
}

static void all_packages_known(struct world *w)
{
	last_package_other(w);
	w->platform.cpu_kinds[TDXU_MAX_CPU_KINDS - 1] = 0xA06F0;
}

static void other_stepping(struct world *w)
{
	w->image.sig.cpuid_table[1] = THIS_CPU ^ SEAM_SIGSTRUCT_CPUID_STEPPING;
}

static void full_table(struct world *w)
{
	unsigned int i;

	for (i = 0; i < SEAM_SIGSTRUCT_MAX_CPUIDS; i++)
		w->image.sig.cpuid_table[i] = OTHER_CPU;
	w->image.sig.cpuid_table[i - 1] = THIS_CPU;
	w->image.sig.cpuid_table_size = i;
}

static void no_table(struct world *w)
{
	w->image.sig.cpuid_table_size = 0;
}

static void bad_signature(struct world *w)
{
	w->check.signature_good = false;
}

static void no_room(struct world *w)
{
	w->platform.room = 1u << 20;
}

static void room_unknown(struct world *w)
{
	w->platform.room = 0;
	w->platform.num_lps = UINT32_MAX;
}

static void no_updates_left(struct world *w)
{
	w->platform.updates_left = 0;
}

static void image_too_old_for_handoff(struct world *w)
{
	w->platform.module.min_update_hv = 1;
	w->platform.module.module_hv = 2;
}

static void image_too_new_for_handoff(struct world *w)
{
	w->image.sig.min_update_hv = 1;
	w->image.sig.module_hv = 2;
}

static void bad_hash(struct world *w)
{
	w->check.hash_good = false;
}

static void fewer_pages(struct world *w)
{
	w->image.sig.num_handoff_pages = HANDOFF_PAGES - 1;
}

static void good_recovery(struct world *w)
{
	w->has_recovery = true;
}

static void recovery_older(struct world *w)
{
	w->has_recovery = true;
	w->recovery.sig.svn_minor = 4;
}

static void recovery_without_handoff(struct world *w)
{
	w->has_recovery = true;
	w->recovery.sig.min_update_hv = 7;
	w->recovery.sig.module_hv = 8;
}

static void recovery_unsigned(struct world *w)
{
	w->has_recovery = true;
	w->recovery_check.signature_good = false;
}

static void recovery_fewer_pages(struct world *w)
{
	w->has_recovery = true;
	w->recovery.sig.num_handoff_pages = HANDOFF_PAGES - 1;
}

static void recovery_required_and_there(struct world *w)
{
	recovery_required(w);
	good_recovery(w);
}

/* Resuming needs neither features of a running TDX module nor what the policy asks of an update. */
static void resumed(struct world *w)
{
	w->platform.handoff = (struct tdxu_handoff){
		.waits = true,
		.hv_known = true,
		.num_pages = HANDOFF_PAGES, .num_pages_known = true,
	};
	w->platform.module = (struct tdxu_module){ };
	w->policy.require_race_protection = true;
	w->policy.require_recovery = true;
}

static void nothing(struct world *w)
{
	(void)w;
}

struct row {
	const char *what;
	void (*change)(struct world *w);
	enum tdxu_result result;
};

#define ROW(change, result) { #change, change, TDXU_##result }

static const struct row accepted[] = {
	ROW(nothing, SUCCESS),
	ROW(no_protection, SUCCESS),
	ROW(protection_required_and_there, SUCCESS),
	ROW(recovery_required_and_there, SUCCESS),
	ROW(no_version_for_old_loader, SUCCESS),
	ROW(version_for_next_loader, SUCCESS),
	ROW(version_for_next_series, SUCCESS),
	ROW(signer_of_parameter, SUCCESS),
	ROW(debug_signed_allowed, SUCCESS),
	ROW(debug_signed_allowed_by_loader, SUCCESS),
	ROW(debug_signed_allowed_no_table, SUCCESS),
	ROW(svn_higher, SUCCESS),
	ROW(rip_outside, SUCCESS),
	ROW(tables_at_end, SUCCESS),
	ROW(no_tables, SUCCESS),
	ROW(two_packages_known, SUCCESS),
	ROW(all_packages_known, SUCCESS),
	ROW(other_stepping, SUCCESS),
	ROW(full_table, SUCCESS),
	ROW(room_unknown, SUCCESS),
	ROW(good_recovery, SUCCESS),
	ROW(resumed, SUCCESS),
};

/* In the order of the firmware's checks: if two rows apply, the earlier one decides. */
static const struct row refused[] = {
	ROW(hv_reversed, BAD_IMAGE),
	ROW(gdt_unaligned, BAD_IMAGE),
	ROW(gdt_half_a_page, BAD_IMAGE),
	ROW(gdt_only, BAD_IMAGE),
	ROW(fault_wrapper_only, BAD_IMAGE),
	/* The form of both images is checked before the platform. */
	ROW(recovery_hv_reversed, BAD_IMAGE),
	ROW(no_preserving, UNSUPPORTED),
	ROW(protection_required, UNSUPPORTED),
	ROW(recovery_required, UNSUPPORTED),
	ROW(version_for_old_loader, BAD_IMAGE),
	ROW(version_for_older_loader, BAD_IMAGE),
	ROW(version_for_oldest_loader, BAD_IMAGE),
	ROW(unknown_signer, BAD_SIGNATURE),
	ROW(debug_signed, BAD_SIGNATURE),
	ROW(debug_signed_on_unlocked_platform, BAD_SIGNATURE),
	ROW(debug_signed_by_parameter, BAD_SIGNATURE),
	ROW(debug_signed_on_debug_loader, BAD_SIGNATURE),
	ROW(debug_signed_on_unknown_platform, BAD_SIGNATURE),
	ROW(series_zero, WRONG_SERIES),
	ROW(series_higher, WRONG_SERIES),
	ROW(svn_lower, OLDER),
	ROW(gdt_outside, BAD_IMAGE),
	ROW(gdt_far_outside, BAD_IMAGE),
	ROW(fault_wrapper_outside, BAD_IMAGE),
	ROW(fault_wrapper_far_outside, BAD_IMAGE),
	ROW(other_cpu, WRONG_CPU),
	ROW(one_package_other, WRONG_CPU),
	ROW(last_package_other, WRONG_CPU),
	ROW(no_table, BAD_IMAGE),
	ROW(bad_signature, BAD_SIGNATURE),
	ROW(no_room, NO_ROOM),
	ROW(no_updates_left, NO_UPDATES_LEFT),
	ROW(image_too_old_for_handoff, BAD_HANDOFF),
	ROW(image_too_new_for_handoff, BAD_HANDOFF),
	ROW(bad_hash, CORRUPT),
	ROW(fewer_pages, BAD_HANDOFF),
	ROW(recovery_older, OLDER),
	ROW(recovery_unsigned, BAD_SIGNATURE),
	ROW(recovery_without_handoff, BAD_HANDOFF),
	ROW(recovery_fewer_pages, BAD_HANDOFF),
};

/* Running [min, max], no_downgrade, image [min, max], version chosen (-1: none). */
static const struct handoff {
	u16 min, max;
	bool no_downgrade;
	u16 image_min, image_max;
	int hv;
} handoffs[] = {
	{ 0, 0, false, 0, 0, 0 },
	{ 0, 2, false, 0, 0, 0 },
	{ 0, 2, false, 2, 2, 2 },
	{ 0, 2, false, 1, 9, 2 },
	{ 1, 3, false, 0, 2, 2 },
	{ 2, 2, false, 0, 1, -1 },
	{ 0, 1, false, 2, 3, -1 },
	{ 0, 2, true, 2, 2, 2 },
	{ 0, 2, true, 0, 9, 2 },
	{ 0, 2, true, 0, 1, -1 },
	{ 0, UINT16_MAX, false, UINT16_MAX, UINT16_MAX, UINT16_MAX },
	{ 2, 1, false, 0, 9, -1 },	/* a TDX module with an empty range */
	{ 2, 1, true, 0, 9, -1 },
};

static unsigned int number, failures;

static void report(bool good, const char *what, const char *with, const char *expected,
		   const char *seen)
{
	printf("%sok %u %s%s%s\n", good ? "" : "not ", ++number, what, with ? " and " : "",
	       with ?: "");
	if (!good) {
		printf("# expected %s, saw %s\n", expected, seen);
		failures++;
	}
}

static void make_checksum(struct file *file)
{
	const u8 *bytes = (const u8 *)file;
	u16 sum = 0;
	size_t i;

	file->header.checksum = 0;
	for (i = 0; i < sizeof(*file); i += 2)
		sum += bytes[i] | bytes[i + 1] << 8;
	file->header.checksum = -sum;
}

/* Take the steps of an attempt that need no kernel. */
static struct tdxu_verdict plan_of(struct world *w, struct tdxu_plan *plan)
{
	struct tdxu_candidate candidate = { .check = w->check };
	struct tdxu_candidate recovery = { .check = w->recovery_check };
	struct tdxu_verdict verdict;

	make_checksum(&w->image);
	verdict = tdxu_image_parse(&w->image, sizeof(w->image), &candidate.image);
	if (!verdict.result && w->has_recovery) {
		make_checksum(&w->recovery);
		verdict = tdxu_image_parse(&w->recovery, sizeof(w->recovery), &recovery.image);
	}
	if (verdict.result)
		return verdict;
	return tdxu_plan_make(&candidate, w->has_recovery ? &recovery : NULL, &w->platform,
			      &w->policy, plan);
}

static void test_row(const struct row *row, const struct row *with, enum tdxu_result expected)
{
	struct tdxu_plan plan = { 0 };
	enum tdxu_result seen;
	static struct world w;

	make_good(&w);
	row->change(&w);
	if (with)
		with->change(&w);
	seen = plan_of(&w, &plan).result;
	report(seen == expected, row->what, with ? with->what : NULL, names[expected],
	       names[seen]);
}

static void test_handoff(const struct handoff *h, bool protection)
{
	char what[80], expected[24], seen[24];
	struct tdxu_plan plan = { .shutdown_rcx = ~0ULL };
	u64 rcx = (u64)h->hv | (protection ? TDX_SHUTDOWN_AVOID_COMPAT_SENSITIVE : 0);
	enum tdxu_result result;
	static struct world w;

	make_good(&w);
	if (!protection)
		no_protection(&w);
	w.platform.module.min_update_hv = h->min;
	w.platform.module.module_hv = h->max;
	w.platform.module.no_downgrade = h->no_downgrade;
	w.image.sig.min_update_hv = h->image_min;
	w.image.sig.module_hv = h->image_max;
	result = plan_of(&w, &plan).result;

	snprintf(what, sizeof(what), "running [%u-%u]%s image [%u-%u]%s", h->min, h->max,
		 h->no_downgrade ? " no downgrade" : "", h->image_min, h->image_max,
		 protection ? "" : " unprotected");
	if (h->hv < 0) {
		report(result == TDXU_BAD_HANDOFF, what, NULL, names[TDXU_BAD_HANDOFF],
		       names[result]);
		return;
	}
	snprintf(expected, sizeof(expected), "RCX 0x%llx", (unsigned long long)rcx);
	snprintf(seen, sizeof(seen), "RCX 0x%llx", (unsigned long long)plan.shutdown_rcx);
	report(result == TDXU_SUCCESS && plan.shutdown_rcx == rcx, what, NULL, expected,
	       result ? names[result] : seen);
}

/*
 * SVN minor, updates left, the recovery image's [min, max]; the handoff version that suits all
 * three TDX modules. Whether the recovery image can follow is decided in the blackout, by the
 * figures that the plan passes on.
 */
static const struct {
	u8 svn;
	u32 updates_left;
	u16 min, max;
	u16 hv;
} recoveries[] = {
	{ 5, 2, 0, 9, 3 },
	{ 5, 1, 0, 2, 2 },
	{ 0, UINT32_MAX, 1, 1, 1 },
};

static void test_recovery(unsigned int i)
{
	struct tdxu_plan plan = { 0 };
	char expected[64], seen[64];
	enum tdxu_result result;
	static struct world w;

	make_good(&w);
	no_protection(&w);
	good_recovery(&w);
	w.platform.module.module_hv = 4;
	w.platform.svn_minor = recoveries[i].svn;
	w.platform.updates_left = recoveries[i].updates_left;
	w.image.sig.module_hv = 3;
	w.recovery.sig.min_update_hv = recoveries[i].min;
	w.recovery.sig.module_hv = recoveries[i].max;
	result = plan_of(&w, &plan).result;
	snprintf(expected, sizeof(expected), "HV %u, SVN %u, %u left", recoveries[i].hv,
		 recoveries[i].svn, recoveries[i].updates_left);
	snprintf(seen, sizeof(seen), "HV %u, SVN %u, %u left", (unsigned int)plan.shutdown_rcx,
		 plan.svn_minor, plan.updates_left);
	report(!result && !plan.resume && !strcmp(expected, seen), "recovery", NULL, expected,
	       result ? names[result] : seen);
}

#define NO_IMAGE	(-1)

/* Handoff pages of the running TDX module, the image, the recovery image; whether they are good. */
static const struct {
	int running, image, recovery;
	bool good;
} page_counts[] = {
	{ 13, 13, NO_IMAGE, true },
	{ 13, 14, NO_IMAGE, true },
	{ 13, 12, NO_IMAGE, false },
	{ 0, 0, NO_IMAGE, true },
	{ 1, 0, NO_IMAGE, false },
	{ UINT16_MAX, UINT16_MAX, NO_IMAGE, true },
	{ UINT16_MAX, UINT16_MAX - 1, NO_IMAGE, false },
	{ 13, 13, 13, true },
	{ 13, 13, 12, false },
	{ 13, 14, 14, true },
	{ 13, 14, 15, true },
	/* The recovery image may have to follow the image, so it must not have fewer. */
	{ 13, 14, 13, false },
	{ 13, 12, 13, false },
};

static void test_pages(unsigned int i)
{
	enum tdxu_result expected = page_counts[i].good ? TDXU_SUCCESS : TDXU_BAD_HANDOFF, seen;
	struct tdxu_plan plan = { 0 };
	static struct world w;
	char what[80];

	make_good(&w);
	w.platform.module.num_handoff_pages = page_counts[i].running;
	w.image.sig.num_handoff_pages = page_counts[i].image;
	w.has_recovery = page_counts[i].recovery != NO_IMAGE;
	w.recovery.sig.num_handoff_pages = page_counts[i].recovery;
	seen = plan_of(&w, &plan).result;
	snprintf(what, sizeof(what), "handoff pages running %d image %d recovery %d",
		 page_counts[i].running, page_counts[i].image, page_counts[i].recovery);
	report(seen == expected, what, NULL, names[expected], names[seen]);
}

/*
 * Pages that a TDX module of four pages needs, by addressable LPs and the sigstruct's counts:
 * worked out from docs/firmware.md, "Memory of a TDX module".
 */
static const struct {
	u32 lps;
	u8 stack, tls;
	u16 keyhole, global, handoff;
	u64 needed;
} sizes[] = {
	{ 1u, 0, 0, 0, 0, 0, 526ULL },
	{ 1u, 0, 0, 0, 80, 0, 606ULL },
	{ 128u, 0, 0, 0, 0, 13, 1047ULL },
	{ 128u, 7, 3, 47, 63, 13, 2407ULL },
	{ 256u, 3, 4, 33, 300, 24, 3686ULL },
	{ 512u, 255, 255, 65535, 65535, 65535, 461322ULL },
	{ 1024u, 10, 20, 127, 1000, 13, 36675ULL },
	{ 1u, 255, 0, 0, 0, 0, 781ULL },
	{ 255u, 0, 0, 0, 0, 0, 1542ULL },
	{ 256u, 0, 0, 0, 0, 0, 1547ULL },
	{ 2u, 0, 255, 0, 0, 0, 1042ULL },
	{ 2048u, 126, 0, 0, 0, 0, 267284ULL },
	{ 8192u, 255, 255, 65535, 65535, 65535, 5403441ULL },
	{ 4294967295u, 255, 255, 65535, 65535, 65535, 2763832594595ULL },
};

/* The least room that is enough is about one percent less than needed; a page less is not. */
static void test_room(unsigned int i, bool enough)
{
	u64 least = (sizes[i].needed * 100 + 100) / 101;
	enum tdxu_result expected = enough ? TDXU_SUCCESS : TDXU_NO_ROOM, seen;
	struct tdxu_plan plan = { 0 };
	static struct world w;
	char what[80];

	make_good(&w);
	w.platform.num_lps = sizes[i].lps;
	w.platform.module.num_handoff_pages = 0;
	w.image.sig.num_stack_pages = sizes[i].stack;
	w.image.sig.num_tls_pages = sizes[i].tls;
	w.image.sig.num_keyhole_pages = sizes[i].keyhole;
	w.image.sig.num_global_data_pages = sizes[i].global;
	w.image.sig.num_handoff_pages = sizes[i].handoff;
	w.platform.room = enough ? least * TDX_PAGE_SIZE : least * TDX_PAGE_SIZE - 1;
	seen = plan_of(&w, &plan).result;
	snprintf(what, sizeof(what), "%llu pages needed, room for %llu",
		 (unsigned long long)sizes[i].needed,
		 (unsigned long long)(w.platform.room / TDX_PAGE_SIZE));
	report(seen == expected, what, NULL, names[expected], names[seen]);
}

/* Which image is the installed TDX module, by its SEAMHASH. */
enum installed {
	NEITHER, IMAGE, RECOVERY, FORGED_IMAGE, FORGED_RECOVERY, FOREIGN_RECOVERY,
	ALMOST_IMAGE,			/* differs in the last byte of SEAMHASH */
};

/*
 * The result if handoff data waits: version and pages that are remembered (-1: unknown), which
 * image is the installed TDX module, image and recovery image (pages -1: no recovery image).
 */
static const struct waiting {
	int hv, pages;
	enum installed installed;
	u16 min, max;
	int image_pages;
	u16 recovery_min, recovery_max;
	int recovery_pages;
	enum tdxu_result result;
} waitings[] = {
	{ 2, 13, NEITHER, 0, 9, 13, 0, 0, -1, TDXU_SUCCESS },
	{ 2, 13, NEITHER, 2, 2, 13, 0, 0, -1, TDXU_SUCCESS },
	{ 2, 13, NEITHER, 0, 1, 13, 0, 0, -1, TDXU_BAD_HANDOFF },
	{ 2, 13, NEITHER, 3, 9, 13, 0, 0, -1, TDXU_BAD_HANDOFF },
	{ 2, 13, NEITHER, 0, 9, 12, 0, 0, -1, TDXU_BAD_HANDOFF },
	{ 2, 13, NEITHER, 0, 9, 13, 2, 3, 13, TDXU_SUCCESS },
	{ 2, 13, NEITHER, 0, 9, 13, 3, 3, 13, TDXU_BAD_HANDOFF },
	{ 2, 13, NEITHER, 0, 9, 14, 0, 9, 13, TDXU_BAD_HANDOFF },
	/* Remembered values override those of the installed TDX module's sigstruct. */
	{ 2, 13, IMAGE, 2, 2, 12, 0, 0, -1, TDXU_BAD_HANDOFF },
	{ 2, 13, IMAGE, 3, 9, 13, 0, 0, -1, TDXU_BAD_HANDOFF },

	/* The version is unknown: P-SEAMLDR decides. */
	{ -1, 13, NEITHER, 5, 9, 13, 0, 0, -1, TDXU_SUCCESS },
	{ -1, 13, NEITHER, 5, 9, 13, 0, 4, 13, TDXU_SUCCESS },
	{ -1, 13, NEITHER, 5, 9, 13, 10, 12, 13, TDXU_SUCCESS },
	{ -1, 13, NEITHER, UINT16_MAX, UINT16_MAX, 13, 0, 0, -1, TDXU_SUCCESS },
	/* The installed TDX module has written, or can read, the handoff data that waits. */
	{ -1, 13, IMAGE, 5, 9, 13, 5, 5, 13, TDXU_SUCCESS },
	{ -1, 13, IMAGE, 5, 9, 13, 9, 10, 13, TDXU_SUCCESS },
	{ -1, 13, IMAGE, 5, 9, 13, 10, 10, 13, TDXU_BAD_HANDOFF },
	{ -1, 13, IMAGE, 5, 9, 13, 0, 4, 13, TDXU_BAD_HANDOFF },
	{ -1, 13, RECOVERY, 0, 5, 13, 5, 9, 13, TDXU_SUCCESS },
	{ -1, 13, RECOVERY, 0, 4, 13, 5, 9, 13, TDXU_BAD_HANDOFF },
	{ -1, 13, RECOVERY, 10, 11, 13, 5, 9, 13, TDXU_BAD_HANDOFF },

	/* The number of pages is unknown: the installed TDX module's image has to be there. */
	{ 2, -1, NEITHER, 0, 9, 13, 0, 0, -1, TDXU_BAD_HANDOFF },
	{ 2, -1, NEITHER, 0, 9, 0xffff, 0, 9, 0xffff, TDXU_BAD_HANDOFF },
	{ 2, -1, IMAGE, 0, 9, 13, 0, 0, -1, TDXU_SUCCESS },
	{ 2, -1, IMAGE, 0, 9, 13, 0, 9, 13, TDXU_SUCCESS },
	{ 2, -1, IMAGE, 0, 9, 13, 0, 9, 12, TDXU_BAD_HANDOFF },
	{ 2, -1, ALMOST_IMAGE, 0, 9, 13, 0, 0, -1, TDXU_BAD_HANDOFF },
	{ 2, -1, RECOVERY, 0, 9, 13, 0, 9, 13, TDXU_SUCCESS },
	{ 2, -1, RECOVERY, 0, 9, 12, 0, 9, 13, TDXU_BAD_HANDOFF },
	{ 2, -1, FORGED_IMAGE, 0, 9, 13, 0, 0, -1, TDXU_BAD_SIGNATURE },
	{ 2, -1, FORGED_RECOVERY, 0, 9, 13, 0, 9, 13, TDXU_BAD_HANDOFF },
	{ 2, -1, FOREIGN_RECOVERY, 0, 9, 13, 0, 9, 13, TDXU_BAD_HANDOFF },
	{ -1, -1, NEITHER, 0, 9, 13, 0, 0, -1, TDXU_BAD_HANDOFF },
	{ -1, -1, IMAGE, 0, 9, 13, 0, 0, -1, TDXU_SUCCESS },
	{ -1, -1, RECOVERY, 0, 9, 13, 3, 3, 13, TDXU_SUCCESS },
};

static void make_waiting(struct world *w, const struct waiting *row)
{
	bool of_image = row->installed == IMAGE || row->installed == FORGED_IMAGE ||
			row->installed == ALMOST_IMAGE;

	make_good(w);
	resumed(w);
	w->platform.handoff = (struct tdxu_handoff){
		.waits = true,
		.hv = row->hv, .hv_known = row->hv >= 0,
		.num_pages = row->pages, .num_pages_known = row->pages >= 0,
	};
	w->has_recovery = row->recovery_pages >= 0;
	w->image.sig.min_update_hv = row->min;
	w->image.sig.module_hv = row->max;
	w->image.sig.num_handoff_pages = row->image_pages;
	w->recovery.sig.min_update_hv = row->recovery_min;
	w->recovery.sig.module_hv = row->recovery_max;
	w->recovery.sig.num_handoff_pages = row->recovery_pages;
	if (row->installed != NEITHER)
		memcpy(w->platform.mrseam,
		       of_image ? w->image.sig.seamhash : w->recovery.sig.seamhash,
		       sizeof(w->platform.mrseam));
	if (row->installed == ALMOST_IMAGE)
		w->platform.mrseam[sizeof(w->platform.mrseam) - 1]++;
	if (row->installed == FORGED_IMAGE)
		w->check.signature_good = false;
	if (row->installed == FORGED_RECOVERY)
		w->recovery_check.signature_good = false;
	if (row->installed == FOREIGN_RECOVERY)
		w->recovery_check.signer = TDXU_SIGNER_UNKNOWN;
}

static void test_waiting(unsigned int i)
{
	struct tdxu_plan plan = { .shutdown_rcx = 1 };
	enum tdxu_result seen;
	static struct world w;
	char what[80];

	make_waiting(&w, &waitings[i]);
	w.platform.handoff.session_open = i % 2;
	seen = plan_of(&w, &plan).result;
	snprintf(what, sizeof(what), "handoff data that waits, row %u", i);
	report(seen == waitings[i].result &&
	       (seen || (plan.resume && plan.join_session == i % 2 && !plan.shutdown_rcx)), what,
	       NULL, names[waitings[i].result], names[seen]);
}

/* P-SEAMLDR 1.5.02 wants zeroes in bytes 1000 to 1023. @byte 24 changes none of them. */
static void test_old_loader(unsigned int byte)
{
	enum tdxu_result expected = byte < 24 ? TDXU_BAD_IMAGE : TDXU_SUCCESS, seen;
	struct tdxu_plan plan = { 0 };
	static struct world w;
	char what[80];

	make_good(&w);
	no_version_for_old_loader(&w);
	if (byte < 24)
		w.image.sig_page[1000 + byte] = 0x80;
	seen = plan_of(&w, &plan).result;
	snprintf(what, sizeof(what), "loader 1.5.02 and byte %u", 1000 + byte);
	report(seen == expected, what, NULL, names[expected], names[seen]);
}

#define OLD_LOADER_TESTS	25u

static void no_size_known(struct world *w)
{
	make_waiting(w, &(const struct waiting){ -1, -1, NEITHER, 0, 9, 13, 0, 0, -1, 0 });
}

/* Reasons with a name or a number that tells a user what to do. */
static const struct {
	void (*change)(struct world *w);
	const char *why;
} reasons[] = {
	{ one_package_other, "CPUID(1).EAX 0x000c06f0" },
	{ fewer_pages, "12 handoff pages, at least 13 needed" },
	{ recovery_fewer_pages, "recovery image: 12 handoff pages, at least 13 needed" },
	{ recovery_older, "recovery image" },
	{ recovery_unsigned, "recovery image: wrong signature" },
	{ recovery_required, "no recovery image is set, and require_recovery is set" },
	{ no_size_known,
	  "its size is not known without the image of the TDX module that is shut down" },
	{ no_room, "4188 KiB needed, 1024 KiB available" },
};

static void test_reason(unsigned int i)
{
	struct tdxu_plan plan = { 0 };
	struct tdxu_verdict verdict;
	static struct world w;

	make_good(&w);
	reasons[i].change(&w);
	verdict = plan_of(&w, &plan);
	report(verdict.result && !strcmp(verdict.why, reasons[i].why), "reason", NULL,
	       reasons[i].why, verdict.why);
}

/* The second of two changes to one field undoes the first, so such pairs are left out. */
static void (* const same_field[][6])(struct world *w) = {
	{ debug_signed, debug_signed_on_unlocked_platform, debug_signed_by_parameter,
	  debug_signed_on_debug_loader, debug_signed_on_unknown_platform, unknown_signer },
	{ debug_signed, debug_signed_on_unlocked_platform, debug_signed_by_parameter,
	  debug_signed_on_debug_loader, debug_signed_on_unknown_platform, no_table },
	{ other_cpu, one_package_other, last_package_other, no_table },
	{ series_zero, series_higher },
	{ gdt_only, fault_wrapper_only },
	{ image_too_old_for_handoff, image_too_new_for_handoff, hv_reversed },
	{ recovery_required, recovery_older, recovery_unsigned, recovery_without_handoff,
	  recovery_fewer_pages, recovery_hv_reversed },
	{ recovery_hv_reversed, recovery_without_handoff },
};

static bool is_pair(const struct row *first, const struct row *second)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(same_field); i++) {
		unsigned int in = 0;

		for (j = 0; j < ARRAY_SIZE(same_field[i]); j++)
			in += same_field[i][j] && (first->change == same_field[i][j] ||
						   second->change == same_field[i][j]);
		if (in == 2)
			return false;
	}
	return true;
}

int main(void)
{
	unsigned int i, j, planned = 0;

	for (i = 0; i < ARRAY_SIZE(refused); i++)
		for (j = i + 1; j < ARRAY_SIZE(refused); j++)
			planned += is_pair(&refused[i], &refused[j]);
	planned += ARRAY_SIZE(accepted) + ARRAY_SIZE(refused) + 2 * ARRAY_SIZE(handoffs) +
		   ARRAY_SIZE(recoveries) + ARRAY_SIZE(page_counts) + 2 * ARRAY_SIZE(sizes) +
		   ARRAY_SIZE(waitings) + OLD_LOADER_TESTS + ARRAY_SIZE(reasons);

	printf("KTAP version 1\n1..%u\n", planned);
	for (i = 0; i < ARRAY_SIZE(accepted); i++)
		test_row(&accepted[i], NULL, accepted[i].result);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		test_row(&refused[i], NULL, refused[i].result);
		for (j = i + 1; j < ARRAY_SIZE(refused); j++)
			if (is_pair(&refused[i], &refused[j]))
				test_row(&refused[i], &refused[j], refused[i].result);
	}
	for (i = 0; i < ARRAY_SIZE(handoffs); i++) {
		test_handoff(&handoffs[i], true);
		test_handoff(&handoffs[i], false);
	}
	for (i = 0; i < ARRAY_SIZE(recoveries); i++)
		test_recovery(i);
	for (i = 0; i < ARRAY_SIZE(page_counts); i++)
		test_pages(i);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		test_room(i, true);
		test_room(i, false);
	}
	for (i = 0; i < ARRAY_SIZE(waitings); i++)
		test_waiting(i);
	for (i = 0; i < OLD_LOADER_TESTS; i++)
		test_old_loader(i);
	for (i = 0; i < ARRAY_SIZE(reasons); i++)
		test_reason(i);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
