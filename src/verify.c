// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks an image's signer, signature and hash. Reports all three and rejects nothing: plan.c
 * decides which of them counts first. Reads the private copy only. P-SEAMLDR remains the security
 * boundary; these checks spare the running TDs an image that it would reject.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/crypto.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kmod.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <crypto/akcipher.h>
#include <crypto/hash.h>

#include "tdx_update.h"

#define KEY_SIZE	SEAM_SIGSTRUCT_MODULUS_SIZE

/* The kernel's own implementation, see tdxu_verify_init(). */
#define RSA_DRIVER	"rsa-generic"

/* Intel's production signer: SHA-384 of the modulus as SEAM_SIGSTRUCT stores it. */
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

static bool same_hash(const u8 a[TDX_SHA384_SIZE], const u8 b[TDX_SHA384_SIZE])
{
	return !memcmp(a, b, TDX_SHA384_SIZE);
}

static enum tdxu_signer find_signer(const u8 hash[TDX_SHA384_SIZE])
{
	enum tdxu_signer signer = TDXU_SIGNER_UNKNOWN;

	if (same_hash(hash, intel_signer))
		return TDXU_SIGNER_INTEL;

	kernel_param_lock(THIS_MODULE);
	if (extra_signer.set && same_hash(hash, extra_signer.hash))
		signer = TDXU_SIGNER_PARAMETER;
	kernel_param_unlock(THIS_MODULE);
	return signer;
}

/* Hash what the signature covers: the sigstruct without modulus, exponent and signature. */
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

/* Operands of the RSA operation, in the direct map because a scatterlist needs that. */
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

/* SEAM_SIGSTRUCT is little endian throughout; RSA's numbers are big endian. */
static void copy_reversed(u8 *to, const u8 *from)
{
	size_t i;

	for (i = 0; i < KEY_SIZE; i++)
		to[i] = from[KEY_SIZE - 1 - i];
}

/*
 * True for operands that RSA is defined for: an odd modulus of full length, 1 < signature <
 * modulus - 1. All others are wrong signatures. rsa-generic fails for some of them with EINVAL, and
 * only this check tells those from a failure of its own.
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

/*
 * Computes signature ^ exponent mod modulus into @work->encoded, all KEY_SIZE bytes of it.
 * Returns -ENOMEM for lack of memory only, and for every lack of memory.
 */
static int rsa_public_operation(struct rsa_work *work)
{
	DECLARE_CRYPTO_WAIT(wait);
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
	/*
	 * The crypto API lets any implementation complete later: request and operands stay until
	 * then.
	 */
	akcipher_request_set_callback(req, CRYPTO_TFM_REQ_MAY_BACKLOG | CRYPTO_TFM_REQ_MAY_SLEEP,
				      crypto_req_done, &wait);
	err = crypto_wait_req(crypto_akcipher_encrypt(req), &wait);
	akcipher_request_free(req);
	/*
	 * rsa-generic checks the range of the signature since 6.9 (e8829ef1f73f, "crypto: rsa -
	 * restrict plaintext/ciphertext values more"), needs memory for that, and fails with EINVAL
	 * without it. After rsa_defined() nothing else here is EINVAL.
	 */
	return err == -EINVAL ? -ENOMEM : err;
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
 * tdxu_verify() - check an image's signer, signature and hash
 * @image: the image, its form checked
 * @check: filled in on success
 *
 * The rules are P-SEAMLDR's: RSA-3072, PKCS#1 v1.5, SHA-384 (docs/firmware.md, "Signer").
 *
 * Context: may sleep. One caller at a time.
 * Return: TDXU_SUCCESS, also for an image that fails these checks; TDXU_NO_MEMORY, or
 * TDXU_CRYPTO_ERROR where the kernel's crypto failed for another reason.
 */
struct tdxu_verdict tdxu_verify(const struct tdxu_image *image, struct tdxu_signature_check *check)
{
	const struct seam_sigstruct *sig = image->sigstruct;
	u8 hash[TDX_SHA384_SIZE];
	int err;

	*check = (struct tdxu_signature_check){};
	err = crypto_shash_tfm_digest(sha384, sig->modulus, sizeof(sig->modulus), hash);
	if (err)
		goto out;
	check->signer = find_signer(hash);

	err = verify_signature(sig, &check->signature_good);
	if (err)
		goto out;

	err = crypto_shash_tfm_digest(sha384, image->module,
				      (size_t)image->module_pages * TDX_PAGE_SIZE, hash);
	check->hash_good = !err && same_hash(hash, sig->seamhash);
out:
	if (!err)
		return tdxu_verdict(TDXU_SUCCESS, NULL);
	if (err == -ENOMEM)
		return tdxu_verdict(TDXU_NO_MEMORY, NULL);
	pr_err("SHA-384 or RSA failed: error %d\n", err);
	return tdxu_verdict(TDXU_CRYPTO_ERROR, NULL);
}

/**
 * tdxu_verify_init() - get hold of the kernel's SHA-384 and RSA
 *
 * At load time, because the host may have lost the kernel modules that hold them by the time of an
 * update.
 *
 * RSA has to be the kernel's own implementation. By the algorithm's name the one of the highest
 * priority would be chosen, which on the hosts concerned can be a device's (QAT): asynchronous
 * although its type flags do not say so, and with failures of its own. The module that holds
 * "rsa-generic" also holds the parsers that the kernel's other implementations need, so it is there
 * wherever one of them is. SHA-384 needs no such choice: a shash is synchronous by its type, and no
 * device can be one.
 *
 * Context: may sleep. Once, before tdxu_verify().
 * Return: 0 or a negative errno, -ENOENT where the kernel has no such algorithm.
 */
int tdxu_verify_init(void)
{
	sha384 = crypto_alloc_shash("sha384", 0, 0);
	if (IS_ERR(sha384))
		return PTR_ERR(sha384);

	rsa = crypto_alloc_akcipher(RSA_DRIVER, 0, 0);
	if (PTR_ERR(rsa) == -ENOENT) {
		/* A kernel module with RSA in it is known by the algorithm's name only. */
		request_module("crypto-rsa");
		rsa = crypto_alloc_akcipher(RSA_DRIVER, 0, 0);
	}
	if (IS_ERR(rsa)) {
		crypto_free_shash(sha384);
		return PTR_ERR(rsa);
	}
	return 0;
}

/* Undo tdxu_verify_init(). */
void tdxu_verify_exit(void)
{
	crypto_free_akcipher(rsa);
	crypto_free_shash(sha384);
}
