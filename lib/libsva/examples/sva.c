// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <fcntl.h>
#include <linux/sva.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(void)
{
	struct sva_pasid_alloc alloc = { .size = sizeof(alloc), .count = 1 };
	int fd = open("/dev/sva", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, SVA_PASID_ALLOC, &alloc)) {
		perror("/dev/sva");
		return 1;
	}
	printf("PASID %u\n", alloc.pasid);
	close(fd);
	return 0;
}
