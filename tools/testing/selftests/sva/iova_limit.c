// SPDX-License-Identifier: GPL-2.0-only
/*
 * RLIMIT_MEMLOCK: what a user without privileges may pin.
 */
#include <sys/resource.h>

#include "sva_core.h"
#include "kselftest_harness.h"

#define USER	54321		/* nobody else's */
#define LIMIT	64		/* pages */

FIXTURE(iova_limit) {
	struct core_counts before;
	int fd;
	uint32_t as;
	char *p;		/* 2 * LIMIT pages */
};

FIXTURE_SETUP(iova_limit)
{
	self->before = core_counts();
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, sva_as_alloc(self->fd, &self->as));
	self->p = sva_mem(2 * LIMIT * CORE_PAGE);
	ASSERT_NE(NULL, self->p);
}

FIXTURE_TEARDOWN(iova_limit)
{
	close(self->fd);
	EXPECT_TRUE(core_settles(&self->before));
}

static int become_user(void)
{
	struct rlimit limit = { LIMIT * CORE_PAGE, LIMIT * CORE_PAGE };

	return setrlimit(RLIMIT_MEMLOCK, &limit) ||
	       setresgid(USER, USER, USER) || setresuid(USER, USER, USER);
}

static int map(FIXTURE_DATA(iova_limit) *self, uint64_t pages, uint64_t *iova)
{
	return sva_map(self->fd, self->as, CORE_RW, self->p, pages * CORE_PAGE,
		       iova);
}

/* Runs as the user in a child; answers the line that failed. */
#define CHECK(_cond) do { if (!(_cond)) return __LINE__; } while (0)

static int as_user(int (*fn)(FIXTURE_DATA(iova_limit) *self),
		   FIXTURE_DATA(iova_limit) *self)
{
	int to[2], line = -1;
	pid_t pid;

	if (pipe(to))
		return -1;
	pid = fork();
	if (!pid) {
		line = become_user() ? -2 : fn(self);
		_exit(write(to[1], &line, sizeof(line)) != sizeof(line));
	}
	close(to[1]);
	if (read(to[0], &line, sizeof(line)) != sizeof(line))
		line = -3;
	close(to[0]);
	waitpid(pid, NULL, 0);
	return line;
}

static int up_to_the_limit(FIXTURE_DATA(iova_limit) *self)
{
	uint64_t iova = 0, second = 0;

	CHECK(map(self, LIMIT + 1, &iova) == -EDQUOT);
	CHECK(map(self, 2 * LIMIT, &iova) == -EDQUOT);
	CHECK(!map(self, LIMIT, &iova));
	CHECK(map(self, 1, &second) == -EDQUOT);
	/* It is given back at once. */
	CHECK(iova_unmap(self->fd, self->as, iova, LIMIT * CORE_PAGE) > 0);
	CHECK(!map(self, LIMIT - 1, &iova));
	CHECK(map(self, 2, &second) == -EDQUOT);
	CHECK(!map(self, 1, &second));
	return 0;
}

TEST_F(iova_limit, up_to_the_limit)
{
	EXPECT_EQ(0, as_user(up_to_the_limit, self));
	/* The child is gone; what it mapped is still the user's. */
	EXPECT_EQ(self->before.pinned + LIMIT, core_count("pinned_pages"));
}

static int nothing_left(FIXTURE_DATA(iova_limit) *self)
{
	uint64_t iova = 0;

	CHECK(map(self, 1, &iova) == -EDQUOT);
	return 0;
}

static int everything_left(FIXTURE_DATA(iova_limit) *self)
{
	uint64_t iova = 0;

	CHECK(!map(self, LIMIT, &iova));
	CHECK(iova_unmap(self->fd, self->as, iova, LIMIT * CORE_PAGE) > 0);
	return 0;
}

/* The account is the user's, over all processes; root pays nobody's bill. */
TEST_F(iova_limit, is_the_users)
{
	uint64_t iova = 0;

	ASSERT_EQ(0, as_user(up_to_the_limit, self));
	EXPECT_EQ(0, as_user(nothing_left, self));
	EXPECT_EQ(0, map(self, 2 * LIMIT, &iova));
	EXPECT_EQ(3 * LIMIT * CORE_PAGE, iova_unmap_all(self->fd, self->as));
	EXPECT_EQ(0, as_user(everything_left, self));
}

TEST_F(iova_limit, comes_back_with_the_context)
{
	ASSERT_EQ(0, as_user(up_to_the_limit, self));
	close(self->fd);
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, sva_as_alloc(self->fd, &self->as));
	EXPECT_EQ(0, as_user(everything_left, self));
}

TEST_F(iova_limit, comes_back_with_the_address_space)
{
	ASSERT_EQ(0, as_user(up_to_the_limit, self));
	ASSERT_EQ(0, sva_destroy(self->fd, self->as));
	ASSERT_EQ(0, sva_as_alloc(self->fd, &self->as));
	EXPECT_EQ(0, as_user(everything_left, self));
}

/* What fails on the way is not charged. */
static int failures(FIXTURE_DATA(iova_limit) *self)
{
	uint64_t iova = 0;
	int i;

	CHECK(!munmap(self->p + 20 * CORE_PAGE, CORE_PAGE));
	for (i = 0; i < 50; i++) {
		CHECK(map(self, LIMIT, &iova) == -EFAULT);
		CHECK(iova_map_at(self->fd, self->as, CORE_RW, self->p,
				  LIMIT * CORE_PAGE, 1) == -EINVAL);
	}
	CHECK(!iova_map_at(self->fd, self->as, CORE_RW, self->p, CORE_PAGE,
			   CORE_PAGE));
	for (i = 0; i < 50; i++)
		CHECK(iova_map_at(self->fd, self->as, CORE_RW, self->p,
				  2 * CORE_PAGE, CORE_PAGE) == -EEXIST);
	CHECK(!sva_map(self->fd, self->as, CORE_RW, self->p + LIMIT * CORE_PAGE,
		       (LIMIT - 1) * CORE_PAGE, &iova));
	return 0;
}

TEST_F(iova_limit, failures)
{
	EXPECT_EQ(0, as_user(failures, self));
}

/* A copy costs nothing, and the original's end gives nothing back. */
static int copies(FIXTURE_DATA(iova_limit) *self)
{
	uint64_t iova = 0, copy = 0, more = 0;
	int i;

	CHECK(!map(self, LIMIT, &iova));
	for (i = 0; i < 10; i++)
		CHECK(!iova_copy(self->fd, CORE_RW, self->as, self->as, iova,
				 LIMIT * CORE_PAGE, &copy));
	CHECK(iova_unmap(self->fd, self->as, iova, LIMIT * CORE_PAGE) > 0);
	CHECK(map(self, 1, &more) == -EDQUOT);
	CHECK(iova_unmap_all(self->fd, self->as) > 0);
	CHECK(!map(self, LIMIT, &iova));
	return 0;
}

TEST_F(iova_limit, copies)
{
	EXPECT_EQ(0, as_user(copies, self));
}

static int files(FIXTURE_DATA(iova_limit) *self)
{
	int file = memfd_create("sva", MFD_CLOEXEC);
	uint64_t iova = 0;

	CHECK(!ftruncate(file, 2 * LIMIT * CORE_PAGE));
	CHECK(iova_map_file(self->fd, self->as, CORE_RW, file, 0,
			    (LIMIT + 1) * CORE_PAGE, &iova) == -EDQUOT);
	CHECK(!iova_map_file(self->fd, self->as, CORE_RW, file, 0,
			     LIMIT * CORE_PAGE, &iova));
	CHECK(iova_map_file(self->fd, self->as, CORE_RW, file, 0, CORE_PAGE,
			    &iova) == -EDQUOT);
	CHECK(iova_unmap_all(self->fd, self->as) > 0);
	CHECK(!map(self, LIMIT, &iova));
	return 0;
}

TEST_F(iova_limit, files)
{
	EXPECT_EQ(0, as_user(files, self));
}

TEST_HARNESS_MAIN
