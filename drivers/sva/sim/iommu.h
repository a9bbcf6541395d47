/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private header of the software IOMMU.
 *
 * Lock order, outermost first:
 *
 *   iommu_group.mutex		the IOMMU core's; held around attach and replace
 *     sim_dev.walks		SRCU: a walk, or the making of a page request;
 *				attach, replace and block wait for these
 *     sim_domain.lock		read: from the lookup in the domain until the
 *				result is in the IOTLB; write: invalidation. Of a
 *				nested domain, it is its parent's
 *       sim_iommu.devs_lock
 *         sim_iotlb.lock	read: a hit and its copy; write: every change
 *
 *   sim_dev.prq_lock		alone
 *
 * A walk does not wait for the mmap_lock of the process whose memory is looked up:
 * who has that may be waiting for somebody who waits for a group's mutex, as VFIO
 * does when it resets a function. The access waits, between two walks.
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
 * @user_tables: It nests whole PASID tables, not single stage-1 tables
 * @msi: What its devices' interrupts would pass, if they had any
 * @iopf: Where page requests of its devices are queued
 * @devs_lock: Protects @devs
 * @devs: Its devices (struct sim_dev)
 */
struct sim_iommu {
	struct iommu_device iommu;
	struct platform_device *parent;
	unsigned int index;
	bool user_tables;
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
 * struct sim_s1 - a stage-1 table
 * @table: Its guest-physical address
 * @levels: 4 or 5
 */
struct sim_s1 {
	u64 table;
	u8 levels;
};

/**
 * struct sim_domain - something to translate through
 * @domain: The IOMMU core's view of it
 * @pt: The page table of a paging domain, of which @domain is the beginning
 * @iommu: The only instance whose devices may use it
 * @lock: See the lock order
 * @own_lock: What it points to, but in a nested domain
 * @walk: Translates and makes one access. 0, -EAGAIN: try again, -EFAULT: not
 *        present, or another error. Called in an SRCU section of sim_dev.walks
 * @mm: The process of an SVA domain, held by @notifier
 * @notifier: Tells about changes of @mm
 * @nest_parent: A paging domain that nested ones may have as parent
 * @parent: Of a nested domain: what translates guest-physical addresses
 * @s1: The table of a nested domain
 * @pasid_table: Of a domain that is a PASID table: where it is, in place of @s1
 * @pasid_bits: Its number of entries is a power of 2: this one
 * @is_table: It is a PASID table
 */
struct sim_domain {
	union {
		struct iommu_domain domain;
		struct pt_iommu_x86_64 pt;
	};
	struct sim_iommu *iommu;
	rwlock_t *lock;
	rwlock_t own_lock;
	int (*walk)(struct sim_domain *dom, struct sim_access *acc);
	struct mm_struct *mm;
	struct mmu_interval_notifier notifier;
	bool nest_parent;
	struct sim_domain *parent;
	struct sim_s1 s1;
	u64 pasid_table;
	u8 pasid_bits;
	bool is_table;
};

PT_IOMMU_CHECK_DOMAIN(struct sim_domain, pt.iommu, domain);

/**
 * struct sim_access - an access that stays within one page
 * @sdev: Who makes it
 * @pasid: PASID that it carries
 * @guest: @pasid is a guest's
 * @addr: Address
 * @buf: Where the data is, or goes
 * @len: Bytes
 * @write: Direction: to @addr, or from it
 * @fault: Out: why it cannot be translated, after -EFAULT
 * @recoverable: Out: a page request may help
 * @locked: Out: another walk makes sense when the process's mmap_lock is free
 */
struct sim_access {
	struct sim_dev *sdev;
	u32 pasid;
	bool guest;
	u64 addr;
	void *buf;
	size_t len;
	bool write;
	enum sva_sim_fault fault;
	bool recoverable;
	bool locked;
};

static inline int sim_fault(struct sim_access *acc, enum sva_sim_fault fault,
			    bool recoverable)
{
	acc->fault = fault;
	acc->recoverable = recoverable;
	return -EFAULT;
}

/* Levels of IOTLB entries above those of tables: what a PASID's entry says. */
#define SIM_LEVEL_PASID 5

/* In place of a PASID: any. */
#define SIM_PASID_ANY U32_MAX

/**
 * struct sim_inv - an invalidation
 * @dom: What was cached of this domain, and of all that are nested on it
 * @pasid: Only of that PASID, or SIM_PASID_ANY
 * @start: First address
 * @last: Last address
 * @leaf: Keep what is cached of upper levels
 */
struct sim_inv {
	struct sim_domain *dom;
	u32 pasid;
	u64 start;
	u64 last;
	bool leaf;
};

/**
 * struct sim_s2 - what a stage-2 table says about a page
 * @pfn: The page frame
 * @write: It may be written
 * @level: Of the entry, 0 for 4 KiB
 */
struct sim_s2 {
	unsigned long pfn;
	bool write;
	int level;
};

/**
 * struct sim_upper - what a paging-structure cache says
 * @page: The table that comes next, with a reference; NULL for a PASID
 * @writable: Stage 2 lets us write to it
 * @rights: Access that the entries so far give
 * @s1: Of a PASID: its table
 */
struct sim_upper {
	struct page *page;
	bool writable;
	u64 rights;
	struct sim_s1 s1;
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
extern const struct iommu_ops sim_table_iommu_ops;
struct sim_iommu *sim_iommu_get(unsigned int index);

/* domain.c */
extern struct iommu_domain sim_identity_domain;
extern struct iommu_domain sim_blocked_domain;
struct iommu_domain *sim_domain_alloc_paging(struct device *dev, u32 flags,
					     const struct iommu_user_data *data);
unsigned int sim_va_bits(void);
struct sim_domain *sim_domain_new(struct sim_iommu *iommu);
bool sim_domain_can_nest(struct iommu_domain *domain, struct device *dev);
void sim_domain_flush(const struct sim_inv *inv, struct list_head *reap);
void sim_domain_invalidate(const struct sim_inv *inv);
int sim_attach_dev(struct iommu_domain *domain, struct device *dev,
		   struct iommu_domain *old);
int sim_set_dev_pasid(struct iommu_domain *domain, struct device *dev,
		      ioasid_t pasid, struct iommu_domain *old);
void sim_block(struct sim_dev *sdev, u32 pasid);

/* walk.c */
int sim_walk_paging(struct sim_domain *dom, struct sim_access *acc);
int sim_s2_lookup(struct sim_domain *dom, u64 addr, struct sim_s2 *s2);
struct page *sim_get_mapped_page(unsigned long pfn);

/* stage1.c */
int sim_walk_stage1(struct sim_domain *dom, struct sim_access *acc);

/* nested.c */
struct iommu_domain *sim_domain_alloc_nested(struct device *dev,
					     struct iommu_domain *parent,
					     u32 flags,
					     const struct iommu_user_data *data);
struct sim_domain *sim_nested_new(struct iommu_domain *parent,
				  const struct iommu_domain_ops *ops);
void sim_nested_free(struct iommu_domain *domain);
bool sim_range_last(u64 addr, u64 npages, unsigned int width, u64 *last);

/* table.c */
int sim_table_find(struct sim_domain *dom, struct sim_access *acc,
		   struct sim_s1 *s1, struct list_head *reap);
struct iommu_domain *sim_domain_alloc_table(struct device *dev,
					    struct iommu_domain *parent,
					    u32 flags,
					    const struct iommu_user_data *data);

/* info.c */
void *sim_hw_info(struct device *dev, u32 *length,
		  enum iommu_hw_info_type *type);
void *sim_table_hw_info(struct device *dev, u32 *length,
			enum iommu_hw_info_type *type);

/* mm.c */
struct iommu_domain *sim_domain_alloc_sva(struct device *dev,
					  struct mm_struct *mm);

/* iotlb.c */
void sim_iotlb_init(struct sim_iotlb *tlb);
bool sim_iotlb_hit(struct sim_access *acc);
struct sim_tlbe *sim_tlbe_alloc(struct sim_domain *dom, struct sim_access *acc,
				bool pinned);
void sim_tlbe_set_page(struct sim_tlbe *tlbe, struct page *page, u8 shift);
void sim_tlbe_free(struct sim_tlbe *tlbe);
int sim_iotlb_fill(struct sim_tlbe *tlbe, struct sim_access *acc,
		   struct list_head *reap);
bool sim_iotlb_find_upper(struct sim_domain *dom, struct sim_access *acc,
			  u8 level, struct sim_upper *upper);
void sim_iotlb_fill_upper(struct sim_domain *dom, struct sim_access *acc,
			  u8 level, const struct sim_upper *upper,
			  struct list_head *reap);
void sim_iotlb_flush_range(struct sim_iotlb *tlb, const struct sim_inv *inv,
			   struct list_head *reap);
void sim_iotlb_flush_pasid(struct sim_iotlb *tlb, u32 pasid);
void sim_iotlb_flush_all(struct sim_iotlb *tlb);
void sim_iotlb_reap(struct list_head *reap);

/* prq.c */
void sim_prq_report(struct sim_prq *prq, struct sim_access *acc,
		    const unsigned long *pages, const u64 *private_data);
int sim_prq_wait(struct sim_prq *prq, struct sim_dev *sdev,
		 struct sva_sim_dma *dma);
void sim_page_response(struct device *dev, struct iopf_fault *evt,
		       struct iommu_page_response *msg);

static inline struct sim_domain *to_sim_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct sim_domain, domain);
}

/*
 * What an access translates through. It may be used in an SRCU section of
 * sim_dev.walks that began before.
 *
 * A guest's PASID may be the number of one of the host's. Neither is taken for the
 * other, whatever the RID is bound to by now.
 */
static inline struct sim_domain *sim_dev_domain(const struct sim_access *acc)
{
	struct sim_domain *rid = READ_ONCE(acc->sdev->rid);

	if (acc->guest)
		return rid && rid->is_table ? rid : NULL;
	if (acc->pasid == IOMMU_NO_PASID)
		return rid;
	return xa_load(&acc->sdev->table, acc->pasid);
}

static inline struct sim_dev *to_sim_dev(struct device *dev)
{
	return dev_iommu_priv_get(dev);
}

#endif /* __SVA_SIM_IOMMU_H */
