// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contexts and the address spaces in them: from open to the last close, over
 * fork, exec and SCM_RIGHTS.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include "sva_core.h"
#include "sva_uffd.h"
#include "kselftest_harness.h"

FIXTURE(as_context) {
	struct core_counts before;
	int fd;
};

FIXTURE_SETUP(as_context)
{
	self->before = core_counts();
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(as_context)
{
	close(self->fd);
	EXPECT_TRUE(core_settles(&self->before));
}

/* --- address spaces ---------------------------------------------------------- */

TEST_F(as_context, alloc_and_destroy)
{
	uint32_t as;

	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	EXPECT_NE(SVA_AS_NONE, as);
	EXPECT_FALSE(as & SVA_PASID_HANDLE);
	EXPECT_EQ(0, sva_destroy(self->fd, as));
	EXPECT_EQ(-ENOENT, sva_destroy(self->fd, as));
}

TEST_F(as_context, unknown_types)
{
	struct sva_as_alloc cmd = { .size = sizeof(cmd) };
	static const uint32_t types[] = { 0, 4, 100, UINT32_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		cmd.type = types[i];
		EXPECT_EQ(-EOPNOTSUPP, sva_ioctl(self->fd, SVA_AS_ALLOC, &cmd));
	}
}

TEST_F(as_context, many_address_spaces)
{
	static uint32_t as[1000];
	int i, j;

	for (i = 0; i < 1000; i++) {
		ASSERT_EQ(0, sva_as_alloc(self->fd, &as[i]));
		for (j = 0; j < i; j++)
			ASSERT_NE(as[j], as[i]);
	}
	for (i = 1; i < 1000; i += 2)
		ASSERT_EQ(0, sva_destroy(self->fd, as[i]));
	for (i = 0; i < 1000; i++)
		ASSERT_EQ(i % 2 ? -ENOENT : 0,
			  iova_unmap_all(self->fd, as[i]));
}

TEST_F(as_context, destroy_unpins)
{
	long pinned = self->before.pinned;
	void *p = sva_mem(64 * CORE_PAGE);
	uint64_t iova = 0;
	uint32_t as;

	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, sva_map(self->fd, as, CORE_RW, p, 64 * CORE_PAGE, &iova));
	EXPECT_EQ(pinned + 64, core_count("pinned_pages"));
	EXPECT_EQ(0, sva_destroy(self->fd, as));
	EXPECT_EQ(pinned, core_count("pinned_pages"));
}

TEST_F(as_context, destroy_while_bound)
{
	uint32_t as, pasid;

	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
	EXPECT_EQ(-EBUSY, sva_destroy(self->fd, as));
	EXPECT_EQ(0, sva_pasid_bind(self->fd, pasid, SVA_AS_NONE));
	EXPECT_EQ(0, sva_destroy(self->fd, as));
}

TEST_F(as_context, destroy_while_a_map_is_under_way)
{
	struct slow_memory slow;
	struct slow_map map;
	uint32_t as, second;

	ASSERT_EQ(0, slow_memory_init(&slow, 4 * CORE_PAGE));
	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, slow_map_start(&map, self->fd, as, &slow, 1 << 20));
	ASSERT_EQ(0, slow_memory_wait(&slow));

	EXPECT_EQ(-EBUSY, sva_destroy(self->fd, as));
	/* Others do not wait for it. */
	EXPECT_EQ(0, sva_as_alloc(self->fd, &second));
	EXPECT_EQ(0, sva_destroy(self->fd, second));

	ASSERT_EQ(0, slow_memory_fill(&slow));
	EXPECT_EQ(0, slow_map_end(&map));
	EXPECT_EQ(0, sva_destroy(self->fd, as));
	slow_memory_exit(&slow);
}

/* --- contexts ---------------------------------------------------------------- */

TEST_F(as_context, many_contexts)
{
	static int fds[500];
	uint32_t as, pasid, last = 0;
	int i;

	for (i = 0; i < 500; i++) {
		fds[i] = sva_open();
		ASSERT_LE(0, fds[i]);
		ASSERT_EQ(0, sva_as_alloc(fds[i], &as));
		ASSERT_EQ(0, pasid_alloc(fds[i], 0, 0, 1, &pasid));
		EXPECT_NE(last, pasid);
		last = pasid;
	}
	EXPECT_EQ(self->before.contexts + 501, core_count("contexts"));
	EXPECT_EQ(self->before.pasids + 500, core_count("pasids"));
	for (i = 0; i < 500; i++)
		close(fds[i]);
}

TEST_F(as_context, ends_with_the_last_descriptor)
{
	int copy = dup(self->fd);
	uint32_t pasid;

	ASSERT_LE(0, copy);
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	close(self->fd);
	EXPECT_EQ(self->before.contexts + 1, core_count("contexts"));
	EXPECT_EQ(0, pasid_free(copy, pasid, 1));
	close(copy);
	EXPECT_EQ(self->before.contexts, core_count("contexts"));
	self->fd = -1;
}

/* Runs in a child; what it answers is its exit status. */
static int in_child(int (*fn)(int fd, uint32_t arg), int fd, uint32_t arg)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(fn(fd, arg));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int free_in_child(int fd, uint32_t pasid)
{
	uint32_t more;

	return -pasid_free(fd, pasid, 1) ?: -pasid_alloc(fd, 0, 0, 10, &more);
}

TEST_F(as_context, is_shared_after_fork)
{
	struct sva_pasid_info info;
	uint32_t pasid;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, in_child(free_in_child, self->fd, pasid));
	/* One of the child's ten may be it. */
	EXPECT_EQ(self->before.pasids + 10, core_count("pasids"));
	EXPECT_EQ(self->before.contexts + 1, core_count("contexts"));
	EXPECT_EQ(-ENOENT, sva_pasid_info(self->fd, 0xfffff, &info));
}

/* Mapped memory is that of the process that calls. */
static int map_in_child(int fd, uint32_t as)
{
	char *p = sva_mem(CORE_PAGE);

	return -iova_map_at(fd, as, CORE_RW, p, CORE_PAGE, 1 << 20);
}

TEST_F(as_context, a_map_outlives_the_process_that_made_it)
{
	uint32_t as;

	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, in_child(map_in_child, self->fd, as));
	EXPECT_EQ(self->before.pinned + 1, core_count("pinned_pages"));
	EXPECT_EQ(CORE_PAGE, iova_unmap(self->fd, as, 1 << 20, CORE_PAGE));
	EXPECT_EQ(self->before.pinned, core_count("pinned_pages"));
}

TEST_F(as_context, ends_with_exec)
{
	int status, to[2];
	pid_t pid;

	close(self->fd);
	ASSERT_EQ(0, pipe(to));
	pid = fork();
	if (!pid) {
		uint32_t pasid;
		int fd = sva_open();

		if (fd < 0 || pasid_alloc(fd, 0, 0, 100, &pasid))
			_exit(1);
		dup2(to[0], 0);
		close(to[1]);
		execlp("cat", "cat", NULL);
		_exit(2);
	}
	close(to[0]);
	/* cat lives for as long as its input is open. */
	EXPECT_TRUE(core_settles(&self->before));
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	close(to[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status) && !WEXITSTATUS(status));
	self->fd = -1;
}

/* --- a descriptor sent to another process ------------------------------------ */

static int send_fd(int sock, int fd)
{
	char space[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = sizeof(space),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static int recv_fd(int sock)
{
	char space[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = sizeof(space),
	};
	int fd = -1;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&msg))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

static int use_received(int sock, uint32_t pasid)
{
	struct sva_pasid_info info;
	int fd = recv_fd(sock);
	char byte;

	if (fd < 0 || sva_pasid_info(fd, pasid, &info))
		return 1;
	/* The sender has closed its own: the context is now ours. */
	if (read(sock, &byte, 1) != 0)
		return 2;
	if (core_count("contexts") != 1)
		return 3;
	return -sva_pasid_info(fd, pasid, &info) ?: -pasid_free(fd, pasid, 1);
}

TEST_F(as_context, sent_to_another_process)
{
	int socks[2], status;
	uint32_t pasid;
	pid_t pid;

	if (self->before.contexts)
		SKIP(return, "somebody else has /dev/sva open");
	close(self->fd);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	pid = fork();
	if (!pid) {
		/* It gets no descriptor by inheritance. */
		close(socks[0]);
		if (read(socks[1], &pasid, sizeof(pasid)) != sizeof(pasid))
			_exit(100);
		_exit(use_received(socks[1], pasid));
	}
	close(socks[1]);
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(sizeof(pasid), write(socks[0], &pasid, sizeof(pasid)));
	ASSERT_EQ(0, send_fd(socks[0], self->fd));
	close(self->fd);
	self->fd = -1;
	close(socks[0]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* A message that is never received holds the context, and lets go of it. */
TEST_F(as_context, sent_and_lost)
{
	int socks[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	ASSERT_EQ(0, send_fd(socks[0], self->fd));
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(self->before.contexts + 1, core_count("contexts"));
	close(socks[0]);
	close(socks[1]);
}

/* --- threads ----------------------------------------------------------------- */

static void *call_until_closed(void *arg)
{
	uint32_t as, pasid;
	int fd = *(int *)arg;
	char *p = sva_mem(CORE_PAGE);
	uint64_t iova = 0;
	long n = 0;

	while (!sva_as_alloc(fd, &as)) {
		if (!pasid_alloc(fd, 0, 0, 3, &pasid))
			sva_pasid_bind(fd, pasid, as);
		sva_map(fd, as, CORE_RW, p, CORE_PAGE, &iova);
		n++;
	}
	munmap(p, CORE_PAGE);
	return (void *)n;
}

TEST_F(as_context, closed_under_the_hands_of_threads)
{
	pthread_t threads[4];
	int round, i;
	void *n;

	for (round = 0; round < 10; round++) {
		for (i = 0; i < 4; i++)
			ASSERT_EQ(0, pthread_create(&threads[i], NULL,
						    call_until_closed,
						    &self->fd));
		core_sleep_ms(20);
		close(self->fd);
		for (i = 0; i < 4; i++)
			ASSERT_EQ(0, pthread_join(threads[i], &n));
		ASSERT_TRUE(core_settles(&self->before));
		self->fd = sva_open();
		ASSERT_LE(0, self->fd);
	}
}

/* The call goes on, and the context with it. */
TEST_F(as_context, closed_while_a_map_is_under_way)
{
	struct slow_memory slow;
	struct slow_map map;
	uint32_t as;

	ASSERT_EQ(0, slow_memory_init(&slow, 4 * CORE_PAGE));
	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, slow_map_start(&map, self->fd, as, &slow, 1 << 20));
	ASSERT_EQ(0, slow_memory_wait(&slow));
	close(self->fd);
	EXPECT_EQ(self->before.contexts + 1, core_count("contexts"));
	ASSERT_EQ(0, slow_memory_fill(&slow));
	EXPECT_EQ(0, slow_map_end(&map));
	EXPECT_TRUE(core_settles(&self->before));
	slow_memory_exit(&slow);
	self->fd = -1;
}

static void *alloc_destroy(void *arg)
{
	int fd = *(int *)arg;
	uint32_t as;
	long i;

	for (i = 0; i < 2000; i++)
		if (sva_as_alloc(fd, &as) || sva_destroy(fd, as))
			return (void *)1L;
	return NULL;
}

/* Each destroys what others may be about to use: no more than -EBUSY, -ENOENT. */
static void *destroy_any(void *arg)
{
	int fd = *(int *)arg;
	uint32_t pasid;
	long i;

	if (pasid_alloc(fd, 0, 0, 1, &pasid))
		return (void *)1L;
	for (i = 0; i < 2000; i++) {
		uint32_t as = 1 + i % 8;
		int ret = sva_pasid_bind(fd, pasid, as);

		if (ret && ret != -ENOENT)
			return (void *)1L;
		ret = sva_destroy(fd, as);
		if (ret != -ENOENT && ret != -EBUSY && ret)
			return (void *)1L;
	}
	return NULL;
}

TEST_F(as_context, threads_at_ids)
{
	pthread_t threads[4];
	void *ret;
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL,
					    i == 3 ? alloc_destroy : destroy_any,
					    &self->fd));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], &ret));
		/* Its spaces are destroyed by the others. */
		if (i != 3) {
			EXPECT_EQ(NULL, ret);
		}
	}
}

TEST_HARNESS_MAIN
