// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdalign.h>
#include <stdio.h>
#include <unistd.h>

#include <sva/sim.h>
#include <sva/sva.h>

#define DATA 0x10000000ULL	/* IOVA of a page that is mapped on demand */
#define RECORD 0x20000000ULL	/* IOVA of the completion record's page */
#define FLAGS (SVA_IOVA_F_READ | SVA_IOVA_F_WRITE | SVA_IOVA_F_FIXED)

static alignas(4096) char data_page[4096], record_page[4096];
static struct sva_fault faults[SVA_FAULT_GROUP_MAX];

int main(void)
{
	struct sva_sim_completion *done = (void *)record_page;
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_FILL,
		.src = 7,
		.dst = DATA,
		.len = 8,
		.completion = RECORD,
	};
	struct sva_fault_response response;
	uint64_t iova = RECORD;
	struct sva_sim *sim;
	uint32_t pasid, as;
	struct sva *sva;
	int queue, n, i, err;

	if (sva_open(&sva, 0) || sva_faultq_alloc(sva, 0, 16, &queue) ||
	    sva_as_alloc_iova_fault(sva, 0, queue, &as) ||
	    sva_iova_map(sva, as, record_page, 4096, FLAGS, &iova) ||
	    sva_pasid_alloc(sva, &pasid) || sva_pasid_bind(sva, pasid, as) ||
	    sva_sim_open(&sim, "/dev/sva_sim0", 0) ||
	    sva_sim_attach(sim, sva, pasid, NULL) ||
	    sva_sim_submit(sim, &desc, 1) != 1)
		return 1;

	/* The engine finds nothing at its address, and asks for a page. */
	n = sva_faultq_read(queue, faults, SVA_FAULT_GROUP_MAX);
	for (i = 0; i < n; i++) {
		if (faults[i].flags & SVA_FAULT_LOST)
			continue;
		iova = faults[i].addr;
		err = sva_iova_map(sva, as, data_page, 4096, FLAGS, &iova);
		printf("page request for %#llx\n",
		       (unsigned long long)faults[i].addr);
		response.cookie = faults[i].cookie;
		response.code = err ? SVA_FAULT_INVALID : SVA_FAULT_SUCCESS;
		/* A group is answered once. */
		if (faults[i].flags & SVA_FAULT_LAST_PAGE &&
		    sva_faultq_respond(queue, &response, 1) != 1)
			return 1;
	}
	if (sva_sim_wait(sim, done, 10000))
		return 1;
	printf("status %u, wrote %d\n", done->status, data_page[0]);
	sva_sim_close(sim);
	sva_close(sva);
	close(queue);
	return data_page[0] == 7 ? 0 : 1;
}
