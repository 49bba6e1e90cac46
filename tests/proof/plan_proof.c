// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves what src/plan.c lets through, for every pair of images that image.c lets through, every
 * platform state and every policy. The rules are those of docs/firmware.md (SEAMLDR.INSTALL,
 * TDH.SYS.SHUTDOWN, "Handoff data", "Memory of a TDX module"), read from the sigstructs' bytes.
 *
 * any_plan() allows any answer to three questions: which kinds of CPU a table has, how many pages
 * an image needs, and whether they fit. The other proofs show that the code's answers are right.
 */
#include "proof.h"

#include "plan.c"

/* An image. @sig is its sigstruct as bytes, as firmware sees it. */
struct subject {
	const uint8_t *sig;
	uint64_t pages_needed;
	struct tdxu_candidate candidate;
};

static struct seam_sigstruct image_sigstruct, recovery_sigstruct;
static struct subject image = { .sig = (const uint8_t *)&image_sigstruct };
static struct subject recovery = { .sig = (const uint8_t *)&recovery_sigstruct };
static struct tdxu_platform platform;
static bool has_recovery;

#define MAX_PAGES_NEEDED	(1ULL << 50)

/* Replaces pages_needed() in any_plan(): any number for each image. */
uint64_t proof_pages_needed(const struct tdxu_image *asked, uint64_t lps)
{
	prove(lps == platform.num_lps, "memory is needed for every LP");
	return asked == &image.candidate.image ? image.pages_needed : recovery.pages_needed;
}

static void any_image(struct subject *subject, struct seam_sigstruct *sigstruct)
{
	const uint8_t *sig = (const uint8_t *)sigstruct;

	__CPROVER_havoc_object(sigstruct);
	subject->pages_needed = nondet_u64();
	subject->candidate = (struct tdxu_candidate){
		.image = {
			.sigstruct = sigstruct,
			.module_pages = nondet_u32(),
		},
		.check = {
			.signer = nondet_u8() % 3,
			.signature_good = nondet_flag(),
			.hash_good = nondet_flag(),
		},
	};
	assume(subject->pages_needed < MAX_PAGES_NEEDED);
	/* image_proof.c has proved this of each image. */
	assume(subject->candidate.image.module_pages >= 1);
	assume(subject->candidate.image.module_pages <= 496);
	assume((get32(sig, 12) & 0x7fffffff) == 0);
	assume(get16(sig, 986) <= get16(sig, 984));
	assume(get32(sig, 992) % PAGE == 0 && (get32(sig, 992) == 0) == (get32(sig, 996) == 0));
	assume(get32(sig, 1024) <= 255);
}

static void any_platform(void)
{
	__CPROVER_havoc_object(&platform);
	platform.handoff.waits = nondet_flag();
	platform.handoff.hv_known = nondet_flag();
	platform.handoff.num_pages_known = nondet_flag();
	platform.handoff.session_open = nondet_flag();
	platform.module.no_downgrade = nondet_flag();
	platform.debug = nondet_u8() % 3;
	platform.debug_loader = nondet_flag();
	assume(platform.num_cpu_kinds >= 1 && platform.num_cpu_kinds <= 8);
}

/* Replaces table_has() in any_plan(): any answer for each image and kind of CPU. */
static bool has_kind(const uint8_t *sig, uint32_t kind)
{
	return __CPROVER_uninterpreted_has_kind(sig == recovery.sig, kind);
}

bool proof_table_has(const struct seam_sigstruct *sig, uint32_t kind)
{
	return has_kind((const uint8_t *)sig, kind);
}

static bool has_every_kind(const uint8_t *sig)
{
	bool every = true;
	unsigned int i;

	for (i = 0; i < 8; i++)
		every &= i >= platform.num_cpu_kinds || has_kind(sig, platform.cpu_kinds[i]);
	return every;
}

/* Replaces has_room() in any_plan(): any answer for each number of pages and room. */
static bool fits(uint64_t pages, uint64_t room)
{
	return __CPROVER_uninterpreted_fits(pages, room);
}

bool proof_has_room(uint64_t needed, uint64_t room)
{
	return fits(needed, room);
}

/* Return whether P-SEAMLDR is later than 1.5.02, which shows update number 0. */
static bool is_later_loader(void)
{
	const struct tdxu_version *loader = &platform.seamldr;

	if (loader->major != 1)
		return loader->major > 1;
	if (loader->minor != 5)
		return loader->minor > 5;
	return loader->update > 0;
}

static bool unlocked(void)
{
	return platform.debug == TDXU_DEBUG_UNLOCKED ||
	       (platform.debug == TDXU_DEBUG_UNKNOWN && platform.debug_loader);
}

/* Return whether no rule of P-SEAMLDR refuses this image; prove that of an accepted one. */
static bool installable(const struct subject *subject, bool accepted)
{
	const struct tdxu_signature_check *check = &subject->candidate.check;
	uint64_t size = (uint64_t)subject->candidate.image.module_pages * PAGE;
	const uint8_t *sig = subject->sig;
	bool debug_signed = get32(sig, 12) >> 31;

	bool version = is_later_loader() || all_zero(sig, 1000, 1024);
	bool signer = check->signer != TDXU_SIGNER_UNKNOWN;
	bool debug = !debug_signed || (check->signer == TDXU_SIGNER_PARAMETER && unlocked());
	bool series = sig[949] != 0 && sig[949] == platform.svn_major;
	bool not_older = sig[948] >= platform.svn_minor;
	bool gdt_idt = !get32(sig, 992) || get32(sig, 992) + 4096ULL <= size;
	bool fault_wrapper = !get32(sig, 996) || get32(sig, 996) + 512ULL <= size;
	bool cpus = get32(sig, 1024) ? has_every_kind(sig) : debug_signed;
	bool room = !platform.room || fits(subject->pages_needed, platform.room);
	bool updates_left = platform.updates_left > 0;

	holds(accepted, version);
	holds(accepted, signer);
	holds(accepted, check->signature_good);
	holds(accepted, check->hash_good);
	holds(accepted, debug);
	holds(accepted, series);
	holds(accepted, not_older);
	holds(accepted, gdt_idt);
	holds(accepted, fault_wrapper);
	holds(accepted, cpus);
	holds(accepted, room);
	holds(accepted, updates_left);
	return version && signer && check->signature_good && check->hash_good && debug &&
	       series && not_older && gdt_idt && fault_wrapper && cpus && room && updates_left;
}

/* Return the image of the TDX module that is shut down, if it is one of the two and genuine. */
static const uint8_t *find_shut_down(void)
{
	bool is_image = image.candidate.check.signer != TDXU_SIGNER_UNKNOWN &&
			image.candidate.check.signature_good;
	bool is_recovery = has_recovery &&
			   recovery.candidate.check.signer != TDXU_SIGNER_UNKNOWN &&
			   recovery.candidate.check.signature_good;
	unsigned int i;

	for (i = 0; i < 48; i++) {
		is_image &= image.sig[900 + i] == platform.mrseam[i];
		is_recovery &= recovery.sig[900 + i] == platform.mrseam[i];
	}
	return is_image ? image.sig : is_recovery ? recovery.sig : NULL;
}

static bool reads(const uint8_t *sig, unsigned int version)
{
	return version >= get16(sig, 986) && version <= get16(sig, 984);
}

/* Return whether the running TDX module can write this version and every image can read it. */
static bool can_hand_over(unsigned int version)
{
	const struct tdxu_module *module = &platform.module;

	return version >= module->min_update_hv && version <= module->module_hv &&
	       (!module->no_downgrade || version == module->module_hv) &&
	       reads(image.sig, version) && (!has_recovery || reads(recovery.sig, version));
}

static bool enough_pages(unsigned int needed)
{
	return get16(image.sig, 990) >= needed &&
	       (!has_recovery || get16(recovery.sig, 990) >= get16(image.sig, 990));
}

/* The rules if a TDX module runs and has to be shut down. */
static bool can_update(const struct tdxu_policy *policy, const struct tdxu_plan *plan,
		       bool accepted)
{
	unsigned int other = nondet_u16();
	bool td_preserving = platform.module.features0 & 2;
	bool rejects_races = platform.module.features0 >> 47 & 1;
	bool race_policy = rejects_races || !policy->require_race_protection;
	bool recovery_policy = has_recovery || !policy->require_recovery;
	bool pages = enough_pages(platform.module.num_handoff_pages);
	uint64_t rcx = plan->shutdown_rcx;

	holds(accepted, td_preserving);
	holds(accepted, race_policy);
	holds(accepted, recovery_policy);
	holds(accepted, pages);
	holds(accepted, can_hand_over(rcx & 0xffff));
	holds(accepted && can_hand_over(other), (rcx & 0xffff) >= other);
	holds(accepted, rcx >> 16 == rejects_races);
	return td_preserving && race_policy && recovery_policy && pages && can_hand_over(other);
}

static bool overlaps(const uint8_t *sig, unsigned int lowest, unsigned int highest)
{
	return lowest <= get16(sig, 984) && highest >= get16(sig, 986);
}

/* The rules if no TDX module runs and handoff data waits. */
static bool can_resume(const struct tdxu_plan *plan, bool accepted)
{
	const struct tdxu_handoff *handoff = &platform.handoff;
	const uint8_t *shut_down = find_shut_down();
	unsigned int lowest = 0, highest = 0xffff, needed = 0;
	bool versions, pages_known, pages;

	if (handoff->hv_known) {
		lowest = handoff->hv;
		highest = handoff->hv;
	} else if (shut_down) {
		lowest = get16(shut_down, 986);
		highest = get16(shut_down, 984);
	}
	versions = overlaps(image.sig, lowest, highest) &&
		   (!has_recovery || overlaps(recovery.sig, lowest, highest));
	pages_known = handoff->num_pages_known || shut_down;
	if (handoff->num_pages_known)
		needed = handoff->num_pages;
	else if (shut_down)
		needed = get16(shut_down, 990);
	pages = enough_pages(needed);

	holds(accepted, versions);
	holds(accepted, pages_known);
	holds(accepted, pages);
	holds(accepted, plan->shutdown_rcx == 0);
	return versions && pages_known && pages;
}

static bool is_documented(enum tdxu_result result)
{
	switch (result) {
	case TDXU_UNSUPPORTED:
	case TDXU_BAD_IMAGE:
	case TDXU_BAD_SIGNATURE:
	case TDXU_WRONG_SERIES:
	case TDXU_OLDER:
	case TDXU_WRONG_CPU:
	case TDXU_NO_ROOM:
	case TDXU_NO_UPDATES_LEFT:
	case TDXU_BAD_HANDOFF:
	case TDXU_CORRUPT:
		return true;
	default:
		return false;
	}
}

void any_plan(void)
{
	struct tdxu_policy policy = {
		.require_race_protection = nondet_flag(),
		.require_recovery = nondet_flag(),
	};
	struct tdxu_plan plan = {};
	struct tdxu_verdict verdict;
	bool accepted, good;

	any_image(&image, &image_sigstruct);
	any_image(&recovery, &recovery_sigstruct);
	any_platform();
	has_recovery = nondet_flag();
	verdict = tdxu_plan_make(&image.candidate, has_recovery ? &recovery.candidate : NULL,
				 &platform, &policy, &plan);

	accepted = verdict.result == TDXU_SUCCESS;
	good = installable(&image, accepted);
	if (has_recovery)
		good &= installable(&recovery, accepted);
	if (platform.handoff.waits)
		good &= can_resume(&plan, accepted);
	else
		good &= can_update(&policy, &plan, accepted);
	prove(accepted || !good, "nothing good is refused");
	prove(accepted || is_documented(verdict.result), "a refusal is one of those documented");
	holds(accepted, plan.resume == platform.handoff.waits);
	holds(accepted, plan.join_session == (plan.resume && platform.handoff.session_open));
	holds(accepted, plan.svn_minor == platform.svn_minor);
	holds(accepted, plan.updates_left == platform.updates_left);
}

/* A CPU table of any length has a kind of CPU if an entry equals it without the stepping. */
void right_table(void)
{
	const uint8_t *sig = image.sig;
	uint32_t kind = nondet_u32();
	bool found = false;
	unsigned int i;

	any_image(&image, &image_sigstruct);
	for (i = 0; i < 255; i++)
		found |= i < get32(sig, 1024) && (get32(sig, 1028 + 4 * i) & 0xfffffff0) == kind;
	prove(table_has((const void *)sig, kind) == found, "the table has it as documented");
}

void any_lps(void)
{
	any_image(&image, &image_sigstruct);
	prove(pages_needed(&image.candidate.image, nondet_u32()) < MAX_PAGES_NEEDED,
	      "no number of LPs makes it overflow");
}

/* Up to one percent of the room may be missing. */
void right_room(void)
{
	uint64_t needed = nondet_u64(), room = nondet_u64(), pages = room / PAGE;

	assume(needed < MAX_PAGES_NEEDED);
	prove(has_room(needed, room) == (needed * 100 <= pages * 101),
	      "an image fits whose pages are up to 101 percent of the room");
}

static uint64_t div_up(uint64_t number, uint64_t by)
{
	return number / by + (number % by != 0);
}

/* The page tables for a region of any size are those of docs/firmware.md. */
void right_tables(void)
{
	uint64_t pages = nondet_u64();

	assume(pages < MAX_PAGES_NEEDED);
	prove(page_tables(pages) == div_up(8 * pages, 4096) + div_up(8 * (pages / 512), 4096) +
				    div_up(8 * (pages / 262144), 4096),
	      "the page tables are those of the documentation");
	prove(tables_for(pages) == div_up(8 * pages, 4096), "and so is keyhole edit");
}

/* Replaces page_tables() in right_pages(): right_tables() proves its value. */
uint64_t proof_page_tables(uint64_t pages)
{
	return __CPROVER_uninterpreted_mapped(pages);
}

/* The pages that an image needs are right for any number of addressable LPs. */
void right_pages(void)
{
	const uint64_t lps = nondet_u32();
	const uint8_t *sig = image.sig;
	uint64_t stacks, data, keyholes, sum;

	any_image(&image, &image_sigstruct);
	stacks = lps * (sig[962] + 2);
	data = lps * (sig[963] + 1) + (get16(sig, 966) + 1) + (get16(sig, 990) + 1);
	keyholes = lps * (get16(sig, 964) + 1);
	sum = 1 + lps + stacks + data + 512 + 1 + proof_page_tables(1) +
	      proof_page_tables(stacks) + proof_page_tables(data) + proof_page_tables(keyholes) +
	      proof_page_tables(tables_for(keyholes)) +
	      proof_page_tables(image.candidate.image.module_pages);
	prove(pages_needed(&image.candidate.image, lps) == sum,
	      "the pages needed are those of the documentation");
}
