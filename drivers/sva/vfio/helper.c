// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASIDs on a VFIO device: what its user attaches by VFIO_DEVICE_FEATURE.
 *
 * VFIO calls device_feature() of a device that is open only, and close_device()
 * once nobody can call it any more, before it releases the group's DMA ownership.
 * Thus there is nothing to do when a device is opened, and all bonds that are
 * found in sva_vfio_close() are all that there are.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/sva.h>
#include <linux/sva_vfio.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/xarray.h>

#include <uapi/linux/sva.h>
#include <uapi/linux/sva_vfio.h>

/**
 * struct sva_vfio - a VFIO device that PASIDs can be attached to
 * @vdev: The device
 * @sdev: What they are attached to; NULL if there is no IOMMU
 * @ops: The driver's, or NULL
 * @attached: struct attachment by number; its lock protects what they hold, and
 *            @count
 * @count: How many there are; also read without the lock, to be shown
 */
struct sva_vfio {
	struct vfio_device *vdev;
	struct sva_device *sdev;
	const struct sva_vfio_ops *ops;
	struct xarray attached;
	u32 count;
};

/**
 * struct attachment - a PASID on the device
 * @sv: The device
 * @bond: What sva_attach() gave
 * @number: That of the bond; IOMMU_NO_PASID until it can be found by it
 * @revoked: It is dead
 * @eventfd: To be signalled then, or NULL
 */
struct attachment {
	struct sva_vfio *sv;
	struct sva_bond *bond;
	u32 number;
	bool revoked;
	struct eventfd_ctx *eventfd;
};

static void stop(struct sva_vfio *sv, u32 number)
{
	if (sv->ops && sv->ops->stop)
		sv->ops->stop(sv->vdev, number);
}

static void revoke(void *priv)
{
	struct attachment *att = priv;
	struct sva_vfio *sv = att->sv;
	u32 number;

	xa_lock(&sv->attached);
	att->revoked = true;
	number = att->number;
	xa_unlock(&sv->attached);

	/* Without a number, sva_vfio_attached() has not said yes to anybody. */
	if (number != IOMMU_NO_PASID)
		stop(sv, number);
	if (att->eventfd)
		eventfd_signal(att->eventfd);
}

static const struct sva_bond_ops bond_ops = {
	.revoke = revoke,
};

/* Nobody can find it, and nothing of it is under way. */
static void free_attachment(struct attachment *att)
{
	if (att->eventfd)
		eventfd_ctx_put(att->eventfd);
	kfree(att);
}

static int detach(struct sva_vfio *sv, u32 number)
{
	struct attachment *att;

	xa_lock(&sv->attached);
	att = __xa_erase(&sv->attached, number);
	if (att)
		WRITE_ONCE(sv->count, sv->count - 1);
	xa_unlock(&sv->attached);
	if (!att)
		return -ENOENT;

	stop(sv, number);
	sva_detach(att->bond);
	free_attachment(att);
	return 0;
}

static struct attachment *new_attachment(struct sva_vfio *sv, int event_fd)
{
	struct attachment *att = kzalloc_obj(*att, GFP_KERNEL_ACCOUNT);

	if (!att)
		return ERR_PTR(-ENOMEM);
	att->sv = sv;
	att->number = IOMMU_NO_PASID;
	if (event_fd >= 0) {
		struct eventfd_ctx *eventfd = eventfd_ctx_fdget(event_fd);

		if (IS_ERR(eventfd)) {
			kfree(att);
			return ERR_CAST(eventfd);
		}
		att->eventfd = eventfd;
	}
	return att;
}

/* From here on it can be detached. */
static int publish(struct attachment *att)
{
	struct sva_vfio *sv = att->sv;
	u32 number = sva_bond_pasid(att->bond);
	int ret;

	if (number == IOMMU_NO_PASID)
		return -EINVAL;

	xa_lock(&sv->attached);
	ret = __xa_insert(&sv->attached, number, att, GFP_KERNEL_ACCOUNT);
	if (!ret) {
		att->number = number;
		WRITE_ONCE(sv->count, sv->count + 1);
	}
	xa_unlock(&sv->attached);
	return ret == -EBUSY ? -EEXIST : ret;
}

/* Return: the number, or an error. */
static int attach(struct sva_vfio *sv, const struct sva_vfio_attach *cmd)
{
	struct attachment *att = new_attachment(sv, cmd->event_fd);
	u32 number;
	int ret;

	if (IS_ERR(att))
		return PTR_ERR(att);

	att->bond = sva_attach(sv->sdev, cmd->fd, cmd->pasid, &bond_ops, att);
	if (IS_ERR(att->bond)) {
		ret = PTR_ERR(att->bond);
		goto out_free;
	}
	number = sva_bond_pasid(att->bond);
	ret = publish(att);
	if (ret)
		goto out_detach;
	/* Another thread may have ended it again. */
	return number;

out_detach:
	sva_detach(att->bond);
out_free:
	free_attachment(att);
	return ret;
}

/* --- the features ------------------------------------------------------------- */

/* How many page requests a function can have outstanding */
static u32 page_requests(struct device *dev)
{
	struct pci_dev *pdev;
	u32 max = 0;
	int pos;

	if (!dev_is_pci(dev))
		return 0;
	/* Virtual functions share what their physical one has. */
	pdev = pci_physfn(to_pci_dev(dev));
	pos = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_PRI);
	if (!pos || pci_read_config_dword(pdev, pos + PCI_PRI_MAX_REQ, &max))
		return 0;
	return max;
}

static int feature_info(struct sva_vfio *sv, u32 flags, void __user *arg,
			size_t argsz)
{
	struct sva_vfio_info info = {};
	struct sva_device_info dev_info;
	int ret;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET,
				 offsetofend(struct sva_vfio_info, __reserved));
	if (ret != 1)
		return ret;

	ret = sva_device_get_info(sv->sdev, &dev_info);
	if (ret)
		return ret;
	info.dev_id = dev_info.dev_id;
	info.caps = dev_info.caps;
	info.pasid_bits = dev_info.pasid_bits;
	info.iova_bits = dev_info.iova_bits;
	info.hw_info_type = dev_info.data_type;
	info.attached = READ_ONCE(sv->count);
	if (info.caps & SVA_DEVICE_CAP_PAGE_REQUESTS)
		info.page_requests = page_requests(sv->vdev->dev);

	return copy_to_user(arg, &info, min(argsz, sizeof(info))) ? -EFAULT : 0;
}

static int copy_data(void *to, size_t size, const void __user *arg, size_t argsz)
{
	if (argsz > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(to, size, arg, argsz);
}

static int feature_attach(struct sva_vfio *sv, u32 flags, void __user *arg,
			  size_t argsz)
{
	struct sva_vfio_attach __user *uarg = arg;
	struct sva_vfio_attach cmd;
	int ret;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET,
				 offsetofend(struct sva_vfio_attach, __reserved));
	if (ret != 1)
		return ret;
	ret = copy_data(&cmd, sizeof(cmd), arg, argsz);
	if (ret)
		return ret;
	if (cmd.flags)
		return -EOPNOTSUPP;
	if (cmd.__reserved)
		return -EINVAL;
	if (cmd.event_fd < -1)
		return -EBADF;

	ret = attach(sv, &cmd);
	if (ret < 0)
		return ret;
	if (put_user(ret, &uarg->number)) {
		/* Nobody was told of it. */
		detach(sv, ret);
		return -EFAULT;
	}
	return 0;
}

static int feature_detach(struct sva_vfio *sv, u32 flags, void __user *arg,
			  size_t argsz)
{
	struct sva_vfio_detach cmd;
	int ret;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET,
				 offsetofend(struct sva_vfio_detach, number));
	if (ret != 1)
		return ret;
	ret = copy_data(&cmd, sizeof(cmd), arg, argsz);
	if (ret)
		return ret;
	if (cmd.flags)
		return -EOPNOTSUPP;
	return detach(sv, cmd.number);
}

/**
 * sva_vfio_device_feature() - vfio_device_ops.device_feature() of PASIDs
 * @sv: The device
 * @flags: What VFIO gave to device_feature()
 * @arg: The same
 * @argsz: The same
 *
 * Context: From device_feature(). No lock is held that close_device() or
 * sva_vfio_ops.stop() takes.
 * Return: what device_feature() shall return; -ENOTTY if it is none of these
 * features (or there is no IOMMU), and the driver goes on.
 */
int sva_vfio_device_feature(struct sva_vfio *sv, u32 flags, void __user *arg,
			    size_t argsz)
{
	if (!sv->sdev)
		return -ENOTTY;

	switch (flags & VFIO_DEVICE_FEATURE_MASK) {
	case SVA_VFIO_FEATURE_INFO:
		return feature_info(sv, flags, arg, argsz);
	case SVA_VFIO_FEATURE_ATTACH:
		return feature_attach(sv, flags, arg, argsz);
	case SVA_VFIO_FEATURE_DETACH:
		return feature_detach(sv, flags, arg, argsz);
	default:
		return -ENOTTY;
	}
}
EXPORT_SYMBOL_GPL(sva_vfio_device_feature);

/* --- for the driver --------------------------------------------------------------- */

/**
 * sva_vfio_attached() - Whether the user may have the device use a PASID
 * @sv: The device
 * @pasid: The number that the device would use
 *
 * For drivers that program the number themselves. An answer holds until
 * sva_vfio_ops.stop() is called for the number: a driver that starts DMA under a
 * lock that its @stop takes too, and asks under that lock, has none after @stop.
 *
 * Context: Any but interrupts.
 * Return: true if it is attached, and not revoked.
 */
bool sva_vfio_attached(struct sva_vfio *sv, u32 pasid)
{
	struct attachment *att;
	bool yes;

	xa_lock(&sv->attached);
	att = xa_load(&sv->attached, pasid);
	yes = att && !att->revoked;
	xa_unlock(&sv->attached);
	return yes;
}
EXPORT_SYMBOL_GPL(sva_vfio_attached);

/**
 * sva_vfio_close() - Detach all PASIDs of a device
 * @sv: The device
 *
 * When this returns, no DMA that carries a PASID of the user's, and no page
 * request of it, can arrive.
 *
 * Context: From close_device(), after the device was made to stop if the driver
 * can do that. VFIO's lock of the device set is held, which sva_vfio_ops.stop()
 * must not take.
 */
void sva_vfio_close(struct sva_vfio *sv)
{
	struct attachment *att;
	unsigned long number;

	xa_for_each(&sv->attached, number, att)
		detach(sv, number);
}
EXPORT_SYMBOL_GPL(sva_vfio_close);

/**
 * sva_vfio_create() - Prepare for PASIDs on a VFIO device
 * @vdev: The device, before it is registered with VFIO
 * @sdev: What its PASIDs are attached to: that of the function itself, or of the
 *        function that it is a part of. NULL if there is no IOMMU: the device
 *        then has none of the features
 * @ops: What the driver does about DMA; may be NULL
 *
 * Return: what the other calls want, to be given to sva_vfio_destroy(), or
 * ERR_PTR(-ENOMEM).
 */
struct sva_vfio *sva_vfio_create(struct vfio_device *vdev,
				 struct sva_device *sdev,
				 const struct sva_vfio_ops *ops)
{
	struct sva_vfio *sv = kzalloc_obj(*sv);

	if (!sv)
		return ERR_PTR(-ENOMEM);
	sv->vdev = vdev;
	sv->sdev = sdev;
	sv->ops = ops;
	xa_init_flags(&sv->attached, XA_FLAGS_ACCOUNT);
	return sv;
}
EXPORT_SYMBOL_GPL(sva_vfio_create);

/**
 * sva_vfio_destroy() - The opposite of sva_vfio_create()
 * @sv: The device, which is not registered with VFIO any more
 */
void sva_vfio_destroy(struct sva_vfio *sv)
{
	xa_destroy(&sv->attached);
	kfree(sv);
}
EXPORT_SYMBOL_GPL(sva_vfio_destroy);

MODULE_DESCRIPTION("PASIDs of /dev/sva for VFIO drivers");
MODULE_LICENSE("GPL");
