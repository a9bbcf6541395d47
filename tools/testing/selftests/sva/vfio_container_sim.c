// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO containers that translate through /dev/sva, with software engines as their
 * devices: beside PASIDs, with guest page tables, behind several IOMMUs.
 */
#include "guest.h"
#include "vfio_util.h"
#include "kselftest_harness.h"

#include <linux/sva_vfio_container.h>

#define UNSAFE	"/sys/module/sva/parameters/allow_unsafe_interrupts"
#define RID	SVA_SIM_REG_PASID_NONE

FIXTURE(vfio_container_sim) {
	struct core_counts before;
	char name[2][32];
	struct vfio_hw hw[2];
	struct vfio_dev dev[2];
	struct vfio_as as;
	uint32_t rid;		/* bound to the same address space */
};

FIXTURE_VARIANT(vfio_container_sim) {
	const char *iommu[2];
};

FIXTURE_VARIANT_ADD(vfio_container_sim, one_iommu) {
	.iommu = { "0", "0" },
};

FIXTURE_VARIANT_ADD(vfio_container_sim, two_iommus) {
	.iommu = { "0", "1" },
};

static int set(const struct vfio_dev *dev, int fd, uint32_t rid)
{
	struct sva_container_set cmd = {
		.size = sizeof(cmd), .fd = fd, .rid = rid,
	};

	return sva_ioctl(dev->container, SVA_CONTAINER_SET, &cmd);
}

FIXTURE_SETUP(vfio_container_sim)
{
	int i;

	self->before = core_counts();
	if (!vfio_load() || system("modprobe sva_vfio_container"))
		SKIP(return, "this kernel has no VFIO");
	for (i = 0; i < 2; i++) {
		self->dev[i] = (struct vfio_dev)VFIO_DEV_NONE;
		sva_sim_name(self->name[i], sizeof(self->name[i]),
			     i ? "rid-b" : "rid-a");
		ASSERT_EQ(0, vfio_sim_make(&self->hw[i], self->name[i],
					   variant->iommu[i], NULL));
		ASSERT_EQ(0, vfio_open_type(&self->dev[i], &self->hw[i],
					    VFIO_SVA_IOMMU));
	}
	ASSERT_EQ(0, vfio_as_make(&self->as));
	ASSERT_EQ(0, pasid_alloc_handle(self->as.fd, SVA_PASID_F_RID, &self->rid));
	ASSERT_EQ(0, sva_pasid_bind(self->as.fd, self->rid, self->as.as));
}

FIXTURE_TEARDOWN(vfio_container_sim)
{
	int i;

	for (i = 0; i < 2; i++) {
		vfio_close(&self->dev[i]);
		EXPECT_EQ(0, sva_sim_remove(self->name[i]));
	}
	vfio_as_end(&self->as);
	EXPECT_EQ(0, vfio_unload());
	EXPECT_EQ(0, modules_unload_one("sva_vfio_container"));
	EXPECT_TRUE(core_settles(&self->before));
}

TEST_F(vfio_container_sim, vfio_container_sim_shares)
{
	long pinned = core_count("pinned_pages");
	struct sva_pasid_info info;
	struct vfio_as other;
	int i;

	EXPECT_LT(0, pinned);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(SVA_SIM_STATUS_FAULT,
			  vfio_copy(&self->dev[i], 0, RID, self->as.mem));
		ASSERT_EQ(0, set(&self->dev[i], self->as.fd, self->rid));
		EXPECT_EQ(SVA_SIM_STATUS_OK,
			  vfio_copy(&self->dev[i], 0, RID, self->as.mem));
	}
	EXPECT_EQ(pinned, core_count("pinned_pages"));
	ASSERT_EQ(0, sva_pasid_info(self->as.fd, self->rid, &info));
	EXPECT_EQ(2, info.bonds);
	EXPECT_EQ(SVA_PASID_S_BOUND | SVA_PASID_S_COHERENT, info.state);
	EXPECT_EQ(1, ioctl(self->dev[0].container, VFIO_CHECK_EXTENSION,
			   VFIO_DMA_CC_IOMMU));

	/* Both follow their handle. */
	ASSERT_EQ(0, vfio_as_make(&other));
	ASSERT_EQ(0, sva_pasid_bind(self->as.fd, self->rid, SVA_AS_NONE));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(SVA_SIM_STATUS_FAULT,
			  vfio_copy(&self->dev[i], 0, RID, self->as.mem));
	ASSERT_EQ(0, sva_pasid_bind(self->as.fd, self->rid, self->as.as));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(SVA_SIM_STATUS_OK,
			  vfio_copy(&self->dev[i], 0, RID, self->as.mem));
	vfio_as_end(&other);
}

TEST_F(vfio_container_sim, vfio_container_sim_beside_pasid)
{
	struct vfio_dev *dev = &self->dev[0];
	struct vfio_as other;
	uint32_t number;

	/* Of the same address space, and of one of somebody else. */
	ASSERT_EQ(0, vfio_as_make(&other));
	ASSERT_EQ(0, set(dev, self->as.fd, self->rid));
	ASSERT_EQ(0, vfio_attach(dev->fd, self->as.fd, self->as.pasid, NULL));
	ASSERT_EQ(0, vfio_attach(dev->fd, other.fd, other.pasid, &number));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(dev, 0, RID, self->as.mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_copy(dev, 1, self->as.pasid, self->as.mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(dev, 2, number, other.mem));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, vfio_copy(dev, 0, RID, other.mem));

	/* What the container does is nothing to PASIDs. */
	ASSERT_EQ(0, set(dev, -1, 0));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, vfio_copy(dev, 0, RID, self->as.mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_copy(dev, 1, self->as.pasid, self->as.mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(dev, 2, number, other.mem));
	ASSERT_EQ(0, set(dev, self->as.fd, self->rid));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(dev, 0, RID, self->as.mem));
	EXPECT_EQ(0, vfio_detach(dev->fd, number));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(dev, 0, RID, self->as.mem));
	vfio_as_end(&other);
}

/* A guest's own table for what its device does without a PASID. */
TEST_F(vfio_container_sim, vfio_container_sim_nested)
{
	struct vfio_dev *dev = &self->dev[0];
	uint64_t gva = 0x5000, *page;
	struct guest g = {};
	struct sva_vfio_info info;
	struct guest_space s;
	uint32_t rid;

	ASSERT_EQ(0, vfio_sva_info(dev->fd, &info));
	g.dev = info.dev_id;
	g.fd = self->as.fd;
	ASSERT_EQ(0, guest_parent(g.fd, SVA_AS_F_NEST_PARENT, &g.parent));
	ASSERT_EQ(0, guest_memory(&g));
	guest_space_init(&s, &g, 4);
	page = guest_map_new(&s, gva);
	ASSERT_EQ(0, guest_nest(&s, -1));
	ASSERT_EQ(0, pasid_alloc_handle(g.fd, SVA_PASID_F_RID, &rid));
	ASSERT_EQ(0, sva_pasid_bind(g.fd, rid, s.as));

	ASSERT_EQ(0, set(dev, g.fd, rid));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_run(dev, 0, RID, sva_sim_fill(gva, 77, 8)));
	EXPECT_EQ(77, *page);
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  vfio_run(dev, 0, RID, sva_sim_fill(gva + CORE_PAGE, 77, 8)));
	/* The guest's IOMMU is switched off: its memory as it is. */
	ASSERT_EQ(0, sva_pasid_bind(g.fd, rid, g.parent));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_run(dev, 0, RID, sva_sim_fill(GUEST_BASE, 78, 8)));
	EXPECT_EQ(78, *(uint64_t *)g.ram);
	/* The table is of one IOMMU instance. */
	ASSERT_EQ(0, sva_pasid_bind(g.fd, rid, s.as));
	EXPECT_EQ(strcmp(variant->iommu[0], variant->iommu[1]) ? -EXDEV : 0,
		  set(&self->dev[1], g.fd, rid));
	munmap(g.ram, GUEST_SIZE);
	close(g.file);
}

/* Interrupts that are not isolated */
TEST_F(vfio_container_sim, vfio_container_sim_shared_msi)
{
	struct vfio_hw hw;
	struct vfio_dev dev;
	char name[32];

	ASSERT_EQ(0, bond_write_file(UNSAFE, "0"));
	sva_sim_name(name, sizeof(name), "shared-msi");
	ASSERT_EQ(0, vfio_sim_make(&hw, name, NULL, NULL));
	ASSERT_EQ(0, vfio_hw_unbind(&hw));
	ASSERT_EQ(0, sva_sim_set(name, "enable", "0"));
	ASSERT_EQ(0, sva_sim_set(name, "shared_msi", "1"));
	ASSERT_EQ(0, sva_sim_set(name, "enable", "1"));
	ASSERT_EQ(0, bond_hardware(name, hw.name, sizeof(hw.name)));
	ASSERT_EQ(0, vfio_hw_bind(&hw, "sva-vfio-sim"));

	EXPECT_EQ(-EPERM, vfio_open_type(&dev, &hw, VFIO_SVA_IOMMU));
	ASSERT_EQ(0, bond_write_file(UNSAFE, "1"));
	EXPECT_EQ(0, vfio_open_type(&dev, &hw, VFIO_SVA_IOMMU));
	EXPECT_EQ(0, set(&dev, self->as.fd, self->rid));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&dev, 0, RID, self->as.mem));
	vfio_close(&dev);
	EXPECT_EQ(0, bond_write_file(UNSAFE, "0"));
	EXPECT_EQ(0, sva_sim_remove(name));
}

/* Devices that share a group, and could use each other's PASIDs */
TEST_F(vfio_container_sim, vfio_container_sim_group)
{
	struct vfio_hw hw[2];
	struct vfio_dev dev;
	struct vfio_as other;
	char name[2][32], group[32];
	int i;

	snprintf(group, sizeof(group), "%d", (int)getpid());
	for (i = 0; i < 2; i++) {
		sva_sim_name(name[i], sizeof(name[i]), i ? "group-b" : "group-a");
		ASSERT_EQ(0, vfio_sim_make(&hw[i], name[i], NULL, group));
	}
	ASSERT_EQ(0, vfio_as_make(&other));
	ASSERT_EQ(0, vfio_open_type(&dev, &hw[0], VFIO_SVA_IOMMU));

	ASSERT_EQ(0, vfio_attach(dev.fd, other.fd, other.pasid, NULL));
	EXPECT_EQ(-EBUSY, set(&dev, self->as.fd, self->rid));
	ASSERT_EQ(0, vfio_detach(dev.fd, other.pasid));
	ASSERT_EQ(0, set(&dev, self->as.fd, self->rid));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&dev, 0, RID, self->as.mem));
	EXPECT_EQ(-EBUSY, vfio_attach(dev.fd, other.fd, other.pasid, NULL));
	EXPECT_EQ(0, vfio_attach(dev.fd, self->as.fd, self->as.pasid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&dev, 0, RID, self->as.mem));
	vfio_close(&dev);
	vfio_as_end(&other);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, sva_sim_remove(name[i]));
}

TEST_HARNESS_MAIN
