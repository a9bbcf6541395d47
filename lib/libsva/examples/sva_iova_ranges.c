// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sva/sva.h>

int main(void)
{
	struct sva_iova_range *ranges = NULL;
	uint64_t alignment;
	uint32_t as, i, num = 0;
	struct sva *sva;
	int err;

	if (sva_open(&sva, 0) || sva_as_alloc_iova(sva, 0, &as))
		return 1;
	/* They can change in between: then it is -EMSGSIZE once more. */
	while ((err = sva_iova_ranges(sva, as, ranges, &num, &alignment)) ==
	       -EMSGSIZE) {
		free(ranges);
		ranges = calloc(num, sizeof(*ranges));
		if (!ranges)
			return 1;
	}
	if (err)
		return 1;
	for (i = 0; i < num; i++)
		printf("%#llx to %#llx\n", (unsigned long long)ranges[i].start,
		       (unsigned long long)ranges[i].last);
	printf("in units of %llu bytes\n", (unsigned long long)alignment);
	free(ranges);
	sva_close(sva);
	return 0;
}
