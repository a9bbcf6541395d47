// SPDX-License-Identifier: GPL-2.0-only
/* Counters of a context that only grow: page requests, invalidations. */
#include "guest.h"
#include "sva_list.h"
#include "kselftest_harness.h"

#define GVA	0x123456789000ULL

FIXTURE(counters) {
	struct core_counts before;
	struct guest g;
	struct guest_space s;
	int q;
};

FIXTURE_SETUP(counters)
{
	self->before = core_counts();
	ASSERT_EQ(0, guest_init(&self->g, "0"));
	guest_space_init(&self->s, &self->g, 4);
	self->q = sva_faultq(self->g.fd, SVA_FAULTQ_F_NONBLOCK, 1);
	ASSERT_LE(0, self->q);
	ASSERT_EQ(0, guest_start(&self->s, self->g.sim, self->q));
}

FIXTURE_TEARDOWN(counters)
{
	EXPECT_EQ(0, guest_exit(&self->g));
	close(self->q);
	EXPECT_TRUE(core_settles(&self->before));
}

/* By both ways to see them, which must say the same. */
#define COUNTED(_faults, _invalidations)				\
	do {								\
		struct sva_list_context _now = { 0 };			\
									\
		EXPECT_EQ(1, list_all_of(self->g.fd, 0,			\
					 SVA_LIST_CONTEXTS, &_now,	\
					 sizeof(_now), 1, 1));		\
		EXPECT_EQ(_faults, _now.faults);			\
		EXPECT_EQ(_invalidations, _now.invalidations);		\
		EXPECT_EQ(_faults, fdinfo_get(self->g.fd, "sva-faults")); \
		EXPECT_EQ(_invalidations,				\
			  fdinfo_get(self->g.fd, "sva-invalidations"));	\
	} while (0)

#define SUBMIT(_gva) \
	guest_submit(&self->s, self->g.sim, sva_sim_fill(_gva, 7, 8))

TEST_F(counters, list_counts_page_requests)
{
	struct sva_fault fault;
	uint64_t i;

	COUNTED(0, 0);
	for (i = 1; i <= 3; i++) {
		ASSERT_EQ(0, SUBMIT(GVA + i * CORE_PAGE));
		ASSERT_EQ(1, guest_read_faults(self->q, &fault, 1));
		guest_map_new(&self->s, fault.addr);
		EXPECT_EQ(0, guest_respond(self->q, fault.cookie,
					   SVA_FAULT_SUCCESS));
		EXPECT_EQ(SVA_SIM_STATUS_OK,
			  guest_wait(&self->s, self->g.sim));
		COUNTED(i, 0);
	}
}

TEST_F(counters, list_counts_invalidations)
{
	uint64_t data = 0;
	uint32_t num = 1;

	guest_map_new(&self->s, GVA);
	EXPECT_EQ(0, guest_invalidate(&self->s, GVA, 1, 0));
	COUNTED(0, 1);
	EXPECT_EQ(0, guest_invalidate(&self->s, GVA, 1, 0));
	COUNTED(0, 2);
	/* what is refused is none */
	EXPECT_GT(0, guest_invalidate_raw(self->g.fd, self->s.as, ~0U, &data,
					  sizeof(data), &num));
	EXPECT_EQ(0, num);
	COUNTED(0, 2);
}

TEST_HARNESS_MAIN
