// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO devices that go away while they are open, groups of several, drivers that
 * follow each other, and everything at the same time.
 */
#include <pthread.h>

#include "pasidfd_util.h"
#include "vfio_util.h"
#include "kselftest_harness.h"

#define IRQ_REQUEST	1

FIXTURE(vfio_sim_life) {
	struct core_counts before;
	char name[2][32];
	struct vfio_hw hw[2];
	struct vfio_dev dev;
	struct vfio_as as;
};

/* Two engines of one group */
FIXTURE_SETUP(vfio_sim_life)
{
	char group[16];
	int i;

	self->before = core_counts();
	self->dev = (struct vfio_dev)VFIO_DEV_NONE;
	if (!vfio_load())
		SKIP(return, "this kernel has no VFIO");
	snprintf(group, sizeof(group), "%d", getpid());
	for (i = 0; i < 2; i++) {
		sva_sim_name(self->name[i], sizeof(self->name[i]),
			     i ? "second" : "first");
		ASSERT_EQ(0, vfio_sim_make(&self->hw[i], self->name[i], NULL, group));
	}
	ASSERT_EQ(0, vfio_as_make(&self->as));
}

FIXTURE_TEARDOWN(vfio_sim_life)
{
	vfio_close(&self->dev);
	vfio_as_end(&self->as);
	EXPECT_EQ(0, sva_sim_remove(self->name[0]));
	EXPECT_EQ(0, sva_sim_remove(self->name[1]));
	EXPECT_EQ(0, vfio_unload());
	EXPECT_TRUE(core_settles(&self->before));
}

#define COPY() vfio_copy(&self->dev, 0, self->as.pasid, self->as.mem)

/* --- going away ------------------------------------------------------------------ */

/* A child that takes the engine away; it waits until we have closed it. */
static pid_t take_away(FIXTURE_DATA(vfio_sim_life) *self, bool unbind)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	vfio_close(&self->dev);
	_exit(!!(unbind ? vfio_hw_unbind(&self->hw[0]) :
			  sva_sim_set(self->name[0], "enable", "0")));
}

TEST_F(vfio_sim_life, vfio_sim_taken_away)
{
	int32_t event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int i;

	ASSERT_LE(0, event);
	for (i = 0; i < 4; i++) {
		pid_t pid;

		ASSERT_EQ(0, vfio_open(&self->dev, &self->hw[0]));
		ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid,
					 NULL));
		ASSERT_EQ(0, vfio_set_irqs(self->dev.fd, IRQ_REQUEST, 0, 1, &event));
		pid = take_away(self, i % 2);
		ASSERT_LE(0, pid);
		EXPECT_TRUE(vfio_signalled(event, SVA_TIMEOUT_MS));
		/* Nothing is taken from who has it. */
		EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
		EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
		vfio_close(&self->dev);
		EXPECT_EQ(0, bond_join_child(pid));
		EXPECT_EQ(0, pasidfd_bonds(self->as.fd, self->as.pasid));
		if (i % 2 == 0) {
			EXPECT_EQ(0, sva_sim_set(self->name[0], "enable", "1"));
			ASSERT_EQ(0, bond_hardware(self->name[0], self->hw[0].name,
						   sizeof(self->hw[0].name)));
		}
		ASSERT_EQ(0, vfio_hw_bind(&self->hw[0], "sva-vfio-sim"));
	}
	close(event);
}

TEST_F(vfio_sim_life, vfio_sim_modules_in_use)
{
	ASSERT_EQ(0, vfio_open(&self->dev, &self->hw[0]));
	EXPECT_EQ(-EWOULDBLOCK, modules_delete("sva_vfio_sim"));
	EXPECT_EQ(-EWOULDBLOCK, modules_delete("sva_vfio"));
	ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
}

/* The module goes with devices bound, which nobody has open. */
TEST_F(vfio_sim_life, vfio_sim_unloaded_while_bound)
{
	ASSERT_EQ(0, modules_unload_one("sva_vfio_sim"));
	ASSERT_TRUE(vfio_load());
	ASSERT_EQ(0, vfio_hw_bind(&self->hw[0], "sva-vfio-sim"));
	ASSERT_EQ(0, vfio_open(&self->dev, &self->hw[0]));
	ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
}

/* --- drivers that follow each other --------------------------------------------------- */

TEST_F(vfio_sim_life, vfio_sim_driver_and_back)
{
	char dev[32];
	int i, sim;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, sva_sim_get(self->name[0], "dev", dev, sizeof(dev)));
		EXPECT_STREQ("", dev);
		ASSERT_EQ(0, vfio_hw_bind(&self->hw[0], ""));
		ASSERT_EQ(0, sva_sim_get(self->name[0], "dev", dev, sizeof(dev)));
		/* The other one of the group is VFIO's, who has it not open. */
		sim = bond_attached(dev, self->as.fd, self->as.pasid);
		ASSERT_LE(0, sim);
		EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, self->as.mem));
		close(sim);
		ASSERT_EQ(0, vfio_hw_bind(&self->hw[0], "sva-vfio-sim"));
		ASSERT_EQ(0, vfio_open(&self->dev, &self->hw[0]));
		ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid,
					 NULL));
		EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
		vfio_close(&self->dev);
	}
}

/* It is for engines only, whatever driver_override says. */
TEST_F(vfio_sim_life, vfio_sim_foreign_device)
{
	struct vfio_hw hw = { .bus = "platform" };

	snprintf(hw.name, sizeof(hw.name), "%s", "serial8250");
	if (vfio_hw_write(&hw, "driver_override", "sva-vfio-sim"))
		SKIP(return, "no other platform device");
	vfio_hw_unbind(&hw);
	EXPECT_EQ(-ENODEV, sva_write_file("/sys/bus/platform/drivers/sva-vfio-sim/bind",
					  hw.name));
	EXPECT_EQ(0, vfio_hw_bind(&hw, ""));
}

/* --- groups ------------------------------------------------------------------------------ */

/* Half of it cannot be had. */
TEST_F(vfio_sim_life, vfio_sim_group_of_two_drivers)
{
	ASSERT_EQ(0, vfio_hw_bind(&self->hw[1], ""));
	EXPECT_EQ(-EPERM, vfio_open(&self->dev, &self->hw[0]));
	ASSERT_EQ(0, vfio_hw_bind(&self->hw[1], "sva-vfio-sim"));
	ASSERT_EQ(0, vfio_open(&self->dev, &self->hw[0]));
	/* Nor can a part of it be taken. */
	ASSERT_EQ(0, vfio_hw_unbind(&self->hw[1]));
	EXPECT_GT(0, sva_write_file("/sys/bus/platform/drivers/sva_sim/bind",
				    self->hw[1].name));
	ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
	vfio_close(&self->dev);
	ASSERT_EQ(0, vfio_hw_bind(&self->hw[1], "sva-vfio-sim"));
}

/* Both can use what either has attached: they are one to the IOMMU. */
TEST_F(vfio_sim_life, vfio_sim_group_of_one_context)
{
	struct vfio_dev second = VFIO_DEV_NONE;
	struct vfio_as other;

	ASSERT_EQ(0, vfio_open(&self->dev, &self->hw[0]));
	second.fd = ioctl(self->dev.group, VFIO_GROUP_GET_DEVICE_FD,
			  self->hw[1].name);
	ASSERT_LE(0, second.fd);
	ASSERT_EQ(0, vfio_as_make(&other));
	ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid, NULL));
	EXPECT_EQ(-EBUSY, vfio_attach(second.fd, other.fd, other.pasid, NULL));
	EXPECT_EQ(-EBUSY, vfio_attach(self->dev.fd, other.fd, other.pasid, NULL));
	/* The driver does not let one use what the other's user has. */
	EXPECT_EQ(SVA_SIM_STATUS_FAULT,
		  vfio_copy(&second, 0, self->as.pasid, self->as.mem));
	ASSERT_EQ(0, vfio_attach(second.fd, self->as.fd, self->as.pasid, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_copy(&second, 0, self->as.pasid, self->as.mem));
	EXPECT_EQ(0, vfio_detach(self->dev.fd, self->as.pasid));
	EXPECT_EQ(SVA_SIM_STATUS_FAULT, COPY());
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  vfio_copy(&second, 0, self->as.pasid, self->as.mem));
	close(second.fd);
	EXPECT_EQ(0, vfio_attach(self->dev.fd, other.fd, other.pasid, NULL));
	vfio_as_end(&other);
}

/* --- at the same time ---------------------------------------------------------------------- */

#define THREADS	4

struct storm {
	int dev;
	struct vfio_as *as;
	uint32_t seed;
	long end;
	bool failed;
};

static void *storm(void *arg)
{
	struct storm *storm = arg;

	while (bond_now_ms() < storm->end && !storm->failed) {
		uint32_t what = bond_random(&storm->seed), id;
		struct sva_vfio_info info;
		int ret = 0, pf;

		switch (what % 6) {
		case 0:
		case 1:
			ret = vfio_attach(storm->dev, storm->as->fd,
					  storm->as->pasid, NULL);
			break;
		case 2:
			ret = vfio_detach(storm->dev, storm->as->pasid);
			break;
		case 3:
			pf = pasidfd_make(storm->as->fd, storm->as->pasid, &id);
			ret = vfio_attach(storm->dev, pf, 0, NULL);
			close(pf);
			if (sva_destroy(storm->as->fd, id))
				storm->failed = true;
			break;
		case 4:
			ret = vfio_sva_info(storm->dev, &info);
			if (info.attached > 1)
				storm->failed = true;
			break;
		default:
			ret = sva_ioctl(storm->dev, VFIO_DEVICE_RESET, NULL);
		}
		if (ret && ret != -EEXIST && ret != -ENOENT) {
			fprintf(stderr, "# %u: %d\n", what % 6, ret);
			storm->failed = true;
		}
	}
	return NULL;
}

TEST_F(vfio_sim_life, vfio_sim_storm)
{
	struct storm storms[THREADS];
	pthread_t threads[THREADS];
	struct sva_sim_desc desc;
	int i;

	ASSERT_EQ(0, vfio_open(&self->dev, &self->hw[0]));
	desc = sva_sim_fill((uintptr_t)self->as.mem->dst, 1,
			    sizeof(self->as.mem->dst));
	for (i = 0; i < THREADS; i++) {
		storms[i] = (struct storm) {
			.dev = self->dev.fd, .as = &self->as, .seed = i,
			.end = bond_now_ms() + 3000,
		};
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, storm, &storms[i]));
	}
	while (bond_now_ms() < storms[0].end)
		vfio_start(&self->dev, bond_random(&storms[0].seed) % 8,
			   self->as.pasid, &desc);
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_FALSE(storms[i].failed);
	}
	vfio_detach(self->dev.fd, self->as.pasid);
	EXPECT_EQ(0, pasidfd_bonds(self->as.fd, self->as.pasid));
	EXPECT_EQ(0, pasid_free(self->as.fd, self->as.pasid, 1));
}

TEST_HARNESS_MAIN
