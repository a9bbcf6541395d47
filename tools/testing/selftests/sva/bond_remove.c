// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends of life on the side of the device: an engine goes while it is at work,
 * in whichever way, and so do the modules.
 *
 * Seconds: 300
 */
#include <pthread.h>
#include <sys/syscall.h>

#include "bond_util.h"
#include "kselftest_harness.h"

#define BUSY_LEN	(256 * 1024)

/* Nobody waits longer than this for an engine to go. */
#define PROMPT_MS	5000

FIXTURE(bond_remove) {
	struct core_counts before;
	char name[32];
	int fd;
	char *mem;
	uint32_t as;
	uint32_t pasid;
	uint32_t mm;
};

FIXTURE_VARIANT(bond_remove) {
	int (*remove)(const char *name);
};

static int disable(const char *name)
{
	int ret = sva_sim_set(name, "enable", "0");

	return ret ? ret : sva_sim_remove(name);
}

static int driver_unbind(const char *name)
{
	char hw[64];
	int ret = bond_hardware(name, hw, sizeof(hw));

	if (!ret)
		ret = sva_write_file("/sys/bus/platform/drivers/sva_sim/unbind",
				     hw);
	return ret ? ret : sva_sim_remove(name);
}

FIXTURE_VARIANT_ADD(bond_remove, disable) {
	.remove = disable,
};

FIXTURE_VARIANT_ADD(bond_remove, rmdir) {
	.remove = sva_sim_remove,
};

FIXTURE_VARIANT_ADD(bond_remove, unbind) {
	.remove = driver_unbind,
};

FIXTURE_SETUP(bond_remove)
{
	self->before = core_counts();
	sva_sim_name(self->name, sizeof(self->name), "mortal");
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	self->mem = sva_mem(BUSY_LEN * 2);
	ASSERT_NE(NULL, self->mem);
	ASSERT_EQ(0, sva_as_alloc(self->fd, &self->as));
	ASSERT_EQ(0, iova_map_at(self->fd, self->as, CORE_RW, self->mem,
				 BUSY_LEN * 2, (uintptr_t)self->mem));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &self->pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as));
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &self->mm));
}

FIXTURE_TEARDOWN(bond_remove)
{
	close(self->fd);
	munmap(self->mem, BUSY_LEN * 2);
	EXPECT_TRUE(core_settles(&self->before));
}

#define QUEUES 4

static int open_queues(FIXTURE_DATA(bond_remove) *self, int round, int *sim)
{
	char dev[32];
	int i, ret;

	sim[0] = sva_sim_create(self->name, round % 2 ? "1" : "0", NULL, NULL);
	if (sim[0] < 0)
		return sim[0];
	ret = sva_sim_get(self->name, "dev", dev, sizeof(dev));
	if (!ret)
		ret = sva_sim_attach(sim[0], self->fd, self->pasid, NULL);
	for (i = 1; i < QUEUES && !ret; i++) {
		sim[i] = bond_attached(dev, self->fd,
				       i % 2 ? self->mm : self->pasid);
		if (sim[i] < 0)
			return sim[i];
		ret = fcntl(sim[i], F_SETFL, O_NONBLOCK);
	}
	return ret;
}

TEST_F_TIMEOUT(bond_remove, bond_remove_under_dma, 100)
{
	struct sva_sim_desc desc = sva_sim_memcpy((uintptr_t)self->mem,
						  (uintptr_t)self->mem + BUSY_LEN,
						  BUSY_LEN);
	struct sva_pasid_info info;
	int i, round, sim[QUEUES];
	long start, longest = 0;
	uint32_t state = 3;

	for (round = 0; round < 34; round++) {
		ASSERT_EQ(0, open_queues(self, round, sim));
		for (i = 0; i < QUEUES * 20; i++)
			ASSERT_EQ(0, sva_sim_submit(sim[i % QUEUES], &desc));
		usleep(bond_random(&state) % 3000);

		start = bond_now_ms();
		ASSERT_EQ(0, variant->remove(self->name));
		if (bond_now_ms() - start > longest)
			longest = bond_now_ms() - start;

		for (i = 0; i < QUEUES; i++) {
			EXPECT_TRUE(bond_hangs_up(sim[i]));
			EXPECT_EQ(-ENODEV, sva_sim_submit(sim[i], &desc));
		}
		ASSERT_EQ(0, sva_pasid_info(self->fd, self->pasid, &info));
		EXPECT_EQ(0, info.bonds);
		EXPECT_EQ(self->as, info.as_id);
		EXPECT_EQ(0, sva_sim_detach(sim[0]));
		EXPECT_EQ(-ENODEV, sva_sim_attach(sim[0], self->fd, self->pasid,
						  NULL));
		for (i = 0; i < QUEUES; i++)
			close(sim[i]);
	}
	TH_LOG("the slowest took %ld ms", longest);
	EXPECT_GT(PROMPT_MS, longest);
}

/* Removal waits for no one; what is left is memory, and can be freed late. */
TEST_F(bond_remove, bond_free_after_remove)
{
	int sim[QUEUES], i;

	ASSERT_EQ(0, open_queues(self, 0, sim));
	ASSERT_EQ(0, variant->remove(self->name));
	/* The PASIDs are free of it although the queues are open. */
	EXPECT_EQ(0, pasid_free(self->fd, self->pasid, 1));
	EXPECT_EQ(0, pasid_free(self->fd, self->mm, 1));
	EXPECT_EQ(0, sva_destroy(self->fd, self->as));
	for (i = 0; i < QUEUES; i++)
		close(sim[i]);
}

struct toucher {
	pthread_t thread;
	int sim;
	char *mem;
	int error;
};

/* Each access needs a page request; until the engine is gone. */
static void *touches(void *data)
{
	struct toucher *t = data;
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)t->mem, 1, BUSY_LEN);

	do {
		madvise(t->mem, BUSY_LEN, MADV_DONTNEED);
		t->error = sva_sim_submit(t->sim, &desc);
	} while (!t->error || t->error == -EAGAIN || t->error == -ENOLINK);
	return NULL;
}

TEST_F_TIMEOUT(bond_remove, bond_remove_under_page_requests, 60)
{
	int round, sim[QUEUES], i;
	uint32_t state = 4;

	for (round = 0; round < 15; round++) {
		struct toucher t = { .mem = self->mem };

		ASSERT_EQ(0, open_queues(self, round, sim));
		t.sim = sim[1];
		ASSERT_EQ(0, pthread_create(&t.thread, NULL, touches, &t));
		usleep(bond_random(&state) % 10000);
		ASSERT_EQ(0, variant->remove(self->name));
		ASSERT_EQ(0, pthread_join(t.thread, NULL));
		EXPECT_EQ(-ENODEV, t.error);
		for (i = 0; i < QUEUES; i++)
			close(sim[i]);
	}
}

struct racer {
	FIXTURE_DATA(bond_remove) *self;
	pthread_t thread;
	int which;
	bool *stop;
	unsigned long attached;
	int error;
};

static bool may_be(int ret)
{
	return !ret || ret == -ENODEV || ret == -ENOLINK || ret == -ENOENT ||
	       ret == -ENXIO;
}

static int race_once(struct racer *r, uint32_t *state)
{
	struct sva_sim_desc desc = sva_sim_memcpy((uintptr_t)r->self->mem,
						  (uintptr_t)r->self->mem + BUSY_LEN,
						  BUSY_LEN / 4);
	char dev[32], path[48];
	int ret, sim;

	if (r->which == 0)
		return sva_pasid_bind(r->self->fd, r->self->pasid,
				      bond_random(state) % 3 ? r->self->as :
				      SVA_AS_NONE);
	if (sva_sim_get(r->self->name, "dev", dev, sizeof(dev)) || !dev[0])
		return 0;
	snprintf(path, sizeof(path), "/dev/%s", dev);
	sim = open(path, O_RDWR | O_CLOEXEC);
	if (sim < 0)
		return -errno;
	ret = sva_sim_attach(sim, r->self->fd,
			     r->which == 1 ? r->self->mm : r->self->pasid, NULL);
	if (!ret) {
		r->attached++;
		ret = sva_sim_submit(sim, &desc);
		if (!ret && bond_random(state) % 2)
			ret = sva_sim_detach(sim);
	}
	close(sim);
	return ret;
}

static void *races(void *data)
{
	struct racer *r = data;
	uint32_t state = r->which;

	while (!r->error && !__atomic_load_n(r->stop, __ATOMIC_RELAXED)) {
		int ret = race_once(r, &state);

		if (!may_be(ret))
			r->error = ret;
	}
	return NULL;
}

TEST_F_TIMEOUT(bond_remove, bond_remove_races, 60)
{
	struct racer racers[4];
	unsigned long attached = 0;
	bool stop = false;
	int i, sim;

	for (i = 0; i < 4; i++) {
		racers[i] = (struct racer) {
			.self = self, .which = i, .stop = &stop,
		};
		ASSERT_EQ(0, pthread_create(&racers[i].thread, NULL, races,
					    &racers[i]));
	}
	for (i = 0; i < 20; i++) {
		sim = sva_sim_create(self->name, NULL, NULL, NULL);
		EXPECT_LE(0, sim);
		close(sim);
		usleep(5000 + i * 500);
		EXPECT_EQ(0, variant->remove(self->name));
	}
	stop = true;
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, pthread_join(racers[i].thread, NULL));
		EXPECT_EQ(0, racers[i].error);
		attached += racers[i].attached;
	}
	TH_LOG("%lu attached", attached);
	EXPECT_LT(0, attached);
}

/* --- once, not once for each way --------------------------------------------------- */

TEST(bond_driver_bound_again)
{
	struct core_counts before = core_counts();
	struct bond_mem *mem = bond_mem();
	int old, sim, fd = sva_open();
	char name[32], hw[64], dev[32];
	uint32_t mm;

	ASSERT_LE(0, fd);
	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, pasid_alloc_handle(fd, SVA_PASID_F_MM, &mm));
	sva_sim_name(name, sizeof(name), "again");
	old = sva_sim_create(name, NULL, NULL, NULL);
	ASSERT_LE(0, old);
	EXPECT_EQ(0, sva_sim_attach(old, fd, mm, NULL));
	EXPECT_EQ(0, bond_hardware(name, hw, sizeof(hw)));
	EXPECT_EQ(0, sva_write_file("/sys/bus/platform/drivers/sva_sim/unbind",
				    hw));
	EXPECT_EQ(0, sva_write_file("/sys/bus/platform/drivers/sva_sim/bind",
				    hw));
	EXPECT_EQ(0, sva_sim_get(name, "dev", dev, sizeof(dev)));
	sim = bond_attached(dev, fd, mm);
	EXPECT_LE(0, sim);
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, mem));
	/* The old queue is of the old life. */
	EXPECT_TRUE(bond_hangs_up(old));
	EXPECT_EQ(-ENODEV, bond_copy(old, mem));
	close(sim);
	close(old);
	EXPECT_EQ(0, sva_sim_remove(name));
	close(fd);
	munmap(mem, sizeof(*mem));
	EXPECT_TRUE(core_settles(&before));
}

static int unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

/* udev may have a look at a node for a moment. */
static int unload_soon(const char *module)
{
	int i, ret = -EWOULDBLOCK;

	for (i = 0; i < 500 && ret == -EWOULDBLOCK; i++) {
		ret = unload(module);
		if (ret == -EWOULDBLOCK)
			usleep(10000);
	}
	return ret;
}

static int open_soon(void)
{
	int i, fd = sva_open();

	for (i = 0; i < 200 && fd == -ENOENT; i++) {
		usleep(10000);
		fd = sva_open();
	}
	return fd;
}

TEST(bond_unload_and_load)
{
	struct bond_mem *mem = bond_mem();
	struct core_counts before;
	uint32_t mm;
	int round, fd, sim;

	ASSERT_NE(NULL, mem);
	for (round = 0; round < 2; round++) {
		before = core_counts();
		sim = sva_sim_open(0);
		EXPECT_LE(0, sim);
		fd = open_soon();
		EXPECT_LE(0, fd);
		EXPECT_EQ(0, pasid_alloc_handle(fd, SVA_PASID_F_MM, &mm));
		EXPECT_EQ(0, sva_sim_attach(sim, fd, mm, NULL));
		EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, mem));
		EXPECT_EQ(-EWOULDBLOCK, unload("sva_sim"));
		EXPECT_EQ(-EWOULDBLOCK, unload("sva_sim_iommu"));
		EXPECT_EQ(-EWOULDBLOCK, unload("sva"));
		EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, mem));
		close(sim);
		EXPECT_TRUE(core_count("bonds") == before.bonds);

		EXPECT_EQ(0, unload_soon("sva_sim"));
		EXPECT_EQ(0, unload_soon("sva_sim_iommu"));
		EXPECT_EQ(-EWOULDBLOCK, unload("sva"));
		close(fd);
		EXPECT_EQ(0, unload_soon("sva"));
		EXPECT_NE(0, access("/sys/class/misc/sva", F_OK));
		EXPECT_EQ(-ENOENT, sva_open());

		/* In one go, as whoever needs it does. */
		ASSERT_EQ(0, system("modprobe sva_sim"));
		ASSERT_EQ(0, access("/sys/class/misc/sva", F_OK));
		EXPECT_EQ(0, core_count("bonds"));
		EXPECT_EQ(0, core_count("pasids"));
		EXPECT_EQ(0, core_count("pinned_pages"));
	}
	sim = sva_sim_open(1);
	EXPECT_LE(0, sim);
	fd = open_soon();
	EXPECT_LE(0, fd);
	EXPECT_EQ(0, pasid_alloc_handle(fd, SVA_PASID_F_MM, &mm));
	EXPECT_EQ(0, sva_sim_attach(sim, fd, mm, NULL));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(sim, mem));
	close(fd);
	close(sim);
	munmap(mem, sizeof(*mem));
}

TEST_HARNESS_MAIN
