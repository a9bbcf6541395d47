// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdio.h>

#include <sva/sva.h>

int main(void)
{
	struct sva_pasid_info info;
	struct sva *sva;
	uint32_t pasid;

	if (sva_open(&sva, 0) || sva_pasid_alloc(sva, &pasid) ||
	    sva_pasid_info(sva, pasid, &info, sizeof(info)))
		return 1;
	printf("PASID %u is %s, %u devices use it\n", info.number,
	       info.state & SVA_PASID_S_BOUND ? "bound" : "not bound",
	       info.bonds);
	sva_close(sva);
	return 0;
}
