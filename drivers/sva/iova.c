// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOVA address spaces: a map of pinned memory that user space manages.
 */
#include <linux/cleanup.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <trace/events/sva.h>

#include "sva_private.h"

static void free_area(struct sva_area *area)
{
	if (area->pages)
		sva_pages_put(area->pages);
	kfree(area);
}

/* What was mapped until now. */
static void free_mapping(struct sva_iova *iova, struct sva_area *area)
{
	trace_sva_unmap(iova->as.obj.ctx->id, iova->as.obj.id, area->iova,
			area->last - area->iova + 1);
	free_area(area);
}

/* Nobody uses it, thus there are no domains. */
static void free_iova(struct sva_as *as)
{
	struct sva_iova *iova = sva_as_to_iova(as);
	struct sva_area *area, *next;

	if (iova->nr_maps)
		atomic_sub(iova->nr_maps, &as->obj.ctx->nr_maps);
	rbtree_postorder_for_each_entry_safe(area, next, &iova->areas, node) {
		free_mapping(iova, area);
		cond_resched();
	}
	sva_faultq_put(as->faultq);
	kfree(iova);
}

static const struct sva_as_ops iova_ops = {
	.attach = sva_domain_attach,
	.put = sva_domain_put,
	.free = free_iova,
};

/**
 * sva_iova_alloc() - Make an empty IOVA address space
 * @nest_parent: It is going to be a nesting parent
 * @faultq: Where its page requests go, or NULL; taken over if it succeeds
 *
 * Return: the address space, without an id, or ERR_PTR(-ENOMEM).
 */
struct sva_as *sva_iova_alloc(bool nest_parent, struct sva_faultq *faultq)
{
	struct sva_iova *iova;

	iova = kzalloc_obj(*iova, GFP_KERNEL_ACCOUNT);
	if (!iova)
		return ERR_PTR(-ENOMEM);
	iova->as.type = SVA_AS_TYPE_IOVA;
	iova->as.ops = &iova_ops;
	iova->as.faultq = faultq;
	iova->nest_parent = nest_parent;
	mutex_init(&iova->lock);
	iova->areas = RB_ROOT;
	INIT_LIST_HEAD(&iova->domains);
	iova->reserved = RB_ROOT_CACHED;
	return &iova->as;
}

/* Only an address space of this type will do. */
static struct sva_iova *get_iova(struct sva_ctx *ctx, u32 id)
{
	struct sva_as *as = sva_as_get(ctx, id);

	if (as && as->type != SVA_AS_TYPE_IOVA) {
		sva_as_put(as);
		return NULL;
	}
	return as ? sva_as_to_iova(as) : NULL;
}

static void put_iova(struct sva_iova *iova)
{
	if (iova)
		sva_as_put(&iova->as);
}

DEFINE_FREE(put_iova, struct sva_iova *, put_iova(_T))

/* --- ranges that must not be mapped --------------------------------------- */

/**
 * sva_iova_reserve() - Keep a range from being mapped
 * @iova: The address space; the caller holds its lock
 * @owner: Whom to name in sva_iova_unreserve()
 * @start: First IOVA
 * @last: Last IOVA
 *
 * Return: 0, -EADDRINUSE if something is mapped there, -ENOMEM.
 */
int sva_iova_reserve(struct sva_iova *iova, void *owner, u64 start, u64 last)
{
	struct sva_reserved *reserved;
	struct sva_area *area;

	lockdep_assert_held(&iova->lock);

	area = sva_area_first(&iova->areas, start);
	if (area && area->iova <= last)
		return -EADDRINUSE;

	reserved = kzalloc_obj(*reserved, GFP_KERNEL_ACCOUNT);
	if (!reserved)
		return -ENOMEM;
	reserved->node.start = start;
	reserved->node.last = last;
	reserved->owner = owner;
	interval_tree_insert(&reserved->node, &iova->reserved);
	return 0;
}

/**
 * sva_iova_unreserve() - Give up all ranges of an owner
 * @iova: The address space; the caller holds its lock
 * @owner: From sva_iova_reserve()
 */
void sva_iova_unreserve(struct sva_iova *iova, void *owner)
{
	struct interval_tree_node *node, *next;

	lockdep_assert_held(&iova->lock);

	for (node = interval_tree_iter_first(&iova->reserved, 0, U64_MAX); node;
	     node = next) {
		struct sva_reserved *reserved =
			container_of(node, struct sva_reserved, node);

		next = interval_tree_iter_next(node, 0, U64_MAX);
		if (reserved->owner != owner)
			continue;
		interval_tree_remove(node, &iova->reserved);
		kfree(reserved);
	}
}

/*
 * Steps through the ranges between the reserved ones. @range holds the one
 * before, or FIRST_RANGE; false when there are no more.
 */
static bool next_range(struct sva_iova *iova, struct sva_iova_range *range)
{
	struct interval_tree_node *node;
	u64 start = 0;

	if (range->start <= range->last) {
		if (range->last == U64_MAX)
			return false;
		start = range->last + 1;
	}

	/* Reserved ranges may overlap: skip all that touch the start. */
	while ((node = interval_tree_iter_first(&iova->reserved, start, start))) {
		if (node->last == U64_MAX)
			return false;
		start = node->last + 1;
	}

	range->start = start;
	node = interval_tree_iter_first(&iova->reserved, start, U64_MAX);
	range->last = node ? node->start - 1 : U64_MAX;
	return true;
}

#define FIRST_RANGE	{ .start = 1 }

/* Writes the first @room ranges, and tells how many there are. */
static u32 list_ranges(struct sva_iova *iova, struct sva_iova_range *ranges,
		       u32 room)
{
	struct sva_iova_range range = FIRST_RANGE;
	u32 num = 0;

	while (next_range(iova, &range)) {
		if (num < room)
			ranges[num] = range;
		num++;
	}
	return num;
}

static u32 count_ranges(struct sva_iova *iova)
{
	return list_ranges(iova, NULL, 0);
}

int sva_ioctl_iova_ranges(struct sva_ucmd *ucmd)
{
	struct sva_iova_ranges *cmd = ucmd->cmd;
	struct sva_iova_range __user *out = u64_to_user_ptr(cmd->ranges);
	struct sva_iova_range *ranges __free(kvfree) = NULL;
	u32 room = cmd->num;
	int ret;

	struct sva_iova *iova __free(put_iova) = get_iova(ucmd->ctx, cmd->as_id);

	if (!iova)
		return -ENOENT;
	if (cmd->__reserved)
		return -EINVAL;

	/* User memory is not touched under the lock, hence first into ours. */
	scoped_guard(mutex, &iova->lock) {
		room = min(room, count_ranges(iova));
		ranges = kvmalloc_objs(*ranges, room, GFP_KERNEL_ACCOUNT);
		if (!ranges)
			return -ENOMEM;
		cmd->num = list_ranges(iova, ranges, room);
	}
	cmd->alignment = PAGE_SIZE;

	if (copy_to_user(out, ranges, room * sizeof(*ranges)))
		return -EFAULT;
	ret = sva_ucmd_respond(ucmd);
	if (ret)
		return ret;
	return room < cmd->num ? -EMSGSIZE : 0;
}

/* --- where to map ---------------------------------------------------------- */

/* What a map call is about, apart from the memory. */
struct map_request {
	u32 flags;
	u64 iova;
	u64 length;
	u64 offset;		/* of the memory, modulo huge pages */
};

static int check_request(const struct map_request *req)
{
	u64 last;

	if (req->flags & ~(SVA_IOVA_F_READ | SVA_IOVA_F_WRITE |
			   SVA_IOVA_F_FIXED))
		return -EOPNOTSUPP;
	if (!(req->flags & (SVA_IOVA_F_READ | SVA_IOVA_F_WRITE)))
		return -EINVAL;
	if (!req->length || !PAGE_ALIGNED(req->length))
		return -EINVAL;
	if (!(req->flags & SVA_IOVA_F_FIXED))
		return 0;
	if (!PAGE_ALIGNED(req->iova))
		return -EINVAL;
	if (check_add_overflow(req->iova, req->length - 1, &last))
		return -EOVERFLOW;
	return 0;
}

static bool find_in_ranges(struct sva_iova *iova, u64 length, u64 align,
			   u64 offset, u64 *where)
{
	struct sva_iova_range range = FIRST_RANGE;

	while (next_range(iova, &range)) {
		u64 lo = max_t(u64, range.start, PAGE_SIZE);

		if (lo <= range.last &&
		    sva_area_find_free(&iova->areas, lo, range.last, length,
				       align, offset & (align - 1), where))
			return true;
	}
	return false;
}

/*
 * Huge pages can be used only where IOVA and memory are alike modulo their
 * size. IOVA 0 is never chosen: too many programs mean "none" by it.
 */
static int choose_iova(struct sva_iova *iova, const struct map_request *req,
		       u64 *where)
{
	static const u64 aligns[] = { SZ_1G, SZ_2M, PAGE_SIZE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(aligns); i++) {
		if (aligns[i] > PAGE_SIZE && req->length < aligns[i])
			continue;
		if (find_in_ranges(iova, req->length, aligns[i], req->offset,
				   where))
			return 0;
	}
	return -ENOSPC;
}

/* Makes a pending area: its range is taken, but nothing is mapped. */
static struct sva_area *reserve_area(struct sva_iova *iova,
				     const struct map_request *req)
{
	struct sva_area *area;
	int ret = 0;

	area = kzalloc_obj(*area, GFP_KERNEL_ACCOUNT);
	if (!area)
		return ERR_PTR(-ENOMEM);
	area->pending = true;
	if (req->flags & SVA_IOVA_F_READ)
		area->prot |= IOMMU_READ;
	if (req->flags & SVA_IOVA_F_WRITE)
		area->prot |= IOMMU_WRITE;

	guard(mutex)(&iova->lock);
	if (req->flags & SVA_IOVA_F_FIXED)
		area->iova = req->iova;
	else
		ret = choose_iova(iova, req, &area->iova);
	if (ret)
		goto out_free;

	area->last = area->iova + req->length - 1;
	ret = -EADDRNOTAVAIL;
	if (interval_tree_iter_first(&iova->reserved, area->iova, area->last))
		goto out_free;
	ret = sva_area_insert(&iova->areas, area);
	if (ret)
		goto out_free;
	return area;

out_free:
	kfree(area);
	return ERR_PTR(ret);
}

static void cancel_area(struct sva_iova *iova, struct sva_area *area)
{
	scoped_guard(mutex, &iova->lock)
		sva_area_erase(&iova->areas, area);
	free_area(area);
}

/*
 * Maps a pending area and tells user space where, if the kernel chose. Nobody
 * else can touch the area until it is no longer pending, so it can be undone.
 */
static int commit_area(struct sva_iova *iova, struct sva_area *area,
		       struct sva_ucmd *ucmd)
{
	int ret;

	ret = sva_ucmd_respond(ucmd);
	if (ret)
		return ret;

	guard(mutex)(&iova->lock);
	ret = sva_domains_map(iova, area);
	if (ret)
		return ret;
	area->pending = false;
	WRITE_ONCE(iova->nr_maps, iova->nr_maps + 1);
	atomic_inc(&ucmd->ctx->nr_maps);
	trace_sva_map(ucmd->ctx->id, iova->as.obj.id, area->iova,
		      area->last - area->iova + 1, area->prot);
	return 0;
}

/*
 * The last step of every call that maps: @pages, or why there are none, into an
 * area that was reserved for them.
 */
static int map_pages(struct sva_iova *iova, struct sva_area *area,
		     struct sva_pages *pages, u64 first_page,
		     struct sva_ucmd *ucmd)
{
	int ret = PTR_ERR_OR_ZERO(pages);

	if (!ret) {
		area->pages = pages;
		area->first_page = first_page;
		ret = commit_area(iova, area, ucmd);
	}
	if (ret)
		cancel_area(iova, area);
	return ret;
}

/* The memory's own addresses, in whatever it is. */
static int check_source(u64 start, u64 length)
{
	u64 last;

	if (!PAGE_ALIGNED(start))
		return -EINVAL;
	return check_add_overflow(start, length - 1, &last) ? -EOVERFLOW : 0;
}

/* --- the ioctls ------------------------------------------------------------ */

int sva_ioctl_iova_map(struct sva_ucmd *ucmd)
{
	struct sva_iova_map *cmd = ucmd->cmd;
	struct map_request req = {
		.flags = cmd->flags,
		.iova = cmd->iova,
		.length = cmd->length,
		.offset = cmd->user_va,
	};
	struct sva_pages *pages;
	struct sva_area *area;
	int ret;

	struct sva_iova *iova __free(put_iova) = get_iova(ucmd->ctx, cmd->as_id);

	if (!iova)
		return -ENOENT;
	ret = check_request(&req);
	if (ret)
		return ret;
	if (cmd->__reserved)
		return -EINVAL;
	ret = check_source(cmd->user_va, cmd->length);
	if (ret)
		return ret;

	area = reserve_area(iova, &req);
	if (IS_ERR(area))
		return PTR_ERR(area);
	cmd->iova = area->iova;

	pages = sva_pages_pin_user(ucmd->ctx, cmd->user_va,
				   cmd->length / PAGE_SIZE,
				   cmd->flags & SVA_IOVA_F_WRITE);
	return map_pages(iova, area, pages, 0, ucmd);
}

int sva_ioctl_iova_map_file(struct sva_ucmd *ucmd)
{
	struct sva_iova_map_file *cmd = ucmd->cmd;
	struct map_request req = {
		.flags = cmd->flags,
		.iova = cmd->iova,
		.length = cmd->length,
		.offset = cmd->start,
	};
	struct sva_pages *pages;
	struct sva_area *area;
	int ret;

	struct sva_iova *iova __free(put_iova) = get_iova(ucmd->ctx, cmd->as_id);

	if (!iova)
		return -ENOENT;
	ret = check_request(&req);
	if (ret)
		return ret;
	ret = check_source(cmd->start, cmd->length);
	if (ret)
		return ret;

	area = reserve_area(iova, &req);
	if (IS_ERR(area))
		return PTR_ERR(area);
	cmd->iova = area->iova;

	pages = sva_pages_pin_file(ucmd->ctx, cmd->fd, cmd->start,
				   cmd->length / PAGE_SIZE,
				   cmd->flags & SVA_IOVA_F_WRITE);
	return map_pages(iova, area, pages, 0, ucmd);
}

/* Finds the area that has all of a range, and keeps its memory. */
static struct sva_pages *get_source(struct sva_iova *iova,
				    const struct sva_iova_copy *cmd,
				    u64 *first_page)
{
	u64 last = cmd->src_iova + cmd->length - 1;
	struct sva_area *area;

	guard(mutex)(&iova->lock);
	area = sva_area_first(&iova->areas, cmd->src_iova);
	if (!area || area->iova > cmd->src_iova || area->last < last)
		return ERR_PTR(-ENOENT);
	if (area->pending)
		return ERR_PTR(-EBUSY);
	if ((cmd->flags & SVA_IOVA_F_WRITE) && !(area->prot & IOMMU_WRITE))
		return ERR_PTR(-EACCES);
	*first_page = area->first_page +
		      (cmd->src_iova - area->iova) / PAGE_SIZE;
	return sva_pages_get(area->pages);
}

int sva_ioctl_iova_copy(struct sva_ucmd *ucmd)
{
	struct sva_iova_copy *cmd = ucmd->cmd;
	struct map_request req = {
		.flags = cmd->flags,
		.iova = cmd->dst_iova,
		.length = cmd->length,
		.offset = cmd->src_iova,
	};
	struct sva_pages *pages;
	struct sva_area *area;
	u64 first_page;
	int ret;

	struct sva_iova *src __free(put_iova) =
		get_iova(ucmd->ctx, cmd->src_as_id);
	struct sva_iova *dst __free(put_iova) =
		get_iova(ucmd->ctx, cmd->dst_as_id);

	if (!src || !dst)
		return -ENOENT;
	ret = check_request(&req);
	if (ret)
		return ret;
	ret = check_source(cmd->src_iova, cmd->length);
	if (ret)
		return ret;

	pages = get_source(src, cmd, &first_page);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	area = reserve_area(dst, &req);
	if (IS_ERR(area)) {
		sva_pages_put(pages);
		return PTR_ERR(area);
	}
	cmd->dst_iova = area->iova;
	return map_pages(dst, area, pages, first_page, ucmd);
}

/* Checks that [@start, @last] can be unmapped; tells how many bytes that is. */
static int check_unmap(struct sva_iova *iova, u64 start, u64 last, u64 *bytes)
{
	struct sva_area *area;

	*bytes = 0;
	for (area = sva_area_first(&iova->areas, start);
	     area && area->iova <= last; area = sva_area_next(area)) {
		if (area->iova < start || area->last > last)
			return -ERANGE;
		if (area->pending)
			return -EBUSY;
		*bytes += area->last - area->iova + 1;
	}
	return *bytes ? 0 : -ENOENT;
}

/* Moves the areas out of the tree onto @list. */
static void take_areas(struct sva_iova *iova, u64 start, u64 last,
		       struct list_head *list)
{
	struct sva_area *area, *next;

	for (area = sva_area_first(&iova->areas, start);
	     area && area->iova <= last; area = next) {
		next = sva_area_next(area);
		sva_area_erase(&iova->areas, area);
		list_add_tail(&area->unmap_node, list);
		WRITE_ONCE(iova->nr_maps, iova->nr_maps - 1);
	}
}

int sva_ioctl_iova_unmap(struct sva_ucmd *ucmd)
{
	struct sva_iova_unmap *cmd = ucmd->cmd;
	bool everything = !cmd->iova && cmd->length == U64_MAX;
	struct sva_area *area, *next;
	u64 last = U64_MAX;
	LIST_HEAD(list);
	u64 bytes;
	int ret;

	struct sva_iova *iova __free(put_iova) = get_iova(ucmd->ctx, cmd->as_id);

	if (!iova)
		return -ENOENT;
	if (!cmd->length)
		return -EINVAL;
	if (!everything &&
	    check_add_overflow(cmd->iova, cmd->length - 1, &last))
		return -EOVERFLOW;

	scoped_guard(mutex, &iova->lock) {
		u32 before = iova->nr_maps;

		ret = check_unmap(iova, cmd->iova, last, &bytes);
		if (ret)
			break;
		take_areas(iova, cmd->iova, last, &list);
		atomic_sub(before - iova->nr_maps, &ucmd->ctx->nr_maps);
		sva_domains_unmap(iova, &list);
		if (!list_empty(&list) && !list_empty(&iova->domains))
			atomic_long_inc(&ucmd->ctx->nr_invalidations);
	}
	if (ret && !(everything && ret == -ENOENT))
		return ret;

	list_for_each_entry_safe(area, next, &list, unmap_node)
		free_mapping(iova, area);
	cmd->length = bytes;
	return sva_ucmd_respond(ucmd);
}

/* --- listing ---------------------------------------------------------------- */

/**
 * sva_iova_nr_maps() - How many mappings an address space has
 * @obj: An object of kind SVA_OBJECT_IOVA
 *
 * Context: Any; the object cannot go away.
 * Return: the number at this moment.
 */
u32 sva_iova_nr_maps(const struct sva_object *obj)
{
	const struct sva_as *as = container_of_const(obj, struct sva_as, obj);
	const struct sva_iova *iova = container_of_const(as, struct sva_iova, as);

	return READ_ONCE(iova->nr_maps);
}

/*
 * Looks at some areas of one address space. Returns how many that were, those
 * that are pending included, or -EINTR; advances @at, to 0 at the end.
 */
static int list_areas(struct sva_iova *iova, u64 *at, struct sva_list_map *entry,
		      u32 room, u32 *written)
{
	struct sva_area *area;
	u32 n = 0;

	if (mutex_lock_killable(&iova->lock))
		return -EINTR;
	for (area = sva_area_first(&iova->areas, *at); area && n < room;
	     area = sva_area_next(area)) {
		n++;
		*at = area->last + 1;
		if (area->pending)
			continue;
		entry->ctx_id = iova->as.obj.ctx->id;
		entry->iova = area->iova;
		entry->length = area->last - area->iova + 1;
		entry->as_id = iova->as.obj.id;
		if (area->prot & IOMMU_READ)
			entry->flags |= SVA_IOVA_F_READ;
		if (area->prot & IOMMU_WRITE)
			entry->flags |= SVA_IOVA_F_WRITE;
		entry++;
		++*written;
	}
	if (!area)
		*at = 0;
	mutex_unlock(&iova->lock);
	return n;
}

/**
 * sva_iova_list() - List the mappings of a context
 * @ctx: The context
 * @pos: Where to begin; where to go on
 * @entries: Array of struct sva_list_map, zeroed
 * @room: How many fit
 *
 * Looks at no more than @room objects and mappings in all.
 *
 * Return: entries written, or -EINTR.
 */
int sva_iova_list(struct sva_ctx *ctx, struct sva_list_pos *pos, void *entries,
		  u32 room)
{
	struct sva_list_map *entry = entries;
	u32 looked_at = 0, written = 0;
	int ret = 0;

	while (looked_at < room) {
		struct sva_object *obj = sva_object_list_get(ctx, pos->id);

		pos->end = !obj;
		if (!obj)
			break;
		if (obj->id != pos->id)
			pos->at = 0;
		pos->id = obj->id;
		if (obj->kind == SVA_OBJECT_IOVA)
			ret = list_areas(container_of(obj, struct sva_iova,
						      as.obj),
					 &pos->at, entry + written,
					 room - looked_at, &written);
		else
			pos->at = 0;
		sva_object_list_put(obj);
		if (ret < 0)
			return ret;
		looked_at += ret + 1;
		if (!pos->at)
			pos->id++;
	}
	return written;
}
