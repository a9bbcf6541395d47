// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/vfio.h>
#include <sva/sva.h>
#include <sva/vfio.h>

#define SIZE 65536
#define IOVA 0x40000000

/* A RID handle that reaches the memory, and nothing else */
static int make_handle(struct sva *sva, void *memory, uint32_t *rid)
{
	uint64_t iova = IOVA;
	uint32_t as;

	if (sva_pasid_alloc_rid(sva, rid) || sva_as_alloc_iova(sva, 0, &as) ||
	    sva_iova_map(sva, as, memory, SIZE, SVA_IOVA_F_READ |
			 SVA_IOVA_F_WRITE | SVA_IOVA_F_FIXED, &iova))
		return -1;
	return sva_pasid_bind(sva, *rid, as);
}

int main(int argc, char **argv)
{
	struct sva *sva;
	uint32_t rid;
	int container, group, device, err;
	void *memory;

	/* For example "/dev/vfio/12" and "0000:01:00.0" */
	if (argc != 3)
		return 2;
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || sva_open(&sva, 0) ||
	    make_handle(sva, memory, &rid))
		return 1;

	container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	group = open(argv[1], O_RDWR | O_CLOEXEC);
	if (container < 0 || group < 0 ||
	    ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
	    ioctl(container, VFIO_SET_IOMMU, VFIO_SVA_IOMMU)) {
		perror("container");
		return 1;
	}
	err = sva_vfio_container_set(container, sva, rid);
	if (err) {
		fprintf(stderr, "container: %s\n",
			sva_strerror(SVA_CALL_ATTACH, err));
		return 1;
	}
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, argv[2]);
	if (device < 0)
		return 1;
	printf("%s sees the memory at %#x\n", argv[2], IOVA);

	/* The device first: it must not use what goes away with the context. */
	close(device);
	close(group);
	close(container);
	sva_close(sva);
	return 0;
}
