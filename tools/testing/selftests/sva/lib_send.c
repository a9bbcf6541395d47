// SPDX-License-Identifier: GPL-2.0-only
/* libsva: handing a context to another process over a unix socket. */
#include <pthread.h>
#include <sys/socket.h>

#include "lib_util.h"
#include "kselftest_harness.h"

/* The kernel takes no more at once. */
#define MAX_FDS	253

FIXTURE(lib_send) {
	struct sva *sva;
	int sock[2];
	int fds;
};

FIXTURE_VARIANT(lib_send) {
	int type;
};

FIXTURE_VARIANT_ADD(lib_send, stream) {
	.type = SOCK_STREAM,
};

FIXTURE_VARIANT_ADD(lib_send, seqpacket) {
	.type = SOCK_SEQPACKET,
};

FIXTURE_VARIANT_ADD(lib_send, dgram) {
	.type = SOCK_DGRAM,
};

FIXTURE_SETUP(lib_send)
{
	ASSERT_EQ(0, sva_open(&self->sva, 0));
	ASSERT_EQ(0, socketpair(AF_UNIX, variant->type | SOCK_CLOEXEC, 0,
				self->sock));
	self->fds = lib_count_fds();
}

FIXTURE_TEARDOWN(lib_send)
{
	/* whatever was received has been closed again */
	EXPECT_EQ(self->fds, lib_count_fds());
	close(self->sock[0]);
	close(self->sock[1]);
	sva_close(self->sva);
}

/* Sends data with descriptors, as a program without libsva would. */
static ssize_t send_raw(int sock, const void *data, size_t len, const int *fds,
			unsigned int count)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (count) {
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, count * sizeof(int));
	}
	return sendmsg(sock, &msg, MSG_NOSIGNAL);
}

/* What sva_send() puts beside the descriptor; the descriptor is dropped. */
static ssize_t capture(const struct sva *sva, uint32_t pasid, char *buf,
		       size_t len)
{
	int sock[2];
	ssize_t n = -1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		return -1;
	if (!sva_send(sva, sock[0], pasid))
		n = recv(sock[1], buf, len, 0);
	close(sock[0]);
	close(sock[1]);
	return n;
}

TEST_F(lib_send, same_context)
{
	uint32_t pasid, received = LIB_UNSET;
	struct sva *sva;

	ASSERT_EQ(0, sva_pasid_alloc(self->sva, &pasid));
	ASSERT_EQ(0, sva_send(self->sva, self->sock[0], pasid));
	ASSERT_EQ(0, sva_recv(&sva, self->sock[1], &received));
	EXPECT_EQ(pasid, received);
	EXPECT_NE(sva_fd(self->sva), sva_fd(sva));
	EXPECT_EQ(FD_CLOEXEC, fcntl(sva_fd(sva), F_GETFD));
	EXPECT_EQ(0, sva_pasid_free(sva, pasid));
	EXPECT_EQ(-ENOENT, sva_pasid_free(self->sva, pasid));
	sva_close(sva);
}

TEST_F(lib_send, pasid_is_optional)
{
	struct sva *sva;

	ASSERT_EQ(0, sva_send(self->sva, self->sock[0], 0));
	ASSERT_EQ(0, sva_recv(&sva, self->sock[1], NULL));
	sva_close(sva);
}

TEST_F(lib_send, several_in_a_row)
{
	struct sva *sva;
	uint32_t i, pasid;

	for (i = 1; i <= 5; i++)
		ASSERT_EQ(0, sva_send(self->sva, self->sock[0], i));
	for (i = 1; i <= 5; i++) {
		ASSERT_EQ(0, sva_recv(&sva, self->sock[1], &pasid));
		EXPECT_EQ(i, pasid);
		sva_close(sva);
	}
}

static int receive_in_child(void *arg)
{
	struct sva *sva;
	uint32_t pasid;

	if (sva_recv(&sva, *(int *)arg, &pasid))
		return 1;
	if (sva_pasid_free(sva, pasid))
		return 2;
	sva_close(sva);
	return 0;
}

TEST_F(lib_send, to_another_process)
{
	uint32_t pasid;

	ASSERT_EQ(0, sva_pasid_alloc(self->sva, &pasid));
	ASSERT_EQ(0, sva_send(self->sva, self->sock[0], pasid));
	EXPECT_EQ(0, lib_in_child(receive_in_child, &self->sock[1]));
	EXPECT_EQ(-ENOENT, sva_pasid_free(self->sva, pasid));
}

TEST_F(lib_send, keeps_context_alive)
{
	struct sva *first, *second;
	uint32_t pasid;

	ASSERT_EQ(0, sva_open(&first, 0));
	ASSERT_EQ(0, sva_pasid_alloc(first, &pasid));
	ASSERT_EQ(0, sva_send(first, self->sock[0], pasid));
	sva_close(first);
	ASSERT_EQ(0, sva_recv(&second, self->sock[1], &pasid));
	EXPECT_EQ(0, sva_pasid_free(second, pasid));
	sva_close(second);
}

TEST_F(lib_send, peer_gone)
{
	bool dgram = variant->type == SOCK_DGRAM;
	struct sva *sva = NULL;

	close(self->sock[1]);
	EXPECT_EQ(dgram ? -ECONNREFUSED : -EPIPE,
		  sva_send(self->sva, self->sock[0], 1));
	/* who receives datagrams is not told that no more will come */
	if (!dgram)
		EXPECT_EQ(-EPIPE, sva_recv(&sva, self->sock[0], NULL));
	EXPECT_EQ(NULL, sva);
	self->sock[1] = dup(self->sock[0]);
}

TEST_F(lib_send, peer_gone_unread)
{
	bool dgram = variant->type == SOCK_DGRAM;
	struct sva *sva = NULL;

	ASSERT_EQ(0, fcntl(self->sock[0], F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, sva_send(self->sva, self->sock[0], 1));
	close(self->sock[1]);
	EXPECT_EQ(dgram ? -EAGAIN : -ECONNRESET,
		  sva_recv(&sva, self->sock[0], NULL));
	EXPECT_EQ(dgram ? -EAGAIN : -EPIPE,
		  sva_recv(&sva, self->sock[0], NULL));
	EXPECT_EQ(NULL, sva);
	self->sock[1] = dup(self->sock[0]);
}

TEST_F(lib_send, would_block)
{
	struct sva *sva = NULL;
	int flags = fcntl(self->sock[0], F_GETFL);

	ASSERT_EQ(0, fcntl(self->sock[0], F_SETFL, flags | O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, sva_recv(&sva, self->sock[0], NULL));
	EXPECT_EQ(NULL, sva);
}

TEST_F(lib_send, no_descriptor)
{
	struct sva *sva = NULL;
	char data[64];
	ssize_t len;

	len = capture(self->sva, 1, data, sizeof(data));
	ASSERT_LT(0, len);
	ASSERT_EQ(len, send_raw(self->sock[0], data, (size_t)len, NULL, 0));
	EXPECT_EQ(-EPROTO, sva_recv(&sva, self->sock[1], NULL));
	EXPECT_EQ(NULL, sva);
}

TEST_F(lib_send, too_many_descriptors)
{
	/* as many as fit beside one by alignment, more, more than there is room */
	static const unsigned int counts[] = { 2, 6, MAX_FDS };
	int fds[MAX_FDS], i;
	struct sva *sva = NULL;
	char data[64];
	ssize_t len;

	len = capture(self->sva, 1, data, sizeof(data));
	ASSERT_LT(0, len);
	for (i = 0; i < MAX_FDS; i++)
		fds[i] = sva_fd(self->sva);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(len, send_raw(self->sock[0], data, (size_t)len, fds,
					counts[i]));
		EXPECT_EQ(-EPROTO, sva_recv(&sva, self->sock[1], NULL));
		EXPECT_EQ(self->fds, lib_count_fds());
	}
	EXPECT_EQ(NULL, sva);
}

/* Beside the descriptor there is what the socket was told to add. */
TEST_F(lib_send, sender_is_told)
{
	const int on = 1, options[] = {
		SO_PASSCRED, SO_PASSSEC, SO_PASSPIDFD, SO_TIMESTAMP,
	};
	struct sva *sva;
	uint32_t pasid;
	int i;

	/* Kernels without security modules have no labels. */
	for (i = 0; i < 4; i++)
		ASSERT_TRUE(!setsockopt(self->sock[1], SOL_SOCKET, options[i],
					&on, sizeof(on)) ||
			    (options[i] == SO_PASSSEC && errno == EOPNOTSUPP));
	ASSERT_EQ(0, sva_send(self->sva, self->sock[0], 5));
	ASSERT_EQ(0, sva_recv(&sva, self->sock[1], &pasid));
	EXPECT_EQ(5, pasid);
	sva_close(sva);
	EXPECT_EQ(self->fds, lib_count_fds());

	ASSERT_EQ(4, send(self->sock[0], "nope", 4, 0));
	EXPECT_EQ(-EPROTO, sva_recv(&sva, self->sock[1], &pasid));
	if (variant->type == SOCK_DGRAM)
		return;
	ASSERT_EQ(0, shutdown(self->sock[0], SHUT_WR));
	EXPECT_EQ(-EPIPE, sva_recv(&sva, self->sock[1], &pasid));
}

/* It goes as a whole or not at all, however little room there is. */
TEST_F(lib_send, smallest_buffer)
{
	const int smallest = 1;
	uint32_t sent, i, pasid;
	struct sva *sva;
	int err;

	ASSERT_EQ(0, setsockopt(self->sock[0], SOL_SOCKET, SO_SNDBUF, &smallest,
				sizeof(smallest)));
	ASSERT_EQ(0, fcntl(self->sock[0], F_SETFL, O_NONBLOCK));
	for (sent = 0; sent < 10000; sent++) {
		err = sva_send(self->sva, self->sock[0], sent + 1);
		if (err)
			break;
	}
	EXPECT_EQ(-EAGAIN, err);
	EXPECT_LT(0, sent);
	for (i = 1; i <= sent; i++) {
		ASSERT_EQ(0, sva_recv(&sva, self->sock[1], &pasid));
		EXPECT_EQ(i, pasid);
		sva_close(sva);
	}
}

/* One that was cut did not come from sva_send(): its rest is not waited for. */
TEST_F(lib_send, cut_message)
{
	int fd = sva_fd(self->sva);
	struct sva *sva = NULL;
	char data[64];
	ssize_t len;

	len = capture(self->sva, 77, data, sizeof(data));
	ASSERT_LT(3, len);
	ASSERT_EQ(3, send_raw(self->sock[0], data, 3, &fd, 1));
	EXPECT_EQ(-EPROTO, sva_recv(&sva, self->sock[1], NULL));
	ASSERT_EQ(len - 3, send(self->sock[0], data + 3, (size_t)len - 3, 0));
	EXPECT_EQ(-EPROTO, sva_recv(&sva, self->sock[1], NULL));
	EXPECT_EQ(NULL, sva);
}

static void *send_late(void *arg)
{
	struct timespec left = { .tv_nsec = 200000000 };
	void **args = arg;

	while (nanosleep(&left, &left))
		;
	return (void *)(intptr_t)sva_send(args[0], *(int *)args[1], 9);
}

TEST_F(lib_send, not_interrupted)
{
	void *args[] = { self->sva, &self->sock[0] }, *err;
	struct sva *sva;
	pthread_t thread;
	uint32_t pasid;
	timer_t timer;

	ASSERT_EQ(0, pthread_create(&thread, NULL, send_late, args));
	ASSERT_EQ(0, lib_signal_often(&timer));
	ASSERT_EQ(0, sva_recv(&sva, self->sock[1], &pasid));
	EXPECT_EQ(9, pasid);
	timer_delete(timer);
	pthread_join(thread, &err);
	EXPECT_EQ(NULL, err);
	sva_close(sva);
}

TEST_F(lib_send, other_descriptor)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct sva *sva = NULL;
	char data[64];
	ssize_t len;

	ASSERT_LE(0, null);
	len = capture(self->sva, 1, data, sizeof(data));
	ASSERT_LT(0, len);
	ASSERT_EQ(len, send_raw(self->sock[0], data, (size_t)len, &null, 1));
	close(null);
	EXPECT_EQ(-EBADF, sva_recv(&sva, self->sock[1], NULL));
	EXPECT_EQ(NULL, sva);
}

TEST_F(lib_send, other_message)
{
	int fd = sva_fd(self->sva);
	struct sva *sva = NULL;
	uint32_t pasid = LIB_UNSET;

	ASSERT_EQ(8, send_raw(self->sock[0], "hello !\n", 8, &fd, 1));
	EXPECT_EQ(-EPROTO, sva_recv(&sva, self->sock[1], &pasid));
	EXPECT_EQ(NULL, sva);
	EXPECT_EQ(LIB_UNSET, pasid);
}

TEST_F(lib_send, not_a_socket)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct sva *sva = NULL;

	ASSERT_LE(0, null);
	EXPECT_EQ(-ENOTSOCK, sva_send(self->sva, null, 1));
	EXPECT_EQ(-ENOTSOCK, sva_recv(&sva, null, NULL));
	close(null);
	EXPECT_EQ(-EBADF, sva_send(self->sva, -1, 1));
	EXPECT_EQ(-EBADF, sva_recv(&sva, -1, NULL));
	EXPECT_EQ(NULL, sva);
}

TEST_HARNESS_MAIN
