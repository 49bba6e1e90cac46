// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether this image can be installed on this platform, and how: a pure function of the two.
 * Asks no one anything and changes nothing: no hardware, no kernel service, so that it also
 * compiles in user space.
 */
#include "tdx_update.h"

/*
 * The highest handoff version that the running module can write and the image can read. A module
 * with NO_DOWNGRADE writes its own only.
 */
static bool negotiate_handoff(const struct seam_sigstruct *sig, const struct tdxu_module *module,
			      u16 *hv)
{
	u16 lowest = module->no_downgrade ? module->module_hv : module->min_update_hv;

	if (lowest < sig->min_update_hv)
		lowest = sig->min_update_hv;
	*hv = module->module_hv < sig->module_hv ? module->module_hv : sig->module_hv;
	return *hv >= lowest;
}

static bool offsets_are_inside(const struct tdxu_image *image)
{
	const struct seam_sigstruct *sig = image->sigstruct;
	u64 size = (u64)image->module_pages * TDX_PAGE_SIZE;

	return sig->rip_offset < size && sig->gdt_idt_offset < size &&
	       sig->fault_wrapper_offset < size;
}

static bool table_has(const struct seam_sigstruct *sig, u32 kind)
{
	u32 i;

	for (i = 0; i < sig->cpuid_table_size; i++)
		if ((sig->cpuid_table[i] & ~SEAM_SIGSTRUCT_CPUID_STEPPING) == kind)
			return true;
	return false;
}

/* Every CPU of the machine, not only the one that asks: packages may differ. */
static bool suits_all_cpus(const struct seam_sigstruct *sig, const struct tdxu_platform *platform)
{
	unsigned int i;

	if (platform->num_cpu_kinds > TDXU_MAX_CPU_KINDS)
		return false;
	for (i = 0; i < platform->num_cpu_kinds; i++)
		if (!table_has(sig, platform->cpu_kinds[i]))
			return false;
	return true;
}

/**
 * tdxu_plan_make() - decide whether and how to install an image
 * @image: what to install, its form checked
 * @findings: what cryptography says of it
 * @platform: where, as it is now
 * @policy: what the administrator asks for beyond that
 * @plan: filled in on success
 *
 * Refuses whatever P-SEAMLDR or the running module would refuse after or at the shutdown, as far as
 * it follows from the arguments. What the running module cannot do comes first; the rest is looked
 * for in P-SEAMLDR's order (SPEC.md section 4), so that of several faults the one is named that it
 * would name. The running module is asked to reject a race if it knows how to.
 *
 * Not known here: whether the module fits P-SEAMLDR's memory. That failure is a recoverable one.
 *
 * Context: any.
 * Return: TDXU_SUCCESS, TDXU_UNSUPPORTED, TDXU_BAD_SIGNATURE, TDXU_WRONG_SERIES, TDXU_OLDER,
 * TDXU_BAD_IMAGE, TDXU_WRONG_CPU, TDXU_NO_UPDATES_LEFT, TDXU_BAD_HANDOFF or TDXU_CORRUPT.
 */
struct tdxu_verdict tdxu_plan_make(const struct tdxu_image *image,
				   const struct tdxu_findings *findings,
				   const struct tdxu_platform *platform,
				   const struct tdxu_policy *policy, struct tdxu_plan *plan)
{
	const struct tdxu_module *module = &platform->module;
	const struct seam_sigstruct *sig = image->sigstruct;
	bool rejects_races = module->features0 & TDX_FEATURES0_UPDATE_COMPAT;
	bool debug_signed = sig->module_type & SEAM_SIGSTRUCT_DEBUG_SIGNED;
	u16 hv;

	if (!(module->features0 & TDX_FEATURES0_TD_PRESERVING))
		return tdxu_say(TDXU_UNSUPPORTED, "the running module has no TD_PRESERVING");
	if (policy->require_race_protection && !rejects_races)
		return tdxu_say(TDXU_UNSUPPORTED,
				"the running module cannot reject a race, as required");

	if (findings->signer == TDXU_SIGNER_UNKNOWN)
		return tdxu_say(TDXU_BAD_SIGNATURE, "unknown signer");
	/* Whoever has a platform that takes it says so with parameter signer. */
	if (debug_signed && (findings->signer != TDXU_SIGNER_PARAMETER || !platform->debug))
		return tdxu_say(TDXU_BAD_SIGNATURE, "debug-signed");
	if (!sig->svn_major || sig->svn_major != platform->svn_major)
		return tdxu_say(TDXU_WRONG_SERIES, NULL);
	if (sig->svn_minor < platform->svn_minor)
		return tdxu_say(TDXU_OLDER, NULL);
	if (!offsets_are_inside(image))
		return tdxu_say(TDXU_BAD_IMAGE, "sigstruct: a table offset is outside the module");
	if (sig->cpuid_table_size && !suits_all_cpus(sig, platform))
		return tdxu_say(TDXU_WRONG_CPU, NULL);
	if (!sig->cpuid_table_size && !debug_signed)
		return tdxu_say(TDXU_BAD_IMAGE, "sigstruct: a production image without CPU table");
	if (!findings->signature_good)
		return tdxu_say(TDXU_BAD_SIGNATURE, "wrong signature");
	if (!platform->updates_left)
		return tdxu_say(TDXU_NO_UPDATES_LEFT, NULL);
	if (!negotiate_handoff(sig, module, &hv))
		return tdxu_say(TDXU_BAD_HANDOFF, NULL);
	if (!findings->hash_good)
		return tdxu_say(TDXU_CORRUPT, "SEAMHASH is not the module's");

	plan->shutdown_rcx = hv;
	if (rejects_races)
		plan->shutdown_rcx |= TDX_SHUTDOWN_AVOID_COMPAT_SENSITIVE;
	return tdxu_say(TDXU_SUCCESS, NULL);
}
