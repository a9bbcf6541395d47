// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests: made by an access that found nothing, handled by the IOMMU
 * core's users, answered through sim_page_response().
 */
#include <linux/bitmap.h>

#include "iommu.h"

/**
 * sim_prq_report() - Make a page request group
 * @prq: Filled in; sim_prq_wait() has to be called for it afterwards
 * @acc: The access that needs the page
 * @pages: What to ask for: a bit for each page, of which the first is @acc's; of
 *         SVA_SIM_PRQ_GROUP_MAX
 * @private_data: What the device adds
 *
 * Context: In the SRCU section of the walk that did not find the page, so that
 * taking the translation away waits until the request is in the hands of the
 * IOMMU core, and can then wait for those.
 */
void sim_prq_report(struct sim_prq *prq, struct sim_access *acc,
		    const unsigned long *pages, const u64 *private_data)
{
	struct sim_dev *sdev = acc->sdev;
	struct iopf_fault evt = {
		.fault.type = IOMMU_FAULT_PAGE_REQ,
		.fault.prm = {
			.pasid = acc->pasid,
			.perm = acc->write ? IOMMU_FAULT_PERM_WRITE :
					     IOMMU_FAULT_PERM_READ,
			.private_data = { private_data[0], private_data[1] },
		},
	};
	unsigned long page, last = find_last_bit(pages, SVA_SIM_PRQ_GROUP_MAX);
	struct iommu_fault_page_request *prm = &evt.fault.prm;

	if (acc->pasid != IOMMU_NO_PASID)
		prm->flags |= IOMMU_FAULT_PAGE_REQUEST_PASID_VALID |
			      IOMMU_FAULT_PAGE_RESPONSE_NEEDS_PASID;

	spin_lock(&sdev->prq_lock);
	prq->grpid = sdev->next_grpid++;
	list_add_tail(&prq->node, &sdev->prq);
	spin_unlock(&sdev->prq_lock);

	prm->grpid = prq->grpid;
	atomic64_inc(&sdev->port->page_requests);
	for_each_set_bit(page, pages, SVA_SIM_PRQ_GROUP_MAX) {
		prm->addr = (acc->addr & PAGE_MASK) + page * PAGE_SIZE;
		if (page == last)
			prm->flags |= IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE;
		/* If nobody takes it, it has been answered on return. */
		iommu_report_device_fault(sdev->dev, &evt);
	}
}

/**
 * sim_prq_wait() - Wait until a page request is answered or the stream stops
 * @prq: The page request
 * @sdev: Who made it
 * @dma: The stream of accesses that it stopped
 *
 * An answer may still come after this has returned, and is ignored then.
 *
 * Return: 0 if the access is to be tried again; -EFAULT; -ECANCELED the stream
 * is being stopped.
 */
int sim_prq_wait(struct sim_prq *prq, struct sim_dev *sdev,
		 struct sva_sim_dma *dma)
{
	bool done;

	/* Who answers may be a process: idle, so as not to be called hung. */
	wait_event_idle(dma->wait, READ_ONCE(prq->done) ||
			READ_ONCE(dma->stop));

	/* Orders the reads, and waits for who is answering at this moment. */
	spin_lock(&sdev->prq_lock);
	done = prq->done;
	if (!done)
		list_del(&prq->node);
	spin_unlock(&sdev->prq_lock);

	if (!done)
		return -ECANCELED;
	return prq->code == IOMMU_PAGE_RESP_SUCCESS ? 0 : -EFAULT;
}

void sim_page_response(struct device *dev, struct iopf_fault *evt,
		       struct iommu_page_response *msg)
{
	struct sim_dev *sdev = to_sim_dev(dev);
	struct sim_prq *prq;

	spin_lock(&sdev->prq_lock);
	list_for_each_entry(prq, &sdev->prq, node) {
		if (prq->grpid != msg->grpid)
			continue;
		list_del(&prq->node);
		prq->code = msg->code;
		WRITE_ONCE(prq->done, true);
		wake_up_all(prq->wait);
		break;
	}
	spin_unlock(&sdev->prq_lock);
}
