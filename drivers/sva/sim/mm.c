// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domains that translate through a process's memory.
 *
 * Hardware reads the CPU's own page table. We ask mm to look at it instead, one
 * page at a time and without faulting, and keep what it says until an mmu
 * notifier tells us otherwise. What is not present becomes a page request.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "iommu.h"

/*
 * Called in any context that may change page tables, where sleeping may be
 * forbidden. Nothing below sleeps.
 */
static bool mm_invalidate(struct mmu_interval_notifier *notifier,
			  const struct mmu_notifier_range *range,
			  unsigned long seq)
{
	struct sim_domain *dom =
		container_of(notifier, struct sim_domain, notifier);
	const struct sim_inv inv = {
		.dom = dom,
		.pasid = SIM_PASID_ANY,
		.start = range->start,
		.last = range->end - 1,
	};
	LIST_HEAD(reap);

	write_lock(dom->lock);
	mmu_interval_set_seq(notifier, seq);
	sim_domain_flush(&inv, &reap);
	write_unlock(dom->lock);

	sim_iotlb_reap(&reap);
	return true;
}

static const struct mmu_interval_notifier_ops mm_notifier_ops = {
	.invalidate = mm_invalidate,
};

/*
 * A page that the device writes to has to be pinned, by the rules of mm. One
 * that it only reads must not be: pinning would need an unshare fault for a
 * page that is shared after a fork, and no page request asks for that.
 *
 * Return: the page, NULL if there is none, or ERR_PTR(-EAGAIN) if mmap_lock is
 * taken.
 */
static struct page *lookup(struct mm_struct *mm, struct sim_access *acc)
{
	struct page *page = NULL;
	long n;

	if (acc->addr >= TASK_SIZE_MAX || !mmget_not_zero(mm))
		return NULL;

	acc->locked = !mmap_read_trylock(mm);
	if (acc->locked) {
		mmput_async(mm);
		return ERR_PTR(-EAGAIN);
	}
	if (acc->write)
		n = pin_user_pages_remote(mm, acc->addr, 1,
					  FOLL_NOFAULT | FOLL_WRITE, &page,
					  NULL);
	else
		n = get_user_pages_remote(mm, acc->addr, 1, FOLL_NOFAULT, &page,
					  NULL);
	mmap_read_unlock(mm);

	/* If we are the last user, the process is torn down elsewhere. */
	mmput_async(mm);
	return n == 1 ? page : NULL;
}

static int sim_walk_mm(struct sim_domain *dom, struct sim_access *acc)
{
	struct sim_tlbe *tlbe;
	struct page *page;
	LIST_HEAD(reap);
	unsigned long seq;
	int ret = -EAGAIN;

	tlbe = sim_tlbe_alloc(dom, acc, acc->write);
	if (!tlbe)
		return -ENOMEM;

	seq = mmu_interval_read_begin(&dom->notifier);
	page = lookup(dom->mm, acc);
	if (IS_ERR_OR_NULL(page)) {
		sim_tlbe_free(tlbe);
		return page ? PTR_ERR(page) :
			      sim_fault(acc, SVA_SIM_FAULT_S1_NONE, true);
	}
	sim_tlbe_set_page(tlbe, page, PAGE_SHIFT);

	read_lock(dom->lock);
	if (!mmu_interval_read_retry(&dom->notifier, seq))
		ret = sim_iotlb_fill(tlbe, acc, &reap);
	read_unlock(dom->lock);

	sim_iotlb_reap(&reap);
	if (ret)
		sim_tlbe_free(tlbe);
	return ret;
}

static void sim_mm_free(struct iommu_domain *domain)
{
	struct sim_domain *dom = to_sim_domain(domain);

	mmu_interval_notifier_remove(&dom->notifier);
	kfree(dom);
}

static const struct iommu_domain_ops sim_mm_ops = {
	.set_dev_pasid = sim_set_dev_pasid,
	.free = sim_mm_free,
};

/**
 * sim_domain_alloc_sva() - Make a domain that translates through a process
 * @dev: A device that will use it
 * @mm: The process's memory; the caller holds a user reference
 *
 * Return: the domain or ERR_PTR.
 */
struct iommu_domain *sim_domain_alloc_sva(struct device *dev,
					  struct mm_struct *mm)
{
	struct sim_domain *dom = sim_domain_new(to_sim_dev(dev)->iommu);
	int ret;

	if (!dom)
		return ERR_PTR(-ENOMEM);
	dom->domain.ops = &sim_mm_ops;
	dom->walk = sim_walk_mm;
	dom->mm = mm;
	ret = mmu_interval_notifier_insert(&dom->notifier, mm, 0, ULONG_MAX,
					   &mm_notifier_ops);
	if (ret) {
		kfree(dom);
		return ERR_PTR(ret);
	}
	return &dom->domain;
}
