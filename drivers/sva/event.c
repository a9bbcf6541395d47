// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual event queues: what a vIOMMU has to tell its guest, as a descriptor.
 */
#include <linux/anon_inodes.h>
#include <linux/cleanup.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "sva_private.h"

/* What one read() takes. */
#define READ_MAX	8

struct sva_veventq {
	struct kref kref;		/* the file, and the vIOMMU */
	spinlock_t lock;		/* of all that follows */
	struct mutex read_lock;		/* one reader at a time; outside @lock */
	wait_queue_head_t wait;
	bool closed;
	u32 sequence;			/* of the last event, lost ones counted */
	bool lost;			/* the last one was not stored */
	u32 first;			/* the oldest one that was not read */
	u32 nr_unread;
	u32 depth;
	struct sva_vevent events[] __counted_by(depth);
};

/**
 * sva_veventq_add() - Queue an event
 * @q: The queue
 * @event: The event; its sequence number is filled in
 *
 * Context: Any.
 */
void sva_veventq_add(struct sva_veventq *q, struct sva_vevent *event)
{
	guard(spinlock_irqsave)(&q->lock);
	event->sequence = ++q->sequence;
	q->lost = q->nr_unread == q->depth;
	if (!q->lost)
		q->events[(q->first + q->nr_unread++) % q->depth] = *event;
	wake_up_interruptible(&q->wait);
}

/**
 * sva_veventq_is_closed() - Whether nobody can read a queue any more
 * @q: The queue
 *
 * Return: whether its descriptor is closed.
 */
bool sva_veventq_is_closed(struct sva_veventq *q)
{
	return READ_ONCE(q->closed);
}

/*
 * Copies events. That the last ones were lost is an event of its own: there may
 * never be another one whose sequence number would show it.
 */
static u32 peek(struct sva_veventq *q, struct sva_vevent *events, u32 room)
{
	u32 n = 0;

	guard(spinlock_irq)(&q->lock);
	while (n < room && n < q->nr_unread) {
		events[n] = q->events[(q->first + n) % q->depth];
		n++;
	}
	if (n < room && q->lost) {
		events[n++] = (struct sva_vevent) {
			.type = SVA_VEVENT_LOST,
			.sequence = q->sequence,
		};
	}
	return n;
}

/* They have reached user space. Others may have been lost since. */
static void mark_read(struct sva_veventq *q, const struct sva_vevent *events,
		      u32 n)
{
	guard(spinlock_irq)(&q->lock);
	if (n && events[n - 1].type == SVA_VEVENT_LOST) {
		n--;
		if (events[n].sequence == q->sequence)
			q->lost = false;
	}
	q->first = (q->first + n) % q->depth;
	q->nr_unread -= n;
}

static bool has_events(struct sva_veventq *q)
{
	guard(spinlock_irq)(&q->lock);
	return q->nr_unread || q->lost;
}

static ssize_t veventq_read(struct file *file, char __user *buf, size_t count,
			    loff_t *pos)
{
	struct sva_veventq *q = file->private_data;
	struct sva_vevent events[READ_MAX];
	u32 room = min_t(size_t, count / sizeof(*events), ARRAY_SIZE(events));
	u32 n;

	if (!room)
		return -EINVAL;

	for (;;) {
		scoped_cond_guard(mutex_intr, return -EINTR, &q->read_lock) {
			n = peek(q, events, room);
			if (copy_to_user(buf, events, n * sizeof(*events)))
				return -EFAULT;
			mark_read(q, events, n);
		}
		if (n)
			return n * sizeof(*events);
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(q->wait, has_events(q)))
			return -ERESTARTSYS;
	}
}

static __poll_t veventq_poll(struct file *file, poll_table *table)
{
	struct sva_veventq *q = file->private_data;

	poll_wait(file, &q->wait, table);
	return has_events(q) ? EPOLLIN | EPOLLRDNORM : 0;
}

static void free_veventq(struct kref *kref)
{
	struct sva_veventq *q = container_of(kref, struct sva_veventq, kref);

	mutex_destroy(&q->read_lock);
	kvfree(q);
}

/**
 * sva_veventq_put() - Give up a reference to an event queue
 * @q: The queue, or NULL
 */
void sva_veventq_put(struct sva_veventq *q)
{
	if (q)
		kref_put(&q->kref, free_veventq);
}

static int veventq_release(struct inode *inode, struct file *file)
{
	struct sva_veventq *q = file->private_data;

	WRITE_ONCE(q->closed, true);
	sva_veventq_put(q);
	return 0;
}

static void veventq_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct sva_veventq *q = file->private_data;
	u32 unread;
	bool lost;

	scoped_guard(spinlock_irq, &q->lock) {
		unread = q->nr_unread;
		lost = q->lost;
	}
	seq_printf(m, "sva-depth:\t%u\n", q->depth);
	seq_printf(m, "sva-unread:\t%u\n", unread);
	seq_printf(m, "sva-overflowed:\t%u\n", lost);
}

static const struct file_operations veventq_fops = {
	.owner = THIS_MODULE,
	.read = veventq_read,
	.poll = veventq_poll,
	.release = veventq_release,
	.show_fdinfo = veventq_show_fdinfo,
	.llseek = noop_llseek,
};

/**
 * sva_veventq_alloc() - Make an event queue and its file
 * @depth: Events it holds
 * @flags: enum sva_veventq_flags
 * @filep: Out: the file, which holds a reference of its own
 *
 * Return: the queue, to be given to sva_veventq_put(), or ERR_PTR.
 */
struct sva_veventq *sva_veventq_alloc(u32 depth, u32 flags, struct file **filep)
{
	int file_flags = O_RDONLY;
	struct sva_veventq *q;
	struct file *file;

	if (flags & SVA_VEVENTQ_F_NONBLOCK)
		file_flags |= O_NONBLOCK;

	q = kvzalloc_flex(*q, events, depth, GFP_KERNEL_ACCOUNT);
	if (!q)
		return ERR_PTR(-ENOMEM);
	kref_init(&q->kref);
	spin_lock_init(&q->lock);
	mutex_init(&q->read_lock);
	init_waitqueue_head(&q->wait);
	q->depth = depth;

	file = anon_inode_getfile("[sva-veventq]", &veventq_fops, q, file_flags);
	if (IS_ERR(file)) {
		sva_veventq_put(q);
		return ERR_CAST(file);
	}
	kref_get(&q->kref);
	*filep = file;
	return q;
}
