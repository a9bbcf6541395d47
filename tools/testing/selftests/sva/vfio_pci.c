// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions without PASIDs, driven from user space: whatever is done to them, the
 * result is the same with sva-vfio-pci as with vfio-pci, and the same in a container
 * that translates through /dev/sva; and attaching a PASID says why it cannot be.
 *
 * Machine: vfio
 */
#include <linux/sva_vfio_container.h>

#include "vfio_pci_util.h"
#include "kselftest_harness.h"

#define NVME	0x1b360010

#define IOVA	0x10000000ULL
#define LEN	(16 * CORE_PAGE)

FIXTURE(vfio_pci) {
	struct core_counts before;
	struct vfio_hw edu;
	struct vfio_hw nvme;
	struct vfio_dev dev;
	char *mem;		/* at IOVA, once it is mapped */
	int sva;		/* with a container of ours, what it names: */
	uint32_t as;
	uint32_t rid;
};

FIXTURE_VARIANT(vfio_pci) {
	const char *driver;
	int type;
};

FIXTURE_VARIANT_ADD(vfio_pci, vfio_pci) {
	.driver = "vfio-pci",
	.type = VFIO_TYPE1v2_IOMMU,
};

FIXTURE_VARIANT_ADD(vfio_pci, sva_vfio_pci) {
	.driver = "sva-vfio-pci",
	.type = VFIO_TYPE1v2_IOMMU,
};

FIXTURE_VARIANT_ADD(vfio_pci, sva_container) {
	.driver = "sva-vfio-pci",
	.type = VFIO_SVA_IOMMU,
};

FIXTURE_SETUP(vfio_pci)
{
	self->before = core_counts();
	self->dev = (struct vfio_dev)VFIO_DEV_NONE;
	if (!vfio_load_container())
		SKIP(return, "this kernel has no VFIO");
	ASSERT_EQ(0, vfio_pci_find(&self->edu, EDU_IDS));
	ASSERT_EQ(0, vfio_pci_find(&self->nvme, NVME));
	ASSERT_EQ(0, vfio_hw_bind(&self->edu, variant->driver));
	ASSERT_EQ(0, vfio_hw_bind(&self->nvme, variant->driver));
	self->mem = sva_mem(LEN);
	ASSERT_NE(NULL, self->mem);
	self->sva = sva_open();
	ASSERT_LE(0, self->sva);
	ASSERT_EQ(0, sva_as_alloc(self->sva, &self->as));
	ASSERT_EQ(0, pasid_alloc_handle(self->sva, SVA_PASID_F_RID, &self->rid));
	ASSERT_EQ(0, sva_pasid_bind(self->sva, self->rid, self->as));
}

FIXTURE_TEARDOWN(vfio_pci)
{
	vfio_close(&self->dev);
	close(self->sva);
	EXPECT_EQ(0, vfio_pci_give_back(&self->edu));
	EXPECT_EQ(0, vfio_pci_give_back(&self->nvme));
	munmap(self->mem, LEN);
	EXPECT_TRUE(vfio_unused());
	EXPECT_TRUE(core_settles(&self->before));
}

/* --- what a container translates ------------------------------------------------- */

/* Opens a function of which nothing is mapped. */
static int open_function(FIXTURE_DATA(vfio_pci) *self, int type,
			 const struct vfio_hw *hw)
{
	struct sva_container_set set = {
		.size = sizeof(set), .fd = self->sva, .rid = self->rid,
	};
	int ret = vfio_pci_open_type(&self->dev, hw, type, true);

	if (ret || type != VFIO_SVA_IOMMU)
		return ret;
	return sva_ioctl(self->dev.container, SVA_CONTAINER_SET, &set);
}

/* The first @len bytes of our memory, from IOVA on */
static int map_memory(FIXTURE_DATA(vfio_pci) *self, size_t len)
{
	int ret = vfio_type1_map(&self->dev, self->mem, len, IOVA);

	if (ret != -ENOTTY)
		return ret;
	return iova_map_at(self->sva, self->as, CORE_RW, self->mem, len, IOVA);
}

/* All of it again. Returns how much was mapped. */
static int64_t unmap_memory(FIXTURE_DATA(vfio_pci) *self)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = IOVA, .size = LEN,
	};
	int ret = sva_ioctl(self->dev.container, VFIO_IOMMU_UNMAP_DMA, &unmap);

	if (ret == -ENOTTY)
		return iova_unmap_all(self->sva, self->as);
	return ret ?: (int64_t)unmap.size;
}

/* --- edu: docs/specs/edu.rst of QEMU ------------------------------------------- */

#define EDU_ID		0x00
#define EDU_LIVENESS	0x04
#define EDU_DMA_SRC	0x80
#define EDU_DMA_DST	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_CMD	0x98
#define EDU_START	1
#define EDU_TO_RAM	2
#define EDU_BUFFER	0x40000

static void edu_write64(const struct vfio_dev *dev, uint32_t reg, uint64_t value)
{
	__atomic_store_n((uint64_t *)(dev->bar + reg), value, __ATOMIC_RELEASE);
}

/* Waits until it is done. */
static int edu_dma(const struct vfio_dev *dev, uint64_t src, uint64_t dst,
		   uint64_t len, uint32_t direction)
{
	long end = bond_now_ms() + SVA_TIMEOUT_MS;

	edu_write64(dev, EDU_DMA_SRC, src);
	edu_write64(dev, EDU_DMA_DST, dst);
	edu_write64(dev, EDU_DMA_COUNT, len);
	edu_write64(dev, EDU_DMA_CMD, EDU_START | direction);
	while (vfio_reg(dev, EDU_DMA_CMD) & EDU_START) {
		if (bond_now_ms() > end)
			return -ETIMEDOUT;
		usleep(1000);
	}
	return 0;
}

/* From memory into the device, and from there to elsewhere in memory */
static int edu_copy(const struct vfio_dev *dev, uint64_t dst, uint64_t src,
		    uint64_t len)
{
	return edu_dma(dev, src, EDU_BUFFER, len, 0) ?:
	       edu_dma(dev, EDU_BUFFER, dst, len, EDU_TO_RAM);
}

/* --- the kernel's log ------------------------------------------------------------- */

/*
 * Whether a line that has come since has both. The IOMMU's interrupt may come late,
 * a second fault before the first was read is lost, and too many are not logged:
 * who gets no for an answer tries again.
 */
static bool log_has(int fd, const char *what, const char *where)
{
	usleep(100000);
	return core_logged(fd, what, where);
}

/* --- without PASIDs ------------------------------------------------------------------ */

TEST_F(vfio_pci, vfio_pci_no_pasids)
{
	const bool ours = !strcmp(variant->driver, "sva-vfio-pci");
	const struct vfio_hw *hw[] = { &self->edu, &self->nvme };
	struct sva_vfio_info info;
	struct vfio_as as;
	uint32_t mm;
	int i;

	ASSERT_EQ(0, vfio_as_make(&as));
	ASSERT_EQ(0, pasid_alloc_handle(as.fd, SVA_PASID_F_MM, &mm));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, vfio_open_type(&self->dev, hw[i], variant->type));
		ASSERT_EQ(ours ? 0 : -ENOTTY, vfio_sva_info(self->dev.fd, &info));
		EXPECT_EQ(0, info.pasid_bits);
		EXPECT_EQ(0, info.page_requests);
		EXPECT_EQ(ours ? -ENODEV : -ENOTTY,
			  vfio_attach(self->dev.fd, as.fd, as.pasid, NULL));
		EXPECT_EQ(ours ? -ENODEV : -ENOTTY,
			  vfio_attach(self->dev.fd, as.fd, mm, NULL));
		EXPECT_EQ(ours ? -ENOENT : -ENOTTY,
			  vfio_detach(self->dev.fd, as.pasid));
		vfio_close(&self->dev);
	}
	vfio_as_end(&as);
}

/* --- the same with both drivers ------------------------------------------------------- */

TEST_F(vfio_pci, vfio_pci_device_info)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_region_info region;

	ASSERT_EQ(0, open_function(self, variant->type, &self->edu));
	ASSERT_EQ(0, sva_ioctl(self->dev.fd, VFIO_DEVICE_GET_INFO, &info));
	EXPECT_TRUE(info.flags & VFIO_DEVICE_FLAGS_PCI);
	EXPECT_EQ(VFIO_PCI_NUM_REGIONS, info.num_regions);
	EXPECT_EQ(VFIO_PCI_NUM_IRQS, info.num_irqs);
	ASSERT_EQ(0, vfio_pci_region(self->dev.fd, 0, &region));
	EXPECT_EQ(1 << 20, region.size);
	EXPECT_EQ(0x1234, vfio_pci_config(self->dev.fd, PCI_VENDOR_ID));
	EXPECT_EQ(0x11e8, vfio_pci_config(self->dev.fd, PCI_DEVICE_ID));
	EXPECT_EQ(0x010000ed, vfio_reg(&self->dev, EDU_ID));
	vfio_reg_set(&self->dev, EDU_LIVENESS, 0x12345678);
	EXPECT_EQ(~0x12345678u, vfio_reg(&self->dev, EDU_LIVENESS));
}

TEST_F(vfio_pci, vfio_pci_dma)
{
	char *src = self->mem, *dst = self->mem + CORE_PAGE;

	ASSERT_EQ(0, open_function(self, variant->type, &self->edu));
	ASSERT_EQ(0, map_memory(self, LEN));
	memset(src, 0x5a, CORE_PAGE);
	ASSERT_EQ(0, edu_copy(&self->dev, IOVA + CORE_PAGE, IOVA, CORE_PAGE));
	EXPECT_EQ(0, memcmp(src, dst, CORE_PAGE));
}

/* Outside the map it reads nothing and writes nothing, and the IOMMU tells so. */
TEST_F(vfio_pci, vfio_pci_dma_blocked)
{
	char *dst = self->mem + CORE_PAGE;
	int i, log = core_log_open();
	bool logged = false;

	ASSERT_LE(0, log);
	ASSERT_EQ(0, open_function(self, variant->type, &self->edu));
	ASSERT_EQ(0, map_memory(self, CORE_PAGE));
	memset(self->mem, 0x5a, CORE_PAGE);
	/* Memory is there, but not for the function. */
	memset(dst, 0x11, CORE_PAGE);
	for (i = 0; i < 100 && !logged; i++) {
		ASSERT_EQ(0, edu_copy(&self->dev, IOVA + CORE_PAGE, IOVA,
				      CORE_PAGE));
		logged = log_has(log, "DMAR:", "fault addr 0x10001000");
	}
	EXPECT_TRUE(logged);
	for (i = 0; i < (int)CORE_PAGE; i++)
		ASSERT_EQ(0x11, dst[i]);
	close(log);
}

TEST_F(vfio_pci, vfio_pci_unmapped_again)
{
	char *dst = self->mem + CORE_PAGE;

	ASSERT_EQ(0, open_function(self, variant->type, &self->edu));
	ASSERT_EQ(0, map_memory(self, LEN));
	memset(self->mem, 0x5a, CORE_PAGE);
	ASSERT_EQ(0, edu_copy(&self->dev, IOVA + CORE_PAGE, IOVA, CORE_PAGE));
	EXPECT_EQ(0x5a, dst[0]);
	ASSERT_EQ(LEN, unmap_memory(self));
	dst[0] = 1;
	ASSERT_EQ(0, edu_dma(&self->dev, EDU_BUFFER, IOVA + CORE_PAGE, 8,
			     EDU_TO_RAM));
	EXPECT_EQ(1, dst[0]);
}

/* Closing stops it: a function that is opened again is not bus master. */
TEST_F(vfio_pci, vfio_pci_reopened)
{
	ASSERT_EQ(0, open_function(self, variant->type, &self->edu));
	vfio_close(&self->dev);
	ASSERT_EQ(0, vfio_open_type(&self->dev, &self->edu, variant->type));
	EXPECT_FALSE(vfio_pci_config(self->dev.fd, PCI_COMMAND) &
		     PCI_COMMAND_MASTER);
}

/* Two functions in one container, each with a driver of its own */
TEST_F(vfio_pci, vfio_pci_beside_each_other)
{
	char *dst = self->mem + CORE_PAGE;
	int group, other;

	ASSERT_EQ(0, vfio_hw_bind(&self->nvme, "vfio-pci"));
	ASSERT_EQ(0, open_function(self, variant->type, &self->edu));
	group = vfio_group_open(&self->nvme);
	ASSERT_LE(0, group);
	ASSERT_EQ(0, sva_ioctl(group, VFIO_GROUP_SET_CONTAINER, &self->dev.container));
	other = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, self->nvme.name);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, map_memory(self, LEN));
	memset(self->mem, 0x5a, CORE_PAGE);
	close(other);
	close(group);
	ASSERT_EQ(0, edu_copy(&self->dev, IOVA + CORE_PAGE, IOVA, CORE_PAGE));
	EXPECT_EQ(0x5a, dst[0]);
}

/* --- nvme: NVM Express base specification 2.0 -------------------------------------- */

#define NVME_CC		0x14
#define NVME_CSTS	0x1c
#define NVME_AQA	0x24
#define NVME_ASQ	0x28
#define NVME_ACQ	0x30
#define NVME_DOORBELL(queue, completion) (0x1000 + (2 * (queue) + (completion)) * 4)

#define NVME_ENTRIES	16

struct nvme_command {
	uint8_t opcode;
	uint8_t flags;
	uint16_t id;
	uint32_t nsid;
	uint64_t reserved;
	uint64_t metadata;
	uint64_t prp[2];
	uint32_t words[6];
};

struct nvme_completion {
	uint32_t result;
	uint32_t reserved;
	uint16_t sq_head;
	uint16_t sq_id;
	uint16_t id;
	uint16_t status;	/* bit 0: phase */
};

/* Queues 0 (commands to the controller) and 1 (reads and writes). */
struct nvme {
	const struct vfio_dev *dev;
	char *mem;		/* four pages of queues, then data */
	unsigned int tail[2];
	unsigned int head[2];
	unsigned int phase[2];
};

static int nvme_wait_ready(const struct vfio_dev *dev, uint32_t ready)
{
	long end = bond_now_ms() + SVA_TIMEOUT_MS;

	while ((vfio_reg(dev, NVME_CSTS) & 1) != ready) {
		if (bond_now_ms() > end)
			return -ETIMEDOUT;
		usleep(1000);
	}
	return 0;
}

/* Returns its status. */
static int nvme_run(struct nvme *nvme, int queue, struct nvme_command cmd)
{
	struct nvme_command *sq = (void *)(nvme->mem + 2 * queue * CORE_PAGE);
	struct nvme_completion *cq = (void *)(nvme->mem +
					      (2 * queue + 1) * CORE_PAGE);
	struct nvme_completion *done = &cq[nvme->head[queue]];
	long end = bond_now_ms() + SVA_TIMEOUT_MS;

	sq[nvme->tail[queue]] = cmd;
	nvme->tail[queue] = (nvme->tail[queue] + 1) % NVME_ENTRIES;
	vfio_reg_set(nvme->dev, NVME_DOORBELL(queue, 0), nvme->tail[queue]);
	while ((__atomic_load_n(&done->status, __ATOMIC_ACQUIRE) & 1) ==
	       nvme->phase[queue]) {
		if (bond_now_ms() > end)
			return -ETIMEDOUT;
		usleep(1000);
	}
	if (++nvme->head[queue] == NVME_ENTRIES) {
		nvme->head[queue] = 0;
		nvme->phase[queue] ^= 1;
	}
	vfio_reg_set(nvme->dev, NVME_DOORBELL(queue, 1), nvme->head[queue]);
	return done->status >> 1;
}

static int nvme_start(struct nvme *nvme, const struct vfio_dev *dev, char *mem)
{
	const uint32_t size = NVME_ENTRIES - 1;
	int ret;

	*nvme = (struct nvme) { .dev = dev, .mem = mem };
	vfio_reg_set(dev, NVME_CC, 0);
	ret = nvme_wait_ready(dev, 0);
	if (ret)
		return ret;
	vfio_reg_set(dev, NVME_AQA, size << 16 | size);
	vfio_reg_set(dev, NVME_ASQ, IOVA);
	vfio_reg_set(dev, NVME_ASQ + 4, 0);
	vfio_reg_set(dev, NVME_ACQ, IOVA + CORE_PAGE);
	vfio_reg_set(dev, NVME_ACQ + 4, 0);
	/* Entries of 64 and of 16 bytes, enabled */
	vfio_reg_set(dev, NVME_CC, 4 << 20 | 6 << 16 | 1);
	ret = nvme_wait_ready(dev, 1);
	if (ret)
		return ret;
	/* Completion queue 1, then submission queue 1 that uses it */
	return nvme_run(nvme, 0, (struct nvme_command) {
			.opcode = 5, .prp = { IOVA + 3 * CORE_PAGE },
			.words = { size << 16 | 1, 1 } }) ?:
	       nvme_run(nvme, 0, (struct nvme_command) {
			.opcode = 1, .prp = { IOVA + 2 * CORE_PAGE },
			.words = { size << 16 | 1, 1 << 16 | 1 } });
}

/* A page at @iova and that many sectors of 512 bytes */
static int nvme_io(struct nvme *nvme, bool write, uint64_t iova, uint64_t sector)
{
	return nvme_run(nvme, 1, (struct nvme_command) {
			.opcode = write ? 1 : 2, .nsid = 1, .prp = { iova },
			.words = { sector, sector >> 32, CORE_PAGE / 512 - 1 } });
}

TEST_F(vfio_pci, vfio_pci_nvme)
{
	char *data = self->mem + 4 * CORE_PAGE, want[CORE_PAGE];
	int disk = open("/dev/vda", O_RDONLY | O_CLOEXEC);
	struct nvme nvme;
	int i;

	ASSERT_LE(0, disk);
	ASSERT_EQ(0, open_function(self, variant->type, &self->nvme));
	ASSERT_EQ(0, map_memory(self, 6 * CORE_PAGE));
	ASSERT_EQ(0, nvme_start(&nvme, &self->dev, self->mem));

	/* It has what the first disk has. */
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, nvme_io(&nvme, false, IOVA + 4 * CORE_PAGE, 8 * i));
		ASSERT_EQ(CORE_PAGE, pread(disk, want, CORE_PAGE, i * CORE_PAGE));
		ASSERT_EQ(0, memcmp(data, want, CORE_PAGE));
	}
	/* Where nobody compares */
	memset(data, 0xa5, CORE_PAGE);
	ASSERT_EQ(0, nvme_io(&nvme, true, IOVA + 4 * CORE_PAGE, 800));
	ASSERT_EQ(0, nvme_io(&nvme, false, IOVA + 5 * CORE_PAGE, 800));
	EXPECT_EQ(0, memcmp(data, data + CORE_PAGE, CORE_PAGE));
	close(disk);
}

static uint16_t find_capability(int fd, uint8_t id)
{
	uint16_t at = vfio_pci_config(fd, PCI_CAPABILITY_LIST) & 0xfc;

	while (at && (vfio_pci_config(fd, at) & 0xff) != id)
		at = vfio_pci_config(fd, at) >> 8 & 0xfc;
	return at;
}

/* Asleep and awake again, it reaches what it reached before, and no more. */
TEST_F(vfio_pci, vfio_pci_nvme_d3)
{
	struct nvme nvme;
	uint16_t pm;
	int i;

	ASSERT_EQ(0, open_function(self, variant->type, &self->nvme));
	ASSERT_EQ(0, map_memory(self, 5 * CORE_PAGE));
	pm = find_capability(self->dev.fd, PCI_CAP_ID_PM);
	ASSERT_NE(0, pm);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, nvme_start(&nvme, &self->dev, self->mem));
		EXPECT_EQ(0, nvme_io(&nvme, false, IOVA + 4 * CORE_PAGE, 0));
		ASSERT_EQ(0, vfio_pci_config_set(self->dev.fd, pm + PCI_PM_CTRL, 3));
		EXPECT_EQ(3, vfio_pci_config(self->dev.fd, pm + PCI_PM_CTRL) &
			     PCI_PM_CTRL_STATE_MASK);
		ASSERT_EQ(0, vfio_pci_config_set(self->dev.fd, pm + PCI_PM_CTRL, 0));
		ASSERT_EQ(0, vfio_pci_master(self->dev.fd));
	}
	ASSERT_EQ(0, nvme_start(&nvme, &self->dev, self->mem));
	memset(self->mem + 5 * CORE_PAGE, 0x11, CORE_PAGE);
	EXPECT_EQ(0, nvme_io(&nvme, false, IOVA + 4 * CORE_PAGE, 0));
	nvme_io(&nvme, false, IOVA + 5 * CORE_PAGE, 0);
	EXPECT_EQ(0x11, self->mem[5 * CORE_PAGE]);
}

/* What is not mapped is not transferred, whatever the controller thinks of it. */
TEST_F(vfio_pci, vfio_pci_nvme_blocked)
{
	int i, log = core_log_open();
	bool logged = false;
	struct nvme nvme;

	ASSERT_LE(0, log);
	ASSERT_EQ(0, open_function(self, variant->type, &self->nvme));
	ASSERT_EQ(0, map_memory(self, 5 * CORE_PAGE));
	ASSERT_EQ(0, nvme_start(&nvme, &self->dev, self->mem));
	memset(self->mem + 5 * CORE_PAGE, 0x11, CORE_PAGE);
	for (i = 0; i < 100 && !logged; i++) {
		nvme_io(&nvme, false, IOVA + 5 * CORE_PAGE, 0);
		logged = log_has(log, "DMAR:", "fault addr 0x10005000");
	}
	EXPECT_TRUE(logged);
	EXPECT_EQ(0x11, self->mem[5 * CORE_PAGE]);
	EXPECT_EQ(0, nvme_io(&nvme, false, IOVA + 4 * CORE_PAGE, 0));
	close(log);
}

TEST_HARNESS_MAIN
