// SPDX-License-Identifier: GPL-2.0-only
/*
 * What guest page tables cost a VMM: making and binding them, invalidation, and a
 * page request from the engine to user space and back.
 *
 * "make bench" runs this, see bench.h. What the software IOMMU does for a call is
 * in the figures; nothing of it is in those of iommufd, whose mock device forgets
 * one number for each entry.
 */
#include "viommu.h"
#include "bench.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define ROUNDS		200
#define TYPE		IOMMU_HWPT_INVALIDATE_DATA_VTD_S1

/*
 * A vIOMMU keeps the parent mapped for the instance. Without one, the first user
 * has all of the guest's memory mapped there, and the last one unmapped.
 */
static void bench_alloc(struct guest_space *s)
{
	struct samples cost = { 0 };
	uint32_t viommu;
	int i;

	must("SVA_VIOMMU_ALLOC", viommu_alloc(s->guest->fd, s->guest->parent,
					      s->guest->dev, &viommu));

	for (i = 0; i < ROUNDS; i++) {
		uint64_t start = now();

		must("SVA_AS_ALLOC", guest_nest(s, -1));
		must("SVA_DESTROY", sva_destroy(s->guest->fd, s->as));
		sample(&cost, start);
	}
	figure("nested address space: alloc + destroy", median(&cost), "insn",
	       3400);
}

static void bench_bind(struct guest_space *s)
{
	struct samples in = { 0 }, back = { 0 };
	struct guest *g = s->guest;
	int i;

	must("SVA_AS_ALLOC", guest_nest(s, -1));
	must("SVA_PASID_ALLOC", sva_pasid_alloc(g->fd, 0, 0, 0, &s->pasid));
	for (i = 0; i < ROUNDS; i++) {
		uint64_t start = now();

		must("bind", sva_pasid_bind(g->fd, s->pasid, s->as));
		must("attach", sva_sim_attach(g->sim, g->fd, s->pasid, NULL));
		sample(&in, start);
		start = now();
		must("unbind", sva_pasid_bind(g->fd, s->pasid, SVA_AS_NONE));
		must("detach", sva_sim_detach(g->sim));
		sample(&back, start);
	}
	figure("nested: bind + attach", median(&in), "insn", 0);
	figure("nested: unbind + detach", median(&back), "insn", 0);
}

/* The process stays bound, and attached, after this. */
static void bench_invalidate(struct guest_space *s)
{
	static struct iommu_hwpt_vtd_s1_invalidate entries[256];
	static const struct {
		uint32_t num;
		const char *name;
		double peer;
	} cases[] = {
		{ 1, "invalidate, 1 entry", 890 },
		{ 16, "invalidate, 16 entries", 1620 },
		{ 256, "invalidate, 256 entries", 13400 },
	};
	struct guest *g = s->guest;
	size_t c;
	int i;

	must("bind", sva_pasid_bind(g->fd, s->pasid, s->as));
	must("attach", sva_sim_attach(g->sim, g->fd, s->pasid, NULL));
	for (i = 0; i < (int)ARRAY_SIZE(entries); i++) {
		entries[i].addr = GVA + i * CORE_PAGE;
		entries[i].npages = 1;
	}
	for (c = 0; c < ARRAY_SIZE(cases); c++) {
		struct samples cost = { 0 };

		for (i = 0; i < ROUNDS; i++) {
			uint32_t num = cases[c].num;
			uint64_t start = now();

			int ret = guest_invalidate_raw(g->fd, s->as, TYPE,
						       entries,
						       sizeof(entries[0]), &num);

			sample(&cost, start);
			must("SVA_INVALIDATE", ret);
		}
		figure(cases[c].name, median(&cost), "insn", cases[c].peer);
	}
	must("detach", sva_sim_detach(g->sim));
}

static void bench_page_request(struct guest_space *s)
{
	int faultq = sva_faultq(s->guest->fd, 0, 16);
	struct samples cost = { 0 };
	struct sva_fault fault;
	uint64_t *entry;
	int i;

	must("SVA_FAULTQ_ALLOC", faultq);
	guest_map_new(s, GVA);
	entry = guest_entry(s, GVA, 0);
	must("start", guest_start(s, s->guest->sim, faultq));
	for (i = 0; i < ROUNDS; i++) {
		uint64_t pte = *entry, start;

		*entry = 0;
		must("SVA_INVALIDATE", guest_invalidate(s, GVA, 1, 0));
		start = now();
		must("submit", guest_submit(s, s->guest->sim,
					    sva_sim_fill(GVA, i, 8)));
		must("read", guest_read_faults(faultq, &fault, 1));
		*entry = pte;
		must("response", guest_respond(faultq, fault.cookie,
					       SVA_FAULT_SUCCESS));
		must("completion", guest_wait(s, s->guest->sim));
		sample(&cost, start);
	}
	figure("page request: DMA, read, answer, completion", median(&cost),
	       "insn", 0);
	close(faultq);
}

int main(int argc, char **argv)
{
	struct guest_space s, faulting;
	struct guest g;

	bench_begin(argc, argv, "Prints what guest page tables cost.");
	must("guest", guest_init(&g, "0"));
	guest_space_init(&s, &g, 4);
	bench_alloc(&s);
	bench_bind(&s);
	bench_invalidate(&s);
	guest_space_init(&faulting, &g, 4);
	bench_page_request(&faulting);
	bench_end();
	must("end", guest_exit(&g));
	return 0;
}
