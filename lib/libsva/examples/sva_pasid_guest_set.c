// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdio.h>

#include <sva/sva.h>

int main(void)
{
	uint32_t pasid, found, guest;
	struct sva *sva;

	/* What the guest calls 5 has a number of the host's. */
	if (sva_open(&sva, 0) || sva_pasid_alloc(sva, &pasid) ||
	    sva_pasid_guest_set(sva, pasid, 5))
		return 1;
	if (sva_pasid_guest_find(sva, 5, &found) ||
	    sva_pasid_guest_get(sva, found, &guest))
		return 1;
	printf("guest PASID %u is PASID %u\n", guest, found);
	sva_close(sva);
	return found == pasid && guest == 5 ? 0 : 1;
}
