// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is printed: text for people, in colours on a terminal, or one JSON
 * object. Tables are made from the rows of that object, so that both say the
 * same.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

static bool json, colours;

/**
 * out_init() - find out what the output is
 *
 * NO_COLOR (https://no-color.org) turns colours off if it is not empty.
 */
void out_init(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	colours = isatty(STDOUT_FILENO) && (!no || !*no) && term && *term &&
		  strcmp(term, "dumb");
}

void out_want_json(void)
{
	json = true;
}

bool out_is_json(void)
{
	return json;
}

/* The sequence that begins a tone, or TONE_PLAIN to end it. */
const char *out_tone(enum tone tone)
{
	static const char *const sequence[] = {
		[TONE_PLAIN] = "\033[0m",
		[TONE_GOOD] = "\033[32m",
		[TONE_BAD] = "\033[1;31m",
		[TONE_WEAK] = "\033[2m",
		[TONE_STRONG] = "\033[1m",
	};

	return colours ? sequence[tone] : "";
}

/**
 * out_json() - print an object and let it go
 * @object: The object
 */
void out_json(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object,
					    JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_SPACED |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

/* What stands in a cell: lists with commas, nothing as "-". */
static void cell_text(struct json_object *value, char *buf, size_t len)
{
	size_t i, n, used = 0;
	struct json_object *item;
	const char *text;

	switch (json_object_get_type(value)) {
	case json_type_null:
		snprintf(buf, len, "-");
		break;
	case json_type_boolean:
		snprintf(buf, len, "%s",
			 json_object_get_boolean(value) ? "yes" : "no");
		break;
	case json_type_array:
		n = json_object_array_length(value);
		snprintf(buf, len, "%s", n ? "" : "-");
		for (i = 0; i < n && used < len; i++) {
			item = json_object_array_get_idx(value, i);
			text = json_object_get_string(item);
			used += (size_t)snprintf(buf + used, len - used, "%s%s",
						 i ? "," : "", text);
		}
		break;
	default:
		text = json_object_get_string(value);
		snprintf(buf, len, "%s", *text ? text : "-");
	}
}

static void row_cell(struct json_object *row, const struct column *column,
		     char *buf, size_t len)
{
	struct json_object *value = NULL;

	if (row)
		json_object_object_get_ex(row, column->key, &value);
	else
		value = json_object_new_string(column->title);
	cell_text(value, buf, len);
	if (!row)
		json_object_put(value);
}

/* Without a row: the headings. */
static void print_row(struct json_object *row, const struct column *columns,
		      const size_t *width, size_t count)
{
	char cell[256];
	size_t i;

	for (i = 0; i < count; i++) {
		row_cell(row, &columns[i], cell, sizeof(cell));
		if (columns[i].right)
			printf("%*s", (int)width[i], cell);
		else if (i + 1 < count)
			printf("%-*s", (int)width[i], cell);
		else
			fputs(cell, stdout);
		fputs(i + 1 < count ? "  " : "\n", stdout);
	}
}

/**
 * out_table() - print rows under headings
 * @rows: An array of objects
 * @columns: What of them to show
 * @count: How many columns, 16 at most
 */
void out_table(struct json_object *rows, const struct column *columns,
	       size_t count)
{
	size_t width[16], i, r, n = json_object_array_length(rows);
	char cell[256];

	for (i = 0; i < count; i++) {
		width[i] = strlen(columns[i].title);
		for (r = 0; r < n; r++) {
			row_cell(json_object_array_get_idx(rows, r), &columns[i],
				 cell, sizeof(cell));
			if (strlen(cell) > width[i])
				width[i] = strlen(cell);
		}
	}
	fputs(out_tone(TONE_STRONG), stdout);
	print_row(NULL, columns, width, count);
	fputs(out_tone(TONE_PLAIN), stdout);
	for (r = 0; r < n; r++)
		print_row(json_object_array_get_idx(rows, r), columns, width,
			  count);
}

/**
 * out_end() - the exit status, once all output has got out
 * @status: What it would be
 *
 * Return: @status, or STATUS_FAILED if not all could be written.
 */
int out_end(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	complain("cannot write the output: %s", strerror(errno));
	return STATUS_FAILED;
}

/* A size as people say it, with one digit after the point where it matters. */
const char *out_size(char *buf, size_t len, uint64_t bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	double size = (double)bytes;
	unsigned int unit = 0;

	while (size >= 1024 && unit < 4) {
		size /= 1024;
		unit++;
	}
	snprintf(buf, len, size < 10 && size != (unsigned int)size ? "%.1f %s" :
								     "%.0f %s",
		 size, units[unit]);
	return buf;
}

void put(struct json_object *object, const char *key, struct json_object *value)
{
	json_object_object_add(object, key, value);
}

void put_text(struct json_object *object, const char *key, const char *text)
{
	put(object, key, text && *text ? json_object_new_string(text) : NULL);
}

void put_number(struct json_object *object, const char *key, uint64_t number)
{
	put(object, key, json_object_new_uint64(number));
}

void put_bool(struct json_object *object, const char *key, bool value)
{
	put(object, key, json_object_new_boolean(value));
}

void complain(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	va_start(args, format);
	fputs("sva: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}
