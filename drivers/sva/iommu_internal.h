/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions that the IOMMU core exports (in namespace IOMMUFD_INTERNAL) but
 * declares only in drivers/iommu/iommu-priv.h, which the packages of kernel
 * headers do not contain. In a kernel tree the compiler holds these against the
 * originals; out of tree modversions do.
 */
#ifndef __SVA_IOMMU_INTERNAL_H
#define __SVA_IOMMU_INTERNAL_H

#include <linux/iommu.h>

#ifdef SVA_IN_TREE
#include "../iommu/iommu-priv.h"
#endif

int iommu_attach_group_handle(struct iommu_domain *domain,
			      struct iommu_group *group,
			      struct iommu_attach_handle *handle);
void iommu_detach_group_handle(struct iommu_domain *domain,
			       struct iommu_group *group);
int iommu_replace_group_handle(struct iommu_group *group,
			       struct iommu_domain *new_domain,
			       struct iommu_attach_handle *handle);
int iommu_replace_device_pasid(struct iommu_domain *domain,
			       struct device *dev, ioasid_t pasid,
			       struct iommu_attach_handle *handle);

#endif /* __SVA_IOMMU_INTERNAL_H */
