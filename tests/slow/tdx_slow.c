// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx_slow.ko: makes parts of the kernel slow, full or failing, as they can be on a real host.
 *
 * RSA: the module registers an "rsa" as QAT's driver does. It has priority 1000 and completes
 * asynchronously, and its type flags do not say so. With rsa_generic=1 "rsa-generic" itself behaves
 * like that instead, which no caller can avoid. rsa-generic does the arithmetic in both cases.
 * SHA-384: calls can fail. Restart: it can be delayed.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bottom_half.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include <crypto/hash.h>
#include <crypto/internal/akcipher.h>
#include <crypto/internal/hash.h>

#define DRIVER_NAME	"rsa-tdx-slow"
#define POLL_MS		10	/* how often rsa_hold is read while a request is held */

static bool rsa_generic;
module_param(rsa_generic, bool, 0444);
MODULE_PARM_DESC(rsa_generic, "change rsa-generic instead of registering an rsa (default: 0)");

static unsigned int rsa_delay_ms = 50;
module_param(rsa_delay_ms, uint, 0644);
MODULE_PARM_DESC(rsa_delay_ms, "milliseconds from an RSA request to its completion (default: 50)");

static bool rsa_hold;
module_param(rsa_hold, bool, 0644);
MODULE_PARM_DESC(rsa_hold, "complete no RSA request for as long as this is set (default: 0)");

static bool rsa_full;
module_param(rsa_full, bool, 0644);
MODULE_PARM_DESC(rsa_full, "take only RSA requests that may wait in a backlog (default: 0)");

static int rsa_error;
module_param(rsa_error, int, 0644);
MODULE_PARM_DESC(rsa_error, "negative errno that RSA requests end with, 0: none (default: 0)");

static unsigned int rsa_requests;
module_param(rsa_requests, uint, 0444);
MODULE_PARM_DESC(rsa_requests, "RSA requests that were taken; read only");

static int sha_error;
module_param(sha_error, int, 0644);
MODULE_PARM_DESC(sha_error, "negative errno that SHA-384 fails with once, 0: none (default: 0)");

static unsigned int sha_good;
module_param(sha_good, uint, 0644);
MODULE_PARM_DESC(sha_good,
		 "calls of SHA-384's update and digest that succeed before that (default: 0)");

static unsigned int restart_ms;
module_param(restart_ms, uint, 0644);
MODULE_PARM_DESC(restart_ms, "milliseconds that a restart takes before devices stop (default: 0)");

/* Apart from the request, so that a request freed too early is caught where it is accessed. */
struct job {
	struct delayed_work work;
	struct akcipher_request *req;
	bool backlogged;
};

static struct workqueue_struct *queue;

static struct crypto_akcipher *rsa_tfm;
static struct akcipher_alg *generic;
static int (*generic_encrypt)(struct akcipher_request *req);

static struct crypto_shash *sha_tfm;
static struct shash_alg *sha;
static int (*sha_update)(struct shash_desc *desc, const u8 *data, unsigned int len);
static int (*sha_digest)(struct shash_desc *desc, const u8 *data, unsigned int len, u8 *out);

static void complete_request(struct akcipher_request *req, int err)
{
	/* The crypto API wants bottom halves off here. */
	local_bh_disable();
	akcipher_request_complete(req, err);
	local_bh_enable();
}

static void finish(struct work_struct *work)
{
	struct job *job = container_of(to_delayed_work(work), struct job, work);
	struct akcipher_request *req = job->req;

	if (READ_ONCE(rsa_hold)) {
		queue_delayed_work(queue, &job->work, msecs_to_jiffies(POLL_MS));
		return;
	}
	if (job->backlogged)
		complete_request(req, -EINPROGRESS);
	kfree(job);
	complete_request(req, READ_ONCE(rsa_error) ?: generic_encrypt(req));
	/* The module may be unloaded from here on; tdx_slow_exit() waits for this function. */
	module_put(THIS_MODULE);
}

static int late_encrypt(struct akcipher_request *req)
{
	bool backlogged = READ_ONCE(rsa_full);
	struct job *job;

	if (backlogged && !(req->base.flags & CRYPTO_TFM_REQ_MAY_BACKLOG))
		return -ENOSPC;

	job = kmalloc(sizeof(*job), GFP_ATOMIC);
	if (!job)
		return -ENOMEM;
	job->req = req;
	job->backlogged = backlogged;
	INIT_DELAYED_WORK(&job->work, finish);
	__module_get(THIS_MODULE);
	rsa_requests++;
	queue_delayed_work(queue, &job->work, msecs_to_jiffies(READ_ONCE(rsa_delay_ms)));
	return backlogged ? -EBUSY : -EINPROGRESS;
}

static struct akcipher_alg device = {
	.encrypt = late_encrypt,
	.base = {
		.cra_name = "rsa",
		.cra_driver_name = DRIVER_NAME,
		.cra_priority = 1000,
		.cra_module = THIS_MODULE,
	},
};

/* It has rsa-generic's context, so rsa-generic's other functions work for it. */
static int register_device(void)
{
	struct crypto_akcipher *tfm;
	const char *chosen;
	int err;

	device.decrypt = generic->decrypt;
	device.set_pub_key = generic->set_pub_key;
	device.set_priv_key = generic->set_priv_key;
	device.max_size = generic->max_size;
	device.init = generic->init;
	device.exit = generic->exit;
	device.base.cra_ctxsize = generic->base.cra_ctxsize;
	err = crypto_register_akcipher(&device);
	if (err)
		return err;

	/* A test shows nothing if the kernel prefers another implementation. */
	tfm = crypto_alloc_akcipher("rsa", 0, CRYPTO_ALG_ASYNC);
	if (!IS_ERR(tfm)) {
		chosen = crypto_tfm_alg_driver_name(crypto_akcipher_tfm(tfm));
		if (!strcmp(chosen, DRIVER_NAME)) {
			crypto_free_akcipher(tfm);
			return 0;
		}
		pr_err("%s is chosen for rsa\n", chosen);
		crypto_free_akcipher(tfm);
	}
	crypto_unregister_akcipher(&device);
	return -EEXIST;
}

static int start_rsa(void)
{
	if (!rsa_generic)
		return register_device();
	WRITE_ONCE(generic->encrypt, late_encrypt);
	return 0;
}

static void stop_rsa(void)
{
	if (rsa_generic)
		WRITE_ONCE(generic->encrypt, generic_encrypt);
	else
		crypto_unregister_akcipher(&device);
}

/* Return the error of the SHA-384 operation that begins now; 0: none. */
static int next_sha_error(void)
{
	int err = READ_ONCE(sha_error);

	if (err && sha_good) {
		sha_good--;
		return 0;
	}
	WRITE_ONCE(sha_error, 0);
	return err;
}

static int failing_update(struct shash_desc *desc, const u8 *data, unsigned int len)
{
	return next_sha_error() ?: sha_update(desc, data, len);
}

static int failing_digest(struct shash_desc *desc, const u8 *data, unsigned int len, u8 *out)
{
	return next_sha_error() ?: sha_digest(desc, data, len, out);
}

/* It has the lowest priority, so tdx_update's notifier runs before it. */
static int restart_slowly(struct notifier_block *block, unsigned long action, void *data)
{
	msleep(restart_ms);
	return NOTIFY_DONE;
}

static struct notifier_block restart_notifier = {
	.notifier_call = restart_slowly,
	.priority = INT_MIN,
};

static int __init tdx_slow_init(void)
{
	int err;

	rsa_tfm = crypto_alloc_akcipher("rsa-generic", 0, 0);
	if (IS_ERR(rsa_tfm))
		return PTR_ERR(rsa_tfm);
	generic = crypto_akcipher_alg(rsa_tfm);
	generic_encrypt = generic->encrypt;

	sha_tfm = crypto_alloc_shash("sha384", 0, 0);
	if (IS_ERR(sha_tfm)) {
		err = PTR_ERR(sha_tfm);
		goto free_rsa;
	}
	sha = crypto_shash_alg(sha_tfm);
	sha_update = sha->update;
	sha_digest = sha->digest;

	queue = alloc_workqueue("tdx_slow", WQ_UNBOUND, 0);
	if (!queue) {
		err = -ENOMEM;
		goto free_sha;
	}
	err = start_rsa();
	if (err)
		goto free_queue;
	err = register_reboot_notifier(&restart_notifier);
	if (err)
		goto stop_rsa;
	/* Do not count requests of the kernel's self-test of a new algorithm. */
	rsa_requests = 0;
	WRITE_ONCE(sha->update, failing_update);
	WRITE_ONCE(sha->digest, failing_digest);
	return 0;

stop_rsa:
	stop_rsa();
free_queue:
	destroy_workqueue(queue);
free_sha:
	crypto_free_shash(sha_tfm);
free_rsa:
	crypto_free_akcipher(rsa_tfm);
	return err;
}

static void __exit tdx_slow_exit(void)
{
	WRITE_ONCE(sha->update, sha_update);
	WRITE_ONCE(sha->digest, sha_digest);
	unregister_reboot_notifier(&restart_notifier);
	stop_rsa();
	destroy_workqueue(queue);
	crypto_free_shash(sha_tfm);
	crypto_free_akcipher(rsa_tfm);
}

module_init(tdx_slow_init);
module_exit(tdx_slow_exit);

MODULE_DESCRIPTION("Slow and failing parts of the kernel, for tests of tdx_update");
MODULE_LICENSE("GPL");
