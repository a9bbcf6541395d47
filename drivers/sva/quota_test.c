// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: charging a tree of nodes, against a model that counts by hand.
 */
#include <kunit/test.h>
#include <linux/prandom.h>

#include "sva_private.h"

#define DEPTH	4
#define LEAVES	8
#define ROUNDS	20000

/* A chain, and leaves below its end. */
struct quota_test {
	struct rnd_state rnd;
	struct sva_quota_node chain[DEPTH];
	struct sva_quota_node leaf[LEAVES];
	u32 used[LEAVES];
	u64 failed[LEAVES];
	u64 refused;			/* by one of the chain, of any leaf */
};

static int quota_test_init(struct kunit *test)
{
	struct quota_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	prandom_seed_state(&t->rnd, 20261121);
	for (i = 0; i < DEPTH; i++) {
		t->chain[i].max = SVA_QUOTA_NO_LIMIT;
		t->chain[i].parent = i ? &t->chain[i - 1] : NULL;
	}
	for (i = 0; i < LEAVES; i++) {
		t->leaf[i].max = SVA_QUOTA_NO_LIMIT;
		t->leaf[i].parent = &t->chain[DEPTH - 1];
	}
	test->priv = t;
	return 0;
}

static u32 below(struct quota_test *t, u32 limit)
{
	return prandom_u32_state(&t->rnd) % limit;
}

static u32 sum(const struct quota_test *t)
{
	u32 i, all = 0;

	for (i = 0; i < LEAVES; i++)
		all += t->used[i];
	return all;
}

static u32 chain_max(const struct quota_test *t)
{
	u32 i, max = SVA_QUOTA_NO_LIMIT;

	for (i = 0; i < DEPTH; i++)
		max = min(max, t->chain[i].max);
	return max;
}

static bool fits(u32 used, u32 count, u32 max)
{
	return max == SVA_QUOTA_NO_LIMIT || used + count <= max;
}

static void try_charge(struct kunit *test, unsigned int n, u32 count)
{
	struct quota_test *t = test->priv;
	bool leaf = fits(t->used[n], count, t->leaf[n].max);
	bool chain = fits(sum(t), count, chain_max(t));

	KUNIT_ASSERT_EQ(test, sva_quota_charge_nodes(&t->leaf[n], count),
			leaf && chain);
	if (leaf && chain)
		t->used[n] += count;
	else if (!leaf)
		t->failed[n]++;
	else
		t->refused++;
}

static void check_all(struct kunit *test)
{
	struct quota_test *t = test->priv;
	u64 events = t->refused;
	unsigned int i;

	for (i = 0; i < LEAVES; i++) {
		KUNIT_ASSERT_EQ(test, atomic_read(&t->leaf[i].used), t->used[i]);
		KUNIT_ASSERT_EQ(test, atomic64_read(&t->leaf[i].events),
				t->failed[i]);
		events += t->failed[i];
	}
	for (i = 0; i < DEPTH; i++) {
		KUNIT_ASSERT_EQ(test, atomic_read(&t->chain[i].used), sum(t));
		KUNIT_ASSERT_GE(test, atomic_read(&t->chain[i].peak), sum(t));
	}
	/* Whoever refused, it is an event of the topmost. */
	KUNIT_ASSERT_EQ(test, atomic64_read(&t->chain[0].events), events);
}

static void quota_random(struct kunit *test)
{
	struct quota_test *t = test->priv;
	unsigned int i, n;
	u32 count;

	for (i = 0; i < ROUNDS; i++) {
		n = below(t, LEAVES);
		count = 1 + below(t, 20);
		switch (below(t, 8)) {
		case 0:
			t->leaf[n].max = below(t, 100);
			break;
		case 1:
			t->chain[below(t, DEPTH)].max = below(t, 4) ?
				100 + below(t, 300) : SVA_QUOTA_NO_LIMIT;
			break;
		case 2 ... 4:
			count = min(count, t->used[n]);
			sva_quota_uncharge_nodes(&t->leaf[n], count);
			t->used[n] -= count;
			break;
		default:
			try_charge(test, n, count);
		}
		check_all(test);
	}
	KUNIT_EXPECT_GT(test, t->refused, 0);
}

/* Neither sum nor difference may wrap around. */
static void quota_at_the_ends(struct kunit *test)
{
	struct quota_test *t = test->priv;

	t->leaf[0].max = 0;
	KUNIT_EXPECT_FALSE(test, sva_quota_charge_nodes(&t->leaf[0], 1));
	t->leaf[0].max = SVA_QUOTA_NO_LIMIT - 1;
	KUNIT_EXPECT_TRUE(test, sva_quota_charge_nodes(&t->leaf[0], 1 << 20));
	t->leaf[0].max = 5;
	KUNIT_EXPECT_FALSE(test, sva_quota_charge_nodes(&t->leaf[0], 1));
	KUNIT_EXPECT_FALSE(test, sva_quota_charge_nodes(&t->leaf[0], 1 << 20));
	KUNIT_EXPECT_EQ(test, atomic_read(&t->chain[0].used), 1 << 20);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->leaf[0].peak), 1 << 20);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->chain[0].events), 3);
	sva_quota_uncharge_nodes(&t->leaf[0], 1 << 20);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->chain[0].used), 0);
}

static struct kunit_case quota_cases[] = {
	KUNIT_CASE_SLOW(quota_random),
	KUNIT_CASE(quota_at_the_ends),
	{}
};

static struct kunit_suite quota_suite = {
	.name = "sva_quota",
	.init = quota_test_init,
	.test_cases = quota_cases,
};

kunit_test_suite(quota_suite);
