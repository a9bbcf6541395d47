// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may attach what, and what the device reaches then: numbers and process
 * PASIDs.
 *
 * Machine: plain engine
 */
#include <pthread.h>

#include "bond_util.h"
#include "kselftest_harness.h"

FIXTURE(bond_attach) {
	struct core_counts before;
	int fd;
	int sim[2];		/* behind different IOMMUs */
	struct bond_mem *mem;
};

FIXTURE_SETUP(bond_attach)
{
	struct sva_sim_info info[2];
	int i;

	self->before = core_counts();
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	for (i = 0; i < 2; i++) {
		self->sim[i] = sva_sim_open(i);
		ASSERT_LE(0, self->sim[i]);
		ASSERT_EQ(0, sva_sim_info(self->sim[i], &info[i]));
	}
	ASSERT_NE(info[0].iommu, info[1].iommu);
	self->mem = bond_mem();
	ASSERT_NE(NULL, self->mem);
}

FIXTURE_TEARDOWN(bond_attach)
{
	close(self->sim[0]);
	close(self->sim[1]);
	close(self->fd);
	munmap(self->mem, sizeof(*self->mem));
	EXPECT_TRUE(core_settles(&self->before));
}

/* --- numbers ----------------------------------------------------------------- */

TEST_F(bond_attach, bond_unbound_is_blocked)
{
	struct sva_pasid_info info;
	uint32_t pasid, number, as;
	int sim = self->sim[0];

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, sva_sim_attach(sim, self->fd, pasid, &number));
	EXPECT_EQ(pasid, number);
	/* Not even the record can be written. */
	EXPECT_EQ(SVA_SIM_STATUS_PENDING, bond_copy(sim, self->mem));
	EXPECT_EQ(0xeeeeeeeeeeeeeeee, self->mem->dst[0]);
	ASSERT_EQ(0, sva_pasid_info(self->fd, pasid, &info));
	EXPECT_EQ(1, info.bonds);
	EXPECT_EQ(0, info.state);

	ASSERT_EQ(0, bond_as(self->fd, self->mem, &as));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem));
	ASSERT_EQ(0, sva_pasid_info(self->fd, pasid, &info));
	EXPECT_EQ(as, info.as_id);
	EXPECT_EQ(SVA_PASID_S_BOUND | sva_sim_coherent(sim), info.state);

	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, SVA_AS_NONE));
	EXPECT_EQ(SVA_SIM_STATUS_PENDING, bond_copy(sim, self->mem));
	EXPECT_EQ(0xeeeeeeeeeeeeeeee, self->mem->dst[0]);
	ASSERT_EQ(0, sva_pasid_info(self->fd, pasid, &info));
	EXPECT_EQ(SVA_AS_NONE, info.as_id);
	EXPECT_EQ(0, info.state);

	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem));
}

TEST_F(bond_attach, bond_attach_after_bind)
{
	struct sva_pasid_info info;
	uint32_t pasid, as;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, bond_as(self->fd, self->mem, &as));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
	ASSERT_EQ(0, sva_pasid_info(self->fd, pasid, &info));
	EXPECT_EQ(SVA_PASID_S_BOUND, info.state);

	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, pasid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[0], self->mem));
	ASSERT_EQ(0, sva_sim_detach(self->sim[0]));
	ASSERT_EQ(0, sva_pasid_info(self->fd, pasid, &info));
	EXPECT_EQ(SVA_PASID_S_BOUND, info.state);
	EXPECT_EQ(0, info.bonds);

	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, pasid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[0], self->mem));
}

TEST_F(bond_attach, bond_fault_says_where)
{
	struct bond_mem *mem = self->mem;
	struct sva_sim_desc desc;
	uint32_t pasid, as;
	int sim = self->sim[0];

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, sva_sim_attach(sim, self->fd, pasid, NULL));
	ASSERT_EQ(0, bond_as(self->fd, mem, &as));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));

	/* It begins in what is mapped and runs into what is not. */
	desc = sva_sim_fill((uintptr_t)&mem->dst[256], 0x55, 4096);
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, bond_run(sim, desc, &mem->done));
	EXPECT_EQ((uintptr_t)mem->hole, mem->done.fault_addr);
	EXPECT_EQ(2048, mem->done.bytes);
	EXPECT_EQ(0x55, mem->dst[511]);
	EXPECT_EQ(0, mem->hole[0]);
	/* It was that descriptor's misfortune, not the queue's. */
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, mem));
}

TEST_F(bond_attach, bond_coherent_state)
{
	struct sva_pasid_info info;
	uint32_t pasid, as;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, bond_as(self->fd, self->mem, &as));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
	ASSERT_EQ(0, sva_pasid_info(self->fd, pasid, &info));
	EXPECT_EQ(0, info.state & SVA_PASID_S_COHERENT);
	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, pasid, NULL));
	ASSERT_EQ(0, sva_sim_attach(self->sim[1], self->fd, pasid, NULL));
	ASSERT_EQ(0, sva_pasid_info(self->fd, pasid, &info));
	/* Of all that it is used with. */
	EXPECT_EQ(sva_sim_coherent(self->sim[0]),
		  info.state & SVA_PASID_S_COHERENT);
	ASSERT_EQ(0, sva_sim_detach(self->sim[0]));
	ASSERT_EQ(0, sva_sim_detach(self->sim[1]));
	ASSERT_EQ(0, sva_pasid_info(self->fd, pasid, &info));
	EXPECT_EQ(0, info.state & SVA_PASID_S_COHERENT);
}

TEST_F(bond_attach, bond_free_while_attached)
{
	uint32_t first;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 3, &first));
	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, first + 1, NULL));
	EXPECT_EQ(-EBUSY, pasid_free(self->fd, first + 1, 1));
	EXPECT_EQ(-EBUSY, pasid_free(self->fd, first, 3));
	/* A range is freed as a whole or not at all. */
	EXPECT_EQ(0, sva_sim_attach(self->sim[1], self->fd, first, NULL));
	ASSERT_EQ(0, sva_sim_detach(self->sim[1]));
	ASSERT_EQ(0, sva_sim_detach(self->sim[0]));
	EXPECT_EQ(0, pasid_free(self->fd, first, 3));
	EXPECT_EQ(-ENOENT, sva_sim_attach(self->sim[0], self->fd, first, NULL));
}

TEST_F(bond_attach, bond_free_handle_while_attached)
{
	uint32_t pasid;

	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &pasid));
	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, pasid, NULL));
	EXPECT_EQ(-EBUSY, pasid_free(self->fd, pasid, 1));
	ASSERT_EQ(0, sva_sim_detach(self->sim[0]));
	EXPECT_EQ(0, pasid_free(self->fd, pasid, 1));
	EXPECT_EQ(-ENOENT, sva_sim_attach(self->sim[0], self->fd, pasid, NULL));
}

TEST_F(bond_attach, bond_as_is_used_while_bound)
{
	uint32_t pasid, as;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, bond_as(self->fd, self->mem, &as));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
	EXPECT_EQ(-EBUSY, sva_destroy(self->fd, as));
	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, pasid, NULL));
	EXPECT_EQ(-EBUSY, sva_destroy(self->fd, as));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, SVA_AS_NONE));
	EXPECT_EQ(0, sva_destroy(self->fd, as));
	EXPECT_EQ(-ENOENT, sva_pasid_bind(self->fd, pasid, as));
}

TEST_F(bond_attach, bond_other_context)
{
	uint32_t pasid, mm, as, other_as;
	struct sva_pasid_info info;
	int other = sva_open();

	ASSERT_LE(0, other);
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &mm));
	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	/* Address spaces are counted per context: one that only it has. */
	do {
		ASSERT_EQ(0, sva_as_alloc(other, &other_as));
	} while (other_as <= as);

	EXPECT_EQ(-ENOENT, sva_sim_attach(self->sim[0], other, pasid, NULL));
	EXPECT_EQ(-ENOENT, sva_sim_attach(self->sim[0], other, mm, NULL));
	EXPECT_EQ(-ENOENT, sva_pasid_info(other, pasid, &info));
	EXPECT_EQ(-ENOENT, sva_pasid_info(other, mm, &info));
	EXPECT_EQ(-ENOENT, sva_pasid_bind(other, pasid, other_as));
	EXPECT_EQ(-ENOENT, sva_pasid_bind(self->fd, pasid, other_as));
	EXPECT_EQ(-ENOENT, pasid_free(other, pasid, 1));
	EXPECT_EQ(-ENOENT, pasid_free(other, mm, 1));
	EXPECT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
	close(other);
}

TEST_F(bond_attach, bond_not_an_sva_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	uint32_t pasid;

	ASSERT_LE(0, null);
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	EXPECT_EQ(-EBADF, sva_sim_attach(self->sim[0], -1, pasid, NULL));
	EXPECT_EQ(-EBADF, sva_sim_attach(self->sim[0], 9999, pasid, NULL));
	EXPECT_EQ(-EBADF, sva_sim_attach(self->sim[0], null, pasid, NULL));
	EXPECT_EQ(-EBADF, sva_sim_attach(self->sim[0], self->sim[1], pasid, NULL));
	close(null);
}

TEST_F(bond_attach, bond_detach_twice)
{
	uint32_t pasid;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	EXPECT_EQ(-EINVAL, sva_sim_detach(self->sim[0]));
	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, pasid, NULL));
	EXPECT_EQ(-EBUSY, sva_sim_attach(self->sim[0], self->fd, pasid, NULL));
	EXPECT_EQ(0, sva_sim_detach(self->sim[0]));
	EXPECT_EQ(-EINVAL, sva_sim_detach(self->sim[0]));
}

TEST_F(bond_attach, bond_queues_share_an_attachment)
{
	struct sva_pasid_info info;
	uint32_t pasid, as;
	int more[2], i;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, bond_as(self->fd, self->mem, &as));
	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, pasid, NULL));
	for (i = 0; i < 2; i++) {
		more[i] = bond_attached("sva_sim0", self->fd, pasid);
		ASSERT_LE(0, more[i]);
	}
	ASSERT_EQ(0, sva_pasid_info(self->fd, pasid, &info));
	EXPECT_EQ(3, info.bonds);
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[0], self->mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(more[0], self->mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(more[1], self->mem));

	/* The first and the last go; what is left of it works on. */
	ASSERT_EQ(0, sva_sim_detach(self->sim[0]));
	close(more[1]);
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(more[0], self->mem));
	ASSERT_EQ(0, sva_pasid_info(self->fd, pasid, &info));
	EXPECT_EQ(1, info.bonds);
	EXPECT_EQ(-EBUSY, pasid_free(self->fd, pasid, 1));
	close(more[0]);
	EXPECT_EQ(0, pasid_free(self->fd, pasid, 1));
}

/* Two address spaces that have different memory at one IOVA, and their own. */
struct bond_pair {
	struct bond_mem *mem[2];
	uint64_t iova;		/* mem[i]->src, in each */
	int sim[2];
};

static int pair_init(struct bond_pair *pair, const int *fd)
{
	uint32_t pasid, as;
	int i, ret = 0;

	pair->iova = 0x10000000;
	for (i = 0; i < 2 && !ret; i++) {
		pair->mem[i] = bond_mem();
		if (!pair->mem[i])
			return -ENOMEM;
		pair->mem[i]->src[0] = 0xaaaa + i;
		ret = bond_as(fd[i], pair->mem[i], &as);
		if (!ret)
			ret = iova_map_at(fd[i], as, CORE_RW, pair->mem[i]->src,
					  4096, pair->iova);
		if (!ret)
			ret = pasid_alloc(fd[i], 0, 0, 1, &pasid);
		if (!ret)
			ret = sva_pasid_bind(fd[i], pasid, as);
		if (!ret) {
			pair->sim[i] = bond_attached("sva_sim0", fd[i], pasid);
			ret = pair->sim[i] < 0 ? pair->sim[i] : 0;
		}
	}
	return ret;
}

static void pair_exit(struct bond_pair *pair)
{
	int i;

	for (i = 0; i < 2; i++) {
		close(pair->sim[i]);
		munmap(pair->mem[i], sizeof(*pair->mem[i]));
	}
}

/* What queue @i reads at the common IOVA. */
static uint64_t pair_read(struct bond_pair *pair, int i)
{
	struct bond_mem *mem = pair->mem[i];

	mem->dst[0] = 0;
	if (bond_run(pair->sim[i], sva_sim_memcpy((uintptr_t)mem->dst,
						  pair->iova, 8),
		     &mem->done) != SVA_SIM_STATUS_OK)
		return 0;
	return mem->dst[0];
}

/* Whether queue @i gets a fault for the other's memory, at the right address. */
static bool pair_kept_out(struct bond_pair *pair, int i)
{
	struct bond_mem *mem = pair->mem[i];
	uintptr_t other = (uintptr_t)pair->mem[!i]->dst;

	return bond_run(pair->sim[i], sva_sim_fill(other, 0x666, 8),
			&mem->done) == SVA_SIM_STATUS_FAULT &&
	       mem->done.fault_addr == other &&
	       pair->mem[!i]->dst[0] != 0x666;
}

TEST_F(bond_attach, bond_pasids_are_isolated)
{
	int fd[2] = { self->fd, self->fd };
	struct bond_pair pair;
	int i;

	ASSERT_EQ(0, pair_init(&pair, fd));
	/* Twice, so that both are in the IOTLB side by side. */
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0xaaaa + i % 2, pair_read(&pair, i % 2));
		EXPECT_TRUE(pair_kept_out(&pair, i % 2));
	}
	pair_exit(&pair);
}

TEST_F(bond_attach, bond_contexts_are_isolated)
{
	int fd[2] = { self->fd, sva_open() };
	struct bond_pair pair;
	int i;

	ASSERT_LE(0, fd[1]);
	ASSERT_EQ(0, pair_init(&pair, fd));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0xaaaa + i % 2, pair_read(&pair, i % 2));
		EXPECT_TRUE(pair_kept_out(&pair, i % 2));
	}
	/* The end of one is not the other's. */
	close(fd[1]);
	close(pair.sim[1]);
	EXPECT_EQ(0xaaaa, pair_read(&pair, 0));
	pair.sim[1] = -1;
	pair_exit(&pair);
}

/* --- narrow engines ----------------------------------------------------------- */

TEST_F(bond_attach, bond_width)
{
	uint32_t wide, narrow, mm, number, as;
	char name[32];
	int sim;

	sva_sim_name(name, sizeof(name), "narrow");
	sim = sva_sim_create(name, "0", "8", NULL);
	ASSERT_LE(0, sim);

	EXPECT_EQ(0, pasid_alloc(self->fd, 256, 0, 1, &wide));
	EXPECT_EQ(-ERANGE, sva_sim_attach(sim, self->fd, wide, NULL));
	EXPECT_EQ(0, pasid_alloc(self->fd, 0, 255, 1, &narrow));
	EXPECT_EQ(0, bond_as(self->fd, self->mem, &as));
	EXPECT_EQ(0, sva_pasid_bind(self->fd, narrow, as));
	EXPECT_EQ(0, sva_sim_attach(sim, self->fd, narrow, &number));
	EXPECT_EQ(narrow, number);
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem));
	EXPECT_EQ(0, sva_sim_detach(sim));

	EXPECT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &mm));
	EXPECT_EQ(0, sva_sim_attach(sim, self->fd, mm, &number));
	EXPECT_GE(255, number);
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem));
	close(sim);
	EXPECT_EQ(0, sva_sim_remove(name));
}

/* --- process PASIDs ------------------------------------------------------------ */

TEST_F(bond_attach, bond_process_on_two_engines)
{
	struct sva_pasid_info info;
	uint32_t mm, number[2];
	int i;

	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &mm));
	ASSERT_EQ(0, sva_pasid_info(self->fd, mm, &info));
	EXPECT_EQ(SVA_PASID_KIND_MM, info.kind);
	EXPECT_EQ(0, info.number);
	EXPECT_EQ(0, info.state);

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, sva_sim_attach(self->sim[i], self->fd, mm,
					    &number[i]));
		ASSERT_EQ(0, sva_pasid_info(self->fd, mm, &info));
		EXPECT_EQ(number[i], info.number);
		EXPECT_EQ(i + 1, info.bonds);
		EXPECT_EQ(SVA_PASID_S_BOUND, info.state);
		EXPECT_EQ(SVA_AS_NONE, info.as_id);
	}
	EXPECT_NE(0, number[0]);
	EXPECT_EQ(number[0], number[1]);
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[0], self->mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[1], self->mem));

	/* The number is the process's, and stays the same. */
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, sva_sim_detach(self->sim[i]));
	ASSERT_EQ(0, sva_pasid_info(self->fd, mm, &info));
	EXPECT_EQ(number[0], info.number);
	EXPECT_EQ(0, info.bonds);
	EXPECT_EQ(0, info.state);
	ASSERT_EQ(0, sva_sim_attach(self->sim[1], self->fd, mm, &number[1]));
	EXPECT_EQ(number[0], number[1]);
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[1], self->mem));
}

TEST_F(bond_attach, bond_process_beside_number)
{
	uint32_t mm, pasid, as;
	int other;

	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &mm));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, bond_as(self->fd, self->mem, &as));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, mm, NULL));
	other = bond_attached("sva_sim0", self->fd, pasid);
	ASSERT_LE(0, other);

	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[0], self->mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(other, self->mem));
	/* What only the process has. */
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  bond_run(self->sim[0],
			   sva_sim_fill((uintptr_t)self->mem->hole, 1, 8),
			   &self->mem->done));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  bond_run(other, sva_sim_fill((uintptr_t)self->mem->hole, 2, 8),
			   &self->mem->done));
	EXPECT_EQ(1, self->mem->hole[0]);
	close(other);
}

TEST_F(bond_attach, bond_process_of_two_contexts)
{
	uint32_t mm[2], number[2];
	int other = sva_open();

	/* Two names of one address space. */
	ASSERT_LE(0, other);
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &mm[0]));
	ASSERT_EQ(0, pasid_alloc_handle(other, SVA_PASID_F_MM, &mm[1]));
	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, mm[0], &number[0]));
	ASSERT_EQ(0, sva_sim_attach(self->sim[1], other, mm[1], &number[1]));
	EXPECT_EQ(number[0], number[1]);
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[0], self->mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[1], self->mem));
	close(other);
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[1], self->mem));
}

TEST_F(bond_attach, bond_process_cannot_be_bound)
{
	uint32_t mm, as;

	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &mm));
	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	EXPECT_EQ(-EINVAL, sva_pasid_bind(self->fd, mm, as));
	EXPECT_EQ(-EINVAL, sva_pasid_bind(self->fd, mm, SVA_AS_NONE));
	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, mm, NULL));
	EXPECT_EQ(-EINVAL, sva_pasid_bind(self->fd, mm, as));
	EXPECT_EQ(-EINVAL, sva_pasid_bind(self->fd, mm, SVA_AS_NONE));
	EXPECT_EQ(0, sva_destroy(self->fd, as));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[0], self->mem));
}

TEST_F(bond_attach, bond_process_forked_child)
{
	uint32_t mm, pasid;
	pid_t pid;

	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &mm));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, mm, NULL));

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int sim = sva_sim_open(1);

		if (sva_sim_attach(sim, self->fd, mm, NULL) != -EPERM)
			_exit(1);
		/* Also where the parent has it attached already. */
		sim = sva_sim_open(0);
		if (sva_sim_attach(sim, self->fd, mm, NULL) != -EPERM)
			_exit(2);
		/* A number is anybody's who has the context. */
		if (sva_sim_attach(sim, self->fd, pasid, NULL))
			_exit(3);
		_exit(0);
	}
	EXPECT_EQ(0, bond_join_child(pid));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[0], self->mem));
}

/* A process makes a context and gives it away. */
static void give_context(int sock)
{
	int fd = sva_open();
	uint32_t mm;
	char c;

	if (fd < 0 || pasid_alloc_handle(fd, SVA_PASID_F_MM, &mm) ||
	    bond_send(sock, &fd, 1, mm))
		_exit(1);
	/* It lives until the other has tried. */
	_exit(read(sock, &c, 1) == 1 ? 0 : 2);
}

TEST_F(bond_attach, bond_process_passed_to_another)
{
	uint32_t mm, own, pasid, as;
	int sock[2], fd;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		give_context(sock[1]);

	ASSERT_EQ(0, bond_receive(sock[0], &fd, 1, &mm));
	EXPECT_EQ(-EPERM, sva_sim_attach(self->sim[0], fd, mm, NULL));

	/* The rest of the context is ours as well as its maker's. */
	EXPECT_EQ(0, pasid_alloc_handle(fd, SVA_PASID_F_MM, &own));
	EXPECT_EQ(0, sva_sim_attach(self->sim[0], fd, own, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[0], self->mem));
	EXPECT_EQ(0, pasid_alloc(fd, 0, 0, 1, &pasid));
	EXPECT_EQ(0, bond_as(fd, self->mem, &as));
	EXPECT_EQ(0, sva_pasid_bind(fd, pasid, as));
	EXPECT_EQ(0, sva_sim_attach(self->sim[1], fd, pasid, NULL));

	EXPECT_EQ(1, write(sock[0], "", 1));
	EXPECT_EQ(0, bond_join_child(pid));
	/* Its maker has died, it has not. */
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[1], self->mem));
	EXPECT_EQ(0, sva_sim_detach(self->sim[0]));
	EXPECT_EQ(-EPERM, sva_sim_attach(self->sim[0], fd, mm, NULL));
	close(fd);
	close(sock[0]);
	close(sock[1]);
}

struct thread_arg {
	int fd;
	int sim;
	uint32_t pasid;
	struct bond_mem *mem;
	int ret;
};

static void *attach_in_thread(void *data)
{
	struct thread_arg *arg = data;

	arg->ret = sva_sim_attach(arg->sim, arg->fd, arg->pasid, NULL);
	if (!arg->ret)
		arg->ret = bond_copy(arg->sim, arg->mem);
	return NULL;
}

TEST_F(bond_attach, bond_process_of_threads)
{
	struct thread_arg arg = {
		.fd = self->fd, .sim = self->sim[0], .mem = self->mem,
	};
	pthread_t thread;

	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &arg.pasid));
	ASSERT_EQ(0, pthread_create(&thread, NULL, attach_in_thread, &arg));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, arg.ret);
	/* The attach is the process's, not the thread's. */
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[0], self->mem));
}

TEST_HARNESS_MAIN
