/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the sva command share. */
#ifndef SVA_TOOL_H
#define SVA_TOOL_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <json-c/json.h>
#include <sva/sva.h>

/* What the command exits with; wrong usage is argp's EX_USAGE, 64. */
enum {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
};

/* --- main.c: commands and what they have in common ------------------------- */

/**
 * struct command - one word behind "sva"
 * @name: The word
 * @summary: What it does, for sva --help
 * @run: Runs it; argv[0] is "sva NAME". Returns the exit status.
 */
struct command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
};

/* The options that every command has, as the child of its own. */
extern const struct argp_child common_options[];

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* --- out.c: what is printed ------------------------------------------------ */

enum tone {
	TONE_PLAIN,
	TONE_GOOD,
	TONE_BAD,
	TONE_WEAK,
	TONE_STRONG,
};

/**
 * struct column - one column of a table
 * @title: Its heading
 * @key: Member of each row's JSON object that it shows
 * @right: Numbers: aligned at the right
 */
struct column {
	const char *title;
	const char *key;
	bool right;
};

void out_init(void);
void out_want_json(void);
bool out_is_json(void);
const char *out_tone(enum tone tone);
void out_json(struct json_object *object);
void out_table(struct json_object *rows, const struct column *columns,
	       size_t count);
int out_end(int status);
const char *out_size(char *buf, size_t len, uint64_t bytes);

/* Members of a JSON object; an empty text and what is unknown are null. */
void put(struct json_object *object, const char *key, struct json_object *value);
void put_text(struct json_object *object, const char *key, const char *text);
void put_number(struct json_object *object, const char *key, uint64_t number);
void put_bool(struct json_object *object, const char *key, bool value);

/* One line on stderr that says what to do next. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- text.c: small files, lists, names ----------------------------------- */

int read_text(const char *path, char *buf, size_t len);
int read_number(const char *path, uint64_t *value);
bool in_list(const char *list, const char *word);
const char *user_name(uid_t uid);
bool module_is_loaded(void);

/* --- the commands ---------------------------------------------------------- */

int command_demo(int argc, char **argv);
int command_devices(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_list(int argc, char **argv);
int command_quota(int argc, char **argv);
int command_top(int argc, char **argv);

/* list.c */
void list_complain(int err);

#endif /* SVA_TOOL_H */
