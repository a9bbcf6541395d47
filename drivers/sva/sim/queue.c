// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues of descriptors. Each has a work item, so that queues are executed at
 * the same time and descriptors of one queue one after another.
 */
#include <linux/eventfd.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "engine.h"

static struct workqueue_struct *sim_workqueue;
static atomic64_t sim_queue_ids = ATOMIC64_INIT(0);

/* Return: whether there is a descriptor to execute. */
static bool next_desc(struct sim_queue *queue, struct sva_sim_desc *desc)
{
	bool found;

	spin_lock(&queue->ring_lock);
	found = queue->tail != queue->head;
	if (found)
		*desc = queue->ring[queue->tail % SIM_QUEUE_DEPTH];
	spin_unlock(&queue->ring_lock);
	return found;
}

static void complete_desc(struct sim_queue *queue,
			  const struct sva_sim_completion *result, bool failed)
{
	spin_lock(&queue->ring_lock);
	queue->tail++;
	queue->unread++;
	queue->failed += failed;
	queue->bytes += result->bytes;
	queue->page_requests += result->page_requests;
	if (queue->eventfd)
		eventfd_signal(queue->eventfd);
	spin_unlock(&queue->ring_lock);
	wake_up_all(&queue->wait);
}

static void sim_queue_work(struct work_struct *work)
{
	struct sim_queue *queue = container_of(work, struct sim_queue, work);
	struct sva_sim_desc desc;

	while (next_desc(queue, &desc)) {
		struct sva_sim_completion result = {
			.status = SVA_SIM_STATUS_ABORTED,
		};
		bool written = queue->engine->ops->execute(queue, &desc, &result);

		complete_desc(queue, &result,
			      !written || result.status != SVA_SIM_STATUS_OK);
		cond_resched();
	}
}

/**
 * sim_queue_prepare() - Make a queue ready for a bond
 * @queue: A queue without one
 */
void sim_queue_prepare(struct sim_queue *queue)
{
	spin_lock(&queue->ring_lock);
	queue->revoked = false;
	spin_unlock(&queue->ring_lock);
	WRITE_ONCE(queue->stop, false);
}

/**
 * sim_queue_start() - Let a queue take descriptors
 * @queue: The queue
 * @pasid: PASID of its accesses
 * @guest: @pasid is a guest's
 */
void sim_queue_start(struct sim_queue *queue, u32 pasid, bool guest)
{
	spin_lock(&queue->ring_lock);
	queue->pasid = pasid;
	queue->guest = guest;
	queue->attached = true;
	spin_unlock(&queue->ring_lock);
	wake_up_all(&queue->wait);
}

/**
 * sim_queue_stop() - Stop all DMA of a queue
 * @queue: The queue
 * @revoked: It is not the user who wants it stopped
 *
 * Descriptors that were not finished complete as aborted.
 *
 * Context: Process context, sleeps until the work has noticed, which it does at
 * the next page. The caller may be the core, in revoke(), also while another one
 * detaches.
 */
void sim_queue_stop(struct sim_queue *queue, bool revoked)
{
	spin_lock(&queue->ring_lock);
	if (revoked)
		queue->revoked = true;
	else
		queue->attached = false;
	/* Before anybody can see that no descriptor is accepted any more. */
	WRITE_ONCE(queue->stop, true);
	spin_unlock(&queue->ring_lock);

	queue->engine->ops->stop(queue);
	/*
	 * Work that has not begun may wait for the work of other queues, and that
	 * for user space as long as it likes: what there is to abort is aborted here.
	 */
	mutex_lock(&queue->stop_lock);
	if (cancel_work_sync(&queue->work))
		sim_queue_work(&queue->work);
	mutex_unlock(&queue->stop_lock);
	wake_up_all(&queue->wait);
}

/**
 * sim_queue_has_room() - Ask whether sim_queue_submit() would not say -EAGAIN
 * @queue: The queue
 *
 * Return: true if there is room, or if it would fail in another way.
 */
bool sim_queue_has_room(struct sim_queue *queue)
{
	bool room;

	spin_lock(&queue->ring_lock);
	room = !queue->attached || queue->revoked ||
	       queue->head - queue->tail < SIM_QUEUE_DEPTH;
	spin_unlock(&queue->ring_lock);
	return room || sim_engine_gone(queue->engine);
}

/**
 * sim_queue_submit() - Queue a descriptor
 * @queue: The queue
 * @desc: The descriptor
 *
 * Return: 0; -EAGAIN the queue is full; -ENOLINK it is not attached, or was
 * revoked; -ENODEV the engine is gone.
 */
int sim_queue_submit(struct sim_queue *queue, const struct sva_sim_desc *desc)
{
	int ret = 0;

	if (sim_engine_gone(queue->engine))
		return -ENODEV;

	spin_lock(&queue->ring_lock);
	if (!queue->attached || queue->revoked) {
		ret = -ENOLINK;
	} else if (queue->head - queue->tail == SIM_QUEUE_DEPTH) {
		ret = -EAGAIN;
	} else {
		queue->ring[queue->head++ % SIM_QUEUE_DEPTH] = *desc;
		/* Under the lock, so that sim_queue_stop() finds the last. */
		queue_work(sim_workqueue, &queue->work);
	}
	spin_unlock(&queue->ring_lock);
	return ret;
}

static void free_memory(struct sim_queue *queue)
{
	kvfree(queue->ring);
	kfree(queue);
}

/**
 * sim_queue_create() - Make the queue of an open file
 * @engine: The engine; the file holds it, and its driver is bound
 *
 * Return: the queue, or ERR_PTR: -EBUSY the engine has no more; -ENOMEM.
 */
struct sim_queue *sim_queue_create(struct sim_engine *engine)
{
	struct sim_queue *queue = kzalloc_obj(*queue, GFP_KERNEL_ACCOUNT);
	int ret;

	if (!queue)
		return ERR_PTR(-ENOMEM);
	queue->ring = kvzalloc_objs(*queue->ring, SIM_QUEUE_DEPTH,
				    GFP_KERNEL_ACCOUNT);
	if (!queue->ring) {
		free_memory(queue);
		return ERR_PTR(-ENOMEM);
	}

	queue->engine = engine;
	queue->id = atomic64_inc_return(&sim_queue_ids);
	mutex_init(&queue->lock);
	mutex_init(&queue->stop_lock);
	spin_lock_init(&queue->ring_lock);
	init_waitqueue_head(&queue->wait);
	INIT_WORK(&queue->work, sim_queue_work);
	ret = engine->ops->queue_init(queue);
	if (ret) {
		free_memory(queue);
		return ERR_PTR(ret);
	}

	mutex_lock(&engine->queues_lock);
	list_add_tail(&queue->node, &engine->queues);
	mutex_unlock(&engine->queues_lock);
	return queue;
}

/**
 * sim_queue_destroy() - End a queue with its file
 * @queue: The queue
 */
void sim_queue_destroy(struct sim_queue *queue)
{
	struct sim_engine *engine = queue->engine;

	mutex_lock(&queue->lock);
	if (queue->bond)
		sim_bond_detach(queue);
	mutex_unlock(&queue->lock);

	mutex_lock(&engine->queues_lock);
	list_del(&queue->node);
	mutex_unlock(&engine->queues_lock);

	if (queue->eventfd)
		eventfd_ctx_put(queue->eventfd);
	engine->ops->queue_exit(queue);
	free_memory(queue);
}

int sim_queues_init(void)
{
	/* Each may wait for a page request as long as user space likes. */
	sim_workqueue = alloc_workqueue("sva_sim", WQ_UNBOUND,
					WQ_UNBOUND_MAX_ACTIVE);
	return sim_workqueue ? 0 : -ENOMEM;
}

void sim_queues_exit(void)
{
	destroy_workqueue(sim_workqueue);
}
