// SPDX-License-Identifier: GPL-2.0-only
/*
 * The areas of an IOVA address space: a tree that knows, for each subtree, the
 * largest gap in front of one of its areas.
 */
#include <linux/minmax.h>
#include <linux/rbtree_augmented.h>

#include "sva_private.h"

#define to_area(n)	rb_entry(n, struct sva_area, node)

static u64 area_gap(struct sva_area *area)
{
	return area->gap;
}

RB_DECLARE_CALLBACKS_MAX(static, gap_callbacks, struct sva_area, node, u64,
			 max_gap, area_gap)

static struct sva_area *area_or_null(struct rb_node *node)
{
	return node ? to_area(node) : NULL;
}

/**
 * sva_area_first() - The first area that ends at or behind an IOVA
 * @root: The areas
 * @iova: Where to look
 *
 * Return: the area, or NULL.
 */
struct sva_area *sva_area_first(const struct rb_root *root, u64 iova)
{
	struct rb_node *node = root->rb_node;
	struct sva_area *found = NULL;

	while (node) {
		struct sva_area *area = to_area(node);

		if (area->last < iova) {
			node = node->rb_right;
		} else {
			found = area;
			node = node->rb_left;
		}
	}
	return found;
}

/**
 * sva_area_next() - The area behind another
 * @area: An area
 *
 * Return: the next one, or NULL.
 */
struct sva_area *sva_area_next(const struct sva_area *area)
{
	return area_or_null(rb_next(&area->node));
}

static void update_gap(struct sva_area *area)
{
	struct sva_area *prev = area_or_null(rb_prev(&area->node));

	area->gap = area->iova - (prev ? prev->last + 1 : 0);
	gap_callbacks_propagate(&area->node, NULL);
}

/**
 * sva_area_insert() - Add an area
 * @root: The areas
 * @area: A new one, with its range set
 *
 * Return: 0, or -EEXIST if it overlaps one that is there.
 */
int sva_area_insert(struct rb_root *root, struct sva_area *area)
{
	struct rb_node **link = &root->rb_node;
	struct rb_node *parent = NULL;
	struct sva_area *next;

	while (*link) {
		struct sva_area *other = to_area(*link);

		parent = *link;
		if (area->last < other->iova)
			link = &parent->rb_left;
		else if (area->iova > other->last)
			link = &parent->rb_right;
		else
			return -EEXIST;
	}

	area->gap = 0;
	area->max_gap = 0;
	rb_link_node(&area->node, parent, link);
	rb_insert_augmented(&area->node, root, &gap_callbacks);
	update_gap(area);
	next = sva_area_next(area);
	if (next)
		update_gap(next);
	return 0;
}

/**
 * sva_area_erase() - Remove an area
 * @root: The areas
 * @area: One of them
 */
void sva_area_erase(struct rb_root *root, struct sva_area *area)
{
	struct sva_area *next = sva_area_next(area);

	rb_erase_augmented(&area->node, root, &gap_callbacks);
	if (next)
		update_gap(next);
}

/* The first area from @area on with at least @gap bytes free before it. */
static struct sva_area *first_with_gap(struct sva_area *area, u64 gap)
{
	struct rb_node *node = &area->node;

	if (area->gap >= gap)
		return area;

	/* Up, until there is something to the right that has it. */
	for (;;) {
		struct rb_node *parent;

		if (node->rb_right && to_area(node->rb_right)->max_gap >= gap) {
			node = node->rb_right;
			break;
		}
		while ((parent = rb_parent(node)) && node == parent->rb_right)
			node = parent;
		if (!parent)
			return NULL;
		node = parent;
		if (to_area(node)->gap >= gap)
			return to_area(node);
	}

	/* Down, to the leftmost that has it. */
	for (;;) {
		if (node->rb_left && to_area(node->rb_left)->max_gap >= gap) {
			node = node->rb_left;
			continue;
		}
		if (to_area(node)->gap >= gap)
			return to_area(node);
		node = node->rb_right;
	}
}

/* The first address from @iova on that is @offset modulo @align; 0 if none. */
static u64 align_up(u64 iova, u64 align, u64 offset)
{
	u64 up = (offset - iova) & (align - 1);

	return iova + up < iova ? 0 : iova + up;
}

/* Whether [@iova, @last] has room for @length, @iova being what fits is. */
static bool fits(u64 iova, u64 last, u64 length)
{
	return iova && iova <= last && last - iova >= length - 1;
}

/**
 * sva_area_find_free() - Find room for an area
 * @root: The areas
 * @lo: Lowest IOVA that will do, not 0
 * @hi: Highest IOVA that may be used
 * @length: Bytes, not 0
 * @align: A power of two
 * @offset: What the IOVA shall be modulo @align
 * @iova: Out: where
 *
 * Finds a place wherever a gap is large enough for every position that
 * alignment could ask for; the caller falls back to a smaller alignment.
 *
 * Return: whether there is room.
 */
bool sva_area_find_free(const struct rb_root *root, u64 lo, u64 hi, u64 length,
			u64 align, u64 offset, u64 *iova)
{
	u64 need = length + align - PAGE_SIZE;
	struct sva_area *area;
	struct rb_node *last;

	if (need < length)
		return false;

	/* In front of the first area in the range, which may begin before it. */
	area = sva_area_first(root, lo);
	*iova = align_up(lo, align, offset);
	if (!area || area->iova > hi)
		return fits(*iova, hi, length);
	if (area->iova > lo && fits(*iova, area->iova - 1, length))
		return true;

	area = sva_area_next(area);
	if (area)
		area = first_with_gap(area, need);
	if (area) {
		*iova = align_up(area->iova - area->gap, align, offset);
		return fits(*iova, min(hi, area->iova - 1), length);
	}

	last = rb_last(root);
	if (to_area(last)->last >= hi)
		return false;
	*iova = align_up(to_area(last)->last + 1, align, offset);
	return fits(*iova, hi, length);
}
