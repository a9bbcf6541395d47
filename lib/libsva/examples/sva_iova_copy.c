// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdio.h>
#include <stdlib.h>

#include <sva/sva.h>

#define SIZE 65536

int main(void)
{
	uint32_t mine, theirs;
	uint64_t iova, copy;
	struct sva *sva;
	void *memory;

	memory = aligned_alloc(SIZE, SIZE);
	if (!memory || sva_open(&sva, 0) ||
	    sva_as_alloc_iova(sva, 0, &mine) ||
	    sva_as_alloc_iova(sva, 0, &theirs) ||
	    sva_iova_map(sva, mine, memory, SIZE,
			 SVA_IOVA_F_READ | SVA_IOVA_F_WRITE, &iova))
		return 1;
	/* The same memory for another device, which may only read it. */
	if (sva_iova_copy(sva, theirs, mine, iova, SIZE, SVA_IOVA_F_READ, &copy))
		return 1;
	printf("%#llx in one address space, %#llx in the other\n",
	       (unsigned long long)iova, (unsigned long long)copy);
	sva_close(sva);
	free(memory);
	return 0;
}
