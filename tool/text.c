// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes text that others have chosen, such as names of files, so that it can neither steer a
 * terminal nor break a line, and so that a name that is not UTF-8 does not vanish from JSON.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdlib.h>

#include "tool.h"

/* The UTF-8 character at @text: its length in bytes, 0 if it is none, and its code. */
static size_t character(const char *text, unsigned int *code)
{
	static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *at = (const unsigned char *)text;
	size_t length, i;

	length = *at < 0x80 ? 1 : *at < 0xc0 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 :
		 *at < 0xf8 ? 4 : 0;
	*code = length > 1 ? *at & (0x7f >> length) : *at;
	/* The NUL at the end is no continuation. */
	for (i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (at[i] & 0x3f);
	}
	if (length && (*code < least[length] || *code > 0x10ffff ||
		       (*code >= 0xd800 && *code < 0xe000)))
		return 0;
	return length;
}

static bool is_control(unsigned int code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

static bool is_utf8(const char *text)
{
	unsigned int code;
	size_t length;

	for (; *text; text += length) {
		length = character(text, &code);
		if (!length)
			return false;
	}
	return true;
}

/**
 * text_put() - write text with each control character, and each byte that is no UTF-8, as \xNN
 * @out: where to
 * @text: the text
 */
void text_put(FILE *out, const char *text)
{
	unsigned int code;
	size_t length, i;

	for (; *text; text += length) {
		length = character(text, &code);
		if (length && !is_control(code)) {
			fwrite(text, 1, length, out);
			continue;
		}
		length += !length;
		for (i = 0; i < length; i++)
			fprintf(out, "\\x%02x", (unsigned char)text[i]);
	}
}

/**
 * say() - a line on standard output, escaped as text_put() does
 * @format: as printf() has it
 */
void say(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		exit(TOOL_SYSTEM);
	va_end(args);
	text_put(stdout, text);
	putchar('\n');
	free(text);
}

/**
 * text_json() - text as a string of JSON, whatever its bytes
 * @text: the text; NULL becomes null
 *
 * Text that is UTF-8 stays as it is. In other text each byte that is no UTF-8 becomes \xNN and each
 * backslash two.
 */
json_t *text_json(const char *text)
{
	char *escaped;
	size_t length, size;
	unsigned int code;
	json_t *string;
	FILE *out;

	if (!text)
		return json_null();
	if (is_utf8(text))
		return json_string(text);
	out = open_memstream(&escaped, &size);
	if (!out)
		exit(TOOL_SYSTEM);
	for (; *text; text += length) {
		length = character(text, &code);
		if (!length)
			fprintf(out, "\\x%02x", (unsigned char)*text);
		else if (code == '\\')
			fputs("\\\\", out);
		else
			fwrite(text, 1, length, out);
		length += !length;
	}
	fclose(out);
	string = json_string(escaped);
	free(escaped);
	return string;
}

/**
 * text_json_name() - add the name of a file to an object
 * @json: the object
 * @key: its key; if the name is not UTF-8, key_escaped is added too, true
 * @name: the name, or NULL
 */
void text_json_name(json_t *json, const char *key, const char *name)
{
	char escaped[40];

	json_object_set_new(json, key, text_json(name));
	if (!name || is_utf8(name))
		return;
	snprintf(escaped, sizeof(escaped), "%s_escaped", key);
	json_object_set_new(json, escaped, json_true());
}

/**
 * print_json() - an object on standard output; it is released
 * @json: the object
 *
 * Strings may have DEL and the controls from U+0080 on, which JSON does not demand to be escaped.
 */
void print_json(json_t *json)
{
	char *text = json_dumps(json, JSON_INDENT(2) | JSON_PRESERVE_ORDER), *at;
	unsigned int code;
	size_t length;

	if (!text)
		exit(TOOL_SYSTEM);
	for (at = text; *at; at += length) {
		length = character(at, &code);
		if (code >= 0x7f && is_control(code))
			printf("\\u%04x", code);
		else
			fwrite(at, 1, length, stdout);
	}
	putchar('\n');
	free(text);
	json_decref(json);
}
