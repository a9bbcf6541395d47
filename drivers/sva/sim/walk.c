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
 * lookup() - Find what an address means
 * @dom: A paging domain
 * @acc: The access
 * @pfn: Out: the page frame
 *
 * Context: The domain's lock is held: tables are freed after iotlb_sync(), which
 * takes it for writing.
 * Return: level of the leaf, or -EFAULT.
 */
static int lookup(struct sim_domain *dom, struct sim_access *acc,
		  unsigned long *pfn)
{
	u64 need = PTE_PRESENT | PTE_USER | (acc->write ? PTE_WRITE : 0);
	struct pt_iommu_x86_64_hw_info info;
	phys_addr_t table;
	int level;

	lockdep_assert_held(&dom->lock);

	if (acc->addr > dom->domain.geometry.aperture_end)
		return -EFAULT;

	pt_iommu_x86_64_hw_info(&dom->pt, &info);
	table = info.gcr3_pt;
	for (level = info.levels - 1; level >= 0; level--) {
		unsigned int shift = PAGE_SHIFT + level * LEVEL_BITS;
		unsigned int idx = (acc->addr >> shift) & (BIT(LEVEL_BITS) - 1);
		u64 *entries = phys_to_virt(table);
		u64 pte = READ_ONCE(entries[idx]);

		if ((pte & need) != need)
			return -EFAULT;
		table = pte & PTE_ADDR;
		if (level && !(pte & PTE_LEAF))
			continue;
		if (level > LEAF_LEVEL_MAX)
			return -EFAULT;
		*pfn = PHYS_PFN(table & ~(BIT_ULL(shift) - 1)) +
		       (PHYS_PFN(acc->addr) & (BIT(shift - PAGE_SHIFT) - 1));
		return level;
	}
	return -EFAULT;
}

/* Who mapped the page holds it until after iotlb_sync(), which we hold off. */
static struct page *get_mapped_page(unsigned long pfn)
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
	struct sim_tlbe *tlbe;
	struct page *page;
	LIST_HEAD(reap);
	unsigned long pfn;
	int ret;

	tlbe = sim_tlbe_alloc(dom, acc, false);
	if (!tlbe)
		return -ENOMEM;

	read_lock(&dom->lock);
	ret = lookup(dom, acc, &pfn);
	if (ret < 0)
		goto unlock;
	if (ret > 0)
		atomic64_inc(&acc->sdev->port->huge_leafs);

	page = get_mapped_page(pfn);
	if (!page) {
		ret = -EFAULT;
		goto unlock;
	}
	sim_tlbe_set_page(tlbe, page);
	ret = sim_iotlb_fill(tlbe, acc, &reap);
unlock:
	read_unlock(&dom->lock);

	sim_iotlb_reap(&reap);
	if (ret)
		sim_tlbe_free(tlbe);
	return ret;
}
