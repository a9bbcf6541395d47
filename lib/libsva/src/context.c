// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Contexts: one open of /dev/sva. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

#define SVA_DEVICE "/dev/sva"

int sva_result_init(void *result, size_t size, size_t min)
{
	uint32_t size32 = (uint32_t)size;

	if (size < min || size32 != size)
		return -EINVAL;
	memset(result, 0, size);
	/* every structure of the uAPI begins with its size */
	memcpy(result, &size32, sizeof(size32));
	return 0;
}

static int wrap(struct sva **sva, int fd)
{
	struct sva *new = malloc(sizeof(*new));

	if (!new)
		return -ENOMEM;
	new->fd = fd;
	*sva = new;
	return 0;
}

/* A node without a driver behind it is as good as none: both are -ENODEV. */
static int open_device(int *fd)
{
	*fd = open(SVA_DEVICE, O_RDWR | O_CLOEXEC);
	if (*fd >= 0)
		return 0;
	return errno == ENOENT || errno == ENXIO ? -ENODEV : -errno;
}

SVA_EXPORT int sva_open(struct sva **sva, unsigned int flags)
{
	int fd, err;

	if (flags & ~(unsigned int)SVA_OPEN_NO_LOAD)
		return -EINVAL;

	err = open_device(&fd);
	if (err == -ENODEV) {
		if (flags & SVA_OPEN_NO_LOAD)
			return -ENOENT;
		err = sva_load_module();
		if (!err)
			err = open_device(&fd);
	}
	if (err)
		return err;

	err = wrap(sva, fd);
	if (err)
		close(fd);
	return err;
}

SVA_EXPORT int sva_from_fd(struct sva **sva, int fd)
{
	struct sva_get_info info = { .size = sizeof(info) };
	struct stat st;

	/* The number of the ioctl may mean something else to other devices. */
	if (fstat(fd, &st) || !S_ISCHR(st.st_mode) ||
	    sva_ioctl(fd, SVA_GET_INFO, &info))
		return -EBADF;
	return wrap(sva, fd);
}

SVA_EXPORT int sva_fd(const struct sva *sva)
{
	return sva->fd;
}

SVA_EXPORT void sva_close(struct sva *sva)
{
	if (!sva)
		return;
	close(sva->fd);
	free(sva);
}

SVA_EXPORT int sva_get_info(const struct sva *sva, struct sva_get_info *info,
			    size_t size)
{
	int err = sva_result_init(info, size, sizeof(uint64_t));

	return err ? err : sva_ioctl(sva->fd, SVA_GET_INFO, info);
}
