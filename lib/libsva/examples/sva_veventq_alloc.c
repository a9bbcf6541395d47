// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/iommufd.h>

#include <sva/sim.h>
#include <sva/sva.h>

/* The guest's stage-1 table, empty, at guest-physical address 0x1000. */
static alignas(4096) uint64_t empty_table[512];

int main(void)
{
	struct iommu_hwpt_vtd_s1 s1 = { .pgtbl_addr = 0x1000, .addr_width = 48 };
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_FILL,
		.dst = 0x7f0000000000,
		.len = 8,
	};
	struct sva_device_info info = { 0 };
	uint32_t parent, viommu, vdevice, as, pasid;
	struct sva_vevent event;
	uint64_t gpa = 0x1000;
	struct sva_sim *sim;
	struct sva *sva;
	int events, err;

	if (sva_open(&sva, 0) ||
	    sva_as_alloc_iova(sva, SVA_AS_F_NEST_PARENT, &parent) ||
	    sva_iova_map(sva, parent, empty_table, sizeof(empty_table),
			 SVA_IOVA_F_READ | SVA_IOVA_F_WRITE | SVA_IOVA_F_FIXED,
			 &gpa))
		return 1;
	do {
		err = sva_device_next(sva, info.dev_id + 1, &info, sizeof(info));
		if (err)
			return 1;
	} while (strcmp(info.name, "sva_sim.0"));

	/* The guest calls the device 0x100. */
	if (sva_viommu_alloc(sva, parent, info.dev_id, &viommu) ||
	    sva_vdevice_alloc(sva, viommu, info.dev_id, 0x100, &vdevice) ||
	    sva_veventq_alloc(sva, viommu, 0, 64, &events) ||
	    sva_as_alloc_nested(sva, viommu, info.dev_id, -1,
				IOMMU_HWPT_DATA_VTD_S1, &s1, sizeof(s1), &as) ||
	    sva_pasid_alloc(sva, &pasid) || sva_pasid_bind(sva, pasid, as))
		return 1;

	/* Nothing is mapped where the engine shall write. */
	if (sva_sim_open(&sim, "/dev/sva_sim0", 0) ||
	    sva_sim_attach(sim, sva, pasid, NULL) ||
	    sva_sim_submit(sim, &desc, 1) != 1)
		return 1;
	if (sva_veventq_wait(events, 10000) ||
	    sva_veventq_read(events, &event, 1) != 1)
		return 1;
	printf("event %u: device %#llx could not access %#llx\n",
	       event.sequence, (unsigned long long)event.virt_id,
	       (unsigned long long)event.addr);
	sva_sim_close(sim);
	close(events);
	sva_close(sva);
	return event.type == SVA_VEVENT_FAULT ? 0 : 1;
}
