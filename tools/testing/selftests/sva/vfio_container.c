// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO containers that translate through /dev/sva: what devices reach.
 *
 * Machine: vfio
 */
#include <pthread.h>

#include "vfio_container.h"
#include "kselftest_harness.h"

FIXTURE(vfio_container) {
	struct core_counts before;
	struct vfio_test t;
};

FIXTURE_VARIANT(vfio_container) {
	const char *driver;
};

FIXTURE_VARIANT_ADD(vfio_container, vfio_pci) {
	.driver = "vfio-pci",
};

FIXTURE_VARIANT_ADD(vfio_container, sva_vfio_pci) {
	.driver = "sva-vfio-pci",
};

FIXTURE_SETUP(vfio_container)
{
	self->before = core_counts();
	self->t.driver = variant->driver;
	ASSERT_EQ(0, vfio_test_begin(&self->t));
}

FIXTURE_TEARDOWN(vfio_container)
{
	EXPECT_TRUE(vfio_test_end(&self->t));
	EXPECT_TRUE(core_settles(&self->before));
}

TEST_F(vfio_container, vfio_container_dma)
{
	struct vfio_test *t = &self->t;
	int container = vfio_open_container();

	ASSERT_LE(0, container);
	EXPECT_EQ(1, vfio_ioctl(container, VFIO_CHECK_EXTENSION, VFIO_SVA_IOMMU));
	/* Without a group there is no type. */
	EXPECT_EQ(-EINVAL, vfio_set_iommu(container, VFIO_SVA_IOMMU));
	EXPECT_EQ(-EINVAL, container_set(container, t->fd, t->rid));
	ASSERT_EQ(0, vfio_join(t->group[0], container));
	EXPECT_EQ(-EINVAL, container_set(container, t->fd, t->rid));
	ASSERT_EQ(0, vfio_set_iommu(container, VFIO_SVA_IOMMU));
	EXPECT_EQ(-EINVAL, vfio_set_iommu(container, VFIO_SVA_IOMMU));
	EXPECT_EQ(0, container_state(container));
	ASSERT_EQ(0, edu_open(t->group[0], &t->hw[0], &t->dev[0]));

	EXPECT_FALSE(vfio_reaches(t, 0, t->mem));
	ASSERT_EQ(0, container_set(container, t->fd, t->rid));
	EXPECT_EQ(SVA_CONTAINER_S_SET, container_state(container));
	EXPECT_TRUE(vfio_reaches(t, 0, t->mem));

	ASSERT_EQ(0, container_block(container));
	EXPECT_EQ(0, container_state(container));
	EXPECT_FALSE(vfio_reaches(t, 0, t->mem));
	ASSERT_EQ(0, container_set(container, t->fd, t->rid));
	EXPECT_TRUE(vfio_reaches(t, 0, t->mem));
	close(container);
}

TEST_F(vfio_container, vfio_container_outside_the_map)
{
	struct vfio_test *t = &self->t;
	int i, container, log;
	char name[96];

	snprintf(name, sizeof(name), "device [%s]", t->hw[0].name);
	container = vfio_container_with(t->group[0], VFIO_SVA_IOMMU);
	ASSERT_LE(0, container);
	ASSERT_EQ(0, edu_open(t->group[0], &t->hw[0], &t->dev[0]));
	ASSERT_EQ(0, container_set(container, t->fd, t->rid));
	log = core_log_open();
	ASSERT_LE(0, log);

	/* The kernel writes down ten in five seconds. */
	for (i = 0; i < 100 && !core_logged(log, "DMAR", name); i++) {
		EXPECT_EQ(0, edu_copy(&t->dev[0], VFIO_TEST_SRC,
				      VFIO_TEST_IOVA + VFIO_TEST_SIZE));
		EXPECT_EQ(0, edu_copy(&t->dev[0], VFIO_TEST_SRC,
				      (uintptr_t)t->mem));
	}
	EXPECT_GT(100, i);
	EXPECT_TRUE(vfio_reaches(t, 0, t->mem));

	/* What is unmapped is outside. */
	ASSERT_EQ(VFIO_TEST_SIZE, iova_unmap_all(t->fd, t->as));
	EXPECT_FALSE(vfio_reaches(t, 0, t->mem));
	ASSERT_EQ(0, iova_map_at(t->fd, t->as, CORE_RW, t->mem, VFIO_TEST_SIZE,
				 VFIO_TEST_IOVA));
	EXPECT_TRUE(vfio_reaches(t, 0, t->mem));
	close(container);
	close(log);
}

/* Bound, unbound and bound again under it. */
TEST_F(vfio_container, vfio_container_follows_the_handle)
{
	struct vfio_test *t = &self->t;
	struct sva_pasid_info info;
	uint64_t *other = sva_mem(VFIO_TEST_SIZE);
	uint32_t as;
	int container;

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, sva_as_alloc(t->fd, &as));
	ASSERT_EQ(0, iova_map_at(t->fd, as, CORE_RW, other, VFIO_TEST_SIZE,
				 VFIO_TEST_IOVA));
	container = vfio_container_with(t->group[0], VFIO_SVA_IOMMU);
	ASSERT_LE(0, container);
	ASSERT_EQ(0, edu_open(t->group[0], &t->hw[0], &t->dev[0]));

	ASSERT_EQ(0, sva_pasid_bind(t->fd, t->rid, SVA_AS_NONE));
	ASSERT_EQ(0, container_set(container, t->fd, t->rid));
	EXPECT_FALSE(vfio_reaches(t, 0, t->mem));
	ASSERT_EQ(0, sva_pasid_bind(t->fd, t->rid, t->as));
	EXPECT_TRUE(vfio_reaches(t, 0, t->mem));
	ASSERT_EQ(0, sva_pasid_bind(t->fd, t->rid, as));
	EXPECT_TRUE(vfio_reaches(t, 0, other));
	EXPECT_FALSE(vfio_reaches(t, 0, t->mem));
	EXPECT_EQ(0, sva_pasid_info(t->fd, t->rid, &info));
	EXPECT_EQ(1, info.bonds);
	EXPECT_EQ(-EBUSY, pasid_free(t->fd, t->rid, 1));
	EXPECT_EQ(-EBUSY, sva_destroy(t->fd, as));
	close(container);
	edu_close(&t->dev[0]);
	munmap(other, VFIO_TEST_SIZE);
}

TEST_F(vfio_container, vfio_container_points_elsewhere)
{
	struct vfio_test *t = &self->t;
	int container, fd = sva_open();
	uint64_t *other = sva_mem(VFIO_TEST_SIZE);
	uint32_t as, rid, second;

	/* The handle of another context, and another of the first. */
	ASSERT_LE(0, fd);
	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, sva_as_alloc(fd, &as));
	ASSERT_EQ(0, iova_map_at(fd, as, CORE_RW, other, VFIO_TEST_SIZE,
				 VFIO_TEST_IOVA));
	ASSERT_EQ(0, pasid_alloc_handle(fd, SVA_PASID_F_RID, &rid));
	ASSERT_EQ(0, sva_pasid_bind(fd, rid, as));
	ASSERT_EQ(0, pasid_alloc_handle(t->fd, SVA_PASID_F_RID, &second));
	ASSERT_EQ(0, sva_pasid_bind(t->fd, second, t->as));

	container = vfio_container_with(t->group[0], VFIO_SVA_IOMMU);
	ASSERT_LE(0, container);
	ASSERT_EQ(0, edu_open(t->group[0], &t->hw[0], &t->dev[0]));
	ASSERT_EQ(0, container_set(container, t->fd, t->rid));
	EXPECT_TRUE(vfio_reaches(t, 0, t->mem));
	ASSERT_EQ(0, container_set(container, fd, rid));
	EXPECT_TRUE(vfio_reaches(t, 0, other));
	EXPECT_FALSE(vfio_reaches(t, 0, t->mem));
	/* What it has left is free. */
	EXPECT_EQ(0, pasid_free(t->fd, t->rid, 1));
	ASSERT_EQ(0, container_set(container, t->fd, second));
	EXPECT_TRUE(vfio_reaches(t, 0, t->mem));
	/* The same again. */
	ASSERT_EQ(0, container_set(container, t->fd, second));
	EXPECT_TRUE(vfio_reaches(t, 0, t->mem));
	close(fd);
	close(container);
	munmap(other, VFIO_TEST_SIZE);
}

TEST_F(vfio_container, vfio_container_share)
{
	struct vfio_test *t = &self->t;
	long pinned = core_count("pinned_pages");
	struct sva_pasid_info info;
	int container[2], i;
	uint32_t rid;

	EXPECT_EQ(self->before.pinned + (long)(VFIO_TEST_SIZE / CORE_PAGE), pinned);
	ASSERT_EQ(0, pasid_alloc_handle(t->fd, SVA_PASID_F_RID, &rid));
	ASSERT_EQ(0, sva_pasid_bind(t->fd, rid, t->as));
	for (i = 0; i < 2; i++) {
		container[i] = vfio_container_with(t->group[i], VFIO_SVA_IOMMU);
		ASSERT_LE(0, container[i]);
		ASSERT_EQ(0, edu_open(t->group[i], &t->hw[i], &t->dev[i]));
		ASSERT_EQ(0, container_set(container[i], t->fd, t->rid));
	}
	EXPECT_TRUE(vfio_reaches(t, 0, t->mem));
	EXPECT_TRUE(vfio_reaches(t, 1, t->mem));
	EXPECT_EQ(0, sva_pasid_info(t->fd, t->rid, &info));
	EXPECT_EQ(2, info.bonds);
	EXPECT_EQ(pinned, core_count("pinned_pages"));

	/* By a handle of its own for each. */
	ASSERT_EQ(0, container_set(container[1], t->fd, rid));
	EXPECT_TRUE(vfio_reaches(t, 1, t->mem));
	EXPECT_EQ(pinned, core_count("pinned_pages"));

	/* The end of one is nothing to the other. */
	edu_close(&t->dev[0]);
	ASSERT_EQ(0, vfio_leave(t->group[0]));
	close(container[0]);
	EXPECT_TRUE(vfio_reaches(t, 1, t->mem));
	EXPECT_EQ(pinned, core_count("pinned_pages"));
	close(container[1]);
}

TEST_F(vfio_container, vfio_container_of_two_groups)
{
	struct vfio_test *t = &self->t;
	uint64_t *other = sva_mem(VFIO_TEST_SIZE);
	struct sva_container_info info = { .size = sizeof(info) };
	uint32_t as, rid;
	int container;

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, sva_as_alloc(t->fd, &as));
	ASSERT_EQ(0, iova_map_at(t->fd, as, CORE_RW, other, VFIO_TEST_SIZE,
				 VFIO_TEST_IOVA));
	ASSERT_EQ(0, pasid_alloc_handle(t->fd, SVA_PASID_F_RID, &rid));
	ASSERT_EQ(0, sva_pasid_bind(t->fd, rid, as));

	/* What joins later translates at once. */
	container = vfio_container_with(t->group[0], VFIO_SVA_IOMMU);
	ASSERT_LE(0, container);
	ASSERT_EQ(0, container_set(container, t->fd, t->rid));
	ASSERT_EQ(0, vfio_join(t->group[1], container));
	ASSERT_EQ(0, edu_open(t->group[0], &t->hw[0], &t->dev[0]));
	ASSERT_EQ(0, edu_open(t->group[1], &t->hw[1], &t->dev[1]));
	EXPECT_TRUE(vfio_reaches(t, 0, t->mem));
	EXPECT_TRUE(vfio_reaches(t, 1, t->mem));
	EXPECT_EQ(0, sva_ioctl(container, SVA_CONTAINER_INFO, &info));
	EXPECT_EQ(2, info.groups);

	ASSERT_EQ(0, container_set(container, t->fd, rid));
	EXPECT_TRUE(vfio_reaches(t, 0, other));
	EXPECT_TRUE(vfio_reaches(t, 1, other));
	/* One leaves, and is blocked. */
	edu_close(&t->dev[0]);
	ASSERT_EQ(0, vfio_leave(t->group[0]));
	EXPECT_TRUE(vfio_reaches(t, 1, other));
	EXPECT_EQ(0, sva_ioctl(container, SVA_CONTAINER_INFO, &info));
	EXPECT_EQ(1, info.groups);
	close(container);
	munmap(other, VFIO_TEST_SIZE);
}

/* --- reserved regions ------------------------------------------------------------ */

TEST_F(vfio_container, vfio_container_reserved)
{
	struct vfio_test *t = &self->t;
	int container = vfio_container_with(t->group[0], VFIO_SVA_IOMMU);
	uint32_t as, rid;

	ASSERT_LE(0, container);
	ASSERT_EQ(0, edu_open(t->group[0], &t->hw[0], &t->dev[0]));
	ASSERT_EQ(0, container_set(container, t->fd, t->rid));
	EXPECT_EQ(-EADDRNOTAVAIL, iova_map_at(t->fd, t->as, CORE_RW, t->mem,
					      CORE_PAGE, VFIO_TEST_MSI));

	/* The other way round. The container stays as it was. */
	ASSERT_EQ(0, sva_as_alloc(t->fd, &as));
	ASSERT_EQ(0, iova_map_at(t->fd, as, CORE_RW, t->mem, CORE_PAGE,
				 VFIO_TEST_MSI));
	ASSERT_EQ(0, pasid_alloc_handle(t->fd, SVA_PASID_F_RID, &rid));
	ASSERT_EQ(0, sva_pasid_bind(t->fd, rid, as));
	EXPECT_EQ(-EADDRINUSE, container_set(container, t->fd, rid));
	EXPECT_EQ(SVA_CONTAINER_S_SET, container_state(container));
	EXPECT_TRUE(vfio_reaches(t, 0, t->mem));
	EXPECT_EQ(-EADDRINUSE, sva_pasid_bind(t->fd, t->rid, as));
	EXPECT_TRUE(vfio_reaches(t, 0, t->mem));

	/* Nor does a group join where it cannot translate. */
	ASSERT_EQ(0, container_block(container));
	EXPECT_EQ(-EADDRINUSE, container_set(container, t->fd, rid));
	EXPECT_EQ(0, container_state(container));
	EXPECT_EQ(0, iova_map_at(t->fd, t->as, CORE_RW, t->mem, CORE_PAGE,
				 VFIO_TEST_MSI));
	EXPECT_EQ(CORE_PAGE, iova_unmap(t->fd, t->as, VFIO_TEST_MSI, CORE_PAGE));
	close(container);
}

/* --- what is refused ------------------------------------------------------------- */

TEST_F(vfio_container, vfio_container_refuses)
{
	struct vfio_test *t = &self->t;
	int container = vfio_container_with(t->group[0], VFIO_SVA_IOMMU);
	struct {
		struct sva_container_set set;
		uint32_t more;
	} big = { .set = { .size = sizeof(big), .fd = t->fd, .rid = t->rid } };
	struct sva_container_set set = big.set;
	struct sva_container_info info = { .size = sizeof(info), .flags = 1 };
	uint32_t pasid, process;

	ASSERT_LE(0, container);
	ASSERT_EQ(0, edu_open(t->group[0], &t->hw[0], &t->dev[0]));
	ASSERT_EQ(0, pasid_alloc(t->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, pasid_alloc_handle(t->fd, SVA_PASID_F_MM, &process));
	ASSERT_EQ(0, container_set(container, t->fd, t->rid));

	EXPECT_EQ(-EBADF, container_set(container, 999, t->rid));
	EXPECT_EQ(-EBADF, container_set(container, -2, t->rid));
	EXPECT_EQ(-EBADF, container_set(container, container, t->rid));
	EXPECT_EQ(-EBADF, container_set(container, t->group[0], t->rid));
	EXPECT_EQ(-EINVAL, container_set(container, -1, t->rid));
	EXPECT_EQ(-ENOENT, container_set(container, t->fd, t->rid + 1000));
	EXPECT_EQ(-ENOENT, container_set(container, t->fd, 0));
	EXPECT_EQ(-ENOENT, container_set(container, t->fd, pasid + 1));
	EXPECT_EQ(-EINVAL, container_set(container, t->fd, pasid));
	EXPECT_EQ(-EINVAL, container_set(container, t->fd, process));

	EXPECT_EQ(-EFAULT, sva_ioctl(container, SVA_CONTAINER_SET, NULL));
	set.size = sizeof(set) - 1;
	EXPECT_EQ(-EINVAL, sva_ioctl(container, SVA_CONTAINER_SET, &set));
	set.size = 1U << 31;
	EXPECT_EQ(-E2BIG, sva_ioctl(container, SVA_CONTAINER_SET, &set));
	set.size = sizeof(set);
	set.flags = 1;
	EXPECT_EQ(-EOPNOTSUPP, sva_ioctl(container, SVA_CONTAINER_SET, &set));
	EXPECT_EQ(0, sva_ioctl(container, SVA_CONTAINER_SET, &big));
	big.more = 1;
	EXPECT_EQ(-E2BIG, sva_ioctl(container, SVA_CONTAINER_SET, &big));
	EXPECT_EQ(-EOPNOTSUPP, sva_ioctl(container, SVA_CONTAINER_INFO, &info));
	EXPECT_EQ(-ENOTTY, vfio_ioctl(container, VFIO_IOMMU_MAP_DMA, 0));
	EXPECT_EQ(-ENOTTY, sva_ioctl(container, SVA_GET_INFO, NULL));
	EXPECT_EQ(0, vfio_ioctl(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU));

	/* None of it has changed anything. */
	EXPECT_EQ(SVA_CONTAINER_S_SET, container_state(container));
	EXPECT_TRUE(vfio_reaches(t, 0, t->mem));
	close(container);
}

TEST_F(vfio_container, vfio_container_coherency)
{
	struct vfio_test *t = &self->t;
	int container = vfio_container_with(t->group[0], VFIO_SVA_IOMMU);
	struct sva_container_info info = { .size = sizeof(info) };
	struct sva_pasid_info pasid;
	int cc;

	/* Three ways to ask about the same domain. */
	ASSERT_LE(0, container);
	ASSERT_EQ(0, container_set(container, t->fd, t->rid));
	cc = vfio_ioctl(container, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU);
	EXPECT_LE(0, cc);
	EXPECT_EQ(0, sva_ioctl(container, SVA_CONTAINER_INFO, &info));
	EXPECT_EQ(cc, !!(info.state & SVA_CONTAINER_S_COHERENT));
	EXPECT_EQ(0, sva_pasid_info(t->fd, t->rid, &pasid));
	EXPECT_EQ(cc, !!(pasid.state & SVA_PASID_S_COHERENT));
	close(container);
}

/* --- PASID fds ------------------------------------------------------------------- */

TEST_F(vfio_container, vfio_container_by_pasid_fd)
{
	struct vfio_test *t = &self->t;
	int container = vfio_container_with(t->group[0], VFIO_SVA_IOMMU);
	struct sva_pasid_fd cmd = { .size = sizeof(cmd), .pasid = t->rid };

	ASSERT_LE(0, container);
	ASSERT_EQ(0, sva_ioctl(t->fd, SVA_PASID_FD, &cmd));
	ASSERT_EQ(0, edu_open(t->group[0], &t->hw[0], &t->dev[0]));
	EXPECT_EQ(-ENOENT, container_set(container, cmd.fd, t->rid + 1));
	ASSERT_EQ(0, container_set(container, cmd.fd, 0));
	EXPECT_TRUE(vfio_reaches(t, 0, t->mem));

	/* Taken away: blocked, and it can be seen. */
	ASSERT_EQ(0, sva_destroy(t->fd, cmd.id));
	EXPECT_FALSE(vfio_reaches(t, 0, t->mem));
	EXPECT_EQ(SVA_CONTAINER_S_SET | SVA_CONTAINER_S_REVOKED,
		  container_state(container));
	EXPECT_EQ(0, pasid_free(t->fd, t->rid, 1));
	EXPECT_EQ(-ESTALE, container_set(container, cmd.fd, 0));
	EXPECT_EQ(-ESTALE, vfio_join(t->group[1], container));

	/* And mended. */
	ASSERT_EQ(0, pasid_alloc_handle(t->fd, SVA_PASID_F_RID, &t->rid));
	ASSERT_EQ(0, sva_pasid_bind(t->fd, t->rid, t->as));
	ASSERT_EQ(0, container_set(container, t->fd, t->rid));
	EXPECT_EQ(SVA_CONTAINER_S_SET, container_state(container));
	EXPECT_TRUE(vfio_reaches(t, 0, t->mem));
	EXPECT_EQ(0, vfio_join(t->group[1], container));
	close(cmd.fd);
	close(container);
}

/* --- groups of several devices, and devices that go ------------------------------ */

TEST_F(vfio_container, vfio_container_group_of_two)
{
	struct vfio_test *t = &self->t;
	int container;

	ASSERT_EQ(edu_group(&t->hw[2]), edu_group(&t->hw[3]));
	container = vfio_container_with(t->group[2], VFIO_SVA_IOMMU);
	ASSERT_LE(0, container);
	ASSERT_EQ(0, container_set(container, t->fd, t->rid));
	ASSERT_EQ(0, edu_open(t->group[2], &t->hw[2], &t->dev[2]));
	ASSERT_EQ(0, edu_open(t->group[2], &t->hw[3], &t->dev[3]));
	EXPECT_TRUE(vfio_reaches(t, 2, t->mem));
	EXPECT_TRUE(vfio_reaches(t, 3, t->mem));

	/* Each of them can go, and come back, with the other working. */
	edu_close(&t->dev[3]);
	ASSERT_EQ(0, vfio_hw_write(&t->hw[3], "remove", "1"));
	EXPECT_TRUE(vfio_reaches(t, 2, t->mem));
	ASSERT_EQ(0, container_block(container));
	EXPECT_FALSE(vfio_reaches(t, 2, t->mem));
	ASSERT_EQ(0, container_set(container, t->fd, t->rid));
	EXPECT_TRUE(vfio_reaches(t, 2, t->mem));
	ASSERT_EQ(0, sva_write_file("/sys/bus/pci/rescan", "1"));
	ASSERT_EQ(0, vfio_hw_bind(&t->hw[3], variant->driver));
	ASSERT_EQ(0, edu_open(t->group[2], &t->hw[3], &t->dev[3]));
	EXPECT_TRUE(vfio_reaches(t, 3, t->mem));

	edu_close(&t->dev[2]);
	ASSERT_EQ(0, vfio_hw_write(&t->hw[2], "remove", "1"));
	EXPECT_TRUE(vfio_reaches(t, 3, t->mem));
	ASSERT_EQ(0, container_set(container, t->fd, t->rid));
	EXPECT_TRUE(vfio_reaches(t, 3, t->mem));
	EXPECT_EQ(0, sva_write_file("/sys/bus/pci/rescan", "1"));
	EXPECT_EQ(0, vfio_hw_bind(&t->hw[2], variant->driver));
	close(container);
}

static void *unbind(void *hw)
{
	return (void *)(intptr_t)vfio_hw_unbind(hw);
}

/* VFIO waits for the user, and asks by an event; until then all works. */
TEST_F(vfio_container, vfio_container_unbind_while_open)
{
	struct vfio_test *t = &self->t;
	int container = vfio_container_with(t->group[0], VFIO_SVA_IOMMU);
	struct sva_pasid_info info;
	pthread_t thread;
	void *ret;

	ASSERT_LE(0, container);
	ASSERT_EQ(0, edu_open(t->group[0], &t->hw[0], &t->dev[0]));
	ASSERT_EQ(0, container_set(container, t->fd, t->rid));
	ASSERT_EQ(0, pthread_create(&thread, NULL, unbind, &t->hw[0]));
	core_sleep_ms(200);
	EXPECT_TRUE(vfio_reaches(t, 0, t->mem));

	edu_close(&t->dev[0]);
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(NULL, ret);
	/* That was the group's last device: VFIO has taken it out. */
	EXPECT_EQ(0, sva_pasid_info(t->fd, t->rid, &info));
	EXPECT_EQ(0, info.bonds);
	EXPECT_EQ(-EINVAL, container_block(container));
	EXPECT_EQ(0, vfio_hw_bind(&t->hw[0], variant->driver));
	close(container);
}

/* --- beside type1 ----------------------------------------------------------------- */

TEST_F(vfio_container, vfio_container_beside_type1)
{
	struct vfio_test *t = &self->t;
	uint64_t *other = sva_mem(VFIO_TEST_SIZE);
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .vaddr = (uintptr_t)other,
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.iova = VFIO_TEST_IOVA, .size = VFIO_TEST_SIZE,
	};
	int ours, type1;

	ASSERT_NE(NULL, other);
	system("modprobe -q vfio_iommu_type1");
	ours = vfio_container_with(t->group[0], VFIO_SVA_IOMMU);
	type1 = vfio_container_with(t->group[1], VFIO_TYPE1v2_IOMMU);
	ASSERT_LE(0, ours);
	ASSERT_LE(0, type1);
	EXPECT_EQ(-ENOTTY, container_set(type1, t->fd, t->rid));
	ASSERT_EQ(0, vfio_ioctl(type1, VFIO_IOMMU_MAP_DMA, (uintptr_t)&map));
	ASSERT_EQ(0, container_set(ours, t->fd, t->rid));
	ASSERT_EQ(0, edu_open(t->group[0], &t->hw[0], &t->dev[0]));
	ASSERT_EQ(0, edu_open(t->group[1], &t->hw[1], &t->dev[1]));
	EXPECT_TRUE(vfio_reaches(t, 0, t->mem));
	EXPECT_TRUE(vfio_reaches(t, 1, other));
	EXPECT_FALSE(vfio_reaches(t, 0, other));
	EXPECT_FALSE(vfio_reaches(t, 1, t->mem));
	close(ours);
	edu_close(&t->dev[0]);
	EXPECT_TRUE(vfio_reaches(t, 1, other));
	edu_close(&t->dev[1]);
	close(type1);
	munmap(other, VFIO_TEST_SIZE);
}

TEST_HARNESS_MAIN
