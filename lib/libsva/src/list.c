// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Lists of what there is, fetched some entries at a time. */
#include <stdlib.h>

#include "internal.h"

/* What one call asks for: a few pages of the largest entries. */
#define BATCH 64

struct sva_list_iter {
	int fd;
	struct sva_list arg;
	uint32_t next;		/* entry of @entries to hand out */
	uint32_t have;
	uint64_t entries[];	/* aligned as any of them is */
};

/* Goes on until there are entries, or the list ends. */
static int fetch(struct sva_list_iter *iter)
{
	int err;

	iter->next = 0;
	iter->have = 0;
	while (iter->arg.more && !iter->have) {
		iter->arg.num = BATCH;
		err = sva_ioctl(iter->fd, SVA_LIST, &iter->arg);
		if (err)
			return err;
		iter->have = iter->arg.num;
	}
	return 0;
}

SVA_EXPORT int sva_list_begin(const struct sva *sva, unsigned int kind,
			      unsigned int flags, size_t entry_size,
			      struct sva_list_iter **iter)
{
	struct sva_list_iter *new;
	int err;

	if (!entry_size || entry_size % 8 || entry_size > 4096)
		return -EINVAL;
	new = calloc(1, sizeof(*new) + BATCH * entry_size);
	if (!new)
		return -ENOMEM;
	new->fd = sva->fd;
	new->arg = (struct sva_list) {
		.size = sizeof(new->arg),
		.flags = flags,
		.kind = kind,
		.entry_size = (uint32_t)entry_size,
		.more = 1,
		.entries = sva_ptr(new->entries),
	};
	err = fetch(new);
	if (err) {
		free(new);
		return err;
	}
	*iter = new;
	return 0;
}

SVA_EXPORT int sva_list_next(struct sva_list_iter *iter, const void **entry)
{
	int err;

	if (iter->next == iter->have) {
		err = fetch(iter);
		if (err)
			return err;
		if (!iter->have)
			return 0;
	}
	*entry = (const char *)iter->entries +
		 (size_t)iter->next++ * iter->arg.entry_size;
	return 1;
}

SVA_EXPORT void sva_list_end(struct sva_list_iter *iter)
{
	free(iter);
}
