// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEAMLDR.INFO, which describes P-SEAMLDR and the installed TDX module, and SEAMLDR.SEAMINFO, which
 * describes the platform. SEAMLDR.INSTALL is in emu_install.c. Runs in traps.
 */
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "emu.h"

#define SEAMLDR_BUILD_DATE	0x20240101u
#define SEAMLDR_BUILD_NUM	1u
#define SEAMLDR_FEATURES0	(1ULL << 1)

/**
 * emu_seamldr_info() - SEAMLDR.INFO
 * @call: RCX = physical address of struct seamldr_info, aligned to its size
 *
 * It answers while an install session is open too. Then seam_ready is 0, and all other fields are
 * still the old TDX module's.
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
	/* The field is reserved in 1.5.02. */
	if (!emu_seamldr_is_1_5_02())
		info->update = emu.booted.seamldr.update;
	info->features0 = SEAMLDR_FEATURES0;
	info->num_remaining_updates = emu.remaining;
	info->seam_info.valid = emu.seamextend.valid;
	info->seam_info.tee_tcb_svn[TEE_TCB_SVN_MAJOR] = emu.seamextend.svn.major;
	info->seam_info.tee_tcb_svn[TEE_TCB_SVN_MINOR] = emu.seamextend.svn.minor;
	memcpy(info->seam_info.mrseam, emu.seamextend.mrseam, TDX_SHA384_SIZE);
	info->seam_ready = emu.seam_ready;
	/* Unspecified. It differs from the attribute here, so that a test sees the two mixed up. */
	info->seam_debug = emu.booted.unlocked;
	info->p_seam_ready = 1;
	if (emu_lies(EMU_LIE_INFO_VALID))
		info->seam_info.valid = 1;
	if (emu_lies(EMU_LIE_INFO_READY))
		info->seam_ready = 0;
	if (emu_lies(EMU_LIE_INFO_MRSIGNER))
		info->seam_info.mrsigner[0] = 1;
	if (emu_lies(EMU_LIE_INFO_FEATURES0))
		info->features0 = 0;
	return TDX_SUCCESS;
}

/**
 * emu_seamldr_is_1_5_02() - is P-SEAMLDR 1.5.02, whose source is published, or older?
 *
 * Context: under emu.lock, or inside P-SEAMLDR.
 * Return: true if so.
 */
bool emu_seamldr_is_1_5_02(void)
{
	const struct emu_version *version = &emu.booted.seamldr;

	return version->major < 1 || (version->major == 1 && version->minor < 5) ||
	       (version->major == 1 && version->minor == 5 && version->update <= 2);
}

/**
 * emu_num_sockets() - number of the platform's packages
 *
 * The platform has at least as many as file "platform" lists CPUs.
 *
 * Context: under emu.lock, or inside P-SEAMLDR.
 * Return: the number, 1 to SEAMLDR_MAX_SOCKETS.
 */
unsigned int emu_num_sockets(void)
{
	return max(emu.booted.sockets, emu.booted.cpus.nr);
}

/**
 * emu_socket_cpuid() - CPUID(1).EAX of a package
 * @socket: its index, below emu_num_sockets()
 *
 * Context: under emu.lock, or inside P-SEAMLDR.
 * Return: the value.
 */
u32 emu_socket_cpuid(unsigned int socket)
{
	const struct emu_cpus *cpus = &emu.booted.cpus;

	return cpus->eax[min(socket, cpus->nr - 1)];
}

/**
 * emu_p_seamldr_base() - start of P-SEAMLDR's own range, where the TDX module's room ends
 *
 * Context: under emu.lock, or inside P-SEAMLDR.
 * Return: physical address.
 */
u64 emu_p_seamldr_base(void)
{
	return EMU_SEAMRR_BASE + (u64)emu.booted.room * TDX_PAGE_SIZE;
}

/**
 * emu_seamldr_seaminfo() - SEAMLDR.SEAMINFO
 * @call: RCX = physical address of struct seamldr_seaminfo, aligned to its size
 *
 * It answers at any time, while an install session is open too.
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
	info->version = emu_lies(EMU_LIE_SEAMINFO_VERSION);
	info->tot_num_lps = emu.booted.lps;
	info->tot_num_sockets = emu_num_sockets();
	for (i = 0; i < info->tot_num_sockets; i++)
		info->socket_cpuid[i] = emu_socket_cpuid(i);
	if (emu.platform.seaminfo_lps != EMU_TRUE_COUNT)
		info->tot_num_lps = emu.platform.seaminfo_lps;
	if (emu.platform.seaminfo_sockets != EMU_TRUE_COUNT)
		info->tot_num_sockets = emu.platform.seaminfo_sockets;
	info->p_seamldr_base = emu_p_seamldr_base();
	info->p_seamldr_size = EMU_P_SEAMLDR_SIZE;
	/* One range contains all memory. */
	info->cmrs[0].size = EMU_SEAMRR_BASE;
	return TDX_SUCCESS;
}

/**
 * emu_seamldr_reset() - reset P-SEAMLDR to its state after boot
 *
 * Context: under emu.lock; no LP is inside P-SEAMLDR.
 */
void emu_seamldr_reset(void)
{
	lockdep_assert_held(&emu.lock);

	cpumask_clear(&emu.session);
	emu.remaining = emu.booted.remaining;
	emu.installs = 0;
}
