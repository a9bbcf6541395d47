// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Handing a context, and a PASID in it, or a PASID fd, to another process. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "internal.h"

/* since Linux 6.5 */
#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04
#endif

/*
 * What goes with the descriptor. Both sides are on one machine, therefore in
 * one byte order. It is sent and received whole by one call each, on a stream as
 * well: Linux cuts a message only if it is longer than half of a send buffer, and
 * the smallest of them has some thousand bytes.
 */
struct handover {
	uint32_t magic;
	uint32_t pasid;
};

#define CONTEXT_MAGIC 0x31617673u
#define PASID_FD_MAGIC 0x31667073u

/*
 * Room for more than the one descriptor that belongs there: what does not fit
 * is closed by the kernel, what fits must be closed by us. And for what sockets
 * can be told to add: who sent it, with which label, when.
 */
union control {
	struct cmsghdr align;
	char buf[1024];
};

static int send_handover(int sock, int fd, struct handover *data)
{
	struct iovec iov = { .iov_base = data, .iov_len = sizeof(*data) };
	union control control = { 0 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = CMSG_SPACE(sizeof(int)),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	ssize_t n;

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));

	do {
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

SVA_EXPORT int sva_send(const struct sva *sva, int sock, uint32_t pasid)
{
	struct handover data = { .magic = CONTEXT_MAGIC, .pasid = pasid };

	return send_handover(sock, sva->fd, &data);
}

SVA_EXPORT int sva_pasid_fd_send(int fd, int sock)
{
	struct handover data = { .magic = PASID_FD_MAGIC };

	return send_handover(sock, fd, &data);
}

/*
 * The one descriptor of a message, or -EPROTO if there is not exactly one; then
 * those that there are have been closed. A pidfd of the sender is not counted: it
 * is there because the socket was told to add it, and nobody else will close it.
 */
static int take_fd(struct msghdr *msg)
{
	size_t i, count, rights = 0;
	struct cmsghdr *cmsg;
	int fd = -1, next;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET ||
		    (cmsg->cmsg_type != SCM_RIGHTS &&
		     cmsg->cmsg_type != SCM_PIDFD))
			continue;
		count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < count; i++) {
			memcpy(&next, CMSG_DATA(cmsg) + i * sizeof(int),
			       sizeof(int));
			if (cmsg->cmsg_type == SCM_RIGHTS && !rights++)
				fd = next;
			else if (next >= 0)
				close(next);
		}
	}
	if (rights == 1 && !(msg->msg_flags & (MSG_CTRUNC | MSG_TRUNC)))
		return fd;
	if (rights)
		close(fd);
	return -EPROTO;
}

/* The descriptor that came, or a negative errno. */
static int recv_handover(int sock, uint32_t magic, struct handover *data)
{
	struct iovec iov = { .iov_base = data, .iov_len = sizeof(*data) };
	union control control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	ssize_t n;
	int fd;

	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;

	fd = take_fd(&msg);
	/* the end also has what the socket was told to add */
	if (fd < 0)
		return n ? fd : -EPIPE;
	if ((size_t)n != sizeof(*data) || data->magic != magic) {
		close(fd);
		return -EPROTO;
	}
	return fd;
}

SVA_EXPORT int sva_recv(struct sva **sva, int sock, uint32_t *pasid)
{
	struct handover data;
	int fd, err;

	fd = recv_handover(sock, CONTEXT_MAGIC, &data);
	if (fd < 0)
		return fd;
	err = sva_from_fd(sva, fd);
	if (err) {
		close(fd);
		return err;
	}
	if (pasid)
		*pasid = data.pasid;
	return 0;
}

SVA_EXPORT int sva_pasid_fd_recv(int *fd, int sock)
{
	struct handover data;
	int received = recv_handover(sock, PASID_FD_MAGIC, &data);

	if (received < 0)
		return received;
	*fd = received;
	return 0;
}
