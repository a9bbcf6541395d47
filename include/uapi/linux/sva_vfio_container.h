/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * VFIO containers whose groups translate through /dev/sva.
 *
 * In a container of this type nothing is mapped. It names a RID handle of an sva
 * context instead, and whatever that is bound to is the address space of the
 * DMA without a PASID of all groups of the container. Several containers may name
 * handles that are bound to the same address space, or one handle.
 */
#ifndef _UAPI_LINUX_SVA_VFIO_CONTAINER_H
#define _UAPI_LINUX_SVA_VFIO_CONTAINER_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * For ioctl(VFIO_SET_IOMMU) and ioctl(VFIO_CHECK_EXTENSION) of linux/vfio.h: a
 * number that VFIO is not going to give away.
 *
 * As for the kernel's types, VFIO_SET_IOMMU answers -EPERM if the platform does not
 * isolate interrupts. VFIO_CHECK_EXTENSION knows VFIO_DMA_CC_IOMMU as well: whether
 * accesses of all groups are forced to be coherent, also those that a device marks
 * as "no snoop". The groups that are in the container decide it, whatever it
 * names.
 */
#define VFIO_SVA_IOMMU	0x53564100

/*
 * ioctls on a container of this type. They go by the rules of linux/sva.h: each
 * structure begins with its size and grows only at its end, and so on.
 */
#define SVA_CONTAINER_TYPE 0xC5

/**
 * struct sva_container_set - ioctl(SVA_CONTAINER_SET)
 * @size: sizeof(struct sva_container_set)
 * @flags: Must be 0
 * @fd: An open /dev/sva, or a PASID fd; -1 to block all DMA, as before the first
 *      SVA_CONTAINER_SET
 * @rid: RID handle of that context. With a PASID fd, the one that it is for, or 0;
 *       0 to block
 *
 * Has the groups of the container, those that join it later included, translate
 * through the RID handle instead of what they did before. At every moment each of
 * their devices sees the old translation, the new one, or none. If the new one is
 * refused for one group, all of them get the old one back. A group for which even
 * that fails stays blocked, and -ENOTRECOVERABLE is returned. What cannot be named
 * at all is refused before anything is changed.
 *
 * To change what the handle is bound to, without a moment of "none" where the IOMMU
 * can, use SVA_PASID_BIND. A container that names something keeps the open file
 * behind @fd, until it names something else or has no groups.
 *
 * Errors: -EBADF @fd is neither of /dev/sva nor a PASID fd; -ENOENT the context has
 * no such handle, or the PASID fd is for another one; -ESTALE the PASID fd is dead;
 * -EINVAL a PASID, not a RID handle; -EPERM interrupts are not isolated; -EBUSY a
 * group is used by another context, has another RID handle, or is being reset;
 * -EADDRINUSE something is mapped where a group has a reserved region or cannot
 * translate; -EXDEV it is bound to a table of another IOMMU instance; -ENOMEM; or
 * what else the IOMMU driver answered.
 */
struct sva_container_set {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 rid;
};

#define SVA_CONTAINER_SET _IO(SVA_CONTAINER_TYPE, 0xa0)

/**
 * enum sva_container_state - What a container is
 * @SVA_CONTAINER_S_SET: It names a RID handle
 * @SVA_CONTAINER_S_REVOKED: A group is blocked all the same: the PASID fd was
 *                           revoked, or a rebind or SVA_CONTAINER_SET failed and
 *                           could not be undone. Until the next SVA_CONTAINER_SET
 *                           that succeeds
 * @SVA_CONTAINER_S_COHERENT: What VFIO_DMA_CC_IOMMU asks for
 */
enum sva_container_state {
	SVA_CONTAINER_S_SET = 1 << 0,
	SVA_CONTAINER_S_REVOKED = 1 << 1,
	SVA_CONTAINER_S_COHERENT = 1 << 2,
};

/**
 * struct sva_container_info - ioctl(SVA_CONTAINER_INFO)
 * @size: sizeof(struct sva_container_info)
 * @flags: Must be 0
 * @state: Out: combination of enum sva_container_state
 * @groups: Out: number of groups
 */
struct sva_container_info {
	__u32 size;
	__u32 flags;
	__u32 state;
	__u32 groups;
};

#define SVA_CONTAINER_INFO _IO(SVA_CONTAINER_TYPE, 0xa1)

#endif /* _UAPI_LINUX_SVA_VFIO_CONTAINER_H */
