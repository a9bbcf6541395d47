// SPDX-License-Identifier: GPL-2.0-only
/*
 * libsva: VFIO containers, and the example of the man page.
 */
#include "lib_vfio.h"

#define main example_sva_vfio_container_set
#include "../../../../lib/libsva/examples/sva_vfio_container_set.c"
#undef main

#include "kselftest_harness.h"

#define RID	SVA_SIM_REG_PASID_NONE

FIXTURE(lib_vfio_container) {
	struct core_counts before;
	char name[32];
	struct vfio_hw hw;
	struct vfio_dev dev;
	struct bond_mem *mem;
	struct sva *sva;
	uint32_t as;
	uint32_t rid;
};

FIXTURE_SETUP(lib_vfio_container)
{
	uint64_t iova;

	self->before = core_counts();
	self->dev = (struct vfio_dev)VFIO_DEV_NONE;
	if (!vfio_load_container())
		SKIP(return, "this kernel has no VFIO");
	sva_sim_name(self->name, sizeof(self->name), "vfio");
	ASSERT_EQ(0, vfio_sim_make(&self->hw, self->name, NULL, NULL));
	ASSERT_EQ(0, vfio_open_type(&self->dev, &self->hw, VFIO_SVA_IOMMU));
	self->mem = bond_mem();
	ASSERT_NE(NULL, self->mem);
	iova = (uintptr_t)self->mem;
	ASSERT_EQ(0, sva_open(&self->sva, 0));
	ASSERT_EQ(0, sva_pasid_alloc_rid(self->sva, &self->rid));
	ASSERT_EQ(0, sva_as_alloc_iova(self->sva, 0, &self->as));
	ASSERT_EQ(0, sva_iova_map(self->sva, self->as, self->mem, BOND_MAPPED,
				  CORE_RW | SVA_IOVA_F_FIXED, &iova));
	ASSERT_EQ(0, sva_pasid_bind(self->sva, self->rid, self->as));
}

FIXTURE_TEARDOWN(lib_vfio_container)
{
	vfio_close(&self->dev);
	sva_close(self->sva);
	munmap(self->mem, sizeof(*self->mem));
	EXPECT_EQ(0, sva_sim_remove(self->name));
	EXPECT_TRUE(vfio_unused());
	EXPECT_TRUE(core_settles(&self->before));
}

TEST_F(lib_vfio_container, lib_vfio_container_set)
{
	struct sva_container_info info[2];
	int container = self->dev.container;

	EXPECT_EQ(SVA_SIM_STATUS_FAULT, vfio_copy(&self->dev, 0, RID, self->mem));
	ASSERT_EQ(0, sva_vfio_container_set(container, self->sva, self->rid));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&self->dev, 0, RID, self->mem));
	EXPECT_EQ(-ENOENT, sva_vfio_container_set(container, self->sva,
						  self->rid + 1));
	ASSERT_EQ(0, sva_vfio_container_info(container, info, sizeof(*info)));
	EXPECT_EQ(1, info->groups);
	EXPECT_EQ(SVA_CONTAINER_S_SET | SVA_CONTAINER_S_COHERENT, info->state);

	ASSERT_EQ(0, sva_vfio_container_block(container));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, vfio_copy(&self->dev, 0, RID, self->mem));
	/* Of a newer program */
	ASSERT_EQ(0, sva_vfio_container_info(container, info, sizeof(info)));
	EXPECT_EQ(SVA_CONTAINER_S_COHERENT, info->state);
	EXPECT_EQ(-EINVAL, sva_vfio_container_info(container, info, 8));
}

TEST_F(lib_vfio_container, lib_vfio_container_set_fd)
{
	int pf, container = self->dev.container;
	uint32_t id;

	ASSERT_EQ(0, sva_pasid_fd(self->sva, self->rid, &pf, &id));
	ASSERT_EQ(0, sva_vfio_container_set_fd(container, pf));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&self->dev, 0, RID, self->mem));
	/* An error of who passes it on must not block. */
	EXPECT_EQ(-EBADF, sva_vfio_container_set_fd(container, -1));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&self->dev, 0, RID, self->mem));
	EXPECT_EQ(0, sva_pasid_fd_revoke(self->sva, id));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, vfio_copy(&self->dev, 0, RID, self->mem));
	EXPECT_EQ(-ESTALE, sva_vfio_container_set_fd(container, pf));
	close(pf);
}

TEST_F(lib_vfio_container, lib_vfio_container_example)
{
	char group[32], path[64];
	char *argv[3] = { "example", path, self->hw.name };
	pid_t pid;

	vfio_close(&self->dev);
	ASSERT_EQ(0, vfio_hw_link(&self->hw, "iommu_group", group, sizeof(group)));
	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(9);
		_exit(example_sva_vfio_container_set(3, argv));
	}
	EXPECT_EQ(0, bond_join_child(pid));
}

TEST_HARNESS_MAIN
