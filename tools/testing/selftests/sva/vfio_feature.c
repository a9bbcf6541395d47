// SPDX-License-Identifier: GPL-2.0-only
/*
 * What VFIO_DEVICE_FEATURE refuses, and that it leaves everything as it was.
 */
#include "pasidfd_util.h"
#include "vfio_util.h"
#include "kselftest_harness.h"

#define GET	VFIO_DEVICE_FEATURE_GET
#define SET	VFIO_DEVICE_FEATURE_SET
#define PROBE	VFIO_DEVICE_FEATURE_PROBE

FIXTURE(vfio_feature) {
	struct core_counts before;
	char name[32];
	struct vfio_hw hw;
	struct vfio_dev dev;
	struct vfio_as as;
};

FIXTURE_SETUP(vfio_feature)
{
	self->before = core_counts();
	self->dev = (struct vfio_dev)VFIO_DEV_NONE;
	if (!vfio_load())
		SKIP(return, "this kernel has no VFIO");
	sva_sim_name(self->name, sizeof(self->name), "vfio");
	ASSERT_EQ(0, vfio_sim_make(&self->hw, self->name, NULL, NULL));
	ASSERT_EQ(0, vfio_open(&self->dev, &self->hw));
	ASSERT_EQ(0, vfio_as_make(&self->as));
}

FIXTURE_TEARDOWN(vfio_feature)
{
	struct sva_vfio_info info;

	/* Each test detaches what it has attached. */
	ASSERT_EQ(0, vfio_sva_info(self->dev.fd, &info));
	EXPECT_EQ(0, info.attached);
	vfio_close(&self->dev);
	vfio_as_end(&self->as);
	EXPECT_EQ(0, sva_sim_remove(self->name));
	EXPECT_TRUE(vfio_unused());
	EXPECT_TRUE(core_settles(&self->before));
}

TEST_F(vfio_feature, vfio_probe)
{
	struct sva_vfio_info none = {};
	int fd = self->dev.fd;

	EXPECT_EQ(0, vfio_feature(fd, PROBE | SVA_VFIO_FEATURE_INFO, &none, 0));
	EXPECT_EQ(0, vfio_feature(fd, PROBE | GET | SVA_VFIO_FEATURE_INFO, &none, 0));
	EXPECT_EQ(-EINVAL, vfio_feature(fd, PROBE | SET | SVA_VFIO_FEATURE_INFO,
					&none, 0));
	EXPECT_EQ(0, vfio_feature(fd, PROBE | SET | SVA_VFIO_FEATURE_ATTACH, &none, 0));
	EXPECT_EQ(-EINVAL, vfio_feature(fd, PROBE | GET | SVA_VFIO_FEATURE_ATTACH,
					&none, 0));
	EXPECT_EQ(0, vfio_feature(fd, PROBE | SET | SVA_VFIO_FEATURE_DETACH, &none, 0));
	EXPECT_EQ(-ENOTTY, vfio_feature(fd, PROBE | (SVA_VFIO_FEATURE_DETACH + 1),
					&none, 0));
	EXPECT_EQ(-ENOTTY, vfio_feature(fd, PROBE | (SVA_VFIO_FEATURE_INFO - 1),
					&none, 0));
}

/* As VFIO_DEVICE_FEATURE defines it */
TEST_F(vfio_feature, vfio_neither_get_nor_set)
{
	char data[64] = {};
	uint32_t feature;

	for (feature = SVA_VFIO_FEATURE_INFO; feature <= SVA_VFIO_FEATURE_DETACH;
	     feature++) {
		EXPECT_EQ(-EINVAL, vfio_feature(self->dev.fd, feature, data, 64));
		EXPECT_EQ(-EINVAL, vfio_feature(self->dev.fd, GET | SET | feature,
						data, 64));
	}
	EXPECT_EQ(-EINVAL, vfio_feature(self->dev.fd, SET | SVA_VFIO_FEATURE_INFO,
					data, 64));
	EXPECT_EQ(-EINVAL, vfio_feature(self->dev.fd, GET | SVA_VFIO_FEATURE_ATTACH,
					data, 64));
	EXPECT_EQ(-EINVAL, vfio_feature(self->dev.fd, GET | SVA_VFIO_FEATURE_DETACH,
					data, 64));
}

TEST_F(vfio_feature, vfio_sizes)
{
	struct {
		struct sva_vfio_attach cmd;
		char tail[5000];
	} big = { .cmd = { .fd = self->as.fd, .pasid = self->as.pasid,
			   .event_fd = -1 } };
	struct sva_vfio_info info[2];
	size_t size;
	int fd = self->dev.fd;

	for (size = 0; size < sizeof(big.cmd); size++)
		EXPECT_EQ(-EINVAL, vfio_feature(fd, SET | SVA_VFIO_FEATURE_ATTACH,
						&big, size));
	for (size = 0; size < sizeof(struct sva_vfio_detach); size++)
		EXPECT_EQ(-EINVAL, vfio_feature(fd, SET | SVA_VFIO_FEATURE_DETACH,
						&big, size));
	for (size = 0; size < sizeof(info[0]); size++)
		EXPECT_EQ(-EINVAL, vfio_feature(fd, GET | SVA_VFIO_FEATURE_INFO,
						info, size));

	/* What is not known yet has to be zero. */
	big.tail[0] = 1;
	EXPECT_EQ(-E2BIG, vfio_feature(fd, SET | SVA_VFIO_FEATURE_ATTACH, &big,
				       sizeof(big.cmd) + 1));
	big.tail[0] = 0;
	EXPECT_EQ(-E2BIG, vfio_feature(fd, SET | SVA_VFIO_FEATURE_ATTACH, &big,
				       4097));
	EXPECT_EQ(0, vfio_feature(fd, SET | SVA_VFIO_FEATURE_ATTACH, &big, 4096));
	EXPECT_EQ(0, vfio_detach(fd, self->as.pasid));

	/* And what is not known is not written. */
	memset(info, 0x77, sizeof(info));
	EXPECT_EQ(0, vfio_feature(fd, GET | SVA_VFIO_FEATURE_INFO, info,
				  sizeof(info)));
	EXPECT_EQ(20, info[0].pasid_bits);
	EXPECT_EQ(0x77777777, info[1].pasid_bits);
}

TEST_F(vfio_feature, vfio_bad_fields)
{
	struct sva_vfio_attach good = {
		.fd = self->as.fd, .pasid = self->as.pasid, .event_fd = -1,
	};
	struct sva_vfio_attach cmd;
	struct sva_vfio_detach gone = { .number = self->as.pasid };
	int fd = self->dev.fd;

#define REFUSED(errno, ...) do {					\
	cmd = good;							\
	__VA_ARGS__;							\
	EXPECT_EQ(errno, vfio_feature(fd, SET | SVA_VFIO_FEATURE_ATTACH,	\
				      &cmd, sizeof(cmd)));		\
} while (0)
	REFUSED(-EOPNOTSUPP, cmd.flags = 1);
	REFUSED(-EOPNOTSUPP, cmd.flags = 1U << 31);
	REFUSED(-EINVAL, cmd.__reserved = 1);
	REFUSED(-EBADF, cmd.fd = -1);
	REFUSED(-EBADF, cmd.fd = 999);
	REFUSED(-EBADF, cmd.fd = self->dev.fd);
	REFUSED(-EBADF, cmd.fd = self->dev.container);
	REFUSED(-EBADF, cmd.event_fd = -2);
	REFUSED(-EBADF, cmd.event_fd = 999);
	REFUSED(-EINVAL, cmd.event_fd = self->as.fd);
	REFUSED(-ENOENT, cmd.pasid = self->as.pasid + 1);
	REFUSED(-ENOENT, cmd.pasid = 0);
	REFUSED(-ENOENT, cmd.pasid = SVA_PASID_HANDLE);
	REFUSED(-ENOENT, cmd.pasid = ~0u);

	EXPECT_EQ(-ENOENT, vfio_detach(fd, self->as.pasid));
	EXPECT_EQ(-ENOENT, vfio_detach(fd, 0));
	EXPECT_EQ(-ENOENT, vfio_detach(fd, ~0u));
	gone.flags = 1;
	EXPECT_EQ(-EOPNOTSUPP, vfio_feature(fd, SET | SVA_VFIO_FEATURE_DETACH,
					    &gone, sizeof(gone)));
}

/* The number is written last: a page that cannot be written takes it back. */
TEST_F(vfio_feature, vfio_bad_memory)
{
	const size_t size = sizeof(struct vfio_device_feature) +
			    sizeof(struct sva_vfio_attach);
	struct vfio_device_feature *header;
	char *pages = sva_mem(2 * CORE_PAGE);
	struct sva_vfio_attach cmd = {
		.fd = self->as.fd, .pasid = self->as.pasid, .event_fd = -1,
	};
	struct sva_pasid_info info;

	ASSERT_NE(NULL, pages);
	header = (void *)pages;
	header->argsz = size;
	header->flags = SET | SVA_VFIO_FEATURE_ATTACH;
	memcpy(header->data, &cmd, sizeof(cmd));
	ASSERT_EQ(0, mprotect(pages, CORE_PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, sva_ioctl(self->dev.fd, VFIO_DEVICE_FEATURE, header));
	ASSERT_EQ(0, sva_pasid_info(self->as.fd, self->as.pasid, &info));
	EXPECT_EQ(0, info.bonds);

	ASSERT_EQ(0, mprotect(pages, CORE_PAGE, PROT_READ | PROT_WRITE));
	ASSERT_EQ(0, munmap(pages + CORE_PAGE, CORE_PAGE));
	header = (void *)(pages + CORE_PAGE - 16);
	memcpy(header, pages, 16);
	EXPECT_EQ(-EFAULT, sva_ioctl(self->dev.fd, VFIO_DEVICE_FEATURE, header));
	header->flags = GET | SVA_VFIO_FEATURE_INFO;
	header->argsz = sizeof(*header) + sizeof(struct sva_vfio_info);
	EXPECT_EQ(-EFAULT, sva_ioctl(self->dev.fd, VFIO_DEVICE_FEATURE, header));
	munmap(pages, CORE_PAGE);
}

TEST_F(vfio_feature, vfio_attached_twice)
{
	int fd = self->dev.fd;
	struct sva_pasid_info info;
	int pf;

	ASSERT_EQ(0, vfio_attach(fd, self->as.fd, self->as.pasid, NULL));
	EXPECT_EQ(-EEXIST, vfio_attach(fd, self->as.fd, self->as.pasid, NULL));
	pf = pasidfd_make(self->as.fd, self->as.pasid, NULL);
	ASSERT_LE(0, pf);
	EXPECT_EQ(-EEXIST, vfio_attach(fd, pf, 0, NULL));
	ASSERT_EQ(0, sva_pasid_info(self->as.fd, self->as.pasid, &info));
	EXPECT_EQ(1, info.bonds);
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_copy(&self->dev, 0, self->as.pasid, self->as.mem));
	EXPECT_EQ(0, vfio_detach(fd, self->as.pasid));
	EXPECT_EQ(-ENOENT, vfio_detach(fd, self->as.pasid));
	EXPECT_EQ(0, vfio_attach(fd, pf, 0, NULL));
	EXPECT_EQ(0, vfio_detach(fd, self->as.pasid));
	close(pf);
}

/* DMA without a PASID is the container's. */
TEST_F(vfio_feature, vfio_rid_handle)
{
	uint32_t rid;
	int ret;

	ASSERT_EQ(0, pasid_alloc_handle(self->as.fd, SVA_PASID_F_RID, &rid));
	EXPECT_EQ(-EINVAL, vfio_attach(self->dev.fd, self->as.fd, rid, NULL));
	/* Bound, it would have to be attached first, which type1 is in the way of. */
	ASSERT_EQ(0, sva_pasid_bind(self->as.fd, rid, self->as.as));
	ret = vfio_attach(self->dev.fd, self->as.fd, rid, NULL);
	EXPECT_TRUE(ret == -EINVAL || ret == -EBUSY || ret == -EADDRINUSE);
	EXPECT_EQ(0, pasid_free(self->as.fd, rid, 1));
}

TEST_F(vfio_feature, vfio_numbers_of_width)
{
	char name[32];
	struct vfio_dev dev;
	struct vfio_hw hw;
	struct sva_vfio_info info;
	uint32_t pasid;
	int sim;

	sva_sim_name(name, sizeof(name), "narrow");
	sim = sva_sim_create(name, NULL, "8", NULL);
	ASSERT_LE(0, sim);
	close(sim);
	hw = (struct vfio_hw) { .bus = "platform" };
	ASSERT_EQ(0, bond_hardware(name, hw.name, sizeof(hw.name)));
	ASSERT_EQ(0, vfio_hw_bind(&hw, "sva-vfio-sim"));
	ASSERT_EQ(0, vfio_open(&dev, &hw));
	ASSERT_EQ(0, vfio_sva_info(dev.fd, &info));
	EXPECT_EQ(8, info.pasid_bits);
	ASSERT_EQ(0, pasid_alloc(self->as.fd, 256, 0, 1, &pasid));
	EXPECT_EQ(-ERANGE, vfio_attach(dev.fd, self->as.fd, pasid, NULL));
	EXPECT_EQ(0, pasid_free(self->as.fd, pasid, 1));
	ASSERT_EQ(0, pasid_alloc(self->as.fd, 0, 255, 1, &pasid));
	EXPECT_EQ(0, vfio_attach(dev.fd, self->as.fd, pasid, NULL));
	EXPECT_EQ(0, vfio_detach(dev.fd, pasid));
	vfio_close(&dev);
	EXPECT_EQ(0, sva_sim_remove(name));
}

/* --- registers -------------------------------------------------------------------- */

TEST_F(vfio_feature, vfio_register_accesses)
{
	struct vfio_region_info region = { .argsz = sizeof(region), .index = 1 };
	const struct vfio_dev *dev = &self->dev;
	uint32_t words[64];
	void *nowhere = mmap(NULL, CORE_PAGE, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_EQ(-EINVAL, sva_ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &region));
	EXPECT_EQ(-1, pread(dev->fd, words, 4, dev->regs + 2));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, pread(dev->fd, words, 3, dev->regs));
	EXPECT_EQ(-1, pread(dev->fd, words, 4, dev->regs + 0x2000));
	EXPECT_EQ(-1, pread(dev->fd, words, 4, 1LL << 60));
	EXPECT_EQ(-1, pwrite(dev->fd, words, 4, dev->regs + 0x2000));
	EXPECT_EQ(-1, pwrite(dev->fd, words, 4, dev->regs + 1));
	/* The end cuts it off. */
	EXPECT_EQ(8, pread(dev->fd, words, sizeof(words), dev->regs + 0x2000 - 8));
	EXPECT_EQ(-1, pread(dev->fd, nowhere, 4, dev->regs));
	EXPECT_EQ(EFAULT, errno);
	/* There is nothing there. */
	EXPECT_EQ(0, vfio_reg_set(dev, SVA_SIM_REG_QUEUE(12) + SVA_SIM_REG_CONTROL,
				  SVA_SIM_CONTROL_START));
	EXPECT_EQ(0, vfio_reg(dev, SVA_SIM_REG_QUEUE(12) + SVA_SIM_REG_STATE));
	EXPECT_EQ(8, vfio_reg(dev, SVA_SIM_REG_QUEUES));
	EXPECT_EQ(0, vfio_reg_set(dev, SVA_SIM_REG_QUEUES, 77));
	EXPECT_EQ(8, vfio_reg(dev, SVA_SIM_REG_QUEUES));
	munmap(nowhere, CORE_PAGE);
}

TEST_HARNESS_MAIN
