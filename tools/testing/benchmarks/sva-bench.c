// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the calls of /dev/sva cost, and what a million PASIDs weigh.
 *
 * "make bench" runs this in a virtual machine whose clock counts instructions,
 * so that one nanosecond is one instruction of the guest, and the same program
 * gives the same figures. Elsewhere they are nanoseconds.
 */
#include <argp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>

#include "sva_dma.h"

#define MILLION		1000000
#define RANGE		50000
#define IOVA		(1UL << 32)
#define CGROUP		"/sys/fs/cgroup/sva-bench"

static struct {
	bool json;
	bool first;
} out = { .first = true };

static __attribute__((noreturn)) void die(const char *what, int ret)
{
	fprintf(stderr, "sva-bench: %s: %s\n", what, strerror(-ret));
	exit(1);
}

static void must(const char *what, int ret)
{
	if (ret < 0)
		die(what, ret);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* @peer: what iommufd needs for the like, in instructions, or 0. */
static void figure(const char *name, double value, const char *unit, double peer)
{
	if (out.json) {
		printf("%s\n  {\"name\": \"%s\", \"value\": %.1f, \"unit\": \"%s\"",
		       out.first ? "[" : ",", name, value, unit);
		if (peer)
			printf(", \"iommufd\": %.0f", peer);
		printf("}");
	} else {
		if (out.first)
			printf("%-44s %14s %-6s %14s\n", "", "/dev/sva", "",
			       "iommufd 7.2");
		printf("%-44s %14.0f %-6s", name, value, unit);
		if (peer)
			printf(" %14.0f", peer);
		printf("\n");
	}
	out.first = false;
	fflush(stdout);
}

/* --- contexts, PASIDs, address spaces -------------------------------------- */

static void bench_open(void)
{
	uint64_t start = now();
	int i, n = 1000;

	for (i = 0; i < n; i++) {
		int fd = sva_open();

		must("open", fd);
		close(fd);
	}
	figure("open + close", (double)(now() - start) / n, "insn", 4330);
}

/* What of the figures is the kernel's entry and exit, with its mitigations. */
static void bench_nothing(int fd)
{
	uint64_t start = now();
	int i, n = 1000;

	for (i = 0; i < n; i++)
		ioctl(fd, _IO(SVA_TYPE, 0xff));
	figure("ioctl with an unknown number", (double)(now() - start) / n,
	       "insn", 0);
}

static void bench_as(int fd)
{
	uint64_t start = now();
	int i, n = 1000;
	uint32_t as;

	for (i = 0; i < n; i++) {
		must("SVA_AS_ALLOC", sva_as_alloc(fd, &as));
		must("SVA_DESTROY", sva_destroy(fd, as));
	}
	figure("address space: alloc + destroy", (double)(now() - start) / n,
	       "insn", 3500);
}

/* One more, beside those that are live. */
static double pair_cost(int fd)
{
	uint64_t start = now();
	int i, n = 1000;
	uint32_t pasid;

	for (i = 0; i < n; i++) {
		must("SVA_PASID_ALLOC", pasid_alloc(fd, 0, 0, 1, &pasid));
		must("SVA_PASID_FREE", pasid_free(fd, pasid, 1));
	}
	return (double)(now() - start) / n;
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

/* Memory is counted by cgroup: what the kernel charges to this program. */
static bool enter_cgroup(void)
{
	FILE *f;
	int ret = -1;

	f = fopen("/sys/fs/cgroup/cgroup.subtree_control", "we");
	if (f) {
		fputs("+memory", f);
		fclose(f);
	}
	if (mkdir(CGROUP, 0755) && errno != EEXIST)
		return false;
	f = fopen(CGROUP "/cgroup.procs", "we");
	if (f) {
		fprintf(f, "%d", getpid());
		ret = fclose(f);
	}
	return !ret && kernel_memory() >= 0;
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
	struct sva_get_info info;
	bool charged = enter_cgroup();
	long long before = charged ? kernel_memory() : 0, used;
	uint32_t count = MILLION;
	char name[64];

	must("SVA_GET_INFO", core_info(fd, &info));
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
	uint64_t map = 0, unmap = 0, start;
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
		map += now() - start;
		start = now();
		must("SVA_IOVA_UNMAP", sva_unmap(dma->fd, dma->as, IOVA,
						 c->length));
		unmap += now() - start;
	}
	munmap(p, c->length);

	snprintf(name, sizeof(name), "map %s", c->name);
	figure(name, (double)map / c->rounds, "insn", c->peer_map);
	snprintf(name, sizeof(name), "unmap %s", c->name);
	figure(name, (double)unmap / c->rounds, "insn", c->peer_unmap);
}

static void bench_copy(const struct dma *dma)
{
	void *p = sva_mem(CORE_PAGE);
	uint64_t start, copy = 0;
	int i, n = 200;

	must("SVA_IOVA_MAP", iova_map_at(dma->fd, dma->as, CORE_RW, p,
					 CORE_PAGE, IOVA));
	for (i = 0; i < n; i++) {
		uint64_t to = IOVA + CORE_2M;

		start = now();
		must("SVA_IOVA_COPY",
		     iova_copy(dma->fd, CORE_RW | SVA_IOVA_F_FIXED, dma->as,
			       dma->as, IOVA, CORE_PAGE, &to));
		copy += now() - start;
		must("SVA_IOVA_UNMAP", sva_unmap(dma->fd, dma->as, to, CORE_PAGE));
	}
	figure("copy 4 KiB", (double)copy / n, "insn", 0);
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
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		bench_map(&dma, &cases[i]);
	bench_copy(&dma);
	dma_exit(&dma);
}

/* --- bind and attach ------------------------------------------------------------ */

static void bench_bind(void)
{
	uint64_t attach = 0, rebind, start;
	struct dma dma;
	int i, n = 100;
	uint32_t other;

	must("set-up", dma_init(&dma));
	dma.sim = sva_sim_open(0);
	must("open of the engine", dma.sim);
	for (i = 0; i < n; i++) {
		start = now();
		must("attach", sva_sim_attach(dma.sim, dma.fd, dma.pasid, NULL));
		must("detach", sva_sim_detach(dma.sim));
		attach += now() - start;
	}
	figure("attach + detach (with SRCU grace periods)",
	       (double)attach / n, "insn", 0);

	must("attach", sva_sim_attach(dma.sim, dma.fd, dma.pasid, NULL));
	must("SVA_AS_ALLOC", sva_as_alloc(dma.fd, &other));
	start = now();
	for (i = 0; i < n; i++)
		must("SVA_PASID_BIND",
		     sva_pasid_bind(dma.fd, dma.pasid, i % 2 ? dma.as : other));
	rebind = now() - start;
	figure("rebind, one device attached", (double)rebind / n, "insn", 0);
	dma_exit(&dma);
}

static int parse_opt(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	(void)state;
	if (key != 'j')
		return ARGP_ERR_UNKNOWN;
	out.json = true;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "json", 'j', NULL, 0, "Print JSON", 0 },
		{ }
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse_opt,
		.doc = "Prints what the calls of /dev/sva cost and what PASIDs weigh.",
	};
	int fd;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	fd = sva_open();
	must("open /dev/sva", fd);
	bench_nothing(fd);
	bench_open();
	bench_as(fd);
	bench_maps();
	bench_bind();
	bench_pasids(fd);
	if (out.json)
		printf("\n]\n");
	close(fd);
	return 0;
}
