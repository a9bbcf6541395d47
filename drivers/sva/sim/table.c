// SPDX-License-Identifier: GPL-2.0-only
/*
 * The other flavour of nesting: a guest owns a whole table of stage-1 tables,
 * one for each PASID of a function, as with Arm's and AMD's IOMMUs. Formats:
 * <uapi/linux/sva_sim.h>.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>
#include <uapi/linux/sva_sim.h>

#include "iommu.h"

static_assert(sizeof(struct sva_sim_table_entry) == 16);

/* An entry may be changed meanwhile; what is read is checked afterwards. */
static int read_entry(struct sim_domain *dom, struct sim_access *acc,
		      struct sva_sim_table_entry *entry)
{
	u64 gpa = dom->pasid_table + (u64)acc->pasid * sizeof(*entry);
	struct page *page = NULL;
	struct sim_s2 s2;
	void *mem;

	if (!sim_s2_lookup(dom->parent, gpa, &s2))
		page = sim_get_mapped_page(s2.pfn);
	if (!page)
		return sim_fault(acc, SVA_SIM_FAULT_PASID_ACCESS, false);

	mem = kmap_local_page(page);
	memcpy(entry, mem + offset_in_page(gpa), sizeof(*entry));
	kunmap_local(mem);
	put_page(page);
	return 0;
}

static int check_entry(struct sim_access *acc,
		       const struct sva_sim_table_entry *entry)
{
	if (!(entry->pgtbl & SVA_SIM_TABLE_VALID))
		return sim_fault(acc, SVA_SIM_FAULT_PASID_NONE, false);
	if (entry->__reserved ||
	    entry->pgtbl & ~(GENMASK_ULL(51, 12) | SVA_SIM_TABLE_VALID) ||
	    (entry->addr_width != 48 && entry->addr_width != 57))
		return sim_fault(acc, SVA_SIM_FAULT_PASID_RSVD, false);
	return 0;
}

/**
 * sim_table_find() - Find the stage-1 table of an access's PASID
 * @dom: A PASID table
 * @acc: The access
 * @s1: Out: the table
 * @reap: Where entries of the IOTLB go that made room
 *
 * Context: The domain's lock is held for reading.
 * Return: 0 or -EFAULT.
 */
int sim_table_find(struct sim_domain *dom, struct sim_access *acc,
		   struct sim_s1 *s1, struct list_head *reap)
{
	struct sva_sim_table_entry entry;
	struct sim_upper upper;
	int ret;

	if (acc->pasid >> dom->pasid_bits)
		return sim_fault(acc, SVA_SIM_FAULT_PASID_RANGE, false);

	if (sim_iotlb_find_upper(dom, acc, SIM_LEVEL_PASID, &upper)) {
		*s1 = upper.s1;
		return 0;
	}
	ret = read_entry(dom, acc, &entry);
	if (!ret)
		ret = check_entry(acc, &entry);
	if (ret)
		return ret;

	s1->table = entry.pgtbl & ~SVA_SIM_TABLE_VALID;
	s1->levels = entry.addr_width == 57 ? 5 : 4;
	upper = (struct sim_upper) { .s1 = *s1 };
	sim_iotlb_fill_upper(dom, acc, SIM_LEVEL_PASID, &upper, reap);
	return 0;
}

static int check_scope(const struct sim_domain *dom,
		       const struct sva_sim_invalidate *entry)
{
	bool range = entry->scope == SVA_SIM_INVALIDATE_RANGE;

	if (entry->scope > SVA_SIM_INVALIDATE_RANGE ||
	    entry->flags & ~SVA_SIM_INVALIDATE_F_LEAF)
		return -EOPNOTSUPP;
	if (entry->__reserved || (!range && (entry->flags || entry->addr ||
					     entry->npages)))
		return -EINVAL;
	if (entry->scope == SVA_SIM_INVALIDATE_TABLE)
		return entry->pasid ? -EINVAL : 0;
	return entry->pasid >> dom->pasid_bits ? -EINVAL : 0;
}

static int fill_inv(struct sim_inv *inv, const struct sva_sim_invalidate *entry)
{
	int ret = check_scope(inv->dom, entry);

	if (ret)
		return ret;
	inv->pasid = SIM_PASID_ANY;
	if (entry->scope != SVA_SIM_INVALIDATE_TABLE)
		inv->pasid = entry->pasid;
	inv->start = entry->addr;
	inv->last = U64_MAX;
	inv->leaf = entry->flags & SVA_SIM_INVALIDATE_F_LEAF;
	if (entry->scope != SVA_SIM_INVALIDATE_RANGE)
		return 0;
	/* The width is in the PASID's entry, which may have changed. */
	return sim_range_last(entry->addr, entry->npages, 57, &inv->last) ?
	       0 : -EINVAL;
}

static int table_invalidate(struct iommu_domain *domain,
			    struct iommu_user_data_array *array)
{
	struct sim_inv inv = { .dom = to_sim_domain(domain) };
	struct sva_sim_invalidate entry;
	u32 i, num = array->entry_num;
	int ret = 0;

	if (array->type != SVA_SIM_INVALIDATE_DATA_TABLE) {
		array->entry_num = 0;
		return -EINVAL;
	}

	for (i = 0; i < num; i++) {
		ret = iommu_copy_struct_from_user_array(&entry, array,
							array->type, i,
							__reserved);
		if (!ret)
			ret = fill_inv(&inv, &entry);
		if (ret)
			break;
		sim_domain_invalidate(&inv);
		cond_resched();
	}
	array->entry_num = i;
	return ret;
}

static const struct iommu_domain_ops table_ops = {
	.attach_dev = sim_attach_dev,
	.cache_invalidate_user = table_invalidate,
	.free = sim_nested_free,
};

/**
 * sim_domain_alloc_table() - Make a domain that is a PASID table
 * @dev: A device that will use it
 * @parent: What it is nested on
 * @flags: 0
 * @data: struct sva_sim_hwpt_table
 *
 * Return: the domain or ERR_PTR.
 */
struct iommu_domain *sim_domain_alloc_table(struct device *dev,
					    struct iommu_domain *parent,
					    u32 flags,
					    const struct iommu_user_data *data)
{
	struct sva_sim_hwpt_table table;
	struct sim_domain *dom;
	int ret;

	if (flags || data->type != SVA_SIM_HWPT_DATA_TABLE)
		return ERR_PTR(-EOPNOTSUPP);
	if (!sim_domain_can_nest(parent, dev))
		return ERR_PTR(-EINVAL);

	ret = iommu_copy_struct_from_user(&table, data, SVA_SIM_HWPT_DATA_TABLE,
					  flags);
	if (ret)
		return ERR_PTR(ret);
	if (table.flags)
		return ERR_PTR(-EOPNOTSUPP);
	if (table.table_gpa & ~GENMASK_ULL(51, 12) ||
	    table.entries_log2 > SIM_PASID_BITS_MAX)
		return ERR_PTR(-EINVAL);

	dom = sim_nested_new(parent, &table_ops);
	if (!dom)
		return ERR_PTR(-ENOMEM);
	dom->is_table = true;
	dom->pasid_table = table.table_gpa;
	dom->pasid_bits = table.entries_log2;
	return &dom->domain;
}
