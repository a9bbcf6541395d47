// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest page tables through the kernel's Intel IOMMU driver: a PCI engine behind
 * an emulated IOMMU that walks both stages.
 *
 * Machine: engine
 */
#include "guest.h"
#include "kselftest_harness.h"

#define GVA	0x123456789000ULL
#define SECRET	0x5ec2e75ec2e75ec2ULL

FIXTURE(engine_nested) {
	struct core_counts before;
	struct guest g;
	struct guest_space s;
	int faultq;
};

FIXTURE_SETUP(engine_nested)
{
	self->before = core_counts();
	ASSERT_EQ(0, guest_init_with(&self->g, "sva_sim0"));
	ASSERT_FALSE(sva_sim_is_software(self->g.sim));
	guest_space_init(&self->s, &self->g, 4);
	self->faultq = sva_faultq(self->g.fd, 0, 64);
	ASSERT_LE(0, self->faultq);
}

FIXTURE_TEARDOWN(engine_nested)
{
	close(self->faultq);
	EXPECT_EQ(0, guest_exit(&self->g));
	EXPECT_TRUE(core_settles(&self->before));
}

#define START() ASSERT_EQ(0, guest_start(&self->s, self->g.sim, -1))
#define FILL(gva, pattern) guest_fill(&self->s, self->g.sim, gva, pattern)

TEST_F(engine_nested, nested_device_info)
{
	struct iommu_hw_info_vtd hw = {};
	struct sva_device_info info = {
		.size = sizeof(info), .dev_id = self->g.dev,
		.data_len = sizeof(hw), .data_uptr = (uintptr_t)&hw,
	};

	ASSERT_EQ(0, sva_ioctl(self->g.fd, SVA_DEVICE_INFO, &info));
	EXPECT_EQ(20, info.pasid_bits);
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_INTEL_VTD, info.data_type);
	/* VT-d 4.1, 11.4.3: nested translation, PASIDs, page requests */
	EXPECT_NE(0, hw.ecap_reg & 1ULL << 26);
	EXPECT_NE(0, hw.ecap_reg & 1ULL << 40);
	EXPECT_NE(0, hw.ecap_reg & 1ULL << 29);
}

TEST_F(engine_nested, nested_lands)
{
	uint64_t *page = guest_map_new(&self->s, GVA);
	uint64_t *entry = guest_entry(&self->s, GVA, 0);

	START();
	EXPECT_EQ(1, guest_reads(&self->s, self->g.sim, GVA, 0));
	EXPECT_EQ(PTE_A, *entry & (PTE_A | PTE_D));
	EXPECT_EQ(SVA_SIM_STATUS_OK, FILL(GVA, SECRET));
	EXPECT_EQ(SECRET, page[0]);
	EXPECT_EQ(0, page[1]);
}

TEST_F(engine_nested, nested_dirty_is_set)
{
	uint64_t *entry;

	guest_map_new(&self->s, GVA);
	entry = guest_entry(&self->s, GVA, 0);
	START();
	ASSERT_EQ(SVA_SIM_STATUS_OK, FILL(GVA, SECRET));
	EXPECT_EQ(PTE_A | PTE_D, *entry & (PTE_A | PTE_D));
}

TEST_F(engine_nested, nested_huge_page)
{
	uint64_t offset = self->g.used;
	uint64_t *word = guest_ptr(&self->g, guest_alloc(&self->g, CORE_PAGE));

	guest_map(&self->s, 1ULL << 40, GUEST_BASE, PTE_RWU, 1);
	START();
	EXPECT_EQ(SVA_SIM_STATUS_OK, FILL((1ULL << 40) + offset, SECRET));
	EXPECT_EQ(SECRET, *word);
}

TEST_F(engine_nested, nested_wrong_tables)
{
	uint64_t gpa = guest_alloc(&self->g, CORE_PAGE);

	guest_map(&self->s, GVA, gpa, PTE_P | PTE_U, 0);
	guest_map(&self->s, GVA + CORE_PAGE, gpa, PTE_P | PTE_W, 0);
	guest_map(&self->s, GVA + 2 * CORE_PAGE, GUEST_BASE + GUEST_SIZE,
		  PTE_RWU, 0);
	guest_map(&self->s, GVA + 3 * CORE_PAGE, gpa, PTE_RWU | 1ULL << 51, 0);
	/* A table that is its own entry: a walk ends all the same. */
	*guest_entry(&self->s, 1ULL << 46, 3) = self->s.root | PTE_RWU;
	START();
	EXPECT_EQ(1, guest_reads(&self->s, self->g.sim, GVA, 0));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, FILL(GVA, SECRET));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, FILL(GVA + CORE_PAGE, SECRET));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, FILL(GVA + 2 * CORE_PAGE, SECRET));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, FILL(GVA + 3 * CORE_PAGE, SECRET));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, FILL(GVA + 4 * CORE_PAGE, SECRET));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, FILL(1ULL << 47, SECRET));
	EXPECT_EQ(0, *(uint64_t *)guest_ptr(&self->g, gpa));
}

TEST_F(engine_nested, nested_processes_and_rid_apart)
{
	struct guest_space other;
	uint64_t *page[2];
	uint32_t rid;
	int sim[2];

	page[0] = guest_map_new(&self->s, GVA);
	guest_space_init(&other, &self->g, 4);
	page[1] = guest_map_new(&other, GVA);
	START();
	sim[0] = sva_sim_open_name(self->g.node);
	ASSERT_LE(0, sim[0]);
	ASSERT_EQ(0, guest_start(&other, sim[0], -1));

	/* The RID goes through the parent, beside them. */
	ASSERT_EQ(0, pasid_alloc_handle(self->g.fd, SVA_PASID_F_RID, &rid));
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, rid, self->g.parent));
	sim[1] = sva_sim_open_name(self->g.node);
	ASSERT_LE(0, sim[1]);
	ASSERT_EQ(0, sva_sim_attach(sim[1], self->g.fd, rid, NULL));

	EXPECT_EQ(SVA_SIM_STATUS_OK, FILL(GVA, 1));
	EXPECT_EQ(SVA_SIM_STATUS_OK, guest_fill(&other, sim[0], GVA, 2));
	EXPECT_EQ(1, *page[0]);
	EXPECT_EQ(2, *page[1]);
	{
		uint64_t gpa = GUEST_BASE + ((char *)page[1] - self->g.ram);
		struct sva_sim_desc desc = sva_sim_fill(gpa, 3, 8);

		EXPECT_EQ(0, sva_sim_run_blind(sim[1], &desc));
	}
	EXPECT_EQ(1, *page[0]);
	EXPECT_EQ(3, *page[1]);
	close(sim[0]);
	close(sim[1]);
}

/* IOTLB and device TLB keep what they have until they are told. */
TEST_F(engine_nested, invalidate_reaches_both)
{
	uint64_t *page[2];
	uint64_t gpa;

	page[0] = guest_map_new(&self->s, GVA);
	gpa = guest_alloc(&self->g, CORE_PAGE);
	page[1] = guest_ptr(&self->g, gpa);
	START();
	ASSERT_EQ(SVA_SIM_STATUS_OK, FILL(GVA, 1));
	guest_map(&self->s, GVA, gpa, PTE_RWU, 0);
	ASSERT_EQ(SVA_SIM_STATUS_OK, FILL(GVA, 2));
	EXPECT_EQ(2, *page[0]);
	EXPECT_EQ(0, *page[1]);
	ASSERT_EQ(0, guest_invalidate(&self->s, GVA, 1, 0));
	ASSERT_EQ(SVA_SIM_STATUS_OK, FILL(GVA, 3));
	EXPECT_EQ(2, *page[0]);
	EXPECT_EQ(3, *page[1]);
	/* Everything */
	*guest_entry(&self->s, GVA, 0) = 0;
	ASSERT_EQ(0, guest_invalidate(&self->s, 0, ~0ULL, 0));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, FILL(GVA, 4));
	EXPECT_EQ(3, *page[1]);
}

TEST_F(engine_nested, nested_unmapped_from_the_parent)
{
	uint64_t *page = guest_map_new(&self->s, GVA);

	START();
	ASSERT_EQ(SVA_SIM_STATUS_OK, FILL(GVA, 1));
	ASSERT_EQ(GUEST_SIZE, iova_unmap(self->g.fd, self->g.parent, GUEST_BASE,
					 GUEST_SIZE));
	EXPECT_EQ(SVA_SIM_STATUS_PENDING, FILL(GVA, 2));
	EXPECT_EQ(1, *page);
}

TEST_F(engine_nested, nested_rebind_blocks_in_between)
{
	struct guest_space other;
	uint64_t *page[2];

	page[0] = guest_map_new(&self->s, GVA);
	guest_space_init(&other, &self->g, 4);
	page[1] = guest_map_new(&other, GVA);
	ASSERT_EQ(0, guest_nest(&other, -1));
	START();
	ASSERT_EQ(SVA_SIM_STATUS_OK, FILL(GVA, 1));
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, self->s.pasid, other.as));
	ASSERT_EQ(SVA_SIM_STATUS_OK, guest_fill(&other, self->g.sim, GVA, 2));
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, self->s.pasid, SVA_AS_NONE));
	EXPECT_EQ(SVA_SIM_STATUS_PENDING, FILL(GVA, 3));
	EXPECT_EQ(1, *page[0]);
	EXPECT_EQ(2, *page[1]);
}

TEST_F(engine_nested, fault_is_answered)
{
	struct sva_fault faults[4];
	uint64_t *page;

	ASSERT_EQ(0, guest_start(&self->s, self->g.sim, self->faultq));
	ASSERT_EQ(0, guest_submit(&self->s, self->g.sim,
				  sva_sim_fill(GVA, SECRET, 8)));
	ASSERT_EQ(1, guest_read_faults(self->faultq, faults, 4));
	EXPECT_EQ(GVA, faults[0].addr);
	EXPECT_EQ(self->s.pasid, faults[0].pasid);
	page = guest_map_new(&self->s, GVA);
	ASSERT_EQ(0, guest_respond(self->faultq, faults[0].cookie,
				   SVA_FAULT_SUCCESS));
	EXPECT_EQ(SVA_SIM_STATUS_OK, guest_wait(&self->s, self->g.sim));
	EXPECT_EQ(SECRET, *page);

	ASSERT_EQ(0, guest_submit(&self->s, self->g.sim,
				  sva_sim_fill(GVA + CORE_PAGE, SECRET, 8)));
	ASSERT_EQ(1, guest_read_faults(self->faultq, faults, 4));
	ASSERT_EQ(0, guest_respond(self->faultq, faults[0].cookie,
				   SVA_FAULT_INVALID));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, guest_wait(&self->s, self->g.sim));
}

/* All 20 bits of a number reach the tables, the request, and the answer. */
TEST_F(engine_nested, fault_of_a_wide_pasid)
{
	struct sva_fault faults[4];
	uint64_t *page;

	ASSERT_EQ(0, guest_nest(&self->s, self->faultq));
	ASSERT_EQ(0, sva_pasid_alloc(self->g.fd, 0, 1U << 19, (1U << 20) - 1,
				     &self->s.pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, self->s.pasid, self->s.as));
	ASSERT_EQ(0, sva_sim_attach(self->g.sim, self->g.fd, self->s.pasid, NULL));
	ASSERT_EQ(0, guest_submit(&self->s, self->g.sim,
				  sva_sim_fill(GVA, SECRET, 8)));
	ASSERT_EQ(1, guest_read_faults(self->faultq, faults, 4));
	EXPECT_EQ(self->s.pasid, faults[0].pasid);
	page = guest_map_new(&self->s, GVA);
	ASSERT_EQ(0, guest_respond(self->faultq, faults[0].cookie,
				   SVA_FAULT_SUCCESS));
	EXPECT_EQ(SVA_SIM_STATUS_OK, guest_wait(&self->s, self->g.sim));
	EXPECT_EQ(SECRET, *page);
}

TEST_F(engine_nested, fault_pending_at_detach)
{
	struct sva_fault faults[4];

	ASSERT_EQ(0, guest_start(&self->s, self->g.sim, self->faultq));
	ASSERT_EQ(0, guest_submit(&self->s, self->g.sim,
				  sva_sim_fill(GVA, SECRET, 8)));
	ASSERT_EQ(1, guest_read_faults(self->faultq, faults, 4));
	/* Nobody answers: closing the queue of the engine ends it. */
	close(self->g.sim);
	self->g.sim = sva_sim_open_name(self->g.node);
	ASSERT_LE(0, self->g.sim);
	EXPECT_EQ(-ENOENT, guest_respond(self->faultq, faults[0].cookie,
					 SVA_FAULT_SUCCESS));
}

TEST_HARNESS_MAIN
