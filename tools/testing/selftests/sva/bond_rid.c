// SPDX-License-Identifier: GPL-2.0-only
/*
 * RID handles: who may attach one, and the ranges that a function's untagged
 * requests must not use.
 *
 * Machine: plain engine
 */
#include "pasidfd_util.h"
#include "kselftest_harness.h"

#define UNSAFE "/sys/module/sva/parameters/allow_unsafe_interrupts"

/* Where an x86 machine has its interrupts, which no RID can have translated. */
#define MSI_BASE	0xfee00000UL
/* What the software IOMMU says cannot be translated without a PASID. */
#define RESV_BASE	0xfd00000000ULL

#define RANGES_MAX	16

FIXTURE(bond_rid) {
	struct core_counts before;
	bool unsafe;
	int fd;
	int sim;
	struct bond_mem *mem;
	uint32_t as;
	uint32_t rid;
};

static bool get_unsafe(void)
{
	int fd = open(UNSAFE, O_RDONLY | O_CLOEXEC);
	char c = 0;

	if (fd >= 0 && read(fd, &c, 1) != 1)
		c = 0;
	close(fd);
	return c == 'Y';
}

FIXTURE_SETUP(bond_rid)
{
	self->before = core_counts();
	self->unsafe = get_unsafe();
	ASSERT_EQ(0, sva_write_file(UNSAFE, "0"));
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	self->sim = sva_sim_open(0);
	ASSERT_LE(0, self->sim);
	self->mem = bond_mem();
	ASSERT_NE(NULL, self->mem);
	ASSERT_EQ(0, bond_as(self->fd, self->mem, &self->as));
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_RID, &self->rid));
}

FIXTURE_TEARDOWN(bond_rid)
{
	close(self->sim);
	close(self->fd);
	munmap(self->mem, sizeof(*self->mem));
	EXPECT_EQ(0, sva_write_file(UNSAFE, self->unsafe ? "1" : "0"));
	EXPECT_TRUE(core_settles(&self->before));
}

/* @what: shared_msi, it might raise other devices' interrupts by a write; or sw_msi */
static int msi_engine(const char *name, const char *what)
{
	char dev[32];
	int ret, sim = sva_sim_create(name, NULL, NULL, NULL);

	if (sim < 0)
		return sim;
	close(sim);
	ret = sva_sim_set(name, "enable", "0");
	if (!ret)
		ret = sva_sim_set(name, what, "1");
	if (!ret)
		ret = sva_sim_set(name, "enable", "1");
	if (!ret)
		ret = sva_sim_get(name, "dev", dev, sizeof(dev));
	return ret ? ret : sva_sim_open_name(dev);
}

TEST_F(bond_rid, bond_rid_needs_isolated_interrupts)
{
	struct sva_pasid_info info;
	int sim, pf = pasidfd_make(self->fd, self->rid, NULL);
	char name[32];

	sva_sim_name(name, sizeof(name), "shared-msi");
	sim = msi_engine(name, "shared_msi");
	EXPECT_LE(0, sim);
	EXPECT_EQ(-EPERM, sva_sim_attach(sim, pf, 0, NULL));
	close(pf);
	EXPECT_EQ(-EPERM, sva_sim_attach(sim, self->fd, self->rid, NULL));
	EXPECT_EQ(0, sva_pasid_bind(self->fd, self->rid, self->as));
	EXPECT_EQ(-EPERM, sva_sim_attach(sim, self->fd, self->rid, NULL));
	EXPECT_EQ(0, sva_pasid_info(self->fd, self->rid, &info));
	EXPECT_EQ(0, info.bonds);

	EXPECT_EQ(0, sva_write_file(UNSAFE, "1"));
	EXPECT_EQ(0, sva_sim_attach(sim, self->fd, self->rid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem));
	close(sim);
	EXPECT_EQ(0, sva_sim_remove(name));
}

TEST_F(bond_rid, bond_rid_bind_and_unbind)
{
	struct sva_pasid_info info;
	uint32_t number = 1;

	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->rid, &number));
	EXPECT_EQ(0, number);
	EXPECT_EQ(SVA_SIM_STATUS_PENDING, bond_copy(self->sim, self->mem));

	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->rid, self->as));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim, self->mem));
	ASSERT_EQ(0, sva_pasid_info(self->fd, self->rid, &info));
	EXPECT_EQ(SVA_PASID_KIND_RID, info.kind);
	EXPECT_EQ(0, info.number);
	EXPECT_EQ(1, info.bonds);
	EXPECT_EQ(self->as, info.as_id);
	EXPECT_EQ(SVA_PASID_S_BOUND | sva_sim_coherent(self->sim), info.state);

	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->rid, SVA_AS_NONE));
	EXPECT_EQ(SVA_SIM_STATUS_PENDING, bond_copy(self->sim, self->mem));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->rid, self->as));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim, self->mem));

	EXPECT_EQ(-EBUSY, pasid_free(self->fd, self->rid, 1));
	ASSERT_EQ(0, sva_sim_detach(self->sim));
	EXPECT_EQ(0, pasid_free(self->fd, self->rid, 1));
	EXPECT_EQ(0, sva_destroy(self->fd, self->as));
}

TEST_F(bond_rid, bond_rid_rebind)
{
	struct bond_mem *other = bond_mem();
	uint32_t as;

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, bond_as(self->fd, other, &as));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->rid, self->as));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->rid, NULL));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->rid, as));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim, other));
	EXPECT_EQ(SVA_SIM_STATUS_PENDING, bond_copy(self->sim, self->mem));
	EXPECT_EQ(0, sva_destroy(self->fd, self->as));
	munmap(other, sizeof(*other));
}

TEST_F(bond_rid, bond_rid_has_one_owner)
{
	uint32_t second, others;
	int fd = sva_open(), sim = sva_sim_open(0);

	ASSERT_LE(0, fd);
	ASSERT_LE(0, sim);
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_RID, &second));
	ASSERT_EQ(0, pasid_alloc_handle(fd, SVA_PASID_F_RID, &others));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, second, self->as));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->rid, NULL));

	/*
	 * There is but one translation of untagged requests, whether or not
	 * the handles are bound already.
	 */
	EXPECT_EQ(-EBUSY, sva_sim_attach(sim, self->fd, second, NULL));
	EXPECT_EQ(-EBUSY, sva_sim_attach(sim, fd, others, NULL));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->rid, self->as));
	EXPECT_EQ(-EBUSY, sva_sim_attach(sim, self->fd, second, NULL));
	EXPECT_EQ(-EBUSY, sva_sim_attach(sim, fd, others, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim, self->mem));
	/* The same handle again is one more bond of it. */
	EXPECT_EQ(0, sva_sim_attach(sim, self->fd, self->rid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem));
	ASSERT_EQ(0, sva_sim_detach(sim));
	ASSERT_EQ(0, sva_sim_detach(self->sim));
	EXPECT_EQ(0, sva_sim_attach(sim, self->fd, second, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem));
	close(sim);
	close(fd);
}

TEST_F(bond_rid, bond_rid_beside_pasid)
{
	struct bond_mem *other = bond_mem();
	uint32_t pasid, as;
	int sim;

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, bond_as(self->fd, other, &as));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->rid, self->as));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->rid, NULL));
	sim = bond_attached("sva_sim0", self->fd, pasid);
	ASSERT_LE(0, sim);

	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim, self->mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, other));
	EXPECT_EQ(SVA_SIM_STATUS_PENDING, bond_copy(self->sim, other));
	EXPECT_EQ(SVA_SIM_STATUS_PENDING, bond_copy(sim, self->mem));
	close(sim);
	munmap(other, sizeof(*other));
}

/* --- reserved regions ----------------------------------------------------------- */

static bool mappable(int fd, uint32_t as, uint64_t iova)
{
	struct sva_iova_range ranges[RANGES_MAX];
	uint32_t i, num = RANGES_MAX;

	if (iova_ranges(fd, as, ranges, &num))
		return false;
	for (i = 0; i < num; i++)
		if (iova >= ranges[i].start && iova <= ranges[i].last)
			return true;
	return false;
}

TEST_F(bond_rid, bond_rid_reserves_ranges)
{
	bool soft = sva_sim_is_software(self->sim);
	struct sva_iova_range before[RANGES_MAX], after[RANGES_MAX];
	uint32_t nr_before = RANGES_MAX, nr_after = RANGES_MAX;
	int flags = SVA_IOVA_F_READ;

	ASSERT_EQ(0, iova_ranges(self->fd, self->as, before, &nr_before));
	EXPECT_TRUE(mappable(self->fd, self->as, MSI_BASE));
	EXPECT_TRUE(mappable(self->fd, self->as, RESV_BASE));

	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->rid, self->as));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->rid, NULL));
	EXPECT_FALSE(mappable(self->fd, self->as, MSI_BASE));
	EXPECT_FALSE(mappable(self->fd, self->as, MSI_BASE + 0xfffff));
	EXPECT_TRUE(mappable(self->fd, self->as, MSI_BASE - 1));
	EXPECT_TRUE(mappable(self->fd, self->as, MSI_BASE + 0x100000));
	EXPECT_EQ(!soft, mappable(self->fd, self->as, RESV_BASE));
	EXPECT_EQ(-EADDRNOTAVAIL, iova_map_at(self->fd, self->as, flags,
					      self->mem->src, 4096, MSI_BASE));
	EXPECT_EQ(-EADDRNOTAVAIL, iova_map_at(self->fd, self->as, flags,
					      self->mem->src, 8192,
					      MSI_BASE - 4096));
	EXPECT_EQ(soft ? -EADDRNOTAVAIL : 0,
		  iova_map_at(self->fd, self->as, flags, self->mem->src, 4096,
			      RESV_BASE));
	EXPECT_EQ(0, iova_map_at(self->fd, self->as, flags, self->mem->src,
				 4096, MSI_BASE - 4096));

	ASSERT_EQ(0, sva_sim_detach(self->sim));
	ASSERT_EQ(0, iova_ranges(self->fd, self->as, after, &nr_after));
	ASSERT_EQ(nr_before, nr_after);
	EXPECT_EQ(0, memcmp(before, after, nr_before * sizeof(*before)));
	EXPECT_EQ(0, iova_map_at(self->fd, self->as, flags, self->mem->src,
				 4096, MSI_BASE));
}

TEST_F(bond_rid, bond_rid_attach_where_reserved_is_mapped)
{
	uint32_t pasid;
	int sim;

	ASSERT_EQ(0, iova_map_at(self->fd, self->as, CORE_RW, self->mem->dst,
				 4096, MSI_BASE + 0x1000));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->rid, self->as));
	EXPECT_EQ(-EADDRINUSE, sva_sim_attach(self->sim, self->fd, self->rid,
					      NULL));
	/* That reserves nothing. */
	EXPECT_TRUE(mappable(self->fd, self->as, RESV_BASE));

	/* With a PASID it is an address like any other. */
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, self->as));
	sim = bond_attached("sva_sim0", self->fd, pasid);
	ASSERT_LE(0, sim);
	EXPECT_TRUE(mappable(self->fd, self->as, MSI_BASE));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  bond_run(sim, sva_sim_fill(MSI_BASE + 0x1000, 77, 8),
			   &self->mem->done));
	EXPECT_EQ(77, self->mem->dst[0]);
	close(sim);

	ASSERT_EQ(4096, iova_unmap(self->fd, self->as, MSI_BASE + 0x1000, 4096));
	EXPECT_EQ(0, sva_sim_attach(self->sim, self->fd, self->rid, NULL));
}

TEST_F(bond_rid, bond_rid_bind_where_reserved_is_mapped)
{
	struct sva_pasid_info info;
	uint32_t as;

	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, iova_map_at(self->fd, as, CORE_RW, self->mem->dst, 4096,
				 MSI_BASE));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->rid, NULL));
	EXPECT_EQ(-EADDRINUSE, sva_pasid_bind(self->fd, self->rid, as));

	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->rid, self->as));
	EXPECT_EQ(-EADDRINUSE, sva_pasid_bind(self->fd, self->rid, as));
	/* It stays what it was, reserved ranges included. */
	ASSERT_EQ(0, sva_pasid_info(self->fd, self->rid, &info));
	EXPECT_EQ(self->as, info.as_id);
	EXPECT_EQ(0, info.state & SVA_PASID_S_REVOKED);
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim, self->mem));
	EXPECT_FALSE(mappable(self->fd, self->as, MSI_BASE));
	EXPECT_TRUE(mappable(self->fd, as, RESV_BASE));

	/* What it leaves is free of them again. */
	ASSERT_EQ(4096, iova_unmap(self->fd, as, MSI_BASE, 4096));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->rid, as));
	EXPECT_FALSE(mappable(self->fd, as, MSI_BASE));
	EXPECT_TRUE(mappable(self->fd, self->as, MSI_BASE));
}

TEST_F(bond_rid, bond_rid_two_engines_reserve_for_each)
{
	int sim = bond_attached("sva_sim1", self->fd, self->rid);

	/* The ranges are given back by the last that needs them. */
	ASSERT_LE(0, sim);
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, self->rid, NULL));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->rid, self->as));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(self->sim, self->mem));
	close(sim);
	EXPECT_FALSE(mappable(self->fd, self->as, MSI_BASE));
	ASSERT_EQ(0, sva_sim_detach(self->sim));
	EXPECT_TRUE(mappable(self->fd, self->as, MSI_BASE));
}

/* Where the kernel maps the doorbells of interrupts. */
TEST_F(bond_rid, bond_rid_translated_interrupts)
{
	uint64_t window = 0x8000000;
	uint32_t pasid;
	char name[32];
	int sim, other;

	if (!sva_sim_is_software(self->sim))
		SKIP(return, "needs the software IOMMU");
	sva_sim_name(name, sizeof(name), "sw-msi");
	sim = msi_engine(name, "sw_msi");
	ASSERT_LE(0, sim);
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, self->as));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->rid, self->as));

	/* It is there for untagged requests only. */
	ASSERT_EQ(0, sva_sim_attach(sim, self->fd, pasid, NULL));
	EXPECT_TRUE(mappable(self->fd, self->as, window));
	ASSERT_EQ(0, sva_sim_detach(sim));
	ASSERT_EQ(0, sva_sim_attach(sim, self->fd, self->rid, NULL));
	EXPECT_FALSE(mappable(self->fd, self->as, window));
	EXPECT_FALSE(mappable(self->fd, self->as, window + 0xfffff));
	EXPECT_TRUE(mappable(self->fd, self->as, MSI_BASE));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem));

	/* A domain that has doorbells keeps their place; others see it too. */
	other = bond_attached("sva_sim0", self->fd, pasid);
	ASSERT_LE(0, other);
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(other, self->mem));
	ASSERT_EQ(0, sva_sim_detach(sim));
	EXPECT_FALSE(mappable(self->fd, self->as, window));
	close(other);
	EXPECT_TRUE(mappable(self->fd, self->as, window));

	/* One that has none is not good enough. */
	other = bond_attached("sva_sim0", self->fd, pasid);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, sva_sim_attach(sim, self->fd, self->rid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(other, self->mem));
	ASSERT_EQ(0, sva_sim_detach(sim));
	EXPECT_TRUE(mappable(self->fd, self->as, window));
	close(other);

	/* Something is in its place. */
	ASSERT_EQ(0, iova_map_at(self->fd, self->as, CORE_RW, self->mem->dst, 4096,
				 window));
	EXPECT_EQ(-EADDRINUSE, sva_sim_attach(sim, self->fd, self->rid, NULL));
	close(sim);
	EXPECT_EQ(0, sva_sim_remove(name));
}

TEST_HARNESS_MAIN
