// SPDX-License-Identifier: GPL-2.0-only
/*
 * Users of type1 containers that know nothing of /dev/sva, as they come: QEMU's NVMe
 * driver and the kernel's own VFIO tests, on one function, while another function
 * translates through /dev/sva and is busy all the time.
 *
 * Machine: vfio
 */
#include <pthread.h>

#include "vfio_container.h"
#include "kselftest_harness.h"

#define NVME	0x1b360010
#define TESTS	"/sva/kernel-tests/"
#define COPY	"/tmp/vfio_type1_users"
#define QUIET	" %s >/dev/null 2>&1"
#define DEVICE_TEST	"VFIO_DEFAULT_MODE=vfio_type1v2_iommu " TESTS "vfio_pci_device_test"
#define MAPPING_TEST	TESTS "vfio_dma_mapping_test -v vfio_type1_iommu_anonymous"
/* Of the disk; beyond, other tests write. */
#define LEN	(256 << 10)

FIXTURE(vfio_users) {
	struct core_counts before;
	struct vfio_test t;
	struct vfio_hw nvme;
	int container;
	pthread_t thread;
	bool stop;
	int rounds;
	int bad;
};

/* Of the function that type1 users have */
FIXTURE_VARIANT(vfio_users) {
	const char *driver;
};

FIXTURE_VARIANT_ADD(vfio_users, vfio_pci) {
	.driver = "vfio-pci",
};

FIXTURE_VARIANT_ADD(vfio_users, sva_vfio_pci) {
	.driver = "sva-vfio-pci",
};

/* Ours: DMA, and maps that come and go */
static void *be_busy(void *data)
{
	FIXTURE_DATA(vfio_users) *self = data;
	struct vfio_test *t = &self->t;

	while (!__atomic_load_n(&self->stop, __ATOMIC_RELAXED)) {
		if (!vfio_reaches(t, 0, t->mem) ||
		    iova_unmap_all(t->fd, t->as) != VFIO_TEST_SIZE ||
		    vfio_reaches(t, 0, t->mem) ||
		    iova_map_at(t->fd, t->as, CORE_RW, t->mem, VFIO_TEST_SIZE,
				VFIO_TEST_IOVA))
			self->bad++;
		__atomic_add_fetch(&self->rounds, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

FIXTURE_SETUP(vfio_users)
{
	struct vfio_test *t = &self->t;

	self->before = core_counts();
	t->driver = "sva-vfio-pci";
	ASSERT_EQ(0, vfio_test_begin(t));
	ASSERT_EQ(0, vfio_pci_find(&self->nvme, NVME));
	ASSERT_EQ(0, vfio_hw_bind(&self->nvme, variant->driver));
	self->container = vfio_container_with(t->group[0], VFIO_SVA_IOMMU);
	ASSERT_LE(0, self->container);
	ASSERT_EQ(0, container_set(self->container, t->fd, t->rid));
	ASSERT_EQ(0, edu_open(t->group[0], &t->hw[0], &t->dev[0]));
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, be_busy, self));
}

FIXTURE_TEARDOWN(vfio_users)
{
	/* Whatever else there was, it was busy. */
	while (__atomic_load_n(&self->rounds, __ATOMIC_RELAXED) < 2)
		core_sleep_ms(10);
	__atomic_store_n(&self->stop, true, __ATOMIC_RELAXED);
	pthread_join(self->thread, NULL);
	EXPECT_EQ(0, self->bad);
	close(self->container);
	EXPECT_EQ(0, vfio_pci_give_back(&self->nvme));
	EXPECT_TRUE(vfio_test_end(&self->t));
	EXPECT_TRUE(core_settles(&self->before));
}

static int run(const char *words, const char *function)
{
	char command[512];

	snprintf(command, sizeof(command), words, function);
	return system(command);
}

/* The controller has what the first disk has. */
TEST_F_TIMEOUT(vfio_users, vfio_type1_qemu, 60)
{
	int disk = open("/dev/vda", O_RDONLY | O_CLOEXEC), copy;
	char *want = sva_mem(LEN), *got = sva_mem(LEN);

	ASSERT_LE(0, disk);
	if (system("qemu-img --version >/dev/null"))
		SKIP(return, "there is no qemu-img");
	ASSERT_EQ(0, run("qemu-img dd -f raw -O raw bs=64k count=4 if=nvme://%s/1 of=" COPY,
			 self->nvme.name));
	copy = open(COPY, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, copy);
	ASSERT_EQ(LEN, read(copy, got, LEN));
	ASSERT_EQ(LEN, read(disk, want, LEN));
	EXPECT_EQ(0, memcmp(want, got, LEN));
	EXPECT_EQ(0, unlink(COPY));
	close(copy);
	close(disk);
	munmap(want, LEN);
	munmap(got, LEN);
}

TEST_F_TIMEOUT(vfio_users, vfio_type1_kernel_tests, 60)
{
	if (access(TESTS "vfio_pci_device_test", X_OK))
		SKIP(return, "the kernel's tests were not built");
	EXPECT_EQ(0, run(DEVICE_TEST QUIET, self->nvme.name));
	EXPECT_EQ(0, run(MAPPING_TEST QUIET, self->nvme.name));
}

TEST_HARNESS_MAIN
