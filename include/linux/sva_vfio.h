/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For VFIO device drivers: PASIDs of /dev/sva for their user.
 *
 * A driver asks sva_vfio_device_feature() before it looks at a feature itself,
 * and calls sva_vfio_close() in close_device(). That is all; see
 * Documentation/driver-api/sva-vfio.rst.
 */
#ifndef _LINUX_SVA_VFIO_H
#define _LINUX_SVA_VFIO_H

#include <linux/types.h>

struct sva_device;
struct sva_vfio;
struct vfio_device;

/**
 * struct sva_vfio_ops - what a driver may do about the DMA of its device
 * @stop: Optional. Stop all DMA that carries this PASID now, and start none: it is
 *        being detached, or was revoked. Process context, may sleep; may be called
 *        for one PASID more than once, and at the same time. Must not call
 *        back into the helper but for sva_vfio_attached(), which says no.
 *
 * Without @stop, the IOMMU blocks what the user did not stop. A driver that
 * multiplexes one function for several users cannot leave it at that: requests of
 * all of them look the same to the IOMMU.
 */
struct sva_vfio_ops {
	void (*stop)(struct vfio_device *vdev, u32 pasid);
};

struct sva_vfio *sva_vfio_create(struct vfio_device *vdev,
				 struct sva_device *sdev,
				 const struct sva_vfio_ops *ops);
void sva_vfio_destroy(struct sva_vfio *sv);

int sva_vfio_device_feature(struct sva_vfio *sv, u32 flags, void __user *arg,
			    size_t argsz);
void sva_vfio_close(struct sva_vfio *sv);
bool sva_vfio_attached(struct sva_vfio *sv, u32 pasid);

#endif /* _LINUX_SVA_VFIO_H */
