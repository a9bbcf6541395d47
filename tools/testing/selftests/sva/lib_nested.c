// SPDX-License-Identifier: GPL-2.0-only
/*
 * libsva: devices, tables of a guest, their invalidation, guest PASIDs.
 *
 * Machine: plain engine
 */
#include "lib_guest.h"
#include "kselftest_harness.h"

#define TYPE	IOMMU_HWPT_INVALIDATE_DATA_VTD_S1

FIXTURE(lib_nested) {
	struct sva *sva;
	struct lib_engine e;
	struct lib_guest g;
	uint32_t as;
};

FIXTURE_SETUP(lib_nested)
{
	ASSERT_EQ(0, sva_open(&self->sva, 0));
	ASSERT_EQ(0, lib_engine_init(&self->e, self->sva, "0"));
	ASSERT_EQ(0, lib_guest_init(&self->g, self->sva));
}

FIXTURE_TEARDOWN(lib_nested)
{
	EXPECT_EQ(0, lib_engine_exit(&self->e));
	lib_guest_exit(&self->g);
	sva_close(self->sva);
}

TEST_F(lib_nested, device_list)
{
	struct sva_device_info info;
	uint32_t from = 0;
	int found = 0, err;

	while (!(err = sva_device_next(self->sva, from, &info, sizeof(info)))) {
		EXPECT_LE(from, info.dev_id);
		found += info.dev_id == self->e.dev;
		from = info.dev_id + 1;
	}
	EXPECT_EQ(-ENOENT, err);
	EXPECT_EQ(1, found);
}

TEST_F(lib_nested, device_info)
{
	struct {
		struct sva_device_info known;
		uint64_t future;
	} info;

	memset(&info, 0xff, sizeof(info));
	ASSERT_EQ(0, sva_device_info(self->sva, self->e.dev, &info.known,
				     sizeof(info)));
	EXPECT_EQ(self->e.dev, info.known.dev_id);
	EXPECT_TRUE(info.known.caps & SVA_DEVICE_CAP_NESTED);
	EXPECT_LT(0, info.known.pasid_bits);
	EXPECT_EQ(sizeof(struct iommu_hw_info_vtd), info.known.data_len);
	EXPECT_EQ(0, info.future);
	EXPECT_EQ(-ENOENT, sva_device_info(self->sva, INT_MAX, &info.known,
					   sizeof(info.known)));
	EXPECT_EQ(-EINVAL, sva_device_info(self->sva, self->e.dev, &info.known,
					   8));
	EXPECT_EQ(-EINVAL, sva_device_next(self->sva, 0, &info.known, 8));
}

TEST_F(lib_nested, device_hw_info)
{
	struct iommu_hw_info_vtd vtd[2], head;
	uint32_t type = LIB_UNSET, len = 0;

	ASSERT_EQ(0, sva_device_hw_info(self->sva, self->e.dev, &type, NULL,
					&len));
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_INTEL_VTD, type);
	ASSERT_EQ(sizeof(*vtd), len);

	/* More room than is needed is left alone. */
	memset(vtd, 0xee, sizeof(vtd));
	len = sizeof(vtd);
	ASSERT_EQ(0, sva_device_hw_info(self->sva, self->e.dev, &type, vtd,
					&len));
	EXPECT_EQ(sizeof(*vtd), len);
	EXPECT_EQ(1, vtd[0].ecap_reg >> 26 & 1);	/* NEST: VT-d 11.4.3 */
	EXPECT_EQ(0xeeeeeeeeeeeeeeeeULL, vtd[1].ecap_reg);

	memset(&head, 0xee, sizeof(head));
	len = offsetof(struct iommu_hw_info_vtd, cap_reg);
	ASSERT_EQ(0, sva_device_hw_info(self->sva, self->e.dev, &type, &head,
					&len));
	EXPECT_EQ(sizeof(head), len);
	EXPECT_EQ(vtd[0].flags, head.flags);
	EXPECT_EQ(0xeeeeeeeeeeeeeeeeULL, head.cap_reg);

	type = LIB_UNSET;
	len = 16;
	EXPECT_EQ(-EFAULT, sva_device_hw_info(self->sva, self->e.dev, &type,
					      NULL, &len));
	EXPECT_EQ(-ENOENT, sva_device_hw_info(self->sva, INT_MAX, &type, vtd,
					      &len));
	EXPECT_EQ(LIB_UNSET, type);
	EXPECT_EQ(16, len);
}

TEST_F(lib_nested, translates)
{
	uint64_t *page = lib_guest_map(&self->g, LIB_GVA);
	uint32_t pasid;

	ASSERT_EQ(0, lib_guest_nest(&self->g, self->g.parent, self->e.dev, -1,
				    &self->as));
	ASSERT_EQ(0, lib_guest_start(&self->g, &self->e, self->as, &pasid));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  lib_guest_fill(&self->g, &self->e, LIB_GVA, 4711));
	EXPECT_EQ(4711, page[0]);
	EXPECT_EQ(4711, page[511]);
	/* What the guest has not mapped, and nobody is asked for, fails. */
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  lib_guest_fill(&self->g, &self->e, LIB_GVA + LIB_PAGE, 1));

	EXPECT_EQ(-EBUSY, sva_as_destroy(self->sva, self->as));
	EXPECT_EQ(0, sva_sim_detach(self->e.sim));
	EXPECT_EQ(0, sva_pasid_unbind(self->sva, pasid));
	EXPECT_EQ(-EBUSY, sva_as_destroy(self->sva, self->g.parent));
	EXPECT_EQ(0, sva_as_destroy(self->sva, self->as));
	EXPECT_EQ(0, sva_as_destroy(self->sva, self->g.parent));
}

TEST_F(lib_nested, refused)
{
	struct iommu_hwpt_vtd_s1 s1 = {
		.pgtbl_addr = self->g.root, .addr_width = 48,
	};
	uint32_t iova, dev = self->e.dev, as = LIB_UNSET;

	EXPECT_EQ(-ENOENT, lib_guest_nest(&self->g, INT_MAX, dev, -1, &as));
	EXPECT_EQ(-ENODEV, lib_guest_nest(&self->g, self->g.parent, INT_MAX, -1,
					  &as));
	EXPECT_EQ(-EBADF, lib_guest_nest(&self->g, self->g.parent, dev,
					 sva_fd(self->sva), &as));
	ASSERT_EQ(0, sva_as_alloc_iova(self->sva, 0, &iova));
	EXPECT_EQ(-EINVAL, lib_guest_nest(&self->g, iova, dev, -1, &as));
	EXPECT_EQ(-EOPNOTSUPP,
		  sva_as_alloc_nested(self->sva, self->g.parent, dev, -1, 77,
				      &s1, sizeof(s1), &as));
	EXPECT_EQ(-EINVAL,
		  sva_as_alloc_nested(self->sva, self->g.parent, dev, -1,
				      IOMMU_HWPT_DATA_VTD_S1, &s1, 4, &as));
	EXPECT_EQ(-E2BIG,
		  sva_as_alloc_nested(self->sva, self->g.parent, dev, -1,
				      IOMMU_HWPT_DATA_VTD_S1, &s1, 4097, &as));
	EXPECT_EQ(-E2BIG,
		  sva_as_alloc_nested(self->sva, self->g.parent, dev, -1,
				      IOMMU_HWPT_DATA_VTD_S1, &s1,
				      sizeof(s1) + (1ULL << 32), &as));
	EXPECT_EQ(-EFAULT,
		  sva_as_alloc_nested(self->sva, self->g.parent, dev, -1,
				      IOMMU_HWPT_DATA_VTD_S1, NULL, sizeof(s1),
				      &as));
	/* The other model */
	EXPECT_EQ(-EOPNOTSUPP,
		  sva_as_alloc_pasid_table(self->sva, self->g.parent, dev, -1,
					   IOMMU_HWPT_DATA_VTD_S1, &s1,
					   sizeof(s1), &as));
	EXPECT_EQ(LIB_UNSET, as);
}

TEST_F(lib_nested, pasid_table)
{
	struct sva_sim_hwpt_table data = { .entries_log2 = 8 };
	struct sva_sim_table_entry *table;
	struct sva_device_info info;
	struct lib_engine e;
	uint32_t rid, as;
	uint64_t *page;

	ASSERT_EQ(0, lib_engine_init(&e, self->sva, "2"));
	ASSERT_EQ(0, sva_device_info(self->sva, e.dev, &info, sizeof(info)));
	EXPECT_TRUE(info.caps & SVA_DEVICE_CAP_PASID_TABLE);

	data.table_gpa = lib_guest_page(&self->g);
	table = lib_guest_ptr(&self->g, data.table_gpa);
	table[9].addr_width = 48;
	table[9].pgtbl = self->g.root | SVA_SIM_TABLE_VALID;
	page = lib_guest_map(&self->g, LIB_GVA);
	ASSERT_EQ(0, sva_as_alloc_pasid_table(self->sva, self->g.parent, e.dev,
					      -1, SVA_SIM_HWPT_DATA_TABLE,
					      &data, sizeof(data), &as));
	ASSERT_EQ(0, sva_pasid_alloc_rid(self->sva, &rid));
	ASSERT_EQ(0, sva_pasid_bind(self->sva, rid, as));
	EXPECT_EQ(-EOPNOTSUPP,
		  sva_sim_attach_guest(self->e.sim, self->sva, rid, 9));
	ASSERT_EQ(0, sva_sim_attach_guest(e.sim, self->sva, rid, 9));
	EXPECT_EQ(SVA_SIM_STATUS_OK, lib_guest_fill(&self->g, &e, LIB_GVA, 5));
	EXPECT_EQ(5, *page);
	EXPECT_EQ(0, lib_engine_exit(&e));
}

TEST_F(lib_nested, invalidate)
{
	struct iommu_hwpt_vtd_s1_invalidate inv[3] = {
		{ .addr = LIB_GVA, .npages = 1 },
		{ .addr = LIB_GVA + 1, .npages = 1 },
		{ .addr = LIB_GVA, .npages = 1 },
	};
	uint64_t *old = lib_guest_map(&self->g, LIB_GVA), *new;
	uint32_t num = 1, pasid;

	ASSERT_EQ(0, lib_guest_nest(&self->g, self->g.parent, self->e.dev, -1,
				    &self->as));
	ASSERT_EQ(0, lib_guest_start(&self->g, &self->e, self->as, &pasid));
	ASSERT_EQ(SVA_SIM_STATUS_OK,
		  lib_guest_fill(&self->g, &self->e, LIB_GVA, 1));
	new = lib_guest_map(&self->g, LIB_GVA);
	ASSERT_EQ(SVA_SIM_STATUS_OK,
		  lib_guest_fill(&self->g, &self->e, LIB_GVA, 2));
	EXPECT_EQ(2, *old);
	ASSERT_EQ(0, sva_invalidate(self->sva, self->as, TYPE, inv,
				    sizeof(*inv), &num));
	EXPECT_EQ(1, num);
	ASSERT_EQ(SVA_SIM_STATUS_OK,
		  lib_guest_fill(&self->g, &self->e, LIB_GVA, 3));
	EXPECT_EQ(2, *old);
	EXPECT_EQ(3, *new);

	num = 3;
	EXPECT_EQ(-EINVAL, sva_invalidate(self->sva, self->as, TYPE, inv,
					  sizeof(*inv), &num));
	EXPECT_EQ(1, num);
}

TEST_F(lib_nested, invalidate_refused)
{
	struct iommu_hwpt_vtd_s1_invalidate inv = {
		.addr = LIB_GVA, .npages = 1,
	};
	struct sva *sva = self->sva;
	uint32_t num = 0;

	ASSERT_EQ(0, lib_guest_nest(&self->g, self->g.parent, self->e.dev, -1,
				    &self->as));
	/* Does it know the format? */
	EXPECT_EQ(0, sva_invalidate(sva, self->as, TYPE, NULL, 0, &num));
	EXPECT_EQ(-EINVAL, sva_invalidate(sva, self->as, 77, NULL, 0, &num));

#define REFUSED(err, as, entries, size) do {				\
	num = 1;							\
	EXPECT_EQ(err, sva_invalidate(sva, as, TYPE, entries, size, &num)); \
	EXPECT_EQ(0, num);						\
} while (0)
	REFUSED(-ENOENT, INT_MAX, &inv, sizeof(inv));
	REFUSED(-EINVAL, self->g.parent, &inv, sizeof(inv));
	REFUSED(-EINVAL, self->as, &inv, 0);
	REFUSED(-E2BIG, self->as, &inv, 4097);
	REFUSED(-E2BIG, self->as, &inv, sizeof(inv) + (1ULL << 32));
	REFUSED(-EFAULT, self->as, NULL, sizeof(inv));
	num = 65537;
	EXPECT_EQ(-E2BIG, sva_invalidate(sva, self->as, TYPE, &inv, sizeof(inv),
					 &num));
	EXPECT_EQ(0, num);
}

TEST_F(lib_nested, guest_pasid)
{
	uint32_t a, b, found = LIB_UNSET, guest = LIB_UNSET;
	struct sva *sva = self->sva;

	ASSERT_EQ(0, sva_pasid_alloc(sva, &a));
	ASSERT_EQ(0, sva_pasid_alloc(sva, &b));
	EXPECT_EQ(-ENOENT, sva_pasid_guest_find(sva, 7, &found));
	EXPECT_EQ(LIB_UNSET, found);
	EXPECT_EQ(0, sva_pasid_guest_set(sva, a, 7));
	EXPECT_EQ(0, sva_pasid_guest_find(sva, 7, &found));
	EXPECT_EQ(a, found);
	EXPECT_EQ(0, sva_pasid_guest_get(sva, a, &guest));
	EXPECT_EQ(7, guest);
	EXPECT_EQ(0, sva_pasid_guest_get(sva, b, &guest));
	EXPECT_EQ(SVA_GUEST_PASID_NONE, guest);
	EXPECT_EQ(-EEXIST, sva_pasid_guest_set(sva, b, 7));
	EXPECT_EQ(-EINVAL, sva_pasid_guest_set(sva, b, 1 << 20));
	EXPECT_EQ(-EINVAL, sva_pasid_guest_find(sva, 1 << 20, &found));
	EXPECT_EQ(0, sva_pasid_guest_set(sva, a, SVA_GUEST_PASID_NONE));
	EXPECT_EQ(0, sva_pasid_guest_set(sva, b, 7));
	EXPECT_EQ(0, sva_pasid_free(sva, b));
	guest = LIB_UNSET;
	EXPECT_EQ(-ENOENT, sva_pasid_guest_get(sva, b, &guest));
	EXPECT_EQ(-ENOENT, sva_pasid_guest_set(sva, b, 7));
	EXPECT_EQ(-ENOENT, sva_pasid_guest_find(sva, 7, &found));
	EXPECT_EQ(LIB_UNSET, guest);
}

TEST_HARNESS_MAIN
