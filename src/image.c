// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds sigstruct and module pages in a container and checks their form. Works only on a private
 * copy. Uses no hardware and no kernel service beyond string functions, so it also compiles in user
 * space.
 */
#include "core.h"

#ifdef __KERNEL__
#include <linux/string.h>
#else
#include "kernel_string.h"
#endif

#define BAD(why)	tdxu_verdict(TDXU_BAD_IMAGE, why)

/* The parts that a container describes, in pages after the header. */
struct layout {
	u64 sigstruct_pages;
	u64 module_pages;
};

static struct tdxu_verdict layout_v1(const struct tdx_blob_v1 *blob, size_t size,
				     struct layout *layout)
{
	if (blob->length != size)
		return BAD("container: length is not the file's size");
	if (blob->reserved0 || memchr_inv(blob->reserved1, 0, sizeof(blob->reserved1)))
		return BAD("container: reserved bytes are not zero");
	if (blob->offset_of_module % TDX_PAGE_SIZE || blob->offset_of_module >= size)
		return BAD("container: offset_of_module does not point at a page of the file");
	if (blob->offset_of_module < 2 * TDX_PAGE_SIZE)
		return BAD("container: no room for a sigstruct");

	layout->sigstruct_pages = blob->offset_of_module / TDX_PAGE_SIZE - 1;
	layout->module_pages = (size - blob->offset_of_module) / TDX_PAGE_SIZE;
	return tdxu_verdict(TDXU_SUCCESS, NULL);
}

static struct tdxu_verdict layout_v2(const struct tdx_blob_v2 *blob, size_t size,
				     struct layout *layout)
{
	if (memchr_inv(blob->reserved, 0, sizeof(blob->reserved)))
		return BAD("container: reserved bytes are not zero");

	layout->sigstruct_pages = blob->sigstruct_nr_pages;
	layout->module_pages = blob->module_nr_pages;
	/* The counts have 32 bits and the sum 64: it cannot wrap. */
	if (1 + layout->sigstruct_pages + layout->module_pages != size / TDX_PAGE_SIZE)
		return BAD("container: page counts do not add up to the file's size");
	return tdxu_verdict(TDXU_SUCCESS, NULL);
}

static u16 checksum(const u8 *blob, size_t size)
{
	u16 sum = 0;
	size_t i;

	for (i = 0; i < size; i += 2)
		sum += blob[i] | blob[i + 1] << 8;
	return sum;
}

/*
 * P-SEAMLDR rejects each of these first, but only after the shutdown. It compares the table offsets
 * with the module's size later, and so does plan.c. Bytes 1000 to 1023 depend on P-SEAMLDR's
 * version.
 */
static struct tdxu_verdict check_sigstruct(const struct seam_sigstruct *sig)
{
	if (sig->header_type != SEAM_SIGSTRUCT_HEADER_TYPE ||
	    sig->header_length != SEAM_SIGSTRUCT_HEADER_LENGTH ||
	    sig->header_version != SEAM_SIGSTRUCT_HEADER_VERSION)
		return BAD("sigstruct: unknown header");
	if (sig->module_type & ~SEAM_SIGSTRUCT_DEBUG_SIGNED)
		return BAD("sigstruct: unknown module type");
	if (sig->module_vendor != SEAM_SIGSTRUCT_VENDOR_INTEL)
		return BAD("sigstruct: vendor is not Intel");
	if (sig->size != SEAM_SIGSTRUCT_SIZE_DWORDS ||
	    sig->key_size != SEAM_SIGSTRUCT_KEY_DWORDS ||
	    sig->modulus_size != SEAM_SIGSTRUCT_KEY_DWORDS ||
	    sig->exponent_size != SEAM_SIGSTRUCT_EXPONENT_DWORDS)
		return BAD("sigstruct: wrong size of itself or of its key");
	if (sig->exponent != SEAM_SIGSTRUCT_EXPONENT)
		return BAD("sigstruct: wrong exponent");
	if (sig->attributes)
		return BAD("sigstruct: unknown attributes");
	if (memchr_inv(sig->reserved0, 0, sizeof(sig->reserved0)) ||
	    memchr_inv(sig->reserved1, 0, sizeof(sig->reserved1)) || sig->reserved2)
		return BAD("sigstruct: reserved bytes are not zero");
	if (sig->cpuid_table_size > SEAM_SIGSTRUCT_MAX_CPUIDS)
		return BAD("sigstruct: CPU table too long");
	if (sig->min_update_hv > sig->module_hv)
		return BAD("sigstruct: min_update_hv is higher than module_hv");
	if (sig->gdt_idt_offset % TDX_PAGE_SIZE)
		return BAD("sigstruct: gdt_idt_offset is not a multiple of 4096");
	if (!sig->gdt_idt_offset != !sig->fault_wrapper_offset)
		return BAD("sigstruct: one of gdt_idt_offset and fault_wrapper_offset is zero");
	return tdxu_verdict(TDXU_SUCCESS, NULL);
}

/**
 * tdxu_image_parse() - find the parts of a TDX-BLOB container and check their form
 * @blob: the container, in memory that no one changes while @image is in use
 * @size: its size in bytes, any
 * @image: filled in on success; points into @blob
 *
 * Takes versions 1 and 2 of the container (docs/firmware.md, TDX-BLOB) and checks the sigstruct
 * fields that have only one right value (SEAM_SIGSTRUCT). Says nothing of signature, hash, or
 * whether the image suits the platform.
 *
 * Context: any; touches @blob only.
 * Return: TDXU_SUCCESS, TDXU_BAD_IMAGE, TDXU_CORRUPT (checksum) or TDXU_TOO_LARGE.
 */
struct tdxu_verdict tdxu_image_parse(const void *blob, size_t size, struct tdxu_image *image)
{
	const struct tdx_blob_v1 *v1 = blob;
	const struct tdx_blob_v2 *v2 = blob;
	struct tdxu_verdict verdict;
	struct layout layout = {};

	if (size > TDXU_IMAGE_MAX_SIZE)
		return tdxu_verdict(TDXU_TOO_LARGE, NULL);
	if (size < TDX_PAGE_SIZE || size % TDX_PAGE_SIZE)
		return BAD("container: not a whole number of pages");

	if (v1->version == TDX_BLOB_VERSION_1 &&
	    !memcmp(v1->signature, TDX_BLOB_SIGNATURE, TDX_BLOB_SIGNATURE_SIZE))
		verdict = layout_v1(v1, size, &layout);
	else if (v2->version == TDX_BLOB_VERSION_2 &&
		 !memcmp(v2->signature, TDX_BLOB_SIGNATURE, TDX_BLOB_SIGNATURE_SIZE))
		verdict = layout_v2(v2, size, &layout);
	else
		verdict = BAD("container: not a TDX-BLOB of version 1 or 2");
	if (verdict.result)
		return verdict;

	if (checksum(blob, size))
		return tdxu_verdict(TDXU_CORRUPT, "container: wrong checksum");

	/* SEAMLDR_PARAMS version 0 has room for one sigstruct page. */
	if (layout.sigstruct_pages != 1)
		return BAD("container: not exactly one sigstruct page");
	if (!layout.module_pages)
		return BAD("container: no module pages");

	image->sigstruct = (const void *)((const u8 *)blob + TDX_PAGE_SIZE);
	image->module = (const u8 *)blob + 2 * TDX_PAGE_SIZE;
	image->module_pages = layout.module_pages;
	image->version = (struct tdxu_version){
		.major = image->sigstruct->major,
		.minor = image->sigstruct->minor,
		.update = image->sigstruct->update,
	};
	return check_sigstruct(image->sigstruct);
}
