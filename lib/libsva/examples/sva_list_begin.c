// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdio.h>

#include <sva/sva.h>

int main(void)
{
	const struct sva_list_pasid *entry;
	struct sva_list_iter *iter;
	const void *next;
	struct sva *sva;
	uint32_t first;
	int err;

	if (sva_open(&sva, 0) || sva_pasid_alloc_range(sva, 0, 0, 3, &first) ||
	    sva_list_begin(sva, SVA_LIST_PASIDS, 0, sizeof(*entry), &iter))
		return 1;
	while ((err = sva_list_next(iter, &next)) > 0) {
		entry = next;
		printf("PASID %u: %u devices\n", entry->pasid, entry->bonds);
	}
	if (err)
		fprintf(stderr, "%s\n", sva_strerror(SVA_CALL_LIST, err));
	sva_list_end(iter);
	sva_close(sva);
	return err ? 1 : 0;
}
