// SPDX-License-Identifier: GPL-2.0-only
/* libsva: quotas of cgroups and users. */
#include <sys/stat.h>

#include "lib_util.h"
#include "kselftest_harness.h"

FIXTURE(lib_quota) {
	struct sva *sva;
	struct sva_quota quota;
	char path[64];
	int cgroup;
};

FIXTURE_SETUP(lib_quota)
{
	ASSERT_EQ(0, sva_open(&self->sva, 0));
	snprintf(self->path, sizeof(self->path), "/sys/fs/cgroup/lib-quota-%d",
		 (int)getpid());
	ASSERT_EQ(0, mkdir(self->path, 0755));
	self->cgroup = open(self->path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->cgroup);
}

FIXTURE_TEARDOWN(lib_quota)
{
	close(self->cgroup);
	EXPECT_EQ(0, rmdir(self->path));
	sva_close(self->sva);
}

TEST_F(lib_quota, lib_quota_of_a_cgroup)
{
	const size_t size = sizeof(self->quota);

	ASSERT_EQ(0, sva_quota_cgroup(self->sva, self->cgroup, &self->quota,
				      size));
	EXPECT_EQ(SVA_QUOTA_NO_LIMIT, self->quota.max);
	EXPECT_EQ(0, self->quota.used);
	ASSERT_EQ(0, sva_quota_set_cgroup(self->sva, self->cgroup, 7));
	ASSERT_EQ(0, sva_quota_cgroup(self->sva, self->cgroup, &self->quota,
				      size));
	EXPECT_EQ(7, self->quota.max);
	EXPECT_EQ(7, self->quota.left);
	EXPECT_EQ(0, sva_quota_set_cgroup(self->sva, self->cgroup,
					  SVA_QUOTA_NO_LIMIT));
}

TEST_F(lib_quota, lib_quota_of_the_own_cgroup)
{
	uint32_t pasid, used;

	ASSERT_EQ(0, sva_quota_cgroup(self->sva, -1, &self->quota,
				      sizeof(self->quota)));
	used = self->quota.used;
	ASSERT_EQ(0, sva_pasid_alloc(self->sva, &pasid));
	ASSERT_EQ(0, sva_quota_cgroup(self->sva, -1, &self->quota,
				      sizeof(self->quota)));
	EXPECT_EQ(used + 1, self->quota.used);
	EXPECT_EQ(-EINVAL, sva_quota_set_cgroup(self->sva, -1, 7));
}

TEST_F(lib_quota, lib_quota_of_a_user)
{
	const uint32_t user = 4711;

	ASSERT_EQ(0, sva_quota_set_user(self->sva, user, 3));
	ASSERT_EQ(0, sva_quota_user(self->sva, user, &self->quota,
				    sizeof(self->quota)));
	EXPECT_EQ(3, self->quota.max);
	EXPECT_EQ(3, self->quota.left);
	EXPECT_EQ(0, self->quota.used);
}

TEST_F(lib_quota, lib_quota_errors)
{
	const size_t size = sizeof(self->quota);

	EXPECT_EQ(-EINVAL, sva_quota_cgroup(self->sva, self->cgroup,
					    &self->quota, 8));
	EXPECT_EQ(-EBADF, sva_quota_cgroup(self->sva, 1000, &self->quota, size));
	EXPECT_EQ(-EBADF, sva_quota_set_cgroup(self->sva, 1000, 1));
	EXPECT_EQ(-EINVAL, sva_quota_user(self->sva, (uint32_t)-1, &self->quota,
					  size));
	EXPECT_EQ(-EINVAL, sva_quota_set_user(self->sva, (uint32_t)-1, 1));
}

TEST_HARNESS_MAIN
