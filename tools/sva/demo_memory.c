// SPDX-License-Identifier: GPL-2.0-only
/* Plain pointers: a file that is mapped, and memory from malloc(). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "demo.h"

static bool same_crc(const char *what, uint32_t engine, const void *data,
		     size_t len)
{
	uint32_t cpu = crc32c(data, len);

	if (cpu != engine) {
		complain("CRC-32C of %s: the engine says %08x, the CPU %08x",
			 what, engine, cpu);
		return false;
	}
	say("  CRC-32C %08x by the engine, %08x by the CPU", engine, cpu);
	return true;
}

static bool same_bytes(const char *what, const void *copy, const void *data,
		       size_t len)
{
	if (memcmp(copy, data, len)) {
		complain("the engine's copy of %s differs from it", what);
		return false;
	}
	say("  the engine's copy is the same, byte for byte");
	return true;
}

/* Pages of a mapping that are in memory, or -1 if this user is not told. */
static long resident_pages(int fd, void *map, size_t len, size_t pages)
{
	unsigned char *vec;
	struct stat st;
	long count = 0;
	size_t i;

	/* mincore(2) calls every page of other people's files resident */
	if (fstat(fd, &st) || (st.st_uid != geteuid() && geteuid()))
		return -1;
	vec = malloc(pages);
	if (!vec || mincore(map, len, vec)) {
		free(vec);
		return -1;
	}
	for (i = 0; i < pages; i++)
		count += vec[i] & 1;
	free(vec);
	return count;
}

static void say_resident(int fd, void *map, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t pages = (len + page - 1) / page;
	char size[32];
	long resident;

	/* only a hint: what others use or have written stays */
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	resident = resident_pages(fd, map, len, pages);
	if (resident >= 0)
		say("  %s mapped with mmap(); %ld of its %zu pages are in memory",
		    out_size(size, sizeof(size), len), resident, pages);
	else
		say("  %s mapped with mmap()",
		    out_size(size, sizeof(size), len));
}

static bool use_file(struct demo *demo, const char *name, const void *map,
		     size_t len)
{
	const struct engine *first = &demo->engine[0];
	uint64_t before = engines_sum_page_requests(demo);
	uint32_t crc;
	bool ok = false;
	void *copy;

	copy = malloc(len);
	if (!copy) {
		complain("%s", strerror(ENOMEM));
		return false;
	}
	/* The engine comes first: the CPU has not touched a page of it yet. */
	if (engine_crc32c(first, map, len, &crc) == 0) {
		say("  %s read it; page requests that were served: %llu",
		    first->path,
		    (unsigned long long)(engines_sum_page_requests(demo) -
					 before));
		ok = same_crc(name, crc, map, len) &&
		     !engine_copy(first, copy, map, len) &&
		     same_bytes(name, copy, map, len);
	}
	free(copy);
	return ok;
}

bool demo_file(struct demo *demo, struct step *step)
{
	const char *name = demo->opt.file;
	struct stat st;
	bool ok = false;
	size_t len;
	void *map;
	int fd;

	step->name = "file";
	say("\nA file from disk: %s", name);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		complain("%s: %s", name, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || !st.st_size) {
		complain("%s: not a file, or empty", name);
		goto out;
	}
	len = (size_t)st.st_size;
	map = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED) {
		complain("mmap %s: %s", name, strerror(errno));
		goto out;
	}
	say_resident(fd, map, len);
	ok = use_file(demo, name, map, len);
	step->bytes = 2 * len;
	munmap(map, len);
out:
	if (fd >= 0)
		close(fd);
	return ok;
}

/* Something that no two places have alike; xorshift64, G. Marsaglia, 2003. */
static void fill(uint64_t *data, size_t len)
{
	uint64_t x = 0x9e3779b97f4a7c15ull;
	size_t i;

	for (i = 0; i < len / sizeof(*data); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		data[i] = x;
	}
}

bool demo_buffer(struct demo *demo, struct step *step)
{
	const struct engine *first = &demo->engine[0];
	const struct engine *last = &demo->engine[demo->engines - 1];
	uint64_t before = engines_sum_page_requests(demo);
	size_t len = demo->opt.size;
	uint64_t *src, *dst;
	bool ok = false;
	char size[32];
	uint32_t crc;

	step->name = "buffer";
	step->bytes = 2 * len;
	say("\nMemory from malloc(): %s, and as much to copy it to",
	    out_size(size, sizeof(size), len));
	src = malloc(len);
	dst = malloc(len);
	if (!src || !dst) {
		complain("%s", strerror(ENOMEM));
		goto out;
	}
	fill(src, len);
	if (engine_copy(first, dst, src, len))
		goto out;
	say("  %s copied it to pages that nobody had touched; page requests: %llu",
	    first->path,
	    (unsigned long long)(engines_sum_page_requests(demo) - before));
	/* What one engine wrote is the other's to read: same PASID, same memory. */
	if (engine_crc32c(last, dst, len, &crc))
		goto out;
	if (last != first)
		say("  %s, behind the other IOMMU, read the copy at the same addresses",
		    last->path);
	ok = same_crc("the buffer", crc, src, len) &&
	     same_bytes("the buffer", dst, src, len);
out:
	free(dst);
	free(src);
	return ok;
}
