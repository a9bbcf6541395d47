/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* What the files of the library share; nothing here is exported. */
#ifndef SVA_INTERNAL_H
#define SVA_INTERNAL_H

#include <errno.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include <sva/sva.h>

/* Everything is hidden unless it says this; see also libsva.map. */
#define SVA_EXPORT __attribute__((visibility("default")))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

struct sva {
	int fd;
};

static inline int sva_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

static inline uint64_t sva_ptr(const void *ptr)
{
	return (uintptr_t)ptr;
}

/* Ends whatever has that id in the context. */
static inline int sva_destroy_id(const struct sva *sva, uint32_t id)
{
	struct sva_destroy arg = { .size = sizeof(arg), .id = id };

	return sva_ioctl(sva->fd, SVA_DESTROY, &arg);
}

/*
 * Prepares a result structure of the caller's size, which may be of a newer or
 * an older header than the one that this library was compiled with.
 */
int sva_result_init(void *result, size_t size, size_t min);

/* Loads the kernel module: 0 or a negative errno as sva_open() returns it. */
int sva_load_module(void);

#endif /* SVA_INTERNAL_H */
