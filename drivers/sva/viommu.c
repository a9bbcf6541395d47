// SPDX-License-Identifier: GPL-2.0-only
/*
 * vIOMMUs: the slice of one IOMMU instance that a VM sees. A vIOMMU keeps the
 * domain of its nesting parent for that instance, and with it the instance's
 * cache tag, for all nested address spaces that are made on it. vdevices give
 * the devices behind it the names that the guest has for them.
 */
#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "sva_private.h"

struct sva_viommu {
	struct sva_object obj;
	struct sva_iova *iova;		/* nesting parent: a use of it is held */
	struct sva_domain *parent;	/* of @iova, for this instance */
	struct module *owner;		/* IOMMU driver */
	struct xarray by_virt_id;	/* -> struct sva_vdevice */
	struct xarray by_dev_id;	/* the same; RCU for events */
	spinlock_t lock;		/* of @events */
	struct sva_veventq *events;	/* NULL, or holds a reference */
};

struct sva_vdevice {
	struct sva_object obj;
	struct rcu_head rcu;		/* events may be looking at it */
	struct sva_viommu *viommu;	/* a use of it is held */
	u32 dev_id;
	u64 virt_id;
};

/* --- vIOMMU ----------------------------------------------------------------- */

static void free_viommu(struct sva_object *obj)
{
	struct sva_viommu *viommu = container_of(obj, struct sva_viommu, obj);

	sva_veventq_put(viommu->events);
	xa_destroy(&viommu->by_virt_id);
	xa_destroy(&viommu->by_dev_id);
	sva_domain_put(viommu->parent, viommu);
	sva_as_put(&viommu->iova->as);
	module_put(viommu->owner);
	kfree(viommu);
}

static const struct sva_object_ops viommu_ops = {
	.rank = 1,
	.free = free_viommu,
};

/**
 * sva_viommu_get() - Look up a vIOMMU of a context and use it
 * @ctx: The context
 * @id: Its id
 *
 * Return: the vIOMMU, to be given to sva_viommu_put(), or NULL.
 */
struct sva_viommu *sva_viommu_get(struct sva_ctx *ctx, u32 id)
{
	struct sva_object *obj = sva_object_get(ctx, id, &viommu_ops);

	return obj ? container_of(obj, struct sva_viommu, obj) : NULL;
}

/**
 * sva_viommu_put() - End a use of a vIOMMU
 * @viommu: From sva_viommu_get(), or NULL
 */
void sva_viommu_put(struct sva_viommu *viommu)
{
	if (viommu)
		sva_object_put(&viommu->obj);
}

/**
 * sva_viommu_iova() - The nesting parent of a vIOMMU
 * @viommu: The vIOMMU
 *
 * Return: the address space; the vIOMMU keeps it.
 */
struct sva_iova *sva_viommu_iova(struct sva_viommu *viommu)
{
	return viommu->iova;
}

/**
 * sva_viommu_is_for() - Whether a vIOMMU is of the IOMMU instance of a device
 * @viommu: The vIOMMU
 * @dev: The device
 *
 * Return: whether it is.
 */
bool sva_viommu_is_for(struct sva_viommu *viommu, struct device *dev)
{
	return dev->iommu->iommu_dev == viommu->parent->iommu;
}

/* Everything for which the device must be there. */
static int set_up(struct sva_viommu *viommu, struct sva_device *sdev)
{
	const struct iommu_ops *ops;
	struct sva_domain *parent;

	guard(rwsem_read)(&sdev->live);
	if (sdev->gone)
		return -ENODEV;

	ops = sdev->dev->iommu->iommu_dev->ops;
	if (!ops->domain_alloc_nested)
		return -EOPNOTSUPP;
	if (!try_module_get(ops->owner))
		return -ENODEV;
	parent = sva_domain_get_parent(viommu->iova, sdev);
	if (IS_ERR(parent)) {
		module_put(ops->owner);
		return PTR_ERR(parent);
	}
	viommu->owner = ops->owner;
	viommu->parent = parent;
	return 0;
}

static int set_up_for(struct sva_viommu *viommu, u32 dev_id)
{
	struct sva_device *sdev = sva_device_get(dev_id);
	int ret;

	if (!sdev)
		return -ENODEV;
	ret = set_up(viommu, sdev);
	sva_device_put(sdev);
	return ret;
}

int sva_ioctl_viommu_alloc(struct sva_ucmd *ucmd)
{
	struct sva_viommu_alloc *cmd = ucmd->cmd;
	struct sva_viommu *viommu;
	int ret;

	if (cmd->flags)
		return -EOPNOTSUPP;

	viommu = kzalloc_obj(*viommu, GFP_KERNEL_ACCOUNT);
	if (!viommu)
		return -ENOMEM;
	viommu->obj.kind = SVA_OBJECT_VIOMMU;
	viommu->obj.ops = &viommu_ops;
	spin_lock_init(&viommu->lock);
	xa_init_flags(&viommu->by_virt_id, XA_FLAGS_ACCOUNT);
	xa_init_flags(&viommu->by_dev_id, XA_FLAGS_ACCOUNT);

	viommu->iova = sva_nested_get_parent(ucmd->ctx, cmd->parent_id);
	if (IS_ERR(viommu->iova)) {
		ret = PTR_ERR(viommu->iova);
		goto out_free;
	}
	ret = set_up_for(viommu, cmd->dev_id);
	if (ret)
		goto out_put;
	ret = sva_object_publish(ucmd, &viommu->obj, &cmd->id);
	if (ret)
		free_viommu(&viommu->obj);
	return ret;

out_put:
	sva_as_put(&viommu->iova->as);
out_free:
	kfree(viommu);
	return ret;
}

/* --- vdevices --------------------------------------------------------------- */

static void free_vdevice(struct sva_object *obj)
{
	struct sva_vdevice *vdev = container_of(obj, struct sva_vdevice, obj);
	struct sva_viommu *viommu = vdev->viommu;

	xa_erase(&viommu->by_virt_id, vdev->virt_id);
	xa_erase(&viommu->by_dev_id, vdev->dev_id);
	sva_viommu_put(viommu);
	kfree_rcu(vdev, rcu);
}

static const struct sva_object_ops vdevice_ops = {
	.free = free_vdevice,
};

static int check_vdevice(struct sva_viommu *viommu, u32 dev_id)
{
	struct sva_device *sdev = sva_device_get(dev_id);
	int ret;

	if (!sdev)
		return -ENODEV;
	scoped_guard(rwsem_read, &sdev->live) {
		if (sdev->gone)
			ret = -ENODEV;
		else
			ret = sva_viommu_is_for(viommu, sdev->dev) ? 0 : -EXDEV;
	}
	sva_device_put(sdev);
	return ret;
}

/* Both names are taken, or neither. */
static int name_vdevice(struct sva_viommu *viommu, struct sva_vdevice *vdev)
{
	int ret;

	ret = xa_insert(&viommu->by_virt_id, vdev->virt_id, vdev,
			GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret == -EBUSY ? -EEXIST : ret;
	ret = xa_insert(&viommu->by_dev_id, vdev->dev_id, vdev,
			GFP_KERNEL_ACCOUNT);
	if (ret)
		xa_erase(&viommu->by_virt_id, vdev->virt_id);
	return ret == -EBUSY ? -EEXIST : ret;
}

int sva_ioctl_vdevice_alloc(struct sva_ucmd *ucmd)
{
	struct sva_vdevice_alloc *cmd = ucmd->cmd;
	struct sva_viommu *viommu;
	struct sva_vdevice *vdev;
	int ret;

	if (cmd->flags)
		return -EOPNOTSUPP;
	if (cmd->__reserved || cmd->virt_id == U64_MAX)
		return -EINVAL;

	viommu = sva_viommu_get(ucmd->ctx, cmd->viommu_id);
	if (!viommu)
		return -ENOENT;
	ret = check_vdevice(viommu, cmd->dev_id);
	if (ret)
		goto out_put;

	ret = -ENOMEM;
	vdev = kzalloc_obj(*vdev, GFP_KERNEL_ACCOUNT);
	if (!vdev)
		goto out_put;
	vdev->obj.kind = SVA_OBJECT_VDEVICE;
	vdev->obj.ops = &vdevice_ops;
	vdev->viommu = viommu;
	vdev->dev_id = cmd->dev_id;
	vdev->virt_id = cmd->virt_id;
	ret = name_vdevice(viommu, vdev);
	if (ret) {
		kfree(vdev);
		goto out_put;
	}
	ret = sva_object_publish(ucmd, &vdev->obj, &cmd->id);
	if (ret)
		free_vdevice(&vdev->obj);
	return ret;

out_put:
	sva_viommu_put(viommu);
	return ret;
}

/**
 * sva_viommu_has_device() - Whether a guest has a device behind a vIOMMU
 * @viommu: The vIOMMU
 * @virt_id: The guest's name for the device
 *
 * Return: whether there is a vdevice of that name.
 */
bool sva_viommu_has_device(struct sva_viommu *viommu, u64 virt_id)
{
	return xa_load(&viommu->by_virt_id, virt_id);
}

/* --- events ----------------------------------------------------------------- */

/**
 * sva_viommu_fault() - Tell a guest about a translation that failed for good
 * @domain: The domain of a nested address space
 * @dev: The device
 * @iova: Address
 * @flags: IOMMU_FAULT_READ or _WRITE
 * @token: The vIOMMU that the address space was made on
 *
 * A fault handler for iommu_set_fault_handler(). Devices that the guest does not
 * have are none of its business.
 *
 * Context: Any.
 * Return: 0: it is taken care of.
 */
int sva_viommu_fault(struct iommu_domain *domain, struct device *dev,
		     unsigned long iova, int flags, void *token)
{
	struct sva_viommu *viommu = token;
	struct sva_vevent event = {
		.type = SVA_VEVENT_FAULT,
		.perm = flags & IOMMU_FAULT_WRITE ? SVA_FAULT_PERM_WRITE :
						    SVA_FAULT_PERM_READ,
		.addr = iova,
	};
	struct sva_vdevice *vdev;

	guard(rcu)();
	guard(spinlock_irqsave)(&viommu->lock);
	vdev = xa_load(&viommu->by_dev_id, sva_device_find_id(dev));
	if (vdev && viommu->events) {
		event.virt_id = vdev->virt_id;
		sva_veventq_add(viommu->events, &event);
	}
	return 0;
}

static int set_events(struct sva_viommu *viommu, struct sva_veventq *events)
{
	struct sva_veventq *old;

	scoped_guard(spinlock_irqsave, &viommu->lock) {
		old = viommu->events;
		if (old && !sva_veventq_is_closed(old))
			return -EEXIST;
		viommu->events = events;
	}
	sva_veventq_put(old);
	return 0;
}

int sva_ioctl_veventq_alloc(struct sva_ucmd *ucmd)
{
	struct sva_veventq_alloc *cmd = ucmd->cmd;
	struct sva_veventq *events;
	struct sva_viommu *viommu;
	struct file *file;
	int fd, ret;

	if (cmd->flags & ~SVA_VEVENTQ_F_NONBLOCK)
		return -EOPNOTSUPP;
	if (cmd->__reserved || !cmd->depth || cmd->depth > SVA_VEVENTQ_DEPTH_MAX)
		return -EINVAL;

	viommu = sva_viommu_get(ucmd->ctx, cmd->viommu_id);
	if (!viommu)
		return -ENOENT;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		ret = fd;
		goto out_put;
	}
	events = sva_veventq_alloc(cmd->depth, cmd->flags, &file);
	if (IS_ERR(events)) {
		ret = PTR_ERR(events);
		goto out_fd;
	}
	cmd->fd = fd;
	ret = sva_ucmd_respond(ucmd);
	if (!ret)
		ret = set_events(viommu, events);
	if (ret) {
		sva_veventq_put(events);
		fput(file);
		goto out_fd;
	}
	fd_install(fd, file);
	sva_viommu_put(viommu);
	return 0;

out_fd:
	put_unused_fd(fd);
out_put:
	sva_viommu_put(viommu);
	return ret;
}
