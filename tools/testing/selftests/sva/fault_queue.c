// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests to user space: told, answered, answered wrongly, not answered.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "guest.h"
#include "kselftest_harness.h"

#define GVA	0x123456789000ULL

FIXTURE(fault) {
	struct core_counts before;
	struct guest g;
	struct guest_space s;
	int q;
};

FIXTURE_VARIANT(fault) {
	bool rid;
};

FIXTURE_VARIANT_ADD(fault, pasid) { };
FIXTURE_VARIANT_ADD(fault, rid) { .rid = true };

FIXTURE_SETUP(fault)
{
	self->before = core_counts();
	ASSERT_EQ(0, guest_init(&self->g, "0"));
	guest_space_init(&self->s, &self->g, 4);
	self->s.rid = variant->rid;
	self->q = sva_faultq(self->g.fd, SVA_FAULTQ_F_NONBLOCK, 8);
	ASSERT_LE(0, self->q);
	ASSERT_EQ(0, guest_start(&self->s, self->g.sim, self->q));
}

FIXTURE_TEARDOWN(fault)
{
	EXPECT_EQ(0, guest_exit(&self->g));
	close(self->q);
	EXPECT_TRUE(core_settles(&self->before));
}

#define SUBMIT(gva) \
	guest_submit(&self->s, self->g.sim, sva_sim_fill(gva, 7, 8))
#define WAIT() guest_wait(&self->s, self->g.sim)

TEST_F(fault, fault_answered)
{
	struct sva_pasid_guest guest = {
		.size = sizeof(guest), .flags = SVA_GUEST_F_SET,
		.pasid = self->s.pasid, .guest_pasid = 4711,
	};
	struct sva_sim_info info;
	struct sva_fault fault[4];
	uint64_t *page;

	ASSERT_EQ(0, sva_ioctl(self->g.fd, SVA_PASID_GUEST, &guest));
	ASSERT_EQ(0, sva_sim_info(self->g.sim, &info));
	ASSERT_EQ(0, SUBMIT(GVA + 0x123 * 8));
	ASSERT_EQ(1, guest_read_faults(self->q, fault, 4));
	EXPECT_EQ((variant->rid ? 0 : SVA_FAULT_PASID_VALID) |
		  SVA_FAULT_LAST_PAGE, fault->flags);
	EXPECT_EQ(self->g.dev, fault->dev_id);
	EXPECT_EQ(self->s.pasid, fault->object);
	EXPECT_EQ(variant->rid ? 0 : self->s.pasid, fault->pasid);
	EXPECT_EQ(4711, fault->guest_pasid);
	EXPECT_EQ(SVA_FAULT_PERM_WRITE, fault->perm);
	EXPECT_EQ(GVA, fault->addr);
	EXPECT_EQ(info.queue_id, fault->private_data[0]);
	EXPECT_EQ(info.completed, fault->private_data[1]);

	page = guest_map_new(&self->s, GVA);
	EXPECT_EQ(0, guest_respond(self->q, fault->cookie, SVA_FAULT_SUCCESS));
	EXPECT_EQ(SVA_SIM_STATUS_OK, WAIT());
	EXPECT_EQ(7, page[0x123]);
	EXPECT_EQ(1, guest_record(&self->s)->page_requests);
}

struct later {
	struct guest_space *s;
	int sim, ret;
};

static void *submit_later(void *arg)
{
	struct later *later = arg;

	usleep(50000);
	later->ret = guest_submit(later->s, later->sim, sva_sim_fill(GVA, 7, 8));
	return NULL;
}

TEST_F(fault, fault_read_waits)
{
	struct later later = { .s = &self->s, .sim = self->g.sim };
	struct sva_fault fault;
	pthread_t thread;

	ASSERT_EQ(0, fcntl(self->q, F_SETFL, 0));
	EXPECT_EQ(-EINTR, sva_read_interrupted(self->q, &fault, sizeof(fault)));

	ASSERT_EQ(0, pthread_create(&thread, NULL, submit_later, &later));
	EXPECT_EQ((ssize_t)sizeof(fault), read(self->q, &fault, sizeof(fault)));
	pthread_join(thread, NULL);
	ASSERT_EQ(0, later.ret);
	EXPECT_EQ(GVA, fault.addr);
	EXPECT_EQ(0, guest_respond(self->q, fault.cookie, SVA_FAULT_INVALID));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, WAIT());
}

TEST_F(fault, fault_permission)
{
	struct sva_fault fault;

	guest_map(&self->s, GVA, guest_alloc(&self->g, CORE_PAGE),
		  PTE_P | PTE_U, 0);
	ASSERT_EQ(0, SUBMIT(GVA));
	ASSERT_EQ(1, guest_read_faults(self->q, &fault, 1));
	EXPECT_EQ(SVA_FAULT_PERM_WRITE, fault.perm);
	*guest_entry(&self->s, GVA, 0) |= PTE_W;
	EXPECT_EQ(0, guest_respond(self->q, fault.cookie, SVA_FAULT_SUCCESS));
	EXPECT_EQ(SVA_SIM_STATUS_OK, WAIT());
}

TEST_F(fault, fault_answered_invalid)
{
	struct sva_fault fault;

	ASSERT_EQ(0, SUBMIT(GVA + 8));
	ASSERT_EQ(1, guest_read_faults(self->q, &fault, 1));
	EXPECT_EQ(0, guest_respond(self->q, fault.cookie, SVA_FAULT_INVALID));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, WAIT());
	EXPECT_EQ(GVA + 8, guest_record(&self->s)->fault_addr);
	EXPECT_EQ(0x71, guest_fault(&self->g));
}

/* Stage 2, and what no page request can mend, is nobody's business. */
TEST_F(fault, fault_not_recoverable)
{
	struct sva_fault fault;

	guest_map(&self->s, GVA, GUEST_BASE + GUEST_SIZE, PTE_RWU, 0);
	ASSERT_EQ(0, SUBMIT(GVA));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, WAIT());
	EXPECT_EQ(0x79, guest_fault(&self->g));
	ASSERT_EQ(0, SUBMIT(1ULL << 47));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, WAIT());
	EXPECT_EQ(-1, read(self->q, &fault, sizeof(fault)));
	EXPECT_EQ(EAGAIN, errno);
}

TEST_F(fault, fault_group)
{
	struct sva_sim_desc desc = sva_sim_fill(GVA, 7, 6 * CORE_PAGE);
	struct sva_fault fault[8];
	int i;

	ASSERT_EQ(0, sva_sim_set(self->g.engine, "prq_group", "8"));
	guest_map_new(&self->s, GVA + 2 * CORE_PAGE);
	ASSERT_EQ(0, guest_submit(&self->s, self->g.sim, desc));
	/* Room for only a part of the group is none. */
	while (read(self->q, fault, 4 * sizeof(*fault)) < 0 && errno == EAGAIN)
		core_sleep_ms(1);
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(5, guest_read_faults(self->q, fault, 8));
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(GVA + (i < 2 ? i : i + 1) * CORE_PAGE, fault[i].addr);
		EXPECT_EQ(fault->cookie, fault[i].cookie);
		EXPECT_EQ(fault->grpid, fault[i].grpid);
		EXPECT_EQ(i == 4, !!(fault[i].flags & SVA_FAULT_LAST_PAGE));
		guest_map_new(&self->s, fault[i].addr);
	}
	EXPECT_EQ(0, guest_respond(self->q, fault->cookie, SVA_FAULT_SUCCESS));
	EXPECT_EQ(SVA_SIM_STATUS_OK, WAIT());
	EXPECT_EQ(1, guest_record(&self->s)->page_requests);
}

/* As many pages as a group may have, then one more. */
TEST_F(fault, fault_group_of_the_most_pages)
{
	struct sva_fault fault[SVA_FAULT_GROUP_MAX];
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_FILL, .src = 7, .dst = GVA,
		.len = SVA_FAULT_GROUP_MAX * CORE_PAGE,
	};
	int i;

	ASSERT_EQ(0, sva_sim_set(self->g.engine, "prq_group", "512"));
	ASSERT_EQ(0, guest_submit(&self->s, self->g.sim, desc));
	ASSERT_EQ(SVA_FAULT_GROUP_MAX,
		  guest_read_faults(self->q, fault, SVA_FAULT_GROUP_MAX));
	for (i = 0; i < SVA_FAULT_GROUP_MAX; i++) {
		EXPECT_EQ(GVA + i * CORE_PAGE, fault[i].addr);
		EXPECT_EQ(fault->cookie, fault[i].cookie);
		EXPECT_EQ(i == SVA_FAULT_GROUP_MAX - 1,
			  !!(fault[i].flags & SVA_FAULT_LAST_PAGE));
		guest_map_new(&self->s, fault[i].addr);
	}
	EXPECT_EQ(0, guest_respond(self->q, fault->cookie, SVA_FAULT_SUCCESS));
	EXPECT_EQ(SVA_SIM_STATUS_OK, WAIT());
	EXPECT_EQ(1, guest_record(&self->s)->page_requests);

	/* Nobody could read it: answered, and told as one that was lost. */
	desc.dst += 1ULL << 30;
	desc.len += CORE_PAGE;
	ASSERT_EQ(0, guest_submit(&self->s, self->g.sim, desc));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, WAIT());
	EXPECT_EQ(desc.dst, guest_record(&self->s)->fault_addr);
	ASSERT_EQ(1, guest_read_faults(self->q, fault, SVA_FAULT_GROUP_MAX));
	EXPECT_EQ(SVA_FAULT_LOST, fault->flags);
	EXPECT_EQ(1, fault->lost);
	EXPECT_EQ(-1, read(self->q, fault, sizeof(fault)));
	EXPECT_EQ(EAGAIN, errno);
	/* The next one is as good as ever. */
	ASSERT_EQ(0, SUBMIT(GVA - CORE_PAGE));
	ASSERT_EQ(1, guest_read_faults(self->q, fault, 1));
	EXPECT_EQ(0, guest_respond(self->q, fault->cookie, SVA_FAULT_INVALID));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, WAIT());
}

TEST_F(fault, fault_group_bounds)
{
	EXPECT_EQ(-ERANGE, sva_sim_set(self->g.engine, "prq_group", "0"));
	EXPECT_EQ(-ERANGE, sva_sim_set(self->g.engine, "prq_group", "513"));
	EXPECT_EQ(-EINVAL, sva_sim_set(self->g.engine, "prq_group", "x"));
	EXPECT_EQ(0, sva_sim_set(self->g.engine, "prq_group", "512"));
}

TEST_F(fault, fault_wrong_responses)
{
	struct sva_fault fault;
	struct sva_fault_response two[2] = {};
	uint32_t cookie;

	EXPECT_EQ(-ENOENT, guest_respond(self->q, 0, SVA_FAULT_SUCCESS));
	ASSERT_EQ(0, SUBMIT(GVA));
	while (!sva_sim_count(self->g.engine, "page_requests"))
		core_sleep_ms(1);
	/* The first cookie is not secret; but it was not read. */
	core_sleep_ms(50);
	for (cookie = 0; cookie < 8; cookie++)
		EXPECT_EQ(-ENOENT, guest_respond(self->q, cookie,
						 SVA_FAULT_SUCCESS));
	ASSERT_EQ(1, guest_read_faults(self->q, &fault, 1));
	EXPECT_EQ(-EINVAL, guest_respond(self->q, fault.cookie, 2));
	EXPECT_EQ(-ENOENT, guest_respond(self->q, fault.cookie + 1,
					 SVA_FAULT_SUCCESS));
	EXPECT_EQ(-ENOENT, guest_respond(self->q, fault.cookie ^ 1U << 31,
					 SVA_FAULT_SUCCESS));
	EXPECT_EQ(-1, write(self->q, &fault, 4));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->q, (void *)4096, sizeof(*two)));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, read(self->q, &fault, sizeof(fault) - 1));
	EXPECT_EQ(EINVAL, errno);

	/* The first of the two is good: that is what was taken. */
	guest_map_new(&self->s, GVA);
	two[0].cookie = fault.cookie;
	two[1].cookie = fault.cookie;
	EXPECT_EQ((ssize_t)sizeof(*two), write(self->q, two, sizeof(two)));
	EXPECT_EQ(-ENOENT, guest_respond(self->q, fault.cookie,
					 SVA_FAULT_SUCCESS));
	EXPECT_EQ(SVA_SIM_STATUS_OK, WAIT());
}

TEST_F(fault, fault_bad_memory)
{
	struct sva_fault fault;

	ASSERT_EQ(0, SUBMIT(GVA));
	while (read(self->q, (void *)4096, sizeof(fault)) < 0 &&
	       errno == EAGAIN)
		core_sleep_ms(1);
	EXPECT_EQ(EFAULT, errno);
	/* Nothing was lost by that. */
	ASSERT_EQ(1, guest_read_faults(self->q, &fault, 1));
	EXPECT_EQ(GVA, fault.addr);
	EXPECT_EQ(0, guest_respond(self->q, fault.cookie, SVA_FAULT_INVALID));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, WAIT());
}

TEST_F(fault, fault_alloc_refused)
{
	struct sva_as_alloc cmd = {
		.size = sizeof(cmd), .type = SVA_AS_TYPE_IOVA,
		.flags = SVA_AS_F_FAULT, .fault_fd = self->g.fd,
	};

	EXPECT_EQ(-EINVAL, sva_faultq(self->g.fd, 0, 0));
	EXPECT_EQ(-EINVAL, sva_faultq(self->g.fd, 0, SVA_FAULTQ_DEPTH_MAX + 1));
	EXPECT_EQ(-EOPNOTSUPP, sva_faultq(self->g.fd, 2, 8));
	ASSERT_EQ(0, sva_limit_fds(3));
	EXPECT_EQ(-EMFILE, sva_faultq(self->g.fd, 0, 8));
	ASSERT_EQ(0, sva_limit_fds(RLIM_INFINITY));
	EXPECT_EQ(-EBADF, sva_ioctl(self->g.fd, SVA_AS_ALLOC, &cmd));
	cmd.fault_fd = 999;
	EXPECT_EQ(-EBADF, sva_ioctl(self->g.fd, SVA_AS_ALLOC, &cmd));
}

/* One more queue of the engine, with the same PASID. */
static int more(struct guest_space *s)
{
	int sim = sva_sim_open_name(s->guest->node);
	int ret;

	if (sim < 0)
		return sim;
	ret = sva_sim_attach(sim, s->guest->fd, s->pasid, NULL);
	if (ret) {
		close(sim);
		return ret;
	}
	return sim;
}

/* A queue of one: the second request is answered and told. */
TEST_F(fault, fault_overflow)
{
	struct sva_fault fault[3];
	struct guest_space s;
	int q = sva_faultq(self->g.fd, SVA_FAULTQ_F_NONBLOCK, 1);
	int a = sva_sim_open_name(self->g.node), b;

	ASSERT_LE(0, q);
	ASSERT_LE(0, a);
	guest_space_init(&s, &self->g, 4);
	ASSERT_EQ(0, guest_start(&s, a, q));
	b = more(&s);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, guest_submit(&s, a, sva_sim_fill(GVA, 7, 8)));
	while (sva_sim_count(self->g.engine, "page_requests") < 1)
		core_sleep_ms(1);
	core_sleep_ms(20);
	EXPECT_EQ(-EIO, sva_sim_run_blind(b, &(struct sva_sim_desc) {
		.op = SVA_SIM_OP_FILL, .dst = GVA, .len = 8 }));
	ASSERT_EQ(1, guest_read_faults(q, fault, 1));
	EXPECT_EQ(SVA_FAULT_LOST, fault->flags);
	EXPECT_EQ(1, fault->lost);
	ASSERT_EQ(1, guest_read_faults(q, fault, 3));
	EXPECT_EQ(GVA, fault->addr);
	guest_map_new(&s, GVA);
	EXPECT_EQ(0, guest_respond(q, fault->cookie, SVA_FAULT_SUCCESS));
	EXPECT_EQ(SVA_SIM_STATUS_OK, guest_wait(&s, a));
	/* The other context on the device has felt nothing. */
	ASSERT_EQ(0, SUBMIT(GVA));
	ASSERT_EQ(1, guest_read_faults(self->q, fault, 3));
	EXPECT_EQ(0, guest_respond(self->q, fault->cookie, SVA_FAULT_INVALID));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, WAIT());
	close(a);
	close(b);
	close(q);
}

TEST_F(fault, fault_close_answers)
{
	struct sva_fault fault;
	int b = more(&self->s);

	ASSERT_LE(0, b);
	/* One that was read and one that was not. */
	ASSERT_EQ(0, SUBMIT(GVA));
	ASSERT_EQ(1, guest_read_faults(self->q, &fault, 1));
	ASSERT_EQ(0, sva_sim_submit(b, &(struct sva_sim_desc) {
		.op = SVA_SIM_OP_FILL, .dst = GVA + CORE_PAGE, .len = 8 }));
	while (sva_sim_count(self->g.engine, "page_requests") < 2)
		core_sleep_ms(1);
	close(self->q);
	self->q = -1;
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, WAIT());
	/* From now on at once. */
	ASSERT_EQ(0, SUBMIT(GVA));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, WAIT());
	EXPECT_EQ(0, sva_sim_detach(b));
	close(b);
}

/* Who takes the translation away has the request answered. */
TEST_F(fault, fault_rebind_answers)
{
	struct guest_space other;
	struct sva_fault fault;

	guest_space_init(&other, &self->g, 4);
	guest_map_new(&other, GVA);
	ASSERT_EQ(0, guest_nest(&other, self->q));
	ASSERT_EQ(0, SUBMIT(GVA));
	ASSERT_EQ(1, guest_read_faults(self->q, &fault, 1));
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, self->s.pasid, other.as));
	EXPECT_EQ(-ENOENT, guest_respond(self->q, fault.cookie,
					 SVA_FAULT_SUCCESS));
	EXPECT_LE(0, WAIT());
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  guest_fill(&other, self->g.sim, GVA, 5));
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, self->s.pasid, SVA_AS_NONE));
}

TEST_F(fault, fault_iova_space)
{
	struct sva_as_alloc cmd = {
		.size = sizeof(cmd), .type = SVA_AS_TYPE_IOVA,
		.flags = SVA_AS_F_FAULT, .fault_fd = self->q,
	};
	char *mem = sva_mem(CORE_PAGE);
	struct sva_fault fault;

	ASSERT_EQ(0, sva_ioctl(self->g.fd, SVA_AS_ALLOC, &cmd));
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, self->s.pasid, cmd.id));
	ASSERT_EQ(0, sva_sim_submit(self->g.sim, &(struct sva_sim_desc) {
		.op = SVA_SIM_OP_FILL, .src = ~0ULL, .dst = GVA, .len = 8 }));
	ASSERT_EQ(1, guest_read_faults(self->q, &fault, 1));
	EXPECT_EQ(GVA, fault.addr);
	ASSERT_EQ(0, iova_map_at(self->g.fd, cmd.id, CORE_RW, mem, CORE_PAGE,
				 GVA));
	EXPECT_EQ(0, guest_respond(self->q, fault.cookie, SVA_FAULT_SUCCESS));
	EXPECT_EQ(0, sva_sim_detach(self->g.sim));
	EXPECT_EQ(-1, mem[7]);
}

#define MANY 1000

/* Opens queues and has each make a page request, then waits to be killed. */
static void vmm(struct guest *g, bool rid, int pipe)
{
	struct rlimit limit = { MANY + 100, MANY + 100 };
	struct guest_space s;
	int i, q, sim;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		_exit(1);
	g->fd = sva_open();
	if (g->fd < 0 || guest_parent(g->fd, SVA_AS_F_NEST_PARENT, &g->parent) ||
	    guest_memory(g))
		_exit(2);
	g->used = 0;
	guest_space_init(&s, g, 4);
	s.rid = rid;
	q = sva_faultq(g->fd, 0, MANY);
	sim = sva_sim_open_name(g->node);
	if (q < 0 || sim < 0 || guest_start(&s, sim, q))
		_exit(3);
	for (i = 0; i < MANY; i++) {
		struct sva_sim_desc desc = {
			.op = SVA_SIM_OP_FILL, .len = 8,
			.dst = GVA + i * CORE_PAGE,
		};

		if (i)
			sim = more(&s);
		if (sim < 0 || sva_sim_submit(sim, &desc))
			_exit(4);
	}
	if (write(pipe, "x", 1) != 1)
		_exit(5);
	pause();
	_exit(6);
}

TEST_F(fault, fault_vmm_killed)
{
	struct core_counts before = core_counts();
	int ready[2], status, i;
	struct guest *g = &self->g;
	struct guest copy = *g;
	pid_t pid;
	char x;

	ASSERT_EQ(0, sva_sim_detach(g->sim));
	before.bonds--;
	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	if (!pid) {
		/* Of the parent's things it must hold none. */
		close(g->fd);
		close(g->sim);
		close(self->q);
		close(ready[0]);
		vmm(&copy, variant->rid, ready[1]);
	}
	close(ready[1]);
	ASSERT_EQ(1, read(ready[0], &x, 1));
	for (i = 0; i < 3000; i++) {
		if (sva_sim_count(g->engine, "page_requests") >= MANY)
			break;
		core_sleep_ms(10);
	}
	EXPECT_LE(MANY, sva_sim_count(g->engine, "page_requests"));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	close(ready[0]);
	EXPECT_TRUE(core_settles(&before));

	/* The engine does as if nothing had been. */
	ASSERT_EQ(0, sva_sim_attach(g->sim, g->fd, self->s.pasid, NULL));
	guest_map_new(&self->s, GVA);
	EXPECT_EQ(SVA_SIM_STATUS_OK, guest_fill(&self->s, g->sim, GVA, 1));
}

TEST_HARNESS_MAIN
