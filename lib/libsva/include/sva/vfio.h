/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libsva: PASIDs on VFIO devices.
 *
 * For a VMM or a driver in user space that has a device through VFIO. Opening it is
 * not the library's business. Conventions are those of <sva/sva.h>, structures those
 * of <linux/sva_vfio.h> and <linux/sva_vfio_container.h>.
 */
#ifndef SVA_VFIO_H
#define SVA_VFIO_H

#include <stddef.h>
#include <stdint.h>

#include <linux/sva_vfio.h>
#include <linux/sva_vfio_container.h>

#include <sva/sva.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * sva_vfio_info() - what a device can do about PASIDs
 * @device: Descriptor of the VFIO device
 * @info: Out
 * @size: sizeof(*@info)
 *
 * Return: 0, or -EINVAL @size is too small; -ENOTTY the device's VFIO driver does not
 * attach PASIDs.
 */
int sva_vfio_info(int device, struct sva_vfio_info *info, size_t size);

/**
 * sva_vfio_attach() - let a device use a PASID
 * @device: Descriptor of the VFIO device
 * @sva: The context
 * @pasid: PASID or process handle of that context
 * @event_fd: An eventfd that is signalled if this is revoked, or -1
 * @number: Out: the number that the device's DMA has to carry; may be NULL
 *
 * Return: 0, or -EEXIST this number is attached, or was revoked and has yet to be
 * detached; -ENODEV the device has no PASIDs; -ENOTTY its VFIO driver does not attach
 * any; or what else the kernel answered, see sva_vfio_attach(3).
 */
int sva_vfio_attach(int device, const struct sva *sva, uint32_t pasid,
		    int event_fd, uint32_t *number);

/**
 * sva_vfio_attach_fd() - let a device use the PASID of a PASID fd
 * @device: Descriptor of the VFIO device
 * @fd: The PASID fd
 * @event_fd: An eventfd that is signalled if this is revoked, or -1
 * @number: Out: the number that the device's DMA has to carry; may be NULL
 *
 * Return: as sva_vfio_attach(), and -ESTALE it was revoked, its PASID was freed or its
 * context closed; -ESRCH it is of the memory of a process that has ended.
 */
int sva_vfio_attach_fd(int device, int fd, int event_fd, uint32_t *number);

/**
 * sva_vfio_detach() - end the use of a PASID
 * @device: Descriptor of the VFIO device
 * @number: From sva_vfio_attach() or sva_vfio_attach_fd()
 *
 * Have the device stop using it before.
 *
 * Return: 0, or -ENOENT it is not attached.
 */
int sva_vfio_detach(int device, uint32_t number);

/* DMA without a PASID: sva_vfio_container_set(3) */

/**
 * sva_vfio_container_set() - what the groups of a container translate through
 * @container: Descriptor of a VFIO container of the type %VFIO_SVA_IOMMU
 * @sva: The context
 * @rid: RID handle of that context
 *
 * In place of what they did before: the old, the new, or nothing is what each device
 * sees at every moment.
 *
 * Return: 0, or -EADDRINUSE something is mapped where a group has a reserved region;
 * -ENOTRECOVERABLE it was refused, and a group could not be given back what it had; or
 * what else the kernel answered, see sva_vfio_container_set(3).
 */
int sva_vfio_container_set(int container, const struct sva *sva, uint32_t rid);

/**
 * sva_vfio_container_set_fd() - the same by a PASID fd
 * @container: Descriptor of a VFIO container of the type %VFIO_SVA_IOMMU
 * @fd: PASID fd of a RID handle
 *
 * Return: as sva_vfio_container_set(), and -ESTALE it was revoked, its handle was freed
 * or its context closed.
 */
int sva_vfio_container_set_fd(int container, int fd);

/**
 * sva_vfio_container_block() - block the DMA of a container's groups
 * @container: Descriptor of a VFIO container of the type %VFIO_SVA_IOMMU
 *
 * Return: 0, or -EINVAL it has no groups; -ENOTTY it is of another type.
 */
int sva_vfio_container_block(int container);

/**
 * sva_vfio_container_info() - the state of a container
 * @container: Descriptor of a VFIO container of the type %VFIO_SVA_IOMMU
 * @info: Out
 * @size: sizeof(*@info)
 *
 * Return: 0, or -EINVAL it has no groups, or @size is too small; -ENOTTY it is of
 * another type.
 */
int sva_vfio_container_info(int container, struct sva_container_info *info,
			    size_t size);

#ifdef __cplusplus
}
#endif

#endif /* SVA_VFIO_H */
