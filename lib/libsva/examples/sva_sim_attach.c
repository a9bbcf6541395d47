// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdio.h>

#include <sva/sim.h>
#include <sva/sva.h>

int main(void)
{
	struct sva_sim_info info;
	struct sva_sim *sim;
	uint32_t pasid, as, number;
	struct sva *sva;
	int err;

	/* Take a number that this engine can use. */
	if (sva_open(&sva, 0) || sva_sim_open(&sim, "/dev/sva_sim0", 0) ||
	    sva_sim_info(sim, &info, sizeof(info)) ||
	    sva_pasid_alloc_max(sva, info.pasid_max, &pasid))
		return 1;
	err = sva_sim_attach(sim, sva, pasid, &number);
	if (err) {
		fprintf(stderr, "attach: %s\n",
			sva_strerror(SVA_CALL_ATTACH, err));
		return 1;
	}
	printf("attached to %u, with DMA blocked\n", number);

	/* Binding may come after attaching, or before. */
	if (sva_as_alloc_iova(sva, 0, &as) || sva_pasid_bind(sva, pasid, as) ||
	    sva_sim_detach(sim))
		return 1;
	sva_sim_close(sim);
	sva_close(sva);
	return 0;
}
