/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of VFIO devices that are PCI functions.
 */
#ifndef VFIO_PCI_UTIL_H
#define VFIO_PCI_UTIL_H

#include <dirent.h>
#include <linux/pci_regs.h>

#include "vfio_util.h"

/* Vendor and device of QEMU's edu and of our engine */
#define EDU_IDS		0x123411e8
#define ENGINE_IDS	0x123411e9

/* The function with these ids, 0xVVVVDDDD; the first if there are several. */
static inline int vfio_pci_find(struct vfio_hw *hw, uint32_t ids)
{
	DIR *dir = opendir("/sys/bus/pci/devices");
	struct dirent *entry;
	char path[300];
	uint16_t config[2];
	int ret = -ENODEV;

	while (dir && ret && (entry = readdir(dir))) {
		int fd;

		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config",
			 entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (pread(fd, config, 4, 0) == 4 && config[0] == ids >> 16 &&
		    config[1] == (ids & 0xffff)) {
			*hw = (struct vfio_hw) { .bus = "pci" };
			snprintf(hw->name, sizeof(hw->name), "%.60s", entry->d_name);
			ret = 0;
		}
		close(fd);
	}
	if (dir)
		closedir(dir);
	if (!ret && vfio_hw_link(hw, "driver", hw->driver, sizeof(hw->driver)))
		hw->driver[0] = '\0';
	return ret;
}

/* As it was found, so that the function's own driver has it again. */
static inline int vfio_pci_give_back(const struct vfio_hw *hw)
{
	return vfio_hw_bind(hw, "");
}

static inline int vfio_pci_region(int fd, uint32_t index,
				  struct vfio_region_info *info)
{
	*info = (struct vfio_region_info) {
		.argsz = sizeof(*info), .index = index,
	};
	return sva_ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, info);
}

/* A word of configuration space; ~0 if it cannot be read. */
static inline uint16_t vfio_pci_config(int fd, uint32_t at)
{
	struct vfio_region_info info;
	uint16_t value;

	if (vfio_pci_region(fd, VFIO_PCI_CONFIG_REGION_INDEX, &info) ||
	    pread(fd, &value, 2, info.offset + at) != 2)
		return 0xffff;
	return value;
}

static inline int vfio_pci_config_set(int fd, uint32_t at, uint16_t value)
{
	struct vfio_region_info info;
	int ret = vfio_pci_region(fd, VFIO_PCI_CONFIG_REGION_INDEX, &info);

	if (ret)
		return ret;
	return pwrite(fd, &value, 2, info.offset + at) == 2 ? 0 : -errno;
}

static inline int vfio_pci_master(int fd)
{
	return vfio_pci_config_set(fd, PCI_COMMAND,
				   vfio_pci_config(fd, PCI_COMMAND) |
				   PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
}

static inline int vfio_pci_map(struct vfio_dev *dev)
{
	void *bar = mmap(NULL, VFIO_BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			 dev->fd, dev->regs);

	if (bar == MAP_FAILED)
		return -errno;
	dev->bar = bar;
	return 0;
}

/*
 * Opens a function, makes it bus master, and with @map maps its first BAR. @type is
 * as in vfio_open_type().
 */
static inline int vfio_pci_open_type(struct vfio_dev *dev, const struct vfio_hw *hw,
				     int type, bool map)
{
	int ret = vfio_open_type(dev, hw, type);

	if (ret)
		return ret;
	ret = vfio_pci_master(dev->fd);
	if (!ret && map)
		ret = vfio_pci_map(dev);
	if (ret)
		vfio_close(dev);
	return ret;
}

/*
 * For functions with page requests. Between a page fault on a BAR and a reset, there
 * is a circle of locks of the kernel's own: where lockdep would stop at it, and see
 * nothing after that, registers are reached with read(2) and write(2).
 */
static inline int vfio_pci_open(struct vfio_dev *dev, const struct vfio_hw *hw)
{
	bool lockdep = !access("/proc/lockdep", F_OK);

	if (lockdep)
		printf("# lockdep: the BAR is not mapped\n");
	return vfio_pci_open_type(dev, hw, VFIO_TYPE1v2_IOMMU, !lockdep);
}

#endif /* VFIO_PCI_UTIL_H */
