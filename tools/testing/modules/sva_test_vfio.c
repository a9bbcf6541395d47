// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VFIO device whose DMA is emulated: what mediated devices without an IOMMU are to
 * VFIO. It is for tests of what VFIO asks about its group, and can do nothing.
 */
#include <linux/completion.h>
#include <linux/device/faux.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/vfio.h>

#define NAME "sva_test_vfio"

struct emulated {
	struct vfio_device vdev;
};

static struct faux_device *device;
static DECLARE_COMPLETION(released);

static void emulated_release(struct vfio_device *vdev)
{
	complete(&released);
}

static const struct vfio_device_ops emulated_ops = {
	.name = NAME,
	.release = emulated_release,
	.bind_iommufd = vfio_iommufd_emulated_bind,
	.unbind_iommufd = vfio_iommufd_emulated_unbind,
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
};

static int emulated_probe(struct faux_device *fdev)
{
	struct emulated *em;
	int ret;

	em = vfio_alloc_device(emulated, vdev, &fdev->dev, &emulated_ops);
	if (IS_ERR(em))
		return PTR_ERR(em);
	ret = vfio_register_emulated_iommu_dev(&em->vdev);
	if (ret)
		vfio_put_device(&em->vdev);
	else
		faux_device_set_drvdata(fdev, em);
	return ret;
}

static void emulated_remove(struct faux_device *fdev)
{
	struct emulated *em = faux_device_get_drvdata(fdev);

	vfio_unregister_group_dev(&em->vdev);
	vfio_put_device(&em->vdev);
}

static const struct faux_device_ops faux_ops = {
	.probe = emulated_probe,
	.remove = emulated_remove,
};

static int __init sva_test_vfio_init(void)
{
	device = faux_device_create(NAME, NULL, &faux_ops);
	return device ? 0 : -ENODEV;
}
module_init(sva_test_vfio_init);

static void __exit sva_test_vfio_exit(void)
{
	faux_device_destroy(device);
	/* Which VFIO calls whenever it is done with the device. */
	wait_for_completion(&released);
}
module_exit(sva_test_vfio_exit);

MODULE_DESCRIPTION("A VFIO device with emulated DMA, for tests of /dev/sva");
MODULE_LICENSE("GPL");
