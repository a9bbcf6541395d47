// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Who has how many PASIDs, and may have. */
#include "internal.h"

static int quota_read(const struct sva *sva, uint32_t flags, uint32_t id,
		      struct sva_quota *quota, size_t size)
{
	int err = sva_result_init(quota, size, offsetof(struct sva_quota, events));

	if (err)
		return err;
	quota->flags = flags;
	quota->id = id;
	return sva_ioctl(sva->fd, SVA_QUOTA, quota);
}

static int quota_set(const struct sva *sva, uint32_t flags, uint32_t id,
		     uint32_t max)
{
	struct sva_quota arg = {
		.size = sizeof(arg),
		.flags = flags | SVA_QUOTA_F_SET,
		.id = id,
		.max = max,
	};

	return sva_ioctl(sva->fd, SVA_QUOTA, &arg);
}

SVA_EXPORT int sva_quota_cgroup(const struct sva *sva, int cgroup,
				struct sva_quota *quota, size_t size)
{
	/* -1 is SVA_QUOTA_OWN_CGROUP */
	return quota_read(sva, 0, (uint32_t)cgroup, quota, size);
}

SVA_EXPORT int sva_quota_set_cgroup(const struct sva *sva, int cgroup,
				    uint32_t max)
{
	return quota_set(sva, 0, (uint32_t)cgroup, max);
}

SVA_EXPORT int sva_quota_user(const struct sva *sva, uint32_t uid,
			      struct sva_quota *quota, size_t size)
{
	return quota_read(sva, SVA_QUOTA_F_USER, uid, quota, size);
}

SVA_EXPORT int sva_quota_set_user(const struct sva *sva, uint32_t uid,
				  uint32_t max)
{
	return quota_set(sva, SVA_QUOTA_F_USER, uid, max);
}
