// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASID fds in other hands: of a process that is trusted with nothing else, of
 * one whose maker has gone, and of one that attaches another's memory.
 *
 * Machine: plain engine
 */
#include <stdbool.h>
#include <sys/wait.h>

#include "pasidfd_util.h"
#include "kselftest_harness.h"

/* Seen by all our children, and mapped at the same address. */
static struct bond_mem *shared_mem(void)
{
	struct bond_mem *mem = mmap(NULL, sizeof(*mem), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int i;

	if (mem == MAP_FAILED)
		return NULL;
	for (i = 0; i < 512; i++)
		mem->src[i] = 0x2000000000000 + i;
	return mem;
}

FIXTURE(pasidfd_share) {
	struct core_counts before;
	struct bond_mem *mem;
	int fd;
	int sock[2];
	uint32_t as;
	uint32_t pasid;
};

FIXTURE_SETUP(pasidfd_share)
{
	self->before = core_counts();
	self->mem = shared_mem();
	ASSERT_NE(NULL, self->mem);
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, bond_as(self->fd, self->mem, &self->as));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &self->pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				self->sock));
}

FIXTURE_TEARDOWN(pasidfd_share)
{
	if (self->fd >= 0)
		close(self->fd);
	close(self->sock[0]);
	close(self->sock[1]);
	munmap(self->mem, sizeof(*self->mem));
	EXPECT_TRUE(core_settles(&self->before));
}

/* A descriptor of ours would be more than it was given. */
static void forget(FIXTURE_DATA(pasidfd_share) *self)
{
	close(self->fd);
	close(self->sock[0]);
}

/* --- trusted with a PASID only --------------------------------------------------- */

static void be_client(FIXTURE_DATA(pasidfd_share) *self)
{
	int fds[2], pf, sim;
	char arg[256] = {};
	uint32_t nr, pasid;

	forget(self);
	BOND_CHECK(!pasidfd_drop_rights());
	BOND_CHECK(!bond_receive(self->sock[1], fds, 2, &pasid));
	pf = fds[0];
	sim = fds[1];

	BOND_CHECK(sva_open() == -EACCES);
	for (nr = 0; nr < 64; nr++) {
		memset(arg, 0, sizeof(arg));
		*(uint32_t *)arg = 64;
		BOND_CHECK(sva_ioctl(pf, _IO(SVA_TYPE, nr), arg) == -ENOTTY);
	}
	BOND_CHECK(sva_sim_attach(sim, pf, pasid + 1, NULL) == -ENOENT);

	BOND_CHECK(!sva_sim_attach(sim, pf, pasid, NULL));
	BOND_CHECK(bond_copy(sim, self->mem) == SVA_SIM_STATUS_OK);
	/* What the context has not mapped is out of its reach. */
	BOND_CHECK(bond_run(sim, sva_sim_fill((uintptr_t)self->mem->hole, 1, 8),
			    &self->mem->done) == SVA_SIM_STATUS_FAULT);
	BOND_CHECK(!sva_sim_detach(sim));
	/* And again, until it is told that it may not. */
	BOND_CHECK(!sva_sim_attach(sim, pf, 0, NULL));
	BOND_CHECK(write(self->sock[1], "1", 1) == 1);
	BOND_CHECK(bond_hangs_up(sim));
	BOND_CHECK(bond_copy(sim, self->mem) == -ENOLINK);
	BOND_CHECK(!sva_sim_detach(sim));
	BOND_CHECK(sva_sim_attach(sim, pf, 0, NULL) == -ESTALE);
	_exit(0);
}

TEST_F(pasidfd_share, pasidfd_unprivileged_client)
{
	int fds[2] = { -1, sva_sim_open(0) };
	uint32_t id;
	pid_t pid;
	char c;

	ASSERT_LE(0, fds[1]);
	fds[0] = pasidfd_make(self->fd, self->pasid, &id);
	ASSERT_LE(0, fds[0]);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(fds[0]);
		close(fds[1]);
		be_client(self);
	}
	ASSERT_EQ(0, bond_send(self->sock[0], fds, 2, self->pasid));
	close(fds[0]);
	close(fds[1]);
	EXPECT_EQ(1, read(self->sock[0], &c, 1));
	EXPECT_EQ(1, pasidfd_bonds(self->fd, self->pasid));
	EXPECT_EQ(0, sva_destroy(self->fd, id));
	EXPECT_EQ(0, bond_join_child(pid));
	EXPECT_EQ(0, pasid_free(self->fd, self->pasid, 1));
}

/* --- under way ----------------------------------------------------------------- */

TEST_F(pasidfd_share, pasidfd_revoked_in_flight)
{
	uint32_t id, word;
	int got, pf = pasidfd_make(self->fd, self->pasid, &id);

	ASSERT_LE(0, pf);
	ASSERT_EQ(0, bond_send(self->sock[0], &pf, 1, 0));
	close(pf);
	EXPECT_EQ(0, sva_destroy(self->fd, id));
	ASSERT_EQ(0, bond_receive(self->sock[1], &got, 1, &word));
	EXPECT_EQ(-ESTALE, pasidfd_attached(0, got));
	close(got);
}

TEST_F(pasidfd_share, pasidfd_lost_in_flight)
{
	int pf = pasidfd_make(self->fd, self->pasid, NULL);

	ASSERT_LE(0, pf);
	ASSERT_EQ(0, bond_send(self->sock[0], &pf, 1, 0));
	close(pf);
	close(self->sock[1]);
	self->sock[1] = -1;
	EXPECT_EQ(0, pasid_free(self->fd, self->pasid, 1));
}

/* --- another's memory ------------------------------------------------------------ */

TEST_F(pasidfd_share, pasidfd_memory_of_another_process)
{
	uint64_t *page = sva_mem(CORE_PAGE);
	uint32_t mm, id;
	int pf;
	pid_t pid;
	char c;

	ASSERT_NE(NULL, page);
	page[0] = 1;
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &mm));
	pf = pasidfd_make(self->fd, mm, &id);
	ASSERT_LE(0, pf);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int sim = sva_sim_open(0);

		/* The right is the descriptor's, not that of who has the context. */
		BOND_CHECK(sim >= 0);
		BOND_CHECK(sva_sim_attach(sim, self->fd, mm, NULL) == -EPERM);
		BOND_CHECK(pasidfd_make(self->fd, mm, NULL) == -EPERM);
		forget(self);
		BOND_CHECK(!sva_sim_attach(sim, pf, 0, NULL));
		BOND_CHECK(bond_run(sim, sva_sim_fill((uintptr_t)page, 0x77, 8),
				    &self->mem->done) == SVA_SIM_STATUS_OK);
		/* The same address, and another page. */
		BOND_CHECK(page[0] == 1);
		BOND_CHECK(write(self->sock[1], "1", 1) == 1);
		BOND_CHECK(bond_hangs_up(sim));
		BOND_CHECK(sva_sim_submit(sim, &(struct sva_sim_desc) {}) == -ENOLINK);
		_exit(0);
	}
	close(pf);
	EXPECT_EQ(1, read(self->sock[0], &c, 1));
	EXPECT_EQ(0x77, page[0]);
	EXPECT_EQ(1, pasidfd_bonds(self->fd, mm));
	EXPECT_EQ(0, sva_destroy(self->fd, id));
	EXPECT_EQ(0, bond_join_child(pid));
	EXPECT_EQ(0, pasidfd_bonds(self->fd, mm));
	munmap(page, CORE_PAGE);
}

/* Sends its context and a PASID fd of its own memory, and dies. */
static void bequeath(int sock, bool attached)
{
	uint32_t mm;
	int fds[2] = { -1, sva_open() };

	BOND_CHECK(fds[1] >= 0);
	BOND_CHECK(!pasid_alloc_handle(fds[1], SVA_PASID_F_MM, &mm));
	fds[0] = pasidfd_make(fds[1], mm, NULL);
	BOND_CHECK(fds[0] >= 0);
	if (attached)
		BOND_CHECK(pasidfd_attached(0, fds[0]) >= 0);
	BOND_CHECK(!bond_send(sock, fds, 2, mm));
	_exit(0);
}

TEST_F(pasidfd_share, pasidfd_memory_of_the_dead)
{
	int i, fds[2];
	uint32_t mm;
	pid_t pid;

	for (i = 0; i < 20; i++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			bequeath(self->sock[1], i % 2);
		ASSERT_EQ(0, bond_receive(self->sock[0], fds, 2, &mm));
		/* While it dies, it may be either. */
		if (i % 4 >= 2) {
			int sim = pasidfd_attached(1, fds[0]);

			EXPECT_TRUE(sim >= 0 || sim == -ESRCH);
			if (sim >= 0)
				close(sim);
		}
		ASSERT_EQ(0, bond_join_child(pid));
		EXPECT_EQ(-ESRCH, pasidfd_attached(1, fds[0]));
		EXPECT_EQ(0, pasid_free(fds[1], mm, 1));
		EXPECT_EQ(-ESTALE, pasidfd_attached(1, fds[0]));
		close(fds[0]);
		close(fds[1]);
	}
}

/* --- whose maker has gone ---------------------------------------------------------- */

static void make_and_wait(FIXTURE_DATA(pasidfd_share) *self)
{
	uint32_t as, pasid;
	int pf, fd = sva_open();

	BOND_CHECK(fd >= 0);
	BOND_CHECK(!bond_as(fd, self->mem, &as));
	BOND_CHECK(!pasid_alloc(fd, 0, 0, 1, &pasid));
	BOND_CHECK(!sva_pasid_bind(fd, pasid, as));
	pf = pasidfd_make(fd, pasid, NULL);
	BOND_CHECK(pf >= 0);
	BOND_CHECK(!bond_send(self->sock[1], &pf, 1, pasid));
	for (;;)
		pause();
}

TEST_F(pasidfd_share, pasidfd_maker_killed)
{
	int i, pf, sim, status;
	uint32_t pasid;
	pid_t pid;

	for (i = 0; i < 10; i++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			make_and_wait(self);
		ASSERT_EQ(0, bond_receive(self->sock[0], &pf, 1, &pasid));
		sim = pasidfd_attached(0, pf);
		ASSERT_LE(0, sim);
		EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem));
		EXPECT_EQ(-ESTALE, pasidfd_attached(1, pf));
		close(sim);
		EXPECT_EQ(-ESTALE, pasidfd_attached(1, pf));
		close(pf);
	}
}

TEST_HARNESS_MAIN
