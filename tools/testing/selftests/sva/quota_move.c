// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who allocated is charged: wherever the task goes, whatever becomes of the
 * cgroup, whoever made the context.
 */
#include "quota_util.h"
#include "kselftest_harness.h"

FIXTURE(quota_move) {
	struct quota_cg top;
	struct quota_cg from;
	struct quota_cg to;
	int fd;
};

FIXTURE_SETUP(quota_move)
{
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, quota_make(&self->top, NULL, "move"));
	ASSERT_EQ(0, quota_make(&self->from, &self->top, "from"));
	ASSERT_EQ(0, quota_make(&self->to, &self->top, "to"));
	ASSERT_EQ(0, quota_enter(&self->from));
}

FIXTURE_TEARDOWN(quota_move)
{
	if (self->fd >= 0)
		close(self->fd);
	EXPECT_EQ(0, quota_enter(NULL));
	EXPECT_EQ(0, quota_remove(&self->to));
	if (self->from.fd >= 0)
		EXPECT_EQ(0, quota_remove(&self->from));
	EXPECT_EQ(0, quota_remove(&self->top));
}

TEST_F(quota_move, the_charge_stays)
{
	uint32_t pasid, more;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 4, &pasid));
	ASSERT_EQ(0, quota_enter(&self->to));
	EXPECT_EQ(4, quota_used(self->fd, self->from.fd));
	EXPECT_EQ(0, quota_used(self->fd, self->to.fd));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 2, &more));
	EXPECT_EQ(4, quota_used(self->fd, self->from.fd));
	EXPECT_EQ(2, quota_used(self->fd, self->to.fd));
	EXPECT_EQ(6, quota_used(self->fd, self->top.fd));

	/* Freed here, it goes back there. */
	EXPECT_EQ(0, pasid_free(self->fd, pasid, 4));
	EXPECT_EQ(0, quota_used(self->fd, self->from.fd));
	EXPECT_EQ(2, quota_used(self->fd, self->to.fd));
}

/* Numbers side by side that two cgroups have, freed by one call. */
TEST_F(quota_move, a_range_of_several)
{
	uint32_t a, b;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 4, &a));
	ASSERT_EQ(0, pasid_free(self->fd, a + 2, 2));
	ASSERT_EQ(0, quota_enter(&self->to));
	ASSERT_EQ(0, pasid_alloc(self->fd, a + 2, a + 3, 2, &b));
	ASSERT_EQ(a + 2, b);
	EXPECT_EQ(2, quota_used(self->fd, self->from.fd));
	EXPECT_EQ(2, quota_used(self->fd, self->to.fd));
	ASSERT_EQ(0, pasid_free(self->fd, a + 1, 2));
	EXPECT_EQ(1, quota_used(self->fd, self->from.fd));
	EXPECT_EQ(1, quota_used(self->fd, self->to.fd));
	ASSERT_EQ(-ENOENT, pasid_free(self->fd, a, 4));
	EXPECT_EQ(1, quota_used(self->fd, self->from.fd));
	ASSERT_EQ(0, pasid_free(self->fd, a, 1));
	ASSERT_EQ(0, pasid_free(self->fd, a + 3, 1));
	EXPECT_EQ(0, quota_used(self->fd, self->top.fd));
}

static int alloc_in_to(void *arg)
{
	struct quota_cg *to = ((void **)arg)[0];
	int fd = *(int *)((void **)arg)[1];
	uint32_t pasid;

	if (quota_enter(to))
		return 1;
	return pasid_alloc(fd, 0, 0, 3, &pasid) ? 2 : 0;
}

TEST_F(quota_move, the_caller_not_who_opened)
{
	void *arg[] = { &self->to, &self->fd };

	ASSERT_EQ(0, quota_as_child(alloc_in_to, arg));
	EXPECT_EQ(0, quota_used(self->fd, self->from.fd));
	EXPECT_EQ(3, quota_used(self->fd, self->to.fd));
	close(self->fd);
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(0, quota_used(self->fd, self->to.fd));
}

TEST_F(quota_move, a_removed_cgroup)
{
	struct sva_quota quota;
	uint32_t pasid;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 4, &pasid));
	ASSERT_EQ(0, quota_enter(&self->to));
	/* Nothing keeps it. */
	ASSERT_EQ(0, rmdir(self->from.path));
	EXPECT_EQ(-ENODEV, quota_get(self->fd, self->from.fd, &quota));
	EXPECT_EQ(-ENODEV, quota_set(self->fd, self->from.fd, 1));
	EXPECT_EQ(4, quota_used(self->fd, self->top.fd));
	/* One with the same name is another. */
	close(self->from.fd);
	ASSERT_EQ(0, quota_make(&self->from, &self->top, "from"));
	EXPECT_EQ(0, quota_used(self->fd, self->from.fd));
	EXPECT_EQ(0, pasid_free(self->fd, pasid, 4));
	EXPECT_EQ(0, quota_used(self->fd, self->top.fd));
}

static int count_nodes(void)
{
	return core_count("quota_nodes");
}

/* Charges one cgroup after the other and removes it, some while charged. */
TEST_F(quota_move, removed_cgroups_are_forgotten)
{
	struct quota_cg cg;
	uint32_t pasid[16];
	char name[16];
	int i, most = 0;

	for (i = 0; i < 400; i++) {
		uint32_t *p = &pasid[i % 16];

		if (i >= 16)
			ASSERT_EQ(0, pasid_free(self->fd, *p, 1));
		snprintf(name, sizeof(name), "%d", i);
		ASSERT_EQ(0, quota_make(&cg, &self->top, name));
		ASSERT_EQ(0, quota_enter(&cg));
		ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, p));
		ASSERT_EQ(0, quota_enter(&self->to));
		ASSERT_EQ(0, quota_remove(&cg));
		if (count_nodes() > most)
			most = count_nodes();
	}
	EXPECT_EQ(16, quota_used(self->fd, self->top.fd));
	/* Some are charged; as many again, and more, before they are looked for. */
	TH_LOG("at most %d nodes for 400 cgroups", most);
	EXPECT_GT(200, most);
}

/* The limit of a cgroup that lives is not forgotten, idle or not. */
TEST_F(quota_move, idle_limits_stay)
{
	struct sva_quota quota;
	struct quota_cg cg;
	uint32_t pasid;
	char name[16];
	int i;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 2, &pasid));
	ASSERT_EQ(0, pasid_free(self->fd, pasid, 2));
	ASSERT_EQ(0, quota_set(self->fd, self->from.fd, 7));
	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "%d", i);
		ASSERT_EQ(0, quota_make(&cg, &self->top, name));
		ASSERT_EQ(0, quota_set(self->fd, cg.fd, 1));
		ASSERT_EQ(0, quota_remove(&cg));
	}
	ASSERT_EQ(0, quota_get(self->fd, self->from.fd, &quota));
	EXPECT_EQ(7, quota.max);
	EXPECT_EQ(2, quota.peak);
	EXPECT_GT(250, count_nodes());
}

TEST_HARNESS_MAIN
