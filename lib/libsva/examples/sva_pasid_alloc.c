// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <stdio.h>

#include <sva/sva.h>

int main(void)
{
	uint32_t any, narrow, first, process;
	struct sva *sva;

	if (sva_open(&sva, 0))
		return 1;
	if (sva_pasid_alloc(sva, &any) ||
	    sva_pasid_alloc_max(sva, 255, &narrow) ||
	    sva_pasid_alloc_range(sva, 0, 0, 4, &first) ||
	    sva_pasid_alloc_process(sva, &process))
		return 1;
	printf("any: %u; for an 8-bit device: %u; four: %u to %u\n", any,
	       narrow, first, first + 3);

	/* A number is given out once. */
	if (sva_pasid_alloc_fixed(sva, any) != -EBUSY)
		return 1;
	/* A process PASID has no number before a device is attached to it. */
	if (!(process & SVA_PASID_HANDLE))
		return 1;
	sva_close(sva);
	return 0;
}
