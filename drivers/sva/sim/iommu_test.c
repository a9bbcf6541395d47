// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: the walker, the IOTLB and the ranges of invalidations of the software
 * IOMMU. The domains are real ones; the device is none but for its IOTLB, so
 * that nobody else invalidates there.
 */
#include <kunit/test.h>
#include <linux/device/bus.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/platform_device.h>
#include <linux/prandom.h>
#include <linux/sizes.h>

#include "iommu.h"

#define IOVA	0x40000000UL
/* The n-th page from there */
#define PAGE_IOVA(n)	(IOVA + (n) * SZ_4K)
#define PTE_RWU	7ULL		/* present, writable, user: Intel SDM 3, 4.5 */

struct iommu_test {
	struct rnd_state rnd;
	struct device *engine;
	struct iommu_domain *domain;
	struct sim_domain *dom;
	struct sim_domain nested;
	struct sva_sim_port port;
	struct sim_dev sdev;
	struct page *pages;		/* 2 MiB */
	struct list_head reap;
};

static int is_engine(struct device *dev, const void *data)
{
	return dev->driver && !strcmp(dev->driver->name, SVA_SIM_DRIVER_NAME) &&
	       sva_sim_port_of(dev) && to_sim_dev(dev) &&
	       to_sim_dev(dev)->iommu == sim_iommu_get(0);
}

static int iommu_test_init(struct kunit *test)
{
	struct iommu_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	prandom_seed_state(&t->rnd, 20261121);
	INIT_LIST_HEAD(&t->reap);
	t->engine = bus_find_device(&platform_bus_type, NULL, NULL, is_engine);
	if (!t->engine)
		kunit_skip(test, "there is no engine: load sva_sim first");

	t->domain = iommu_paging_domain_alloc_flags(t->engine,
						    IOMMU_HWPT_ALLOC_PASID |
						    IOMMU_HWPT_ALLOC_NEST_PARENT);
	KUNIT_ASSERT_FALSE(test, IS_ERR(t->domain));
	t->dom = to_sim_domain(t->domain);
	t->pages = alloc_pages(GFP_KERNEL | __GFP_COMP | __GFP_ZERO, 9);
	KUNIT_ASSERT_NOT_NULL(test, t->pages);

	t->nested = (struct sim_domain) {
		.iommu = t->dom->iommu, .lock = t->dom->lock, .parent = t->dom,
		.s1 = { .table = IOVA, .levels = 4 },
	};
	t->sdev = (struct sim_dev) {
		.iommu = t->dom->iommu, .port = &t->port, .rid = t->dom,
	};
	xa_init(&t->sdev.table);
	sim_iotlb_init(&t->sdev.iotlb);
	return 0;
}

static void iommu_test_exit(struct kunit *test)
{
	struct iommu_test *t = test->priv;

	if (!t || !t->engine)
		return;
	if (t->pages) {
		sim_iotlb_flush_all(&t->sdev.iotlb);
		sim_iotlb_reap(&t->reap);
		__free_pages(t->pages, 9);
	}
	if (!IS_ERR_OR_NULL(t->domain))
		iommu_domain_free(t->domain);
	put_device(t->engine);
}

static u64 *page_at(struct iommu_test *t, unsigned int n)
{
	return page_address(t->pages + n);
}

static int map(struct iommu_test *t, u64 iova, unsigned int page, size_t size,
	       int prot)
{
	return iommu_map(t->domain, iova, page_to_phys(t->pages + page), size,
			 prot, GFP_KERNEL);
}

static int look_up(struct iommu_test *t, u64 iova, struct sim_s2 *s2)
{
	int ret;

	read_lock(t->dom->lock);
	ret = sim_s2_lookup(t->dom, iova, s2);
	read_unlock(t->dom->lock);
	return ret;
}

/* What the walker finds is what the IOMMU core has put there. */
static void stage2_random(struct kunit *test)
{
	struct iommu_test *t = test->priv;
	bool mapped[64] = {};
	struct sim_s2 s2;
	unsigned int i;

	for (i = 0; i < 2000; i++) {
		unsigned int n = prandom_u32_state(&t->rnd) % ARRAY_SIZE(mapped);
		/* All levels have more than one entry. */
		u64 iova = IOVA + (n & 7) * SZ_4K + (n >> 3 & 1) * SZ_2M +
			   (n >> 4 & 1) * (u64)SZ_1G + (n >> 5) * (1ULL << 39);
		bool write = n & 1;

		if (mapped[n])
			KUNIT_ASSERT_EQ(test, SZ_4K,
					iommu_unmap(t->domain, iova, SZ_4K));
		else
			KUNIT_ASSERT_EQ(test, 0,
					map(t, iova, n, SZ_4K, IOMMU_READ |
					    (write ? IOMMU_WRITE : 0)));
		mapped[n] = !mapped[n];

		if (!mapped[n]) {
			KUNIT_ASSERT_EQ(test, -EFAULT, look_up(t, iova, &s2));
			continue;
		}
		KUNIT_ASSERT_EQ(test, 0, look_up(t, iova + 8, &s2));
		KUNIT_ASSERT_EQ(test, s2.pfn, page_to_pfn(t->pages + n));
		KUNIT_ASSERT_EQ(test, PFN_PHYS(s2.pfn),
				iommu_iova_to_phys(t->domain, iova));
		KUNIT_ASSERT_EQ(test, s2.write, write);
		KUNIT_ASSERT_EQ(test, s2.level, 0);
	}
}

static void stage2_huge(struct kunit *test)
{
	struct iommu_test *t = test->priv;
	struct sim_s2 s2;

	KUNIT_ASSERT_EQ(test, 0, map(t, IOVA, 0, SZ_2M, IOMMU_READ));
	KUNIT_ASSERT_EQ(test, 0, look_up(t, PAGE_IOVA(37), &s2));
	KUNIT_EXPECT_EQ(test, s2.pfn, page_to_pfn(t->pages + 37));
	KUNIT_EXPECT_EQ(test, s2.level, 1);
	KUNIT_EXPECT_FALSE(test, s2.write);
	KUNIT_EXPECT_EQ(test, -EFAULT, look_up(t, PAGE_IOVA(512), &s2));
	KUNIT_EXPECT_EQ(test, -EFAULT, look_up(t, IOVA - 1, &s2));
	KUNIT_EXPECT_EQ(test, -EFAULT, look_up(t, U64_MAX, &s2));
	KUNIT_EXPECT_EQ(test, -EFAULT,
			look_up(t, t->domain->geometry.aperture_end + 1, &s2));
}

static struct sim_access access(struct iommu_test *t, u64 addr, u64 *word,
				bool write)
{
	return (struct sim_access) {
		.sdev = &t->sdev, .addr = addr, .buf = word,
		.len = sizeof(*word), .write = write,
	};
}

static bool hits(struct iommu_test *t, u64 addr, u64 *word, bool write)
{
	struct sim_access acc = access(t, addr, word, write);

	return sim_iotlb_hit(&acc);
}

static int walk_paging(struct iommu_test *t, u64 addr, u64 *word, bool write)
{
	struct sim_access acc = access(t, addr, word, write);

	return sim_walk_paging(t->dom, &acc);
}

static void flush(struct iommu_test *t, u64 start, u64 last)
{
	const struct sim_inv inv = {
		.dom = t->dom, .pasid = SIM_PASID_ANY,
		.start = start, .last = last,
	};

	sim_iotlb_flush_range(&t->sdev.iotlb, &inv, &t->reap);
}

static void iotlb_remembers(struct kunit *test)
{
	struct iommu_test *t = test->priv;
	u64 word = 0;

	KUNIT_ASSERT_EQ(test, 0, map(t, IOVA, 0, 4 * SZ_4K, IOMMU_READ));
	page_at(t, 1)[0] = 11;
	KUNIT_EXPECT_FALSE(test, hits(t, PAGE_IOVA(1), &word, false));
	KUNIT_ASSERT_EQ(test, 0, walk_paging(t, PAGE_IOVA(1), &word, false));
	KUNIT_EXPECT_EQ(test, word, 11);

	/* The memory is read anew, the translation is not. */
	page_at(t, 1)[0] = 12;
	KUNIT_ASSERT_EQ(test, 4 * SZ_4K,
			iommu_unmap(t->domain, IOVA, 4 * SZ_4K));
	KUNIT_EXPECT_TRUE(test, hits(t, PAGE_IOVA(1), &word, false));
	KUNIT_EXPECT_EQ(test, word, 12);
	KUNIT_EXPECT_FALSE(test, hits(t, PAGE_IOVA(1), &word, true));
	KUNIT_EXPECT_FALSE(test, hits(t, PAGE_IOVA(2), &word, false));

	/* What lies beside does not matter. */
	flush(t, IOVA, PAGE_IOVA(1) - 1);
	flush(t, PAGE_IOVA(2), U64_MAX);
	KUNIT_EXPECT_TRUE(test, hits(t, PAGE_IOVA(1), &word, false));
	flush(t, PAGE_IOVA(2) - 1, PAGE_IOVA(2) - 1);
	KUNIT_EXPECT_FALSE(test, hits(t, PAGE_IOVA(1), &word, false));
	KUNIT_EXPECT_EQ(test, -EFAULT, walk_paging(t, IOVA, &word, false));
}

static void iotlb_is_bounded(struct kunit *test)
{
	struct iommu_test *t = test->priv;
	unsigned int i, size;
	u64 word;

	KUNIT_ASSERT_EQ(test, 0, map(t, IOVA, 0, SZ_2M, IOMMU_READ));
	for (i = 0; i < 512; i++)
		KUNIT_ASSERT_EQ(test, 0, walk_paging(t, PAGE_IOVA(i), &word,
						     false));
	size = t->sdev.iotlb.count;
	KUNIT_EXPECT_GT(test, size, 0);
	KUNIT_EXPECT_LE(test, size, 512);
	/* The oldest have gone. */
	for (i = 0; i < 512; i++)
		KUNIT_EXPECT_EQ(test, hits(t, PAGE_IOVA(i), &word, false),
				i >= 512 - size);
}

/* Another domain is attached between the walk and the use of its result. */
static void iotlb_after_a_change(struct kunit *test)
{
	struct iommu_test *t = test->priv;
	u64 word;

	KUNIT_ASSERT_EQ(test, 0, map(t, IOVA, 0, SZ_4K, IOMMU_READ));
	t->sdev.rid = &t->nested;
	KUNIT_EXPECT_EQ(test, -EAGAIN, walk_paging(t, IOVA, &word, false));
	KUNIT_EXPECT_EQ(test, t->sdev.iotlb.count, 0);
}

static int walk_nested(struct iommu_test *t, u64 gva, u64 *word, bool write,
		       enum sva_sim_fault *fault)
{
	struct sim_access acc = access(t, gva, word, write);
	int ret;

	t->sdev.rid = &t->nested;
	sim_iotlb_flush_all(&t->sdev.iotlb);
	ret = sim_walk_stage1(&t->nested, &acc);
	*fault = acc.fault;
	return ret;
}

/* Tables in the guest pages 0 to 3; address 0 is page 4. */
static void guest_tables(struct kunit *test)
{
	struct iommu_test *t = test->priv;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, map(t, IOVA, 0, 16 * SZ_4K,
				     IOMMU_READ | IOMMU_WRITE));
	for (i = 0; i < 4; i++)
		page_at(t, i)[0] = PAGE_IOVA(i + 1) | PTE_RWU;
	page_at(t, 4)[0] = 44;
}

static void stage1_walk(struct kunit *test)
{
	struct iommu_test *t = test->priv;
	enum sva_sim_fault fault;
	u64 word = 0;

	guest_tables(test);
	KUNIT_ASSERT_EQ(test, 0, walk_nested(t, 0, &word, false, &fault));
	KUNIT_EXPECT_EQ(test, word, 44);
	/* Accessed is set on the way, dirty by a write only. */
	KUNIT_EXPECT_EQ(test, page_at(t, 0)[0] & 0x60, 0x20);
	KUNIT_EXPECT_EQ(test, page_at(t, 3)[0] & 0x60, 0x20);
	word = 45;
	KUNIT_ASSERT_EQ(test, 0, walk_nested(t, 0, &word, true, &fault));
	KUNIT_EXPECT_EQ(test, page_at(t, 4)[0], 45);
	KUNIT_EXPECT_EQ(test, page_at(t, 3)[0] & 0x60, 0x60);
	KUNIT_EXPECT_EQ(test, page_at(t, 0)[0] & 0x60, 0x20);
}

static void stage1_faults(struct kunit *test)
{
	static const struct {
		unsigned int level;
		u64 entry;
		u64 gva;
		bool write;
		enum sva_sim_fault fault;
	} cases[] = {
		{ 3, 0, 0, false, SVA_SIM_FAULT_S1_NONE },
		{ 2, 0, 0, false, SVA_SIM_FAULT_S1_NONE },
		{ 1, 0, 0, false, SVA_SIM_FAULT_S1_NONE },
		{ 0, 0, 0, false, SVA_SIM_FAULT_S1_NONE },
		/* no large pages at the top; large ones are aligned */
		{ 3, IOVA | PTE_RWU | 0x80, 0, false, SVA_SIM_FAULT_S1_RSVD },
		{ 2, SZ_2M | PTE_RWU | 0x80, 0, false, SVA_SIM_FAULT_S1_RSVD },
		{ 1, SZ_8K | PTE_RWU | 0x80, 0, false, SVA_SIM_FAULT_S1_RSVD },
		/* no page of the guest */
		{ 0, (1ULL << 30) * 3 | PTE_RWU, 0, false, SVA_SIM_FAULT_S2 },
		{ 1, (1ULL << 30) * 3 | PTE_RWU, 0, false,
		  SVA_SIM_FAULT_S1_ACCESS },
		{ 0, GENMASK_ULL(51, 12) | PTE_RWU, 0, false,
		  SVA_SIM_FAULT_S1_WIDTH },
		/* rights, at any level */
		{ 0, PAGE_IOVA(4) | 5, 0, true, SVA_SIM_FAULT_WRITE },
		{ 2, PAGE_IOVA(2) | 5, 0, true, SVA_SIM_FAULT_WRITE },
		{ 0, PAGE_IOVA(4) | 3, 0, false, SVA_SIM_FAULT_USER },
		{ 3, PAGE_IOVA(1) | 3, 0, false, SVA_SIM_FAULT_USER },
		{ 3, 0, 1ULL << 47, false, SVA_SIM_FAULT_CANONICAL },
	};
	struct iommu_test *t = test->priv;
	enum sva_sim_fault fault;
	unsigned int i;
	u64 word = 0;

	guest_tables(test);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 *entry = &page_at(t, 3 - cases[i].level)[0];
		u64 old = *entry;

		*entry = cases[i].entry;
		KUNIT_EXPECT_EQ_MSG(test, -EFAULT,
				    walk_nested(t, cases[i].gva, &word,
						cases[i].write, &fault),
				    "case %u", i);
		KUNIT_EXPECT_EQ_MSG(test, fault, cases[i].fault, "case %u", i);
		*entry = old;
	}
	KUNIT_EXPECT_EQ(test, 0, walk_nested(t, 0, &word, true, &fault));
}

/* Whatever a guest writes into its tables, a walk ends and stays within. */
static void stage1_garbage(struct kunit *test)
{
	struct iommu_test *t = test->priv;
	enum sva_sim_fault fault;
	unsigned int i, j;
	u64 word;
	int ret;

	guest_tables(test);
	for (i = 0; i < 3000; i++) {
		for (j = 0; j < 4; j++) {
			u64 entry = prandom_u32_state(&t->rnd);

			entry = entry << 20 ^ prandom_u32_state(&t->rnd);
			/* Half of them point to a page of the guest. */
			if (entry & BIT_ULL(63 - 12))
				entry = PAGE_IOVA(entry >> 12 & 15) |
					(entry & 0x1ff) | 5;
			page_at(t, j)[0] = entry;
		}
		word = 0;
		ret = walk_nested(t, 0, &word, i & 1, &fault);
		KUNIT_ASSERT_TRUE(test, !ret || ret == -EFAULT);
	}
}

static void invalidation_range(struct kunit *test)
{
	static const struct {
		u64 addr;
		u64 npages;
		unsigned int width;
		bool good;
		u64 last;
	} cases[] = {
		{ 0, 1, 48, true, 0xfff },
		{ 0, 0, 48, false },
		{ 1, 1, 48, false },
		{ SZ_4K, 512, 48, true, SZ_4K + SZ_2M - 1 },
		/* the lower half ends, the upper one begins */
		{ BIT_ULL(47) - SZ_4K, 1, 48, true, BIT_ULL(47) - 1 },
		{ BIT_ULL(47) - SZ_4K, 2, 48, false },
		{ BIT_ULL(47), 1, 48, false },
		{ BIT_ULL(47), 1, 57, true, BIT_ULL(47) + SZ_4K - 1 },
		{ -BIT_ULL(47), 1, 48, true, -BIT_ULL(47) + SZ_4K - 1 },
		{ -BIT_ULL(47) - SZ_4K, 1, 48, false },
		{ -BIT_ULL(56) - SZ_4K, 1, 57, false },
		/* canonical at both ends is not enough */
		{ 0, 1ULL << 52, 48, false },
		{ BIT_ULL(47) - SZ_4K, (1ULL << 52) - (1ULL << 36) + 2, 48, false },
		/* the last page there is; sums that wrap around */
		{ -(u64)SZ_4K, 1, 48, true, U64_MAX },
		{ -(u64)SZ_4K, 2, 48, false },
		{ 0, U64_MAX, 48, false },
		{ 0, (1ULL << 52) + 1, 57, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 last = 0;

		KUNIT_EXPECT_EQ_MSG(test, cases[i].good,
				    sim_range_last(cases[i].addr, cases[i].npages,
						   cases[i].width, &last),
				    "case %u", i);
		if (cases[i].good)
			KUNIT_EXPECT_EQ_MSG(test, last, cases[i].last, "case %u", i);
	}
}

static struct kunit_case iommu_cases[] = {
	KUNIT_CASE(stage2_random),
	KUNIT_CASE(stage2_huge),
	KUNIT_CASE(iotlb_remembers),
	KUNIT_CASE(iotlb_is_bounded),
	KUNIT_CASE(iotlb_after_a_change),
	KUNIT_CASE(stage1_walk),
	KUNIT_CASE(stage1_faults),
	KUNIT_CASE(stage1_garbage),
	KUNIT_CASE(invalidation_range),
	{}
};

static struct kunit_suite iommu_suite = {
	.name = "sva_sim_iommu",
	.init = iommu_test_init,
	.exit = iommu_test_exit,
	.test_cases = iommu_cases,
};

kunit_test_suite(iommu_suite);
