// SPDX-License-Identifier: GPL-2.0-only
/*
 * Invalidation of stage-1 translations: what is stale until it is asked for and
 * gone afterwards, no more and no less; and what an entry may not say.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "guest.h"
#include "sva_uffd.h"
#include "kselftest_harness.h"

#define GVA	0x123456789000ULL
#define TYPE	IOMMU_HWPT_INVALIDATE_DATA_VTD_S1
#define LEAF	IOMMU_VTD_INV_FLAGS_LEAF

FIXTURE(invalidate) {
	struct guest g;
	struct guest_space s;
	uint64_t old;
	uint64_t new;
};

FIXTURE_VARIANT(invalidate) {
	bool rid;
};

FIXTURE_VARIANT_ADD(invalidate, pasid) { };
FIXTURE_VARIANT_ADD(invalidate, rid) { .rid = true };

FIXTURE_SETUP(invalidate)
{
	ASSERT_EQ(0, guest_init(&self->g, "0"));
	guest_space_init(&self->s, &self->g, 4);
	self->s.rid = variant->rid;
	self->old = guest_alloc(&self->g, CORE_PAGE);
	self->new = guest_alloc(&self->g, CORE_PAGE);
	*(uint64_t *)guest_ptr(&self->g, self->old) = 1;
	*(uint64_t *)guest_ptr(&self->g, self->new) = 2;
	ASSERT_EQ(0, guest_start(&self->s, self->g.sim, -1));
}

FIXTURE_TEARDOWN(invalidate)
{
	EXPECT_EQ(0, guest_exit(&self->g));
}

#define READS(gva, value) guest_reads(&self->s, self->g.sim, gva, value)
#define FLUSH(addr, npages, flags) guest_invalidate(&self->s, addr, npages, flags)

/*
 * Makes the engine remember an old page, and puts another in its place. Whether
 * it goes on reading the old one.
 */
static int replace(FIXTURE_DATA(invalidate) *self, uint64_t gva)
{
	int ret;

	guest_map(&self->s, gva, self->old, PTE_RWU, 0);
	ret = FLUSH(gva, 1, 0);
	if (ret)
		return ret;
	ret = READS(gva, 1);
	if (ret != 1)
		return ret;
	guest_map(&self->s, gva, self->new, PTE_RWU, 0);
	return READS(gva, 1);
}

#define REPLACE(gva) ASSERT_EQ(1, replace(self, gva))

TEST_F(invalidate, invalidate_page)
{
	REPLACE(GVA);
	REPLACE(GVA + CORE_PAGE);
	ASSERT_EQ(0, FLUSH(GVA, 1, LEAF));
	EXPECT_EQ(1, READS(GVA, 2));
	EXPECT_EQ(1, READS(GVA + CORE_PAGE, 1));
	ASSERT_EQ(0, FLUSH(GVA + CORE_PAGE, 1, 0));
	EXPECT_EQ(1, READS(GVA + CORE_PAGE, 2));
}

TEST_F(invalidate, invalidate_range)
{
	int i;

	for (i = 0; i < 6; i++)
		REPLACE(GVA + i * CORE_PAGE);
	ASSERT_EQ(0, FLUSH(GVA + CORE_PAGE, 3, LEAF));
	for (i = 0; i < 6; i++)
		EXPECT_EQ(1, READS(GVA + i * CORE_PAGE,
				   i >= 1 && i <= 3 ? 2 : 1));
}

TEST_F(invalidate, invalidate_all)
{
	REPLACE(GVA);
	REPLACE(GVA + (1ULL << 40));
	ASSERT_EQ(0, FLUSH(0, UINT64_MAX, 0));
	EXPECT_EQ(1, READS(GVA, 2));
	EXPECT_EQ(1, READS(GVA + (1ULL << 40), 2));
}

/* Upper levels are remembered until something else than a leaf is named. */
TEST_F(invalidate, invalidate_upper_levels)
{
	int level;

	for (level = 1; level < 4; level++) {
		uint64_t gva = GVA + level * (1ULL << 40);
		uint64_t *entry, old, table;

		guest_map(&self->s, gva, self->old, PTE_RWU, 0);
		entry = guest_entry(&self->s, gva, level);
		ASSERT_EQ(1, READS(gva, 1));

		/* A second branch from here down. */
		old = *entry;
		*entry = 0;
		guest_map(&self->s, gva, self->new, PTE_RWU, 0);
		table = *entry;
		EXPECT_NE(old & PTE_ADDR, table & PTE_ADDR);

		EXPECT_EQ(1, READS(gva, 1));
		ASSERT_EQ(0, FLUSH(gva, 1, LEAF));
		EXPECT_EQ(1, READS(gva, 1));
		ASSERT_EQ(0, FLUSH(gva, 1, 0));
		EXPECT_EQ(1, READS(gva, 2));
	}
}

/* One page of a huge one stands for all of it. */
TEST_F(invalidate, invalidate_huge_page)
{
	uint64_t gva = GVA & ~(CORE_2M - 1);
	uint64_t second = GUEST_BASE + CORE_2M;

	*(uint64_t *)guest_ptr(&self->g, second + 8 * CORE_PAGE) = 2;
	*(uint64_t *)guest_ptr(&self->g, GUEST_BASE + CORE_2M * 2 +
			       8 * CORE_PAGE) = 3;
	guest_map(&self->s, gva, second, PTE_RWU, 1);
	ASSERT_EQ(1, READS(gva + 8 * CORE_PAGE, 2));
	guest_map(&self->s, gva, second + CORE_2M, PTE_RWU, 1);
	EXPECT_EQ(1, READS(gva + 8 * CORE_PAGE, 2));
	ASSERT_EQ(0, FLUSH(gva + 100 * CORE_PAGE, 1, LEAF));
	EXPECT_EQ(1, READS(gva + 8 * CORE_PAGE, 3));
}

TEST_F(invalidate, invalidate_right_tag)
{
	struct guest_space other;
	int sim = sva_sim_open_name(self->g.node);

	ASSERT_LE(0, sim);
	guest_space_init(&other, &self->g, 5);
	ASSERT_EQ(0, guest_start(&other, sim, -1));
	guest_map(&other, GVA, self->old, PTE_RWU, 0);
	REPLACE(GVA);
	ASSERT_EQ(1, guest_reads(&other, sim, GVA, 1));
	guest_map(&other, GVA, self->new, PTE_RWU, 0);

	ASSERT_EQ(0, guest_invalidate(&other, 0, UINT64_MAX, 0));
	EXPECT_EQ(1, READS(GVA, 1));
	EXPECT_EQ(1, guest_reads(&other, sim, GVA, 2));
	ASSERT_EQ(0, FLUSH(0, UINT64_MAX, 0));
	EXPECT_EQ(1, READS(GVA, 2));
	close(sim);
}

/* One table under two PASIDs has one tag. */
TEST_F(invalidate, invalidate_two_pasids)
{
	int sim = sva_sim_open_name(self->g.node);
	uint32_t pasid;

	ASSERT_LE(0, sim);
	ASSERT_EQ(0, sva_pasid_alloc(self->g.fd, 0, 0, 0, &pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, pasid, self->s.as));
	ASSERT_EQ(0, sva_sim_attach(sim, self->g.fd, pasid, NULL));
	guest_map(&self->s, GVA, self->old, PTE_RWU, 0);
	ASSERT_EQ(1, guest_reads(&self->s, sim, GVA, 1));
	REPLACE(GVA);
	/* REPLACE() has flushed before, and only this PASID has looked since. */
	EXPECT_EQ(1, guest_reads(&self->s, sim, GVA, 2));
	ASSERT_EQ(0, FLUSH(GVA, 1, LEAF));
	EXPECT_EQ(1, READS(GVA, 2));
	close(sim);
}

TEST_F(invalidate, invalidate_probe)
{
	uint32_t num = 0;

	EXPECT_EQ(0, guest_invalidate_raw(self->g.fd, self->s.as, TYPE, NULL, 0,
					  &num));
	EXPECT_EQ(-EINVAL, guest_invalidate_raw(self->g.fd, self->s.as, 77, NULL,
						0, &num));
	EXPECT_EQ(-EINVAL, guest_invalidate_raw(self->g.fd, self->g.parent, TYPE,
						NULL, 0, &num));
	EXPECT_EQ(-ENOENT, guest_invalidate_raw(self->g.fd, 12345, TYPE, NULL, 0,
						&num));
}

TEST_F(invalidate, invalidate_bounds)
{
	struct iommu_hwpt_vtd_s1_invalidate inv = { .addr = GVA, .npages = 1 };
	struct {
		struct iommu_hwpt_vtd_s1_invalidate inv;
		uint64_t tail;
	} longer = { .inv = inv };
	uint32_t num = 1;

	EXPECT_EQ(-E2BIG, guest_invalidate_raw(self->g.fd, self->s.as, TYPE,
					       &inv, 4097, &num));
	EXPECT_EQ(0, num);
	num = 1;
	EXPECT_EQ(-ENOENT, guest_invalidate_raw(self->g.fd, 12345, TYPE, &inv,
						sizeof(inv), &num));
	EXPECT_EQ(0, num);
	num = 1;
	EXPECT_EQ(-EINVAL, guest_invalidate_raw(self->g.fd, self->s.as, TYPE,
						&inv, 0, &num));
	num = 1;
	EXPECT_EQ(-EINVAL, guest_invalidate_raw(self->g.fd, self->s.as, TYPE,
						&inv, sizeof(inv) - 1, &num));
	EXPECT_EQ(0, num);
	num = 1;
	EXPECT_EQ(-EINVAL, guest_invalidate_raw(self->g.fd, self->s.as, TYPE,
						&longer, sizeof(longer), &num));
	num = 0x7fffffff;
	EXPECT_EQ(-E2BIG, guest_invalidate_raw(self->g.fd, self->s.as, TYPE,
					       &inv, sizeof(inv), &num));
	EXPECT_EQ(0, num);
	num = 1;
	EXPECT_EQ(-EFAULT, guest_invalidate_raw(self->g.fd, self->s.as, TYPE,
						(void *)4096, sizeof(inv),
						&num));
	EXPECT_EQ(0, num);
}

/* What an entry may not say, as the third of four. */
TEST_F(invalidate, invalidate_wrong_entry)
{
	const struct {
		struct iommu_hwpt_vtd_s1_invalidate inv;
		int ret;
	} wrong[] = {
		{ { .addr = GVA + 1, .npages = 1 }, -EINVAL },
		{ { .addr = GVA, .npages = 0 }, -EINVAL },
		{ { .addr = GVA, .npages = UINT64_MAX }, -EINVAL },
		{ { .addr = GVA, .npages = 1ULL << 52 }, -EINVAL },
		{ { .addr = 1ULL << 47, .npages = 1 }, -EINVAL },
		{ { .addr = (1ULL << 47) - CORE_PAGE, .npages = 2 }, -EINVAL },
		{ { .addr = -CORE_PAGE, .npages = 2 }, -EINVAL },
		{ { .addr = GVA, .npages = 1, .flags = 2 }, -EOPNOTSUPP },
		{ { .addr = GVA, .npages = 1, .__reserved = 1 }, -EINVAL },
	};
	unsigned int i;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct iommu_hwpt_vtd_s1_invalidate inv[4] = {
			{ .addr = GVA, .npages = 1 },
			{ .addr = -CORE_PAGE, .npages = 1 },
			wrong[i].inv,
			{ .addr = GVA + CORE_PAGE, .npages = 1 },
		};
		uint32_t num = 4;

		REPLACE(GVA);
		REPLACE(GVA + CORE_PAGE);
		EXPECT_EQ(wrong[i].ret,
			  guest_invalidate_raw(self->g.fd, self->s.as, TYPE, inv,
					       sizeof(*inv), &num));
		EXPECT_EQ(2, num);
		EXPECT_EQ(1, READS(GVA, 2));
		EXPECT_EQ(1, READS(GVA + CORE_PAGE, 1));
	}
}

TEST_F(invalidate, invalidate_array)
{
	struct iommu_hwpt_vtd_s1_invalidate inv[100];
	long long before;
	uint32_t num = 100;
	int i;

	for (i = 0; i < 100; i++) {
		REPLACE(GVA + i * CORE_PAGE);
		inv[i] = (struct iommu_hwpt_vtd_s1_invalidate) {
			.addr = GVA + i * CORE_PAGE, .npages = 1, .flags = LEAF,
		};
	}
	before = sva_sim_count(self->g.engine, "invalidations");
	ASSERT_EQ(0, guest_invalidate_raw(self->g.fd, self->s.as, TYPE, inv,
					  sizeof(*inv), &num));
	EXPECT_EQ(100, num);
	/* None of them twice. */
	EXPECT_EQ(before + 100, sva_sim_count(self->g.engine, "invalidations"));
	for (i = 0; i < 100; i++)
		EXPECT_EQ(1, READS(GVA + i * CORE_PAGE, 2));
}

struct late {
	struct guest_space *s;
	const void *data;
	uint32_t len;
	uint32_t num;
	int ret;
};

static void *invalidate_late(void *arg)
{
	struct late *late = arg;

	late->ret = guest_invalidate_raw(late->s->guest->fd, late->s->as, TYPE,
					 late->data, late->len, &late->num);
	return NULL;
}

/* The array ends in a page that comes while the call is under way. */
TEST_F(invalidate, invalidate_late_array)
{
	struct iommu_hwpt_vtd_s1_invalidate *inv;
	struct late late = { .s = &self->s, .len = sizeof(*inv), .num = 4 };
	struct slow_memory slow;
	pthread_t thread;
	long long before;
	int i;

	ASSERT_EQ(0, slow_memory_init(&slow, CORE_PAGE));
	/* In front of the slow page there is one that is not slow. */
	inv = mmap(slow.base - CORE_PAGE, CORE_PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (inv == MAP_FAILED)
		SKIP(return, "no room in front of the memory");
	inv = (void *)(slow.base - 2 * sizeof(*inv));
	for (i = 0; i < 2; i++)
		inv[i] = (struct iommu_hwpt_vtd_s1_invalidate) {
			.addr = GVA + i * CORE_PAGE, .npages = 1,
		};
	before = sva_sim_count(self->g.engine, "invalidations");
	late.data = inv;
	ASSERT_EQ(0, pthread_create(&thread, NULL, invalidate_late, &late));
	EXPECT_EQ(0, slow_memory_wait(&slow));
	EXPECT_EQ(before + 2, sva_sim_count(self->g.engine, "invalidations"));
	EXPECT_EQ(0, slow_memory_fill(&slow));
	pthread_join(thread, NULL);
	/* What came are zeros: an entry of no pages. */
	EXPECT_EQ(-EINVAL, late.ret);
	EXPECT_EQ(2, late.num);
	EXPECT_EQ(before + 2, sva_sim_count(self->g.engine, "invalidations"));
	slow_memory_exit(&slow);
}

/* --- killed meanwhile ------------------------------------------------------------ */

#define ENTRIES	65536

/* Flushes arrays of pages over and over. */
static void flush_for_ever(const struct guest_space *s,
			   struct iommu_hwpt_vtd_s1_invalidate *inv)
{
	uint32_t num;
	int i;

	for (i = 0; i < ENTRIES; i++)
		inv[i] = (struct iommu_hwpt_vtd_s1_invalidate) {
			.addr = GVA + i * CORE_PAGE, .npages = 1,
		};
	do {
		num = ENTRIES;
	} while (!guest_invalidate_raw(s->guest->fd, s->as, TYPE, inv,
				       sizeof(*inv), &num));
	_exit(1);
}

#define FLUSHED() sva_sim_count(self->g.engine, "invalidations")

/* Waits until a child has flushed so many, and kills it. How many it has. */
static long long kill_after(const struct guest *g, pid_t pid, long long before,
			    long long num)
{
	int i, status;

	for (i = 0; i < SVA_TIMEOUT_MS; i++) {
		if (sva_sim_count(g->engine, "invalidations") >= before + num)
			break;
		core_sleep_ms(1);
	}
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) ||
	    i == SVA_TIMEOUT_MS)
		return -1;
	return sva_sim_count(g->engine, "invalidations") - before;
}

/* It does not go on to the end of its array. */
TEST_F(invalidate, invalidate_killed_in_the_middle)
{
	void *inv = sva_mem(ENTRIES * sizeof(struct iommu_hwpt_vtd_s1_invalidate));
	long long before, done;
	pid_t pid;

	ASSERT_NE(NULL, inv);
	REPLACE(GVA - CORE_PAGE);
	before = FLUSHED();
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		flush_for_ever(&self->s, inv);
	done = kill_after(&self->g, pid, before, 1000);
	EXPECT_LE(1000, done);
	EXPECT_NE(0, done % ENTRIES);
	TH_LOG("%lld entries", done);
	/* The address space is as good as before. */
	EXPECT_EQ(1, READS(GVA - CORE_PAGE, 1));
	ASSERT_EQ(0, FLUSH(GVA - CORE_PAGE, 1, 0));
	EXPECT_EQ(1, READS(GVA - CORE_PAGE, 2));
}

/* The third page of the array never comes. */
static void flush_what_never_comes(const struct guest_space *s)
{
	struct iommu_hwpt_vtd_s1_invalidate *inv;
	struct slow_memory slow;
	struct uffdio_copy copy = { .len = 2 * CORE_PAGE };
	uint32_t num = 4 * CORE_PAGE / sizeof(*inv), i;

	inv = sva_mem(2 * CORE_PAGE);
	if (!inv || slow_memory_init(&slow, 4 * CORE_PAGE))
		_exit(1);
	for (i = 0; i < 2 * CORE_PAGE / sizeof(*inv); i++)
		inv[i] = (struct iommu_hwpt_vtd_s1_invalidate) {
			.addr = GVA, .npages = 1,
		};
	copy.src = (uintptr_t)inv;
	copy.dst = (uintptr_t)slow.base;
	if (ioctl(slow.uffd, UFFDIO_COPY, &copy))
		_exit(2);
	guest_invalidate_raw(s->guest->fd, s->as, TYPE, slow.base, sizeof(*inv),
			     &num);
	_exit(3);
}

TEST_F(invalidate, invalidate_killed_while_it_waits_for_memory)
{
	const int num = 2 * CORE_PAGE / sizeof(struct iommu_hwpt_vtd_s1_invalidate);
	long long before = FLUSHED();
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid)
		flush_what_never_comes(&self->s);
	EXPECT_EQ(num, kill_after(&self->g, pid, before, num));
	EXPECT_EQ(0, FLUSH(GVA, 1, 0));
}

TEST_HARNESS_MAIN
