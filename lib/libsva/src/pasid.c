// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* PASIDs, process PASIDs and RID handles, and PASID fds of them. */
#include "internal.h"

static int pasid_alloc(const struct sva *sva, struct sva_pasid_alloc *arg,
		       uint32_t *pasid)
{
	int err;

	arg->size = sizeof(*arg);
	err = sva_ioctl(sva->fd, SVA_PASID_ALLOC, arg);
	if (!err)
		*pasid = arg->pasid;
	return err;
}

SVA_EXPORT int sva_pasid_alloc(const struct sva *sva, uint32_t *pasid)
{
	struct sva_pasid_alloc arg = { .count = 1 };

	return pasid_alloc(sva, &arg, pasid);
}

SVA_EXPORT int sva_pasid_alloc_max(const struct sva *sva, uint32_t max,
				   uint32_t *pasid)
{
	struct sva_pasid_alloc arg = { .max = max, .count = 1 };

	/* to the kernel 0 means "no limit", which is not what was meant */
	if (!max)
		return -EINVAL;
	return pasid_alloc(sva, &arg, pasid);
}

SVA_EXPORT int sva_pasid_alloc_range(const struct sva *sva, uint32_t min,
				     uint32_t max, uint32_t count,
				     uint32_t *first)
{
	struct sva_pasid_alloc arg = { .min = min, .max = max, .count = count };

	return pasid_alloc(sva, &arg, first);
}

SVA_EXPORT int sva_pasid_alloc_fixed(const struct sva *sva, uint32_t pasid)
{
	struct sva_pasid_alloc arg = { .min = pasid, .max = pasid, .count = 1 };

	/* to the kernel 0 means "any" */
	if (!pasid)
		return -EINVAL;
	return pasid_alloc(sva, &arg, &pasid);
}

SVA_EXPORT int sva_pasid_alloc_process(const struct sva *sva, uint32_t *pasid)
{
	struct sva_pasid_alloc arg = { .flags = SVA_PASID_F_MM, .count = 1 };

	return pasid_alloc(sva, &arg, pasid);
}

SVA_EXPORT int sva_pasid_alloc_rid(const struct sva *sva, uint32_t *pasid)
{
	struct sva_pasid_alloc arg = { .flags = SVA_PASID_F_RID, .count = 1 };

	return pasid_alloc(sva, &arg, pasid);
}

SVA_EXPORT int sva_pasid_free(const struct sva *sva, uint32_t pasid)
{
	return sva_pasid_free_range(sva, pasid, 1);
}

SVA_EXPORT int sva_pasid_free_range(const struct sva *sva, uint32_t first,
				    uint32_t count)
{
	struct sva_pasid_free arg = {
		.size = sizeof(arg),
		.pasid = first,
		.count = count,
	};

	return sva_ioctl(sva->fd, SVA_PASID_FREE, &arg);
}

SVA_EXPORT int sva_pasid_info(const struct sva *sva, uint32_t pasid,
			      struct sva_pasid_info *info, size_t size)
{
	int err = sva_result_init(info, size,
				  offsetof(struct sva_pasid_info, kind));

	if (err)
		return err;
	info->pasid = pasid;
	return sva_ioctl(sva->fd, SVA_PASID_INFO, info);
}

static int pasid_bind(const struct sva *sva, uint32_t pasid, uint32_t as)
{
	struct sva_pasid_bind arg = {
		.size = sizeof(arg),
		.pasid = pasid,
		.as_id = as,
	};

	return sva_ioctl(sva->fd, SVA_PASID_BIND, &arg);
}

SVA_EXPORT int sva_pasid_bind(const struct sva *sva, uint32_t pasid,
			      uint32_t as)
{
	/* an id that was never set shall not unbind by accident */
	if (as == SVA_AS_NONE)
		return -EINVAL;
	return pasid_bind(sva, pasid, as);
}

SVA_EXPORT int sva_pasid_unbind(const struct sva *sva, uint32_t pasid)
{
	return pasid_bind(sva, pasid, SVA_AS_NONE);
}

SVA_EXPORT int sva_pasid_fd(const struct sva *sva, uint32_t pasid, int *fd,
			    uint32_t *id)
{
	struct sva_pasid_fd arg = { .size = sizeof(arg), .pasid = pasid };
	int err = sva_ioctl(sva->fd, SVA_PASID_FD, &arg);

	if (err)
		return err;
	*fd = arg.fd;
	if (id)
		*id = arg.id;
	return 0;
}

SVA_EXPORT int sva_pasid_fd_revoke(const struct sva *sva, uint32_t id)
{
	return sva_destroy_id(sva, id);
}
