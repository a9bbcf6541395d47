// SPDX-License-Identifier: GPL-2.0-only
/*
 * What there is to call of VFIO: engines that its driver has, their groups, the
 * containers of /dev/sva and those of type 1, PASIDs on devices, interrupts, registers,
 * configuration space where it is a PCI function, and iommufd beside all that.
 */
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/sva_vfio.h>
#include <linux/sva_vfio_container.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "describe.h"

#define IOMMUFD	"/dev/iommu"
/* Where vfio-pci has it, which programs should ask for */
#define CONFIG_SPACE	((uint64_t)VFIO_PCI_CONFIG_REGION_INDEX << 40)

/* --- calls that are no ioctls, or whose argument is no structure ----------------------- */

static long run_vfio_group(struct lane *lane, const uint64_t *arg)
{
	char node[32], path[64];
	int ret = engine_vfio_group(arg[0], node, sizeof(node));

	(void)lane;
	snprintf(path, sizeof(path), "/dev/vfio/%s", node);
	return ret ? ret : answer(open(path, O_RDWR));
}

/* A container that has the group, and is of that type, or of none yet if that is 0 */
static long container_of_type(int group, uint64_t type)
{
	int fd = open("/dev/vfio/vfio", O_RDWR);
	long ret;

	if (fd < 0)
		return -errno;
	ret = answer(ioctl(group, VFIO_GROUP_SET_CONTAINER, &fd));
	if (ret >= 0 && type)
		ret = answer(ioctl(fd, VFIO_SET_IOMMU, type));
	if (ret >= 0)
		return fd;
	close(fd);
	return ret;
}

static long run_vfio_container(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	return container_of_type(arg[0], arg[1]);
}

static long run_vfio_set_iommu(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	return answer(ioctl(arg[0], VFIO_SET_IOMMU, arg[1]));
}

static long run_vfio_extension(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	return answer(ioctl(arg[0], VFIO_CHECK_EXTENSION, arg[1]));
}

static long device_of_group(int group, uint64_t engine)
{
	char name[64];
	int ret = engine_device(engine, name, sizeof(name));

	return ret ? ret : answer(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name));
}

static long run_vfio_device(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	return device_of_group(arg[0], arg[1]);
}

/* The usual way: a container of its own, the group in it, and the device. */
static long run_vfio_open(struct lane *lane, const uint64_t *arg)
{
	long group = run_vfio_group(lane, arg), container = -1, fd;

	if (group < 0)
		return group;
	container = container_of_type(group, arg[1]);
	fd = container < 0 ? container : device_of_group(group, arg[0]);
	if (fd < 0) {
		close(container);
		close(group);
	}
	lane->result[1] = container;
	lane->result[2] = group;
	return fd;
}

static long run_open_iommufd(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	(void)arg;
	return answer(open(IOMMUFD, O_RDWR));
}

/* By its own node, which an iommufd is for. */
static long run_vfio_cdev(struct lane *lane, const uint64_t *arg)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = arg[1] };
	char node[32], path[64];
	int fd, ret = engine_vfio_node(arg[0], node, sizeof(node));

	if (ret)
		return ret;
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", node);
	fd = open(path, O_RDWR);
	if (fd >= 0 && arg[2] && ioctl(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	lane->result[1] = bind.out_devid;
	return answer(fd);
}

static long run_vfio_read(struct lane *lane, const uint64_t *arg)
{
	return answer(pread(arg[0], lane->data, arg[2] > PAGE ? PAGE : arg[2], arg[1]));
}

static long run_vfio_write(struct lane *lane, const uint64_t *arg)
{
	uint32_t value = arg[3];

	(void)lane;
	return answer(pwrite(arg[0], &value, sizeof(value),
			     SVA_SIM_REG_QUEUE(arg[1]) + arg[2]));
}

/* Whether it may do DMA is decided there, and other things that only a function has. */
static long run_vfio_config(struct lane *lane, const uint64_t *arg)
{
	uint16_t value = arg[2];

	(void)lane;
	return answer(pwrite(arg[0], &value, sizeof(value), CONFIG_SPACE + arg[1]));
}

/* What vfio_start() gives to a queue: its registers from the first one on */
struct queue {
	struct sva_sim_desc desc;
	uint32_t pasid;
	uint32_t control;
};

static long run_vfio_start(struct lane *lane, const uint64_t *arg)
{
	off_t regs = SVA_SIM_REG_QUEUE(arg[1]);
	uint32_t idle = SVA_SIM_STATE_IDLE;
	struct queue queue = {
		.desc = {
			.op = arg[4], .src = arg[5], .dst = arg[6], .len = arg[7],
			.completion = arg[8],
		},
		.pasid = arg[3] ? arg[2] : SVA_SIM_REG_PASID_NONE,
		.control = SVA_SIM_CONTROL_START,
	};

	(void)lane;
	/* It takes the next one when it is known to have done the last one. */
	if (pwrite(arg[0], &idle, sizeof(idle), regs + SVA_SIM_REG_STATE) < 0)
		return -errno;
	return answer(pwrite(arg[0], &queue, sizeof(queue), regs));
}

/* --- structures that linux/vfio.h has in parts ------------------------------------------ */

struct set_container {
	__s32 fd;
};

struct set_irqs {
	__u32 argsz;
	__u32 flags;
	__u32 index;
	__u32 start;
	__u32 count;
	__s32 fd[2];
};

struct feature_info {
	__u32 argsz;
	__u32 flags;
	struct sva_vfio_info info;
};

struct feature_attach {
	__u32 argsz;
	__u32 flags;
	struct sva_vfio_attach attach;
};

struct feature_detach {
	__u32 argsz;
	__u32 flags;
	struct sva_vfio_detach detach;
};

/* --- the values that make sense --------------------------------------------------------- */

static const uint64_t v_take[] = { 0, 3 };
static const uint64_t v_bool[] = { 1, 1, 1, 0 };
static const uint64_t v_index[] = { 0, 0, 0, 1, 2, 7, 9 };
static const uint64_t v_irq[] = { 0, 0, 1, 7, 8 };
static const uint64_t v_irqs[] = { 1, 1, 2, 8, 0, 9, UINT32_MAX };
static const uint64_t v_none[] = { -1ULL };
static const uint64_t v_queue[] = { 0, 0, 1, 2, 7, 8 };
static const uint64_t v_control[] = { SVA_SIM_CONTROL_ABORT, 0, 1, 2, 3 };

static const uint64_t v_type[] = {
	VFIO_SVA_IOMMU, VFIO_SVA_IOMMU, VFIO_SVA_IOMMU, VFIO_TYPE1v2_IOMMU,
	VFIO_TYPE1_IOMMU, 0,
};

static const uint64_t v_extension[] = {
	VFIO_SVA_IOMMU, VFIO_DMA_CC_IOMMU, VFIO_TYPE1v2_IOMMU, 0,
};

static const uint64_t v_irq_flags[] = {
	VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
	VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
	VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_TRIGGER,
	VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_MASK, 0,
};

#define FEATURE(_how, _what)	(VFIO_DEVICE_FEATURE_##_how | SVA_VFIO_FEATURE_##_what)

static const uint64_t v_feature_info[] = {
	FEATURE(GET, INFO), FEATURE(PROBE, INFO) | VFIO_DEVICE_FEATURE_GET,
	FEATURE(SET, INFO), VFIO_DEVICE_FEATURE_GET,
};

static const uint64_t v_feature_attach[] = {
	FEATURE(SET, ATTACH), FEATURE(SET, ATTACH), FEATURE(SET, ATTACH),
	FEATURE(PROBE, ATTACH), FEATURE(GET, ATTACH), FEATURE(SET, DETACH),
};

static const uint64_t v_feature_detach[] = {
	FEATURE(SET, DETACH), FEATURE(SET, DETACH), FEATURE(SET, DETACH),
	FEATURE(PROBE, DETACH), FEATURE(GET, DETACH), FEATURE(SET, INFO),
};

static const uint64_t v_offset[] = {
	0, SVA_SIM_REG_QUEUE(0), SVA_SIM_REG_QUEUE(0) + SVA_SIM_REG_STATE,
	SVA_SIM_REG_QUEUE(7) + SVA_SIM_REG_RECORD, SVA_SIM_REG_QUEUE(8),
	SVA_SIM_REG_QUEUE(16) - 4, SVA_SIM_REG_QUEUE(16), 2, -4ULL,
	CONFIG_SPACE, CONFIG_SPACE + 0x100,
};

static const uint64_t v_config[] = {
	PCI_COMMAND, PCI_COMMAND, PCI_COMMAND, PCI_BASE_ADDRESS_0, PCI_CAPABILITY_LIST,
	0x48, 0x106, 0x126, 0xffe,
};

static const uint64_t v_config_value[] = {
	PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY,
	PCI_COMMAND_MEMORY, 0, 0xffff, PCI_EXP_DEVCTL_BCR_FLR,
};

static const uint64_t v_map_flags[] = {
	VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
	VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE, VFIO_DMA_MAP_FLAG_READ,
	VFIO_DMA_MAP_FLAG_VADDR, 0,
};

static const uint64_t v_unmap_flags[] = {
	0, 0, VFIO_DMA_UNMAP_FLAG_ALL, VFIO_DMA_UNMAP_FLAG_VADDR,
	VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
};

static const uint64_t v_ioas_flags[] = {
	IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
	IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
	IOMMU_IOAS_MAP_READABLE, IOMMU_IOAS_MAP_FIXED_IOVA,
};

static const uint64_t v_hwpt_flags[] = {
	IOMMU_HWPT_ALLOC_PASID, IOMMU_HWPT_ALLOC_PASID, 0,
	IOMMU_HWPT_ALLOC_NEST_PARENT, IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
};

static const uint64_t v_pt_flags[] = { 0, VFIO_DEVICE_ATTACH_PASID };

static const uint64_t v_reg[] = {
	SVA_SIM_REG_CONTROL, SVA_SIM_REG_CONTROL, SVA_SIM_REG_STATE, SVA_SIM_REG_PASID,
	SVA_SIM_REG_DESC, SVA_SIM_REG_RECORD, SVA_SIM_REG_NOT_WRITTEN, 1,
};

static const uint64_t v_read_len[] = { 4, 4, 8, 0x100, PAGE, 0, 2 };

/* --- the table ----------------------------------------------------------------------- */

#define ENGINE	{ .name = "engine", .type = T_RESULT, .kinds = K_VFIO_ENGINE, \
		  LIST(v_own_engine) }
#define K_PT	(K_IOAS | K_HWPT)

const struct call vfio_calls[] = {
	/* --- engines that VFIO's driver has */
	{ RUN(vfio_make, 3), .field = { ARG(engine, T_NUMBER, own_engine),
		     ARG(iommu, T_NUMBER, iommu), ARG(pasid_bits, T_CHOICE, pasid_bits),
		     ARG(group, T_CHOICE, group), ARG(prq_group, T_CHOICE, prq_group),
		     ARG_TYPE(sw_msi, T_ZERO), ARG_TYPE(shared_msi, T_ZERO) },
	  .result = { RETURNS(engine, K_VFIO_ENGINE) } },
	{ RUN(vfio_take, 4), .field = { ENGINE, ARG(how, T_NUMBER, take) } },

	/* --- groups and containers */
	{ RUN(vfio_group, 2), .field = { ENGINE }, .result = { RETURNS(fd, K_VFIO_GROUP) } },
	{ RUN(vfio_container, 2), .field = { ARG_REF(group, K_VFIO_GROUP),
					     ARG(type, T_CHOICE, type) },
	  .result = { RETURNS(fd, K_CONTAINER) } },
	{ IOCTL("vfio_join", 3, VFIO_GROUP_SET_CONTAINER, set_container),
	  .field = { ON(K_VFIO_GROUP),
		     REF(set_container, fd, K_CONTAINER | K_IOMMUFD, fd) } },
	{ IOCTL("vfio_leave", 3, VFIO_GROUP_UNSET_CONTAINER, set_container),
	  .field = { ON(K_VFIO_GROUP) } },
	{ RUN(vfio_set_iommu, 3), .field = { ARG_REF(fd, K_CONTAINER),
					     ARG(type, T_CHOICE, type) } },
	{ RUN(vfio_extension, 1), .field = { ARG_REF(fd, K_CONTAINER),
					     ARG(extension, T_CHOICE, extension) } },
	{ IOCTL("container_set", 12, SVA_CONTAINER_SET, sva_container_set),
	  .field = { ON(K_CONTAINER), SIZE(sva_container_set),
		     ZERO(sva_container_set, flags),
		     REF(sva_container_set, fd, K_SVA | K_GRANT, fd),
		     REF(sva_container_set, rid, K_RID, pasid) } },
	{ IOCTL("container_block", 2, SVA_CONTAINER_SET, sva_container_set),
	  .field = { ON(K_CONTAINER), SIZE(sva_container_set),
		     CHOICE(sva_container_set, fd, none), ZERO(sva_container_set, rid) } },
	{ IOCTL("container_info", 3, SVA_CONTAINER_INFO, sva_container_info),
	  .field = { ON(K_CONTAINER), SIZE(sva_container_info),
		     ZERO(sva_container_info, flags) } },

	{ IOCTL("vfio_iommu_info", 1, VFIO_IOMMU_GET_INFO, vfio_iommu_type1_info),
	  .field = { ON(K_CONTAINER), SIZE_OF(vfio_iommu_type1_info, argsz) } },
	{ IOCTL("vfio_map", 5, VFIO_IOMMU_MAP_DMA, vfio_iommu_type1_dma_map),
	  .field = { ON(K_CONTAINER), SIZE_OF(vfio_iommu_type1_dma_map, argsz),
		     CHOICE(vfio_iommu_type1_dma_map, flags, map_flags),
		     MEMORY(vfio_iommu_type1_dma_map, vaddr),
		     ADDRESS(vfio_iommu_type1_dma_map, iova),
		     LENGTH(vfio_iommu_type1_dma_map, size) } },
	{ IOCTL("vfio_unmap", 3, VFIO_IOMMU_UNMAP_DMA, vfio_iommu_type1_dma_unmap),
	  .field = { ON(K_CONTAINER), SIZE_OF(vfio_iommu_type1_dma_unmap, argsz),
		     CHOICE(vfio_iommu_type1_dma_unmap, flags, unmap_flags),
		     ADDRESS(vfio_iommu_type1_dma_unmap, iova),
		     LENGTH(vfio_iommu_type1_dma_unmap, size) } },

	/* --- devices */
	{ RUN(vfio_open, 9), .field = { ENGINE, ARG(type, T_CHOICE, type) },
	  .result = { RETURNS(fd, K_VFIO), RETURNS(container, K_CONTAINER),
		      RETURNS(group, K_VFIO_GROUP) } },
	{ RUN(vfio_device, 2), .field = { ARG_REF(group, K_VFIO_GROUP), ENGINE },
	  .result = { RETURNS(fd, K_VFIO) } },
	{ IOCTL("vfio_info", 1, VFIO_DEVICE_GET_INFO, vfio_device_info),
	  .field = { ON(K_VFIO), SIZE_OF(vfio_device_info, argsz) } },
	{ IOCTL("vfio_region_info", 1, VFIO_DEVICE_GET_REGION_INFO, vfio_region_info),
	  .field = { ON(K_VFIO), SIZE_OF(vfio_region_info, argsz),
		     CHOICE(vfio_region_info, index, index) } },
	{ IOCTL("vfio_irq_info", 1, VFIO_DEVICE_GET_IRQ_INFO, vfio_irq_info),
	  .field = { ON(K_VFIO), SIZE_OF(vfio_irq_info, argsz),
		     CHOICE(vfio_irq_info, index, index) } },
	{ IOCTL("vfio_set_irqs", 4, VFIO_DEVICE_SET_IRQS, set_irqs),
	  .field = { ON(K_VFIO), SIZE_OF(set_irqs, argsz),
		     CHOICE(set_irqs, flags, irq_flags), CHOICE(set_irqs, index, index),
		     CHOICE(set_irqs, start, irq), CHOICE(set_irqs, count, irqs),
		     REF(set_irqs, fd[0], K_EVENTFD, none),
		     REF(set_irqs, fd[1], K_EVENTFD, none) } },
	{ IOCTL("vfio_reset", 3, VFIO_DEVICE_RESET, set_container), .field = { ON(K_VFIO) } },
	{ IOCTL("vfio_sva_info", 2, VFIO_DEVICE_FEATURE, feature_info),
	  .field = { ON(K_VFIO), SIZE_OF(feature_info, argsz),
		     CHOICE(feature_info, flags, feature_info) } },
	{ IOCTL("vfio_attach", 14, VFIO_DEVICE_FEATURE, feature_attach),
	  .field = { ON(K_VFIO), SIZE_OF(feature_attach, argsz),
		     CHOICE(feature_attach, flags, feature_attach),
		     ZERO(feature_attach, attach.flags),
		     REF(feature_attach, attach.fd, K_SVA | K_GRANT, fd),
		     REF(feature_attach, attach.pasid, K_PASID, pasid),
		     REF(feature_attach, attach.event_fd, K_EVENTFD, none),
		     ZERO(feature_attach, attach.__reserved) },
	  .result = { OUT_AS("number", feature_attach, attach.number, K_NUMBER) } },
	{ IOCTL("vfio_detach", 6, VFIO_DEVICE_FEATURE, feature_detach),
	  .field = { ON(K_VFIO), SIZE_OF(feature_detach, argsz),
		     CHOICE(feature_detach, flags, feature_detach),
		     ZERO(feature_detach, detach.flags),
		     REF(feature_detach, detach.number, K_NUMBER, pasid) } },

	/* --- registers and configuration space */
	{ RUN(vfio_start, 12), .field = { ARG_REF(fd, K_VFIO), ARG(queue, T_CHOICE, queue),
		     ARG_REF(pasid, K_NUMBER | K_PASID), ARG(tagged, T_CHOICE, bool),
		     ARG(op, T_NUMBER, sim_op), ARG_TYPE(src, T_ADDRESS),
		     ARG_TYPE(dst, T_ADDRESS), ARG_TYPE(length, T_LENGTH),
		     ARG_TYPE(completion, T_ADDRESS) } },
	{ RUN(vfio_write, 4), .field = { ARG_REF(fd, K_VFIO), ARG(queue, T_CHOICE, queue),
		     ARG(reg, T_CHOICE, reg), ARG(value, T_CHOICE, control) } },
	{ RUN(vfio_read, 3), .field = { ARG_REF(fd, K_VFIO), ARG(offset, T_CHOICE, offset),
					ARG(length, T_CHOICE, read_len) } },
	{ RUN(vfio_config, 2), .field = { ARG_REF(fd, K_VFIO), ARG(at, T_CHOICE, config),
					  ARG(value, T_CHOICE, config_value) } },

	/* --- iommufd, where the kernel has it */
	{ RUN(open_iommufd, 1), .needs = IOMMUFD, .result = { RETURNS(fd, K_IOMMUFD) } },
	{ IOCTL("ioas_alloc", 1, IOMMU_IOAS_ALLOC, iommu_ioas_alloc), .needs = IOMMUFD,
	  .field = { ON(K_IOMMUFD), SIZE(iommu_ioas_alloc) },
	  .result = { OUT_AS("id", iommu_ioas_alloc, out_ioas_id, K_IOAS) } },
	{ IOCTL("ioas_map", 3, IOMMU_IOAS_MAP, iommu_ioas_map), .needs = IOMMUFD,
	  .field = { ON(K_IOMMUFD), SIZE(iommu_ioas_map),
		     CHOICE(iommu_ioas_map, flags, ioas_flags),
		     REF(iommu_ioas_map, ioas_id, K_IOAS, pasid),
		     MEMORY(iommu_ioas_map, user_va), LENGTH(iommu_ioas_map, length),
		     ADDRESS(iommu_ioas_map, iova) },
	  .result = { OUT(iommu_ioas_map, iova, K_IOVA) } },
	{ IOCTL("ioas_unmap", 2, IOMMU_IOAS_UNMAP, iommu_ioas_unmap), .needs = IOMMUFD,
	  .field = { ON(K_IOMMUFD), SIZE(iommu_ioas_unmap),
		     REF(iommu_ioas_unmap, ioas_id, K_IOAS, pasid),
		     ADDRESS(iommu_ioas_unmap, iova), LENGTH(iommu_ioas_unmap, length) } },
	{ IOCTL("hwpt_alloc", 2, IOMMU_HWPT_ALLOC, iommu_hwpt_alloc), .needs = IOMMUFD,
	  .field = { ON(K_IOMMUFD), SIZE(iommu_hwpt_alloc),
		     CHOICE(iommu_hwpt_alloc, flags, hwpt_flags),
		     REF(iommu_hwpt_alloc, dev_id, K_IOMMUFD_DEV, pasid),
		     REF(iommu_hwpt_alloc, pt_id, K_IOAS, pasid) },
	  .result = { OUT_AS("id", iommu_hwpt_alloc, out_hwpt_id, K_HWPT) } },
	{ IOCTL("iommufd_destroy", 2, IOMMU_DESTROY, iommu_destroy), .needs = IOMMUFD,
	  .field = { ON(K_IOMMUFD), SIZE(iommu_destroy),
		     REF(iommu_destroy, id, K_PT, pasid) } },
	{ RUN(vfio_cdev, 2), .needs = IOMMUFD, .field = { ENGINE, ARG_REF(iommufd, K_IOMMUFD),
					ARG(bind, T_CHOICE, bool) },
	  .result = { RETURNS(fd, K_VFIO), RETURNS(dev, K_IOMMUFD_DEV) } },
	{ IOCTL("vfio_attach_ioas", 4, VFIO_DEVICE_ATTACH_IOMMUFD_PT,
		vfio_device_attach_iommufd_pt), .needs = IOMMUFD,
	  .field = { ON(K_VFIO), SIZE_OF(vfio_device_attach_iommufd_pt, argsz),
		     CHOICE(vfio_device_attach_iommufd_pt, flags, pt_flags),
		     REF(vfio_device_attach_iommufd_pt, pt_id, K_PT, pasid),
		     REF(vfio_device_attach_iommufd_pt, pasid, K_PASID, pasid) } },
	{ IOCTL("vfio_detach_ioas", 2, VFIO_DEVICE_DETACH_IOMMUFD_PT,
		vfio_device_detach_iommufd_pt), .needs = IOMMUFD,
	  .field = { ON(K_VFIO), SIZE_OF(vfio_device_detach_iommufd_pt, argsz),
		     CHOICE(vfio_device_detach_iommufd_pt, flags, pt_flags),
		     REF(vfio_device_detach_iommufd_pt, pasid, K_PASID, pasid) } },
};

const unsigned int nr_vfio_calls = ARRAY_SIZE(vfio_calls);
