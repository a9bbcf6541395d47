// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* PASIDs on VFIO devices, and containers that translate through /dev/sva. */
#include <string.h>

#include <linux/vfio.h>
#include <sva/vfio.h>

#include "internal.h"

/* More than any structure of a feature has. */
#define DATA_MAX 256

/* The data is of the caller's size, and comes back. */
static int feature(int device, uint32_t flags, void *data, size_t size)
{
	union {
		struct vfio_device_feature header;
		unsigned char room[sizeof(struct vfio_device_feature) + DATA_MAX];
	} arg;
	int err;

	if (size > DATA_MAX)
		size = DATA_MAX;
	arg.header.argsz = (uint32_t)(sizeof(arg.header) + size);
	arg.header.flags = flags;
	memcpy(arg.header.data, data, size);
	err = sva_ioctl(device, VFIO_DEVICE_FEATURE, &arg);
	memcpy(data, arg.header.data, size);
	return err;
}

SVA_EXPORT int sva_vfio_info(int device, struct sva_vfio_info *info, size_t size)
{
	if (size < sizeof(info->dev_id))
		return -EINVAL;
	memset(info, 0, size);
	return feature(device, VFIO_DEVICE_FEATURE_GET | SVA_VFIO_FEATURE_INFO,
		       info, size);
}

static int attach(int device, int fd, uint32_t pasid, int event_fd,
		  uint32_t *number)
{
	struct sva_vfio_attach arg = {
		.fd = fd,
		.pasid = pasid,
		.event_fd = event_fd,
	};
	int err = feature(device,
			  VFIO_DEVICE_FEATURE_SET | SVA_VFIO_FEATURE_ATTACH,
			  &arg, sizeof(arg));

	if (!err && number)
		*number = arg.number;
	return err;
}

SVA_EXPORT int sva_vfio_attach(int device, const struct sva *sva, uint32_t pasid,
			       int event_fd, uint32_t *number)
{
	return attach(device, sva->fd, pasid, event_fd, number);
}

SVA_EXPORT int sva_vfio_attach_fd(int device, int fd, int event_fd,
				  uint32_t *number)
{
	/* the one PASID that it carries */
	return attach(device, fd, 0, event_fd, number);
}

SVA_EXPORT int sva_vfio_detach(int device, uint32_t number)
{
	struct sva_vfio_detach arg = { .number = number };

	return feature(device, VFIO_DEVICE_FEATURE_SET | SVA_VFIO_FEATURE_DETACH,
		       &arg, sizeof(arg));
}

static int set_container(int container, int fd, uint32_t rid)
{
	struct sva_container_set arg = {
		.size = sizeof(arg),
		.fd = fd,
		.rid = rid,
	};

	return sva_ioctl(container, SVA_CONTAINER_SET, &arg);
}

SVA_EXPORT int sva_vfio_container_set(int container, const struct sva *sva,
				      uint32_t rid)
{
	return set_container(container, sva->fd, rid);
}

SVA_EXPORT int sva_vfio_container_set_fd(int container, int fd)
{
	/* what the kernel takes for "block" is no descriptor */
	return fd < 0 ? -EBADF : set_container(container, fd, 0);
}

SVA_EXPORT int sva_vfio_container_block(int container)
{
	return set_container(container, -1, 0);
}

SVA_EXPORT int sva_vfio_container_info(int container,
				       struct sva_container_info *info, size_t size)
{
	if (size < sizeof(*info))
		return -EINVAL;
	memset(info, 0, size);
	info->size = (uint32_t)size;
	return sva_ioctl(container, SVA_CONTAINER_INFO, info);
}
