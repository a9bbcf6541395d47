/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest behind two instances of the software IOMMU: one parent, an engine and
 * a vIOMMU for each instance.
 */
#ifndef VIOMMU_H
#define VIOMMU_H

#include "guest.h"

#define GVA	0x123456789000ULL
#define VIRT_ID	0xab00000000000100ULL

static inline int viommu_alloc(int fd, uint32_t parent, uint32_t dev,
			       uint32_t *id)
{
	struct sva_viommu_alloc cmd = {
		.size = sizeof(cmd), .parent_id = parent, .dev_id = dev,
	};
	int ret = sva_ioctl(fd, SVA_VIOMMU_ALLOC, &cmd);

	*id = cmd.id;
	return ret;
}

static inline int vdevice_alloc(int fd, uint32_t viommu, uint32_t dev,
				uint64_t virt_id, uint32_t *id)
{
	struct sva_vdevice_alloc cmd = {
		.size = sizeof(cmd), .viommu_id = viommu, .dev_id = dev,
		.virt_id = virt_id,
	};
	int ret = sva_ioctl(fd, SVA_VDEVICE_ALLOC, &cmd);

	*id = cmd.id;
	return ret;
}

/* The descriptor, or a negative errno. */
static inline int veventq_alloc(int fd, uint32_t viommu, uint32_t flags,
				uint32_t depth)
{
	struct sva_veventq_alloc cmd = {
		.size = sizeof(cmd), .flags = flags, .viommu_id = viommu,
		.depth = depth,
	};
	int ret = sva_ioctl(fd, SVA_VEVENTQ_ALLOC, &cmd);

	return ret ? ret : cmd.fd;
}

/* One instance as the guest sees it. */
struct viommu {
	char engine[32];
	int sim;
	uint32_t dev;
	uint32_t id;
	uint32_t vdev;
	struct guest_space s;	/* of a guest process, on this vIOMMU */
};

/* Makes an engine behind an instance, and a vIOMMU with it. */
static inline int viommu_init(struct viommu *v, struct guest *g, int iommu)
{
	char what[16], node[32], instance[2] = { '0' + iommu };
	int ret;

	snprintf(what, sizeof(what), "viommu%d", iommu);
	sva_sim_name(v->engine, sizeof(v->engine), what);
	v->sim = sva_sim_create(v->engine, instance, NULL, NULL);
	if (v->sim < 0)
		return v->sim;
	ret = sva_sim_get(v->engine, "dev", node, sizeof(node));
	if (!ret)
		ret = guest_find_device(g->fd, node, &v->dev);
	if (!ret)
		ret = viommu_alloc(g->fd, g->parent, v->dev, &v->id);
	return ret;
}

static inline int viommu_exit(struct viommu *v)
{
	close(v->sim);
	return sva_sim_remove(v->engine);
}

/* Starts a guest process, whose tables are those of @s, on a vIOMMU. */
static inline int viommu_start(struct viommu *v, const struct guest_space *s,
			       uint32_t guest_pasid)
{
	struct iommu_hwpt_vtd_s1 s1 = { .pgtbl_addr = s->root, .addr_width = 48 };
	struct sva_pasid_guest name = {
		.size = sizeof(name), .flags = SVA_GUEST_F_SET,
		.guest_pasid = guest_pasid,
	};
	int fd = s->guest->fd, ret;

	v->s = *s;
	ret = guest_nest_as(fd, v->id, v->dev, -1, &s1, &v->s.as);
	if (!ret)
		ret = sva_pasid_alloc(fd, 0, 0, 0, &v->s.pasid);
	if (!ret)
		ret = sva_pasid_bind(fd, v->s.pasid, v->s.as);
	if (!ret)
		ret = sva_sim_attach(v->sim, fd, v->s.pasid, NULL);
	if (ret)
		return ret;
	name.pasid = v->s.pasid;
	return sva_ioctl(fd, SVA_PASID_GUEST, &name);
}

/* An entry in the guest's own names. */
struct named_entry {
	struct sva_invalidate_target target;
	struct iommu_hwpt_vtd_s1_invalidate inv;
};

static inline struct named_entry named_entry(uint64_t virt_id, uint32_t pasid,
					     uint64_t addr)
{
	return (struct named_entry) {
		.target = { .virt_id = virt_id, .guest_pasid = pasid },
		.inv = { .addr = addr, .npages = 1 },
	};
}

static inline int invalidate_named(int fd, uint32_t viommu,
				   const struct named_entry *entries,
				   uint32_t *num)
{
	return guest_invalidate_raw(fd, viommu,
				    IOMMU_HWPT_INVALIDATE_DATA_VTD_S1, entries,
				    sizeof(*entries), num);
}

#endif /* VIOMMU_H */
