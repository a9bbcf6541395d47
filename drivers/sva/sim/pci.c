// SPDX-License-Identifier: GPL-2.0-only
/*
 * Engines that are PCI functions: the "sva-engine" that tools/testing/qemu adds
 * to QEMU. It executes the same descriptors by itself, so that all the rest of
 * this driver, and its users, need not know which kind they have.
 *
 * This is what the driver of an accelerator has to do. PASID, ATS and page
 * requests are enabled by the IOMMU's driver; a queue's PASID is a register.
 */
#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "engine.h"

/* As QEMU has it, hw/pci/pci.h */
#define PCI_VENDOR_ID_QEMU		0x1234
#define PCI_DEVICE_ID_SVA_ENGINE	0x11e9

#define MAX_QUEUES		16

/* How often a queue that does not answer is asked whether it is still there. */
#define GONE_INTERVAL		HZ

struct pci_engine;

/**
 * struct pci_queue - a queue of the hardware
 * @engine: The engine
 * @regs: Its registers
 * @used: An open file has it
 * @gone: The function is unbound: there are no registers
 * @done: Its interrupt came
 * @lock: Makes one of starting a descriptor and of looking whether it may be;
 *        protects @gone
 */
struct pci_queue {
	struct pci_engine *engine;
	void __iomem *regs;
	bool used;
	bool gone;
	struct completion done;
	spinlock_t lock; /* Makes one of starting and of looking whether to */
};

/**
 * struct pci_engine - an engine
 * @pdev: The function
 * @regs: Its registers
 * @engine: What the rest of the driver sees
 * @users: The function's driver is bound, or files are open
 * @ready: Read: a descriptor is being executed; write: the function is reset
 * @resetting: It is about to be
 * @queues_lock: Protects pci_queue.used
 * @nr_queues: How many there are
 * @queues: The queues
 */
struct pci_engine {
	struct pci_dev *pdev;
	void __iomem *regs;
	struct sim_engine *engine;
	struct kref users;
	struct rw_semaphore ready;
	bool resetting;
	struct mutex queues_lock; /* Protects pci_queue.used */
	u32 nr_queues;
	struct pci_queue queues[MAX_QUEUES];
};

static void free_engine(struct kref *kref)
{
	struct pci_engine *engine = container_of(kref, struct pci_engine, users);

	mutex_destroy(&engine->queues_lock);
	kfree(engine);
}

/* --- queues --------------------------------------------------------------- */

static int pci_queue_init(struct sim_queue *queue)
{
	struct pci_engine *engine = queue->engine->priv;
	u32 i;

	guard(mutex)(&engine->queues_lock);
	for (i = 0; i < engine->nr_queues; i++) {
		struct pci_queue *hw = &engine->queues[i];

		if (hw->used)
			continue;
		hw->used = true;
		kref_get(&engine->users);
		queue->hw = hw;
		return 0;
	}
	return -EBUSY;
}

static void pci_queue_exit(struct sim_queue *queue)
{
	struct pci_queue *hw = queue->hw;
	struct pci_engine *engine = hw->engine;

	scoped_guard(mutex, &engine->queues_lock)
		hw->used = false;
	kref_put(&engine->users, free_engine);
}

static irqreturn_t queue_irq(int irq, void *data)
{
	struct pci_queue *hw = data;

	complete(&hw->done);
	return IRQ_HANDLED;
}

/* Return: whether it was started; not if the queue is to stop. */
static bool start(struct pci_queue *hw, struct sim_queue *queue,
		  const struct sva_sim_desc *desc)
{
	guard(spinlock)(&hw->lock);
	if (READ_ONCE(queue->stop) || READ_ONCE(hw->engine->resetting))
		return false;

	reinit_completion(&hw->done);
	memcpy_toio(hw->regs + SVA_SIM_REG_DESC, desc, sizeof(*desc));
	writel(queue->pasid ?: SVA_SIM_REG_PASID_NONE, hw->regs + SVA_SIM_REG_PASID);
	writel(SVA_SIM_CONTROL_START, hw->regs + SVA_SIM_REG_CONTROL);
	return true;
}

static void abort_desc(struct pci_queue *hw)
{
	guard(spinlock)(&hw->lock);
	if (!hw->gone)
		writel(SVA_SIM_CONTROL_ABORT, hw->regs + SVA_SIM_REG_CONTROL);
}

/*
 * The state decides, not the interrupt: one can come late, or be lost in a reset.
 * Return: whether it is done; not if the function was unplugged.
 */
static bool wait_until_done(struct pci_queue *hw)
{
	u32 state;

	do {
		wait_for_completion_timeout(&hw->done, GONE_INTERVAL);
		state = readl(hw->regs + SVA_SIM_REG_STATE);
		if (PCI_POSSIBLE_ERROR(state))
			return false;
	} while (state != SVA_SIM_STATE_DONE);
	return true;
}

static bool pci_execute(struct sim_queue *queue, const struct sva_sim_desc *desc,
			struct sva_sim_completion *result)
{
	struct pci_queue *hw = queue->hw;
	bool written;

	guard(rwsem_read)(&hw->engine->ready);
	if (!start(hw, queue, desc) || !wait_until_done(hw))
		return !desc->completion;

	memcpy_fromio(result, hw->regs + SVA_SIM_REG_RECORD, sizeof(*result));
	written = !readl(hw->regs + SVA_SIM_REG_NOT_WRITTEN);
	writel(SVA_SIM_STATE_IDLE, hw->regs + SVA_SIM_REG_STATE);
	return written;
}

static void pci_stop(struct sim_queue *queue)
{
	abort_desc(queue->hw);
}

static int pci_check_guest_pasid(struct sim_engine *engine, u32 pasid)
{
	return -EOPNOTSUPP;
}

static void pci_get_info(struct sim_engine *sim, struct sva_sim_info *info)
{
	struct pci_engine *engine = sim->priv;

	info->pasid_max = engine->pdev->dev.iommu->max_pasids;
	if (info->pasid_max)
		info->pasid_max--;
	info->iommu = SVA_SIM_IOMMU_NONE;
	info->iotlb_hits = readl(engine->regs + SVA_SIM_REG_HITS);
	info->iotlb_misses = readl(engine->regs + SVA_SIM_REG_MISSES);
}

static const struct sim_engine_ops pci_ops = {
	.queue_init = pci_queue_init,
	.queue_exit = pci_queue_exit,
	.execute = pci_execute,
	.stop = pci_stop,
	.check_guest_pasid = pci_check_guest_pasid,
	.get_info = pci_get_info,
};

/* --- the function ----------------------------------------------------------- */

static int init_queues(struct pci_engine *engine)
{
	struct pci_dev *pdev = engine->pdev;
	u32 i;
	int ret;

	engine->nr_queues = min(readl(engine->regs + SVA_SIM_REG_QUEUES), MAX_QUEUES);
	ret = pci_alloc_irq_vectors(pdev, engine->nr_queues, engine->nr_queues,
				    PCI_IRQ_MSIX);
	if (ret < 0)
		return ret;

	for (i = 0; i < engine->nr_queues; i++) {
		struct pci_queue *hw = &engine->queues[i];

		hw->engine = engine;
		hw->regs = engine->regs + SVA_SIM_REG_QUEUE(i);
		init_completion(&hw->done);
		spin_lock_init(&hw->lock);
		ret = pci_request_irq(pdev, i, queue_irq, NULL, hw, "%s-%u",
				      dev_name(&pdev->dev), i);
		if (ret)
			goto err_irqs;
	}
	return 0;

err_irqs:
	while (i--)
		pci_free_irq(pdev, i, &engine->queues[i]);
	pci_free_irq_vectors(pdev);
	return ret;
}

static void exit_queues(struct pci_engine *engine)
{
	u32 i;

	for (i = 0; i < engine->nr_queues; i++)
		pci_free_irq(engine->pdev, i, &engine->queues[i]);
	pci_free_irq_vectors(engine->pdev);
}

static struct pci_engine *new_engine(struct pci_dev *pdev)
{
	struct pci_engine *engine = kzalloc_obj(*engine);

	if (!engine)
		return NULL;
	engine->pdev = pdev;
	kref_init(&engine->users);
	init_rwsem(&engine->ready);
	mutex_init(&engine->queues_lock);
	return engine;
}

static int map_registers(struct pci_engine *engine)
{
	struct pci_dev *pdev = engine->pdev;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	engine->regs = pcim_iomap_region(pdev, 0, "sva_sim");
	if (IS_ERR(engine->regs))
		return PTR_ERR(engine->regs);
	if (readl(engine->regs + SVA_SIM_REG_MAGIC) != SVA_SIM_MAGIC)
		return -ENODEV;
	return dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
}

static int engine_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct pci_engine *engine = new_engine(pdev);
	int ret;

	if (!engine)
		return -ENOMEM;
	ret = map_registers(engine);
	if (ret)
		goto err_put;
	ret = init_queues(engine);
	if (ret)
		goto err_put;
	pci_set_master(pdev);

	pci_set_drvdata(pdev, engine);
	engine->engine = sim_engine_add(&pdev->dev, &pci_ops, engine, 0);
	if (IS_ERR(engine->engine)) {
		ret = PTR_ERR(engine->engine);
		goto err_master;
	}
	return 0;

err_master:
	pci_clear_master(pdev);
	exit_queues(engine);
err_put:
	kref_put(&engine->users, free_engine);
	return ret;
}

/* Files that are still open go on to stop their queues. */
static void forget_registers(struct pci_engine *engine)
{
	u32 i;

	for (i = 0; i < engine->nr_queues; i++) {
		guard(spinlock)(&engine->queues[i].lock);
		engine->queues[i].gone = true;
	}
}

static void engine_remove(struct pci_dev *pdev)
{
	struct pci_engine *engine = pci_get_drvdata(pdev);

	sim_engine_remove(engine->engine);
	forget_registers(engine);
	pci_clear_master(pdev);
	exit_queues(engine);
	kref_put(&engine->users, free_engine);
}

/* A reset forgets what is being executed: it ends as aborted before. */
static void engine_reset_prepare(struct pci_dev *pdev)
{
	struct pci_engine *engine = pci_get_drvdata(pdev);
	u32 i;

	WRITE_ONCE(engine->resetting, true);
	for (i = 0; i < engine->nr_queues; i++)
		abort_desc(&engine->queues[i]);
	down_write(&engine->ready);
}

static void engine_reset_done(struct pci_dev *pdev)
{
	struct pci_engine *engine = pci_get_drvdata(pdev);

	WRITE_ONCE(engine->resetting, false);
	up_write(&engine->ready);
}

static const struct pci_error_handlers engine_err_handler = {
	.reset_prepare = engine_reset_prepare,
	.reset_done = engine_reset_done,
};

static const struct pci_device_id engine_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_QEMU, PCI_DEVICE_ID_SVA_ENGINE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, engine_ids);

static struct pci_driver engine_driver = {
	.name = "sva_sim",
	.id_table = engine_ids,
	.probe = engine_probe,
	.remove = engine_remove,
	.err_handler = &engine_err_handler,
	.driver_managed_dma = true,
};

int sim_pci_init(void)
{
	return pci_register_driver(&engine_driver);
}

void sim_pci_exit(void)
{
	pci_unregister_driver(&engine_driver);
}
