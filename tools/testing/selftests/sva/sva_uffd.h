/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory whose first touch waits for as long as a test likes: pages that are
 * missing are reported to a userfaultfd, and filled in when the test says so.
 */
#ifndef SVA_UFFD_H
#define SVA_UFFD_H

#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "sva_core.h"

struct slow_memory {
	int uffd;
	char *base;
	size_t length;
};

static inline int slow_memory_init(struct slow_memory *slow, size_t length)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	slow->length = length;
	slow->base = sva_mem(length);
	slow->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (!slow->base || slow->uffd < 0)
		return -errno;
	reg.range.start = (uintptr_t)slow->base;
	reg.range.len = length;
	if (ioctl(slow->uffd, UFFDIO_API, &api) ||
	    ioctl(slow->uffd, UFFDIO_REGISTER, &reg))
		return -errno;
	return 0;
}

/* Waits until somebody hangs. */
static inline int slow_memory_wait(const struct slow_memory *slow)
{
	struct pollfd pfd = { .fd = slow->uffd, .events = POLLIN };
	struct uffd_msg msg;

	if (poll(&pfd, 1, SVA_TIMEOUT_MS) != 1)
		return -ETIMEDOUT;
	return read(slow->uffd, &msg, sizeof(msg)) == sizeof(msg) ? 0 : -EIO;
}

/* All of it is there from now on. */
static inline int slow_memory_fill(const struct slow_memory *slow)
{
	struct uffdio_zeropage zero = {
		.range.start = (uintptr_t)slow->base,
		.range.len = slow->length,
	};

	return ioctl(slow->uffd, UFFDIO_ZEROPAGE, &zero) ? -errno : 0;
}

/* Whoever hangs looks again. */
static inline int slow_memory_wake(const struct slow_memory *slow)
{
	struct uffdio_range range = {
		.start = (uintptr_t)slow->base,
		.len = slow->length,
	};

	return ioctl(slow->uffd, UFFDIO_WAKE, &range) ? -errno : 0;
}

static inline void slow_memory_exit(struct slow_memory *slow)
{
	close(slow->uffd);
	munmap(slow->base, slow->length);
}

/* A thread that maps. */
struct slow_map {
	pthread_t thread;
	int fd;
	uint32_t as;
	void *va;
	uint64_t length;
	uint64_t iova;
	int ret;
};

static inline void *slow_map_thread(void *arg)
{
	struct slow_map *map = arg;

	map->ret = iova_map_at(map->fd, map->as, CORE_RW, map->va, map->length,
			       map->iova);
	return NULL;
}

static inline int slow_map_start(struct slow_map *map, int fd, uint32_t as,
				 const struct slow_memory *slow, uint64_t iova)
{
	*map = (struct slow_map) {
		.fd = fd,
		.as = as,
		.va = slow->base,
		.length = slow->length,
		.iova = iova,
	};
	return pthread_create(&map->thread, NULL, slow_map_thread, map);
}

static inline int slow_map_end(struct slow_map *map)
{
	pthread_join(map->thread, NULL);
	return map->ret;
}

#endif /* SVA_UFFD_H */
