/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the software IOMMU offers to the driver of the engines behind it: ports
 * to plug an engine in, and the bus that carries an engine's accesses.
 */
#ifndef __SVA_SIM_H
#define __SVA_SIM_H

#include <linux/atomic.h>
#include <linux/types.h>
#include <linux/wait.h>

struct device;
struct platform_device;

#define SVA_SIM_DRIVER_NAME "sva_sim"

/**
 * struct sva_sim_port - a place behind a software IOMMU for one engine
 * @iommu: Instance of the software IOMMU
 * @pasid_bits: Width of the PASIDs that the engine can send, 1 to 20
 * @shared_msi: The engine's interrupts are not isolated from those of others,
 *              as on a platform without interrupt remapping
 * @group: Engines of one instance with the same number >= 0 share one IOMMU
 *         group; a negative number means a group of its own
 * @refuse: Fault injection. Bit 0 decides whether the next attach of a
 *          translation to the engine is refused with -EBUSY; each attach
 *          consumes a bit
 * @teardown_first: Fault injection. A replace removes the old translation
 *                  before the new one is looked at, as VT-d does
 * @iotlb_stale: Fault injection. Invalidations do not reach the IOTLB
 * @iotlb_hits: Accesses that the IOTLB served
 * @iotlb_misses: Accesses that walked the address space
 * @invalidations: Invalidations that reached the IOTLB
 * @page_requests: Page requests made
 * @huge_leafs: Walks that ended at an entry larger than 4 KiB
 *
 * The first four are set before sva_sim_port_add() and constant until
 * sva_sim_port_del(); the rest may be read and written at any time. The
 * counters count on over a removal.
 */
struct sva_sim_port {
	u32 iommu;
	u32 pasid_bits;
	bool shared_msi;
	s32 group;

	atomic64_t refuse;
	bool teardown_first;
	bool iotlb_stale;

	atomic64_t iotlb_hits;
	atomic64_t iotlb_misses;
	atomic64_t invalidations;
	atomic64_t page_requests;
	atomic64_t huge_leafs;
};

struct platform_device *sva_sim_port_add(struct sva_sim_port *port);
void sva_sim_port_del(struct platform_device *pdev);
struct sva_sim_port *sva_sim_port_of(struct device *dev);
unsigned int sva_sim_nr_iommus(void);

/**
 * struct sva_sim_dma - one stream of accesses of an engine
 * @dev: The engine's device
 * @pasid: PASID that the accesses carry, 0 for none
 * @no_fault: Do not make page requests
 * @stop: The engine wants the stream to end: accesses fail with -ECANCELED
 * @wait: Where an access waits for the response to its page request
 * @done: Out: bytes that the last access moved
 * @fault_addr: Out: the address that could not be translated, after -EFAULT
 * @page_requests: Out: page requests, added to what was there
 *
 * Accesses of one stream are made one after another.
 */
struct sva_sim_dma {
	struct device *dev;
	u32 pasid;
	bool no_fault;
	bool stop;
	wait_queue_head_t wait;
	size_t done;
	u64 fault_addr;
	u32 page_requests;
};

void sva_sim_dma_init(struct sva_sim_dma *dma, struct device *dev);
int sva_sim_dma_read(struct sva_sim_dma *dma, u64 addr, void *buf, size_t len);
int sva_sim_dma_write(struct sva_sim_dma *dma, u64 addr, const void *buf,
		      size_t len);
void sva_sim_dma_stop(struct sva_sim_dma *dma);

#endif /* __SVA_SIM_H */
