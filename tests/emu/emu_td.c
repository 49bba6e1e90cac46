// SPDX-License-Identifier: GPL-2.0-only
/*
 * The TDs: their life cycle, their measurement and their update-sensitive operations
 * (tdx_emu_abi.h). A TD can be built, run, migrated and lost, but no guest code runs and no memory
 * is protected. Runs in traps under emu.lock, so all TDs are in a pool allocated beforehand.
 */
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/topology.h>
#include <linux/vmalloc.h>

#include "emu.h"
#include "emu_td.h"

#define HKID_BITS		16u

/* Content of the caller's page after EXPORT.STATE.*. */
#define STATE_MAGIC		"TDXEMUTD"
struct state_page {
	u8 magic[8];
	u64 stream;
	u64 step;
	u64 attributes;
	u8 mrtd[TDX_SHA384_SIZE];
};

static struct emu_td *tds;
static void *hashes;
static unsigned int tds_used;		/* the elements from here on are free */
static u64 last_stream;

static u64 invalid(u32 operand)
{
	return TDX_OPERAND_INVALID | operand;
}

static struct emu_td *find_td(u64 tdr)
{
	unsigned int i;

	for (i = 0; i < tds_used; i++)
		if (tdr && tds[i].tdr == tdr)
			return &tds[i];
	return NULL;
}

static struct emu_td *find_vp(u64 tdvpr, struct emu_vp **vp)
{
	unsigned int i, j;

	for (i = 0; i < tds_used; i++) {
		if (!tds[i].tdr)
			continue;
		for (j = 0; j < tds[i].nr_vps; j++) {
			if (tds[i].vp[j].tdvpr != tdvpr)
				continue;
			*vp = &tds[i].vp[j];
			return &tds[i];
		}
	}
	return NULL;
}

static u64 lock_td(struct emu_call *call, struct emu_td *td, u32 operand)
{
	if (!td)
		return invalid(operand);
	if (td->busy)
		return TDX_OPERAND_BUSY | operand;
	td->busy = true;
	call->td = td;
	return TDX_SUCCESS;
}

/**
 * emu_td_lock_tdr() - lock the TD of a TDR for a call
 * @call: the call; its @td is filled in on success
 * @tdr: physical address of the TDR
 * @operand: operand id for a failure's status
 *
 * Context: a trap, under emu.lock.
 * Return: status; OPERAND_BUSY if another LP's call has locked the TD.
 */
u64 emu_td_lock_tdr(struct emu_call *call, u64 tdr, u32 operand)
{
	return lock_td(call, find_td(tdr), operand);
}

/**
 * emu_td_lock_tdvpr() - find the VP of a TDVPR and lock its TD for a call
 * @call: the call; its @td and @vp are filled in on success
 * @tdvpr: physical address of the TDVPR
 * @operand: operand id for a failure's status
 *
 * Context: a trap, under emu.lock.
 * Return: status; OPERAND_BUSY if another LP's call has locked the TD.
 */
u64 emu_td_lock_tdvpr(struct emu_call *call, u64 tdvpr, u32 operand)
{
	return lock_td(call, find_vp(tdvpr, &call->vp), operand);
}

/**
 * emu_td_unlock() - unlock the TD of a call
 * @call: the call
 *
 * Context: a trap, under emu.lock, @call->td locked.
 */
void emu_td_unlock(struct emu_call *call)
{
	call->td->busy = false;
}

/**
 * emu_td_page() - find a TD's page
 * @td: the TD
 * @gpa: its guest-physical address
 *
 * Context: under emu.lock, @td locked.
 * Return: the page, or NULL.
 */
struct emu_td_page *emu_td_page(struct emu_td *td, u64 gpa)
{
	unsigned int i;

	for (i = 0; i < td->nr_pages; i++)
		if (td->page[i].gpa == gpa)
			return &td->page[i];
	return NULL;
}

/**
 * emu_td_page_is_free() - can a TD take this page over?
 * @pa: physical address
 *
 * Context: under emu.lock.
 * Return: false for a TDR, a TDVPR, and what is no page of ordinary memory.
 */
bool emu_td_page_is_free(u64 pa)
{
	struct emu_vp *vp;

	return emu_memory(pa, TDX_PAGE_SIZE) && !find_td(pa) && !find_vp(pa, &vp);
}

/*
 * The hash functions fail only if they are set up wrongly. Should one fail all the same, the
 * measurement comes out wrong, which tests check.
 */
static void measure_operation(struct emu_td *td, const char *name, u64 gpa)
{
	u8 buffer[TDX_TD_MR_BUFFER_SIZE] = {};

	memcpy(buffer, name, strlen(name));
	memcpy(buffer + TDX_TD_MR_GPA_OFFSET, &gpa, sizeof(gpa));
	crypto_shash_update(td->hash, buffer, sizeof(buffer));
}

/**
 * emu_mng_create() - TDH.MNG.CREATE
 * @call: RCX = TDR page, RDX = HKID
 *
 * It does not check whether another TD has the same HKID.
 *
 * Context: a trap, under emu.lock.
 * Return: status.
 */
u64 emu_mng_create(struct emu_call *call)
{
	struct shash_desc *hash;
	struct emu_td *td;

	if (!emu_td_page_is_free(call->regs->cx))
		return invalid(TDX_OPERAND_ID_RCX);
	if (call->regs->dx >> HKID_BITS)
		return invalid(TDX_OPERAND_ID_RDX);

	for (td = tds; td < tds + TDX_TD_MAX && td->tdr; td++)
		;
	if (td == tds + TDX_TD_MAX)
		return invalid(TDX_OPERAND_ID_RCX);
	tds_used = max_t(unsigned int, tds_used, td - tds + 1);

	hash = td->hash;
	memset(td, 0, sizeof(*td));
	td->hash = hash;
	td->tdr = call->regs->cx;
	td->state = TDX_TD_CREATED;
	return TDX_SUCCESS;
}

/**
 * emu_mng_key_config() - TDH.MNG.KEY.CONFIG
 * @call: RCX = TDR
 *
 * Its caller calls on each package. The emulator takes a TD for keyed from the first call on.
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_mng_key_config(struct emu_call *call)
{
	u64 package = 1ULL << (topology_logical_package_id(call->cpu) & 63);

	if (call->td->state != TDX_TD_CREATED)
		return TDX_TD_LIFECYCLE_STATE_INCORRECT;
	if (call->td->keys & package)
		return TDX_TD_KEY_CONFIGURED;
	call->td->keys |= package;
	return TDX_SUCCESS;
}

/**
 * emu_td_check_keyed() - does a TD have a key?
 * @td: the TD
 *
 * A TD has two state machines, keys and operations. A leaf checks the keys first.
 *
 * Context: under emu.lock, @td locked.
 * Return: status.
 */
u64 emu_td_check_keyed(const struct emu_td *td)
{
	if (!td->keys || td->state == TDX_TD_TEARDOWN)
		return TDX_TD_LIFECYCLE_STATE_INCORRECT;
	return TDX_SUCCESS;
}

static u64 check_state(const struct emu_td *td, enum tdx_td_state state)
{
	u64 status = emu_td_check_keyed(td);

	if (!status && td->state != state)
		status = TDX_TD_OP_STATE_INCORRECT;
	return status;
}

/**
 * emu_mng_addcx() - TDH.MNG.ADDCX
 * @call: RCX = TDCS page, RDX = TDR
 *
 * It takes any number of pages. One is enough.
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_mng_addcx(struct emu_call *call)
{
	u64 status = check_state(call->td, TDX_TD_CREATED);

	if (status)
		return status;
	if (!emu_td_page_is_free(call->regs->cx))
		return invalid(TDX_OPERAND_ID_RCX);
	call->td->tdcs_pages++;
	return TDX_SUCCESS;
}

/* MNG.INIT and the first import leaf need a TD with a key and a TDCS page, not yet initialised. */
static u64 check_uninitialized(const struct emu_td *td)
{
	u64 status = check_state(td, TDX_TD_CREATED);

	if (!status && !td->tdcs_pages)
		status = TDX_TD_OP_STATE_INCORRECT;
	return status;
}

static void initialize(struct emu_td *td, enum tdx_td_state state)
{
	td->state = state;
	td->checked = emu.image.features0 & TDX_FEATURES0_UPDATE_COMPAT;
}

/**
 * emu_mng_init() - TDH.MNG.INIT
 * @call: RCX = TDR, RDX = TD_PARAMS page
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_mng_init(struct emu_call *call)
{
	u64 *params = emu_memory(call->regs->dx, TDX_TD_PARAMS_SIZE);
	u64 status = check_uninitialized(call->td);

	if (status)
		return status;
	if (!params)
		return invalid(TDX_OPERAND_ID_RDX);
	call->td->attributes = *params;
	crypto_shash_init(call->td->hash);
	initialize(call->td, TDX_TD_BUILD);
	return TDX_SUCCESS;
}

/**
 * emu_vp_create() - TDH.VP.CREATE
 * @call: RCX = TDVPR page, RDX = TDR
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_vp_create(struct emu_call *call)
{
	struct emu_td *td = call->td;
	u64 status = emu_td_check_keyed(td);

	if (status)
		return status;
	if (td->state != TDX_TD_BUILD && td->state != TDX_TD_RUNNABLE &&
	    td->state != TDX_TD_IMPORT)
		return TDX_TD_OP_STATE_INCORRECT;
	if (!emu_td_page_is_free(call->regs->cx) || td->nr_vps == MAX_VPS)
		return invalid(TDX_OPERAND_ID_RCX);
	td->vp[td->nr_vps++] = (struct emu_vp){ .tdvpr = call->regs->cx };
	return TDX_SUCCESS;
}

/**
 * emu_vp_init() - TDH.VP.INIT
 * @call: RCX = TDVPR, RDX = initial RCX
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_vp_init(struct emu_call *call)
{
	u64 status = emu_td_check_keyed(call->td);

	if (status)
		return status;
	if ((call->td->state != TDX_TD_BUILD && call->td->state != TDX_TD_RUNNABLE) ||
	    call->vp->initialized)
		return TDX_TD_OP_STATE_INCORRECT;
	call->vp->initialized = true;
	return TDX_SUCCESS;
}

/**
 * emu_mem_page_add() - TDH.MEM.PAGE.ADD
 * @call: RCX = GPA, RDX = TDR, R8 = the TD's page, R9 = source page
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_mem_page_add(struct emu_call *call)
{
	u64 gpa = call->regs->cx, status = check_state(call->td, TDX_TD_BUILD);
	void *page = emu_memory(call->regs->r8, TDX_PAGE_SIZE);
	void *source = emu_memory(call->regs->r9, TDX_PAGE_SIZE);
	struct emu_td *td = call->td;

	if (status)
		return status;
	if (!PAGE_ALIGNED(gpa) || td->nr_pages == TDX_TD_MAX_PAGES)
		return invalid(TDX_OPERAND_ID_RCX);
	if (emu_td_page(td, gpa))
		return invalid(TDX_OPERAND_ID_RCX);
	if (!emu_sept_has(td, gpa, 1))
		return TDX_TD_EPT_WALK_FAILED | TDX_OPERAND_ID_RCX;
	if (!page || !emu_td_page_is_free(call->regs->r8))
		return invalid(TDX_OPERAND_ID_R8);
	if (!source)
		return invalid(TDX_OPERAND_ID_R9);

	if (page != source)
		memcpy(page, source, TDX_PAGE_SIZE);
	td->page[td->nr_pages++] = (struct emu_td_page){ .gpa = gpa, .pa = call->regs->r8 };
	measure_operation(td, "MEM.PAGE.ADD", gpa);
	return TDX_SUCCESS;
}

/**
 * emu_mr_extend() - TDH.MR.EXTEND
 * @call: RCX = GPA of a chunk, RDX = TDR
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_mr_extend(struct emu_call *call)
{
	u64 gpa = call->regs->cx, status = check_state(call->td, TDX_TD_BUILD);
	u64 offset = gpa & (TDX_PAGE_SIZE - 1);
	struct emu_td *td = call->td;
	struct emu_td_page *page;

	if (status)
		return status;
	page = emu_td_page(td, gpa - offset);
	if (!page || offset % TDX_TD_CHUNK_SIZE)
		return invalid(TDX_OPERAND_ID_RCX);

	measure_operation(td, "MR.EXTEND", gpa);
	crypto_shash_update(td->hash, __va(page->pa + offset), TDX_TD_CHUNK_SIZE);
	return TDX_SUCCESS;
}

/**
 * emu_mr_finalize() - TDH.MR.FINALIZE
 * @call: RCX = TDR
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_mr_finalize(struct emu_call *call)
{
	u64 status = check_state(call->td, TDX_TD_BUILD);

	if (status)
		return status;
	crypto_shash_final(call->td->hash, call->td->mrtd);
	call->td->measured = true;
	call->td->state = TDX_TD_RUNNABLE;
	return TDX_SUCCESS;
}

/**
 * emu_vp_enter() - TDH.VP.ENTER
 * @call: RCX = TDVPR
 *
 * The guest that is acted out is that of tdx_emu_guest.h, or exits at once.
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_vp_enter(struct emu_call *call)
{
	u64 status = check_state(call->td, TDX_TD_RUNNABLE);

	if (status)
		return status;
	if (!call->vp->initialized)
		return TDX_TD_OP_STATE_INCORRECT;
	call->vp->associated = true;
	call->td->enters++;
	return emu_guest_run(call);
}

/**
 * emu_vp_flush() - TDH.VP.FLUSH
 * @call: RCX = TDVPR
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_vp_flush(struct emu_call *call)
{
	if (call->td->state == TDX_TD_TEARDOWN)
		return TDX_TD_LIFECYCLE_STATE_INCORRECT;
	call->vp->associated = false;
	return TDX_SUCCESS;
}

/**
 * emu_mng_vpflushdone() - TDH.MNG.VPFLUSHDONE
 * @call: RCX = TDR
 *
 * It ends the TD in every state, also within a build, an export or an import.
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_mng_vpflushdone(struct emu_call *call)
{
	struct emu_td *td = call->td;
	unsigned int i;

	if (td->state == TDX_TD_TEARDOWN)
		return TDX_TD_LIFECYCLE_STATE_INCORRECT;
	for (i = 0; i < td->nr_vps; i++)
		if (td->vp[i].associated)
			return TDX_TD_OP_STATE_INCORRECT;
	td->state = TDX_TD_TEARDOWN;
	td->interrupted = false;
	return TDX_SUCCESS;
}

/**
 * emu_mng_key_freeid() - TDH.MNG.KEY.FREEID
 * @call: RCX = TDR
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_mng_key_freeid(struct emu_call *call)
{
	if (call->td->state != TDX_TD_TEARDOWN)
		return TDX_TD_LIFECYCLE_STATE_INCORRECT;
	call->td->tdr = 0;
	return TDX_SUCCESS;
}

/**
 * emu_mng_rd() - TDH.MNG.RD
 * @call: RCX = TDR, RDX = field id; R8 out: value
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_mng_rd(struct emu_call *call)
{
	u64 field = call->regs->dx, value;
	struct emu_td *td = call->td;

	call->regs->r8 = 0;
	switch (field) {
	case TDX_TD_FIELD_STATE:
		value = td->state;
		break;
	case TDX_TD_FIELD_ENTERS:
		value = td->enters;
		break;
	case TDX_TD_FIELD_TSC_OFFSET:
		value = 0;
		break;
	case TDX_TD_FIELD_TSC_MULTIPLIER:
		value = 1ULL << 48;
		break;
	case TDX_TD_FIELD_MRTD ... TDX_TD_FIELD_MRTD + TDX_SHA384_SIZE / sizeof(value) - 1:
		if (!td->measured)
			return TDX_TD_OP_STATE_INCORRECT;
		memcpy(&value, td->mrtd + (field - TDX_TD_FIELD_MRTD) * sizeof(value),
		       sizeof(value));
		break;
	default:
		if (emu_td_cpuid(field, &value))
			return TDX_METADATA_FIELD_ID_INCORRECT;
	}
	call->regs->r8 = value;
	return TDX_SUCCESS;
}

/*
 * One call of an EXPORT.STATE or IMPORT.STATE leaf: INTERRUPTED_RESUMABLE while interruptions are
 * left. The caller has checked @resume: it is set if and only if the leaf was interrupted.
 */
static u64 round_of_leaf(struct emu_td *td, bool resume)
{
	if (!resume)
		td->interruptions = emu.platform.interruptions;
	td->interrupted = td->interruptions > 0;
	if (!td->interrupted)
		return TDX_SUCCESS;
	td->interruptions--;
	return TDX_TD_INTERRUPTED_RESUMABLE;
}

/**
 * emu_export_state() - TDH.EXPORT.STATE.IMMUTABLE, .TD and .VP
 * @call: RCX = TDR, R8 = buffer page, R10 bit 63 = resume
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_export_state(struct emu_call *call)
{
	struct state_page *page = emu_memory(call->regs->r8, TDX_PAGE_SIZE);
	unsigned int step = call->leaf - EMU_TDH_EXPORT_STATE_IMMUTABLE;
	bool resume = call->regs->r10 & TDX_TD_RESUME;
	struct emu_td *td = call->td;
	u64 status;

	status = emu_td_check_keyed(td);
	if (status)
		return status;
	if (resume != td->interrupted || (td->state == TDX_TD_EXPORT ? step != td->step :
					  td->state != TDX_TD_RUNNABLE || step))
		return TDX_TD_OP_STATE_INCORRECT;
	if (!page)
		return invalid(TDX_OPERAND_ID_R8);

	if (td->state == TDX_TD_RUNNABLE) {
		td->state = TDX_TD_EXPORT;
		td->step = 0;
		td->stream = ++last_stream;
	}
	status = round_of_leaf(td, resume);
	if (status)
		return status;

	memset(page, 0, TDX_PAGE_SIZE);
	memcpy(page->magic, STATE_MAGIC, sizeof(page->magic));
	page->stream = td->stream;
	page->step = step;
	page->attributes = td->attributes;
	memcpy(page->mrtd, td->mrtd, sizeof(page->mrtd));
	td->step++;
	if (call->leaf == EMU_TDH_EXPORT_STATE_VP)
		td->state = TDX_TD_EXPORTED;
	return TDX_SUCCESS;
}

/**
 * emu_import_state() - TDH.IMPORT.STATE.IMMUTABLE, .TD and .VP
 * @call: RCX = TDR, R8 = page from the same EXPORT.STATE leaf, R10 bit 63 = resume
 *
 * Context: a trap, under emu.lock, @call->td locked.
 * Return: status.
 */
u64 emu_import_state(struct emu_call *call)
{
	const struct state_page *page = emu_memory(call->regs->r8, TDX_PAGE_SIZE);
	unsigned int step = call->leaf - EMU_TDH_IMPORT_STATE_IMMUTABLE;
	bool resume = call->regs->r10 & TDX_TD_RESUME;
	struct emu_td *td = call->td;
	unsigned int i;
	u64 status;

	status = td->state == TDX_TD_IMPORT ? emu_td_check_keyed(td) : check_uninitialized(td);
	if (status)
		return status;
	if (resume != td->interrupted || step != td->step)
		return TDX_TD_OP_STATE_INCORRECT;
	if (call->leaf == EMU_TDH_IMPORT_STATE_VP && !td->nr_vps)
		return TDX_TD_OP_STATE_INCORRECT;
	if (!page || memcmp(page->magic, STATE_MAGIC, sizeof(page->magic)) || page->step != step ||
	    (td->stream && page->stream != td->stream))
		return invalid(TDX_OPERAND_ID_R8);

	if (td->state == TDX_TD_CREATED)
		initialize(td, TDX_TD_IMPORT);
	td->stream = page->stream;
	status = round_of_leaf(td, resume);
	if (status)
		return status;

	td->attributes = page->attributes;
	memcpy(td->mrtd, page->mrtd, sizeof(td->mrtd));
	td->step++;
	if (call->leaf != EMU_TDH_IMPORT_STATE_VP)
		return TDX_SUCCESS;

	/* One page has the state of all VPs. */
	for (i = 0; i < td->nr_vps; i++)
		td->vp[i].initialized = true;
	if (td->spoiled)
		td->mrtd[0] ^= 0xff;
	td->measured = true;
	td->state = TDX_TD_RUNNABLE;
	return TDX_SUCCESS;
}

/* An update can break the hash context of a build or of an interrupted export or import. */
static bool update_sensitive(const struct emu_td *td)
{
	return td->tdr && (td->state == TDX_TD_BUILD || td->interrupted);
}

/**
 * emu_td_update_sensitive() - is a TD in an operation for which a shutdown has to be rejected?
 *
 * It ignores TDs that were initialised under a TDX module without UPDATE_COMPAT
 * (docs/firmware.md, Update-sensitive operations).
 *
 * Context: under emu.lock.
 * Return: true if so.
 */
bool emu_td_update_sensitive(void)
{
	unsigned int i;

	lockdep_assert_held(&emu.lock);

	for (i = 0; i < tds_used; i++)
		if (tds[i].checked && update_sensitive(&tds[i]))
			return true;
	return false;
}

/**
 * emu_td_spoil() - break the hash contexts of all update-sensitive operations
 *
 * A build's hash starts anew from a byte that was never measured. An interrupted export returns a
 * wrong measurement from now on, an interrupted import ends with one.
 *
 * Context: under emu.lock.
 */
void emu_td_spoil(void)
{
	static const u8 noise = 0xa5;
	unsigned int i;

	lockdep_assert_held(&emu.lock);

	for (i = 0; i < tds_used; i++) {
		struct emu_td *td = &tds[i];

		/* Only once: a second shutdown would invert an export's byte back. */
		if (!update_sensitive(td) || td->spoiled)
			continue;
		td->spoiled = true;
		emu.spoiled++;
		if (td->state == TDX_TD_BUILD) {
			crypto_shash_init(td->hash);
			crypto_shash_update(td->hash, &noise, sizeof(noise));
		} else if (td->state == TDX_TD_EXPORT) {
			td->mrtd[0] ^= 0xff;
		}
	}
}

/**
 * emu_td_clear() - remove all TDs
 *
 * Context: under emu.lock; no LP is inside the TDX module.
 */
void emu_td_clear(void)
{
	lockdep_assert_held(&emu.lock);

	while (tds_used)
		tds[--tds_used].tdr = 0;
}

/**
 * emu_td_copy() - copy what file "tds" shows of the TDs
 * @views: filled in; room for TDX_TD_MAX
 *
 * Context: under emu.lock.
 * Return: the number of TDs.
 */
unsigned int emu_td_copy(struct emu_td_view *views)
{
	unsigned int i, nr = 0;

	lockdep_assert_held(&emu.lock);

	for (i = 0; i < tds_used; i++) {
		if (!tds[i].tdr)
			continue;
		views[nr].tdr = tds[i].tdr;
		views[nr].state = tds[i].state;
		views[nr].enters = tds[i].enters;
		views[nr].checked = tds[i].checked;
		views[nr].measured = tds[i].measured;
		memcpy(views[nr].mrtd, tds[i].mrtd, sizeof(views[nr].mrtd));
		nr++;
	}
	return nr;
}

/* Allocate the pool of TDs. */
int emu_td_init(void)
{
	size_t size = ALIGN(sizeof(struct shash_desc) + crypto_shash_descsize(emu_sha384),
			    CRYPTO_MINALIGN);
	unsigned int i;

	BUILD_BUG_ON(sizeof(struct state_page) > TDX_PAGE_SIZE);
	/* A leaf's step is its distance from IMMUTABLE in enum emu_leaf. */
	BUILD_BUG_ON(EMU_TDH_EXPORT_STATE_VP - EMU_TDH_EXPORT_STATE_IMMUTABLE != 2);
	BUILD_BUG_ON(EMU_TDH_IMPORT_STATE_VP - EMU_TDH_IMPORT_STATE_IMMUTABLE != 2);

	tds = vzalloc(TDX_TD_MAX * sizeof(*tds));
	hashes = vzalloc(TDX_TD_MAX * size);
	if (!tds || !hashes) {
		emu_td_exit();
		return -ENOMEM;
	}
	for (i = 0; i < TDX_TD_MAX; i++) {
		tds[i].hash = hashes + i * size;
		tds[i].hash->tfm = emu_sha384;
	}
	return 0;
}

/* Undo emu_td_init(). */
void emu_td_exit(void)
{
	vfree(hashes);
	vfree(tds);
}
