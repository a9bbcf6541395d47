// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO containers that translate through /dev/sva, with software engines as their
 * devices: beside PASIDs, with guest page tables, behind several IOMMUs.
 */
#include "guest.h"
#include "pasidfd_util.h"
#include "vfio_util.h"
#include "kselftest_harness.h"

#include <linux/sva_vfio_container.h>

#define UNSAFE	"/sys/module/sva/parameters/allow_unsafe_interrupts"
#define RID	SVA_SIM_REG_PASID_NONE

FIXTURE(vfio_container_sim) {
	struct core_counts before;
	char name[2][32];
	struct vfio_hw hw[2];
	struct vfio_dev dev[2];
	struct vfio_as as;
	uint32_t rid;		/* bound to the same address space */
};

FIXTURE_VARIANT(vfio_container_sim) {
	const char *iommu[2];
};

FIXTURE_VARIANT_ADD(vfio_container_sim, one_iommu) {
	.iommu = { "0", "0" },
};

FIXTURE_VARIANT_ADD(vfio_container_sim, two_iommus) {
	.iommu = { "0", "1" },
};

static int set(const struct vfio_dev *dev, int fd, uint32_t rid)
{
	struct sva_container_set cmd = {
		.size = sizeof(cmd), .fd = fd, .rid = rid,
	};

	return sva_ioctl(dev->container, SVA_CONTAINER_SET, &cmd);
}

FIXTURE_SETUP(vfio_container_sim)
{
	int i;

	self->before = core_counts();
	if (!vfio_load_container())
		SKIP(return, "this kernel has no VFIO");
	for (i = 0; i < 2; i++) {
		self->dev[i] = (struct vfio_dev)VFIO_DEV_NONE;
		sva_sim_name(self->name[i], sizeof(self->name[i]),
			     i ? "rid-b" : "rid-a");
		ASSERT_EQ(0, vfio_sim_make(&self->hw[i], self->name[i],
					   variant->iommu[i], NULL));
		ASSERT_EQ(0, vfio_open_type(&self->dev[i], &self->hw[i],
					    VFIO_SVA_IOMMU));
	}
	ASSERT_EQ(0, vfio_as_make(&self->as));
	ASSERT_EQ(0, pasid_alloc_handle(self->as.fd, SVA_PASID_F_RID, &self->rid));
	ASSERT_EQ(0, sva_pasid_bind(self->as.fd, self->rid, self->as.as));
}

FIXTURE_TEARDOWN(vfio_container_sim)
{
	int i;

	for (i = 0; i < 2; i++) {
		vfio_close(&self->dev[i]);
		EXPECT_EQ(0, sva_sim_remove(self->name[i]));
	}
	vfio_as_end(&self->as);
	EXPECT_TRUE(vfio_unused());
	EXPECT_TRUE(core_settles(&self->before));
}

TEST_F(vfio_container_sim, vfio_container_sim_shares)
{
	long pinned = core_count("pinned_pages");
	struct sva_pasid_info info;
	struct vfio_as other;
	int i;

	EXPECT_LT(0, pinned);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(SVA_SIM_STATUS_FAULT,
			  vfio_copy(&self->dev[i], 0, RID, self->as.mem));
		ASSERT_EQ(0, set(&self->dev[i], self->as.fd, self->rid));
		EXPECT_EQ(SVA_SIM_STATUS_OK,
			  vfio_copy(&self->dev[i], 0, RID, self->as.mem));
	}
	EXPECT_EQ(pinned, core_count("pinned_pages"));
	ASSERT_EQ(0, sva_pasid_info(self->as.fd, self->rid, &info));
	EXPECT_EQ(2, info.bonds);
	EXPECT_EQ(SVA_PASID_S_BOUND | SVA_PASID_S_COHERENT, info.state);
	EXPECT_EQ(1, ioctl(self->dev[0].container, VFIO_CHECK_EXTENSION,
			   VFIO_DMA_CC_IOMMU));

	/* Both follow their handle. */
	ASSERT_EQ(0, vfio_as_make(&other));
	ASSERT_EQ(0, sva_pasid_bind(self->as.fd, self->rid, SVA_AS_NONE));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(SVA_SIM_STATUS_FAULT,
			  vfio_copy(&self->dev[i], 0, RID, self->as.mem));
	ASSERT_EQ(0, sva_pasid_bind(self->as.fd, self->rid, self->as.as));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(SVA_SIM_STATUS_OK,
			  vfio_copy(&self->dev[i], 0, RID, self->as.mem));
	vfio_as_end(&other);
}

TEST_F(vfio_container_sim, vfio_container_sim_beside_pasid)
{
	struct vfio_dev *dev = &self->dev[0];
	struct vfio_as other;
	uint32_t number;

	/* Of the same address space, and of one of somebody else. */
	ASSERT_EQ(0, vfio_as_make(&other));
	ASSERT_EQ(0, set(dev, self->as.fd, self->rid));
	ASSERT_EQ(0, vfio_attach(dev->fd, self->as.fd, self->as.pasid, NULL));
	ASSERT_EQ(0, vfio_attach(dev->fd, other.fd, other.pasid, &number));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(dev, 0, RID, self->as.mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_copy(dev, 1, self->as.pasid, self->as.mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(dev, 2, number, other.mem));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, vfio_copy(dev, 0, RID, other.mem));

	/* What the container does is nothing to PASIDs. */
	ASSERT_EQ(0, set(dev, -1, 0));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, vfio_copy(dev, 0, RID, self->as.mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_copy(dev, 1, self->as.pasid, self->as.mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(dev, 2, number, other.mem));
	ASSERT_EQ(0, set(dev, self->as.fd, self->rid));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(dev, 0, RID, self->as.mem));
	EXPECT_EQ(0, vfio_detach(dev->fd, number));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(dev, 0, RID, self->as.mem));
	vfio_as_end(&other);
}

/* A guest with a page at @gva in a table of its own, and a RID handle for that. */
static int nested_handle(struct guest *g, struct guest_space *s,
			 const struct vfio_dev *dev, uint64_t gva, uint64_t **page,
			 uint32_t *rid)
{
	struct sva_vfio_info info;
	int ret = vfio_sva_info(dev->fd, &info);

	if (ret)
		return ret;
	g->dev = info.dev_id;
	ret = guest_parent(g->fd, SVA_AS_F_NEST_PARENT, &g->parent) ?: guest_memory(g);
	if (ret)
		return ret;
	guest_space_init(s, g, 4);
	*page = guest_map_new(s, gva);
	return guest_nest(s, -1) ?:
	       pasid_alloc_handle(g->fd, SVA_PASID_F_RID, rid) ?:
	       sva_pasid_bind(g->fd, *rid, s->as);
}

/* A guest's own table for what its device does without a PASID. */
TEST_F(vfio_container_sim, vfio_container_sim_nested)
{
	struct vfio_dev *dev = &self->dev[0];
	uint64_t gva = 0x5000, *page;
	struct guest g = { .fd = self->as.fd };
	struct guest_space s;
	uint32_t rid;

	ASSERT_EQ(0, nested_handle(&g, &s, dev, gva, &page, &rid));

	ASSERT_EQ(0, set(dev, g.fd, rid));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_run(dev, 0, RID, sva_sim_fill(gva, 77, 8)));
	EXPECT_EQ(77, *page);
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  vfio_run(dev, 0, RID, sva_sim_fill(gva + CORE_PAGE, 77, 8)));
	/* The guest's IOMMU is switched off: its memory as it is. */
	ASSERT_EQ(0, sva_pasid_bind(g.fd, rid, g.parent));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_run(dev, 0, RID, sva_sim_fill(GUEST_BASE, 78, 8)));
	EXPECT_EQ(78, *(uint64_t *)g.ram);
	/* The table is of one IOMMU instance. */
	ASSERT_EQ(0, sva_pasid_bind(g.fd, rid, s.as));
	EXPECT_EQ(strcmp(variant->iommu[0], variant->iommu[1]) ? -EXDEV : 0,
		  set(&self->dev[1], g.fd, rid));
	munmap(g.ram, GUEST_SIZE);
	close(g.file);
}

/* The second engine, in the container of the first */
static int share_container(FIXTURE_DATA(vfio_container_sim) *self)
{
	struct vfio_dev *dev = &self->dev[1];
	int ret;

	vfio_close(dev);
	dev->group = vfio_group_open(&self->hw[1]);
	if (dev->group < 0)
		return dev->group;
	ret = sva_ioctl(dev->group, VFIO_GROUP_SET_CONTAINER, &self->dev[0].container);
	if (ret)
		return ret;
	dev->fd = ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD, self->hw[1].name);
	return dev->fd < 0 ? -errno : 0;
}

/* The second refuses: the first has what it had, or nothing if there is no way back. */
TEST_F(vfio_container_sim, vfio_container_sim_refused)
{
	const bool fits = !strcmp(variant->iommu[0], variant->iommu[1]);
	struct sva_container_info state = { .size = sizeof(state) };
	struct vfio_dev *dev = &self->dev[0];
	uint64_t gva = 0x5000, *page;
	struct guest g = { .fd = self->as.fd };
	struct guest_space s;
	uint32_t id, rid;
	int pf;

	ASSERT_EQ(0, share_container(self));
	ASSERT_EQ(0, nested_handle(&g, &s, dev, gva, &page, &rid));
	pf = pasidfd_make(self->as.fd, self->rid, &id);
	ASSERT_LE(0, pf);
	ASSERT_EQ(0, set(dev, pf, 0));

	EXPECT_EQ(fits ? 0 : -EXDEV, set(dev, g.fd, rid));
	EXPECT_EQ(fits ? SVA_SIM_STATUS_OK : SVA_SIM_STATUS_FAULT,
		  vfio_run(dev, 0, RID, sva_sim_fill(gva, 77, 8)));
	EXPECT_EQ(fits ? SVA_SIM_STATUS_FAULT : SVA_SIM_STATUS_OK,
		  vfio_copy(dev, 0, RID, self->as.mem));
	ASSERT_EQ(0, set(dev, pf, 0));

	/* What they had has been taken away. */
	ASSERT_EQ(0, sva_destroy(self->as.fd, id));
	*page = 0;
	EXPECT_EQ(fits ? 0 : -ENOTRECOVERABLE, set(dev, g.fd, rid));
	EXPECT_EQ(fits ? SVA_SIM_STATUS_OK : SVA_SIM_STATUS_FAULT,
		  vfio_run(dev, 0, RID, sva_sim_fill(gva, 77, 8)));
	EXPECT_EQ(fits ? 77 : 0, *page);
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, vfio_copy(dev, 0, RID, self->as.mem));
	ASSERT_EQ(0, sva_ioctl(dev->container, SVA_CONTAINER_INFO, &state));
	EXPECT_EQ(!fits, !!(state.state & SVA_CONTAINER_S_REVOKED));
	ASSERT_EQ(0, set(dev, self->as.fd, self->rid));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(dev, 0, RID, self->as.mem));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&self->dev[1], 0, RID, self->as.mem));
	close(pf);
	munmap(g.ram, GUEST_SIZE);
	close(g.file);
}

/* --- page requests without a PASID ------------------------------------------------ */

/* A handle bound to an address space of nothing, which asks by a fault queue */
static int make_asking(int fd, int *q, uint32_t *as_id, uint32_t *rid)
{
	*q = sva_faultq(fd, 0, 16);
	if (*q < 0)
		return *q;
	return sva_as_asking(fd, *q, as_id) ?:
	       pasid_alloc_handle(fd, SVA_PASID_F_RID, rid) ?:
	       sva_pasid_bind(fd, *rid, *as_id);
}

static bool asks(int q)
{
	struct pollfd pfd = { .fd = q, .events = POLLIN };

	return poll(&pfd, 1, SVA_TIMEOUT_MS) == 1;
}

TEST_F(vfio_container_sim, vfio_container_sim_page_request)
{
	const uint64_t iova = 0x200000;
	struct sva_sim_desc desc = sva_sim_fill(iova + 8, 7, 8);
	uint64_t *page = sva_mem(CORE_PAGE);
	struct sva_vfio_info info;
	struct sva_fault fault;
	uint32_t as, rid;
	int i, q;

	ASSERT_NE(NULL, page);
	ASSERT_EQ(0, make_asking(self->as.fd, &q, &as, &rid));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, set(&self->dev[i], self->as.fd, rid));
	for (i = 0; i < 2; i++) {
		page[1] = 0;
		ASSERT_EQ(0, vfio_sva_info(self->dev[i].fd, &info));
		ASSERT_EQ(0, vfio_start(&self->dev[i], 0, RID, &desc));
		ASSERT_TRUE(asks(q));
		ASSERT_EQ(1, guest_read_faults(q, &fault, 1));
		/* Whose it is can be told, though nobody attached the device itself. */
		EXPECT_EQ(info.dev_id, fault.dev_id);
		EXPECT_EQ(rid, fault.object);
		EXPECT_EQ(0, fault.pasid);
		EXPECT_EQ(SVA_FAULT_LAST_PAGE, fault.flags);
		EXPECT_EQ(iova, fault.addr);
		ASSERT_EQ(0, iova_map_at(self->as.fd, as, CORE_RW, page, CORE_PAGE,
					 iova));
		ASSERT_EQ(0, guest_respond(q, fault.cookie, SVA_FAULT_SUCCESS));
		EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_wait(&self->dev[i], 0));
		EXPECT_EQ(7, page[1]);
		ASSERT_EQ(CORE_PAGE, iova_unmap_all(self->as.fd, as));
	}

	ASSERT_EQ(0, vfio_start(&self->dev[0], 0, RID, &desc));
	ASSERT_TRUE(asks(q));
	ASSERT_EQ(1, guest_read_faults(q, &fault, 1));
	ASSERT_EQ(0, guest_respond(q, fault.cookie, SVA_FAULT_INVALID));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, vfio_wait(&self->dev[0], 0));
	close(q);
	munmap(page, CORE_PAGE);
}

/* Nobody answers: whatever ends it does not wait for that. */
TEST_F(vfio_container_sim, vfio_container_sim_no_answer)
{
	struct sva_sim_desc desc = sva_sim_fill(0x200000, 7, 8);
	uint32_t as, rid;
	int q;

	ASSERT_EQ(0, make_asking(self->as.fd, &q, &as, &rid));
	ASSERT_EQ(0, set(&self->dev[0], self->as.fd, rid));
	ASSERT_EQ(0, vfio_start(&self->dev[0], 0, RID, &desc));
	ASSERT_TRUE(asks(q));
	ASSERT_EQ(0, set(&self->dev[0], -1, 0));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, vfio_wait(&self->dev[0], 0));

	ASSERT_EQ(0, set(&self->dev[0], self->as.fd, rid));
	ASSERT_EQ(0, vfio_start(&self->dev[0], 0, RID, &desc));
	ASSERT_TRUE(asks(q));
	ASSERT_EQ(0, sva_pasid_bind(self->as.fd, rid, self->as.as));
	EXPECT_LT(0, vfio_wait(&self->dev[0], 0));

	ASSERT_EQ(0, sva_pasid_bind(self->as.fd, rid, as));
	ASSERT_EQ(0, vfio_start(&self->dev[0], 0, RID, &desc));
	ASSERT_TRUE(asks(q));
	vfio_close(&self->dev[0]);
	close(q);
}

/*
 * A device leaves its group, which goes on without it: what it asked for is nobody's,
 * whichever way it comes to an end.
 */
TEST_F(vfio_container_sim, vfio_container_sim_leaves_request)
{
	enum { ANSWER, CLOSE_QUEUE, CLOSE_CONTAINER, ENDS };
	struct sva_sim_desc desc = sva_sim_fill(0x200000, 7, 8);
	char name[2][32], group[32];
	struct vfio_dev dev, other;
	struct vfio_hw hw[2];
	struct sva_fault fault;
	uint32_t as, rid;
	int i, end, q;

	snprintf(group, sizeof(group), "%d", (int)getpid());
	for (end = 0; end < ENDS; end++) {
		for (i = 0; i < 2; i++) {
			sva_sim_name(name[i], sizeof(name[i]), i ? "stays" : "leaves");
			ASSERT_EQ(0, vfio_sim_make(&hw[i], name[i], variant->iommu[0],
						   group));
		}
		ASSERT_EQ(0, vfio_open_type(&dev, &hw[0], VFIO_SVA_IOMMU));
		other = (struct vfio_dev)VFIO_DEV_NONE;
		other.fd = ioctl(dev.group, VFIO_GROUP_GET_DEVICE_FD, hw[1].name);
		ASSERT_LE(0, other.fd);
		ASSERT_EQ(0, make_asking(self->as.fd, &q, &as, &rid));
		ASSERT_EQ(0, set(&dev, self->as.fd, rid));
		ASSERT_EQ(0, vfio_start(&dev, 0, RID, &desc));
		ASSERT_TRUE(asks(q));
		ASSERT_EQ(1, guest_read_faults(q, &fault, 1));
		close(dev.fd);
		dev.fd = -1;
		ASSERT_EQ(0, sva_sim_remove(name[0]));

		if (end == CLOSE_QUEUE)
			close(q);
		if (end == ANSWER) {
			EXPECT_EQ(0, guest_respond(q, fault.cookie, SVA_FAULT_SUCCESS));
			/* The one that stays can still ask. */
			ASSERT_EQ(0, vfio_start(&other, 0, RID, &desc));
			ASSERT_TRUE(asks(q));
			ASSERT_EQ(1, guest_read_faults(q, &fault, 1));
			ASSERT_EQ(0, guest_respond(q, fault.cookie, SVA_FAULT_INVALID));
			EXPECT_EQ(SVA_SIM_STATUS_FAULT, vfio_wait(&other, 0));
		}
		vfio_close(&other);
		vfio_close(&dev);
		if (end != CLOSE_QUEUE)
			close(q);
		EXPECT_EQ(0, pasid_free(self->as.fd, rid, 1));
		EXPECT_EQ(0, sva_sim_remove(name[1]));
	}
}

/* Interrupts that are not isolated */
TEST_F(vfio_container_sim, vfio_container_sim_shared_msi)
{
	struct vfio_hw hw;
	struct vfio_dev dev;
	char name[32];

	ASSERT_EQ(0, sva_write_file(UNSAFE, "0"));
	sva_sim_name(name, sizeof(name), "shared-msi");
	ASSERT_EQ(0, vfio_sim_make(&hw, name, NULL, NULL));
	ASSERT_EQ(0, vfio_hw_unbind(&hw));
	ASSERT_EQ(0, sva_sim_set(name, "enable", "0"));
	ASSERT_EQ(0, sva_sim_set(name, "shared_msi", "1"));
	ASSERT_EQ(0, sva_sim_set(name, "enable", "1"));
	ASSERT_EQ(0, bond_hardware(name, hw.name, sizeof(hw.name)));
	ASSERT_EQ(0, vfio_hw_bind(&hw, "sva-vfio-sim"));

	EXPECT_EQ(-EPERM, vfio_open_type(&dev, &hw, VFIO_SVA_IOMMU));
	ASSERT_EQ(0, sva_write_file(UNSAFE, "1"));
	EXPECT_EQ(0, vfio_open_type(&dev, &hw, VFIO_SVA_IOMMU));
	EXPECT_EQ(0, set(&dev, self->as.fd, self->rid));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&dev, 0, RID, self->as.mem));
	vfio_close(&dev);
	EXPECT_EQ(0, sva_write_file(UNSAFE, "0"));
	EXPECT_EQ(0, sva_sim_remove(name));
}

/* Devices that share a group, and could use each other's PASIDs */
TEST_F(vfio_container_sim, vfio_container_sim_group)
{
	struct vfio_hw hw[2];
	struct vfio_dev dev;
	struct vfio_as other;
	char name[2][32], group[32];
	int i;

	snprintf(group, sizeof(group), "%d", (int)getpid());
	for (i = 0; i < 2; i++) {
		sva_sim_name(name[i], sizeof(name[i]), i ? "group-b" : "group-a");
		ASSERT_EQ(0, vfio_sim_make(&hw[i], name[i], NULL, group));
	}
	ASSERT_EQ(0, vfio_as_make(&other));
	ASSERT_EQ(0, vfio_open_type(&dev, &hw[0], VFIO_SVA_IOMMU));

	ASSERT_EQ(0, vfio_attach(dev.fd, other.fd, other.pasid, NULL));
	EXPECT_EQ(-EBUSY, set(&dev, self->as.fd, self->rid));
	ASSERT_EQ(0, vfio_detach(dev.fd, other.pasid));
	ASSERT_EQ(0, set(&dev, self->as.fd, self->rid));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&dev, 0, RID, self->as.mem));
	EXPECT_EQ(-EBUSY, vfio_attach(dev.fd, other.fd, other.pasid, NULL));
	EXPECT_EQ(0, vfio_attach(dev.fd, self->as.fd, self->as.pasid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, vfio_copy(&dev, 0, RID, self->as.mem));
	vfio_close(&dev);
	vfio_as_end(&other);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, sva_sim_remove(name[i]));
}

TEST_HARNESS_MAIN
