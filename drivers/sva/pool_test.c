// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: the pool's numbers against a plain bitmap. They are taken from the pool
 * of the running module, and all given back.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/prandom.h>
#include <linux/sched.h>

#include "sva_private.h"

/* What is looked at; the tests stay below. */
#define NR	16384u
#define ROUNDS	4000

struct pool_test {
	struct rnd_state rnd;
	unsigned long *idle;		/* free, as far as we know */
	unsigned long *ours;		/* taken by the test */
};

static u32 below(struct pool_test *t, u32 limit)
{
	return prandom_u32_state(&t->rnd) % limit;
}

/* Finds out what is free by taking it all, number by number. */
static int pool_test_init(struct kunit *test)
{
	struct pool_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	unsigned long n;
	u32 first;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->idle = kunit_kcalloc(test, BITS_TO_LONGS(NR), sizeof(long), GFP_KERNEL);
	t->ours = kunit_kcalloc(test, BITS_TO_LONGS(NR), sizeof(long), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->idle);
	KUNIT_ASSERT_NOT_NULL(test, t->ours);
	prandom_seed_state(&t->rnd, 20261121);
	test->priv = t;

	for (n = 1; n < NR; n++) {
		if (!sva_pool_alloc(n, n, 1, &first))
			__set_bit(n, t->idle);
		cond_resched();
	}
	for_each_set_bit(n, t->idle, NR)
		sva_pool_free(n, 1);
	return 0;
}

static void pool_test_exit(struct kunit *test)
{
	struct pool_test *t = test->priv;
	unsigned long n;

	if (!t)
		return;
	for_each_set_bit(n, t->ours, NR)
		sva_pool_free(n, 1);
}

static bool has_run(struct pool_test *t, u32 min, u32 max, u32 count)
{
	return bitmap_find_next_zero_area(t->ours, max + 1, min, count, 0) <= max;
}

static void take(struct kunit *test, u32 min, u32 max, u32 count)
{
	struct pool_test *t = test->priv;
	u32 first = 0;
	int ret;

	ret = sva_pool_alloc(min, max, count, &first);
	if (ret) {
		KUNIT_EXPECT_EQ(test, ret, min == max ? -EBUSY : -ENOSPC);
		KUNIT_EXPECT_FALSE_MSG(test, has_run(t, min, max, count),
				       "%u of [%u, %u]", count, min, max);
		return;
	}
	KUNIT_ASSERT_GE(test, first, min);
	KUNIT_ASSERT_LE(test, first + count - 1, max);
	KUNIT_EXPECT_GE_MSG(test, find_next_bit(t->ours, NR, first),
			    first + count, "%u of [%u, %u] at %u", count, min,
			    max, first);
	bitmap_set(t->ours, first, count);
}

/* In @ours, what is nobody's to give is marked as well while a test runs. */
static void pool_random(struct kunit *test)
{
	struct pool_test *t = test->priv;
	unsigned long *theirs;
	u32 i, min, max, count, n;

	theirs = kunit_kcalloc(test, BITS_TO_LONGS(NR), sizeof(long), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, theirs);
	bitmap_complement(theirs, t->idle, NR);
	bitmap_copy(t->ours, theirs, NR);

	for (i = 0; i < ROUNDS; i++) {
		min = 1 + below(t, NR - 2);
		max = min + below(t, NR - min);
		switch (below(t, 4)) {
		case 0:
			take(test, min, max, 1);
			break;
		case 1:
			take(test, min, min, 1);
			break;
		case 2:
			count = 1 + below(t, min(max - min + 1, 300u));
			take(test, min, max, count);
			break;
		default:
			/* Gives a piece back: from one of ours to the next hole. */
			for (n = min; n < max && n < min + 200; n++) {
				if (test_bit(n, theirs) || !test_bit(n, t->ours))
					continue;
				sva_pool_free(n, 1);
				__clear_bit(n, t->ours);
			}
		}
	}
	bitmap_andnot(t->ours, t->ours, theirs, NR);
}

static void pool_exhausted(struct kunit *test)
{
	struct pool_test *t = test->priv;
	unsigned long n = 0;
	u32 first;

	/* Every number can be had, each once, and the lowest comes first. */
	for_each_set_bit(n, t->idle, NR) {
		KUNIT_ASSERT_EQ(test, 0, sva_pool_alloc(1, NR - 1, 1, &first));
		KUNIT_ASSERT_EQ(test, first, (u32)n);
		__set_bit(first, t->ours);
	}
	KUNIT_EXPECT_EQ(test, -ENOSPC, sva_pool_alloc(1, NR - 1, 1, &first));
	KUNIT_EXPECT_EQ(test, -ENOSPC, sva_pool_alloc(1, NR - 1, 2, &first));
}

static void pool_longest_run(struct kunit *test)
{
	struct pool_test *t = test->priv;
	unsigned long start = 0, end, longest = 0;
	u32 first;

	while ((start = find_next_bit(t->idle, NR, start)) < NR) {
		end = find_next_zero_bit(t->idle, NR, start);
		longest = max(longest, end - start);
		start = end;
	}
	KUNIT_ASSERT_GT(test, longest, 0);
	KUNIT_EXPECT_NE(test, 0,
			sva_pool_alloc(1, NR - 1, longest + 1, &first));
	KUNIT_ASSERT_EQ(test, 0, sva_pool_alloc(1, NR - 1, longest, &first));
	bitmap_set(t->ours, first, longest);
}

static void pool_counts(struct kunit *test)
{
	struct sva_pool_info before, info;
	u32 one, many, other;

	sva_pool_get_info(&before);
	KUNIT_EXPECT_LE(test, before.nr_free, before.size);
	KUNIT_EXPECT_LE(test, before.first, before.last);
	KUNIT_ASSERT_EQ(test, 0, sva_pool_alloc(0, 0, 1, &one));
	KUNIT_ASSERT_EQ(test, 0, sva_pool_alloc(0, 0, 100, &many));
	sva_pool_get_info(&info);
	KUNIT_EXPECT_EQ(test, info.nr_free, before.nr_free - 101);
	KUNIT_EXPECT_EQ(test, -EBUSY, sva_pool_alloc(one, one, 1, &other));
	sva_pool_free(one, 1);
	sva_pool_free(many, 100);
	sva_pool_free(1, 0);
	sva_pool_get_info(&info);
	KUNIT_EXPECT_EQ(test, info.nr_free, before.nr_free);
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE_SLOW(pool_random),
	KUNIT_CASE(pool_exhausted),
	KUNIT_CASE(pool_longest_run),
	KUNIT_CASE(pool_counts),
	{}
};

static struct kunit_suite pool_suite = {
	.name = "sva_pool",
	.init = pool_test_init,
	.exit = pool_test_exit,
	.test_cases = pool_cases,
};

kunit_test_suite(pool_suite);
