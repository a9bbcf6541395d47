/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private header of the engines' driver.
 *
 * Lock order, outermost first:
 *
 *   sim_config.lock		configuration of one engine
 *     device_lock		the driver core's; held around probe and remove
 *       sim_queue.lock		attach and detach of one queue
 *         sim_engine.live	read: calls that need the device; write: removal
 *           ...		whatever sva_attach() and sva_detach() take
 *   sim_queue.ring_lock	innermost, does not sleep
 *
 * revoke() takes the ring_lock only, because sva_detach() waits for it.
 */
#ifndef __SVA_SIM_ENGINE_H
#define __SVA_SIM_ENGINE_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/sva.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <uapi/linux/sva_sim.h>

#include "sim.h"

struct eventfd_ctx;

/**
 * struct sim_engine - a DMA engine
 * @dev: Its character device; open files hold it
 * @cdev: The same
 * @hw: The platform device behind the IOMMU; not to be used once @gone
 * @port: The port that it is plugged into; not to be used once @gone
 * @sva: What sva_device_register() gave
 * @live: Protects @gone
 * @gone: The driver is unbound
 * @queues_lock: Protects @queues
 * @queues: Open files (struct sim_queue)
 */
struct sim_engine {
	struct device dev;
	struct cdev cdev;
	struct device *hw;
	struct sva_sim_port *port;
	struct sva_device *sva;
	struct rw_semaphore live;
	bool gone;
	struct mutex queues_lock; /* Protects @queues */
	struct list_head queues;
};

#define SIM_QUEUE_DEPTH 256

/* Pages of a queue for data that is on its way. */
#define SIM_BOUNCE_SRC 0
#define SIM_BOUNCE_DST 1
#define SIM_BOUNCE_SGE 2
#define SIM_BOUNCES    3

/**
 * struct sim_queue - an open file: a queue of descriptors
 * @engine: The engine
 * @id: Tells it from all other queues there have been
 * @node: On sim_engine.queues
 * @lock: Serialises attach and detach
 * @bond: What sva_attach() gave, or NULL
 * @pasid: PASID of the bond
 * @ring_lock: Protects all of the following that is not @work's own
 * @attached: Descriptors are accepted
 * @revoked: The bond is being revoked, or is
 * @ring: Descriptors
 * @head: How many descriptors have been queued
 * @tail: How many have been completed
 * @unread: Completions that read(2) has not yet told about
 * @failed: Descriptors that did not complete with %SVA_SIM_STATUS_OK
 * @bytes: Bytes done
 * @page_requests: Page requests made
 * @eventfd: Signalled at each completion, or NULL
 * @wait: Woken when anything of this changes
 * @work: Executes descriptors
 * @dma: The accesses of @work
 * @bounce: Pages of @work, SIM_BOUNCE_*
 */
struct sim_queue {
	struct sim_engine *engine;
	u64 id;
	struct list_head node;
	struct mutex lock; /* Serialises attach and detach */
	struct sva_bond *bond;
	u32 pasid;

	spinlock_t ring_lock; /* Protects the following up to @wait */
	bool attached;
	bool revoked;
	struct sva_sim_desc *ring;
	u64 head;
	u64 tail;
	u64 unread;
	u64 failed;
	u64 bytes;
	u64 page_requests;
	struct eventfd_ctx *eventfd;
	wait_queue_head_t wait;

	struct work_struct work;
	struct sva_sim_dma dma;
	void *bounce[SIM_BOUNCES];
};

/* engine.c */
struct sim_engine *sim_engine_from_cdev(struct cdev *cdev);
bool sim_engine_gone(struct sim_engine *engine);
ssize_t sim_engine_show_name(struct device *hw, char *buf);

/* bond.c */
int sim_bond_attach(struct sim_queue *queue, const struct sva_sim_attach *cmd);
void sim_bond_detach(struct sim_queue *queue);

/* queue.c */
struct sim_queue *sim_queue_create(struct sim_engine *engine);
void sim_queue_destroy(struct sim_queue *queue);
void sim_queue_prepare(struct sim_queue *queue);
void sim_queue_start(struct sim_queue *queue, u32 pasid);
void sim_queue_stop(struct sim_queue *queue, bool revoked);
int sim_queue_submit(struct sim_queue *queue, const struct sva_sim_desc *desc);
bool sim_queue_has_room(struct sim_queue *queue);
int sim_queues_init(void);
void sim_queues_exit(void);

/* exec.c */
void sim_exec(struct sim_queue *queue, const struct sva_sim_desc *desc,
	      struct sva_sim_completion *result);
int sim_exec_complete(struct sva_sim_dma *dma, u64 addr,
		      const struct sva_sim_completion *result);

/* fops.c */
extern const struct file_operations sim_fops;

/* config.c */
int sim_config_init(void);
void sim_config_exit(void);

#endif /* __SVA_SIM_ENGINE_H */
