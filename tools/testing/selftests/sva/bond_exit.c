// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process whose end takes as long as its storage likes: it is over only when its
 * asynchronous I/O is, and nobody who takes its PASID out of use waits for that.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <linux/nbd.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "bond_util.h"
#include "sva_modules.h"
#include "kselftest_harness.h"

#define DISK		"/dev/nbd0"
#define DISK_SIZE	(16 << 20)
#define UNANSWERED	(8 << 20)	/* read there waits */

/* By then it is answered after all, so that what waits for it is seen, and over. */
#define ANSWER_MS	(40000L * SVA_SLOWER)
/* The kernel waits for 5 s at most. */
#define MAY_TAKE_MS	(20000L * SVA_SLOWER)

FIXTURE(bond_exit) {
	struct core_counts before;
	int disk;
	int sock[2];		/* the kernel's, the server's */
	pthread_t kernel, server;
	long until;		/* when to answer; bond_now_ms() */
	bool asked, answer;
};

/* --- a disk --------------------------------------------------------------------- */

static bool read_all(int fd, void *data, size_t len)
{
	return recv(fd, data, len, MSG_WAITALL) == (ssize_t)len;
}

static bool is_held(FIXTURE_DATA(bond_exit) *self, const struct nbd_request *request)
{
	return be64toh(request->from) == UNANSWERED && bond_now_ms() < self->until &&
	       !__atomic_load_n(&self->answer, __ATOMIC_ACQUIRE);
}

/* Until it is told to end, or the other side has. What is read is nothing. */
static void *serve(void *data)
{
	FIXTURE_DATA(bond_exit) *self = data;
	static char block[DISK_SIZE];
	struct nbd_request request;

	while (read_all(self->sock[1], &request, sizeof(request))) {
		struct nbd_reply reply = { .magic = htonl(NBD_REPLY_MAGIC) };
		uint32_t len = ntohl(request.len);

		if (ntohl(request.type) == NBD_CMD_DISC)
			break;
		while (is_held(self, &request)) {
			__atomic_store_n(&self->asked, true, __ATOMIC_RELEASE);
			core_sleep_ms(10);
		}
		memcpy(reply.handle, request.handle, sizeof(reply.handle));
		if (send(self->sock[1], &reply, sizeof(reply), MSG_NOSIGNAL) < 0)
			break;
		if (ntohl(request.type) == NBD_CMD_READ &&
		    send(self->sock[1], block, len, MSG_NOSIGNAL) < 0)
			break;
	}
	shutdown(self->sock[1], SHUT_RDWR);
	return NULL;
}

static void *be_disk(void *data)
{
	FIXTURE_DATA(bond_exit) *self = data;

	ioctl(self->disk, NBD_DO_IT);
	return NULL;
}

/* It has its size last: before, a read is one past its end, and over at once. */
static bool is_connected(int disk)
{
	uint64_t size = 0;
	int i;

	for (i = 0; i < 500 * SVA_SLOWER; i++) {
		if (ioctl(disk, BLKGETSIZE64, &size) || size == DISK_SIZE)
			break;
		core_sleep_ms(10);
	}
	return size == DISK_SIZE;
}

FIXTURE_SETUP(bond_exit)
{
	self->before = core_counts();
	self->disk = -1;
	self->asked = false;
	self->answer = false;
	self->until = bond_now_ms() + ANSWER_MS;
	if (system("modprobe -q nbd nbds_max=1 max_part=0"))
		SKIP(return, "this kernel has no network block device");
	self->disk = open(DISK, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->disk);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->sock));
	ASSERT_EQ(0, ioctl(self->disk, NBD_SET_BLKSIZE, 4096UL));
	ASSERT_EQ(0, ioctl(self->disk, NBD_SET_SIZE_BLOCKS, DISK_SIZE / 4096UL));
	ASSERT_EQ(0, ioctl(self->disk, NBD_SET_SOCK, self->sock[0]));
	ASSERT_EQ(0, pthread_create(&self->server, NULL, serve, self));
	ASSERT_EQ(0, pthread_create(&self->kernel, NULL, be_disk, self));
	ASSERT_TRUE(is_connected(self->disk));
}

FIXTURE_TEARDOWN(bond_exit)
{
	if (self->disk < 0)
		return;
	__atomic_store_n(&self->answer, true, __ATOMIC_RELEASE);
	/* It looks at what is on the disk, and should have done so. */
	EXPECT_EQ(0, system("udevadm settle"));
	EXPECT_EQ(0, ioctl(self->disk, NBD_DISCONNECT));
	pthread_join(self->server, NULL);
	pthread_join(self->kernel, NULL);
	ioctl(self->disk, NBD_CLEAR_SOCK);
	close(self->disk);
	close(self->sock[0]);
	close(self->sock[1]);
	EXPECT_EQ(0, modules_unload_one("nbd"));
	EXPECT_TRUE(core_settles(&self->before));
}

/* Whether somebody reads what is not answered */
static bool waits_for_answer(FIXTURE_DATA(bond_exit) *self)
{
	int i;

	for (i = 0; i < 1000 * SVA_SLOWER; i++) {
		if (__atomic_load_n(&self->asked, __ATOMIC_ACQUIRE))
			return true;
		core_sleep_ms(10);
	}
	return false;
}

/* --- the process ------------------------------------------------------------------ */

/* Begins a read that does not end. */
static int begin_io(void *page)
{
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_buf = (uintptr_t)page, .aio_nbytes = CORE_PAGE,
		.aio_offset = UNANSWERED,
	}, *cbs[] = { &cb };
	aio_context_t ctx = 0;

	cb.aio_fildes = open(DISK, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if ((int)cb.aio_fildes < 0 || syscall(SYS_io_setup, 1, &ctx))
		return -errno;
	return syscall(SYS_io_submit, ctx, 1, cbs) == 1 ? 0 : -errno;
}

/* Ends, but for what is under way; its queues live on. */
static void leave(int sock)
{
	int sim[2], i;

	for (i = 0; i < 2; i++) {
		sim[i] = sva_sim_open(0);
		BOND_CHECK(!bond_attach_process(sim[i]));
	}
	BOND_CHECK(!begin_io(sva_mem(CORE_PAGE)));
	BOND_CHECK(!bond_send(sock, sim, 2, 0));
	_exit(0);
}

/* Whether nobody uses its memory any more */
static bool has_no_memory(pid_t pid)
{
	char path[32], text[8] = "";
	int i, fd;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	for (i = 0; i < 1000 * SVA_SLOWER; i++) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
			return false;
		close(fd);
		if (!strncmp(text, "0 ", 2))
			return true;
		core_sleep_ms(10);
	}
	return false;
}

TEST_F_TIMEOUT(bond_exit, bond_exit_with_io, 90)
{
	int sock[2], sim[2], i;
	uint32_t word;
	long begin;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		leave(sock[1]);
	ASSERT_EQ(0, bond_receive(sock[0], sim, 2, &word));
	ASSERT_TRUE(has_no_memory(pid));
	/* It has not ended, and will not. */
	ASSERT_TRUE(waits_for_answer(self));
	ASSERT_EQ(0, waitpid(pid, NULL, WNOHANG));

	/* The second one does not wait for what the first one has waited for. */
	begin = bond_now_ms();
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, sva_sim_detach(sim[i]));
	EXPECT_GT(MAY_TAKE_MS, bond_now_ms() - begin);
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));

	__atomic_store_n(&self->answer, true, __ATOMIC_RELEASE);
	EXPECT_EQ(0, bond_join_child(pid));
	for (i = 0; i < 2; i++) {
		close(sim[i]);
		close(sock[i]);
	}
}

TEST_HARNESS_MAIN
