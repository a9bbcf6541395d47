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

/* Pages of one page request group: a bit each in a bitmap. */
#define SVA_SIM_PRQ_GROUP_MAX 512

/**
 * enum sva_sim_fault - why an access could not be translated
 * @SVA_SIM_FAULT_NONE: None has failed yet
 * @SVA_SIM_FAULT_PASID_RANGE: The PASID is beyond the end of the PASID table
 * @SVA_SIM_FAULT_PASID_ACCESS: Stage 2 has no page for its PASID table entry
 * @SVA_SIM_FAULT_PASID_NONE: Nothing is attached, or the entry is not valid
 * @SVA_SIM_FAULT_PASID_RSVD: The entry has reserved bits
 * @SVA_SIM_FAULT_S1_NONE: A stage-1 entry is not present
 * @SVA_SIM_FAULT_S1_RSVD: A stage-1 entry has reserved bits
 * @SVA_SIM_FAULT_S1_WIDTH: A stage-1 entry has an address that is too wide
 * @SVA_SIM_FAULT_S1_TOP: Stage 2 has no page for the top stage-1 table
 * @SVA_SIM_FAULT_S1_ACCESS: Stage 2 has no page for another stage-1 table
 * @SVA_SIM_FAULT_S1_UPDATE: Stage 2 forbids writing accessed and dirty bits
 * @SVA_SIM_FAULT_S2: Stage 2 has no page for the address, or forbids the access
 * @SVA_SIM_FAULT_CANONICAL: The address is not canonical
 * @SVA_SIM_FAULT_USER: Stage 1 gives the page to supervisors only
 * @SVA_SIM_FAULT_WRITE: Stage 1 forbids writing
 *
 * The numbers are the fault reasons of the VT-d specification (revision 4.1,
 * 7.1.3), so far as they have one for it.
 */
enum sva_sim_fault {
	SVA_SIM_FAULT_NONE = 0,
	SVA_SIM_FAULT_PASID_RANGE = 0x46,
	SVA_SIM_FAULT_PASID_ACCESS = 0x58,
	SVA_SIM_FAULT_PASID_NONE = 0x59,
	SVA_SIM_FAULT_PASID_RSVD = 0x5a,
	SVA_SIM_FAULT_S1_NONE = 0x71,
	SVA_SIM_FAULT_S1_RSVD = 0x72,
	SVA_SIM_FAULT_S1_WIDTH = 0x74,
	SVA_SIM_FAULT_S1_TOP = 0x75,
	SVA_SIM_FAULT_S1_ACCESS = 0x76,
	SVA_SIM_FAULT_S1_UPDATE = 0x77,
	SVA_SIM_FAULT_S2 = 0x79,
	SVA_SIM_FAULT_CANONICAL = 0x80,
	SVA_SIM_FAULT_USER = 0x81,
	SVA_SIM_FAULT_WRITE = 0x85,
};

/**
 * struct sva_sim_port - a place behind a software IOMMU for one engine
 * @iommu: Instance of the software IOMMU
 * @pasid_bits: Width of the PASIDs that the engine can send, 1 to 20
 * @shared_msi: The engine's interrupts are not isolated from those of others,
 *              as on a platform without interrupt remapping
 * @sw_msi: The engine's interrupts are translated, as on most Arm systems
 * @group: Engines of one instance with the same number >= 0 share one IOMMU
 *         group; a negative number means a group of its own
 * @refuse: Fault injection. Bit 0 decides whether the next attach of a
 *          translation to the engine is refused with -EBUSY; each attach
 *          consumes a bit
 * @teardown_first: Fault injection. A replace removes the old translation
 *                  before the new one is looked at, as VT-d does
 * @iotlb_stale: Fault injection. Invalidations do not reach the IOTLB
 * @prq_group: Most pages that the engine asks for in one page request group
 * @last_fault: enum sva_sim_fault of the last access that failed
 * @iotlb_hits: Accesses that the IOTLB served
 * @iotlb_misses: Accesses that walked the address space
 * @invalidations: Invalidations that reached the IOTLB
 * @page_requests: Page requests made
 * @huge_leafs: Walks that ended at an entry larger than 4 KiB
 *
 * The first five are set before sva_sim_port_add() and constant until
 * sva_sim_port_del(); the rest may be read and written at any time, by
 * READ_ONCE() and WRITE_ONCE(). The counters count on over a removal.
 */
struct sva_sim_port {
	u32 iommu;
	u32 pasid_bits;
	bool shared_msi;
	bool sw_msi;
	s32 group;

	atomic64_t refuse;
	bool teardown_first;
	bool iotlb_stale;
	s32 prq_group;
	u32 last_fault;

	atomic64_t iotlb_hits;
	atomic64_t iotlb_misses;
	atomic64_t invalidations;
	atomic64_t page_requests;
	atomic64_t huge_leafs;
};

struct platform_device *sva_sim_port_add(struct sva_sim_port *port);
void sva_sim_port_del(struct platform_device *pdev);
struct sva_sim_port *sva_sim_port_of(struct device *dev);
unsigned int sva_sim_nr_iommus(bool all);
bool sva_sim_has_user_tables(u32 iommu);

/**
 * struct sva_sim_dma - one stream of accesses of an engine
 * @dev: The engine's device
 * @pasid: PASID that the accesses carry, 0 for none
 * @guest: @pasid is a guest's: accesses fail while the device has no PASID table
 * @ahead: How many bytes the engine goes on to access this way, from the next
 *         address on: what page requests may ask for
 * @private_data: What page requests carry
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
	bool guest;
	u64 ahead;
	u64 private_data[2];
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
