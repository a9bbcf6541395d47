// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bus: an engine's accesses, cut at page boundaries, each translated.
 */
#include <linux/bitmap.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>

#include "iommu.h"

/*
 * A page may be taken away again between the response to a page request and the
 * access, but not for ever; and some memory (VM_PFNMAP) can be faulted in but
 * not be used by us.
 */
#define PAGE_REQUESTS_MAX 8

/*
 * Finds out which of the pages that the engine is about to access are not there
 * either, in order to ask for them together: as it does with real devices, the
 * look counts as an access. A bit for each, of which @acc's is the first.
 */
static void missing_pages(struct sva_sim_dma *dma, struct sim_domain *dom,
			  const struct sim_access *acc, unsigned long *pages)
{
	u64 end = offset_in_page(acc->addr) + max_t(u64, dma->ahead, 1) - 1;
	u64 max = min_t(u64, READ_ONCE(acc->sdev->port->prq_group),
			(end >> PAGE_SHIFT) + 1);
	u64 i;

	bitmap_zero(pages, SVA_SIM_PRQ_GROUP_MAX);
	__set_bit(0, pages);
	for (i = 1; i < max; i++) {
		struct sim_access probe = *acc;

		probe.addr = (acc->addr & PAGE_MASK) + i * PAGE_SIZE;
		probe.len = 0;
		if (!sim_iotlb_hit(&probe) &&
		    dom->walk(dom, &probe) == -EFAULT && probe.recoverable)
			__set_bit(i, pages);
	}
}

static void wait_for_mmap_lock(struct mm_struct *mm)
{
	mmap_read_lock(mm);
	mmap_read_unlock(mm);
	mmdrop(mm);
}

/* Return: 0, -EAGAIN if it is worth another look, or an error. */
static int miss(struct sva_sim_dma *dma, struct sim_access *acc,
		unsigned int *asked)
{
	struct sim_dev *sdev = acc->sdev;
	DECLARE_BITMAP(pages, SVA_SIM_PRQ_GROUP_MAX);
	struct sim_prq prq = { .wait = &dma->wait };
	struct mm_struct *locked = NULL;
	struct sim_domain *dom;
	bool request;
	int idx, ret;

	atomic64_inc(&sdev->port->iotlb_misses);

	acc->locked = false;
	idx = srcu_read_lock(&sdev->walks);
	dom = sim_dev_domain(acc);
	ret = dom ? dom->walk(dom, acc) :
		    sim_fault(acc, SVA_SIM_FAULT_PASID_NONE, false);
	request = ret == -EFAULT && acc->recoverable &&
		  dom->domain.iopf_handler && !dma->no_fault &&
		  *asked < PAGE_REQUESTS_MAX;
	if (request) {
		missing_pages(dma, dom, acc, pages);
		sim_prq_report(&prq, acc, pages, dma->private_data);
	} else if (dom && ret == -EFAULT) {
		report_iommu_fault(&dom->domain, dma->dev, acc->addr,
				   acc->write ? IOMMU_FAULT_WRITE :
						IOMMU_FAULT_READ);
	} else if (acc->locked) {
		locked = dom->mm;
		mmgrab(locked);
	}
	srcu_read_unlock(&sdev->walks, idx);
	if (locked)
		wait_for_mmap_lock(locked);

	if (!request)
		return ret;
	++*asked;
	dma->page_requests++;
	return sim_prq_wait(&prq, sdev, dma) ?: -EAGAIN;
}

static int access_page(struct sva_sim_dma *dma, struct sim_access *acc)
{
	unsigned int asked = 0;
	int ret;

	do {
		cond_resched();
		if (READ_ONCE(dma->stop))
			return -ECANCELED;
		if (sim_iotlb_hit(acc))
			return 0;
		ret = miss(dma, acc, &asked);
	} while (ret == -EAGAIN);
	return ret;
}

static int access(struct sva_sim_dma *dma, u64 addr, void *buf, size_t len,
		  bool write)
{
	struct sim_access acc = {
		.sdev = to_sim_dev(dma->dev),
		.pasid = dma->pasid,
		.guest = dma->guest,
		.write = write,
	};
	int ret;

	for (dma->done = 0; dma->done < len; dma->done += acc.len) {
		acc.addr = addr + dma->done;
		acc.buf = buf + dma->done;
		acc.len = min(len - dma->done,
			      PAGE_SIZE - offset_in_page(acc.addr));
		ret = access_page(dma, &acc);
		dma->ahead -= min_t(u64, dma->ahead, acc.len);
		if (ret) {
			dma->fault_addr = acc.addr;
			if (ret == -EFAULT)
				WRITE_ONCE(acc.sdev->port->last_fault,
					   acc.fault);
			return ret;
		}
	}
	return 0;
}

/**
 * sva_sim_dma_init() - Prepare a stream of accesses
 * @dma: The stream
 * @dev: The engine's device, from sva_sim_port_add()
 */
void sva_sim_dma_init(struct sva_sim_dma *dma, struct device *dev)
{
	*dma = (struct sva_sim_dma) { .dev = dev };
	init_waitqueue_head(&dma->wait);
}
EXPORT_SYMBOL_GPL(sva_sim_dma_init);

/**
 * sva_sim_dma_read() - Read memory as a device does
 * @dma: The stream of accesses that this belongs to
 * @addr: Address
 * @buf: Where the data goes; not all of it is valid after an error
 * @len: Bytes; the range does not wrap around
 *
 * Each page is translated by itself, and read while its translation is valid.
 *
 * Context: Process context, no locks held; the engine's driver is bound. May
 * wait for the response to page requests, until sva_sim_dma_stop().
 * Return: 0; -EFAULT sva_sim_dma.fault_addr cannot be translated; -ECANCELED the
 * stream was stopped; -ENOMEM. sva_sim_dma.done bytes were moved.
 */
int sva_sim_dma_read(struct sva_sim_dma *dma, u64 addr, void *buf, size_t len)
{
	return access(dma, addr, buf, len, false);
}
EXPORT_SYMBOL_GPL(sva_sim_dma_read);

/**
 * sva_sim_dma_write() - Write memory as a device does
 * @dma: The stream of accesses that this belongs to
 * @addr: Address
 * @buf: The data
 * @len: Bytes; the range does not wrap around
 *
 * A naturally aligned word of four bytes is written at once, and is seen after
 * all that was written before it.
 *
 * Context: As sva_sim_dma_read().
 * Return: as sva_sim_dma_read().
 */
int sva_sim_dma_write(struct sva_sim_dma *dma, u64 addr, const void *buf,
		      size_t len)
{
	return access(dma, addr, (void *)buf, len, true);
}
EXPORT_SYMBOL_GPL(sva_sim_dma_write);

/**
 * sva_sim_dma_stop() - Make the accesses of a stream fail from now on
 * @dma: The stream
 *
 * One that is under way ends at the next page boundary. Clear
 * sva_sim_dma.stop to use the stream again.
 */
void sva_sim_dma_stop(struct sva_sim_dma *dma)
{
	WRITE_ONCE(dma->stop, true);
	wake_up_all(&dma->wait);
}
EXPORT_SYMBOL_GPL(sva_sim_dma_stop);
