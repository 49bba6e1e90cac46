// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules of verify.c in user space, with OpenSSL: a second reading of Intel's specification of
 * SEAM_SIGSTRUCT. It shares nothing with verify.c but the structures.
 */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/param_build.h>

#include "user_verify.h"

static bool hash_is(const void *data, size_t size, const u8 hash[TDX_SHA384_SIZE])
{
	u8 digest[TDX_SHA384_SIZE];

	return EVP_Digest(data, size, digest, NULL, EVP_sha384(), NULL) == 1 &&
	       !memcmp(digest, hash, sizeof(digest));
}

static EVP_PKEY *make_key(const struct seam_sigstruct *sig)
{
	BIGNUM *n = BN_lebin2bn(sig->modulus, sizeof(sig->modulus), NULL), *e = BN_new();
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (n && e && builder && BN_set_word(e, SEAM_SIGSTRUCT_EXPONENT) &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e))
		params = OSSL_PARAM_BLD_to_param(builder);
	if (maker && params && EVP_PKEY_fromdata_init(maker) > 0 &&
	    EVP_PKEY_fromdata(maker, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		key = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	EVP_PKEY_CTX_free(maker);
	BN_free(n);
	BN_free(e);
	return key;
}

static bool signature_is_good(const struct seam_sigstruct *sig)
{
	const size_t tail = offsetof(struct seam_sigstruct, seamhash);
	u8 signature[SEAM_SIGSTRUCT_MODULUS_SIZE];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY *key = make_key(sig);
	bool good;
	size_t i;

	for (i = 0; i < sizeof(signature); i++)
		signature[i] = sig->signature[sizeof(signature) - 1 - i];
	good = key && context &&
	       EVP_DigestVerifyInit(context, NULL, EVP_sha384(), NULL, key) > 0 &&
	       EVP_DigestVerifyUpdate(context, sig, offsetof(struct seam_sigstruct, modulus)) > 0 &&
	       EVP_DigestVerifyUpdate(context, (const u8 *)sig + tail, sizeof(*sig) - tail) > 0 &&
	       EVP_DigestVerifyFinal(context, signature, sizeof(signature)) == 1;
	EVP_PKEY_free(key);
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return good;
}

/**
 * user_verify() - check an image's signer, signature and hash
 * @image: the image, its form checked
 * @signer: SHA-384 of the modulus that counts as the parameter's
 *
 * Context: user space.
 * Return: the check that tdxu_verify() must report.
 */
struct tdxu_signature_check user_verify(const struct tdxu_image *image,
					const u8 signer[TDX_SHA384_SIZE])
{
	const struct seam_sigstruct *sig = image->sigstruct;

	return (struct tdxu_signature_check){
		.signer = hash_is(sig->modulus, sizeof(sig->modulus), signer) ?
				  TDXU_SIGNER_PARAMETER : TDXU_SIGNER_UNKNOWN,
		.signature_good = signature_is_good(sig),
		.hash_good = hash_is(image->module, (size_t)image->module_pages * TDX_PAGE_SIZE,
				     sig->seamhash),
	};
}
