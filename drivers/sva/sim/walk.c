// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walk of a paging domain's table. The table is the IOMMU core's own, in
 * the format of an x86-64 CPU (Intel SDM volume 3, 4.5), and this is the
 * hardware that reads it.
 */
#include <linux/bits.h>
#include <linux/io.h>
#include <linux/mm.h>

#include "iommu.h"

#define PTE_PRESENT	BIT_ULL(0)
#define PTE_WRITE	BIT_ULL(1)
#define PTE_USER	BIT_ULL(2)
#define PTE_LEAF	BIT_ULL(7)
#define PTE_ADDR	GENMASK_ULL(51, 12)

/* Each level decodes 9 bits of the address; only the lowest three have leaves. */
#define LEVEL_BITS	9
#define LEAF_LEVEL_MAX	2

/**
 * sim_s2_lookup() - Find what an address means
 * @dom: A paging domain
 * @addr: The address
 * @s2: Out: what was found
 *
 * Context: The domain's lock is held: tables are freed after iotlb_sync(), which
 * takes it for writing.
 * Return: 0 or -EFAULT.
 */
int sim_s2_lookup(struct sim_domain *dom, u64 addr, struct sim_s2 *s2)
{
	struct pt_iommu_x86_64_hw_info info;
	phys_addr_t table;
	u64 rights = ~0ULL;
	int level;

	lockdep_assert_held(dom->lock);

	if (addr > dom->domain.geometry.aperture_end)
		return -EFAULT;

	pt_iommu_x86_64_hw_info(&dom->pt, &info);
	table = info.gcr3_pt;
	for (level = info.levels - 1; level >= 0; level--) {
		unsigned int shift = PAGE_SHIFT + level * LEVEL_BITS;
		unsigned int idx = (addr >> shift) & (BIT(LEVEL_BITS) - 1);
		u64 *entries = phys_to_virt(table);
		u64 pte = READ_ONCE(entries[idx]);

		rights &= pte;
		if (!(rights & PTE_PRESENT) || !(rights & PTE_USER))
			return -EFAULT;
		table = pte & PTE_ADDR;
		if (level && !(pte & PTE_LEAF))
			continue;
		if (level > LEAF_LEVEL_MAX)
			return -EFAULT;
		s2->pfn = PHYS_PFN(table & ~(BIT_ULL(shift) - 1)) +
			  (PHYS_PFN(addr) & (BIT(shift - PAGE_SHIFT) - 1));
		s2->write = rights & PTE_WRITE;
		s2->level = level;
		return 0;
	}
	return -EFAULT;
}

/**
 * sim_get_mapped_page() - Hold a page that a table refers to
 * @pfn: Its page frame
 *
 * Who mapped the page holds it until after iotlb_sync(), which the caller holds
 * off with the domain's lock.
 *
 * Return: the page or NULL.
 */
struct page *sim_get_mapped_page(unsigned long pfn)
{
	struct page *page;

	if (!pfn_valid(pfn))
		return NULL;
	page = pfn_to_page(pfn);
	return folio_try_get(page_folio(page)) ? page : NULL;
}

/**
 * sim_walk_paging() - Walk a paging domain for an access and make it
 * @dom: The domain
 * @acc: The access
 *
 * Return: see &sim_domain.walk.
 */
int sim_walk_paging(struct sim_domain *dom, struct sim_access *acc)
{
	struct page *page = NULL;
	struct sim_tlbe *tlbe;
	struct sim_s2 s2;
	LIST_HEAD(reap);
	int ret;

	tlbe = sim_tlbe_alloc(dom, acc, false);
	if (!tlbe)
		return -ENOMEM;

	read_lock(dom->lock);
	ret = sim_s2_lookup(dom, acc->addr, &s2);
	if (!ret && (s2.write || !acc->write))
		page = sim_get_mapped_page(s2.pfn);
	if (!page) {
		ret = sim_fault(acc, SVA_SIM_FAULT_S2, true);
		goto unlock;
	}
	if (s2.level)
		atomic64_inc(&acc->sdev->port->huge_leafs);
	sim_tlbe_set_page(tlbe, page, PAGE_SHIFT);
	ret = sim_iotlb_fill(tlbe, acc, &reap);
unlock:
	read_unlock(dom->lock);

	sim_iotlb_reap(&reap);
	if (ret)
		sim_tlbe_free(tlbe);
	return ret;
}
