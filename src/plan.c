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

/**
 * tdxu_plan_make() - decide whether and how to install an image
 * @image: what to install, its form checked
 * @platform: where, as it is now
 * @policy: what the administrator asks for beyond that
 * @plan: filled in on success
 *
 * Refuses whatever P-SEAMLDR or the running module would refuse after or at the shutdown, as far as
 * it follows from the arguments. Faults are looked for in P-SEAMLDR's order (SPEC.md section 4),
 * after those of the running module. The running module is asked to reject a race if it knows how
 * to.
 *
 * Context: any.
 * Return: TDXU_SUCCESS, TDXU_UNSUPPORTED, TDXU_NO_UPDATES_LEFT or TDXU_BAD_HANDOFF.
 */
struct tdxu_verdict tdxu_plan_make(const struct tdxu_image *image,
				   const struct tdxu_platform *platform,
				   const struct tdxu_policy *policy, struct tdxu_plan *plan)
{
	const struct tdxu_module *module = &platform->module;
	bool rejects_races = module->features0 & TDX_FEATURES0_UPDATE_COMPAT;
	u16 hv;

	if (!(module->features0 & TDX_FEATURES0_TD_PRESERVING))
		return tdxu_say(TDXU_UNSUPPORTED, "the running module has no TD_PRESERVING");
	if (policy->require_race_protection && !rejects_races)
		return tdxu_say(TDXU_UNSUPPORTED,
				"the running module cannot reject a race, as required");
	if (!platform->updates_left)
		return tdxu_say(TDXU_NO_UPDATES_LEFT, NULL);
	if (!negotiate_handoff(image->sigstruct, module, &hv))
		return tdxu_say(TDXU_BAD_HANDOFF, NULL);

	plan->shutdown_rcx = hv;
	if (rejects_races)
		plan->shutdown_rcx |= TDX_SHUTDOWN_AVOID_COMPAT_SENSITIVE;
	return tdxu_say(TDXU_SUCCESS, NULL);
}
