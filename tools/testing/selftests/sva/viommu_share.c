// SPDX-License-Identifier: GPL-2.0-only
/*
 * vIOMMUs: two IOMMU instances over one nesting parent, each with a cache tag of
 * its own; devices by the guest's names, and invalidation by them.
 *
 * Machine: plain engine
 */
#include <sys/wait.h>

#include "viommu.h"
#include "kselftest_harness.h"

FIXTURE(viommu) {
	struct core_counts before;
	struct guest g;
	struct viommu v[2];
	struct guest_space s;	/* a process of the guest */
	uint64_t old;
	uint64_t new;
};

FIXTURE_SETUP(viommu)
{
	int i;

	self->before = core_counts();
	ASSERT_EQ(0, guest_init_with(&self->g, "sva_sim0"));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, viommu_init(&self->v[i], &self->g, i));
		ASSERT_EQ(0, vdevice_alloc(self->g.fd, self->v[i].id,
					   self->v[i].dev, VIRT_ID + i,
					   &self->v[i].vdev));
	}
	guest_space_init(&self->s, &self->g, 4);
	self->old = guest_alloc(&self->g, CORE_PAGE);
	self->new = guest_alloc(&self->g, CORE_PAGE);
	*(uint64_t *)guest_ptr(&self->g, self->old) = 1;
	*(uint64_t *)guest_ptr(&self->g, self->new) = 2;
}

FIXTURE_TEARDOWN(viommu)
{
	int i;

	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, viommu_exit(&self->v[i]));
	EXPECT_EQ(0, guest_exit(&self->g));
	EXPECT_TRUE(core_settles(&self->before));
}

#define FD	self->g.fd
#define READS(i, value) guest_reads(&self->v[i].s, self->v[i].sim, GVA, value)

/* Both engines remember the old page when this returns; it is replaced. */
#define START_STALE() do {						\
	guest_map(&self->s, GVA, self->old, PTE_RWU, 0);		\
	ASSERT_EQ(0, viommu_start(&self->v[0], &self->s, 7));		\
	ASSERT_EQ(0, viommu_start(&self->v[1], &self->s, 8));		\
	ASSERT_EQ(1, READS(0, 1));					\
	ASSERT_EQ(1, READS(1, 1));					\
	guest_map(&self->s, GVA, self->new, PTE_RWU, 0);		\
} while (0)

TEST_F(viommu, viommu_share_a_parent_not_a_tag)
{
	uint32_t num = 1;

	START_STALE();
	EXPECT_EQ(1, READS(0, 1));
	EXPECT_EQ(1, READS(1, 1));
	ASSERT_EQ(0, guest_invalidate(&self->v[0].s, GVA, 1, 0));
	EXPECT_EQ(1, READS(0, 2));
	EXPECT_EQ(1, READS(1, 1));
	ASSERT_EQ(0, guest_invalidate(&self->v[1].s, GVA, 1, 0));
	EXPECT_EQ(1, READS(1, 2));
	EXPECT_EQ(1, num);
}

TEST_F(viommu, viommu_invalidate_by_the_guests_names)
{
	struct named_entry entry = named_entry(VIRT_ID, 7, GVA);
	uint32_t num = 1;

	START_STALE();
	ASSERT_EQ(0, invalidate_named(FD, self->v[0].id, &entry, &num));
	EXPECT_EQ(1, num);
	EXPECT_EQ(1, READS(0, 2));
	EXPECT_EQ(1, READS(1, 1));

	entry = named_entry(VIRT_ID + 1, 8, GVA);
	ASSERT_EQ(0, invalidate_named(FD, self->v[1].id, &entry, &num));
	EXPECT_EQ(1, READS(1, 2));
}

TEST_F(viommu, viommu_names_that_there_are_not)
{
	struct named_entry entries[3] = {
		named_entry(VIRT_ID, 7, GVA), named_entry(VIRT_ID, 7, GVA),
		named_entry(VIRT_ID, 7, GVA),
	};
	uint32_t num = 3;

	START_STALE();
	entries[1].target.virt_id = VIRT_ID + 1;
	EXPECT_EQ(-ENODEV, invalidate_named(FD, self->v[0].id, entries, &num));
	EXPECT_EQ(1, num);
	EXPECT_EQ(1, READS(0, 2));

	num = 3;
	entries[1] = named_entry(VIRT_ID, 8, GVA);
	EXPECT_EQ(-ENOENT, invalidate_named(FD, self->v[0].id, entries, &num));
	EXPECT_EQ(1, num);
	num = 3;
	entries[1] = named_entry(VIRT_ID, 9, GVA);
	EXPECT_EQ(-ENOENT, invalidate_named(FD, self->v[0].id, entries, &num));
	num = 3;
	entries[1] = entries[0];
	entries[1].target.__reserved = 1;
	EXPECT_EQ(-EINVAL, invalidate_named(FD, self->v[0].id, entries, &num));
	EXPECT_EQ(1, num);
	num = 3;
	entries[1] = entries[0];
	entries[1].inv.flags = 1U << 31;
	EXPECT_EQ(-EOPNOTSUPP, invalidate_named(FD, self->v[0].id, entries, &num));
	EXPECT_EQ(1, num);
	/* Nothing behind the names */
	num = 1;
	EXPECT_EQ(-EINVAL,
		  guest_invalidate_raw(FD, self->v[0].id,
				       IOMMU_HWPT_INVALIDATE_DATA_VTD_S1, entries,
				       sizeof(entries->target), &num));
	num = 1;
	EXPECT_EQ(-EFAULT,
		  guest_invalidate_raw(FD, self->v[0].id,
				       IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
				       (void *)8, sizeof(*entries), &num));
	EXPECT_EQ(0, num);
}

TEST_F(viommu, viommu_virt_id_is_unique)
{
	uint32_t id, other;

	EXPECT_EQ(-EEXIST, vdevice_alloc(FD, self->v[0].id, self->v[0].dev,
					 VIRT_ID + 5, &id));
	EXPECT_EQ(-EEXIST, vdevice_alloc(FD, self->v[0].id, self->v[0].dev,
					 VIRT_ID, &id));
	/* In another vIOMMU of the same instance, it is another name. */
	ASSERT_EQ(0, viommu_alloc(FD, self->g.parent, self->v[0].dev, &other));
	ASSERT_EQ(0, vdevice_alloc(FD, other, self->v[0].dev, VIRT_ID, &id));
	ASSERT_EQ(0, sva_destroy(FD, id));
	/* A name is free again with its vdevice. */
	ASSERT_EQ(0, sva_destroy(FD, self->v[0].vdev));
	EXPECT_EQ(0, vdevice_alloc(FD, self->v[0].id, self->v[0].dev,
				   VIRT_ID + 5, &self->v[0].vdev));
}

TEST_F(viommu, viommu_wrong_objects)
{
	struct sva_viommu_alloc viommu = {
		.size = sizeof(viommu), .parent_id = self->g.parent,
		.dev_id = self->v[0].dev, .flags = 1,
	};
	struct sva_vdevice_alloc vdevice = {
		.size = sizeof(vdevice), .viommu_id = self->v[0].id,
		.dev_id = self->v[0].dev, .virt_id = 1, .flags = 1,
	};
	struct iommu_hwpt_vtd_s1 s1 = {
		.pgtbl_addr = self->s.root, .addr_width = 48,
	};
	uint32_t id, as;

	EXPECT_EQ(-EOPNOTSUPP, sva_ioctl(FD, SVA_VIOMMU_ALLOC, &viommu));
	EXPECT_EQ(-ENOENT, viommu_alloc(FD, 12345, self->v[0].dev, &id));
	EXPECT_EQ(-ENODEV, viommu_alloc(FD, self->g.parent, 12345, &id));
	ASSERT_EQ(0, sva_as_alloc(FD, &as));
	EXPECT_EQ(-EINVAL, viommu_alloc(FD, as, self->v[0].dev, &id));

	EXPECT_EQ(-EOPNOTSUPP, sva_ioctl(FD, SVA_VDEVICE_ALLOC, &vdevice));
	vdevice.flags = 0;
	vdevice.__reserved = 1;
	EXPECT_EQ(-EINVAL, sva_ioctl(FD, SVA_VDEVICE_ALLOC, &vdevice));
	EXPECT_EQ(-EINVAL, vdevice_alloc(FD, self->v[0].id, self->v[0].dev,
					 ~0ULL, &id));
	EXPECT_EQ(-ENOENT, vdevice_alloc(FD, as, self->v[0].dev, 1, &id));
	EXPECT_EQ(-ENODEV, vdevice_alloc(FD, self->v[0].id, 12345, 1, &id));
	/* A device and a nested address space of the other instance */
	EXPECT_EQ(-EXDEV, vdevice_alloc(FD, self->v[0].id, self->v[1].dev, 1,
					&id));
	EXPECT_EQ(-EXDEV, guest_nest_as(FD, self->v[0].id, self->v[1].dev, -1,
					&s1, &id));
	EXPECT_EQ(0, sva_destroy(FD, as));
}

TEST_F(viommu, viommu_destroyed_in_order_only)
{
	START_STALE();
	/* Used by the process's address space, and by the vdevice. */
	EXPECT_EQ(-EBUSY, sva_destroy(FD, self->v[0].id));
	EXPECT_EQ(-EBUSY, sva_destroy(FD, self->g.parent));
	ASSERT_EQ(0, sva_sim_detach(self->v[0].sim));
	ASSERT_EQ(0, sva_pasid_free(FD, self->v[0].s.pasid));
	ASSERT_EQ(0, sva_destroy(FD, self->v[0].s.as));
	EXPECT_EQ(-EBUSY, sva_destroy(FD, self->v[0].id));
	ASSERT_EQ(0, sva_destroy(FD, self->v[0].vdev));
	EXPECT_EQ(0, sva_destroy(FD, self->v[0].id));
	EXPECT_EQ(-ENOENT, sva_destroy(FD, self->v[0].id));
	/* The other instance goes on. */
	EXPECT_EQ(-EBUSY, sva_destroy(FD, self->g.parent));
	EXPECT_EQ(1, READS(1, 1));
}

TEST_F(viommu, viommu_outlives_its_device)
{
	START_STALE();
	ASSERT_EQ(0, sva_sim_set(self->v[0].engine, "enable", "0"));
	EXPECT_EQ(1, READS(1, 1));
	/* The names are still there, and there is nothing to flush. */
	{
		struct named_entry entry = named_entry(VIRT_ID, 7, GVA);
		uint32_t num = 1;

		EXPECT_EQ(0, invalidate_named(FD, self->v[0].id, &entry, &num));
	}
	EXPECT_EQ(0, sva_destroy(FD, self->v[0].vdev));
	/* The process's address space is bound still. */
	EXPECT_EQ(-EBUSY, sva_destroy(FD, self->v[0].id));
}

TEST_F(viommu, viommu_ends_with_a_killed_process)
{
	pid_t pid = fork();
	int status;

	ASSERT_LE(0, pid);
	if (!pid) {
		struct guest g;
		uint32_t id;

		if (guest_init_with(&g, "sva_sim0") ||
		    viommu_alloc(g.fd, g.parent, self->v[0].dev, &id) ||
		    vdevice_alloc(g.fd, id, self->v[0].dev, 1, &id))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
}

TEST_HARNESS_MAIN
