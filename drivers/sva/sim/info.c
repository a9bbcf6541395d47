// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the software IOMMU says about itself. It has no registers; those of the
 * VT-d specification (revision 4.1, 11.4.2 and 11.4.3) describe it as far as they
 * can, and no bit is set for something that it does not do.
 */
#include <linux/bitfield.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>
#include <uapi/linux/sva_sim.h>

#include "iommu.h"

/* Capability register, 11.4.2 */
#define CAP_SAGAW_4_LEVELS	BIT_ULL(10)	/* stage 2: 48 bits */
#define CAP_MGAW		GENMASK_ULL(21, 16) /* guest addresses: bits - 1 */
#define CAP_SSLPS_2M		BIT_ULL(34)	/* stage 2: large pages */
#define CAP_SSLPS_1G		BIT_ULL(35)
#define CAP_PSI			BIT_ULL(39)	/* invalidation by page */
#define CAP_MAMV		GENMASK_ULL(53, 48) /* its largest range */
#define CAP_DWD			BIT_ULL(54)	/* writes are drained */
#define CAP_DRD			BIT_ULL(55)	/* reads are drained */
#define CAP_FS1GP		BIT_ULL(56)	/* stage 1: 1 GiB pages */
#define CAP_FS5LP		BIT_ULL(60)	/* stage 1: 5 levels */

/* Extended capability register, 11.4.3 */
#define ECAP_C			BIT_ULL(0)	/* walks are coherent */
#define ECAP_SC			BIT_ULL(7)	/* coherency can be enforced */
#define ECAP_NEST		BIT_ULL(26)
#define ECAP_PRS		BIT_ULL(29)	/* page requests */
#define ECAP_PSS		GENMASK_ULL(39, 35) /* PASID bits - 1 */
#define ECAP_PASID		BIT_ULL(40)
#define ECAP_PDS		BIT_ULL(42)	/* page requests are drained */
#define ECAP_SMTS		BIT_ULL(43)	/* scalable mode */
#define ECAP_SSTS		BIT_ULL(46)	/* stage 2 */
#define ECAP_FSTS		BIT_ULL(47)	/* stage 1 */
#define ECAP_SMPWC		BIT_ULL(48)	/* walks are coherent */

/* Ranges are not limited to powers of 2; the largest is all of 57 bits. */
#define MAMV			(57 - PAGE_SHIFT)

void *sim_hw_info(struct device *dev, u32 *length,
		  enum iommu_hw_info_type *type)
{
	struct iommu_hw_info_vtd *info = kzalloc_obj(*info);

	if (!info)
		return ERR_PTR(-ENOMEM);
	info->cap_reg = CAP_SAGAW_4_LEVELS | CAP_SSLPS_2M | CAP_SSLPS_1G |
			CAP_PSI | CAP_DWD | CAP_DRD | CAP_FS1GP | CAP_FS5LP |
			FIELD_PREP(CAP_MGAW, sim_va_bits() - 1) |
			FIELD_PREP(CAP_MAMV, MAMV);
	info->ecap_reg = ECAP_C | ECAP_SC | ECAP_NEST | ECAP_PRS | ECAP_PASID |
			 ECAP_PDS | ECAP_SMTS | ECAP_SSTS | ECAP_FSTS |
			 ECAP_SMPWC |
			 FIELD_PREP(ECAP_PSS, SIM_PASID_BITS_MAX - 1);
	*length = sizeof(*info);
	*type = IOMMU_HW_INFO_TYPE_INTEL_VTD;
	return info;
}

void *sim_table_hw_info(struct device *dev, u32 *length,
			enum iommu_hw_info_type *type)
{
	struct sva_sim_hw_info *info = kzalloc_obj(*info);

	if (!info)
		return ERR_PTR(-ENOMEM);
	info->entries_log2_max = SIM_PASID_BITS_MAX;
	info->gpa_width = sim_va_bits();
	info->addr_widths = BIT_ULL(48) | BIT_ULL(57);
	*length = sizeof(*info);
	*type = (enum iommu_hw_info_type)SVA_SIM_HW_INFO_TABLE;
	return info;
}
