// SPDX-License-Identifier: GPL-2.0-only
/*
 * sva-vfio-pci on a function with PASIDs, ATS and page requests, behind the kernel's
 * Intel IOMMU driver: a driver in user space that programs PASIDs through a BAR.
 *
 * Machine: engine
 */
#include <linux/iommufd.h>
#include <pthread.h>

#include "pasidfd_util.h"
#include "vfio_pci_util.h"
#include "kselftest_harness.h"

FIXTURE(vfio_engine) {
	struct core_counts before;
	struct vfio_hw hw;
	struct vfio_dev dev;
	struct vfio_as as;
};

FIXTURE_SETUP(vfio_engine)
{
	self->before = core_counts();
	self->dev = (struct vfio_dev)VFIO_DEV_NONE;
	if (!vfio_load())
		SKIP(return, "this kernel has no VFIO");
	ASSERT_EQ(0, vfio_pci_find(&self->hw, ENGINE_IDS));
	ASSERT_EQ(0, vfio_hw_bind(&self->hw, "sva-vfio-pci"));
	ASSERT_EQ(0, vfio_pci_open(&self->dev, &self->hw));
	ASSERT_EQ(0, vfio_as_make(&self->as));
	ASSERT_EQ(SVA_SIM_MAGIC, vfio_reg(&self->dev, SVA_SIM_REG_MAGIC));
}

FIXTURE_TEARDOWN(vfio_engine)
{
	vfio_close(&self->dev);
	vfio_as_end(&self->as);
	EXPECT_EQ(0, vfio_pci_give_back(&self->hw));
	/* Until VFIO has freed a function, a hot reset is refused to who has it next. */
	EXPECT_EQ(0, vfio_unload());
	EXPECT_TRUE(core_settles(&self->before));
}

#define ATTACH() \
	ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid, NULL))
#define COPY() vfio_copy(&self->dev, 0, self->as.pasid, self->as.mem)

TEST_F(vfio_engine, vfio_engine_info)
{
	struct sva_vfio_info info;

	ASSERT_EQ(0, vfio_sva_info(self->dev.fd, &info));
	EXPECT_EQ(20, info.pasid_bits);
	EXPECT_LT(0, info.page_requests);
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_INTEL_VTD, info.hw_info_type);
	EXPECT_TRUE(info.caps & SVA_DEVICE_CAP_PAGE_REQUESTS);
	EXPECT_TRUE(info.caps & SVA_DEVICE_CAP_NESTED);
	EXPECT_FALSE(info.caps & (SVA_DEVICE_CAP_EXEC | SVA_DEVICE_CAP_PRIV));
	EXPECT_LE(39, info.iova_bits);
}

/* Which is why somebody has to tell: it is not in the user's configuration space. */
TEST_F(vfio_engine, vfio_engine_hidden_capability)
{
	struct vfio_region_info info;
	uint32_t header, at = 0x100;

	ASSERT_EQ(0, vfio_pci_region(self->dev.fd, VFIO_PCI_CONFIG_REGION_INDEX,
				     &info));
	while (at) {
		ASSERT_EQ(4, pread(self->dev.fd, &header, 4, info.offset + at));
		EXPECT_NE(PCI_EXT_CAP_ID_PASID, PCI_EXT_CAP_ID(header));
		at = PCI_EXT_CAP_NEXT(header);
	}
}

TEST_F(vfio_engine, vfio_engine_copies)
{
	ATTACH();
	EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  vfio_run(&self->dev, 0, self->as.pasid,
			   sva_sim_fill((uintptr_t)self->as.mem->hole, 1, 8)));
	EXPECT_EQ(0, vfio_detach(self->dev.fd, self->as.pasid));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, COPY());
}

TEST_F(vfio_engine, vfio_engine_not_attached)
{
	uint32_t pasid;

	EXPECT_EQ(SVA_SIM_STATUS_FAULT, COPY());
	for (pasid = 1; pasid < 20; pasid++)
		EXPECT_EQ(SVA_SIM_STATUS_FAULT,
			  vfio_copy(&self->dev, 1, pasid, self->as.mem));
}

/* Pages that are not there are asked for. */
TEST_F(vfio_engine, vfio_engine_process)
{
	const size_t len = 1 << 20;
	uint32_t handle, number, requests;
	char *mem = sva_mem(len);
	int status;

	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, pasid_alloc_handle(self->as.fd, SVA_PASID_F_MM, &handle));
	ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, handle, &number));
	status = vfio_run(&self->dev, 0, number,
			  sva_sim_fill((uintptr_t)mem, 0x1111111111111111, len));
	EXPECT_EQ(SVA_SIM_STATUS_OK, status);
	requests = vfio_queue_reg(&self->dev, 0, SVA_SIM_REG_RECORD + 24);
	EXPECT_LT(0, requests);
	EXPECT_EQ(0x11, mem[0]);
	EXPECT_EQ(0x11, mem[len - 1]);
	EXPECT_EQ(0, vfio_detach(self->dev.fd, number));
	EXPECT_EQ(0, pasid_free(self->as.fd, handle, 1));
	munmap(mem, len);
}

TEST_F(vfio_engine, vfio_engine_beside_type1)
{
	uint64_t *page = sva_mem(CORE_PAGE);
	const uint64_t iova = 1ULL << 32;

	ASSERT_NE(NULL, page);
	ATTACH();
	ASSERT_EQ(0, vfio_type1_map(&self->dev, page, CORE_PAGE, iova));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_run(&self->dev, 0, SVA_SIM_REG_PASID_NONE,
			   sva_sim_fill(iova, 5, 8)));
	EXPECT_EQ(5, page[0]);
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  vfio_run(&self->dev, 0, self->as.pasid,
			   sva_sim_fill(iova, 6, 8)));
	EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
	EXPECT_EQ(5, page[0]);
	munmap(page, CORE_PAGE);
}

TEST_F(vfio_engine, vfio_engine_interrupt)
{
	int32_t fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, vfio_set_irqs(self->dev.fd, VFIO_PCI_MSIX_IRQ_INDEX, 0, 1, &fd));
	ATTACH();
	EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
	EXPECT_TRUE(vfio_signalled(fd, SVA_TIMEOUT_MS));
	close(fd);
}

/* What is attached stays so, and no longer than it was. */
TEST_F(vfio_engine, vfio_engine_reset)
{
	const size_t len = 1 << 20;
	char *mem = sva_mem(len);
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)mem, 1, len);
	int i;

	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, iova_map_at(self->as.fd, self->as.as, CORE_RW, mem, len,
				 (uintptr_t)mem));
	ATTACH();
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, vfio_start(&self->dev, 0, self->as.pasid, &desc));
		ASSERT_EQ(0, sva_ioctl(self->dev.fd, VFIO_DEVICE_RESET, NULL));
		ASSERT_EQ(0, vfio_pci_master(self->dev.fd));
		EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
	}
	EXPECT_EQ(0, vfio_detach(self->dev.fd, self->as.pasid));
	ASSERT_EQ(0, sva_ioctl(self->dev.fd, VFIO_DEVICE_RESET, NULL));
	ASSERT_EQ(0, vfio_pci_master(self->dev.fd));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, COPY());
	munmap(mem, len);
}

/* The whole bus is reset. The groups of all that is on it have to be named: ours. */
TEST_F(vfio_engine, vfio_engine_hot_reset)
{
	union {
		struct vfio_pci_hot_reset header;
		char room[sizeof(struct vfio_pci_hot_reset) + sizeof(int32_t)];
	} cmd = { .header.argsz = sizeof(cmd), .header.count = 1 };
	const size_t len = 1 << 20;
	char *mem = sva_mem(len);
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)mem, 1, len);
	int i;

	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, iova_map_at(self->as.fd, self->as.as, CORE_RW, mem, len,
				 (uintptr_t)mem));
	cmd.header.group_fds[0] = self->dev.group;
	ATTACH();
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, vfio_start(&self->dev, 0, self->as.pasid, &desc));
		ASSERT_EQ(0, sva_ioctl(self->dev.fd, VFIO_DEVICE_PCI_HOT_RESET, &cmd));
		ASSERT_EQ(0, vfio_pci_master(self->dev.fd));
		EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
		/* Whatever ran has ended. */
		memset(mem, 0, len);
		EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
		EXPECT_EQ(NULL, memchr(mem, 1, len));
	}
	EXPECT_EQ(0, vfio_detach(self->dev.fd, self->as.pasid));
	ASSERT_EQ(0, sva_ioctl(self->dev.fd, VFIO_DEVICE_PCI_HOT_RESET, &cmd));
	ASSERT_EQ(0, vfio_pci_master(self->dev.fd));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, COPY());
	munmap(mem, len);
}

static void *reset_again_and_again(void *data)
{
	FIXTURE_DATA(vfio_engine) *self = data;
	intptr_t ret = 0;
	int i;

	for (i = 0; i < 8 && !ret; i++)
		ret = sva_ioctl(self->dev.fd, VFIO_DEVICE_RESET, NULL);
	return (void *)ret;
}

/* What comes while it is reset is refused or done, and nothing between. */
TEST_F(vfio_engine, vfio_engine_attached_in_reset)
{
	uint32_t other, as = self->as.as;
	int ret, fd = self->dev.fd, done = 0, busy = 0;
	bool attached = false;
	pthread_t thread;
	void *failed;

	ASSERT_EQ(0, pasid_alloc(self->as.fd, 0, 0, 1, &other));
	ATTACH();
	ASSERT_EQ(0, pthread_create(&thread, NULL, reset_again_and_again, self));
	while (pthread_tryjoin_np(thread, &failed)) {
		ret = attached ? vfio_detach(fd, other) :
				 vfio_attach(fd, self->as.fd, other, NULL);
		if (!ret)
			attached = !attached;
		ASSERT_TRUE(!ret || (ret == -EBUSY && !attached)) {
			TH_LOG("%s: %d", attached ? "detach" : "attach", ret);
		}
		ret = sva_pasid_bind(self->as.fd, other, as);
		ASSERT_TRUE(!ret || (ret == -EBUSY && attached)) {
			TH_LOG("bind: %d", ret);
		}
		if (!ret)
			as = as == SVA_AS_NONE ? self->as.as : SVA_AS_NONE;
		done += !ret;
		busy += ret == -EBUSY;
	}
	EXPECT_EQ(NULL, failed);
	TH_LOG("%d done, %d refused", done, busy);
	if (!attached)
		ASSERT_EQ(0, vfio_attach(fd, self->as.fd, other, NULL));
	ASSERT_EQ(0, sva_pasid_bind(self->as.fd, other, self->as.as));
	ASSERT_EQ(0, vfio_pci_master(fd));
	EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&self->dev, 1, other, self->as.mem));
}

/* The IOMMU blocks what the user has not stopped. */
TEST_F(vfio_engine, vfio_engine_ends_under_dma)
{
	const size_t len = 8 << 20;
	char *mem = sva_mem(len);
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)mem, 1, len);
	uint32_t id, pasid = self->as.pasid;
	int i, pf, event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	ASSERT_NE(NULL, mem);
	ASSERT_LE(0, event);
	ASSERT_EQ(0, iova_map_at(self->as.fd, self->as.as, CORE_RW, mem, len,
				 (uintptr_t)mem));
	for (i = 0; i < 10; i++) {
		pf = pasidfd_make(self->as.fd, pasid, &id);
		ASSERT_LE(0, pf);
		ASSERT_EQ(0, vfio_attach_event(self->dev.fd, pf, 0, event, NULL));
		close(pf);
		ASSERT_EQ(0, vfio_start(&self->dev, 0, pasid, &desc));
		usleep(1000 * i);
		if (i % 2) {
			ASSERT_EQ(0, sva_destroy(self->as.fd, id));
			EXPECT_TRUE(vfio_signalled(event, 0));
		}
		ASSERT_EQ(0, vfio_detach(self->dev.fd, pasid));
		memset(mem, 0, len);
		EXPECT_LT(0, vfio_wait(&self->dev, 0));
		EXPECT_EQ(NULL, memchr(mem, 1, len));
	}
	close(event);
	munmap(mem, len);
}

TEST_F(vfio_engine, vfio_engine_close)
{
	const size_t len = 8 << 20;
	char *mem = sva_mem(len);
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)mem, 1, len);
	struct sva_vfio_info info;
	int i;

	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, iova_map_at(self->as.fd, self->as.as, CORE_RW, mem, len,
				 (uintptr_t)mem));
	for (i = 0; i < 5; i++) {
		ATTACH();
		ASSERT_EQ(0, vfio_start(&self->dev, 0, self->as.pasid, &desc));
		usleep(1000 * i);
		vfio_close(&self->dev);
		EXPECT_EQ(0, pasidfd_bonds(self->as.fd, self->as.pasid));
		memset(mem, 0, len);
		ASSERT_EQ(0, vfio_pci_open(&self->dev, &self->hw));
		EXPECT_EQ(NULL, memchr(mem, 1, len));
		ASSERT_EQ(0, vfio_sva_info(self->dev.fd, &info));
		EXPECT_EQ(0, info.attached);
		EXPECT_EQ(SVA_SIM_STATUS_FAULT, COPY());
	}
	munmap(mem, len);
}

/* Low power is left for each call, and entered again when it is closed. */
TEST_F(vfio_engine, vfio_engine_low_power)
{
	char none[8];

	ATTACH();
	ASSERT_EQ(0, vfio_feature(self->dev.fd, VFIO_DEVICE_FEATURE_SET |
				  VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, none, 8));
	EXPECT_EQ(0, vfio_detach(self->dev.fd, self->as.pasid));
	ATTACH();
	ASSERT_EQ(0, vfio_feature(self->dev.fd, VFIO_DEVICE_FEATURE_SET |
				  VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, none, 0));
	ASSERT_EQ(0, vfio_pci_master(self->dev.fd));
	EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
	ASSERT_EQ(0, vfio_feature(self->dev.fd, VFIO_DEVICE_FEATURE_SET |
				  VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, none, 8));
	vfio_close(&self->dev);
	ASSERT_EQ(0, vfio_pci_open(&self->dev, &self->hw));
	ATTACH();
	EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
}

/* Somebody wants the function back: the user is asked, and not robbed. */
TEST_F(vfio_engine, vfio_engine_unbound_while_open)
{
	int32_t event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pid_t pid;

	ASSERT_LE(0, event);
	ASSERT_EQ(0, vfio_set_irqs(self->dev.fd, VFIO_PCI_REQ_IRQ_INDEX, 0, 1, &event));
	ATTACH();
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		vfio_close(&self->dev);
		_exit(!!vfio_hw_unbind(&self->hw));
	}
	EXPECT_TRUE(vfio_signalled(event, SVA_TIMEOUT_MS));
	EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
	EXPECT_EQ(1, pasidfd_bonds(self->as.fd, self->as.pasid));
	vfio_close(&self->dev);
	EXPECT_EQ(0, bond_join_child(pid));
	EXPECT_EQ(0, pasidfd_bonds(self->as.fd, self->as.pasid));
	close(event);
}

TEST_HARNESS_MAIN
