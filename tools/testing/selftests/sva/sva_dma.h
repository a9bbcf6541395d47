/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DMA through an IOVA address space: a context, a PASID that is bound, an
 * engine that is attached, and a page for completion records, mapped where no
 * test maps anything.
 */
#ifndef SVA_DMA_H
#define SVA_DMA_H

#include "sva_core.h"

#define DMA_RECORD	(1ULL << 45)

struct dma {
	int fd;
	int sim;
	uint32_t as;
	uint32_t pasid;
	struct sva_sim_completion *record;
};

/* @sim: index of the engine. */
static inline int dma_attach(struct dma *dma, unsigned int sim)
{
	dma->sim = sva_sim_open(sim);
	if (dma->sim < 0)
		return dma->sim;
	return sva_sim_attach(dma->sim, dma->fd, dma->pasid, NULL);
}

/* Everything but the engine. */
static inline int dma_init(struct dma *dma)
{
	int ret;

	dma->sim = -1;
	dma->fd = sva_open();
	if (dma->fd < 0)
		return dma->fd;
	dma->record = sva_mem(CORE_PAGE);
	if (!dma->record)
		return -ENOMEM;
	ret = sva_as_alloc(dma->fd, &dma->as) ?:
	      pasid_alloc(dma->fd, 0, 0, 1, &dma->pasid);
	if (ret)
		return ret;
	return iova_map_at(dma->fd, dma->as, CORE_RW, dma->record, CORE_PAGE,
			   DMA_RECORD) ?:
	       sva_pasid_bind(dma->fd, dma->pasid, dma->as);
}

static inline void dma_exit(struct dma *dma)
{
	if (dma->sim >= 0)
		close(dma->sim);
	close(dma->fd);
	munmap(dma->record, CORE_PAGE);
}

/* Answers the status, SVA_SIM_STATUS_OK if all went well, or an errno. */
static inline int dma_run(struct dma *dma, struct sva_sim_desc desc)
{
	int ret;

	memset(dma->record, 0, sizeof(*dma->record));
	desc.completion = DMA_RECORD;
	ret = sva_sim_submit(dma->sim, &desc);
	return ret ? ret : sva_sim_wait(dma->sim, dma->record);
}

static inline int dma_fill(struct dma *dma, uint64_t dst, uint64_t pattern,
			   uint64_t len)
{
	return dma_run(dma, sva_sim_fill(dst, pattern, len));
}

static inline int dma_copy(struct dma *dma, uint64_t dst, uint64_t src,
			   uint64_t len)
{
	return dma_run(dma, sva_sim_memcpy(dst, src, len));
}

static inline bool all_bytes(const void *mem, unsigned char byte, size_t len)
{
	const unsigned char *p = mem;

	while (len && *p == byte) {
		p++;
		len--;
	}
	return !len;
}

#endif /* SVA_DMA_H */
