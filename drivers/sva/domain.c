// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOMMU domains behind an IOVA address space: one for all devices that can
 * share it, kept in step with the map.
 */
#include <linux/slab.h>

#include "sva_private.h"

static u64 area_length(const struct sva_area *area)
{
	return area->last - area->iova + 1;
}

static int map_area(struct iommu_domain *domain, const struct sva_area *area)
{
	return sva_pages_map(area->pages, area->first_page,
			     area_length(area) / PAGE_SIZE, domain, area->iova,
			     area->prot | IOMMU_CACHE);
}

static void unmap_areas(struct sva_iova *iova, struct iommu_domain *domain,
			const struct sva_area *end)
{
	struct sva_area *area;

	for (area = sva_area_first(&iova->areas, 0); area != end;
	     area = sva_area_next(area))
		if (!area->pending)
			iommu_unmap(domain, area->iova, area_length(area));
}

/* A pending area is mapped later, to all domains that there are then. */
static int map_areas(struct sva_iova *iova, struct iommu_domain *domain)
{
	struct sva_area *area;
	int ret;

	for (area = sva_area_first(&iova->areas, 0); area;
	     area = sva_area_next(area)) {
		if (area->pending)
			continue;
		ret = map_area(domain, area);
		if (ret) {
			unmap_areas(iova, domain, area);
			return ret;
		}
		cond_resched();
	}
	return 0;
}

/* What the domain cannot translate must not be mapped. */
static int reserve_beyond(struct sva_iova *iova, struct sva_domain *domain)
{
	const struct iommu_domain_geometry *geo = &domain->domain->geometry;
	int ret = 0;

	if (!geo->force_aperture)
		return 0;
	if (geo->aperture_start)
		ret = sva_iova_reserve(iova, domain, 0, geo->aperture_start - 1);
	if (!ret && geo->aperture_end != U64_MAX)
		ret = sva_iova_reserve(iova, domain, geo->aperture_end + 1,
				       U64_MAX);
	return ret;
}

static struct iommu_domain *alloc_iommu_domain(struct sva_iova *iova,
					       struct device *dev)
{
	u32 flags = iova->nest_parent ? IOMMU_HWPT_ALLOC_NEST_PARENT : 0;
	struct iommu_domain *domain;

	/* AMD: only such a domain can be on the RID of a device with PASIDs. */
	domain = iommu_paging_domain_alloc_flags(dev, flags |
						 IOMMU_HWPT_ALLOC_PASID);
	if (domain == ERR_PTR(-EOPNOTSUPP))
		domain = iommu_paging_domain_alloc_flags(dev, flags);
	if (!IS_ERR(domain) && iova->as.faultq)
		domain->iopf_handler = sva_fault_handler;
	return domain;
}

static void free_domain(struct sva_domain *domain)
{
	sva_iova_unreserve(sva_as_to_iova(domain->as), domain);
	iommu_domain_free(domain->domain);
	kfree(domain);
}

/*
 * A group is attached as one, and who holds its DMA ownership may do so without
 * a device of it that is known to stay. What has to be asked of a device is
 * therefore asked while the group cannot lose it.
 */
static int is_incoherent(struct device *dev, void *unused)
{
	return !device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY);
}

static int can_enforce(struct device *dev, void *unused)
{
	return device_iommu_capable(dev, IOMMU_CAP_ENFORCE_CACHE_COHERENCY);
}

static bool can_enforce_coherency(struct iommu_group *group)
{
	return iommu_group_for_each_dev(group, NULL, can_enforce);
}

static int tell_iommu(struct device *dev, void *data)
{
	struct iommu_device **iommu = data;

	*iommu = dev->iommu->iommu_dev;
	return 1;
}

/**
 * sva_group_iommu() - The IOMMU instance that a group is behind
 * @group: The group
 *
 * Return: the instance, only to be compared, or NULL if there is no device left.
 */
struct iommu_device *sva_group_iommu(struct iommu_group *group)
{
	struct iommu_device *iommu = NULL;

	iommu_group_for_each_dev(group, &iommu, tell_iommu);
	return iommu;
}

struct alloc_args {
	struct sva_domain *domain;
	struct device *dev;		/* NULL: any will do */
};

static int alloc_for(struct device *dev, void *data)
{
	struct alloc_args *args = data;
	struct sva_domain *domain = args->domain;

	if (args->dev && args->dev != dev)
		return 0;
	domain->iommu = dev->iommu->iommu_dev;
	domain->domain = alloc_iommu_domain(sva_as_to_iova(domain->as), dev);
	return 1;
}

static void alloc_for_group(struct sva_domain *domain, struct iommu_group *group,
			    struct device *dev)
{
	struct alloc_args args = { .domain = domain, .dev = dev };

	domain->domain = ERR_PTR(-ENODEV);
	if (iommu_group_for_each_dev(group, &args, alloc_for))
		return;
	args.dev = NULL;
	iommu_group_for_each_dev(group, &args, alloc_for);
}

/*
 * Where interrupts go through the IOMMU's translation (most Arm systems): the range
 * in which the kernel maps their doorbells, in each domain that untagged requests
 * go through, when a driver asks for interrupts.
 */
struct msi_window {
	u64 start;			/* 0: the group has none */
	u64 last;
};

/* Real MSI regions count more, as for VFIO's type1. */
static int find_msi_window(struct iommu_group *group, struct msi_window *window)
{
	struct iommu_resv_region *region, *next;
	bool real = false;
	LIST_HEAD(regions);
	int ret;

	*window = (struct msi_window) {};
	ret = iommu_get_group_resv_regions(group, &regions);
	list_for_each_entry_safe(region, next, &regions, list) {
		if (region->type == IOMMU_RESV_MSI)
			real = true;
		if (region->type == IOMMU_RESV_SW_MSI) {
			window->start = region->start;
			window->last = region->start + region->length - 1;
		}
		kfree(region);
	}
	if (real)
		window->start = 0;
	return ret;
}

/*
 * What the kernel has mapped there stays as long as the domain: so does the range
 * reserved, even if only PASIDs are left in it.
 */
static int prepare_msi(struct sva_iova *iova, struct sva_domain *domain,
		       const struct msi_window *window)
{
	int ret;

	if (!window->start)
		return 0;
	ret = iommu_get_msi_cookie(domain->domain, window->start);
	/* Then the kernel maps no doorbells at all. */
	if (ret == -ENODEV)
		return 0;
	if (ret)
		return ret;
	domain->msi_window = window->start;
	return sva_iova_reserve(iova, domain, window->start, window->last);
}

/*
 * Makes a domain fit for @group and fills it with the map. Of several devices,
 * @dev is the one to ask, if it is there still.
 */
static struct sva_domain *new_domain(struct sva_iova *iova,
				     struct iommu_group *group,
				     struct device *dev,
				     const struct msi_window *window)
{
	struct sva_domain *domain;
	int ret;

	domain = kzalloc_obj(*domain, GFP_KERNEL_ACCOUNT);
	if (!domain)
		return ERR_PTR(-ENOMEM);
	domain->as = &iova->as;
	alloc_for_group(domain, group, dev);
	if (IS_ERR(domain->domain)) {
		ret = PTR_ERR(domain->domain);
		kfree(domain);
		return ERR_PTR(ret);
	}

	/* Before the first map: drivers cannot change what is mapped already. */
	if (can_enforce_coherency(group) &&
	    domain->domain->ops->enforce_cache_coherency)
		domain->coherent =
			domain->domain->ops->enforce_cache_coherency(domain->domain);

	ret = -EOPNOTSUPP;
	if (!(domain->domain->pgsize_bitmap & PAGE_SIZE))
		goto out_free;
	ret = reserve_beyond(iova, domain) ?: prepare_msi(iova, domain, window);
	if (ret)
		goto out_free;
	ret = map_areas(iova, domain->domain);
	if (ret)
		goto out_free;
	return domain;

out_free:
	free_domain(domain);
	return ERR_PTR(ret);
}

/* Ranges that the untagged DMA of a group never reaches, or must not. */
static int reserve_for_group(struct sva_iova *iova,
			     const struct sva_target *target)
{
	struct iommu_resv_region *region, *next;
	LIST_HEAD(regions);
	int ret;

	ret = iommu_get_group_resv_regions(target->group, &regions);
	list_for_each_entry_safe(region, next, &regions, list) {
		if (!ret && region->type != IOMMU_RESV_DIRECT_RELAXABLE)
			ret = sva_iova_reserve(iova, target->owner,
					       region->start,
					       region->start + region->length - 1);
		kfree(region);
	}
	return ret;
}

static struct sva_domain *attach_existing(struct sva_iova *iova,
					  const struct sva_target *target,
					  const struct msi_window *window)
{
	bool want_coherent = can_enforce_coherency(target->group);
	struct sva_domain *domain;
	int ret;

	list_for_each_entry(domain, &iova->domains, node) {
		if (want_coherent && !domain->coherent)
			continue;
		if (window->start && domain->msi_window != window->start)
			continue;
		ret = sva_target_set(target, domain->domain);
		if (!ret)
			return domain;
		/* -EINVAL is how a driver says that they do not fit. */
		if (ret != -EINVAL)
			return ERR_PTR(ret);
	}
	return NULL;
}

static struct sva_domain *attach_any(struct sva_iova *iova,
				     const struct sva_target *target)
{
	struct msi_window window = {};
	struct sva_domain *domain;
	int ret = 0;

	if (target->pasid == IOMMU_NO_PASID)
		ret = find_msi_window(target->group, &window);
	if (ret)
		return ERR_PTR(ret);

	domain = attach_existing(iova, target, &window);
	if (domain)
		return domain;

	domain = new_domain(iova, target->group, target->dev, &window);
	if (IS_ERR(domain))
		return domain;
	ret = sva_target_set(target, domain->domain);
	if (ret) {
		unmap_areas(iova, domain->domain, NULL);
		free_domain(domain);
		return ERR_PTR(ret);
	}
	list_add_tail(&domain->node, &iova->domains);
	return domain;
}

/**
 * sva_iova_reserve_for() - Keep from being mapped what a target cannot reach
 * @iova: The address space
 * @target: The target; its owner holds the ranges. They matter for a RID only
 *
 * Return: 0, -EADDRINUSE if something is mapped there, -ENOMEM.
 */
int sva_iova_reserve_for(struct sva_iova *iova, const struct sva_target *target)
{
	int ret;

	if (target->pasid != IOMMU_NO_PASID)
		return 0;
	guard(mutex)(&iova->lock);
	ret = reserve_for_group(iova, target);
	if (ret)
		sva_iova_unreserve(iova, target->owner);
	return ret;
}

/**
 * sva_iova_unreserve_for() - Undo sva_iova_reserve_for()
 * @iova: The address space
 * @owner: The target's owner
 */
void sva_iova_unreserve_for(struct sva_iova *iova, void *owner)
{
	guard(mutex)(&iova->lock);
	sva_iova_unreserve(iova, owner);
}

/**
 * sva_domain_attach() - Translate a target through an IOVA address space
 * @as: The address space
 * @target: The target; its owner holds the ranges reserved for a RID
 *
 * Context: The caller holds the context's lock.
 * Return: the domain, with one more user, or ERR_PTR: -EADDRINUSE something is
 * mapped where it cannot be for the target; -EOPNOTSUPP the device's IOMMU
 * cannot do it, -ENOMEM, or what the IOMMU driver answered.
 */
struct sva_domain *sva_domain_attach(struct sva_as *as,
				     const struct sva_target *target)
{
	struct sva_iova *iova = sva_as_to_iova(as);
	struct sva_domain *domain;
	int ret;

	if (iommu_group_for_each_dev(target->group, NULL, is_incoherent))
		return ERR_PTR(-EOPNOTSUPP);

	ret = sva_iova_reserve_for(iova, target);
	if (ret)
		return ERR_PTR(ret);

	guard(mutex)(&iova->lock);
	domain = attach_any(iova, target);
	if (IS_ERR(domain))
		sva_iova_unreserve(iova, target->owner);
	else
		domain->users++;
	return domain;
}

/**
 * sva_domain_get_parent() - The domain that nests on a device's IOMMU instance
 * @iova: A nesting parent
 * @sdev: The device
 *
 * Return: the domain, with one more user, or ERR_PTR as sva_domain_attach().
 */
struct sva_domain *sva_domain_get_parent(struct sva_iova *iova,
					 struct sva_device *sdev)
{
	struct iommu_group *group = sdev->group->group;
	struct iommu_device *iommu = sva_group_iommu(group);
	const struct msi_window none = {};
	struct sva_domain *domain;

	if (iommu_group_for_each_dev(group, NULL, is_incoherent))
		return ERR_PTR(-EOPNOTSUPP);

	guard(mutex)(&iova->lock);
	list_for_each_entry(domain, &iova->domains, node) {
		if (domain->iommu == iommu &&
		    domain->coherent >= can_enforce_coherency(group)) {
			domain->users++;
			return domain;
		}
	}

	domain = new_domain(iova, group, sdev->dev, &none);
	if (IS_ERR(domain))
		return domain;
	list_add_tail(&domain->node, &iova->domains);
	domain->users = 1;
	return domain;
}

/**
 * sva_domain_put() - End the use of a domain of an IOVA address space
 * @domain: The domain; no target is set to it on behalf of this use
 * @owner: The target's owner
 */
void sva_domain_put(struct sva_domain *domain, void *owner)
{
	struct sva_iova *iova = sva_as_to_iova(domain->as);

	guard(mutex)(&iova->lock);
	sva_iova_unreserve(iova, owner);
	if (--domain->users)
		return;
	list_del(&domain->node);
	unmap_areas(iova, domain->domain, NULL);
	free_domain(domain);
}

/**
 * sva_domains_map() - Map an area into all domains of its address space
 * @iova: The address space; the caller holds its lock
 * @area: The area, which is pending
 *
 * Return: 0 or an error, after which it is mapped in none.
 */
int sva_domains_map(struct sva_iova *iova, struct sva_area *area)
{
	struct sva_domain *domain;
	int ret;

	lockdep_assert_held(&iova->lock);

	list_for_each_entry(domain, &iova->domains, node) {
		ret = map_area(domain->domain, area);
		if (ret)
			goto out_unmap;
	}
	return 0;

out_unmap:
	list_for_each_entry_continue_reverse(domain, &iova->domains, node)
		iommu_unmap(domain->domain, area->iova, area_length(area));
	return ret;
}

/**
 * sva_domains_unmap() - Unmap areas from all domains of their address space
 * @iova: The address space; the caller holds its lock
 * @areas: The areas, linked by unmap_node
 *
 * One IOTLB flush per domain; afterwards no device reaches the memory.
 */
void sva_domains_unmap(struct sva_iova *iova, struct list_head *areas)
{
	struct iommu_iotlb_gather gather;
	struct sva_domain *domain;
	struct sva_area *area;

	lockdep_assert_held(&iova->lock);

	list_for_each_entry(domain, &iova->domains, node) {
		iommu_iotlb_gather_init(&gather);
		list_for_each_entry(area, areas, unmap_node)
			iommu_unmap_fast(domain->domain, area->iova,
					 area_length(area), &gather);
		iommu_iotlb_sync(domain->domain, &gather);
	}
}
