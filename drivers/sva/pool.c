// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PASID numbers that /dev/sva hands out.
 *
 * PASIDs are unique in the whole system, and the kernel's other users take the
 * lowest free number from iommu_alloc_global_pasid(). To be able to give a
 * number of choice without ever colliding with them, the module takes all
 * numbers once when it is loaded, keeps the upper part of every octave
 * [2^n, 2^(n+1)) and gives the rest back: however many of ours are in use, a
 * device of any width and the kernel's own users go on finding numbers that are
 * narrow enough.
 *
 * What is kept and free is a bitmap with a binary tree over its words. A node
 * knows the free runs at both edges of what it spans and the longest one inside,
 * so that a run of any length in any range is found in O(log n), and nothing is
 * ever allocated to allocate or free.
 */
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/iommu.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "sva_private.h"

#define WORD_BITS	64
#define NR_NUMBERS	BIT(SVA_PASID_WIDTH_MAX)
#define NR_WORDS	(NR_NUMBERS / WORD_BITS)
/* What needs more than 8 bits */
#define NOT_NARROW	256u
/* What is given back at a time, so that others need not wait for all of it. */
#define FREE_MAX	4096u

struct pool_node {
	u32 prefix;	/* free numbers at the low edge */
	u32 suffix;	/* free numbers at the high edge */
	u32 longest;	/* longest run of free numbers */
};

/*
 * nodes[1] is the root, nodes[n] has the children nodes[2n] and nodes[2n + 1],
 * nodes[NR_WORDS + w] is the leaf of words[w].
 */
struct sva_pool {
	struct mutex lock;		/* of all that follows */
	struct sva_pool_info info;
	u32 hint;			/* none is free in [NOT_NARROW, hint) */
	u64 words[NR_WORDS];
	struct pool_node nodes[2 * NR_WORDS];
};

static struct sva_pool *pool;

/* Joins the ends of runs of 2^n bits to those of 2^(n + 1), then goes back. */
static u32 longest_run(u64 word)
{
	u64 ends[6] = { word };		/* [n]: where runs of 2^n bits end */
	u32 longest = 1;
	u64 found;
	int n = 0;

	if (!word || !~word)
		return word ? WORD_BITS : 0;
	while (n < 5 && (ends[n] & (ends[n] << (1 << n)))) {
		ends[n + 1] = ends[n] & (ends[n] << (1 << n));
		n++;
	}
	longest = 1 << n;
	found = ends[n];
	while (--n >= 0) {
		u64 longer = found & (ends[n] << longest);

		if (longer) {
			found = longer;
			longest += 1 << n;
		}
	}
	return longest;
}

static struct pool_node word_to_node(u64 word)
{
	return (struct pool_node) {
		.prefix = ~word ? __ffs64(~word) : WORD_BITS,
		.suffix = ~word ? WORD_BITS - fls64(~word) : WORD_BITS,
		.longest = longest_run(word),
	};
}

static struct pool_node join_nodes(const struct pool_node *low,
				   const struct pool_node *high, u32 width)
{
	return (struct pool_node) {
		.prefix = low->prefix == width ? width + high->prefix :
						 low->prefix,
		.suffix = high->suffix == width ? width + low->suffix :
						  high->suffix,
		.longest = max3(low->longest, high->longest,
				low->suffix + high->prefix),
	};
}

static bool same_node(const struct pool_node *a, const struct pool_node *b)
{
	return a->prefix == b->prefix && a->suffix == b->suffix &&
	       a->longest == b->longest;
}

/* Brings the tree up to date after the words [first, last] changed. */
static void update_nodes(u32 first, u32 last)
{
	u32 width = WORD_BITS;
	bool changed = false;
	u32 i;

	for (i = first; i <= last; i++)
		pool->nodes[NR_WORDS + i] = word_to_node(pool->words[i]);

	first += NR_WORDS;
	last += NR_WORDS;
	do {
		first /= 2;
		last /= 2;
		changed = false;
		for (i = first; i <= last; i++) {
			struct pool_node node = join_nodes(&pool->nodes[2 * i],
							   &pool->nodes[2 * i + 1],
							   width);

			if (same_node(&node, &pool->nodes[i]))
				continue;
			pool->nodes[i] = node;
			changed = true;
		}
		width *= 2;
	} while (changed && first > 1);
}

static void mark(u32 first, u32 count, bool is_free)
{
	u32 end = first + count;
	u32 pos = first;

	while (pos < end) {
		u32 low = pos % WORD_BITS;
		u32 n = min(end - pos, WORD_BITS - low);
		u64 mask = GENMASK_ULL(low + n - 1, low);

		if (is_free)
			pool->words[pos / WORD_BITS] |= mask;
		else
			pool->words[pos / WORD_BITS] &= ~mask;
		pos += n;
	}
	update_nodes(first / WORD_BITS, (end - 1) / WORD_BITS);
}

/* A search from low to high numbers; the run found so far ends where it is. */
struct search {
	u32 min;
	u32 max;
	u32 count;
	u32 run_start;
	u32 run;
};

static bool search_word(struct search *s, u32 base)
{
	u32 low = max(s->min, base) - base;
	u32 high = min(s->max, base + WORD_BITS - 1) - base;
	u64 word = pool->words[base / WORD_BITS] & GENMASK_ULL(high, low);
	u32 i;

	for (i = low; i <= high; i++) {
		if (!(word & BIT_ULL(i))) {
			s->run = 0;
			continue;
		}
		if (!s->run++)
			s->run_start = base + i;
		if (s->run == s->count)
			return true;
	}
	return false;
}

/*
 * Goes down to the words only at the two ends of the range, and where a long
 * enough run is known to be: O(log n). The depth is SVA_PASID_WIDTH_MAX - 6.
 */
static bool search_node(struct search *s, u32 index, u32 base, u32 width)
{
	const struct pool_node *node = &pool->nodes[index];
	u32 last = base + width - 1;

	if (last < s->min || base > s->max)
		return false;

	if (base >= s->min && last <= s->max) {
		if (s->run && s->run + node->prefix >= s->count)
			return true;
		if (node->longest < s->count) {
			if (node->prefix == width && s->run) {
				s->run += width;
			} else {
				s->run = node->suffix;
				s->run_start = last + 1 - node->suffix;
			}
			return false;
		}
	}

	if (width == WORD_BITS)
		return search_word(s, base);
	return search_node(s, 2 * index, base, width / 2) ||
	       search_node(s, 2 * index + 1, base + width / 2, width / 2);
}

/* The usual case: up from where it begins, until there is something behind. */
static bool find_one(u32 min, u32 max, u32 *number)
{
	u32 index = NR_WORDS + min / WORD_BITS;
	u64 word = pool->words[min / WORD_BITS] & GENMASK_ULL(63, min % WORD_BITS);

	if (!word) {
		while (index & 1 || !pool->nodes[index + 1].longest) {
			index /= 2;
			if (!index)
				return false;
		}
		index++;
		while (index < NR_WORDS) {
			index *= 2;
			if (!pool->nodes[index].longest)
				index++;
		}
		word = pool->words[index - NR_WORDS];
	}
	*number = (index - NR_WORDS) * WORD_BITS + __ffs64(word);
	return *number <= max;
}

static bool find_run(u32 min, u32 max, u32 count, u32 *first)
{
	struct search s = { .min = min, .max = max, .count = count };

	if (count == 1)
		return find_one(min, max, first);
	if (!search_node(&s, 1, 0, NR_NUMBERS))
		return false;
	*first = s.run_start;
	return true;
}

/**
 * sva_pool_alloc() - Take consecutive numbers out of the pool
 * @min: Lowest number that will do, or 0
 * @max: Highest number that will do, or 0
 * @count: How many, at least 1; they fit in [@min, @max]
 * @first: Out: the first of them
 *
 * Without limits, numbers from 256 on are preferred: a program that does not
 * care should not use up those that 8-bit devices need.
 *
 * Context: May sleep.
 * Return: 0, -ENOSPC if there is no such run, -EBUSY if it was one number that
 * was asked for.
 */
int sva_pool_alloc(u32 min, u32 max, u32 count, u32 *first)
{
	bool fixed = min && min == max;
	bool found = false;

	if (!max || max >= NR_NUMBERS)
		max = NR_NUMBERS - 1;

	mutex_lock(&pool->lock);
	if (!min && max == NR_NUMBERS - 1) {
		found = find_run(pool->hint, max, count, first);
		if (found && count == 1)
			pool->hint = min(*first + 1, NR_NUMBERS - 1);
	}
	if (!found)
		found = find_run(min, max, count, first);
	if (found) {
		mark(*first, count, false);
		pool->info.nr_free -= count;
	}
	mutex_unlock(&pool->lock);

	if (found)
		return 0;
	return fixed ? -EBUSY : -ENOSPC;
}

/**
 * sva_pool_free() - Give numbers back to the pool
 * @first: First of them
 * @count: How many, maybe 0; all are from sva_pool_alloc()
 *
 * Context: May sleep.
 */
void sva_pool_free(u32 first, u32 count)
{
	u32 n;

	for (; count; first += n, count -= n) {
		n = min(count, FREE_MAX);
		mutex_lock(&pool->lock);
		mark(first, n, true);
		pool->info.nr_free += n;
		pool->hint = min(pool->hint, max(first, NOT_NARROW));
		mutex_unlock(&pool->lock);
		cond_resched();
	}
}

/**
 * sva_pool_get_info() - Size and use of the pool
 * @info: Out
 */
void sva_pool_get_info(struct sva_pool_info *info)
{
	mutex_lock(&pool->lock);
	*info = pool->info;
	mutex_unlock(&pool->lock);
}

/*
 * Takes every number below 2^@bits that nobody has. The allocator asks its
 * caller's device for one thing only, the width.
 */
static int take_all(unsigned int bits, unsigned long *taken)
{
	struct dev_iommu iommu = { .max_pasids = BIT(bits) };
	struct device *dev;
	ioasid_t pasid;

	dev = kzalloc_obj(*dev);
	if (!dev)
		return -ENOMEM;
	dev->iommu = &iommu;

	while ((pasid = iommu_alloc_global_pasid(dev)) != IOMMU_PASID_INVALID) {
		__set_bit(pasid, taken);
		cond_resched();
	}
	kfree(dev);
	return 0;
}

/* Gives back what is not to be kept; what stays in @taken is the pool's. */
static void give_back(unsigned int bits, unsigned int share,
		      unsigned long *taken)
{
	unsigned long octave, pasid;

	for (octave = 1; octave < BIT(bits); octave *= 2) {
		unsigned long end = 2 * octave - octave * share / 100;

		pasid = octave;
		for_each_set_bit_from(pasid, taken, end) {
			__clear_bit(pasid, taken);
			iommu_free_global_pasid(pasid);
		}
		cond_resched();
	}
}

static void fill(const unsigned long *taken)
{
	unsigned long pasid;

	pool->info.first = find_first_bit(taken, NR_NUMBERS);
	pool->info.last = find_last_bit(taken, NR_NUMBERS);
	pool->info.size = bitmap_weight(taken, NR_NUMBERS);
	pool->info.nr_free = pool->info.size;
	for_each_set_bit(pasid, taken, NR_NUMBERS)
		pool->words[pasid / WORD_BITS] |= BIT_ULL(pasid % WORD_BITS);
	update_nodes(0, NR_WORDS - 1);
}

/**
 * sva_pool_init() - Take the pool's numbers from the kernel's allocator
 * @bits: Width up to which to take numbers, 2 to SVA_PASID_WIDTH_MAX
 * @share: Percentage of each octave to keep, 1 to 99
 *
 * For the fraction of a second that this takes, others may find no number.
 *
 * Return: 0, -EINVAL for a parameter out of range, -ENOSPC if not one number
 * could be had, -ENOMEM.
 */
int sva_pool_init(unsigned int bits, unsigned int share)
{
	unsigned long *taken;
	int ret;

	if (!in_range(bits, 2, SVA_PASID_WIDTH_MAX - 1) || !in_range(share, 1, 99))
		return -EINVAL;

	taken = bitmap_zalloc(NR_NUMBERS, GFP_KERNEL);
	if (!taken)
		return -ENOMEM;
	pool = vzalloc(sizeof(*pool));
	if (!pool) {
		ret = -ENOMEM;
		goto out_free_bitmap;
	}
	mutex_init(&pool->lock);
	pool->hint = NOT_NARROW;

	ret = take_all(bits, taken);
	if (ret)
		goto out_free_pool;
	give_back(bits, share, taken);
	if (bitmap_empty(taken, NR_NUMBERS)) {
		ret = -ENOSPC;
		goto out_free_pool;
	}
	fill(taken);
	bitmap_free(taken);
	return 0;

out_free_pool:
	mutex_destroy(&pool->lock);
	vfree(pool);
out_free_bitmap:
	bitmap_free(taken);
	return ret;
}

/**
 * sva_pool_exit() - Give all numbers back to the kernel's allocator
 *
 * All of them are free: no context is left.
 */
void sva_pool_exit(void)
{
	u32 i;

	WARN_ON(pool->info.nr_free != pool->info.size);
	for (i = 0; i < NR_WORDS; i++) {
		u64 word = pool->words[i];

		for (; word; word &= word - 1)
			iommu_free_global_pasid(i * WORD_BITS + __ffs64(word));
		cond_resched();
	}
	mutex_destroy(&pool->lock);
	vfree(pool);
}
