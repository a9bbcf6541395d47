// SPDX-License-Identifier: GPL-2.0-only
/*
 * Revoking a PASID fd while what it was good for goes on: DMA, page requests,
 * attaching, closing, freeing, and devices that go.
 *
 * Machine: plain engine
 */
#include <pthread.h>
#include <stdbool.h>

#include "pasidfd_util.h"
#include "kselftest_harness.h"

#define BUSY_LEN	(256 * 1024)
#define QUEUES		4

/* Nobody waits longer than this for a revocation. */
#define PROMPT_MS	5000

FIXTURE(pasidfd_revoke) {
	struct core_counts before;
	char name[32];
	int fd;
	char *mem;
	uint32_t as;
	uint32_t pasid;
	uint32_t mm;
};

FIXTURE_SETUP(pasidfd_revoke)
{
	self->before = core_counts();
	sva_sim_name(self->name, sizeof(self->name), "pasidfd");
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

FIXTURE_TEARDOWN(pasidfd_revoke)
{
	if (self->fd >= 0)
		close(self->fd);
	munmap(self->mem, BUSY_LEN * 2);
	EXPECT_TRUE(core_settles(&self->before));
}

/* --- under load ---------------------------------------------------------------- */

TEST_F_TIMEOUT(pasidfd_revoke, pasidfd_revoke_under_dma, 100)
{
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)self->mem, 0,
						BUSY_LEN);
	int i, round, pf, sim[QUEUES];
	long start, longest = 0;
	uint32_t id, state = 11;

	for (round = 0; round < 100; round++) {
		pf = pasidfd_make(self->fd, self->pasid, &id);
		ASSERT_LE(0, pf);
		for (i = 0; i < QUEUES; i++) {
			sim[i] = pasidfd_attached(i % 2, pf);
			ASSERT_LE(0, sim[i]);
		}
		desc.src = round + 1;
		for (i = 0; i < QUEUES * 10; i++)
			ASSERT_EQ(0, sva_sim_submit(sim[i % QUEUES], &desc));
		usleep(bond_random(&state) % 3000);

		start = bond_now_ms();
		ASSERT_EQ(0, sva_destroy(self->fd, id));
		if (bond_now_ms() - start > longest)
			longest = bond_now_ms() - start;

		/* From here on, the memory is ours alone. */
		memset(self->mem, 0xa5, BUSY_LEN);
		usleep(200);
		for (i = 0; i < BUSY_LEN; i += 64)
			ASSERT_EQ((char)0xa5, self->mem[i]);
		for (i = 0; i < QUEUES; i++) {
			EXPECT_TRUE(bond_hangs_up(sim[i]));
			EXPECT_EQ(-ENOLINK, sva_sim_submit(sim[i], &desc));
		}
		EXPECT_EQ(0, pasidfd_bonds(self->fd, self->pasid));
		for (i = 0; i < QUEUES; i++)
			close(sim[i]);
		close(pf);
	}
	TH_LOG("the slowest took %ld ms", longest);
	EXPECT_GT(PROMPT_MS, longest);
}

struct toucher {
	pthread_t thread;
	int sim;
	char *mem;
	int error;
};

/* Each access needs a page request; until the bond is gone. */
static void *touches(void *data)
{
	struct toucher *t = data;
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)t->mem, 1, BUSY_LEN);

	do {
		madvise(t->mem, BUSY_LEN, MADV_DONTNEED);
		t->error = sva_sim_submit(t->sim, &desc);
	} while (!t->error || t->error == -EAGAIN);
	return NULL;
}

TEST_F_TIMEOUT(pasidfd_revoke, pasidfd_revoke_under_page_requests, 100)
{
	uint32_t id, state = 12;
	int round, pf;

	for (round = 0; round < 50; round++) {
		struct toucher t = { .mem = self->mem };

		pf = pasidfd_make(self->fd, self->mm, &id);
		ASSERT_LE(0, pf);
		t.sim = pasidfd_attached(round % 2, pf);
		ASSERT_LE(0, t.sim);
		ASSERT_EQ(0, fcntl(t.sim, F_SETFL, O_NONBLOCK));
		ASSERT_EQ(0, pthread_create(&t.thread, NULL, touches, &t));
		usleep(bond_random(&state) % 10000);
		ASSERT_EQ(0, sva_destroy(self->fd, id));
		ASSERT_EQ(0, pthread_join(t.thread, NULL));
		EXPECT_EQ(-ENOLINK, t.error);
		close(t.sim);
		close(pf);
	}
}

/* --- races --------------------------------------------------------------------- */

/* What the threads share: a PASID fd and its id, replaced all the time. */
struct arena {
	FIXTURE_DATA(pasidfd_revoke) *self;
	bool stop;
	int pf;
	uint32_t id;
	uint32_t pasid;
};

struct racer {
	pthread_t thread;
	struct arena *arena;
	int which;
	int (*race)(struct racer *r, uint32_t *state);
	unsigned long done;
	int error;
};

/*
 * What may come of an attach: a descriptor that was closed meanwhile may by now
 * be something else, a context included, which has no PASID 0.
 */
static bool may_be(int ret)
{
	return ret >= 0 || ret == -ESTALE || ret == -EBADF || ret == -ENOENT ||
	       ret == -ENODEV || ret == -ENXIO || ret == -ENOLINK;
}

static int race_attach(struct racer *r, uint32_t *state)
{
	char *mem = r->arena->self->mem;
	struct sva_sim_desc desc = sva_sim_memcpy((uintptr_t)mem,
						  (uintptr_t)mem + BUSY_LEN,
						  BUSY_LEN / 4);
	char dev[32] = "sva_sim0";
	int ret, sim;

	if (r->which % 2 &&
	    (sva_sim_get(r->arena->self->name, "dev", dev, sizeof(dev)) ||
	     !dev[0]))
		return 0;
	sim = bond_attached(dev, __atomic_load_n(&r->arena->pf, __ATOMIC_RELAXED),
			    0);
	if (sim < 0)
		return sim;
	r->done++;
	ret = sva_sim_submit(sim, &desc);
	if (!ret && bond_random(state) % 2)
		ret = sva_sim_detach(sim);
	close(sim);
	return ret;
}

static int race_replace(struct racer *r, uint32_t *state)
{
	struct arena *arena = r->arena;
	int fd = arena->self->fd, old = arena->pf, pf;
	bool close_first;
	uint32_t id = 0;

	usleep(bond_random(state) % 1000);
	pf = pasidfd_make(fd, __atomic_load_n(&arena->pasid, __ATOMIC_RELAXED),
			  &id);
	if (pf < 0)
		return pf;
	__atomic_store_n(&arena->pf, pf, __ATOMIC_RELAXED);
	close_first = bond_random(state) % 2;
	if (close_first)
		close(old);
	sva_destroy(fd, __atomic_exchange_n(&arena->id, id, __ATOMIC_RELAXED));
	if (bond_random(state) % 2)
		sva_destroy(fd, id);
	if (!close_first)
		close(old);
	r->done++;
	return 0;
}

static int race_destroy(struct racer *r, uint32_t *state)
{
	int ret = sva_destroy(r->arena->self->fd,
			      __atomic_load_n(&r->arena->id, __ATOMIC_RELAXED));

	usleep(bond_random(state) % 500);
	return ret == -EBUSY ? -EBUSY : 0;
}

static int race_free(struct racer *r, uint32_t *state)
{
	int fd = r->arena->self->fd, ret;
	uint32_t pasid = 0;

	usleep(bond_random(state) % 2000);
	ret = pasid_free(fd, r->arena->pasid, 1);
	if (ret)
		return ret == -EBUSY ? 0 : ret;
	ret = pasid_alloc(fd, 0, 0, 1, &pasid) ?:
	      sva_pasid_bind(fd, pasid, r->arena->self->as);
	if (!ret)
		r->done++;
	__atomic_store_n(&r->arena->pasid, pasid, __ATOMIC_RELAXED);
	return ret;
}

static void *races(void *data)
{
	struct racer *r = data;
	uint32_t state = r->which + 1;

	while (!r->error && !__atomic_load_n(&r->arena->stop, __ATOMIC_RELAXED)) {
		int ret = r->race(r, &state);

		if (!may_be(ret))
			r->error = ret;
	}
	return NULL;
}

static bool attached(const struct racer *racers)
{
	return __atomic_load_n(&racers[0].done, __ATOMIC_RELAXED) ||
	       __atomic_load_n(&racers[2].done, __ATOMIC_RELAXED);
}

TEST_F_TIMEOUT(pasidfd_revoke, pasidfd_revoke_races, 100)
{
	struct arena arena = { .self = self, .pf = -1, .pasid = self->pasid };
	struct racer racers[] = {
		{ .race = race_attach, .which = 0 },
		{ .race = race_attach, .which = 1 },
		{ .race = race_attach, .which = 2 },
		{ .race = race_replace, .which = 3 },
		{ .race = race_destroy, .which = 4 },
		{ .race = race_free, .which = 5 },
	};
	const int num = ARRAY_SIZE(racers);
	int i, sim;

	for (i = 0; i < num; i++) {
		racers[i].arena = &arena;
		ASSERT_EQ(0, pthread_create(&racers[i].thread, NULL, races,
					    &racers[i]));
	}
	/* On a busy machine it takes a while until one slips through. */
	for (i = 0; i < 20 || (i < 300 && !attached(racers)); i++) {
		sim = sva_sim_create(self->name, NULL, NULL, NULL);
		EXPECT_LE(0, sim);
		close(sim);
		usleep(100000 + i % 20 * 500);
		EXPECT_EQ(0, sva_sim_remove(self->name));
	}
	arena.stop = true;
	for (i = 0; i < num; i++) {
		ASSERT_EQ(0, pthread_join(racers[i].thread, NULL));
		EXPECT_EQ(0, racers[i].error) {
			TH_LOG("racer %d", i);
		}
	}
	TH_LOG("%lu and %lu attached, %lu PASID fds, %lu PASIDs",
	       racers[0].done + racers[2].done, racers[1].done, racers[3].done,
	       racers[5].done);
	EXPECT_LT(0, racers[0].done + racers[2].done);
	EXPECT_LT(0, racers[3].done);
	close(arena.pf);
}

/* The context goes while others attach by its PASID fd. */
TEST_F_TIMEOUT(pasidfd_revoke, pasidfd_close_races_attach, 100)
{
	int i, round;

	close(self->fd);
	for (round = 0; round < 50; round++) {
		struct arena arena = { .self = self };
		struct racer racers[] = {
			{ .race = race_attach, .which = 0 },
			{ .race = race_attach, .which = 2 },
		};

		self->fd = sva_open();
		ASSERT_LE(0, self->fd);
		ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &arena.pasid));
		arena.pf = pasidfd_make(self->fd, arena.pasid, NULL);
		ASSERT_LE(0, arena.pf);
		for (i = 0; i < 2; i++) {
			racers[i].arena = &arena;
			ASSERT_EQ(0, pthread_create(&racers[i].thread, NULL,
						    races, &racers[i]));
		}
		usleep(round * 100);
		close(self->fd);
		EXPECT_EQ(-ESTALE, pasidfd_attached(0, arena.pf));
		arena.stop = true;
		for (i = 0; i < 2; i++) {
			ASSERT_EQ(0, pthread_join(racers[i].thread, NULL));
			EXPECT_EQ(0, racers[i].error);
		}
		EXPECT_EQ(-ESTALE, pasidfd_attached(0, arena.pf));
		close(arena.pf);
	}
	self->fd = -1;
}

/* --- kill ---------------------------------------------------------------------- */

static void keep_busy(FIXTURE_DATA(pasidfd_revoke) *self, int pf, int ready)
{
	struct sva_sim_desc desc = sva_sim_memcpy((uintptr_t)self->mem,
						  (uintptr_t)self->mem + BUSY_LEN,
						  BUSY_LEN);
	int sim;

	close(self->fd);
	for (;;) {
		sim = pasidfd_attached(0, pf);
		if (sim < 0)
			_exit(sim == -ESTALE ? 0 : 1);
		if (write(ready, "", 1) != 1)
			_exit(2);
		while (!sva_sim_submit(sim, &desc))
			;
		close(sim);
	}
}

TEST_F_TIMEOUT(pasidfd_revoke, pasidfd_kill_and_revoke, 100)
{
	uint32_t id, state = 13;
	int i, pf, ready[2];
	pid_t pid;
	char c;

	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, pipe(ready));
		pf = pasidfd_make(self->fd, self->pasid, &id);
		ASSERT_LE(0, pf);
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			keep_busy(self, pf, ready[1]);
		close(pf);
		ASSERT_EQ(1, read(ready[0], &c, 1));
		usleep(bond_random(&state) % 3000);
		/* Both at once, one or the other first, or no kill at all. */
		if (i % 3 == 0)
			ASSERT_EQ(0, kill(pid, SIGKILL));
		EXPECT_EQ(0, sva_destroy(self->fd, id));
		EXPECT_EQ(0, pasidfd_bonds(self->fd, self->pasid));
		if (i % 3 == 1)
			ASSERT_EQ(0, kill(pid, SIGKILL));
		if (i % 3 == 2) {
			EXPECT_EQ(0, bond_join_child(pid));
		} else {
			ASSERT_EQ(pid, waitpid(pid, NULL, 0));
		}
		close(ready[0]);
		close(ready[1]);
	}
}

/* --- many ---------------------------------------------------------------------- */

TEST_F_TIMEOUT(pasidfd_revoke, pasidfd_many, 60)
{
	uint32_t id[1000];
	int i, pf;

	/* The ids outlive the descriptors, and cost nobody's descriptors. */
	for (i = 0; i < 1000; i++) {
		pf = pasidfd_make(self->fd, self->pasid, &id[i]);
		ASSERT_LE(0, pf);
		close(pf);
	}
	for (i = 0; i < 500; i++)
		ASSERT_EQ(0, sva_destroy(self->fd, id[i * 2]));
	ASSERT_EQ(0, pasid_free(self->fd, self->pasid, 1));
	for (i = 0; i < 250; i++)
		ASSERT_EQ(0, sva_destroy(self->fd, id[i * 2 + 1]));
}

TEST_HARNESS_MAIN
