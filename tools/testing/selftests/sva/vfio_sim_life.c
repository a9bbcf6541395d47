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
	EXPECT_TRUE(vfio_unused());
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

/* --- page requests that nobody answers ------------------------------------------------ */

#define QUEUES		8
/* What is not over by then never is. */
#define HANGS_MS	(2000 * SVA_SLOWER)
#define DEPTH		1024

/* Whether a thread ends by itself; else it does when all descriptors are aborted. */
static bool ends(const struct vfio_dev *dev, pthread_t thread)
{
	long end = bond_now_ms() + HANGS_MS;
	int i;

	while (pthread_tryjoin_np(thread, NULL)) {
		if (bond_now_ms() > end) {
			for (i = 0; i < QUEUES; i++)
				vfio_queue_set(dev, i, SVA_SIM_REG_CONTROL,
					       SVA_SIM_CONTROL_ABORT);
			pthread_join(thread, NULL);
			return false;
		}
		core_sleep_ms(1);
	}
	return true;
}

/* Takes a PASID from a device, or destroys its PASID fd if @id is not 0. */
struct taker {
	int dev;
	int sva;
	uint32_t pasid;
	uint32_t id;
	int ret;
};

static void *take_pasid(void *arg)
{
	struct taker *t = arg;

	t->ret = t->id ? sva_destroy(t->sva, t->id) : vfio_detach(t->dev, t->pasid);
	return NULL;
}

/* A PASID is taken away: what is executed with another one goes on. */
TEST_F(vfio_sim_life, vfio_sim_stop_one_of_two)
{
	struct sva_sim_desc desc = sva_sim_fill(0x200000, 7, 8);
	struct taker taker = { .sva = self->as.fd, .pasid = self->as.pasid };
	struct pollfd asks = { .events = POLLIN };
	pthread_t thread;
	uint32_t pasid;
	int i, pf;

	ASSERT_EQ(0, vfio_open(&self->dev, &self->hw[0]));
	taker.dev = self->dev.fd;
	asks.fd = sva_pasid_asking(self->as.fd, SVA_FAULTQ_F_NONBLOCK, DEPTH, &pasid);
	ASSERT_LE(0, asks.fd);
	ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, pasid, NULL));
	ASSERT_EQ(0, vfio_start(&self->dev, 1, pasid, &desc));
	ASSERT_EQ(1, poll(&asks, 1, SVA_TIMEOUT_MS));

	for (i = 0; i < 2; i++) {
		pf = self->as.fd;
		if (i) {
			pf = pasidfd_make(self->as.fd, self->as.pasid, &taker.id);
			ASSERT_LE(0, pf);
		}
		ASSERT_EQ(0, vfio_attach(self->dev.fd, pf, self->as.pasid, NULL));
		EXPECT_EQ(SVA_SIM_STATUS_OK, COPY());
		ASSERT_EQ(0, pthread_create(&thread, NULL, take_pasid, &taker));
		ASSERT_TRUE(ends(&self->dev, thread));
		EXPECT_EQ(0, taker.ret);
		EXPECT_EQ(SVA_SIM_STATUS_FAULT, COPY());
		EXPECT_EQ(SVA_SIM_STATE_BUSY,
			  vfio_queue_reg(&self->dev, 1, SVA_SIM_REG_STATE));
	}
	close(pf);
	ASSERT_EQ(0, vfio_queue_set(&self->dev, 1, SVA_SIM_REG_CONTROL,
				    SVA_SIM_CONTROL_ABORT));
	EXPECT_EQ(SVA_SIM_STATUS_ABORTED, vfio_wait(&self->dev, 1));
	close(asks.fd);
}

struct resetter {
	int dev;
	bool stop;
	int ret;
	unsigned long resets;
};

static void *keep_resetting(void *arg)
{
	struct resetter *r = arg;

	while (!r->ret && !__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		r->ret = sva_ioctl(r->dev, VFIO_DEVICE_RESET, NULL);
		r->resets++;
	}
	return NULL;
}

struct starter {
	const struct vfio_dev *dev;
	uint32_t pasid;
	int q;
	bool stop;
	bool failed;
	unsigned long requests;
	bool asked[QUEUES];
	uint32_t cookie[QUEUES];	/* of the last request */
};

/* Each queue asks once: what it asked before was aborted, and takes up a slot. */
static void answer_aborted(struct starter *s)
{
	struct sva_fault_response resp = { .code = SVA_FAULT_INVALID };
	struct sva_fault fault[16];
	ssize_t n = read(s->q, fault, sizeof(fault));
	int i;

	for (i = 0; i < n / (ssize_t)sizeof(*fault); i++) {
		uint64_t queue = fault[i].private_data[0];

		if (fault[i].flags & SVA_FAULT_LOST || queue >= QUEUES) {
			s->failed = true;
			continue;
		}
		resp.cookie = s->cookie[queue];
		if (s->asked[queue] && write(s->q, &resp, sizeof(resp)) < 0)
			s->failed = true;
		s->asked[queue] = true;
		s->cookie[queue] = fault[i].cookie;
		s->requests++;
	}
}

static void *keep_starting(void *arg)
{
	struct starter *s = arg;
	const struct {
		struct sva_sim_desc desc;
		uint32_t pasid;
		uint32_t control;
	} regs = {
		.desc = sva_sim_fill(0x200000, 7, 8),
		.pasid = s->pasid,
		.control = SVA_SIM_CONTROL_START,
	};
	const ssize_t size = sizeof(regs);
	uint32_t seed = 1;

	while (!s->failed && !__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		uint32_t queue = bond_random(&seed) % (8 * QUEUES);

		/* Seldom enough that resets find queues that do nothing, too. */
		if (queue < QUEUES &&
		    pwrite(s->dev->fd, &regs, sizeof(regs),
			   s->dev->regs + SVA_SIM_REG_QUEUE(queue)) != size)
			s->failed = true;
		answer_aborted(s);
	}
	return NULL;
}

/* A reset ends what it finds; what comes after it, it does not wait for. */
TEST_F(vfio_sim_life, vfio_sim_reset_storm)
{
	struct resetter resetter = {};
	struct starter starter = { .dev = &self->dev };
	pthread_t threads[2];

	ASSERT_EQ(0, vfio_open(&self->dev, &self->hw[0]));
	starter.q = sva_pasid_asking(self->as.fd, SVA_FAULTQ_F_NONBLOCK, DEPTH,
				     &starter.pasid);
	ASSERT_LE(0, starter.q);
	ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, starter.pasid, NULL));
	resetter.dev = self->dev.fd;
	ASSERT_EQ(0, pthread_create(&threads[0], NULL, keep_resetting, &resetter));
	ASSERT_EQ(0, pthread_create(&threads[1], NULL, keep_starting, &starter));
	core_sleep_ms(3000);
	__atomic_store_n(&resetter.stop, true, __ATOMIC_RELAXED);
	__atomic_store_n(&starter.stop, true, __ATOMIC_RELAXED);
	pthread_join(threads[1], NULL);
	EXPECT_TRUE(ends(&self->dev, threads[0]));
	EXPECT_EQ(0, resetter.ret);
	EXPECT_FALSE(starter.failed);
	TH_LOG("%lu resets, %lu page requests", resetter.resets, starter.requests);
	EXPECT_LT(10, resetter.resets);
	EXPECT_LT(10, starter.requests);
	close(starter.q);
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
