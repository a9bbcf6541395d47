// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOTLB caches for real: hits are counted, and if invalidations are dropped
 * the engine is seen to use what is no longer there. Without that proof, no test
 * that finds no stale data would mean anything.
 */
#include "sva_util.h"
#include "kselftest_harness.h"

FIXTURE(sim_iotlb) {
	int fd;
	int sim;
	uint32_t pasid;
	size_t page;
	char engine[32];
	unsigned char *mem;
	struct sva_sim_completion *done;
};

FIXTURE_SETUP(sim_iotlb)
{
	self->page = sysconf(_SC_PAGESIZE);
	sva_sim_name(self->engine, sizeof(self->engine), "iotlb");
	self->sim = sva_sim_create(self->engine, NULL, NULL, NULL);
	ASSERT_LE(0, self->sim);
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	self->mem = sva_mem(8 * self->page);
	ASSERT_NE(NULL, self->mem);
	ASSERT_EQ(0, madvise(self->mem, 8 * self->page, MADV_NOHUGEPAGE));
	self->done = sva_mem(self->page);
	ASSERT_NE(NULL, self->done);
	memset(self->done, 0, self->page);
}

FIXTURE_TEARDOWN(sim_iotlb)
{
	munmap(self->mem, 8 * self->page);
	munmap(self->done, self->page);
	close(self->sim);
	close(self->fd);
	EXPECT_EQ(0, sva_sim_remove(self->engine));
}

#define RUN(desc) sva_sim_run(self->sim, &(desc), self->done)

static int attach_process(int sim, int fd)
{
	uint32_t pasid;
	int ret = sva_pasid_alloc(fd, SVA_PASID_F_MM, 0, 0, &pasid);

	return ret ? ret : sva_sim_attach(sim, fd, pasid, NULL);
}

TEST_F(sim_iotlb, sim_hits_counted)
{
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)self->mem, 1, 64);
	struct sva_sim_info info;
	long long hits, misses;
	int i;

	ASSERT_EQ(0, attach_process(self->sim, self->fd));
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	hits = sva_sim_count(self->engine, "iotlb_hits");
	misses = sva_sim_count(self->engine, "iotlb_misses");
	ASSERT_LE(1, misses);
	for (i = 0; i < 10; i++)
		ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	/* The data, the record and its status. */
	EXPECT_EQ(hits + 30, sva_sim_count(self->engine, "iotlb_hits"));
	EXPECT_EQ(misses, sva_sim_count(self->engine, "iotlb_misses"));

	ASSERT_EQ(0, sva_sim_info(self->sim, &info));
	EXPECT_EQ(hits + 30, (long long)info.iotlb_hits);
	EXPECT_EQ(misses, (long long)info.iotlb_misses);
}

TEST_F(sim_iotlb, sim_eviction)
{
	const size_t len = 1000 * self->page;
	unsigned char *big = sva_mem(len);
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)big, 1, len);
	long long misses;

	ASSERT_NE(NULL, big);
	ASSERT_EQ(0, attach_process(self->sim, self->fd));
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	misses = sva_sim_count(self->engine, "iotlb_misses");
	/* More than it holds, in order: by the second time all are gone. */
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	EXPECT_LE(misses + 1000, sva_sim_count(self->engine, "iotlb_misses"));
	munmap(big, len);
}

TEST_F(sim_iotlb, sim_invalidations_counted)
{
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)self->mem, 1, 64);
	long long before;

	ASSERT_EQ(0, attach_process(self->sim, self->fd));
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	before = sva_sim_count(self->engine, "invalidations");
	ASSERT_EQ(0, munmap(self->mem, self->page));
	EXPECT_LT(before, sva_sim_count(self->engine, "invalidations"));
}

/* Puts another page in place, having made the engine remember the first. */
static int replace_page(int sim, unsigned char *mem, size_t page,
			struct sva_sim_completion *done)
{
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_CRC32C, .src = (uintptr_t)mem, .len = page,
	};
	int ret;

	memset(mem, 1, page);
	ret = sva_sim_run(sim, &desc, done);
	if (ret != SVA_SIM_STATUS_OK)
		return -EIO;
	if (mmap(mem, page, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != mem)
		return -ENOMEM;
	memset(mem, 2, page);
	return sva_sim_run(sim, &desc, done);
}

TEST_F(sim_iotlb, sim_stale_process_memory)
{
	unsigned char *old = sva_mem(self->page);
	uint32_t stale;

	memset(old, 1, self->page);
	stale = sva_crc32c(old, self->page);
	munmap(old, self->page);
	ASSERT_EQ(0, attach_process(self->sim, self->fd));

	ASSERT_EQ(SVA_SIM_STATUS_OK, replace_page(self->sim, self->mem,
						  self->page, self->done));
	EXPECT_EQ(sva_crc32c(self->mem, self->page), self->done->result);

	ASSERT_EQ(0, sva_sim_set(self->engine, "iotlb_stale", "1"));
	ASSERT_EQ(SVA_SIM_STATUS_OK, replace_page(self->sim, self->mem,
						  self->page, self->done));
	EXPECT_EQ(stale, self->done->result);
	EXPECT_NE(sva_crc32c(self->mem, self->page), self->done->result);

	/* Detaching clears it, whatever was dropped before. */
	ASSERT_EQ(0, sva_sim_detach(self->sim));
	ASSERT_EQ(0, attach_process(self->sim, self->fd));
	ASSERT_EQ(0, sva_sim_set(self->engine, "iotlb_stale", "0"));
	ASSERT_EQ(SVA_SIM_STATUS_OK, replace_page(self->sim, self->mem,
						  self->page, self->done));
	EXPECT_EQ(sva_crc32c(self->mem, self->page), self->done->result);
}

/* The same with a map: what is at 1 MiB is copied to 2 MiB by the engine. */
#define SRC 0x100000ull
#define DST 0x200000ull
#define RWF (SVA_IOVA_F_READ | SVA_IOVA_F_WRITE | SVA_IOVA_F_FIXED)

static int copy_after_remap(int sim, int fd, uint32_t as, unsigned char *mem,
			    size_t page)
{
	struct sva_sim_desc desc = sva_sim_memcpy(DST, SRC, page);
	uint64_t src = SRC;
	int ret;

	memset(mem, 1, page);
	memset(mem + page, 2, page);
	ret = sva_map(fd, as, RWF, mem, page, &src);
	if (!ret)
		ret = sva_sim_run_blind(sim, &desc);
	if (!ret)
		ret = sva_unmap(fd, as, SRC, page);
	if (!ret)
		ret = sva_map(fd, as, RWF, mem + page, page, &src);
	if (!ret)
		ret = sva_sim_run_blind(sim, &desc);
	if (!ret)
		ret = sva_unmap(fd, as, SRC, page);
	return ret;
}

TEST_F(sim_iotlb, sim_stale_iova)
{
	unsigned char *dst = self->mem + 4 * self->page;
	struct sva_sim_desc desc = sva_sim_memcpy(DST, SRC, self->page);
	uint64_t iova = DST;
	uint32_t as, pasid;

	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, sva_pasid_alloc(self->fd, 0, 0, 0, &pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, pasid, NULL));
	ASSERT_EQ(0, sva_map(self->fd, as, RWF, dst, self->page, &iova));

	ASSERT_EQ(0, copy_after_remap(self->sim, self->fd, as, self->mem,
				      self->page));
	EXPECT_EQ(2, dst[0]);
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->sim, &desc));

	ASSERT_EQ(0, sva_sim_set(self->engine, "iotlb_stale", "1"));
	ASSERT_EQ(0, copy_after_remap(self->sim, self->fd, as, self->mem,
				      self->page));
	EXPECT_EQ(1, dst[0]);
	EXPECT_EQ(0, sva_sim_run_blind(self->sim, &desc));

	/* Unbinding clears it. */
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, SVA_AS_NONE));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->sim, &desc));
	ASSERT_EQ(0, sva_sim_set(self->engine, "iotlb_stale", "0"));
}

TEST_F(sim_iotlb, sim_huge_leafs_walked)
{
	const size_t huge = 2 << 20;
	unsigned char *mem = sva_mem(2 * huge);
	unsigned char *aligned;
	uint64_t iova = 0x40000000;
	struct sva_sim_desc desc = sva_sim_fill(iova, 0x7777777777777777, huge);
	uint32_t as, pasid;

	ASSERT_NE(NULL, mem);
	aligned = (void *)(((uintptr_t)mem + huge - 1) & ~(huge - 1));
	madvise(aligned, huge, MADV_HUGEPAGE);
	memset(aligned, 1, huge);

	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, sva_pasid_alloc(self->fd, 0, 0, 0, &pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, pasid, NULL));
	ASSERT_EQ(0, sva_map(self->fd, as, RWF, aligned, huge, &iova));
	ASSERT_EQ(0, sva_sim_run_blind(self->sim, &desc));
	EXPECT_EQ(0x77, aligned[0]);
	EXPECT_EQ(0x77, aligned[huge - 1]);
	/* Every page of it was found in one entry of the table. */
	EXPECT_EQ((long long)(huge / self->page),
		  sva_sim_count(self->engine, "huge_leafs"));

	/* And a byte behind its end is not there. */
	desc.len = huge + 1;
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->sim, &desc));
	munmap(mem, 2 * huge);
}

/* A PASID means something only where it is attached. */
TEST_F(sim_iotlb, sim_pasids_do_not_mix)
{
	struct sva_sim_desc desc = sva_sim_fill(SRC, 0, 8);
	uint32_t as[2], pasid[2];
	uint64_t iova;
	int sim[2], i;
	char dev[32];

	ASSERT_EQ(0, sva_sim_get(self->engine, "dev", dev, sizeof(dev)));
	for (i = 0; i < 2; i++) {
		sim[i] = sva_sim_open_name(dev);
		ASSERT_LE(0, sim[i]);
		ASSERT_EQ(0, sva_as_alloc(self->fd, &as[i]));
		ASSERT_EQ(0, sva_pasid_alloc(self->fd, 0, 0, 0, &pasid[i]));
		ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid[i], as[i]));
		ASSERT_EQ(0, sva_sim_attach(sim[i], self->fd, pasid[i], NULL));
		iova = SRC;
		ASSERT_EQ(0, sva_map(self->fd, as[i], RWF,
				     self->mem + i * self->page, self->page,
				     &iova));
	}
	for (i = 0; i < 20; i++) {
		desc.src = i;
		ASSERT_EQ(0, sva_sim_run_blind(sim[i % 2], &desc));
		ASSERT_EQ(i, self->mem[(i % 2) * self->page]);
	}
	EXPECT_EQ(18, self->mem[0]);
	EXPECT_EQ(19, self->mem[self->page]);
	close(sim[0]);
	close(sim[1]);
}

TEST_HARNESS_MAIN
