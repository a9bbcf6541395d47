// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdio.h>

#include <sva/sva.h>

int main(void)
{
	uint32_t pasid, as[2];
	struct sva *sva;
	int err;

	if (sva_open(&sva, 0) || sva_pasid_alloc(sva, &pasid) ||
	    sva_as_alloc_iova(sva, 0, &as[0]) ||
	    sva_as_alloc_iova(sva, 0, &as[1]))
		return 1;
	err = sva_pasid_bind(sva, pasid, as[0]);
	/* To another one: in between devices see the old one, or nothing. */
	if (!err)
		err = sva_pasid_bind(sva, pasid, as[1]);
	if (!err)
		err = sva_pasid_unbind(sva, pasid);
	if (err)
		fprintf(stderr, "bind: %s\n",
			sva_strerror(SVA_CALL_PASID_BIND, err));
	sva_close(sva);
	return err ? 1 : 0;
}
