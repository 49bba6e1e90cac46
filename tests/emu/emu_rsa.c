// SPDX-License-Identifier: GPL-2.0-only
/*
 * RSA-3072 with the exponent 65537, for P-SEAMLDR's check of a signature.
 * The kernel's RSA may sleep to allocate memory. This code runs in a trap inside stop_machine(),
 * and must not. It takes no lock: the one caller is the LP that owns P-SEAMLDR.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "emu.h"

#define LIMBS		(SEAM_SIGSTRUCT_MODULUS_SIZE / sizeof(u64))
#define SQUARINGS	6	/* 48 * 2^6 = 3072, see square_of_r() */

struct number {
	u64 limb[LIMBS];		/* least significant first */
};

/* Together too large for the stack of a trap. */
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

/* r = a * b / R mod n with R = 2^3072: the Montgomery product, one limb of b at a time. */
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

/* R^2 mod n: multiplying by it brings a number into Montgomery form. */
static void square_of_r(struct number *r)
{
	unsigned int i;

	/* R mod n is R - n, because the highest bit of n is set. */
	memset(r, 0, sizeof(*r));
	subtract(r, &rsa.n);
	/* R * 2^48 mod n. Each Montgomery square doubles the exponent, up to 3072 = 48 * 2^6. */
	for (i = 0; i < LIMBS; i++)
		double_mod(r);
	for (i = 0; i < SQUARINGS; i++)
		multiply(r, r, r);
}

/**
 * emu_rsa_public() - compute signature ^ 65537 mod modulus
 * @modulus: SEAM_SIGSTRUCT_MODULUS_SIZE bytes, little endian
 * @signature: the same size and byte order
 * @result: the same; filled in on success
 *
 * Context: any; one caller at a time.
 * Return: false if the modulus is even or shorter than 3072 bits, or the signature not below it.
 */
bool emu_rsa_public(const u8 *modulus, const u8 *signature, u8 *result)
{
	u64 inverse;
	unsigned int i;

	memcpy(&rsa.n, modulus, sizeof(rsa.n));
	memcpy(&rsa.s, signature, sizeof(rsa.s));
	if (!(rsa.n.limb[0] & 1) || !(rsa.n.limb[LIMBS - 1] >> 63) || !is_less(&rsa.s, &rsa.n))
		return false;

	/* Newton: an odd number is its own inverse mod 2^3; each step doubles the correct bits. */
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

	/* Multiplying by 1 leaves Montgomery form. */
	memset(&rsa.one, 0, sizeof(rsa.one));
	rsa.one.limb[0] = 1;
	multiply(&rsa.power, &rsa.power, &rsa.one);
	memcpy(result, &rsa.power, sizeof(rsa.power));
	return true;
}
