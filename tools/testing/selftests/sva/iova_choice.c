// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the kernel maps if it may choose, and SVA_IOVA_RANGES.
 */
#include "sva_core.h"
#include "kselftest_harness.h"

FIXTURE(iova_choice) {
	struct core_counts before;
	int fd;
	uint32_t as;
	char *p;			/* 16 pages */
};

FIXTURE_SETUP(iova_choice)
{
	self->before = core_counts();
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, sva_as_alloc(self->fd, &self->as));
	self->p = sva_mem(16 * CORE_PAGE);
	ASSERT_NE(NULL, self->p);
}

FIXTURE_TEARDOWN(iova_choice)
{
	close(self->fd);
	EXPECT_TRUE(core_settles(&self->before));
}

#define MAP(_n, _iova) \
	sva_map(self->fd, self->as, CORE_RW, self->p, (_n) * CORE_PAGE, _iova)
#define MAP_AT(_n, _iova) \
	iova_map_at(self->fd, self->as, CORE_RW, self->p, (_n) * CORE_PAGE, \
		    _iova)
#define UNMAP(_n, _iova) \
	iova_unmap(self->fd, self->as, _iova, (_n) * CORE_PAGE)

TEST_F(iova_choice, what_was_in_the_field_does_not_matter)
{
	uint64_t iova = 0xdeadbeef12345678;

	EXPECT_EQ(0, MAP(1, &iova));
	EXPECT_EQ(0, iova % CORE_PAGE);
	EXPECT_NE(0, iova);
	EXPECT_EQ(CORE_PAGE, UNMAP(1, iova));
}

/* 0 looks like "none". */
TEST_F(iova_choice, never_0)
{
	uint64_t iova = 0;
	int i;

	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, MAP(1, &iova));
		EXPECT_NE(0, iova);
	}
}

TEST_F(iova_choice, no_overlap)
{
	static struct { uint64_t iova, n; } maps[300];
	int i, j;

	for (i = 0; i < 300; i++) {
		maps[i].n = 1 + i % 16;
		ASSERT_EQ(0, MAP(maps[i].n, &maps[i].iova));
		for (j = 0; j < i; j++)
			ASSERT_TRUE(maps[i].iova + maps[i].n * CORE_PAGE <=
				    maps[j].iova ||
				    maps[j].iova + maps[j].n * CORE_PAGE <=
				    maps[i].iova);
	}
}

TEST_F(iova_choice, around_what_is_fixed)
{
	uint64_t iova = 0, at;

	/* Every other page of the first few is taken. */
	for (at = 0; at < 64; at += 2)
		ASSERT_EQ(0, MAP_AT(1, at * CORE_PAGE));
	for (at = 0; at < 64; at++) {
		ASSERT_EQ(0, MAP(1 + at % 3, &iova));
		EXPECT_NE(0, iova);
	}
}

/* Holes are found again, and none is used that is too small. */
TEST_F(iova_choice, fragmented)
{
	uint64_t at, iova = 0, n = 256;
	int used = 0;

	for (at = 0; at < n; at++)
		ASSERT_EQ(0, MAP_AT(1, at * CORE_PAGE));
	/* Holes of 1, 2, 3 pages, and a page after each. */
	for (at = 1; at < n - 4; at += 5) {
		ASSERT_LT(0, UNMAP(1, at * CORE_PAGE));
		ASSERT_LT(0, UNMAP(1, (at + 1) * CORE_PAGE));
		ASSERT_LT(0, UNMAP(1, (at + 2) * CORE_PAGE));
	}
	for (at = 0; at < 100; at++) {
		ASSERT_EQ(0, MAP(3, &iova));
		if (iova < n * CORE_PAGE)
			used++;
	}
	EXPECT_EQ(51, used);
	for (at = 0; at < 20; at++) {
		ASSERT_EQ(0, MAP(2, &iova));
		EXPECT_LE(n * CORE_PAGE, iova);
	}
}

/* A huge page can be one in the IOMMU only if IOVA and memory are alike. */
TEST_F(iova_choice, alignment_of_huge_pages)
{
	char *p = core_huge_memory(4 * CORE_2M);
	uint64_t iova = 0;
	int i;

	if (!p)
		SKIP(return, "this kernel has no transparent huge pages");
	memset(p, 1, 4 * CORE_2M);
	for (i = 0; i < 20; i++) {
		/* What is small in between is not to disturb it. */
		ASSERT_EQ(0, MAP(1 + i, &iova));
		ASSERT_EQ(0, sva_map(self->fd, self->as, CORE_RW,
				     p + i * CORE_PAGE, 2 * CORE_2M, &iova));
		EXPECT_EQ(i * CORE_PAGE, iova % CORE_2M);
	}
	/* Once it is small, the alignment is no longer worth anything. */
	ASSERT_EQ(0, sva_map(self->fd, self->as, CORE_RW, p + CORE_PAGE,
			     CORE_PAGE, &iova));
	munmap(p, 4 * CORE_2M);
}

/* No gap is large enough: found out before the memory is looked at. */
TEST_F(iova_choice, no_room)
{
	uint64_t iova = 0, at;

	for (at = 0; at < 16; at++)
		ASSERT_EQ(0, MAP_AT(1, at << 60));
	EXPECT_EQ(-ENOSPC, sva_map(self->fd, self->as, CORE_RW, self->p,
				   1ULL << 60, &iova));
	EXPECT_EQ(-ENOSPC, sva_map(self->fd, self->as, CORE_RW, self->p,
				   1ULL << 62, &iova));
	EXPECT_EQ(-EFAULT, sva_map(self->fd, self->as, CORE_RW, self->p,
				   1ULL << 59, &iova));
	EXPECT_EQ(16 * CORE_PAGE, iova_unmap_all(self->fd, self->as));
}

/* --- ranges ------------------------------------------------------------------ */

TEST_F(iova_choice, ranges_without_a_device)
{
	struct sva_iova_range ranges[4];
	struct sva_iova_ranges cmd = {
		.size = sizeof(cmd),
		.as_id = self->as,
		.num = 4,
		.ranges = (uintptr_t)ranges,
	};

	memset(ranges, 0xff, sizeof(ranges));
	ASSERT_EQ(0, sva_ioctl(self->fd, SVA_IOVA_RANGES, &cmd));
	ASSERT_EQ(1, cmd.num);
	EXPECT_EQ(CORE_PAGE, cmd.alignment);
	EXPECT_EQ(0, ranges[0].start);
	EXPECT_EQ(UINT64_MAX, ranges[0].last);
	/* No more than there is was written. */
	EXPECT_EQ(UINT64_MAX, ranges[1].start);
}

TEST_F(iova_choice, ranges_do_not_depend_on_the_map)
{
	struct sva_iova_range range;
	uint64_t iova = 0;
	uint32_t num = 1;

	ASSERT_EQ(0, MAP(16, &iova));
	ASSERT_EQ(0, iova_ranges(self->fd, self->as, &range, &num));
	EXPECT_EQ(1, num);
	EXPECT_EQ(0, range.start);
	EXPECT_EQ(UINT64_MAX, range.last);
}

TEST_F(iova_choice, ranges_with_no_room)
{
	uint32_t num = 0;

	EXPECT_EQ(-EMSGSIZE, iova_ranges(self->fd, self->as, NULL, &num));
	EXPECT_EQ(1, num);
}

TEST_F(iova_choice, ranges_with_much_room)
{
	struct sva_iova_range range;
	uint32_t num = UINT32_MAX;

	/* What there is gets written, not what there is room for. */
	EXPECT_EQ(0, iova_ranges(self->fd, self->as, &range, &num));
	EXPECT_EQ(1, num);
}

TEST_F(iova_choice, ranges_to_a_bad_pointer)
{
	uint32_t num = 1;

	EXPECT_EQ(-EFAULT, iova_ranges(self->fd, self->as, NULL, &num));
	EXPECT_EQ(-EFAULT, iova_ranges(self->fd, self->as,
				       (void *)0xffff888000000000, &num));
}

TEST_HARNESS_MAIN
