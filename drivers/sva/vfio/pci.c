// SPDX-License-Identifier: GPL-2.0-only
/*
 * sva-vfio-pci: PCI functions as VFIO devices that PASIDs can be attached to.
 *
 * Apart from that, everything is vfio-pci's. There is no table of ids: it is
 * bound to a function by driver_override, so that no tool that looks for the
 * VFIO driver of a function comes upon it by itself.
 *
 * The IOMMU enables the PASID capability when it takes the function over, and
 * VFIO does not let its user see it. A PASID in a request reaches what is attached
 * to this function, whatever number the user programs: nobody has to look.
 */
#include <linux/completion.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/refcount.h>
#include <linux/sva.h>
#include <linux/sva_vfio.h>
#include <linux/vfio_pci_core.h>

#define DRIVER_NAME "sva-vfio-pci"

static bool nointxmask;
module_param(nointxmask, bool, 0644);
MODULE_PARM_DESC(nointxmask, "Mask INTx at the interrupt controller only, as for a function that cannot mask it");

static bool disable_idle_d3;
module_param(disable_idle_d3, bool, 0644);
MODULE_PARM_DESC(disable_idle_d3, "Keep functions that nobody has open out of low power");

static bool disable_vga;
module_param(disable_vga, bool, 0444);
MODULE_PARM_DESC(disable_vga, "Give no access to VGA resources");

static bool enable_sriov;
module_param(enable_sriov, bool, 0644);
MODULE_PARM_DESC(enable_sriov, "Allow virtual functions, which need a physical function's driver in user space");

static bool disable_denylist;
module_param(disable_denylist, bool, 0444);
MODULE_PARM_DESC(disable_denylist, "Allow functions that untrusted users can do harm with");

/**
 * struct sva_vfio_pci - a function
 * @core: vfio-pci's part; first, since drvdata points to it
 * @sdev: What PASIDs are attached to, or NULL
 * @sv: Those of the user
 */
struct sva_vfio_pci {
	struct vfio_pci_core_device core;
	struct sva_device *sdev;
	struct sva_vfio *sv;
};

/* The module itself, and each function until its last reference is given up. */
static refcount_t users = REFCOUNT_INIT(1);
static DECLARE_COMPLETION(unused);

static void put_one(void)
{
	if (refcount_dec_and_test(&users))
		complete(&unused);
}

static struct sva_vfio_pci *to_device(struct vfio_device *vdev)
{
	return container_of(vdev, struct sva_vfio_pci, core.vdev);
}

static int vfio_init(struct vfio_device *vdev)
{
	struct vfio_pci_core_device *core = &to_device(vdev)->core;
	int ret;

	/* For good: a later change is not for functions that are bound. */
	core->nointxmask = nointxmask;
	core->disable_idle_d3 = disable_idle_d3;
	core->disable_vga = disable_vga;
	ret = vfio_pci_core_init_dev(vdev);
	if (!ret)
		refcount_inc(&users);
	return ret;
}

static void vfio_release(struct vfio_device *vdev)
{
	vfio_pci_core_release_dev(vdev);
	put_one();
}

static int vfio_open(struct vfio_device *vdev)
{
	struct vfio_pci_core_device *core = &to_device(vdev)->core;
	int ret;

	ret = vfio_pci_core_enable(core);
	if (ret)
		return ret;
	vfio_pci_core_finish_enable(core);
	return 0;
}

/*
 * The function is awake, to hear that it has to forget translations, and makes no
 * more requests when its PASIDs go.
 */
static void vfio_close(struct vfio_device *vdev)
{
	struct sva_vfio_pci *dev = to_device(vdev);
	struct pci_dev *pdev = dev->core.pdev;

	pm_runtime_get_sync(&pdev->dev);
	pci_clear_master(pdev);
	sva_vfio_close(dev->sv);
	vfio_pci_core_close_device(vdev);
	pm_runtime_put(&pdev->dev);
}

static int vfio_feature(struct vfio_device *vdev, u32 flags, void __user *arg,
			size_t argsz)
{
	int ret;

	ret = sva_vfio_device_feature(to_device(vdev)->sv, flags, arg, argsz);
	if (ret == -ENOTTY)
		ret = vfio_pci_core_ioctl_feature(vdev, flags, arg, argsz);
	return ret;
}

static const struct vfio_device_ops vfio_ops = {
	.name = DRIVER_NAME,
	.init = vfio_init,
	.release = vfio_release,
	.open_device = vfio_open,
	.close_device = vfio_close,
	.ioctl = vfio_pci_core_ioctl,
	.get_region_info_caps = vfio_pci_ioctl_get_region_info,
	.device_feature = vfio_feature,
	.read = vfio_pci_core_read,
	.write = vfio_pci_core_write,
	.mmap = vfio_pci_core_mmap,
	.request = vfio_pci_core_request,
	.match = vfio_pci_core_match,
	.match_token_uuid = vfio_pci_core_match_token_uuid,
	.bind_iommufd = vfio_iommufd_physical_bind,
	.unbind_iommufd = vfio_iommufd_physical_unbind,
	.attach_ioas = vfio_iommufd_physical_attach_ioas,
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
	.pasid_attach_ioas = vfio_iommufd_physical_pasid_attach_ioas,
	.pasid_detach_ioas = vfio_iommufd_physical_pasid_detach_ioas,
};

static const struct vfio_pci_device_ops pci_ops = {
	.get_dmabuf_phys = vfio_pci_core_get_dmabuf_phys,
};

/* Those that vfio-pci refuses */
static const struct pci_device_id denylist[] = {
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_C3XXX) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_C3XXX_VF) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_C62X) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_C62X_VF) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_DH895XCC) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_DH895XCC_VF) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_DSA_SPR0) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_IAX_SPR0) },
	{ }
};

static bool is_denied(struct pci_dev *pdev)
{
	if (!pci_match_id(denylist, pdev))
		return false;
	pci_warn(pdev, "untrusted users can do harm with it: %s\n",
		 disable_denylist ? "allowed by disable_denylist" : "refused");
	return !disable_denylist;
}

/* Without an IOMMU it may still be used as VFIO's no-IOMMU mode allows. */
static int register_sva(struct sva_vfio_pci *dev)
{
	struct sva_device *sdev;

	sdev = sva_device_register(&dev->core.pdev->dev, 0);
	if (IS_ERR(sdev) && PTR_ERR(sdev) != -ENODEV)
		return PTR_ERR(sdev);
	dev->sdev = IS_ERR(sdev) ? NULL : sdev;
	dev->sv = sva_vfio_create(&dev->core.vdev, dev->sdev, NULL);
	if (!IS_ERR(dev->sv))
		return 0;
	if (dev->sdev)
		sva_device_unregister(dev->sdev);
	return PTR_ERR(dev->sv);
}

static void unregister_sva(struct sva_vfio_pci *dev)
{
	sva_vfio_destroy(dev->sv);
	if (dev->sdev)
		sva_device_unregister(dev->sdev);
}

static int pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct sva_vfio_pci *dev;
	int ret;

	if (is_denied(pdev))
		return -EINVAL;

	dev = vfio_alloc_device(sva_vfio_pci, core.vdev, &pdev->dev, &vfio_ops);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	dev_set_drvdata(&pdev->dev, &dev->core);
	dev->core.pci_ops = &pci_ops;
	ret = register_sva(dev);
	if (ret)
		goto out_put;
	ret = vfio_pci_core_register_device(&dev->core);
	if (ret)
		goto out_sva;
	return 0;

out_sva:
	unregister_sva(dev);
out_put:
	vfio_put_device(&dev->core.vdev);
	return ret;
}

/* VFIO waits until nobody has it open: there are no bonds then. */
static void pci_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(&pdev->dev);
	struct sva_vfio_pci *dev = to_device(&core->vdev);

	vfio_pci_core_unregister_device(core);
	unregister_sva(dev);
	vfio_put_device(&core->vdev);
}

static int pci_sriov_configure(struct pci_dev *pdev, int nr_virtfn)
{
	if (!enable_sriov)
		return -ENOENT;
	return vfio_pci_core_sriov_configure(dev_get_drvdata(&pdev->dev),
					     nr_virtfn);
}

static struct pci_driver sva_vfio_pci_driver = {
	.name = DRIVER_NAME,
	.probe = pci_probe,
	.remove = pci_remove,
	.sriov_configure = pci_sriov_configure,
	.err_handler = &vfio_pci_core_err_handlers,
	.driver_managed_dma = true,
};

static int __init sva_vfio_pci_init(void)
{
	return pci_register_driver(&sva_vfio_pci_driver);
}
module_init(sva_vfio_pci_init);

static void __exit sva_vfio_pci_exit(void)
{
	pci_unregister_driver(&sva_vfio_pci_driver);
	/* VFIO calls vfio_release() whenever it is done with a function. */
	put_one();
	wait_for_completion(&unused);
}
module_exit(sva_vfio_pci_exit);

MODULE_DESCRIPTION("VFIO for PCI functions, with PASIDs of /dev/sva");
MODULE_LICENSE("GPL");
