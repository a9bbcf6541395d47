// SPDX-License-Identifier: GPL-2.0-only
/*
 * Users of a VFIO device that are killed at any moment, 1,000 times: the group is
 * free again, nothing stays pinned, and the next user has a device that works.
 *
 * Machine: plain engine
 */
#include "pasidfd_util.h"
#include "vfio_pci_util.h"
#include "kselftest_harness.h"

#define LEN	(1ULL << 20)

FIXTURE(vfio_kill) {
	struct core_counts before;
	long pins;
	bool pci;
	int rounds;
	char name[32];
	struct vfio_hw hw;
};

/* Pages that anybody in the system has pinned */
static long pins(void)
{
	char name[64];
	long value, n = 0;
	int refresh;
	FILE *f;

	/* Adds up what CPUs have counted for themselves. */
	refresh = open("/proc/sys/vm/stat_refresh", O_RDONLY | O_CLOEXEC);
	if (refresh < 0 || read(refresh, name, 1) < 0)
		perror("# vm.stat_refresh");
	close(refresh);
	f = fopen("/proc/vmstat", "re");
	while (f && fscanf(f, "%63s %ld", name, &value) == 2) {
		if (!strcmp(name, "nr_foll_pin_acquired"))
			n += value;
		if (!strcmp(name, "nr_foll_pin_released"))
			n -= value;
	}
	if (f)
		fclose(f);
	return n;
}

/* A function level reset takes a quarter of a second, and each user has two. */
FIXTURE_SETUP(vfio_kill)
{
	const char *rounds = getenv("SVA_ROUNDS");

	self->before = core_counts();
	if (!vfio_load())
		SKIP(return, "this kernel has no VFIO");
	self->pci = !vfio_pci_find(&self->hw, ENGINE_IDS);
	self->rounds = rounds ? atoi(rounds) : self->pci ? 60 : 1000 / SVA_SLOWER;
	if (self->pci) {
		ASSERT_EQ(0, vfio_hw_bind(&self->hw, "sva-vfio-pci"));
	} else {
		sva_sim_name(self->name, sizeof(self->name), "kill");
		ASSERT_EQ(0, vfio_sim_make(&self->hw, self->name, NULL, NULL));
	}
	self->pins = pins();
}

FIXTURE_TEARDOWN(vfio_kill)
{
	if (self->pci) {
		EXPECT_EQ(0, vfio_pci_give_back(&self->hw));
	} else {
		EXPECT_EQ(0, sva_sim_remove(self->name));
	}
	EXPECT_TRUE(vfio_unused());
	EXPECT_TRUE(core_settles(&self->before));
}

static int open_device(const FIXTURE_DATA(vfio_kill) *self, struct vfio_dev *dev)
{
	return self->pci ? vfio_pci_open(dev, &self->hw) :
			   vfio_open(dev, &self->hw);
}

static void check(const char *what, int ret)
{
	if (!ret)
		return;
	fprintf(stderr, "# %s: %d\n", what, ret);
	_exit(1);
}

/* Everything that a user does, again and again; never returns. */
static void use_device(const FIXTURE_DATA(vfio_kill) *self, int pf)
{
	uint32_t state = getpid(), number;
	char *mem = sva_mem(LEN);
	struct vfio_dev dev;
	struct vfio_as as;

	for (;;) {
		struct sva_sim_desc desc = sva_sim_fill((uintptr_t)mem, 1, LEN);

		check("making an address space", vfio_as_make(&as));
		check("mapping", iova_map_at(as.fd, as.as, CORE_RW, mem, LEN,
					     (uintptr_t)mem));
		check("opening", open_device(self, &dev));
		check("type1", vfio_type1_map(&dev, mem, LEN, 1ULL << 32));
		check("attaching", vfio_attach(dev.fd, as.fd, as.pasid, &number));
		if (pf >= 0)
			check("attaching by PASID fd",
			      vfio_attach(dev.fd, pf, 0, NULL));
		check("starting", vfio_start(&dev, 0, number, &desc));
		check("starting without PASID",
		      vfio_start(&dev, 1, SVA_SIM_REG_PASID_NONE, &desc));
		if (bond_random(&state) % 2)
			vfio_detach(dev.fd, number);
		if (bond_random(&state) % 2)
			vfio_as_end(&as);
		vfio_close(&dev);
		if (as.fd >= 0)
			vfio_as_end(&as);
	}
}

static int kill_one(const FIXTURE_DATA(vfio_kill) *self, int pf, uint32_t us)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		use_device(self, pf);
	if (pid < 0)
		return -errno;
	usleep(us);
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	/* Not by itself: whatever it was in, it can do. */
	return WIFSIGNALED(status) ? 0 : -WEXITSTATUS(status);
}

/* As its next user finds it */
static int check_device(const FIXTURE_DATA(vfio_kill) *self)
{
	struct sva_vfio_info info;
	struct vfio_dev dev;
	struct vfio_as as;
	int ret;

	ret = vfio_as_make(&as) ?: open_device(self, &dev);
	if (ret)
		return ret;
	ret = vfio_sva_info(dev.fd, &info);
	if (!ret && info.attached)
		ret = -EEXIST;
	if (!ret)
		ret = vfio_attach(dev.fd, as.fd, as.pasid, NULL);
	if (!ret && vfio_copy(&dev, 0, as.pasid, as.mem) != SVA_SIM_STATUS_OK)
		ret = -EIO;
	vfio_close(&dev);
	vfio_as_end(&as);
	return ret;
}

TEST_F_TIMEOUT(vfio_kill, vfio_killed_at_random, 110)
{
	uint32_t us = self->pci ? 800000 : 12000 * SVA_SLOWER, state = 1;
	int i;

	for (i = 0; i < self->rounds; i++) {
		ASSERT_EQ(0, kill_one(self, -1, bond_random(&state) % us)) {
			TH_LOG("round %d", i);
		}
		ASSERT_TRUE(core_settles(&self->before));
		if (i % 50 == 0) {
			ASSERT_EQ(0, check_device(self));
			ASSERT_EQ(self->pins, pins());
		}
	}
	ASSERT_EQ(0, check_device(self));
	EXPECT_EQ(self->pins, pins());
}

/* Who is killed has a PASID of ours as well, which is free again. */
TEST_F_TIMEOUT(vfio_kill, vfio_killed_with_pasid_fd, 110)
{
	uint32_t us = self->pci ? 800000 : 12000 * SVA_SLOWER, state = 2;
	struct vfio_as as;
	int i, pf;

	ASSERT_EQ(0, vfio_as_make(&as));
	pf = pasidfd_make(as.fd, as.pasid, NULL);
	ASSERT_LE(0, pf);
	for (i = 0; i < self->rounds / 5; i++) {
		ASSERT_EQ(0, kill_one(self, pf, bond_random(&state) % us));
		ASSERT_EQ(0, pasidfd_bonds(as.fd, as.pasid));
	}
	EXPECT_EQ(0, pasid_free(as.fd, as.pasid, 1));
	close(pf);
	vfio_as_end(&as);
	EXPECT_TRUE(core_settles(&self->before));
	EXPECT_EQ(0, check_device(self));
}

TEST_HARNESS_MAIN
