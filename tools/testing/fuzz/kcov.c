// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where programs get in the kernel: KCOV (Documentation/dev-tools/kcov.rst in the
 * kernel's tree), of the tasks that make the calls. Only our files are instrumented.
 */
#include <fcntl.h>
#include <linux/kcov.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#define AREA_WORDS	(64 * 1024)
#define EDGES		(1u << 22)
#define HASH		(4 * MAX_PLACES)

unsigned int cover_places, cover_edges;

/* The area of a lane: how many places, and the places. */
static struct {
	int fd;
	uint64_t *area;
} lanes[COVER_LANES];
static bool available;

/* Places by their address: open hashing, and the number in order of appearance. */
static uint64_t hash_addr[HASH];
static uint16_t hash_place[HASH];
static uint64_t edges[EDGES / 64];

bool cover_init(void)
{
	unsigned int i;

	for (i = 0; i < COVER_LANES; i++) {
		int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

		if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, AREA_WORDS))
			return false;
		lanes[i].area = mmap(NULL, AREA_WORDS * sizeof(uint64_t),
				     PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		/* The kernel writes there whether or not it is mapped. */
		if (lanes[i].area == MAP_FAILED ||
		    madvise(lanes[i].area, AREA_WORDS * sizeof(uint64_t), MADV_DONTFORK))
			return false;
		lanes[i].fd = fcntl(fd, F_DUPFD_CLOEXEC, FD_OURS);
		close(fd);
	}
	available = true;
	return true;
}

/* The task's end turns it off. Of several administrators, only the first is seen. */
void cover_begin(unsigned int lane)
{
	if (available)
		ioctl(lanes[lane].fd, KCOV_ENABLE, KCOV_TRACE_PC);
}

static unsigned int place_of(uint64_t addr)
{
	unsigned int at = addr * 0x9e3779b97f4a7c15 >> 40;

	for (at %= HASH; hash_addr[at]; at = (at + 1) % HASH)
		if (hash_addr[at] == addr)
			return hash_place[at];
	if (cover_places == MAX_PLACES)
		return MAX_PLACES - 1;
	hash_addr[at] = addr;
	hash_place[at] = cover_places;
	return cover_places++;
}

static bool new_edge(uint64_t from, uint64_t to)
{
	unsigned int at = (from * 3 ^ to) * 0x9e3779b97f4a7c15 >> 42;
	uint64_t bit = 1ULL << at % 64;
	uint64_t *word = &edges[at / 64];

	if (*word & bit)
		return false;
	*word |= bit;
	return true;
}

void cover_collect(struct places *places, unsigned int *new_places,
		   unsigned int *new_edges)
{
	unsigned int before = cover_places, before_edges = cover_edges, i;

	memset(places, 0, sizeof(*places));
	for (i = 0; available && i < COVER_LANES; i++) {
		uint64_t *area = lanes[i].area, from = 0;
		uint64_t n = __atomic_exchange_n(area, 0, __ATOMIC_ACQUIRE), at;

		for (at = 1; at <= n && at < AREA_WORDS; at++) {
			unsigned int place = place_of(area[at]);

			places->bits[place / 64] |= 1ULL << place % 64;
			cover_edges += new_edge(from, area[at]);
			from = area[at];
		}
	}
	*new_places = cover_places - before;
	*new_edges = cover_edges - before_edges;
}
