/* SPDX-License-Identifier: GPL-2.0-only */
/* What sva doctor says. */
#ifndef DOCTOR_UTIL_H
#define DOCTOR_UTIL_H

#include "tool_util.h"

/* A visit: its JSON, and the exit status. */
struct visit {
	struct json_object *json;
	int status;
};

static inline struct visit doctor_visit(enum tool_who who, const char *device)
{
	struct visit visit = { 0 };
	char command[128];
	struct tool tool;

	snprintf(command, sizeof(command), "sva doctor --json %s", device);
	tool = tool_run_as(who, command);
	visit.status = tool.status;
	if (tool.out)
		visit.json = tool_json(&tool);
	if (!visit.json)
		fprintf(stderr, "# %s", tool.err);
	tool_free(&tool);
	return visit;
}

static inline void doctor_end(struct visit *visit)
{
	json_object_put(visit->json);
}

/* Part of what was found by a check, of the machine or (with a name) a device. */
static inline const char *doctor_found(const struct visit *visit,
				       const char *device, const char *id,
				       const char *part)
{
	struct json_object *from = visit->json, *row;
	const char *text;

	if (device)
		from = tool_row(tool_get(from, "devices"), "name", device);
	row = tool_row(tool_get(from, "checks"), "id", id);
	text = json_object_get_string(tool_get(row, part));
	return text ?: "";
}

static inline const char *doctor_verdict(const struct visit *visit,
					 const char *id)
{
	return doctor_found(visit, NULL, id, "verdict");
}

static inline bool doctor_works(const struct visit *visit)
{
	return json_object_get_boolean(tool_get(visit->json, "works"));
}

/* Whether the fix of a check of the machine says that. */
static inline bool doctor_fix_has(const struct visit *visit, const char *id,
				  const char *text)
{
	const char *fix = doctor_found(visit, NULL, id, "fix");

	if (strstr(fix, text))
		return true;
	fprintf(stderr, "# %s: the fix is \"%s\"\n", id, fix);
	return false;
}

#endif /* DOCTOR_UTIL_H */
