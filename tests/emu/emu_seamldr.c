// SPDX-License-Identifier: GPL-2.0-only
/*
 * What P-SEAMLDR tells: of itself and the installed TDX module (SEAMLDR.INFO), and of the platform
 * (SEAMLDR.SEAMINFO). SEAMLDR.INSTALL is in emu_install.c.
 * Runs in traps.
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
 * Answers in the middle of an install session, too: then seam_ready is 0, and all else is still
 * that of the old TDX module.
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
	/* 1.5.02 has no such field yet. */
	if (!emu_seamldr_is_1_5_02())
		info->update = emu.booted.seamldr.update;
	info->features0 = SEAMLDR_FEATURES0;
	info->num_remaining_updates = emu.remaining;
	info->seam_info.valid = emu.seamextend.valid;
	info->seam_info.tee_tcb_svn[TEE_TCB_SVN_MAJOR] = emu.seamextend.svn.major;
	info->seam_info.tee_tcb_svn[TEE_TCB_SVN_MINOR] = emu.seamextend.svn.minor;
	memcpy(info->seam_info.mrseam, emu.seamextend.mrseam, TDX_SHA384_SIZE);
	info->seam_ready = emu.seam_ready;
	/* What sets it is not specified. Here it differs from the attribute, so no one may mix them. */
	info->seam_debug = emu.booted.unlocked;
	info->p_seam_ready = 1;
	return TDX_SUCCESS;
}

/**
 * emu_seamldr_is_1_5_02() - is P-SEAMLDR as old as the one whose source is known, or older?
 *
 * Context: under emu.lock, or inside P-SEAMLDR.
 */
bool emu_seamldr_is_1_5_02(void)
{
	const struct emu_version *version = &emu.booted.seamldr;

	return version->major < 1 || (version->major == 1 && version->minor < 5) ||
	       (version->major == 1 && version->minor == 5 && version->update <= 2);
}

/**
 * emu_num_sockets() - packages of the platform, at least one for each CPU that is listed
 *
 * Context: under emu.lock, or inside P-SEAMLDR.
 */
unsigned int emu_num_sockets(void)
{
	return max(emu.booted.sockets, emu.booted.cpus.nr);
}

/**
 * emu_socket_cpuid() - CPUID(1).EAX of a package
 * @socket: below emu_num_sockets()
 *
 * Context: under emu.lock, or inside P-SEAMLDR.
 */
u32 emu_socket_cpuid(unsigned int socket)
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
	return EMU_SEAMRR_BASE + (u64)emu.booted.room * TDX_PAGE_SIZE;
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
	info->tot_num_sockets = emu_num_sockets();
	for (i = 0; i < info->tot_num_sockets; i++)
		info->socket_cpuid[i] = emu_socket_cpuid(i);
	if (emu.platform.seaminfo_lps != EMU_TRUE_COUNT)
		info->tot_num_lps = emu.platform.seaminfo_lps;
	if (emu.platform.seaminfo_sockets != EMU_TRUE_COUNT)
		info->tot_num_sockets = emu.platform.seaminfo_sockets;
	info->p_seamldr_base = emu_p_seamldr_base();
	info->p_seamldr_size = EMU_P_SEAMLDR_SIZE;
	/* One range that has all memory in it. */
	info->cmrs[0].size = EMU_SEAMRR_BASE;
	return TDX_SUCCESS;
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
