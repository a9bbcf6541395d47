// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include <linux/iommufd.h>

#include <sva/sva.h>

/* The guest's stage-1 table, empty, at guest-physical address 0x1000. */
static alignas(4096) uint64_t guest_table[512];

int main(void)
{
	struct iommu_hwpt_vtd_s1 s1 = { .pgtbl_addr = 0x1000, .addr_width = 48 };
	struct iommu_hwpt_vtd_s1_invalidate entries[] = {
		{ .addr = 0x7f0000000000, .npages = 16 },
		{ .addr = 0x7f0000100000, .npages = 1,
		  .flags = IOMMU_VTD_INV_FLAGS_LEAF },
	};
	struct sva_device_info info = { 0 };
	uint32_t parent, as, num;
	uint64_t gpa = 0x1000;
	struct sva *sva;
	int err;

	if (sva_open(&sva, 0) ||
	    sva_as_alloc_iova(sva, SVA_AS_F_NEST_PARENT, &parent) ||
	    sva_iova_map(sva, parent, guest_table, sizeof(guest_table),
			 SVA_IOVA_F_READ | SVA_IOVA_F_WRITE | SVA_IOVA_F_FIXED,
			 &gpa))
		return 1;
	do {
		err = sva_device_next(sva, info.dev_id + 1, &info, sizeof(info));
		if (err)
			return 1;
	} while (strcmp(info.name, "sva_sim.0"));
	if (sva_as_alloc_nested(sva, parent, info.dev_id, -1,
				IOMMU_HWPT_DATA_VTD_S1, &s1, sizeof(s1), &as))
		return 1;

	/* No entries: does this IOMMU know the format? */
	num = 0;
	if (sva_invalidate(sva, as, IOMMU_HWPT_INVALIDATE_DATA_VTD_S1, NULL, 0,
			   &num))
		return 1;

	/* Here the guest has changed its table. */
	num = 2;
	err = sva_invalidate(sva, as, IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
			     entries, sizeof(entries[0]), &num);
	printf("%u entries handled\n", num);
	if (err)
		fprintf(stderr, "entry %u: %s\n", num,
			sva_strerror(SVA_CALL_INVALIDATE, err));
	sva_close(sva);
	return err ? 1 : 0;
}
