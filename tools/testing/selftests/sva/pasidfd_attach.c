// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASID fds: made, presented in place of the sva fd, and what ends them.
 *
 * Machine: plain engine
 */
#include <stdbool.h>

#include "pasidfd_util.h"
#include "kselftest_harness.h"

FIXTURE(pasidfd_attach) {
	struct core_counts before;
	struct bond_mem *mem;
	int fd;
	uint32_t as;
	uint32_t pasid;
};

FIXTURE_SETUP(pasidfd_attach)
{
	self->before = core_counts();
	self->mem = bond_mem();
	ASSERT_NE(NULL, self->mem);
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, bond_as(self->fd, self->mem, &self->as));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &self->pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as));
}

FIXTURE_TEARDOWN(pasidfd_attach)
{
	if (self->fd >= 0)
		close(self->fd);
	munmap(self->mem, sizeof(*self->mem));
	EXPECT_TRUE(core_settles(&self->before));
}

/* --- making one ---------------------------------------------------------------- */

TEST_F(pasidfd_attach, pasidfd_is_a_feature)
{
	struct sva_get_info info;

	ASSERT_EQ(0, core_info(self->fd, &info));
	EXPECT_EQ(SVA_FEATURE_PASID_FD, info.features & SVA_FEATURE_PASID_FD);
}

TEST_F(pasidfd_attach, pasidfd_is_close_on_exec)
{
	int pf = pasidfd_make(self->fd, self->pasid, NULL);

	ASSERT_LE(0, pf);
	EXPECT_EQ(FD_CLOEXEC, fcntl(pf, F_GETFD));
	close(pf);
}

TEST_F(pasidfd_attach, pasidfd_bad_input)
{
	struct {
		struct sva_pasid_fd cmd;
		uint32_t more;
	} arg = { .cmd = { .size = sizeof(arg.cmd), .pasid = self->pasid } };
	int next = dup(self->fd);

	/* A call that fails takes neither a descriptor nor an id. */
	close(next);
	arg.cmd.flags = 1;
	EXPECT_EQ(-EOPNOTSUPP, sva_ioctl(self->fd, SVA_PASID_FD, &arg));
	arg.cmd.flags = 0;
	arg.cmd.size -= 4;
	EXPECT_EQ(-EINVAL, sva_ioctl(self->fd, SVA_PASID_FD, &arg));
	arg.cmd.size = sizeof(arg);
	arg.more = 1;
	EXPECT_EQ(-E2BIG, sva_ioctl(self->fd, SVA_PASID_FD, &arg));
	arg.more = 0;
	arg.cmd.pasid = 0;
	EXPECT_EQ(-ENOENT, sva_ioctl(self->fd, SVA_PASID_FD, &arg));
	arg.cmd.pasid = self->pasid + 1;
	EXPECT_EQ(-ENOENT, sva_ioctl(self->fd, SVA_PASID_FD, &arg));
	arg.cmd.pasid = SVA_PASID_HANDLE;
	EXPECT_EQ(-ENOENT, sva_ioctl(self->fd, SVA_PASID_FD, &arg));
	EXPECT_EQ(-EFAULT, sva_ioctl(self->fd, SVA_PASID_FD, NULL));

	arg.cmd.pasid = self->pasid;
	ASSERT_EQ(0, sva_ioctl(self->fd, SVA_PASID_FD, &arg));
	EXPECT_EQ(next, arg.cmd.fd);
	EXPECT_EQ(0, sva_destroy(self->fd, arg.cmd.id));
	close(arg.cmd.fd);
}

/* What is written back lies on a page that cannot be written. */
TEST_F(pasidfd_attach, pasidfd_unwritable_argument)
{
	struct sva_pasid_fd *cmd = sva_mem(CORE_PAGE);
	int next = dup(self->fd);
	uint32_t id;
	int pf;

	ASSERT_NE(NULL, cmd);
	close(next);
	*cmd = (struct sva_pasid_fd) {
		.size = sizeof(*cmd), .pasid = self->pasid,
	};
	ASSERT_EQ(0, mprotect(cmd, CORE_PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, sva_ioctl(self->fd, SVA_PASID_FD, cmd));
	munmap(cmd, CORE_PAGE);

	pf = pasidfd_make(self->fd, self->pasid, &id);
	EXPECT_EQ(next, pf);
	close(pf);
	EXPECT_EQ(0, pasid_free(self->fd, self->pasid, 1));
}

TEST_F(pasidfd_attach, pasidfd_no_descriptor_left)
{
	ASSERT_EQ(0, sva_limit_fds(3));
	EXPECT_EQ(-EMFILE, pasidfd_make(self->fd, self->pasid, NULL));
	ASSERT_EQ(0, sva_limit_fds(RLIM_INFINITY));
	EXPECT_EQ(0, pasid_free(self->fd, self->pasid, 1));
}

/* --- presenting it ------------------------------------------------------------- */

TEST_F(pasidfd_attach, pasidfd_does_dma)
{
	int sim, pf = pasidfd_make(self->fd, self->pasid, NULL);
	struct core_counts now;

	ASSERT_LE(0, pf);
	sim = pasidfd_attached(0, pf);
	ASSERT_LE(0, sim);
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem));
	EXPECT_EQ(1, pasidfd_bonds(self->fd, self->pasid));

	/* It cost nobody a PASID, nor anything else that is counted. */
	now = core_counts();
	EXPECT_EQ(self->before.pasids + 1, now.pasids);
	EXPECT_EQ(self->before.contexts + 1, now.contexts);
	EXPECT_EQ(self->before.bonds + 1, now.bonds);

	/* Its bond is like any other: it follows what is bound. */
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, SVA_AS_NONE));
	EXPECT_EQ(SVA_SIM_STATUS_PENDING, bond_copy(sim, self->mem));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem));
	close(sim);
	close(pf);
}

TEST_F(pasidfd_attach, pasidfd_and_pasid)
{
	int sim = sva_sim_open(0), pf = pasidfd_make(self->fd, self->pasid, NULL);
	uint32_t other, number;

	ASSERT_LE(0, sim);
	ASSERT_LE(0, pf);
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &other));
	EXPECT_EQ(-ENOENT, sva_sim_attach(sim, pf, other, NULL));
	EXPECT_EQ(-ENOENT, sva_sim_attach(sim, pf, SVA_PASID_HANDLE, NULL));
	EXPECT_EQ(-ENOENT, sva_sim_attach(sim, pf, ~0u, NULL));
	EXPECT_EQ(0, sva_sim_attach(sim, pf, self->pasid, &number));
	EXPECT_EQ(self->pasid, number);
	EXPECT_EQ(0, sva_sim_detach(sim));
	EXPECT_EQ(0, sva_sim_attach(sim, pf, 0, &number));
	EXPECT_EQ(self->pasid, number);
	/* An sva fd has no PASID of its own to stand for 0. */
	EXPECT_EQ(0, sva_sim_detach(sim));
	EXPECT_EQ(-ENOENT, sva_sim_attach(sim, self->fd, 0, NULL));
	close(sim);
	close(pf);
}

TEST_F(pasidfd_attach, pasidfd_several_of_one_pasid)
{
	uint32_t id[3];
	int i, pf[3], sim[3];

	for (i = 0; i < 3; i++) {
		pf[i] = pasidfd_make(self->fd, self->pasid, &id[i]);
		ASSERT_LE(0, pf[i]);
		sim[i] = pasidfd_attached(i % 2, pf[i]);
		ASSERT_LE(0, sim[i]);
	}
	EXPECT_NE(id[0], id[1]);
	EXPECT_EQ(3, pasidfd_bonds(self->fd, self->pasid));

	/* Each is revoked by itself. */
	EXPECT_EQ(0, sva_destroy(self->fd, id[0]));
	EXPECT_TRUE(bond_hangs_up(sim[0]));
	EXPECT_EQ(2, pasidfd_bonds(self->fd, self->pasid));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim[1], self->mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim[2], self->mem));
	EXPECT_EQ(-ESTALE, pasidfd_attached(0, pf[0]));
	for (i = 0; i < 3; i++) {
		close(sim[i]);
		close(pf[i]);
	}
}

TEST_F(pasidfd_attach, pasidfd_beside_sva_fd)
{
	uint32_t id;
	int own, sim, pf = pasidfd_make(self->fd, self->pasid, &id);

	ASSERT_LE(0, pf);
	own = bond_attached("sva_sim0", self->fd, self->pasid);
	ASSERT_LE(0, own);
	sim = pasidfd_attached(0, pf);
	ASSERT_LE(0, sim);
	/* The holder's own bonds have nothing to do with it. */
	EXPECT_EQ(0, sva_destroy(self->fd, id));
	EXPECT_TRUE(bond_hangs_up(sim));
	EXPECT_EQ(-ENOLINK, bond_copy(sim, self->mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(own, self->mem));
	close(sim);
	close(own);
	close(pf);
}

TEST_F(pasidfd_attach, pasidfd_is_no_sva_fd)
{
	int sim = sva_sim_open(0), null = open("/dev/null", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, sim);
	EXPECT_EQ(-EBADF, sva_sim_attach(sim, null, 0, NULL));
	EXPECT_EQ(-EBADF, sva_sim_attach(sim, -1, 0, NULL));
	close(null);
	close(sim);
}

TEST_F(pasidfd_attach, pasidfd_can_do_nothing_itself)
{
	int pf = pasidfd_make(self->fd, self->pasid, NULL);
	char path[32], buf[256] = {};
	unsigned int nr;

	ASSERT_LE(0, pf);
	for (nr = 0; nr < 256; nr++) {
		*(uint32_t *)buf = 64;
		EXPECT_EQ(-ENOTTY, sva_ioctl(pf, _IO(SVA_TYPE, nr), buf));
	}
	EXPECT_EQ(-1, read(pf, buf, 8));
	EXPECT_EQ(-1, write(pf, buf, 8));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, CORE_PAGE, PROT_READ, MAP_SHARED, pf, 0));
	/* Nor can it be opened anew. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pf);
	EXPECT_EQ(-1, open(path, O_RDWR | O_CLOEXEC));
	close(pf);
}

/* --- what it ends with --------------------------------------------------------- */

TEST_F(pasidfd_attach, pasidfd_revoked)
{
	uint32_t id;
	int sim, pf = pasidfd_make(self->fd, self->pasid, &id);

	ASSERT_LE(0, pf);
	sim = pasidfd_attached(0, pf);
	ASSERT_LE(0, sim);
	EXPECT_EQ(-EBUSY, pasid_free(self->fd, self->pasid, 1));

	EXPECT_EQ(0, sva_destroy(self->fd, id));
	EXPECT_TRUE(bond_hangs_up(sim));
	EXPECT_EQ(-ENOLINK, bond_copy(sim, self->mem));
	EXPECT_EQ(-ESTALE, pasidfd_attached(0, pf));
	EXPECT_EQ(-ENOENT, sva_destroy(self->fd, id));
	/* The queue is still open and attached, but the PASID is free of it. */
	EXPECT_EQ(0, pasidfd_bonds(self->fd, self->pasid));
	EXPECT_EQ(0, pasid_free(self->fd, self->pasid, 1));
	EXPECT_EQ(0, sva_destroy(self->fd, self->as));
	/* And so is the queue, once it has been detached. */
	EXPECT_EQ(0, sva_sim_detach(sim));
	EXPECT_EQ(-ESTALE, sva_sim_attach(sim, pf, 0, NULL));
	close(sim);
	close(pf);
}

TEST_F(pasidfd_attach, pasidfd_closed)
{
	uint32_t id;
	int sim, pf = pasidfd_make(self->fd, self->pasid, &id);

	ASSERT_LE(0, pf);
	sim = pasidfd_attached(0, pf);
	ASSERT_LE(0, sim);
	close(pf);
	/* The bond stays, and it can still be ended. */
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem));
	EXPECT_EQ(0, sva_destroy(self->fd, id));
	EXPECT_TRUE(bond_hangs_up(sim));
	close(sim);
}

TEST_F(pasidfd_attach, pasidfd_of_a_freed_pasid)
{
	uint32_t id, again;
	int pf = pasidfd_make(self->fd, self->pasid, &id);

	ASSERT_LE(0, pf);
	ASSERT_EQ(0, pasid_free(self->fd, self->pasid, 1));
	EXPECT_EQ(-ESTALE, pasidfd_attached(0, pf));
	/* The same number is not the same PASID. */
	ASSERT_EQ(0, pasid_alloc(self->fd, self->pasid, self->pasid, 1, &again));
	EXPECT_EQ(self->pasid, again);
	EXPECT_EQ(-ESTALE, pasidfd_attached(0, pf));
	EXPECT_EQ(0, sva_destroy(self->fd, id));
	EXPECT_EQ(-ESTALE, pasidfd_attached(0, pf));
	close(pf);
}

TEST_F(pasidfd_attach, pasidfd_of_freed_range)
{
	uint32_t first, i, id[16];
	int pf[16];

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 16, &first));
	for (i = 0; i < 16; i++) {
		pf[i] = pasidfd_make(self->fd, first + i, &id[i]);
		ASSERT_LE(0, pf[i]);
	}
	ASSERT_EQ(0, pasid_free(self->fd, first, 16));
	for (i = 0; i < 16; i++) {
		EXPECT_EQ(-ESTALE, pasidfd_attached(0, pf[i]));
		close(pf[i]);
	}
}

TEST_F(pasidfd_attach, pasidfd_of_a_closed_context)
{
	int pf = pasidfd_make(self->fd, self->pasid, NULL);

	ASSERT_LE(0, pf);
	close(self->fd);
	self->fd = -1;
	/* It keeps nothing. */
	EXPECT_TRUE(core_settles(&self->before));
	EXPECT_EQ(-ESTALE, pasidfd_attached(0, pf));
	close(pf);
}

TEST_F(pasidfd_attach, pasidfd_context_kept_by_bond)
{
	int sim, pf = pasidfd_make(self->fd, self->pasid, NULL);

	ASSERT_LE(0, pf);
	sim = pasidfd_attached(0, pf);
	ASSERT_LE(0, sim);
	close(self->fd);
	self->fd = -1;
	/* The bond lives on, as any does, but nobody can make another one. */
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem));
	EXPECT_EQ(self->before.contexts + 1, core_counts().contexts);
	EXPECT_EQ(-ESTALE, pasidfd_attached(1, pf));
	ASSERT_EQ(0, sva_sim_detach(sim));
	EXPECT_TRUE(core_settles(&self->before));
	EXPECT_EQ(-ESTALE, sva_sim_attach(sim, pf, 0, NULL));
	close(sim);
	close(pf);
}

TEST_F(pasidfd_attach, pasidfd_left_to_the_context)
{
	int i, pf[8];

	for (i = 0; i < 8; i++) {
		pf[i] = pasidfd_make(self->fd, self->pasid, NULL);
		ASSERT_LE(0, pf[i]);
	}
	/* Some files go first, some after the ids. */
	for (i = 0; i < 4; i++)
		close(pf[i]);
	close(self->fd);
	self->fd = -1;
	for (; i < 8; i++)
		close(pf[i]);
}

TEST_F(pasidfd_attach, pasidfd_duplicates_are_one)
{
	uint32_t id;
	int sim, copy, pf = pasidfd_make(self->fd, self->pasid, &id);

	ASSERT_LE(0, pf);
	copy = dup(pf);
	close(pf);
	sim = pasidfd_attached(0, copy);
	ASSERT_LE(0, sim);
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem));
	EXPECT_EQ(0, sva_destroy(self->fd, id));
	EXPECT_EQ(-ESTALE, pasidfd_attached(0, copy));
	close(sim);
	close(copy);
}

/* A bond that was ended keeps nothing, for as long as its queue is open. */
TEST_F(pasidfd_attach, pasidfd_dead_bond_keeps_no_context)
{
	uint32_t id;
	int sim, pf = pasidfd_make(self->fd, self->pasid, &id);
	struct core_counts now;

	ASSERT_LE(0, pf);
	sim = pasidfd_attached(0, pf);
	ASSERT_LE(0, sim);
	ASSERT_EQ(0, sva_destroy(self->fd, id));
	close(self->fd);
	self->fd = -1;
	now = core_counts();
	EXPECT_EQ(self->before.contexts, now.contexts);
	EXPECT_EQ(self->before.pasids, now.pasids);
	EXPECT_EQ(self->before.pinned, now.pinned);
	EXPECT_EQ(self->before.bonds + 1, now.bonds);
	EXPECT_EQ(0, sva_sim_detach(sim));
	EXPECT_TRUE(core_settles(&self->before));
	close(sim);
	close(pf);
}

/* --- handles ------------------------------------------------------------------- */

TEST_F(pasidfd_attach, pasidfd_of_own_process)
{
	uint32_t mm, id;
	int sim, pf;

	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &mm));
	pf = pasidfd_make(self->fd, mm, &id);
	ASSERT_LE(0, pf);
	sim = sva_sim_open(0);
	ASSERT_LE(0, sim);
	EXPECT_EQ(0, sva_sim_attach(sim, pf, mm, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem));
	EXPECT_EQ(0, sva_destroy(self->fd, id));
	EXPECT_TRUE(bond_hangs_up(sim));
	close(sim);
	close(pf);
}

TEST_F(pasidfd_attach, pasidfd_of_rid_handle)
{
	uint32_t rid, number = 1;
	int pf, sim[2] = { sva_sim_open(0), sva_sim_open(0) };

	ASSERT_LE(0, sim[0]);
	ASSERT_LE(0, sim[1]);
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_RID, &rid));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, rid, self->as));
	pf = pasidfd_make(self->fd, rid, NULL);
	ASSERT_LE(0, pf);
	EXPECT_EQ(-ENOENT, sva_sim_attach(sim[0], pf, self->pasid, NULL));
	EXPECT_EQ(0, sva_sim_attach(sim[0], pf, 0, &number));
	EXPECT_EQ(0, number);
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim[0], self->mem));

	/* It is the one handle of the group, by whichever descriptor. */
	EXPECT_EQ(0, sva_sim_attach(sim[1], self->fd, rid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim[1], self->mem));
	EXPECT_EQ(0, sva_sim_detach(sim[1]));
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_RID, &rid));
	EXPECT_EQ(-EBUSY, sva_sim_attach(sim[1], self->fd, rid, NULL));
	close(sim[0]);
	close(sim[1]);
	close(pf);
}

TEST_HARNESS_MAIN
