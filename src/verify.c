// SPDX-License-Identifier: GPL-2.0-only
/*
 * What cryptography says of an image: whose key, whether the signature holds, whether the hash
 * does. Finds out and does not judge: which finding counts first is plan.c's. Works on the private
 * copy only. P-SEAMLDR remains the security boundary; this spares the running TDs an image that it
 * would reject.
 */
#include <linux/crypto.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <crypto/akcipher.h>
#include <crypto/hash.h>

#include "tdx_update.h"

#define KEY_SIZE	SEAM_SIGSTRUCT_MODULUS_SIZE

/* Intel's production signer: SHA-384 of the modulus as it is stored. SPEC.md section 5. */
static const u8 intel_signer[TDX_SHA384_SIZE] = {
	0xc8, 0x57, 0x2f, 0x54, 0x88, 0x69, 0xa0, 0xbe, 0xca, 0x19, 0x37, 0x6b,
	0x81, 0xc2, 0xdf, 0xfc, 0x2a, 0x23, 0xb5, 0xa5, 0xf7, 0x1d, 0xa0, 0xb8,
	0x75, 0x79, 0xb4, 0x3f, 0x40, 0x8d, 0xaa, 0x1a, 0x33, 0xba, 0xd9, 0xc1,
	0x49, 0xeb, 0x56, 0xc6, 0x34, 0xf8, 0x83, 0x73, 0x79, 0x68, 0xa3, 0x4c,
};

/* Parameter signer; read and written under kernel_param_lock(). */
static struct {
	bool set;
	u8 hash[TDX_SHA384_SIZE];
} extra_signer;

static struct crypto_shash *sha384;
static struct crypto_akcipher *rsa;

static int set_signer(const char *value, const struct kernel_param *param)
{
	size_t len = strcspn(value, "\n");
	u8 hash[TDX_SHA384_SIZE];

	if (!len) {
		extra_signer.set = false;
		return 0;
	}
	if (len != 2 * sizeof(hash) || hex2bin(hash, value, sizeof(hash)))
		return -EINVAL;
	memcpy(extra_signer.hash, hash, sizeof(hash));
	extra_signer.set = true;
	return 0;
}

static int get_signer(char *buf, const struct kernel_param *param)
{
	if (!extra_signer.set)
		return sprintf(buf, "\n");
	return sprintf(buf, "%*phN\n", TDX_SHA384_SIZE, extra_signer.hash);
}

static const struct kernel_param_ops signer_ops = { .set = set_signer, .get = get_signer };
module_param_cb(signer, &signer_ops, NULL, 0644);
MODULE_PARM_DESC(signer,
		 "SHA-384 of one more accepted signer's modulus, hex; for pre-production platforms and tests (default: none)");

static enum tdxu_signer find_signer(const u8 hash[TDX_SHA384_SIZE])
{
	enum tdxu_signer signer = TDXU_SIGNER_UNKNOWN;

	if (!memcmp(hash, intel_signer, sizeof(intel_signer)))
		return TDXU_SIGNER_INTEL;

	kernel_param_lock(THIS_MODULE);
	if (extra_signer.set && !memcmp(hash, extra_signer.hash, sizeof(extra_signer.hash)))
		signer = TDXU_SIGNER_PARAMETER;
	kernel_param_unlock(THIS_MODULE);
	return signer;
}

/* Hash of what the signature covers: the sigstruct without modulus, exponent and signature. */
static int hash_signed_part(const struct seam_sigstruct *sig, u8 hash[TDX_SHA384_SIZE])
{
	size_t tail = offsetof(struct seam_sigstruct, seamhash);
	SHASH_DESC_ON_STACK(desc, sha384);
	int err;

	desc->tfm = sha384;
	err = crypto_shash_init(desc);
	err = err ?: crypto_shash_update(desc, (const u8 *)sig,
					 offsetof(struct seam_sigstruct, modulus));
	err = err ?: crypto_shash_update(desc, (const u8 *)sig + tail, sizeof(*sig) - tail);
	err = err ?: crypto_shash_final(desc, hash);
	shash_desc_zero(desc);
	return err;
}

/* DER of an RSAPublicKey (RFC 8017, appendix A.1.1): 384 bytes of modulus, exponent 0x10001. */
struct rsa_public_key {
	u8 sequence[4];
	u8 modulus_integer[5];		/* ends in a zero: the number is positive */
	u8 modulus[KEY_SIZE];
	u8 exponent[5];
} __packed;

static const struct rsa_public_key public_key_frame = {
	.sequence = { 0x30, 0x82, (sizeof(struct rsa_public_key) - 4) >> 8,
		      (sizeof(struct rsa_public_key) - 4) & 0xff },
	.modulus_integer = { 0x02, 0x82, (KEY_SIZE + 1) >> 8, (KEY_SIZE + 1) & 0xff, 0x00 },
	.exponent = { 0x02, 0x03, 0x01, 0x00, 0x01 },
};

/* EMSA-PKCS1-v1_5 (RFC 8017, section 9.2): 00 01 FF.. 00, the DigestInfo of SHA-384, the hash. */
static const u8 digest_info[] = {
	0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
	0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30,
};

/* What the RSA operation reads and writes; in the direct map, as a scatterlist wants it. */
struct rsa_work {
	struct rsa_public_key key;
	u8 signature[KEY_SIZE];
	u8 encoded[KEY_SIZE];
	u8 expected[KEY_SIZE];
};

static void encode_expected(u8 *em, const u8 hash[TDX_SHA384_SIZE])
{
	size_t info = KEY_SIZE - TDX_SHA384_SIZE - sizeof(digest_info);

	memset(em, 0xff, KEY_SIZE);
	em[0] = 0x00;
	em[1] = 0x01;
	em[info - 1] = 0x00;
	memcpy(em + info, digest_info, sizeof(digest_info));
	memcpy(em + info + sizeof(digest_info), hash, TDX_SHA384_SIZE);
}

/* Sigstructs are little endian throughout, numbers of RSA are not. */
static void copy_reversed(u8 *to, const u8 *from)
{
	size_t i;

	for (i = 0; i < KEY_SIZE; i++)
		to[i] = from[KEY_SIZE - 1 - i];
}

/*
 * RSA is asked only what it can answer: an odd modulus of full length, 1 < signature < modulus - 1.
 * So its EINVAL is never about the image, and it is not always about its input: rsa_check_payload()
 * gives that for lack of memory too.
 */
static bool rsa_defined(const struct rsa_work *work)
{
	const u8 *modulus = work->key.modulus, *signature = work->signature;
	size_t last = KEY_SIZE - 1;
	int order = memcmp(signature, modulus, last);

	if (!(modulus[0] & 0x80) || !(modulus[last] & 1))
		return false;
	if (signature[last] <= 1 && !memchr_inv(signature, 0, last))
		return false;
	return order < 0 || (!order && signature[last] + 1 < modulus[last]);
}

/* signature ^ exponent mod modulus, into @work->encoded. */
static int rsa_public_operation(struct rsa_work *work)
{
	struct scatterlist src, dst;
	struct akcipher_request *req;
	int err;

	err = crypto_akcipher_set_pub_key(rsa, &work->key, sizeof(work->key));
	if (err)
		return err;
	req = akcipher_request_alloc(rsa, GFP_KERNEL);
	if (!req)
		return -ENOMEM;
	sg_init_one(&src, work->signature, KEY_SIZE);
	sg_init_one(&dst, work->encoded, KEY_SIZE);
	akcipher_request_set_crypt(req, &src, &dst, KEY_SIZE, KEY_SIZE);
	akcipher_request_set_callback(req, CRYPTO_TFM_REQ_MAY_SLEEP, NULL, NULL);
	err = crypto_akcipher_encrypt(req);
	/* A shorter result stands elsewhere and is none that we want: that has one leading zero. */
	if (req->dst_len != KEY_SIZE)
		memset(work->encoded, 0, KEY_SIZE);
	akcipher_request_free(req);
	return err;
}

static int verify_signature(const struct seam_sigstruct *sig, bool *good)
{
	struct rsa_work *work = kzalloc(sizeof(*work), GFP_KERNEL);
	u8 hash[TDX_SHA384_SIZE];
	int err;

	if (!work)
		return -ENOMEM;

	err = hash_signed_part(sig, hash);
	if (err)
		goto out;

	work->key = public_key_frame;
	copy_reversed(work->key.modulus, sig->modulus);
	copy_reversed(work->signature, sig->signature);
	encode_expected(work->expected, hash);
	if (rsa_defined(work)) {
		err = rsa_public_operation(work);
		*good = !err && !memcmp(work->encoded, work->expected, KEY_SIZE);
	}
out:
	kfree(work);
	return err;
}

/**
 * tdxu_verify() - find out what cryptography says of an image
 * @image: its form checked
 * @findings: filled in on success
 *
 * The rules are P-SEAMLDR's (SPEC.md section 5): RSA-3072, PKCS#1 v1.5, SHA-384.
 *
 * Context: may sleep. One caller at a time.
 * Return: TDXU_SUCCESS, also for an image that is no good, or TDXU_NO_MEMORY.
 */
struct tdxu_verdict tdxu_verify(const struct tdxu_image *image, struct tdxu_findings *findings)
{
	const struct seam_sigstruct *sig = image->sigstruct;
	u8 hash[TDX_SHA384_SIZE];
	int err;

	*findings = (struct tdxu_findings){};
	err = crypto_shash_tfm_digest(sha384, sig->modulus, sizeof(sig->modulus), hash);
	if (err)
		goto out;
	findings->signer = find_signer(hash);

	err = verify_signature(sig, &findings->signature_good);
	if (err)
		goto out;

	err = crypto_shash_tfm_digest(sha384, image->module,
				      (size_t)image->module_pages * TDX_PAGE_SIZE, hash);
	findings->hash_good = !err && !memcmp(hash, sig->seamhash, sizeof(hash));
out:
	return tdxu_say(err ? TDXU_NO_MEMORY : TDXU_SUCCESS, NULL);
}

/**
 * tdxu_verify_init() - get hold of the kernel's SHA-384 and RSA
 *
 * Here and not at an update: the host may have lost the modules they come in by then.
 *
 * Context: may sleep. Once, before tdxu_verify().
 * Return: 0 or a negative errno, -ENOENT where the kernel has no such algorithm.
 */
int tdxu_verify_init(void)
{
	sha384 = crypto_alloc_shash("sha384", 0, 0);
	if (IS_ERR(sha384))
		return PTR_ERR(sha384);
	/* Not one that runs on a device, and can fail in ways of its own. */
	rsa = crypto_alloc_akcipher("rsa", 0, CRYPTO_ALG_ASYNC);
	if (IS_ERR(rsa)) {
		crypto_free_shash(sha384);
		return PTR_ERR(rsa);
	}
	return 0;
}

/**
 * tdxu_verify_exit() - undo tdxu_verify_init()
 *
 * Context: may sleep.
 */
void tdxu_verify_exit(void)
{
	crypto_free_akcipher(rsa);
	crypto_free_shash(sha384);
}
