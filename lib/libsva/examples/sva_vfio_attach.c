// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include <linux/vfio.h>
#include <sva/sva.h>
#include <sva/vfio.h>

/* For example "/dev/vfio/12" and "0000:01:00.0" */
static int open_device(const char *group_path, const char *name)
{
	int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	int group = open(group_path, O_RDWR | O_CLOEXEC);

	if (container < 0 || group < 0 ||
	    ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
	    ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return -1;
	return ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);
}

int main(int argc, char **argv)
{
	struct sva_vfio_info info;
	uint32_t pasid, number;
	struct sva *sva;
	int device, err;

	if (argc != 3)
		return 2;
	device = open_device(argv[1], argv[2]);
	if (device < 0 || sva_open(&sva, 0))
		return 1;
	if (sva_vfio_info(device, &info, sizeof(info)) || !info.pasid_bits) {
		fprintf(stderr, "no PASIDs by this driver, or device\n");
		return 1;
	}
	if (sva_pasid_alloc_max(sva, (1u << info.pasid_bits) - 1, &pasid))
		return 1;
	err = sva_vfio_attach(device, sva, pasid, -1, &number);
	if (err) {
		fprintf(stderr, "attach: %s\n",
			sva_strerror(SVA_CALL_ATTACH, err));
		return 1;
	}
	printf("attached %u, with its DMA blocked until it is bound\n", number);
	if (sva_vfio_detach(device, number))
		return 1;
	sva_close(sva);
	return 0;
}
