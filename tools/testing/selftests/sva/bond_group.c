// SPDX-License-Identifier: GPL-2.0-only
/*
 * Engines that share an IOMMU group: one translation for both, one owner.
 */
#include "bond_util.h"
#include "kselftest_harness.h"

FIXTURE(bond_group) {
	struct core_counts before;
	char name[2][32];
	char dev[2][32];
	int fd;
	int sim[2];
	struct bond_mem *mem[2];
	uint32_t as[2];
	uint32_t pasid;
};

FIXTURE_SETUP(bond_group)
{
	char group[16];
	int i;

	self->before = core_counts();
	self->sim[0] = -1;
	self->sim[1] = -1;
	snprintf(group, sizeof(group), "%d", (int)getpid());
	for (i = 0; i < 2; i++) {
		sva_sim_name(self->name[i], sizeof(self->name[i]),
			     i ? "second" : "first");
		self->sim[i] = sva_sim_create(self->name[i], "0", NULL, group);
		EXPECT_LE(0, self->sim[i]);
		EXPECT_EQ(0, sva_sim_get(self->name[i], "dev", self->dev[i],
					 sizeof(self->dev[i])));
	}
	self->fd = sva_open();
	EXPECT_LE(0, self->fd);
	for (i = 0; i < 2; i++) {
		self->mem[i] = bond_mem();
		ASSERT_NE(NULL, self->mem[i]);
		EXPECT_EQ(0, bond_as(self->fd, self->mem[i], &self->as[i]));
	}
	EXPECT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &self->pasid));
}

FIXTURE_TEARDOWN(bond_group)
{
	int i;

	close(self->fd);
	for (i = 0; i < 2; i++) {
		close(self->sim[i]);
		EXPECT_EQ(0, sva_sim_remove(self->name[i]));
		munmap(self->mem[i], sizeof(*self->mem[i]));
	}
	EXPECT_TRUE(core_settles(&self->before));
}

TEST_F(bond_group, bond_group_shares_a_translation)
{
	struct sva_pasid_info info;
	int i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, sva_sim_attach(self->sim[i], self->fd, self->pasid,
					    NULL));
	ASSERT_EQ(0, sva_pasid_info(self->fd, self->pasid, &info));
	EXPECT_EQ(2, info.bonds);

	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[0]));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(SVA_SIM_STATUS_OK,
			  bond_copy(self->sim[i], self->mem[0]));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[1]));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(SVA_SIM_STATUS_OK,
			  bond_copy(self->sim[i], self->mem[1]));

	/* The one that made the attachment goes, the other stays. */
	ASSERT_EQ(0, sva_sim_detach(self->sim[0]));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[1], self->mem[1]));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[0]));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[1], self->mem[0]));
	EXPECT_EQ(-EBUSY, pasid_free(self->fd, self->pasid, 1));
	ASSERT_EQ(0, sva_sim_detach(self->sim[1]));
	EXPECT_EQ(0, pasid_free(self->fd, self->pasid, 1));
}

TEST_F(bond_group, bond_group_has_one_owner)
{
	uint32_t number, mm;
	int other = sva_open();

	ASSERT_LE(0, other);
	ASSERT_EQ(0, pasid_alloc(other, 0, 0, 1, &number));
	ASSERT_EQ(0, pasid_alloc_handle(other, SVA_PASID_F_MM, &mm));
	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, self->pasid, NULL));
	EXPECT_EQ(-EBUSY, sva_sim_attach(self->sim[1], other, number, NULL));
	EXPECT_EQ(-EBUSY, sva_sim_attach(self->sim[1], other, mm, NULL));
	/* Nor the same engine: both see all PASIDs of the group. */
	EXPECT_EQ(-EBUSY, bond_attached(self->dev[0], other, number));
	/* What failed has not claimed anything. */
	EXPECT_EQ(0, sva_sim_attach(self->sim[1], self->fd, self->pasid, NULL));
	ASSERT_EQ(0, sva_sim_detach(self->sim[0]));
	EXPECT_EQ(-EBUSY, sva_sim_attach(self->sim[0], other, number, NULL));

	ASSERT_EQ(0, sva_sim_detach(self->sim[1]));
	EXPECT_EQ(0, sva_sim_attach(self->sim[0], other, number, NULL));
	EXPECT_EQ(-EBUSY, sva_sim_attach(self->sim[1], self->fd, self->pasid,
					 NULL));
	close(other);
}

TEST_F(bond_group, bond_group_owned_by_process)
{
	uint32_t mm, number;
	int other = sva_open();

	ASSERT_LE(0, other);
	ASSERT_EQ(0, pasid_alloc(other, 0, 0, 1, &number));
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &mm));
	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, mm, NULL));
	EXPECT_EQ(-EBUSY, sva_sim_attach(self->sim[1], other, number, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[0], self->mem[0]));
	/* The core's bond with a process is one device's, until that is done. */
	EXPECT_EQ(-EBUSY, sva_sim_attach(self->sim[1], self->fd, mm, NULL));
	ASSERT_EQ(0, sva_sim_detach(self->sim[0]));
	EXPECT_EQ(0, sva_sim_attach(self->sim[1], self->fd, mm, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[1], self->mem[0]));
	close(other);
}

TEST_F(bond_group, bond_group_width_is_the_narrowest)
{
	uint32_t wide, narrow;
	char group[16];
	char name[32];
	int sim;

	EXPECT_EQ(0, sva_sim_get(self->name[0], "group", group, sizeof(group)));
	sva_sim_name(name, sizeof(name), "narrow");
	sim = sva_sim_create(name, "0", "8", group);
	ASSERT_LE(0, sim);

	/* All devices of a group see its PASIDs. */
	EXPECT_EQ(0, pasid_alloc(self->fd, 256, 0, 1, &wide));
	EXPECT_EQ(0, sva_pasid_bind(self->fd, wide, self->as[0]));
	EXPECT_EQ(-ERANGE, sva_sim_attach(sim, self->fd, wide, NULL));
	EXPECT_EQ(-ERANGE, sva_sim_attach(self->sim[0], self->fd, wide, NULL));
	EXPECT_EQ(0, pasid_alloc(self->fd, 0, 255, 1, &narrow));
	EXPECT_EQ(0, sva_pasid_bind(self->fd, narrow, self->as[0]));
	EXPECT_EQ(0, sva_sim_attach(self->sim[0], self->fd, narrow, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[0], self->mem[0]));
	close(sim);
	EXPECT_EQ(0, sva_sim_remove(name));
}

/* --- one of the two refuses ------------------------------------------------------ */

TEST_F(bond_group, bond_group_refused_attach)
{
	struct sva_pasid_info info;
	int i;

	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[0]));
	for (i = 0; i < 2; i++) {
		/* Whoever attaches, the translation is set for both. */
		ASSERT_EQ(0, sva_sim_set(self->name[i], "refuse", "1"));
		EXPECT_EQ(-EBUSY, sva_sim_attach(self->sim[0], self->fd,
						 self->pasid, NULL));
		ASSERT_EQ(0, sva_pasid_info(self->fd, self->pasid, &info));
		EXPECT_EQ(0, info.bonds);
	}
	EXPECT_EQ(0, sva_sim_attach(self->sim[0], self->fd, self->pasid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[0], self->mem[0]));
}

static void refused_rebind(struct __test_metadata *_metadata,
			   FIXTURE_DATA(bond_group) *self, const char *mode)
{
	struct sva_pasid_info info;
	int i, j;

	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[0]));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, sva_sim_attach(self->sim[i], self->fd, self->pasid,
					    NULL));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, sva_sim_set(self->name[i], "teardown_first", mode));
		ASSERT_EQ(0, sva_sim_set(self->name[i], "refuse", "1"));
		EXPECT_EQ(-EBUSY, sva_pasid_bind(self->fd, self->pasid,
						 self->as[1]));
		/* Both have the old one, and it is complete. */
		for (j = 0; j < 2; j++) {
			EXPECT_EQ(SVA_SIM_STATUS_OK,
				  bond_copy(self->sim[j], self->mem[0]));
			EXPECT_EQ(SVA_SIM_STATUS_PENDING,
				  bond_copy(self->sim[j], self->mem[1]));
		}
		ASSERT_EQ(0, sva_pasid_info(self->fd, self->pasid, &info));
		EXPECT_EQ(self->as[0], info.as_id);
		EXPECT_EQ(2, info.bonds);
		EXPECT_EQ(0, info.state & SVA_PASID_S_REVOKED);
		EXPECT_EQ(0, sva_destroy(self->fd, self->as[1]));
		ASSERT_EQ(0, bond_as(self->fd, self->mem[1], &self->as[1]));
	}
	EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[1]));
	for (j = 0; j < 2; j++)
		EXPECT_EQ(SVA_SIM_STATUS_OK,
			  bond_copy(self->sim[j], self->mem[1]));
}

TEST_F(bond_group, bond_group_refused_rebind)
{
	refused_rebind(_metadata, self, "0");
}

TEST_F(bond_group, bond_group_refused_rebind_after_teardown)
{
	refused_rebind(_metadata, self, "1");
}

TEST_F(bond_group, bond_group_undo_fails)
{
	struct sva_pasid_info info;
	int i;

	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[0]));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, sva_sim_attach(self->sim[i], self->fd, self->pasid,
					    NULL));
	/* The second device refuses the new one, and then the old one too. */
	ASSERT_EQ(0, sva_sim_set(self->name[1], "refuse", "3"));
	EXPECT_EQ(-ENOTRECOVERABLE, sva_pasid_bind(self->fd, self->pasid,
						   self->as[1]));
	for (i = 0; i < 2; i++) {
		EXPECT_TRUE(bond_hangs_up(self->sim[i]));
		EXPECT_EQ(-ENOLINK, bond_copy(self->sim[i], self->mem[0]));
	}
	ASSERT_EQ(0, sva_pasid_info(self->fd, self->pasid, &info));
	EXPECT_EQ(self->as[0], info.as_id);
	EXPECT_EQ(2, info.bonds);
	EXPECT_NE(0, info.state & SVA_PASID_S_REVOKED);

	/* Once the driver has noticed, the PASID is as good as before. */
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, sva_sim_detach(self->sim[i]));
		ASSERT_EQ(0, sva_sim_attach(self->sim[i], self->fd, self->pasid,
					    NULL));
		EXPECT_EQ(SVA_SIM_STATUS_OK,
			  bond_copy(self->sim[i], self->mem[0]));
	}
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[1]));
	ASSERT_EQ(0, sva_pasid_info(self->fd, self->pasid, &info));
	EXPECT_EQ(0, info.state & SVA_PASID_S_REVOKED);
}

TEST_F(bond_group, bond_group_one_engine_is_removed)
{
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[0]));
	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, self->pasid, NULL));
	ASSERT_EQ(0, sva_sim_attach(self->sim[1], self->fd, self->pasid, NULL));
	ASSERT_EQ(0, sva_sim_set(self->name[0], "enable", "0"));
	EXPECT_TRUE(bond_hangs_up(self->sim[0]));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[1], self->mem[0]));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[1]));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[1], self->mem[1]));
}

/*
 * Two handles of one process share the core's bond, which remembers the first
 * device: it must not be left to the second when the first goes away.
 */
TEST_F(bond_group, bond_group_two_handles_of_a_process)
{
	uint32_t mm[2];

	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &mm[0]));
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &mm[1]));
	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, mm[0], NULL));
	EXPECT_EQ(-EBUSY, sva_sim_attach(self->sim[1], self->fd, mm[1], NULL));
	ASSERT_EQ(0, sva_sim_set(self->name[0], "enable", "0"));
	EXPECT_TRUE(bond_hangs_up(self->sim[0]));
	ASSERT_EQ(0, sva_sim_attach(self->sim[1], self->fd, mm[1], NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[1], self->mem[0]));
	EXPECT_EQ(0, sva_sim_detach(self->sim[1]));
}

/* --- one more joins --------------------------------------------------------------- */

/* Makes a third engine of the group, with PASIDs of so many bits. */
static int join_group(const char *first, const char *name, const char *bits)
{
	char group[16];
	int ret = sva_sim_get(first, "group", group, sizeof(group));

	return ret ? ret : sva_sim_create(name, "0", bits, group);
}

/*
 * The IOMMU core sets a PASID for the devices that are in the group then. A
 * bond with a device that came later would look as the others do, and have no
 * translation.
 */
TEST_F(bond_group, bond_group_joined_later)
{
	struct sva_pasid_info info;
	char name[32];
	int sim;

	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[0]));
	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, self->pasid, NULL));
	sva_sim_name(name, sizeof(name), "later");
	sim = join_group(self->name[0], name, NULL);
	ASSERT_LE(0, sim);

	EXPECT_EQ(-EBUSY, sva_sim_attach(sim, self->fd, self->pasid, NULL));
	ASSERT_EQ(0, sva_pasid_info(self->fd, self->pasid, &info));
	EXPECT_EQ(1, info.bonds);
	/* Of those that were there before, each one may. */
	EXPECT_EQ(0, sva_sim_attach(self->sim[1], self->fd, self->pasid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[0], self->mem[0]));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[1], self->mem[0]));

	/* Bound anew, it is set for all. */
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[1]));
	EXPECT_EQ(0, sva_sim_attach(sim, self->fd, self->pasid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem[1]));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[0], self->mem[1]));
	close(sim);
	EXPECT_EQ(0, sva_sim_remove(name));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[0], self->mem[1]));
}

TEST_F(bond_group, bond_group_joined_an_unbound_pasid)
{
	char name[32];
	int sim;

	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, self->pasid, NULL));
	sva_sim_name(name, sizeof(name), "later");
	sim = join_group(self->name[0], name, NULL);
	ASSERT_LE(0, sim);
	EXPECT_EQ(0, sva_sim_attach(sim, self->fd, self->pasid, NULL));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[0]));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem[0]));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[0], self->mem[0]));
	close(sim);
	EXPECT_EQ(0, sva_sim_remove(name));
}

/* It is another device then, although it has the same name. */
TEST_F(bond_group, bond_group_left_and_joined_again)
{
	char dev[32];
	int sim;

	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[0]));
	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, self->pasid, NULL));
	ASSERT_EQ(0, sva_sim_set(self->name[1], "enable", "0"));
	ASSERT_EQ(0, sva_sim_set(self->name[1], "enable", "1"));
	ASSERT_EQ(0, sva_sim_get(self->name[1], "dev", dev, sizeof(dev)));
	sim = sva_sim_open_name(dev);
	ASSERT_LE(0, sim);
	EXPECT_EQ(-EBUSY, sva_sim_attach(sim, self->fd, self->pasid, NULL));
	/* As soon as nobody has it attached, everybody can. */
	ASSERT_EQ(0, sva_sim_detach(self->sim[0]));
	EXPECT_EQ(0, sva_sim_attach(sim, self->fd, self->pasid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem[0]));
	close(sim);
}

/* What is too wide for it goes on, and can end, but cannot be set anew. */
TEST_F(bond_group, bond_group_joined_by_a_narrow_one)
{
	struct sva_pasid_info info;
	uint32_t wide;
	char name[32];
	int sim;

	ASSERT_EQ(0, pasid_alloc(self->fd, 256, 0, 1, &wide));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, wide, self->as[0]));
	ASSERT_EQ(0, sva_sim_attach(self->sim[0], self->fd, wide, NULL));
	sva_sim_name(name, sizeof(name), "narrow");
	sim = join_group(self->name[0], name, "8");
	ASSERT_LE(0, sim);
	EXPECT_EQ(-ERANGE, sva_pasid_bind(self->fd, wide, self->as[1]));
	ASSERT_EQ(0, sva_pasid_info(self->fd, wide, &info));
	EXPECT_EQ(self->as[0], info.as_id);
	EXPECT_EQ(0, info.state & SVA_PASID_S_REVOKED);
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim[0], self->mem[0]));
	EXPECT_EQ(0, sva_pasid_bind(self->fd, wide, SVA_AS_NONE));
	EXPECT_EQ(-ERANGE, sva_pasid_bind(self->fd, wide, self->as[0]));
	EXPECT_EQ(0, sva_sim_detach(self->sim[0]));
	EXPECT_EQ(0, sva_pasid_bind(self->fd, wide, self->as[0]));
	close(sim);
	EXPECT_EQ(0, sva_sim_remove(name));
}

TEST_HARNESS_MAIN
