// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Address spaces: making and ending them. */
#include "internal.h"

static int alloc_iova(const struct sva *sva, unsigned int flags, int faultq,
		      uint32_t *as)
{
	struct sva_as_alloc arg = {
		.size = sizeof(arg),
		.flags = flags,
		.type = SVA_AS_TYPE_IOVA,
		.fault_fd = faultq,
	};
	int err = sva_ioctl(sva->fd, SVA_AS_ALLOC, &arg);

	if (!err)
		*as = arg.id;
	return err;
}

SVA_EXPORT int sva_as_alloc_iova(const struct sva *sva, unsigned int flags,
				 uint32_t *as)
{
	/* the queue would be descriptor 0 */
	if (flags & SVA_AS_F_FAULT)
		return -EINVAL;
	return alloc_iova(sva, flags, 0, as);
}

SVA_EXPORT int sva_as_alloc_iova_fault(const struct sva *sva,
				       unsigned int flags, int faultq,
				       uint32_t *as)
{
	return alloc_iova(sva, flags | SVA_AS_F_FAULT, faultq, as);
}

SVA_EXPORT int sva_as_destroy(const struct sva *sva, uint32_t as)
{
	return sva_destroy_id(sva, as);
}
