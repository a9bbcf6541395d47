/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of VFIO containers of type sva: groups, containers, and QEMU's edu
 * device, which does untagged DMA between memory and a buffer of its own.
 */
#ifndef VFIO_CONTAINER_H
#define VFIO_CONTAINER_H

#include <dirent.h>
#include <linux/sva_vfio_container.h>

#include "vfio_pci_util.h"

/* Registers of edu, see docs/specs/edu.rst of QEMU. */
#define EDU_DMA_SRC	0x80
#define EDU_DMA_DST	0x88
#define EDU_DMA_LEN	0x90
#define EDU_DMA_CMD	0x98
#define EDU_DMA_RUN	1
#define EDU_DMA_TO_RAM	2
#define EDU_BUFFER	0x40000
#define EDU_BAR_SIZE	0x100000

/* --- finding them ----------------------------------------------------------------- */

static inline bool edu_is(const char *name)
{
	char path[300];
	uint16_t ids[2];
	bool found;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	found = fd >= 0 && pread(fd, ids, sizeof(ids), 0) == sizeof(ids) &&
		ids[0] == EDU_IDS >> 16 && ids[1] == (EDU_IDS & 0xffff);
	close(fd);
	return found;
}

/* The first of them, by address. Returns how many. */
static inline int edu_find(struct vfio_hw *hw, int max)
{
	struct dirent **names;
	int i, n, found = 0;

	n = scandir("/sys/bus/pci/devices", &names, NULL, alphasort);
	for (i = 0; i < n; i++) {
		if (found < max && edu_is(names[i]->d_name)) {
			hw[found] = (struct vfio_hw) { .bus = "pci" };
			snprintf(hw[found].name, sizeof(hw->name), "%.60s",
				 names[i]->d_name);
			found++;
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return found;
}

static inline int edu_group(const struct vfio_hw *hw)
{
	char group[32];
	int ret = vfio_hw_link(hw, "iommu_group", group, sizeof(group));

	return ret ? ret : atoi(group);
}

/* --- VFIO -------------------------------------------------------------------------- */

static inline int vfio_open_container(void)
{
	int fd = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static inline int vfio_ioctl(int fd, unsigned long cmd, unsigned long arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

static inline int vfio_join(int group, int container)
{
	return vfio_ioctl(group, VFIO_GROUP_SET_CONTAINER, (uintptr_t)&container);
}

static inline int vfio_leave(int group)
{
	return vfio_ioctl(group, VFIO_GROUP_UNSET_CONTAINER, 0);
}

static inline int vfio_set_iommu(int container, unsigned long type)
{
	return vfio_ioctl(container, VFIO_SET_IOMMU, type);
}

/* The container and the only group of it, which translates nothing yet. */
static inline int vfio_container_with(int group, unsigned long type)
{
	int ret, container = vfio_open_container();

	if (container < 0)
		return container;
	ret = vfio_join(group, container);
	if (!ret)
		ret = vfio_set_iommu(container, type);
	if (ret) {
		close(container);
		return ret;
	}
	return container;
}

static inline int container_set(int container, int fd, uint32_t rid)
{
	struct sva_container_set cmd = {
		.size = sizeof(cmd), .fd = fd, .rid = rid,
	};

	return sva_ioctl(container, SVA_CONTAINER_SET, &cmd);
}

static inline int container_block(int container)
{
	return container_set(container, -1, 0);
}

/* The state without what depends on the machine, or a negative errno. */
static inline int container_state(int container)
{
	struct sva_container_info info = { .size = sizeof(info) };
	int ret = sva_ioctl(container, SVA_CONTAINER_INFO, &info);

	return ret ? ret : (int)(info.state & ~SVA_CONTAINER_S_COHERENT);
}

/* --- the device -------------------------------------------------------------------- */

struct edu_dev {
	int fd;
	char *bar;
};

static inline int edu_open(int group, const struct vfio_hw *hw,
			   struct edu_dev *dev)
{
	struct vfio_region_info bar;
	void *map;
	int ret;

	dev->bar = NULL;
	dev->fd = vfio_ioctl(group, VFIO_GROUP_GET_DEVICE_FD, (uintptr_t)hw->name);
	if (dev->fd < 0)
		return dev->fd;
	ret = vfio_pci_master(dev->fd) ?:
	      vfio_pci_region(dev->fd, VFIO_PCI_BAR0_REGION_INDEX, &bar);
	if (ret)
		return ret;
	map = mmap(NULL, EDU_BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		   dev->fd, bar.offset);
	if (map == MAP_FAILED)
		return -errno;
	dev->bar = map;
	return 0;
}

static inline void edu_close(struct edu_dev *dev)
{
	if (dev->bar)
		munmap(dev->bar, EDU_BAR_SIZE);
	if (dev->fd >= 0)
		close(dev->fd);
	dev->bar = NULL;
	dev->fd = -1;
}

static inline void edu_write(struct edu_dev *dev, unsigned int reg, uint64_t value)
{
	__atomic_store_n((uint64_t *)(dev->bar + reg), value, __ATOMIC_RELEASE);
}

/* Until then it does not listen. */
static inline int edu_wait(struct edu_dev *dev)
{
	int i;

	for (i = 0; i < SVA_TIMEOUT_MS; i += 10) {
		uint64_t *cmd = (uint64_t *)(dev->bar + EDU_DMA_CMD);

		if (!(__atomic_load_n(cmd, __ATOMIC_ACQUIRE) & EDU_DMA_RUN))
			return 0;
		core_sleep_ms(10);
	}
	return -ETIMEDOUT;
}

/*
 * Waits for a DMA that somebody else has started, starts one, and waits until it
 * is over, whether or not it went well.
 */
static inline int edu_dma(struct edu_dev *dev, uint64_t src, uint64_t dst,
			  uint64_t len, uint64_t cmd)
{
	if (edu_wait(dev))
		return -ETIMEDOUT;
	edu_write(dev, EDU_DMA_SRC, src);
	edu_write(dev, EDU_DMA_DST, dst);
	edu_write(dev, EDU_DMA_LEN, len);
	edu_write(dev, EDU_DMA_CMD, cmd | EDU_DMA_RUN);
	return edu_wait(dev);
}

/*
 * Has the device copy 8 bytes from IOVA @src to @dst. What it cannot read leaves
 * its buffer as it was, what it cannot write is lost: look at the memory.
 */
static inline int edu_copy(struct edu_dev *dev, uint64_t src, uint64_t dst)
{
	return edu_dma(dev, src, EDU_BUFFER, 8, 0) ?:
	       edu_dma(dev, EDU_BUFFER, dst, 8, EDU_DMA_TO_RAM);
}

/* --- what the tests have in common -------------------------------------------------- */

/* Where the memory is mapped: a page to read, a page to write. */
#define VFIO_TEST_IOVA	0x100000UL
#define VFIO_TEST_SIZE	(2 * CORE_PAGE)
#define VFIO_TEST_SRC	VFIO_TEST_IOVA
#define VFIO_TEST_DST	(VFIO_TEST_IOVA + CORE_PAGE)
/* Where an x86 machine has its interrupts. */
#define VFIO_TEST_MSI	0xfee00000UL

/* The first two devices have a group each, the last two share one. */
#define VFIO_TEST_DEVS	4

struct vfio_test {
	const char *driver;	/* of the devices, to be set before */
	int fd;
	uint32_t as;
	uint32_t rid;		/* bound to @as */
	uint64_t *mem;		/* mapped in @as */
	struct vfio_hw hw[VFIO_TEST_DEVS];
	int group[VFIO_TEST_DEVS - 1];
	struct edu_dev dev[VFIO_TEST_DEVS];
};

static inline int vfio_test_bind(struct vfio_test *t)
{
	int i, ret = 0;

	if (!vfio_load_container())
		return -ENOENT;
	if (edu_find(t->hw, VFIO_TEST_DEVS) < VFIO_TEST_DEVS)
		return -ENODEV;
	for (i = 0; i < VFIO_TEST_DEVS && !ret; i++)
		ret = vfio_hw_bind(&t->hw[i], t->driver);
	return ret;
}

static inline int vfio_test_begin(struct vfio_test *t)
{
	int i, ret;

	for (i = 0; i < VFIO_TEST_DEVS; i++)
		t->dev[i] = (struct edu_dev) { .fd = -1 };
	ret = vfio_test_bind(t);
	if (ret)
		return ret;
	for (i = 0; i < VFIO_TEST_DEVS - 1; i++) {
		t->group[i] = vfio_group_open(&t->hw[i]);
		if (t->group[i] < 0)
			return t->group[i];
	}

	t->mem = sva_mem(VFIO_TEST_SIZE);
	t->fd = sva_open();
	if (!t->mem || t->fd < 0)
		return t->fd < 0 ? t->fd : -ENOMEM;
	return sva_as_alloc(t->fd, &t->as) ?:
	       iova_map_at(t->fd, t->as, CORE_RW, t->mem, VFIO_TEST_SIZE,
			   VFIO_TEST_IOVA) ?:
	       pasid_alloc_handle(t->fd, SVA_PASID_F_RID, &t->rid) ?:
	       sva_pasid_bind(t->fd, t->rid, t->as);
}

/* Answers whether nobody uses what it was about any more. */
static inline bool vfio_test_end(struct vfio_test *t)
{
	int i;

	for (i = 0; i < VFIO_TEST_DEVS; i++)
		edu_close(&t->dev[i]);
	for (i = 0; i < VFIO_TEST_DEVS - 1; i++)
		close(t->group[i]);
	for (i = 0; i < VFIO_TEST_DEVS; i++)
		vfio_pci_give_back(&t->hw[i]);
	close(t->fd);
	munmap(t->mem, VFIO_TEST_SIZE);
	return vfio_unused();
}

/* Whether a device copies within @mem if it is told to copy within the map. */
static inline bool vfio_reaches(struct vfio_test *t, int i, uint64_t *mem)
{
	static uint64_t stamp;
	uint64_t *dst = mem + CORE_PAGE / sizeof(*mem);

	/* What its buffer has from an earlier copy must not pass for this one. */
	mem[0] = ++stamp;
	dst[0] = 0;
	return !edu_copy(&t->dev[i], VFIO_TEST_SRC, VFIO_TEST_DST) &&
	       __atomic_load_n(dst, __ATOMIC_ACQUIRE) == stamp;
}

/* --- a program that uses a container ------------------------------------------------ */

/* What it has open. */
enum { VFIO_SVA, VFIO_CONTAINER, VFIO_GROUP, VFIO_DEVICE, VFIO_FDS };

struct vfio_user {
	int fd[VFIO_FDS];
	struct edu_dev dev;
	uint32_t as;
	uint32_t rid;
};

static inline int vfio_user_open(const struct vfio_hw *hw, struct vfio_user *u, uint64_t *mem)
{
	int ret;

	u->fd[VFIO_SVA] = sva_open();
	ret = sva_as_alloc(u->fd[VFIO_SVA], &u->as) ?:
	      iova_map_at(u->fd[VFIO_SVA], u->as, CORE_RW, mem, VFIO_TEST_SIZE,
			  VFIO_TEST_IOVA) ?:
	      pasid_alloc_handle(u->fd[VFIO_SVA], SVA_PASID_F_RID, &u->rid) ?:
	      sva_pasid_bind(u->fd[VFIO_SVA], u->rid, u->as);
	if (ret)
		return ret;
	u->fd[VFIO_GROUP] = vfio_group_open(hw);
	if (u->fd[VFIO_GROUP] < 0)
		return u->fd[VFIO_GROUP];
	u->fd[VFIO_CONTAINER] = vfio_container_with(u->fd[VFIO_GROUP], VFIO_SVA_IOMMU);
	if (u->fd[VFIO_CONTAINER] < 0)
		return u->fd[VFIO_CONTAINER];
	ret = container_set(u->fd[VFIO_CONTAINER], u->fd[VFIO_SVA], u->rid) ?:
	      edu_open(u->fd[VFIO_GROUP], hw, &u->dev);
	u->fd[VFIO_DEVICE] = u->dev.fd;
	return ret;
}

/* The mapping of its registers keeps the device open. */
static inline void vfio_user_close(struct vfio_user *u, int which)
{
	if (which == VFIO_DEVICE)
		edu_close(&u->dev);
	else
		close(u->fd[which]);
}

#endif /* VFIO_CONTAINER_H */
