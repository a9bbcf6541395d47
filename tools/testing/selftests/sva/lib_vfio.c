// SPDX-License-Identifier: GPL-2.0-only
/*
 * libsva: PASIDs on VFIO devices, and the example of the man page.
 */

#include "lib_vfio.h"

#define main example_sva_vfio_attach
#include "../../../../lib/libsva/examples/sva_vfio_attach.c"
#undef main

#include "kselftest_harness.h"

FIXTURE(lib_vfio) {
	struct core_counts before;
	char name[32];
	struct vfio_hw hw;
	struct vfio_dev dev;
	struct bond_mem *mem;
	struct sva *sva;
	uint32_t as;
	uint32_t pasid;
};

FIXTURE_SETUP(lib_vfio)
{
	uint64_t iova;

	self->before = core_counts();
	self->dev = (struct vfio_dev)VFIO_DEV_NONE;
	if (!vfio_load())
		SKIP(return, "this kernel has no VFIO");
	sva_sim_name(self->name, sizeof(self->name), "vfio");
	ASSERT_EQ(0, vfio_sim_make(&self->hw, self->name, NULL, NULL));
	ASSERT_EQ(0, vfio_open(&self->dev, &self->hw));
	self->mem = bond_mem();
	ASSERT_NE(NULL, self->mem);
	iova = (uintptr_t)self->mem;
	ASSERT_EQ(0, sva_open(&self->sva, 0));
	ASSERT_EQ(0, sva_pasid_alloc(self->sva, &self->pasid));
	ASSERT_EQ(0, sva_as_alloc_iova(self->sva, 0, &self->as));
	ASSERT_EQ(0, sva_iova_map(self->sva, self->as, self->mem, BOND_MAPPED,
				  CORE_RW | SVA_IOVA_F_FIXED, &iova));
	ASSERT_EQ(0, sva_pasid_bind(self->sva, self->pasid, self->as));
}

FIXTURE_TEARDOWN(lib_vfio)
{
	vfio_close(&self->dev);
	sva_close(self->sva);
	munmap(self->mem, sizeof(*self->mem));
	EXPECT_EQ(0, sva_sim_remove(self->name));
	EXPECT_TRUE(vfio_unused());
	EXPECT_TRUE(core_settles(&self->before));
}

TEST_F(lib_vfio, lib_vfio_attach)
{
	uint32_t number = 0;

	ASSERT_EQ(0, sva_vfio_attach(self->dev.fd, self->sva, self->pasid, -1,
				     &number));
	EXPECT_EQ(self->pasid, number);
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&self->dev, 0, number, self->mem));
	EXPECT_EQ(-EEXIST, sva_vfio_attach(self->dev.fd, self->sva, self->pasid, -1,
					   NULL));
	EXPECT_EQ(0, sva_vfio_detach(self->dev.fd, number));
	EXPECT_EQ(-ENOENT, sva_vfio_detach(self->dev.fd, number));
	EXPECT_EQ(-ENOENT, sva_vfio_attach(self->dev.fd, self->sva,
					   self->pasid + 1, -1, NULL));
}

TEST_F(lib_vfio, lib_vfio_attach_fd)
{
	int pf, event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	uint32_t id, number = 0;

	ASSERT_LE(0, event);
	ASSERT_EQ(0, sva_pasid_fd(self->sva, self->pasid, &pf, &id));
	ASSERT_EQ(0, sva_vfio_attach_fd(self->dev.fd, pf, event, &number));
	EXPECT_EQ(self->pasid, number);
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&self->dev, 0, number, self->mem));
	EXPECT_FALSE(vfio_signalled(event, 0));
	EXPECT_EQ(0, sva_pasid_fd_revoke(self->sva, id));
	EXPECT_TRUE(vfio_signalled(event, 0));
	EXPECT_EQ(0, sva_vfio_detach(self->dev.fd, number));
	EXPECT_EQ(-ESTALE, sva_vfio_attach_fd(self->dev.fd, pf, -1, NULL));
	close(pf);
	close(event);
}

/* Of an older or a newer program */
TEST_F(lib_vfio, lib_vfio_info)
{
	struct sva_vfio_info info[40];

	ASSERT_EQ(0, sva_vfio_info(self->dev.fd, info, sizeof(*info)));
	EXPECT_EQ(20, info->pasid_bits);
	EXPECT_EQ(-EINVAL, sva_vfio_info(self->dev.fd, info, 0));
	EXPECT_EQ(-EINVAL, sva_vfio_info(self->dev.fd, info, 8));
	memset(info, 0xff, sizeof(info));
	ASSERT_EQ(0, sva_vfio_info(self->dev.fd, info, sizeof(info)));
	EXPECT_EQ(20, info[0].pasid_bits);
	EXPECT_EQ(0, info[1].pasid_bits);
	EXPECT_EQ(0, info[39].__reserved);
}

TEST_F(lib_vfio, lib_vfio_no_device)
{
	struct sva_vfio_info info;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	EXPECT_EQ(-ENOTTY, sva_vfio_info(null, &info, sizeof(info)));
	EXPECT_EQ(-ENOTTY, sva_vfio_detach(null, 1));
	EXPECT_EQ(-EBADF, sva_vfio_attach(-1, self->sva, self->pasid, -1, NULL));
	close(null);
	EXPECT_NE(NULL, strstr(sva_strerror(SVA_CALL_ATTACH, -ENOTTY),
			       "sva-vfio-pci"));
}

TEST_F(lib_vfio, lib_vfio_example)
{
	char group[32], path[64];
	char *argv[3];
	pid_t pid;

	vfio_close(&self->dev);
	ASSERT_EQ(0, vfio_hw_link(&self->hw, "iommu_group", group, sizeof(group)));
	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	argv[0] = self->name;
	argv[1] = path;
	argv[2] = self->hw.name;
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(9);
		_exit(example_sva_vfio_attach(3, argv));
	}
	EXPECT_EQ(0, bond_join_child(pid));
}

TEST_HARNESS_MAIN
