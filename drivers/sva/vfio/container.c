// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO containers whose groups translate through a RID handle of /dev/sva.
 *
 * Each group is registered with the sva core while it is in the container. What
 * the container names becomes a bond for each of them; the core does the rest:
 * it checks reserved regions, enforces coherency, shares IOMMU domains, and
 * blocks a group before what it can reach goes away. A group without a bond is
 * blocked by its DMA ownership, which VFIO claims before it is attached here, and
 * releases after it was detached.
 *
 * Lock order: VFIO's locks of the group and the container, container.lock, what
 * sva_attach() and sva_detach() take.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/iommu.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sva.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/xarray.h>

#include <uapi/linux/sva_vfio_container.h>

#include "vfio_internal.h"

/* What a container names; nothing: no file. */
struct address_space_name {
	struct file *file;		/* of /dev/sva, or a PASID fd */
	u32 rid;
};

struct container {
	struct kref kref;		/* VFIO, each ioctl */
	struct mutex lock;		/* of all that follows */
	struct address_space_name name;
	struct list_head groups;
};

struct container_group {
	struct list_head node;		/* container.groups */
	struct iommu_group *group;
	struct sva_device *sdev;
	struct sva_bond *bond;		/* NULL: blocked */
};

/*
 * VFIO passes ioctls on without a lock: by then another thread may have taken the
 * last group out of the container, and VFIO had us release it. Therefore VFIO does
 * not get a pointer from us but a number, which is not used again soon.
 */
static DEFINE_XARRAY_ALLOC1(containers);
static u32 last_container;

static void free_container(struct kref *kref)
{
	struct container *c = container_of(kref, struct container, kref);

	if (c->name.file)
		fput(c->name.file);
	mutex_destroy(&c->lock);
	kfree(c);
	/* What is left of this call, container_exit() waits for. */
	module_put(THIS_MODULE);
}

static struct container *get_container(void *iommu_data)
{
	struct container *c;

	xa_lock(&containers);
	c = xa_load(&containers, (unsigned long)iommu_data);
	if (c)
		kref_get(&c->kref);
	xa_unlock(&containers);
	return c;
}

static void put_container(struct container *c)
{
	if (c)
		kref_put(&c->kref, free_container);
}

DEFINE_FREE(put_container, struct container *, put_container(_T))

/* --- groups and what they translate through ------------------------------------- */

/* Nothing of ours starts DMA. What the devices do, the core blocks. */
static void revoke(void *priv)
{
}

static const struct sva_bond_ops bond_ops = {
	.revoke = revoke,
};

static void block_group(struct container_group *cg)
{
	if (cg->bond)
		sva_detach(cg->bond);
	cg->bond = NULL;
}

/*
 * A group has one RID handle at a time. The new one is tried first all the same:
 * what is no handle at all, or the same again, must not cost a moment of none.
 */
static int point_group(struct container_group *cg,
		       const struct address_space_name *name)
{
	struct sva_bond *bond = NULL;

	if (name->file)
		bond = sva_attach_file(cg->sdev, name->file, name->rid,
				       &bond_ops, cg);
	if (bond == ERR_PTR(-EBUSY) && cg->bond) {
		block_group(cg);
		bond = sva_attach_file(cg->sdev, name->file, name->rid,
				       &bond_ops, cg);
	}
	if (IS_ERR(bond))
		return PTR_ERR(bond);
	block_group(cg);
	cg->bond = bond;
	return 0;
}

/* Where there is no way back, it is blocked: it must not stay where others are not. */
static int restore_group(struct container_group *cg,
			 const struct address_space_name *name)
{
	int ret = point_group(cg, name);

	if (ret)
		block_group(cg);
	return ret;
}

/* Takes over the reference to the file if it succeeds. */
static int point_container(struct container *c,
			   const struct address_space_name *name)
{
	struct container_group *cg;
	int ret, err = 0;

	lockdep_assert_held(&c->lock);

	list_for_each_entry(cg, &c->groups, node) {
		ret = point_group(cg, name);
		if (ret)
			goto out_restore;
	}
	if (c->name.file)
		fput(c->name.file);
	c->name = *name;
	return 0;

out_restore:
	/* The one that refused may have kept what it had. */
	if (!cg->bond)
		err = restore_group(cg, &c->name);
	list_for_each_entry_continue_reverse(cg, &c->groups, node)
		err = restore_group(cg, &c->name) ?: err;
	return err ? -ENOTRECOVERABLE : ret;
}

/* Whether it is blocked although the container names something. */
static bool is_revoked(struct container *c, struct container_group *cg)
{
	if (!c->name.file)
		return false;
	return !cg->bond || sva_bond_is_revoked(cg->bond);
}

/* --- ioctls --------------------------------------------------------------------- */

static int can_enforce_coherency(struct device *dev, void *unused)
{
	return device_iommu_capable(dev, IOMMU_CAP_ENFORCE_CACHE_COHERENCY);
}

/* The core enforces it wherever it can. */
static bool is_coherent(struct container *c)
{
	struct container_group *cg;

	lockdep_assert_held(&c->lock);

	list_for_each_entry(cg, &c->groups, node)
		if (!iommu_group_for_each_dev(cg->group, NULL,
					      can_enforce_coherency))
			return false;
	return true;
}

static int ioctl_set(struct container *c, void *arg)
{
	const struct sva_container_set *cmd = arg;
	struct address_space_name name = { .rid = cmd->rid };
	int ret;

	if (cmd->flags)
		return -EOPNOTSUPP;
	if (cmd->fd == -1) {
		if (cmd->rid)
			return -EINVAL;
	} else {
		name.file = fget(cmd->fd);
		if (!name.file)
			return -EBADF;
	}

	scoped_guard(mutex, &c->lock)
		ret = point_container(c, &name);
	if (ret && name.file)
		fput(name.file);
	return ret;
}

static int ioctl_info(struct container *c, void *arg)
{
	struct sva_container_info *cmd = arg;
	struct container_group *cg;

	if (cmd->flags)
		return -EOPNOTSUPP;

	guard(mutex)(&c->lock);
	cmd->state = c->name.file ? SVA_CONTAINER_S_SET : 0;
	if (is_coherent(c))
		cmd->state |= SVA_CONTAINER_S_COHERENT;
	cmd->groups = 0;
	list_for_each_entry(cg, &c->groups, node) {
		if (is_revoked(c, cg))
			cmd->state |= SVA_CONTAINER_S_REVOKED;
		cmd->groups++;
	}
	return 0;
}

static int copy_command(void *cmd, size_t size, void __user *arg)
{
	u32 user_size;

	if (get_user(user_size, (u32 __user *)arg))
		return -EFAULT;
	if (user_size < size)
		return -EINVAL;
	if (user_size > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(cmd, size, arg, user_size);
}

static long container_command(struct container *c, unsigned int cmd,
			      void __user *arg)
{
	union {
		struct sva_container_set set;
		struct sva_container_info info;
	} buffer;
	int ret;

	switch (cmd) {
	case SVA_CONTAINER_SET:
		return copy_command(&buffer, sizeof(buffer.set), arg) ?:
		       ioctl_set(c, &buffer);
	case SVA_CONTAINER_INFO:
		ret = copy_command(&buffer, sizeof(buffer.info), arg) ?:
		      ioctl_info(c, &buffer);
		if (!ret && copy_to_user(arg, &buffer, sizeof(buffer.info)))
			ret = -EFAULT;
		return ret;
	default:
		return -ENOTTY;
	}
}

static bool check_extension(struct container *c, unsigned long extension)
{
	if (extension == VFIO_DMA_CC_IOMMU && c) {
		guard(mutex)(&c->lock);
		return is_coherent(c);
	}
	return extension == VFIO_SVA_IOMMU;
}

static long container_ioctl(void *iommu_data, unsigned int cmd,
			    unsigned long arg)
{
	struct container *c __free(put_container) = get_container(iommu_data);

	if (cmd == VFIO_CHECK_EXTENSION)
		return check_extension(c, arg);
	/* It had groups a moment ago. */
	if (!c)
		return -EINVAL;
	return container_command(c, cmd, (void __user *)arg);
}

/* --- what VFIO asks for ---------------------------------------------------------- */

static void *container_open(unsigned long type)
{
	struct container *c;
	u32 id;
	int ret;

	if (type != VFIO_SVA_IOMMU)
		return ERR_PTR(-EINVAL);

	c = kzalloc_obj(*c, GFP_KERNEL_ACCOUNT);
	if (!c)
		return ERR_PTR(-ENOMEM);
	/* VFIO gives up its own without waiting for ioctls. */
	__module_get(THIS_MODULE);
	kref_init(&c->kref);
	mutex_init(&c->lock);
	INIT_LIST_HEAD(&c->groups);

	ret = xa_alloc_cyclic(&containers, &id, c, xa_limit_31b, &last_container,
			      GFP_KERNEL);
	if (ret < 0) {
		put_container(c);
		return ERR_PTR(ret);
	}
	return (void *)(unsigned long)id;
}

/* All groups have been detached. */
static void container_release(void *iommu_data)
{
	put_container(xa_erase(&containers, (unsigned long)iommu_data));
}

static struct container_group *new_group(struct iommu_group *group)
{
	struct container_group *cg;
	struct sva_device *sdev;

	cg = kzalloc_obj(*cg, GFP_KERNEL_ACCOUNT);
	if (!cg)
		return ERR_PTR(-ENOMEM);
	sdev = sva_device_register_group(group);
	if (IS_ERR(sdev)) {
		kfree(cg);
		return ERR_CAST(sdev);
	}
	cg->group = group;
	cg->sdev = sdev;
	return cg;
}

static void free_group(struct container_group *cg)
{
	block_group(cg);
	sva_device_unregister(cg->sdev);
	kfree(cg);
}

static int container_attach_group(void *iommu_data, struct iommu_group *group,
				  enum vfio_group_type type)
{
	struct container *c __free(put_container) = get_container(iommu_data);
	struct container_group *cg;
	int ret;

	/* Devices without an IOMMU have their accesses emulated by their driver. */
	if (type != VFIO_IOMMU)
		return -EOPNOTSUPP;

	cg = new_group(group);
	if (IS_ERR(cg))
		return PTR_ERR(cg);
	scoped_guard(mutex, &c->lock) {
		ret = point_group(cg, &c->name);
		if (!ret)
			list_add_tail(&cg->node, &c->groups);
	}
	if (ret)
		free_group(cg);
	return ret;
}

static void container_detach_group(void *iommu_data, struct iommu_group *group)
{
	struct container *c __free(put_container) = get_container(iommu_data);
	struct container_group *cg, *next;

	guard(mutex)(&c->lock);
	list_for_each_entry_safe(cg, next, &c->groups, node) {
		if (cg->group != group)
			continue;
		list_del(&cg->node);
		free_group(cg);
	}
}

static const struct vfio_iommu_driver_ops container_ops = {
	.name = "sva",
	.owner = THIS_MODULE,
	.open = container_open,
	.release = container_release,
	.ioctl = container_ioctl,
	.attach_group = container_attach_group,
	.detach_group = container_detach_group,
};

static int __init container_init(void)
{
	return vfio_register_iommu_driver(&container_ops);
}

static void __exit container_exit(void)
{
	/*
	 * An ioctl of a container that is gone has no reference on its way in, which
	 * leads through what is unregistered here, nor on its way out. It sleeps on
	 * neither.
	 */
	synchronize_rcu_tasks();
	vfio_unregister_iommu_driver(&container_ops);
}

module_init(container_init);
module_exit(container_exit);

MODULE_DESCRIPTION("VFIO containers that translate through /dev/sva");
MODULE_LICENSE("GPL");
