// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEAMLDR.INSTALL: sessions, the closing call's checks in the firmware's order, failures.
 * This file decides what is installed. The TDX module itself is in emu_module.c, TDs in emu_td.c.
 * Runs in traps. The calling LP owns P-SEAMLDR (emu.seamldr_busy), so the checks need no lock.
 */
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "emu.h"

/* Bytes at fault_wrapper_offset: 32 exception handlers of 16 bytes. */
#define FAULT_WRAPPERS_SIZE	512u

/* Data of the closing call: private copies, as P-SEAMLDR makes them. */
static struct {
	struct seamldr_params params;
	struct seam_sigstruct sigstruct;
	bool update;
	struct emu_image image;
} install;

static struct shash_desc *install_hash;

static u64 check_params(void)
{
	const struct seamldr_params *params = &install.params;
	u64 i;

	if (params->version)
		return SEAMLDR_EBADPARAM;
	if (memchr_inv(params->reserved, 0, sizeof(params->reserved)))
		return SEAMLDR_EBADPARAM;
	if (params->scenario != SEAMLDR_SCENARIO_LOAD &&
	    params->scenario != SEAMLDR_SCENARIO_UPDATE)
		return SEAMLDR_EBADPARAM;
	if (!params->num_module_pages || params->num_module_pages > SEAMLDR_MAX_MODULE_PAGES)
		return SEAMLDR_EBADPARAM;
	if (!emu_memory(params->sigstruct_pa, TDX_PAGE_SIZE))
		return SEAMLDR_EBADPARAM;
	for (i = 0; i < params->num_module_pages; i++)
		if (!emu_memory(params->module_pages_pa[i], TDX_PAGE_SIZE))
			return SEAMLDR_EBADPARAM;

	install.update = params->scenario == SEAMLDR_SCENARIO_UPDATE;
	/* An update needs a TDX module that was open when the session began. */
	if (install.update && !emu.session_seam_ready)
		return SEAMLDR_EBADPARAM;

	memcpy(&install.sigstruct, __va(params->sigstruct_pa), sizeof(install.sigstruct));
	return TDX_SUCCESS;
}

/* Offset 1000 up to the CPU table: must be 0 for P-SEAMLDR 1.5.02; holds the version later. */
static bool version_bytes_are_good(const struct seam_sigstruct *sig)
{
	size_t from = offsetof(struct seam_sigstruct, update);

	return !emu_seamldr_is_1_5_02() ||
	       !memchr_inv((const u8 *)sig + from, 0,
			   offsetof(struct seam_sigstruct, cpuid_table_size) - from);
}

static u64 check_sigstruct_fields(void)
{
	const struct seam_sigstruct *sig = &install.sigstruct;

	if (sig->header_type != SEAM_SIGSTRUCT_HEADER_TYPE ||
	    sig->header_length != SEAM_SIGSTRUCT_HEADER_LENGTH ||
	    sig->header_version != SEAM_SIGSTRUCT_HEADER_VERSION ||
	    sig->module_type & ~SEAM_SIGSTRUCT_DEBUG_SIGNED ||
	    sig->module_vendor != SEAM_SIGSTRUCT_VENDOR_INTEL ||
	    sig->size != SEAM_SIGSTRUCT_SIZE_DWORDS ||
	    sig->key_size != SEAM_SIGSTRUCT_KEY_DWORDS ||
	    sig->modulus_size != SEAM_SIGSTRUCT_KEY_DWORDS ||
	    sig->exponent_size != SEAM_SIGSTRUCT_EXPONENT_DWORDS ||
	    sig->exponent != SEAM_SIGSTRUCT_EXPONENT ||
	    sig->attributes || sig->reserved2 ||
	    memchr_inv(sig->reserved0, 0, sizeof(sig->reserved0)) ||
	    memchr_inv(sig->reserved1, 0, sizeof(sig->reserved1)) ||
	    !version_bytes_are_good(sig) ||
	    sig->cpuid_table_size > SEAM_SIGSTRUCT_MAX_CPUIDS ||
	    sig->min_update_hv > sig->module_hv ||
	    sig->gdt_idt_offset % TDX_PAGE_SIZE ||
	    !sig->gdt_idt_offset != !sig->fault_wrapper_offset)
		return SEAMLDR_EBADSIG;
	return TDX_SUCCESS;
}

/* The hash of the modulus identifies the signer (docs/firmware.md, Signer). */
static u64 check_signer(void)
{
	const struct emu_signer *signer = &emu.booted.signer;
	u8 hash[TDX_SHA384_SIZE];

	if (signer->any)
		return TDX_SUCCESS;
	if (crypto_shash_digest(install_hash, install.sigstruct.modulus,
				sizeof(install.sigstruct.modulus), hash) ||
	    memcmp(hash, signer->hash, sizeof(hash)))
		return SEAMLDR_EBADSIG;
	return TDX_SUCCESS;
}

static u64 check_debug_signed(void)
{
	if (install.sigstruct.module_type & SEAM_SIGSTRUCT_DEBUG_SIGNED && !emu.booted.unlocked)
		return SEAMLDR_EBADSIG;
	return TDX_SUCCESS;
}

static u64 check_svn_major(void)
{
	const struct seam_sigstruct *sig = &install.sigstruct;

	if (!sig->svn_major || (install.update && sig->svn_major != emu.seamextend.svn.major))
		return SEAMLDR_EUNSUPPORTED;
	return TDX_SUCCESS;
}

static u64 check_svn_minor(void)
{
	if (install.update && install.sigstruct.svn_minor < emu.seamextend.svn.minor)
		return SEAMLDR_EBADSIG;
	return TDX_SUCCESS;
}

/*
 * A load cannot bypass the two SVN rules. Once there has been a TDX module, its keys and cache
 * lines remain until SEAMLDR.CLEANUP, which the emulator does not have.
 */
static u64 check_cleanup(void)
{
	const struct seam_sigstruct *sig = &install.sigstruct;

	if (!install.update && emu.dirty && (sig->svn_major != emu.seamextend.svn.major ||
					     sig->svn_minor < emu.seamextend.svn.minor))
		return SEAMLDR_ECLEANUPREQ;
	return TDX_SUCCESS;
}

/* P-SEAMLDR does not check rip_offset. */
static u64 check_table_offsets(void)
{
	const struct seam_sigstruct *sig = &install.sigstruct;
	u32 size = install.params.num_module_pages * TDX_PAGE_SIZE;

	if (sig->gdt_idt_offset && sig->gdt_idt_offset > size - TDX_PAGE_SIZE)
		return SEAMLDR_EBADSIG;
	if (sig->fault_wrapper_offset && sig->fault_wrapper_offset > size - FAULT_WRAPPERS_SIZE)
		return SEAMLDR_EBADSIG;
	return TDX_SUCCESS;
}

static bool table_has(u32 cpuid)
{
	const struct seam_sigstruct *sig = &install.sigstruct;
	u32 i;

	for (i = 0; i < sig->cpuid_table_size; i++)
		if (!((sig->cpuid_table[i] ^ cpuid) & ~SEAM_SIGSTRUCT_CPUID_STEPPING))
			return true;
	return false;
}

static u64 check_cpu_table(void)
{
	const struct seam_sigstruct *sig = &install.sigstruct;
	unsigned int i;

	/* An empty table is allowed for a debug-signed image only, which then suits any CPU. */
	if (!sig->cpuid_table_size && !(sig->module_type & SEAM_SIGSTRUCT_DEBUG_SIGNED))
		return SEAMLDR_EBADSIG;
	if (!sig->cpuid_table_size)
		return TDX_SUCCESS;

	for (i = 0; i < emu_num_sockets(); i++)
		if (!table_has(emu_socket_cpuid(i)))
			return SEAMLDR_EUNSUPCPU;
	return TDX_SUCCESS;
}

/* DER of the DigestInfo of SHA-384, up to the hash (RFC 8017, section 9.2). */
static const u8 digest_info[] = {
	0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
	0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30,
};

/* Compare from the message's last byte to its first: hash, digest_info, 00, FF..., 01, 00. */
static bool is_encoded(const u8 *little_endian, const u8 *hash)
{
	const size_t info = TDX_SHA384_SIZE + sizeof(digest_info);
	size_t i;

	for (i = 0; i < SEAM_SIGSTRUCT_MODULUS_SIZE; i++) {
		u8 byte;

		if (i < TDX_SHA384_SIZE)
			byte = hash[TDX_SHA384_SIZE - 1 - i];
		else if (i < info)
			byte = digest_info[info - 1 - i];
		else if (i == info || i == SEAM_SIGSTRUCT_MODULUS_SIZE - 1)
			byte = 0x00;
		else
			byte = i == SEAM_SIGSTRUCT_MODULUS_SIZE - 2 ? 0x01 : 0xff;
		if (little_endian[i] != byte)
			return false;
	}
	return true;
}

static u64 check_signed(void)
{
	static u8 message[SEAM_SIGSTRUCT_MODULUS_SIZE];
	const struct seam_sigstruct *sig = &install.sigstruct;
	u8 hash[TDX_SHA384_SIZE];

	if (!emu.platform.crypto)
		return TDX_SUCCESS;
	if (crypto_shash_init(install_hash) ||
	    crypto_shash_update(install_hash, (const u8 *)sig,
				offsetof(struct seam_sigstruct, modulus)) ||
	    crypto_shash_update(install_hash, sig->seamhash,
				sizeof(*sig) - offsetof(struct seam_sigstruct, seamhash)) ||
	    crypto_shash_final(install_hash, hash))
		return SEAMLDR_EUNSPECERR;
	if (!emu_rsa_public(sig->modulus, sig->signature, message) || !is_encoded(message, hash))
		return SEAMLDR_EBADSIG;
	return TDX_SUCCESS;
}

/* Pages of page tables to map @pages pages, without the topmost level. */
static u64 page_tables(u64 pages)
{
	const u64 entries = TDX_PAGE_SIZE / sizeof(u64);

	return DIV_ROUND_UP(pages, entries) +
	       DIV_ROUND_UP(pages / entries, entries) +
	       DIV_ROUND_UP(pages / entries / entries, entries);
}

/* Pages that the image takes: docs/firmware.md, Memory of a TDX module. */
static u64 needed_pages(void)
{
	const struct seam_sigstruct *sig = &install.sigstruct;
	const u64 lps = (u64)emu_num_sockets() * emu.package_lps;
	const u64 system = 1, code = SZ_2M / TDX_PAGE_SIZE;
	u64 stacks = lps * (sig->num_stack_pages + 2);
	u64 data = lps * (sig->num_tls_pages + 1) + sig->num_global_data_pages + 1 +
		   sig->num_handoff_pages + 1;
	u64 keyholes = lps * (sig->num_keyhole_pages + 1);
	u64 keyhole_edit = DIV_ROUND_UP(keyholes * sizeof(u64), TDX_PAGE_SIZE);

	/* Keyholes take address space only: page tables, but no pages. */
	return system + lps + stacks + data + code + 1 + page_tables(system) +
	       page_tables(stacks) + page_tables(data) + page_tables(keyholes) +
	       page_tables(keyhole_edit) + page_tables(install.params.num_module_pages);
}

static u64 check_memory_fit(void)
{
	emu.needed_pages = needed_pages();
	return emu.needed_pages > emu.booted.room ? SEAMLDR_ENOMEM : TDX_SUCCESS;
}

static u64 check_remaining_updates(void)
{
	return install.update && !emu.remaining ? SEAMLDR_EBADCALL : TDX_SUCCESS;
}

/* The old TDX module's handoff pages bound the data. In TDH.SYS.UPDATE the new one's do. */
static u64 check_handoff(void)
{
	const struct seam_sigstruct *sig = &install.sigstruct;
	const struct emu_handoff *handoff = &emu.handoff;
	u64 room = (emu.image.num_handoff_pages + 1) * (u64)TDX_PAGE_SIZE;

	if (!install.update)
		return TDX_SUCCESS;
	if (!handoff->valid || (u64)handoff->size + EMU_HANDOFF_HEAD > room ||
	    handoff->hv < sig->min_update_hv || handoff->hv > sig->module_hv)
		return SEAMLDR_EBADHANDOFF;
	return TDX_SUCCESS;
}

/* The checks before the TDX module's memory is cleared, in the firmware's order. */
static u64 (*const recoverable_checks[])(void) = {
	check_params,
	check_sigstruct_fields,
	check_signer,
	check_debug_signed,
	check_svn_major,
	check_svn_minor,
	check_cleanup,
	check_table_offsets,
	check_cpu_table,
	check_signed,
	check_memory_fit,
	check_remaining_updates,
	check_handoff,
};

static u64 check_hash(void)
{
	u8 hash[TDX_SHA384_SIZE];
	u64 i;
	int ret;

	if (!emu.platform.crypto)
		return TDX_SUCCESS;
	ret = crypto_shash_init(install_hash);
	for (i = 0; i < install.params.num_module_pages && !ret; i++)
		ret = crypto_shash_update(install_hash, __va(install.params.module_pages_pa[i]),
					  TDX_PAGE_SIZE);
	if (!ret)
		ret = crypto_shash_final(install_hash, hash);
	if (ret || memcmp(hash, install.sigstruct.seamhash, sizeof(hash)))
		return SEAMLDR_EBADHASH;
	return TDX_SUCCESS;
}

/* Properties of the image's TDX module: from its descriptor, or from its sigstruct without one. */
static void read_image(void)
{
	const struct seam_sigstruct *sig = &install.sigstruct;
	const struct tdx_emu_desc *desc = __va(install.params.module_pages_pa[0]);
	struct emu_image *image = &install.image;

	*image = (struct emu_image){
		.version = { sig->major, sig->minor, sig->update },
		.build_num = sig->build_num,
		.build_date = sig->date,
		.vendor_id = sig->module_vendor,
		.features0 = TDX_FEATURES0_TD_PRESERVING | TDX_FEATURES0_NO_RBP_MOD,
		.hv = { sig->min_update_hv, sig->module_hv },
		.rd_hv = { sig->min_update_hv, sig->module_hv },
		.no_downgrade = sig->no_downgrade,
		.num_handoff_pages = sig->num_handoff_pages,
	};

	if (memcmp(desc->magic, TDX_EMU_DESC_MAGIC, TDX_EMU_DESC_MAGIC_SIZE)) {
		/* Images up to 1.5.16 have no version in their sigstruct. */
		if (!sig->major && !sig->minor && !sig->update)
			image->version = (struct emu_version){ 1, 5, sig->svn_minor };
		return;
	}

	image->version = (struct emu_version){ desc->major, desc->minor, desc->update };
	image->build_num = desc->build_num;
	image->build_date = desc->build_date;
	image->features0 = desc->features0;
	image->rd_hv = (struct emu_hv_range){ desc->rd_min_update_hv, desc->rd_module_hv };
	image->handoff_size = desc->handoff_size;
}

/*
 * All checks of the closing call. @rdx returns whether memory was cleared before a failure. Runs
 * without emu.lock: what it reads cannot change, because the TDX module is closed to calls and this
 * LP owns P-SEAMLDR.
 */
static u64 verify(u64 params_pa, u64 *rdx)
{
	const void *params = emu_memory(params_pa, TDX_PAGE_SIZE);
	unsigned int i;
	u64 status;

	*rdx = SEAMLDR_RECOVERABLE;
	if (!params)
		return SEAMLDR_EBADPARAM;
	memcpy(&install.params, params, sizeof(install.params));
	for (i = 0; i < ARRAY_SIZE(recoverable_checks); i++) {
		status = recoverable_checks[i]();
		if (status)
			return status;
	}

	/* Here P-SEAMLDR clears the TDX module's memory. */
	*rdx = SEAMLDR_UNRECOVERABLE;
	status = check_hash();
	if (status)
		return status;
	read_image();
	return TDX_SUCCESS;
}

/* The TDX module's memory has been cleared: it, its TDs and the handoff data are gone. */
static void clear_module(void)
{
	emu.seam_ready = false;
	emu_module_clear();
	emu_td_clear();
}

static void close_session_failed(u64 rdx)
{
	cpumask_clear(&emu.session);
	if (rdx == SEAMLDR_RECOVERABLE) {
		emu.seam_ready = emu.session_seam_ready;
		return;
	}
	clear_module();
	emu.seamextend = (struct emu_seamextend){ };
}

static void fill_seamextend(void)
{
	const struct seam_sigstruct *sig = &install.sigstruct;

	emu.seamextend.valid = SEAMLDR_INFO_VALID;
	emu.seamextend.svn = (struct emu_svn){ sig->svn_major, sig->svn_minor };
	memcpy(emu.seamextend.mrseam, sig->seamhash, sizeof(emu.seamextend.mrseam));
}

static void close_session_installed(void)
{
	cpumask_clear(&emu.session);
	fill_seamextend();
	emu.image = install.image;
	emu_module_enter(EMU_MODULE_SYSINIT_PENDING);
	cpumask_clear(&emu.lp_init);
	emu.seam_ready = true;
	emu.dirty = true;
	emu.installs++;
	/* A load restarts the log. An update leaves handoff data and TDs to TDH.SYS.UPDATE. */
	if (!install.update) {
		emu.remaining = emu.booted.remaining;
		emu.handoff = (struct emu_handoff){ };
		emu_td_clear();
	}
	if (emu.remaining && !emu_lies(EMU_LIE_REMAINING))
		emu.remaining--;
}

/* The log entry failed: SEAMLDR.INFO shows the new image, but no TDX module is left. */
static void close_session_unlogged(void)
{
	cpumask_clear(&emu.session);
	clear_module();
	fill_seamextend();
}

/* Will all LPs have called once @cpu has? The platform may have more LPs than this kernel. */
static bool closes_session(unsigned int cpu)
{
	return !cpumask_test_cpu(cpu, &emu.session) &&
	       cpumask_weight(&emu.session) + 1 >= emu.booted.lps;
}

static void close_delay(void)
	__releases(&emu.lock) __acquires(&emu.lock)
{
	u64 ns = emu.close_delay_ns;

	raw_spin_unlock(&emu.lock);
	emu_busy_wait(ns);
	raw_spin_lock(&emu.lock);
}

/*
 * The closing call. It drops emu.lock while it checks and hashes, so that other LPs find P-SEAMLDR
 * busy instead of waiting for it. @no_entropy: the log entry fails after all checks have passed.
 */
static u64 close_session(struct emu_call *call, bool no_entropy)
	__releases(&emu.lock) __acquires(&emu.lock)
{
	u64 status, rdx;

	close_delay();
	raw_spin_unlock(&emu.lock);
	status = verify(call->regs->cx, &rdx);
	raw_spin_lock(&emu.lock);

	if (!status && no_entropy) {
		status = SEAMLDR_ENOENTROPY;
		rdx = SEAMLDR_UNRECOVERABLE;
		close_session_unlogged();
	} else if (status) {
		close_session_failed(rdx);
	} else {
		close_session_installed();
	}
	call->regs->dx = status ? rdx : 0;
	return status;
}

/* Add the LP to the session. The first LP closes the TDX module to SEAMCALLs. */
static void join_session(unsigned int cpu)
{
	if (cpumask_empty(&emu.session)) {
		emu.session_seam_ready = emu.seam_ready;
		emu.seam_ready = false;
	}
	cpumask_set_cpu(cpu, &emu.session);
}

/**
 * emu_seamldr_install() - SEAMLDR.INSTALL
 * @call: RCX = physical address of struct seamldr_params; RDX out: whether a failure is recoverable
 *
 * Every LP of the platform calls once a session. Only the last call's operand counts.
 *
 * Context: a trap, under emu.lock, inside P-SEAMLDR.
 * Return: status.
 */
u64 emu_seamldr_install(struct emu_call *call)
	__releases(&emu.lock) __acquires(&emu.lock)
{
	bool closes = closes_session(call->cpu);

	call->regs->dx = SEAMLDR_RECOVERABLE;
	if (cpumask_test_cpu(call->cpu, &emu.session))
		return SEAMLDR_EBADCALL;
	join_session(call->cpu);
	return closes ? close_session(call, false) : TDX_SUCCESS;
}

/* Success, and the failures with RDX = 0 that P-SEAMLDR returns before it counts the call. */
static bool is_not_counted(const struct emu_fault *fault)
{
	return !fault->status || (fault->rdx == SEAMLDR_RECOVERABLE &&
				  (fault->status == SEAMLDR_EBADCALL ||
				   fault->status == SEAMLDR_EUNSPECERR));
}

/**
 * emu_seamldr_fault() - answer a P-SEAMLDR call with a fault
 * @call: the call
 * @fault: the answer; its status is not a software status
 *
 * A failure of SEAMLDR.INSTALL's closing call closes the session as the firmware's own failure
 * would, unless the firmware gives this answer before it counts the call. In all other cases
 * nothing changes, and the LP does not count as having called.
 *
 * ENOENTROPY with RDX = 1 is a failure of the log entry. It comes after all checks, so an image
 * that fails a check gets its own failure instead.
 *
 * Context: a trap, under emu.lock, inside P-SEAMLDR.
 * Return: status.
 */
u64 emu_seamldr_fault(struct emu_call *call, const struct emu_fault *fault)
{
	call->regs->dx = fault->rdx;
	if (call->leaf != EMU_SEAMLDR_INSTALL || is_not_counted(fault) ||
	    !closes_session(call->cpu))
		return fault->status;

	join_session(call->cpu);
	if (fault->status == SEAMLDR_ENOENTROPY && fault->rdx == SEAMLDR_UNRECOVERABLE)
		return close_session(call, true);
	close_delay();
	close_session_failed(fault->rdx);
	return fault->status;
}

/* Allocate the hash state for images. */
int emu_install_init(void)
{
	install_hash = kzalloc(sizeof(*install_hash) + crypto_shash_descsize(emu_sha384),
			       GFP_KERNEL);
	if (!install_hash)
		return -ENOMEM;
	install_hash->tfm = emu_sha384;
	return 0;
}

/* Undo emu_install_init(). */
void emu_install_exit(void)
{
	kfree(install_hash);
}
