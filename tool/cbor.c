// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes CBOR (RFC 8949) in its deterministic encoding, as far as a CoRIM needs it. Not by libcbor:
 * its soname changes with each release of Debian, and the package is one for all of them.
 */
#include <stdlib.h>

#include "tool.h"

/* Major types: the upper three bits of an item's first byte. */
enum major {
	MAJOR_UINT,
	MAJOR_NEGATIVE,
	MAJOR_BYTES,
	MAJOR_TEXT,
	MAJOR_ARRAY,
	MAJOR_MAP,
	MAJOR_TAG,
};

static void append(struct cbor *cbor, const void *data, size_t size)
{
	cbor->data = realloc(cbor->data, cbor->size + size + 1);
	if (!cbor->data)
		fail(TOOL_SYSTEM, "out of memory");
	memcpy(cbor->data + cbor->size, data, size);
	cbor->size += size;
}

/* Write an item's head: its type, and a number in the fewest bytes, big endian. */
static void put_head(struct cbor *cbor, enum major major, u64 number)
{
	unsigned int exponent = number > 0xffffffff ? 3 : number > 0xffff ? 2 : number > 0xff;
	unsigned int bytes = number < 24 ? 0 : 1 << exponent;
	u8 head[1 + sizeof(number)];
	unsigned int i;

	head[0] = major << 5 | (bytes ? 24 + exponent : number);
	for (i = 0; i < bytes; i++)
		head[1 + i] = number >> 8 * (bytes - 1 - i);
	append(cbor, head, 1 + bytes);
}

/* Write an integer. */
void cbor_int(struct cbor *cbor, int number)
{
	if (number < 0)
		put_head(cbor, MAJOR_NEGATIVE, -1 - (long long)number);
	else
		put_head(cbor, MAJOR_UINT, number);
}

/* Write a byte string. */
void cbor_bytes(struct cbor *cbor, const void *data, size_t size)
{
	put_head(cbor, MAJOR_BYTES, size);
	append(cbor, data, size);
}

/* Write a text string, which has to be UTF-8. */
void cbor_text(struct cbor *cbor, const char *text)
{
	put_head(cbor, MAJOR_TEXT, strlen(text));
	append(cbor, text, strlen(text));
}

/* Begin an array: its @count items follow. */
void cbor_array(struct cbor *cbor, size_t count)
{
	put_head(cbor, MAJOR_ARRAY, count);
}

/* Begin a map: its @count pairs of key and value follow, in the order of the encoded keys. */
void cbor_map(struct cbor *cbor, size_t count)
{
	put_head(cbor, MAJOR_MAP, count);
}

/* Tag the item that follows. */
void cbor_tag(struct cbor *cbor, u64 tag)
{
	put_head(cbor, MAJOR_TAG, tag);
}

/* Write what was built elsewhere: one item or several. */
void cbor_items(struct cbor *cbor, const struct cbor *items)
{
	append(cbor, items->data, items->size);
}
