// SPDX-License-Identifier: GPL-2.0-only
/*
 * Table of plan.c: what each fact, changed alone and in pairs, makes of an image that is good.
 * Prints KTAP. Knows the order of P-SEAMLDR's checks from SPEC.md section 4, not from plan.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define THIS_CPU		0x806F8u
#define OTHER_CPU		0xC06F2u
#define MODULE_PAGES		4u

static const char * const names[] = {
#define NAME(symbol, name, code, text) [TDXU_##symbol] = name,
	TDXU_RESULTS(NAME)
#undef NAME
};

struct world {
	struct seam_sigstruct sig;
	struct tdxu_candidate candidate;
	struct seam_sigstruct recovery_sig;
	struct tdxu_candidate recovery;
	bool has_recovery;
	struct tdxu_platform platform;
	struct tdxu_policy policy;
};

static void make_good(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->sig.svn_major = 1;
	w->sig.svn_minor = 5;
	w->sig.cpuid_table_size = 2;
	w->sig.cpuid_table[0] = 0xA06F0;
	w->sig.cpuid_table[1] = THIS_CPU;
	w->candidate.image.sigstruct = &w->sig;
	w->candidate.image.module_pages = MODULE_PAGES;
	w->candidate.findings = (struct tdxu_findings){ TDXU_SIGNER_INTEL, true, true };
	w->recovery = w->candidate;
	w->recovery_sig = w->sig;
	w->recovery.image.sigstruct = &w->recovery_sig;
	w->platform.module.features0 = TDX_FEATURES0_TD_PRESERVING | TDX_FEATURES0_UPDATE_COMPAT;
	w->platform.svn_major = 1;
	w->platform.svn_minor = 5;
	w->platform.updates_left = 2;
	w->platform.num_cpu_kinds = 1;
	w->platform.cpu_kinds[0] = THIS_CPU & ~SEAM_SIGSTRUCT_CPUID_STEPPING;
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
	w->candidate.findings.signer = TDXU_SIGNER_UNKNOWN;
}

static void signer_of_parameter(struct world *w)
{
	w->candidate.findings.signer = TDXU_SIGNER_PARAMETER;
}

static void debug_signed(struct world *w)
{
	w->sig.module_type = SEAM_SIGSTRUCT_DEBUG_SIGNED;
}

static void debug_signed_on_debug_platform(struct world *w)
{
	debug_signed(w);
	w->platform.debug = TDXU_DEBUG_UNLOCKED;
}

static void debug_signed_by_parameter(struct world *w)
{
	debug_signed(w);
	signer_of_parameter(w);
}

static void debug_signed_allowed(struct world *w)
{
	debug_signed_by_parameter(w);
	w->platform.debug = TDXU_DEBUG_UNLOCKED;
}

static void debug_signed_allowed_no_table(struct world *w)
{
	debug_signed_allowed(w);
	w->sig.cpuid_table_size = 0;
}

static void series_zero(struct world *w)
{
	w->sig.svn_major = 0;
	w->platform.svn_major = 0;
}

static void series_higher(struct world *w)
{
	w->sig.svn_major = 2;
}

static void svn_lower(struct world *w)
{
	w->sig.svn_minor = 4;
}

static void svn_higher(struct world *w)
{
	w->sig.svn_minor = 255;
}

static void rip_outside(struct world *w)
{
	w->sig.rip_offset = MODULE_PAGES * TDX_PAGE_SIZE;
}

static void gdt_outside(struct world *w)
{
	w->sig.gdt_idt_offset = MODULE_PAGES * TDX_PAGE_SIZE;
}

static void fault_wrapper_outside(struct world *w)
{
	w->sig.fault_wrapper_offset = UINT32_MAX;
}

static void offsets_at_end(struct world *w)
{
	w->sig.rip_offset = MODULE_PAGES * TDX_PAGE_SIZE - 1;
	w->sig.gdt_idt_offset = w->sig.rip_offset;
	w->sig.fault_wrapper_offset = w->sig.rip_offset;
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

static void too_many_kinds(struct world *w)
{
	w->platform.num_cpu_kinds = TDXU_MAX_CPU_KINDS + 1;
}

static void other_stepping(struct world *w)
{
	w->sig.cpuid_table[1] = THIS_CPU ^ SEAM_SIGSTRUCT_CPUID_STEPPING;
}

static void full_table(struct world *w)
{
	unsigned int i;

	for (i = 0; i < SEAM_SIGSTRUCT_MAX_CPUIDS; i++)
		w->sig.cpuid_table[i] = OTHER_CPU;
	w->sig.cpuid_table[i - 1] = THIS_CPU;
	w->sig.cpuid_table_size = i;
}

static void no_table(struct world *w)
{
	w->sig.cpuid_table_size = 0;
}

static void bad_signature(struct world *w)
{
	w->candidate.findings.signature_good = false;
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
	w->sig.min_update_hv = 1;
	w->sig.module_hv = 2;
}

static void bad_hash(struct world *w)
{
	w->candidate.findings.hash_good = false;
}

static void good_recovery(struct world *w)
{
	w->has_recovery = true;
}

static void recovery_older(struct world *w)
{
	w->has_recovery = true;
	w->recovery_sig.svn_minor = 4;
}

static void recovery_without_handoff(struct world *w)
{
	w->has_recovery = true;
	w->recovery_sig.min_update_hv = 7;
	w->recovery_sig.module_hv = 8;
}

static void recovery_unsigned(struct world *w)
{
	w->has_recovery = true;
	w->recovery.findings.signature_good = false;
}

/* What the running module cannot do is no matter where none runs. */
static void resumed(struct world *w)
{
	w->platform.handoff.waits = true;
	w->platform.handoff.hv_known = true;
	w->platform.module.features0 = 0;
	w->policy.require_race_protection = true;
}

static void resumed_without_handoff(struct world *w)
{
	resumed(w);
	w->platform.handoff.hv = 1;
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
	ROW(signer_of_parameter, SUCCESS),
	ROW(debug_signed_allowed, SUCCESS),
	ROW(debug_signed_allowed_no_table, SUCCESS),
	ROW(svn_higher, SUCCESS),
	ROW(offsets_at_end, SUCCESS),
	ROW(two_packages_known, SUCCESS),
	ROW(other_stepping, SUCCESS),
	ROW(full_table, SUCCESS),
	ROW(good_recovery, SUCCESS),
	ROW(resumed, SUCCESS),
};

/* In the order in which the firmware looks: of two, the earlier is named. */
static const struct row refused[] = {
	ROW(no_preserving, UNSUPPORTED),
	ROW(protection_required, UNSUPPORTED),
	ROW(unknown_signer, BAD_SIGNATURE),
	ROW(debug_signed, BAD_SIGNATURE),
	ROW(debug_signed_on_debug_platform, BAD_SIGNATURE),
	ROW(debug_signed_by_parameter, BAD_SIGNATURE),
	ROW(series_zero, WRONG_SERIES),
	ROW(series_higher, WRONG_SERIES),
	ROW(svn_lower, OLDER),
	ROW(rip_outside, BAD_IMAGE),
	ROW(gdt_outside, BAD_IMAGE),
	ROW(fault_wrapper_outside, BAD_IMAGE),
	ROW(other_cpu, WRONG_CPU),
	ROW(one_package_other, WRONG_CPU),
	ROW(too_many_kinds, WRONG_CPU),
	ROW(no_table, BAD_IMAGE),
	ROW(bad_signature, BAD_SIGNATURE),
	ROW(no_updates_left, NO_UPDATES_LEFT),
	ROW(image_too_old_for_handoff, BAD_HANDOFF),
	ROW(image_too_new_for_handoff, BAD_HANDOFF),
	ROW(bad_hash, CORRUPT),
	ROW(recovery_older, OLDER),
	ROW(recovery_unsigned, BAD_SIGNATURE),
	ROW(recovery_without_handoff, BAD_HANDOFF),
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
	{ 0, 5, false, 3, 1, -1 },	/* a range that is none */
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

static enum tdxu_result plan_of(const struct world *w, struct tdxu_plan *plan)
{
	return tdxu_plan_make(&w->candidate, w->has_recovery ? &w->recovery : NULL, &w->platform,
			      &w->policy, plan).result;
}

static void test_row(const struct row *row, const struct row *with, enum tdxu_result expected)
{
	struct tdxu_plan plan = { 0 };
	enum tdxu_result seen;
	struct world w;

	make_good(&w);
	row->change(&w);
	if (with)
		with->change(&w);
	seen = plan_of(&w, &plan);
	report(seen == expected, row->what, with ? with->what : NULL, names[expected],
	       names[seen]);
}

static void test_handoff(const struct handoff *h, bool protection)
{
	char what[80], expected[24], seen[24];
	struct tdxu_plan plan = { .shutdown_rcx = ~0ULL };
	u64 rcx = (u64)h->hv | (protection ? TDX_SHUTDOWN_AVOID_COMPAT_SENSITIVE : 0);
	enum tdxu_result result;
	struct world w;

	make_good(&w);
	if (!protection)
		no_protection(&w);
	w.platform.module.min_update_hv = h->min;
	w.platform.module.module_hv = h->max;
	w.platform.module.no_downgrade = h->no_downgrade;
	w.sig.min_update_hv = h->image_min;
	w.sig.module_hv = h->image_max;
	result = plan_of(&w, &plan);

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

/* The handoff version that three have to agree on, and what the recovery image may follow. */
static void test_recovery(void)
{
	static const struct {
		u8 svn, recovery_svn;
		u32 updates_left;
		u16 recovery_min, recovery_max;
		u16 hv;
	} rows[] = {
		{ 5, 5, 2, 0, 9, 3 },
		{ 5, 5, 1, 0, 9, 3 },
		{ 6, 5, 9, 0, 9, 3 },
		{ 6, 6, 9, 0, 2, 2 },
		{ 5, 9, 9, 1, 1, 1 },
	};
	char expected[64], seen[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tdxu_plan plan = { 0 };
		enum tdxu_result result;
		struct world w;

		make_good(&w);
		no_protection(&w);
		good_recovery(&w);
		w.platform.module.module_hv = 4;
		w.platform.updates_left = rows[i].updates_left;
		w.sig.svn_minor = rows[i].svn;
		w.sig.module_hv = 3;
		w.recovery_sig.svn_minor = rows[i].recovery_svn;
		w.recovery_sig.min_update_hv = rows[i].recovery_min;
		w.recovery_sig.module_hv = rows[i].recovery_max;
		result = plan_of(&w, &plan);
		snprintf(expected, sizeof(expected), "HV %u, SVN %u, %u left", rows[i].hv,
			 w.platform.svn_minor, rows[i].updates_left);
		snprintf(seen, sizeof(seen), "HV %u, SVN %u, %u left",
			 (unsigned int)plan.shutdown_rcx, plan.svn_minor, plan.updates_left);
		report(!result && !plan.resume && !strcmp(expected, seen), "recovery", NULL,
		       expected, result ? names[result] : seen);
	}
}

#define NUM_RECOVERY_TESTS	5

/* An attempt that goes on with what an earlier one has shut down. */
static void test_resumed(void)
{
	struct tdxu_plan plan = { 0 };
	enum tdxu_result result;
	struct world w;

	make_good(&w);
	resumed(&w);
	w.platform.handoff.hv = 2;
	w.sig.module_hv = 9;
	result = plan_of(&w, &plan);
	report(!result && plan.resume && plan.shutdown_rcx == 2, "resumed, version 2", NULL,
	       "success", names[result]);
	make_good(&w);
	resumed_without_handoff(&w);
	result = plan_of(&w, &plan);
	report(result == TDXU_BAD_HANDOFF, "resumed, version 1", NULL, names[TDXU_BAD_HANDOFF],
	       names[result]);
}

#define NUM_RESUMED_TESTS	2

/* Two changes to one field leave only the second; such pairs say nothing. */
static bool is_pair(const struct row *first, const struct row *second)
{
	static void (* const about_module_type[])(struct world *w) = {
		debug_signed, debug_signed_on_debug_platform, debug_signed_by_parameter,
		unknown_signer, no_table,
	};
	static void (* const about_cpus[])(struct world *w) = {
		other_cpu, one_package_other, too_many_kinds, no_table,
	};
	static void (* const about_hv[])(struct world *w) = {
		image_too_old_for_handoff, image_too_new_for_handoff,
		recovery_without_handoff, recovery_older, recovery_unsigned,
	};
	unsigned int in_type = 0, in_cpus = 0, in_hv = 0, i;

	for (i = 0; i < ARRAY_SIZE(about_module_type); i++)
		in_type += first->change == about_module_type[i] ||
			   second->change == about_module_type[i];
	for (i = 0; i < ARRAY_SIZE(about_cpus); i++)
		in_cpus += first->change == about_cpus[i] || second->change == about_cpus[i];
	for (i = 0; i < ARRAY_SIZE(about_hv); i++)
		in_hv += first->change == about_hv[i] || second->change == about_hv[i];
	return in_type < 2 && in_cpus < 2 && in_hv < 2 &&
	       !(first->change == series_zero && second->change == series_higher);
}

int main(void)
{
	unsigned int i, j, planned = 0;

	for (i = 0; i < ARRAY_SIZE(refused); i++)
		for (j = i + 1; j < ARRAY_SIZE(refused); j++)
			planned += is_pair(&refused[i], &refused[j]);
	planned += ARRAY_SIZE(accepted) + ARRAY_SIZE(refused) + 2 * ARRAY_SIZE(handoffs) +
		   NUM_RECOVERY_TESTS + NUM_RESUMED_TESTS;

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
	test_recovery();
	test_resumed();
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
