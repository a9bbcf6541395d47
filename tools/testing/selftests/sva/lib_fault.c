// SPDX-License-Identifier: GPL-2.0-only
/*
 * libsva: page requests, read and answered.
 *
 * Machine: plain engine
 */
#include "lib_guest.h"
#include "kselftest_harness.h"

FIXTURE(lib_fault) {
	struct sva *sva;
	struct lib_engine e;
	struct lib_guest g;
	uint32_t as, pasid;
	int q;
};

FIXTURE_SETUP(lib_fault)
{
	ASSERT_EQ(0, sva_open(&self->sva, 0));
	ASSERT_EQ(0, lib_engine_init(&self->e, self->sva, "0"));
	ASSERT_EQ(0, lib_guest_init(&self->g, self->sva));
	ASSERT_EQ(0, sva_faultq_alloc(self->sva, SVA_FAULTQ_F_NONBLOCK, 8,
				      &self->q));
	ASSERT_EQ(0, lib_guest_nest(&self->g, self->g.parent, self->e.dev,
				    self->q, &self->as));
	ASSERT_EQ(0, lib_guest_start(&self->g, &self->e, self->as,
				     &self->pasid));
}

FIXTURE_TEARDOWN(lib_fault)
{
	EXPECT_EQ(0, lib_engine_exit(&self->e));
	close(self->q);
	lib_guest_exit(&self->g);
	sva_close(self->sva);
}

#define SUBMIT(gva)	lib_guest_submit(&self->g, &self->e, gva, 7)
#define WAIT()		lib_guest_wait(&self->g, &self->e)

static int respond(int q, uint32_t cookie, uint32_t code)
{
	struct sva_fault_response resp = { .cookie = cookie, .code = code };

	return sva_faultq_respond(q, &resp, 1);
}

TEST_F(lib_fault, answered)
{
	struct sva_fault fault[4];
	uint64_t *page;

	ASSERT_EQ(0, sva_pasid_guest_set(self->sva, self->pasid, 99));
	EXPECT_EQ(-ETIMEDOUT, sva_faultq_wait(self->q, 0));
	EXPECT_EQ(-EAGAIN, sva_faultq_read(self->q, fault, 4));
	ASSERT_EQ(0, SUBMIT(LIB_GVA));
	ASSERT_EQ(0, sva_faultq_wait(self->q, LIB_TIMEOUT_MS));
	ASSERT_EQ(1, sva_faultq_read(self->q, fault, 4));
	EXPECT_EQ(LIB_GVA, fault->addr);
	EXPECT_EQ(self->pasid, fault->object);
	EXPECT_EQ(self->e.dev, fault->dev_id);
	EXPECT_EQ(99, fault->guest_pasid);
	EXPECT_EQ(SVA_FAULT_PERM_WRITE, fault->perm);
	page = lib_guest_map(&self->g, LIB_GVA);
	EXPECT_EQ(1, respond(self->q, fault->cookie, SVA_FAULT_SUCCESS));
	EXPECT_EQ(SVA_SIM_STATUS_OK, WAIT());
	EXPECT_EQ(7, *page);
}

TEST_F(lib_fault, refused)
{
	struct sva_fault fault;

	EXPECT_EQ(0, sva_faultq_respond(self->q, NULL, 0));
	EXPECT_EQ(-ENOENT, respond(self->q, 0, SVA_FAULT_SUCCESS));
	ASSERT_EQ(0, SUBMIT(LIB_GVA));
	ASSERT_EQ(0, sva_faultq_wait(self->q, LIB_TIMEOUT_MS));
	EXPECT_EQ(-EINVAL, sva_faultq_read(self->q, &fault, 0));
	EXPECT_EQ(-EFAULT, sva_faultq_read(self->q, NULL, 1));
	ASSERT_EQ(1, sva_faultq_read(self->q, &fault, 1));
	EXPECT_EQ(-EINVAL, respond(self->q, fault.cookie, 2));
	EXPECT_EQ(-EFAULT, sva_faultq_respond(self->q, NULL, 1));
	EXPECT_EQ(1, respond(self->q, fault.cookie, SVA_FAULT_INVALID));
	EXPECT_EQ(-ENOENT, respond(self->q, fault.cookie, SVA_FAULT_INVALID));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, WAIT());
}

/* More than read(2) and write(2) can say that they have done */
TEST_F(lib_fault, very_many)
{
	static struct sva_fault_response resp[2];
	static struct sva_fault fault[4];

	ASSERT_EQ(0, SUBMIT(LIB_GVA));
	ASSERT_EQ(0, sva_faultq_wait(self->q, LIB_TIMEOUT_MS));
	ASSERT_EQ(1, sva_faultq_read(self->q, fault, UINT32_MAX));
	resp[0].cookie = fault->cookie;
	resp[0].code = SVA_FAULT_INVALID;
	resp[1].code = 77;
	EXPECT_EQ(1, sva_faultq_respond(self->q, resp, UINT32_MAX));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, WAIT());
}

TEST_F(lib_fault, wait_interrupted)
{
	timer_t timer;

	ASSERT_EQ(0, lib_signal_often(&timer));
	EXPECT_EQ(-EINTR, sva_faultq_wait(self->q, LIB_TIMEOUT_MS));
	timer_delete(timer);
}

/* An engine that waits for an answer takes no more than its queue holds. */
TEST_F(lib_fault, submit_interrupted)
{
	struct sva_sim_info info;
	struct sva_sim_desc *desc;
	unsigned int i, count;
	timer_t timer;

	ASSERT_EQ(0, sva_sim_info(self->e.sim, &info, sizeof(info)));
	count = info.queue_depth + 7;
	desc = calloc(count, sizeof(*desc));
	ASSERT_NE(NULL, desc);
	for (i = 0; i < count; i++)
		desc[i].op = SVA_SIM_OP_NOP;
	ASSERT_EQ(0, SUBMIT(LIB_GVA));
	ASSERT_EQ(0, lib_signal_often(&timer));
	EXPECT_EQ((int)info.queue_depth - 1,
		  sva_sim_submit(self->e.sim, desc, count));
	EXPECT_EQ(-EINTR, sva_sim_submit(self->e.sim, desc, 1));
	timer_delete(timer);
	free(desc);
}

/* A group, and two answers of which one is good. */
TEST_F(lib_fault, many)
{
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_FILL, .dst = LIB_GVA, .len = 3 * LIB_PAGE,
		.completion = LIB_RECORD,
	};
	struct sva_fault_response resp[2] = { 0 };
	struct sva_fault fault[8];
	int i;

	ASSERT_EQ(0, lib_attr(&self->e, "prq_group", "8", NULL, 0));
	lib_guest_record(&self->g)->status = SVA_SIM_STATUS_PENDING;
	ASSERT_EQ(1, sva_sim_submit(self->e.sim, &desc, 1));
	ASSERT_EQ(0, sva_faultq_wait(self->q, LIB_TIMEOUT_MS));
	EXPECT_EQ(-EINVAL, sva_faultq_read(self->q, fault, 2));
	ASSERT_EQ(3, sva_faultq_read(self->q, fault, 8));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(fault->cookie, fault[i].cookie);
		EXPECT_EQ(i == 2, !!(fault[i].flags & SVA_FAULT_LAST_PAGE));
		lib_guest_map(&self->g, fault[i].addr);
	}
	resp[0].cookie = fault->cookie;
	resp[1].cookie = fault->cookie;
	EXPECT_EQ(1, sva_faultq_respond(self->q, resp, 2));
	EXPECT_EQ(-ENOENT, sva_faultq_respond(self->q, resp + 1, 1));
	EXPECT_EQ(SVA_SIM_STATUS_OK, WAIT());
}

TEST_F(lib_fault, alloc)
{
	int fd = -77;

	EXPECT_EQ(FD_CLOEXEC, fcntl(self->q, F_GETFD));
	EXPECT_TRUE(fcntl(self->q, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(-EINVAL, sva_faultq_alloc(self->sva, 0, 0, &fd));
	EXPECT_EQ(-EINVAL, sva_faultq_alloc(self->sva, 0,
					    SVA_FAULTQ_DEPTH_MAX + 1, &fd));
	EXPECT_EQ(-EOPNOTSUPP, sva_faultq_alloc(self->sva, 1 << 9, 8, &fd));
	EXPECT_EQ(-77, fd);
	ASSERT_EQ(0, sva_faultq_alloc(self->sva, 0, SVA_FAULTQ_DEPTH_MAX, &fd));
	EXPECT_FALSE(fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(-ETIMEDOUT, sva_faultq_wait(fd, 1));
	close(fd);
	EXPECT_EQ(-EBADF, sva_faultq_wait(fd, -1));
	EXPECT_EQ(-EBADF, sva_faultq_wait(-1, -1));
}

/* Pages are mapped as the engine asks for them. */
TEST_F(lib_fault, iova)
{
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_FILL, .src = 3, .dst = LIB_GVA, .len = LIB_PAGE,
		.completion = LIB_GVA + LIB_PAGE,
	};
	uint64_t record = LIB_GVA + LIB_PAGE, iova;
	char *mem = lib_mem(2 * LIB_PAGE);
	struct sva_sim_completion *done = (void *)(mem + LIB_PAGE);
	uint32_t as = LIB_UNSET;
	struct sva_fault fault;

	ASSERT_NE(NULL, mem);
	EXPECT_EQ(-EINVAL, sva_as_alloc_iova(self->sva, SVA_AS_F_FAULT, &as));
	EXPECT_EQ(-EBADF, sva_as_alloc_iova_fault(self->sva, 0, -1, &as));
	EXPECT_EQ(-EBADF, sva_as_alloc_iova_fault(self->sva, 0,
						  sva_fd(self->sva), &as));
	EXPECT_EQ(LIB_UNSET, as);
	ASSERT_EQ(0, sva_as_alloc_iova_fault(self->sva, 0, self->q, &as));
	ASSERT_EQ(0, sva_iova_map(self->sva, as, done, LIB_PAGE,
				  LIB_RW | SVA_IOVA_F_FIXED, &record));
	ASSERT_EQ(0, sva_pasid_bind(self->sva, self->pasid, as));
	ASSERT_EQ(1, sva_sim_submit(self->e.sim, &desc, 1));
	ASSERT_EQ(0, sva_faultq_wait(self->q, LIB_TIMEOUT_MS));
	ASSERT_EQ(1, sva_faultq_read(self->q, &fault, 1));
	iova = fault.addr;
	ASSERT_EQ(0, sva_iova_map(self->sva, as, mem, LIB_PAGE,
				  LIB_RW | SVA_IOVA_F_FIXED, &iova));
	EXPECT_EQ(1, respond(self->q, fault.cookie, SVA_FAULT_SUCCESS));
	EXPECT_EQ(0, sva_sim_wait(self->e.sim, done, LIB_TIMEOUT_MS));
	EXPECT_EQ(SVA_SIM_STATUS_OK, done->status);
	EXPECT_EQ(3, mem[0]);
	munmap(mem, 2 * LIB_PAGE);
}

TEST_F(lib_fault, lost)
{
	struct sva_sim *sim[2] = { 0 };
	char path[32], node[32];
	struct sva_fault fault[2];
	uint32_t as, pasid;
	int q, i;

	/* Three queues of the engine ask; there is room for one. */
	ASSERT_EQ(0, sva_sim_detach(self->e.sim));
	ASSERT_EQ(0, sva_faultq_alloc(self->sva, SVA_FAULTQ_F_NONBLOCK, 1, &q));
	ASSERT_EQ(0, lib_guest_nest(&self->g, self->g.parent, self->e.dev, q,
				    &as));
	ASSERT_EQ(0, lib_guest_start(&self->g, &self->e, as, &pasid));
	ASSERT_EQ(0, lib_attr(&self->e, "dev", NULL, node, sizeof(node)));
	snprintf(path, sizeof(path), "/dev/%.20s", node);
	ASSERT_EQ(0, SUBMIT(LIB_GVA));
	ASSERT_EQ(0, sva_faultq_wait(q, LIB_TIMEOUT_MS));
	for (i = 0; i < 2; i++) {
		struct sva_sim_desc desc = {
			.op = SVA_SIM_OP_FILL, .dst = LIB_GVA, .len = 8,
		};

		ASSERT_EQ(0, sva_sim_open(&sim[i], path, 0));
		ASSERT_EQ(0, sva_sim_attach(sim[i], self->sva, pasid, NULL));
		ASSERT_EQ(1, sva_sim_submit(sim[i], &desc, 1));
		/* Detaching waits for it. */
		ASSERT_EQ(0, sva_sim_detach(sim[i]));
		sva_sim_close(sim[i]);
	}
	ASSERT_EQ(2, sva_faultq_read(q, fault, 2));
	EXPECT_EQ(SVA_FAULT_LOST, fault[0].flags);
	EXPECT_EQ(2, fault[0].lost);
	EXPECT_EQ(LIB_GVA, fault[1].addr);
	/* Closing answers. */
	close(q);
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, WAIT());
}

TEST_HARNESS_MAIN
