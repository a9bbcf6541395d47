// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domains, and the table that says which PASID of a device has which.
 */
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "iommu.h"

static unsigned int va_bits = 47;
module_param(va_bits, uint, 0444);
MODULE_PARM_DESC(va_bits, "Address width of paging domains, 32 to 48 (47)");

unsigned int sim_va_bits(void)
{
	return clamp(va_bits, 32, 48);
}

struct sim_domain *sim_domain_new(struct sim_iommu *iommu)
{
	struct sim_domain *dom = kzalloc_obj(*dom, GFP_KERNEL_ACCOUNT);

	if (!dom)
		return NULL;
	dom->iommu = iommu;
	rwlock_init(&dom->own_lock);
	dom->lock = &dom->own_lock;
	return dom;
}

/**
 * sim_domain_flush() - Invalidate in all IOTLBs
 * @inv: What
 * @reap: Where what was cached goes
 *
 * Context: May be atomic; the domain's lock is held for writing.
 */
void sim_domain_flush(const struct sim_inv *inv, struct list_head *reap)
{
	struct sim_iommu *iommu = inv->dom->iommu;
	struct sim_dev *sdev;

	lockdep_assert_held_write(inv->dom->lock);

	read_lock(&iommu->devs_lock);
	list_for_each_entry(sdev, &iommu->devs, node) {
		if (READ_ONCE(sdev->port->iotlb_stale))
			continue;
		atomic64_inc(&sdev->port->invalidations);
		sim_iotlb_flush_range(&sdev->iotlb, inv, reap);
	}
	read_unlock(&iommu->devs_lock);
}

/**
 * sim_domain_invalidate() - Invalidate in all IOTLBs, and free what was there
 * @inv: What
 *
 * On return, no access through what was cached is under way or will come.
 */
void sim_domain_invalidate(const struct sim_inv *inv)
{
	LIST_HEAD(reap);

	write_lock(inv->dom->lock);
	sim_domain_flush(inv, &reap);
	write_unlock(inv->dom->lock);
	sim_iotlb_reap(&reap);
}

/*
 * The RID's entry is not in the xarray: the IOMMU core sets it in places where
 * it cannot deal with a lack of memory.
 */
static struct sim_domain *exchange_entry(struct sim_dev *sdev, u32 pasid,
					 struct sim_domain *dom)
{
	if (pasid == IOMMU_NO_PASID)
		return xchg(&sdev->rid, dom);
	if (!dom)
		return xa_erase(&sdev->table, pasid);
	return xa_store(&sdev->table, pasid, dom, GFP_KERNEL);
}

/*
 * A translation of @pasid was taken out of the table or replaced. On return,
 * nothing uses the old one: no access, no walk, and no page request can reach
 * a handler any more.
 */
static void drain(struct sim_dev *sdev, struct sim_domain *old, u32 pasid)
{
	if (old->is_table)
		sim_iotlb_flush_all(&sdev->iotlb);
	else
		sim_iotlb_flush_pasid(&sdev->iotlb, pasid);
	synchronize_srcu_expedited(&sdev->walks);
	if (sdev->iopf_on)
		iopf_queue_flush_dev(sdev->dev);
}

/**
 * sim_block() - Take away a device's translation
 * @sdev: The device
 * @pasid: PASID, 0 for accesses without one
 *
 * Context: The group's mutex is held, or the device is going away.
 */
void sim_block(struct sim_dev *sdev, u32 pasid)
{
	struct sim_domain *old = exchange_entry(sdev, pasid, NULL);

	if (old)
		drain(sdev, old, pasid);
}

/* The next bit of the mask says whether the test wants this attach refused. */
static bool refused(struct sva_sim_port *port)
{
	s64 mask = atomic64_read(&port->refuse);

	while (mask && !atomic64_try_cmpxchg(&port->refuse, &mask,
					     (s64)((u64)mask >> 1)))
		;
	return mask & 1;
}

/*
 * Who has a PASID table owns all PASIDs of the device; there is no telling then
 * whose another PASID would be.
 */
static bool conflicts(struct sim_dev *sdev, u32 pasid, struct sim_domain *dom)
{
	struct sim_domain *rid = READ_ONCE(sdev->rid);

	if (dom->is_table)
		return !xa_empty(&sdev->table);
	return pasid != IOMMU_NO_PASID && rid && rid->is_table;
}

static int enable_page_requests(struct sim_dev *sdev)
{
	int ret;

	if (sdev->iopf_on)
		return 0;
	ret = iopf_queue_add_device(sdev->iommu->iopf, sdev->dev);
	if (!ret)
		sdev->iopf_on = true;
	return ret;
}

/*
 * The store is the replacement: an access before it sees the old translation,
 * one after it the new one, and after drain() there is nothing left of the old.
 */
static int set_entry(struct sim_dev *sdev, u32 pasid, struct sim_domain *dom)
{
	struct sim_domain *old;
	int ret;

	if (READ_ONCE(sdev->port->teardown_first))
		sim_block(sdev, pasid);
	if (dom->iommu != sdev->iommu)
		return -EINVAL;
	if (conflicts(sdev, pasid, dom))
		return -EBUSY;
	if (refused(sdev->port))
		return -EBUSY;
	if (dom->domain.iopf_handler) {
		ret = enable_page_requests(sdev);
		if (ret)
			return ret;
	}

	old = exchange_entry(sdev, pasid, dom);
	if (xa_is_err(old))
		return xa_err(old);
	if (old && old != dom)
		drain(sdev, old, pasid);
	return 0;
}

int sim_attach_dev(struct iommu_domain *domain, struct device *dev,
		   struct iommu_domain *old)
{
	return set_entry(to_sim_dev(dev), IOMMU_NO_PASID,
			 to_sim_domain(domain));
}

int sim_set_dev_pasid(struct iommu_domain *domain, struct device *dev,
		      ioasid_t pasid, struct iommu_domain *old)
{
	return set_entry(to_sim_dev(dev), pasid, to_sim_domain(domain));
}

static int blocked_attach_dev(struct iommu_domain *domain, struct device *dev,
			      struct iommu_domain *old)
{
	sim_block(to_sim_dev(dev), IOMMU_NO_PASID);
	return 0;
}

static int blocked_set_dev_pasid(struct iommu_domain *domain,
				 struct device *dev, ioasid_t pasid,
				 struct iommu_domain *old)
{
	sim_block(to_sim_dev(dev), pasid);
	return 0;
}

static const struct iommu_domain_ops blocked_ops = {
	.attach_dev = blocked_attach_dev,
	.set_dev_pasid = blocked_set_dev_pasid,
};

struct iommu_domain sim_blocked_domain = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &blocked_ops,
};

/*
 * Identity is where the IOMMU core parks devices that no driver has claimed.
 * No engine is ever driven then; should one be, it gets no physical memory.
 */
static const struct iommu_domain_ops identity_ops = {
	.attach_dev = blocked_attach_dev,
};

struct iommu_domain sim_identity_domain = {
	.type = IOMMU_DOMAIN_IDENTITY,
	.ops = &identity_ops,
};

/* What is on the freelist was reachable for walks until here. */
static void paging_sync(struct iommu_domain *domain,
			struct iommu_iotlb_gather *gather)
{
	const struct sim_inv inv = {
		.dom = to_sim_domain(domain),
		.pasid = SIM_PASID_ANY,
		.start = gather->start,
		.last = gather->end,
	};

	sim_domain_invalidate(&inv);
	iommu_put_pages_list(&gather->freelist);
}

/* Software accesses go through the CPU's caches, whatever is asked for. */
static bool paging_enforce_coherency(struct iommu_domain *domain)
{
	return true;
}

static void paging_free(struct iommu_domain *domain)
{
	struct sim_domain *dom = to_sim_domain(domain);

	pt_iommu_deinit(&dom->pt.iommu);
	kfree(dom);
}

static const struct iommu_domain_ops paging_ops = {
	IOMMU_PT_DOMAIN_OPS(x86_64),
	.attach_dev = sim_attach_dev,
	.set_dev_pasid = sim_set_dev_pasid,
	.iotlb_sync = paging_sync,
	.enforce_cache_coherency = paging_enforce_coherency,
	.free = paging_free,
};

/**
 * sim_domain_can_nest() - Ask whether a domain can be a parent for a device
 * @domain: Any domain of this driver
 * @dev: The device
 *
 * Return: whether it is a nesting parent of the same instance.
 */
bool sim_domain_can_nest(struct iommu_domain *domain, struct device *dev)
{
	return domain->ops == &paging_ops &&
	       to_sim_domain(domain)->nest_parent &&
	       to_sim_domain(domain)->iommu == to_sim_dev(dev)->iommu;
}

/**
 * sim_domain_alloc_paging() - Make a domain with a page table
 * @dev: A device that will use it
 * @flags: Combination of IOMMU_HWPT_ALLOC_PASID and IOMMU_HWPT_ALLOC_NEST_PARENT
 * @data: There is none for this IOMMU
 *
 * Return: the domain or ERR_PTR.
 */
struct iommu_domain *sim_domain_alloc_paging(struct device *dev, u32 flags,
					     const struct iommu_user_data *data)
{
	struct pt_iommu_x86_64_cfg cfg = {
		.common.hw_max_vasz_lg2 = sim_va_bits(),
		.common.hw_max_oasz_lg2 = 52,
		.common.features = BIT(PT_FEAT_FLUSH_RANGE),
		.top_level = 3,
	};
	struct sim_domain *dom;
	int ret;

	if (data || flags & ~(IOMMU_HWPT_ALLOC_PASID |
			      IOMMU_HWPT_ALLOC_NEST_PARENT))
		return ERR_PTR(-EOPNOTSUPP);

	dom = sim_domain_new(to_sim_dev(dev)->iommu);
	if (!dom)
		return ERR_PTR(-ENOMEM);
	dom->walk = sim_walk_paging;
	dom->nest_parent = flags & IOMMU_HWPT_ALLOC_NEST_PARENT;
	dom->pt.iommu.iommu_device = dev;
	dom->pt.iommu.nid = NUMA_NO_NODE;
	dom->domain.ops = &paging_ops;
	ret = pt_iommu_x86_64_init(&dom->pt, &cfg, GFP_KERNEL_ACCOUNT);
	if (ret) {
		kfree(dom);
		return ERR_PTR(ret);
	}
	return &dom->domain;
}
