/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests that make allocations and copies fail. The kernel counts the points at
 * which something can fail, and makes one of them fail, for one thread:
 * Documentation/fault-injection/fault-injection.rst.
 */
#ifndef FAIL_UTIL_H
#define FAIL_UTIL_H

#include <limits.h>

#include "sva_core.h"

#define FAIL_DIR	"/sys/kernel/debug"

/* Sets FILE of what can fail: allocations of either kind, with @copies copies too. */
static inline int fail_set(const char *file, const char *text, bool copies)
{
	static const char *const what[] = {
		"failslab", "fail_page_alloc", "fail_usercopy",
	};
	char path[80];
	size_t i;
	int ret = 0;

	for (i = 0; i < (copies ? 3 : 2) && !ret; i++) {
		snprintf(path, sizeof(path), FAIL_DIR "/%s/%s", what[i], file);
		ret = sva_write_file(path, text);
	}
	return ret;
}

/* Where a function of the kernel begins, and what follows it. */
static inline int fail_symbol(const char *name, unsigned long long *start,
			      unsigned long long *end)
{
	unsigned long long address;
	char symbol[128];
	int pass;

	*start = 0;
	*end = ULLONG_MAX;
	for (pass = 0; pass < 2; pass++) {
		FILE *f = fopen("/proc/kallsyms", "re");

		while (f && fscanf(f, "%llx %*c %127s%*[^\n]", &address,
				   symbol) == 2) {
			if (!pass && !strcmp(symbol, name))
				*start = address;
			if (pass && address > *start && address < *end)
				*end = address;
		}
		if (f)
			fclose(f);
		if (!*start)
			return -ENOENT;
	}
	return 0;
}

/* Sets where what is called by @symbol begins and ends: of "require" or "reject". */
static inline int fail_range(const char *which, const char *symbol)
{
	unsigned long long start, end;
	char file[32], text[24];
	int ret = fail_symbol(symbol, &start, &end);

	if (ret)
		return ret;
	snprintf(file, sizeof(file), "%s-start", which);
	snprintf(text, sizeof(text), "%#llx", start);
	ret = fail_set(file, text, true);
	if (ret)
		return ret;
	snprintf(file, sizeof(file), "%s-end", which);
	snprintf(text, sizeof(text), "%#llx", end);
	return fail_set(file, text, true);
}

/* Only what @symbol has called can fail. */
static inline int fail_only_in(const char *symbol)
{
	return fail_range("require", symbol);
}

static inline int fail_anywhere(void)
{
	return fail_set("require-start", "0", true) ?:
	       fail_set("require-end", "0xffffffffffffffff", true);
}

/* Nothing that @symbol has called can fail. */
static inline int fail_never_in(const char *symbol)
{
	return fail_range("reject", symbol);
}

/*
 * All allocations count, also those that may sleep; nothing is printed. Answers a
 * descriptor for fail_at(), or -ENOSYS: this kernel cannot make anything fail.
 */
static inline int fail_open(void)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -ENOSYS;
	ret = fail_set("ignore-gfp-wait", "N", false) ?:
	      sva_write_file(FAIL_DIR "/fail_page_alloc/ignore-gfp-highmem", "N") ?:
	      sva_write_file(FAIL_DIR "/fail_page_alloc/min-order", "0") ?:
	      fail_set("verbose", "0", true) ?:
	      /* If this runs out of memory half way, the kernel loses the first half. */
	      fail_never_in("iommu_fwspec_init");
	if (!ret)
		return fd;
	printf("# fault injection: %s\n", strerror(-ret));
	close(fd);
	return ret;
}

/* The n-th point from here on fails, in this thread; 0 for none. */
static inline bool fail_at(int fd, int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n);

	return pwrite(fd, text, len, 0) == len;
}

/* How many points have gone by since fail_at(fd, @n), if nothing has failed. */
static inline int fail_passed(int fd, int n)
{
	char text[16] = {};

	return pread(fd, text, sizeof(text) - 1, 0) > 0 ? n - atoi(text) : -1;
}

/*
 * Whether something has failed since. Nothing does any more: if the call had fewer
 * points, one of those here may have been it.
 */
static inline bool fail_end(int fd)
{
	char text[16] = {};
	bool hit = pread(fd, text, sizeof(text) - 1, 0) > 0 && !atoi(text);

	if (!fail_at(fd, 0) && !fail_at(fd, 0))
		abort();
	return hit;
}

#endif /* FAIL_UTIL_H */
