// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Descriptors that tell of what happens: page requests, and a vIOMMU's events. */
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "internal.h"

/* How many were read, or a negative errno; as many as an int can say. */
static int read_some(int fd, void *entries, size_t entry_size, unsigned int room)
{
	ssize_t n;

	if (room > INT_MAX / entry_size)
		room = INT_MAX / (unsigned int)entry_size;
	n = read(fd, entries, room * entry_size);
	return n < 0 ? -errno : (int)((size_t)n / entry_size);
}

static int wait_readable(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int n;

	/* to poll(2) it would be one to leave out */
	if (fd < 0)
		return -EBADF;
	n = poll(&pfd, 1, timeout_ms);
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ETIMEDOUT;
	return pfd.revents & POLLNVAL ? -EBADF : 0;
}

SVA_EXPORT int sva_faultq_alloc(const struct sva *sva, unsigned int flags,
				uint32_t depth, int *fd)
{
	struct sva_faultq_alloc arg = {
		.size = sizeof(arg),
		.flags = flags,
		.depth = depth,
	};
	int err = sva_ioctl(sva->fd, SVA_FAULTQ_ALLOC, &arg);

	if (!err)
		*fd = arg.fd;
	return err;
}

SVA_EXPORT int sva_faultq_read(int fd, struct sva_fault *faults,
			       unsigned int room)
{
	return read_some(fd, faults, sizeof(*faults), room);
}

SVA_EXPORT int sva_faultq_wait(int fd, int timeout_ms)
{
	return wait_readable(fd, timeout_ms);
}

SVA_EXPORT int sva_faultq_respond(int fd,
				  const struct sva_fault_response *responses,
				  unsigned int num)
{
	ssize_t n;

	if (!num)
		return 0;
	if (num > INT_MAX / sizeof(*responses))
		num = INT_MAX / sizeof(*responses);
	n = write(fd, responses, num * sizeof(*responses));
	return n < 0 ? -errno : (int)((size_t)n / sizeof(*responses));
}

SVA_EXPORT int sva_veventq_alloc(const struct sva *sva, uint32_t viommu,
				 unsigned int flags, uint32_t depth, int *fd)
{
	struct sva_veventq_alloc arg = {
		.size = sizeof(arg),
		.flags = flags,
		.viommu_id = viommu,
		.depth = depth,
	};
	int err = sva_ioctl(sva->fd, SVA_VEVENTQ_ALLOC, &arg);

	if (!err)
		*fd = arg.fd;
	return err;
}

SVA_EXPORT int sva_veventq_read(int fd, struct sva_vevent *events,
				unsigned int room)
{
	return read_some(fd, events, sizeof(*events), room);
}

SVA_EXPORT int sva_veventq_wait(int fd, int timeout_ms)
{
	return wait_readable(fd, timeout_ms);
}
