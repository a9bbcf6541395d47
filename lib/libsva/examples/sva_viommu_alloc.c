// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include <linux/iommufd.h>

#include <sva/sva.h>

/* The guest calls the device so, and the PASID 3. */
#define VIRT_ID 0x0100

/* The guest's stage-1 table, empty, at guest-physical address 0x1000. */
static alignas(4096) uint64_t root_table[512];

int main(void)
{
	struct iommu_hwpt_vtd_s1 s1 = { .pgtbl_addr = 0x1000, .addr_width = 48 };
	struct {
		struct sva_invalidate_target target;
		struct iommu_hwpt_vtd_s1_invalidate entry;
	} request = {
		.target = { .virt_id = VIRT_ID, .guest_pasid = 3 },
		.entry = { .addr = 0x7f0000000000, .npages = 1 },
	};
	struct sva_device_info info = { 0 };
	uint32_t parent, viommu, vdevice, as, pasid, num = 1;
	uint64_t gpa = 0x1000;
	struct sva *sva;
	int err;

	if (sva_open(&sva, 0) ||
	    sva_as_alloc_iova(sva, SVA_AS_F_NEST_PARENT, &parent) ||
	    sva_iova_map(sva, parent, root_table, sizeof(root_table),
			 SVA_IOVA_F_READ | SVA_IOVA_F_WRITE | SVA_IOVA_F_FIXED,
			 &gpa))
		return 1;
	do {
		err = sva_device_next(sva, info.dev_id + 1, &info, sizeof(info));
		if (err)
			return 1;
	} while (strcmp(info.name, "sva_sim.0"));

	/* The IOMMU and the device as the guest has them */
	if (sva_viommu_alloc(sva, parent, info.dev_id, &viommu) ||
	    sva_vdevice_alloc(sva, viommu, info.dev_id, VIRT_ID, &vdevice))
		return 1;
	/* A process of the guest */
	if (sva_as_alloc_nested(sva, viommu, info.dev_id, -1,
				IOMMU_HWPT_DATA_VTD_S1, &s1, sizeof(s1), &as) ||
	    sva_pasid_alloc(sva, &pasid) || sva_pasid_bind(sva, pasid, as) ||
	    sva_pasid_guest_set(sva, pasid, 3))
		return 1;

	/* What the guest has written into its IOMMU's queue is passed on. */
	err = sva_invalidate(sva, viommu, IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
			     &request, sizeof(request), &num);
	printf("%u of 1 handled\n", num);
	if (err)
		fprintf(stderr, "%s\n", sva_strerror(SVA_CALL_INVALIDATE, err));

	/* In reverse order */
	if (sva_pasid_free(sva, pasid) || sva_as_destroy(sva, as) ||
	    sva_vdevice_destroy(sva, vdevice) ||
	    sva_viommu_destroy(sva, viommu) || sva_as_destroy(sva, parent))
		return 1;
	sva_close(sva);
	return err ? 1 : 0;
}
