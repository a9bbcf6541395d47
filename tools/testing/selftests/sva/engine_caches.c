// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an IOMMU remembers besides translations: entries that lead to other tables,
 * and PASID entries. The emulated one keeps them for as long as it may, so that what
 * the kernel's driver does not invalidate is seen.
 *
 * Machine: engine
 */
#include "guest.h"
#include "kselftest_harness.h"
#include "sva_dma.h"

#define GVA	0x123456789000ULL
#define NEXT	(GVA + CORE_PAGE)
#define IOVA	(1ULL << 30)

/* --- a guest's tables ---------------------------------------------------------- */

FIXTURE(engine_caches_guest) {
	struct core_counts before;
	struct guest g;
	struct guest_space s;
	uint64_t *page[2];	/* at NEXT, by way of two tables */
};

/* The first table has been used, for GVA, when it is replaced by another. */
FIXTURE_SETUP(engine_caches_guest)
{
	struct guest_space other;

	self->before = core_counts();
	ASSERT_EQ(0, guest_init_with(&self->g, "sva_sim0"));
	guest_space_init(&self->s, &self->g, 4);
	guest_space_init(&other, &self->g, 4);
	guest_map_new(&self->s, GVA);
	self->page[0] = guest_map_new(&self->s, NEXT);
	self->page[1] = guest_map_new(&other, NEXT);
	ASSERT_EQ(0, guest_start(&self->s, self->g.sim, -1));
	ASSERT_EQ(SVA_SIM_STATUS_OK,
		  guest_fill(&self->s, self->g.sim, GVA, 1));
	*guest_entry(&self->s, GVA, 1) = *guest_entry(&other, GVA, 1);
}

FIXTURE_TEARDOWN(engine_caches_guest)
{
	EXPECT_EQ(0, guest_exit(&self->g));
	EXPECT_TRUE(core_settles(&self->before));
}

#define FILL(pattern) guest_fill(&self->s, self->g.sim, NEXT, pattern)

TEST_F(engine_caches_guest, caches_keep_the_old_table)
{
	EXPECT_EQ(SVA_SIM_STATUS_OK, FILL(2));
	EXPECT_EQ(2, *self->page[0]);
	EXPECT_EQ(0, *self->page[1]);
}

TEST_F(engine_caches_guest, caches_keep_it_when_leaves_go)
{
	ASSERT_EQ(0, guest_invalidate(&self->s, GVA, 2,
				      IOMMU_VTD_INV_FLAGS_LEAF));
	EXPECT_EQ(SVA_SIM_STATUS_OK, FILL(2));
	EXPECT_EQ(2, *self->page[0]);
	EXPECT_EQ(0, *self->page[1]);
}

TEST_F(engine_caches_guest, caches_forget_it_with_its_pages)
{
	ASSERT_EQ(0, guest_invalidate(&self->s, GVA, 2, 0));
	EXPECT_EQ(SVA_SIM_STATUS_OK, FILL(2));
	EXPECT_EQ(0, *self->page[0]);
	EXPECT_EQ(2, *self->page[1]);
}

TEST_F(engine_caches_guest, caches_forget_it_with_everything)
{
	ASSERT_EQ(0, guest_invalidate(&self->s, 0, ~0ULL, 0));
	EXPECT_EQ(SVA_SIM_STATUS_OK, FILL(2));
	EXPECT_EQ(0, *self->page[0]);
	EXPECT_EQ(2, *self->page[1]);
}

/* --- the kernel's tables --------------------------------------------------------- */

FIXTURE(engine_caches) {
	struct core_counts before;
	struct dma dma;
	char *small;		/* so much that tables come and go with it */
	char *huge;		/* NULL: there are none */
};

/* One that nobody has, from now on or not any more. */
static bool spare_huge_pages(const char *how_many)
{
	int fd = open("/proc/sys/vm/nr_hugepages", O_WRONLY | O_CLOEXEC);
	bool ok = write(fd, how_many, strlen(how_many)) > 0;

	close(fd);
	return ok;
}

static char *huge_page(void)
{
	char *page;

	if (!spare_huge_pages("1"))
		return NULL;
	page = mmap(NULL, CORE_2M, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	return page == MAP_FAILED ? NULL : page;
}

FIXTURE_SETUP(engine_caches)
{
	self->before = core_counts();
	ASSERT_EQ(0, dma_init(&self->dma));
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	self->small = sva_mem(CORE_2M);
	ASSERT_NE(NULL, self->small);
	ASSERT_EQ(0, madvise(self->small, CORE_2M, MADV_NOHUGEPAGE));
	self->huge = huge_page();
}

FIXTURE_TEARDOWN(engine_caches)
{
	dma_exit(&self->dma);
	munmap(self->small, CORE_2M);
	if (self->huge)
		munmap(self->huge, CORE_2M);
	spare_huge_pages("0");
	EXPECT_TRUE(core_settles(&self->before));
}

#define MAP(mem) iova_map_at(self->dma.fd, self->dma.as, CORE_RW, mem, CORE_2M, IOVA)
#define UNMAP() iova_unmap(self->dma.fd, self->dma.as, IOVA, CORE_2M)

static bool lands(struct dma *dma, char *mem, unsigned long at, uint64_t pattern)
{
	uint64_t *word = (uint64_t *)(mem + at);

	*word = 0;
	return dma_fill(dma, IOVA + at, pattern, 8) == SVA_SIM_STATUS_OK &&
	       __atomic_load_n(word, __ATOMIC_ACQUIRE) == pattern;
}

TEST_F(engine_caches, caches_of_freed_tables)
{
	int i;

	for (i = 0; i < 16; i++) {
		unsigned long at = i * 13 % 16 * CORE_PAGE;

		ASSERT_EQ(0, MAP(self->small));
		EXPECT_TRUE(lands(&self->dma, self->small, at, i + 1));
		ASSERT_EQ(CORE_2M, UNMAP());
		EXPECT_NE(SVA_SIM_STATUS_OK,
			  dma_fill(&self->dma, IOVA + at + 8 * CORE_PAGE, 7, 8));
	}
}

TEST_F(engine_caches, caches_of_tables_that_become_pages)
{
	int i;

	if (!self->huge)
		SKIP(return, "there are no huge pages");
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, MAP(self->small));
		EXPECT_TRUE(lands(&self->dma, self->small, CORE_PAGE, 1));
		ASSERT_EQ(CORE_2M, UNMAP());
		ASSERT_EQ(0, MAP(self->huge));
		EXPECT_TRUE(lands(&self->dma, self->huge, 2 * CORE_PAGE, 2));
		ASSERT_EQ(CORE_2M, UNMAP());
	}
}

/* The tables of the one are not used in the name of the other. */
TEST_F(engine_caches, caches_of_a_pasid_that_is_bound_elsewhere)
{
	uint32_t other;
	int i;

	ASSERT_EQ(0, MAP(self->small));
	ASSERT_EQ(0, sva_as_alloc(self->dma.fd, &other));
	ASSERT_EQ(0, iova_map_at(self->dma.fd, other, CORE_RW, self->dma.record,
				 CORE_PAGE, DMA_RECORD));
	for (i = 0; i < 8; i++) {
		EXPECT_TRUE(lands(&self->dma, self->small, CORE_PAGE, i + 1));
		ASSERT_EQ(0, sva_pasid_bind(self->dma.fd, self->dma.pasid, other));
		EXPECT_EQ(SVA_SIM_STATUS_FAULT,
			  dma_fill(&self->dma, IOVA + 2 * CORE_PAGE, 7, 8));
		ASSERT_EQ(0, sva_pasid_bind(self->dma.fd, self->dma.pasid,
					    SVA_AS_NONE));
		EXPECT_EQ(0, *(uint64_t *)(self->small + 2 * CORE_PAGE));
		ASSERT_EQ(0, sva_pasid_bind(self->dma.fd, self->dma.pasid,
					    self->dma.as));
	}
}

TEST_HARNESS_MAIN
