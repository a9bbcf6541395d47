// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: the tree of areas against a list of them in an array.
 */
#include <kunit/test.h>
#include <linux/minmax.h>
#include <linux/prandom.h>

#include "sva_private.h"

#define NR	64u
#define SPACE	4096u		/* pages that the areas are in */
#define ROUNDS	3000

struct area_test {
	struct rnd_state rnd;
	struct rb_root root;
	struct sva_area areas[NR];
	bool used[NR];
};

static u32 below(struct area_test *t, u32 limit)
{
	return prandom_u32_state(&t->rnd) % limit;
}

static int area_test_init(struct kunit *test)
{
	struct area_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	prandom_seed_state(&t->rnd, 20261121);
	t->root = RB_ROOT;
	test->priv = t;
	return 0;
}

/* Whether an area overlaps the range. */
static bool taken(struct area_test *t, u64 first, u64 last)
{
	unsigned int i;

	for (i = 0; i < NR; i++) {
		if (t->used[i] && t->areas[i].iova <= last &&
		    t->areas[i].last >= first)
			return true;
	}
	return false;
}

/* The end of the last area that ends before @iova, plus 1. */
static u64 gap_start(struct area_test *t, u64 iova)
{
	u64 start = 0;
	unsigned int i;

	for (i = 0; i < NR; i++) {
		if (t->used[i] && t->areas[i].last < iova)
			start = max(start, t->areas[i].last + 1);
	}
	return start;
}

/* The longest free stretch within [lo, hi]. */
static u64 longest_free(struct area_test *t, u64 lo, u64 hi)
{
	u64 longest = 0, at = lo;
	struct sva_area *area;

	for (area = sva_area_first(&t->root, lo); area && area->iova <= hi;
	     area = sva_area_next(area)) {
		if (area->iova > at)
			longest = max(longest, area->iova - at);
		at = area->last + 1;
	}
	return at > hi ? longest : max(longest, hi + 1 - at);
}

static void check_tree(struct kunit *test)
{
	struct area_test *t = test->priv;
	struct sva_area *area;
	unsigned int n = 0, i;
	u64 end = 0;

	for (area = sva_area_first(&t->root, 0); area;
	     area = sva_area_next(area)) {
		u64 max_gap = area->gap;
		struct rb_node *child;

		KUNIT_ASSERT_EQ(test, area->gap, area->iova - end);
		end = area->last + 1;
		child = area->node.rb_left;
		if (child)
			max_gap = max(max_gap, rb_entry(child, struct sva_area,
							node)->max_gap);
		child = area->node.rb_right;
		if (child)
			max_gap = max(max_gap, rb_entry(child, struct sva_area,
							node)->max_gap);
		KUNIT_ASSERT_EQ(test, area->max_gap, max_gap);
		n++;
	}
	for (i = 0; i < NR; i++)
		n -= t->used[i];
	KUNIT_ASSERT_EQ(test, n, 0);
}

static void change(struct kunit *test)
{
	struct area_test *t = test->priv;
	unsigned int i = below(t, NR);
	struct sva_area *area = &t->areas[i];
	bool overlaps;

	if (t->used[i]) {
		sva_area_erase(&t->root, area);
		t->used[i] = false;
		return;
	}
	area->iova = (1 + below(t, SPACE)) * PAGE_SIZE;
	area->last = area->iova + (1 + below(t, 100)) * PAGE_SIZE - 1;
	overlaps = taken(t, area->iova, area->last);
	KUNIT_ASSERT_EQ(test, sva_area_insert(&t->root, area),
			overlaps ? -EEXIST : 0);
	t->used[i] = !overlaps;
}

static void area_changes(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		change(test);
		check_tree(test);
	}
}

static void area_first_from(struct kunit *test)
{
	struct area_test *t = test->priv;
	struct sva_area *found, *want;
	unsigned int i, j;
	u64 iova;

	for (i = 0; i < ROUNDS; i++) {
		change(test);
		iova = below(t, SPACE) * PAGE_SIZE + below(t, PAGE_SIZE);
		want = NULL;
		for (j = 0; j < NR; j++) {
			if (t->used[j] && t->areas[j].last >= iova &&
			    (!want || t->areas[j].iova < want->iova))
				want = &t->areas[j];
		}
		found = sva_area_first(&t->root, iova);
		KUNIT_ASSERT_PTR_EQ(test, found, want);
	}
}

static void area_find_free(struct kunit *test)
{
	struct area_test *t = test->priv;
	u64 lo, hi, length, align, offset, iova;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		change(test);
		lo = (1 + below(t, SPACE)) * PAGE_SIZE;
		hi = lo + (1 + below(t, SPACE)) * PAGE_SIZE - 1;
		length = (1 + below(t, 200)) * PAGE_SIZE;
		align = PAGE_SIZE << below(t, 6);
		offset = below(t, 64) * PAGE_SIZE & (align - 1);
		if (!sva_area_find_free(&t->root, lo, hi, length, align, offset,
					&iova)) {
			/* There is none, but for what alignment may hide. */
			KUNIT_ASSERT_LT(test, longest_free(t, lo, hi),
					length + align - PAGE_SIZE);
			continue;
		}
		KUNIT_ASSERT_GE(test, iova, lo);
		KUNIT_ASSERT_LE(test, iova + length - 1, hi);
		KUNIT_ASSERT_EQ(test, iova & (align - 1), offset);
		KUNIT_ASSERT_FALSE(test, taken(t, iova, iova + length - 1));
		KUNIT_ASSERT_LE(test, gap_start(t, iova), iova);
	}
}

/* Where sums would wrap around. */
static void area_at_the_end(struct kunit *test)
{
	struct area_test *t = test->priv;
	struct sva_area *area = &t->areas[0];
	u64 top = U64_MAX - PAGE_SIZE + 1, iova;

	KUNIT_EXPECT_TRUE(test, sva_area_find_free(&t->root, top, U64_MAX,
						   PAGE_SIZE, PAGE_SIZE, 0, &iova));
	KUNIT_EXPECT_EQ(test, iova, top);
	KUNIT_EXPECT_FALSE(test, sva_area_find_free(&t->root, top, U64_MAX,
						    PAGE_SIZE, 2 * PAGE_SIZE, 0,
						    &iova));
	KUNIT_EXPECT_FALSE(test, sva_area_find_free(&t->root, PAGE_SIZE, U64_MAX,
						    U64_MAX & PAGE_MASK,
						    2 * PAGE_SIZE, 0, &iova));
	area->iova = top;
	area->last = U64_MAX;
	KUNIT_ASSERT_EQ(test, 0, sva_area_insert(&t->root, area));
	KUNIT_EXPECT_FALSE(test, sva_area_find_free(&t->root, top, U64_MAX,
						    PAGE_SIZE, PAGE_SIZE, 0, &iova));
	KUNIT_EXPECT_TRUE(test, sva_area_find_free(&t->root, PAGE_SIZE, U64_MAX,
						   top - PAGE_SIZE, PAGE_SIZE, 0,
						   &iova));
	KUNIT_EXPECT_EQ(test, iova, PAGE_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, sva_area_first(&t->root, U64_MAX), area);
}

static struct kunit_case area_cases[] = {
	KUNIT_CASE_SLOW(area_changes),
	KUNIT_CASE(area_first_from),
	KUNIT_CASE_SLOW(area_find_free),
	KUNIT_CASE(area_at_the_end),
	{}
};

static struct kunit_suite area_suite = {
	.name = "sva_area",
	.init = area_test_init,
	.test_cases = area_cases,
};

kunit_test_suite(area_suite);
