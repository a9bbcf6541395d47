// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* What is mapped in an address space. */
#include "internal.h"

/* Where to map: the caller's variable is an input only if it says so. */
static uint64_t wanted(unsigned int flags, const uint64_t *iova)
{
	return flags & SVA_IOVA_F_FIXED ? *iova : 0;
}

SVA_EXPORT int sva_iova_map(const struct sva *sva, uint32_t as, void *addr,
			    uint64_t length, unsigned int flags, uint64_t *iova)
{
	struct sva_iova_map arg = {
		.size = sizeof(arg),
		.flags = flags,
		.as_id = as,
		.user_va = sva_ptr(addr),
		.length = length,
		.iova = wanted(flags, iova),
	};
	int err = sva_ioctl(sva->fd, SVA_IOVA_MAP, &arg);

	if (!err)
		*iova = arg.iova;
	return err;
}

SVA_EXPORT int sva_iova_map_file(const struct sva *sva, uint32_t as, int fd,
				 uint64_t start, uint64_t length,
				 unsigned int flags, uint64_t *iova)
{
	struct sva_iova_map_file arg = {
		.size = sizeof(arg),
		.flags = flags,
		.as_id = as,
		.fd = fd,
		.start = start,
		.length = length,
		.iova = wanted(flags, iova),
	};
	int err = sva_ioctl(sva->fd, SVA_IOVA_MAP_FILE, &arg);

	if (!err)
		*iova = arg.iova;
	return err;
}

static int unmap(const struct sva *sva, uint32_t as, uint64_t iova,
		 uint64_t length, uint64_t *unmapped)
{
	struct sva_iova_unmap arg = {
		.size = sizeof(arg),
		.as_id = as,
		.iova = iova,
		.length = length,
	};
	int err = sva_ioctl(sva->fd, SVA_IOVA_UNMAP, &arg);

	if (!err && unmapped)
		*unmapped = arg.length;
	return err;
}

SVA_EXPORT int sva_iova_unmap(const struct sva *sva, uint32_t as, uint64_t iova,
			      uint64_t length, uint64_t *unmapped)
{
	return unmap(sva, as, iova, length, unmapped);
}

SVA_EXPORT int sva_iova_unmap_all(const struct sva *sva, uint32_t as,
				  uint64_t *unmapped)
{
	return unmap(sva, as, 0, UINT64_MAX, unmapped);
}

SVA_EXPORT int sva_iova_copy(const struct sva *sva, uint32_t dst_as,
			     uint32_t src_as, uint64_t src_iova,
			     uint64_t length, unsigned int flags,
			     uint64_t *dst_iova)
{
	struct sva_iova_copy arg = {
		.size = sizeof(arg),
		.flags = flags,
		.dst_as_id = dst_as,
		.src_as_id = src_as,
		.length = length,
		.dst_iova = wanted(flags, dst_iova),
		.src_iova = src_iova,
	};
	int err = sva_ioctl(sva->fd, SVA_IOVA_COPY, &arg);

	if (!err)
		*dst_iova = arg.dst_iova;
	return err;
}

SVA_EXPORT int sva_iova_ranges(const struct sva *sva, uint32_t as,
			       struct sva_iova_range *ranges, uint32_t *num,
			       uint64_t *alignment)
{
	struct sva_iova_ranges arg = {
		.size = sizeof(arg),
		.as_id = as,
		.num = *num,
		.ranges = sva_ptr(ranges),
	};
	int err = sva_ioctl(sva->fd, SVA_IOVA_RANGES, &arg);

	if (!err || err == -EMSGSIZE)
		*num = arg.num;
	if (!err && alignment)
		*alignment = arg.alignment;
	return err;
}
