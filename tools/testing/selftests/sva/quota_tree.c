// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits of cgroups: nested, all or nothing, and what the figures say.
 */
#include "quota_util.h"
#include "kselftest_harness.h"

FIXTURE(quota_tree) {
	struct core_counts before;
	struct quota_cg top;
	struct quota_cg mid;
	struct quota_cg leaf;
	struct quota_cg side;
	int fd;
};

FIXTURE_SETUP(quota_tree)
{
	self->before = core_counts();
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, quota_make(&self->top, NULL, "tree"));
	ASSERT_EQ(0, quota_make(&self->mid, &self->top, "mid"));
	ASSERT_EQ(0, quota_make(&self->leaf, &self->mid, "leaf"));
	ASSERT_EQ(0, quota_make(&self->side, &self->top, "side"));
	ASSERT_EQ(0, quota_enter(&self->leaf));
}

FIXTURE_TEARDOWN(quota_tree)
{
	close(self->fd);
	EXPECT_EQ(0, quota_enter(NULL));
	EXPECT_EQ(0, quota_remove(&self->side));
	EXPECT_EQ(0, quota_remove(&self->leaf));
	EXPECT_EQ(0, quota_remove(&self->mid));
	EXPECT_EQ(0, quota_remove(&self->top));
	EXPECT_TRUE(core_settles(&self->before));
}

TEST_F(quota_tree, quota_is_a_feature)
{
	struct sva_get_info info;

	ASSERT_EQ(0, core_info(self->fd, &info));
	EXPECT_EQ(SVA_FEATURE_QUOTA, info.features & SVA_FEATURE_QUOTA);
}

TEST_F(quota_tree, nobody_has_asked_yet)
{
	struct sva_quota quota;

	ASSERT_EQ(0, quota_get(self->fd, self->side.fd, &quota));
	EXPECT_EQ(SVA_QUOTA_NO_LIMIT, quota.max);
	EXPECT_EQ(SVA_QUOTA_NO_LIMIT, quota.left);
	EXPECT_EQ(0, quota.used);
	EXPECT_EQ(0, quota.peak);
	EXPECT_EQ(0, quota.events);
}

TEST_F(quota_tree, a_charge_goes_all_the_way_up)
{
	long root = quota_used(self->fd, open(QUOTA_ROOT, O_RDONLY | O_CLOEXEC));
	uint32_t pasid;

	ASSERT_LE(0, root);
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 5, &pasid));
	EXPECT_EQ(5, quota_used(self->fd, SVA_QUOTA_OWN_CGROUP));
	EXPECT_EQ(5, quota_used(self->fd, self->leaf.fd));
	EXPECT_EQ(5, quota_used(self->fd, self->mid.fd));
	EXPECT_EQ(5, quota_used(self->fd, self->top.fd));
	EXPECT_EQ(0, quota_used(self->fd, self->side.fd));
	EXPECT_EQ(0, pasid_free(self->fd, pasid + 1, 3));
	EXPECT_EQ(2, quota_used(self->fd, self->leaf.fd));
	EXPECT_EQ(2, quota_used(self->fd, self->top.fd));
	EXPECT_EQ(0, pasid_free(self->fd, pasid, 1));
	EXPECT_EQ(0, pasid_free(self->fd, pasid + 4, 1));
	EXPECT_EQ(0, quota_used(self->fd, self->top.fd));
}

TEST_F(quota_tree, closing_gives_everything_back)
{
	uint32_t pasid;
	int fd = sva_open();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pasid_alloc(fd, 0, 0, 3, &pasid));
	ASSERT_EQ(0, pasid_alloc(fd, 0, 0, 1, &pasid));
	EXPECT_EQ(4, quota_used(self->fd, self->leaf.fd));
	close(fd);
	EXPECT_EQ(0, quota_used(self->fd, self->leaf.fd));
	EXPECT_EQ(0, quota_used(self->fd, self->top.fd));
}

/* Where each limit of the three levels holds in turn. */
FIXTURE(quota_level) {
	struct quota_cg cg[3];
	int fd;
};

FIXTURE_VARIANT(quota_level) {
	int level;
};

FIXTURE_VARIANT_ADD(quota_level, top) { .level = 0 };
FIXTURE_VARIANT_ADD(quota_level, mid) { .level = 1 };
FIXTURE_VARIANT_ADD(quota_level, leaf) { .level = 2 };

FIXTURE_SETUP(quota_level)
{
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, quota_make(&self->cg[0], NULL, "level"));
	ASSERT_EQ(0, quota_make(&self->cg[1], &self->cg[0], "mid"));
	ASSERT_EQ(0, quota_make(&self->cg[2], &self->cg[1], "leaf"));
	ASSERT_EQ(0, quota_enter(&self->cg[2]));
	ASSERT_EQ(0, quota_set(self->fd, self->cg[variant->level].fd, 3));
}

FIXTURE_TEARDOWN(quota_level)
{
	int i;

	close(self->fd);
	EXPECT_EQ(0, quota_enter(NULL));
	for (i = 2; i >= 0; i--)
		EXPECT_EQ(0, quota_remove(&self->cg[i]));
}

TEST_F(quota_level, the_limit_holds)
{
	struct sva_quota quota;
	uint32_t pasid, first;
	int i;

	ASSERT_EQ(0, quota_get(self->fd, SVA_QUOTA_OWN_CGROUP, &quota));
	EXPECT_EQ(3, quota.left);
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &first));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 2, &pasid));
	EXPECT_EQ(-EDQUOT, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, quota_get(self->fd, SVA_QUOTA_OWN_CGROUP, &quota));
	EXPECT_EQ(0, quota.left);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, quota_get(self->fd, self->cg[i].fd, &quota));
		EXPECT_EQ(3, quota.used);
		EXPECT_EQ(3, quota.peak);
		/* Here or below. */
		EXPECT_EQ(i <= variant->level, quota.events);
	}
	EXPECT_EQ(0, pasid_free(self->fd, first, 1));
	EXPECT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &first));
}

TEST_F(quota_level, all_or_nothing)
{
	struct sva_quota quota;
	uint32_t pasid;
	int i;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 2, &pasid));
	EXPECT_EQ(-EDQUOT, pasid_alloc(self->fd, 0, 0, 2, &pasid));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, quota_get(self->fd, self->cg[i].fd, &quota));
		EXPECT_EQ(2, quota.used);
		EXPECT_EQ(2, quota.peak);
	}
	/* Still room for one, and for no more than that. */
	EXPECT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	EXPECT_EQ(-EDQUOT, pasid_alloc(self->fd, 0, 0, 1, &pasid));
}

TEST_F(quota_level, a_fixed_number_is_charged)
{
	uint32_t pasid, fixed;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &fixed));
	ASSERT_EQ(0, pasid_free(self->fd, fixed, 1));
	ASSERT_EQ(0, pasid_alloc(self->fd, fixed, fixed, 1, &pasid));
	EXPECT_EQ(1, quota_used(self->fd, self->cg[2].fd));
	/* Taken: that fails for another reason, and charges nobody. */
	EXPECT_EQ(-EBUSY, pasid_alloc(self->fd, fixed, fixed, 1, &pasid));
	EXPECT_EQ(1, quota_used(self->fd, self->cg[2].fd));
	EXPECT_EQ(1, quota_used(self->fd, self->cg[0].fd));
}

TEST_F(quota_level, none_at_all)
{
	struct sva_quota quota;
	uint32_t pasid;

	ASSERT_EQ(0, quota_set(self->fd, self->cg[variant->level].fd, 0));
	EXPECT_EQ(-EDQUOT, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, quota_get(self->fd, self->cg[variant->level].fd, &quota));
	EXPECT_EQ(0, quota.max);
	EXPECT_EQ(0, quota.left);
	EXPECT_EQ(1, quota.events);
	ASSERT_EQ(0, quota_set(self->fd, self->cg[variant->level].fd,
			       SVA_QUOTA_NO_LIMIT));
	EXPECT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
}

TEST_F(quota_level, less_than_there_are)
{
	struct quota_cg *cg = &self->cg[variant->level];
	struct sva_quota quota;
	uint32_t pasid, more;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 3, &pasid));
	ASSERT_EQ(0, quota_set(self->fd, cg->fd, 1));
	ASSERT_EQ(0, quota_get(self->fd, cg->fd, &quota));
	EXPECT_EQ(1, quota.max);
	EXPECT_EQ(3, quota.used);
	EXPECT_EQ(0, quota.left);
	EXPECT_EQ(0, pasid_free(self->fd, pasid, 2));
	EXPECT_EQ(-EDQUOT, pasid_alloc(self->fd, 0, 0, 1, &more));
	EXPECT_EQ(0, pasid_free(self->fd, pasid + 2, 1));
	EXPECT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &more));
}

TEST_F(quota_level, what_has_no_number_is_not_charged)
{
	uint32_t handle;

	ASSERT_EQ(0, quota_set(self->fd, self->cg[variant->level].fd, 0));
	EXPECT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_RID, &handle));
	EXPECT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &handle));
	EXPECT_EQ(0, quota_used(self->fd, self->cg[2].fd));
}

/* Two below one limit get all of it and no more, whoever is faster. */
static int take_many(void *arg)
{
	int fd = *(int *)arg, got = 0;
	uint32_t pasid;

	while (got < 100 && !pasid_alloc(fd, 0, 0, 1, &pasid))
		got++;
	return got;
}

TEST_F(quota_tree, siblings_share)
{
	pid_t pids[4];
	int i, got, sum = 0;

	ASSERT_EQ(0, quota_set(self->fd, self->top.fd, 150));
	for (i = 0; i < 4; i++) {
		pids[i] = fork();
		ASSERT_LE(0, pids[i]);
		if (!pids[i]) {
			if (quota_enter(i & 1 ? &self->leaf : &self->side))
				_exit(127);
			_exit(take_many(&self->fd));
		}
	}
	for (i = 0; i < 4; i++) {
		got = bond_join_child(pids[i]);
		EXPECT_NE(127, got);
		sum += got;
	}
	EXPECT_EQ(150, sum);
	EXPECT_EQ(150, quota_used(self->fd, self->top.fd));
	EXPECT_EQ(150, quota_used(self->fd, self->leaf.fd) +
		  quota_used(self->fd, self->side.fd));
}

TEST_HARNESS_MAIN
