// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested domains: a stage-1 table of a guest over a paging domain, with VT-d's
 * data formats (linux/iommufd.h).
 */
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "iommu.h"

/* Addresses that an entry of a stage-1 table can hold: VT-d 9.9. */
#define S1_TABLE_ADDR	GENMASK_ULL(51, 12)

/**
 * sim_nested_new() - Make a domain on top of another
 * @parent: See sim_domain_can_nest()
 * @ops: Its operations
 *
 * Return: the domain, of which the caller fills in the tables; NULL without
 * memory.
 */
struct sim_domain *sim_nested_new(struct iommu_domain *parent,
				  const struct iommu_domain_ops *ops)
{
	struct sim_domain *dom = sim_domain_new(to_sim_domain(parent)->iommu);

	if (!dom)
		return NULL;
	dom->parent = to_sim_domain(parent);
	dom->lock = dom->parent->lock;
	dom->walk = sim_walk_stage1;
	dom->domain.type = IOMMU_DOMAIN_NESTED;
	dom->domain.ops = ops;
	return dom;
}

void sim_nested_free(struct iommu_domain *domain)
{
	kfree(to_sim_domain(domain));
}

/**
 * sim_range_last() - Check a range of addresses that a stage-1 table translates
 * @addr: First address
 * @npages: How many pages of 4 KiB
 * @width: Address width of the table
 * @last: Out: the last address
 *
 * Return: whether there is such a range: pages, all in one canonical half.
 */
bool sim_range_last(u64 addr, u64 npages, unsigned int width, u64 *last)
{
	u64 bytes;

	if (!IS_ALIGNED(addr, PAGE_SIZE) || !npages ||
	    check_mul_overflow(npages, (u64)PAGE_SIZE, &bytes) ||
	    check_add_overflow(addr, bytes - 1, last))
		return false;
	return sign_extend64(addr, width - 1) == addr &&
	       sign_extend64(*last, width - 1) == *last &&
	       addr >> 63 == *last >> 63;
}

/* VT-d has no form of "everything" that keeps the upper levels. */
static int fill_inv(struct sim_inv *inv,
		    const struct iommu_hwpt_vtd_s1_invalidate *entry)
{
	unsigned int width = inv->dom->s1.levels == 5 ? 57 : 48;

	if (entry->flags & ~IOMMU_VTD_INV_FLAGS_LEAF)
		return -EOPNOTSUPP;
	if (entry->__reserved)
		return -EINVAL;

	inv->start = entry->addr;
	inv->leaf = entry->flags & IOMMU_VTD_INV_FLAGS_LEAF;
	if (entry->npages == U64_MAX && !entry->addr) {
		inv->last = U64_MAX;
		inv->leaf = false;
		return 0;
	}
	return sim_range_last(entry->addr, entry->npages, width, &inv->last) ?
	       0 : -EINVAL;
}

static int nested_invalidate(struct iommu_domain *domain,
			     struct iommu_user_data_array *array)
{
	struct sim_inv inv = {
		.dom = to_sim_domain(domain),
		.pasid = SIM_PASID_ANY,
	};
	struct iommu_hwpt_vtd_s1_invalidate entry;
	u32 i, num = array->entry_num;
	int ret = 0;

	if (array->type != IOMMU_HWPT_INVALIDATE_DATA_VTD_S1) {
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

static const struct iommu_domain_ops nested_ops = {
	.attach_dev = sim_attach_dev,
	.set_dev_pasid = sim_set_dev_pasid,
	.cache_invalidate_user = nested_invalidate,
	.free = sim_nested_free,
};

/* Supervisor requests, extended access and write protection do not exist here. */
static int check_s1(const struct iommu_hwpt_vtd_s1 *s1)
{
	if (s1->flags)
		return -EOPNOTSUPP;
	if (s1->__reserved || s1->pgtbl_addr & ~S1_TABLE_ADDR)
		return -EINVAL;
	return s1->addr_width == 48 || s1->addr_width == 57 ? 0 : -EINVAL;
}

/**
 * sim_domain_alloc_nested() - Make a nested domain
 * @dev: A device that will use it
 * @parent: What it is nested on
 * @flags: 0 or IOMMU_HWPT_ALLOC_PASID
 * @data: struct iommu_hwpt_vtd_s1
 *
 * Return: the domain or ERR_PTR.
 */
struct iommu_domain *sim_domain_alloc_nested(struct device *dev,
					     struct iommu_domain *parent,
					     u32 flags,
					     const struct iommu_user_data *data)
{
	struct iommu_hwpt_vtd_s1 s1;
	struct sim_domain *dom;
	int ret;

	if (flags & ~IOMMU_HWPT_ALLOC_PASID ||
	    data->type != IOMMU_HWPT_DATA_VTD_S1)
		return ERR_PTR(-EOPNOTSUPP);
	if (!sim_domain_can_nest(parent, dev))
		return ERR_PTR(-EINVAL);

	ret = iommu_copy_struct_from_user(&s1, data, IOMMU_HWPT_DATA_VTD_S1,
					  __reserved);
	if (!ret)
		ret = check_s1(&s1);
	if (ret)
		return ERR_PTR(ret);

	dom = sim_nested_new(parent, &nested_ops);
	if (!dom)
		return ERR_PTR(-ENOMEM);
	dom->s1.table = s1.pgtbl_addr;
	dom->s1.levels = s1.addr_width == 57 ? 5 : 4;
	return &dom->domain;
}
