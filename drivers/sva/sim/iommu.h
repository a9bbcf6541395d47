/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private header of the software IOMMU.
 *
 * Lock order, outermost first:
 *
 *   iommu_group.mutex		the IOMMU core's; held around attach and replace
 *     sim_dev.walks		SRCU: a walk, or the making of a page request;
 *				attach, replace and block wait for these
 *       mmap_lock		of the process whose memory is looked up
 *     sim_domain.lock		read: from the lookup in the domain until the
 *				result is in the IOTLB; write: invalidation
 *       sim_iommu.devs_lock
 *         sim_iotlb.lock	read: a hit and its copy; write: every change
 *
 *   sim_dev.prq_lock		alone
 *
 * mmap_lock is not held together with any of the three innermost locks by the
 * walk, but an mmu notifier may be called with it, so that nothing that takes
 * mmap_lock, allocates or sleeps may be done under them.
 *
 * A copy between memory and an engine is made under sim_iotlb.lock. Whoever has
 * removed an entry under the same lock therefore knows that no access through
 * it is under way or will come.
 */
#ifndef __SVA_SIM_IOMMU_H
#define __SVA_SIM_IOMMU_H

#include <linux/generic_pt/iommu.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/mmu_notifier.h>
#include <linux/rwlock.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/xarray.h>

#include "sim.h"

/*
 * Functions that are exported for IOMMU drivers, but declared only in headers
 * that the packages of kernel headers do not contain. In a kernel tree the
 * compiler holds these against the originals; out of tree modversions do.
 */
#ifdef SVA_IN_TREE
#include "../../iommu/iommu-pages.h"
#include "../../iommu/iommu-priv.h"
#endif
void iommu_put_pages_list(struct iommu_pages_list *list);
int iommu_mock_device_add(struct device *dev, struct iommu_device *iommu);

/* An engine whose PASIDs are wider than that cannot be: PCIe 6.0, 7.8.9. */
#define SIM_PASID_BITS_MAX 20

/**
 * struct sim_iommu - one instance of the software IOMMU
 * @iommu: The IOMMU core's view of it
 * @parent: The platform device that it is
 * @index: Number of the instance
 * @msi: What its devices' interrupts would pass, if they had any
 * @iopf: Where page requests of its devices are queued
 * @devs_lock: Protects @devs
 * @devs: Its devices (struct sim_dev)
 */
struct sim_iommu {
	struct iommu_device iommu;
	struct platform_device *parent;
	unsigned int index;
	struct irq_domain *msi;
	struct iopf_queue *iopf;
	rwlock_t devs_lock;
	struct list_head devs;
};

#define SIM_IOTLB_BUCKETS 64

/**
 * struct sim_iotlb - the translations that a device remembers
 * @lock: Protects everything here
 * @buckets: Entries by PASID and page
 * @fifo: The same entries, oldest first
 * @count: Number of entries
 */
struct sim_iotlb {
	rwlock_t lock;
	struct hlist_head buckets[SIM_IOTLB_BUCKETS];
	struct list_head fifo;
	unsigned int count;
};

/**
 * struct sim_dev - a device behind the software IOMMU
 * @dev: The device
 * @iommu: The instance that it is behind
 * @port: What sva_sim_port_add() was given
 * @group: Its group, held as long as another device may have to join it
 * @node: On sim_iommu.devs
 * @rid: What accesses without a PASID are translated through
 * @table: The PASID table: struct sim_domain by PASID
 * @walks: Readers are walks that use a domain out of @rid or @table
 * @iopf_on: The device is known to sim_iommu.iopf
 * @iotlb: Its IOTLB
 * @prq_lock: Protects @prq and @next_grpid
 * @prq: Page requests that wait for a response (struct sim_prq)
 * @next_grpid: Group index of the next page request
 */
struct sim_dev {
	struct device *dev;
	struct sim_iommu *iommu;
	struct sva_sim_port *port;
	struct iommu_group *group;
	struct list_head node;
	struct sim_domain *rid;
	struct xarray table;
	struct srcu_struct walks;
	bool iopf_on;
	struct sim_iotlb iotlb;
	spinlock_t prq_lock; /* Protects @prq and @next_grpid */
	struct list_head prq;
	u32 next_grpid;
};

struct sim_access;

/**
 * struct sim_domain - something to translate through
 * @domain: The IOMMU core's view of it
 * @pt: The page table of a paging domain, of which @domain is the beginning
 * @iommu: The only instance whose devices may use it
 * @lock: See the lock order
 * @walk: Translates and makes one access. 0, -EAGAIN: try again, -EFAULT: not
 *        present, or another error. Called in an SRCU section of sim_dev.walks
 * @mm: The process of an SVA domain, held by @notifier
 * @notifier: Tells about changes of @mm
 */
struct sim_domain {
	union {
		struct iommu_domain domain;
		struct pt_iommu_x86_64 pt;
	};
	struct sim_iommu *iommu;
	rwlock_t lock;
	int (*walk)(struct sim_domain *dom, struct sim_access *acc);
	struct mm_struct *mm;
	struct mmu_interval_notifier notifier;
};

PT_IOMMU_CHECK_DOMAIN(struct sim_domain, pt.iommu, domain);

/**
 * struct sim_access - an access that stays within one page
 * @sdev: Who makes it
 * @pasid: PASID that it carries
 * @addr: Address
 * @buf: Where the data is, or goes
 * @len: Bytes
 * @write: Direction: to @addr, or from it
 */
struct sim_access {
	struct sim_dev *sdev;
	u32 pasid;
	u64 addr;
	void *buf;
	size_t len;
	bool write;
};

/**
 * struct sim_prq - a page request
 * @node: On sim_dev.prq until it is answered
 * @grpid: Its page request group index
 * @wait: Who waits for the response
 * @done: It is answered
 * @code: The answer
 */
struct sim_prq {
	struct list_head node;
	u32 grpid;
	wait_queue_head_t *wait;
	bool done;
	enum iommu_page_response_code code;
};

struct sim_tlbe;

/* iommu.c */
extern const struct iommu_ops sim_iommu_ops;
struct sim_iommu *sim_iommu_get(unsigned int index);

/* domain.c */
extern struct sim_domain sim_identity_domain;
extern struct sim_domain sim_blocked_domain;
struct iommu_domain *sim_domain_alloc_paging(struct device *dev, u32 flags,
					     const struct iommu_user_data *data);
struct sim_domain *sim_domain_new(struct sim_iommu *iommu);
void sim_domain_flush(struct sim_domain *dom, unsigned long start,
		      unsigned long last, struct list_head *reap);
int sim_attach_dev(struct iommu_domain *domain, struct device *dev,
		   struct iommu_domain *old);
int sim_set_dev_pasid(struct iommu_domain *domain, struct device *dev,
		      ioasid_t pasid, struct iommu_domain *old);
void sim_block(struct sim_dev *sdev, u32 pasid);

/* walk.c */
int sim_walk_paging(struct sim_domain *dom, struct sim_access *acc);

/* mm.c */
struct iommu_domain *sim_domain_alloc_sva(struct device *dev,
					  struct mm_struct *mm);

/* iotlb.c */
void sim_iotlb_init(struct sim_iotlb *tlb);
bool sim_iotlb_hit(struct sim_access *acc);
struct sim_tlbe *sim_tlbe_alloc(struct sim_domain *dom, struct sim_access *acc,
				bool pinned);
void sim_tlbe_set_page(struct sim_tlbe *tlbe, struct page *page);
void sim_tlbe_free(struct sim_tlbe *tlbe);
int sim_iotlb_fill(struct sim_tlbe *tlbe, struct sim_access *acc,
		   struct list_head *reap);
void sim_iotlb_flush_range(struct sim_iotlb *tlb, struct sim_domain *dom,
			   unsigned long start, unsigned long last,
			   struct list_head *reap);
void sim_iotlb_flush_pasid(struct sim_iotlb *tlb, u32 pasid);
void sim_iotlb_flush_all(struct sim_iotlb *tlb);
void sim_iotlb_reap(struct list_head *reap);

/* prq.c */
void sim_prq_report(struct sim_prq *prq, struct sim_access *acc);
int sim_prq_wait(struct sim_prq *prq, struct sim_dev *sdev,
		 struct sva_sim_dma *dma);
void sim_page_response(struct device *dev, struct iopf_fault *evt,
		       struct iommu_page_response *msg);

static inline struct sim_domain *to_sim_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct sim_domain, domain);
}

static inline struct sim_dev *to_sim_dev(struct device *dev)
{
	return dev_iommu_priv_get(dev);
}

/* The domain may be used in an SRCU section of sim_dev.walks that began before. */
static inline struct sim_domain *sim_entry(struct sim_dev *sdev, u32 pasid)
{
	return pasid == IOMMU_NO_PASID ? READ_ONCE(sdev->rid) :
					 xa_load(&sdev->table, pasid);
}

#endif /* __SVA_SIM_IOMMU_H */
