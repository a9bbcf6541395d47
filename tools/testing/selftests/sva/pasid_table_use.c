// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PASID table that a guest owns: the IOMMU finds stage-1 tables by the PASIDs
 * of the guest's choosing, and tells page requests with them.
 */
#include "guest.h"
#include "kselftest_harness.h"

#define GVA	0x123456789000ULL
#define BITS	8
#define TYPE	SVA_SIM_INVALIDATE_DATA_TABLE

FIXTURE(pasid_table) {
	struct guest g;
	uint64_t gpa;
	struct sva_sim_table_entry *table;
	struct sva_sim_hwpt_table data;
	uint32_t as;
	uint32_t rid;
	int q;
};

static int table_as(struct guest *g, const struct sva_sim_hwpt_table *data,
		    int faultq, uint32_t *as)
{
	struct sva_as_alloc cmd = {
		.size = sizeof(cmd), .type = SVA_AS_TYPE_PASID_TABLE,
		.parent_id = g->parent, .dev_id = g->dev,
		.data_type = SVA_SIM_HWPT_DATA_TABLE,
		.data_len = sizeof(*data), .data_uptr = (uintptr_t)data,
	};
	int ret;

	if (faultq >= 0) {
		cmd.flags = SVA_AS_F_FAULT;
		cmd.fault_fd = faultq;
	}
	ret = sva_ioctl(g->fd, SVA_AS_ALLOC, &cmd);
	*as = cmd.id;
	return ret;
}

static int attach(int sim, int fd, uint32_t handle, uint32_t guest_pasid)
{
	struct sva_sim_attach cmd = {
		.size = sizeof(cmd), .flags = SVA_SIM_ATTACH_F_GUEST_PASID,
		.sva_fd = fd, .pasid = handle, .guest_pasid = guest_pasid,
	};

	return sva_ioctl(sim, SVA_SIM_ATTACH, &cmd);
}

static void set_entry(struct sva_sim_table_entry *entry,
		      const struct guest_space *s)
{
	entry->addr_width = s->levels == 5 ? 57 : 48;
	__atomic_store_n(&entry->pgtbl, s->root | SVA_SIM_TABLE_VALID,
			 __ATOMIC_RELEASE);
}

FIXTURE_SETUP(pasid_table)
{
	ASSERT_EQ(0, guest_init(&self->g, "2"));
	self->gpa = guest_alloc(&self->g, CORE_PAGE);
	self->table = guest_ptr(&self->g, self->gpa);
	self->data = (struct sva_sim_hwpt_table) {
		.table_gpa = self->gpa, .entries_log2 = BITS,
	};
	self->q = sva_faultq(self->g.fd, SVA_FAULTQ_F_NONBLOCK, 8);
	ASSERT_LE(0, self->q);
	ASSERT_EQ(0, table_as(&self->g, &self->data, self->q, &self->as));
	ASSERT_EQ(0, pasid_alloc_handle(self->g.fd, SVA_PASID_F_RID,
					&self->rid));
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, self->rid, self->as));
}

FIXTURE_TEARDOWN(pasid_table)
{
	EXPECT_EQ(0, guest_exit(&self->g));
	close(self->q);
}

#define ATTACH(sim, guest_pasid) attach(sim, self->g.fd, self->rid, guest_pasid)

static int invalidate(int fd, uint32_t as, uint32_t scope, uint32_t pasid,
		      uint64_t addr, uint64_t npages, uint32_t flags)
{
	struct sva_sim_invalidate inv = {
		.scope = scope, .pasid = pasid, .addr = addr,
		.npages = npages, .flags = flags,
	};
	uint32_t num = 1;

	return guest_invalidate_raw(fd, as, TYPE, &inv, sizeof(inv), &num);
}

#define INVALIDATE(scope, pasid, addr, npages, flags) \
	invalidate(self->g.fd, self->as, SVA_SIM_INVALIDATE_##scope, pasid, \
		   addr, npages, flags)

TEST_F(pasid_table, pasid_table_two_pasids)
{
	struct guest_space a, b;
	uint64_t *pa, *pb;
	int sim = sva_sim_open_name(self->g.node);

	ASSERT_LE(0, sim);
	guest_space_init(&a, &self->g, 4);
	guest_space_init(&b, &self->g, 5);
	pa = guest_map_new(&a, GVA);
	pb = guest_map_new(&b, GVA);
	set_entry(&self->table[3], &a);
	set_entry(&self->table[255], &b);
	ASSERT_EQ(0, ATTACH(self->g.sim, 3));
	ASSERT_EQ(0, ATTACH(sim, 255));
	EXPECT_EQ(SVA_SIM_STATUS_OK, guest_fill(&a, self->g.sim, GVA, 1));
	EXPECT_EQ(SVA_SIM_STATUS_OK, guest_fill(&b, sim, GVA, 2));
	EXPECT_EQ(1, *pa);
	EXPECT_EQ(2, *pb);
	close(sim);
}

/* Without a PASID it is the first entry. */
TEST_F(pasid_table, pasid_table_untagged)
{
	struct guest_space a;
	uint64_t *pa;

	guest_space_init(&a, &self->g, 4);
	pa = guest_map_new(&a, GVA);
	set_entry(&self->table[0], &a);
	ASSERT_EQ(0, sva_sim_attach(self->g.sim, self->g.fd, self->rid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, guest_fill(&a, self->g.sim, GVA, 1));
	EXPECT_EQ(1, *pa);
}

TEST_F(pasid_table, pasid_table_bad_entries)
{
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_FILL, .dst = GVA, .len = 8,
	};
	struct guest_space a;

	guest_space_init(&a, &self->g, 4);
	ASSERT_EQ(0, ATTACH(self->g.sim, 5));
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->g.sim, &desc));
	EXPECT_EQ(0x59, guest_fault(&self->g));
	set_entry(&self->table[5], &a);
	self->table[5].addr_width = 39;
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->g.sim, &desc));
	EXPECT_EQ(0x5a, guest_fault(&self->g));
	set_entry(&self->table[5], &a);
	self->table[5].__reserved = 1;
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->g.sim, &desc));
	EXPECT_EQ(0x5a, guest_fault(&self->g));
	self->table[5].__reserved = 0;
	self->table[5].pgtbl |= 2;
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->g.sim, &desc));
	EXPECT_EQ(0x5a, guest_fault(&self->g));
	ASSERT_EQ(0, sva_sim_detach(self->g.sim));

	/* Beyond the end of the table, and a table beyond the end of memory. */
	ASSERT_EQ(0, ATTACH(self->g.sim, 256));
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->g.sim, &desc));
	EXPECT_EQ(0x46, guest_fault(&self->g));
	self->data.table_gpa = GUEST_BASE + GUEST_SIZE;
	ASSERT_EQ(0, table_as(&self->g, &self->data, -1, &self->as));
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, self->rid, self->as));
	ASSERT_EQ(0, sva_sim_detach(self->g.sim));
	ASSERT_EQ(0, ATTACH(self->g.sim, 5));
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->g.sim, &desc));
	EXPECT_EQ(0x58, guest_fault(&self->g));
}

TEST_F(pasid_table, pasid_table_fault)
{
	struct sva_fault fault;
	struct guest_space a;
	uint64_t *pa;

	guest_space_init(&a, &self->g, 4);
	set_entry(&self->table[77], &a);
	ASSERT_EQ(0, ATTACH(self->g.sim, 77));
	ASSERT_EQ(0, guest_submit(&a, self->g.sim, sva_sim_fill(GVA, 9, 8)));
	ASSERT_EQ(1, guest_read_faults(self->q, &fault, 1));
	EXPECT_EQ(77, fault.pasid);
	EXPECT_EQ(SVA_FAULT_PASID_VALID | SVA_FAULT_LAST_PAGE, fault.flags);
	EXPECT_EQ(self->rid, fault.object);
	EXPECT_EQ(self->g.dev, fault.dev_id);
	EXPECT_EQ(GVA, fault.addr);
	pa = guest_map_new(&a, GVA);
	EXPECT_EQ(0, guest_respond(self->q, fault.cookie, SVA_FAULT_SUCCESS));
	EXPECT_EQ(SVA_SIM_STATUS_OK, guest_wait(&a, self->g.sim));
	EXPECT_EQ(9, *pa);
}

#define READS(s, sim, value) guest_reads(s, sim, GVA, value)

/* Two processes with an old and a new page each, remembered. */
TEST_F(pasid_table, pasid_table_invalidate)
{
	const struct {
		uint32_t scope, pasid;
		uint64_t addr, npages;
		uint32_t flags;
		int a, b;
	} kinds[] = {
		{ SVA_SIM_INVALIDATE_RANGE, 1, GVA, 1, 1, 2, 1 },
		{ SVA_SIM_INVALIDATE_RANGE, 2, GVA, 1, 0, 1, 2 },
		{ SVA_SIM_INVALIDATE_RANGE, 1, GVA + CORE_PAGE, 1, 0, 1, 1 },
		{ SVA_SIM_INVALIDATE_PASID, 1, 0, 0, 0, 2, 1 },
		{ SVA_SIM_INVALIDATE_PASID, 2, 0, 0, 0, 1, 2 },
		{ SVA_SIM_INVALIDATE_TABLE, 0, 0, 0, 0, 2, 2 },
	};
	uint64_t old = guest_alloc(&self->g, CORE_PAGE);
	uint64_t new = guest_alloc(&self->g, CORE_PAGE);
	int sim = sva_sim_open_name(self->g.node);
	struct guest_space a, b;
	unsigned int i;

	ASSERT_LE(0, sim);
	*(uint64_t *)guest_ptr(&self->g, old) = 1;
	*(uint64_t *)guest_ptr(&self->g, new) = 2;
	guest_space_init(&a, &self->g, 4);
	guest_space_init(&b, &self->g, 5);
	set_entry(&self->table[1], &a);
	set_entry(&self->table[2], &b);
	ASSERT_EQ(0, ATTACH(self->g.sim, 1));
	ASSERT_EQ(0, ATTACH(sim, 2));
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		guest_map(&a, GVA, old, PTE_RWU, 0);
		guest_map(&b, GVA, old, PTE_RWU, 0);
		ASSERT_EQ(0, INVALIDATE(TABLE, 0, 0, 0, 0));
		ASSERT_EQ(1, READS(&a, self->g.sim, 1));
		ASSERT_EQ(1, READS(&b, sim, 1));
		guest_map(&a, GVA, new, PTE_RWU, 0);
		guest_map(&b, GVA, new, PTE_RWU, 0);
		ASSERT_EQ(1, READS(&a, self->g.sim, 1));
		ASSERT_EQ(1, READS(&b, sim, 1));
		ASSERT_EQ(0, invalidate(self->g.fd, self->as, kinds[i].scope,
					kinds[i].pasid, kinds[i].addr,
					kinds[i].npages, kinds[i].flags));
		EXPECT_EQ(1, READS(&a, self->g.sim, kinds[i].a));
		EXPECT_EQ(1, READS(&b, sim, kinds[i].b));
	}
	close(sim);
}

/* The guest gives a PASID another table: nothing happens until it says so. */
TEST_F(pasid_table, pasid_table_entry_changed)
{
	struct guest_space a, b;
	uint64_t *pa, *pb;

	guest_space_init(&a, &self->g, 4);
	guest_space_init(&b, &self->g, 4);
	pa = guest_map_new(&a, GVA);
	pb = guest_map_new(&b, GVA);
	set_entry(&self->table[1], &a);
	ASSERT_EQ(0, ATTACH(self->g.sim, 1));
	ASSERT_EQ(SVA_SIM_STATUS_OK, guest_fill(&a, self->g.sim, GVA, 1));
	set_entry(&self->table[1], &b);
	ASSERT_EQ(SVA_SIM_STATUS_OK, guest_fill(&a, self->g.sim, GVA, 2));
	EXPECT_EQ(2, *pa);
	/* Addresses were not what has changed. */
	ASSERT_EQ(0, INVALIDATE(RANGE, 1, GVA, 1, 0));
	ASSERT_EQ(SVA_SIM_STATUS_OK, guest_fill(&a, self->g.sim, GVA, 3));
	EXPECT_EQ(3, *pa);
	ASSERT_EQ(0, INVALIDATE(PASID, 1, 0, 0, 0));
	ASSERT_EQ(SVA_SIM_STATUS_OK, guest_fill(&b, self->g.sim, GVA, 4));
	EXPECT_EQ(3, *pa);
	EXPECT_EQ(4, *pb);
	self->table[1].pgtbl = 0;
	ASSERT_EQ(0, INVALIDATE(PASID, 1, 0, 0, 0));
	EXPECT_EQ(SVA_SIM_STATUS_PENDING,
		  guest_fill(&b, self->g.sim, GVA, 5));
	EXPECT_EQ(4, *pb);
}

TEST_F(pasid_table, pasid_table_invalidate_refused)
{
	uint32_t num = 0;

	EXPECT_EQ(0, guest_invalidate_raw(self->g.fd, self->as, TYPE, NULL, 0,
					  &num));
	EXPECT_EQ(-EINVAL,
		  guest_invalidate_raw(self->g.fd, self->as,
				       IOMMU_HWPT_INVALIDATE_DATA_VTD_S1, NULL,
				       0, &num));
	EXPECT_EQ(-EOPNOTSUPP, invalidate(self->g.fd, self->as, 3, 0, 0, 0, 0));
	EXPECT_EQ(-EINVAL, INVALIDATE(TABLE, 1, 0, 0, 0));
	EXPECT_EQ(-EINVAL, INVALIDATE(TABLE, 0, 0, 1, 0));
	EXPECT_EQ(-EINVAL, INVALIDATE(PASID, 256, 0, 0, 0));
	EXPECT_EQ(-EINVAL, INVALIDATE(PASID, 1, GVA, 0, 0));
	EXPECT_EQ(-EINVAL, INVALIDATE(PASID, 1, 0, 0, 1));
	EXPECT_EQ(-EINVAL, INVALIDATE(RANGE, 1, GVA, 0, 0));
	EXPECT_EQ(-EINVAL, INVALIDATE(RANGE, 1, GVA + 1, 1, 0));
	EXPECT_EQ(-EINVAL, INVALIDATE(RANGE, 1, 0, UINT64_MAX, 0));
	EXPECT_EQ(-EOPNOTSUPP, INVALIDATE(RANGE, 1, GVA, 1, 2));
}

TEST_F(pasid_table, pasid_table_refused)
{
	uint32_t as, pasid;

	self->data.flags = 1;
	EXPECT_EQ(-EOPNOTSUPP, table_as(&self->g, &self->data, -1, &as));
	self->data.flags = 0;
	self->data.table_gpa++;
	EXPECT_EQ(-EINVAL, table_as(&self->g, &self->data, -1, &as));
	self->data.table_gpa--;
	self->data.entries_log2 = 21;
	EXPECT_EQ(-EINVAL, table_as(&self->g, &self->data, -1, &as));

	/* Only a RID handle, and no PASID of the host beside it. */
	ASSERT_EQ(0, sva_pasid_alloc(self->g.fd, 0, 0, 0, &pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, pasid, self->as));
	EXPECT_EQ(-EINVAL, sva_sim_attach(self->g.sim, self->g.fd, pasid, NULL));
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, pasid, self->g.parent));
	EXPECT_EQ(-EINVAL, attach(self->g.sim, self->g.fd, pasid, 7));
	EXPECT_EQ(-ERANGE, ATTACH(self->g.sim, 1 << 20));
	ASSERT_EQ(0, sva_sim_attach(self->g.sim, self->g.fd, pasid, NULL));
	ASSERT_EQ(0, sva_sim_detach(self->g.sim));
}

TEST_F(pasid_table, pasid_table_no_host_pasids)
{
	int sim = sva_sim_open_name(self->g.node);
	uint32_t pasid;

	ASSERT_LE(0, sim);
	ASSERT_EQ(0, sva_pasid_alloc(self->g.fd, 0, 0, 0, &pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, pasid, self->g.parent));
	ASSERT_EQ(0, sva_sim_attach(sim, self->g.fd, pasid, NULL));
	EXPECT_EQ(-EBUSY, ATTACH(self->g.sim, 1));
	ASSERT_EQ(0, sva_sim_detach(sim));
	ASSERT_EQ(0, ATTACH(self->g.sim, 1));
	EXPECT_EQ(-EBUSY, sva_sim_attach(sim, self->g.fd, pasid, NULL));
	close(sim);
}

/* --- numbers that are a guest's PASID and the host's ---------------------------- */

/* Another context that has a PASID of the host's on the same engine. */
struct stranger {
	int fd;
	int sim;
	uint32_t as;
	uint32_t pasid;
	uint64_t *mem;		/* what it can reach at GVA */
};

/* All but the attach; the number is one that the guest's table has an entry for. */
static int stranger_init(struct stranger *s, const struct guest *g)
{
	int ret;

	s->mem = sva_mem(CORE_PAGE);
	s->sim = sva_sim_open_name(g->node);
	s->fd = sva_open();
	if (!s->mem || s->sim < 0 || s->fd < 0)
		return -ENOMEM;
	ret = sva_as_alloc(s->fd, &s->as);
	if (!ret)
		ret = iova_map_at(s->fd, s->as, CORE_RW, s->mem, CORE_PAGE, GVA);
	if (!ret)
		ret = sva_pasid_alloc(s->fd, 0, 1, (1 << BITS) - 1, &s->pasid);
	return ret ? ret : sva_pasid_bind(s->fd, s->pasid, s->as);
}

static void stranger_exit(struct stranger *s)
{
	close(s->sim);
	close(s->fd);
	munmap(s->mem, CORE_PAGE);
}

static int fill(int sim, uint64_t value)
{
	struct sva_sim_desc desc = sva_sim_fill(GVA, value, 8);

	return sva_sim_run_blind(sim, &desc);
}

/* The guest's queue carries the number of the stranger's PASID, and has no table. */
static void expect_nothing_there(struct __test_metadata *_metadata,
				 FIXTURE_DATA(pasid_table) *self,
				 struct stranger *s)
{
	uint64_t i;

	ASSERT_EQ(0, sva_sim_attach(s->sim, s->fd, s->pasid, NULL));
	/* From the second time on, the IOTLB has the page. */
	for (i = 1; i <= 3; i++) {
		EXPECT_EQ(-EIO, fill(self->g.sim, 99));
		EXPECT_EQ(0x59, guest_fault(&self->g));
		EXPECT_EQ(i - 1, *s->mem);
		EXPECT_EQ(0, fill(s->sim, i));
		EXPECT_EQ(i, *s->mem);
	}
}

TEST_F(pasid_table, pasid_table_rid_unbound)
{
	struct stranger s;

	ASSERT_EQ(0, stranger_init(&s, &self->g));
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, self->rid, SVA_AS_NONE));
	ASSERT_EQ(0, ATTACH(self->g.sim, s.pasid));
	expect_nothing_there(_metadata, self, &s);
	stranger_exit(&s);
}

TEST_F(pasid_table, pasid_table_rid_of_iova_space)
{
	struct stranger s;

	ASSERT_EQ(0, stranger_init(&s, &self->g));
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, self->rid, self->g.parent));
	ASSERT_EQ(0, ATTACH(self->g.sim, s.pasid));
	expect_nothing_there(_metadata, self, &s);
	/* Nor is it what the RID is bound to. */
	ASSERT_EQ(0, sva_sim_detach(self->g.sim));
	ASSERT_EQ(0, ATTACH(self->g.sim, 0));
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->g.sim, &(struct sva_sim_desc) {
		.op = SVA_SIM_OP_FILL, .dst = GUEST_BASE, .len = 8 }));
	EXPECT_EQ(0x59, guest_fault(&self->g));
	stranger_exit(&s);
}

TEST_F(pasid_table, pasid_table_taken_away)
{
	struct guest_space a;
	struct stranger s;
	uint64_t *pa;

	ASSERT_EQ(0, stranger_init(&s, &self->g));
	guest_space_init(&a, &self->g, 4);
	pa = guest_map_new(&a, GVA);
	set_entry(&self->table[s.pasid], &a);
	ASSERT_EQ(0, ATTACH(self->g.sim, s.pasid));
	EXPECT_EQ(0, fill(self->g.sim, 7));
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, self->rid, SVA_AS_NONE));
	expect_nothing_there(_metadata, self, &s);
	EXPECT_EQ(7, *pa);

	/* With the table, the guest has its PASID again. */
	ASSERT_EQ(0, sva_sim_detach(s.sim));
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, self->rid, self->as));
	EXPECT_EQ(0, fill(self->g.sim, 8));
	EXPECT_EQ(8, *pa);
	EXPECT_EQ(3, *s.mem);
	stranger_exit(&s);
}

/* What is not bound is not set, so that the guest can have its table beside it. */
TEST_F(pasid_table, pasid_table_not_for_host_pasids)
{
	struct guest_space a;
	struct stranger s;
	uint64_t i, *pa;

	ASSERT_EQ(0, stranger_init(&s, &self->g));
	ASSERT_EQ(0, sva_sim_attach(s.sim, s.fd, s.pasid, NULL));
	ASSERT_EQ(0, sva_pasid_bind(s.fd, s.pasid, SVA_AS_NONE));
	guest_space_init(&a, &self->g, 4);
	pa = guest_map_new(&a, GVA);
	set_entry(&self->table[s.pasid], &a);
	ASSERT_EQ(0, ATTACH(self->g.sim, s.pasid));
	for (i = 1; i <= 3; i++) {
		EXPECT_EQ(-EIO, fill(s.sim, 99));
		EXPECT_EQ(0x59, guest_fault(&self->g));
		EXPECT_EQ(i - 1, *pa);
		EXPECT_EQ(0, fill(self->g.sim, i));
		EXPECT_EQ(i, *pa);
	}
	/* Nor is there room for what it is to reach. */
	EXPECT_EQ(-EBUSY, sva_pasid_bind(s.fd, s.pasid, s.as));
	EXPECT_EQ(-EIO, fill(s.sim, 99));
	EXPECT_EQ(3, *pa);
	EXPECT_EQ(0, *s.mem);
	stranger_exit(&s);
}

/* The other flavour does not know guest PASIDs. */
TEST_F(pasid_table, pasid_table_wrong_flavour)
{
	struct guest other;
	uint32_t rid, as;

	ASSERT_EQ(0, guest_init(&other, "0"));
	EXPECT_EQ(-EOPNOTSUPP, table_as(&other, &self->data, -1, &as));
	ASSERT_EQ(0, pasid_alloc_handle(other.fd, SVA_PASID_F_RID, &rid));
	EXPECT_EQ(-EOPNOTSUPP, attach(other.sim, other.fd, rid, 1));
	EXPECT_EQ(0, guest_exit(&other));
}

TEST_F(pasid_table, pasid_table_device_info)
{
	struct sva_sim_hw_info hw = {};
	struct sva_device_info info = {
		.size = sizeof(info), .dev_id = self->g.dev,
		.data_len = sizeof(hw), .data_uptr = (uintptr_t)&hw,
	};

	ASSERT_EQ(0, sva_ioctl(self->g.fd, SVA_DEVICE_INFO, &info));
	EXPECT_EQ(SVA_DEVICE_CAP_PAGE_REQUESTS | SVA_DEVICE_CAP_PASID_TABLE |
		  SVA_DEVICE_CAP_COHERENT, info.caps);
	EXPECT_EQ(SVA_SIM_HW_INFO_TABLE, info.data_type);
	EXPECT_EQ(sizeof(hw), info.data_len);
	EXPECT_EQ(20, hw.entries_log2_max);
	EXPECT_EQ(47, hw.gpa_width);
	EXPECT_EQ(1ULL << 48 | 1ULL << 57, hw.addr_widths);
}

TEST_HARNESS_MAIN
