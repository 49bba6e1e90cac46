// SPDX-License-Identifier: GPL-2.0-only
/*
 * Has the oracle, and image.c and plan.c, judge generated images on generated platforms. If they
 * differ by more than expect.c allows, prints both judgements and fails.
 *
 *	judge [--images N] [--seed S] [--only IMAGE] [--stop DIFFERENCES]
 *
 * Each image is judged on several platforms. The same seed makes the same images, apart from their
 * keys, which are new in each run and decide nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "user_verify.h"

#define PLATFORMS		4u	/* for each image */
#define MAX_SHOWN		20u
#define LONG_RUN		50000u	/* images from which on each rule has to decide */
#define REACHED			50u	/* judgements that each rule then has to decide */

static const char * const result_names[] = {
#define RESULT(symbol, name, code, text) [TDXU_##symbol] = name,
	TDXU_RESULTS(RESULT)
#undef RESULT
};

#define NR_RESULTS	ARRAY_SIZE(result_names)

/* ---- the project's judgement ---- */

static struct tdxu_platform to_platform(const struct situation *situation)
{
	const struct oracle_platform *from = &situation->platform;
	const struct oracle_installed *installed = &situation->installed;
	struct tdxu_platform platform = {
		.module = {
			.features0 = installed->features0,
			.module_hv = installed->hv_max,
			.min_update_hv = installed->hv_min,
			.no_downgrade = installed->no_downgrade,
			.num_handoff_pages = installed->handoff_pages,
		},
		.svn_major = installed->svn_major,
		.svn_minor = installed->svn_minor,
		.updates_left = situation->updates_left,
		.debug = !situation->unlocked_known ? TDXU_DEBUG_UNKNOWN :
			 from->unlocked ? TDXU_DEBUG_UNLOCKED : TDXU_DEBUG_LOCKED,
		.debug_loader = situation->debug_loader,
		.seamldr = { from->loader.major, from->loader.minor, from->loader.update },
		.num_cpu_kinds = from->nr_sockets,
		.num_lps = from->addressable_lps,
		.room = situation->room_known ? from->room : 0,
	};
	unsigned int i;

	if (situation->waits)
		platform.handoff = (struct tdxu_handoff){
			.waits = true,
			.hv = situation->waiting_hv,
			.hv_known = situation->waiting_hv_known,
			.session_open = situation->session_open,
			.num_pages = installed->handoff_pages,
			.num_pages_known = situation->waiting_pages_known,
		};
	for (i = 0; i < from->nr_sockets; i++)
		platform.cpu_kinds[i] = from->cpuid[i] & ~0xfu;
	memcpy(platform.mrseam, situation->mrseam, sizeof(platform.mrseam));
	return platform;
}

/* Parse a copy of exactly the file's size, so that a sanitizer sees a read past its end. */
static struct tdxu_verdict parse(const struct exhibit *exhibit, struct tdxu_candidate *candidate,
				 u8 **copy)
{
	struct tdxu_verdict verdict;

	*copy = malloc(exhibit->file.size ?: 1);
	if (!*copy)
		exit(EXIT_FAILURE);
	memcpy(*copy, exhibit->file.bytes, exhibit->file.size);
	verdict = tdxu_image_parse(*copy, exhibit->file.size, &candidate->image);
	if (!verdict.result) {
		u8 signer[TDX_SHA384_SIZE];

		keys_signer(KEY_KNOWN, signer);
		candidate->check = user_verify(&candidate->image, signer);
	}
	return verdict;
}

/* There is one key for Intel and the administrator; the situation decides whose it is. */
static struct tdxu_candidate seen_from(const struct tdxu_candidate *candidate,
				       const struct situation *situation)
{
	struct tdxu_candidate seen = *candidate;

	if (seen.check.signer == TDXU_SIGNER_PARAMETER && situation->intel_signer)
		seen.check.signer = TDXU_SIGNER_INTEL;
	return seen;
}

/* ---- both ---- */

static unsigned long judged, alike, differences, refused, plans;

static void print_set(unsigned int set)
{
	unsigned int i;

	for (i = 0; i < NR_RESULTS; i++)
		if (set & SET(i))
			printf(" %s", result_names[i]);
}

static void print_situation(const struct situation *situation)
{
	const struct oracle_installed *installed = &situation->installed;
	const struct oracle_platform *platform = &situation->platform;
	const struct oracle_loader *loader = &platform->loader;

	printf("    running: SVN %u.%u, handoff versions %u to %u%s, %u handoff pages, ",
	       installed->svn_major, installed->svn_minor, installed->hv_min, installed->hv_max,
	       installed->no_downgrade ? " (no downgrade)" : "", installed->handoff_pages);
	printf("features0 0x%llx, %u updates left\n", (unsigned long long)installed->features0,
	       situation->updates_left);
	printf("    platform: %u sockets (0x%x ...), %u addressable LPs, %llu bytes of room, ",
	       platform->nr_sockets, platform->cpuid[0], platform->addressable_lps,
	       (unsigned long long)platform->room);
	printf("%s, P-SEAMLDR %u.%u.%u%s, signer is %s\n",
	       platform->unlocked ? "unlocked" : "locked", loader->major, loader->minor,
	       loader->update, situation->debug_loader ? " (debug)" : "",
	       situation->intel_signer ? "Intel" : "the administrator's");
	if (situation->waits)
		printf("    handoff data of version %u waits\n", situation->waiting_hv);
}

static void print_plan(const char *whose, const struct tdxu_plan *plan)
{
	printf("    %s: RCX 0x%llx, resume %u, join %u, SVN minor %u, %u updates left\n", whose,
	       (unsigned long long)plan->shutdown_rcx, plan->resume, plan->join_session,
	       plan->svn_minor, plan->updates_left);
}

static void print_case(const char *what, const struct history *history,
		       const struct situation *situation)
{
	printf("%s: %s\n", what, history->text);
	print_situation(situation);
}

/* Judge an image and its recovery image. The first of the two that is refused decides. */
static unsigned int expect_both(const struct matter matters[2], unsigned int nr,
				struct grounds *grounds)
{
	unsigned int set = SET(TDXU_SUCCESS), i;

	for (i = 0; i < nr && set == SET(TDXU_SUCCESS); i++) {
		*grounds = (struct grounds){ NULL, -1, { false } };
		set = expect_results(&matters[i], grounds);
		if (i + 1 < nr)
			expect_count(grounds);
	}
	return set;
}

static void compare(const char *what, const struct matter matters[2], unsigned int nr,
		    struct tdxu_verdict verdict, const struct history *history)
{
	struct grounds grounds;
	unsigned int set = expect_both(matters, nr, &grounds);

	judged++;
	refused += verdict.result != TDXU_SUCCESS;
	if (set & SET(verdict.result)) {
		alike++;
		expect_count(&grounds);
		return;
	}
	if (differences++ >= MAX_SHOWN)
		return;
	print_case(what, history, matters[0].situation);
	printf("    oracle: %s:", grounds.rule ?: "installed");
	print_set(set);
	expect_show_policies(&grounds);
	printf("\n    project: %s (%s)\n", result_names[verdict.result], verdict.why);
}

/* Compare the figures of a plan. */
static void compare_plan(const char *what, const struct matter *matter,
			 const struct tdxu_plan *plan, const struct history *history)
{
	const struct situation *situation = matter->situation;
	const struct oracle_installed *installed = &situation->installed;
	struct tdxu_plan wanted = {
		.resume = situation->waits,
		.join_session = situation->waits && situation->session_open,
		.svn_minor = installed->svn_minor,
		.updates_left = situation->updates_left,
	};
	uint16_t hv = 0;

	plans++;
	/* If nothing is shut down, RCX is not used. */
	if (!situation->waits) {
		expect_version(matter, &hv);
		wanted.shutdown_rcx = hv;
		if (installed->features0 & F0_UPDATE_COMPAT)
			wanted.shutdown_rcx |= AVOID_COMPAT_SENSITIVE;
	}
	if (plan->shutdown_rcx == wanted.shutdown_rcx && plan->resume == wanted.resume &&
	    plan->join_session == wanted.join_session && plan->svn_minor == wanted.svn_minor &&
	    plan->updates_left == wanted.updates_left)
		return;
	if (differences++ >= MAX_SHOWN)
		return;
	print_case(what, history, situation);
	print_plan("oracle", &wanted);
	print_plan("project", plan);
}

/* The project refuses the first malformed file before it checks anything else. */
static struct tdxu_verdict ask_project(const struct tdxu_verdict parsed[2],
				       const struct tdxu_candidate candidates[2], unsigned int nr,
				       const struct situation *situation, struct tdxu_plan *plan)
{
	static const struct tdxu_policy policy;
	const struct tdxu_platform platform = to_platform(situation);
	struct tdxu_candidate seen[2];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (parsed[i].result)
			return parsed[i];
		seen[i] = seen_from(&candidates[i], situation);
	}
	return tdxu_plan_make(&seen[0], nr == 2 ? &seen[1] : NULL, &platform, &policy, plan);
}

/* Judge the image alone, and with the recovery image if that is well formed. */
static void judge_on(const char *what, const struct exhibit exhibits[2], unsigned int nr_images,
		     const struct tdxu_verdict parsed[2],
		     const struct tdxu_candidate candidates[2], const struct situation *situation,
		     const struct history *history)
{
	unsigned int nr;

	for (nr = 1; nr <= nr_images; nr++) {
		const struct exhibit *recovery = nr == 2 ? &exhibits[1] : NULL;
		const struct matter matters[2] = {
			{ &exhibits[0], recovery, situation, false },
			{ recovery, &exhibits[0], situation, true },
		};
		struct tdxu_verdict verdict;
		struct tdxu_plan plan;

		if (recovery && (!exhibits[0].opened || !recovery->opened || parsed[1].result))
			return;
		verdict = ask_project(parsed, candidates, nr, situation, &plan);
		compare(what, matters, nr, verdict, history);
		if (!verdict.result)
			compare_plan(what, &matters[nr - 1], &plan, history);
	}
}

static unsigned int some_faults(struct rng *rng)
{
	static const unsigned char shares[] = { 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 3 };

	return shares[rng_below(rng, sizeof(shares))];
}

static void make_exhibit(struct exhibit *exhibit, struct image *image,
			 const struct situation *situation, struct rng *rng,
			 struct history *history)
{
	unsigned int container_faults = rng_one_in(rng, 5) ? 1 + rng_below(rng, 2) : 0;

	image_make(image, situation, rng);
	image_break(image, situation, some_faults(rng), rng, history);
	file_pack(image, container_faults, &exhibit->file, rng, history);
	exhibit->opened = oracle_container_open(exhibit->file.bytes, exhibit->file.size,
						&exhibit->sigstruct, &exhibit->module,
						&exhibit->nr_pages);
}

static void judge_image(uint64_t seed, uint64_t number)
{
	struct exhibit exhibits[2] = { 0 };
	struct tdxu_candidate candidates[2];
	struct tdxu_verdict parsed[2];
	struct image images[2] = { 0 };
	struct situation made_for;
	struct history history = { "" };
	bool has_recovery;
	unsigned int i, nr;
	u8 *copies[2];
	struct rng rng;

	rng_fork(&rng, seed, number);
	situation_make(&made_for, &rng);
	has_recovery = rng_one_in(&rng, 4);
	nr = has_recovery ? 2 : 1;
	for (i = 0; i < nr; i++) {
		if (i)
			note(&history, "recovery image:");
		make_exhibit(&exhibits[i], &images[i], &made_for, &rng, &history);
		parsed[i] = parse(&exhibits[i], &candidates[i], &copies[i]);
	}

	for (i = 0; i < PLATFORMS; i++) {
		struct situation situation = made_for;
		struct history here = history;
		char what[64];

		snprintf(what, sizeof(what), "seed %llu image %llu platform %u",
			 (unsigned long long)seed, (unsigned long long)number, i);
		note(&here, "platform:");
		if (i)
			situation_break(&situation, &images[0], some_faults(&rng), &rng, &here);
		if (i == PLATFORMS - 1 && rng_one_in(&rng, 3))
			situation_resume(&situation, images[rng_below(&rng, nr)].sigstruct, &rng,
					 &here);
		judge_on(what, exhibits, nr, parsed, candidates, &situation, &here);
	}

	for (i = 0; i < nr; i++) {
		free(copies[i]);
		file_free(&exhibits[i].file);
		image_free(&images[i]);
	}
}

static uint64_t number_of(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (*end || !*text) {
		fprintf(stderr, "judge: '%s' is no number\n", text);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	uint64_t images = LONG_RUN, seed = 1, number, only = ~0ull, stop = ~0ull;
	unsigned int nr_missed;
	bool is_long;
	int i;

	for (i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--images"))
			images = number_of(argv[i + 1]);
		else if (!strcmp(argv[i], "--seed"))
			seed = number_of(argv[i + 1]);
		else if (!strcmp(argv[i], "--only"))
			only = number_of(argv[i + 1]);
		else if (!strcmp(argv[i], "--stop"))
			stop = number_of(argv[i + 1]);
		else
			break;
	}
	if (i != argc) {
		fputs("usage: judge [--images N] [--seed S] [--only IMAGE] [--stop DIFFERENCES]\n",
		      stderr);
		return 2;
	}

	/* Show a difference as soon as it is found. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	keys_make();
	if (only != ~0ull) {
		judge_image(seed, only);
	} else {
		for (number = 0; number < images && differences < stop; number++)
			judge_image(seed, number);
	}

	is_long = only == ~0ull && images >= LONG_RUN;
	nr_missed = expect_print_table(result_names, is_long ? REACHED : 0);
	if (differences > MAX_SHOWN)
		printf("%lu differences more are not shown.\n", differences - MAX_SHOWN);
	printf("%lu images and platforms judged with seed %llu: ", judged,
	       (unsigned long long)seed);
	printf("%lu refused, %lu plans made; %lu alike, %lu differences\n", refused, plans, alike,
	       differences);
	return differences || nr_missed ? EXIT_FAILURE : EXIT_SUCCESS;
}
