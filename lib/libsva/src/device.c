// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Devices whose drivers can attach PASIDs. */
#include "internal.h"

static int device_info(const struct sva *sva, uint32_t dev, uint32_t flags,
		       struct sva_device_info *info, size_t size)
{
	int err = sva_result_init(info, size,
				  offsetof(struct sva_device_info, caps));

	if (err)
		return err;
	info->flags = flags;
	info->dev_id = dev;
	return sva_ioctl(sva->fd, SVA_DEVICE_INFO, info);
}

SVA_EXPORT int sva_device_info(const struct sva *sva, uint32_t dev,
			       struct sva_device_info *info, size_t size)
{
	return device_info(sva, dev, 0, info, size);
}

SVA_EXPORT int sva_device_next(const struct sva *sva, uint32_t dev,
			       struct sva_device_info *info, size_t size)
{
	return device_info(sva, dev, SVA_DEVICE_F_NEXT, info, size);
}

SVA_EXPORT int sva_device_hw_info(const struct sva *sva, uint32_t dev,
				  uint32_t *type, void *data, uint32_t *len)
{
	struct sva_device_info arg = {
		.size = sizeof(arg),
		.dev_id = dev,
		.data_len = *len,
		.data_uptr = sva_ptr(data),
	};
	int err = sva_ioctl(sva->fd, SVA_DEVICE_INFO, &arg);

	if (err)
		return err;
	*type = arg.data_type;
	*len = arg.data_len;
	return 0;
}
