// SPDX-License-Identifier: GPL-2.0-only
/*
 * What devices see of an IOVA address space: DMA of a software engine lands in
 * the memory that is mapped, all of it, and nowhere else.
 *
 * Machine: plain engine
 */
#include <linux/memfd.h>
#include <pthread.h>
#include <sys/stat.h>

#include "sva_dma.h"
#include "kselftest_harness.h"

#define IOVA	(1ULL << 30)
#define OK	SVA_SIM_STATUS_OK
#define FAULT	SVA_SIM_STATUS_FAULT

FIXTURE(iova_dma) {
	struct core_counts before;
	struct dma dma;
	char *p;			/* 16 pages */
};

FIXTURE_SETUP(iova_dma)
{
	self->before = core_counts();
	ASSERT_EQ(0, dma_init(&self->dma));
	self->p = sva_mem(16 * CORE_PAGE);
	ASSERT_NE(NULL, self->p);
}

FIXTURE_TEARDOWN(iova_dma)
{
	dma_exit(&self->dma);
	EXPECT_TRUE(core_settles(&self->before));
}

#define MAP(_page, _n) \
	iova_map_at(self->dma.fd, self->dma.as, CORE_RW, \
		    self->p + (_page) * CORE_PAGE, (_n) * CORE_PAGE, \
		    IOVA + (_page) * CORE_PAGE)
#define MAP_RO(_page, _n) \
	iova_map_at(self->dma.fd, self->dma.as, SVA_IOVA_F_READ, \
		    self->p + (_page) * CORE_PAGE, (_n) * CORE_PAGE, \
		    IOVA + (_page) * CORE_PAGE)
#define UNMAP(_page, _n) \
	iova_unmap(self->dma.fd, self->dma.as, IOVA + (_page) * CORE_PAGE, \
		   (_n) * CORE_PAGE)
#define FILL(_page, _byte, _n) \
	dma_fill(&self->dma, IOVA + (_page) * CORE_PAGE, \
		 (_byte) * 0x0101010101010101ULL, (_n) * CORE_PAGE)
#define BYTES(_page, _byte, _n) \
	all_bytes(self->p + (_page) * CORE_PAGE, _byte, (_n) * CORE_PAGE)

/* --- map and attach in either order ------------------------------------------- */

TEST_F(iova_dma, mapped_before_the_attach)
{
	ASSERT_EQ(0, MAP(0, 16));
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	EXPECT_EQ(OK, FILL(0, 1, 16));
	EXPECT_TRUE(BYTES(0, 1, 16));
}

TEST_F(iova_dma, mapped_after_the_attach)
{
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	EXPECT_EQ(FAULT, FILL(0, 1, 1));
	EXPECT_EQ(IOVA, self->dma.record->fault_addr);
	ASSERT_EQ(0, MAP(0, 16));
	EXPECT_EQ(OK, FILL(0, 1, 16));
	EXPECT_TRUE(BYTES(0, 1, 16));
}

/* The whole map is there for who comes later. */
TEST_F(iova_dma, many_areas_before_the_attach)
{
	int i;

	for (i = 0; i < 1000; i++)
		ASSERT_EQ(0, iova_map_at(self->dma.fd, self->dma.as, CORE_RW,
					 self->p + i % 16 * CORE_PAGE,
					 CORE_PAGE, IOVA + i * 3 * CORE_PAGE));
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	for (i = 0; i < 1000; i += 37) {
		ASSERT_EQ(OK, FILL(i * 3, i & 0x7f, 1));
		EXPECT_TRUE(BYTES(i % 16, i & 0x7f, 1));
		EXPECT_EQ(FAULT, FILL(i * 3 + 1, 1, 1));
	}
}

TEST_F(iova_dma, detached_and_attached_again)
{
	int i;

	ASSERT_EQ(0, MAP(0, 16));
	for (i = 1; i < 6; i++) {
		ASSERT_EQ(0, dma_attach(&self->dma, i % 2));
		EXPECT_EQ(OK, FILL(0, i, 16));
		EXPECT_TRUE(BYTES(0, i, 16));
		EXPECT_EQ(0, sva_sim_detach(self->dma.sim));
		close(self->dma.sim);
		self->dma.sim = -1;
	}
}

/* Two engines behind two IOMMUs: one map, two domains, always in step. */
TEST_F(iova_dma, two_iommus)
{
	struct dma second = self->dma;
	int i;

	ASSERT_EQ(0, MAP(0, 4));
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	ASSERT_EQ(0, MAP(4, 4));
	ASSERT_EQ(0, dma_attach(&second, 1));
	ASSERT_EQ(0, MAP(8, 8));
	EXPECT_EQ(OK, FILL(0, 1, 16));
	EXPECT_TRUE(BYTES(0, 1, 16));
	EXPECT_EQ(OK, dma_fill(&second, IOVA, 0, 16 * CORE_PAGE));
	EXPECT_TRUE(BYTES(0, 0, 16));

	ASSERT_LT(0, UNMAP(4, 4));
	for (i = 4; i < 8; i++) {
		EXPECT_EQ(FAULT, FILL(i, 1, 1));
		EXPECT_EQ(FAULT, dma_fill(&second, IOVA + i * CORE_PAGE, 1, 8));
	}
	/* One leaves, the other does not notice. */
	close(second.sim);
	EXPECT_EQ(OK, FILL(0, 2, 4));
	EXPECT_TRUE(BYTES(0, 2, 4));
}

/* --- what was mapped, exactly ------------------------------------------------- */

TEST_F(iova_dma, not_a_byte_more)
{
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	ASSERT_EQ(0, MAP(4, 4));
	EXPECT_EQ(OK, FILL(4, 1, 4));
	EXPECT_TRUE(BYTES(0, 0, 4));
	EXPECT_TRUE(BYTES(4, 1, 4));
	EXPECT_TRUE(BYTES(8, 0, 8));
	/* It stops at the first byte that is not mapped. */
	EXPECT_EQ(FAULT, FILL(4, 2, 5));
	EXPECT_EQ(IOVA + 8 * CORE_PAGE, self->dma.record->fault_addr);
	EXPECT_EQ(4 * CORE_PAGE, self->dma.record->bytes);
	EXPECT_EQ(FAULT, dma_fill(&self->dma, IOVA + 4 * CORE_PAGE - 1, 3, 1));
	EXPECT_TRUE(BYTES(0, 0, 4));
	EXPECT_TRUE(BYTES(8, 0, 8));
}

TEST_F(iova_dma, rights)
{
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	memset(self->p, 7, 16 * CORE_PAGE);
	ASSERT_EQ(0, MAP_RO(0, 1));
	ASSERT_EQ(0, MAP(1, 1));
	EXPECT_EQ(FAULT, FILL(0, 1, 1));
	EXPECT_EQ(IOVA, self->dma.record->fault_addr);
	EXPECT_TRUE(BYTES(0, 7, 1));
	memset(self->p + CORE_PAGE, 0, CORE_PAGE);
	EXPECT_EQ(OK, dma_copy(&self->dma, IOVA + CORE_PAGE, IOVA, CORE_PAGE));
	EXPECT_TRUE(BYTES(1, 7, 1));
}

TEST_F(iova_dma, small_pages_in_no_order)
{
	size_t n = 300, i;
	unsigned char *q = sva_mem(n * CORE_PAGE);

	ASSERT_NE(NULL, q);
	madvise(q, n * CORE_PAGE, MADV_NOHUGEPAGE);
	for (i = 0; i < n; i++)
		q[i * 7919 % n * CORE_PAGE] = 0xff;
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	ASSERT_EQ(0, iova_map_at(self->dma.fd, self->dma.as, CORE_RW, q,
				 n * CORE_PAGE, IOVA));
	for (i = 0; i < n; i++)
		ASSERT_EQ(OK, FILL(i, i & 0xff, 1));
	for (i = 0; i < n; i++)
		ASSERT_TRUE(all_bytes(q + i * CORE_PAGE, i & 0xff, CORE_PAGE));
	munmap(q, n * CORE_PAGE);
}

static long long huge_leafs(void)
{
	return sva_sim_count("default0", "huge_leafs");
}

TEST_F(iova_dma, huge_pages)
{
	char *q = core_huge_memory(2 * CORE_2M);
	uint64_t iova = 0;
	long long before;

	if (!q)
		SKIP(return, "this kernel has no transparent huge pages");
	memset(q, 1, 2 * CORE_2M);
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	/* The kernel chooses an IOVA where the IOMMU can have huge pages too. */
	ASSERT_EQ(0, sva_map(self->dma.fd, self->dma.as, CORE_RW, q,
			     2 * CORE_2M, &iova));
	before = huge_leafs();
	EXPECT_EQ(OK, dma_fill(&self->dma, iova, 0, 2 * CORE_2M));
	/* Real hardware does not tell. */
	if (sva_sim_is_software(self->dma.sim))
		EXPECT_LT(before, huge_leafs());
	EXPECT_TRUE(all_bytes(q, 0, 2 * CORE_2M));
	munmap(q, 2 * CORE_2M);
}

/* Where the two are not alike it works as well, with small pages. */
TEST_F(iova_dma, huge_pages_at_another_offset)
{
	char *q = core_huge_memory(2 * CORE_2M);

	if (!q)
		SKIP(return, "this kernel has no transparent huge pages");
	memset(q, 1, 2 * CORE_2M);
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	ASSERT_EQ(0, iova_map_at(self->dma.fd, self->dma.as, CORE_RW, q,
				 2 * CORE_2M, IOVA + CORE_PAGE));
	EXPECT_EQ(OK, dma_fill(&self->dma, IOVA + CORE_PAGE, 0, 2 * CORE_2M));
	EXPECT_TRUE(all_bytes(q, 0, 2 * CORE_2M));
	EXPECT_EQ(FAULT, dma_fill(&self->dma, IOVA, 0, 8));
	munmap(q, 2 * CORE_2M);
}

/* --- unmap -------------------------------------------------------------------- */

TEST_F(iova_dma, unmapped)
{
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	ASSERT_EQ(0, MAP(0, 4));
	ASSERT_EQ(0, MAP(4, 4));
	EXPECT_EQ(OK, FILL(0, 1, 8));
	ASSERT_EQ(4 * CORE_PAGE, UNMAP(0, 4));
	EXPECT_EQ(FAULT, FILL(0, 2, 1));
	EXPECT_EQ(IOVA, self->dma.record->fault_addr);
	EXPECT_EQ(FAULT, FILL(3, 2, 2));
	EXPECT_TRUE(BYTES(0, 1, 8));
	EXPECT_EQ(OK, FILL(4, 2, 4));
}

/* The same IOVA means other memory: nothing old may be left in an IOTLB. */
TEST_F(iova_dma, mapped_again)
{
	int i;

	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	for (i = 0; i < 16; i++) {
		memset(self->p, 0, 16 * CORE_PAGE);
		ASSERT_EQ(0, iova_map_at(self->dma.fd, self->dma.as, CORE_RW,
					 self->p + i * CORE_PAGE, CORE_PAGE,
					 IOVA));
		ASSERT_EQ(OK, FILL(0, 1, 1));
		ASSERT_EQ(OK, FILL(0, 2, 1));
		EXPECT_TRUE(BYTES(0, 0, i));
		EXPECT_TRUE(BYTES(i, 2, 1));
		EXPECT_TRUE(BYTES(i + 1, 0, 15 - i));
		ASSERT_EQ(CORE_PAGE, UNMAP(0, 1));
	}
}

TEST_F(iova_dma, everything_unmapped)
{
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	ASSERT_EQ(0, MAP(0, 16));
	EXPECT_EQ(OK, FILL(0, 1, 16));
	EXPECT_EQ(17 * CORE_PAGE,
		  iova_unmap_all(self->dma.fd, self->dma.as));
	/* The completion record cannot be written any more. */
	EXPECT_EQ(0, iova_map_at(self->dma.fd, self->dma.as, CORE_RW,
				 self->dma.record, CORE_PAGE, DMA_RECORD));
	EXPECT_EQ(FAULT, FILL(0, 2, 1));
	EXPECT_TRUE(BYTES(0, 1, 16));
}

/* Writes without a pause, and counts what came of it. */
struct writer {
	pthread_t thread;
	struct dma *dma;
	uint64_t iova;
	uint64_t length;
	bool stop;
	long ok;
	long faults;
	long others;
};

static void *write_on(void *arg)
{
	struct writer *w = arg;
	uint64_t n = 1;

	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		switch (dma_fill(w->dma, w->iova, n++, w->length)) {
		case OK:
			__atomic_fetch_add(&w->ok, 1, __ATOMIC_RELAXED);
			break;
		case FAULT:
			w->faults++;
			break;
		default:
			w->others++;
		}
	}
	return NULL;
}

/* After the call nobody writes to the memory: it can be used for other things. */
TEST_F_TIMEOUT(iova_dma, unmapped_under_dma, 60)
{
	static char copy[16 * CORE_PAGE];
	struct writer w = {
		.dma = &self->dma, .iova = IOVA, .length = 16 * CORE_PAGE,
	};
	long ok;
	int i;

	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	ASSERT_EQ(0, pthread_create(&w.thread, NULL, write_on, &w));
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, MAP(0, 16));
		ok = __atomic_load_n(&w.ok, __ATOMIC_RELAXED);
		while (__atomic_load_n(&w.ok, __ATOMIC_RELAXED) < ok + 3)
			;
		ASSERT_EQ(16 * CORE_PAGE, UNMAP(0, 16));
		memcpy(copy, self->p, sizeof(copy));
		core_sleep_ms(5);
		ASSERT_EQ(0, memcmp(copy, self->p, sizeof(copy)));
	}
	__atomic_store_n(&w.stop, true, __ATOMIC_RELAXED);
	pthread_join(w.thread, NULL);
	EXPECT_LT(0, w.ok);
	EXPECT_LT(0, w.faults);
	EXPECT_EQ(0, w.others);
}

/* --- the memory behind ---------------------------------------------------------- */

/* The process lets go of its memory; the device goes on with what was mapped. */
TEST_F(iova_dma, memory_given_up_by_the_process)
{
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	memset(self->p, 5, 16 * CORE_PAGE);
	ASSERT_EQ(0, MAP(0, 8));
	/* Other memory comes to where it was, and is not touched. */
	ASSERT_EQ(0, madvise(self->p, 8 * CORE_PAGE, MADV_DONTNEED));
	EXPECT_TRUE(BYTES(0, 0, 8));
	EXPECT_EQ(OK, FILL(0, 9, 8));
	EXPECT_TRUE(BYTES(0, 0, 8));
	/* What it wrote can be read back from where it went. */
	ASSERT_EQ(0, MAP(8, 8));
	EXPECT_EQ(OK, dma_copy(&self->dma, IOVA + 8 * CORE_PAGE, IOVA,
			       8 * CORE_PAGE));
	EXPECT_TRUE(BYTES(8, 9, 8));
}

/* After fork the pinned memory stays the parent's. */
TEST_F(iova_dma, fork_does_not_take_the_memory)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	memset(self->p, 5, 16 * CORE_PAGE);
	ASSERT_EQ(0, MAP(0, 16));
	pid = fork();
	if (!pid) {
		/* Its own copy, of the time of the fork. */
		self->p[0] = 6;
		core_sleep_ms(300);
		_exit(!all_bytes(self->p + 1, 5, 16 * CORE_PAGE - 1));
	}
	self->p[CORE_PAGE] = 7;
	EXPECT_EQ(OK, FILL(0, 9, 16));
	EXPECT_TRUE(BYTES(0, 9, 16));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(iova_dma, copies)
{
	uint64_t other = 2 * IOVA;

	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	ASSERT_EQ(0, MAP(0, 16));
	ASSERT_EQ(0, iova_copy(self->dma.fd, SVA_IOVA_F_READ | SVA_IOVA_F_FIXED,
			       self->dma.as, self->dma.as, IOVA + 4 * CORE_PAGE,
			       4 * CORE_PAGE, &other));
	memset(self->p + 4 * CORE_PAGE, 3, 4 * CORE_PAGE);
	/* The same memory, with less access. */
	EXPECT_EQ(OK, dma_copy(&self->dma, IOVA, other, 4 * CORE_PAGE));
	EXPECT_TRUE(BYTES(0, 3, 4));
	EXPECT_EQ(FAULT, dma_fill(&self->dma, other, 9, 8));
	/* It goes on without the original. */
	ASSERT_LT(0, UNMAP(0, 16));
	ASSERT_EQ(0, MAP(0, 4));
	memset(self->p + 4 * CORE_PAGE, 4, 4 * CORE_PAGE);
	EXPECT_EQ(OK, dma_copy(&self->dma, IOVA, other, 4 * CORE_PAGE));
	EXPECT_TRUE(BYTES(0, 4, 4));
}

/* --- files ---------------------------------------------------------------------- */

TEST_F(iova_dma, memfd)
{
	int file = memfd_create("sva", MFD_CLOEXEC);
	uint64_t iova = 0;
	char *q;

	ASSERT_EQ(0, ftruncate(file, 16 * CORE_PAGE));
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	ASSERT_EQ(0, iova_map_file(self->dma.fd, self->dma.as, CORE_RW, file,
				   4 * CORE_PAGE, 8 * CORE_PAGE, &iova));
	EXPECT_EQ(OK, dma_fill(&self->dma, iova, ~0ULL, 8 * CORE_PAGE));
	EXPECT_EQ(FAULT, dma_fill(&self->dma, iova - 8, ~0ULL, 8));
	EXPECT_EQ(FAULT,
		  dma_fill(&self->dma, iova + 8 * CORE_PAGE, ~0ULL, 8));
	q = mmap(NULL, 16 * CORE_PAGE, PROT_READ, MAP_SHARED, file, 0);
	ASSERT_NE(MAP_FAILED, (void *)q);
	EXPECT_TRUE(all_bytes(q, 0, 4 * CORE_PAGE));
	EXPECT_TRUE(all_bytes(q + 4 * CORE_PAGE, 0xff, 8 * CORE_PAGE));
	EXPECT_TRUE(all_bytes(q + 12 * CORE_PAGE, 0, 4 * CORE_PAGE));
	munmap(q, 16 * CORE_PAGE);
	close(file);
}

static bool unchanged(const char *path, const char *text)
{
	char buf[64] = {};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool same = fd >= 0 && read(fd, buf, sizeof(buf) - 1) > 0 &&
		    !strcmp(buf, text);

	close(fd);
	return same;
}

/*
 * A file that was opened read-only is never written by DMA, whatever is tried:
 * mapped as a file, mapped as memory, copied with more access.
 */
TEST_F(iova_dma, read_only_file_is_never_written)
{
	char path[] = "/dev/shm/sva-XXXXXX";
	int file = mkostemp(path, O_CLOEXEC), ro;
	uint64_t iova = 0, more = 0;
	char *q;

	ASSERT_LE(0, file);
	ASSERT_EQ(6, write(file, "secret", 6));
	ASSERT_EQ(0, ftruncate(file, CORE_PAGE));
	ASSERT_EQ(0, fchmod(file, 0444));
	close(file);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, ro);
	ASSERT_EQ(0, dma_attach(&self->dma, 0));

	EXPECT_EQ(-EACCES, iova_map_file(self->dma.fd, self->dma.as, CORE_RW,
					 ro, 0, CORE_PAGE, &iova));
	ASSERT_EQ(0, iova_map_file(self->dma.fd, self->dma.as, SVA_IOVA_F_READ,
				   ro, 0, CORE_PAGE, &iova));
	EXPECT_EQ(FAULT, dma_fill(&self->dma, iova, ~0ULL, 8));
	EXPECT_EQ(-EACCES, iova_copy(self->dma.fd, CORE_RW, self->dma.as,
				     self->dma.as, iova, CORE_PAGE, &more));

	q = mmap(NULL, CORE_PAGE, PROT_READ, MAP_SHARED, ro, 0);
	ASSERT_NE(MAP_FAILED, (void *)q);
	EXPECT_EQ(-EFAULT, sva_map(self->dma.fd, self->dma.as, CORE_RW, q,
				   CORE_PAGE, &more));
	ASSERT_EQ(0, sva_map(self->dma.fd, self->dma.as, SVA_IOVA_F_READ, q,
			     CORE_PAGE, &more));
	EXPECT_EQ(FAULT, dma_fill(&self->dma, more, ~0ULL, 8));
	munmap(q, CORE_PAGE);

	/* A private mapping may be written: it is a copy. */
	q = mmap(NULL, CORE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, ro, 0);
	ASSERT_NE(MAP_FAILED, (void *)q);
	ASSERT_EQ(0, sva_map(self->dma.fd, self->dma.as, CORE_RW, q, CORE_PAGE,
			     &more));
	EXPECT_EQ(OK, dma_fill(&self->dma, more, ~0ULL, 8));
	EXPECT_TRUE(all_bytes(q, 0xff, 8));
	munmap(q, CORE_PAGE);

	EXPECT_TRUE(unchanged(path, "secret"));
	close(ro);
	unlink(path);
}

/* Mapped for reading while it was private: a write later must not show. */
TEST_F(iova_dma, sealed_file_is_never_written)
{
	int file = memfd_create("sva", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint64_t iova = 0;
	char byte = 1;

	ASSERT_EQ(0, ftruncate(file, CORE_PAGE));
	ASSERT_EQ(0, fcntl(file, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	ASSERT_EQ(0, iova_map_file(self->dma.fd, self->dma.as, SVA_IOVA_F_READ,
				   file, 0, CORE_PAGE, &iova));
	EXPECT_EQ(FAULT, dma_fill(&self->dma, iova, ~0ULL, 8));
	EXPECT_EQ(1, pread(file, &byte, 1, 0));
	EXPECT_EQ(0, byte);
	close(file);
}

/* Truncated: the pages stay the device's, the file gets others. */
TEST_F(iova_dma, file_truncated_and_grown)
{
	int file = memfd_create("sva", MFD_CLOEXEC);
	uint64_t iova = 0;
	char byte = 1;

	ASSERT_EQ(0, ftruncate(file, CORE_PAGE));
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	ASSERT_EQ(0, iova_map_file(self->dma.fd, self->dma.as, CORE_RW, file, 0,
				   CORE_PAGE, &iova));
	ASSERT_EQ(0, ftruncate(file, 0));
	ASSERT_EQ(0, ftruncate(file, CORE_PAGE));
	EXPECT_EQ(OK, dma_fill(&self->dma, iova, ~0ULL, CORE_PAGE));
	EXPECT_EQ(1, pread(file, &byte, 1, 0));
	EXPECT_EQ(0, byte);
	close(file);
}

/* --- ranges --------------------------------------------------------------------- */

TEST_F(iova_dma, ranges_shrink_with_an_attach)
{
	struct sva_iova_range ranges[8], full;
	uint32_t num = 8, first = 1;
	uint64_t beyond;

	ASSERT_EQ(0, iova_ranges(self->dma.fd, self->dma.as, &full, &first));
	EXPECT_EQ(UINT64_MAX, full.last);
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	ASSERT_EQ(0, iova_ranges(self->dma.fd, self->dma.as, ranges, &num));
	ASSERT_EQ(1, num);
	EXPECT_EQ(0, ranges[0].start);
	EXPECT_GT(UINT64_MAX, ranges[0].last);

	/* Up to the last page and not further. */
	beyond = ranges[0].last + 1;
	EXPECT_EQ(0, iova_map_at(self->dma.fd, self->dma.as, CORE_RW, self->p,
				 CORE_PAGE, beyond - CORE_PAGE));
	EXPECT_EQ(OK, dma_fill(&self->dma, beyond - CORE_PAGE, ~0ULL, CORE_PAGE));
	EXPECT_TRUE(BYTES(0, 0xff, 1));
	EXPECT_EQ(-EADDRNOTAVAIL, iova_map_at(self->dma.fd, self->dma.as,
					      CORE_RW, self->p, CORE_PAGE,
					      beyond));
	EXPECT_EQ(-EADDRNOTAVAIL, iova_map_at(self->dma.fd, self->dma.as,
					      CORE_RW, self->p, CORE_PAGE,
					      -CORE_PAGE));
	EXPECT_EQ(CORE_PAGE, iova_unmap(self->dma.fd, self->dma.as,
					beyond - CORE_PAGE, CORE_PAGE));
	EXPECT_EQ(-EADDRNOTAVAIL, iova_map_at(self->dma.fd, self->dma.as,
					      CORE_RW, self->p, 2 * CORE_PAGE,
					      beyond - CORE_PAGE));

	/* They grow again. */
	EXPECT_EQ(0, sva_sim_detach(self->dma.sim));
	num = 8;
	ASSERT_EQ(0, iova_ranges(self->dma.fd, self->dma.as, ranges, &num));
	ASSERT_EQ(1, num);
	EXPECT_EQ(UINT64_MAX, ranges[0].last);
}

/* What the engine's IOMMU cannot reach must not be there when it comes. */
TEST_F(iova_dma, mapped_beyond_what_the_iommu_reaches)
{
	ASSERT_EQ(0, iova_map_at(self->dma.fd, self->dma.as, CORE_RW, self->p,
				 CORE_PAGE, 1ULL << 60));
	EXPECT_EQ(-EADDRINUSE, dma_attach(&self->dma, 0));
	ASSERT_LT(0, iova_unmap(self->dma.fd, self->dma.as, 1ULL << 60,
				CORE_PAGE));
	EXPECT_EQ(0, sva_sim_attach(self->dma.sim, self->dma.fd,
				    self->dma.pasid, NULL));
	ASSERT_EQ(0, MAP(0, 1));
	EXPECT_EQ(OK, FILL(0, 1, 1));
}

/* --- untagged DMA ----------------------------------------------------------------- */

static int use_rid(struct dma *dma, uint32_t *handle)
{
	int ret = pasid_alloc_handle(dma->fd, SVA_PASID_F_RID, handle);

	if (ret)
		return ret;
	dma->pasid = *handle;
	return sva_pasid_bind(dma->fd, *handle, dma->as);
}

TEST_F(iova_dma, rid_handle)
{
	uint32_t handle;

	ASSERT_EQ(0, use_rid(&self->dma, &handle));
	ASSERT_EQ(0, MAP(0, 16));
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	EXPECT_EQ(OK, FILL(0, 1, 16));
	EXPECT_TRUE(BYTES(0, 1, 16));
	ASSERT_LT(0, UNMAP(0, 16));
	EXPECT_EQ(FAULT, FILL(0, 2, 1));
}

/* Of the two reserved regions of the engine, ranges know: 3 pieces and more. */
TEST_F(iova_dma, ranges_of_a_rid_handle)
{
	struct sva_iova_range ranges[16];
	uint32_t handle, num = 0, i, needed;

	ASSERT_EQ(0, use_rid(&self->dma, &handle));
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	EXPECT_EQ(-EMSGSIZE, iova_ranges(self->dma.fd, self->dma.as, NULL,
					 &num));
	ASSERT_LT(1, num);
	ASSERT_GE(16, num);
	needed = num;

	/* As many as fit are written. */
	memset(ranges, 0xff, sizeof(ranges));
	num = 1;
	EXPECT_EQ(-EMSGSIZE, iova_ranges(self->dma.fd, self->dma.as, ranges,
					 &num));
	EXPECT_EQ(needed, num);
	EXPECT_EQ(0, ranges[0].start);
	EXPECT_EQ(UINT64_MAX, ranges[1].start);

	num = 16;
	ASSERT_EQ(0, iova_ranges(self->dma.fd, self->dma.as, ranges, &num));
	ASSERT_EQ(needed, num);
	for (i = 0; i < num; i++) {
		EXPECT_LT(ranges[i].start, ranges[i].last);
		if (!i)
			continue;
		EXPECT_LT(ranges[i - 1].last + 1, ranges[i].start);
		EXPECT_EQ(-EADDRNOTAVAIL,
			  iova_map_at(self->dma.fd, self->dma.as, CORE_RW,
				      self->p, CORE_PAGE,
				      ranges[i - 1].last + 1));
		EXPECT_EQ(-EADDRNOTAVAIL,
			  iova_map_at(self->dma.fd, self->dma.as, CORE_RW,
				      self->p, 2 * CORE_PAGE,
				      ranges[i].start - CORE_PAGE));
		EXPECT_EQ(0, iova_map_at(self->dma.fd, self->dma.as, CORE_RW,
					 self->p, CORE_PAGE, ranges[i].start));
	}
	/* They end with the attachment. */
	EXPECT_EQ(0, sva_sim_detach(self->dma.sim));
	num = 16;
	ASSERT_EQ(0, iova_ranges(self->dma.fd, self->dma.as, ranges, &num));
	EXPECT_EQ(1, num);
}

TEST_F(iova_dma, mapped_where_a_rid_handle_has_reserved_regions)
{
	struct sva_iova_range ranges[16];
	uint32_t handle, num = 16, pasid = self->dma.pasid;
	uint64_t at;

	ASSERT_EQ(0, use_rid(&self->dma, &handle));
	ASSERT_EQ(0, dma_attach(&self->dma, 0));
	ASSERT_EQ(0, iova_ranges(self->dma.fd, self->dma.as, ranges, &num));
	ASSERT_LT(1, num);
	at = ranges[0].last + 1;
	EXPECT_EQ(0, sva_sim_detach(self->dma.sim));

	ASSERT_EQ(0, iova_map_at(self->dma.fd, self->dma.as, CORE_RW, self->p,
				 CORE_PAGE, at));
	EXPECT_EQ(-EADDRINUSE, sva_sim_attach(self->dma.sim, self->dma.fd,
					      handle, NULL));
	/* A PASID does not care. */
	ASSERT_EQ(0, sva_pasid_bind(self->dma.fd, pasid, self->dma.as));
	ASSERT_EQ(0, sva_sim_attach(self->dma.sim, self->dma.fd, pasid, NULL));
	EXPECT_EQ(OK, dma_fill(&self->dma, at, ~0ULL, CORE_PAGE));
	EXPECT_TRUE(BYTES(0, 0xff, 1));
}

TEST_HARNESS_MAIN
