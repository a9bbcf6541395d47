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
 *         sim_queue.stop_lock	the end of its work, and what that takes
 *   sim_queue.ring_lock	innermost, does not sleep
 *
 * revoke() takes the last two only, because sva_detach() waits for it.
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
struct sim_engine;
struct sim_queue;

/**
 * struct sim_engine_ops - what kinds of engines do differently
 * @queue_init: Get what a new queue needs, for sim_queue.hw. Return: 0 or -errno
 * @queue_exit: Give it back; nothing of the queue is executing
 * @execute: Execute a descriptor with sim_queue.pasid, or end it as aborted once
 *           sim_queue.stop is set; write its completion record, and fill in the
 *           same. Return: whether the record, if there is to be one, is written.
 *           Called for one descriptor of a queue at a time
 * @stop: sim_queue.stop was set: make @execute notice soon, whatever it waits
 *        for. May be called at any time, and again, when the driver is unbound
 *        too: nothing is executing then
 * @check_guest_pasid: Whether requests of a RID handle can carry this PASID.
 *                     Return: 0 or -errno
 * @get_info: Fill in what is the engine's, not the queue's, of an info
 *
 * The driver stays bound while any other of these runs, except @queue_exit.
 */
struct sim_engine_ops {
	int (*queue_init)(struct sim_queue *queue);
	void (*queue_exit)(struct sim_queue *queue);
	bool (*execute)(struct sim_queue *queue, const struct sva_sim_desc *desc,
			struct sva_sim_completion *result);
	void (*stop)(struct sim_queue *queue);
	int (*check_guest_pasid)(struct sim_engine *engine, u32 pasid);
	void (*get_info)(struct sim_engine *engine, struct sva_sim_info *info);
};

/**
 * struct sim_engine - a DMA engine
 * @dev: Its character device; open files hold it
 * @cdev: The same
 * @ops: What kind of engine it is
 * @hw: The device behind the IOMMU; not to be used once @gone
 * @priv: Of @ops; not to be used once @gone
 * @sva: What sva_device_register() gave
 * @live: Protects @gone
 * @gone: The driver is unbound
 * @queues_lock: Protects @queues
 * @queues: Open files (struct sim_queue)
 */
struct sim_engine {
	struct device dev;
	struct cdev cdev;
	const struct sim_engine_ops *ops;
	struct device *hw;
	void *priv;
	struct sva_device *sva;
	struct rw_semaphore live;
	bool gone;
	struct mutex queues_lock; /* Protects @queues */
	struct list_head queues;
};

#define SIM_QUEUE_DEPTH 256

/**
 * struct sim_queue - an open file: a queue of descriptors
 * @engine: The engine
 * @id: Tells it from all other queues there have been
 * @node: On sim_engine.queues
 * @lock: Serialises attach and detach
 * @bond: What sva_attach() gave, or NULL
 * @pasid: PASID of the bond, or a guest's
 * @guest: @pasid is a guest's
 * @stop_lock: Held by who stops the queue, until nothing of it is executing
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
 * @stop: @work is to end; what it finds queued is aborted
 * @hw: Of sim_engine_ops
 */
struct sim_queue {
	struct sim_engine *engine;
	u64 id;
	struct list_head node;
	struct mutex lock; /* Serialises attach and detach */
	struct sva_bond *bond;
	u32 pasid;
	bool guest;
	struct mutex stop_lock; /* Held until nothing is executing any more */

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
	bool stop;
	void *hw;
};

/* engine.c */
struct sim_engine *sim_engine_add(struct device *hw,
				  const struct sim_engine_ops *ops, void *priv,
				  u32 flags);
void sim_engine_remove(struct sim_engine *engine);
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
void sim_queue_start(struct sim_queue *queue, u32 pasid, bool guest);
void sim_queue_stop(struct sim_queue *queue, bool revoked);
int sim_queue_submit(struct sim_queue *queue, const struct sva_sim_desc *desc);
bool sim_queue_has_room(struct sim_queue *queue);
int sim_queues_init(void);
void sim_queues_exit(void);

/* exec.c: software engines */
extern const struct sim_engine_ops sim_soft_ops;

/* soft.c: where software engines come from */
int sim_soft_init(void);
void sim_soft_exit(void);

/* pci.c: engines that are PCI functions */
#if IS_ENABLED(CONFIG_PCI)
int sim_pci_init(void);
void sim_pci_exit(void);
#else
static inline int sim_pci_init(void) { return 0; }
static inline void sim_pci_exit(void) { }
#endif

/* fops.c */
extern const struct file_operations sim_fops;

/* config.c */
int sim_config_init(void);
void sim_config_exit(void);

#endif /* __SVA_SIM_ENGINE_H */
