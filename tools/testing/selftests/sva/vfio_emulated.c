// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO devices whose driver emulates their DMA, as those of mediated devices do: they
 * ask a container for pages, and ours has none to give.
 */
#include <linux/sva_vfio_container.h>

#include "vfio_util.h"
#include "kselftest_harness.h"

FIXTURE(vfio_emulated) {
	struct core_counts before;
	char name[32];
	struct vfio_hw hw;	/* a software engine's */
	struct vfio_dev dev;
	int container;
	int group;		/* the emulated device's */
};

FIXTURE_SETUP(vfio_emulated)
{
	const struct vfio_hw emulated = { .bus = "faux", .name = "sva_test_vfio" };

	self->before = core_counts();
	self->dev = (struct vfio_dev)VFIO_DEV_NONE;
	/* See tools/testing/modules. */
	if (system("modprobe sva_test_vfio"))
		SKIP(return, "there is no module sva_test_vfio");
	ASSERT_TRUE(vfio_load_container());
	sva_sim_name(self->name, sizeof(self->name), "beside");
	ASSERT_EQ(0, vfio_sim_make(&self->hw, self->name, NULL, NULL));
	ASSERT_EQ(0, vfio_open_type(&self->dev, &self->hw, VFIO_SVA_IOMMU));
	self->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->container);
	self->group = vfio_group_open(&emulated);
	ASSERT_LE(0, self->group);
}

FIXTURE_TEARDOWN(vfio_emulated)
{
	if (!self->name[0])
		return;
	close(self->container);
	close(self->group);
	vfio_close(&self->dev);
	EXPECT_EQ(0, sva_sim_remove(self->name));
	EXPECT_EQ(0, modules_unload_one("sva_test_vfio"));
	EXPECT_TRUE(vfio_unused());
	EXPECT_TRUE(core_settles(&self->before));
}

static int set_iommu(int container, int type)
{
	return ioctl(container, VFIO_SET_IOMMU, type) ? -errno : 0;
}

/* The first of a container: its type is refused, another one is not. */
TEST_F(vfio_emulated, vfio_emulated_alone)
{
	ASSERT_EQ(0, sva_ioctl(self->group, VFIO_GROUP_SET_CONTAINER, &self->container));
	EXPECT_EQ(-EOPNOTSUPP, set_iommu(self->container, VFIO_SVA_IOMMU));
	EXPECT_EQ(-EOPNOTSUPP, set_iommu(self->container, VFIO_SVA_IOMMU));
	EXPECT_EQ(0, set_iommu(self->container, VFIO_TYPE1v2_IOMMU));
}

/* It does not join others, and they do not notice. */
TEST_F(vfio_emulated, vfio_emulated_joins)
{
	struct sva_container_info info = { .size = sizeof(info) };
	struct sva_container_set set = { .size = sizeof(set) };
	struct vfio_as as;

	ASSERT_EQ(0, vfio_as_make(&as));
	set.fd = as.fd;
	ASSERT_EQ(0, pasid_alloc_handle(as.fd, SVA_PASID_F_RID, &set.rid));
	ASSERT_EQ(0, sva_pasid_bind(as.fd, set.rid, as.as));
	ASSERT_EQ(0, sva_ioctl(self->dev.container, SVA_CONTAINER_SET, &set));
	EXPECT_EQ(-EOPNOTSUPP, sva_ioctl(self->group, VFIO_GROUP_SET_CONTAINER,
					 &self->dev.container));
	ASSERT_EQ(0, sva_ioctl(self->dev.container, SVA_CONTAINER_INFO, &info));
	EXPECT_EQ(1, info.groups);
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_copy(&self->dev, 0, SVA_SIM_REG_PASID_NONE, as.mem));
	vfio_as_end(&as);
}

TEST_HARNESS_MAIN
