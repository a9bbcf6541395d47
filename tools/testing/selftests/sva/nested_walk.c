// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA through both stages: which host page it lands in, what the walk leaves in
 * the guest's table, and what it makes of every kind of wrong table.
 */
#include "guest.h"
#include "kselftest_harness.h"

/* Shares no entry with the record's address, but the top table. */
#define GVA	((variant->levels == 5 ? 1ULL << 48 : 0) + 0x123456789000ULL)
#define SECRET	0x5ec2e75ec2e75ec2ULL

/* Fault reasons of VT-d 4.1, 7.1.3, as the engine's last_fault says them. */
#define F_S1_NONE	0x71
#define F_S1_RSVD	0x72
#define F_S1_WIDTH	0x74
#define F_S1_TOP	0x75
#define F_S1_ACCESS	0x76
#define F_S1_UPDATE	0x77
#define F_S2		0x79
#define F_CANONICAL	0x80
#define F_USER		0x81
#define F_WRITE		0x85

FIXTURE(nested_walk) {
	struct guest g;
	struct guest_space s;
};

FIXTURE_VARIANT(nested_walk) {
	int levels;
	bool rid;
};

FIXTURE_VARIANT_ADD(nested_walk, four_levels) { .levels = 4 };
FIXTURE_VARIANT_ADD(nested_walk, five_levels) { .levels = 5 };
FIXTURE_VARIANT_ADD(nested_walk, four_levels_rid) { .levels = 4, .rid = true };
FIXTURE_VARIANT_ADD(nested_walk, five_levels_rid) { .levels = 5, .rid = true };

FIXTURE_SETUP(nested_walk)
{
	ASSERT_EQ(0, guest_init(&self->g, "0"));
	guest_space_init(&self->s, &self->g, variant->levels);
	self->s.rid = variant->rid;
}

FIXTURE_TEARDOWN(nested_walk)
{
	EXPECT_EQ(0, guest_exit(&self->g));
}

#define START() ASSERT_EQ(0, guest_start(&self->s, self->g.sim, -1))
#define FILL(gva, pattern) guest_fill(&self->s, self->g.sim, gva, pattern)

/* Also: the bits that a walk sets, and no others. */
TEST_F(nested_walk, nested_lands)
{
	uint64_t *page = guest_map_new(&self->s, GVA);
	uint64_t *entry = guest_entry(&self->s, GVA, 0);
	int level;

	START();
	EXPECT_EQ(1, guest_reads(&self->s, self->g.sim, GVA, 0));
	EXPECT_EQ(PTE_A, *entry & (PTE_A | PTE_D));
	EXPECT_EQ(SVA_SIM_STATUS_OK, FILL(GVA, SECRET));
	EXPECT_EQ(SECRET, page[0]);
	EXPECT_EQ(PTE_A | PTE_D, *entry & (PTE_A | PTE_D));
	for (level = 1; level < variant->levels; level++)
		EXPECT_EQ(PTE_A, *guest_entry(&self->s, GVA, level) &
				 (PTE_A | PTE_D));
	EXPECT_EQ(0, page[1]);
}

TEST_F(nested_walk, nested_copy_over_pages)
{
	uint64_t src = guest_alloc(&self->g, 4 * CORE_PAGE);
	uint64_t dst = guest_alloc(&self->g, 4 * CORE_PAGE);
	unsigned char *from = guest_ptr(&self->g, src);
	unsigned char *to = guest_ptr(&self->g, dst);
	int i;

	for (i = 0; i < 4 * (int)CORE_PAGE; i++)
		from[i] = i * 7 + (i >> 12);
	/* Next to each other for the guest, backwards in memory. */
	for (i = 0; i < 4; i++) {
		guest_map(&self->s, GVA + i * CORE_PAGE,
			  src + (3 - i) * CORE_PAGE, PTE_P | PTE_U, 0);
		guest_map(&self->s, GVA + (16 + i) * CORE_PAGE,
			  dst + i * CORE_PAGE, PTE_RWU, 0);
	}
	START();
	ASSERT_EQ(SVA_SIM_STATUS_OK,
		  guest_run(&self->s, self->g.sim,
			    sva_sim_memcpy(GVA + 16 * CORE_PAGE, GVA,
					   4 * CORE_PAGE)));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, memcmp(to + i * CORE_PAGE,
				    from + (3 - i) * CORE_PAGE, CORE_PAGE));
}

TEST_F(nested_walk, nested_huge_pages)
{
	uint64_t offset = self->g.used, size;
	uint64_t gva, *word;
	int level;

	/* A page that lies at the same offset from any level's alignment. */
	word = guest_ptr(&self->g, guest_alloc(&self->g, CORE_PAGE));
	for (level = 1; level <= 2; level++) {
		size = 1ULL << (12 + 9 * level);
		gva = (GVA & ~(size - 1)) + level * (1ULL << 40);
		guest_map(&self->s, gva, GUEST_BASE, PTE_RWU, level);
	}
	START();
	for (level = 1; level <= 2; level++) {
		long long huge = sva_sim_count(self->g.engine, "huge_leafs");

		size = 1ULL << (12 + 9 * level);
		gva = (GVA & ~(size - 1)) + level * (1ULL << 40);
		EXPECT_EQ(SVA_SIM_STATUS_OK, FILL(gva + offset, SECRET + level));
		EXPECT_EQ(SECRET + level, *word);
		EXPECT_EQ(huge + 1, sva_sim_count(self->g.engine, "huge_leafs"));
		EXPECT_EQ(PTE_A | PTE_D, *guest_entry(&self->s, gva, level) &
					 (PTE_A | PTE_D));
		/* What of it is not guest memory is a stage-2 fault. */
		if (size > GUEST_SIZE) {
			EXPECT_EQ(SVA_SIM_STATUS_FAULT,
				  FILL(gva + GUEST_SIZE, SECRET));
			EXPECT_EQ(F_S2, guest_fault(&self->g));
		}
	}
}

/* Returns the fault reason, 0 if there is none, or a negative errno. */
static int why(struct guest_space *s, uint64_t gva, bool write)
{
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_CRC32C, .src = gva, .len = 8,
	};
	int ret;

	if (write)
		desc = sva_sim_fill(gva, SECRET, 8);
	ret = guest_run(s, s->guest->sim, desc);
	if (ret == SVA_SIM_STATUS_OK)
		return 0;
	if (ret != SVA_SIM_STATUS_FAULT || guest_record(s)->fault_addr != gva)
		return -EBADMSG;
	return guest_fault(s->guest);
}

TEST_F(nested_walk, nested_permissions)
{
	uint64_t *entry;
	int level;

	guest_map_new(&self->s, GVA);
	START();
	for (level = 0; level < variant->levels; level++) {
		entry = guest_entry(&self->s, GVA, level);
		*entry &= ~PTE_W;
		ASSERT_EQ(0, guest_invalidate(&self->s, 0, UINT64_MAX, 0));
		EXPECT_EQ(0, why(&self->s, GVA, false));
		EXPECT_EQ(F_WRITE, why(&self->s, GVA, true));
		*entry = (*entry | PTE_W) & ~PTE_U;
		ASSERT_EQ(0, guest_invalidate(&self->s, 0, UINT64_MAX, 0));
		EXPECT_EQ(F_USER, why(&self->s, GVA, false));
		EXPECT_EQ(F_USER, why(&self->s, GVA, true));
		*entry = (*entry | PTE_U) & ~PTE_P;
		ASSERT_EQ(0, guest_invalidate(&self->s, 0, UINT64_MAX, 0));
		EXPECT_EQ(F_S1_NONE, why(&self->s, GVA, false));
		*entry |= PTE_P;
		EXPECT_EQ(0, why(&self->s, GVA, true));
	}
}

TEST_F(nested_walk, nested_not_canonical)
{
	int bits = variant->levels == 5 ? 57 : 48;
	uint64_t top = 1ULL << (bits - 1);

	START();
	EXPECT_EQ(F_CANONICAL, why(&self->s, top, false));
	EXPECT_EQ(F_CANONICAL, why(&self->s, top | 1ULL << 63, true));
	EXPECT_EQ(F_CANONICAL, why(&self->s, 1ULL << 62, true));
	EXPECT_EQ(F_S1_NONE, why(&self->s, top - CORE_PAGE, true));
	/* The upper half is as good as the lower. */
	EXPECT_EQ(F_S1_NONE, why(&self->s, -top, false));
	guest_map_new(&self->s, -top);
	EXPECT_EQ(0, why(&self->s, -top, true));
}

TEST_F(nested_walk, nested_malicious_tables)
{
	uint64_t beyond = 1ULL << 47, hole = GUEST_BASE + GUEST_SIZE;
	const uint64_t loop = -CORE_PAGE + 2400;
	uint64_t *pde, *pte;
	int level;

	guest_map_new(&self->s, GVA);
	pde = guest_entry(&self->s, GVA, 1);
	pte = guest_entry(&self->s, GVA, 0);
	START();

#define CHANGED() ASSERT_EQ(0, guest_invalidate(&self->s, 0, UINT64_MAX, 0))
	/* Leaves outside guest memory. */
	*pte = hole | PTE_RWU;
	EXPECT_EQ(F_S2, why(&self->s, GVA, true));
	*pte = beyond | PTE_RWU;
	EXPECT_EQ(F_S1_WIDTH, why(&self->s, GVA, true));
	*pte = PTE_ADDR | PTE_RWU;
	EXPECT_EQ(F_S1_WIDTH, why(&self->s, GVA, true));
	/* Tables outside it. */
	*pde = hole | PTE_RWU;
	CHANGED();
	EXPECT_EQ(F_S1_ACCESS, why(&self->s, GVA, true));
	*pde = beyond | PTE_RWU;
	CHANGED();
	EXPECT_EQ(F_S1_WIDTH, why(&self->s, GVA, true));
	/* Reserved bits: a leaf too high up, one that is not aligned. */
	*pde = GUEST_BASE | 1ULL << 13 | PTE_PS | PTE_RWU;
	CHANGED();
	EXPECT_EQ(F_S1_RSVD, why(&self->s, GVA, true));
	for (level = 3; level < variant->levels; level++) {
		uint64_t *entry = guest_entry(&self->s, -CORE_PAGE, level);

		*entry |= PTE_PS | PTE_RWU;
		CHANGED();
		EXPECT_EQ(F_S1_RSVD, why(&self->s, -CORE_PAGE, true));
		*entry = 0;
	}
	/* A loop: each level is the top table again, and the page too. */
	*guest_entry(&self->s, -CORE_PAGE, variant->levels - 1) =
		self->s.root | PTE_RWU;
	CHANGED();
	EXPECT_EQ(0, why(&self->s, loop, false));
	EXPECT_EQ(0, why(&self->s, loop, true));
	EXPECT_EQ(SECRET, *(uint64_t *)guest_ptr(&self->g, self->s.root + 2400));
}

TEST_F(nested_walk, nested_root_outside)
{
	self->s.root = GUEST_BASE + GUEST_SIZE;
	START();
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->g.sim,
					  &(struct sva_sim_desc) {
						.op = SVA_SIM_OP_FILL,
						.dst = GVA, .len = 8 }));
	EXPECT_EQ(F_S1_TOP, guest_fault(&self->g));
}

/* The second one has a PASID, also beside a RID handle. */
TEST_F(nested_walk, nested_two_processes)
{
	struct guest_space other;
	uint64_t *mine, *theirs;
	int sim;

	guest_space_init(&other, &self->g, variant->levels);
	mine = guest_map_new(&self->s, GVA);
	theirs = guest_map_new(&other, GVA);
	sim = sva_sim_open_name(self->g.node);
	ASSERT_LE(0, sim);
	START();
	ASSERT_EQ(0, guest_start(&other, sim, -1));

	ASSERT_EQ(SVA_SIM_STATUS_OK, FILL(GVA, 1));
	ASSERT_EQ(SVA_SIM_STATUS_OK, guest_fill(&other, sim, GVA, 2));
	EXPECT_EQ(1, *mine);
	EXPECT_EQ(2, *theirs);
	EXPECT_EQ(1, guest_reads(&self->s, self->g.sim, GVA, 1));
	EXPECT_EQ(1, guest_reads(&other, sim, GVA, 2));
	close(sim);
}

/* Stage 2 says no, whatever stage 1 says; without it no bits can be set. */
TEST_F(nested_walk, nested_read_only_memory)
{
	uint64_t gpa = GUEST_BASE + GUEST_SIZE, iova = gpa;
	uint64_t *mem = sva_mem(2 * CORE_PAGE);
	uint64_t *pde;

	ASSERT_NE(NULL, mem);
	mem[0] = SECRET;
	ASSERT_EQ(0, sva_map(self->g.fd, self->g.parent,
			     SVA_IOVA_F_READ | SVA_IOVA_F_FIXED, mem,
			     2 * CORE_PAGE, &iova));
	guest_map(&self->s, GVA, gpa, PTE_RWU, 0);
	START();
	EXPECT_EQ(1, guest_reads(&self->s, self->g.sim, GVA, SECRET));
	EXPECT_EQ(F_S2, why(&self->s, GVA, true));

	/* A table there. */
	mem[512 + (GVA >> 12 & 511)] = guest_alloc(&self->g, CORE_PAGE) | PTE_RWU;
	pde = guest_entry(&self->s, GVA, 1);
	*pde = (gpa + CORE_PAGE) | PTE_RWU;
	ASSERT_EQ(0, guest_invalidate(&self->s, 0, UINT64_MAX, 0));
	EXPECT_EQ(F_S1_UPDATE, why(&self->s, GVA, false));
	mem[512 + (GVA >> 12 & 511)] |= PTE_A | PTE_D;
	EXPECT_EQ(0, why(&self->s, GVA, true));
}

/* What was made of both stages goes when stage 2 changes. */
TEST_F(nested_walk, nested_parent_unmap)
{
	uint64_t gpa = GUEST_BASE + GUEST_SIZE, iova = gpa;
	uint64_t *mem = sva_mem(CORE_PAGE);

	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, sva_map(self->g.fd, self->g.parent,
			     CORE_RW | SVA_IOVA_F_FIXED, mem, CORE_PAGE, &iova));
	guest_map(&self->s, GVA, gpa, PTE_RWU, 0);
	START();
	ASSERT_EQ(SVA_SIM_STATUS_OK, FILL(GVA, SECRET));
	EXPECT_EQ(SECRET, mem[0]);
	ASSERT_EQ(0, sva_unmap(self->g.fd, self->g.parent, gpa, CORE_PAGE));
	EXPECT_EQ(F_S2, why(&self->s, GVA, true));
	EXPECT_EQ(SECRET, mem[0]);

	/* Everything, the tables too. */
	ASSERT_EQ(0, sva_unmap(self->g.fd, self->g.parent, 0, UINT64_MAX));
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->g.sim,
					  &(struct sva_sim_desc) {
						.op = SVA_SIM_OP_FILL,
						.dst = GVA, .len = 8 }));
	EXPECT_EQ(F_S1_TOP, guest_fault(&self->g));
}

TEST_HARNESS_MAIN
