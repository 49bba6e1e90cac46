// SPDX-License-Identifier: GPL-2.0-only
/*
 * RSA-3072 with the exponent 65537, for P-SEAMLDR's look at a signature.
 * By hand because it runs in a trap, inside stop_machine(), where the kernel's RSA may not wait for
 * the memory that it allocates. Takes no locks; one caller at a time, P-SEAMLDR's owner.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "emu.h"

#define LIMBS		(SEAM_SIGSTRUCT_MODULUS_SIZE / sizeof(u64))
#define SQUARINGS	6	/* 48 * 2^6 = 3072, see square_of_r() */

struct number {
	u64 limb[LIMBS];		/* least significant first */
};

/* Too large for a trap's stack in sum. */
static struct {
	struct number n;		/* modulus */
	u64 n0_inverse;			/* -1 / n mod 2^64 */
	struct number s, power, one;
	u64 product[LIMBS + 2];
} rsa;

static bool is_less(const struct number *a, const struct number *b)
{
	unsigned int i = LIMBS;

	while (i--)
		if (a->limb[i] != b->limb[i])
			return a->limb[i] < b->limb[i];
	return false;
}

static void subtract(struct number *a, const struct number *b)
{
	unsigned int i;
	u64 borrow = 0;

	for (i = 0; i < LIMBS; i++) {
		u64 limb = a->limb[i] - b->limb[i];
		u64 less = a->limb[i] < b->limb[i] || limb < borrow;

		a->limb[i] = limb - borrow;
		borrow = less;
	}
}

/* a = 2a mod n, for a < n. */
static void double_mod(struct number *a)
{
	unsigned int i;
	u64 carry = 0;

	for (i = 0; i < LIMBS; i++) {
		u64 limb = a->limb[i];

		a->limb[i] = limb << 1 | carry;
		carry = limb >> 63;
	}
	if (carry || !is_less(a, &rsa.n))
		subtract(a, &rsa.n);
}

/* r = a * b / R mod n, where R = 2^3072: Montgomery's product, limb by limb of b. */
static void multiply(struct number *r, const struct number *a, const struct number *b)
{
	u64 *t = rsa.product;
	unsigned int i, j;

	memset(t, 0, sizeof(rsa.product));
	for (i = 0; i < LIMBS; i++) {
		unsigned __int128 sum = 0;
		u64 m;

		for (j = 0; j < LIMBS; j++) {
			sum += (unsigned __int128)a->limb[j] * b->limb[i] + t[j];
			t[j] = sum;
			sum >>= 64;
		}
		sum += t[LIMBS];
		t[LIMBS] = sum;
		t[LIMBS + 1] = sum >> 64;

		/* Add the multiple of n that makes the lowest limb 0, and drop that limb. */
		m = t[0] * rsa.n0_inverse;
		sum = ((unsigned __int128)m * rsa.n.limb[0] + t[0]) >> 64;
		for (j = 1; j < LIMBS; j++) {
			sum += (unsigned __int128)m * rsa.n.limb[j] + t[j];
			t[j - 1] = sum;
			sum >>= 64;
		}
		sum += t[LIMBS];
		t[LIMBS - 1] = sum;
		t[LIMBS] = t[LIMBS + 1] + (u64)(sum >> 64);
	}

	memcpy(r->limb, t, sizeof(r->limb));
	if (t[LIMBS] || !is_less(r, &rsa.n))
		subtract(r, &rsa.n);
}

/* R^2 mod n, which takes a number into Montgomery's form. */
static void square_of_r(struct number *r)
{
	unsigned int i;

	/* R mod n is R - n, as n has its highest bit set. */
	memset(r, 0, sizeof(*r));
	subtract(r, &rsa.n);
	/* R * 2^48 mod n; each Montgomery square then doubles the 48, up to 3072 = 48 * 2^6. */
	for (i = 0; i < LIMBS; i++)
		double_mod(r);
	for (i = 0; i < SQUARINGS; i++)
		multiply(r, r, r);
}

/**
 * emu_rsa_public() - signature ^ 65537 mod modulus
 * @modulus: SEAM_SIGSTRUCT_MODULUS_SIZE bytes, little endian
 * @signature: as many
 * @result: as many, on success
 *
 * Context: any; one caller at a time.
 * Return: false where the modulus is not one of RSA-3072 or the signature is not below it.
 */
bool emu_rsa_public(const u8 *modulus, const u8 *signature, u8 *result)
{
	u64 inverse;
	unsigned int i;

	memcpy(&rsa.n, modulus, sizeof(rsa.n));
	memcpy(&rsa.s, signature, sizeof(rsa.s));
	if (!(rsa.n.limb[0] & 1) || !(rsa.n.limb[LIMBS - 1] >> 63) || !is_less(&rsa.s, &rsa.n))
		return false;

	/* Newton: each step doubles the right bits; an odd number is its own inverse in 3. */
	inverse = rsa.n.limb[0];
	for (i = 0; i < 5; i++)
		inverse *= 2 - rsa.n.limb[0] * inverse;
	rsa.n0_inverse = -inverse;

	square_of_r(&rsa.power);
	multiply(&rsa.s, &rsa.s, &rsa.power);
	rsa.power = rsa.s;
	for (i = 0; i < 16; i++)
		multiply(&rsa.power, &rsa.power, &rsa.power);
	multiply(&rsa.power, &rsa.power, &rsa.s);

	/* Out of Montgomery's form. */
	memset(&rsa.one, 0, sizeof(rsa.one));
	rsa.one.limb[0] = 1;
	multiply(&rsa.power, &rsa.power, &rsa.one);
	memcpy(result, &rsa.power, sizeof(rsa.power));
	return true;
}
