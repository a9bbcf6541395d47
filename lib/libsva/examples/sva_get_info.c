// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdio.h>

#include <sva/sva.h>

int main(void)
{
	struct sva_get_info info;
	struct sva *sva;
	int err;

	err = sva_open(&sva, 0);
	if (err)
		return 1;
	err = sva_get_info(sva, &info, sizeof(info));
	if (!err) {
		printf("%u PASIDs from %u to %u\n", info.pool_size,
		       info.pasid_min, info.pasid_max);
		if (info.features & SVA_FEATURE_PROCESS)
			puts("devices can use a process' own pointers");
	}
	sva_close(sva);
	return err ? 1 : 0;
}
