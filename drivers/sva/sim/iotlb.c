// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOTLB of a device. It caches for real: an entry goes away when somebody
 * invalidates it, when the PASID's translation changes, or when room is needed,
 * and for no other reason. If an invalidation is forgotten anywhere, the device
 * goes on using the old page, and a test sees it.
 *
 * An entry holds its page: by a pin if the device may write, as mm wants it of
 * those who do, else by a reference. What is cached longer than it should be is
 * therefore stale data, never somebody else's memory.
 */
#include <linux/hash.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "iommu.h"

static unsigned int iotlb_entries = 256;
module_param(iotlb_entries, uint, 0444);
MODULE_PARM_DESC(iotlb_entries, "Entries of each device's IOTLB (256)");

/**
 * struct sim_tlbe - an entry of the IOTLB
 * @hash: In sim_iotlb.buckets
 * @node: On sim_iotlb.fifo, or on a list of those to be freed
 * @dom: The domain that the translation came from
 * @pasid: PASID
 * @level: 0 if it is a translation; else that of the entry which it caches
 * @shift: Size of what that entry maps
 * @vpn: Address of the page, or of the first one of an upper level, shifted
 * @page: The page; for an upper level, the table that comes next
 * @write: Writing is allowed; for an upper level, to the table
 * @pinned: @page is held by a pin, not by a reference
 * @rights: For an upper level: access that the entries so far give
 * @s1: For the level of PASIDs: the PASID's table
 */
struct sim_tlbe {
	struct hlist_node hash;
	struct list_head node;
	struct sim_domain *dom;
	u32 pasid;
	u8 level;
	u8 shift;
	unsigned long vpn;
	struct page *page;
	bool write;
	bool pinned;
	u64 rights;
	struct sim_s1 s1;
};

void sim_iotlb_init(struct sim_iotlb *tlb)
{
	rwlock_init(&tlb->lock);
	INIT_LIST_HEAD(&tlb->fifo);
}

static struct hlist_head *bucket(struct sim_iotlb *tlb, u32 pasid,
				 unsigned long vpn)
{
	unsigned long key = vpn ^ ((unsigned long)pasid << 44);

	return &tlb->buckets[hash_long(key, ilog2(SIM_IOTLB_BUCKETS))];
}

static struct sim_tlbe *find(struct sim_iotlb *tlb, u32 pasid,
			     unsigned long vpn, u8 level)
{
	struct sim_tlbe *tlbe;

	lockdep_assert_held(&tlb->lock);

	hlist_for_each_entry(tlbe, bucket(tlb, pasid, vpn), hash) {
		if (tlbe->vpn == vpn && tlbe->pasid == pasid &&
		    tlbe->level == level)
			return tlbe;
	}
	return NULL;
}

/* A device writes a naturally aligned word at once, and after what was before. */
static void store(void *to, const void *from, size_t len)
{
	if (len == sizeof(u32) && IS_ALIGNED((unsigned long)to, sizeof(u32))) {
		/* Pairs with user space that polls for a completion. */
		smp_store_release((u32 *)to, *(const u32 *)from);
		return;
	}
	memcpy(to, from, len);
}

static void copy(struct sim_tlbe *tlbe, struct sim_access *acc)
{
	void *mem = kmap_local_page(tlbe->page);
	void *at = mem + offset_in_page(acc->addr);

	if (acc->write)
		store(at, acc->buf, acc->len);
	else
		memcpy(acc->buf, at, acc->len);
	kunmap_local(mem);
}

/* As in sim_dev_domain(): the number does not tell whose PASID it is. */
static bool is_for(const struct sim_tlbe *tlbe, const struct sim_access *acc)
{
	bool table = tlbe->dom->is_table;

	return acc->guest ? table : !table || acc->pasid == IOMMU_NO_PASID;
}

/**
 * sim_iotlb_hit() - Make an access if the IOTLB has its translation
 * @acc: The access
 *
 * Return: whether it was made.
 */
bool sim_iotlb_hit(struct sim_access *acc)
{
	struct sim_iotlb *tlb = &acc->sdev->iotlb;
	struct sim_tlbe *tlbe;
	bool hit;

	read_lock(&tlb->lock);
	tlbe = find(tlb, acc->pasid, acc->addr >> PAGE_SHIFT, 0);
	hit = tlbe && is_for(tlbe, acc) && (tlbe->write || !acc->write);
	if (hit)
		copy(tlbe, acc);
	read_unlock(&tlb->lock);

	if (hit)
		atomic64_inc(&acc->sdev->port->iotlb_hits);
	return hit;
}

/**
 * sim_tlbe_alloc() - Make an entry that sim_iotlb_fill() may need
 * @dom: The domain that is being walked
 * @acc: The access it is walked for
 * @pinned: The page will be held by a pin
 *
 * Return: the entry, for sim_iotlb_fill() or sim_tlbe_free(); NULL without memory.
 */
struct sim_tlbe *sim_tlbe_alloc(struct sim_domain *dom, struct sim_access *acc,
				bool pinned)
{
	struct sim_tlbe *tlbe = kzalloc_obj(*tlbe);

	if (!tlbe)
		return NULL;
	tlbe->dom = dom;
	tlbe->pasid = acc->pasid;
	tlbe->vpn = acc->addr >> PAGE_SHIFT;
	tlbe->shift = PAGE_SHIFT;
	tlbe->write = acc->write;
	tlbe->pinned = pinned;
	return tlbe;
}

/*
 * The entry takes over the caller's pin of, or reference to, @page. @shift is the
 * size of what the table maps there: an invalidation of any of it hits.
 */
void sim_tlbe_set_page(struct sim_tlbe *tlbe, struct page *page, u8 shift)
{
	tlbe->page = page;
	tlbe->shift = shift;
}

void sim_tlbe_free(struct sim_tlbe *tlbe)
{
	if (tlbe->page && tlbe->pinned)
		unpin_user_page(tlbe->page);
	else if (tlbe->page)
		put_page(tlbe->page);
	kfree(tlbe);
}

/* Lets go of pages, for which no lock may be held that freeing memory needs. */
void sim_iotlb_reap(struct list_head *reap)
{
	struct sim_tlbe *tlbe, *next;

	list_for_each_entry_safe(tlbe, next, reap, node)
		sim_tlbe_free(tlbe);
}

static void drop(struct sim_iotlb *tlb, struct sim_tlbe *tlbe,
		 struct list_head *reap)
{
	lockdep_assert_held_write(&tlb->lock);

	hlist_del(&tlbe->hash);
	list_move(&tlbe->node, reap);
	tlb->count--;
}

/* Puts an entry in place of one like it, or of the oldest if there is no room. */
static void insert(struct sim_iotlb *tlb, struct sim_tlbe *tlbe,
		   struct list_head *reap)
{
	struct sim_tlbe *old;

	lockdep_assert_held_write(&tlb->lock);

	old = find(tlb, tlbe->pasid, tlbe->vpn, tlbe->level);
	if (!old && tlb->count && tlb->count >= iotlb_entries)
		old = list_first_entry(&tlb->fifo, struct sim_tlbe, node);
	if (old)
		drop(tlb, old, reap);

	hlist_add_head(&tlbe->hash, bucket(tlb, tlbe->pasid, tlbe->vpn));
	list_add_tail(&tlbe->node, &tlb->fifo);
	tlb->count++;
}

/**
 * sim_iotlb_fill() - Put a translation into the IOTLB and make the access
 * @tlbe: The entry; consumed if the result is 0
 * @acc: The access
 * @reap: Where entries go that make room for it
 *
 * Context: The domain's lock is held for reading and the translation is valid
 * until it is dropped.
 * Return: 0, or -EAGAIN if the PASID has another translation by now.
 */
int sim_iotlb_fill(struct sim_tlbe *tlbe, struct sim_access *acc,
		   struct list_head *reap)
{
	struct sim_iotlb *tlb = &acc->sdev->iotlb;
	int ret = -EAGAIN;

	lockdep_assert_held(tlbe->dom->lock);

	write_lock(&tlb->lock);
	/* Whoever changes the table flushes afterwards, under this lock. */
	if (sim_dev_domain(acc) == tlbe->dom) {
		insert(tlb, tlbe, reap);
		copy(tlbe, acc);
		ret = 0;
	}
	write_unlock(&tlb->lock);
	return ret;
}

static unsigned long upper_vpn(u64 addr, u8 level)
{
	if (level == SIM_LEVEL_PASID)
		return 0;
	return addr >> PAGE_SHIFT & ~(BIT(9 * level) - 1);
}

/**
 * sim_iotlb_find_upper() - Look into the paging-structure caches
 * @dom: The domain
 * @acc: The access
 * @level: Level of the entry, 1 to 4 or SIM_LEVEL_PASID
 * @upper: Out: what was found
 *
 * Return: whether there was something.
 */
bool sim_iotlb_find_upper(struct sim_domain *dom, struct sim_access *acc,
			  u8 level, struct sim_upper *upper)
{
	struct sim_iotlb *tlb = &acc->sdev->iotlb;
	struct sim_tlbe *tlbe;
	bool found;

	read_lock(&tlb->lock);
	tlbe = find(tlb, acc->pasid, upper_vpn(acc->addr, level), level);
	found = tlbe && tlbe->dom == dom;
	if (found) {
		*upper = (struct sim_upper) {
			.page = tlbe->page,
			.writable = tlbe->write,
			.rights = tlbe->rights,
			.s1 = tlbe->s1,
		};
		if (upper->page)
			get_page(upper->page);
	}
	read_unlock(&tlb->lock);
	return found;
}

/**
 * sim_iotlb_fill_upper() - Put something into the paging-structure caches
 * @dom: The domain
 * @acc: The access
 * @level: Level of the entry, 1 to 4 or SIM_LEVEL_PASID
 * @upper: What the entry said; its page stays the caller's
 * @reap: Where entries go that make room for it
 *
 * It is a cache: without memory, nothing happens.
 *
 * Context: As sim_iotlb_fill().
 */
void sim_iotlb_fill_upper(struct sim_domain *dom, struct sim_access *acc,
			  u8 level, const struct sim_upper *upper,
			  struct list_head *reap)
{
	struct sim_iotlb *tlb = &acc->sdev->iotlb;
	struct sim_tlbe *tlbe;

	lockdep_assert_held(dom->lock);

	tlbe = kzalloc_obj(*tlbe, GFP_NOWAIT | __GFP_NOWARN);
	if (!tlbe)
		return;
	tlbe->dom = dom;
	tlbe->pasid = acc->pasid;
	tlbe->level = level;
	tlbe->shift = PAGE_SHIFT + 9 * level;
	tlbe->vpn = upper_vpn(acc->addr, level);
	tlbe->page = upper->page;
	if (tlbe->page)
		get_page(tlbe->page);
	tlbe->write = upper->writable;
	tlbe->rights = upper->rights;
	tlbe->s1 = upper->s1;

	write_lock(&tlb->lock);
	if (sim_dev_domain(acc) == dom)
		insert(tlb, tlbe, reap);
	else
		list_add(&tlbe->node, reap);
	write_unlock(&tlb->lock);
}

static bool hits(const struct sim_inv *inv, const struct sim_tlbe *tlbe)
{
	u64 size = BIT_ULL(tlbe->shift);
	u64 first = (u64)tlbe->vpn << PAGE_SHIFT & ~(size - 1);

	/* What is made of both stages is not known by its stage-2 address. */
	if (tlbe->dom->parent == inv->dom)
		return true;
	if (tlbe->dom != inv->dom)
		return false;
	if (inv->pasid != SIM_PASID_ANY && inv->pasid != tlbe->pasid)
		return false;
	if (tlbe->level == SIM_LEVEL_PASID)
		return !inv->start && inv->last == U64_MAX;
	if (tlbe->level && inv->leaf)
		return false;
	return first <= inv->last && first + (size - 1) >= inv->start;
}

/**
 * sim_iotlb_flush_range() - Invalidate what was cached
 * @tlb: The IOTLB
 * @inv: What
 * @reap: Where the entries go
 *
 * Context: May be atomic. On return, no access through what was removed is
 * under way or will come.
 */
void sim_iotlb_flush_range(struct sim_iotlb *tlb, const struct sim_inv *inv,
			   struct list_head *reap)
{
	struct sim_tlbe *tlbe, *next;

	write_lock(&tlb->lock);
	list_for_each_entry_safe(tlbe, next, &tlb->fifo, node) {
		if (hits(inv, tlbe))
			drop(tlb, tlbe, reap);
	}
	write_unlock(&tlb->lock);
}

/* Invalidates all that was cached for a PASID, through whatever domain. */
void sim_iotlb_flush_pasid(struct sim_iotlb *tlb, u32 pasid)
{
	struct sim_tlbe *tlbe, *next;
	LIST_HEAD(reap);

	write_lock(&tlb->lock);
	list_for_each_entry_safe(tlbe, next, &tlb->fifo, node) {
		if (tlbe->pasid == pasid)
			drop(tlb, tlbe, &reap);
	}
	write_unlock(&tlb->lock);
	sim_iotlb_reap(&reap);
}

void sim_iotlb_flush_all(struct sim_iotlb *tlb)
{
	struct sim_tlbe *tlbe, *next;
	LIST_HEAD(reap);

	write_lock(&tlb->lock);
	list_for_each_entry_safe(tlbe, next, &tlb->fifo, node)
		drop(tlb, tlbe, &reap);
	write_unlock(&tlb->lock);
	sim_iotlb_reap(&reap);
}
