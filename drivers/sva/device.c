// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices whose drivers can attach PASIDs, and their groups.
 */
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/log2.h>
#include <linux/pci.h>
#include <linux/pci-ats.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>

#include "sva_private.h"

static DEFINE_MUTEX(sva_registry_lock);
static LIST_HEAD(sva_groups);
static DEFINE_XARRAY_ALLOC1(sva_devices);
static u32 sva_next_device;

/* Takes over the caller's reference to @iommu_group. */
static struct sva_group *get_group(struct iommu_group *iommu_group)
{
	struct sva_group *group;

	lockdep_assert_held(&sva_registry_lock);

	list_for_each_entry(group, &sva_groups, node) {
		if (group->group == iommu_group) {
			group->nr_devices++;
			iommu_group_put(iommu_group);
			return group;
		}
	}

	group = kzalloc_obj(*group);
	if (!group) {
		iommu_group_put(iommu_group);
		return NULL;
	}
	group->group = iommu_group;
	group->nr_devices = 1;
	spin_lock_init(&group->lock);
	list_add(&group->node, &sva_groups);
	return group;
}

static void put_group(struct sva_group *group)
{
	lockdep_assert_held(&sva_registry_lock);

	if (--group->nr_devices)
		return;
	list_del(&group->node);
	iommu_group_put(group->group);
	kfree(group);
}

static void free_device(struct kref *kref)
{
	struct sva_device *sdev = container_of(kref, struct sva_device, kref);

	put_device(sdev->dev);
	kfree_rcu(sdev, rcu);
}

/**
 * sva_device_put() - Give up a reference to a device
 * @sdev: The device
 */
void sva_device_put(struct sva_device *sdev)
{
	kref_put(&sdev->kref, free_device);
}

static struct sva_device *get_device_from(u32 id, bool next)
{
	unsigned long index = id;
	struct sva_device *sdev;

	xa_lock(&sva_devices);
	sdev = next ? xa_find(&sva_devices, &index, U32_MAX, XA_PRESENT) :
		      xa_load(&sva_devices, id);
	if (sdev)
		kref_get(&sdev->kref);
	xa_unlock(&sva_devices);
	return sdev;
}

/**
 * sva_device_get() - Look up a device
 * @id: Its id
 *
 * Return: the device, to be given to sva_device_put(), or NULL.
 */
struct sva_device *sva_device_get(u32 id)
{
	return get_device_from(id, false);
}

/**
 * sva_device_find_id() - The id of a device
 * @dev: The device
 *
 * Context: Any. Takes time with the number of devices: it is for what is rare.
 * Return: the id, or 0: it is no sva device.
 */
u32 sva_device_find_id(struct device *dev)
{
	struct sva_device *sdev;
	unsigned long id;

	guard(rcu)();
	xa_for_each(&sva_devices, id, sdev)
		if (READ_ONCE(sdev->dev) == dev)
			return id;
	return 0;
}

/* --- what user space may know of a device --------------------------------------- */

static u32 pci_caps(struct pci_dev *pdev)
{
	int features = pci_pasid_features(pdev);
	u32 caps = 0;

	if (features > 0 && (features & PCI_PASID_CAP_EXEC))
		caps |= SVA_DEVICE_CAP_EXEC;
	if (features > 0 && (features & PCI_PASID_CAP_PRIV))
		caps |= SVA_DEVICE_CAP_PRIV;
	return caps;
}

static bool makes_page_requests(const struct sva_device *sdev)
{
	if (!sdev->dev->iommu->iommu_dev->ops->page_response)
		return false;
	if (dev_is_pci(sdev->dev))
		return pci_pri_supported(to_pci_dev(sdev->dev));
	return sdev->flags & SVA_DEVICE_PAGE_REQUESTS;
}

static u32 device_caps(const struct sva_device *sdev)
{
	const struct iommu_ops *ops = sdev->dev->iommu->iommu_dev->ops;
	u32 caps = dev_is_pci(sdev->dev) ? pci_caps(to_pci_dev(sdev->dev)) : 0;

	if (makes_page_requests(sdev))
		caps |= SVA_DEVICE_CAP_PAGE_REQUESTS;
	if (ops->domain_alloc_nested)
		caps |= ops->user_pasid_table ? SVA_DEVICE_CAP_PASID_TABLE :
						SVA_DEVICE_CAP_NESTED;
	if (device_iommu_capable(sdev->dev, IOMMU_CAP_ENFORCE_CACHE_COHERENCY))
		caps |= SVA_DEVICE_CAP_COHERENT;
	return caps;
}

/* --- in sysfs, on the device itself ----------------------------------------------- */

/*
 * The attributes are removed before the device is unregistered, and removing
 * waits for who is reading: what is found here stays.
 */
static struct sva_device *find_device(struct device *dev)
{
	return sva_device_get(sva_device_find_id(dev));
}

static ssize_t id_show(struct device *dev, struct device_attribute *attr,
		       char *buf)
{
	u32 id = sva_device_find_id(dev);

	return id ? sysfs_emit(buf, "%u\n", id) : -ENODEV;
}
static DEVICE_ATTR_RO(id);

static ssize_t capabilities_show(struct device *dev,
				 struct device_attribute *attr, char *buf)
{
	static const char *const names[] = {
		"exec", "priv", "page-requests", "nested", "pasid-table",
		"coherent",
	};
	struct sva_device *sdev = find_device(dev);
	unsigned long caps;
	unsigned int bit;
	int len = 0;

	if (!sdev)
		return -ENODEV;
	caps = device_caps(sdev);
	sva_device_put(sdev);
	for_each_set_bit(bit, &caps, ARRAY_SIZE(names))
		len += sysfs_emit_at(buf, len, "%s%s", len ? " " : "", names[bit]);
	return len + sysfs_emit_at(buf, len, "\n");
}
static DEVICE_ATTR_RO(capabilities);

static u32 pasid_bits(struct device *dev)
{
	return dev->iommu->max_pasids ? ilog2(dev->iommu->max_pasids) : 0;
}

static ssize_t pasid_bits_show(struct device *dev, struct device_attribute *attr,
			       char *buf)
{
	return sysfs_emit(buf, "%u\n", pasid_bits(dev));
}
static DEVICE_ATTR_RO(pasid_bits);

static ssize_t iommu_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%s\n", dev_name(dev->iommu->iommu_dev->dev));
}
static DEVICE_ATTR_RO(iommu);

static ssize_t device_bonds_show(struct device *dev,
				 struct device_attribute *attr, char *buf)
{
	struct sva_device *sdev = find_device(dev);
	unsigned int nr_bonds;

	if (!sdev)
		return -ENODEV;
	nr_bonds = READ_ONCE(sdev->nr_bonds);
	sva_device_put(sdev);
	return sysfs_emit(buf, "%u\n", nr_bonds);
}

static struct device_attribute dev_attr_device_bonds =
	__ATTR(bonds, 0444, device_bonds_show, NULL);

static struct attribute *sva_device_attrs[] = {
	&dev_attr_id.attr,
	&dev_attr_capabilities.attr,
	&dev_attr_pasid_bits.attr,
	&dev_attr_iommu.attr,
	&dev_attr_device_bonds.attr,
	NULL
};

static const struct attribute_group sva_device_group = {
	.name = "sva",
	.attrs = sva_device_attrs,
};

/* --- registration ----------------------------------------------------------------- */

/* Takes over the caller's reference to @iommu_group. */
static struct sva_device *new_device(struct device *dev,
				     struct iommu_group *iommu_group)
{
	struct sva_device *sdev;

	sdev = kzalloc_obj(*sdev);
	if (!sdev) {
		iommu_group_put(iommu_group);
		return NULL;
	}
	kref_init(&sdev->kref);
	sdev->dev = get_device(dev);
	init_rwsem(&sdev->live);
	spin_lock_init(&sdev->bonds_lock);
	INIT_LIST_HEAD(&sdev->bonds);

	scoped_guard(mutex, &sva_registry_lock)
		sdev->group = get_group(iommu_group);
	if (!sdev->group) {
		sva_device_put(sdev);
		return NULL;
	}
	return sdev;
}

static void delete_device(struct sva_device *sdev)
{
	scoped_guard(mutex, &sva_registry_lock)
		put_group(sdev->group);
	sva_device_put(sdev);
}

/**
 * sva_device_register() - Make a device known as one that can attach PASIDs
 * @dev: A device behind an IOMMU; its driver is bound, and stays bound until
 *       sva_device_unregister()
 * @flags: Combination of SVA_DEVICE_* (linux/sva.h)
 *
 * Call it in probe() once the driver can serve revoke().
 *
 * Context: Process context, may sleep.
 * Return: the sva device, which the caller owns; ERR_PTR of -ENODEV if there is
 * no IOMMU for @dev, -EEXIST if it is registered already, or -ENOMEM.
 */
struct sva_device *sva_device_register(struct device *dev, u32 flags)
{
	struct iommu_group *iommu_group;
	struct sva_device *sdev;
	int ret;

	iommu_group = iommu_group_get(dev);
	if (!iommu_group)
		return ERR_PTR(-ENODEV);
	sdev = new_device(dev, iommu_group);
	if (!sdev)
		return ERR_PTR(-ENOMEM);
	sdev->flags = flags;

	ret = sysfs_create_group(&dev->kobj, &sva_device_group);
	if (ret)
		goto out_delete;

	/* Ids are not used again soon: user space may still mean the old one. */
	ret = xa_alloc_cyclic(&sva_devices, &sdev->id, sdev, xa_limit_31b,
			      &sva_next_device, GFP_KERNEL);
	if (ret < 0)
		goto out_sysfs;
	return sdev;

out_sysfs:
	sysfs_remove_group(&dev->kobj, &sva_device_group);
out_delete:
	delete_device(sdev);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(sva_device_register);

/* Of those that have a driver the last: bridges come before what is behind. */
static int choose_device(struct device *dev, void *data)
{
	struct device **chosen = data;

	if (*chosen && !dev->driver)
		return 0;
	put_device(*chosen);
	*chosen = get_device(dev);
	return 0;
}

/**
 * sva_device_register_group() - Let a group attach RID handles as a whole
 * @iommu_group: The group; the caller holds its DMA ownership until
 *               sva_device_unregister() returned
 *
 * For whoever owns the untagged DMA of a group without being the driver of its
 * devices, such as a VFIO container. Devices may leave the group or join it
 * meanwhile, and their drivers may have registered them. User space does not see
 * the registration: it has no id, and bonds go by the name of one of the devices.
 * Only RID handles can be attached.
 *
 * Context: Process context, may sleep.
 * Return: the sva device, which the caller owns; ERR_PTR of -EPERM if nobody holds
 * the DMA ownership or interrupts are not isolated, -ENODEV if the group is empty,
 * or -ENOMEM.
 */
struct sva_device *sva_device_register_group(struct iommu_group *iommu_group)
{
	struct device *dev = NULL;
	struct sva_device *sdev;
	int ret;

	ret = sva_check_rid(iommu_group);
	if (ret)
		return ERR_PTR(ret);
	iommu_group_for_each_dev(iommu_group, &dev, choose_device);
	if (!dev)
		return ERR_PTR(-ENODEV);

	sdev = new_device(dev, iommu_group_ref_get(iommu_group));
	put_device(dev);
	if (!sdev)
		return ERR_PTR(-ENOMEM);
	sdev->whole_group = true;
	return sdev;
}
EXPORT_SYMBOL_GPL(sva_device_register_group);

/**
 * sva_device_unregister() - Revoke all bonds of a device and forget it
 * @sdev: From sva_device_register() or sva_device_register_group(); not the
 *        caller's any more
 *
 * Every bond that is left is revoked and taken out of the IOMMU: afterwards no
 * DMA through a PASID and no page request of the device can arrive. Bonds stay
 * valid for sva_bond_pasid(), and the driver still owes each its sva_detach().
 * Call it first in remove(), before DMA ownership is released. The caller sees
 * to it that no sva_attach() of @sdev begins after this was called.
 *
 * Context: Process context, may sleep. The caller holds neither mmap_lock nor a
 * lock that sva_bond_ops.revoke() takes.
 */
void sva_device_unregister(struct sva_device *sdev)
{
	if (!sdev->whole_group) {
		sysfs_remove_group(&sdev->dev->kobj, &sva_device_group);
		xa_erase(&sva_devices, sdev->id);
	}
	down_write(&sdev->live);
	sdev->gone = true;
	up_write(&sdev->live);

	sva_bonds_end(sdev);
	delete_device(sdev);
}
EXPORT_SYMBOL_GPL(sva_device_unregister);

/* --- SVA_DEVICE_INFO ------------------------------------------------------------- */

/* Only a domain knows; one is made for the purpose. */
static u32 iova_bits(struct device *dev)
{
	struct iommu_domain *domain = iommu_paging_domain_alloc(dev);
	u32 bits;

	if (IS_ERR(domain))
		return 0;
	bits = fls64(domain->geometry.aperture_end);
	iommu_domain_free(domain);
	return bits;
}

/* Returns the IOMMU driver's own data, or NULL if it has none. */
static void *hw_info(struct device *dev, struct sva_device_info *cmd)
{
	const struct iommu_ops *ops = dev->iommu->iommu_dev->ops;
	enum iommu_hw_info_type type = IOMMU_HW_INFO_TYPE_DEFAULT;
	u32 len = 0;
	void *data;

	if (!ops->hw_info)
		return NULL;
	data = ops->hw_info(dev, &len, &type);
	if (IS_ERR(data))
		return PTR_ERR(data) == -EOPNOTSUPP ? NULL : data;
	cmd->data_type = type;
	cmd->data_len = len;
	return data;
}

static void *fill_info(struct sva_device *sdev, struct sva_device_info *cmd)
{
	struct device *dev = sdev->dev;

	guard(rwsem_read)(&sdev->live);
	if (sdev->gone)
		return ERR_PTR(-ENOENT);

	cmd->dev_id = sdev->id;
	cmd->caps = device_caps(sdev);
	cmd->pasid_bits = pasid_bits(dev);
	cmd->iova_bits = iova_bits(dev);
	cmd->data_type = IOMMU_HW_INFO_TYPE_NONE;
	cmd->data_len = 0;
	strscpy_pad(cmd->name, dev_name(dev));
	strscpy_pad(cmd->iommu, dev_name(dev->iommu->iommu_dev->dev));
	return hw_info(dev, cmd);
}

/**
 * sva_device_get_info() - What user space may know of a device
 * @sdev: The device, which is not being unregistered
 * @info: Filled in as SVA_DEVICE_INFO documents it, but without what stands at
 *        @info->data_uptr
 *
 * For a driver whose user need not have access to /dev/sva.
 *
 * Context: Process context, may sleep.
 * Return: 0, or an error of the IOMMU driver.
 */
int sva_device_get_info(struct sva_device *sdev, struct sva_device_info *info)
{
	void *data;

	*info = (struct sva_device_info) { .size = sizeof(*info) };
	data = fill_info(sdev, info);
	if (IS_ERR(data))
		return PTR_ERR(data);
	kfree(data);
	return 0;
}
EXPORT_SYMBOL_GPL(sva_device_get_info);

int sva_ioctl_device_info(struct sva_ucmd *ucmd)
{
	struct sva_device_info *cmd = ucmd->cmd;
	u32 room = cmd->data_len;
	struct sva_device *sdev;
	void *data;
	int ret = 0;

	if (cmd->flags & ~SVA_DEVICE_F_NEXT)
		return -EOPNOTSUPP;

	sdev = get_device_from(cmd->dev_id, cmd->flags & SVA_DEVICE_F_NEXT);
	if (!sdev)
		return -ENOENT;
	data = fill_info(sdev, cmd);
	sva_device_put(sdev);
	if (IS_ERR(data))
		return PTR_ERR(data);

	if (data && copy_to_user(u64_to_user_ptr(cmd->data_uptr), data,
				 min(room, cmd->data_len)))
		ret = -EFAULT;
	kfree(data);
	return ret ?: sva_ucmd_respond(ucmd);
}

/**
 * sva_devices_exit() - Forget about devices for good
 *
 * None is registered: their drivers need this module.
 */
void sva_devices_exit(void)
{
	xa_destroy(&sva_devices);
	/* Devices may be on their way to be freed. */
	rcu_barrier();
}
