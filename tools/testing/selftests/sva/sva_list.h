/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of what can be seen: fdinfo and lists.
 */
#ifndef SVA_LIST_H
#define SVA_LIST_H

#include "sva_core.h"

/* A value of /proc/self/fdinfo, or a negative errno. */
static inline long long fdinfo_get(int fd, const char *key)
{
	char path[64], line[128];
	long long value = -ENOENT;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		size_t len = strlen(key);

		if (!strncmp(line, key, len) && !strncmp(line + len, ":\t", 2))
			value = strtoll(line + len + 2, NULL, 10);
	}
	fclose(f);
	return value;
}

/* One call. */
static inline int list_call(int fd, struct sva_list *list)
{
	list->size = sizeof(*list);
	return sva_ioctl(fd, SVA_LIST, list);
}

/*
 * Calls until the end, with room for @step entries at a time. Returns how many
 * there are; those that fit are in @entries.
 */
static inline int list_all_of(int fd, uint32_t flags, uint32_t kind,
			      void *entries, size_t entry_size, uint32_t room,
			      uint32_t step)
{
	char *buf = calloc(step, entry_size);
	struct sva_list list = {
		.flags = flags,
		.kind = kind,
		.entry_size = entry_size,
		.entries = (uintptr_t)buf,
	};
	uint32_t n = 0;
	int ret;

	do {
		uint32_t i;

		list.num = step;
		ret = list_call(fd, &list);
		for (i = 0; !ret && i < list.num; i++, n++)
			if (n < room)
				memcpy((char *)entries + n * entry_size,
				       buf + i * entry_size, entry_size);
	} while (!ret && list.more);
	free(buf);
	return ret ? ret : (int)n;
}

#endif /* SVA_LIST_H */
