// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdio.h>

#include <sva/sim.h>

int main(void)
{
	struct sva_sim_info info;
	struct sva_sim *sim;
	int err;

	err = sva_sim_open(&sim, "/dev/sva_sim0", 0);
	if (err) {
		fprintf(stderr, "engine: %s\n",
			sva_strerror(SVA_CALL_SIM_OPEN, err));
		return 1;
	}
	err = sva_sim_info(sim, &info, sizeof(info));
	if (!err)
		printf("behind IOMMU %u, PASIDs up to %u\n", info.iommu,
		       info.pasid_max);
	sva_sim_close(sim);
	return err ? 1 : 0;
}
