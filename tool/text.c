// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes text that others have chosen, such as file names. Escaping keeps it from steering a
 * terminal or breaking a line, and keeps a name that is not UTF-8 visible in JSON.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tool.h"

/* Rises when a member goes, or changes its meaning; a new member does not raise it. */
#define JSON_VERSION	1

/* Decode the UTF-8 character at @text. Return its length in bytes, 0 if it is not valid UTF-8. */
static size_t character(const char *text, unsigned int *code)
{
	static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *at = (const unsigned char *)text;
	size_t length, i;

	length = *at < 0x80 ? 1 : *at < 0xc0 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 :
		 *at < 0xf8 ? 4 : 0;
	*code = length > 1 ? *at & (0x7f >> length) : *at;
	/* The NUL at the end of @text is not a continuation byte, so it ends this loop. */
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

/* Write text with control characters and bytes that are not UTF-8 as \xNN. */
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
 * text_hex() - write bytes in hexadecimal
 * @data: the bytes
 * @size: how many
 * @buf: filled in; two characters a byte and a NUL
 *
 * Return: @buf.
 */
const char *text_hex(const u8 *data, size_t size, char *buf)
{
	size_t i;

	buf[0] = '\0';
	for (i = 0; i < size; i++)
		sprintf(buf + 2 * i, "%02x", data[i]);
	return buf;
}

/**
 * say() - print a line on standard output, escaped as text_put() does
 * @format: as for printf(), without a newline
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

/* Return the width of the terminal on standard output in columns, SIZE_MAX if there is none. */
size_t text_terminal_width(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col ? SIZE_MAX : size.ws_col;
}

/* Return how many characters there are in the first @size bytes of UTF-8 text. */
static size_t characters(const char *text, size_t size)
{
	size_t count = 0, i;

	for (i = 0; i < size; i++)
		count += (text[i] & 0xc0) != 0x80;
	return count;
}

/**
 * text_wrap() - print text broken between words, escaped as text_put() does
 * @text: the text
 * @indent: the column that the caller has reached, where each further line begins too
 * @width: columns of a line, with @indent; a longer word has a line of its own
 */
void text_wrap(const char *text, size_t indent, size_t width)
{
	size_t size, length, word, column = indent;
	char *escaped, *at;
	FILE *out = open_memstream(&escaped, &size);

	if (!out)
		exit(TOOL_SYSTEM);
	text_put(out, text);
	fclose(out);
	for (at = escaped; *at; at += length + strspn(at + length, " ")) {
		length = strcspn(at, " ");
		word = characters(at, length);
		if (column > indent && column + 1 + word > width) {
			printf("\n%*s", (int)indent, "");
			column = indent;
		}
		column += printf("%s", column > indent ? " " : "") + word;
		printf("%.*s", (int)length, at);
	}
	putchar('\n');
	free(escaped);
}

/**
 * text_json() - make a JSON string of text with any bytes
 * @text: the text; NULL becomes null
 *
 * UTF-8 text is kept as it is. In other text each byte that is not UTF-8 becomes \xNN, and each
 * backslash is doubled.
 *
 * Return: a new string or null.
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
 * @key: its key; if the name is not UTF-8, key_escaped is added too, with value true
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
 * print_json() - print an object on standard output, its version first, and release it
 * @json: the object
 *
 * Escapes DEL and the control characters from U+0080 on, which JSON allows as they are.
 */
void print_json(json_t *json)
{
	json_t *whole = json_pack("{s:i}", "json_version", JSON_VERSION);
	char *text, *at;
	unsigned int code;
	size_t length;

	json_object_update_new(whole, json);
	text = json_dumps(whole, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
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
	json_decref(whole);
}
