// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the calls of /dev/sva cost, and what a million PASIDs weigh.
 *
 * "make bench" runs this, see bench.h.
 */
#include "sva_dma.h"
#include "bench.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MILLION		1000000
#define RANGE		50000
#define IOVA		(1UL << 32)
#define CGROUPS	"/sys/fs/cgroup"
#define CGROUP	CGROUPS "/sva-bench"

/* --- contexts, PASIDs, address spaces -------------------------------------- */

static void bench_open(void)
{
	struct samples s = { 0 };
	int i;

	for (i = 0; i < 1000; i++) {
		uint64_t start = now();
		int fd = sva_open();

		must("open", fd);
		close(fd);
		sample(&s, start);
	}
	figure("open + close", median(&s), "insn", 4330);
}

/* What of the figures is the kernel's entry and exit, with its mitigations. */
static void bench_nothing(int fd)
{
	struct samples s = { 0 };
	int i;

	for (i = 0; i < 1000; i++) {
		uint64_t start = now();

		ioctl(fd, _IO(SVA_TYPE, 0xff));
		sample(&s, start);
	}
	figure("ioctl with an unknown number", median(&s), "insn", 0);
}

static void bench_as(int fd)
{
	struct samples s = { 0 };
	uint32_t as;
	int i;

	for (i = 0; i < 1000; i++) {
		uint64_t start = now();

		must("SVA_AS_ALLOC", sva_as_alloc(fd, &as));
		must("SVA_DESTROY", sva_destroy(fd, as));
		sample(&s, start);
	}
	figure("address space: alloc + destroy", median(&s), "insn", 3500);
}

/* One more, beside those that are live. */
static double pair_cost(int fd)
{
	struct samples s = { 0 };
	uint32_t pasid;
	int i;

	for (i = 0; i < 1000; i++) {
		uint64_t start = now();

		must("SVA_PASID_ALLOC", pasid_alloc(fd, 0, 0, 1, &pasid));
		must("SVA_PASID_FREE", pasid_free(fd, pasid, 1));
		sample(&s, start);
	}
	return median(&s);
}

/* What the kernel holds for this cgroup, in bytes. */
static long long kernel_memory(void)
{
	long long value = -1;
	char line[128];
	FILE *f = fopen(CGROUP "/memory.stat", "re");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "kernel ", 7))
			value = atoll(line + 7);
	if (f)
		fclose(f);
	return value;
}

static bool enter(const char *cgroup)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	f = fopen(path, "we");
	if (!f)
		return false;
	fprintf(f, "%d", getpid());
	return !fclose(f);
}

/* What the quota costs: each cgroup on the way to the root is charged. */
static void bench_quota(int fd)
{
	char path[256] = CGROUPS, name[64];
	unsigned int depth;

	for (depth = 1; depth <= 16; depth++) {
		strcat(path, depth == 1 ? "/sva-bench-quota" : "/d");
		if (mkdir(path, 0755) && errno != EEXIST) {
			fprintf(stderr, "sva-bench: no figures of quotas: cannot make %s: %s\n",
				path, strerror(errno));
			break;
		}
		if (depth != 1 && depth != 4 && depth != 16)
			continue;
		if (!enter(path))
			die(path, -errno);
		snprintf(name, sizeof(name),
			 "PASID: alloc + free, in a cgroup of depth %u", depth);
		figure(name, pair_cost(fd), "insn", 0);
	}
	if (!enter(CGROUPS))
		die(CGROUPS, -errno);
	for (; depth; depth--) {
		rmdir(path);
		*strrchr(path, '/') = '\0';
	}
}

/* Memory is counted by cgroup: what the kernel charges to this program. */
static bool enter_cgroup(void)
{
	FILE *f;

	f = fopen(CGROUPS "/cgroup.subtree_control", "we");
	if (f) {
		fputs("+memory", f);
		fclose(f);
	}
	if (mkdir(CGROUP, 0755) && errno != EEXIST)
		return false;
	return enter(CGROUP) && kernel_memory() >= 0;
}

static void take(int fd, uint32_t count)
{
	uint32_t first;

	while (count) {
		uint32_t n = count < RANGE ? count : RANGE;
		int ret = pasid_alloc(fd, 0, 0, n, &first);

		/* At the end, what is left is in pieces. */
		while (ret == -ENOSPC && n > 1) {
			n /= 2;
			ret = pasid_alloc(fd, 0, 0, n, &first);
		}
		must("SVA_PASID_ALLOC of a range", ret);
		count -= n;
	}
}

static void bench_pasids(int fd)
{
	long long before = 0, used;
	struct sva_get_info info;
	uint32_t count = MILLION;
	char name[64];
	bool charged;

	must("SVA_GET_INFO", core_info(fd, &info));
	/* Like iommufd's, without what charging a cgroup costs; then with it. */
	figure("PASID: alloc + free, in the root cgroup", pair_cost(fd), "insn",
	       3500);
	charged = enter_cgroup();
	if (charged)
		before = kernel_memory();
	figure("PASID: alloc + free, none live", pair_cost(fd), "insn", 0);
	take(fd, 1000);
	figure("PASID: alloc + free, 1,000 live", pair_cost(fd), "insn", 0);

	/* One is needed for the pair, and one for the bench of maps. */
	if (info.pool_size < count + 2)
		count = info.pool_size - 2;
	take(fd, count - 1000);
	snprintf(name, sizeof(name), "PASID: alloc + free, %u live", count);
	figure(name, pair_cost(fd), "insn", 0);

	if (!charged) {
		fprintf(stderr, "sva-bench: no memory figures: no memory cgroup (run as root)\n");
		return;
	}
	used = kernel_memory() - before;
	snprintf(name, sizeof(name), "kernel memory of %u PASIDs", count);
	figure(name, (double)used / 1024, "KiB", 0);
	figure("kernel memory of one", (double)used / count, "bytes", 0);
}

/* --- maps --------------------------------------------------------------------- */

struct map_case {
	const char *name;
	size_t length;
	bool huge;
	int rounds;
	double peer_map;
	double peer_unmap;
};

static void bench_map(const struct dma *dma, const struct map_case *c)
{
	void *p = c->huge ? core_huge_memory(c->length) : sva_mem(c->length);
	struct samples map = { 0 }, unmap = { 0 };
	uint64_t start;
	char name[64];
	int i;

	if (!p)
		die("memory", -ENOMEM);
	if (!c->huge)
		madvise(p, c->length, MADV_NOHUGEPAGE);
	memset(p, 1, c->length);

	for (i = 0; i < c->rounds; i++) {
		start = now();
		must("SVA_IOVA_MAP", iova_map_at(dma->fd, dma->as, CORE_RW, p,
						 c->length, IOVA));
		sample(&map, start);
		start = now();
		must("SVA_IOVA_UNMAP", sva_unmap(dma->fd, dma->as, IOVA,
						 c->length));
		sample(&unmap, start);
	}
	munmap(p, c->length);

	snprintf(name, sizeof(name), "map %s", c->name);
	figure(name, median(&map), "insn", c->peer_map);
	snprintf(name, sizeof(name), "unmap %s", c->name);
	figure(name, median(&unmap), "insn", c->peer_unmap);
}

static void bench_copy(const struct dma *dma)
{
	void *p = sva_mem(CORE_PAGE);
	struct samples copy = { 0 };
	uint64_t start;
	int i;

	must("SVA_IOVA_MAP", iova_map_at(dma->fd, dma->as, CORE_RW, p,
					 CORE_PAGE, IOVA));
	for (i = 0; i < 200; i++) {
		uint64_t to = IOVA + CORE_2M;

		start = now();
		must("SVA_IOVA_COPY",
		     iova_copy(dma->fd, CORE_RW | SVA_IOVA_F_FIXED, dma->as,
			       dma->as, IOVA, CORE_PAGE, &to));
		sample(&copy, start);
		must("SVA_IOVA_UNMAP", sva_unmap(dma->fd, dma->as, to, CORE_PAGE));
	}
	figure("copy 4 KiB", median(&copy), "insn", 0);
}

static void bench_maps(void)
{
	static const struct map_case cases[] = {
		{ "4 KiB", CORE_PAGE, false, 500, 6980, 4880 },
		{ "2 MiB of small pages", CORE_2M, false, 20, 545000, 192000 },
		{ "2 MiB, one huge page", CORE_2M, true, 50, 29000, 92000 },
		{ "64 MiB of huge pages", 32 * CORE_2M, true, 10, 725000, 2800000 },
	};
	struct dma dma;
	size_t i;

	must("set-up", dma_init(&dma));
	must("attach", dma_attach(&dma, 0));
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		bench_map(&dma, &cases[i]);
	bench_copy(&dma);
	dma_exit(&dma);
}

/* --- bind and attach ------------------------------------------------------------ */

static void bench_bind(void)
{
	struct samples attach = { 0 }, rebind = { 0 };
	struct dma dma;
	uint64_t start;
	uint32_t other;
	int i;

	must("set-up", dma_init(&dma));
	dma.sim = sva_sim_open(0);
	must("open of the engine", dma.sim);
	for (i = 0; i < 100; i++) {
		start = now();
		must("attach", sva_sim_attach(dma.sim, dma.fd, dma.pasid, NULL));
		must("detach", sva_sim_detach(dma.sim));
		sample(&attach, start);
	}
	figure("attach + detach (with SRCU grace periods)", median(&attach),
	       "insn", 0);

	must("attach", sva_sim_attach(dma.sim, dma.fd, dma.pasid, NULL));
	must("SVA_AS_ALLOC", sva_as_alloc(dma.fd, &other));
	for (i = 0; i < 100; i++) {
		start = now();
		must("SVA_PASID_BIND",
		     sva_pasid_bind(dma.fd, dma.pasid, i % 2 ? dma.as : other));
		sample(&rebind, start);
	}
	figure("rebind, one device attached", median(&rebind), "insn", 0);
	dma_exit(&dma);
}

int main(int argc, char **argv)
{
	int fd;

	bench_begin(argc, argv, "Prints what the calls of /dev/sva cost and what PASIDs weigh.");
	fd = sva_open();
	must("open /dev/sva", fd);
	bench_nothing(fd);
	bench_open();
	bench_as(fd);
	bench_maps();
	bench_bind();
	bench_quota(fd);
	bench_pasids(fd);
	bench_end();
	close(fd);
	return 0;
}
