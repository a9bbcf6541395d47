// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <stdio.h>

#include <sva/sva.h>

int main(void)
{
	struct sva *sva;
	uint32_t as, pasid;

	if (sva_open(&sva, 0) || sva_as_alloc_iova(sva, 0, &as) ||
	    sva_pasid_alloc(sva, &pasid) || sva_pasid_bind(sva, pasid, as))
		return 1;
	/* It cannot end while a PASID is bound to it. */
	if (sva_as_destroy(sva, as) != -EBUSY)
		return 1;
	if (sva_pasid_unbind(sva, pasid) || sva_as_destroy(sva, as))
		return 1;
	puts("made, bound, unbound and destroyed");
	sva_close(sva);
	return 0;
}
