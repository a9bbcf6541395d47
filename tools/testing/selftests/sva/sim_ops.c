// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations of an engine that is attached to the process PASID, completion
 * by record, read, poll and eventfd, and what it says to bad descriptors.
 *
 * Machine: plain engine
 */
#include <stddef.h>
#include <sys/eventfd.h>

#include "sva_util.h"
#include "kselftest_harness.h"

#define LEN (64 * 1024)

FIXTURE(sim_ops) {
	int fd;
	int sim;
	uint32_t pasid;
	uint32_t number;
	unsigned char *a;
	unsigned char *b;
	struct sva_sim_completion done;
};

FIXTURE_SETUP(sim_ops)
{
	int i;

	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	self->sim = sva_sim_open(0);
	ASSERT_LE(0, self->sim);
	ASSERT_EQ(0, sva_pasid_alloc(self->fd, SVA_PASID_F_MM, 0, 0, &self->pasid));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->pasid, &self->number));
	self->a = sva_mem(LEN);
	self->b = sva_mem(LEN);
	ASSERT_NE(NULL, self->a);
	ASSERT_NE(NULL, self->b);
	for (i = 0; i < LEN; i++)
		self->a[i] = i * 7 + (i >> 8);
}

FIXTURE_TEARDOWN(sim_ops)
{
	munmap(self->a, LEN);
	munmap(self->b, LEN);
	close(self->sim);
	close(self->fd);
}

#define RUN(desc) sva_sim_run(self->sim, &(desc), &self->done)

TEST_F(sim_ops, sim_attach_gives_number)
{
	struct sva_sim_info info;

	ASSERT_NE(0, self->number);
	ASSERT_EQ(0, sva_sim_info(self->sim, &info));
	EXPECT_EQ(self->number, info.number);
	EXPECT_LE(self->number, info.pasid_max);
	EXPECT_LT(0, info.queue_depth);
}

TEST_F(sim_ops, sim_memcpy)
{
	struct sva_sim_desc desc = sva_sim_memcpy((uintptr_t)self->b,
						  (uintptr_t)self->a, LEN);

	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	EXPECT_EQ(LEN, self->done.bytes);
	EXPECT_EQ(0, memcmp(self->a, self->b, LEN));
}

TEST_F(sim_ops, sim_memcpy_unaligned)
{
	struct sva_sim_desc desc = sva_sim_memcpy((uintptr_t)self->b + 4091,
						  (uintptr_t)self->a + 3, 8197);

	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	EXPECT_EQ(8197, self->done.bytes);
	EXPECT_EQ(0, memcmp(self->a + 3, self->b + 4091, 8197));
	EXPECT_EQ(0, self->b[4090]);
	EXPECT_EQ(0, self->b[4091 + 8197]);
}

TEST_F(sim_ops, sim_memcpy_nothing)
{
	struct sva_sim_desc desc = sva_sim_memcpy(0, 0, 0);

	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	EXPECT_EQ(0, self->done.bytes);
}

TEST_F(sim_ops, sim_fill)
{
	const unsigned char pattern[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct sva_sim_desc desc;
	uint64_t word;
	int i;

	memcpy(&word, pattern, sizeof(word));
	desc = sva_sim_fill((uintptr_t)self->b + 5, word, 10001);
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	EXPECT_EQ(10001, self->done.bytes);
	for (i = 0; i < 10001; i++)
		ASSERT_EQ(pattern[i % 8], self->b[5 + i]);
	EXPECT_EQ(0, self->b[4]);
	EXPECT_EQ(0, self->b[5 + 10001]);
}

TEST_F(sim_ops, sim_crc32c)
{
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_CRC32C, .src = (uintptr_t)self->b, .len = 32,
	};

	/* RFC 3720, B.4: 32 bytes of zeros, in the order of a CPU's word. */
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	EXPECT_EQ(0x8a9136aa, self->done.result);

	desc.src = (uintptr_t)self->a + 1;
	desc.len = LEN - 1;
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	EXPECT_EQ(sva_crc32c(self->a + 1, LEN - 1), self->done.result);
	EXPECT_EQ(LEN - 1, self->done.bytes);
}

TEST_F(sim_ops, sim_compare)
{
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_COMPARE, .src = (uintptr_t)self->a,
		.dst = (uintptr_t)self->b, .len = LEN,
	};

	memcpy(self->b, self->a, LEN);
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	EXPECT_EQ(0, self->done.result);
	EXPECT_EQ(LEN, self->done.bytes);

	self->b[LEN - 100] ^= 1;
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	EXPECT_EQ(1, self->done.result);
	EXPECT_EQ(LEN - 100, self->done.bytes);
}

TEST_F(sim_ops, sim_compare_with_nothing)
{
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_COMPARE, .src = (uintptr_t)self->a,
		.dst = (uintptr_t)self->b, .len = LEN,
	};

	memcpy(self->b, self->a, LEN);
	ASSERT_EQ(0, mprotect(self->b + LEN / 2, LEN / 2, PROT_NONE));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, RUN(desc));
	EXPECT_EQ(LEN / 2, self->done.bytes);
	EXPECT_EQ((uintptr_t)self->b + LEN / 2, self->done.fault_addr);
}

TEST_F(sim_ops, sim_sgcopy)
{
	enum { N = 600 };	/* more than one page of entries */
	struct sva_sim_sge sge[N];
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_SGCOPY, .src = (uintptr_t)sge,
		.dst = (uintptr_t)self->b, .len = N,
	};
	size_t at = 0;
	int i;

	for (i = 0; i < N; i++) {
		sge[i].addr = (uintptr_t)self->a + (N - i) * 50;
		sge[i].len = i % 100;
	}
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, memcmp(self->a + (N - i) * 50, self->b + at,
				    sge[i].len));
		at += sge[i].len;
	}
	EXPECT_EQ(at, self->done.bytes);
	EXPECT_EQ(0, self->b[at]);
}

TEST_F(sim_ops, sim_nop_without_record)
{
	struct sva_sim_desc desc = { .op = SVA_SIM_OP_NOP };

	EXPECT_EQ(0, sva_sim_run_blind(self->sim, &desc));
}

TEST_F(sim_ops, sim_order_within_queue)
{
	struct sva_sim_completion done[3] = {};
	struct sva_sim_desc desc[3];
	int i;

	for (i = 0; i < 3; i++) {
		desc[i] = sva_sim_fill((uintptr_t)self->b, i + 1, LEN);
		desc[i].completion = (uintptr_t)&done[i];
	}
	ASSERT_EQ((ssize_t)sizeof(desc), write(self->sim, desc, sizeof(desc)));
	ASSERT_EQ(SVA_SIM_STATUS_OK, sva_sim_wait(self->sim, &done[2]));
	EXPECT_EQ(SVA_SIM_STATUS_OK, done[0].status);
	EXPECT_EQ(SVA_SIM_STATUS_OK, done[1].status);
	EXPECT_EQ(3, self->b[LEN - 8]);
}

TEST_F(sim_ops, sim_read_counts_completions)
{
	struct sva_sim_desc desc[5] = {};
	uint64_t count, sum = 0;

	ASSERT_EQ((ssize_t)sizeof(desc), write(self->sim, desc, sizeof(desc)));
	while (sum < 5) {
		ASSERT_EQ((ssize_t)sizeof(count),
			  read(self->sim, &count, sizeof(count)));
		ASSERT_LT(0, count);
		sum += count;
	}
	EXPECT_EQ(5, sum);

	ASSERT_EQ(0, fcntl(self->sim, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, read(self->sim, &count, sizeof(count)));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, read(self->sim, &count, sizeof(count) - 1));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(sim_ops, sim_read_interrupted)
{
	uint64_t count;

	EXPECT_EQ(-EINTR,
		  sva_read_interrupted(self->sim, &count, sizeof(count)));
}

TEST_F(sim_ops, sim_poll)
{
	struct pollfd pfd = { .fd = self->sim, .events = POLLIN | POLLOUT };
	struct sva_sim_desc desc = { .op = SVA_SIM_OP_NOP };
	uint64_t count;

	ASSERT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLOUT, pfd.revents);

	ASSERT_EQ(0, sva_sim_submit(self->sim, &desc));
	pfd.events = POLLIN;
	ASSERT_EQ(1, poll(&pfd, 1, SVA_TIMEOUT_MS));
	EXPECT_EQ(POLLIN, pfd.revents);

	ASSERT_EQ((ssize_t)sizeof(count), read(self->sim, &count, sizeof(count)));
	EXPECT_EQ(0, poll(&pfd, 1, 0));

	ASSERT_EQ(0, sva_sim_detach(self->sim));
	pfd.events = POLLIN | POLLOUT;
	EXPECT_EQ(0, poll(&pfd, 1, 0));
}

TEST_F(sim_ops, sim_eventfd)
{
	struct sva_sim_eventfd cmd = { .size = sizeof(cmd) };
	struct sva_sim_desc desc[3] = {};
	uint64_t count, sum = 0;
	int efd = eventfd(0, EFD_CLOEXEC);

	ASSERT_LE(0, efd);
	cmd.fd = efd;
	ASSERT_EQ(0, sva_ioctl(self->sim, SVA_SIM_SET_EVENTFD, &cmd));
	ASSERT_EQ((ssize_t)sizeof(desc), write(self->sim, desc, sizeof(desc)));
	while (sum < 3) {
		ASSERT_EQ((ssize_t)sizeof(count),
			  read(efd, &count, sizeof(count)));
		sum += count;
	}
	EXPECT_EQ(3, sum);

	cmd.fd = -1;
	ASSERT_EQ(0, sva_ioctl(self->sim, SVA_SIM_SET_EVENTFD, &cmd));
	EXPECT_EQ(0, sva_sim_run_blind(self->sim, &desc[0]));
	ASSERT_EQ(0, fcntl(efd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, read(efd, &count, sizeof(count)));
	EXPECT_EQ(EAGAIN, errno);

	cmd.fd = self->fd;
	EXPECT_EQ(-EINVAL, sva_ioctl(self->sim, SVA_SIM_SET_EVENTFD, &cmd));
	cmd.fd = 9999;
	EXPECT_EQ(-EBADF, sva_ioctl(self->sim, SVA_SIM_SET_EVENTFD, &cmd));
	cmd.fd = -2;
	EXPECT_EQ(-EBADF, sva_ioctl(self->sim, SVA_SIM_SET_EVENTFD, &cmd));

	/* A queue that is closed lets go of it. */
	cmd.fd = efd;
	ASSERT_EQ(0, sva_ioctl(self->sim, SVA_SIM_SET_EVENTFD, &cmd));
	close(efd);
}

TEST_F(sim_ops, sim_counters)
{
	struct sva_sim_info info;
	struct sva_sim_desc good = sva_sim_fill((uintptr_t)self->b, 1, 100);
	struct sva_sim_desc bad = sva_sim_fill(8, 1, 100);

	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(good));
	ASSERT_EQ(SVA_SIM_STATUS_FAULT, RUN(bad));
	/* The record is written before the counters are. */
	ASSERT_EQ(0, sva_sim_detach(self->sim));
	ASSERT_EQ(0, sva_sim_info(self->sim, &info));
	EXPECT_EQ(2, info.completed);
	EXPECT_EQ(1, info.failed);
	EXPECT_EQ(100, info.bytes);
	EXPECT_EQ(0, info.number);
	EXPECT_LT(0, info.page_requests);
}

TEST_F(sim_ops, sim_bad_descriptors)
{
	struct sva_sim_desc good = { .op = SVA_SIM_OP_NOP }, desc[2];
	void *nowhere = mmap(NULL, 4096, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sva_sim_info info;

	desc[0] = good;
	desc[0].op = SVA_SIM_OP_SGCOPY + 1;
	EXPECT_EQ(-EINVAL, sva_sim_submit(self->sim, desc));
	desc[0] = good;
	desc[0].flags = 1;
	EXPECT_EQ(-EINVAL, sva_sim_submit(self->sim, desc));
	desc[0] = good;
	desc[0].completion = (uintptr_t)&self->done + 4;
	EXPECT_EQ(-EINVAL, sva_sim_submit(self->sim, desc));

	EXPECT_EQ(-1, write(self->sim, desc, sizeof(desc[0]) - 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->sim, nowhere, sizeof(desc[0])));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, write(self->sim, desc, 0));
	munmap(nowhere, 4096);

	/* What comes before a bad one is taken. */
	desc[1] = desc[0];
	desc[0] = good;
	EXPECT_EQ((ssize_t)sizeof(desc[0]), write(self->sim, desc, sizeof(desc)));
	ASSERT_EQ(0, sva_sim_detach(self->sim));
	ASSERT_EQ(0, sva_sim_info(self->sim, &info));
	EXPECT_EQ(1, info.completed);
}

TEST_F(sim_ops, sim_impossible_descriptors)
{
	struct sva_sim_desc desc;

	desc = sva_sim_fill(~0ull - 50, 1, 100);
	EXPECT_EQ(SVA_SIM_STATUS_INVALID, RUN(desc));
	desc = sva_sim_memcpy((uintptr_t)self->b, ~0ull - 50, 100);
	EXPECT_EQ(SVA_SIM_STATUS_INVALID, RUN(desc));
	desc = (struct sva_sim_desc) {
		.op = SVA_SIM_OP_SGCOPY, .src = (uintptr_t)self->a,
		.dst = (uintptr_t)self->b, .len = SVA_SIM_SGE_MAX + 1,
	};
	EXPECT_EQ(SVA_SIM_STATUS_INVALID, RUN(desc));
}

TEST_F(sim_ops, sim_record_that_cannot_be_written)
{
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_NOP, .completion = 4096 - 8,
	};

	EXPECT_EQ(-EIO, sva_sim_run_blind(self->sim, &desc));
	desc.completion = ~0ull - 7;
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->sim, &desc));
	desc.completion = 0;
	EXPECT_EQ(0, sva_sim_run_blind(self->sim, &desc));
}

TEST_F(sim_ops, sim_full_queue)
{
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)self->b, 1, LEN);
	struct pollfd pfd = { .fd = self->sim, .events = POLLOUT };
	struct sva_sim_info info;
	int n, ret;

	ASSERT_EQ(0, fcntl(self->sim, F_SETFL, O_NONBLOCK));
	for (n = 0; n < 100000; n++) {
		ret = sva_sim_submit(self->sim, &desc);
		if (ret)
			break;
	}
	ASSERT_EQ(0, sva_sim_info(self->sim, &info));
	EXPECT_LE(info.queue_depth, n);
	if (ret) {
		EXPECT_EQ(-EAGAIN, ret);
		EXPECT_EQ(1, poll(&pfd, 1, SVA_TIMEOUT_MS));
	}

	/* And with waiting, all are taken. */
	ASSERT_EQ(0, fcntl(self->sim, F_SETFL, 0));
	desc.len = 8;
	for (n = 0; n < 1000; n++)
		ASSERT_EQ(0, sva_sim_submit(self->sim, &desc));
}

TEST_F(sim_ops, sim_detached_queue)
{
	struct sva_sim_desc desc = { .op = SVA_SIM_OP_NOP };

	ASSERT_EQ(0, sva_sim_detach(self->sim));
	EXPECT_EQ(-ENOLINK, sva_sim_submit(self->sim, &desc));
	EXPECT_EQ(-EINVAL, sva_sim_detach(self->sim));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->pasid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
	EXPECT_EQ(-EBUSY, sva_sim_attach(self->sim, self->fd, self->pasid, NULL));
}

TEST_F(sim_ops, sim_two_queues)
{
	struct sva_sim_desc fill_a, fill_b;
	struct sva_sim_completion done = {};
	int other = sva_sim_open(0);

	ASSERT_LE(0, other);
	ASSERT_EQ(0, sva_sim_attach(other, self->fd, self->pasid, NULL));
	fill_a = sva_sim_fill((uintptr_t)self->a, 17, LEN);
	fill_a.completion = (uintptr_t)&done;
	fill_b = sva_sim_fill((uintptr_t)self->b, 18, LEN);
	ASSERT_EQ(0, sva_sim_submit(other, &fill_a));
	ASSERT_EQ(SVA_SIM_STATUS_OK, RUN(fill_b));
	ASSERT_EQ(SVA_SIM_STATUS_OK, sva_sim_wait(other, &done));
	EXPECT_EQ(17, self->a[LEN - 8]);
	EXPECT_EQ(18, self->b[LEN - 8]);
	close(other);

	/* The other's end is not ours. */
	EXPECT_EQ(SVA_SIM_STATUS_OK, RUN(fill_b));
}

TEST_F(sim_ops, sim_two_engines)
{
	struct sva_sim_desc desc = sva_sim_memcpy((uintptr_t)self->b,
						  (uintptr_t)self->a, LEN);
	struct sva_sim_info here, there;
	uint32_t number;
	int other = sva_sim_open(1);

	ASSERT_LE(0, other);
	ASSERT_EQ(0, sva_sim_info(self->sim, &here));
	ASSERT_EQ(0, sva_sim_info(other, &there));
	EXPECT_NE(here.iommu, there.iommu);

	ASSERT_EQ(0, sva_sim_attach(other, self->fd, self->pasid, &number));
	EXPECT_EQ(self->number, number);
	ASSERT_EQ(SVA_SIM_STATUS_OK, sva_sim_run(other, &desc, &self->done));
	EXPECT_EQ(0, memcmp(self->a, self->b, LEN));
	close(other);
	EXPECT_EQ(SVA_SIM_STATUS_OK, RUN(desc));
}

TEST_F(sim_ops, sim_ioctl_structs)
{
	struct {
		struct sva_sim_info info;
		uint64_t more;
	} big = { .info.size = sizeof(big) };
	struct sva_sim_attach attach = { .size = sizeof(attach) };
	struct sva_sim_eventfd efd = { .size = sizeof(efd) - 1, .fd = -1 };

	EXPECT_EQ(0, sva_ioctl(self->sim, SVA_SIM_GET_INFO, &big));
	EXPECT_LT(0, big.info.queue_depth);
	big.more = 1;
	EXPECT_EQ(-E2BIG, sva_ioctl(self->sim, SVA_SIM_GET_INFO, &big));
	big.more = 0;
	/* The first version ended there. */
	big.info.size = offsetof(struct sva_sim_info, queue_id);
	EXPECT_EQ(0, sva_ioctl(self->sim, SVA_SIM_GET_INFO, &big));
	big.info.size--;
	EXPECT_EQ(-EINVAL, sva_ioctl(self->sim, SVA_SIM_GET_INFO, &big));
	big.info.size = sizeof(big.info);
	big.info.flags = 1;
	EXPECT_EQ(-EOPNOTSUPP, sva_ioctl(self->sim, SVA_SIM_GET_INFO, &big));

	attach.flags = SVA_SIM_ATTACH_F_GUEST_PASID << 1;
	EXPECT_EQ(-EOPNOTSUPP, sva_ioctl(self->sim, SVA_SIM_ATTACH, &attach));
	attach.flags = 0;
	attach.guest_pasid = 1;
	EXPECT_EQ(-EINVAL, sva_ioctl(self->sim, SVA_SIM_ATTACH, &attach));
	attach.guest_pasid = 0;
	attach.size = sizeof(attach) - 4;
	EXPECT_EQ(-EINVAL, sva_ioctl(self->sim, SVA_SIM_ATTACH, &attach));

	EXPECT_EQ(-EINVAL, sva_ioctl(self->sim, SVA_SIM_SET_EVENTFD, &efd));
	EXPECT_EQ(-EFAULT, sva_ioctl(self->sim, SVA_SIM_GET_INFO, (void *)8));
	EXPECT_EQ(-ENOTTY, sva_ioctl(self->sim, _IO(SVA_SIM_TYPE, 0xff), NULL));
}

TEST_F(sim_ops, sim_attach_errors)
{
	int sim = sva_sim_open(0);

	ASSERT_LE(0, sim);
	EXPECT_EQ(-EBADF, sva_sim_attach(sim, -1, self->pasid, NULL));
	EXPECT_EQ(-EBADF, sva_sim_attach(sim, sim, self->pasid, NULL));
	EXPECT_EQ(-ENOENT, sva_sim_attach(sim, self->fd, self->pasid ^ 0x1000,
					  NULL));
	EXPECT_EQ(-EINVAL, sva_sim_detach(sim));
	close(sim);
}

/* Only where the IOMMU has PASID tables of guests. */
TEST_F(sim_ops, sim_attach_guest_pasid)
{
	struct sva_sim_attach cmd = {
		.size = sizeof(cmd), .flags = SVA_SIM_ATTACH_F_GUEST_PASID,
		.sva_fd = self->fd, .pasid = self->pasid, .guest_pasid = 1,
	};
	int sim = sva_sim_open(0);

	ASSERT_LE(0, sim);
	EXPECT_EQ(-EOPNOTSUPP, sva_ioctl(sim, SVA_SIM_ATTACH, &cmd));
	EXPECT_EQ(0, sva_sim_attach(sim, self->fd, self->pasid, NULL));
	close(sim);
}

TEST_HARNESS_MAIN
