// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer's target: image.c and plan.c on anything at all. Their own memory errors are the
 * sanitizers' to find; here is what must hold of an image that they let through.
 * The input is struct control, then the file.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"

/* What the fuzzer chooses beside the file. */
struct control {
	struct tdxu_platform platform;
	u8 signer;
	u8 flags;
};

#define FLAG_SIGNATURE_GOOD	1
#define FLAG_HASH_GOOD		2
#define FLAG_REQUIRE_PROTECTION	4
#define FLAG_KEEP_CHECKSUM	8
#define FLAG_RECOVERY		16	/* the same image */

/* libFuzzer cannot guess a sum over the whole file: mend it, but where the sum is the point. */
static void mend_checksum(u8 *blob, size_t size)
{
	u16 sum = 0;
	size_t i;

	if (size < TDX_PAGE_SIZE)
		return;
	memset(blob + 2, 0, sizeof(sum));
	for (i = 0; i + 1 < size; i += 2)
		sum += blob[i] | blob[i + 1] << 8;
	sum = -sum;
	memcpy(blob + 2, &sum, sizeof(sum));
}

static void must(bool truth)
{
	if (!truth)
		abort();
}

static void check_image(const u8 *blob, size_t size, const struct tdxu_image *image)
{
	const u8 *sig = (const u8 *)image->sigstruct;

	must(image->module_pages >= 1 && image->module_pages <= SEAMLDR_MAX_MODULE_PAGES);
	must(sig == blob + TDX_PAGE_SIZE);
	must(image->module == sig + TDX_PAGE_SIZE);
	must(image->module + (size_t)image->module_pages * TDX_PAGE_SIZE == blob + size);
	must(image->sigstruct->cpuid_table_size <= SEAM_SIGSTRUCT_MAX_CPUIDS);
}

static void check_plan(const struct tdxu_candidate *candidate,
		       const struct tdxu_platform *platform, const struct tdxu_plan *plan)
{
	const struct tdxu_findings *findings = &candidate->findings;
	const struct seam_sigstruct *sig = candidate->image.sigstruct;
	u16 hv = plan->shutdown_rcx & TDX_SHUTDOWN_HV_MASK;

	must(findings->signer != TDXU_SIGNER_UNKNOWN);
	must(findings->signature_good && findings->hash_good);
	must(sig->svn_major == platform->svn_major && sig->svn_minor >= platform->svn_minor);
	must(platform->updates_left);
	must(hv >= sig->min_update_hv && hv <= sig->module_hv);
	must(plan->resume == platform->handoff.waits);
	if (platform->handoff.waits) {
		must(hv == platform->handoff.hv);
		return;
	}
	must(hv <= platform->module.module_hv);
	must(platform->module.no_downgrade ? hv == platform->module.module_hv :
					     hv >= platform->module.min_update_hv);
	must(!!(plan->shutdown_rcx & TDX_SHUTDOWN_AVOID_COMPAT_SENSITIVE) ==
	     !!(platform->module.features0 & TDX_FEATURES0_UPDATE_COMPAT));
	must(!(plan->shutdown_rcx >> 17));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct control control;
	struct tdxu_candidate candidate;
	struct tdxu_policy policy;
	struct tdxu_plan plan;
	u8 *blob;

	if (size < sizeof(control))
		return 0;
	/* Booleans of any other value are not what a caller in C can hand over. */
	memcpy(&control, data, sizeof(control));
	control.platform.debug = data[0] & 1 ? TDXU_DEBUG_UNLOCKED : TDXU_DEBUG_LOCKED;
	memset(&control.platform.module.no_downgrade, data[0] >> 1 & 1, 1);
	control.platform.handoff.waits = data[0] >> 2 & 1;
	control.platform.handoff.hv_known = true;
	data += sizeof(control);
	size -= sizeof(control);
	candidate.findings = (struct tdxu_findings){
		.signer = control.signer % (TDXU_SIGNER_PARAMETER + 1),
		.signature_good = control.flags & FLAG_SIGNATURE_GOOD,
		.hash_good = control.flags & FLAG_HASH_GOOD,
	};
	policy.require_race_protection = control.flags & FLAG_REQUIRE_PROTECTION;

	/* A copy of exactly this size, so that one byte past it is an error. */
	blob = malloc(size ?: 1);
	if (!blob)
		return 0;
	memcpy(blob, data, size);
	if (!(control.flags & FLAG_KEEP_CHECKSUM))
		mend_checksum(blob, size);

	if (tdxu_image_parse(blob, size, &candidate.image).result == TDXU_SUCCESS) {
		check_image(blob, size, &candidate.image);
		if (tdxu_plan_make(&candidate, control.flags & FLAG_RECOVERY ? &candidate : NULL,
				   &control.platform, &policy, &plan).result == TDXU_SUCCESS)
			check_plan(&candidate, &control.platform, &plan);
	}
	free(blob);
	return 0;
}

#ifdef SEEDS
#include <stdio.h>

/* Instead of the fuzzer: IMAGE to SEED, after a control that lets a good image through. */
int main(int argc, char **argv)
{
	struct control control = {
		.platform = {
			.module.features0 = TDX_FEATURES0_TD_PRESERVING |
					    TDX_FEATURES0_UPDATE_COMPAT,
			.svn_major = 1,
			.svn_minor = 5,
			.updates_left = 1,
			.num_cpu_kinds = 1,
			.cpu_kinds = { 0x806F0 },
		},
		.signer = TDXU_SIGNER_INTEL,
		.flags = FLAG_SIGNATURE_GOOD | FLAG_HASH_GOOD,
	};
	char buf[TDX_PAGE_SIZE];
	FILE *in, *out;
	size_t len;

	if (argc != 3)
		return EXIT_FAILURE;
	in = fopen(argv[1], "rb");
	out = fopen(argv[2], "wb");
	if (!in || !out)
		return EXIT_FAILURE;
	fwrite(&control, sizeof(control), 1, out);
	while ((len = fread(buf, 1, sizeof(buf), in)))
		fwrite(buf, 1, len, out);
	return fclose(out) ? EXIT_FAILURE : EXIT_SUCCESS;
}
#endif
