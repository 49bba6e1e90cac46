// SPDX-License-Identifier: GPL-2.0-only
/*
 * Judges an image without a host: signer, signature, hash, and what plan.c finds wrong with the
 * image itself. May not ask the kernel module, so it works where there is no TDX.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "tool.h"

/* SEAM_SIGSTRUCT is little endian, as are the numbers of OSSL_PARAM on x86. */
static EVP_PKEY *make_key(const struct seam_sigstruct *sig)
{
	u32 exponent = sig->exponent;
	OSSL_PARAM numbers[] = {
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, (void *)sig->modulus, sizeof(sig->modulus)),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, &exponent, sizeof(exponent)),
		OSSL_PARAM_END,
	};
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;

	if (context && EVP_PKEY_fromdata_init(context) > 0)
		EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, numbers);
	EVP_PKEY_CTX_free(context);
	return key;
}

/* The signature covers the sigstruct without modulus, exponent and the signature itself. */
static bool signature_is_good(const struct seam_sigstruct *sig)
{
	const size_t head = offsetof(struct seam_sigstruct, modulus);
	const size_t tail = offsetof(struct seam_sigstruct, seamhash);
	u8 reversed[sizeof(sig->signature)];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY *key = make_key(sig);
	bool good = false;
	size_t i;

	for (i = 0; i < sizeof(reversed); i++)
		reversed[i] = sig->signature[sizeof(reversed) - 1 - i];
	/* PKCS #1 v1.5 is OpenSSL's default for RSA. */
	if (key && context && EVP_DigestVerifyInit(context, NULL, EVP_sha384(), NULL, key) > 0 &&
	    EVP_DigestVerifyUpdate(context, sig, head) > 0 &&
	    EVP_DigestVerifyUpdate(context, (const u8 *)sig + tail, sizeof(*sig) - tail) > 0)
		good = EVP_DigestVerifyFinal(context, reversed, sizeof(reversed)) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return good;
}

static bool hash_is_good(const struct tdxu_image *image)
{
	u8 digest[TDX_SHA384_SIZE];

	return EVP_Digest(image->module, (size_t)image->module_pages * TDX_PAGE_SIZE, digest, NULL,
			  EVP_sha384(), NULL) == 1 &&
	       !memcmp(digest, image->sigstruct->seamhash, sizeof(digest));
}

/**
 * verdict_of_image() - judge an image without a host
 * @image: the image, its form checked
 * @signer: whose key it claims to be signed with
 *
 * The platform made up here suits every image, so that only the image's own faults are left.
 *
 * Return: success, or the verdict that every host would give.
 */
struct tdxu_verdict verdict_of_image(const struct tdxu_image *image, enum tdxu_signer signer)
{
	const struct seam_sigstruct *sig = image->sigstruct;
	const struct tdxu_candidate candidate = {
		.image = *image,
		.check = {
			.signer = signer,
			.signature_good = signature_is_good(sig),
			.hash_good = hash_is_good(image),
		},
	};
	const struct tdxu_platform platform = {
		.module = {
			.features0 = TDX_FEATURES0_TD_PRESERVING,
			.module_hv = sig->module_hv,
			.min_update_hv = sig->min_update_hv,
			.num_handoff_pages = sig->num_handoff_pages,
		},
		.svn_major = sig->svn_major,
		.svn_minor = sig->svn_minor,
		.updates_left = 1,
		.debug = TDXU_DEBUG_UNLOCKED,
		.seamldr.major = 2,
	};
	const struct tdxu_policy policy = {};
	struct tdxu_plan plan;

	return tdxu_plan_make(&candidate, NULL, &platform, &policy, &plan);
}
