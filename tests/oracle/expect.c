// SPDX-License-Identifier: GPL-2.0-only
/*
 * Translates the oracle's judgement to a result of the project. One table has the result for each
 * rule of firmware, another where and why the project means to differ. Calls nothing of src/.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"

/* @of_form: the rule is in image.c, which knows no platform; the other rules are in plan.c. */
static const struct {
	const char *rule;
	enum tdxu_result result;
	bool of_form;
} meanings[] = {
	{ "container-size", TDXU_BAD_IMAGE, true },
	{ "container-version", TDXU_BAD_IMAGE, true },
	{ "container-length", TDXU_BAD_IMAGE, true },
	{ "container-layout", TDXU_BAD_IMAGE, true },
	{ "container-reserved", TDXU_BAD_IMAGE, true },
	{ "container-sigstruct", TDXU_BAD_IMAGE, true },
	{ "container-module", TDXU_BAD_IMAGE, true },
	{ "container-pages", TDXU_TOO_LARGE, true },
	{ "container-checksum", TDXU_CORRUPT, true },
	{ "header-type", TDXU_BAD_IMAGE, true },
	{ "header-length", TDXU_BAD_IMAGE, true },
	{ "header-version", TDXU_BAD_IMAGE, true },
	{ "module-type", TDXU_BAD_IMAGE, true },
	{ "vendor", TDXU_BAD_IMAGE, true },
	{ "size", TDXU_BAD_IMAGE, true },
	{ "key-size", TDXU_BAD_IMAGE, true },
	{ "modulus-size", TDXU_BAD_IMAGE, true },
	{ "exponent-size", TDXU_BAD_IMAGE, true },
	{ "reserved-40", TDXU_BAD_IMAGE, true },
	{ "exponent", TDXU_BAD_IMAGE, true },
	{ "attributes", TDXU_BAD_IMAGE, true },
	{ "reserved-978", TDXU_BAD_IMAGE, true },
	{ "reserved-989", TDXU_BAD_IMAGE, true },
	{ "reserved-1000", TDXU_BAD_IMAGE, false },
	{ "cpu-table-size", TDXU_BAD_IMAGE, true },
	{ "hv-reversed", TDXU_BAD_IMAGE, true },
	{ "gdt-alignment", TDXU_BAD_IMAGE, true },
	{ "one-table-only", TDXU_BAD_IMAGE, true },
	{ "signer", TDXU_BAD_SIGNATURE, false },
	{ "debug-signed", TDXU_BAD_SIGNATURE, false },
	{ "svn-major-0", TDXU_WRONG_SERIES, false },
	{ "svn-major", TDXU_WRONG_SERIES, false },
	{ "svn-minor", TDXU_OLDER, false },
	{ "gdt-outside", TDXU_BAD_IMAGE, false },
	{ "wrapper-outside", TDXU_BAD_IMAGE, false },
	{ "cpu-table", TDXU_WRONG_CPU, false },
	{ "cpu-table-empty", TDXU_BAD_IMAGE, false },
	{ "signature", TDXU_BAD_SIGNATURE, false },
	{ "room", TDXU_NO_ROOM, false },
	{ "updates-left", TDXU_NO_UPDATES_LEFT, false },
	{ "handoff-version", TDXU_BAD_HANDOFF, false },
	{ "hash", TDXU_CORRUPT, false },
	{ "handoff-pages", TDXU_BAD_HANDOFF, false },
};

static unsigned long decided[ARRAY_SIZE(meanings)];

static unsigned int meaning_of(const char *rule)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(meanings); i++)
		if (!strcmp(meanings[i].rule, rule))
			return i;
	fprintf(stderr, "oracle: no result is known for rule %s\n", rule);
	exit(EXIT_FAILURE);
}

static bool is_of_form(const char *rule)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(meanings); i++)
		if (!strcmp(meanings[i].rule, rule))
			return meanings[i].of_form;
	return false;
}

/* ---- where the project means to differ ---- */

static uint64_t field(const struct exhibit *image, unsigned int offset, unsigned int size)
{
	return oracle_get(image->sigstruct, offset, size);
}

/*
 * Return whether the handoff data can have this version. If it waits, it has @waiting_hv. If not,
 * the shutdown chooses one of the versions that the running TDX module writes.
 */
static bool writes(const struct situation *situation, uint16_t hv)
{
	const struct oracle_installed *installed = &situation->installed;

	if (situation->waits)
		return hv == situation->waiting_hv;
	return hv >= installed->hv_min && hv <= installed->hv_max &&
	       (!installed->no_downgrade || hv == installed->hv_max);
}

/* What the closing call of SEAMLDR.INSTALL would check, with handoff data of version @hv. */
static struct oracle_install make_install(const struct matter *matter, uint16_t hv,
					  const uint8_t **pages)
{
	const struct situation *situation = matter->situation;
	const struct exhibit *image = matter->image;
	/* Assume the largest handoff data that the installed TDX module can write. */
	uint64_t largest = (situation->installed.handoff_pages + 1ull) * ORACLE_PAGE - 8;
	uint64_t i;

	for (i = 0; i < image->nr_pages; i++)
		pages[i] = image->module + i * ORACLE_PAGE;
	return (struct oracle_install){
		.platform = &situation->platform,
		.installed = &situation->installed,
		.handoff = { true, hv, largest },
		.updates_left = situation->updates_left,
		.params = { true, 0, 1, true, true, image->nr_pages, true },
		.sigstruct = image->sigstruct,
		.pages = pages,
	};
}

static bool reads(const struct exhibit *image, const struct situation *situation, uint16_t hv)
{
	const struct matter matter = { image, NULL, situation, false };
	const uint8_t *pages[ORACLE_MAX_PAGES];
	struct oracle_install install;

	if (!image)
		return true;
	install = make_install(&matter, hv, pages);
	return !oracle_is_broken(&install, "handoff-version");
}

/**
 * expect_version() - find the handoff version for an update
 * @matter: its image has to read the version; if that is the recovery image, the other image too
 * @hv: set to the highest version, if there is one
 *
 * Tries only numbers at which a range ends.
 *
 * Return: whether there is a version.
 */
bool expect_version(const struct matter *matter, uint16_t *hv)
{
	const struct situation *situation = matter->situation;
	const struct exhibit *first = matter->is_recovery ? matter->other : NULL;
	const uint16_t ends[] = {
		situation->installed.hv_max, situation->waiting_hv, field(matter->image, 984, 2),
		first ? field(first, 984, 2) : 0,
	};
	bool found = false;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		if (!writes(situation, ends[i]) || !reads(matter->image, situation, ends[i]) ||
		    !reads(first, situation, ends[i]))
			continue;
		if (!found || ends[i] > *hv)
			*hv = ends[i];
		found = true;
	}
	return found;
}

static bool room_not_known(const struct matter *matter, const struct oracle_install *install)
{
	return !matter->situation->room_known;
}

static bool near_miss(const struct matter *matter, const struct oracle_install *install)
{
	return oracle_bytes_needed(install) * 100 <= install->platform->room * 101;
}

/* Return the image of the installed TDX module, if it is one of the two and its signature good. */
static const struct exhibit *installed_one(const struct matter *matter)
{
	const struct exhibit *images[] = { matter->image, matter->other };
	const uint8_t *pages[ORACLE_MAX_PAGES];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct matter of = { images[i], NULL, matter->situation, false };
		struct oracle_install install;

		if (!images[i] || memcmp(images[i]->sigstruct + 900, matter->situation->mrseam,
					 ORACLE_HASH))
			continue;
		install = make_install(&of, 0, pages);
		if (!oracle_is_broken(&install, "signer") &&
		    !oracle_is_broken(&install, "signature"))
			return images[i];
	}
	return NULL;
}

/*
 * The version of the waiting handoff data is unknown and cannot be chosen. The project accepts any
 * image; but if the image of the installed TDX module is there, their versions have to overlap.
 */
static bool version_not_known(const struct matter *matter, const struct oracle_install *install)
{
	const struct exhibit *images[] = { matter->image, installed_one(matter) };
	uint16_t lowest = 0, highest = 0xffff;
	unsigned int i;

	if (!matter->situation->waits || matter->situation->waiting_hv_known)
		return false;
	for (i = 0; i < ARRAY_SIZE(images); i++) {
		if (!images[i])
			continue;
		if (lowest < field(images[i], 986, 2))
			lowest = field(images[i], 986, 2);
		if (highest > field(images[i], 984, 2))
			highest = field(images[i], 984, 2);
	}
	return lowest <= highest;
}

static bool pages_not_known(const struct matter *matter, const struct oracle_install *install)
{
	return matter->situation->waits && !matter->situation->waiting_pages_known &&
	       !installed_one(matter);
}

static bool debug_by_intel(const struct matter *matter, const struct oracle_install *install)
{
	return field(matter->image, 12, 4) >> 31 && matter->situation->intel_signer;
}

static bool unlocked_not_known(const struct matter *matter, const struct oracle_install *install)
{
	return field(matter->image, 12, 4) >> 31 && !matter->situation->unlocked_known &&
	       !matter->situation->debug_loader;
}

static bool locked_not_known(const struct matter *matter, const struct oracle_install *install)
{
	return !matter->situation->unlocked_known && matter->situation->debug_loader;
}

static bool recovery_has_fewer(const struct matter *matter, const struct oracle_install *install)
{
	return matter->is_recovery && field(matter->image, 990, 2) < field(matter->other, 990, 2);
}

/*
 * WAIVES: the project lets through what this rule of firmware refuses, because it cannot know.
 * REFUSES: in place of this rule the project refuses what firmware would accept.
 */
enum effect { WAIVES, REFUSES };

static const struct {
	const char *name;
	enum effect effect;
	const char *rule;
	enum tdxu_result result;
	bool (*applies)(const struct matter *matter, const struct oracle_install *install);
} policies[] = {
	{ "room-unknown: SEAM's range cannot be read", WAIVES, "room", 0, room_not_known },
	{ "room-near-miss: within 1 %, a later loader may compute otherwise", WAIVES, "room", 0,
	  near_miss },
	{ "handoff-version-unknown: another driver has shut down", WAIVES, "handoff-version", 0,
	  version_not_known },
	{ "debug-unlocked-unknown: a debug loader has to do", WAIVES, "debug-signed", 0,
	  locked_not_known },
	{ "debug-not-named: the administrator has not named the signer", REFUSES, "debug-signed",
	  TDXU_BAD_SIGNATURE, debug_by_intel },
	{ "debug-locked-unknown: the MSR cannot be read", REFUSES, "debug-signed",
	  TDXU_BAD_SIGNATURE, unlocked_not_known },
	{ "handoff-pages-unknown: neither the firmware nor an image tells them", REFUSES,
	  "handoff-pages", TDXU_BAD_HANDOFF, pages_not_known },
	{ "recovery-pages: the recovery image has fewer handoff pages than the image", REFUSES,
	  "handoff-pages", TDXU_BAD_HANDOFF, recovery_has_fewer },
};

static_assert(ARRAY_SIZE(policies) <= MAX_POLICIES);

static unsigned long used[ARRAY_SIZE(policies)];

static unsigned int container_results(const struct file *file, struct grounds *grounds)
{
	unsigned int i, set = 0;

	for (i = 0; i < oracle_nr_container_rules; i++) {
		const struct oracle_container_rule *rule = &oracle_container_rules[i];

		if (!rule->broken(file->bytes, file->size))
			continue;
		if (!grounds->rule) {
			grounds->rule = rule->name;
			grounds->meaning = meaning_of(rule->name);
		}
		set |= SET(meanings[meaning_of(rule->name)].result);
	}
	return set;
}

/* Return the row of policies[] that applies at a rule, or -1. */
static int find_policy(enum effect effect, const char *rule, const struct matter *matter,
		       const struct oracle_install *install)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(policies); i++)
		if (policies[i].effect == effect && !strcmp(policies[i].rule, rule) &&
		    policies[i].applies(matter, install))
			return i;
	return -1;
}

/*
 * Apply one rule and its policies. The rule on handoff versions is broken if no version is good for
 * the shutdown. Return the rule's result, or TDXU_SUCCESS.
 */
static enum tdxu_result apply(const struct oracle_rule *rule, const struct matter *matter,
			      const struct oracle_install *install, bool has_version,
			      struct grounds *grounds)
{
	bool broken = strcmp(rule->name, "handoff-version") ? rule->broken(install, rule) :
							      !has_version;
	int refuses = find_policy(REFUSES, rule->name, matter, install);
	int waives = broken ? find_policy(WAIVES, rule->name, matter, install) : -1;

	if (waives >= 0)
		grounds->policy[waives] = true;
	if (broken && waives < 0) {
		grounds->rule = rule->name;
		grounds->meaning = meaning_of(rule->name);
		return meanings[grounds->meaning].result;
	}
	if (refuses < 0)
		return TDXU_SUCCESS;
	grounds->rule = "none of firmware's";
	grounds->policy[refuses] = true;
	return policies[refuses].result;
}

/**
 * expect_results() - determine the results that the project may return
 * @matter: the subject of the judgement
 * @grounds: all zeroes; set to the rows that decide
 *
 * There is one result, except for containers: firmware does not know them, so if one has several
 * faults, the project may name any. If the running TDX module cannot be updated, its shutdown fails
 * before all rules of SEAMLDR.INSTALL; but the project checks the form of an image first.
 *
 * Return: the set of results.
 */
unsigned int expect_results(const struct matter *matter, struct grounds *grounds)
{
	const struct situation *situation = matter->situation;
	bool can_update = situation->waits || situation->installed.features0 & F0_TD_PRESERVING;
	unsigned int set = container_results(&matter->image->file, grounds), i;
	const uint8_t *pages[ORACLE_MAX_PAGES];
	struct oracle_install install;
	enum tdxu_result result;
	bool has_version;
	uint16_t hv = 0;

	if (set)
		return set;
	grounds->meaning = -1;
	has_version = expect_version(matter, &hv);
	install = make_install(matter, hv, pages);
	for (i = 0; i < oracle_nr_rules; i++) {
		const struct oracle_rule *rule = &oracle_rules[i];

		if (!can_update && !is_of_form(rule->name))
			continue;
		result = apply(rule, matter, &install, has_version, grounds);
		if (result)
			return SET(result);
	}
	if (can_update)
		return SET(TDXU_SUCCESS);
	grounds->rule = "no TD_PRESERVING";
	return SET(TDXU_UNSUPPORTED);
}

/**
 * expect_count() - count the rows on which a judgement is based
 * @grounds: of a judgement on which oracle and project agree
 */
void expect_count(const struct grounds *grounds)
{
	unsigned int i;

	if (grounds->meaning >= 0)
		decided[grounds->meaning]++;
	for (i = 0; i < ARRAY_SIZE(policies); i++)
		used[i] += grounds->policy[i];
}

/**
 * expect_show_policies() - print the policies on which a judgement is based
 * @grounds: of any judgement
 */
void expect_show_policies(const struct grounds *grounds)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(policies); i++)
		if (grounds->policy[i])
			printf(" (%s)", policies[i].name);
}

static unsigned int missed(unsigned long times, unsigned long reached)
{
	if (times >= reached)
		return 0;
	printf("          ^ fewer than %lu: the generator does not reach this\n", reached);
	return 1;
}

/**
 * expect_print_table() - print every row and how many judgements it decided
 * @result_names: name of each result
 * @reached: how many judgements each row must have decided
 *
 * Return: the number of rows that decided fewer.
 */
unsigned int expect_print_table(const char * const *result_names, unsigned long reached)
{
	unsigned int i, nr_missed = 0;

	for (i = 0; i < ARRAY_SIZE(meanings); i++) {
		printf("%9lu %s -> %s\n", decided[i], meanings[i].rule,
		       result_names[meanings[i].result]);
		nr_missed += missed(decided[i], reached);
	}
	printf("Where the project means to differ from firmware:\n");
	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		printf("%9lu %s at rule %s: %s\n", used[i],
		       policies[i].effect == WAIVES ? "let through" : "refused", policies[i].rule,
		       policies[i].name);
		nr_missed += missed(used[i], reached);
	}
	return nr_missed;
}
