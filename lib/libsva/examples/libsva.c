// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sva/sim.h>
#include <sva/sva.h>

static int die(const char *what, enum sva_call call, int err)
{
	fprintf(stderr, "%s: %s\n", what, sva_strerror(call, err));
	return 1;
}

int main(void)
{
	struct sva_sim_completion done;
	struct sva_sim_desc desc = { .op = SVA_SIM_OP_CRC32C };
	struct sva_sim *sim;
	struct sva *sva;
	uint32_t pasid;
	char *text;
	int err;

	err = sva_open(&sva, 0);
	if (err)
		return die("/dev/sva", SVA_CALL_OPEN, err);
	err = sva_pasid_alloc_process(sva, &pasid);
	if (err)
		return die("PASID", SVA_CALL_PASID_ALLOC, err);

	err = sva_sim_open(&sim, "/dev/sva_sim0", 0);
	if (err)
		return die("/dev/sva_sim0", SVA_CALL_SIM_OPEN, err);
	err = sva_sim_attach(sim, sva, pasid, NULL);
	if (err)
		return die("attach", SVA_CALL_ATTACH, err);

	/* From here on the engine understands this process' pointers. */
	text = strdup("123456789");
	if (!text)
		return 1;
	desc.src = (uintptr_t)text;
	desc.len = strlen(text);
	err = sva_sim_run(sim, &desc, &done);
	if (err)
		return die("run", SVA_CALL_SIM_WAIT, err);
	printf("status %u, CRC-32C %08x\n", done.status, done.result);

	err = sva_sim_detach(sim);
	if (err)
		return die("detach", SVA_CALL_SIM_DETACH, err);
	sva_sim_close(sim);
	sva_close(sva);
	free(text);
	return done.status == SVA_SIM_STATUS_OK ? 0 : 1;
}
