// SPDX-License-Identifier: GPL-2.0-only
/*
 * sva-vfio-sim: software engines as VFIO devices.
 *
 * What the user sees are the registers that a PCI engine has (linux/sva_sim.h), by
 * read and write, and its interrupts. That the PASID in a register is one that the
 * user attached is checked here, as a driver must that shares its function among
 * several users; a driver whose user has the whole function can leave it to the
 * IOMMU.
 *
 * It is bound to an engine by driver_override.
 *
 * Lock order: sim_queue.lock, then sim_vfio.irq_lock or what sva_vfio_attached()
 * takes.
 */
#include <linux/cleanup.h>
#include <linux/completion.h>
#include <linux/eventfd.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/sva.h>
#include <linux/sva_vfio.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../sim/exec.h"
#include "../sim/sim.h"

#define DRIVER_NAME	"sva-vfio-sim"

#define NR_QUEUES	8
#define REGION_SIZE	SVA_SIM_REG_QUEUE(16)

/* Interrupts: index 0 has those of the queues, index 1 asks for the device. */
enum { IRQ_QUEUES, IRQ_REQUEST, NR_IRQS };
static const u32 irq_counts[NR_IRQS] = { NR_QUEUES, 1 };
static const u32 irq_first[NR_IRQS] = { 0, NR_QUEUES };
#define NR_EVENTFDS	(NR_QUEUES + 1)

struct sim_vfio;

/**
 * struct sim_queue - a queue
 * @dev: The device
 * @index: Which one
 * @exec: Executes descriptors
 * @lock: Protects what follows
 * @desc: Registers of the next descriptor
 * @pasid: Register of its PASID
 * @state: Register: enum of SVA_SIM_STATE_*
 * @not_written: Register
 * @record: Registers of the last completion
 * @run: What is being executed, with @state busy
 * @allowed: @run may use its PASID
 * @stop: @run is to end
 * @work: Executes @run
 * @idle: Woken when @run has ended
 */
struct sim_queue {
	struct sim_vfio *dev;
	u32 index;
	struct sva_sim_exec *exec;
	spinlock_t lock; /* Protects the following up to @stop */
	struct sva_sim_desc desc;
	u32 pasid;
	u32 state;
	u32 not_written;
	struct sva_sim_completion record;
	struct sva_sim_run run;
	bool allowed;
	bool stop;
	struct work_struct work;
	wait_queue_head_t idle;
};

/**
 * struct sim_vfio - an engine
 * @vdev: VFIO's part
 * @sdev: What PASIDs are attached to
 * @sv: Those of the user
 * @port: What the engine is plugged into
 * @irq_lock: Protects @eventfds
 * @eventfds: Those of all interrupts, or NULL
 * @queues: Queues
 */
struct sim_vfio {
	struct vfio_device vdev;
	struct sva_device *sdev;
	struct sva_vfio *sv;
	struct sva_sim_port *port;
	spinlock_t irq_lock; /* Protects @eventfds */
	struct eventfd_ctx *eventfds[NR_EVENTFDS];
	struct sim_queue queues[NR_QUEUES];
};

static struct workqueue_struct *sim_workqueue;

/* The module itself, and each device until its last reference is given up. */
static refcount_t sim_users = REFCOUNT_INIT(1);
static DECLARE_COMPLETION(sim_unused);

static void sim_put(void)
{
	if (refcount_dec_and_test(&sim_users))
		complete(&sim_unused);
}

static struct sim_vfio *to_sim(struct vfio_device *vdev)
{
	return container_of(vdev, struct sim_vfio, vdev);
}

/* --- interrupts -------------------------------------------------------------- */

static void signal_irq(struct sim_vfio *sim, u32 n)
{
	guard(spinlock)(&sim->irq_lock);
	if (sim->eventfds[n])
		eventfd_signal(sim->eventfds[n]);
}

/* Takes over the references in @eventfds. */
static void set_eventfds(struct sim_vfio *sim, u32 first, u32 count,
			 struct eventfd_ctx **eventfds)
{
	u32 i;

	scoped_guard(spinlock, &sim->irq_lock)
		for (i = 0; i < count; i++)
			swap(sim->eventfds[first + i], eventfds[i]);
	for (i = 0; i < count; i++)
		if (eventfds[i])
			eventfd_ctx_put(eventfds[i]);
}

static void clear_eventfds(struct sim_vfio *sim, u32 first, u32 count)
{
	struct eventfd_ctx *none[NR_EVENTFDS] = {};

	set_eventfds(sim, first, count, none);
}

/* All of them or none. */
static int set_irqs_from(struct sim_vfio *sim, u32 first, u32 count,
			 const s32 *fds)
{
	struct eventfd_ctx *eventfds[NR_EVENTFDS] = {};
	int ret;
	u32 i;

	for (i = 0; i < count; i++) {
		struct eventfd_ctx *eventfd;

		if (fds[i] < 0)
			continue;
		eventfd = eventfd_ctx_fdget(fds[i]);
		if (IS_ERR(eventfd)) {
			ret = PTR_ERR(eventfd);
			goto err_put;
		}
		eventfds[i] = eventfd;
	}
	set_eventfds(sim, first, count, eventfds);
	return 0;

err_put:
	while (i--)
		if (eventfds[i])
			eventfd_ctx_put(eventfds[i]);
	return ret;
}

/* @data: of @hdr->count entries, in the form that its flags say */
static int set_irqs(struct sim_vfio *sim, const struct vfio_irq_set *hdr,
		    const void *data)
{
	u32 first = irq_first[hdr->index] + hdr->start;
	const u8 *which = data;
	u32 i;

	/* They need no masking: each is one event. */
	if ((hdr->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) !=
	    VFIO_IRQ_SET_ACTION_TRIGGER)
		return -EINVAL;

	switch (hdr->flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_EVENTFD:
		return set_irqs_from(sim, first, hdr->count, data);
	case VFIO_IRQ_SET_DATA_BOOL:
		for (i = 0; i < hdr->count; i++)
			if (which[i])
				signal_irq(sim, first + i);
		return 0;
	default:
		if (!hdr->count)
			clear_eventfds(sim, irq_first[hdr->index],
				       irq_counts[hdr->index]);
		for (i = 0; i < hdr->count; i++)
			signal_irq(sim, first + i);
		return 0;
	}
}

/* --- queues ------------------------------------------------------------------- */

static void queue_work_fn(struct work_struct *work)
{
	struct sim_queue *queue = container_of(work, struct sim_queue, work);
	struct sva_sim_completion result = {
		.status = SVA_SIM_STATUS_ABORTED,
	};
	bool written = !queue->run.desc.completion;

	/* Nobody else changes these while it is busy. */
	if (queue->allowed)
		written = sva_sim_exec_run(queue->exec, &queue->run, &result);
	else
		result.status = SVA_SIM_STATUS_FAULT;

	scoped_guard(spinlock, &queue->lock) {
		queue->record = result;
		queue->not_written = !written;
		queue->state = SVA_SIM_STATE_DONE;
		/* No interrupt comes once somebody has found it done. */
		signal_irq(queue->dev, queue->index);
		wake_up_all(&queue->idle);
	}
}

static bool is_allowed(struct sim_queue *queue)
{
	if (queue->pasid & SVA_SIM_REG_PASID_NONE)
		return true;
	return sva_vfio_attached(queue->dev->sv, queue->pasid);
}

static void start(struct sim_queue *queue)
{
	lockdep_assert_held(&queue->lock);

	if (queue->state != SVA_SIM_STATE_IDLE)
		return;
	queue->state = SVA_SIM_STATE_BUSY;
	queue->stop = false;
	queue->allowed = is_allowed(queue);
	queue->run.desc = queue->desc;
	queue->run.pasid = queue->pasid & SVA_SIM_REG_PASID_NONE ? 0 : queue->pasid;
	queue->run.private_data[1]++;
	queue_work(sim_workqueue, &queue->work);
}

static void abort_run(struct sim_queue *queue)
{
	lockdep_assert_held(&queue->lock);

	if (queue->state != SVA_SIM_STATE_BUSY)
		return;
	WRITE_ONCE(queue->stop, true);
	sva_sim_exec_stop(queue->exec);
}

/* @nr: which run; another may be under way by now */
static bool is_over(struct sim_queue *queue, u64 nr)
{
	guard(spinlock)(&queue->lock);
	return queue->state != SVA_SIM_STATE_BUSY ||
	       queue->run.private_data[1] != nr;
}

/*
 * Ends what is being executed, if it is of @pasid, which is 0 for any. What is
 * started meanwhile is not waited for: nobody may ever end that.
 */
static void end_run(struct sim_queue *queue, u32 pasid)
{
	bool pending;
	u64 nr;

	scoped_guard(spinlock, &queue->lock) {
		if (pasid && queue->run.pasid != pasid)
			return;
		abort_run(queue);
		nr = queue->run.private_data[1];
		/* Others may have all workers for as long as they like. */
		pending = cancel_work(&queue->work);
	}
	if (pending)
		queue_work_fn(&queue->work);
	wait_event(queue->idle, is_over(queue, nr));
}

/* Nothing that carries the PASID is started any more: is_allowed() says so. */
static void sim_stop(struct vfio_device *vdev, u32 pasid)
{
	struct sim_vfio *sim = to_sim(vdev);
	int i;

	for (i = 0; i < NR_QUEUES; i++)
		end_run(&sim->queues[i], pasid);
}

static const struct sva_vfio_ops sva_ops = {
	.stop = sim_stop,
};

/* Afterwards all registers are as after open. */
static void reset(struct sim_vfio *sim)
{
	int i;

	for (i = 0; i < NR_QUEUES; i++) {
		struct sim_queue *queue = &sim->queues[i];

		end_run(queue, 0);
		scoped_guard(spinlock, &queue->lock) {
			if (queue->state == SVA_SIM_STATE_BUSY)
				continue;	/* somebody is faster */
			queue->state = SVA_SIM_STATE_IDLE;
			queue->not_written = 0;
			queue->pasid = SVA_SIM_REG_PASID_NONE;
			queue->desc = (struct sva_sim_desc) {};
			queue->record = (struct sva_sim_completion) {};
		}
	}
}

/* --- registers ----------------------------------------------------------------- */

/* Return: the queue that a register is of, and where in it; NULL if of none. */
static struct sim_queue *find_queue(struct sim_vfio *sim, u32 *reg)
{
	u32 n;

	if (*reg < SVA_SIM_REG_QUEUE(0))
		return NULL;
	n = (*reg - SVA_SIM_REG_QUEUE(0)) / (SVA_SIM_REG_QUEUE(1) -
					     SVA_SIM_REG_QUEUE(0));
	if (n >= NR_QUEUES)
		return NULL;
	*reg -= SVA_SIM_REG_QUEUE(n);
	return &sim->queues[n];
}

/* Return: the word of a structure that a register is, or NULL. */
static u32 *find_word(u32 reg, u32 first, void *structure, size_t size)
{
	if (reg < first || reg >= first + size)
		return NULL;
	return structure + (reg - first);
}

static u32 read_queue(struct sim_queue *queue, u32 reg)
{
	u32 *word;

	guard(spinlock)(&queue->lock);
	word = find_word(reg, SVA_SIM_REG_DESC, &queue->desc, sizeof(queue->desc)) ?:
	       find_word(reg, SVA_SIM_REG_RECORD, &queue->record,
			 sizeof(queue->record));
	if (word)
		return *word;
	switch (reg) {
	case SVA_SIM_REG_PASID:
		return queue->pasid;
	case SVA_SIM_REG_STATE:
		return queue->state;
	case SVA_SIM_REG_NOT_WRITTEN:
		return queue->not_written;
	default:
		return 0;
	}
}

static u32 read_reg(struct sim_vfio *sim, u32 reg)
{
	struct sim_queue *queue = find_queue(sim, &reg);

	if (queue)
		return read_queue(queue, reg);
	switch (reg) {
	case SVA_SIM_REG_MAGIC:
		return SVA_SIM_MAGIC;
	case SVA_SIM_REG_QUEUES:
		return NR_QUEUES;
	case SVA_SIM_REG_HITS:
		return atomic64_read(&sim->port->iotlb_hits);
	case SVA_SIM_REG_MISSES:
		return atomic64_read(&sim->port->iotlb_misses);
	default:
		return 0;
	}
}

static void write_queue(struct sim_queue *queue, u32 reg, u32 value)
{
	u32 *word;

	guard(spinlock)(&queue->lock);
	if (reg == SVA_SIM_REG_CONTROL && value & SVA_SIM_CONTROL_ABORT)
		abort_run(queue);
	if (queue->state == SVA_SIM_STATE_BUSY)
		return;
	word = find_word(reg, SVA_SIM_REG_DESC, &queue->desc, sizeof(queue->desc));
	if (word)
		*word = value;
	else if (reg == SVA_SIM_REG_PASID)
		queue->pasid = value;
	else if (reg == SVA_SIM_REG_CONTROL && value & SVA_SIM_CONTROL_START)
		start(queue);
	else if (reg == SVA_SIM_REG_STATE && queue->state == SVA_SIM_STATE_DONE &&
		 value == SVA_SIM_STATE_IDLE)
		queue->state = value;
}

static void write_reg(struct sim_vfio *sim, u32 reg, u32 value)
{
	struct sim_queue *queue = find_queue(sim, &reg);

	if (queue)
		write_queue(queue, reg, value);
}

/* Return: how much of an access is inside the registers, in whole words. */
static ssize_t check_access(loff_t pos, size_t count)
{
	if (pos < 0 || pos >= REGION_SIZE || !IS_ALIGNED(pos, sizeof(u32)) ||
	    !IS_ALIGNED(count, sizeof(u32)))
		return -EINVAL;
	return min_t(size_t, count, REGION_SIZE - pos);
}

static ssize_t sim_read(struct vfio_device *vdev, char __user *buf, size_t count,
			loff_t *ppos)
{
	ssize_t len = check_access(*ppos, count);
	ssize_t done;
	u32 value;

	for (done = 0; done < len; done += sizeof(value)) {
		value = read_reg(to_sim(vdev), *ppos);
		if (copy_to_user(buf + done, &value, sizeof(value)))
			return done ?: -EFAULT;
		*ppos += sizeof(value);
	}
	return len;
}

static ssize_t sim_write(struct vfio_device *vdev, const char __user *buf,
			 size_t count, loff_t *ppos)
{
	ssize_t len = check_access(*ppos, count);
	ssize_t done;
	u32 value;

	for (done = 0; done < len; done += sizeof(value)) {
		if (copy_from_user(&value, buf + done, sizeof(value)))
			return done ?: -EFAULT;
		write_reg(to_sim(vdev), *ppos, value);
		*ppos += sizeof(value);
	}
	return len;
}

/* --- VFIO ------------------------------------------------------------------------ */

static int ioctl_info(void __user *arg)
{
	const size_t size = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info;

	if (copy_from_user(&info, arg, size))
		return -EFAULT;
	if (info.argsz < size)
		return -EINVAL;
	info.flags = VFIO_DEVICE_FLAGS_PLATFORM | VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = 1;
	info.num_irqs = NR_IRQS;
	return copy_to_user(arg, &info, size) ? -EFAULT : 0;
}

static int ioctl_irq_info(void __user *arg)
{
	const size_t size = offsetofend(struct vfio_irq_info, count);
	struct vfio_irq_info info;

	if (copy_from_user(&info, arg, size))
		return -EFAULT;
	if (info.argsz < size || info.index >= NR_IRQS)
		return -EINVAL;
	info.flags = VFIO_IRQ_INFO_EVENTFD;
	info.count = irq_counts[info.index];
	return copy_to_user(arg, &info, size) ? -EFAULT : 0;
}

static int ioctl_set_irqs(struct sim_vfio *sim, void __user *arg)
{
	const size_t size = offsetofend(struct vfio_irq_set, count);
	s32 data[NR_QUEUES];
	struct vfio_irq_set hdr;
	size_t data_size;
	int ret;

	if (copy_from_user(&hdr, arg, size))
		return -EFAULT;
	if (hdr.index >= NR_IRQS)
		return -EINVAL;
	ret = vfio_set_irqs_validate_and_prepare(&hdr, irq_counts[hdr.index],
						 NR_IRQS, &data_size);
	if (ret)
		return ret;
	if (copy_from_user(data, arg + size, data_size))
		return -EFAULT;
	return set_irqs(sim, &hdr, data);
}

static long sim_ioctl(struct vfio_device *vdev, unsigned int cmd,
		      unsigned long arg)
{
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return ioctl_info(uarg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return ioctl_irq_info(uarg);
	case VFIO_DEVICE_SET_IRQS:
		return ioctl_set_irqs(to_sim(vdev), uarg);
	case VFIO_DEVICE_RESET:
		reset(to_sim(vdev));
		return 0;
	default:
		return -ENOTTY;
	}
}

static int sim_region_info(struct vfio_device *vdev, struct vfio_region_info *info,
			   struct vfio_info_cap *caps)
{
	if (info->index)
		return -EINVAL;
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	info->size = REGION_SIZE;
	info->offset = 0;
	return 0;
}

static int sim_feature(struct vfio_device *vdev, u32 flags, void __user *arg,
		       size_t argsz)
{
	return sva_vfio_device_feature(to_sim(vdev)->sv, flags, arg, argsz);
}

static int sim_open(struct vfio_device *vdev)
{
	reset(to_sim(vdev));
	return 0;
}

static void sim_close(struct vfio_device *vdev)
{
	struct sim_vfio *sim = to_sim(vdev);
	int i;

	reset(sim);
	/* All are done, and nobody starts more, but the last may not have returned. */
	for (i = 0; i < NR_QUEUES; i++)
		flush_work(&sim->queues[i].work);
	sva_vfio_close(sim->sv);
	clear_eventfds(sim, 0, NR_EVENTFDS);
}

/* Somebody wants the engine back. */
static void sim_request(struct vfio_device *vdev, unsigned int count)
{
	signal_irq(to_sim(vdev), irq_first[IRQ_REQUEST]);
}

static void free_queues(struct sim_vfio *sim)
{
	int i;

	for (i = 0; i < NR_QUEUES; i++)
		sva_sim_exec_free(sim->queues[i].exec);
}

static int sim_init(struct vfio_device *vdev)
{
	struct sim_vfio *sim = to_sim(vdev);
	int i, ret;

	sim->port = sva_sim_port_of(vdev->dev);
	spin_lock_init(&sim->irq_lock);
	for (i = 0; i < NR_QUEUES; i++) {
		struct sim_queue *queue = &sim->queues[i];

		queue->dev = sim;
		queue->index = i;
		queue->run.private_data[0] = i;
		queue->run.stop = &queue->stop;
		spin_lock_init(&queue->lock);
		INIT_WORK(&queue->work, queue_work_fn);
		init_waitqueue_head(&queue->idle);
		queue->exec = sva_sim_exec_new(vdev->dev);
		if (!queue->exec) {
			ret = -ENOMEM;
			goto err_queues;
		}
	}
	/* VFIO does so for who did not, and does not look whether it could. */
	ret = vfio_assign_device_set(vdev, vdev);
	if (ret)
		goto err_queues;
	refcount_inc(&sim_users);
	return 0;

err_queues:
	free_queues(sim);
	return ret;
}

static void sim_release(struct vfio_device *vdev)
{
	free_queues(to_sim(vdev));
	sim_put();
}

static const struct vfio_device_ops sim_ops = {
	.name = DRIVER_NAME,
	.init = sim_init,
	.release = sim_release,
	.open_device = sim_open,
	.close_device = sim_close,
	.ioctl = sim_ioctl,
	.get_region_info_caps = sim_region_info,
	.device_feature = sim_feature,
	.read = sim_read,
	.write = sim_write,
	.request = sim_request,
	.bind_iommufd = vfio_iommufd_physical_bind,
	.unbind_iommufd = vfio_iommufd_physical_unbind,
	.attach_ioas = vfio_iommufd_physical_attach_ioas,
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
};

/* --- the engine ----------------------------------------------------------------- */

static int sim_probe(struct platform_device *pdev)
{
	struct sim_vfio *sim;
	int ret;

	/* driver_override can name any device. */
	if (strcmp(pdev->name, SVA_SIM_DRIVER_NAME))
		return -ENODEV;

	sim = vfio_alloc_device(sim_vfio, vdev, &pdev->dev, &sim_ops);
	if (IS_ERR(sim))
		return PTR_ERR(sim);
	sim->sdev = sva_device_register(&pdev->dev, SVA_DEVICE_PAGE_REQUESTS);
	if (IS_ERR(sim->sdev)) {
		ret = PTR_ERR(sim->sdev);
		goto err_put;
	}
	sim->sv = sva_vfio_create(&sim->vdev, sim->sdev, &sva_ops);
	if (IS_ERR(sim->sv)) {
		ret = PTR_ERR(sim->sv);
		goto err_sva;
	}
	ret = vfio_register_group_dev(&sim->vdev);
	if (ret)
		goto err_destroy;
	platform_set_drvdata(pdev, sim);
	return 0;

err_destroy:
	sva_vfio_destroy(sim->sv);
err_sva:
	sva_device_unregister(sim->sdev);
err_put:
	vfio_put_device(&sim->vdev);
	return ret;
}

static void sim_remove(struct platform_device *pdev)
{
	struct sim_vfio *sim = platform_get_drvdata(pdev);

	vfio_unregister_group_dev(&sim->vdev);
	sva_vfio_destroy(sim->sv);
	sva_device_unregister(sim->sdev);
	vfio_put_device(&sim->vdev);
}

static struct platform_driver sim_driver = {
	.probe = sim_probe,
	.remove = sim_remove,
	.driver_managed_dma = true,
	.driver = {
		.name = DRIVER_NAME,
	},
};

static int __init sim_vfio_init(void)
{
	int ret;

	/* Each may wait for a page request as long as user space likes. */
	sim_workqueue = alloc_workqueue("sva_vfio_sim", WQ_UNBOUND,
					WQ_UNBOUND_MAX_ACTIVE);
	if (!sim_workqueue)
		return -ENOMEM;
	ret = platform_driver_register(&sim_driver);
	if (ret)
		destroy_workqueue(sim_workqueue);
	return ret;
}
module_init(sim_vfio_init);

static void __exit sim_vfio_exit(void)
{
	platform_driver_unregister(&sim_driver);
	/* VFIO calls sim_release() whenever it is done with a device. */
	sim_put();
	wait_for_completion(&sim_unused);
	destroy_workqueue(sim_workqueue);
}
module_exit(sim_vfio_exit);

MODULE_DESCRIPTION("Software engines of /dev/sva as VFIO devices");
MODULE_LICENSE("GPL");
