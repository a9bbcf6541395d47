// SPDX-License-Identifier: GPL-2.0-only
/*
 * What /proc/PID/fdinfo tells of a context and its queues.
 *
 * Machine: plain engine
 */
#include "bond_util.h"
#include "guest.h"
#include "kselftest_harness.h"
#include "sva_list.h"

FIXTURE(fdinfo) {
	struct core_counts before;
	int fd;
};

FIXTURE_SETUP(fdinfo)
{
	self->before = core_counts();
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(fdinfo)
{
	close(self->fd);
	EXPECT_TRUE(core_settles(&self->before));
}

static const char *const counts[] = {
	"sva-pasids", "sva-processes", "sva-rids", "sva-bonds", "sva-iovas",
	"sva-nested", "sva-pasid-tables", "sva-viommus", "sva-vdevices",
	"sva-maps", "sva-page-requests", "sva-pinned-pages",
};

TEST_F(fdinfo, fdinfo_empty_context)
{
	unsigned int i;
	int other;

	for (i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		EXPECT_EQ(0, fdinfo_get(self->fd, counts[i]));
	EXPECT_LT(0, fdinfo_get(self->fd, "sva-context"));
	other = sva_open();
	EXPECT_LT(fdinfo_get(self->fd, "sva-context"),
		  fdinfo_get(other, "sva-context"));
	close(other);
}

TEST_F(fdinfo, fdinfo_pasids)
{
	uint32_t first, mm, rid, many;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &first));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 100, &many));
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &mm));
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_RID, &rid));
	EXPECT_EQ(101, fdinfo_get(self->fd, "sva-pasids"));
	EXPECT_EQ(1, fdinfo_get(self->fd, "sva-processes"));
	EXPECT_EQ(1, fdinfo_get(self->fd, "sva-rids"));

	ASSERT_EQ(0, pasid_free(self->fd, many, 60));
	EXPECT_EQ(41, fdinfo_get(self->fd, "sva-pasids"));
	ASSERT_EQ(-ENOENT, pasid_free(self->fd, many, 100));
	EXPECT_EQ(41, fdinfo_get(self->fd, "sva-pasids"));
	ASSERT_EQ(0, pasid_free(self->fd, mm, 1));
	ASSERT_EQ(0, pasid_free(self->fd, rid, 1));
	EXPECT_EQ(0, fdinfo_get(self->fd, "sva-processes"));
	EXPECT_EQ(0, fdinfo_get(self->fd, "sva-rids"));
}

TEST_F(fdinfo, fdinfo_maps_and_pins)
{
	char *mem = sva_mem(8 * CORE_PAGE);
	uint64_t iova = 0x40000000;
	uint32_t as, copy;

	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, sva_as_alloc(self->fd, &copy));
	EXPECT_EQ(2, fdinfo_get(self->fd, "sva-iovas"));
	ASSERT_EQ(0, iova_map_at(self->fd, as, CORE_RW, mem, 4 * CORE_PAGE,
				 0x10000000));
	ASSERT_EQ(0, iova_map_at(self->fd, as, CORE_RW, mem, 8 * CORE_PAGE,
				 0x20000000));
	EXPECT_EQ(2, fdinfo_get(self->fd, "sva-maps"));
	EXPECT_EQ(12, fdinfo_get(self->fd, "sva-pinned-pages"));

	/* A copy does not pin; but it keeps pinned. */
	ASSERT_EQ(0, iova_copy(self->fd, CORE_RW | SVA_IOVA_F_FIXED, copy, as,
			       0x20000000, 8 * CORE_PAGE, &iova));
	EXPECT_EQ(3, fdinfo_get(self->fd, "sva-maps"));
	EXPECT_EQ(12, fdinfo_get(self->fd, "sva-pinned-pages"));
	ASSERT_LT(0, iova_unmap_all(self->fd, as));
	EXPECT_EQ(1, fdinfo_get(self->fd, "sva-maps"));
	EXPECT_EQ(8, fdinfo_get(self->fd, "sva-pinned-pages"));

	/* What fails leaves no trace. */
	EXPECT_EQ(-EEXIST, iova_map_at(self->fd, copy, CORE_RW, mem, CORE_PAGE,
				       iova));
	EXPECT_EQ(-EFAULT, iova_map_at(self->fd, copy, CORE_RW, (void *)4096,
				       CORE_PAGE, 0x10000000));
	EXPECT_EQ(1, fdinfo_get(self->fd, "sva-maps"));
	EXPECT_EQ(8, fdinfo_get(self->fd, "sva-pinned-pages"));
	ASSERT_EQ(0, sva_destroy(self->fd, copy));
	EXPECT_EQ(0, fdinfo_get(self->fd, "sva-maps"));
	EXPECT_EQ(0, fdinfo_get(self->fd, "sva-pinned-pages"));
	EXPECT_EQ(1, fdinfo_get(self->fd, "sva-iovas"));
	munmap(mem, 8 * CORE_PAGE);
}

TEST_F(fdinfo, fdinfo_bonds)
{
	uint32_t pasid;
	int sim[2], i;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	for (i = 0; i < 2; i++) {
		sim[i] = bond_attached("sva_sim0", self->fd, pasid);
		ASSERT_LE(0, sim[i]);
		EXPECT_EQ(i + 1, fdinfo_get(self->fd, "sva-bonds"));
	}
	ASSERT_EQ(0, sva_sim_detach(sim[0]));
	EXPECT_EQ(1, fdinfo_get(self->fd, "sva-bonds"));
	close(sim[1]);
	EXPECT_EQ(0, fdinfo_get(self->fd, "sva-bonds"));
	close(sim[0]);
}

static bool reaches(int fd, const char *key, long long value)
{
	int i;

	for (i = 0; i < SVA_TIMEOUT_MS / 10; i++) {
		if (fdinfo_get(fd, key) == value)
			return true;
		core_sleep_ms(10);
	}
	return false;
}

TEST(fdinfo_guest)
{
	struct sva_fault_response resp = { .code = SVA_FAULT_INVALID };
	struct sva_viommu_alloc vi = { .size = sizeof(vi) };
	struct sva_vdevice_alloc vd = { .size = sizeof(vd), .virt_id = 7 };
	struct sva_veventq_alloc ev = { .size = sizeof(ev), .depth = 5 };
	struct core_counts before = core_counts();
	struct sva_fault fault[SVA_FAULT_GROUP_MAX];
	struct guest_space space;
	struct guest g;
	int queue;

	ASSERT_EQ(0, guest_init(&g, "0"));
	queue = sva_faultq(g.fd, 0, 3);
	ASSERT_LE(0, queue);
	EXPECT_EQ(3, fdinfo_get(queue, "sva-depth"));
	EXPECT_EQ(0, fdinfo_get(queue, "sva-pending"));
	EXPECT_EQ(0, fdinfo_get(queue, "sva-unread"));
	EXPECT_EQ(0, fdinfo_get(queue, "sva-lost"));

	guest_space_init(&space, &g, 4);
	ASSERT_EQ(0, guest_start(&space, g.sim, queue));
	EXPECT_EQ(1, fdinfo_get(g.fd, "sva-nested"));
	EXPECT_EQ(1, fdinfo_get(g.fd, "sva-iovas"));
	EXPECT_EQ(GUEST_SIZE / CORE_PAGE, fdinfo_get(g.fd, "sva-pinned-pages"));

	/* An access to what the guest has not mapped. */
	ASSERT_EQ(0, guest_submit(&space, g.sim,
				  sva_sim_fill(0x500000000000, 1, 8)));
	EXPECT_TRUE(reaches(queue, "sva-unread", 1));
	EXPECT_EQ(1, fdinfo_get(queue, "sva-pending"));
	EXPECT_EQ(1, fdinfo_get(g.fd, "sva-page-requests"));
	ASSERT_LT(0, read(queue, fault, sizeof(fault)));
	EXPECT_EQ(0, fdinfo_get(queue, "sva-unread"));
	EXPECT_EQ(1, fdinfo_get(queue, "sva-pending"));
	resp.cookie = fault[0].cookie;
	ASSERT_EQ((ssize_t)sizeof(resp), write(queue, &resp, sizeof(resp)));
	EXPECT_EQ(0, fdinfo_get(queue, "sva-pending"));
	EXPECT_EQ(0, fdinfo_get(g.fd, "sva-page-requests"));

	vi.parent_id = g.parent;
	vi.dev_id = g.dev;
	ASSERT_EQ(0, sva_ioctl(g.fd, SVA_VIOMMU_ALLOC, &vi));
	EXPECT_EQ(1, fdinfo_get(g.fd, "sva-viommus"));
	vd.viommu_id = vi.id;
	vd.dev_id = g.dev;
	ASSERT_EQ(0, sva_ioctl(g.fd, SVA_VDEVICE_ALLOC, &vd));
	EXPECT_EQ(1, fdinfo_get(g.fd, "sva-vdevices"));
	ev.viommu_id = vi.id;
	ASSERT_EQ(0, sva_ioctl(g.fd, SVA_VEVENTQ_ALLOC, &ev));
	EXPECT_EQ(5, fdinfo_get(ev.fd, "sva-depth"));
	EXPECT_EQ(0, fdinfo_get(ev.fd, "sva-unread"));
	EXPECT_EQ(0, fdinfo_get(ev.fd, "sva-overflowed"));
	ASSERT_EQ(0, sva_destroy(g.fd, vd.id));
	EXPECT_EQ(0, fdinfo_get(g.fd, "sva-vdevices"));
	ASSERT_EQ(0, sva_destroy(g.fd, vi.id));
	EXPECT_EQ(0, fdinfo_get(g.fd, "sva-viommus"));

	close(ev.fd);
	close(queue);
	EXPECT_EQ(0, guest_exit(&g));
	EXPECT_TRUE(core_settles(&before));
}

TEST_HARNESS_MAIN
