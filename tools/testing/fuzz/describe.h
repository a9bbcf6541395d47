/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tables of calls: how they are described, and values that make sense in several
 * of them. These tables are all that the rest of the fuzzer knows of the headers in
 * include/uapi.
 */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include <errno.h>
#include <linux/sva.h>
#include <linux/sva_sim.h>

#include "fuzz.h"

/* What a call returns that is done by a function of the C library. */
static inline long answer(long ret)
{
	return ret < 0 ? -errno : ret;
}

/* --- values -------------------------------------------------------------------------- */

static const uint64_t v_fd[] = { 0, -1ULL, 3 };
static const uint64_t v_own_engine[] = { OWN_ENGINES, ENGINES - 1 };
static const uint64_t v_iommu[] = { 0, 2 };
static const uint64_t v_pasid_bits[] = { 20, 1, 4, 8, 16 };
static const uint64_t v_group[] = { -1ULL, 0, 0, 1 };
static const uint64_t v_prq_group[] = { 1, 1, 2, 8, 512 };
static const uint64_t v_sim_op[] = { 0, 6 };
static const uint64_t v_place[] = { PLACE_NORMAL, PLACE_NOWHERE };

static const uint64_t v_pasid[] = {
	0, 1, SVA_PASID_HANDLE, SVA_PASID_HANDLE + 1, 0xfffff, 0x100000,
};

/* --- descriptions -------------------------------------------------------------------- */

#define LIST(_values)	.values = _values, .count = ARRAY_SIZE(_values)

/* Members of an ioctl's structure */
#define AT(_s, _m)	.name = #_m, .offset = offsetof(struct _s, _m), \
			.size = sizeof(((struct _s *)0)->_m)
#define SIZE(_s)	SIZE_OF(_s, size)
#define SIZE_OF(_s, _m)	{ AT(_s, _m), .type = T_SIZE }
#define DATA_SIZE(_s, _m) { AT(_s, _m), .type = T_DATA_SIZE }
#define ZERO(_s, _m)	{ AT(_s, _m), .type = T_ZERO }
#define NUMBER(_s, _m, _v) { AT(_s, _m), .type = T_NUMBER, LIST(v_##_v) }
#define CHOICE(_s, _m, _v) { AT(_s, _m), .type = T_CHOICE, LIST(v_##_v) }
#define FLAGS(_s, _m, _v) { AT(_s, _m), .type = T_FLAGS, LIST(v_##_v) }
#define REF(_s, _m, _k, _v) { AT(_s, _m), .type = T_RESULT, .kinds = (_k), LIST(v_##_v) }
#define MEMORY(_s, _m)	{ AT(_s, _m), .type = T_MEMORY }
#define LENGTH(_s, _m)	{ AT(_s, _m), .type = T_LENGTH }
#define ADDRESS(_s, _m)	{ AT(_s, _m), .type = T_ADDRESS }
#define BUFFER(_s, _m)	{ AT(_s, _m), .type = T_BUFFER }

/* Members of a structure that it points to, @_at bytes into the buffer */
#define DATA_AT(_at, _s, _m) .name = "data." #_m, .data = true, \
			.offset = (_at) + offsetof(struct _s, _m), \
			.size = sizeof(((struct _s *)0)->_m)
#define DATA_CHOICE(_at, _s, _m, _v) \
	{ DATA_AT(_at, _s, _m), .type = T_CHOICE, LIST(v_##_v) }
#define DATA_NUMBER(_at, _s, _m, _v) \
	{ DATA_AT(_at, _s, _m), .type = T_NUMBER, LIST(v_##_v) }
#define DATA_ZERO(_at, _s, _m) { DATA_AT(_at, _s, _m), .type = T_ZERO }
#define DATA_ADDRESS(_at, _s, _m) { DATA_AT(_at, _s, _m), .type = T_ADDRESS }

/* Arguments of the call itself */
#define ARG(_n, _t, _v)	{ .name = #_n, .type = _t, LIST(v_##_v) }
#define ARG_REF(_n, _k)	{ .name = #_n, .type = T_RESULT, .kinds = (_k), LIST(v_fd) }
#define ARG_TYPE(_n, _t) { .name = #_n, .type = _t }

#define IOCTL(_name, _weight, _request, _struct) \
	.name = _name, .weight = _weight, .request = _request, \
	.size = sizeof(struct _struct)
#define ON(_k)		ARG_REF(on, _k), ARG(place, T_NUMBER, place)

#define OUT(_s, _m, _k)	OUT_AS(#_m, _s, _m, _k)
#define OUT_AS(_n, _s, _m, _k) { .name = _n, .kind = _k, \
			  .offset = offsetof(struct _s, _m), \
			  .size = sizeof(((struct _s *)0)->_m) }
#define RETURNS(_n, _k)	{ .name = #_n, .kind = _k }

#define RUN(_name, _weight) .name = #_name, .weight = _weight, .run = run_##_name

#endif /* DESCRIBE_H */
