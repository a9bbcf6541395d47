/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * PASIDs of /dev/sva on VFIO devices: numbers and structures of
 * ioctl(VFIO_DEVICE_FEATURE).
 *
 * The owner of a VFIO device attaches PASIDs to it, which its device's DMA can
 * carry from then on. What a PASID translates to is decided by whoever has its
 * context, with <linux/sva.h>, and by nobody else.
 */
#ifndef _UAPI_LINUX_SVA_VFIO_H
#define _UAPI_LINUX_SVA_VFIO_H

#include <linux/types.h>

/**
 * DOC: Features of a VFIO device
 *
 * They are probed, read and set as linux/vfio.h defines it for
 * VFIO_DEVICE_FEATURE. A device that has them has all three; of one that has
 * not, as one without an IOMMU, each answers -ENOTTY.
 *
 * The structures are the data of the call. Their size is that of the call, argsz
 * without the header, and they grow only at their end:
 *
 *  - less than the structure's first version: -EINVAL
 *  - more than the kernel knows, with anything but zeros behind what it knows, or
 *    more than a page: -E2BIG
 *  - a flag the kernel does not know: -EOPNOTSUPP
 *  - a reserved field that is not zero: -EINVAL
 *
 * A call that fails leaves everything as it was.
 */
enum {
	SVA_VFIO_FEATURE_INFO = 0xc500,
	SVA_VFIO_FEATURE_ATTACH = 0xc501,
	SVA_VFIO_FEATURE_DETACH = 0xc502,
};

/**
 * struct sva_vfio_info - VFIO_DEVICE_FEATURE_GET of %SVA_VFIO_FEATURE_INFO
 * @dev_id: Its sva device, as SVA_DEVICE_INFO and SVA_AS_ALLOC name it
 * @caps: Combination of enum sva_device_caps
 * @pasid_bits: Width of its PASIDs, 0 if it has none
 * @page_requests: How many page requests it can have outstanding (PCIe 6.0,
 *                 10.5.2.4), 0 if it makes none or it cannot be known
 * @iova_bits: Width of the IOVA that its IOMMU translates, 0 if unknown
 * @hw_info_type: enum iommu_hw_info_type of linux/iommufd.h: which IOMMU it is
 *                behind, and by that which formats of nested tables there are;
 *                SVA_DEVICE_INFO has the details
 * @attached: How many PASIDs are attached
 * @__reserved: 0
 *
 * What a VMM needs to know for the PASID and PRI capabilities that its guest
 * sees: VFIO shows neither in configuration space. A user with a PASID fd need
 * not have access to /dev/sva for it.
 */
struct sva_vfio_info {
	__u32 dev_id;
	__u32 caps;
	__u32 pasid_bits;
	__u32 page_requests;
	__u32 iova_bits;
	__u32 hw_info_type;
	__u32 attached;
	__u32 __reserved;
};

/**
 * struct sva_vfio_attach - VFIO_DEVICE_FEATURE_SET of %SVA_VFIO_FEATURE_ATTACH
 * @flags: Must be 0
 * @fd: An sva fd or a PASID fd
 * @pasid: PASID or handle of that context; with a PASID fd, the one that it is
 *         for, or 0
 * @event_fd: An eventfd that is signalled when the attachment is revoked, or -1
 * @number: Out: the PASID that the device's DMA has to carry
 * @__reserved: Must be 0
 *
 * The attachment ends with SVA_VFIO_FEATURE_DETACH, or when the device is closed
 * by the last who has it open. It outlives both descriptors. It is revoked if the
 * PASID fd is, or if a rebind of the PASID failed and could not be undone: its DMA
 * is blocked then, and it still has to be detached.
 *
 * A RID handle stands for DMA without a PASID, which is the container's business.
 *
 * Errors: -EEXIST this number is attached, or was revoked and has yet to be
 * detached; -EINVAL a RID handle, @event_fd is no eventfd; -EBADF @fd is neither an
 * sva fd nor a PASID fd, or @event_fd is not open; -ENODEV the device has no PASIDs,
 * or its IOMMU has not; -ENOENT no such PASID; -ERANGE it is too wide for the
 * device; -ESTALE the PASID fd is dead; -EPERM the process PASID of another
 * process, and no PASID fd; -ESRCH that of a process that has ended; -EBUSY the
 * group belongs to another context, or the device is being reset; -EADDRINUSE
 * something is mapped where the device cannot translate; -EXDEV a nested address
 * space of another IOMMU instance; -EDQUOT the quota of who made a process PASID, and
 * -ENOSPC no number is left for it; -EINTR killed; -EFAULT; -ENOMEM; or what else the
 * IOMMU driver answered.
 */
struct sva_vfio_attach {
	__u32 flags;
	__s32 fd;
	__u32 pasid;
	__s32 event_fd;
	__u32 number;
	__u32 __reserved;
};

/**
 * struct sva_vfio_detach - VFIO_DEVICE_FEATURE_SET of %SVA_VFIO_FEATURE_DETACH
 * @flags: Must be 0
 * @number: From SVA_VFIO_FEATURE_ATTACH
 *
 * When the call returns, no DMA that carries @number can reach what it reached,
 * and page requests of it have been answered. The user stops such DMA before: what
 * the device still does is blocked, and reported by the IOMMU.
 *
 * Errors: -ENOENT it is not attached; -EFAULT.
 */
struct sva_vfio_detach {
	__u32 flags;
	__u32 number;
};

#endif /* _UAPI_LINUX_SVA_VFIO_H */
