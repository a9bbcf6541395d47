// SPDX-License-Identifier: GPL-2.0-only
/*
 * Engines of any kind: their device nodes, from probe to remove.
 *
 * An engine ends when its driver is unbound, whoever has it open: its queues
 * stop, and what open files still hold is memory only.
 */
#include <linux/completion.h>
#include <linux/idr.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/refcount.h>
#include <linux/slab.h>

#include "engine.h"

#define SIM_MINORS 256

static dev_t sim_devt;
static DEFINE_IDA(sim_minors);

/* The module itself, and each engine until its last reference is given up. */
static refcount_t sim_users = REFCOUNT_INIT(1);
static DECLARE_COMPLETION(sim_unused);

/* Not static: its last reference may be given up after the module has gone. */
static struct class *sim_class;

/*
 * Whoever owns the DMA of a group has its untagged accesses blocked until a RID
 * handle is attached. Engines that share a group have one owner: this driver.
 */
static const char sim_dma_owner[] = "sva_sim";

struct sim_engine *sim_engine_from_cdev(struct cdev *cdev)
{
	return container_of(cdev, struct sim_engine, cdev);
}

bool sim_engine_gone(struct sim_engine *engine)
{
	return READ_ONCE(engine->gone);
}

static void sim_put(void)
{
	if (refcount_dec_and_test(&sim_users))
		complete(&sim_unused);
}

static void sim_engine_release(struct device *dev)
{
	struct sim_engine *engine = container_of(dev, struct sim_engine, dev);

	mutex_destroy(&engine->queues_lock);
	kfree(engine);
	sim_put();
}

/* Others may have the number, also while somebody has this engine open. */
static void sim_engine_put(struct sim_engine *engine)
{
	ida_free(&sim_minors, MINOR(engine->dev.devt));
	put_device(&engine->dev);
}

static struct sim_engine *sim_engine_alloc(struct device *hw,
					   const struct sim_engine_ops *ops,
					   void *priv)
{
	struct sim_engine *engine;
	int minor, ret;

	engine = kzalloc_obj(*engine);
	if (!engine)
		return ERR_PTR(-ENOMEM);
	minor = ida_alloc_max(&sim_minors, SIM_MINORS - 1, GFP_KERNEL);
	if (minor < 0) {
		kfree(engine);
		return ERR_PTR(minor);
	}
	refcount_inc(&sim_users);
	engine->ops = ops;
	engine->hw = hw;
	engine->priv = priv;
	init_rwsem(&engine->live);
	mutex_init(&engine->queues_lock);
	INIT_LIST_HEAD(&engine->queues);

	device_initialize(&engine->dev);
	engine->dev.class = sim_class;
	engine->dev.parent = hw;
	engine->dev.release = sim_engine_release;
	engine->dev.devt = MKDEV(MAJOR(sim_devt), minor);
	cdev_init(&engine->cdev, &sim_fops);
	engine->cdev.owner = THIS_MODULE;

	ret = dev_set_name(&engine->dev, "sva_sim%d", minor);
	if (ret) {
		sim_engine_put(engine);
		return ERR_PTR(ret);
	}
	return engine;
}

/**
 * sim_engine_add() - Make an engine of a device that a driver was bound to
 * @hw: The device; its driver manages DMA itself
 * @ops: What kind of engine it is
 * @priv: For @ops
 * @flags: For sva_device_register()
 *
 * Context: From the driver's probe().
 * Return: the engine, to be given to sim_engine_remove(), or ERR_PTR: -EBUSY
 * somebody else owns the DMA of the device's group; those of
 * sva_device_register(); -ENOSPC there are too many engines; -ENOMEM.
 */
struct sim_engine *sim_engine_add(struct device *hw,
				  const struct sim_engine_ops *ops, void *priv,
				  u32 flags)
{
	struct sim_engine *engine = sim_engine_alloc(hw, ops, priv);
	int ret;

	if (IS_ERR(engine))
		return engine;

	ret = iommu_device_claim_dma_owner(hw, (void *)sim_dma_owner);
	if (ret)
		goto err_put;
	engine->sva = sva_device_register(hw, flags);
	if (IS_ERR(engine->sva)) {
		ret = PTR_ERR(engine->sva);
		goto err_owner;
	}
	/* From here on it can be opened. */
	ret = cdev_device_add(&engine->cdev, &engine->dev);
	if (ret)
		goto err_sva;
	return engine;

err_sva:
	sva_device_unregister(engine->sva);
err_owner:
	iommu_device_release_dma_owner(hw);
err_put:
	sim_engine_put(engine);
	return ERR_PTR(ret);
}

static void wake_queues(struct sim_engine *engine)
{
	struct sim_queue *queue;

	mutex_lock(&engine->queues_lock);
	list_for_each_entry(queue, &engine->queues, node)
		wake_up_all(&queue->wait);
	mutex_unlock(&engine->queues_lock);
}

/**
 * sim_engine_remove() - End an engine, before its driver lets the device go
 * @engine: From sim_engine_add()
 *
 * Context: From the driver's remove(). When this returns, no DMA is under way
 * and @ops are not called any more, except for queue_exit().
 */
void sim_engine_remove(struct sim_engine *engine)
{
	down_write(&engine->live);
	WRITE_ONCE(engine->gone, true);
	up_write(&engine->live);

	cdev_device_del(&engine->cdev, &engine->dev);
	/* Every bond is revoked, and with it every queue has stopped. */
	sva_device_unregister(engine->sva);
	wake_queues(engine);
	iommu_device_release_dma_owner(engine->hw);
	sim_engine_put(engine);
}

/* Whoever still has a reference to a device ends up in sim_engine_release(). */
static void sim_engines_wait(void)
{
	sim_put();
	wait_for_completion(&sim_unused);
}

static int __init sim_init(void)
{
	int ret;

	ret = sim_queues_init();
	if (ret)
		return ret;
	sim_class = class_create("sva_sim");
	if (IS_ERR(sim_class)) {
		ret = PTR_ERR(sim_class);
		goto err_queues;
	}
	ret = alloc_chrdev_region(&sim_devt, 0, SIM_MINORS, "sva_sim");
	if (ret)
		goto err_class;
	/* Hardware first: it gets the lower numbers. */
	ret = sim_pci_init();
	if (ret)
		goto err_chrdev;
	ret = sim_soft_init();
	if (ret)
		goto err_pci;
	return 0;

err_pci:
	sim_pci_exit();
err_chrdev:
	sim_engines_wait();
	unregister_chrdev_region(sim_devt, SIM_MINORS);
err_class:
	class_destroy(sim_class);
err_queues:
	sim_queues_exit();
	return ret;
}
module_init(sim_init);

static void __exit sim_exit(void)
{
	sim_soft_exit();
	sim_pci_exit();
	sim_engines_wait();
	unregister_chrdev_region(sim_devt, SIM_MINORS);
	class_destroy(sim_class);
	sim_queues_exit();
	ida_destroy(&sim_minors);
}
module_exit(sim_exit);

MODULE_DESCRIPTION("Software DMA engines that use /dev/sva");
MODULE_LICENSE("GPL");
