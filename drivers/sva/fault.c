// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault queues: page requests to user space, and its answers.
 *
 * A queue has a fixed number of slots, one for each page request group until it
 * is answered, so that nothing is allocated when a fault arrives. The cookie of
 * a group is its slot and how often the slot was used before.
 *
 * Groups are taken out of the IOMMU core's list at once: it would free them when
 * the device's page requests are turned off, which is before we are done.
 */
#include <linux/anon_inodes.h>
#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <trace/events/sva.h>

#include "sva_private.h"

#define SLOT_BITS	14
#define SLOT_MASK	(BIT(SLOT_BITS) - 1)

static_assert(BIT(SLOT_BITS) >= SVA_FAULTQ_DEPTH_MAX);

/* What one read() or write() handles at a time. */
#define READ_MAX	(2 * SVA_FAULT_GROUP_MAX)
#define WRITE_MAX	64

struct slot {
	struct list_head node;		/* free or unread; else empty */
	struct iopf_group *group;	/* NULL: the slot is free */
	u32 cookie;			/* of @group, or of the next one */
	bool read;
};

struct sva_faultq {
	struct kref kref;		/* the file, and each address space */
	spinlock_t lock;		/* of the slots, lists and counts */
	struct mutex answer_lock;	/* groups are being answered: see drain */
	struct mutex read_lock;		/* one reader at a time */
	wait_queue_head_t wait;
	bool closed;
	u32 lost;
	u32 nr_pending;			/* not answered */
	u32 nr_unread;			/* of those, not read */
	struct list_head free;
	struct list_head unread;	/* oldest first */
	u32 depth;
	struct slot slots[] __counted_by(depth);
};

/* It is there until no group of it is left. */
static struct sva_handle *group_handle(struct iopf_group *group)
{
	return container_of(group->attach_handle, struct sva_handle, handle);
}

static void trace_answer(struct iopf_group *group, enum iommu_page_response_code code)
{
	trace_sva_response(group_handle(group)->ctx->id,
			   group_handle(group)->pasid->id,
			   group->fault_param->dev,
			   group->last_fault.fault.prm.grpid, code);
}

struct answer {
	struct iopf_group *group;
	enum iommu_page_response_code code;
};

/* Return: whether it is the device that made the request. */
static int answer_device(struct device *dev, void *data)
{
	struct answer *answer = data;

	if (answer->group->fault_param->dev != dev)
		return 0;
	iopf_group_response(answer->group, answer->code);
	return 1;
}

/*
 * Of a group that is attached as a whole, a device may have gone since it made the
 * request, and the IOMMU core has nothing of it any more. While the core goes through
 * a group, its devices stay.
 */
static void answer(struct iopf_group *group, enum iommu_page_response_code code)
{
	struct answer answer = { .group = group, .code = code };

	trace_answer(group, code);
	iommu_group_for_each_dev(group_handle(group)->group, &answer, answer_device);
	iopf_free_group(group);
}

/* In the hands of the IOMMU driver, whose detaching waits for this with a lock held. */
static void answer_at_once(struct iopf_group *group)
{
	trace_answer(group, IOMMU_PAGE_RESP_INVALID);
	iopf_group_response(group, IOMMU_PAGE_RESP_INVALID);
	iopf_free_group(group);
}

/* --- slots: all under the lock ------------------------------------------------ */

static bool put_group(struct sva_faultq *q, struct iopf_group *group)
{
	struct slot *slot = list_first_entry_or_null(&q->free, struct slot, node);

	if (q->closed || !slot || group->fault_count > SVA_FAULT_GROUP_MAX)
		return false;

	slot->group = group;
	slot->read = false;
	list_move_tail(&slot->node, &q->unread);
	group->cookie = slot->cookie;
	list_add_tail(&group->node, &group_handle(group)->groups);
	q->nr_pending++;
	q->nr_unread++;
	atomic_inc(&group_handle(group)->ctx->nr_requests);
	return true;
}

/* Takes a group out of its slot, in order to answer it. */
static struct iopf_group *take_group(struct sva_faultq *q, struct slot *slot)
{
	struct iopf_group *group = slot->group;

	list_del(&group->node);
	q->nr_pending--;
	if (!slot->read)
		q->nr_unread--;
	atomic_dec(&group_handle(group)->ctx->nr_requests);
	slot->group = NULL;
	slot->cookie += BIT(SLOT_BITS);
	list_move(&slot->node, &q->free);
	return group;
}

static struct slot *find_slot(struct sva_faultq *q, u32 cookie)
{
	u32 index = cookie & SLOT_MASK;

	if (index >= q->depth || q->slots[index].cookie != cookie ||
	    !q->slots[index].group)
		return NULL;
	return &q->slots[index];
}

/* --- faults come in ----------------------------------------------------------- */

static void trace_fault(struct iopf_group *group, bool queued)
{
	const struct iommu_fault_page_request *prm = &group->last_fault.fault.prm;
	const struct sva_handle *handle = group_handle(group);

	trace_sva_fault(handle->ctx->id, handle->pasid->id,
			group->fault_param->dev, prm->grpid, prm->addr,
			prm->perm, group->fault_count, queued);
}

/*
 * Of a group with several devices, one may be on its way out, and its requests
 * answered already.
 */
static bool has_bond(struct iopf_group *group)
{
	const struct sva_member *member;

	member = sva_handle_member(group_handle(group), group->fault_param->dev);
	return member && member->nr_bonds;
}

/**
 * sva_fault_handler() - Put a page request group into its queue
 * @group: The group
 *
 * What cannot be queued is answered *invalid*: any other result would make the
 * IOMMU core drop the faults of all users of the device.
 *
 * Return: 0.
 */
int sva_fault_handler(struct iopf_group *group)
{
	struct sva_faultq *q = group_handle(group)->faultq;
	bool known, queued;

	atomic_long_inc(&group_handle(group)->ctx->nr_faults);
	iopf_group_dequeue(group);
	scoped_guard(spinlock, &q->lock) {
		known = has_bond(group);
		queued = known && put_group(q, group);
		if (known && !queued)
			q->lost++;
		trace_fault(group, queued);
	}
	if (!queued)
		answer_at_once(group);
	wake_up_interruptible(&q->wait);
	return 0;
}

/* Takes what is pending of an attach, or of one device of it, to be answered. */
static void take_groups(struct sva_faultq *q, struct sva_handle *handle,
			const struct device *dev, struct list_head *groups)
{
	struct iopf_group *group, *next;

	lockdep_assert_held(&q->lock);
	list_for_each_entry_safe(group, next, &handle->groups, node) {
		if (dev && group->fault_param->dev != dev)
			continue;
		take_group(q, find_slot(q, group->cookie));
		list_add_tail(&group->node, groups);
	}
}

static void answer_invalid(struct list_head *groups)
{
	struct iopf_group *group, *next;

	list_for_each_entry_safe(group, next, groups, node)
		answer(group, IOMMU_PAGE_RESP_INVALID);
}

/**
 * sva_faultq_drain() - Answer what is pending of an attach that has ended
 * @q: The queue
 * @handle: Of the attach; no more faults of it can arrive
 *
 * On return, no group of it exists any more: also those that a write() is
 * answering are done, because the device may go away next.
 */
void sva_faultq_drain(struct sva_faultq *q, struct sva_handle *handle)
{
	LIST_HEAD(groups);

	guard(mutex)(&q->answer_lock);
	scoped_guard(spinlock, &q->lock)
		take_groups(q, handle, NULL, &groups);
	answer_invalid(&groups);
}

/**
 * sva_faultq_join() - Count one more bond of a device in an attach
 * @q: The attach's queue, whose lock protects the member; NULL if it has none
 * @member: The device
 * @dev_id: Its id as an sva device, which who reads the queue is told
 *
 * Context: The context's lock is held.
 */
void sva_faultq_join(struct sva_faultq *q, struct sva_member *member, u32 dev_id)
{
	if (!q) {
		member->dev_id = dev_id;
		member->nr_bonds++;
		return;
	}
	guard(spinlock)(&q->lock);
	member->dev_id = dev_id;
	member->nr_bonds++;
}

/**
 * sva_faultq_leave() - Count one bond less of a device in an attach that goes on
 * @q: The attach's queue; NULL if it has none
 * @handle: Of the attach
 * @member: The device
 *
 * With the last one, what is pending of the device is answered, and from then on
 * whatever it requests, because it may go away next.
 *
 * Context: The context's lock is held.
 */
void sva_faultq_leave(struct sva_faultq *q, struct sva_handle *handle,
		      struct sva_member *member)
{
	LIST_HEAD(groups);

	if (!q) {
		member->nr_bonds--;
		return;
	}
	guard(mutex)(&q->answer_lock);
	scoped_guard(spinlock, &q->lock)
		if (!--member->nr_bonds)
			take_groups(q, handle, member->dev, &groups);
	answer_invalid(&groups);
}

/* --- read() -------------------------------------------------------------------- */

static void fill_fault(struct sva_fault *fault, struct iopf_group *group,
		       const struct iommu_fault_page_request *prm)
{
	struct sva_handle *handle = group_handle(group);
	const struct sva_member *member;

	member = sva_handle_member(handle, group->fault_param->dev);
	*fault = (struct sva_fault) {
		.cookie = group->cookie,
		.dev_id = member->dev_id,
		.object = handle->pasid->id,
		.guest_pasid = READ_ONCE(handle->pasid->guest),
		.grpid = prm->grpid,
		.perm = prm->perm,
		.addr = prm->addr,
		.private_data = { prm->private_data[0], prm->private_data[1] },
	};
	if (prm->flags & IOMMU_FAULT_PAGE_REQUEST_PASID_VALID) {
		fault->flags |= SVA_FAULT_PASID_VALID;
		fault->pasid = prm->pasid;
	}
	if (prm->flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE)
		fault->flags |= SVA_FAULT_LAST_PAGE;
}

/*
 * Writes whole groups into @faults without taking them: user space may turn out
 * not to be able to have them. -EINVAL if not even one fits.
 */
static int peek(struct sva_faultq *q, struct sva_fault *faults, u32 room,
		u32 *lost)
{
	struct iopf_fault *iopf;
	struct slot *slot;
	u32 n = 0;

	guard(spinlock)(&q->lock);
	*lost = q->lost;
	if (*lost)
		faults[n++] = (struct sva_fault) {
			.flags = SVA_FAULT_LOST,
			.lost = *lost,
		};

	list_for_each_entry(slot, &q->unread, node) {
		if (slot->group->fault_count > room - n)
			return n ?: -EINVAL;
		list_for_each_entry(iopf, &slot->group->faults, list)
			fill_fault(&faults[n++], slot->group, &iopf->fault.prm);
	}
	return n;
}

/* Takes what peek() has found, as far as nobody has answered it meanwhile. */
static void mark_read(struct sva_faultq *q, const struct sva_fault *faults,
		      u32 n, u32 lost)
{
	u32 i;

	guard(spinlock)(&q->lock);
	q->lost -= lost;
	for (i = 0; i < n; i++) {
		struct slot *slot = find_slot(q, faults[i].cookie);

		if (faults[i].flags & SVA_FAULT_LOST || !slot || slot->read)
			continue;
		slot->read = true;
		q->nr_unread--;
		list_del_init(&slot->node);
	}
}

static bool has_news(struct sva_faultq *q)
{
	guard(spinlock)(&q->lock);
	return q->lost || !list_empty(&q->unread);
}

static ssize_t faultq_read(struct file *file, char __user *buf, size_t count,
			   loff_t *pos)
{
	struct sva_faultq *q = file->private_data;
	u32 room = min_t(size_t, count / sizeof(struct sva_fault), READ_MAX);
	u32 lost;
	int n;

	struct sva_fault *faults __free(kvfree) =
		kvmalloc_objs(*faults, max(room, 1), GFP_KERNEL_ACCOUNT);

	if (!faults)
		return -ENOMEM;
	if (!room)
		return -EINVAL;

	for (;;) {
		scoped_cond_guard(mutex_intr, return -EINTR, &q->read_lock) {
			n = peek(q, faults, room, &lost);
			if (n < 0)
				return n;
			if (n && copy_to_user(buf, faults, n * sizeof(*faults)))
				return -EFAULT;
			mark_read(q, faults, n, lost);
		}
		if (n)
			return n * sizeof(*faults);
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(q->wait, has_news(q)))
			return -ERESTARTSYS;
	}
}

/* --- write() ------------------------------------------------------------------- */

static int respond(struct sva_faultq *q, const struct sva_fault_response *resp)
{
	struct iopf_group *group;
	struct slot *slot;

	if (resp->code > SVA_FAULT_INVALID)
		return -EINVAL;

	scoped_guard(spinlock, &q->lock) {
		slot = find_slot(q, resp->cookie);
		if (!slot || !slot->read)
			return -ENOENT;
		group = take_group(q, slot);
	}
	answer(group, resp->code == SVA_FAULT_SUCCESS ? IOMMU_PAGE_RESP_SUCCESS :
							IOMMU_PAGE_RESP_INVALID);
	return 0;
}

static ssize_t faultq_write(struct file *file, const char __user *buf,
			    size_t count, loff_t *pos)
{
	struct sva_fault_response resp[WRITE_MAX];
	struct sva_faultq *q = file->private_data;
	size_t done = 0;
	int ret = 0;

	if (!count || count % sizeof(*resp))
		return -EINVAL;

	while (done < count && !ret) {
		size_t len = min(count - done, sizeof(resp));
		size_t i;

		if (copy_from_user(resp, buf + done, len)) {
			ret = -EFAULT;
			break;
		}
		guard(mutex)(&q->answer_lock);
		for (i = 0; i < len / sizeof(*resp); i++) {
			ret = respond(q, &resp[i]);
			if (ret)
				break;
			done += sizeof(*resp);
		}
	}
	return done ?: ret;
}

/* --- the file ------------------------------------------------------------------ */

static __poll_t faultq_poll(struct file *file, poll_table *table)
{
	struct sva_faultq *q = file->private_data;

	poll_wait(file, &q->wait, table);
	return EPOLLOUT | EPOLLWRNORM |
	       (has_news(q) ? EPOLLIN | EPOLLRDNORM : 0);
}

static void free_faultq(struct kref *kref)
{
	kvfree(container_of(kref, struct sva_faultq, kref));
}

/**
 * sva_faultq_put() - Give up a reference to a fault queue
 * @q: The queue, or NULL
 */
void sva_faultq_put(struct sva_faultq *q)
{
	if (q)
		kref_put(&q->kref, free_faultq);
}

static int faultq_release(struct inode *inode, struct file *file)
{
	struct sva_faultq *q = file->private_data;
	u32 i;

	mutex_lock(&q->answer_lock);
	scoped_guard(spinlock, &q->lock)
		q->closed = true;
	for (i = 0; i < q->depth; i++) {
		struct iopf_group *group = NULL;

		scoped_guard(spinlock, &q->lock)
			if (q->slots[i].group)
				group = take_group(q, &q->slots[i]);
		if (group)
			answer(group, IOMMU_PAGE_RESP_INVALID);
	}
	mutex_unlock(&q->answer_lock);
	sva_faultq_put(q);
	return 0;
}

static void faultq_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct sva_faultq *q = file->private_data;
	u32 pending, unread, lost;

	scoped_guard(spinlock, &q->lock) {
		pending = q->nr_pending;
		unread = q->nr_unread;
		lost = q->lost;
	}
	seq_printf(m, "sva-depth:\t%u\n", q->depth);
	seq_printf(m, "sva-pending:\t%u\n", pending);
	seq_printf(m, "sva-unread:\t%u\n", unread);
	seq_printf(m, "sva-lost:\t%u\n", lost);
}

static const struct file_operations faultq_fops = {
	.owner = THIS_MODULE,
	.read = faultq_read,
	.write = faultq_write,
	.poll = faultq_poll,
	.release = faultq_release,
	.show_fdinfo = faultq_show_fdinfo,
	.llseek = noop_llseek,
};

static struct sva_faultq *new_faultq(u32 depth)
{
	struct sva_faultq *q;
	u32 i;

	q = kvzalloc_flex(*q, slots, depth, GFP_KERNEL_ACCOUNT);
	if (!q)
		return NULL;
	kref_init(&q->kref);
	spin_lock_init(&q->lock);
	mutex_init(&q->answer_lock);
	mutex_init(&q->read_lock);
	init_waitqueue_head(&q->wait);
	INIT_LIST_HEAD(&q->free);
	INIT_LIST_HEAD(&q->unread);
	q->depth = depth;
	for (i = 0; i < depth; i++) {
		q->slots[i].cookie = i;
		list_add_tail(&q->slots[i].node, &q->free);
	}
	return q;
}

/**
 * sva_faultq_from_fd() - The fault queue behind a descriptor
 * @fd: The descriptor
 *
 * Return: the queue, to be given to sva_faultq_put(), or ERR_PTR(-EBADF).
 */
struct sva_faultq *sva_faultq_from_fd(int fd)
{
	struct sva_faultq *q;

	CLASS(fd, f)(fd);
	if (fd_empty(f) || fd_file(f)->f_op != &faultq_fops)
		return ERR_PTR(-EBADF);
	q = fd_file(f)->private_data;
	kref_get(&q->kref);
	return q;
}

int sva_ioctl_faultq_alloc(struct sva_ucmd *ucmd)
{
	struct sva_faultq_alloc *cmd = ucmd->cmd;
	int flags = O_RDWR | O_CLOEXEC;
	struct sva_faultq *q;
	struct file *file;
	int fd, ret;

	if (cmd->flags & ~SVA_FAULTQ_F_NONBLOCK)
		return -EOPNOTSUPP;
	if (!cmd->depth || cmd->depth > SVA_FAULTQ_DEPTH_MAX)
		return -EINVAL;
	if (cmd->flags & SVA_FAULTQ_F_NONBLOCK)
		flags |= O_NONBLOCK;

	q = new_faultq(cmd->depth);
	if (!q)
		return -ENOMEM;
	fd = get_unused_fd_flags(flags);
	if (fd < 0) {
		sva_faultq_put(q);
		return fd;
	}
	file = anon_inode_getfile("[sva-faultq]", &faultq_fops, q, flags);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		sva_faultq_put(q);
		goto out_fd;
	}
	cmd->fd = fd;
	ret = sva_ucmd_respond(ucmd);
	if (ret)
		goto out_file;
	fd_install(fd, file);
	return 0;

out_file:
	fput(file);
out_fd:
	put_unused_fd(fd);
	return ret;
}
