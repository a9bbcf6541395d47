// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASIDs of /dev/sva on VFIO devices that are opened by their own character device:
 * iommufd has the untagged DMA, with an address space (IOAS) of its own.
 *
 * Machine: plain vfio engine
 */
#include <linux/iommufd.h>
#include <pthread.h>

#include "vfio_container.h"
#include "kselftest_harness.h"

#define NONE	SVA_SIM_REG_PASID_NONE

/* Where an IOAS has the memory, and how much: a page to read, a page to write */
#define IOVA	0x40000000UL
#define LEN	(2 * CORE_PAGE)

/* A software engine; edu, which has no PASIDs; an engine that is a PCI function */
enum { SIM, EDU, PCI };

FIXTURE(vfio_iommufd) {
	struct core_counts before;
	int kind;
	char name[32];
	struct vfio_hw hw;
	struct vfio_dev dev;
	struct edu_dev edu;
	int iommufd;
	uint32_t ioas;
	uint64_t *mem;		/* in the IOAS */
	struct vfio_as as;
};

/* --- iommufd ------------------------------------------------------------------------ */

static int ioas_alloc(int iommufd, uint32_t *id)
{
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd) };
	int ret = sva_ioctl(iommufd, IOMMU_IOAS_ALLOC, &cmd);

	*id = cmd.out_ioas_id;
	return ret;
}

static int ioas_map(int iommufd, uint32_t ioas, void *mem)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE |
			 IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = ioas, .user_va = (uintptr_t)mem,
		.length = LEN, .iova = IOVA,
	};

	return sva_ioctl(iommufd, IOMMU_IOAS_MAP, &cmd);
}

/* Waits for udev, or whoever makes the node. */
static int open_cdev(const struct vfio_hw *hw)
{
	char path[320];
	struct dirent *entry;
	int i, fd = -ENOENT;
	DIR *dir;

	vfio_hw_path(hw, "vfio-dev", path, sizeof(path));
	dir = opendir(path);
	while (dir && (entry = readdir(dir)) && fd == -ENOENT) {
		if (strncmp(entry->d_name, "vfio", 4))
			continue;
		snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry->d_name);
		for (i = 0; i < 500 && fd == -ENOENT; i++) {
			fd = open(path, O_RDWR | O_CLOEXEC);
			if (fd < 0)
				fd = -errno;
			if (fd == -ENOENT)
				usleep(10000);
		}
	}
	if (dir)
		closedir(dir);
	return fd;
}

static int bind_iommufd(int fd, int iommufd, uint32_t *dev_id)
{
	struct vfio_device_bind_iommufd cmd = {
		.argsz = sizeof(cmd), .iommufd = iommufd,
	};
	int ret = sva_ioctl(fd, VFIO_DEVICE_BIND_IOMMUFD, &cmd);

	if (dev_id)
		*dev_id = cmd.out_devid;
	return ret;
}

static int attach_pt(int fd, uint32_t pt)
{
	struct vfio_device_attach_iommufd_pt cmd = {
		.argsz = sizeof(cmd), .pt_id = pt,
	};

	return sva_ioctl(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &cmd);
}

static int detach_pt(int fd)
{
	struct vfio_device_detach_iommufd_pt cmd = { .argsz = sizeof(cmd) };

	return sva_ioctl(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &cmd);
}

static int attach_pasid_pt(int fd, uint32_t pasid, uint32_t pt)
{
	struct vfio_device_attach_iommufd_pt cmd = {
		.argsz = sizeof(cmd), .flags = VFIO_DEVICE_ATTACH_PASID,
		.pt_id = pt, .pasid = pasid,
	};

	return sva_ioctl(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &cmd);
}

static int detach_pasid_pt(int fd, uint32_t pasid)
{
	struct vfio_device_detach_iommufd_pt cmd = {
		.argsz = sizeof(cmd), .flags = VFIO_DEVICE_DETACH_PASID,
		.pasid = pasid,
	};

	return sva_ioctl(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &cmd);
}

/* A page table that may stand beside PASIDs of iommufd */
static int hwpt_alloc(int iommufd, uint32_t dev, uint32_t ioas, uint32_t *hwpt)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd), .flags = IOMMU_HWPT_ALLOC_PASID,
		.dev_id = dev, .pt_id = ioas,
	};
	int ret = sva_ioctl(iommufd, IOMMU_HWPT_ALLOC, &cmd);

	*hwpt = cmd.out_hwpt_id;
	return ret;
}

/* --- the device ----------------------------------------------------------------------- */

static int find_device(FIXTURE_DATA(vfio_iommufd) *self)
{
	if (!vfio_pci_find(&self->hw, ENGINE_IDS))
		self->kind = PCI;
	else if (!vfio_pci_find(&self->hw, EDU_IDS))
		self->kind = EDU;
	else
		self->kind = SIM;
	if (self->kind != SIM)
		return vfio_hw_bind(&self->hw, "sva-vfio-pci");
	sva_sim_name(self->name, sizeof(self->name), "cdev");
	return vfio_sim_make(&self->hw, self->name, NULL, NULL);
}

static int map_registers(FIXTURE_DATA(vfio_iommufd) *self)
{
	struct vfio_region_info info = { .argsz = sizeof(info) };
	size_t size = self->kind == EDU ? EDU_BAR_SIZE : VFIO_BAR_SIZE;
	int ret, fd = self->dev.fd;
	void *bar;

	ret = sva_ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, &info);
	if (ret || self->kind == SIM)
		return ret;
	bar = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, info.offset);
	if (bar == MAP_FAILED)
		return -errno;
	if (self->kind == EDU)
		self->edu.bar = bar;
	else
		self->dev.bar = bar;
	return vfio_pci_master(fd);
}

static int open_device(FIXTURE_DATA(vfio_iommufd) *self, uint32_t *dev_id)
{
	self->dev.fd = open_cdev(&self->hw);
	if (self->dev.fd < 0)
		return self->dev.fd;
	return bind_iommufd(self->dev.fd, self->iommufd, dev_id) ?:
	       map_registers(self);
}

static void close_device(FIXTURE_DATA(vfio_iommufd) *self)
{
	if (self->edu.bar)
		munmap(self->edu.bar, EDU_BAR_SIZE);
	self->edu = (struct edu_dev) { .fd = -1 };
	vfio_close(&self->dev);
}

/* Whether DMA without a PASID reaches @mem, which an IOAS has at IOVA */
static bool reaches(FIXTURE_DATA(vfio_iommufd) *self, uint64_t *mem)
{
	const uint64_t to = IOVA + CORE_PAGE;
	uint64_t *dst = mem + CORE_PAGE / sizeof(*mem);
	static uint64_t stamp;

	mem[0] = ++stamp;
	dst[0] = 0;
	if (self->kind == EDU)
		edu_copy(&self->edu, IOVA, to);
	else
		vfio_run(&self->dev, 1, NONE, sva_sim_memcpy(to, IOVA, 8));
	return __atomic_load_n(dst, __ATOMIC_ACQUIRE) == stamp;
}

FIXTURE_SETUP(vfio_iommufd)
{
	self->before = core_counts();
	self->dev = (struct vfio_dev)VFIO_DEV_NONE;
	self->edu = (struct edu_dev) { .fd = -1 };
	self->as.fd = -1;
	self->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->iommufd);
	ASSERT_TRUE(vfio_load());
	ASSERT_EQ(0, find_device(self));
	ASSERT_EQ(0, vfio_as_make(&self->as));
	/* Our children use what we have mapped. */
	self->mem = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			 -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->mem);
	ASSERT_EQ(0, ioas_alloc(self->iommufd, &self->ioas));
	ASSERT_EQ(0, ioas_map(self->iommufd, self->ioas, self->mem));
}

FIXTURE_TEARDOWN(vfio_iommufd)
{
	close_device(self);
	close(self->iommufd);
	vfio_as_end(&self->as);
	munmap(self->mem, LEN);
	if (self->kind == SIM) {
		EXPECT_EQ(0, sva_sim_remove(self->name));
	} else {
		EXPECT_EQ(0, vfio_pci_give_back(&self->hw));
	}
	EXPECT_TRUE(vfio_unused());
	EXPECT_TRUE(core_settles(&self->before));
}

/* A function without PASIDs refuses them, and that is all there is to test. */
#define NEEDS_PASIDS() do {						\
	struct sva_vfio_info info;					\
									\
	ASSERT_EQ(0, vfio_sva_info(self->dev.fd, &info));		\
	if (!info.pasid_bits) {						\
		EXPECT_EQ(-ENODEV, vfio_attach(self->dev.fd, self->as.fd,	\
					       self->as.pasid, NULL));	\
		return;							\
	}								\
} while (0)

#define COPY() vfio_copy(&self->dev, 0, self->as.pasid, self->as.mem)
#define ATTACH() \
	ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid, NULL))

/* --- the RID ---------------------------------------------------------------------------- */

/* Nothing of ours is asked, whichever way untagged DMA is made to go. */
TEST_F(vfio_iommufd, vfio_iommufd_ioas)
{
	uint32_t other;
	uint64_t *mem = sva_mem(LEN);

	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, ioas_alloc(self->iommufd, &other));
	ASSERT_EQ(0, ioas_map(self->iommufd, other, mem));
	ASSERT_EQ(0, open_device(self, NULL));
	EXPECT_FALSE(reaches(self, self->mem));
	ASSERT_EQ(0, attach_pt(self->dev.fd, self->ioas));
	EXPECT_TRUE(reaches(self, self->mem));
	EXPECT_FALSE(reaches(self, mem));
	ASSERT_EQ(0, attach_pt(self->dev.fd, other));
	EXPECT_TRUE(reaches(self, mem));
	EXPECT_FALSE(reaches(self, self->mem));
	ASSERT_EQ(0, detach_pt(self->dev.fd));
	EXPECT_FALSE(reaches(self, mem));
	munmap(mem, LEN);
}

/* A container of ours and a device of its own: one or the other */
TEST_F(vfio_iommufd, vfio_iommufd_or_container)
{
	int container, group, fd;

	ASSERT_TRUE(vfio_load_container());
	ASSERT_EQ(0, open_device(self, NULL));
	ASSERT_EQ(0, attach_pt(self->dev.fd, self->ioas));
	close_device(self);

	group = vfio_group_open(&self->hw);
	ASSERT_LE(0, group);
	container = vfio_container_with(group, VFIO_SVA_IOMMU);
	ASSERT_LE(0, container);
	fd = open_cdev(&self->hw);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBUSY, bind_iommufd(fd, self->iommufd, NULL));
	/* What is not bound has no features. */
	EXPECT_EQ(-EINVAL, vfio_attach(fd, self->as.fd, self->as.pasid, NULL));
	close(container);
	close(group);
	EXPECT_EQ(0, bind_iommufd(fd, self->iommufd, NULL));
	close(fd);
}

/* --- PASIDs beside it --------------------------------------------------------------------- */

TEST_F(vfio_iommufd, vfio_iommufd_beside_pasid)
{
	struct sva_vfio_info info;

	ASSERT_EQ(0, open_device(self, NULL));
	NEEDS_PASIDS();
	ATTACH();
	ASSERT_EQ(0, attach_pt(self->dev.fd, self->ioas));
	EXPECT_TRUE(reaches(self, self->mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());

	/* Neither can do what the other can. */
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  vfio_run(&self->dev, 0, self->as.pasid, sva_sim_fill(IOVA, 1, 8)));
	EXPECT_NE(SVA_SIM_STATUS_OK,
		  vfio_run(&self->dev, 0, NONE,
			   sva_sim_fill((uintptr_t)self->as.mem->dst, 1, 8)));

	ASSERT_EQ(0, detach_pt(self->dev.fd));
	EXPECT_FALSE(reaches(self, self->mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
	ASSERT_EQ(0, attach_pt(self->dev.fd, self->ioas));
	EXPECT_TRUE(reaches(self, self->mem));
	ASSERT_EQ(0, vfio_sva_info(self->dev.fd, &info));
	EXPECT_EQ(1, info.attached);
	ASSERT_EQ(0, vfio_detach(self->dev.fd, self->as.pasid));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, COPY());
	EXPECT_TRUE(reaches(self, self->mem));
}

TEST_F(vfio_iommufd, vfio_iommufd_unbound)
{
	struct sva_vfio_info info;
	uint32_t rid;

	self->dev.fd = open_cdev(&self->hw);
	ASSERT_LE(0, self->dev.fd);
	EXPECT_EQ(-EINVAL, vfio_sva_info(self->dev.fd, &info));
	EXPECT_EQ(-EINVAL, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid, NULL));
	ASSERT_EQ(0, bind_iommufd(self->dev.fd, self->iommufd, NULL));
	EXPECT_EQ(0, vfio_sva_info(self->dev.fd, &info));
	EXPECT_EQ(-EINVAL, bind_iommufd(self->dev.fd, self->iommufd, NULL));

	/* The RID is iommufd's. */
	ASSERT_EQ(0, pasid_alloc_handle(self->as.fd, SVA_PASID_F_RID, &rid));
	EXPECT_EQ(-EINVAL, vfio_attach(self->dev.fd, self->as.fd, rid, NULL));
}

/* Numbers that iommufd has attached to the function are taken, and ours are. */
TEST_F(vfio_iommufd, vfio_iommufd_own_pasids)
{
	uint32_t dev, hwpt, theirs;
	int fd;

	ASSERT_EQ(0, open_device(self, &dev));
	NEEDS_PASIDS();
	fd = self->dev.fd;
	if (self->kind == SIM) {
		/* Its user has but a part of a function: numbers are given to it. */
		EXPECT_EQ(-EOPNOTSUPP, attach_pasid_pt(fd, 5, self->ioas));
		return;
	}
	ASSERT_EQ(0, hwpt_alloc(self->iommufd, dev, self->ioas, &hwpt));
	ASSERT_EQ(0, attach_pt(fd, hwpt));
	ASSERT_EQ(0, pasid_alloc(self->as.fd, 0, 0, 1, &theirs));
	ASSERT_EQ(0, sva_pasid_bind(self->as.fd, theirs, self->as.as));

	ATTACH();
	EXPECT_EQ(-EBUSY, attach_pasid_pt(fd, self->as.pasid, hwpt));
	EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
	ASSERT_EQ(0, attach_pasid_pt(fd, theirs, hwpt));
	EXPECT_EQ(-EBUSY, vfio_attach(fd, self->as.fd, theirs, NULL));
	EXPECT_EQ(-ENOENT, vfio_detach(fd, theirs));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_run(&self->dev, 0, theirs, sva_sim_fill(IOVA, 7, 8)));
	EXPECT_EQ(7, self->mem[0]);
	EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());

	/* What the other does not have cannot be taken from it. */
	EXPECT_EQ(0, detach_pasid_pt(fd, self->as.pasid));
	EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
	ASSERT_EQ(0, detach_pasid_pt(fd, theirs));
	ASSERT_EQ(0, vfio_attach(fd, self->as.fd, theirs, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&self->dev, 0, theirs, self->as.mem));
	EXPECT_EQ(-EBUSY, attach_pasid_pt(fd, theirs, hwpt));
}

/* Two engines that share a group, each with a descriptor of its own */
TEST_F(vfio_iommufd, vfio_iommufd_group)
{
	struct vfio_dev dev[2] = { VFIO_DEV_NONE, VFIO_DEV_NONE };
	char name[2][32], group[32];
	struct vfio_hw hw[2];
	uint32_t pasid;
	int i;

	if (self->kind != SIM)
		return;
	snprintf(group, sizeof(group), "%d", (int)getpid());
	ASSERT_EQ(0, pasid_alloc(self->as.fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->as.fd, pasid, self->as.as));
	for (i = 0; i < 2; i++) {
		sva_sim_name(name[i], sizeof(name[i]), i ? "cdev-b" : "cdev-a");
		ASSERT_EQ(0, vfio_sim_make(&hw[i], name[i], NULL, group));
	}
	/* The second is bound while the group has a PASID, and unbound. */
	for (i = 0; i < 2; i++) {
		dev[i].fd = open_cdev(&hw[i]);
		ASSERT_LE(0, dev[i].fd);
		ASSERT_EQ(0, bind_iommufd(dev[i].fd, self->iommufd, NULL));
		ASSERT_EQ(0, attach_pt(dev[i].fd, self->ioas));
		ASSERT_EQ(0, vfio_attach(dev[i].fd, self->as.fd,
					 i ? pasid : self->as.pasid, NULL));
	}
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&dev[0], 0, self->as.pasid, self->as.mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&dev[1], 0, pasid, self->as.mem));
	/* To sva-vfio-sim a number is the device's that attached it. */
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  vfio_copy(&dev[1], 0, self->as.pasid, self->as.mem));
	vfio_close(&dev[0]);
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&dev[1], 0, pasid, self->as.mem));
	vfio_close(&dev[1]);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, sva_sim_remove(name[i]));
}

/* --- the end -------------------------------------------------------------------------------- */

TEST_F(vfio_iommufd, vfio_iommufd_close_orders)
{
	struct sva_pasid_info info;
	int i;

	ASSERT_EQ(0, open_device(self, NULL));
	NEEDS_PASIDS();
	for (i = 0; i < 6; i++) {
		ATTACH();
		ASSERT_EQ(0, attach_pt(self->dev.fd, self->ioas));
		EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
		if (i % 3 == 0)
			ASSERT_EQ(0, detach_pt(self->dev.fd));
		if (i % 3 == 1)
			close(self->iommufd);
		if (i % 3 == 1)
			EXPECT_TRUE(reaches(self, self->mem));
		close_device(self);
		ASSERT_EQ(0, sva_pasid_info(self->as.fd, self->as.pasid, &info));
		EXPECT_EQ(0, info.bonds);
		if (i % 3 == 1) {
			self->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
			ASSERT_LE(0, self->iommufd);
			ASSERT_EQ(0, ioas_alloc(self->iommufd, &self->ioas));
			ASSERT_EQ(0, ioas_map(self->iommufd, self->ioas, self->mem));
		}
		ASSERT_EQ(0, open_device(self, NULL));
		EXPECT_EQ(SVA_SIM_STATUS_FAULT, COPY());
	}
}

/* Everything once. Returns 0, or the number of what was not as it should be. */
static int use_device(FIXTURE_DATA(vfio_iommufd) *self)
{
	int ret = open_device(self, NULL);

	if (ret || attach_pt(self->dev.fd, self->ioas))
		return 1;
	if (self->kind != EDU &&
	    vfio_attach(self->dev.fd, self->as.fd, self->as.pasid, NULL))
		return 2;
	if (!reaches(self, self->mem))
		return 3;
	close_device(self);
	return 0;
}

/* Ends by itself only if something goes wrong. */
static void __attribute__((noreturn)) be_killed(FIXTURE_DATA(vfio_iommufd) *self)
{
	int ret;

	do {
		ret = use_device(self);
	} while (!ret);
	_exit(ret);
}

/* At any moment of what a user does, however long that takes here */
TEST_F_TIMEOUT(vfio_iommufd, vfio_iommufd_killed, 110)
{
	struct core_counts before = core_counts();
	long begin = bond_now_ms(), end, took;
	uint32_t random = 3;
	int i, status;
	pid_t pid;

	ASSERT_EQ(0, use_device(self));
	took = bond_now_ms() - begin + 1;
	end = bond_now_ms() + 20000 * SVA_SLOWER;
	for (i = 0; i < 500 && bond_now_ms() < end; i++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			be_killed(self);
		usleep(bond_random(&random) % (2000 * took));
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status)) {
			TH_LOG("round %d: status %#x", i, status);
		}
		ASSERT_TRUE(core_settles(&before));
	}
	TH_LOG("%d users killed", i);
	ASSERT_EQ(0, use_device(self));
}

int main(int argc, char **argv)
{
	/* One line for all; asked for a list, it has one. */
	if (argc == 1 && access("/dev/iommu", F_OK))
		ksft_exit_skip("this kernel has no IOMMUFD\n");
	return test_harness_run(argc, argv);
}
