// SPDX-License-Identifier: GPL-2.0-only
/*
 * SVA_IOVA_UNMAP and SVA_IOVA_COPY without a device.
 */
#include "sva_core.h"
#include "kselftest_harness.h"

#define IOVA	(1ULL << 30)

FIXTURE(iova_unmap) {
	struct core_counts before;
	int fd;
	uint32_t as;
	char *p;			/* 16 pages */
};

FIXTURE_SETUP(iova_unmap)
{
	self->before = core_counts();
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, sva_as_alloc(self->fd, &self->as));
	self->p = sva_mem(16 * CORE_PAGE);
	ASSERT_NE(NULL, self->p);
}

FIXTURE_TEARDOWN(iova_unmap)
{
	EXPECT_LE(0, iova_unmap_all(self->fd, self->as));
	EXPECT_EQ(self->before.pinned, core_count("pinned_pages"));
	close(self->fd);
	EXPECT_TRUE(core_settles(&self->before));
}

#define PIN()	(core_count("pinned_pages") - self->before.pinned)
#define MAP(_page, _n) \
	iova_map_at(self->fd, self->as, CORE_RW, self->p, (_n) * CORE_PAGE, \
		    IOVA + (_page) * CORE_PAGE)
#define UNMAP(_page, _n) \
	iova_unmap(self->fd, self->as, IOVA + (_page) * CORE_PAGE, \
		   (_n) * CORE_PAGE)

TEST_F(iova_unmap, several_at_once)
{
	ASSERT_EQ(0, MAP(0, 1));
	ASSERT_EQ(0, MAP(2, 3));
	ASSERT_EQ(0, MAP(5, 1));
	ASSERT_EQ(0, MAP(9, 1));
	/* With gaps in it and at both ends. */
	EXPECT_EQ(5 * CORE_PAGE, UNMAP(0, 9));
	EXPECT_EQ(1, PIN());
	EXPECT_EQ(CORE_PAGE, UNMAP(6, 100));
	EXPECT_EQ(0, PIN());
}

/* Nothing is unmapped if one of them cannot be. */
TEST_F(iova_unmap, cut_through)
{
	ASSERT_EQ(0, MAP(0, 2));
	ASSERT_EQ(0, MAP(2, 4));
	ASSERT_EQ(0, MAP(6, 2));
	EXPECT_EQ(-ERANGE, UNMAP(0, 1));
	EXPECT_EQ(-ERANGE, UNMAP(1, 1));
	EXPECT_EQ(-ERANGE, UNMAP(0, 3));
	EXPECT_EQ(-ERANGE, UNMAP(3, 2));
	EXPECT_EQ(-ERANGE, UNMAP(3, 20));
	EXPECT_EQ(-ERANGE, UNMAP(0, 7));
	EXPECT_EQ(-ERANGE, iova_unmap(self->fd, self->as, IOVA, 1));
	EXPECT_EQ(-ERANGE,
		  iova_unmap(self->fd, self->as, IOVA, 2 * CORE_PAGE - 1));
	EXPECT_EQ(8, PIN());
	EXPECT_EQ(4 * CORE_PAGE, UNMAP(2, 4));
	EXPECT_EQ(4 * CORE_PAGE, UNMAP(0, 8));
}

TEST_F(iova_unmap, nothing_there)
{
	EXPECT_EQ(-ENOENT, UNMAP(0, 1));
	ASSERT_EQ(0, MAP(1, 1));
	EXPECT_EQ(-ENOENT, UNMAP(0, 1));
	EXPECT_EQ(-ENOENT, UNMAP(2, 1));
	EXPECT_EQ(CORE_PAGE, UNMAP(1, 1));
	EXPECT_EQ(-ENOENT, UNMAP(1, 1));
}

TEST_F(iova_unmap, bad_ranges)
{
	ASSERT_EQ(0, MAP(0, 1));
	EXPECT_EQ(-EINVAL, UNMAP(0, 0));
	EXPECT_EQ(-EOVERFLOW, iova_unmap(self->fd, self->as, IOVA, -IOVA + 1));
	EXPECT_EQ(-EOVERFLOW, iova_unmap(self->fd, self->as, 2, UINT64_MAX));
	EXPECT_EQ(-EOVERFLOW,
		  iova_unmap(self->fd, self->as, IOVA, UINT64_MAX));
	EXPECT_EQ(1, PIN());
	/* To the very end of the address space. */
	EXPECT_EQ(CORE_PAGE, iova_unmap(self->fd, self->as, IOVA, -IOVA));
}

TEST_F(iova_unmap, everything)
{
	int i;

	EXPECT_EQ(0, iova_unmap_all(self->fd, self->as));
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, MAP(i * 17, 16));
	ASSERT_EQ(0, iova_map_at(self->fd, self->as, CORE_RW, self->p,
				 CORE_PAGE, 0));
	ASSERT_EQ(0, iova_map_at(self->fd, self->as, CORE_RW, self->p,
				 CORE_PAGE, -CORE_PAGE));
	EXPECT_EQ(1602 * CORE_PAGE, iova_unmap_all(self->fd, self->as));
	EXPECT_EQ(0, iova_unmap_all(self->fd, self->as));
}

TEST_F(iova_unmap, memory_unmapped_before)
{
	ASSERT_EQ(0, MAP(0, 16));
	ASSERT_EQ(0, munmap(self->p, 16 * CORE_PAGE));
	EXPECT_EQ(16, PIN());
	EXPECT_EQ(16 * CORE_PAGE, UNMAP(0, 16));
}

/* --- copies ------------------------------------------------------------------ */

static int copy_at(int fd, uint32_t flags, uint32_t dst_as, uint32_t src_as,
		   uint64_t dst, uint64_t src, uint64_t length)
{
	return iova_copy(fd, flags | SVA_IOVA_F_FIXED, dst_as, src_as, src,
			 length, &dst);
}

#define COPY(_dst, _src, _n) \
	copy_at(self->fd, CORE_RW, self->as, self->as, \
		IOVA + (_dst) * CORE_PAGE, IOVA + (_src) * CORE_PAGE, \
		(_n) * CORE_PAGE)

TEST_F(iova_unmap, copy_whole)
{
	ASSERT_EQ(0, MAP(0, 16));
	EXPECT_EQ(0, COPY(100, 0, 16));
	/* Pinned once, until the last is gone. */
	EXPECT_EQ(16, PIN());
	EXPECT_EQ(16 * CORE_PAGE, UNMAP(0, 16));
	EXPECT_EQ(16, PIN());
	EXPECT_EQ(16 * CORE_PAGE, UNMAP(100, 16));
	EXPECT_EQ(0, PIN());
}

TEST_F(iova_unmap, copy_part)
{
	ASSERT_EQ(0, MAP(0, 16));
	EXPECT_EQ(0, COPY(100, 0, 1));
	EXPECT_EQ(0, COPY(101, 15, 1));
	EXPECT_EQ(0, COPY(102, 3, 10));
	EXPECT_EQ(16 * CORE_PAGE, UNMAP(0, 16));
	EXPECT_EQ(16, PIN());
	EXPECT_EQ(12 * CORE_PAGE, UNMAP(100, 12));
}

TEST_F(iova_unmap, copy_of_a_copy)
{
	int i;

	ASSERT_EQ(0, MAP(0, 16));
	for (i = 1; i < 16; i++) {
		ASSERT_EQ(0, COPY(100 * i, 100 * (i - 1) + (i > 1), 16 - i));
		ASSERT_LT(0, UNMAP(100 * (i - 1), 17));
	}
	EXPECT_EQ(16, PIN());
	EXPECT_EQ(CORE_PAGE, UNMAP(1500, 1));
}

TEST_F(iova_unmap, copy_to_another_address_space)
{
	uint32_t other;

	ASSERT_EQ(0, sva_as_alloc(self->fd, &other));
	ASSERT_EQ(0, MAP(0, 16));
	EXPECT_EQ(0, copy_at(self->fd, CORE_RW, other, self->as, IOVA, IOVA,
			     16 * CORE_PAGE));
	EXPECT_EQ(16 * CORE_PAGE, UNMAP(0, 16));
	EXPECT_EQ(16, PIN());
	EXPECT_EQ(0, sva_destroy(self->fd, other));
	EXPECT_EQ(0, PIN());
}

TEST_F(iova_unmap, copy_of_what_is_not_one_mapping)
{
	ASSERT_EQ(0, MAP(0, 2));
	ASSERT_EQ(0, MAP(2, 2));
	EXPECT_EQ(-ENOENT, COPY(100, 1, 2));
	EXPECT_EQ(-ENOENT, COPY(100, 0, 4));
	EXPECT_EQ(-ENOENT, COPY(100, 3, 2));
	EXPECT_EQ(-ENOENT, COPY(100, 4, 1));
	EXPECT_EQ(0, COPY(100, 2, 2));
}

TEST_F(iova_unmap, copy_bad_ranges)
{
	ASSERT_EQ(0, MAP(0, 4));
	EXPECT_EQ(-EINVAL, COPY(100, 0, 0));
	EXPECT_EQ(-EEXIST, COPY(3, 0, 1));
	EXPECT_EQ(-EEXIST, COPY(0, 0, 4));
	EXPECT_EQ(-EINVAL, copy_at(self->fd, CORE_RW, self->as, self->as,
				   2 * IOVA, IOVA + 1, CORE_PAGE));
	EXPECT_EQ(-EINVAL, copy_at(self->fd, CORE_RW, self->as, self->as,
				   2 * IOVA + 1, IOVA, CORE_PAGE));
	EXPECT_EQ(-EINVAL, copy_at(self->fd, CORE_RW, self->as, self->as,
				   2 * IOVA, IOVA, 100));
	EXPECT_EQ(-EINVAL, copy_at(self->fd, 0, self->as, self->as, 2 * IOVA,
				   IOVA, CORE_PAGE));
	EXPECT_EQ(-EOVERFLOW, copy_at(self->fd, CORE_RW, self->as, self->as,
				      -CORE_PAGE, IOVA, 2 * CORE_PAGE));
	EXPECT_EQ(-EOVERFLOW, copy_at(self->fd, CORE_RW, self->as, self->as,
				      IOVA, -CORE_PAGE, 2 * CORE_PAGE));
	EXPECT_EQ(4, PIN());
}

/* A copy cannot give an access that the original had not. */
TEST_F(iova_unmap, copy_of_read_only_memory)
{
	ASSERT_EQ(0, iova_map_at(self->fd, self->as, SVA_IOVA_F_READ, self->p,
				 CORE_PAGE, IOVA));
	EXPECT_EQ(-EACCES, COPY(100, 0, 1));
	EXPECT_EQ(-EACCES, copy_at(self->fd, SVA_IOVA_F_WRITE, self->as,
				   self->as, 2 * IOVA, IOVA, CORE_PAGE));
	EXPECT_EQ(0, copy_at(self->fd, SVA_IOVA_F_READ, self->as, self->as,
			     2 * IOVA, IOVA, CORE_PAGE));
}

TEST_F(iova_unmap, copy_with_less_access)
{
	uint64_t ro = 2 * IOVA;

	ASSERT_EQ(0, MAP(0, 1));
	EXPECT_EQ(0, copy_at(self->fd, SVA_IOVA_F_READ, self->as, self->as, ro,
			     IOVA, CORE_PAGE));
	/* Nor can a copy of that copy. */
	EXPECT_EQ(-EACCES, copy_at(self->fd, CORE_RW, self->as, self->as,
				   3 * IOVA, ro, CORE_PAGE));
}

/* Whoever may only write does not learn what is there by copying it. */
TEST_F(iova_unmap, copy_of_write_only_memory)
{
	ASSERT_EQ(0, iova_map_at(self->fd, self->as, SVA_IOVA_F_WRITE, self->p,
				 CORE_PAGE, IOVA));
	EXPECT_EQ(0, copy_at(self->fd, SVA_IOVA_F_WRITE, self->as, self->as,
			     2 * IOVA, IOVA, CORE_PAGE));
}

TEST_F(iova_unmap, copy_where_the_kernel_chooses)
{
	uint64_t dst = 12345;

	ASSERT_EQ(0, MAP(0, 16));
	ASSERT_EQ(0, iova_copy(self->fd, CORE_RW, self->as, self->as, IOVA,
			       16 * CORE_PAGE, &dst));
	EXPECT_NE(12345, dst);
	EXPECT_NE(0, dst);
	EXPECT_EQ(16 * CORE_PAGE,
		  iova_unmap(self->fd, self->as, dst, 16 * CORE_PAGE));
}

TEST_HARNESS_MAIN
