// SPDX-License-Identifier: GPL-2.0-only
/*
 * A software IOMMU: the instances, and what the IOMMU core asks of them about
 * devices.
 */
#include <linux/irqdomain.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "iommu.h"

/* Ranges that cannot be translated, as real machines have them. */
#define SIM_MSI_BASE	0xfee00000UL
#define SIM_MSI_SIZE	SZ_1M
/* Where Arm's drivers have it */
#define SIM_SW_MSI_BASE	0x8000000UL
#define SIM_SW_MSI_SIZE	SZ_1M
#define SIM_RESV_BASE	0xfd00000000UL
#define SIM_RESV_SIZE	SZ_16M

static unsigned int iommus = 2;
module_param(iommus, uint, 0444);
MODULE_PARM_DESC(iommus, "Number of IOMMU instances, 1 to 16 (2)");

static unsigned int table_iommus = 1;
module_param(table_iommus, uint, 0444);
MODULE_PARM_DESC(table_iommus, "Number of instances after those that nest whole PASID tables, 0 to 16 (1)");

#define SIM_IOMMUS_MAX 32
static struct sim_iommu *sim_iommus[SIM_IOMMUS_MAX];

struct sim_iommu *sim_iommu_get(unsigned int index)
{
	return index < SIM_IOMMUS_MAX ? sim_iommus[index] : NULL;
}

static struct sim_iommu *iommu_of(struct device *dev)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	unsigned int i;

	for (i = 0; fwspec && i < SIM_IOMMUS_MAX; i++) {
		struct sim_iommu *iommu = sim_iommus[i];

		if (iommu && iommu->iommu.fwnode == fwspec->iommu_fwnode)
			return iommu;
	}
	return NULL;
}

static struct iommu_device *sim_probe_device(struct device *dev)
{
	struct sva_sim_port *port = sva_sim_port_of(dev);
	struct sim_iommu *iommu = iommu_of(dev);
	struct sim_dev *sdev;
	int ret;

	if (!iommu || !port)
		return ERR_PTR(-ENODEV);

	sdev = kzalloc_obj(*sdev);
	if (!sdev)
		return ERR_PTR(-ENOMEM);
	ret = init_srcu_struct(&sdev->walks);
	if (ret) {
		kfree(sdev);
		return ERR_PTR(ret);
	}
	sdev->dev = dev;
	sdev->iommu = iommu;
	sdev->port = port;
	xa_init(&sdev->table);
	sim_iotlb_init(&sdev->iotlb);
	spin_lock_init(&sdev->prq_lock);
	INIT_LIST_HEAD(&sdev->prq);
	dev_iommu_priv_set(dev, sdev);

	write_lock(&iommu->devs_lock);
	list_add_tail(&sdev->node, &iommu->devs);
	write_unlock(&iommu->devs_lock);
	return &iommu->iommu;
}

static void sim_release_device(struct device *dev)
{
	struct sim_dev *sdev = to_sim_dev(dev);
	struct sim_iommu *iommu = sdev->iommu;

	write_lock(&iommu->devs_lock);
	list_del(&sdev->node);
	write_unlock(&iommu->devs_lock);

	/*
	 * The rest of a group may go on with its PASIDs, so there may be
	 * entries left. The driver of this device is gone, so no access uses
	 * them; what it requested may still be on its way to an answer.
	 */
	if (sdev->iopf_on) {
		iopf_queue_flush_dev(dev);
		iopf_queue_remove_device(iommu->iopf, dev);
	}
	sim_iotlb_flush_all(&sdev->iotlb);
	xa_destroy(&sdev->table);
	cleanup_srcu_struct(&sdev->walks);
	iommu_group_put(sdev->group);
	kfree(sdev);
}

static struct iommu_group *shared_group(struct sim_dev *sdev)
{
	struct iommu_group *group = NULL;
	struct sim_dev *other;

	read_lock(&sdev->iommu->devs_lock);
	list_for_each_entry(other, &sdev->iommu->devs, node) {
		if (other->group && other->port->group == sdev->port->group) {
			group = iommu_group_ref_get(other->group);
			break;
		}
	}
	read_unlock(&sdev->iommu->devs_lock);
	return group;
}

static struct iommu_group *sim_device_group(struct device *dev)
{
	struct sim_dev *sdev = to_sim_dev(dev);
	struct iommu_group *group = NULL;

	if (sdev->port->group >= 0)
		group = shared_group(sdev);
	if (!group)
		group = generic_device_group(dev);
	if (!IS_ERR(group))
		sdev->group = iommu_group_ref_get(group);
	return group;
}

static bool sim_capable(struct device *dev, enum iommu_cap cap)
{
	return cap == IOMMU_CAP_CACHE_COHERENCY ||
	       cap == IOMMU_CAP_ENFORCE_CACHE_COHERENCY;
}

static void sim_get_resv_regions(struct device *dev, struct list_head *list)
{
	struct iommu_resv_region *region;

	if (to_sim_dev(dev)->port->sw_msi)
		region = iommu_alloc_resv_region(SIM_SW_MSI_BASE,
						 SIM_SW_MSI_SIZE, 0,
						 IOMMU_RESV_SW_MSI, GFP_KERNEL);
	else
		region = iommu_alloc_resv_region(SIM_MSI_BASE, SIM_MSI_SIZE, 0,
						 IOMMU_RESV_MSI, GFP_KERNEL);
	if (region)
		list_add_tail(&region->list, list);

	region = iommu_alloc_resv_region(SIM_RESV_BASE, SIM_RESV_SIZE, 0,
					 IOMMU_RESV_RESERVED, GFP_KERNEL);
	if (region)
		list_add_tail(&region->list, list);
}

/* The engines have no use for the DMA API. */
static int sim_def_domain_type(struct device *dev)
{
	return IOMMU_DOMAIN_IDENTITY;
}

#define SIM_COMMON_OPS \
	.owner = THIS_MODULE, \
	.capable = sim_capable, \
	.domain_alloc_paging_flags = sim_domain_alloc_paging, \
	.domain_alloc_sva = sim_domain_alloc_sva, \
	.probe_device = sim_probe_device, \
	.release_device = sim_release_device, \
	.device_group = sim_device_group, \
	.get_resv_regions = sim_get_resv_regions, \
	.page_response = sim_page_response, \
	.def_domain_type = sim_def_domain_type, \
	.identity_domain = &sim_identity_domain, \
	.blocked_domain = &sim_blocked_domain, \
	.release_domain = &sim_blocked_domain

const struct iommu_ops sim_iommu_ops = {
	SIM_COMMON_OPS,
	.hw_info = sim_hw_info,
	.domain_alloc_nested = sim_domain_alloc_nested,
};

const struct iommu_ops sim_table_iommu_ops = {
	SIM_COMMON_OPS,
	.hw_info = sim_table_hw_info,
	.domain_alloc_nested = sim_domain_alloc_table,
	.user_pasid_table = 1,
};

static struct platform_device *parent_create(unsigned int index)
{
	const struct property_entry properties[] = {
		PROPERTY_ENTRY_U32("sva-sim-instance", index),
		{ }
	};
	struct platform_device_info info = {
		.name = "sva_sim_iommu",
		.id = index,
		.properties = properties,
	};

	return platform_device_register_full(&info);
}

/*
 * An IOMMU is also what keeps a device from raising other devices' interrupts
 * with a DMA write. The engines cannot raise any; this is how to say so.
 */
static const struct irq_domain_ops sim_msi_ops = { };

static struct irq_domain *msi_create(struct platform_device *parent)
{
	const struct irq_domain_info info = {
		.fwnode = dev_fwnode(&parent->dev),
		.domain_flags = IRQ_DOMAIN_FLAG_ISOLATED_MSI,
		.ops = &sim_msi_ops,
	};

	return irq_domain_instantiate(&info);
}

static struct sim_iommu *sim_iommu_create(unsigned int index)
{
	struct sim_iommu *iommu;
	int ret;

	iommu = kzalloc_obj(*iommu);
	if (!iommu)
		return ERR_PTR(-ENOMEM);
	iommu->index = index;
	iommu->user_tables = index >= iommus;
	iommu->iommu.max_pasids = BIT(SIM_PASID_BITS_MAX);
	rwlock_init(&iommu->devs_lock);
	INIT_LIST_HEAD(&iommu->devs);

	iommu->parent = parent_create(index);
	if (IS_ERR(iommu->parent)) {
		ret = PTR_ERR(iommu->parent);
		goto err_free;
	}
	iommu->msi = msi_create(iommu->parent);
	if (IS_ERR(iommu->msi)) {
		ret = PTR_ERR(iommu->msi);
		goto err_parent;
	}
	iommu->iopf = iopf_queue_alloc(dev_name(&iommu->parent->dev));
	if (!iommu->iopf) {
		ret = -ENOMEM;
		goto err_msi;
	}
	/* Before it is registered: joining devices are linked to it. */
	ret = iommu_device_sysfs_add(&iommu->iommu, &iommu->parent->dev, NULL,
				     "sva_sim_iommu%u", index);
	if (ret)
		goto err_iopf;
	ret = iommu_device_register(&iommu->iommu,
				    iommu->user_tables ? &sim_table_iommu_ops :
							 &sim_iommu_ops,
				    &iommu->parent->dev);
	if (ret)
		goto err_sysfs;
	return iommu;

err_sysfs:
	iommu_device_sysfs_remove(&iommu->iommu);
err_iopf:
	iopf_queue_free(iommu->iopf);
err_msi:
	irq_domain_remove(iommu->msi);
err_parent:
	platform_device_unregister(iommu->parent);
err_free:
	kfree(iommu);
	return ERR_PTR(ret);
}

static void sim_iommu_destroy(struct sim_iommu *iommu)
{
	iommu_device_unregister(&iommu->iommu);
	iommu_device_sysfs_remove(&iommu->iommu);
	iopf_queue_free(iommu->iopf);
	irq_domain_remove(iommu->msi);
	platform_device_unregister(iommu->parent);
	kfree(iommu);
}

/**
 * sva_sim_nr_iommus() - How many instances there are
 * @all: Not only those that nest single tables, whose numbers come first
 *
 * Return: the number.
 */
unsigned int sva_sim_nr_iommus(bool all)
{
	return iommus + (all ? table_iommus : 0);
}
EXPORT_SYMBOL_GPL(sva_sim_nr_iommus);

/**
 * sva_sim_has_user_tables() - Ask for an instance's flavour
 * @iommu: Number of an instance
 *
 * Return: whether it nests whole PASID tables: a device may send any PASID then.
 */
bool sva_sim_has_user_tables(u32 iommu)
{
	return iommu >= iommus;
}
EXPORT_SYMBOL_GPL(sva_sim_has_user_tables);

static void destroy_all(void)
{
	unsigned int i;

	for (i = 0; i < SIM_IOMMUS_MAX; i++) {
		if (sim_iommus[i])
			sim_iommu_destroy(sim_iommus[i]);
		sim_iommus[i] = NULL;
	}
}

static int __init sim_iommu_init(void)
{
	unsigned int i;

	if (!iommus || iommus > 16 || table_iommus > 16)
		return -EINVAL;

	for (i = 0; i < sva_sim_nr_iommus(true); i++) {
		struct sim_iommu *iommu = sim_iommu_create(i);

		if (IS_ERR(iommu)) {
			destroy_all();
			return PTR_ERR(iommu);
		}
		sim_iommus[i] = iommu;
	}
	return 0;
}
module_init(sim_iommu_init);

/* Devices hold the module, so that there are none when we come here. */
static void __exit sim_iommu_exit(void)
{
	destroy_all();
}
module_exit(sim_iommu_exit);

MODULE_DESCRIPTION("Software IOMMU with PASIDs and page requests");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("GENERIC_PT_IOMMU");
MODULE_IMPORT_NS("IOMMUFD_INTERNAL");
