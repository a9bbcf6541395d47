// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest page tables for engines that share an IOMMU group: one translation for
 * both, an IOTLB for each, and page requests that say who made them.
 */
#include "guest.h"
#include "kselftest_harness.h"

#define GVA	0x123456789000ULL

FIXTURE(nested_group) {
	struct core_counts before;
	struct guest g;		/* with the first engine */
	char engine[32];	/* the second one */
	uint32_t dev;
	int sim[2];
	struct guest_space s[2];
	uint32_t pasid;
	int q;
};

FIXTURE_VARIANT(nested_group) {
	bool rid;
};

FIXTURE_VARIANT_ADD(nested_group, pasid) { };
FIXTURE_VARIANT_ADD(nested_group, rid) { .rid = true };

FIXTURE_SETUP(nested_group)
{
	struct guest *g = &self->g;
	char group[16], node[32];
	int i;

	self->before = core_counts();
	snprintf(group, sizeof(group), "%d", (int)getpid());
	sva_sim_name(g->engine, sizeof(g->engine), "first");
	sva_sim_name(self->engine, sizeof(self->engine), "second");
	g->sim = sva_sim_create(g->engine, "0", NULL, group);
	ASSERT_LE(0, g->sim);
	ASSERT_EQ(0, sva_sim_get(g->engine, "dev", g->node, sizeof(g->node)));
	ASSERT_EQ(0, guest_init_rest(g));
	self->sim[0] = g->sim;
	self->sim[1] = sva_sim_create(self->engine, "0", NULL, group);
	ASSERT_LE(0, self->sim[1]);
	ASSERT_EQ(0, sva_sim_get(self->engine, "dev", node, sizeof(node)));
	ASSERT_EQ(0, guest_find_device(g->fd, node, &self->dev));

	self->q = sva_faultq(g->fd, SVA_FAULTQ_F_NONBLOCK, 8);
	ASSERT_LE(0, self->q);
	ASSERT_EQ(0, sva_pasid_alloc(g->fd, variant->rid ? SVA_PASID_F_RID : 0,
				     0, 0, &self->pasid));
	for (i = 0; i < 2; i++)
		guest_space_init(&self->s[i], g, 4 + i);
}

FIXTURE_TEARDOWN(nested_group)
{
	close(self->sim[1]);
	EXPECT_EQ(0, guest_exit(&self->g));
	EXPECT_EQ(0, sva_sim_remove(self->engine));
	close(self->q);
	EXPECT_TRUE(core_settles(&self->before));
}

#define BIND(as) sva_pasid_bind(self->g.fd, self->pasid, as)
#define ATTACH(i) sva_sim_attach(self->sim[i], self->g.fd, self->pasid, NULL)
#define FILL(space, i, value) \
	guest_fill(&self->s[space], self->sim[i], GVA, value)

TEST_F(nested_group, nested_group_shares_a_table)
{
	uint64_t *page[2];
	int i;

	for (i = 0; i < 2; i++) {
		page[i] = guest_map_new(&self->s[i], GVA);
		ASSERT_EQ(0, guest_nest(&self->s[i], -1));
	}
	ASSERT_EQ(0, BIND(self->s[0].as));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, ATTACH(i));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(SVA_SIM_STATUS_OK, FILL(0, i, 10 + i));
		EXPECT_EQ(10 + i, *page[0]);
	}
	ASSERT_EQ(0, BIND(self->s[1].as));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(SVA_SIM_STATUS_OK, FILL(1, i, 20 + i));
		EXPECT_EQ(20 + i, *page[1]);
	}
	EXPECT_EQ(11, *page[0]);
	ASSERT_EQ(0, BIND(SVA_AS_NONE));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(SVA_SIM_STATUS_PENDING, FILL(1, i, 30));
	EXPECT_EQ(21, *page[1]);
}

TEST_F(nested_group, nested_group_refused_rebind)
{
	uint64_t *page[2];
	int i, j;

	for (i = 0; i < 2; i++) {
		page[i] = guest_map_new(&self->s[i], GVA);
		ASSERT_EQ(0, guest_nest(&self->s[i], -1));
	}
	ASSERT_EQ(0, BIND(self->s[0].as));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, ATTACH(i));
	/* Whichever of them refuses, both have the old table. */
	for (i = 0; i < 2; i++) {
		const char *engine = i ? self->engine : self->g.engine;

		ASSERT_EQ(0, sva_sim_set(engine, "teardown_first", "1"));
		ASSERT_EQ(0, sva_sim_set(engine, "refuse", "1"));
		EXPECT_EQ(-EBUSY, BIND(self->s[1].as));
		for (j = 0; j < 2; j++) {
			EXPECT_EQ(SVA_SIM_STATUS_OK, FILL(0, j, 2 * i + j + 1));
			EXPECT_EQ(2 * i + j + 1, *page[0]);
		}
	}
	EXPECT_EQ(0, *page[1]);
}

/* One call flushes what both engines remember. */
TEST_F(nested_group, nested_group_invalidate)
{
	uint64_t *old = guest_map_new(&self->s[0], GVA), *new;
	int i;

	ASSERT_EQ(0, guest_nest(&self->s[0], -1));
	ASSERT_EQ(0, BIND(self->s[0].as));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, ATTACH(i));
		ASSERT_EQ(SVA_SIM_STATUS_OK, FILL(0, i, 1));
	}
	new = guest_map_new(&self->s[0], GVA);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(SVA_SIM_STATUS_OK, FILL(0, i, 2));
	EXPECT_EQ(2, *old);
	EXPECT_EQ(0, *new);
	ASSERT_EQ(0, guest_invalidate(&self->s[0], GVA, 1, 0));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(SVA_SIM_STATUS_OK, FILL(0, i, 3 + i));
		EXPECT_EQ(3 + i, *new);
	}
	EXPECT_EQ(2, *old);
}

/* Who comes later has the translation from the next bind on. */
TEST_F(nested_group, nested_group_joined_later)
{
	char group[16], name[32];
	uint64_t *page[2];
	int sim, i;

	for (i = 0; i < 2; i++) {
		page[i] = guest_map_new(&self->s[i], GVA);
		ASSERT_EQ(0, guest_nest(&self->s[i], -1));
	}
	ASSERT_EQ(0, BIND(self->s[0].as));
	ASSERT_EQ(0, ATTACH(0));
	snprintf(group, sizeof(group), "%d", (int)getpid());
	sva_sim_name(name, sizeof(name), "third");
	sim = sva_sim_create(name, "0", NULL, group);
	ASSERT_LE(0, sim);
	EXPECT_EQ(-EBUSY, sva_sim_attach(sim, self->g.fd, self->pasid, NULL));
	EXPECT_EQ(0, ATTACH(1));
	ASSERT_EQ(0, BIND(self->s[1].as));
	EXPECT_EQ(0, sva_sim_attach(sim, self->g.fd, self->pasid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, guest_fill(&self->s[1], sim, GVA, 5));
	EXPECT_EQ(5, *page[1]);
	EXPECT_EQ(SVA_SIM_STATUS_OK, FILL(1, 0, 6));
	EXPECT_EQ(6, *page[1]);
	EXPECT_EQ(0, *page[0]);
	close(sim);
	EXPECT_EQ(0, sva_sim_remove(name));
}

/* --- page requests ------------------------------------------------------------ */

static struct sva_sim_desc fill_blindly(uint64_t gva)
{
	return (struct sva_sim_desc) {
		.op = SVA_SIM_OP_FILL, .src = 7, .dst = gva, .len = 8,
	};
}

/* Both ask for a page each, which are read; in which order, nobody knows. */
static int both_ask(FIXTURE_DATA(nested_group) *self, struct sva_fault *fault)
{
	struct sva_fault swap;
	int i, ret;

	ret = guest_nest(&self->s[0], self->q);
	if (!ret)
		ret = BIND(self->s[0].as);
	for (i = 0; !ret && i < 2; i++) {
		struct sva_sim_desc desc = fill_blindly(GVA + i * CORE_PAGE);

		ret = ATTACH(i);
		if (!ret)
			ret = sva_sim_submit(self->sim[i], &desc);
		if (!ret && guest_read_faults(self->q, &fault[i], 1) != 1)
			ret = -EIO;
	}
	if (!ret && fault[0].addr != GVA) {
		swap = fault[0];
		fault[0] = fault[1];
		fault[1] = swap;
	}
	return ret;
}

/* Waits until an engine's only descriptor is done. Whether it failed. */
static int ended(int sim)
{
	struct pollfd pfd = { .fd = sim, .events = POLLIN };
	struct sva_sim_info info;
	uint64_t count;

	if (poll(&pfd, 1, SVA_TIMEOUT_MS) != 1)
		return -ETIMEDOUT;
	if (read(sim, &count, sizeof(count)) < 0 || sva_sim_info(sim, &info))
		return -EIO;
	return info.failed > 0;
}

TEST_F(nested_group, nested_group_requests_say_who)
{
	struct sva_fault fault[2];
	uint64_t *page;

	ASSERT_EQ(0, both_ask(self, fault));
	EXPECT_EQ(GVA, fault[0].addr);
	EXPECT_EQ(self->g.dev, fault[0].dev_id);
	EXPECT_EQ(GVA + CORE_PAGE, fault[1].addr);
	EXPECT_EQ(self->dev, fault[1].dev_id);
	EXPECT_EQ(self->pasid, fault[1].object);

	page = guest_map_new(&self->s[0], GVA + CORE_PAGE);
	EXPECT_EQ(0, guest_respond(self->q, fault[1].cookie, SVA_FAULT_SUCCESS));
	EXPECT_EQ(0, ended(self->sim[1]));
	EXPECT_EQ(7, *page);
	EXPECT_EQ(0, guest_respond(self->q, fault[0].cookie, SVA_FAULT_INVALID));
	EXPECT_EQ(1, ended(self->sim[0]));
}

/*
 * A device that goes has its requests answered, although the translation stays
 * for the other one: there would be nobody to give an answer to.
 */
TEST_F(nested_group, nested_group_one_goes_with_a_request)
{
	struct sva_fault fault[2];
	uint64_t *page;

	ASSERT_EQ(0, both_ask(self, fault));
	ASSERT_EQ(0, sva_sim_set(self->engine, "enable", "0"));
	EXPECT_EQ(-ENOENT, guest_respond(self->q, fault[1].cookie,
					 SVA_FAULT_SUCCESS));
	page = guest_map_new(&self->s[0], GVA);
	EXPECT_EQ(0, guest_respond(self->q, fault[0].cookie, SVA_FAULT_SUCCESS));
	EXPECT_EQ(0, ended(self->sim[0]));
	EXPECT_EQ(7, *page);
}

TEST_F(nested_group, nested_group_one_is_closed_with_a_request)
{
	struct sva_fault fault[2];

	ASSERT_EQ(0, both_ask(self, fault));
	close(self->sim[1]);
	self->sim[1] = -1;
	EXPECT_EQ(-ENOENT, guest_respond(self->q, fault[1].cookie,
					 SVA_FAULT_SUCCESS));
	guest_map_new(&self->s[0], GVA);
	EXPECT_EQ(0, guest_respond(self->q, fault[0].cookie, SVA_FAULT_SUCCESS));
	EXPECT_EQ(0, ended(self->sim[0]));
}

/* It has the PASID attached twice: a request of it is not answered by itself. */
TEST_F(nested_group, nested_group_one_queue_of_two_is_closed)
{
	int sim = sva_sim_open_name(self->g.node);
	struct sva_fault fault[2];

	ASSERT_LE(0, sim);
	ASSERT_EQ(0, both_ask(self, fault));
	ASSERT_EQ(0, sva_sim_attach(sim, self->g.fd, self->pasid, NULL));
	close(sim);
	guest_map_new(&self->s[0], GVA);
	EXPECT_EQ(0, guest_respond(self->q, fault[0].cookie, SVA_FAULT_SUCCESS));
	EXPECT_EQ(0, ended(self->sim[0]));
	EXPECT_EQ(0, guest_respond(self->q, fault[1].cookie, SVA_FAULT_INVALID));
	EXPECT_EQ(1, ended(self->sim[1]));
}

TEST_HARNESS_MAIN
