// SPDX-License-Identifier: GPL-2.0-only
/* libsva: address spaces and what is mapped in them. */
#include "lib_util.h"
#include "kselftest_harness.h"

#define LEN	(16 * LIB_PAGE)

FIXTURE(lib_iova) {
	struct sva *sva;
	uint32_t as;
	void *mem;
	int file;
};

FIXTURE_SETUP(lib_iova)
{
	ASSERT_EQ(0, sva_open(&self->sva, 0));
	ASSERT_EQ(0, sva_as_alloc_iova(self->sva, 0, &self->as));
	self->mem = lib_mem(LEN);
	ASSERT_NE(NULL, self->mem);
	self->file = memfd_create("lib_iova", MFD_CLOEXEC);
	ASSERT_LE(0, self->file);
	ASSERT_EQ(0, ftruncate(self->file, LEN));
}

FIXTURE_TEARDOWN(lib_iova)
{
	sva_close(self->sva);
	munmap(self->mem, LEN);
	close(self->file);
}

TEST_F(lib_iova, as_alloc)
{
	uint32_t as = LIB_UNSET;

	EXPECT_NE(SVA_AS_NONE, self->as);
	EXPECT_EQ(-EOPNOTSUPP, sva_as_alloc_iova(self->sva, 0x40000000, &as));
	EXPECT_EQ(-EOPNOTSUPP, sva_as_alloc_iova(self->sva, SVA_AS_F_DIRTY, &as));
	EXPECT_EQ(LIB_UNSET, as);
	EXPECT_EQ(0, sva_as_destroy(self->sva, self->as));
	EXPECT_EQ(-ENOENT, sva_as_destroy(self->sva, self->as));
}

TEST_F(lib_iova, map_anywhere)
{
	/* without FIXED, what is there does not matter, aligned or not */
	uint64_t iova = 12345, bytes;

	ASSERT_EQ(0, sva_iova_map(self->sva, self->as, self->mem, LEN, LIB_RW,
				  &iova));
	EXPECT_EQ(0, iova % LIB_PAGE);
	EXPECT_EQ(0, sva_iova_unmap(self->sva, self->as, iova, LEN, &bytes));
	EXPECT_EQ(LEN, bytes);
}

TEST_F(lib_iova, map_fixed)
{
	uint64_t iova = 0x10000000, other;

	ASSERT_EQ(0, sva_iova_map(self->sva, self->as, self->mem, LEN,
				  LIB_RW | SVA_IOVA_F_FIXED, &iova));
	EXPECT_EQ(0x10000000, iova);
	other = iova + LIB_PAGE;
	EXPECT_EQ(-EEXIST, sva_iova_map(self->sva, self->as, self->mem, LEN,
					LIB_RW | SVA_IOVA_F_FIXED, &other));
	EXPECT_EQ(iova + LIB_PAGE, other);
	EXPECT_EQ(0, sva_iova_unmap(self->sva, self->as, iova, LEN, NULL));
}

TEST_F(lib_iova, map_refusals)
{
	struct sva *sva = self->sva;
	uint64_t iova = LIB_UNSET;
	void *readonly;

	readonly = mmap(NULL, LEN, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, readonly);
	EXPECT_EQ(-EINVAL, sva_iova_map(sva, self->as, self->mem, 0, LIB_RW,
					&iova));
	EXPECT_EQ(-EINVAL, sva_iova_map(sva, self->as, self->mem, LEN, 0, &iova));
	EXPECT_EQ(-EINVAL, sva_iova_map(sva, self->as, (char *)self->mem + 1,
					LIB_PAGE, LIB_RW, &iova));
	EXPECT_EQ(-ENOENT, sva_iova_map(sva, self->as + 100, self->mem, LEN,
					LIB_RW, &iova));
	EXPECT_EQ(-EFAULT, sva_iova_map(sva, self->as, readonly, LEN, LIB_RW,
					&iova));
	EXPECT_EQ(-EOPNOTSUPP, sva_iova_map(sva, self->as, self->mem, LEN,
					    LIB_RW | 0x100, &iova));
	EXPECT_EQ(LIB_UNSET, iova);
	munmap(readonly, LEN);
}

TEST_F(lib_iova, map_file)
{
	uint64_t iova;

	ASSERT_EQ(0, sva_iova_map_file(self->sva, self->as, self->file,
				       LIB_PAGE, LIB_PAGE, LIB_RW, &iova));
	EXPECT_EQ(0, sva_iova_unmap(self->sva, self->as, iova, LIB_PAGE, NULL));
}

TEST_F(lib_iova, map_file_refusals)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	uint64_t iova = LIB_UNSET;
	char path[64];
	int readonly;

	ASSERT_LE(0, null);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->file);
	readonly = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, readonly);
	EXPECT_EQ(-EBADF, sva_iova_map_file(self->sva, self->as, -1, 0, LEN,
					    LIB_RW, &iova));
	EXPECT_EQ(-ENODEV, sva_iova_map_file(self->sva, self->as, null, 0, LEN,
					     LIB_RW, &iova));
	EXPECT_EQ(-EACCES, sva_iova_map_file(self->sva, self->as, readonly, 0,
					     LEN, LIB_RW, &iova));
	EXPECT_EQ(-ERANGE, sva_iova_map_file(self->sva, self->as, self->file,
					     LEN, LIB_PAGE, LIB_RW, &iova));
	EXPECT_EQ(LIB_UNSET, iova);
	EXPECT_EQ(0, sva_iova_map_file(self->sva, self->as, readonly, 0, LEN,
				       SVA_IOVA_F_READ, &iova));
	close(readonly);
	close(null);
}

TEST_F(lib_iova, unmap_refusals)
{
	uint64_t iova, bytes = LIB_UNSET;

	ASSERT_EQ(0, sva_iova_map(self->sva, self->as, self->mem, LEN, LIB_RW,
				  &iova));
	EXPECT_EQ(-ERANGE, sva_iova_unmap(self->sva, self->as, iova, LIB_PAGE,
					  &bytes));
	EXPECT_EQ(-EINVAL, sva_iova_unmap(self->sva, self->as, iova, 0, &bytes));
	EXPECT_EQ(-EOVERFLOW, sva_iova_unmap(self->sva, self->as, iova,
					     UINT64_MAX, &bytes));
	EXPECT_EQ(-ENOENT, sva_iova_unmap(self->sva, self->as, iova + LEN,
					  LIB_PAGE, &bytes));
	EXPECT_EQ(LIB_UNSET, bytes);
}

TEST_F(lib_iova, unmap_all)
{
	uint64_t iova, bytes;
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, sva_iova_map(self->sva, self->as, self->mem, LEN,
					  SVA_IOVA_F_READ, &iova));
	EXPECT_EQ(0, sva_iova_unmap_all(self->sva, self->as, &bytes));
	EXPECT_EQ(4 * LEN, bytes);
	EXPECT_EQ(0, sva_iova_unmap_all(self->sva, self->as, &bytes));
	EXPECT_EQ(0, bytes);
	EXPECT_EQ(0, sva_iova_unmap_all(self->sva, self->as, NULL));
	EXPECT_EQ(-ENOENT, sva_iova_unmap_all(self->sva, self->as + 100, NULL));
}

TEST_F(lib_iova, copy)
{
	uint64_t iova, copy = 0x20000000, refused = LIB_UNSET;
	uint32_t as;

	ASSERT_EQ(0, sva_as_alloc_iova(self->sva, 0, &as));
	ASSERT_EQ(0, sva_iova_map(self->sva, self->as, self->mem, LEN,
				  SVA_IOVA_F_READ, &iova));
	EXPECT_EQ(-EACCES, sva_iova_copy(self->sva, as, self->as, iova, LEN,
					 LIB_RW, &refused));
	EXPECT_EQ(-ENOENT, sva_iova_copy(self->sva, as, self->as, iova + LEN,
					 LIB_PAGE, SVA_IOVA_F_READ, &refused));
	EXPECT_EQ(LIB_UNSET, refused);
	ASSERT_EQ(0, sva_iova_copy(self->sva, as, self->as, iova + LIB_PAGE,
				   LIB_PAGE, SVA_IOVA_F_READ | SVA_IOVA_F_FIXED,
				   &copy));
	EXPECT_EQ(0x20000000, copy);
	/* the memory stays when its first mapping goes */
	EXPECT_EQ(0, sva_as_destroy(self->sva, self->as));
	EXPECT_EQ(0, sva_iova_unmap(self->sva, as, copy, LIB_PAGE, NULL));
}

TEST_F(lib_iova, ranges)
{
	struct sva_iova_range ranges[64] = { 0 };
	uint32_t num = 0, there;
	uint64_t alignment = 0;

	EXPECT_EQ(-EMSGSIZE, sva_iova_ranges(self->sva, self->as, NULL, &num,
					     &alignment));
	there = num;
	ASSERT_LT(0, there);
	ASSERT_GE(64, there);
	num = 64;
	ASSERT_EQ(0, sva_iova_ranges(self->sva, self->as, ranges, &num,
				     &alignment));
	EXPECT_EQ(there, num);
	EXPECT_LT(ranges[0].start, ranges[0].last);
	EXPECT_LE(1, alignment);
	EXPECT_EQ(0, sva_iova_ranges(self->sva, self->as, ranges, &num, NULL));
	num = LIB_UNSET;
	EXPECT_EQ(-ENOENT, sva_iova_ranges(self->sva, self->as + 100, ranges,
					   &num, NULL));
}

TEST_HARNESS_MAIN
