// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs as text: a line for each call, "LANE: NAME(argument=value ...)". Values
 * are numbers, "rN.NAME" for a result of the call in line N, "mem+OFFSET" for an
 * address in the program's memory, "data" for the call's own buffer. What is not
 * written has its default.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

struct value program_default(const struct call *call, const struct field *field)
{
	switch (field->type) {
	case T_SIZE:
		return (struct value) { .number = call->size };
	case T_DATA_SIZE:
		return (struct value) { .number = call->data_size };
	case T_BUFFER:
		return (struct value) { .how = V_BUFFER };
	case T_MEMORY:
		return (struct value) { .how = V_MEMORY };
	case T_LENGTH:
		return (struct value) { .number = PAGE };
	case T_NUMBER:
	case T_CHOICE:
	case T_RESULT:
		return (struct value) { .number = field->count ? field->values[0] : 0 };
	default:
		return (struct value) {};
	}
}

/* --- to text ------------------------------------------------------------------------- */

static bool same(struct value a, struct value b)
{
	if (a.how != b.how)
		return false;
	if (a.how == V_RESULT)
		return a.op == b.op && a.result == b.result;
	return a.how == V_BUFFER || a.number == b.number;
}

static int print_value(const struct program *p, struct value v, char *to, size_t room)
{
	unsigned long long number = v.number;

	switch (v.how) {
	case V_RESULT:
		return snprintf(to, room, "r%u.%s", v.op,
				p->op[v.op].call->result[v.result].name);
	case V_MEMORY:
		return snprintf(to, room, "mem+%#llx", number);
	case V_BUFFER:
		return snprintf(to, room, "data");
	default:
		return snprintf(to, room, number < 10 ? "%llu" : "%#llx", number);
	}
}

size_t program_print(const struct program *p, char *text)
{
	char *to = text, *end = text + MAX_TEXT;
	unsigned int i, a;

	to += snprintf(to, end - to, "# seed=%llu repeat=%u delay=%u processes=%#x\n",
		       (unsigned long long)p->seed, p->repeat, p->delay, p->processes);
	for (i = 0; i < p->num; i++) {
		const struct op *op = &p->op[i];
		const char *space = "";

		to += snprintf(to, end - to, "%u: %s(", op->lane, op->call->name);
		for (a = 0; a < MAX_ARGS && op->call->field[a].name; a++) {
			const struct field *field = &op->call->field[a];

			if (same(op->arg[a], program_default(op->call, field)))
				continue;
			to += snprintf(to, end - to, "%s%s=", space, field->name);
			to += print_value(p, op->arg[a], to, end - to);
			space = " ";
		}
		to += snprintf(to, end - to, ")\n");
	}
	return to - text;
}

/* --- from text ----------------------------------------------------------------------- */

static const struct call *find_call(const char *name)
{
	const struct call *call;
	unsigned int i;

	for (i = 0; (call = call_at(i)); i++)
		if (!strcmp(call->name, name))
			return call;
	return NULL;
}

static int find_field(const struct call *call, const char *name)
{
	int a;

	for (a = 0; a < MAX_ARGS && call->field[a].name; a++)
		if (!strcmp(call->field[a].name, name))
			return a;
	return -1;
}

static bool parse_result(const struct program *p, const char *text, struct value *v)
{
	unsigned int op, r;
	int n = 0;

	if (sscanf(text, "r%u.%n", &op, &n) != 1 || !n || op >= p->num)
		return false;
	for (r = 0; r < MAX_RESULTS; r++) {
		const char *name = p->op[op].call->result[r].name;

		if (name && !strcmp(name, text + n)) {
			*v = (struct value) { .how = V_RESULT, .op = op, .result = r };
			return true;
		}
	}
	return false;
}

static bool parse_value(const struct program *p, const char *text, struct value *v)
{
	char *end;

	if (*text == 'r')
		return parse_result(p, text, v);
	*v = (struct value) { .how = V_NUMBER };
	if (!strcmp(text, "data")) {
		v->how = V_BUFFER;
		return true;
	}
	if (!strncmp(text, "mem+", 4)) {
		v->how = V_MEMORY;
		text += 4;
	}
	errno = 0;
	v->number = strtoull(text, &end, 0);
	return !errno && end != text && !*end;
}

static const char *parse_args(const struct program *p, struct op *op, char *text)
{
	char *word, *save, *value;
	int a;

	for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		value = strchr(word, '=');
		if (!value)
			return "an argument has no value";
		*value++ = '\0';
		a = find_field(op->call, word);
		if (a < 0)
			return "the call has no such argument";
		if (!parse_value(p, value, &op->arg[a]))
			return "no such value";
	}
	return NULL;
}

static const char *parse_op(struct program *p, char *line)
{
	char *name = strchr(line, ' '), *args = strchr(line, '('), *end = strchr(line, ')');
	struct op *op = &p->op[p->num];
	unsigned int lane, a;
	const char *error;

	if (p->num == MAX_OPS)
		return "too many calls";
	if (sscanf(line, "%u:", &lane) != 1 || lane >= MAX_LANES)
		return "no such lane";
	if (!name || !args || !end || end[1])
		return "not LANE: NAME(...)";
	*args = '\0';
	*end = '\0';
	memset(op, 0, sizeof(*op));
	op->lane = lane;
	op->call = find_call(name + 1);
	if (!op->call)
		return "no such call";
	for (a = 0; a < MAX_ARGS && op->call->field[a].name; a++)
		op->arg[a] = program_default(op->call, &op->call->field[a]);
	/* It can refer to those before it only, as it is no part of it yet. */
	error = parse_args(p, op, args + 1);
	p->num += !error;
	return error;
}

/* Other comments mean nothing. */
static void parse_header(struct program *p, const char *line)
{
	unsigned int repeat, delay;
	unsigned long long seed;
	int processes;

	if (sscanf(line, "# seed=%llu repeat=%u delay=%u processes=%i", &seed, &repeat,
		   &delay, &processes) != 4)
		return;
	p->seed = seed;
	p->repeat = repeat;
	p->delay = delay;
	p->processes = processes;
}

int program_parse(struct program *p, char *text, const char **error)
{
	char *line, *save;
	int number = 0;

	*p = (struct program) { .repeat = 1 };
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		number++;
		/* What follows was there before, in a file that is written again and again. */
		if (!strncmp(line, "# end", 5))
			break;
		if (*line == '#') {
			parse_header(p, line);
			continue;
		}
		*error = parse_op(p, line);
		if (*error)
			return number;
	}
	*error = p->num ? NULL : "there are no calls in it";
	return p->num ? 0 : 1;
}

bool program_load(struct program *p, const char *path)
{
	static char text[2 * MAX_TEXT];
	const char *error = "cannot be read";
	FILE *f = fopen(path, "re");
	int line = 0;

	if (f) {
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		fclose(f);
		line = program_parse(p, text, &error);
		if (!line)
			return true;
	}
	fprintf(stderr, "sva-fuzz: %s:%d: %s\n", path, line, error);
	return false;
}

/* --- surgery ------------------------------------------------------------------------- */

/* Calls an op's arguments one by one, for those that refer to another call. */
#define for_each_result_arg(_p, _i, _a)						\
	for (_i = 0; _i < (_p)->num; _i++)					\
		for (_a = 0; _a < MAX_ARGS && (_p)->op[_i].call->field[_a].name; _a++) \
			if ((_p)->op[_i].arg[_a].how == V_RESULT)

void program_remove(struct program *p, unsigned int n)
{
	unsigned int i, a;

	p->num--;
	memmove(&p->op[n], &p->op[n + 1], (p->num - n) * sizeof(p->op[0]));
	for_each_result_arg(p, i, a) {
		struct value *v = &p->op[i].arg[a];

		if (v->op == n)
			*v = program_default(p->op[i].call, &p->op[i].call->field[a]);
		else if (v->op > n)
			v->op--;
	}
}

struct op *program_insert(struct program *p, unsigned int n)
{
	unsigned int i, a;

	for_each_result_arg(p, i, a)
		if (p->op[i].arg[a].op >= n)
			p->op[i].arg[a].op++;
	memmove(&p->op[n + 1], &p->op[n], (p->num - n) * sizeof(p->op[0]));
	p->num++;
	memset(&p->op[n], 0, sizeof(p->op[n]));
	return &p->op[n];
}
