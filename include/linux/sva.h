/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In-kernel API of /dev/sva: all that a device driver needs.
 *
 * A driver registers its device once, then turns each (fd, PASID) that user
 * space hands it into a bond, programs the number of the bond into its device,
 * and detaches when its user is done. What the PASID translates to, and when
 * that changes, is no business of the driver's.
 */
#ifndef _LINUX_SVA_H
#define _LINUX_SVA_H

#include <linux/bits.h>
#include <linux/types.h>

struct device;
struct file;
struct iommu_group;
struct sva_bond;
struct sva_device;
struct sva_device_info;

/**
 * struct sva_bond_ops - what the core asks of a driver about a bond
 * @revoke: Stop all DMA of this bond now, and do not start any more. Called at
 *          most once per bond, in process context; may sleep; no sva lock is
 *          held. The bond stays valid: the driver still calls sva_detach()
 *          afterwards, from elsewhere, whenever its user is done with it.
 *          sva_detach() waits for a @revoke that is under way, therefore
 *          @revoke must not call it, and the driver must not call it while
 *          holding a lock that @revoke takes. @priv is what was given to
 *          sva_attach().
 */
struct sva_bond_ops {
	void (*revoke)(void *priv);
};

/* For sva_device_register(): a device that is not PCI makes page requests. */
#define SVA_DEVICE_PAGE_REQUESTS	BIT(0)

struct sva_device *sva_device_register(struct device *dev, u32 flags);
struct sva_device *sva_device_register_group(struct iommu_group *iommu_group);
void sva_device_unregister(struct sva_device *sdev);
int sva_device_get_info(struct sva_device *sdev, struct sva_device_info *info);

struct sva_bond *sva_attach(struct sva_device *sdev, int fd, u32 pasid,
			    const struct sva_bond_ops *ops, void *priv);
struct sva_bond *sva_attach_file(struct sva_device *sdev, struct file *file,
				 u32 pasid, const struct sva_bond_ops *ops,
				 void *priv);
void sva_detach(struct sva_bond *bond);
u32 sva_bond_pasid(const struct sva_bond *bond);
bool sva_bond_is_revoked(struct sva_bond *bond);

#endif /* _LINUX_SVA_H */
