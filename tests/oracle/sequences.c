// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes sequences of SEAMCALLs with the oracle's answers, for a guest to replay against the
 * emulator. It knows the emulator's settings by name and its descriptor by layout, and shares no
 * code with it.
 *
 *	sequences [--lps N] [--count N] [--seed S] DIR
 *
 * A quarter of the sequences is for each of 1 to 4 LPs. A sequence is a random walk. Most steps are
 * the call that an update would make next, by an LP that has not made it; the others are any call
 * by any LP with any operand.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate.h"
#include "guest/format.h"
#include "machine.h"

#define IMAGES_A_PLATFORM	16u
#define SEQUENCES_A_PLATFORM	50u
#define MAX_CONTENTS		200000u
#define MAX_RULES		64u
#define REACHED			5u	/* answers that each rule has to give in a long run */
#define LONG_RUN		10000u
#define MOST_LPS		4u
#define MANY_UPDATES		40u
#define BEYOND_MAXPA		(1ull << 51)
#define SEAM_RANGE		(1ull << 38)	/* the emulator's */

/* A platform, and images for it with and without faults. */
struct world {
	struct situation situation;
	bool has_module;
	struct seq_platform text;
	struct image images[IMAGES_A_PLATFORM];
	struct oracle_module modules[IMAGES_A_PLATFORM];
	u32 first_content[IMAGES_A_PLATFORM];
};

/* The contents of the pool in a sequence. */
struct pool {
	unsigned int nr_images;
	unsigned int images[SEQ_MAX_IMAGES];	/* indices of world.images */
	unsigned int nr_operands;
	struct seq_operand operands[SEQ_MAX_OPERANDS];
};

static u8 (*contents)[SEQ_PAGE];
static u32 nr_contents;
static unsigned long successes, refusals;
static unsigned long of_refusal[MAX_RULES], of_rule[MAX_RULES];

static void die(const char *what)
{
	fprintf(stderr, "sequences: %s\n", what);
	exit(EXIT_FAILURE);
}

static u32 add_content(const u8 *bytes, size_t size)
{
	if (nr_contents == MAX_CONTENTS)
		die("too many contents");
	memset(contents[nr_contents], 0, SEQ_PAGE);
	memcpy(contents[nr_contents], bytes, size);
	return nr_contents++;
}

/* ---- platforms and images ---- */

/* Values that the image's TDX module reports once it runs, as in tests/emu/tdx_emu_abi.h. */
static void put_descriptor(struct image *image, struct oracle_module *module)
{
	memset(image->pages, 0, 512);
	memcpy(image->pages, "TDX-EMU1", 8);
	oracle_put(image->pages, 8, 2, 1);
	oracle_put(image->pages, 10, 2, 5);
	oracle_put(image->pages, 24, 8, module->features0);
	oracle_put(image->pages, 32, 2, module->told_hv_max);
	oracle_put(image->pages, 34, 2, module->told_hv_min);
	oracle_put(image->pages, 36, 4, module->handoff_size);
	image_hash(image);
}

static void make_image(struct world *world, unsigned int i, struct rng *rng)
{
	static const unsigned char faults[] = { 0, 0, 0, 1, 1, 2 };
	static const u32 sizes[] = {
		0, 0, 0, 1, 13 * 4096, 14 * 4096 - 8, 14 * 4096 - 7, 15 * 4096,
	};
	struct oracle_module *module = &world->modules[i];
	struct history history = { "" };

	do {
		image_free(&world->images[i]);
		image_make(&world->images[i], &world->situation, rng);
		module->features0 = F0_TD_PRESERVING | (rng_below(rng, 2) ? F0_UPDATE_COMPAT : 0);
		/* The sigstruct's values before it gets faults; sometimes others. */
		module->told_hv_max = oracle_get(world->images[i].sigstruct, 984, 2);
		module->told_hv_min = oracle_get(world->images[i].sigstruct, 986, 2);
		if (rng_one_in(rng, 8))
			module->told_hv_max ^= 1;
		if (rng_one_in(rng, 8))
			module->told_hv_min += (int)rng_below(rng, 3) - 1;
		module->handoff_size = PICK(rng, sizes);
		put_descriptor(&world->images[i], module);
		image_break(&world->images[i], &world->situation,
			    faults[rng_below(rng, sizeof(faults))], rng, &history);
	} while (world->images[i].nr_pages > MAX_SMALL_PAGES);
}

static void append(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(char *text, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, SEQ_TEXT - used, format, args);
	va_end(args);
}

static uint32_t power_of_two(uint32_t at_least)
{
	uint32_t power = 1;

	while (power < at_least)
		power *= 2;
	return power;
}

/*
 * Make a platform that the emulator can be: as many LPs as the guest has, or more; addressable LPs
 * as the guest's CPUID counts them.
 */
static void make_world(struct world *world, uint32_t lps, struct rng *rng)
{
	struct situation *situation = &world->situation;
	struct oracle_platform *platform = &situation->platform;
	struct oracle_installed *installed = &situation->installed;
	char *text = world->text.platform;
	unsigned int i;

	memset(world, 0, sizeof(*world));
	situation_make(situation, rng);
	platform->lps = lps + (rng_one_in(rng, 8) ? 1 + rng_below(rng, 3) : 0);
	platform->addressable_lps = platform->nr_sockets * power_of_two(lps);
	situation->updates_left = rng_one_in(rng, 3) ? rng_below(rng, 3) : MANY_UPDATES;
	installed->hv_max = rng_below(rng, 2) ? 0 : rng_below(rng, 4);
	installed->hv_min = rng_below(rng, installed->hv_max + 1);
	world->has_module = !rng_one_in(rng, 12);
	if (rng_one_in(rng, 12))
		installed->features0 = rng_below(rng, 2) ? 0 : F0_UPDATE_COMPAT;

	for (i = 0; i < IMAGES_A_PLATFORM; i++)
		make_image(world, i, rng);

	/* Room for some of the images. */
	platform->room = 1ull << 31;
	if (rng_one_in(rng, 4)) {
		const struct oracle_install install = {
			.platform = platform,
			.params.nr_pages = world->images[0].nr_pages,
			.sigstruct = world->images[0].sigstruct,
		};
		const int64_t slack[] = { -1, 0, 1, 100 };

		platform->room = oracle_bytes_needed(&install) +
				 slack[rng_below(rng, ARRAY_SIZE(slack))] * ORACLE_PAGE;
	}

	if (rng_one_in(rng, 16))
		keys_signer(KEY_OTHER, platform->signer);
	append(text, "lps=%u sockets=%u cpu=", platform->lps, platform->nr_sockets);
	for (i = 0; i < platform->nr_sockets; i++)
		append(text, "%s0x%x", i ? "," : "", platform->cpuid[i]);
	/* An emulator that is set to 1.5.02 shows update number 0, as that firmware does. */
	append(text, " seamldr=%u.%u.%02u", platform->loader.major, platform->loader.minor,
	       platform->loader.update ? platform->loader.update : 2);
	append(text, " remaining=%u unlocked=%u debug=%u room=%llu signer=",
	       situation->updates_left, platform->unlocked, situation->debug_loader,
	       (unsigned long long)(platform->room / ORACLE_PAGE));
	for (i = 0; i < ORACLE_HASH; i++)
		append(text, "%02x", platform->signer[i]);
	append(text, "\n");

	text = world->text.module;
	append(text, "version=1.5.24 svn=%u.%u features0=0x%llx", installed->svn_major,
	       installed->svn_minor, (unsigned long long)installed->features0);
	append(text, " hv=%u-%u no_downgrade=%u handoff_pages=%u state=%s\n", installed->hv_min,
	       installed->hv_max, installed->no_downgrade, installed->handoff_pages,
	       world->has_module ? "ready" : "none");

	for (i = 0; i < IMAGES_A_PLATFORM; i++) {
		unsigned int page;

		world->first_content[i] = add_content(world->images[i].sigstruct, ORACLE_SIGSTRUCT);
		for (page = 0; page < world->images[i].nr_pages; page++)
			add_content(world->images[i].pages + page * ORACLE_PAGE, ORACLE_PAGE);
	}
}

static void free_world(struct world *world)
{
	unsigned int i;

	for (i = 0; i < IMAGES_A_PLATFORM; i++)
		image_free(&world->images[i]);
}

/* Set the machine to the state after the emulator's reset. */
static void boot(const struct world *world, struct oracle_machine *machine)
{
	const struct oracle_installed *installed = &world->situation.installed;
	unsigned int lp;

	*machine = (struct oracle_machine){
		.platform = world->situation.platform,
		.updates_left = world->situation.updates_left,
		.updates_known = true,
		.dirty = world->has_module,
		.extend.mrseam_known = true,
	};
	if (!world->has_module)
		return;
	machine->extend = (struct oracle_extend){
		.valid = true,
		.svn_major = installed->svn_major,
		.svn_minor = installed->svn_minor,
		.ready = true,
	};
	machine->state = SYS_READY;
	machine->module = (struct oracle_module){
		.hv_min = installed->hv_min,
		.hv_max = installed->hv_max,
		.no_downgrade = installed->no_downgrade,
		.handoff_pages = installed->handoff_pages,
		.told_hv_min = installed->hv_min,
		.told_hv_max = installed->hv_max,
		.features0 = installed->features0,
	};
	for (lp = 0; lp < ORACLE_MAX_LPS; lp++)
		machine->lp_init[lp] = true;
}

/* ---- the operand of SEAMLDR.INSTALL ---- */

static u64 image_address(unsigned int slot, unsigned int page)
{
	return (SEQ_IMAGE_PAGE + slot * SEQ_IMAGE_PAGES + page) * (u64)SEQ_PAGE;
}

static u64 bad_page(struct rng *rng, u64 good)
{
	const u64 addresses[] = {
		good + 8, good + 2048, good | BEYOND_MAXPA, good | 1ull << 63, SEAM_RANGE, ~0ull,
	};

	return addresses[rng_below(rng, ARRAY_SIZE(addresses))];
}

static bool is_good_page(u64 value)
{
	return value < SEQ_POOL_SIZE && value % SEQ_PAGE == 0;
}

/* Make SEAMLDR_PARAMS for one of the images, sometimes with a fault of its own. */
static unsigned int make_operand(struct pool *pool, const struct world *world, struct rng *rng)
{
	unsigned int slot = rng_below(rng, pool->nr_images), i;
	const struct image *image = &world->images[pool->images[slot]];
	struct seq_operand *operand = &pool->operands[pool->nr_operands];

	*operand = (struct seq_operand){
		.scenario = 1,
		.sigstruct = image_address(slot, 0),
		.nr_pages = image->nr_pages,
	};
	for (i = 0; i < SEQ_LISTED_PAGES; i++)
		operand->pages[i] = image_address(slot, 1 + (i < image->nr_pages ? i : 0));
	if (!rng_one_in(rng, 5))
		return pool->nr_operands++;

	switch (rng_below(rng, 7)) {
	case 0:
		operand->version = 1 + rng_below(rng, 3);
		break;
	case 1:
		operand->scenario = rng_below(rng, 2) ? 2 : 0x80000001;
		/* A load from nothing, which empties the log of updates, whatever its size. */
		if (world->situation.updates_left == MANY_UPDATES && rng_below(rng, 3))
			operand->scenario = 0;
		break;
	case 2:
		operand->reserved_at = rng_below(rng, 104);
		operand->reserved_value = 1 + rng_below(rng, 255);
		break;
	case 3:
		operand->sigstruct = bad_page(rng, operand->sigstruct);
		break;
	case 4:
		/* May also be after the last page, where the address is not used. */
		i = rng_below(rng, SEQ_LISTED_PAGES);
		operand->pages[i] = bad_page(rng, operand->pages[i]);
		break;
	case 5:
		operand->nr_pages = rng_below(rng, 2) ? 0 : 497 + rng_below(rng, 2) * 1000;
		break;
	default:
		operand->nr_pages = 1 + rng_below(rng, SEQ_LISTED_PAGES);
		break;
	}
	return pool->nr_operands++;
}

/* Translate an operand for the oracle. @pages has room for ORACLE_MAX_PAGES pages. */
static void see_operand(const struct pool *pool, const struct world *world, unsigned int number,
			struct machine_operand *seen, const u8 **pages)
{
	const struct seq_operand *operand = &pool->operands[number];
	u64 i;

	*seen = (struct machine_operand){
		.params = {
			.address_good = true,
			.version = operand->version,
			.scenario = operand->scenario,
			.reserved_zero = !operand->reserved_value,
			.sigstruct_address_good = is_good_page(operand->sigstruct),
			.nr_pages = operand->nr_pages,
			.page_addresses_good = true,
		},
		.pages = pages,
	};
	if (seen->params.sigstruct_address_good) {
		u64 slot = (operand->sigstruct / SEQ_PAGE - SEQ_IMAGE_PAGE) / SEQ_IMAGE_PAGES;

		seen->sigstruct = world->images[pool->images[slot]].sigstruct;
	}
	for (i = 0; i < operand->nr_pages && i < ORACLE_MAX_PAGES; i++) {
		u64 value = operand->pages[i < SEQ_LISTED_PAGES ? i : SEQ_LISTED_PAGES - 1], slot;
		const struct image *image;

		if (!is_good_page(value)) {
			seen->params.page_addresses_good = false;
			continue;
		}
		slot = (value / SEQ_PAGE - SEQ_IMAGE_PAGE) / SEQ_IMAGE_PAGES;
		image = &world->images[pool->images[slot]];
		pages[i] = image->pages + (value - image_address(slot, 1));
		/* The first page has the descriptor of the TDX module. */
		if (!i)
			seen->module = world->modules[pool->images[slot]];
	}
}

/* ---- the walk ---- */

static u64 any_register(struct rng *rng)
{
	return rng_below(rng, 3) ? rng_next(rng) : rng_below(rng, 4);
}

static unsigned int lp_that(const struct oracle_machine *machine, uint32_t lps, struct rng *rng,
			    const bool *has_done)
{
	unsigned int lp = rng_below(rng, lps), tries;

	for (tries = 0; tries < lps && has_done[lp]; tries++)
		lp = (lp + 1) % lps;
	return lp;
}

static u64 some_field(struct rng *rng)
{
	static const u64 fields[] = {
		MD_FEATURES0, MD_MODULE_HV, MD_MIN_UPDATE_HV, MD_NO_DOWNGRADE,
		MD_NUM_HANDOFF_PAGES, MD_HANDOFF_DATA_VALID, MD_HANDOFF_DATA_HV,
		0x0800000000000777ull, 0x7fffffffffffffffull,
	};

	return fields[rng_below(rng, ARRAY_SIZE(fields))];
}

static u64 shutdown_rcx(const struct oracle_machine *machine, struct rng *rng)
{
	const struct oracle_module *module = &machine->module;
	const u64 versions[] = {
		module->hv_max, module->hv_max, module->hv_max, module->hv_max, module->hv_max,
		module->hv_max, module->hv_max, module->hv_max, module->hv_min, module->hv_min,
		module->hv_max + 1ull, module->hv_min - 1ull, 0, 0xffff, 1ull << 17, 1ull << 63,
		module->hv_max | 1ull << 32,
	};
	u64 rcx = versions[rng_below(rng, ARRAY_SIZE(versions))];

	if (rng_below(rng, 5))
		return rcx | (module->features0 & F0_UPDATE_COMPAT ? AVOID_COMPAT_SENSITIVE : 0);
	return rcx ^ AVOID_COMPAT_SENSITIVE;
}

/* Return the leaf that an update would call next, and set @lp if that matters. */
static u64 next_leaf(const struct oracle_machine *machine, uint32_t lps, struct rng *rng,
		     unsigned int *lp)
{
	if (machine->called) {
		*lp = lp_that(machine, lps, rng, machine->has_called);
		return LEAF_INSTALL;
	}
	switch (machine->extend.ready ? machine->state : NO_MODULE) {
	case SYS_READY:
		return rng_below(rng, 6) ? LEAF_SYS_SHUTDOWN : LEAF_INSTALL;
	case SYSINIT_PENDING:
		return rng_below(rng, 3) ? LEAF_SYS_INIT : LEAF_INSTALL;
	case SYSINIT_DONE:
		*lp = lp_that(machine, lps, rng, machine->lp_init);
		return machine->lp_init[*lp] ? LEAF_SYS_UPDATE : LEAF_SYS_LP_INIT;
	default:
		return LEAF_INSTALL;
	}
}

static u64 any_leaf(const struct oracle_machine *machine, struct rng *rng)
{
	static const u64 leaves[] = {
		LEAF_INFO, LEAF_INFO, LEAF_SEAMINFO, LEAF_INSTALL, LEAF_SYS_INIT, LEAF_SYS_RD,
		LEAF_SYS_RD, LEAF_SYS_LP_INIT, LEAF_SYS_LP_SHUTDOWN, LEAF_SYS_SHUTDOWN,
		LEAF_SYS_UPDATE, 0x3fff, LEAF_P | 0x7777, LEAF_P | 1ull << 32,
		LEAF_SYS_RD | 1ull << 16, LEAF_SYS_LP_INIT | 1ull << 24,
		LEAF_SYS_SHUTDOWN | 1ull << 40, LEAF_SYS_INIT | 1ull << 62,
	};

	/* The oracle does not know the operands of leaves for TDs: call them only if refused. */
	if (rng_one_in(rng, 10) && machine->state != SYS_READY)
		return rng_below(rng, 2) ? LEAF_VP_ENTER : LEAF_MNG_CREATE;
	return leaves[rng_below(rng, ARRAY_SIZE(leaves))];
}

static void make_call(const struct oracle_machine *machine, const struct world *world,
		      struct pool *pool, unsigned int number, uint32_t lps, struct rng *rng,
		      struct machine_call *call)
{
	u64 page = (SEQ_OUTPUT_PAGE + number) * (u64)SEQ_PAGE;

	*call = (struct machine_call){
		.lp = rng_below(rng, lps),
		.rcx = any_register(rng),
		.rdx = any_register(rng),
		.r8 = any_register(rng),
	};
	if (rng_below(rng, 10) < 6)
		call->rax = next_leaf(machine, lps, rng, &call->lp);
	else
		call->rax = any_leaf(machine, rng);

	switch (call->rax) {
	case LEAF_INFO:
	case LEAF_SEAMINFO:
		call->address_good = !rng_one_in(rng, 5);
		call->rcx = page;
		/* Aligned to 128 only, beyond the physical addresses, or in SEAM's range. */
		if (!call->address_good)
			call->rcx = rng_below(rng, 2) ? page + 128 :
				    rng_below(rng, 2) ? page | BEYOND_MAXPA : SEAM_RANGE;
		break;
	case LEAF_INSTALL:
		page = (SEQ_OPERAND_PAGE + make_operand(pool, world, rng)) * (u64)SEQ_PAGE;
		call->address_good = !rng_one_in(rng, 20);
		call->rcx = call->address_good ? page : bad_page(rng, page);
		break;
	case LEAF_SYS_INIT:
		call->rcx = rng_one_in(rng, 10) ? 1ull << rng_below(rng, 64) : 0;
		break;
	case LEAF_SYS_RD:
		call->rdx = some_field(rng);
		break;
	case LEAF_SYS_SHUTDOWN:
		call->rcx = shutdown_rcx(machine, rng);
		break;
	}
}

static void want(const struct oracle_machine *machine, const struct machine_call *call,
		 const struct machine_answer *answer, struct seq_call *out)
{
	const struct oracle_platform *platform = &machine->platform;

	*out = (struct seq_call){
		.lp = call->lp,
		.rax = call->rax,
		.rcx = call->rcx,
		.rdx = call->rdx,
		.r8 = call->r8,
		.want_rax = answer->rax,
		.want_rdx = answer->rdx,
		.want_r8 = answer->r8,
	};
	snprintf(out->rule, sizeof(out->rule), "%s", answer->rule ? answer->rule : "-");
	if (answer->rdx_known)
		out->checks |= SEQ_CHECK_RDX;
	if (answer->r8_known)
		out->checks |= SEQ_CHECK_R8;
	if (answer->rax == LP_STOPS)
		out->checks = SEQ_LAST;
	if (answer->rax)
		return;
	if (call->rax == LEAF_INFO) {
		const struct oracle_extend *extend = &machine->extend;

		out->checks |= SEQ_CHECK_INFO;
		out->checks |= extend->mrseam_known ? SEQ_CHECK_MRSEAM : 0;
		out->checks |= machine->updates_known ? SEQ_CHECK_REMAINING : 0;
		out->info = (struct seq_info){
			.remaining = machine->updates_left,
			.valid = extend->valid ? 0x1ff : 0,
			.svn_minor = extend->svn_minor,
			.svn_major = extend->svn_major,
			.ready = extend->ready,
		};
		memcpy(out->info.mrseam, extend->mrseam, ORACLE_HASH);
	} else if (call->rax == LEAF_SEAMINFO) {
		out->checks |= SEQ_CHECK_SEAMINFO;
		out->seaminfo.lps = platform->lps;
		out->seaminfo.sockets = platform->nr_sockets;
		memcpy(out->seaminfo.cpuid, platform->cpuid, platform->nr_sockets * sizeof(u32));
	}
}

static void choose_images(struct pool *pool, struct rng *rng)
{
	*pool = (struct pool){ .nr_images = 1 + rng_below(rng, SEQ_MAX_IMAGES) };
	for (unsigned int i = 0; i < pool->nr_images; i++)
		pool->images[i] = rng_below(rng, IMAGES_A_PLATFORM);
}

static void put(FILE *out, const void *bytes, size_t size)
{
	if (size && fwrite(bytes, size, 1, out) != 1)
		die("cannot write");
}

/* Write the loads of a sequence. If @out is NULL, only count them. */
static unsigned int put_loads(FILE *out, const struct world *world, const struct pool *pool)
{
	unsigned int slot, page, nr_loads = 0;

	for (slot = 0; slot < pool->nr_images; slot++) {
		unsigned int image = pool->images[slot];

		for (page = 0; page <= world->images[image].nr_pages; page++, nr_loads++) {
			struct seq_load load = {
				.page = image_address(slot, page) / SEQ_PAGE,
				.content = world->first_content[image] + page,
			};

			if (out)
				put(out, &load, sizeof(load));
		}
	}
	return nr_loads;
}

static void count(const struct machine_answer *answer)
{
	unsigned int i;

	if (!answer->rule) {
		successes++;
		return;
	}
	refusals++;
	for (i = 0; i < machine_nr_refusals; i++)
		of_refusal[i] += !strcmp(answer->rule, machine_refusals[i].name);
	for (i = 0; i < oracle_nr_rules; i++)
		of_rule[i] += !strcmp(answer->rule, oracle_rules[i].name);
}

/* A rule that no sequence reaches has not been compared. */
static unsigned int missed(const char *name, unsigned long times)
{
	printf("%9lu %s\n", times, name);
	if (times >= REACHED)
		return 0;
	printf("          ^ fewer than %u: the generator does not reach this rule\n", REACHED);
	return 1;
}

/* handoff-pages is a rule of TDH.SYS.UPDATE, which has a refusal of its own for it. */
static bool out_of_reach(const char *name)
{
	return !strcmp(name, "handoff-pages");
}

static unsigned int print_table(void)
{
	unsigned int i, nr_missed = 0;

	for (i = 0; i < machine_nr_refusals; i++)
		nr_missed += missed(machine_refusals[i].name, of_refusal[i]);
	for (i = 0; i < oracle_nr_rules; i++)
		if (!out_of_reach(oracle_rules[i].name))
			nr_missed += missed(oracle_rules[i].name, of_rule[i]);
	return nr_missed;
}

static void make_sequence(FILE *out, const struct world *world, u32 platform, u32 number,
			  uint32_t lps, struct rng *rng)
{
	const u8 *pages[ORACLE_MAX_PAGES];
	struct seq_call calls[SEQ_MAX_CALLS];
	unsigned int nr_calls = 6 + rng_below(rng, SEQ_MAX_CALLS - 5), i;
	struct oracle_machine machine;
	struct seq_sequence head = { .number = number, .platform = platform };
	struct pool pool;

	boot(world, &machine);
	choose_images(&pool, rng);
	for (i = 0; i < nr_calls && !machine.stopped; i++) {
		struct machine_operand operand;
		struct machine_answer answer;
		struct machine_call call;

		make_call(&machine, world, &pool, i, lps, rng, &call);
		if (call.rax == LEAF_INSTALL && call.address_good) {
			see_operand(&pool, world, pool.nr_operands - 1, &operand, pages);
			call.operand = &operand;
		}
		answer = machine_call(&machine, &call);
		want(&machine, &call, &answer, &calls[i]);
		count(&answer);
	}

	head.nr_calls = i;
	head.nr_operands = pool.nr_operands;
	head.nr_loads = put_loads(NULL, world, &pool);
	put(out, &head, sizeof(head));
	put_loads(out, world, &pool);
	put(out, pool.operands, pool.nr_operands * sizeof(pool.operands[0]));
	put(out, calls, head.nr_calls * sizeof(calls[0]));
}

static uint64_t number_of(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (*end || !*text) {
		fprintf(stderr, "sequences: '%s' is no number\n", text);
		exit(2);
	}
	return value;
}

/* Write all sequences for one number of LPs to DIR/LPS.sequences. */
static void make_file(const char *dir, uint32_t lps, uint64_t nr_sequences, uint64_t seed)
{
	const uint64_t nr_platforms = 1 + (nr_sequences - 1) / SEQUENCES_A_PLATFORM;
	struct seq_platform *texts = calloc(nr_platforms, sizeof(*texts));
	struct world *world = calloc(1, sizeof(*world));
	struct seq_header header;
	char path[4096], *bodies;
	FILE *out, *body;
	size_t size;
	uint64_t i;

	body = open_memstream(&bodies, &size);
	if (!texts || !world || !body)
		die("out of memory");
	nr_contents = 0;
	for (i = 0; i < nr_sequences; i++) {
		struct rng rng;

		if (i % SEQUENCES_A_PLATFORM == 0) {
			free_world(world);
			rng_fork(&rng, seed + lps, 1ull << 32 | i);
			make_world(world, lps, &rng);
			texts[i / SEQUENCES_A_PLATFORM] = world->text;
		}
		rng_fork(&rng, seed + lps, i);
		make_sequence(body, world, i / SEQUENCES_A_PLATFORM, i, lps, &rng);
	}
	free_world(world);
	fclose(body);

	header = (struct seq_header){
		.magic = SEQ_MAGIC,
		.seed = seed,
		.lps = lps,
		.nr_platforms = nr_platforms,
		.nr_contents = nr_contents,
		.nr_sequences = nr_sequences,
	};
	snprintf(path, sizeof(path), "%s/%u.sequences", dir, lps);
	out = fopen(path, "wb");
	if (!out)
		die(path);
	put(out, &header, sizeof(header));
	put(out, texts, nr_platforms * sizeof(*texts));
	put(out, contents, (size_t)nr_contents * SEQ_PAGE);
	put(out, bodies, size);
	if (fclose(out))
		die(path);
	free(bodies);
	free(texts);
	free(world);
}

int main(int argc, char **argv)
{
	uint64_t only_lps = 0, nr_sequences = 10000, seed = 1;
	unsigned int lps, nr_missed = 0;
	int arg;

	for (arg = 1; arg + 1 < argc; arg += 2) {
		if (!strcmp(argv[arg], "--lps"))
			only_lps = number_of(argv[arg + 1]);
		else if (!strcmp(argv[arg], "--count"))
			nr_sequences = number_of(argv[arg + 1]);
		else if (!strcmp(argv[arg], "--seed"))
			seed = number_of(argv[arg + 1]);
		else
			break;
	}
	if (arg + 1 != argc || only_lps > MOST_LPS) {
		fputs("usage: sequences [--lps N] [--count N] [--seed S] DIR\n", stderr);
		return 2;
	}

	keys_make();
	contents = calloc(MAX_CONTENTS, sizeof(*contents));
	if (!contents)
		die("out of memory");
	for (lps = 1; lps <= MOST_LPS; lps++)
		if (!only_lps || lps == only_lps)
			make_file(argv[arg], lps, (nr_sequences + MOST_LPS - 1) / MOST_LPS, seed);
	free(contents);

	if (!only_lps && nr_sequences >= LONG_RUN)
		nr_missed = print_table();
	printf("%lu calls that succeed, %lu that are refused\n", successes, refusals);
	return nr_missed ? EXIT_FAILURE : EXIT_SUCCESS;
}
