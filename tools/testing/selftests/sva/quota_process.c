// SPDX-License-Identifier: GPL-2.0-only
/*
 * Process PASIDs: charged once per process, from the first attempt to attach it
 * until it has ended and nothing keeps its memory.
 *
 * Machine: plain engine
 */
#include "quota_util.h"
#include "kselftest_harness.h"

FIXTURE(quota_process) {
	struct quota_cg cg;
	struct quota_cg other;
	long processes;
	int fd;				/* for looking only */
	int sock[2];
};

FIXTURE_SETUP(quota_process)
{
	self->processes = core_count("processes");
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, quota_make(&self->cg, NULL, "process"));
	ASSERT_EQ(0, quota_make(&self->other, NULL, "other"));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				self->sock));
}

FIXTURE_TEARDOWN(quota_process)
{
	int i;

	close(self->sock[0]);
	close(self->sock[1]);
	EXPECT_EQ(0, quota_remove(&self->cg));
	EXPECT_EQ(0, quota_remove(&self->other));
	close(self->fd);
	for (i = 0; i < 1000 * SVA_SLOWER; i++) {
		if (core_count("processes") == self->processes)
			break;
		core_sleep_ms(10);
	}
	EXPECT_EQ(self->processes, core_count("processes"));
}

/* A context with the caller's process PASID, or a negative errno. */
static int process_ctx(uint32_t *mm)
{
	int ret, fd = sva_open();

	if (fd < 0)
		return fd;
	ret = pasid_alloc_handle(fd, SVA_PASID_F_MM, mm);
	return ret ? ret : fd;
}

static uint32_t number_of(int fd, uint32_t mm)
{
	struct sva_pasid_info info;

	return sva_pasid_info(fd, mm, &info) ? ~0u : info.number;
}

static void be_attached(FIXTURE_DATA(quota_process) *self)
{
	uint32_t mm, again;
	int fd, ctx, ctx2, sim, sim2;

	BOND_CHECK(!quota_enter(&self->cg));
	fd = sva_open();
	ctx = process_ctx(&mm);
	ctx2 = process_ctx(&again);
	BOND_CHECK(fd >= 0 && ctx >= 0 && ctx2 >= 0);
	BOND_CHECK(quota_used(fd, self->cg.fd) == 0);
	BOND_CHECK(number_of(ctx, mm) == 0);

	sim = bond_attached("sva_sim0", ctx, mm);
	BOND_CHECK(sim >= 0);
	BOND_CHECK(quota_used(fd, self->cg.fd) == 1);
	BOND_CHECK(core_count("processes") == self->processes + 1);

	/* On another queue, on another device, by another context. */
	sim2 = bond_attached("sva_sim0", ctx, mm);
	BOND_CHECK(sim2 >= 0);
	close(sim2);
	sim2 = bond_attached("sva_sim1", ctx2, again);
	BOND_CHECK(sim2 >= 0);
	close(sim2);
	BOND_CHECK(quota_used(fd, self->cg.fd) == 1);

	/* Not even with its objects does the number end. */
	close(sim);
	BOND_CHECK(number_of(ctx, mm) != 0);
	close(ctx);
	close(ctx2);
	BOND_CHECK(quota_used(fd, self->cg.fd) == 1);
	ctx = process_ctx(&mm);
	BOND_CHECK(ctx >= 0);
	BOND_CHECK(number_of(ctx, mm) != 0);
	sim = bond_attached("sva_sim0", ctx, mm);
	BOND_CHECK(sim >= 0);
	BOND_CHECK(quota_used(fd, self->cg.fd) == 1);
	_exit(0);
}

TEST_F(quota_process, once_until_the_end)
{
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid)
		be_attached(self);
	EXPECT_EQ(0, bond_join_child(pid));
	EXPECT_TRUE(quota_settles(self->fd, self->cg.fd, 0));
}

static void be_limited(FIXTURE_DATA(quota_process) *self)
{
	struct sva_quota quota;
	int i, ctx, sim;
	uint32_t mm;

	BOND_CHECK(!quota_enter(&self->cg));
	ctx = process_ctx(&mm);
	BOND_CHECK(ctx >= 0);
	for (i = 0; i < 20; i++)
		BOND_CHECK(bond_attached("sva_sim0", ctx, mm) == -EDQUOT);
	BOND_CHECK(number_of(ctx, mm) == 0);
	BOND_CHECK(!quota_get(ctx, self->cg.fd, &quota));
	BOND_CHECK(quota.used == 0 && quota.events == 20);

	BOND_CHECK(!quota_set(ctx, self->cg.fd, 1));
	sim = bond_attached("sva_sim0", ctx, mm);
	BOND_CHECK(sim >= 0);
	/* It has what it has. */
	BOND_CHECK(!quota_set(ctx, self->cg.fd, 0));
	close(sim);
	BOND_CHECK(bond_attached("sva_sim0", ctx, mm) >= 0);
	_exit(0);
}

TEST_F(quota_process, the_limit_holds)
{
	pid_t pid;

	ASSERT_EQ(0, quota_set(self->fd, self->cg.fd, 0));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		be_limited(self);
	EXPECT_EQ(0, bond_join_child(pid));
	EXPECT_TRUE(quota_settles(self->fd, self->cg.fd, 0));
}

static void be_owner(FIXTURE_DATA(quota_process) *self)
{
	int ctx, pf;
	uint32_t mm;
	char c;

	close(self->sock[0]);
	BOND_CHECK(!quota_enter(&self->cg));
	ctx = process_ctx(&mm);
	BOND_CHECK(ctx >= 0);
	pf = pasidfd_make(ctx, mm, NULL);
	BOND_CHECK(pf >= 0);
	BOND_CHECK(!bond_send(self->sock[1], &pf, 1, mm));
	BOND_CHECK(read(self->sock[1], &c, 1) == 1);
	_exit(0);
}

static int attach_from_other(void *arg)
{
	FIXTURE_DATA(quota_process) *self = ((void **)arg)[0];
	int pf = *(int *)((void **)arg)[1];

	if (quota_enter(&self->other))
		return 1;
	return pasidfd_attached(0, pf) < 0 ? 2 : 0;
}

/* Who presents a PASID fd is not charged: it is the owner's PASID. */
TEST_F(quota_process, a_pasid_fd_charges_the_owner)
{
	pid_t pid = fork();
	void *arg[2];
	uint32_t mm;
	int pf;

	ASSERT_LE(0, pid);
	if (!pid)
		be_owner(self);
	ASSERT_EQ(0, bond_receive(self->sock[0], &pf, 1, &mm));
	arg[0] = self;
	arg[1] = &pf;
	EXPECT_EQ(0, quota_as_child(attach_from_other, arg));
	EXPECT_EQ(1, quota_used(self->fd, self->cg.fd));
	EXPECT_EQ(0, quota_used(self->fd, self->other.fd));
	close(pf);
	EXPECT_EQ(1, write(self->sock[0], "", 1));
	EXPECT_EQ(0, bond_join_child(pid));
	EXPECT_TRUE(quota_settles(self->fd, self->cg.fd, 0));
}

/* The same for numbers. */
TEST_F(quota_process, a_pasid_fd_of_a_number_charges_nobody)
{
	void *arg[2];
	uint32_t pasid;
	int pf;

	ASSERT_EQ(0, quota_enter(&self->cg));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, quota_enter(NULL));
	pf = pasidfd_make(self->fd, pasid, NULL);
	ASSERT_LE(0, pf);
	arg[0] = self;
	arg[1] = &pf;
	EXPECT_EQ(0, quota_as_child(attach_from_other, arg));
	EXPECT_EQ(1, quota_used(self->fd, self->cg.fd));
	EXPECT_EQ(0, quota_used(self->fd, self->other.fd));
	close(pf);
}

static void be_kept(FIXTURE_DATA(quota_process) *self)
{
	int ctx;
	uint32_t mm;

	BOND_CHECK(!quota_enter(&self->cg));
	ctx = process_ctx(&mm);
	BOND_CHECK(ctx >= 0);
	BOND_CHECK(bond_attached("sva_sim0", ctx, mm) >= 0);
	BOND_CHECK(!bond_send(self->sock[1], &ctx, 1, mm));
	_exit(0);
}

/* The number is in use as long as an object keeps the memory of the dead. */
TEST_F(quota_process, a_dead_process_that_is_kept)
{
	pid_t pid = fork();
	uint32_t mm;
	int ctx;

	ASSERT_LE(0, pid);
	if (!pid)
		be_kept(self);
	ASSERT_EQ(0, bond_receive(self->sock[0], &ctx, 1, &mm));
	EXPECT_EQ(0, bond_join_child(pid));
	core_sleep_ms(200);
	EXPECT_EQ(1, quota_used(self->fd, self->cg.fd));
	EXPECT_NE(0, number_of(ctx, mm));
	close(ctx);
	EXPECT_TRUE(quota_settles(self->fd, self->cg.fd, 0));
}

/* Gets a number, and leaves behind what keeps that: its memory. Says what it got. */
static void be_mourned(FIXTURE_DATA(quota_process) *self)
{
	int ctx, ret, mem;
	uint32_t mm;

	BOND_CHECK(!quota_enter(&self->cg));
	ctx = process_ctx(&mm);
	BOND_CHECK(ctx >= 0);
	ret = bond_attached("sva_sim0", ctx, mm);
	mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	BOND_CHECK(mem >= 0);
	BOND_CHECK(!bond_send(self->sock[1], &mem, 1, ret < 0 ? -ret : 0));
	_exit(0);
}

/* What it got, 0 or a negative errno; *@mem keeps its number. */
static int mourn(FIXTURE_DATA(quota_process) *self, int *mem)
{
	pid_t pid = fork();
	uint32_t error;

	if (!pid)
		be_mourned(self);
	if (pid < 0 || bond_receive(self->sock[0], mem, 1, &error) ||
	    bond_join_child(pid) || !quota_settles(self->fd, self->cg.fd, 0))
		return -EPROTO;
	return -(int)error;
}

/* Not charged, but not free: a limit of few does not let one keep many. */
TEST_F_TIMEOUT(quota_process, numbers_of_the_dead, 90)
{
	const int max = 2, cpus = sysconf(_SC_NPROCESSORS_CONF);
	int mem[64], num, error = 0, i;

	ASSERT_GT(ARRAY_SIZE(mem), max + cpus + 2);
	ASSERT_EQ(0, quota_set(self->fd, self->cg.fd, max));
	for (num = 0; num < max + cpus + 2 && !error; num++)
		error = mourn(self, &mem[num]);
	EXPECT_EQ(-EDQUOT, error);
	/* What CPUs keep counts as well, but it is not more than that. */
	EXPECT_LT(max, num - 1);
	for (i = 0; i < num; i++)
		close(mem[i]);
	for (i = 0; i < 100 && error == -EDQUOT; i++) {
		core_sleep_ms(100 * SVA_SLOWER);
		error = mourn(self, &mem[0]);
		close(mem[0]);
	}
	EXPECT_EQ(0, error);
}

/* Each process is another one, by fork as well as by exec. */
static void be_parent(FIXTURE_DATA(quota_process) *self)
{
	uint32_t mm;
	int ctx, i, sim[4];
	pid_t pid;

	BOND_CHECK(!quota_enter(&self->cg));
	ctx = process_ctx(&mm);
	BOND_CHECK(ctx >= 0);
	BOND_CHECK(bond_attached("sva_sim0", ctx, mm) >= 0);
	for (i = 0; i < 3; i++) {
		pid = fork();
		if (pid)
			break;
		/* Now somebody else. */
		BOND_CHECK(bond_attached("sva_sim0", ctx, mm) == -EPERM);
		ctx = process_ctx(&mm);
		sim[i] = bond_attached("sva_sim0", ctx, mm);
		BOND_CHECK(sim[i] >= 0);
	}
	BOND_CHECK(i < 3 ? bond_join_child(pid) == 0 :
			   quota_used(ctx, self->cg.fd) == 4);
	_exit(0);
}

TEST_F(quota_process, each_process_its_own)
{
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid)
		be_parent(self);
	EXPECT_EQ(0, bond_join_child(pid));
	EXPECT_TRUE(quota_settles(self->fd, self->cg.fd, 0));
}

TEST_HARNESS_MAIN
