/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * More helpers for tests of the core: ranges, files, copies, and what the
 * system counts.
 */
#ifndef SVA_CORE_H
#define SVA_CORE_H

#include <stdbool.h>

#include "sva_util.h"

#define CORE_PAGE	4096ULL
#define CORE_2M		(2UL << 20)
#define CORE_RW		(SVA_IOVA_F_READ | SVA_IOVA_F_WRITE)

/* --- the calls ------------------------------------------------------------- */

static inline int core_info(int fd, struct sva_get_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return sva_ioctl(fd, SVA_GET_INFO, info);
}

static inline int pasid_alloc(int fd, uint32_t min, uint32_t max,
			      uint32_t count, uint32_t *first)
{
	struct sva_pasid_alloc cmd = {
		.size = sizeof(cmd),
		.min = min,
		.max = max,
		.count = count,
	};
	int ret = sva_ioctl(fd, SVA_PASID_ALLOC, &cmd);

	*first = cmd.pasid;
	return ret;
}

/* @flags: SVA_PASID_F_MM or SVA_PASID_F_RID. */
static inline int pasid_alloc_handle(int fd, uint32_t flags, uint32_t *handle)
{
	struct sva_pasid_alloc cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.count = 1,
	};
	int ret = sva_ioctl(fd, SVA_PASID_ALLOC, &cmd);

	*handle = cmd.pasid;
	return ret;
}

static inline int pasid_free(int fd, uint32_t first, uint32_t count)
{
	struct sva_pasid_free cmd = {
		.size = sizeof(cmd),
		.pasid = first,
		.count = count,
	};

	return sva_ioctl(fd, SVA_PASID_FREE, &cmd);
}

static inline int iova_map_at(int fd, uint32_t as, uint32_t flags,
			      void *va, uint64_t length, uint64_t iova)
{
	return sva_map(fd, as, flags | SVA_IOVA_F_FIXED, va, length, &iova);
}

static inline int iova_map_file(int fd, uint32_t as, uint32_t flags, int file,
				uint64_t start, uint64_t length, uint64_t *iova)
{
	struct sva_iova_map_file cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.as_id = as,
		.fd = file,
		.start = start,
		.length = length,
		.iova = *iova,
	};
	int ret = sva_ioctl(fd, SVA_IOVA_MAP_FILE, &cmd);

	if (!ret)
		*iova = cmd.iova;
	return ret;
}

/* Answers how many bytes were unmapped. */
static inline int64_t iova_unmap(int fd, uint32_t as, uint64_t iova,
				 uint64_t length)
{
	struct sva_iova_unmap cmd = {
		.size = sizeof(cmd),
		.as_id = as,
		.iova = iova,
		.length = length,
	};
	int ret = sva_ioctl(fd, SVA_IOVA_UNMAP, &cmd);

	return ret ? ret : (int64_t)cmd.length;
}

static inline int64_t iova_unmap_all(int fd, uint32_t as)
{
	return iova_unmap(fd, as, 0, UINT64_MAX);
}

static inline int iova_copy(int fd, uint32_t flags, uint32_t dst_as,
			    uint32_t src_as, uint64_t src, uint64_t length,
			    uint64_t *dst)
{
	struct sva_iova_copy cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.dst_as_id = dst_as,
		.src_as_id = src_as,
		.length = length,
		.dst_iova = *dst,
		.src_iova = src,
	};
	int ret = sva_ioctl(fd, SVA_IOVA_COPY, &cmd);

	if (!ret)
		*dst = cmd.dst_iova;
	return ret;
}

/* In: room. Out: how many there are. */
static inline int iova_ranges(int fd, uint32_t as, struct sva_iova_range *ranges,
			      uint32_t *num)
{
	struct sva_iova_ranges cmd = {
		.size = sizeof(cmd),
		.as_id = as,
		.num = *num,
		.ranges = (uintptr_t)ranges,
	};
	int ret = sva_ioctl(fd, SVA_IOVA_RANGES, &cmd);

	*num = cmd.num;
	return ret;
}

/* --- what the system counts ------------------------------------------------ */

struct core_counts {
	long contexts;
	long pasids;
	long bonds;
	long pinned;
};

static inline long core_count(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/misc/sva/%s", name);
	return sva_read_number(path);
}

static inline struct core_counts core_counts(void)
{
	return (struct core_counts) {
		.contexts = core_count("contexts"),
		.pasids = core_count("pasids"),
		.bonds = core_count("bonds"),
		.pinned = core_count("pinned_pages"),
	};
}

static inline bool core_same(const struct core_counts *a,
			     const struct core_counts *b)
{
	return a->contexts == b->contexts && a->pasids == b->pasids &&
	       a->bonds == b->bonds && a->pinned == b->pinned;
}

static inline void core_sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

/* A process that was killed gives back a moment after it has been waited for. */
static inline bool core_settles(const struct core_counts *want)
{
	struct core_counts now;
	int i;

	for (i = 0; i < 1000 * SVA_SLOWER; i++) {
		now = core_counts();
		if (core_same(&now, want))
			return true;
		core_sleep_ms(10);
	}
	fprintf(stderr,
		"# contexts %ld (%ld wanted), pasids %ld (%ld), bonds %ld (%ld), pinned pages %ld (%ld)\n",
		now.contexts, want->contexts, now.pasids, want->pasids,
		now.bonds, want->bonds, now.pinned, want->pinned);
	return false;
}

/* --- memory ---------------------------------------------------------------- */

/* Aligned to 2 MiB, and huge if the system can. */
static inline void *core_huge_memory(size_t length)
{
	char *p = sva_mem(length + CORE_2M);
	size_t skip;

	if (!p)
		return NULL;
	skip = -(uintptr_t)p & (CORE_2M - 1);
	munmap(p, skip);
	munmap(p + skip + length, CORE_2M - skip);
	p += skip;
	if (madvise(p, length, MADV_HUGEPAGE))
		return NULL;
	return p;
}

/* --- the kernel's log --------------------------------------------------------- */

/* What is logged from now on */
static inline int core_log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (lseek(fd, 0, SEEK_END) < 0) {
		close(fd);
		return -EIO;
	}
	return fd;
}

/* In how many lines since then, or since it was asked last, both occur */
static inline int core_logged(int log, const char *what, const char *where)
{
	char record[2048];
	int found = 0;
	ssize_t n;

	/* EPIPE: lines were overwritten before they were read */
	while ((n = read(log, record, sizeof(record) - 1)) > 0 ||
	       (n < 0 && errno == EPIPE)) {
		record[n > 0 ? n : 0] = '\0';
		found += strstr(record, what) && strstr(record, where);
	}
	return found;
}

#endif /* SVA_CORE_H */
