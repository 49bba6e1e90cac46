// SPDX-License-Identifier: GPL-2.0-only
/*
 * P-SEAMLDR: SEAMLDR.INFO, and SEAMLDR.INSTALL with its sessions, checks and failures.
 * Decides what is installed; what the module then does, and what becomes of TDs, is done elsewhere.
 * Runs in traps; a caller owns P-SEAMLDR (emu.seamldr_busy), so the long work needs no lock.
 */
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "emu.h"

#define SEAMLDR_BUILD_DATE	0x20240101u
#define SEAMLDR_BUILD_NUM	1u

/* What the closing call is at work on. Private copies, as the real loader makes them. */
static struct {
	struct seamldr_params params;
	struct seam_sigstruct sigstruct;
	bool update;
	struct emu_image image;
} install;

static struct shash_desc *install_hash;

/**
 * emu_seamldr_info() - SEAMLDR.INFO
 * @call: RCX = physical address of struct seamldr_info, aligned to its size
 *
 * SPEC.md section 4.
 *
 * Context: a trap, under emu.lock, inside P-SEAMLDR.
 * Return: status.
 */
u64 emu_seamldr_info(struct emu_call *call)
{
	struct seamldr_info *info = emu_memory(call->regs->cx, SEAMLDR_INFO_ALIGN);

	if (!info)
		return SEAMLDR_EBADPARAM;

	memset(info, 0, sizeof(*info));
	if (emu.booted.debug)
		info->attributes = SEAMLDR_INFO_ATTR_DEBUG;
	info->vendor_id = SEAM_SIGSTRUCT_VENDOR_INTEL;
	info->build_date = SEAMLDR_BUILD_DATE;
	info->build_num = SEAMLDR_BUILD_NUM;
	info->major = emu.booted.seamldr.major;
	info->minor = emu.booted.seamldr.minor;
	info->update = emu.booted.seamldr.update;
	info->num_remaining_updates = emu.remaining;
	if (emu.state != EMU_MODULE_NONE) {
		info->seam_info.valid = 1;
		info->seam_info.tee_tcb_svn[TEE_TCB_SVN_MAJOR] = emu.image.svn.major;
		info->seam_info.tee_tcb_svn[TEE_TCB_SVN_MINOR] = emu.image.svn.minor;
		memcpy(info->seam_info.mrseam, emu.image.mrseam, TDX_SHA384_SIZE);
	}
	info->seam_ready = emu.seam_ready;
	info->seam_debug = emu.booted.debug;
	info->p_seam_ready = 1;
	return TDX_SUCCESS;
}

/* As many packages as the platform has, and at least one for each CPU that is listed. */
static unsigned int num_sockets(void)
{
	return max(emu.booted.sockets, emu.booted.cpus.nr);
}

static u32 socket_cpuid(unsigned int socket)
{
	const struct emu_cpus *cpus = &emu.booted.cpus;

	return cpus->eax[min(socket, cpus->nr - 1)];
}

/**
 * emu_p_seamldr_base() - where P-SEAMLDR's own range begins, and the room of the TDX module ends
 *
 * Context: under emu.lock, or inside P-SEAMLDR.
 * Return: physical address.
 */
u64 emu_p_seamldr_base(void)
{
	return EMU_SEAMRR_BASE + (u64)emu.booted.memory_pages * TDX_PAGE_SIZE;
}

/**
 * emu_seamldr_seaminfo() - SEAMLDR.SEAMINFO
 * @call: RCX = physical address of struct seamldr_seaminfo, aligned to its size
 *
 * Answers at any time, an open session included.
 *
 * Context: a trap, under emu.lock, inside P-SEAMLDR.
 * Return: status.
 */
u64 emu_seamldr_seaminfo(struct emu_call *call)
{
	struct seamldr_seaminfo *info = emu_memory(call->regs->cx, SEAMLDR_SEAMINFO_ALIGN);
	unsigned int i;

	if (!info)
		return SEAMLDR_EBADPARAM;

	memset(info, 0, sizeof(*info));
	info->tot_num_lps = emu.booted.lps;
	info->tot_num_sockets = num_sockets();
	for (i = 0; i < info->tot_num_sockets; i++)
		info->socket_cpuid[i] = socket_cpuid(i);
	info->p_seamldr_base = emu_p_seamldr_base();
	info->p_seamldr_size = EMU_P_SEAMLDR_SIZE;
	/* One range that has all memory in it. */
	info->cmrs[0].size = EMU_SEAMRR_BASE;
	return TDX_SUCCESS;
}

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
	if (install.update && emu.state == EMU_MODULE_NONE)
		return SEAMLDR_EBADPARAM;

	memcpy(&install.sigstruct, __va(params->sigstruct_pa), sizeof(install.sigstruct));
	return TDX_SUCCESS;
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
	    sig->cpuid_table_size > SEAM_SIGSTRUCT_MAX_CPUIDS)
		return SEAMLDR_EBADSIG;
	return TDX_SUCCESS;
}

/* Hash of the modulus against the signers that this platform's firmware knows. */
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

	if (!sig->svn_major || (install.update && sig->svn_major != emu.image.svn.major))
		return SEAMLDR_EUNSUPPORTED;
	return TDX_SUCCESS;
}

static u64 check_svn_minor(void)
{
	if (install.update && install.sigstruct.svn_minor < emu.image.svn.minor)
		return SEAMLDR_EBADSIG;
	return TDX_SUCCESS;
}

static u64 check_table_offsets(void)
{
	const struct seam_sigstruct *sig = &install.sigstruct;
	u64 size = install.params.num_module_pages * TDX_PAGE_SIZE;

	if (sig->rip_offset >= size || sig->gdt_idt_offset >= size ||
	    sig->fault_wrapper_offset >= size)
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

	/* Without a table only a debug image passes: it is for any CPU. */
	if (!sig->cpuid_table_size && !(sig->module_type & SEAM_SIGSTRUCT_DEBUG_SIGNED))
		return SEAMLDR_EBADSIG;
	if (!sig->cpuid_table_size)
		return TDX_SUCCESS;

	for (i = 0; i < num_sockets(); i++)
		if (!table_has(socket_cpuid(i)))
			return SEAMLDR_EUNSUPCPU;
	return TDX_SUCCESS;
}

/* DER of the DigestInfo of SHA-384, up to the hash (RFC 8017, section 9.2). */
static const u8 digest_info[] = {
	0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
	0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30,
};

/* The message, byte by byte from its end: hash, digest_info, 00, FF..., 01, 00. */
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

static u64 check_memory_fit(void)
{
	const struct seam_sigstruct *sig = &install.sigstruct;
	u64 pages;

	/* Our own sum of the parts that the sigstruct names; some of them every LP has. */
	pages = install.params.num_module_pages + sig->num_keyhole_pages +
		sig->num_global_data_pages + sig->num_handoff_pages +
		(u64)num_present_cpus() * (sig->num_stack_pages + sig->num_tls_pages);
	return pages > emu.booted.memory_pages ? SEAMLDR_ENOMEM : TDX_SUCCESS;
}

static u64 check_remaining_updates(void)
{
	return install.update && !emu.remaining ? SEAMLDR_EBADCALL : TDX_SUCCESS;
}

static u64 check_handoff(void)
{
	const struct seam_sigstruct *sig = &install.sigstruct;

	if (!install.update)
		return TDX_SUCCESS;
	if (!emu.handoff || emu.handoff_hv < sig->min_update_hv || emu.handoff_hv > sig->module_hv)
		return SEAMLDR_EBADHANDOFF;
	return TDX_SUCCESS;
}

/* What comes before module memory is cleared, in the order of SPEC.md section 4. */
static u64 (*const recoverable_checks[])(void) = {
	check_params,
	check_sigstruct_fields,
	check_signer,
	check_debug_signed,
	check_svn_major,
	check_svn_minor,
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

/* What the image will be once it runs: as its descriptor says or, without one, its sigstruct. */
static void read_image(void)
{
	const struct seam_sigstruct *sig = &install.sigstruct;
	const struct tdx_emu_desc *desc = __va(install.params.module_pages_pa[0]);
	struct emu_image *image = &install.image;
	u32 i;

	*image = (struct emu_image){
		.version = { sig->major, sig->minor, sig->update },
		.build_num = sig->build_num,
		.build_date = sig->date,
		.vendor_id = sig->module_vendor,
		.svn = { sig->svn_major, sig->svn_minor },
		.features0 = TDX_FEATURES0_TD_PRESERVING | TDX_FEATURES0_NO_RBP_MOD,
		.hv = { sig->min_update_hv, sig->module_hv },
		.no_downgrade = sig->no_downgrade,
		.num_handoff_pages = sig->num_handoff_pages,
	};
	memcpy(image->mrseam, sig->seamhash, sizeof(image->mrseam));

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
	image->hv = (struct emu_hv_range){ desc->min_update_hv, desc->module_hv };
	image->no_downgrade = desc->no_downgrade;
	image->num_faults = min_t(u32, desc->num_faults, TDX_EMU_DESC_MAX_FAULTS);
	for (i = 0; i < image->num_faults; i++)
		image->faults[i] = desc->faults[i];
}

/*
 * All that the closing call checks. @rdx tells whether memory was cleared before the failure. Reads
 * state of the module that cannot change: it is closed, and P-SEAMLDR is ours.
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

	/* Module memory is cleared here. */
	*rdx = SEAMLDR_UNRECOVERABLE;
	status = check_hash();
	if (status)
		return status;
	read_image();
	return TDX_SUCCESS;
}

static void close_session_failed(u64 rdx)
{
	cpumask_clear(&emu.session);
	if (rdx == SEAMLDR_RECOVERABLE) {
		emu.seam_ready = emu.session_seam_ready;
		return;
	}
	emu.seam_ready = false;
	emu_module_clear();
	emu_td_clear();
}

static void close_session_installed(void)
{
	cpumask_clear(&emu.session);
	emu.image = install.image;
	emu_module_enter(EMU_MODULE_SYSINIT_PENDING);
	cpumask_clear(&emu.lp_init);
	emu.seam_ready = true;
	emu.installs++;
	if (emu.remaining)
		emu.remaining--;
	/* An update leaves handoff data and TDs to the new module's TDH.SYS.UPDATE. */
	if (!install.update) {
		emu.handoff = false;
		emu_td_clear();
	}
}

/* Have all LPs of the platform called, once @cpu has too? It may have more than this kernel. */
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

/**
 * emu_seamldr_install() - SEAMLDR.INSTALL
 * @call: RCX = physical address of struct seamldr_params; RDX out: whether a failure is recoverable
 *
 * Every LP of the platform calls once a session; the last call's operand counts. It has no lock
 * while it checks and hashes, so that others see a busy P-SEAMLDR and not a slow one.
 *
 * Context: a trap, under emu.lock, inside P-SEAMLDR.
 * Return: status.
 */
u64 emu_seamldr_install(struct emu_call *call)
	__releases(&emu.lock) __acquires(&emu.lock)
{
	u64 status, rdx;

	call->regs->dx = SEAMLDR_RECOVERABLE;
	if (cpumask_test_cpu(call->cpu, &emu.session))
		return SEAMLDR_EBADCALL;

	if (cpumask_empty(&emu.session)) {
		emu.session_seam_ready = emu.seam_ready;
		emu.seam_ready = false;
	}
	if (!closes_session(call->cpu)) {
		cpumask_set_cpu(call->cpu, &emu.session);
		return TDX_SUCCESS;
	}
	cpumask_set_cpu(call->cpu, &emu.session);

	close_delay();
	raw_spin_unlock(&emu.lock);
	status = verify(call->regs->cx, &rdx);
	raw_spin_lock(&emu.lock);

	if (status) {
		close_session_failed(rdx);
		call->regs->dx = rdx;
	} else {
		close_session_installed();
	}
	return status;
}

/**
 * emu_seamldr_fault() - answer a P-SEAMLDR call with a fault
 * @call: the call
 * @fault: what to answer, a status
 *
 * A failure at SEAMLDR.INSTALL's closing call closes the session, as firmware's own would. In all
 * other cases nothing changes: the LP has not called.
 *
 * Context: a trap, under emu.lock, inside P-SEAMLDR.
 * Return: status.
 */
u64 emu_seamldr_fault(struct emu_call *call, const struct tdx_emu_fault *fault)
{
	call->regs->dx = fault->rdx;
	if (call->leaf == EMU_SEAMLDR_INSTALL && fault->status && closes_session(call->cpu)) {
		/* With one LP in all no earlier call has opened it. */
		if (cpumask_empty(&emu.session))
			emu.session_seam_ready = emu.seam_ready;
		close_delay();
		close_session_failed(fault->rdx);
	}
	return fault->status;
}

/**
 * emu_seamldr_reset() - P-SEAMLDR after boot
 *
 * Context: under emu.lock, no one inside.
 */
void emu_seamldr_reset(void)
{
	lockdep_assert_held(&emu.lock);

	cpumask_clear(&emu.session);
	emu.remaining = emu.booted.remaining;
	emu.installs = 0;
}

/**
 * emu_seamldr_init() - make room for the hash of an image
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int emu_seamldr_init(void)
{
	install_hash = kzalloc(sizeof(*install_hash) + crypto_shash_descsize(emu_sha384),
			       GFP_KERNEL);
	if (!install_hash)
		return -ENOMEM;
	install_hash->tfm = emu_sha384;
	return 0;
}

/**
 * emu_seamldr_exit() - the opposite
 *
 * Context: may sleep; no call can come any more.
 */
void emu_seamldr_exit(void)
{
	kfree(install_hash);
}
