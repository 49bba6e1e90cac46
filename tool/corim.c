// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes a CoRIM (draft-ietf-rats-corim) of reference values, by Intel's profile for it
 * (draft-cds-rats-intel-corim-profile), and signs it (COSE_Sign1, RFC 9052). It says only what a
 * quote can confirm, because a verifier compares every value that is there.
 */
#include <errno.h>
#include <stdlib.h>

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "tool.h"

/* CBOR tags. */
#define TAG_COSE_SIGN1		18
#define TAG_OID			111
#define TAG_CORIM		501
#define TAG_COMID		506
#define TAG_NUMERIC_EXPRESSION	60010	/* Intel's profile asks IANA for it */

/* IANA, Named Information Hash Algorithm Registry. */
#define HASH_SHA384		7

/* 2.16.840.1.113741.1.16.1, Intel's profile, in BER without tag and length. */
static const u8 profile_oid[] = {
	0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x4d, 0x01, 0x10, 0x01,
};

/* Measurements that Intel's profile adds. */
#define TEE_ISVSVN		-73
#define TEE_ATTRIBUTES		-82
#define TEE_MRTEE		-83
#define TEE_MRSIGNER		-84

#define OPERATOR_GE		2

#define UUID_SIZE		16
#define KEY_ID_SIZE		32

/* What P-SEAMLDR reports of every TDX module: docs/firmware.md, SEAMLDR.INFO. */
const u8 mrsignerseam[TDX_SHA384_SIZE];
const u8 seam_attributes[SEAM_ATTRIBUTES_SIZE];

static void put_digest(struct cbor *cbor, int key, const u8 digest[TDX_SHA384_SIZE])
{
	cbor_int(cbor, key);
	cbor_array(cbor, 1);
	cbor_array(cbor, 2);
	cbor_int(cbor, HASH_SHA384);
	cbor_bytes(cbor, digest, TDX_SHA384_SIZE);
}

/* "At least": of a TD that has lived through updates, the SVN may be newer than MRSEAM. */
static void put_svn(struct cbor *cbor, const struct file *file)
{
	cbor_int(cbor, TEE_ISVSVN);
	cbor_tag(cbor, TAG_NUMERIC_EXPRESSION);
	cbor_array(cbor, 2);
	cbor_int(cbor, OPERATOR_GE);
	cbor_int(cbor, file->svn_minor);
}

static void put_environment(struct cbor *cbor)
{
	cbor_map(cbor, 1);
	cbor_int(cbor, 0);		/* class */
	cbor_map(cbor, 2);
	cbor_int(cbor, 1);		/* vendor */
	cbor_text(cbor, "Intel Corporation");
	cbor_int(cbor, 2);		/* model */
	cbor_text(cbor, "TDX SEAM");
}

/* A reference triple: an environment, and the one measurement expected there. */
static void put_triple(struct cbor *cbor, const struct file *file)
{
	cbor_array(cbor, 2);
	put_environment(cbor);
	cbor_array(cbor, 1);
	cbor_map(cbor, 1);
	cbor_int(cbor, 1);		/* mval */
	cbor_map(cbor, 4);
	put_svn(cbor, file);
	cbor_int(cbor, TEE_ATTRIBUTES);
	cbor_bytes(cbor, seam_attributes, sizeof(seam_attributes));
	put_digest(cbor, TEE_MRTEE, file->seamhash);
	put_digest(cbor, TEE_MRSIGNER, mrsignerseam);
}

/* Write a UUID that is the same whenever the contents are (RFC 9562, version 8). */
static void put_uuid(struct cbor *cbor, const struct cbor *contents)
{
	u8 digest[TDX_SHA384_SIZE];

	if (!EVP_Digest(contents->data, contents->size, digest, NULL, EVP_sha384(), NULL))
		fail(TOOL_SYSTEM, "no SHA-384 here");
	digest[6] = (digest[6] & 0x0f) | 0x80;
	digest[8] = (digest[8] & 0x3f) | 0x80;
	cbor_bytes(cbor, digest, UUID_SIZE);
}

/* Check whether the image of another file has the same values: each is a triple once. */
static bool is_repeated(const struct file *files, size_t index)
{
	size_t i;

	for (i = 0; i < index; i++)
		if (!memcmp(files[i].seamhash, files[index].seamhash, TDX_SHA384_SIZE) &&
		    files[i].svn_minor == files[index].svn_minor)
			return true;
	return false;
}

static void put_triples(struct cbor *cbor, const struct file *files, size_t count)
{
	struct cbor triples = {};
	size_t i, distinct = 0;

	for (i = 0; i < count; i++) {
		if (is_repeated(files, i))
			continue;
		put_triple(&triples, &files[i]);
		distinct++;
	}
	cbor_map(cbor, 1);
	cbor_int(cbor, 0);		/* reference-triples */
	cbor_array(cbor, distinct);
	cbor_items(cbor, &triples);
	free(triples.data);
}

/**
 * corim_make() - make an unsigned CoRIM: one CoMID with a reference triple for each image
 * @files: the images
 * @count: how many
 *
 * Return: the CoRIM; the caller frees its data.
 */
struct cbor corim_make(const struct file *files, size_t count)
{
	struct cbor triples = {}, comid = {}, corim = {};

	put_triples(&triples, files, count);
	cbor_map(&comid, 2);
	cbor_int(&comid, 1);		/* tag-identity */
	cbor_map(&comid, 1);
	cbor_int(&comid, 0);		/* tag-id */
	put_uuid(&comid, &triples);
	cbor_int(&comid, 4);		/* triples */
	cbor_items(&comid, &triples);

	cbor_tag(&corim, TAG_CORIM);
	cbor_map(&corim, 3);
	cbor_int(&corim, 0);		/* id */
	put_uuid(&corim, &comid);
	cbor_int(&corim, 1);		/* tags */
	cbor_array(&corim, 1);
	cbor_tag(&corim, TAG_COMID);
	cbor_bytes(&corim, comid.data, comid.size);
	cbor_int(&corim, 3);		/* profile */
	cbor_tag(&corim, TAG_OID);
	cbor_bytes(&corim, profile_oid, sizeof(profile_oid));
	free(triples.data);
	free(comid.data);
	return corim;
}

/* ---- signing ---- */

/* COSE's algorithms for the two curves (RFC 9053), and half the size of a signature. */
static const struct algorithm {
	const char *curve;
	int cose;
	const char *hash;
	int number_size;
} algorithms[] = {
	{ "prime256v1", -7, "SHA256", 32 },
	{ "secp384r1", -35, "SHA384", 48 },
};

#define MAX_NUMBER_SIZE	48

struct corim_key {
	EVP_PKEY *key;
	const struct algorithm *algorithm;
	u8 id[KEY_ID_SIZE];		/* SHA-256 of its SubjectPublicKeyInfo */
};

/* Ask nobody for a passphrase: note that there is one. */
static int refuse_passphrase(char *buf, int size, int writing, void *asked)
{
	(void)buf;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static EVP_PKEY *read_key(const char *path)
{
	bool encrypted = false;
	EVP_PKEY *key;
	FILE *in = fopen(path, "re");

	if (!in)
		fail(TOOL_NO_INPUT, "%s: %s", path, strerror(errno));
	key = PEM_read_PrivateKey(in, NULL, refuse_passphrase, &encrypted);
	fclose(in);
	if (encrypted)
		fail(TOOL_NO_INPUT,
		     "%s: the key is encrypted, and --signed asks for no passphrase; decrypt it: openssl pkey -in KEY -out COPY",
		     path);
	if (!key)
		fail(TOOL_NO_INPUT, "%s: no private key in PEM", path);
	return key;
}

static const struct algorithm *find_algorithm(EVP_PKEY *key)
{
	char curve[40] = "";
	size_t i;

	/* Keys that are not on a curve have no such name. */
	if (!EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL))
		return NULL;
	for (i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (!strcmp(curve, algorithms[i].curve))
			return &algorithms[i];
	return NULL;
}

/**
 * corim_read_key() - read the key that signs a CoRIM
 * @path: a PEM file with a private key on P-256 or P-384, without a passphrase
 *
 * Ends the program if there is no such key.
 *
 * Return: the key, which lives as long as the program.
 */
const struct corim_key *corim_read_key(const char *path)
{
	struct corim_key *key = calloc(1, sizeof(*key));
	unsigned char *der = NULL;
	int size;

	if (!key)
		fail(TOOL_SYSTEM, "out of memory");
	key->key = read_key(path);
	key->algorithm = find_algorithm(key->key);
	if (!key->algorithm)
		fail(TOOL_NO_INPUT,
		     "%s: not a key on P-256 or P-384, and --signed takes no other: openssl ecparam -genkey -name prime256v1 -noout",
		     path);
	size = i2d_PUBKEY(key->key, &der);
	if (size <= 0 || !EVP_Digest(der, size, key->id, NULL, EVP_sha256(), NULL))
		fail(TOOL_SYSTEM, "%s: cannot encode its public key", path);
	OPENSSL_free(der);
	return key;
}

/* The command knows the signer by his key only, so the name is that key's SHA-256. */
static void put_meta(struct cbor *cbor, const struct corim_key *key)
{
	char name[sizeof("sha256:") + 2 * KEY_ID_SIZE] = "sha256:";
	struct cbor meta = {};

	text_hex(key->id, KEY_ID_SIZE, name + strlen(name));
	cbor_map(&meta, 1);
	cbor_int(&meta, 0);		/* signer */
	cbor_map(&meta, 1);
	cbor_int(&meta, 0);		/* signer-name */
	cbor_text(&meta, name);
	cbor_bytes(cbor, meta.data, meta.size);
	free(meta.data);
}

static struct cbor make_header(const struct corim_key *key)
{
	struct cbor header = {};

	cbor_map(&header, 4);
	cbor_int(&header, 1);		/* alg */
	cbor_int(&header, key->algorithm->cose);
	cbor_int(&header, 3);		/* content type */
	cbor_text(&header, "application/rim+cbor");
	cbor_int(&header, 4);		/* kid */
	cbor_bytes(&header, key->id, sizeof(key->id));
	cbor_int(&header, 8);		/* corim-meta */
	put_meta(&header, key);
	return header;
}

/* COSE wants the two numbers of an ECDSA signature one after the other, OpenSSL has them in DER. */
static bool put_signature(struct cbor *cbor, const u8 *der, size_t size, int number_size)
{
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, size);
	u8 numbers[2 * MAX_NUMBER_SIZE];
	bool good;

	good = signature &&
	       BN_bn2binpad(ECDSA_SIG_get0_r(signature), numbers, number_size) == number_size &&
	       BN_bn2binpad(ECDSA_SIG_get0_s(signature), numbers + number_size, number_size) ==
	       number_size;
	ECDSA_SIG_free(signature);
	if (good)
		cbor_bytes(cbor, numbers, 2 * number_size);
	return good;
}

/* Sign the Sig_structure of header and payload, and write the signature. */
static bool sign(struct cbor *cbor, const struct corim_key *key, const struct cbor *header,
		 const struct cbor *payload)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	struct cbor signed_part = {};
	u8 der[200];
	size_t size = sizeof(der);
	bool good;

	cbor_array(&signed_part, 4);
	cbor_text(&signed_part, "Signature1");
	cbor_bytes(&signed_part, header->data, header->size);
	cbor_bytes(&signed_part, "", 0);
	cbor_bytes(&signed_part, payload->data, payload->size);

	good = context &&
	       EVP_DigestSignInit_ex(context, NULL, key->algorithm->hash, NULL, NULL, key->key,
				     NULL) > 0 &&
	       EVP_DigestSign(context, der, &size, signed_part.data, signed_part.size) > 0 &&
	       put_signature(cbor, der, size, key->algorithm->number_size);
	EVP_MD_CTX_free(context);
	free(signed_part.data);
	return good;
}

/**
 * corim_sign() - sign a CoRIM
 * @corim: the unsigned CoRIM
 * @key: the key
 *
 * Return: the signed CoRIM; the caller frees its data.
 */
struct cbor corim_sign(const struct cbor *corim, const struct corim_key *key)
{
	struct cbor header = make_header(key), message = {};

	cbor_tag(&message, TAG_COSE_SIGN1);
	cbor_array(&message, 4);
	cbor_bytes(&message, header.data, header.size);
	cbor_map(&message, 0);		/* nothing unprotected */
	cbor_bytes(&message, corim->data, corim->size);
	if (!sign(&message, key, &header, corim))
		fail(TOOL_SYSTEM, "cannot sign: %s",
		     ERR_reason_error_string(ERR_peek_last_error()));
	free(header.data);
	return message;
}
