/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small guest: memory that a nesting parent maps, and stage-1 tables in it as
 * an x86-64 kernel would build them.
 */
#ifndef GUEST_H
#define GUEST_H

#include <libgen.h>
#include <limits.h>
#include <linux/iommufd.h>

#include "sva_core.h"

/* Where guest memory begins, and how much there is. */
#define GUEST_BASE	0x100000000ULL
#ifndef GUEST_SIZE
#define GUEST_SIZE	(16ULL << 20)
#endif

/* Where each guest process has its completion records. */
#define GUEST_RECORD	0x7f0000000000ULL

/* Bits of stage-1 entries: Intel SDM volume 3, 4.5; VT-d 4.1, 9.9. */
#define PTE_P		0x01ULL
#define PTE_W		0x02ULL
#define PTE_U		0x04ULL
#define PTE_A		0x20ULL
#define PTE_D		0x40ULL
#define PTE_PS		0x80ULL
#define PTE_ADDR	0x000ffffffffff000ULL
#define PTE_RWU		(PTE_P | PTE_W | PTE_U)

struct guest {
	int fd;			/* /dev/sva */
	int sim;		/* a queue of the engine */
	int file;		/* the memory */
	char engine[32];
	char node[32];		/* the engine's device node */
	char *ram;
	uint64_t used;
	uint32_t dev;		/* sva device id of the engine */
	uint32_t parent;
};

/* A process of the guest. */
struct guest_space {
	struct guest *guest;
	uint64_t root;
	int levels;
	uint32_t as;
	bool rid;		/* it has a RID handle, and no PASID */
	uint32_t pasid;
};

static inline int guest_device_info(int fd, uint32_t flags, uint32_t id,
				    struct sva_device_info *info)
{
	*info = (struct sva_device_info) {
		.size = sizeof(*info), .flags = flags, .dev_id = id,
	};
	return sva_ioctl(fd, SVA_DEVICE_INFO, info);
}

/* Finds the sva device behind /dev/NODE. */
static inline int guest_find_device(int fd, const char *node, uint32_t *id)
{
	char path[64], target[PATH_MAX];
	struct sva_device_info info;
	ssize_t n;
	int ret;

	snprintf(path, sizeof(path), "/sys/class/sva_sim/%s/device", node);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';

	for (*id = 0; ; *id = info.dev_id + 1) {
		ret = guest_device_info(fd, SVA_DEVICE_F_NEXT, *id, &info);
		if (ret)
			return ret;
		if (!strcmp(info.name, basename(target))) {
			*id = info.dev_id;
			return 0;
		}
	}
}

static inline int guest_parent(int fd, uint32_t flags, uint32_t *as)
{
	struct sva_as_alloc cmd = {
		.size = sizeof(cmd), .flags = flags, .type = SVA_AS_TYPE_IOVA,
	};
	int ret = sva_ioctl(fd, SVA_AS_ALLOC, &cmd);

	*as = cmd.id;
	return ret;
}

static inline int guest_memory(struct guest *g)
{
	uint64_t iova = GUEST_BASE;

	g->file = memfd_create("guest", MFD_CLOEXEC);
	if (g->file < 0 || ftruncate(g->file, GUEST_SIZE))
		return -errno;
	g->ram = mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		      g->file, 0);
	if (g->ram == MAP_FAILED)
		return -errno;
	return iova_map_file(g->fd, g->parent, CORE_RW | SVA_IOVA_F_FIXED,
			     g->file, 0, GUEST_SIZE, &iova);
}

/* All but the engine. */
static inline int guest_init_rest(struct guest *g)
{
	int ret;

	g->fd = sva_open();
	if (g->fd < 0)
		return g->fd;
	ret = guest_find_device(g->fd, g->node, &g->dev);
	if (!ret)
		ret = guest_parent(g->fd, SVA_AS_F_NEST_PARENT, &g->parent);
	return ret ? ret : guest_memory(g);
}

/* Makes a guest with an engine behind an instance of the software IOMMU. */
static inline int guest_init(struct guest *g, const char *iommu)
{
	static int number;
	char what[16];
	int ret;

	memset(g, 0, sizeof(*g));
	snprintf(what, sizeof(what), "guest%d", number++);
	sva_sim_name(g->engine, sizeof(g->engine), what);
	g->sim = sva_sim_create(g->engine, iommu, NULL, NULL);
	if (g->sim < 0)
		return g->sim;
	ret = sva_sim_get(g->engine, "dev", g->node, sizeof(g->node));
	return ret ? ret : guest_init_rest(g);
}

/* Makes a guest with an engine that is there. */
static inline int guest_init_with(struct guest *g, const char *node)
{
	memset(g, 0, sizeof(*g));
	snprintf(g->node, sizeof(g->node), "%s", node);
	g->sim = sva_sim_open_name(node);
	return g->sim < 0 ? g->sim : guest_init_rest(g);
}

static inline int guest_exit(struct guest *g)
{
	close(g->sim);
	close(g->fd);
	munmap(g->ram, GUEST_SIZE);
	close(g->file);
	return g->engine[0] ? sva_sim_remove(g->engine) : 0;
}

/* Guest-physical memory that nobody has used yet. */
static inline uint64_t guest_alloc(struct guest *g, uint64_t size)
{
	uint64_t gpa = GUEST_BASE + g->used;

	if (g->used + size > GUEST_SIZE)
		abort();
	g->used += size;
	return gpa;
}

static inline void *guest_ptr(const struct guest *g, uint64_t gpa)
{
	return g->ram + (gpa - GUEST_BASE);
}

/* The entry of an address, at a level of which 0 is the lowest. */
static inline uint64_t *guest_entry(const struct guest_space *s, uint64_t gva,
				    int level)
{
	uint64_t table = s->root;
	int at;

	for (at = s->levels - 1; ; at--) {
		uint64_t *entry = (uint64_t *)guest_ptr(s->guest, table) +
				  (gva >> (12 + 9 * at) & 511);

		if (at == level)
			return entry;
		if (!(*entry & PTE_P))
			*entry = guest_alloc(s->guest, CORE_PAGE) | PTE_RWU;
		table = *entry & PTE_ADDR;
	}
}

static inline void guest_map(const struct guest_space *s, uint64_t gva,
			     uint64_t gpa, uint64_t bits, int level)
{
	uint64_t *entry = guest_entry(s, gva, level);

	__atomic_store_n(entry, gpa | bits | (level ? PTE_PS : 0),
			 __ATOMIC_RELEASE);
}

/* A new page at an address; returns where the program sees it. */
static inline void *guest_map_new(const struct guest_space *s, uint64_t gva)
{
	uint64_t gpa = guest_alloc(s->guest, CORE_PAGE);

	guest_map(s, gva, gpa, PTE_RWU, 0);
	return guest_ptr(s->guest, gpa);
}

static inline void guest_space_init(struct guest_space *s, struct guest *g,
				    int levels)
{
	*s = (struct guest_space) { .guest = g, .levels = levels };
	s->root = guest_alloc(g, CORE_PAGE);
	guest_map_new(s, GUEST_RECORD);
}

static inline int guest_nest_as(int fd, uint32_t parent, uint32_t dev,
				int faultq, const struct iommu_hwpt_vtd_s1 *s1,
				uint32_t *as)
{
	struct sva_as_alloc cmd = {
		.size = sizeof(cmd), .type = SVA_AS_TYPE_NESTED,
		.parent_id = parent, .dev_id = dev,
		.data_type = IOMMU_HWPT_DATA_VTD_S1,
		.data_len = sizeof(*s1), .data_uptr = (uintptr_t)s1,
	};
	int ret;

	if (faultq >= 0) {
		cmd.flags = SVA_AS_F_FAULT;
		cmd.fault_fd = faultq;
	}
	ret = sva_ioctl(fd, SVA_AS_ALLOC, &cmd);
	*as = cmd.id;
	return ret;
}

/* Makes the address space of a process. @faultq may be -1. */
static inline int guest_nest(struct guest_space *s, int faultq)
{
	struct iommu_hwpt_vtd_s1 s1 = {
		.pgtbl_addr = s->root,
		.addr_width = s->levels == 5 ? 57 : 48,
	};

	return guest_nest_as(s->guest->fd, s->guest->parent, s->guest->dev,
			     faultq, &s1, &s->as);
}

/* Makes a process with a PASID or RID handle, and attaches a queue to it. */
static inline int guest_start(struct guest_space *s, int sim, int faultq)
{
	struct guest *g = s->guest;
	int ret = guest_nest(s, faultq);

	if (!ret)
		ret = sva_pasid_alloc(g->fd, s->rid ? SVA_PASID_F_RID : 0, 0, 0,
				      &s->pasid);
	if (!ret)
		ret = sva_pasid_bind(g->fd, s->pasid, s->as);
	if (!ret)
		ret = sva_sim_attach(sim, g->fd, s->pasid, NULL);
	return ret;
}

static inline struct sva_sim_completion *guest_record(const struct guest_space *s)
{
	uint64_t pte = *guest_entry(s, GUEST_RECORD, 0);

	return guest_ptr(s->guest, pte & PTE_ADDR);
}

/* Queues a descriptor with the process's record. */
static inline int guest_submit(const struct guest_space *s, int sim,
			       struct sva_sim_desc desc)
{
	memset(guest_record(s), 0, sizeof(struct sva_sim_completion));
	desc.completion = GUEST_RECORD;
	return sva_sim_submit(sim, &desc);
}

/* Executes it. Its status, PENDING if not even that could be written, or < 0. */
static inline int guest_run(const struct guest_space *s, int sim,
			    struct sva_sim_desc desc)
{
	struct pollfd pfd = { .fd = sim, .events = POLLIN };
	uint64_t count;
	int ret = guest_submit(s, sim, desc);

	if (ret)
		return ret;
	if (poll(&pfd, 1, SVA_TIMEOUT_MS) != 1)
		return -ETIMEDOUT;
	if (read(sim, &count, sizeof(count)) < 0)
		return -errno;
	return __atomic_load_n(&guest_record(s)->status, __ATOMIC_ACQUIRE);
}

static inline int guest_fill(const struct guest_space *s, int sim, uint64_t gva,
			     uint64_t pattern)
{
	return guest_run(s, sim, sva_sim_fill(gva, pattern, 8));
}

/* Reads 8 bytes with the engine, by their checksum. 0 and 1: whether equal. */
static inline int guest_reads(const struct guest_space *s, int sim,
			      uint64_t gva, uint64_t value)
{
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_CRC32C, .src = gva, .len = 8,
	};
	int ret = guest_run(s, sim, desc);

	if (ret != SVA_SIM_STATUS_OK)
		return ret < 0 ? ret : -EFAULT;
	return guest_record(s)->result == sva_crc32c(&value, 8);
}

/* Why the engine's last access failed. */
static inline int guest_fault(const struct guest *g)
{
	return sva_sim_count(g->engine, "last_fault");
}

/* @num: In: how many. Out: how many were handled. */
static inline int guest_invalidate_raw(int fd, uint32_t as, uint32_t type,
				       const void *data, uint32_t len,
				       uint32_t *num)
{
	struct sva_invalidate cmd = {
		.size = sizeof(cmd), .as_id = as, .data_type = type,
		.entry_len = len, .entry_num = *num,
		.data_uptr = (uintptr_t)data,
	};
	int ret = sva_ioctl(fd, SVA_INVALIDATE, &cmd);

	*num = cmd.entry_num;
	return ret;
}

static inline int guest_invalidate(const struct guest_space *s, uint64_t addr,
				   uint64_t npages, uint32_t flags)
{
	struct iommu_hwpt_vtd_s1_invalidate inv = {
		.addr = addr, .npages = npages, .flags = flags,
	};
	uint32_t num = 1;

	return guest_invalidate_raw(s->guest->fd, s->as,
				    IOMMU_HWPT_INVALIDATE_DATA_VTD_S1, &inv,
				    sizeof(inv), &num);
}

/* --- page requests ----------------------------------------------------------- */

/* Waits for page requests; how many were read, or a negative errno. */
static inline int guest_read_faults(int faultq, struct sva_fault *faults,
				    unsigned int room)
{
	struct pollfd pfd = { .fd = faultq, .events = POLLIN };
	ssize_t n;

	if (poll(&pfd, 1, SVA_TIMEOUT_MS) != 1)
		return -ETIMEDOUT;
	n = read(faultq, faults, room * sizeof(*faults));
	return n < 0 ? -errno : (int)(n / sizeof(*faults));
}

static inline int guest_respond(int faultq, uint32_t cookie, uint32_t code)
{
	struct sva_fault_response resp = { .cookie = cookie, .code = code };
	ssize_t n = write(faultq, &resp, sizeof(resp));

	if (n < 0)
		return -errno;
	return n == sizeof(resp) ? 0 : -EIO;
}

/* Waits for what guest_submit() has queued; its status. */
static inline int guest_wait(const struct guest_space *s, int sim)
{
	struct pollfd pfd = { .fd = sim, .events = POLLIN };
	uint64_t count;

	if (poll(&pfd, 1, SVA_TIMEOUT_MS) != 1)
		return -ETIMEDOUT;
	if (read(sim, &count, sizeof(count)) < 0)
		return -errno;
	return __atomic_load_n(&guest_record(s)->status, __ATOMIC_ACQUIRE);
}

#endif /* GUEST_H */
