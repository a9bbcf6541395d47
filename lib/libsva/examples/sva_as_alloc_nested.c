// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include <linux/iommufd.h>

#include <sva/sim.h>
#include <sva/sva.h>

#define GPA 0x40000000ULL	/* where guest memory begins */
#define GVA 0x7f1234567000ULL	/* an address of a guest process */
#define PTE 7			/* present, writable, for users */

/* Guest memory: four levels of tables, and the page that they lead to. */
static alignas(4096) uint64_t guest[5][512];

int main(void)
{
	struct iommu_hwpt_vtd_s1 s1 = { .pgtbl_addr = GPA, .addr_width = 48 };
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_FILL,
		.src = 4711,
		.dst = GVA,
		.len = 8,
		.completion = GVA + 64,
	};
	struct sva_sim_completion *done = (void *)&guest[4][8];
	struct sva_device_info info = { 0 };
	uint32_t parent, pasid, as;
	uint64_t gpa = GPA;
	struct sva_sim *sim;
	struct sva *sva;
	int level, err;

	for (level = 0; level < 4; level++)
		guest[level][GVA >> (39 - 9 * level) & 511] =
			(GPA + 4096 * (level + 1)) | PTE;

	/* Guest memory is mapped once, where the guest has it. */
	if (sva_open(&sva, 0) ||
	    sva_as_alloc_iova(sva, SVA_AS_F_NEST_PARENT, &parent) ||
	    sva_iova_map(sva, parent, guest, sizeof(guest),
			 SVA_IOVA_F_READ | SVA_IOVA_F_WRITE | SVA_IOVA_F_FIXED,
			 &gpa))
		return 1;

	/* The table is for the IOMMU of one device: here /dev/sva_sim0. */
	do {
		err = sva_device_next(sva, info.dev_id + 1, &info, sizeof(info));
		if (err)
			return 1;
	} while (strcmp(info.name, "sva_sim.0"));
	err = sva_as_alloc_nested(sva, parent, info.dev_id, -1,
				  IOMMU_HWPT_DATA_VTD_S1, &s1, sizeof(s1), &as);
	if (err) {
		fprintf(stderr, "%s: %s\n", info.name,
			sva_strerror(SVA_CALL_AS_ALLOC_NESTED, err));
		return 1;
	}

	/* From here on it is an address space as any other. */
	if (sva_pasid_alloc(sva, &pasid) || sva_pasid_bind(sva, pasid, as) ||
	    sva_sim_open(&sim, "/dev/sva_sim0", 0) ||
	    sva_sim_attach(sim, sva, pasid, NULL) ||
	    sva_sim_submit(sim, &desc, 1) != 1 ||
	    sva_sim_wait(sim, done, 10000))
		return 1;
	printf("status %u; at the guest's address is %llu\n", done->status,
	       (unsigned long long)guest[4][0]);
	sva_sim_close(sim);
	sva_close(sva);
	return guest[4][0] == 4711 ? 0 : 1;
}
