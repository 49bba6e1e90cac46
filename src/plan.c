// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decides whether and how an image can be installed on this platform: a pure function of the two.
 * Uses no hardware and no kernel service beyond string functions, so it also compiles in user
 * space.
 */
#include "core.h"

#ifdef __KERNEL__
#include <linux/string.h>
#else
#include "kernel_string.h"
#endif

/* The handoff data that an image has to take over. */
struct handoff {
	u16 lowest, highest;		/* range of its version; equal if that is fixed */
	bool pages_known;
	u16 pages;			/* most pages that it occupies */
};

static bool is_genuine(const struct tdxu_candidate *candidate)
{
	return candidate->check.signer != TDXU_SIGNER_UNKNOWN &&
	       candidate->check.signature_good;
}

/* The sigstruct of the installed TDX module if one of the images is that TDX module, else NULL. */
static const struct seam_sigstruct *find_installed(const struct tdxu_candidate *candidate,
						   const struct tdxu_candidate *recovery,
						   const struct tdxu_platform *platform)
{
	const struct tdxu_candidate * const images[] = { candidate, recovery };
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (images[i] && is_genuine(images[i]) &&
		    !memcmp(images[i]->image.sigstruct->seamhash, platform->mrseam,
			    sizeof(platform->mrseam)))
			return images[i]->image.sigstruct;
	return NULL;
}

/* Handoff data that the running TDX module will write: with NO_DOWNGRADE in its newest version. */
static struct handoff handoff_to_come(const struct tdxu_module *module)
{
	u16 lowest = module->min_update_hv;

	/* Both bounds hold, NO_DOWNGRADE or not: a reversed range has no version in it. */
	if (module->no_downgrade && lowest < module->module_hv)
		lowest = module->module_hv;
	return (struct handoff){
		.lowest = lowest,
		.highest = module->module_hv,
		.pages_known = true,
		.pages = module->num_handoff_pages,
	};
}

/*
 * Handoff data that waits already. @installed, the sigstruct of the installed TDX module, replaces
 * what is not remembered. P-SEAMLDR checks an unknown version, and its refusal is recoverable.
 */
static struct handoff handoff_that_waits(const struct tdxu_handoff *waiting,
					 const struct seam_sigstruct *installed)
{
	struct handoff handoff = {
		.highest = 0xffff,
		.pages_known = waiting->num_pages_known || installed,
	};

	if (waiting->hv_known) {
		handoff.lowest = waiting->hv;
		handoff.highest = waiting->hv;
	} else if (installed) {
		handoff.lowest = installed->min_update_hv;
		handoff.highest = installed->module_hv;
	}
	if (waiting->num_pages_known)
		handoff.pages = waiting->num_pages;
	else if (installed)
		handoff.pages = installed->num_handoff_pages;
	return handoff;
}

static bool narrow_versions(struct handoff *handoff, const struct seam_sigstruct *sig)
{
	if (handoff->lowest < sig->min_update_hv)
		handoff->lowest = sig->min_update_hv;
	if (handoff->highest > sig->module_hv)
		handoff->highest = sig->module_hv;
	return handoff->lowest <= handoff->highest;
}

/* With data that is too large TDH.SYS.UPDATE does not fail: it stops the LP for good. */
static struct tdxu_verdict check_pages(const struct handoff *handoff,
				       const struct seam_sigstruct *sig)
{
	if (!handoff->pages_known)
		return tdxu_verdict(TDXU_BAD_HANDOFF,
				    "its size is not known without the image of the TDX module that is shut down");
	if (sig->num_handoff_pages < handoff->pages)
		return tdxu_verdictf(TDXU_BAD_HANDOFF, "%u handoff pages, at least %u needed",
				     sig->num_handoff_pages, handoff->pages);
	return tdxu_verdict(TDXU_SUCCESS, NULL);
}

/*
 * P-SEAMLDR up to 1.5.02 requires bytes 1000 to 1023 to be zero. Its SEAMLDR.INFO has no update
 * number, so 1.5 without one counts as 1.5.02. Later versions accept an image with its version
 * there.
 */
static bool loader_takes_version(const struct tdxu_platform *platform,
				 const struct seam_sigstruct *sig)
{
	const struct tdxu_version *loader = &platform->seamldr;
	size_t size = offsetof(struct seam_sigstruct, cpuid_table_size) -
		      offsetof(struct seam_sigstruct, update);

	if (loader->major > 1 || (loader->major == 1 && loader->minor > 5) ||
	    (loader->major == 1 && loader->minor == 5 && loader->update))
		return true;
	return !memchr_inv((const u8 *)sig + offsetof(struct seam_sigstruct, update), 0, size);
}

static bool takes_debug_signed(const struct tdxu_platform *platform)
{
	if (platform->debug == TDXU_DEBUG_UNKNOWN)
		return platform->debug_loader;
	return platform->debug == TDXU_DEBUG_UNLOCKED;
}

static bool tables_are_inside(const struct tdxu_image *image)
{
	const struct seam_sigstruct *sig = image->sigstruct;
	u64 size = (u64)image->module_pages * TDX_PAGE_SIZE;

	return sig->gdt_idt_offset <= size - TDX_PAGE_SIZE &&
	       sig->fault_wrapper_offset <= size - SEAM_SIGSTRUCT_FAULT_WRAPPERS_SIZE;
}

static bool table_has(const struct seam_sigstruct *sig, u32 kind)
{
	u32 i;

	for (i = 0; i < sig->cpuid_table_size; i++)
		if ((sig->cpuid_table[i] & ~SEAM_SIGSTRUCT_CPUID_STEPPING) == kind)
			return true;
	return false;
}

/* The CPU of the first package that the CPU table lacks; NULL: none. */
static const u32 *find_missing_cpu(const struct seam_sigstruct *sig,
				   const struct tdxu_platform *platform)
{
	unsigned int i;

	for (i = 0; i < platform->num_cpu_kinds; i++)
		if (!table_has(sig, platform->cpu_kinds[i]))
			return &platform->cpu_kinds[i];
	return NULL;
}

static u64 tables_for(u64 entries)
{
	return (entries + 511) / 512;
}

/* Page tables of three levels for a region; P-SEAMLDR rounds the larger pages down. */
static u64 page_tables(u64 pages)
{
	return tables_for(pages) + tables_for(pages / 512) + tables_for(pages / 512 / 512);
}

/* Pages that P-SEAMLDR needs for the TDX module; docs/firmware.md, "Memory of a TDX module". */
static u64 pages_needed(const struct tdxu_image *image, u64 lps)
{
	const struct seam_sigstruct *sig = image->sigstruct;
	const u64 system_information = 1, vmcs = lps, code = 512;
	u64 stacks = lps * (sig->num_stack_pages + 2);
	u64 data = lps * (sig->num_tls_pages + 1) + (sig->num_global_data_pages + 1) +
		   (sig->num_handoff_pages + 1);
	u64 keyholes = lps * (sig->num_keyhole_pages + 1);	/* address space only */
	u64 keyhole_edit = tables_for(keyholes);

	return system_information + vmcs + stacks + data + code + 1 +
	       page_tables(system_information) + page_tables(stacks) + page_tables(data) +
	       page_tables(keyholes) + page_tables(keyhole_edit) +
	       page_tables(image->module_pages);
}

/* P-SEAMLDR versions differ a little: one percent too large may still fit. */
static bool has_room(u64 needed, u64 room)
{
	return needed * 100 <= room / TDX_PAGE_SIZE * 101;
}

static struct tdxu_verdict check_room(const struct tdxu_image *image,
				      const struct tdxu_platform *platform)
{
	u64 needed = pages_needed(image, platform->num_lps);

	if (!platform->room || has_room(needed, platform->room))
		return tdxu_verdict(TDXU_SUCCESS, NULL);
	return tdxu_verdictf(TDXU_NO_ROOM, "%llu KiB needed, %llu KiB available",
			     (unsigned long long)(needed * (TDX_PAGE_SIZE / 1024)),
			     (unsigned long long)(platform->room / 1024));
}

/*
 * Check everything that P-SEAMLDR would refuse, in its order, then what would stop TDH.SYS.UPDATE.
 * Set @handoff to what an image that replaces this one, or follows it, has to take over.
 */
static struct tdxu_verdict judge(const struct tdxu_candidate *candidate,
				 const struct tdxu_platform *platform, struct handoff *handoff)
{
	const struct tdxu_signature_check *check = &candidate->check;
	const struct tdxu_image *image = &candidate->image;
	const struct seam_sigstruct *sig = image->sigstruct;
	bool debug_signed = sig->module_type & SEAM_SIGSTRUCT_DEBUG_SIGNED;
	struct tdxu_verdict verdict;
	const u32 *missing_cpu;

	if (!loader_takes_version(platform, sig))
		return tdxu_verdict(TDXU_BAD_IMAGE,
				    "sigstruct: P-SEAMLDR 1.5.02 requires bytes 1000 to 1023 to be zero");
	if (check->signer == TDXU_SIGNER_UNKNOWN)
		return tdxu_verdict(TDXU_BAD_SIGNATURE, "unknown signer");
	/* Needs parameter signer as well: the administrator of such a platform sets it. */
	if (debug_signed && (check->signer != TDXU_SIGNER_PARAMETER ||
			     !takes_debug_signed(platform)))
		return tdxu_verdict(TDXU_BAD_SIGNATURE, "debug-signed");
	if (!sig->svn_major || sig->svn_major != platform->svn_major)
		return tdxu_verdict(TDXU_WRONG_SERIES, NULL);
	if (sig->svn_minor < platform->svn_minor)
		return tdxu_verdict(TDXU_OLDER, NULL);
	if (!tables_are_inside(image))
		return tdxu_verdict(TDXU_BAD_IMAGE,
				    "sigstruct: a table offset is outside the TDX module");
	missing_cpu = find_missing_cpu(sig, platform);
	if (sig->cpuid_table_size && missing_cpu)
		return tdxu_verdictf(TDXU_WRONG_CPU, "CPUID(1).EAX 0x%08x", *missing_cpu);
	if (!sig->cpuid_table_size && !debug_signed)
		return tdxu_verdict(TDXU_BAD_IMAGE,
				    "sigstruct: a production image without CPU table");
	if (!check->signature_good)
		return tdxu_verdict(TDXU_BAD_SIGNATURE, "wrong signature");
	verdict = check_room(image, platform);
	if (verdict.result)
		return verdict;
	if (!platform->updates_left)
		return tdxu_verdict(TDXU_NO_UPDATES_LEFT, NULL);
	if (!narrow_versions(handoff, sig))
		return tdxu_verdict(TDXU_BAD_HANDOFF, "no common handoff version");
	if (!check->hash_good)
		return tdxu_verdict(TDXU_CORRUPT, "SEAMHASH does not match the module pages");
	verdict = check_pages(handoff, sig);
	handoff->pages = sig->num_handoff_pages;
	return verdict;
}

/**
 * tdxu_plan_make() - decide whether and how to install an image
 * @candidate: the image, its form checked
 * @recovery: the recovery image, its form checked; or NULL
 * @platform: the platform state
 * @policy: the administrator's conditions
 * @plan: filled in on success
 *
 * Refuses whatever P-SEAMLDR or one of the TDX modules would refuse at or after the shutdown, as
 * far as the arguments tell. The running TDX module's abilities come first. P-SEAMLDR's checks
 * follow in its order (docs/firmware.md, "SEAMLDR.INSTALL"), so that the fault named is the one
 * that it would name. The plan asks for race rejection if the running TDX module offers it, and for
 * the highest handoff version that it and both images support.
 *
 * Context: any.
 * Return: TDXU_SUCCESS, TDXU_UNSUPPORTED, TDXU_BAD_IMAGE, TDXU_BAD_SIGNATURE, TDXU_WRONG_SERIES,
 * TDXU_OLDER, TDXU_WRONG_CPU, TDXU_NO_ROOM, TDXU_NO_UPDATES_LEFT, TDXU_BAD_HANDOFF or TDXU_CORRUPT.
 */
struct tdxu_verdict tdxu_plan_make(const struct tdxu_candidate *candidate,
				   const struct tdxu_candidate *recovery,
				   const struct tdxu_platform *platform,
				   const struct tdxu_policy *policy, struct tdxu_plan *plan)
{
	bool resume = platform->handoff.waits;
	u64 features0 = platform->module.features0;
	bool rejects_races = features0 & TDX_FEATURES0_UPDATE_COMPAT;
	struct handoff handoff, waiting;
	struct tdxu_verdict verdict;

	if (!resume && !(features0 & TDX_FEATURES0_TD_PRESERVING))
		return tdxu_verdict(TDXU_UNSUPPORTED,
				    "the running TDX module has no TD_PRESERVING");
	if (!resume && policy->require_race_protection && !rejects_races)
		return tdxu_verdict(TDXU_UNSUPPORTED,
				    "the running TDX module cannot reject a race, and require_race_protection is set");
	if (!resume && policy->require_recovery && !recovery)
		return tdxu_verdict(TDXU_UNSUPPORTED,
				    "no recovery image is set, and require_recovery is set");

	handoff = resume ? handoff_that_waits(&platform->handoff,
					      find_installed(candidate, recovery, platform)) :
			   handoff_to_come(&platform->module);
	waiting = handoff;
	verdict = judge(candidate, platform, &handoff);
	if (verdict.result)
		return verdict;
	if (recovery) {
		/* The version of waiting data is fixed, so the images do not narrow each other. */
		if (resume) {
			handoff.lowest = waiting.lowest;
			handoff.highest = waiting.highest;
		}
		verdict = judge(recovery, platform, &handoff);
		if (verdict.result)
			return tdxu_verdict_of_recovery(verdict);
	}

	*plan = (struct tdxu_plan){
		.resume = resume,
		.join_session = resume && platform->handoff.session_open,
		.svn_minor = platform->svn_minor,
		.updates_left = platform->updates_left,
	};
	if (!resume) {
		plan->shutdown_rcx = handoff.highest;
		if (rejects_races)
			plan->shutdown_rcx |= TDX_SHUTDOWN_AVOID_COMPAT_SENSITIVE;
	}
	return tdxu_verdict(TDXU_SUCCESS, NULL);
}
