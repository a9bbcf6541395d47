// SPDX-License-Identifier: GPL-2.0-only
/*
 * The character device of an engine: <uapi/linux/sva_sim.h>.
 */
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/uaccess.h>

#include "engine.h"

static int sim_open(struct inode *inode, struct file *file)
{
	struct sim_engine *engine = sim_engine_from_cdev(inode->i_cdev);
	struct sim_queue *queue;

	/* Read-locked, so that removal wakes all queues that there will be. */
	down_read(&engine->live);
	queue = engine->gone ? ERR_PTR(-ENODEV) : sim_queue_create(engine);
	up_read(&engine->live);
	if (IS_ERR(queue))
		return PTR_ERR(queue);

	file->private_data = queue;
	return stream_open(inode, file);
}

static int sim_release(struct inode *inode, struct file *file)
{
	sim_queue_destroy(file->private_data);
	return 0;
}

static bool valid(const struct sva_sim_desc *desc)
{
	return desc->op <= SVA_SIM_OP_SGCOPY && !desc->flags &&
	       IS_ALIGNED(desc->completion, sizeof(u64));
}

static int submit_one(struct sim_queue *queue, struct file *file,
		      const struct sva_sim_desc *desc)
{
	int ret;

	for (;;) {
		ret = sim_queue_submit(queue, desc);
		if (ret != -EAGAIN || file->f_flags & O_NONBLOCK)
			return ret;
		ret = wait_event_interruptible(queue->wait,
					       sim_queue_has_room(queue));
		if (ret)
			return ret;
	}
}

static ssize_t sim_write(struct file *file, const char __user *buf,
			 size_t count, loff_t *ppos)
{
	struct sim_queue *queue = file->private_data;
	struct sva_sim_desc desc;
	size_t taken;
	int ret = 0;

	if (count % sizeof(desc))
		return -EINVAL;

	for (taken = 0; taken < count; taken += sizeof(desc)) {
		if (copy_from_user(&desc, buf + taken, sizeof(desc)))
			ret = -EFAULT;
		else if (!valid(&desc))
			ret = -EINVAL;
		else
			ret = submit_one(queue, file, &desc);
		if (ret)
			break;
	}
	return taken ?: ret;
}

/* Return: whether read(2) need not wait, with what it is to say. */
static bool take_unread(struct sim_queue *queue, u64 *unread, int *error)
{
	spin_lock(&queue->ring_lock);
	*unread = queue->unread;
	queue->unread = 0;
	if (*unread)
		*error = 0;
	else if (sim_engine_gone(queue->engine))
		*error = -ENODEV;
	else if (queue->revoked)
		*error = -ENOLINK;
	else
		*error = -EAGAIN;
	spin_unlock(&queue->ring_lock);
	return *error != -EAGAIN;
}

/* Nobody was told. */
static void put_back_unread(struct sim_queue *queue, u64 unread)
{
	spin_lock(&queue->ring_lock);
	queue->unread += unread;
	spin_unlock(&queue->ring_lock);
	wake_up_interruptible(&queue->wait);
}

static ssize_t sim_read(struct file *file, char __user *buf, size_t count,
			loff_t *ppos)
{
	struct sim_queue *queue = file->private_data;
	u64 unread;
	int error, ret;

	if (count < sizeof(unread))
		return -EINVAL;

	if (!take_unread(queue, &unread, &error)) {
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(queue->wait,
					       take_unread(queue, &unread,
							   &error));
		if (ret)
			return ret;
	}
	if (error)
		return error;
	if (copy_to_user(buf, &unread, sizeof(unread))) {
		put_back_unread(queue, unread);
		return -EFAULT;
	}
	return sizeof(unread);
}

static __poll_t sim_poll(struct file *file, poll_table *wait)
{
	struct sim_queue *queue = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &queue->wait, wait);

	spin_lock(&queue->ring_lock);
	if (queue->unread)
		mask |= EPOLLIN | EPOLLRDNORM;
	if (queue->revoked || sim_engine_gone(queue->engine))
		mask |= EPOLLHUP;
	else if (queue->attached && queue->head - queue->tail < SIM_QUEUE_DEPTH)
		mask |= EPOLLOUT | EPOLLWRNORM;
	spin_unlock(&queue->ring_lock);
	return mask;
}

/**
 * copy_arg() - Copy in the structure of an ioctl
 * @arg: Where it is
 * @to: Where it goes
 * @known: Its size as known here
 * @min: Its size in its first version
 *
 * Return: 0; -EINVAL it is too short; -E2BIG it has a tail that is not zero, or
 * is absurdly long; -EFAULT.
 */
static int copy_arg(void __user *arg, void *to, size_t known, size_t min)
{
	u32 size;

	if (get_user(size, (u32 __user *)arg))
		return -EFAULT;
	if (size < min)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(to, known, arg, size);
}

static int return_arg(void __user *arg, const void *from, size_t known,
		      u32 size)
{
	return copy_to_user(arg, from, min_t(size_t, size, known)) ? -EFAULT :
								    0;
}

/* The queue's lock is held. */
static int attach(struct sim_queue *queue, struct sva_sim_attach *cmd)
{
	struct sim_engine *engine = queue->engine;
	int ret;

	if (queue->bond)
		return -EBUSY;

	down_read(&engine->live);
	if (engine->gone)
		ret = -ENODEV;
	else
		ret = sim_bond_attach(queue, cmd);
	up_read(&engine->live);
	cmd->number = queue->pasid;
	return ret;
}

static int sim_ioctl_attach(struct sim_queue *queue, void __user *arg)
{
	struct sva_sim_attach cmd;
	int ret;

	ret = copy_arg(arg, &cmd, sizeof(cmd),
		       offsetofend(struct sva_sim_attach, guest_pasid));
	if (ret)
		return ret;
	if (cmd.flags & ~SVA_SIM_ATTACH_F_GUEST_PASID)
		return -EOPNOTSUPP;
	if (cmd.guest_pasid && !(cmd.flags & SVA_SIM_ATTACH_F_GUEST_PASID))
		return -EINVAL;

	ret = mutex_lock_interruptible(&queue->lock);
	if (ret)
		return ret;
	ret = attach(queue, &cmd);
	if (!ret) {
		ret = return_arg(arg, &cmd, sizeof(cmd), cmd.size);
		if (ret)
			sim_bond_detach(queue);
	}
	mutex_unlock(&queue->lock);
	return ret;
}

static bool has_completed(struct sim_queue *queue, u64 target)
{
	bool done;

	spin_lock(&queue->ring_lock);
	done = queue->revoked || queue->tail >= target;
	spin_unlock(&queue->ring_lock);
	return done || sim_engine_gone(queue->engine);
}

static int sim_ioctl_detach(struct sim_queue *queue)
{
	u64 target;
	int ret;

	spin_lock(&queue->ring_lock);
	target = queue->head;
	spin_unlock(&queue->ring_lock);
	ret = wait_event_interruptible(queue->wait,
				       has_completed(queue, target));
	if (ret)
		return ret;

	ret = mutex_lock_interruptible(&queue->lock);
	if (ret)
		return ret;
	if (queue->bond)
		sim_bond_detach(queue);
	else
		ret = -EINVAL;
	mutex_unlock(&queue->lock);
	return ret;
}

static void get_counts(struct sim_queue *queue, struct sva_sim_info *info)
{
	spin_lock(&queue->ring_lock);
	info->number = queue->attached ? queue->pasid : 0;
	info->completed = queue->tail;
	info->failed = queue->failed;
	info->bytes = queue->bytes;
	info->page_requests = queue->page_requests;
	spin_unlock(&queue->ring_lock);
}

static int sim_ioctl_info(struct sim_queue *queue, void __user *arg)
{
	struct sim_engine *engine = queue->engine;
	struct sva_sim_info info;
	u32 size;
	int ret;

	ret = copy_arg(arg, &info, sizeof(info),
		       offsetofend(struct sva_sim_info, iotlb_misses));
	if (ret)
		return ret;
	if (info.flags)
		return -EOPNOTSUPP;

	size = info.size;
	info = (struct sva_sim_info) {
		.size = size,
		.queue_depth = SIM_QUEUE_DEPTH,
		.queue_id = queue->id,
	};
	down_read(&engine->live);
	if (engine->gone)
		ret = -ENODEV;
	else
		engine->ops->get_info(engine, &info);
	up_read(&engine->live);
	if (ret)
		return ret;

	get_counts(queue, &info);
	return return_arg(arg, &info, sizeof(info), size);
}

static int sim_ioctl_eventfd(struct sim_queue *queue, void __user *arg)
{
	struct eventfd_ctx *eventfd = NULL;
	struct sva_sim_eventfd cmd;
	int ret;

	ret = copy_arg(arg, &cmd, sizeof(cmd),
		       offsetofend(struct sva_sim_eventfd, fd));
	if (ret)
		return ret;
	if (cmd.fd < -1)
		return -EBADF;
	if (sim_engine_gone(queue->engine))
		return -ENODEV;

	if (cmd.fd >= 0) {
		eventfd = eventfd_ctx_fdget(cmd.fd);
		if (IS_ERR(eventfd))
			return PTR_ERR(eventfd);
	}
	spin_lock(&queue->ring_lock);
	swap(queue->eventfd, eventfd);
	spin_unlock(&queue->ring_lock);
	if (eventfd)
		eventfd_ctx_put(eventfd);
	return 0;
}

static long sim_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct sim_queue *queue = file->private_data;
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case SVA_SIM_ATTACH:
		return sim_ioctl_attach(queue, uarg);
	case SVA_SIM_DETACH:
		return sim_ioctl_detach(queue);
	case SVA_SIM_GET_INFO:
		return sim_ioctl_info(queue, uarg);
	case SVA_SIM_SET_EVENTFD:
		return sim_ioctl_eventfd(queue, uarg);
	default:
		return -ENOTTY;
	}
}

const struct file_operations sim_fops = {
	.owner = THIS_MODULE,
	.open = sim_open,
	.release = sim_release,
	.read = sim_read,
	.write = sim_write,
	.poll = sim_poll,
	.unlocked_ioctl = sim_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};
