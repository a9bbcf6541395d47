// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which numbers SVA_PASID_ALLOC gives, and what it refuses.
 */
#include "sva_core.h"
#include "kselftest_harness.h"

#define WIDEST	((1U << SVA_PASID_WIDTH_MAX) - 1)

FIXTURE(pasid_alloc) {
	struct core_counts before;
	struct sva_get_info info;
	int fd;
	int other;
};

FIXTURE_SETUP(pasid_alloc)
{
	self->before = core_counts();
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	self->other = sva_open();
	ASSERT_LE(0, self->other);
	ASSERT_EQ(0, core_info(self->fd, &self->info));
}

FIXTURE_TEARDOWN(pasid_alloc)
{
	close(self->fd);
	close(self->other);
	EXPECT_TRUE(core_settles(&self->before));
}

TEST_F(pasid_alloc, any)
{
	struct core_counts want = self->before;
	struct sva_pasid_info info;
	uint32_t pasid;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	EXPECT_LE(self->info.pasid_min, pasid);
	EXPECT_GE(self->info.pasid_max, pasid);
	/* Who has no wish does not use up what narrow devices need. */
	EXPECT_LT(255, pasid);

	want.contexts += 2;
	want.pasids++;
	EXPECT_TRUE(core_settles(&want));

	ASSERT_EQ(0, sva_pasid_info(self->fd, pasid, &info));
	EXPECT_EQ(SVA_PASID_KIND_NUMBER, info.kind);
	EXPECT_EQ(pasid, info.number);
	EXPECT_EQ(SVA_AS_NONE, info.as_id);
	EXPECT_EQ(0, info.bonds);
	EXPECT_EQ(0, info.state);
	EXPECT_EQ(0, pasid_free(self->fd, pasid, 1));
}

TEST_F(pasid_alloc, never_0)
{
	uint32_t pasid;

	/* PASID 0 is the RID's own on some hardware. */
	while (!pasid_alloc(self->fd, 0, 3, 1, &pasid))
		EXPECT_NE(0, pasid);
	EXPECT_EQ(-ENOSPC, pasid_alloc(self->fd, 0, 3, 1, &pasid));
}

TEST_F(pasid_alloc, in_range)
{
	static const uint32_t ranges[][2] = {
		{ 1, 255 }, { 100, 200 }, { 500, 1000 }, { 0x8000, 0xffff },
		{ 0x80000, WIDEST }, { 0xc0000, 0xfffff }, { 12345, 600000 },
	};
	unsigned int i;
	uint32_t pasid;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		ASSERT_EQ(0, pasid_alloc(self->fd, ranges[i][0], ranges[i][1],
					 1, &pasid));
		EXPECT_LE(ranges[i][0], pasid);
		EXPECT_GE(ranges[i][1], pasid);
	}
}

TEST_F(pasid_alloc, only_a_minimum)
{
	uint32_t pasid;

	ASSERT_EQ(0, pasid_alloc(self->fd, 800000, 0, 1, &pasid));
	EXPECT_LE(800000, pasid);
}

TEST_F(pasid_alloc, fixed)
{
	uint32_t pasid, again;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	EXPECT_EQ(-EBUSY, pasid_alloc(self->fd, pasid, pasid, 1, &again));
	EXPECT_EQ(-EBUSY, pasid_alloc(self->other, pasid, pasid, 1, &again));
	ASSERT_EQ(0, pasid_free(self->fd, pasid, 1));
	ASSERT_EQ(0, pasid_alloc(self->other, pasid, pasid, 1, &again));
	EXPECT_EQ(pasid, again);
}

/* The lower part of each octave is the kernel's other users'. */
TEST_F(pasid_alloc, fixed_outside_the_pool)
{
	uint32_t octave, pasid;

	for (octave = 1; octave <= WIDEST; octave *= 2)
		EXPECT_EQ(-EBUSY,
			  pasid_alloc(self->fd, octave, octave, 1, &pasid));
}

/* A device of n bits finds a number; so does one that is wider. */
TEST_F(pasid_alloc, of_every_width)
{
	uint32_t bits, pasid, max;

	for (bits = 2; bits <= SVA_PASID_WIDTH_MAX; bits++) {
		max = (1U << bits) - 1;
		ASSERT_EQ(0, pasid_alloc(self->fd, 0, max, 1, &pasid));
		EXPECT_GE(max, pasid);
		EXPECT_LT(0, pasid);
	}
}

TEST_F(pasid_alloc, of_8_bits_until_there_are_no_more)
{
	bool seen[256] = {};
	uint32_t pasid, wide;
	int n = 0;

	while (!pasid_alloc(self->fd, 0, 255, 1, &pasid)) {
		ASSERT_GE(255, pasid);
		ASSERT_FALSE(seen[pasid]);
		seen[pasid] = true;
		n++;
	}
	EXPECT_LT(0, n);
	EXPECT_EQ(-ENOSPC, pasid_alloc(self->fd, 0, 255, 1, &pasid));
	EXPECT_EQ(-ENOSPC, pasid_alloc(self->other, 0, 255, 1, &pasid));
	/* Wider ones are not affected. */
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 511, 1, &wide));
	EXPECT_LT(255, wide);

	/* One is given back, and is the one that comes. */
	for (pasid = 0; !seen[pasid]; pasid++)
		;
	ASSERT_EQ(0, pasid_free(self->fd, pasid, 1));
	ASSERT_EQ(0, pasid_alloc(self->other, 0, 255, 1, &wide));
	EXPECT_EQ(pasid, wide);
}

/* A million of them: the debug kernel takes minutes for it. */
TEST_F_TIMEOUT(pasid_alloc, without_a_wish_falls_back_to_narrow_ones, 120)
{
	uint32_t left, count, pasid, min = self->info.pasid_min;

	/* Everything from 256 on, in pieces as large as there are. */
	for (count = self->info.range_max; count; ) {
		if (pasid_alloc(self->fd, 256, 0, count, &pasid))
			count /= 2;
	}
	ASSERT_EQ(-ENOSPC, pasid_alloc(self->fd, 256, 0, 1, &pasid));
	left = self->info.pool_size - core_count("pasids");
	EXPECT_LT(0, left);
	EXPECT_GE(255, left);
	for (; left; left--) {
		ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
		EXPECT_GE(255, pasid);
		EXPECT_LE(min, pasid);
	}
	EXPECT_EQ(-ENOSPC, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	EXPECT_EQ(-ENOSPC, pasid_alloc(self->other, 0, 0, 1, &pasid));
	EXPECT_EQ(self->info.pool_size, core_count("pasids"));
	/* Handles need no number. */
	EXPECT_EQ(0, pasid_alloc_handle(self->other, SVA_PASID_F_RID, &pasid));
	EXPECT_EQ(0, pasid_alloc_handle(self->other, SVA_PASID_F_MM, &pasid));
}

/* --- several at once --------------------------------------------------------- */

TEST_F(pasid_alloc, consecutive)
{
	static const uint32_t counts[] = { 1, 2, 3, 63, 64, 65, 127, 1000, 4096 };
	struct sva_pasid_info info;
	uint32_t first, i, n;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		long before = core_count("pasids");

		n = counts[i];
		ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, n, &first));
		EXPECT_EQ(before + n, core_count("pasids"));
		EXPECT_EQ(0, sva_pasid_info(self->fd, first, &info));
		EXPECT_EQ(0, sva_pasid_info(self->fd, first + n - 1, &info));
		EXPECT_EQ(first + n - 1, info.number);
	}
}

TEST_F(pasid_alloc, the_largest_range)
{
	uint32_t first, n = self->info.range_max;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, n, &first));
	EXPECT_EQ(self->before.pasids + n, core_count("pasids"));
	EXPECT_GE(self->info.pasid_max, first + n - 1);
	EXPECT_EQ(0, pasid_free(self->fd, first, n));
	EXPECT_EQ(self->before.pasids, core_count("pasids"));
}

TEST_F(pasid_alloc, a_range_in_a_range)
{
	uint32_t first;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0xc0000, 0xc1000, 100, &first));
	EXPECT_LE(0xc0000, first);
	EXPECT_GE(0xc1000, first + 99);
	/* Exactly as many as the range has. */
	ASSERT_EQ(0, pasid_alloc(self->fd, 0xd0000, 0xd0063, 100, &first));
	EXPECT_EQ(0xd0000, first);
	/* One of them is taken. */
	EXPECT_EQ(-ENOSPC, pasid_alloc(self->fd, 0xd0000, 0xd0063, 100, &first));
	EXPECT_EQ(-ENOSPC, pasid_alloc(self->other, 0xd0063, 0xd00c6, 100, &first));
	ASSERT_EQ(0, pasid_alloc(self->other, 0xd0064, 0xd00c7, 100, &first));
	EXPECT_EQ(0xd0064, first);
}

/* Ranges that begin or end where the pool's words do, and have no neighbours. */
TEST_F_TIMEOUT(pasid_alloc, exactly_a_range, 120)
{
	static const uint32_t counts[] = {
		1, 31, 32, 33, 63, 64, 65, 127, 128, 129, 4096,
	};
	uint32_t first, i, min, n, shift;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		n = counts[i];
		for (shift = 0; shift < 3; shift++) {
			/* It begins at, before, or behind the boundary. */
			min = 0xd0000 + shift - 1;
			ASSERT_EQ(0, pasid_alloc(self->fd, min, min + n - 1, n,
						 &first));
			EXPECT_EQ(min, first);
			EXPECT_EQ(-ENOSPC, pasid_alloc(self->other, min,
						       min + n - 1 + (n == 1),
						       n + (n == 1), &first));
			/* Still found when it is the only hole far and wide. */
			ASSERT_EQ(0, pasid_free(self->fd, min, n));
			ASSERT_EQ(0, pasid_alloc(self->fd, 0xcf000, min - 1,
						 min - 0xcf000, &first));
			ASSERT_EQ(0, pasid_alloc(self->fd, min + n, 0xd2fff,
						 0xd3000 - min - n, &first));
			ASSERT_EQ(0, pasid_alloc(self->other, 0xcf000, 0xd2fff,
						 n, &first));
			EXPECT_EQ(min, first);
			ASSERT_EQ(0, pasid_free(self->other, min, n));
			ASSERT_EQ(0, pasid_free(self->fd, 0xcf000,
						min - 0xcf000));
			ASSERT_EQ(0, pasid_free(self->fd, min + n,
						0xd3000 - min - n));
		}
	}
}

/* A hole is found wherever it is, and whether or not it crosses words. */
TEST_F(pasid_alloc, in_holes)
{
	static const struct { uint32_t at, n; } holes[] = {
		{ 5, 1 }, { 62, 4 }, { 130, 62 }, { 200, 120 }, { 900, 100 },
	};
	uint32_t first, base, i;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0xe0000, 0xe03ff, 1024, &base));
	for (i = 0; i < ARRAY_SIZE(holes); i++)
		ASSERT_EQ(0, pasid_free(self->fd, base + holes[i].at,
					holes[i].n));
	EXPECT_EQ(-ENOSPC, pasid_alloc(self->fd, base, base + 1023, 121, &first));
	for (i = ARRAY_SIZE(holes); i--; ) {
		/* The smallest that is large enough may not be the first. */
		ASSERT_EQ(0, pasid_alloc(self->fd, base + holes[i].at,
					 base + holes[i].at + holes[i].n - 1,
					 holes[i].n, &first));
		EXPECT_EQ(base + holes[i].at, first);
	}
	EXPECT_EQ(-ENOSPC, pasid_alloc(self->fd, base, base + 1023, 1, &first));
}

TEST_F(pasid_alloc, bad_ranges)
{
	uint32_t first, max = self->info.range_max;
	int fd = self->fd;

	EXPECT_EQ(-EINVAL, pasid_alloc(fd, 0, 0, 0, &first));
	EXPECT_EQ(-EINVAL, pasid_alloc(fd, 0, 0, max + 1, &first));
	EXPECT_EQ(-EINVAL, pasid_alloc(fd, 0, 0, UINT32_MAX, &first));
	EXPECT_EQ(-EINVAL, pasid_alloc(fd, 2000, 1000, 1, &first));
	EXPECT_EQ(-EINVAL, pasid_alloc(fd, 1000, 1000, 2, &first));
	EXPECT_EQ(-EINVAL, pasid_alloc(fd, 1000, 1009, 11, &first));
	EXPECT_EQ(-EINVAL, pasid_alloc(fd, 0, 255, 257, &first));
	EXPECT_EQ(-EINVAL, pasid_alloc(fd, WIDEST + 1, 0, 1, &first));
	EXPECT_EQ(-EINVAL, pasid_alloc(fd, WIDEST + 1, WIDEST + 9, 1, &first));
	EXPECT_EQ(-EINVAL, pasid_alloc(fd, UINT32_MAX, UINT32_MAX, 1, &first));
	EXPECT_EQ(-EINVAL, pasid_alloc(fd, WIDEST, 0, 2, &first));
	EXPECT_EQ(-EINVAL, pasid_alloc(fd, 1, 0, UINT32_MAX, &first));
	EXPECT_EQ(self->before.pasids, core_count("pasids"));
	/* A wish may be wider than any number; the number is not. */
	ASSERT_EQ(0, pasid_alloc(fd, 0, UINT32_MAX, 1, &first));
	EXPECT_GE(WIDEST, first);
}

/* --- handles ----------------------------------------------------------------- */

TEST_F(pasid_alloc, rid_handle)
{
	struct sva_pasid_info info;
	uint32_t handle;

	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_RID, &handle));
	EXPECT_TRUE(handle & SVA_PASID_HANDLE);
	ASSERT_EQ(0, sva_pasid_info(self->fd, handle, &info));
	EXPECT_EQ(SVA_PASID_KIND_RID, info.kind);
	EXPECT_EQ(0, info.number);
	EXPECT_EQ(0, info.state);
	/* Out of no pool. */
	EXPECT_EQ(self->before.pasids, core_count("pasids"));
	EXPECT_EQ(-ENOENT, sva_pasid_info(self->other, handle, &info));
	EXPECT_EQ(0, pasid_free(self->fd, handle, 1));
	EXPECT_EQ(-ENOENT, pasid_free(self->fd, handle, 1));
}

TEST_F(pasid_alloc, process_handle)
{
	struct sva_pasid_info info;
	uint32_t handle, second;

	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &handle));
	EXPECT_TRUE(handle & SVA_PASID_HANDLE);
	ASSERT_EQ(0, sva_pasid_info(self->fd, handle, &info));
	EXPECT_EQ(SVA_PASID_KIND_MM, info.kind);
	EXPECT_EQ(0, info.number);
	EXPECT_EQ(SVA_AS_NONE, info.as_id);
	EXPECT_EQ(0, info.bonds);
	EXPECT_EQ(0, info.state);
	EXPECT_EQ(self->before.pasids, core_count("pasids"));
	/* Two of them are two objects. */
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &second));
	EXPECT_NE(handle, second);
	EXPECT_EQ(0, pasid_free(self->fd, handle, 1));
	EXPECT_EQ(0, sva_pasid_info(self->fd, second, &info));
	EXPECT_EQ(0, pasid_free(self->fd, second, 1));
}

static int alloc_flags(int fd, uint32_t flags, uint32_t min, uint32_t max,
		       uint32_t count)
{
	struct sva_pasid_alloc cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.min = min,
		.max = max,
		.count = count,
	};

	return sva_ioctl(fd, SVA_PASID_ALLOC, &cmd);
}

TEST_F(pasid_alloc, handles_with_what_they_exclude)
{
	static const uint32_t kinds[] = { SVA_PASID_F_MM, SVA_PASID_F_RID };
	unsigned int i;
	int fd = self->fd;

	EXPECT_EQ(-EINVAL, alloc_flags(fd, SVA_PASID_F_MM | SVA_PASID_F_RID, 0,
				       0, 1));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-EINVAL, alloc_flags(fd, kinds[i], 0, 0, 0));
		EXPECT_EQ(-EINVAL, alloc_flags(fd, kinds[i], 0, 0, 2));
		EXPECT_EQ(-EINVAL, alloc_flags(fd, kinds[i], 1, 0, 1));
		EXPECT_EQ(-EINVAL, alloc_flags(fd, kinds[i], 0, 255, 1));
		EXPECT_EQ(-EINVAL, alloc_flags(fd, kinds[i], 500, 500, 1));
	}
}

TEST_F(pasid_alloc, many_handles)
{
	static uint32_t handles[1000];
	int i, j;

	for (i = 0; i < 1000; i++) {
		ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_RID,
						&handles[i]));
		for (j = 0; j < i; j++)
			ASSERT_NE(handles[j], handles[i]);
	}
	for (i = 0; i < 1000; i += 2)
		ASSERT_EQ(0, pasid_free(self->fd, handles[i], 1));
}

TEST_HARNESS_MAIN
