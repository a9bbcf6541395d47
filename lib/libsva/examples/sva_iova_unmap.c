// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sva/sva.h>

#define SIZE 65536

int main(void)
{
	uint64_t iova, bytes;
	struct sva *sva;
	uint32_t as;
	void *memory;

	memory = aligned_alloc(SIZE, SIZE);
	if (!memory || sva_open(&sva, 0) || sva_as_alloc_iova(sva, 0, &as) ||
	    sva_iova_map(sva, as, memory, SIZE, SVA_IOVA_F_READ, &iova))
		return 1;
	/* A mapping goes as a whole or not at all. */
	if (sva_iova_unmap(sva, as, iova, SIZE / 2, NULL) != -ERANGE)
		return 1;
	if (sva_iova_unmap(sva, as, iova, SIZE, &bytes) || bytes != SIZE)
		return 1;
	if (sva_iova_unmap_all(sva, as, &bytes) || bytes)
		return 1;
	puts("unmapped");
	sva_close(sva);
	free(memory);
	return 0;
}
