// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* vIOMMUs and the devices behind them. */
#include "internal.h"

SVA_EXPORT int sva_viommu_alloc(const struct sva *sva, uint32_t parent,
				uint32_t dev, uint32_t *viommu)
{
	struct sva_viommu_alloc arg = {
		.size = sizeof(arg),
		.parent_id = parent,
		.dev_id = dev,
	};
	int err = sva_ioctl(sva->fd, SVA_VIOMMU_ALLOC, &arg);

	if (!err)
		*viommu = arg.id;
	return err;
}

SVA_EXPORT int sva_vdevice_alloc(const struct sva *sva, uint32_t viommu,
				 uint32_t dev, uint64_t virt_id,
				 uint32_t *vdevice)
{
	struct sva_vdevice_alloc arg = {
		.size = sizeof(arg),
		.viommu_id = viommu,
		.dev_id = dev,
		.virt_id = virt_id,
	};
	int err = sva_ioctl(sva->fd, SVA_VDEVICE_ALLOC, &arg);

	if (!err)
		*vdevice = arg.id;
	return err;
}

SVA_EXPORT int sva_viommu_destroy(const struct sva *sva, uint32_t viommu)
{
	return sva_destroy_id(sva, viommu);
}

SVA_EXPORT int sva_vdevice_destroy(const struct sva *sva, uint32_t vdevice)
{
	return sva_destroy_id(sva, vdevice);
}
