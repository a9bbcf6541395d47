// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making and destroying nested address spaces: what is refused and how, what
 * devices tell about themselves, guest PASIDs, and rebinding what is in use.
 */
#include <pthread.h>

#include "guest.h"
#include "sva_uffd.h"
#include "kselftest_harness.h"

#define GVA	0x123456789000ULL
/* Of each engine behind a software IOMMU */
#define RESERVED	0xfd00000000ULL

FIXTURE(nested_alloc) {
	struct guest g;
	struct guest_space s;
	struct iommu_hwpt_vtd_s1 s1;
	uint32_t as;
};

FIXTURE_SETUP(nested_alloc)
{
	ASSERT_EQ(0, guest_init(&self->g, "0"));
	guest_space_init(&self->s, &self->g, 4);
	self->s1.pgtbl_addr = self->s.root;
	self->s1.addr_width = 48;
}

FIXTURE_TEARDOWN(nested_alloc)
{
	EXPECT_EQ(0, guest_exit(&self->g));
}

#define NEST(parent, dev) \
	guest_nest_as(self->g.fd, parent, dev, -1, &self->s1, &self->as)

TEST_F(nested_alloc, nested_bad_data)
{
	struct iommu_hwpt_vtd_s1 good = self->s1;

	EXPECT_EQ(0, NEST(self->g.parent, self->g.dev));
	self->s1.flags = IOMMU_VTD_S1_SRE;
	EXPECT_EQ(-EOPNOTSUPP, NEST(self->g.parent, self->g.dev));
	self->s1 = good;
	self->s1.pgtbl_addr++;
	EXPECT_EQ(-EINVAL, NEST(self->g.parent, self->g.dev));
	self->s1.pgtbl_addr = 1ULL << 52;
	EXPECT_EQ(-EINVAL, NEST(self->g.parent, self->g.dev));
	self->s1 = good;
	self->s1.addr_width = 39;
	EXPECT_EQ(-EINVAL, NEST(self->g.parent, self->g.dev));
	self->s1 = good;
	self->s1.__reserved = 1;
	EXPECT_EQ(-EINVAL, NEST(self->g.parent, self->g.dev));
}

TEST_F(nested_alloc, nested_bad_length)
{
	struct sva_as_alloc cmd = {
		.size = sizeof(cmd), .type = SVA_AS_TYPE_NESTED,
		.parent_id = self->g.parent, .dev_id = self->g.dev,
		.data_type = IOMMU_HWPT_DATA_VTD_S1,
		.data_uptr = (uintptr_t)&self->s1,
	};

	EXPECT_EQ(-EINVAL, sva_ioctl(self->g.fd, SVA_AS_ALLOC, &cmd));
	cmd.data_len = sizeof(self->s1) - 1;
	EXPECT_EQ(-EINVAL, sva_ioctl(self->g.fd, SVA_AS_ALLOC, &cmd));
	cmd.data_len = 4097;
	EXPECT_EQ(-E2BIG, sva_ioctl(self->g.fd, SVA_AS_ALLOC, &cmd));
	cmd.data_len = sizeof(self->s1);
	cmd.data_uptr = 4096;
	EXPECT_EQ(-EFAULT, sva_ioctl(self->g.fd, SVA_AS_ALLOC, &cmd));
	cmd.data_uptr = (uintptr_t)&self->s1;
	cmd.data_type = IOMMU_HWPT_DATA_ARM_SMMUV3;
	EXPECT_EQ(-EOPNOTSUPP, sva_ioctl(self->g.fd, SVA_AS_ALLOC, &cmd));
	cmd.data_type = IOMMU_HWPT_DATA_VTD_S1;
	cmd.type = SVA_AS_TYPE_PASID_TABLE;
	EXPECT_EQ(-EOPNOTSUPP, sva_ioctl(self->g.fd, SVA_AS_ALLOC, &cmd));
	cmd.type = SVA_AS_TYPE_NESTED;
	EXPECT_EQ(0, sva_ioctl(self->g.fd, SVA_AS_ALLOC, &cmd));
}

TEST_F(nested_alloc, nested_bad_parent)
{
	uint32_t as, nested;

	EXPECT_EQ(-ENOENT, NEST(12345, self->g.dev));
	EXPECT_EQ(-ENODEV, NEST(self->g.parent, 0x7ffffff0));
	ASSERT_EQ(0, sva_as_alloc(self->g.fd, &as));
	EXPECT_EQ(-EINVAL, NEST(as, self->g.dev));
	ASSERT_EQ(0, NEST(self->g.parent, self->g.dev));
	nested = self->as;
	EXPECT_EQ(-EINVAL, NEST(nested, self->g.dev));
}

TEST_F(nested_alloc, nested_parent_busy)
{
	ASSERT_EQ(0, NEST(self->g.parent, self->g.dev));
	EXPECT_EQ(-EBUSY, sva_destroy(self->g.fd, self->g.parent));
	EXPECT_EQ(0, sva_destroy(self->g.fd, self->as));
	EXPECT_EQ(0, sva_destroy(self->g.fd, self->g.parent));
}

/* A guest's memory must not be where its device cannot reach it. */
TEST_F(nested_alloc, nested_parent_has_what_is_reserved)
{
	int fd = self->g.fd, sim = self->g.sim;
	void *mem = sva_mem(CORE_PAGE);

	ASSERT_NE(NULL, mem);
	self->s.rid = true;
	ASSERT_EQ(0, iova_map_at(fd, self->g.parent, CORE_RW, mem, CORE_PAGE,
				 RESERVED));
	EXPECT_EQ(-EADDRINUSE, guest_start(&self->s, sim, -1));
	ASSERT_EQ(0, sva_unmap(fd, self->g.parent, RESERVED, CORE_PAGE));
	EXPECT_EQ(0, sva_sim_attach(sim, fd, self->s.pasid, NULL));
	EXPECT_EQ(-EADDRNOTAVAIL,
		  iova_map_at(fd, self->g.parent, CORE_RW, mem, CORE_PAGE,
			      RESERVED));
	munmap(mem, CORE_PAGE);
}

TEST_F(nested_alloc, nested_second_instance)
{
	struct guest other;

	ASSERT_EQ(0, guest_init(&other, "1"));
	ASSERT_EQ(0, guest_nest(&self->s, -1));
	ASSERT_EQ(0, sva_pasid_alloc(self->g.fd, 0, 0, 0, &self->s.pasid));
	/* In either order. */
	ASSERT_EQ(0, sva_sim_attach(other.sim, self->g.fd, self->s.pasid, NULL));
	EXPECT_EQ(-EXDEV, sva_pasid_bind(self->g.fd, self->s.pasid,
					 self->s.as));
	ASSERT_EQ(0, sva_sim_detach(other.sim));
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, self->s.pasid, self->s.as));
	EXPECT_EQ(-EXDEV, sva_sim_attach(other.sim, self->g.fd, self->s.pasid,
					 NULL));
	EXPECT_EQ(0, guest_exit(&other));
}

TEST_F(nested_alloc, nested_nothing_left)
{
	struct core_counts before = core_counts();
	struct guest other;
	int i;

	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, NEST(self->g.parent, self->g.dev));
		ASSERT_EQ(0, sva_destroy(self->g.fd, self->as));
	}
	ASSERT_EQ(0, guest_init(&other, "0"));
	self->s.guest = &other;
	guest_space_init(&self->s, &other, 4);
	ASSERT_EQ(0, guest_start(&self->s, other.sim, -1));
	ASSERT_EQ(0, guest_exit(&other));
	EXPECT_TRUE(core_settles(&before));
}

/* A PASID in use goes from one table to another, to none, to IOVA and back. */
TEST_F(nested_alloc, nested_rebind)
{
	struct guest *g = &self->g;
	struct guest_space other;
	uint64_t *a, *b;
	int i;

	guest_space_init(&other, g, 5);
	a = guest_map_new(&self->s, GVA);
	b = guest_map_new(&other, GVA);
	/* IOVA and address are the same thing there; so is the record. */
	ASSERT_EQ(0, guest_start(&self->s, g->sim, -1));
	ASSERT_EQ(0, guest_nest(&other, -1));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(SVA_SIM_STATUS_OK,
			  guest_fill(&self->s, g->sim, GVA, i));
		EXPECT_EQ(i, *a);
		ASSERT_EQ(0, sva_pasid_bind(g->fd, self->s.pasid, other.as));
		ASSERT_EQ(SVA_SIM_STATUS_OK,
			  guest_fill(&other, g->sim, GVA, i + 100));
		EXPECT_EQ(i, *a);
		EXPECT_EQ(i + 100, *b);
		ASSERT_EQ(0, sva_pasid_bind(g->fd, self->s.pasid, g->parent));
		ASSERT_EQ(0, sva_sim_run_blind(g->sim, &(struct sva_sim_desc) {
			.op = SVA_SIM_OP_FILL, .src = i + 200,
			.dst = GUEST_BASE + ((char *)a - g->ram), .len = 8 }));
		EXPECT_EQ(i + 200, *a);
		ASSERT_EQ(0, sva_pasid_bind(g->fd, self->s.pasid, SVA_AS_NONE));
		EXPECT_EQ(SVA_SIM_STATUS_PENDING,
			  guest_fill(&self->s, g->sim, GVA, 7));
		ASSERT_EQ(0, sva_pasid_bind(g->fd, self->s.pasid, self->s.as));
	}
}

/* The IOMMU refuses once or twice; the first refusal is undone. */
TEST_F(nested_alloc, nested_rebind_refused)
{
	struct guest_space other;
	uint64_t *a;

	guest_space_init(&other, &self->g, 4);
	a = guest_map_new(&self->s, GVA);
	ASSERT_EQ(0, guest_start(&self->s, self->g.sim, -1));
	ASSERT_EQ(0, guest_nest(&other, -1));
	ASSERT_EQ(0, sva_sim_set(self->g.engine, "teardown_first", "1"));
	ASSERT_EQ(0, sva_sim_set(self->g.engine, "refuse", "1"));
	EXPECT_EQ(-EBUSY, sva_pasid_bind(self->g.fd, self->s.pasid, other.as));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  guest_fill(&self->s, self->g.sim, GVA, 5));
	EXPECT_EQ(5, *a);
	ASSERT_EQ(0, sva_sim_set(self->g.engine, "refuse", "3"));
	EXPECT_EQ(-ENOTRECOVERABLE,
		  sva_pasid_bind(self->g.fd, self->s.pasid, other.as));
	EXPECT_EQ(-ENOLINK, guest_fill(&self->s, self->g.sim, GVA, 6));
	EXPECT_EQ(5, *a);
}

TEST_F(nested_alloc, nested_device_info)
{
	struct iommu_hw_info_vtd vtd = {}, head;
	struct sva_device_info info;
	uint32_t id, found = 0;

	for (id = 0; !guest_device_info(self->g.fd, SVA_DEVICE_F_NEXT, id, &info);
	     id = info.dev_id + 1) {
		EXPECT_LE(id, info.dev_id);
		found += info.dev_id == self->g.dev;
	}
	EXPECT_EQ(1, found);
	EXPECT_EQ(-ENOENT, guest_device_info(self->g.fd, 0, 0x7ffffff0, &info));
	EXPECT_EQ(-EOPNOTSUPP, guest_device_info(self->g.fd, 2, 0, &info));

	ASSERT_EQ(0, guest_device_info(self->g.fd, 0, self->g.dev, &info));
	EXPECT_EQ(SVA_DEVICE_CAP_PAGE_REQUESTS | SVA_DEVICE_CAP_NESTED |
		  SVA_DEVICE_CAP_COHERENT, info.caps);
	EXPECT_EQ(20, info.pasid_bits);
	EXPECT_EQ(47, info.iova_bits);
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_INTEL_VTD, info.data_type);
	EXPECT_EQ(sizeof(vtd), info.data_len);

	info.data_uptr = (uintptr_t)&vtd;
	ASSERT_EQ(0, sva_ioctl(self->g.fd, SVA_DEVICE_INFO, &info));
	EXPECT_EQ(1, vtd.ecap_reg >> 26 & 1);	/* NEST */
	EXPECT_EQ(1, vtd.ecap_reg >> 47 & 1);	/* FSTS */
	EXPECT_EQ(1, vtd.cap_reg >> 56 & 1);	/* FS1GP */
	EXPECT_EQ(1, vtd.cap_reg >> 60 & 1);	/* FS5LP */
	EXPECT_EQ(19, vtd.ecap_reg >> 35 & 31);	/* PSS */
	EXPECT_EQ(46, vtd.cap_reg >> 16 & 63);	/* MGAW */

	/* Too little room: as much as fits, and how much there is. */
	memset(&head, 0xee, sizeof(head));
	info.data_uptr = (uintptr_t)&head;
	info.data_len = 8;
	ASSERT_EQ(0, sva_ioctl(self->g.fd, SVA_DEVICE_INFO, &info));
	EXPECT_EQ(sizeof(vtd), info.data_len);
	EXPECT_EQ(vtd.flags, head.flags);
	EXPECT_EQ(0xeeeeeeeeeeeeeeeeULL, head.cap_reg);
	info.data_uptr = 4096;
	EXPECT_EQ(-EFAULT, sva_ioctl(self->g.fd, SVA_DEVICE_INFO, &info));
}

/* The guest PASID, or a negative errno. */
static int guest_pasid_of(int fd, uint32_t pasid)
{
	struct sva_pasid_guest cmd = {
		.size = sizeof(cmd), .flags = SVA_GUEST_F_GET, .pasid = pasid,
		.guest_pasid = 0x55555555,
	};
	int ret = sva_ioctl(fd, SVA_PASID_GUEST, &cmd);

	if (ret)
		return ret;
	return cmd.guest_pasid == SVA_GUEST_PASID_NONE ? -ENODATA :
							 (int)cmd.guest_pasid;
}

static int guest_pasid(int fd, uint32_t flags, uint32_t *pasid, uint32_t guest)
{
	struct sva_pasid_guest cmd = {
		.size = sizeof(cmd), .flags = flags,
		.pasid = *pasid, .guest_pasid = guest,
	};
	int ret = sva_ioctl(fd, SVA_PASID_GUEST, &cmd);

	*pasid = cmd.pasid;
	return ret;
}

TEST_F(nested_alloc, nested_guest_pasid)
{
	uint32_t a, b, found = 0;
	int fd = self->g.fd;

	ASSERT_EQ(0, sva_pasid_alloc(fd, 0, 0, 0, &a));
	ASSERT_EQ(0, sva_pasid_alloc(fd, 0, 0, 0, &b));
	EXPECT_EQ(-ENODATA, guest_pasid_of(fd, a));
	EXPECT_EQ(0, guest_pasid(fd, SVA_GUEST_F_SET, &a, 7));
	EXPECT_EQ(7, guest_pasid_of(fd, a));
	EXPECT_EQ(-ENODATA, guest_pasid_of(fd, b));
	EXPECT_EQ(-EEXIST, guest_pasid(fd, SVA_GUEST_F_SET, &b, 7));
	EXPECT_EQ(0, guest_pasid(fd, SVA_GUEST_F_FIND, &found, 7));
	EXPECT_EQ(a, found);
	EXPECT_EQ(-EINVAL, guest_pasid(fd, SVA_GUEST_F_GET | SVA_GUEST_F_FIND,
				       &found, 7));
	EXPECT_EQ(0, guest_pasid(fd, SVA_GUEST_F_SET, &a, 8));
	EXPECT_EQ(-ENOENT, guest_pasid(fd, SVA_GUEST_F_FIND, &found, 7));
	EXPECT_EQ(0, guest_pasid(fd, SVA_GUEST_F_SET, &b, 7));
	EXPECT_EQ(0, guest_pasid(fd, SVA_GUEST_F_SET, &b,
				 SVA_GUEST_PASID_NONE));
	EXPECT_EQ(-ENOENT, guest_pasid(fd, SVA_GUEST_F_FIND, &found, 7));
	EXPECT_EQ(-EINVAL, guest_pasid(fd, SVA_GUEST_F_SET, &b, 1 << 20));
	EXPECT_EQ(0, guest_pasid(fd, SVA_GUEST_F_SET, &b, (1 << 20) - 1));
	EXPECT_EQ(-EINVAL, guest_pasid(fd, SVA_GUEST_F_SET | SVA_GUEST_F_FIND,
				       &b, 9));
	EXPECT_EQ(-EINVAL, guest_pasid(fd, 0, &b, 9));
	/* The name ends with the PASID. */
	EXPECT_EQ(0, sva_pasid_free(fd, a));
	EXPECT_EQ(-ENOENT, guest_pasid(fd, SVA_GUEST_F_FIND, &found, 8));
	EXPECT_EQ(-ENOENT, guest_pasid_of(fd, a));
	EXPECT_EQ(-ENOENT, guest_pasid(fd, SVA_GUEST_F_SET, &a, 9));
	EXPECT_EQ(0, guest_pasid(fd, SVA_GUEST_F_SET, &b, 8));
}

struct late {
	struct guest_space *s;
	const void *data;
	int ret;
};

static void *nest_late(void *arg)
{
	struct late *late = arg;

	late->ret = guest_nest_as(late->s->guest->fd, late->s->guest->parent,
				  late->s->guest->dev, -1, late->data,
				  &late->s->as);
	return NULL;
}

/* Data that is paged in while the call is under way. */
TEST_F(nested_alloc, nested_late_data)
{
	struct late late = { .s = &self->s };
	struct slow_memory slow;
	pthread_t thread;
	int file;

	/* Nothing there but zeros, which are not what is wanted, but arrive. */
	ASSERT_EQ(0, slow_memory_init(&slow, CORE_PAGE));
	late.data = slow.base;
	ASSERT_EQ(0, pthread_create(&thread, NULL, nest_late, &late));
	EXPECT_EQ(0, slow_memory_wait(&slow));
	EXPECT_EQ(0, slow_memory_fill(&slow));
	pthread_join(thread, NULL);
	EXPECT_EQ(-EINVAL, late.ret);
	slow_memory_exit(&slow);

	/* In a file that is not mapped in yet. */
	file = memfd_create("data", MFD_CLOEXEC);
	ASSERT_LE(0, file);
	ASSERT_EQ((ssize_t)sizeof(self->s1),
		  pwrite(file, &self->s1, sizeof(self->s1), 0));
	ASSERT_EQ(0, ftruncate(file, CORE_PAGE));
	late.data = mmap(NULL, CORE_PAGE, PROT_READ, MAP_PRIVATE, file, 0);
	ASSERT_NE(MAP_FAILED, late.data);
	nest_late(&late);
	EXPECT_EQ(0, late.ret);
	close(file);
}

TEST_HARNESS_MAIN
