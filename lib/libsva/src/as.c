// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Address spaces: making and ending them. */
#include "internal.h"

SVA_EXPORT int sva_as_alloc_iova(const struct sva *sva, unsigned int flags,
				 uint32_t *as)
{
	struct sva_as_alloc arg = {
		.size = sizeof(arg),
		.flags = flags,
		.type = SVA_AS_TYPE_IOVA,
	};
	int err = sva_ioctl(sva->fd, SVA_AS_ALLOC, &arg);

	if (!err)
		*as = arg.id;
	return err;
}

SVA_EXPORT int sva_as_destroy(const struct sva *sva, uint32_t as)
{
	struct sva_destroy arg = { .size = sizeof(arg), .id = as };

	return sva_ioctl(sva->fd, SVA_DESTROY, &arg);
}
