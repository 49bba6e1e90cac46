// SPDX-License-Identifier: GPL-2.0-only
/*
 * One TD from its creation to its end: the SEAMCALLs in their order, the TD's memory, and the
 * measurement that the TD has to have. This file computes that itself, so that a test can compare
 * it with the TDX module's. It must not depend on the users of TDs. It derives the state of a TD
 * from nothing but the statuses of its calls.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/idr.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <crypto/hash.h>

#include "td.h"

#define CHUNKS_PER_PAGE		(TDX_PAGE_SIZE / TDX_TD_CHUNK_SIZE)
#define MAX_HKID		U16_MAX

static_assert(PAGE_SIZE == TDX_PAGE_SIZE);

static const u64 export_leaves[TD_MIGRATION_STEPS] = {
	TDH_EXPORT_STATE_IMMUTABLE, TDH_EXPORT_STATE_TD, TDH_EXPORT_STATE_VP,
};

static const u64 import_leaves[TD_MIGRATION_STEPS] = {
	TDH_IMPORT_STATE_IMMUTABLE, TDH_IMPORT_STATE_TD, TDH_IMPORT_STATE_VP,
};

static struct crypto_shash *sha384;
static DEFINE_IDA(hkids);

static void *alloc_zeroed_page(void)
{
	return (void *)get_zeroed_page(GFP_KERNEL);
}

static void release_page(void *page)
{
	free_page((unsigned long)page);
}

static void free_pages_of(struct td *td)
{
	unsigned int i;

	for (i = 0; i < td->nr_pages; i++) {
		release_page(td->pages[i].private);
		release_page(td->pages[i].source);
	}
	td->nr_pages = 0;
	for (i = 0; i < TD_MIGRATION_STEPS; i++) {
		release_page(td->state[i]);
		td->state[i] = NULL;
	}
	release_page(td->params);
	release_page(td->tdvpr);
	release_page(td->tdcs);
	release_page(td->tdr);
	td->params = NULL;
	td->tdvpr = NULL;
	td->tdcs = NULL;
	td->tdr = NULL;
}

/**
 * td_alloc() - allocate a TD that the TDX module does not know yet
 * @id: its number
 * @seed: seed for the contents of its pages
 *
 * Context: may sleep.
 * Return: the TD with one reference; NULL if there is no memory or no free HKID.
 */
struct td *td_alloc(u64 id, u64 seed)
{
	struct td *td = kzalloc(sizeof(*td), GFP_KERNEL);
	unsigned int i;
	bool complete;

	if (!td)
		return NULL;
	INIT_LIST_HEAD(&td->node);
	refcount_set(&td->refs, 1);
	mutex_init(&td->lock);
	td->id = id;
	td->seed = seed;

	td->hkid = ida_alloc_range(&hkids, 1, MAX_HKID, GFP_KERNEL);
	if (td->hkid < 0) {
		kfree(td);
		return NULL;
	}
	td->tdr = alloc_zeroed_page();
	td->tdcs = alloc_zeroed_page();
	td->tdvpr = alloc_zeroed_page();
	td->params = alloc_zeroed_page();
	complete = td->tdr && td->tdcs && td->tdvpr && td->params;
	for (i = 0; i < TD_MIGRATION_STEPS; i++) {
		td->state[i] = alloc_zeroed_page();
		complete = complete && td->state[i];
	}
	if (!complete) {
		td_put(td);
		return NULL;
	}
	return td;
}

/**
 * td_get() - take a reference to the structure
 * @td: the TD
 *
 * Context: any.
 * Return: @td.
 */
struct td *td_get(struct td *td)
{
	refcount_inc(&td->refs);
	return td;
}

/**
 * td_put() - drop a reference to the structure
 * @td: the TD
 *
 * At the last reference the TD must be destroyed, or never have been known to the TDX module.
 *
 * Context: may sleep.
 */
void td_put(struct td *td)
{
	if (!refcount_dec_and_test(&td->refs))
		return;
	WARN_ON(td->created);
	free_pages_of(td);
	if (td->hkid > 0)
		ida_free(&hkids, td->hkid);
	kfree(td);
}

/**
 * td_address() - physical address of the TDR, which identifies the TD
 * @td: the TD
 *
 * Context: @td->lock held.
 * Return: the address; 0 if the TD has been destroyed.
 */
u64 td_address(const struct td *td)
{
	return td->tdr ? __pa(td->tdr) : 0;
}

static int call_tdr(struct td_caller *caller, struct td *td, u64 leaf, u64 rdx)
{
	struct td_args args = { .rcx = __pa(td->tdr), .rdx = rdx };

	return td_call(caller, leaf, &args);
}

static int call_page(struct td_caller *caller, struct td *td, u64 leaf, void *page)
{
	struct td_args args = { .rcx = __pa(page), .rdx = __pa(td->tdr) };

	return td_call(caller, leaf, &args);
}

/* The first calls of both a built and an imported TD: TDR, key, and a page for its TDCS. */
static int create(struct td_caller *caller, struct td *td)
{
	int ret;

	ret = call_tdr(caller, td, TDH_MNG_CREATE, td->hkid);
	if (ret)
		return ret;
	td->created = true;
	ret = call_tdr(caller, td, TDH_MNG_KEY_CONFIG, 0);
	if (ret)
		return ret;
	return call_page(caller, td, TDH_MNG_ADDCX, td->tdcs);
}

static int create_vp(struct td_caller *caller, struct td *td)
{
	int ret;

	ret = call_page(caller, td, TDH_VP_CREATE, td->tdvpr);
	if (!ret)
		td->has_vp = true;
	return ret;
}

/**
 * td_new() - create a TD and begin its build
 * @caller: as for td_call()
 * @td: a TD fresh from td_alloc()
 *
 * After a failure only td_destroy() can be called for the TD.
 *
 * Context: @td->lock held; may sleep.
 * Return: 0; errors of td_call().
 */
int td_new(struct td_caller *caller, struct td *td)
{
	struct td_args init_vp = { .rcx = __pa(td->tdvpr) };
	int ret;

	lockdep_assert_held(&td->lock);
	ret = create(caller, td);
	if (ret)
		return ret;
	ret = call_tdr(caller, td, TDH_MNG_INIT, __pa(td->params));
	if (ret)
		return ret;
	ret = create_vp(caller, td);
	if (ret)
		return ret;
	ret = td_call(caller, TDH_VP_INIT, &init_vp);
	if (!ret)
		td->phase = TD_BUILDING;
	return ret;
}

static u64 gpa_of(unsigned int index)
{
	return (u64)index * TDX_PAGE_SIZE;
}

static int add_page(struct td_caller *caller, struct td *td)
{
	unsigned int index = td->nr_pages;
	struct td_page *page = &td->pages[index];
	struct td_args args = { .rcx = gpa_of(index), .rdx = __pa(td->tdr) };
	struct rnd_state random;
	int ret;

	*page = (struct td_page){ .private = alloc_zeroed_page(), .source = alloc_zeroed_page() };
	ret = -ENOMEM;
	if (!page->private || !page->source)
		goto free;
	prandom_seed_state(&random, td->seed * TDX_TD_MAX_PAGES + index);
	prandom_bytes_state(&random, page->source, TDX_PAGE_SIZE);

	args.r8 = __pa(page->private);
	args.r9 = __pa(page->source);
	ret = td_call(caller, TDH_MEM_PAGE_ADD, &args);
	if (ret)
		goto free;
	td->nr_pages++;

	while (page->extends < CHUNKS_PER_PAGE) {
		args = (struct td_args){
			.rcx = gpa_of(index) + page->extends * TDX_TD_CHUNK_SIZE,
			.rdx = __pa(td->tdr),
		};
		ret = td_call(caller, TDH_MR_EXTEND, &args);
		if (ret)
			return ret;
		page->extends++;
	}
	return 0;

free:
	release_page(page->private);
	release_page(page->source);
	return ret;
}

/**
 * td_add() - add and measure further pages
 * @caller: as for td_call()
 * @td: a TD that is being built
 * @count: number of pages
 *
 * After a failed call the TD has the pages and chunks of the calls that succeeded, and
 * td_finalize() expects their measurement.
 *
 * Context: @td->lock held; may sleep.
 * Return: 0; -EINVAL if the TD is not being built or would have too many pages; -ENOMEM; errors of
 * td_call().
 */
int td_add(struct td_caller *caller, struct td *td, unsigned int count)
{
	int ret = 0;

	lockdep_assert_held(&td->lock);
	if (td->phase != TD_BUILDING || count > TDX_TD_MAX_PAGES - td->nr_pages)
		return -EINVAL;
	while (!ret && count--)
		ret = add_page(caller, td);
	return ret;
}

static int measure_step(struct shash_desc *hash, const char *name, u64 gpa)
{
	u8 buffer[TDX_TD_MR_BUFFER_SIZE] = { };

	memcpy(buffer, name, strlen(name));
	memcpy(buffer + TDX_TD_MR_GPA_OFFSET, &gpa, sizeof(gpa));
	return crypto_shash_update(hash, buffer, sizeof(buffer));
}

/* Compute the expected measurement; tdx_emu_abi.h has the rule. */
static int measure(struct td *td)
{
	SHASH_DESC_ON_STACK(hash, sha384);
	unsigned int i, chunk;
	int ret;

	hash->tfm = sha384;
	ret = crypto_shash_init(hash);
	for (i = 0; !ret && i < td->nr_pages; i++) {
		const struct td_page *page = &td->pages[i];

		ret = measure_step(hash, "MEM.PAGE.ADD", gpa_of(i));
		for (chunk = 0; !ret && chunk < page->extends; chunk++) {
			u32 offset = chunk * TDX_TD_CHUNK_SIZE;

			ret = measure_step(hash, "MR.EXTEND", gpa_of(i) + offset);
			if (!ret)
				ret = crypto_shash_update(hash, page->source + offset,
							  TDX_TD_CHUNK_SIZE);
		}
	}
	if (!ret)
		ret = crypto_shash_final(hash, td->mrtd);
	shash_desc_zero(hash);
	return ret;
}

/**
 * td_finalize() - finish a TD's build and compute its expected measurement
 * @caller: as for td_call()
 * @td: a TD that is being built
 *
 * Context: @td->lock held; may sleep.
 * Return: 0; -EINVAL if the TD is not being built; errors of td_call() and of the hash.
 */
int td_finalize(struct td_caller *caller, struct td *td)
{
	int ret;

	lockdep_assert_held(&td->lock);
	if (td->phase != TD_BUILDING)
		return -EINVAL;
	ret = measure(td);
	if (ret)
		return ret;
	ret = call_tdr(caller, td, TDH_MR_FINALIZE, 0);
	if (ret)
		return ret;
	td->measured = true;
	td->phase = TD_RUNNABLE;
	return 0;
}

/**
 * td_enter() - run a TD once
 * @caller: as for td_call()
 * @td: a TD that can be run
 *
 * Context: @td->lock held; may sleep.
 * Return: 0; -EINVAL if the TD cannot be run; errors of td_call().
 */
int td_enter(struct td_caller *caller, struct td *td)
{
	struct td_args args;
	int ret;

	lockdep_assert_held(&td->lock);
	if (td->phase != TD_RUNNABLE)
		return -EINVAL;
	args = (struct td_args){ .rcx = __pa(td->tdvpr) };
	ret = td_call(caller, TDH_VP_ENTER, &args);
	if (!ret)
		td->enters++;
	return ret;
}

/* One call of the next leaf, or of the one to be resumed. */
static int migrate(struct td_caller *caller, struct td *td, const u64 *leaves)
{
	struct td_args args = {
		.rcx = __pa(td->tdr),
		.r8 = __pa(td->state[td->step]),
		.r10 = td->interrupted ? TDX_TD_RESUME : 0,
	};
	int ret;

	ret = td_call_resumable(caller, leaves[td->step], &args);
	if (ret < 0)
		return ret;
	td->interrupted = ret > 0;
	if (!td->interrupted)
		td->step++;
	return 0;
}

/**
 * td_export() - begin a TD's export: one call of the first leaf, which may be interrupted
 * @caller: as for td_call()
 * @td: a TD that can be run
 *
 * Context: @td->lock held; may sleep.
 * Return: 0; -EINVAL if the TD cannot be run; errors of td_call_resumable().
 */
int td_export(struct td_caller *caller, struct td *td)
{
	int ret;

	lockdep_assert_held(&td->lock);
	if (td->phase != TD_RUNNABLE)
		return -EINVAL;
	td->step = 0;
	td->interrupted = false;
	ret = migrate(caller, td, export_leaves);
	if (!ret)
		td->phase = TD_EXPORTING;
	return ret;
}

/**
 * td_export_end() - finish a TD's export
 * @caller: as for td_call()
 * @td: a TD whose export has begun
 *
 * Context: @td->lock held; may sleep.
 * Return: 0; -EINVAL if no export has begun; errors of td_call_resumable().
 */
int td_export_end(struct td_caller *caller, struct td *td)
{
	int ret = 0;

	lockdep_assert_held(&td->lock);
	if (td->phase != TD_EXPORTING)
		return -EINVAL;
	while (!ret && td->step < TD_MIGRATION_STEPS)
		ret = migrate(caller, td, export_leaves);
	if (!ret)
		td->phase = TD_EXPORTED;
	return ret;
}

/**
 * td_take_export() - copy what one TD has exported to a new one
 * @to: a TD fresh from td_alloc(), used by the caller only
 * @from: a TD whose export has finished
 *
 * Context: @from->lock held.
 * Return: 0; -EINVAL if the export of @from has not finished.
 */
int td_take_export(struct td *to, struct td *from)
{
	unsigned int i;

	lockdep_assert_held(&from->lock);
	if (from->phase != TD_EXPORTED)
		return -EINVAL;
	for (i = 0; i < TD_MIGRATION_STEPS; i++)
		memcpy(to->state[i], from->state[i], TDX_PAGE_SIZE);
	memcpy(to->mrtd, from->mrtd, sizeof(to->mrtd));
	to->measured = from->measured;
	return 0;
}

/**
 * td_import() - begin a TD's import: one call of the first leaf, which may be interrupted
 * @caller: as for td_call()
 * @td: a new TD, filled in by td_take_export()
 *
 * After a failure only td_destroy() can be called for the TD.
 *
 * Context: @td->lock held; may sleep.
 * Return: 0; errors of td_call() and td_call_resumable().
 */
int td_import(struct td_caller *caller, struct td *td)
{
	int ret;

	lockdep_assert_held(&td->lock);
	ret = create(caller, td);
	if (ret)
		return ret;
	ret = migrate(caller, td, import_leaves);
	if (!ret)
		td->phase = TD_IMPORTING;
	return ret;
}

/**
 * td_import_end() - finish a TD's import
 * @caller: as for td_call()
 * @td: a TD whose import has begun
 *
 * Context: @td->lock held; may sleep.
 * Return: 0; -EINVAL if no import has begun; errors of td_call_resumable().
 */
int td_import_end(struct td_caller *caller, struct td *td)
{
	int ret = 0;

	lockdep_assert_held(&td->lock);
	if (td->phase != TD_IMPORTING)
		return -EINVAL;
	while (!ret && td->step < TD_MIGRATION_STEPS) {
		/* IMPORT.STATE.VP needs a VP. */
		if (td->step == TD_MIGRATION_STEPS - 1 && !td->has_vp)
			ret = create_vp(caller, td);
		if (!ret)
			ret = migrate(caller, td, import_leaves);
	}
	if (!ret)
		td->phase = TD_RUNNABLE;
	return ret;
}

static int read_field(struct td_caller *caller, struct td *td, u64 field, u64 *value)
{
	struct td_args args = { .rcx = __pa(td->tdr), .rdx = field };
	int ret;

	ret = td_call(caller, TDH_MNG_RD, &args);
	if (!ret)
		*value = args.r8;
	return ret;
}

/**
 * td_read_state() - read a TD's state from the TDX module
 * @caller: as for td_call()
 * @td: the TD
 * @state: filled in on success: an enum tdx_td_state
 *
 * Context: @td->lock held; may sleep.
 * Return: 0; -EINVAL if the TDX module does not know the TD; errors of td_call().
 */
int td_read_state(struct td_caller *caller, struct td *td, u64 *state)
{
	lockdep_assert_held(&td->lock);
	if (!td->created)
		return -EINVAL;
	return read_field(caller, td, TDX_TD_FIELD_STATE, state);
}

/**
 * td_read_mrtd() - read a TD's measurement from the TDX module
 * @caller: as for td_call()
 * @td: the TD
 * @mrtd: filled in on success: TDX_SHA384_SIZE bytes
 *
 * Context: @td->lock held; may sleep.
 * Return: 0; -EINVAL if the TD cannot have a measurement yet; errors of td_call().
 */
int td_read_mrtd(struct td_caller *caller, struct td *td, u8 *mrtd)
{
	unsigned int i;
	u64 value;
	int ret;

	lockdep_assert_held(&td->lock);
	if (!td->created || !td->measured || td->phase == TD_NEW || td->phase == TD_IMPORTING)
		return -EINVAL;
	for (i = 0; i < TDX_SHA384_SIZE / sizeof(value); i++) {
		ret = read_field(caller, td, TDX_TD_FIELD_MRTD + i, &value);
		if (ret)
			return ret;
		memcpy(mrtd + i * sizeof(value), &value, sizeof(value));
	}
	return 0;
}

/*
 * Make a call of the teardown, and repeat it once if it fails. A TD that stays in a running TDX
 * module would keep pages that the host is about to free. Return the first call's result.
 */
static int insist(struct td_caller *caller, u64 leaf, u64 rcx)
{
	struct td_args args = { .rcx = rcx };
	int ret;

	ret = td_call(caller, leaf, &args);
	if (ret) {
		args = (struct td_args){ .rcx = rcx };
		td_call(caller, leaf, &args);
	}
	return ret;
}

/**
 * td_destroy() - tear a TD down and free its memory
 * @caller: as for td_call(); not paced, because a paced caller makes no calls once it shall stop
 * @td: the TD in any phase
 *
 * Frees the memory even if the teardown fails, because the TDX module and its TDs may be gone.
 *
 * Context: @td->lock held; may sleep.
 * Return: 0; the first error of td_call(), even if the repeated call succeeded.
 */
int td_destroy(struct td_caller *caller, struct td *td)
{
	int ret = 0, err;

	lockdep_assert_held(&td->lock);
	if (td->has_vp)
		ret = insist(caller, TDH_VP_FLUSH, __pa(td->tdvpr));
	if (td->created) {
		err = insist(caller, TDH_MNG_VPFLUSHDONE, __pa(td->tdr));
		ret = ret ?: err;
		err = insist(caller, TDH_MNG_KEY_FREEID, __pa(td->tdr));
		ret = ret ?: err;
	}
	td->has_vp = false;
	td->created = false;
	td->phase = TD_GONE;
	free_pages_of(td);
	return ret;
}

/* Allocate the hash for measurements. */
int td_init(void)
{
	sha384 = crypto_alloc_shash("sha384", 0, 0);
	return PTR_ERR_OR_ZERO(sha384);
}

/**
 * td_exit() - undo td_init()
 *
 * Context: may sleep; no TD is left.
 */
void td_exit(void)
{
	crypto_free_shash(sha384);
	ida_destroy(&hkids);
}
