// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <stdio.h>

#include <sva/sva.h>

int main(void)
{
	struct sva *sva;
	uint32_t first;
	int err;

	if (sva_open(&sva, 0) || sva_pasid_alloc_range(sva, 0, 0, 8, &first))
		return 1;
	/* one of eight by itself, so the eight are no longer all there */
	if (sva_pasid_free(sva, first))
		return 1;
	err = sva_pasid_free_range(sva, first, 8);
	if (err != -ENOENT)
		return 1;
	printf("free: %s\n", sva_strerror(SVA_CALL_PASID_FREE, err));
	err = sva_pasid_free_range(sva, first + 1, 7);
	sva_close(sva);
	return err ? 1 : 0;
}
