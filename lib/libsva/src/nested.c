// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Address spaces of a guest: its tables, and what it calls its PASIDs. */
#include "internal.h"

/* @faultq may be negative: none. */
static int alloc_table(const struct sva *sva, uint32_t type, uint32_t parent,
		       uint32_t dev, int faultq, uint32_t data_type,
		       const void *data, size_t len, uint32_t *as)
{
	struct sva_as_alloc arg = {
		.size = sizeof(arg),
		.flags = faultq < 0 ? 0 : SVA_AS_F_FAULT,
		.type = type,
		.parent_id = parent,
		.dev_id = dev,
		.fault_fd = faultq < 0 ? 0 : faultq,
		.data_type = data_type,
		.data_len = (uint32_t)len,
		.data_uptr = sva_ptr(data),
	};
	int err;

	if (arg.data_len != len)
		return -E2BIG;
	err = sva_ioctl(sva->fd, SVA_AS_ALLOC, &arg);
	if (!err)
		*as = arg.id;
	return err;
}

SVA_EXPORT int sva_as_alloc_nested(const struct sva *sva, uint32_t parent,
				   uint32_t dev, int faultq, uint32_t data_type,
				   const void *data, size_t len, uint32_t *as)
{
	return alloc_table(sva, SVA_AS_TYPE_NESTED, parent, dev, faultq,
			   data_type, data, len, as);
}

SVA_EXPORT int sva_as_alloc_pasid_table(const struct sva *sva, uint32_t parent,
					uint32_t dev, int faultq,
					uint32_t data_type, const void *data,
					size_t len, uint32_t *as)
{
	return alloc_table(sva, SVA_AS_TYPE_PASID_TABLE, parent, dev, faultq,
			   data_type, data, len, as);
}

SVA_EXPORT int sva_invalidate(const struct sva *sva, uint32_t as,
			      uint32_t data_type, const void *entries,
			      size_t entry_size, uint32_t *num)
{
	struct sva_invalidate arg = {
		.size = sizeof(arg),
		.as_id = as,
		.data_type = data_type,
		.entry_len = (uint32_t)entry_size,
		.entry_num = *num,
		.data_uptr = sva_ptr(entries),
	};
	int err;

	if (arg.entry_len != entry_size) {
		*num = 0;
		return -E2BIG;
	}
	err = sva_ioctl(sva->fd, SVA_INVALIDATE, &arg);
	*num = arg.entry_num;
	return err;
}

static int pasid_guest(const struct sva *sva, struct sva_pasid_guest *arg)
{
	arg->size = sizeof(*arg);
	return sva_ioctl(sva->fd, SVA_PASID_GUEST, arg);
}

SVA_EXPORT int sva_pasid_guest_set(const struct sva *sva, uint32_t pasid,
				   uint32_t guest)
{
	struct sva_pasid_guest arg = {
		.flags = SVA_GUEST_F_SET,
		.pasid = pasid,
		.guest_pasid = guest,
	};

	return pasid_guest(sva, &arg);
}

SVA_EXPORT int sva_pasid_guest_get(const struct sva *sva, uint32_t pasid,
				   uint32_t *guest)
{
	struct sva_pasid_guest arg = {
		.flags = SVA_GUEST_F_GET,
		.pasid = pasid,
	};
	int err = pasid_guest(sva, &arg);

	if (!err)
		*guest = arg.guest_pasid;
	return err;
}

SVA_EXPORT int sva_pasid_guest_find(const struct sva *sva, uint32_t guest,
				    uint32_t *pasid)
{
	struct sva_pasid_guest arg = {
		.flags = SVA_GUEST_F_FIND,
		.guest_pasid = guest,
	};
	int err = pasid_guest(sva, &arg);

	if (!err)
		*pasid = arg.pasid;
	return err;
}
