// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bonds: the uses of a PASID by a device, held by the device's driver.
 */
#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/slab.h>
#include <trace/events/sva.h>

#include "sva_private.h"

static void put_bond(struct sva_bond *bond)
{
	if (!refcount_dec_and_test(&bond->users))
		return;
	sva_device_put(bond->sdev);
	sva_ctx_put_shell(bond->ctx);
	kfree(bond);
	atomic_long_dec(&sva_nr_bonds);
}

/**
 * sva_bond_begin_revoke() - Decide that a bond is to be revoked
 * @bond: The bond
 * @list: Where it waits for sva_bonds_revoke(), if it is this caller's to revoke
 *
 * Context: The caller holds the context's lock, and calls sva_bonds_revoke()
 * after dropping it.
 */
void sva_bond_begin_revoke(struct sva_bond *bond, struct list_head *list)
{
	lockdep_assert_held(&bond->ctx->lock);

	if (bond->state != SVA_BOND_LIVE)
		return;
	bond->state = SVA_BOND_REVOKING;
	refcount_inc(&bond->users);
	list_add_tail(&bond->revoke_node, list);
}

/**
 * sva_bonds_revoke() - Revoke bonds
 * @list: Bonds from sva_bond_begin_revoke()
 *
 * Context: No sva lock is held.
 */
void sva_bonds_revoke(struct list_head *list)
{
	struct sva_bond *bond, *next;

	list_for_each_entry_safe(bond, next, list, revoke_node) {
		trace_sva_revoke(bond->ctx->id, bond->object, bond->number,
				 bond->sdev->dev);
		bond->ops->revoke(bond->priv);

		mutex_lock(&bond->ctx->lock);
		bond->state = SVA_BOND_REVOKED;
		complete_all(&bond->revoked);
		mutex_unlock(&bond->ctx->lock);
		put_bond(bond);
	}
}

static int is_pasid_capable(struct device *dev, void *count)
{
	if (dev->iommu->max_pasids)
		++*(unsigned int *)count;
	return 0;
}

/*
 * The IOMMU translates a PASID for a whole group. Where several devices of a
 * group can use PASIDs, all bonds of the group belong to one context.
 */
static int claim_group(struct sva_group *group, struct sva_ctx *ctx)
{
	unsigned int capable = 0;

	iommu_group_for_each_dev(group->group, &capable, is_pasid_capable);

	guard(spinlock)(&group->lock);
	if (!group->nr_bonds) {
		group->owner = ctx;
	} else if (group->owner != ctx) {
		if (capable > 1)
			return -EBUSY;
		group->owner = NULL;
	}
	group->nr_bonds++;
	return 0;
}

static void unclaim_group(struct sva_group *group)
{
	guard(spinlock)(&group->lock);
	group->nr_bonds--;
}

/*
 * Takes a bond out of the IOMMU. Returns whether it was still there: then the
 * caller gives up the bond's reference to the context, after dropping its lock.
 * What the driver keeps afterwards must not keep the context: who was given a
 * device, and had it taken away, would decide how long memory stays pinned.
 */
static bool detach_bond(struct sva_bond *bond)
{
	struct sva_device *sdev = bond->sdev;

	lockdep_assert_held(&bond->ctx->lock);
	if (!bond->attachment)
		return false;

	sva_bond_leave(bond);
	list_del_init(&bond->right_node);
	unclaim_group(sdev->group);
	/* The last thing that keeps sva_device_unregister() from returning. */
	scoped_guard(spinlock, &sdev->bonds_lock) {
		list_del(&bond->device_node);
		WRITE_ONCE(sdev->nr_bonds, sdev->nr_bonds - 1);
	}
	return true;
}

static struct sva_bond *get_first_bond(struct sva_device *sdev)
{
	struct sva_bond *bond;

	guard(spinlock)(&sdev->bonds_lock);
	bond = list_first_entry_or_null(&sdev->bonds, struct sva_bond,
					device_node);
	if (bond)
		refcount_inc(&bond->users);
	return bond;
}

/* Revokes a bond, or waits for who does, and takes it out of the IOMMU. */
static void end_bond(struct sva_bond *bond)
{
	struct sva_ctx *ctx = bond->ctx;
	LIST_HEAD(list);
	bool wait, left;

	mutex_lock(&ctx->lock);
	wait = bond->state == SVA_BOND_REVOKING;
	sva_bond_begin_revoke(bond, &list);
	mutex_unlock(&ctx->lock);

	if (wait)
		wait_for_completion(&bond->revoked);
	sva_bonds_revoke(&list);

	mutex_lock(&ctx->lock);
	left = detach_bond(bond);
	mutex_unlock(&ctx->lock);
	if (left)
		sva_ctx_put(ctx);
}

/**
 * sva_bonds_end() - Revoke all bonds of a device and take them out of the IOMMU
 * @sdev: The device, to which no more can be attached
 *
 * Context: No sva lock is held.
 */
void sva_bonds_end(struct sva_device *sdev)
{
	struct sva_bond *bond;

	while ((bond = get_first_bond(sdev))) {
		end_bond(bond);
		put_bond(bond);
	}
}

static struct sva_bond *get_first_of_right(struct sva_right *right)
{
	struct sva_bond *bond;

	guard(mutex)(&right->ctx->lock);
	bond = list_first_entry_or_null(&right->bonds, struct sva_bond,
					right_node);
	if (bond)
		refcount_inc(&bond->users);
	return bond;
}

/**
 * sva_bonds_end_right() - Revoke all bonds made with a PASID fd and take them out
 * of the IOMMU
 * @right: The right, which is dead, so that there will be no more
 *
 * Context: No sva lock is held.
 */
void sva_bonds_end_right(struct sva_right *right)
{
	struct sva_bond *bond;

	while ((bond = get_first_of_right(right))) {
		end_bond(bond);
		put_bond(bond);
	}
}

static struct sva_bond *new_bond(struct sva_device *sdev, struct sva_ctx *ctx,
				 const struct sva_bond_ops *ops, void *priv)
{
	struct sva_bond *bond;

	bond = kzalloc_obj(*bond, GFP_KERNEL_ACCOUNT);
	if (!bond)
		return NULL;
	refcount_set(&bond->users, 1);
	bond->ctx = ctx;
	refcount_inc(&ctx->shells);
	bond->sdev = sdev;
	kref_get(&sdev->kref);
	bond->ops = ops;
	bond->priv = priv;
	init_completion(&bond->revoked);
	INIT_LIST_HEAD(&bond->right_node);
	atomic_long_inc(&sva_nr_bonds);
	return bond;
}

static int join_pasid(struct sva_bond *bond, u32 id)
{
	struct sva_right *right = bond->right;
	struct sva_ctx *ctx = bond->ctx;
	struct sva_pasid *pasid;
	int ret;

	pasid = right ? sva_right_pasid(right, ctx, id) : sva_pasid_find(ctx, id);
	if (IS_ERR_OR_NULL(pasid))
		return pasid ? PTR_ERR(pasid) : -ENOENT;
	ret = sva_bond_join(bond, pasid);
	if (!ret && right)
		list_add_tail(&bond->right_node, &right->bonds);
	return ret;
}

/* Ids only grow: the newest is the last. */
static void add_to_ctx(struct sva_bond *bond)
{
	struct sva_ctx *ctx = bond->ctx;
	struct rb_node *last = rb_last(&ctx->bonds);

	lockdep_assert_held(&ctx->lock);
	bond->id = ++ctx->last_bond;
	rb_link_node(&bond->node, last, last ? &last->rb_right : &ctx->bonds.rb_node);
	rb_insert_color(&bond->node, &ctx->bonds);
	atomic_inc(&ctx->nr_bonds);
}

static void remove_from_ctx(struct sva_bond *bond)
{
	lockdep_assert_held(&bond->ctx->lock);
	rb_erase(&bond->node, &bond->ctx->bonds);
	atomic_dec(&bond->ctx->nr_bonds);
}

static int attach_bond(struct sva_bond *bond, u32 id)
{
	struct sva_device *sdev = bond->sdev;
	struct sva_ctx *ctx = bond->ctx;
	int ret;

	guard(rwsem_read)(&sdev->live);
	if (sdev->gone)
		return -ENODEV;

	ret = claim_group(sdev->group, ctx);
	if (ret)
		return ret;

	guard(mutex)(&ctx->lock);
	ret = join_pasid(bond, id);
	if (ret) {
		unclaim_group(sdev->group);
		return ret;
	}

	bond->object = bond->attachment->pasid->id;
	add_to_ctx(bond);
	guard(spinlock)(&sdev->bonds_lock);
	list_add_tail(&bond->device_node, &sdev->bonds);
	WRITE_ONCE(sdev->nr_bonds, sdev->nr_bonds + 1);
	return 0;
}

/* The caller's reference to @ctx becomes the bond's if it succeeds. */
static struct sva_bond *attach(struct sva_device *sdev, struct sva_ctx *ctx,
			       struct sva_right *right, u32 id,
			       const struct sva_bond_ops *ops, void *priv)
{
	struct sva_bond *bond;
	int ret;

	bond = new_bond(sdev, ctx, ops, priv);
	if (!bond)
		return ERR_PTR(-ENOMEM);
	bond->right = right;

	ret = attach_bond(bond, id);
	trace_sva_attach(ctx->id, ret ? id : bond->object, bond->number,
			 sdev->dev, ret);
	if (ret) {
		put_bond(bond);
		return ERR_PTR(ret);
	}
	return bond;
}

/**
 * sva_attach() - Let a device use a PASID
 * @sdev: The device
 * @fd: An sva fd or a PASID fd, as user space passed it to the driver
 * @pasid: PASID or handle of that context. With a PASID fd: the one that it is
 *         for, or 0
 * @ops: How to revoke the bond
 * @priv: For @ops; valid until sva_detach() returns
 *
 * The driver may program sva_bond_pasid() into its device as soon as this
 * returns. Nothing but the PASID being bound decides what the device can reach:
 * DMA of a PASID that is not bound is blocked. The bond keeps the context alive
 * when the fd is closed, until it is detached or the core has ended it.
 *
 * Whether @fd is an sva fd or a PASID fd is no business of the driver's.
 *
 * A RID handle stands for the requests of the whole group that carry no PASID.
 * It can be attached only while somebody holds the group's DMA ownership
 * (iommu_device_claim_dma_owner()), which must be the caller's user, and stays
 * held until sva_detach() returned.
 *
 * Context: Process context, may sleep. For a process PASID it may take
 * mmap_lock: never call it from mmap() or vm_operations.
 * Return: the bond, which the caller owns, or ERR_PTR:
 * -EBADF @fd is neither an sva fd nor a PASID fd; -ENOENT the context has no such
 * PASID, or the PASID fd is for another one; -ESTALE the PASID fd is dead: it was
 * revoked, its PASID was freed, or its context was closed; -ENODEV the device is
 * being unregistered, or can attach no PASIDs; -ERANGE the number is too wide for
 * the device; -EPERM a process PASID of another process and no PASID fd, or a RID
 * handle and the group is not owned for DMA or its interrupts are not isolated;
 * -ESRCH a process PASID, and the process has ended; -EBUSY the group, or this
 * PASID of it, belongs to somebody else, or the device is being reset, or it
 * joined its group after the PASID was set there, which is mended by binding the
 * PASID anew;
 * -EADDRINUSE something is mapped where the device cannot translate or its group
 * has a reserved region; -EINVAL not a RID handle, and the registration is of a
 * group; -EXDEV a nested address space of another IOMMU instance;
 * -EOPNOTSUPP or what else the IOMMU driver answered (-ENOSPC: no number is left
 * for a process PASID); -EDQUOT the quota of who made a process PASID; -EINTR
 * killed; -ENOMEM.
 */
struct sva_bond *sva_attach(struct sva_device *sdev, int fd, u32 pasid,
			    const struct sva_bond_ops *ops, void *priv)
{
	CLASS(fd, f)(fd);
	if (fd_empty(f))
		return ERR_PTR(-EBADF);
	return sva_attach_file(sdev, fd_file(f), pasid, ops, priv);
}
EXPORT_SYMBOL_GPL(sva_attach);

/**
 * sva_attach_file() - As sva_attach(), by an open file
 * @sdev: The device
 * @file: What the descriptor stands for
 * @pasid: As there
 * @ops: As there
 * @priv: As there
 *
 * For drivers that attach later what their user names once. A reference to @file
 * that the driver keeps for that counts as an open descriptor: as long as it has
 * one of /dev/sva, PASID fds of that context do not die by its being closed.
 *
 * Context: As there.
 * Return: as there.
 */
struct sva_bond *sva_attach_file(struct sva_device *sdev, struct file *file,
				 u32 pasid, const struct sva_bond_ops *ops,
				 void *priv)
{
	struct sva_right *right = sva_right_from_file(file);
	struct sva_bond *bond;
	struct sva_ctx *ctx;

	ctx = right ? sva_right_get_ctx(right) : sva_ctx_from_file(file);
	if (IS_ERR(ctx)) {
		bond = ERR_CAST(ctx);
	} else {
		bond = attach(sdev, ctx, right, pasid, ops, priv);
		if (IS_ERR(bond))
			sva_ctx_put(ctx);
	}
	sva_right_put(right);
	return bond;
}
EXPORT_SYMBOL_GPL(sva_attach_file);

/**
 * sva_detach() - End the use of a PASID
 * @bond: From sva_attach(); freed here
 *
 * The driver has stopped the DMA of this bond. Page requests of it that are
 * under way have been answered when this returns, and neither DMA nor page
 * requests of it can arrive any more, unless the device has the same PASID
 * attached by another bond. A revoke() that is running is waited for; none
 * begins later.
 *
 * Context: Process context, may sleep. Not from revoke(), nor while holding
 * mmap_lock or a lock that revoke() takes.
 */
void sva_detach(struct sva_bond *bond)
{
	struct sva_ctx *ctx = bond->ctx;
	bool left;

	mutex_lock(&ctx->lock);
	if (bond->state == SVA_BOND_REVOKING) {
		mutex_unlock(&ctx->lock);
		wait_for_completion(&bond->revoked);
		mutex_lock(&ctx->lock);
	}
	bond->state = SVA_BOND_DETACHED;
	left = detach_bond(bond);
	remove_from_ctx(bond);
	mutex_unlock(&ctx->lock);

	trace_sva_detach(ctx->id, bond->object, bond->number, bond->sdev->dev);
	if (left)
		sva_ctx_put(ctx);
	put_bond(bond);
}
EXPORT_SYMBOL_GPL(sva_detach);

/**
 * sva_bond_pasid() - The number to program into the device
 * @bond: The bond
 *
 * Context: Any.
 * Return: the PASID, which does not change during the life of the bond, or
 * IOMMU_NO_PASID for a RID handle.
 */
u32 sva_bond_pasid(const struct sva_bond *bond)
{
	return bond->number;
}
EXPORT_SYMBOL_GPL(sva_bond_pasid);

/**
 * sva_bond_is_revoked() - Whether the core has ended a bond, or is about to
 * @bond: The bond
 *
 * Context: Process context, may sleep.
 * Return: true from before revoke() is called until sva_detach().
 */
bool sva_bond_is_revoked(struct sva_bond *bond)
{
	guard(mutex)(&bond->ctx->lock);
	return bond->state != SVA_BOND_LIVE;
}
EXPORT_SYMBOL_GPL(sva_bond_is_revoked);

/* --- listing -------------------------------------------------------------------- */

/* The newest bond that is not newer than @id. */
static struct sva_bond *newest_until(struct sva_ctx *ctx, u64 id)
{
	struct rb_node *node = ctx->bonds.rb_node;
	struct sva_bond *found = NULL;

	while (node) {
		struct sva_bond *bond = rb_entry(node, struct sva_bond, node);

		if (bond->id > id) {
			node = node->rb_left;
		} else {
			found = bond;
			node = node->rb_right;
		}
	}
	return found;
}

static void fill_entry(struct sva_list_bond *entry, struct sva_bond *bond)
{
	struct device *dev = bond->sdev->dev;

	entry->ctx_id = bond->ctx->id;
	entry->bond_id = bond->id;
	entry->pasid = bond->object;
	entry->number = bond->number;
	entry->dev_id = bond->sdev->id;
	if (bond->state == SVA_BOND_REVOKING)
		entry->status = SVA_BOND_S_REVOKING;
	else if (bond->state == SVA_BOND_REVOKED)
		entry->status = SVA_BOND_S_REVOKED;
	strscpy(entry->device, dev_name(dev));
	/*
	 * As long as it is attached, the driver's remove() has not returned,
	 * unless it was for other devices of the group.
	 */
	if (bond->attachment && !bond->sdev->whole_group && dev->driver)
		strscpy(entry->driver, dev->driver->name);
}

/**
 * sva_bond_list() - List the bonds of a context, the newest first
 * @ctx: The context
 * @pos: Where to begin; where to go on
 * @entries: Array of struct sva_list_bond, zeroed
 * @room: How many fit
 *
 * Return: entries written, or -EINTR.
 */
int sva_bond_list(struct sva_ctx *ctx, struct sva_list_pos *pos, void *entries,
		  u32 room)
{
	struct sva_list_bond *entry = entries;
	struct sva_bond *bond;
	u32 n;

	if (mutex_lock_killable(&ctx->lock))
		return -EINTR;
	for (n = 0; n < room && !pos->end; n++, entry++) {
		bond = newest_until(ctx, pos->id ?: U64_MAX);
		pos->end = !bond;
		if (!bond)
			break;
		fill_entry(entry, bond);
		pos->id = bond->id - 1;
		pos->end = !pos->id;
	}
	mutex_unlock(&ctx->lock);
	return n;
}
