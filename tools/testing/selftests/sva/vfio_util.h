/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of VFIO devices: binding their drivers, opening them in a container,
 * PASIDs on them, and an engine's registers.
 */
#ifndef VFIO_UTIL_H
#define VFIO_UTIL_H

#include <limits.h>
#include <linux/vfio.h>
#include <sys/eventfd.h>

#include <linux/sva_vfio.h>

#include "bond_util.h"
#include "sva_modules.h"

/* A device on a bus, that a VFIO driver is bound to or was. */
struct vfio_hw {
	char bus[16];
	char name[64];
	char driver[32];	/* which it had */
};

/* What a process has open of one. */
struct vfio_dev {
	int container;
	int group;
	int fd;
	off_t regs;		/* where region 0 begins */
	char *bar;		/* region 0 if it is mapped */
};

/* How much of region 0 is mapped; all that engines have */
#define VFIO_BAR_SIZE 0x2000

#define VFIO_DEV_NONE { .container = -1, .group = -1, .fd = -1 }

/* --- modules ----------------------------------------------------------------- */

/* In the order in which they can be unloaded */
static const char *const vfio_modules[] = {
	"sva_vfio_container", "sva_vfio_sim", "sva_vfio_pci", "sva_vfio", NULL,
};

/* Answers whether this kernel has them. */
static inline bool vfio_load(void)
{
	return !system("modprobe -a vfio_iommu_type1 vfio_pci sva_vfio_pci sva_vfio_sim");
}

static inline bool vfio_load_container(void)
{
	return vfio_load() && !system("modprobe sva_vfio_container");
}

static inline int vfio_unload(void)
{
	int i, ret = 0;

	for (i = 0; vfio_modules[i] && !ret; i++)
		if (modules_uses(vfio_modules[i]) >= 0)
			ret = modules_unload_one(vfio_modules[i]);
	return ret;
}

/* Answers whether nobody uses them, in a moment at the latest. */
static inline bool vfio_unused(void)
{
	int i, n;

	for (i = 0; vfio_modules[i]; i++) {
		for (n = 0; n < 200 && modules_uses(vfio_modules[i]) > 0; n++)
			core_sleep_ms(10);
		if (n == 200)
			return false;
	}
	return true;
}

static pid_t vfio_program;

static void __attribute__((constructor)) vfio_begin(void)
{
	vfio_program = getpid();
}

/*
 * They stay from test to test: the debug kernel takes seconds for each that goes. Other
 * programs unload what these need; so the process that runs the tests, when it ends.
 */
static void __attribute__((destructor)) vfio_end(void)
{
	int ret = getpid() == vfio_program ? vfio_unload() : 0;

	if (!ret)
		return;
	printf("# modules of VFIO cannot be unloaded: %s\n", strerror(-ret));
	fflush(stdout);
	_exit(1);
}

/* --- drivers ----------------------------------------------------------------- */

static inline void vfio_hw_path(const struct vfio_hw *hw, const char *file,
				char *path, size_t len)
{
	snprintf(path, len, "/sys/bus/%.15s/devices/%.63s/%s", hw->bus, hw->name,
		 file);
}

static inline int vfio_hw_write(const struct vfio_hw *hw, const char *file,
				const char *value)
{
	char path[160];

	vfio_hw_path(hw, file, path, sizeof(path));
	return sva_write_file(path, value);
}

/* The last part of what a link of the device points to. */
static inline int vfio_hw_link(const struct vfio_hw *hw, const char *file,
			       char *name, size_t len)
{
	char path[160], link[256];
	ssize_t n;

	vfio_hw_path(hw, file, path, sizeof(path));
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return -errno;
	link[n] = '\0';
	snprintf(name, len, "%s", strrchr(link, '/') + 1);
	return 0;
}

static inline int vfio_hw_unbind(const struct vfio_hw *hw)
{
	int ret = vfio_hw_write(hw, "driver/unbind", hw->name);

	return ret == -ENOENT ? 0 : ret;
}

/* Unbinds whatever is bound, and binds @driver, or what fits if it is "". */
static inline int vfio_hw_bind(const struct vfio_hw *hw, const char *driver)
{
	char path[64], bound[32];
	int ret;

	ret = vfio_hw_unbind(hw) ?:
	      vfio_hw_write(hw, "driver_override", driver[0] ? driver : "\n");
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "/sys/bus/%.15s/drivers_probe", hw->bus);
	ret = sva_write_file(path, hw->name);
	if (ret || !driver[0])
		return ret;
	ret = vfio_hw_link(hw, "driver", bound, sizeof(bound));
	return ret ?: strcmp(bound, driver) ? -ENODEV : 0;
}

/* --- software engines --------------------------------------------------------- */

/* Makes an engine, and a VFIO device of it; @iommu and @group may be NULL. */
static inline int vfio_sim_make(struct vfio_hw *hw, const char *name,
				const char *iommu, const char *group)
{
	int ret = sva_sim_create(name, iommu, NULL, group);

	if (ret < 0)
		return ret;
	close(ret);
	*hw = (struct vfio_hw) { .bus = "platform", .driver = "sva_sim" };
	ret = bond_hardware(name, hw->name, sizeof(hw->name)) ?:
	      vfio_hw_bind(hw, "sva-vfio-sim");
	if (ret)
		sva_sim_remove(name);
	return ret;
}

/* --- opening ------------------------------------------------------------------- */

static inline void vfio_close(struct vfio_dev *dev)
{
	if (dev->bar)
		munmap(dev->bar, VFIO_BAR_SIZE);
	if (dev->fd >= 0)
		close(dev->fd);
	if (dev->group >= 0)
		close(dev->group);
	if (dev->container >= 0)
		close(dev->container);
	*dev = (struct vfio_dev)VFIO_DEV_NONE;
}

/* Waits for udev, or for who has just been killed. */
static inline int vfio_group_open(const struct vfio_hw *hw)
{
	char group[32], path[64];
	int i, fd = -1;

	if (vfio_hw_link(hw, "iommu_group", group, sizeof(group)))
		return -ENODEV;
	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	for (i = 0; i < 500; i++) {
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 || (errno != ENOENT && errno != EBUSY))
			break;
		usleep(10000);
	}
	return fd < 0 ? -errno : fd;
}

/* @type: of the container's IOMMU, VFIO_TYPE1v2_IOMMU or another */
static inline int vfio_open_type(struct vfio_dev *dev, const struct vfio_hw *hw,
				 int type)
{
	struct vfio_region_info region = { .argsz = sizeof(region) };
	int ret;

	*dev = (struct vfio_dev)VFIO_DEV_NONE;
	dev->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (dev->container < 0)
		return -errno;
	dev->group = vfio_group_open(hw);
	if (dev->group < 0) {
		ret = dev->group;
		goto err;
	}
	if (ioctl(dev->group, VFIO_GROUP_SET_CONTAINER, &dev->container) ||
	    ioctl(dev->container, VFIO_SET_IOMMU, type))
		goto err_errno;
	dev->fd = ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD, hw->name);
	if (dev->fd < 0 || ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &region))
		goto err_errno;
	dev->regs = region.offset;
	return 0;

err_errno:
	ret = -errno;
err:
	vfio_close(dev);
	return ret;
}

static inline int vfio_open(struct vfio_dev *dev, const struct vfio_hw *hw)
{
	return vfio_open_type(dev, hw, VFIO_TYPE1v2_IOMMU);
}

/* --- PASIDs -------------------------------------------------------------------- */

/* VFIO_DEVICE_FEATURE with @size bytes of data, which come back. */
static inline int vfio_feature(int fd, uint32_t flags, void *data, size_t size)
{
	union {
		struct vfio_device_feature header;
		char room[8192];
	} cmd = {};
	int ret;

	cmd.header.argsz = sizeof(cmd.header) + size;
	cmd.header.flags = flags;
	memcpy(cmd.header.data, data, size);
	ret = sva_ioctl(fd, VFIO_DEVICE_FEATURE, &cmd);
	memcpy(data, cmd.header.data, size);
	return ret;
}

static inline int vfio_sva_info(int fd, struct sva_vfio_info *info)
{
	memset(info, 0, sizeof(*info));
	return vfio_feature(fd, VFIO_DEVICE_FEATURE_GET | SVA_VFIO_FEATURE_INFO,
			    info, sizeof(*info));
}

/* @event_fd: or -1. @number may be NULL. */
static inline int vfio_attach_event(int fd, int sva, uint32_t pasid, int event_fd,
				    uint32_t *number)
{
	struct sva_vfio_attach cmd = {
		.fd = sva, .pasid = pasid, .event_fd = event_fd,
	};
	int ret = vfio_feature(fd, VFIO_DEVICE_FEATURE_SET |
			       SVA_VFIO_FEATURE_ATTACH, &cmd, sizeof(cmd));

	if (number)
		*number = cmd.number;
	return ret;
}

static inline int vfio_attach(int fd, int sva, uint32_t pasid, uint32_t *number)
{
	return vfio_attach_event(fd, sva, pasid, -1, number);
}

static inline int vfio_detach(int fd, uint32_t number)
{
	struct sva_vfio_detach cmd = { .number = number };

	return vfio_feature(fd, VFIO_DEVICE_FEATURE_SET | SVA_VFIO_FEATURE_DETACH,
			    &cmd, sizeof(cmd));
}

/* --- an engine's registers -------------------------------------------------------- */

/* All ones if it cannot be read. */
static inline uint32_t vfio_reg(const struct vfio_dev *dev, uint32_t reg)
{
	uint32_t value = ~0u;

	if (dev->bar)
		return __atomic_load_n((uint32_t *)(dev->bar + reg),
				       __ATOMIC_ACQUIRE);
	if (pread(dev->fd, &value, sizeof(value), dev->regs + reg) != sizeof(value))
		return ~0u;
	return value;
}

static inline int vfio_reg_set(const struct vfio_dev *dev, uint32_t reg,
			       uint32_t value)
{
	if (dev->bar) {
		__atomic_store_n((uint32_t *)(dev->bar + reg), value,
				 __ATOMIC_RELEASE);
		return 0;
	}
	return pwrite(dev->fd, &value, sizeof(value), dev->regs + reg) ==
	       sizeof(value) ? 0 : -errno;
}

static inline uint32_t vfio_queue_reg(const struct vfio_dev *dev, uint32_t queue,
				      uint32_t reg)
{
	return vfio_reg(dev, SVA_SIM_REG_QUEUE(queue) + reg);
}

static inline int vfio_queue_set(const struct vfio_dev *dev, uint32_t queue,
				 uint32_t reg, uint32_t value)
{
	return vfio_reg_set(dev, SVA_SIM_REG_QUEUE(queue) + reg, value);
}

/* Starts a descriptor, with a PASID or SVA_SIM_REG_PASID_NONE. */
static inline int vfio_start(const struct vfio_dev *dev, uint32_t queue,
			     uint32_t pasid, const struct sva_sim_desc *desc)
{
	uint32_t words[sizeof(*desc) / 4], i;
	int ret = 0;

	memcpy(words, desc, sizeof(*desc));
	for (i = 0; i < sizeof(*desc) / 4 && !ret; i++)
		ret = vfio_queue_set(dev, queue, SVA_SIM_REG_DESC + 4 * i,
				     words[i]);
	return ret ?: vfio_queue_set(dev, queue, SVA_SIM_REG_PASID, pasid) ?:
	       vfio_queue_set(dev, queue, SVA_SIM_REG_CONTROL,
			      SVA_SIM_CONTROL_START);
}

/* Waits for it. Returns its status, as the registers say, or a negative errno. */
static inline int vfio_wait(const struct vfio_dev *dev, uint32_t queue)
{
	long end = bond_now_ms() + SVA_TIMEOUT_MS;
	uint32_t state;

	for (;;) {
		state = vfio_queue_reg(dev, queue, SVA_SIM_REG_STATE);
		if (state == SVA_SIM_STATE_DONE)
			break;
		if (state == ~0u)
			return -EIO;
		if (bond_now_ms() > end)
			return -ETIMEDOUT;
		usleep(100);
	}
	vfio_queue_set(dev, queue, SVA_SIM_REG_STATE, SVA_SIM_STATE_IDLE);
	return vfio_queue_reg(dev, queue, SVA_SIM_REG_RECORD);
}

static inline int vfio_run(const struct vfio_dev *dev, uint32_t queue,
			   uint32_t pasid, struct sva_sim_desc desc)
{
	return vfio_start(dev, queue, pasid, &desc) ?: vfio_wait(dev, queue);
}

/* As bond_copy(), with a completion record in memory. */
static inline int vfio_copy(const struct vfio_dev *dev, uint32_t queue,
			    uint32_t pasid, struct bond_mem *mem)
{
	struct sva_sim_desc desc = sva_sim_memcpy((uintptr_t)mem->dst,
						  (uintptr_t)mem->src,
						  sizeof(mem->src));
	int ret;

	desc.completion = (uintptr_t)&mem->done;
	memset(&mem->done, 0, sizeof(mem->done));
	memset(mem->dst, 0xee, sizeof(mem->dst));
	ret = vfio_run(dev, queue, pasid, desc);
	if (ret == SVA_SIM_STATUS_OK &&
	    (mem->done.status != SVA_SIM_STATUS_OK ||
	     memcmp(mem->src, mem->dst, sizeof(mem->src))))
		return -EBADMSG;
	return ret;
}

/* --- an address space ------------------------------------------------------------- */

/* What a VMM has: a context, memory that a PASID of it translates to. */
struct vfio_as {
	int fd;
	struct bond_mem *mem;
	uint32_t as;
	uint32_t pasid;
};

static inline int vfio_as_make(struct vfio_as *as)
{
	as->mem = bond_mem();
	as->fd = sva_open();
	if (!as->mem || as->fd < 0)
		return as->fd < 0 ? as->fd : -ENOMEM;
	return bond_as(as->fd, as->mem, &as->as) ?:
	       pasid_alloc(as->fd, 0, 0, 1, &as->pasid) ?:
	       sva_pasid_bind(as->fd, as->pasid, as->as);
}

static inline void vfio_as_end(struct vfio_as *as)
{
	if (as->fd >= 0)
		close(as->fd);
	as->fd = -1;
	if (as->mem)
		munmap(as->mem, sizeof(*as->mem));
	as->mem = NULL;
}

/* The type1 container's own map: what the RID translates to. */
static inline int vfio_type1_map(const struct vfio_dev *dev, void *va, size_t len,
				 uint64_t iova)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)va, .iova = iova, .size = len,
	};

	return sva_ioctl(dev->container, VFIO_IOMMU_MAP_DMA, &map);
}

/* Whether an eventfd was signalled, by now or soon. */
static inline bool vfio_signalled(int event_fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = event_fd, .events = POLLIN };
	uint64_t count;

	return poll(&pfd, 1, timeout_ms) == 1 &&
	       read(event_fd, &count, sizeof(count)) == sizeof(count);
}

/* Interrupts of an index, from @start on; fds of -1 for none. */
static inline int vfio_set_irqs(int fd, uint32_t index, uint32_t start,
				uint32_t count, const int32_t *fds)
{
	union {
		struct vfio_irq_set header;
		char room[sizeof(struct vfio_irq_set) + 32 * sizeof(int32_t)];
	} cmd = {};

	cmd.header.argsz = sizeof(cmd.header) + count * sizeof(*fds);
	cmd.header.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	cmd.header.index = index;
	cmd.header.start = start;
	cmd.header.count = count;
	memcpy(cmd.header.data, fds, count * sizeof(*fds));
	return sva_ioctl(fd, VFIO_DEVICE_SET_IRQS, &cmd);
}

#endif /* VFIO_UTIL_H */
