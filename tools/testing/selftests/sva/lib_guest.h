/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest for the tests of libsva: memory that a nesting parent maps, one
 * stage-1 table in it, and an engine of its own behind the software IOMMU.
 * guest.h is the same for tests that do without the library.
 */
#ifndef LIB_GUEST_H
#define LIB_GUEST_H

#include <limits.h>
#include <linux/iommufd.h>
#include <sys/stat.h>

#include "lib_util.h"

#define LIB_CONFIGFS	"/sys/kernel/config/sva_sim"

/* Guest memory: where it begins, and how much there is. */
#define LIB_GPA		0x100000000ULL
#define LIB_RAM		(1UL << 20)

/* A guest-virtual page for completion records, and one that is free. */
#define LIB_RECORD	0x7f0000000000ULL
#define LIB_GVA		0x123456789000ULL

/* Bits of stage-1 entries: present, writable, user. */
#define LIB_PTE		7ULL

struct lib_engine {
	char dir[64];		/* in configfs */
	struct sva_sim *sim;
	uint32_t dev;		/* sva device */
};

struct lib_guest {
	struct sva *sva;
	int file;
	char *ram;
	uint64_t used;
	uint32_t parent;
	uint64_t root;		/* of the table, guest-physical */
};

/* --- engines ----------------------------------------------------------------- */

static inline int lib_attr(const struct lib_engine *e, const char *name,
			   const char *value, char *result, size_t len)
{
	char path[96];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", e->dir, name);
	fd = open(path, (value ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = value ? write(fd, value, strlen(value)) : read(fd, result, len - 1);
	close(fd);
	if (n < 0)
		return -EIO;
	if (!value) {
		result[n] = '\0';
		result[strcspn(result, "\n")] = '\0';
	}
	return 0;
}

/* The sva device behind /dev/NODE. */
static inline int lib_find_device(const struct sva *sva, const char *node,
				  uint32_t *dev)
{
	char path[64], target[PATH_MAX];
	struct sva_device_info info = { 0 };
	ssize_t n;
	int err;

	snprintf(path, sizeof(path), "/sys/class/sva_sim/%s/device", node);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	for (;;) {
		err = sva_device_next(sva, info.dev_id + 1, &info, sizeof(info));
		if (err)
			return err;
		if (!strcmp(info.name, strrchr(target, '/') + 1))
			break;
	}
	*dev = info.dev_id;
	return 0;
}

/* Makes an engine behind an instance of the software IOMMU, and opens it. */
static inline int lib_engine_init(struct lib_engine *e, const struct sva *sva,
				  const char *iommu)
{
	static int number;
	char node[32], path[64];
	int i, err;

	snprintf(e->dir, sizeof(e->dir), LIB_CONFIGFS "/lib%d-%d", number++,
		 (int)getpid());
	if (mkdir(e->dir, 0700))
		return -errno;
	err = lib_attr(e, "iommu", iommu, NULL, 0);
	if (!err)
		err = lib_attr(e, "enable", "1", NULL, 0);
	if (!err)
		err = lib_attr(e, "dev", NULL, node, sizeof(node));
	if (err)
		return err;
	snprintf(path, sizeof(path), "/dev/%s", node);
	for (i = 0; i < 200; i++) {
		err = sva_sim_open(&e->sim, path, 0);
		if (err != -ENOENT)
			break;
		usleep(10000);
	}
	return err ? err : lib_find_device(sva, node, &e->dev);
}

static inline int lib_engine_exit(struct lib_engine *e)
{
	sva_sim_close(e->sim);
	return rmdir(e->dir) ? -errno : 0;
}

/* --- guest memory ------------------------------------------------------------ */

static inline uint64_t lib_guest_page(struct lib_guest *g)
{
	uint64_t gpa = LIB_GPA + g->used;

	if (g->used == LIB_RAM)
		abort();
	g->used += LIB_PAGE;
	return gpa;
}

static inline void *lib_guest_ptr(const struct lib_guest *g, uint64_t gpa)
{
	return g->ram + (gpa - LIB_GPA);
}

/* The lowest entry for an address, of four levels. */
static inline uint64_t *lib_guest_entry(struct lib_guest *g, uint64_t gva)
{
	uint64_t *entry, table = g->root;
	int shift;

	for (shift = 39; ; shift -= 9) {
		entry = (uint64_t *)lib_guest_ptr(g, table) +
			(gva >> shift & 511);
		if (shift == 12)
			return entry;
		if (!*entry)
			*entry = lib_guest_page(g) | LIB_PTE;
		table = *entry & ~(LIB_PAGE - 1);
	}
}

/* A new page there; where the program sees it. */
static inline void *lib_guest_map(struct lib_guest *g, uint64_t gva)
{
	uint64_t gpa = lib_guest_page(g);

	__atomic_store_n(lib_guest_entry(g, gva), gpa | LIB_PTE,
			 __ATOMIC_RELEASE);
	return lib_guest_ptr(g, gpa);
}

static inline int lib_guest_init(struct lib_guest *g, struct sva *sva)
{
	uint64_t iova = LIB_GPA;
	int err;

	*g = (struct lib_guest) { .sva = sva };
	g->file = memfd_create("guest", MFD_CLOEXEC);
	if (g->file < 0 || ftruncate(g->file, LIB_RAM))
		return -errno;
	g->ram = mmap(NULL, LIB_RAM, PROT_READ | PROT_WRITE, MAP_SHARED,
		      g->file, 0);
	if (g->ram == MAP_FAILED)
		return -errno;
	err = sva_as_alloc_iova(sva, SVA_AS_F_NEST_PARENT, &g->parent);
	if (!err)
		err = sva_iova_map_file(sva, g->parent, g->file, 0, LIB_RAM,
					LIB_RW | SVA_IOVA_F_FIXED, &iova);
	g->root = lib_guest_page(g);
	lib_guest_map(g, LIB_RECORD);
	return err;
}

static inline void lib_guest_exit(struct lib_guest *g)
{
	munmap(g->ram, LIB_RAM);
	close(g->file);
}

/* --- its processes ------------------------------------------------------------ */

/* Makes the address space of the table, on @parent or a vIOMMU. */
static inline int lib_guest_nest(const struct lib_guest *g, uint32_t parent,
				 uint32_t dev, int faultq, uint32_t *as)
{
	const struct iommu_hwpt_vtd_s1 s1 = {
		.pgtbl_addr = g->root, .addr_width = 48,
	};

	return sva_as_alloc_nested(g->sva, parent, dev, faultq,
				   IOMMU_HWPT_DATA_VTD_S1, &s1, sizeof(s1), as);
}

/* Gives an address space a PASID that an engine uses. */
static inline int lib_guest_start(const struct lib_guest *g,
				  struct lib_engine *e, uint32_t as,
				  uint32_t *pasid)
{
	int err = sva_pasid_alloc(g->sva, pasid);

	if (!err)
		err = sva_pasid_bind(g->sva, *pasid, as);
	return err ? err : sva_sim_attach(e->sim, g->sva, *pasid, NULL);
}

static inline struct sva_sim_completion *lib_guest_record(struct lib_guest *g)
{
	uint64_t pte = *lib_guest_entry(g, LIB_RECORD);

	return lib_guest_ptr(g, pte & 0x000ffffffffff000ULL);
}

/* Has the engine fill a page; not waited for. */
static inline int lib_guest_submit(struct lib_guest *g, struct lib_engine *e,
				   uint64_t gva, uint64_t pattern)
{
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_FILL, .src = pattern, .dst = gva,
		.len = LIB_PAGE, .completion = LIB_RECORD,
	};

	*lib_guest_record(g) = (struct sva_sim_completion) {
		.status = SVA_SIM_STATUS_PENDING,
	};
	return sva_sim_submit(e->sim, &desc, 1) == 1 ? 0 : -EIO;
}

/* Its status, or a negative errno. */
static inline int lib_guest_wait(struct lib_guest *g, struct lib_engine *e)
{
	int err = sva_sim_wait(e->sim, lib_guest_record(g), LIB_TIMEOUT_MS);

	return err ? err : (int)lib_guest_record(g)->status;
}

static inline int lib_guest_fill(struct lib_guest *g, struct lib_engine *e,
				 uint64_t gva, uint64_t pattern)
{
	int err = lib_guest_submit(g, e, gva, pattern);

	return err ? err : lib_guest_wait(g, e);
}

#endif /* LIB_GUEST_H */
