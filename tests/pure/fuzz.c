// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer's target: runs image.c and plan.c on any input. Sanitizers find memory errors; this
 * file checks what must hold for every image that they let through. The input is struct control,
 * followed by the file.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "libfuzzer.h"
#include "kernel_string.h"

/* Everything that the fuzzer chooses except the file. */
struct control {
	struct tdxu_platform platform;
	u8 signer;
	u8 debug;
	u16 flags;
	/* Fields of the recovery image that differ from those of the image. */
	u16 recovery_min_hv, recovery_hv, recovery_pages;
	u8 recovery_svn_minor;
};

#define FLAG_SIGNATURE_GOOD	1
#define FLAG_HASH_GOOD		2
#define FLAG_REQUIRE_PROTECTION	4
#define FLAG_KEEP_CHECKSUM	8
#define FLAG_RECOVERY		16
#define FLAG_REQUIRE_RECOVERY	32
#define FLAG_NO_DOWNGRADE	64
#define FLAG_WAITS		128
#define FLAG_HV_KNOWN		256
#define FLAG_PAGES_KNOWN	512
#define FLAG_DEBUG_LOADER	1024
#define FLAG_INSTALLED		2048	/* the image is the installed TDX module */
#define FLAG_SESSION_OPEN	4096

/* Correct the checksum: libFuzzer cannot guess a sum over the whole file. */
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

static bool is_zero(const void *start, size_t size)
{
	return !memchr_inv(start, 0, size);
}

static void check_image(const u8 *blob, size_t size, const struct tdxu_image *image)
{
	const struct seam_sigstruct *sig = image->sigstruct;

	must(image->module_pages >= 1 && image->module_pages <= SEAMLDR_MAX_MODULE_PAGES);
	must((const u8 *)sig == blob + TDX_PAGE_SIZE);
	must(image->module == (const u8 *)sig + TDX_PAGE_SIZE);
	must(image->module + (size_t)image->module_pages * TDX_PAGE_SIZE == blob + size);
	must(sig->header_type == 6 && sig->header_length == 0xE1 && sig->header_version == 0x10000);
	must(!(sig->module_type << 1) && sig->module_vendor == 0x8086 && !sig->attributes);
	must(sig->size == 0x200 && sig->key_size == 0x60 && sig->modulus_size == 0x60);
	must(sig->exponent_size == 1 && sig->exponent == 0x10001);
	must(is_zero(sig->reserved0, 88) && is_zero(sig->reserved1, 6) && !sig->reserved2);
	must(sig->cpuid_table_size <= SEAM_SIGSTRUCT_MAX_CPUIDS);
	must(sig->min_update_hv <= sig->module_hv);
	must(!(sig->gdt_idt_offset & 4095));
	must((sig->gdt_idt_offset == 0) == (sig->fault_wrapper_offset == 0));
}

static bool is_in_table(const struct seam_sigstruct *sig, u32 cpuid)
{
	u32 i;

	for (i = 0; i < sig->cpuid_table_size; i++)
		if (sig->cpuid_table[i] >> 4 == cpuid >> 4)
			return true;
	return false;
}

/* A lower bound of the pages that P-SEAMLDR needs: page tables are left out. */
static u64 least_pages(const struct seam_sigstruct *sig, u64 lps)
{
	return 513 + lps * (4u + sig->num_stack_pages + sig->num_tls_pages) +
	       sig->num_global_data_pages + sig->num_handoff_pages + 2u;
}

/* Check that an image or a recovery image that was let through meets no refusal. */
static void check_candidate(const struct tdxu_candidate *candidate,
			    const struct tdxu_platform *platform)
{
	const struct tdxu_signature_check *check = &candidate->check;
	const struct seam_sigstruct *sig = candidate->image.sigstruct;
	u64 size = candidate->image.module_pages * 4096ULL;
	u32 loader = (u32)platform->seamldr.major << 16 | platform->seamldr.minor;
	bool debug_signed = sig->module_type >> 31;
	unsigned int i;

	if (loader < 0x10005 || (loader == 0x10005 && !platform->seamldr.update))
		must(is_zero((const u8 *)sig + 1000, 24));
	must(check->signer != TDXU_SIGNER_UNKNOWN);
	if (debug_signed) {
		must(check->signer == TDXU_SIGNER_PARAMETER);
		must(platform->debug != TDXU_DEBUG_LOCKED);
		must(platform->debug == TDXU_DEBUG_UNLOCKED || platform->debug_loader);
	}
	must(sig->svn_major && sig->svn_major == platform->svn_major);
	must(sig->svn_minor >= platform->svn_minor);
	must(!sig->gdt_idt_offset || sig->gdt_idt_offset + 4096ULL <= size);
	must(!sig->fault_wrapper_offset || sig->fault_wrapper_offset + 512ULL <= size);
	must(sig->cpuid_table_size || debug_signed);
	for (i = 0; i < platform->num_cpu_kinds && sig->cpuid_table_size; i++)
		must(is_in_table(sig, platform->cpu_kinds[i]));
	must(check->signature_good && check->hash_good);
	must(!platform->room ||
	     least_pages(sig, platform->num_lps) * 100 <= platform->room / 4096 * 101);
	must(platform->updates_left);
}

/* Check that the image can read handoff data of version @hv. */
static void check_version(const struct tdxu_candidate *candidate, u16 hv)
{
	must(hv >= candidate->image.sigstruct->min_update_hv);
	must(hv <= candidate->image.sigstruct->module_hv);
}

static bool is_installed(const struct tdxu_candidate *candidate,
			 const struct tdxu_platform *platform)
{
	return candidate && !memcmp(candidate->image.sigstruct->seamhash, platform->mrseam,
				    sizeof(platform->mrseam));
}

static void check_plan(const struct tdxu_candidate *candidate,
		       const struct tdxu_candidate *recovery,
		       const struct tdxu_platform *platform, const struct tdxu_policy *policy,
		       const struct tdxu_plan *plan)
{
	const struct tdxu_handoff *handoff = &platform->handoff;
	const struct tdxu_module *module = &platform->module;
	u16 pages = candidate->image.sigstruct->num_handoff_pages;
	u16 hv = plan->shutdown_rcx & TDX_SHUTDOWN_HV_MASK;
	bool rejects_races = module->features0 >> 47 & 1;

	check_candidate(candidate, platform);
	if (recovery) {
		check_candidate(recovery, platform);
		must(recovery->image.sigstruct->num_handoff_pages >= pages);
	}
	must(plan->resume == handoff->waits);
	must(plan->join_session == (handoff->waits && handoff->session_open));
	must(plan->svn_minor == platform->svn_minor);
	must(plan->updates_left == platform->updates_left);

	if (handoff->waits) {
		must(!plan->shutdown_rcx);
		must(handoff->num_pages_known || is_installed(candidate, platform) ||
		     is_installed(recovery, platform));
		must(!handoff->num_pages_known || pages >= handoff->num_pages);
		if (handoff->hv_known)
			check_version(candidate, handoff->hv);
		if (handoff->hv_known && recovery)
			check_version(recovery, handoff->hv);
		return;
	}
	must(module->features0 >> 1 & 1);
	must(!policy->require_race_protection || rejects_races);
	must(!policy->require_recovery || recovery);
	must(pages >= module->num_handoff_pages);
	must(hv <= module->module_hv);
	must(module->no_downgrade ? hv == module->module_hv : hv >= module->min_update_hv);
	check_version(candidate, hv);
	if (recovery)
		check_version(recovery, hv);
	must((plan->shutdown_rcx >> 16 & 1) == rejects_races);
	must(!(plan->shutdown_rcx >> 17));
}

/* Make another image of the same form as @candidate. */
static void make_recovery(const struct tdxu_candidate *candidate, const struct control *control,
			  struct seam_sigstruct *sig, struct tdxu_candidate *recovery)
{
	bool reversed = control->recovery_min_hv > control->recovery_hv;

	*sig = *candidate->image.sigstruct;
	*recovery = *candidate;
	recovery->image.sigstruct = sig;
	sig->min_update_hv = reversed ? control->recovery_hv : control->recovery_min_hv;
	sig->module_hv = reversed ? control->recovery_min_hv : control->recovery_hv;
	sig->num_handoff_pages = control->recovery_pages;
	sig->svn_minor = control->recovery_svn_minor;
	sig->seamhash[0] ^= 1;
}

/* Reduce enumerations and booleans to valid values: a caller in C cannot pass others. */
static void make_platform(const struct control *control, struct tdxu_platform *platform)
{
	memcpy(platform, &control->platform, sizeof(*platform));
	platform->debug = control->debug % (TDXU_DEBUG_UNLOCKED + 1);
	memset(&platform->debug_loader, !!(control->flags & FLAG_DEBUG_LOADER), 1);
	memset(&platform->module.no_downgrade, !!(control->flags & FLAG_NO_DOWNGRADE), 1);
	memset(&platform->handoff.waits, !!(control->flags & FLAG_WAITS), 1);
	memset(&platform->handoff.hv_known, !!(control->flags & FLAG_HV_KNOWN), 1);
	memset(&platform->handoff.num_pages_known, !!(control->flags & FLAG_PAGES_KNOWN), 1);
	memset(&platform->handoff.session_open, !!(control->flags & FLAG_SESSION_OPEN), 1);
	platform->num_cpu_kinds = 1 + platform->num_cpu_kinds % TDXU_MAX_CPU_KINDS;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct control control;
	struct tdxu_candidate candidate, recovery;
	struct seam_sigstruct recovery_sig;
	struct tdxu_platform platform;
	struct tdxu_policy policy;
	bool has_recovery;
	u8 *blob;

	if (size < sizeof(control))
		return 0;
	memcpy(&control, data, sizeof(control));
	make_platform(&control, &platform);
	data += sizeof(control);
	size -= sizeof(control);
	candidate.check = (struct tdxu_signature_check){
		.signer = control.signer % (TDXU_SIGNER_PARAMETER + 1),
		.signature_good = control.flags & FLAG_SIGNATURE_GOOD,
		.hash_good = control.flags & FLAG_HASH_GOOD,
	};
	policy.require_race_protection = control.flags & FLAG_REQUIRE_PROTECTION;
	policy.require_recovery = control.flags & FLAG_REQUIRE_RECOVERY;
	has_recovery = control.flags & FLAG_RECOVERY;

	/* A copy of exactly this size, so that a sanitizer sees a read past its end. */
	blob = malloc(size ?: 1);
	if (!blob)
		return 0;
	memcpy(blob, data, size);
	if (!(control.flags & FLAG_KEEP_CHECKSUM))
		mend_checksum(blob, size);

	if (tdxu_image_parse(blob, size, &candidate.image).result == TDXU_SUCCESS) {
		const struct tdxu_candidate *fallback = has_recovery ? &recovery : NULL;
		struct tdxu_plan plan;

		check_image(blob, size, &candidate.image);
		make_recovery(&candidate, &control, &recovery_sig, &recovery);
		if (control.flags & FLAG_INSTALLED)
			memcpy(platform.mrseam, candidate.image.sigstruct->seamhash,
			       sizeof(platform.mrseam));
		if (tdxu_plan_make(&candidate, fallback, &platform, &policy, &plan).result ==
		    TDXU_SUCCESS)
			check_plan(&candidate, fallback, &platform, &policy, &plan);
	}
	free(blob);
	return 0;
}

#ifndef SEEDS
/*
 * Most of a file decides nothing. So change struct control, the container's header and the
 * sigstruct; one time in eight change anything, perhaps the size.
 */
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned int seed)
{
	static const struct {
		size_t offset, size;
	} parts[] = {
		{ 0, sizeof(struct control) },
		{ sizeof(struct control), 24 },
		{ sizeof(struct control) + TDX_PAGE_SIZE, 40 },
		{ sizeof(struct control) + TDX_PAGE_SIZE + 900, 228 },
	};
	unsigned int part = seed / 8 % 4;

	if (seed % 8 && parts[part].offset + parts[part].size <= size)
		LLVMFuzzerMutate(data + parts[part].offset, parts[part].size, parts[part].size);
	else
		size = LLVMFuzzerMutate(data, size, max_size);
	return size;
}
#else
#include <stdio.h>

/* Not the fuzzer: make SEED of IMAGE, with a control that lets a good image through. */
int main(int argc, char **argv)
{
	struct control control = {
		.platform = {
			.module.features0 = TDX_FEATURES0_TD_PRESERVING |
					    TDX_FEATURES0_UPDATE_COMPAT,
			.svn_major = 1,
			.svn_minor = 5,
			.updates_left = 1,
			.seamldr = { 2, 0, 0 },
			.cpu_kinds = { 0x806F0 },
			.num_lps = 2,
			.room = 1 << 30,
		},
		.signer = TDXU_SIGNER_INTEL,
		.flags = FLAG_SIGNATURE_GOOD | FLAG_HASH_GOOD,
		.recovery_pages = 100,
		.recovery_svn_minor = 5,
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
