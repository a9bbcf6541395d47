// SPDX-License-Identifier: GPL-2.0-only
/*
 * libsva: vIOMMUs, the devices behind them, their events.
 *
 * Machine: plain engine
 */
#include "lib_guest.h"
#include "kselftest_harness.h"

#define VIRT_ID	0xab00000000000100ULL
#define TYPE	IOMMU_HWPT_INVALIDATE_DATA_VTD_S1

FIXTURE(lib_viommu) {
	struct sva *sva;
	struct lib_engine e;
	struct lib_guest g;
	uint32_t viommu, vdevice;
	uint32_t as, pasid;
};

FIXTURE_SETUP(lib_viommu)
{
	ASSERT_EQ(0, sva_open(&self->sva, 0));
	ASSERT_EQ(0, lib_engine_init(&self->e, self->sva, "0"));
	ASSERT_EQ(0, lib_guest_init(&self->g, self->sva));
	ASSERT_EQ(0, sva_viommu_alloc(self->sva, self->g.parent, self->e.dev,
				      &self->viommu));
	ASSERT_EQ(0, sva_vdevice_alloc(self->sva, self->viommu, self->e.dev,
				       VIRT_ID, &self->vdevice));
	ASSERT_EQ(0, lib_guest_nest(&self->g, self->viommu, self->e.dev, -1,
				    &self->as));
	ASSERT_EQ(0, lib_guest_start(&self->g, &self->e, self->as,
				     &self->pasid));
	ASSERT_EQ(0, sva_pasid_guest_set(self->sva, self->pasid, 7));
}

FIXTURE_TEARDOWN(lib_viommu)
{
	EXPECT_EQ(0, lib_engine_exit(&self->e));
	lib_guest_exit(&self->g);
	sva_close(self->sva);
}

#define FILL(gva, value) lib_guest_fill(&self->g, &self->e, gva, value)

TEST_F(lib_viommu, destroyed_in_order)
{
	EXPECT_EQ(-EBUSY, sva_as_destroy(self->sva, self->g.parent));
	EXPECT_EQ(-EBUSY, sva_viommu_destroy(self->sva, self->viommu));
	ASSERT_EQ(0, sva_sim_detach(self->e.sim));
	ASSERT_EQ(0, sva_pasid_free(self->sva, self->pasid));
	ASSERT_EQ(0, sva_as_destroy(self->sva, self->as));
	EXPECT_EQ(-EBUSY, sva_viommu_destroy(self->sva, self->viommu));
	ASSERT_EQ(0, sva_vdevice_destroy(self->sva, self->vdevice));
	EXPECT_EQ(-ENOENT, sva_vdevice_destroy(self->sva, self->vdevice));
	ASSERT_EQ(0, sva_viommu_destroy(self->sva, self->viommu));
	EXPECT_EQ(-ENOENT, sva_viommu_destroy(self->sva, self->viommu));
	EXPECT_EQ(0, sva_as_destroy(self->sva, self->g.parent));
}

TEST_F(lib_viommu, refused)
{
	uint32_t iova, id = LIB_UNSET, dev = self->e.dev;
	struct sva *sva = self->sva;
	struct lib_engine other;

	ASSERT_EQ(0, sva_as_alloc_iova(sva, 0, &iova));
	EXPECT_EQ(-ENOENT, sva_viommu_alloc(sva, INT_MAX, dev, &id));
	EXPECT_EQ(-EINVAL, sva_viommu_alloc(sva, iova, dev, &id));
	EXPECT_EQ(-ENODEV, sva_viommu_alloc(sva, self->g.parent, INT_MAX, &id));
	EXPECT_EQ(-ENOENT, sva_vdevice_alloc(sva, iova, dev, 1, &id));
	EXPECT_EQ(-ENODEV, sva_vdevice_alloc(sva, self->viommu, INT_MAX, 1, &id));
	EXPECT_EQ(-EEXIST, sva_vdevice_alloc(sva, self->viommu, dev, 1, &id));
	EXPECT_EQ(-EINVAL, sva_vdevice_alloc(sva, self->viommu, dev, UINT64_MAX,
					     &id));
	ASSERT_EQ(0, lib_engine_init(&other, sva, "1"));
	EXPECT_EQ(-EXDEV, sva_vdevice_alloc(sva, self->viommu, other.dev, 1,
					    &id));
	EXPECT_EQ(-EXDEV, lib_guest_nest(&self->g, self->viommu, other.dev, -1,
					 &id));
	EXPECT_EQ(0, lib_engine_exit(&other));
	EXPECT_EQ(LIB_UNSET, id);
}

TEST_F(lib_viommu, invalidate_by_names)
{
	struct {
		struct sva_invalidate_target target;
		struct iommu_hwpt_vtd_s1_invalidate inv;
	} entries[2] = {
		{ { .virt_id = VIRT_ID, .guest_pasid = 7 },
		  { .addr = LIB_GVA, .npages = 1 } },
		{ { .virt_id = VIRT_ID + 1, .guest_pasid = 7 },
		  { .addr = LIB_GVA, .npages = 1 } },
	};
	uint64_t *old = lib_guest_map(&self->g, LIB_GVA), *new;
	uint32_t num = 2;

	ASSERT_EQ(SVA_SIM_STATUS_OK, FILL(LIB_GVA, 1));
	new = lib_guest_map(&self->g, LIB_GVA);
	EXPECT_EQ(-ENODEV, sva_invalidate(self->sva, self->viommu, TYPE, entries,
					  sizeof(*entries), &num));
	EXPECT_EQ(1, num);
	ASSERT_EQ(SVA_SIM_STATUS_OK, FILL(LIB_GVA, 2));
	EXPECT_EQ(1, *old);
	EXPECT_EQ(2, *new);
	entries[0].target.guest_pasid = 8;
	EXPECT_EQ(-ENOENT, sva_invalidate(self->sva, self->viommu, TYPE, entries,
					  sizeof(*entries), &num));
	EXPECT_EQ(0, num);
}

TEST_F(lib_viommu, events)
{
	struct sva_vevent events[4];
	int q;

	ASSERT_EQ(0, sva_veventq_alloc(self->sva, self->viommu,
				       SVA_VEVENTQ_F_NONBLOCK, 2, &q));
	EXPECT_EQ(FD_CLOEXEC, fcntl(q, F_GETFD));
	EXPECT_EQ(-ETIMEDOUT, sva_veventq_wait(q, 0));
	EXPECT_EQ(-EAGAIN, sva_veventq_read(q, events, 4));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, FILL(LIB_GVA, 1));
	ASSERT_EQ(0, sva_veventq_wait(q, LIB_TIMEOUT_MS));
	EXPECT_EQ(-EINVAL, sva_veventq_read(q, events, 0));
	EXPECT_EQ(-EFAULT, sva_veventq_read(q, NULL, 4));
	ASSERT_EQ(1, sva_veventq_read(q, events, 4));
	EXPECT_EQ(SVA_VEVENT_FAULT, events[0].type);
	EXPECT_EQ(VIRT_ID, events[0].virt_id);
	EXPECT_EQ(LIB_GVA, events[0].addr);
	EXPECT_EQ(SVA_FAULT_PERM_WRITE, events[0].perm);

	/* One more than there is room for. */
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, FILL(LIB_GVA, 1));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, FILL(LIB_GVA, 1));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, FILL(LIB_GVA, 1));
	ASSERT_EQ(3, sva_veventq_read(q, events, 4));
	EXPECT_EQ(SVA_VEVENT_LOST, events[2].type);
	EXPECT_EQ(4, events[2].sequence);
	close(q);
	EXPECT_EQ(-EBADF, sva_veventq_wait(q, -1));
}

TEST_F(lib_viommu, event_queue_refused)
{
	struct sva *sva = self->sva;
	int q, fd = -77;

	EXPECT_EQ(-ENOENT, sva_veventq_alloc(sva, self->g.parent, 0, 1, &fd));
	EXPECT_EQ(-EINVAL, sva_veventq_alloc(sva, self->viommu, 0, 0, &fd));
	EXPECT_EQ(-EINVAL, sva_veventq_alloc(sva, self->viommu, 0,
					     SVA_VEVENTQ_DEPTH_MAX + 1, &fd));
	EXPECT_EQ(-EOPNOTSUPP, sva_veventq_alloc(sva, self->viommu, 1 << 9, 1,
						 &fd));
	ASSERT_EQ(0, sva_veventq_alloc(sva, self->viommu, 0, 1, &q));
	EXPECT_EQ(-EEXIST, sva_veventq_alloc(sva, self->viommu, 0, 1, &fd));
	EXPECT_EQ(-77, fd);
	close(q);
	ASSERT_EQ(0, sva_veventq_alloc(sva, self->viommu, 0, 1, &q));
	close(q);
}

TEST_HARNESS_MAIN
