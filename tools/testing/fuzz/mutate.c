// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs by chance: out of nothing, or out of others. Calls are given arguments
 * that make sense most of the time, since what does not is refused at the door.
 */
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

/* How far to go in making what an argument refers to. */
#define DEPTH		4

/* --- values -------------------------------------------------------------------------- */

/* Numbers at which something changes. */
static uint64_t odd_number(struct rng *rng)
{
	static const uint64_t numbers[] = {
		0, 1, 2, 7, 8, 255, 256, 4095, 4096, 4097, 0x7fffffff, 0x80000000, 0xffffffff,
		1ULL << 32, 1ULL << 47, 1ULL << 63, -1ULL, -2ULL, -4096ULL,
	};
	uint64_t n = rng_next(rng);

	if (rng_one_in(rng, 4))
		return n >> rng_below(rng, 64);
	return numbers[n % ARRAY_SIZE(numbers)];
}

/* Whether a result is of one of kinds. What is sent may be of any, but rarely comes. */
static bool is_kind(uint32_t kind, uint32_t kinds, struct rng *rng)
{
	return kind & kinds && (kind != K_FDS || rng_one_in(rng, 8));
}

/* A result of a kind, out of the calls before @n: the first one, back from any. */
static bool find_result(const struct program *p, unsigned int n, uint32_t kinds,
			struct rng *rng, struct value *v)
{
	unsigned int from = rng_below(rng, n), i, op, r;

	for (i = 0; i < n; i++) {
		op = (from + n - i) % n;
		for (r = 0; r < MAX_RESULTS; r++) {
			if (!is_kind(p->op[op].call->result[r].kind, kinds, rng))
				continue;
			*v = (struct value) { .how = V_RESULT, .op = op, .result = r };
			return true;
		}
	}
	return false;
}

static uint64_t address(struct rng *rng)
{
	static const uint64_t bases[] = {
		0x10000, 0x20000, 0x100000, 0, GUEST_BASE, GUEST_BASE + GUEST_DATA * PAGE,
		0xfee00000, 0xfd00000000, 1ULL << 47, (1ULL << 47) - PAGE, 1ULL << 56, -PAGE,
	};

	return bases[rng_below(rng, ARRAY_SIZE(bases))] + rng_below(rng, 4) * PAGE;
}

/* Mostly whole pages of the three kinds of memory. */
static uint64_t memory(struct rng *rng)
{
	static const uint64_t parts[] = {
		MEM_PRIVATE, MEM_PRIVATE, MEM_GUEST, MEM_READ_ONLY, MEM_SIZE,
	};
	uint64_t offset = parts[rng_below(rng, ARRAY_SIZE(parts))];

	offset += rng_below(rng, 16) * PAGE;
	if (rng_one_in(rng, 16))
		offset += rng_below(rng, PAGE);
	return offset;
}

static uint64_t length(struct rng *rng)
{
	static const uint64_t lengths[] = {
		PAGE, PAGE, PAGE, 2 * PAGE, 4 * PAGE, 16 * PAGE, 8, 64, GUEST_SIZE, 2 << 20,
		0, -1ULL, 1ULL << 40,
	};

	return lengths[rng_below(rng, ARRAY_SIZE(lengths))];
}

static uint64_t choice(const struct field *field, struct rng *rng)
{
	return field->count ? field->values[rng_below(rng, field->count)] : 0;
}

static struct value number(uint64_t n)
{
	return (struct value) { .how = V_NUMBER, .number = n };
}

static struct value random_address(const struct program *p, unsigned int n, struct rng *rng)
{
	struct value v;

	switch (rng_below(rng, 4)) {
	case 0:
		if (find_result(p, n, K_IOVA, rng, &v))
			return v;
		break;
	case 1:
		return (struct value) { .how = V_MEMORY, .number = memory(rng) };
	case 2:		/* guest-virtual */
		return number(rng_below(rng, GUEST_PAGES) * PAGE);
	}
	return number(address(rng));
}

static struct value random_result(const struct program *p, unsigned int n,
				  const struct field *field, struct rng *rng)
{
	uint32_t kinds = rng_one_in(rng, 40) ? ~0u : field->kinds;
	struct value v;

	if (!rng_one_in(rng, 20) && find_result(p, n, kinds, rng, &v))
		return v;
	return number(choice(field, rng));
}

static struct value random_value(const struct program *p, unsigned int n,
				 const struct field *field, struct rng *rng)
{
	struct value usual = program_default(p->op[n].call, field);

	if (rng_one_in(rng, 200))
		return number(odd_number(rng));
	switch (field->type) {
	case T_NUMBER:
		/* Where the structure is matters little most of the time. */
		if (field == &p->op[n].call->field[ARG_PLACE] && p->op[n].call->request &&
		    !rng_one_in(rng, 50))
			return usual;
		return number(field->values[0] +
			      rng_below(rng, field->values[1] - field->values[0] + 1));
	case T_CHOICE:
		return rng_one_in(rng, 2) ? usual : number(choice(field, rng));
	case T_FLAGS:
		if (rng_one_in(rng, 100))
			return number(1ULL << rng_below(rng, 32));
		return number(rng_one_in(rng, 2) ? 0 : rng_next(rng) & field->values[0]);
	case T_ZERO:
	case T_SIZE:
	case T_DATA_SIZE:
		return rng_one_in(rng, 100) ? number(odd_number(rng)) : usual;
	case T_RESULT:
		return random_result(p, n, field, rng);
	case T_MEMORY:
		return (struct value) { .how = V_MEMORY, .number = memory(rng) };
	case T_LENGTH:
		return number(length(rng));
	case T_ADDRESS:
		return random_address(p, n, rng);
	case T_BUFFER:
		return rng_one_in(rng, 50) ?
		       (struct value) { .how = V_MEMORY, .number = memory(rng) } : usual;
	}
	return usual;
}

/* --- calls --------------------------------------------------------------------------- */

static bool makes(const struct call *call, uint32_t kinds)
{
	unsigned int r;

	if (call->needs && access(call->needs, F_OK))
		return false;
	for (r = 0; r < MAX_RESULTS; r++)
		if (call->result[r].kind & kinds && call->result[r].kind != K_FDS)
			return true;
	return !kinds;
}

static const struct call *random_call(struct rng *rng, uint32_t kinds)
{
	unsigned int i, sum = 0, dice;
	const struct call *call;

	for (i = 0; (call = call_at(i)); i++)
		if (makes(call, kinds))
			sum += call->weight;
	dice = rng_below(rng, sum);
	for (i = 0; (call = call_at(i)); i++) {
		if (!makes(call, kinds))
			continue;
		if (dice < call->weight)
			return call;
		dice -= call->weight;
	}
	return call_at(0);
}

/*
 * Inserts a call at @n, and before it those that make what it needs. Returns where
 * the next one would go.
 */
static unsigned int insert_call(struct program *p, unsigned int n, const struct call *call,
				unsigned int lane, struct rng *rng,
				const struct limits *limits, int depth)
{
	struct value v;
	struct op *op;
	unsigned int a;

	for (a = 0; a < MAX_ARGS && call->field[a].name; a++) {
		const struct field *field = &call->field[a];

		if (!depth || field->type != T_RESULT || !field->kinds ||
		    rng_one_in(rng, 10) || find_result(p, n, field->kinds, rng, &v))
			continue;
		n = insert_call(p, n, random_call(rng, field->kinds), 0, rng, limits,
				depth - 1);
	}
	if (p->num >= limits->calls)
		return n;
	op = program_insert(p, n);
	op->call = call;
	op->lane = lane;
	for (a = 0; a < MAX_ARGS && call->field[a].name; a++)
		op->arg[a] = random_value(p, n, &call->field[a], rng);
	return n + 1;
}

static unsigned int random_lane(struct rng *rng, const struct limits *limits)
{
	return rng_below(rng, limits->threads + 1);
}

static void random_header(struct program *p, struct rng *rng)
{
	static const unsigned int repeats[] = { 1, 1, 2, 4, 10, 50 };
	static const unsigned int delays[] = { 0, 0, 10, 100, 1000 };

	p->seed = rng_next(rng) >> 32;
	p->repeat = repeats[rng_below(rng, ARRAY_SIZE(repeats))];
	p->delay = delays[rng_below(rng, ARRAY_SIZE(delays))];
	p->processes = rng_one_in(rng, 3) ? rng_next(rng) & ((1u << MAX_LANES) - 2) : 0;
}

void program_random(struct program *p, struct rng *rng, const struct limits *limits)
{
	unsigned int num = 3 + rng_below(rng, limits->calls - 2);

	*p = (struct program) {};
	random_header(p, rng);
	while (p->num < num)
		insert_call(p, p->num, random_call(rng, 0), random_lane(rng, limits), rng,
			    limits, DEPTH);
}

/* --- mutations ----------------------------------------------------------------------- */

static void mutate_insert(struct program *p, struct rng *rng, const struct limits *limits)
{
	if (p->num < limits->calls)
		insert_call(p, rng_below(rng, p->num + 1), random_call(rng, 0),
			    random_lane(rng, limits), rng, limits, DEPTH);
}

static void mutate_remove(struct program *p, struct rng *rng)
{
	if (p->num > 1)
		program_remove(p, rng_below(rng, p->num));
}

static void mutate_duplicate(struct program *p, struct rng *rng, const struct limits *limits)
{
	unsigned int from = rng_below(rng, p->num);
	struct op copy;
	struct op *op;

	if (p->num >= limits->calls)
		return;
	op = program_insert(p, from + 1);
	copy = p->op[from];
	*op = copy;
	op->lane = random_lane(rng, limits);
}

static void mutate_arg(struct program *p, struct rng *rng)
{
	unsigned int n = rng_below(rng, p->num), a = 0;
	struct op *op = &p->op[n];

	while (a < MAX_ARGS && op->call->field[a].name)
		a++;
	if (!a)
		return;
	a = rng_below(rng, a);
	op->arg[a] = random_value(p, n, &op->call->field[a], rng);
}

/* Puts the end of another program behind the beginning of this one. */
static void mutate_splice(struct program *p, const struct program *other,
			  struct rng *rng, const struct limits *limits)
{
	unsigned int from = rng_below(rng, other->num), shift = p->num, i, a;

	/* All of it half of the time: what it refers to is there then. */
	if (rng_one_in(rng, 2))
		from = 0;
	for (i = from; i < other->num && p->num < limits->calls; i++) {
		struct op *op = &p->op[p->num++];

		*op = other->op[i];
		for (a = 0; a < MAX_ARGS && op->call->field[a].name; a++) {
			struct value *v = &op->arg[a];

			if (v->how != V_RESULT)
				continue;
			if (v->op >= from)
				v->op += shift - from;
			else
				*v = random_value(p, p->num - 1, &op->call->field[a], rng);
		}
	}
}

void program_mutate(struct program *p, const struct program *other,
		    struct rng *rng, const struct limits *limits)
{
	do {
		switch (rng_below(rng, 12)) {
		case 0 ... 3:
			mutate_insert(p, rng, limits);
			break;
		case 4:
			mutate_remove(p, rng);
			break;
		case 5:
			mutate_duplicate(p, rng, limits);
			break;
		case 6 ... 8:
			mutate_arg(p, rng);
			break;
		case 9:
			p->op[rng_below(rng, p->num)].lane = random_lane(rng, limits);
			break;
		case 10:
			mutate_splice(p, other, rng, limits);
			break;
		case 11:
			random_header(p, rng);
			break;
		}
	} while (!rng_one_in(rng, 3));
}
