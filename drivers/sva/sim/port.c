// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports: platform devices that stand for engines and are behind an instance of
 * the software IOMMU from their first moment.
 */
#include <linux/export.h>
#include <linux/idr.h>
#include <linux/platform_device.h>
#include <linux/property.h>

#include "iommu.h"

static DEFINE_IDA(port_ids);

/*
 * The IOMMU is named before the device is added, because the IOMMU core looks
 * when it is added. A kernel that tests its iommufd has a function that does
 * both under the IOMMU core's own lock; in others, that lock is out of reach,
 * and nobody asserts it.
 */
#if IS_ENABLED(CONFIG_IOMMUFD_TEST)
static int add_behind(struct device *dev, struct sim_iommu *iommu)
{
	return iommu_mock_device_add(dev, &iommu->iommu);
}
#else
static int add_behind(struct device *dev, struct sim_iommu *iommu)
{
	int ret = iommu_fwspec_init(dev, iommu->iommu.fwnode);

	return ret ?: device_add(dev);
}
#endif

/**
 * sva_sim_port_of() - Find the port that a device is plugged into
 * @dev: A platform device
 *
 * Return: the port, or NULL if it is not one of ours.
 */
struct sva_sim_port *sva_sim_port_of(struct device *dev)
{
	struct sva_sim_port **data = dev_get_platdata(dev);

	return data ? *data : NULL;
}
EXPORT_SYMBOL_GPL(sva_sim_port_of);

static struct platform_device *alloc_pdev(struct sva_sim_port *port,
					  struct sim_iommu *iommu)
{
	const struct property_entry properties[] = {
		PROPERTY_ENTRY_U32("pasid-num-bits", port->pasid_bits),
		{ }
	};
	struct platform_device *pdev;
	int id, ret;

	id = ida_alloc(&port_ids, GFP_KERNEL);
	if (id < 0)
		return ERR_PTR(id);
	pdev = platform_device_alloc(SVA_SIM_DRIVER_NAME, id);
	if (!pdev) {
		ida_free(&port_ids, id);
		return ERR_PTR(-ENOMEM);
	}
	pdev->dev.parent = &iommu->parent->dev;
	pdev->dev.bus = &platform_bus_type;
	if (!port->shared_msi)
		dev_set_msi_domain(&pdev->dev, iommu->msi);

	ret = platform_device_add_data(pdev, &port, sizeof(port));
	if (!ret)
		ret = dev_set_name(&pdev->dev, "%s.%d", pdev->name, id);
	if (!ret)
		ret = device_create_managed_software_node(&pdev->dev,
							  properties, NULL);
	if (ret) {
		platform_device_put(pdev);
		ida_free(&port_ids, id);
		return ERR_PTR(ret);
	}
	return pdev;
}

/**
 * sva_sim_port_add() - Add a platform device behind the software IOMMU
 * @port: Describes it, and outlives it
 *
 * If the driver is loaded, its probe() has run on return; whether it succeeded
 * is to be seen from the device.
 *
 * Return: the device, for sva_sim_port_del(); ERR_PTR of -EINVAL if there is no
 * such IOMMU or PASID width, or what else failed.
 */
struct platform_device *sva_sim_port_add(struct sva_sim_port *port)
{
	struct sim_iommu *iommu = sim_iommu_get(port->iommu);
	struct platform_device *pdev;
	int ret;

	if (!iommu || !port->pasid_bits ||
	    port->pasid_bits > SIM_PASID_BITS_MAX)
		return ERR_PTR(-EINVAL);

	pdev = alloc_pdev(port, iommu);
	if (IS_ERR(pdev))
		return pdev;

	ret = add_behind(&pdev->dev, iommu);
	if (ret) {
		ida_free(&port_ids, pdev->id);
		device_remove_software_node(&pdev->dev);
		platform_device_put(pdev);
		return ERR_PTR(ret);
	}
	return pdev;
}
EXPORT_SYMBOL_GPL(sva_sim_port_add);

/**
 * sva_sim_port_del() - Remove a device
 * @pdev: From sva_sim_port_add()
 */
void sva_sim_port_del(struct platform_device *pdev)
{
	int id = pdev->id;

	platform_device_unregister(pdev);
	ida_free(&port_ids, id);
}
EXPORT_SYMBOL_GPL(sva_sim_port_del);
