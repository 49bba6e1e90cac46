// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether this image can be installed on this platform, and how: a pure function of the two.
 * Asks no one anything and changes nothing: no hardware, no kernel service, so that it also
 * compiles in user space.
 */
#include "core.h"

/* Handoff versions, both ends included; none where the ends are the wrong way round. */
struct hv_range {
	u16 lowest;
	u16 highest;
};

/* What can lie ready for the next module. With NO_DOWNGRADE a module writes no older version. */
static struct hv_range writable(const struct tdxu_platform *platform)
{
	const struct tdxu_module *module = &platform->module;

	if (platform->handoff.waits && !platform->handoff.hv_known)
		return (struct hv_range){ 0, 0xffff };
	if (platform->handoff.waits)
		return (struct hv_range){ platform->handoff.hv, platform->handoff.hv };
	return (struct hv_range){ module->no_downgrade ? module->module_hv : module->min_update_hv,
			       module->module_hv };
}

static bool narrow(struct hv_range *range, const struct seam_sigstruct *sig)
{
	if (range->lowest < sig->min_update_hv)
		range->lowest = sig->min_update_hv;
	if (range->highest > sig->module_hv)
		range->highest = sig->module_hv;
	return range->lowest <= range->highest;
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

/* What P-SEAMLDR would refuse, in its order. @range shrinks to what the image can read, too. */
static struct tdxu_verdict judge(const struct tdxu_candidate *candidate,
				 const struct tdxu_platform *platform, struct hv_range *range)
{
	const struct tdxu_findings *findings = &candidate->findings;
	const struct tdxu_image *image = &candidate->image;
	const struct seam_sigstruct *sig = image->sigstruct;
	bool debug_signed = sig->module_type & SEAM_SIGSTRUCT_DEBUG_SIGNED;

	if (findings->signer == TDXU_SIGNER_UNKNOWN)
		return tdxu_say(TDXU_BAD_SIGNATURE, "unknown signer");
	/* Whoever has a platform that takes it says so with parameter signer. */
	if (debug_signed && (findings->signer != TDXU_SIGNER_PARAMETER || platform->debug != TDXU_DEBUG_UNLOCKED))
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
	if (!narrow(range, sig))
		return tdxu_say(TDXU_BAD_HANDOFF, NULL);
	if (!findings->hash_good)
		return tdxu_say(TDXU_CORRUPT, "SEAMHASH is not the module's");
	return tdxu_say(TDXU_SUCCESS, NULL);
}

/**
 * tdxu_plan_make() - decide whether and how to install an image
 * @candidate: what to install, its form checked
 * @recovery: what to install if @candidate fails past the point of no return, or NULL
 * @platform: where, as it is now
 * @policy: what the administrator asks for beyond that
 * @plan: filled in on success
 *
 * Refuses whatever P-SEAMLDR or the running module would refuse after or at the shutdown, as far as
 * it follows from the arguments. What the running module cannot do comes first; the rest is looked
 * for in P-SEAMLDR's order (SPEC.md section 4), so that of several faults the one is named that it
 * would name. The running module is asked to reject a race if it knows how to, and for the highest
 * handoff version that it and both images speak.
 *
 * Not known here: whether the module fits P-SEAMLDR's memory. That failure is a recoverable one.
 *
 * Context: any.
 * Return: TDXU_SUCCESS, TDXU_UNSUPPORTED, TDXU_BAD_SIGNATURE, TDXU_WRONG_SERIES, TDXU_OLDER,
 * TDXU_BAD_IMAGE, TDXU_WRONG_CPU, TDXU_NO_UPDATES_LEFT, TDXU_BAD_HANDOFF or TDXU_CORRUPT.
 */
struct tdxu_verdict tdxu_plan_make(const struct tdxu_candidate *candidate,
				   const struct tdxu_candidate *recovery,
				   const struct tdxu_platform *platform,
				   const struct tdxu_policy *policy, struct tdxu_plan *plan)
{
	u64 features0 = platform->module.features0;
	bool rejects_races = features0 & TDX_FEATURES0_UPDATE_COMPAT;
	struct hv_range range = writable(platform);
	struct tdxu_verdict verdict;

	if (!platform->handoff.waits && !(features0 & TDX_FEATURES0_TD_PRESERVING))
		return tdxu_say(TDXU_UNSUPPORTED, "the running module has no TD_PRESERVING");
	if (!platform->handoff.waits && policy->require_race_protection && !rejects_races)
		return tdxu_say(TDXU_UNSUPPORTED,
				"the running module cannot reject a race, as required");

	verdict = judge(candidate, platform, &range);
	if (verdict.result)
		return verdict;

	*plan = (struct tdxu_plan){
		.resume = platform->handoff.waits,
		.join_session = platform->handoff.waits && platform->handoff.session_open,
		.svn_minor = platform->svn_minor,
		.updates_left = platform->updates_left,
	};
	if (recovery) {
		verdict = judge(recovery, platform, &range);
		if (verdict.result)
			return tdxu_say_of_recovery(verdict);
	}

	plan->shutdown_rcx = range.highest;
	if (rejects_races)
		plan->shutdown_rcx |= TDX_SHUTDOWN_AVOID_COMPAT_SENSITIVE;
	return tdxu_say(TDXU_SUCCESS, NULL);
}
