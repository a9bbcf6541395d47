// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested translation: the walk of a stage-1 table in guest memory, of which
 * every pointer, and its result, goes through stage 2.
 *
 * The table has the format of VT-d's first stage (specification revision 4.1,
 * 3.6 and 9.9), which is that of an x86-64 CPU with 4 or 5 levels. A guest may
 * write anything into it at any time: an entry is read once, then believed or
 * refused, and there are as many steps as levels whatever it says.
 */
#include <linux/bits.h>
#include <linux/bitops.h>
#include <linux/highmem.h>
#include <linux/mm.h>

#include "iommu.h"

#define S1_PRESENT	BIT_ULL(0)
#define S1_WRITE	BIT_ULL(1)
#define S1_USER		BIT_ULL(2)
#define S1_ACCESSED	BIT_ULL(5)
#define S1_DIRTY	BIT_ULL(6)
#define S1_LEAF		BIT_ULL(7)
#define S1_ADDR		GENMASK_ULL(51, 12)

#define LEVEL_BITS	9
#define LEAF_LEVEL_MAX	2

/**
 * struct walk - a walk on its way
 * @dom: The nested domain
 * @acc: The access
 * @level: Of the entries of @table
 * @table: Guest page of the next table, and what the entries so far say
 * @reap: Where entries of the IOTLB go that made room
 */
struct walk {
	struct sim_domain *dom;
	struct sim_access *acc;
	int level;
	struct sim_upper table;
	struct list_head reap;
};

static unsigned int level_shift(int level)
{
	return PAGE_SHIFT + level * LEVEL_BITS;
}

/* VT-d 3.6: the upper bits all equal the highest that is translated. */
static bool is_canonical(u64 addr, unsigned int levels)
{
	return sign_extend64(addr, level_shift(levels) - 1) == addr;
}

/* VT-d 9.9: 1 GiB and 2 MiB pages are aligned, but for the PAT bit. */
static u64 reserved_bits(u64 pte, int level)
{
	if (level > LEAF_LEVEL_MAX)
		return S1_LEAF;
	if (level && pte & S1_LEAF)
		return GENMASK_ULL(level_shift(level) - 1, PAGE_SHIFT + 1);
	return 0;
}

/* Goes to the table at a guest-physical address. */
static int enter_table(struct walk *w, u64 gpa, int level)
{
	struct sim_domain *parent = w->dom->parent;
	bool top = level == w->table.s1.levels - 1;
	struct page *page;
	struct sim_s2 s2;

	if (gpa > parent->domain.geometry.aperture_end)
		return sim_fault(w->acc, SVA_SIM_FAULT_S1_WIDTH, false);
	page = sim_s2_lookup(parent, gpa, &s2) ? NULL :
	       sim_get_mapped_page(s2.pfn);
	if (!page)
		return sim_fault(w->acc, top ? SVA_SIM_FAULT_S1_TOP :
					       SVA_SIM_FAULT_S1_ACCESS, false);
	if (w->table.page)
		put_page(w->table.page);
	w->table.page = page;
	w->table.writable = s2.write;
	w->level = level;
	return 0;
}

/* Begins with what is cached, as far down as possible. */
static int begin(struct walk *w, const struct sim_s1 *s1)
{
	int level;

	if (!is_canonical(w->acc->addr, s1->levels))
		return sim_fault(w->acc, SVA_SIM_FAULT_CANONICAL, false);

	for (level = 1; level < s1->levels; level++) {
		if (sim_iotlb_find_upper(w->dom, w->acc, level, &w->table)) {
			w->level = level - 1;
			return 0;
		}
	}
	w->table.s1 = *s1;
	w->table.rights = ~0ULL;
	return enter_table(w, s1->table, s1->levels - 1);
}

/* Looks the page of a leaf up in stage 2. */
static int find_page(struct walk *w, u64 pte, struct sim_s2 *s2)
{
	u64 offset_mask = BIT_ULL(level_shift(w->level)) - 1;
	u64 gpa = (pte & S1_ADDR & ~offset_mask) | (w->acc->addr & offset_mask);

	if (!(w->table.rights & S1_USER))
		return sim_fault(w->acc, SVA_SIM_FAULT_USER, true);
	if (w->acc->write && !(w->table.rights & S1_WRITE))
		return sim_fault(w->acc, SVA_SIM_FAULT_WRITE, true);
	if (gpa > w->dom->parent->domain.geometry.aperture_end)
		return sim_fault(w->acc, SVA_SIM_FAULT_S1_WIDTH, false);
	if (sim_s2_lookup(w->dom->parent, gpa, s2) ||
	    (w->acc->write && !s2->write))
		return sim_fault(w->acc, SVA_SIM_FAULT_S2, false);
	return 0;
}

/* Only if the entry is still what was looked at; else it is looked at again. */
static int set_bits(struct walk *w, u64 *entry, u64 pte, u64 bits)
{
	if ((pte & bits) == bits)
		return 0;
	if (!w->table.writable)
		return sim_fault(w->acc, SVA_SIM_FAULT_S1_UPDATE, false);
	return try_cmpxchg64(entry, &pte, pte | bits) ? 0 : -EAGAIN;
}

/* Returns 1 if the entry is a leaf, and what it maps in @s2; 0 if it is not. */
static int look(struct walk *w, u64 *entry, u64 *pte, struct sim_s2 *s2)
{
	u64 bits = S1_ACCESSED;
	bool leaf;
	int ret;

	*pte = READ_ONCE(*entry);
	leaf = !w->level || *pte & S1_LEAF;
	if (!(*pte & S1_PRESENT))
		return sim_fault(w->acc, SVA_SIM_FAULT_S1_NONE, true);
	if (*pte & reserved_bits(*pte, w->level))
		return sim_fault(w->acc, SVA_SIM_FAULT_S1_RSVD, false);

	w->table.rights &= *pte;
	if (leaf) {
		ret = find_page(w, *pte, s2);
		if (ret)
			return ret;
		if (w->acc->write)
			bits |= S1_DIRTY;
	}
	return set_bits(w, entry, *pte, bits) ?: leaf;
}

/* One table; returns as look() does. */
static int step(struct walk *w, struct sim_s2 *s2)
{
	unsigned int idx = w->acc->addr >> level_shift(w->level) &
			   (BIT(LEVEL_BITS) - 1);
	u64 *entries = kmap_local_page(w->table.page);
	int level = w->level;
	u64 pte;
	int ret;

	ret = look(w, &entries[idx], &pte, s2);
	kunmap_local(entries);
	if (ret)
		return ret;

	ret = enter_table(w, pte & S1_ADDR, level - 1);
	if (!ret)
		sim_iotlb_fill_upper(w->dom, w->acc, level, &w->table,
				     &w->reap);
	return ret;
}

static int walk(struct walk *w, struct sim_tlbe *tlbe)
{
	struct page *page;
	struct sim_s1 s1;
	struct sim_s2 s2;
	int ret;

	ret = w->dom->is_table ?
	      sim_table_find(w->dom, w->acc, &s1, &w->reap) : 0;
	if (!ret)
		ret = begin(w, w->dom->is_table ? &s1 : &w->dom->s1);
	while (!ret)
		ret = step(w, &s2);
	if (ret < 0)
		return ret;

	if (w->level)
		atomic64_inc(&w->acc->sdev->port->huge_leafs);
	page = sim_get_mapped_page(s2.pfn);
	if (!page)
		return sim_fault(w->acc, SVA_SIM_FAULT_S2, false);
	sim_tlbe_set_page(tlbe, page, level_shift(w->level));
	return sim_iotlb_fill(tlbe, w->acc, &w->reap);
}

/**
 * sim_walk_stage1() - Walk both stages for an access and make it
 * @dom: A nested domain
 * @acc: The access
 *
 * What is found in memory is in memory that the parent maps: with the parent's
 * lock held, it cannot be unmapped.
 *
 * Return: see &sim_domain.walk.
 */
int sim_walk_stage1(struct sim_domain *dom, struct sim_access *acc)
{
	struct walk w = {
		.dom = dom,
		.acc = acc,
		.reap = LIST_HEAD_INIT(w.reap),
	};
	struct sim_tlbe *tlbe;
	int ret;

	tlbe = sim_tlbe_alloc(dom, acc, false);
	if (!tlbe)
		return -ENOMEM;

	read_lock(dom->lock);
	ret = walk(&w, tlbe);
	read_unlock(dom->lock);

	if (w.table.page)
		put_page(w.table.page);
	sim_iotlb_reap(&w.reap);
	if (ret)
		sim_tlbe_free(tlbe);
	return ret;
}
