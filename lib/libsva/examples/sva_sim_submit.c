// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdio.h>
#include <string.h>

#include <sva/sim.h>
#include <sva/sva.h>

#define PARTS 4
#define SIZE 4096

static char src[PARTS][SIZE], dst[PARTS][SIZE];

int main(void)
{
	static struct sva_sim_completion done[PARTS];
	struct sva_sim_desc desc[PARTS];
	struct sva_sim *sim;
	struct sva *sva;
	uint32_t pasid;
	int i;

	if (sva_open(&sva, 0) || sva_pasid_alloc_process(sva, &pasid) ||
	    sva_sim_open(&sim, "/dev/sva_sim0", 0) ||
	    sva_sim_attach(sim, sva, pasid, NULL))
		return 1;
	memset(src, 'x', sizeof(src));
	for (i = 0; i < PARTS; i++) {
		done[i].status = SVA_SIM_STATUS_PENDING;
		desc[i] = (struct sva_sim_desc){
			.op = SVA_SIM_OP_MEMCPY,
			.src = (uintptr_t)src[i],
			.dst = (uintptr_t)dst[i],
			.len = SIZE,
			.completion = (uintptr_t)&done[i],
		};
	}
	if (sva_sim_submit(sim, desc, PARTS) != PARTS)
		return 1;
	for (i = 0; i < PARTS; i++)
		if (sva_sim_wait(sim, &done[i], 10000) ||
		    done[i].status != SVA_SIM_STATUS_OK)
			return 1;
	puts(memcmp(src, dst, sizeof(src)) ? "different" : "equal");
	sva_sim_close(sim);
	sva_close(sva);
	return memcmp(src, dst, sizeof(src)) ? 1 : 0;
}
