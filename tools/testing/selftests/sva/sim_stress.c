// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several things at once: the engine's view of memory has to hold while the
 * kernel moves it about, and engines come and go while they are used.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "sva_util.h"
#include "kselftest_harness.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define LEN (4ul << 20)

FIXTURE(sim_stress) {
	int fd;
	int sim;
	char engine[32];
	char dev[32];
	unsigned char *a;
	unsigned char *b;
};

static int attach(int fd, const char *dev)
{
	int sim = sva_sim_open_name(dev);
	uint32_t pasid;
	int ret;

	if (sim < 0)
		return sim;
	ret = sva_pasid_alloc(fd, SVA_PASID_F_MM, 0, 0, &pasid);
	if (!ret)
		ret = sva_sim_attach(sim, fd, pasid, NULL);
	if (!ret)
		return sim;
	close(sim);
	return ret;
}

FIXTURE_SETUP(sim_stress)
{
	uint64_t *word;
	int sim;
	size_t i;

	sva_sim_name(self->engine, sizeof(self->engine), "stress");
	sim = sva_sim_create(self->engine, NULL, NULL, NULL);
	ASSERT_LE(0, sim);
	close(sim);
	ASSERT_EQ(0, sva_sim_get(self->engine, "dev", self->dev,
				 sizeof(self->dev)));
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	self->sim = attach(self->fd, self->dev);
	ASSERT_LE(0, self->sim);
	self->a = sva_mem(LEN);
	self->b = sva_mem(LEN);
	ASSERT_NE(NULL, self->a);
	ASSERT_NE(NULL, self->b);
	word = (void *)self->a;
	for (i = 0; i < LEN / sizeof(*word); i++)
		word[i] = i * 0x9e3779b97f4a7c15;
}

FIXTURE_TEARDOWN(sim_stress)
{
	munmap(self->a, LEN);
	munmap(self->b, LEN);
	close(self->sim);
	close(self->fd);
	EXPECT_EQ(0, sva_sim_remove(self->engine));
}

/* What goes on while the engine copies. */
struct meddler {
	void (*meddle)(void *mem);
	void *mem;
	int stop;
};

static void *meddle_loop(void *arg)
{
	struct meddler *m = arg;

	/* With pauses, so that a slow machine gets somewhere in between. */
	while (!__atomic_load_n(&m->stop, __ATOMIC_RELAXED)) {
		m->meddle(m->mem);
		usleep(1000);
	}
	return NULL;
}

static void compact(void *mem)
{
	int fd = open("/proc/sys/vm/compact_memory", O_WRONLY);

	(void)mem;
	if (fd >= 0) {
		if (write(fd, "1", 1) != 1)
			sched_yield();
		close(fd);
	}
	usleep(2000);
}

static void collapse(void *mem)
{
	madvise(mem, LEN, MADV_COLLAPSE);
	/* And apart again: an area of its own in the middle. */
	madvise((char *)mem + 4096, 4096, MADV_DONTFORK);
	madvise((char *)mem + 4096, 4096, MADV_DOFORK);
}

static void page_out(void *mem)
{
	madvise(mem, LEN, MADV_PAGEOUT);
	madvise(mem, LEN, MADV_COLD);
}

static void fork_children(void *mem)
{
	pid_t pid = fork();

	if (!pid) {
		memset(mem, 0xee, LEN / 8);
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
	/* Each fork costs the engine a page request for every page. */
	usleep(20000);
}

/* Copies to and fro; every copy has to be right. */
static void copy_meanwhile(struct __test_metadata *_metadata, int sim,
			   unsigned char *a, unsigned char *b,
			   void (*meddle)(void *mem))
{
	struct meddler m = { .meddle = meddle, .mem = b };
	struct sva_sim_desc desc = sva_sim_memcpy((uintptr_t)b, (uintptr_t)a,
						  LEN);
	struct sva_sim_completion *done = sva_mem(4096);
	pthread_t thread;
	int i;

	ASSERT_NE(NULL, done);
	ASSERT_EQ(0, pthread_create(&thread, NULL, meddle_loop, &m));
	for (i = 0; i < 8; i++) {
		memset(b, i, LEN);
		EXPECT_EQ(SVA_SIM_STATUS_OK, sva_sim_run(sim, &desc, done));
		EXPECT_EQ(0, memcmp(a, b, LEN));
	}
	__atomic_store_n(&m.stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	munmap(done, 4096);
}

TEST_F(sim_stress, sim_copy_while_compacting)
{
	copy_meanwhile(_metadata, self->sim, self->a, self->b, compact);
}

TEST_F(sim_stress, sim_copy_while_paging_out)
{
	copy_meanwhile(_metadata, self->sim, self->a, self->b, page_out);
}

/* These two undo most of what the engine has waited for. */
TEST_F_TIMEOUT(sim_stress, sim_copy_while_collapsing, 120)
{
	copy_meanwhile(_metadata, self->sim, self->a, self->b, collapse);
}

TEST_F_TIMEOUT(sim_stress, sim_copy_while_forking, 120)
{
	copy_meanwhile(_metadata, self->sim, self->a, self->b, fork_children);
}

/* Queues of several threads, each opened, attached, used and closed. */
struct user {
	int fd;
	uint32_t as;
	const char *dev;
	unsigned char *mem;
	int rounds;
	int bad;
};

static void *use_engine(void *arg)
{
	struct user *u = arg;
	struct sva_sim_completion *done = sva_mem(4096);
	int i, sim;

	for (i = 0; i < u->rounds; i++) {
		struct sva_sim_desc desc =
			sva_sim_fill((uintptr_t)u->mem, i, LEN / 8);

		sim = attach(u->fd, u->dev);
		if (sim < 0 || sva_sim_run(sim, &desc, done) != SVA_SIM_STATUS_OK ||
		    u->mem[LEN / 8 - 8] != i % 256)
			u->bad++;
		close(sim);
	}
	munmap(done, 4096);
	return NULL;
}

TEST_F(sim_stress, sim_many_threads)
{
	pthread_t thread[8];
	struct user u[8];
	int i;

	for (i = 0; i < 8; i++) {
		u[i] = (struct user) {
			.fd = self->fd, .dev = self->dev, .rounds = 20,
			.mem = self->b + i * (LEN / 8),
		};
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, use_engine, &u[i]));
	}
	for (i = 0; i < 8; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_EQ(0, u[i].bad);
	}
}

/* Nobody minds whether it works, but that it ends and leaves nothing behind. */
static void use_whatever_is_there(const char *engine, unsigned char *mem)
{
	struct sva_sim_desc desc = sva_sim_fill((uintptr_t)mem, 1, LEN);
	int fd = sva_open();
	uint32_t pasid;
	char dev[32];
	int sim, i;

	sva_pasid_alloc(fd, SVA_PASID_F_MM, 0, 0, &pasid);
	for (;;) {
		if (sva_sim_get(engine, "dev", dev, sizeof(dev)) || !dev[0])
			continue;
		sim = sva_sim_open_name(dev);
		if (sim < 0)
			continue;
		sva_sim_attach(sim, fd, pasid, NULL);
		for (i = 0; i < 10; i++)
			sva_sim_submit(sim, &desc);
		close(sim);
	}
}

TEST_F(sim_stress, sim_disable_while_attaching)
{
	pid_t pid[3];
	int i;

	for (i = 0; i < 3; i++) {
		pid[i] = fork();
		ASSERT_LE(0, pid[i]);
		if (!pid[i])
			use_whatever_is_there(self->engine, self->b);
	}
	for (i = 0; i < 40; i++) {
		usleep(i * 500);
		EXPECT_EQ(0, sva_sim_set(self->engine, "enable", "0"));
		EXPECT_EQ(0, sva_sim_set(self->engine, "enable", "1"));
	}
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, kill(pid[i], SIGKILL));
		EXPECT_EQ(pid[i], waitpid(pid[i], NULL, 0));
	}
}

/* A map that changes under the engine: the old page, the new one or a fault. */
static void *map_and_unmap(void *arg)
{
	struct user *u = arg;
	const size_t page = 4096;
	uint64_t iova;
	int i;

	for (i = 0; i < u->rounds; i++) {
		iova = 0x10000;
		if (sva_map(u->fd, u->as, SVA_IOVA_F_READ | SVA_IOVA_F_WRITE |
			    SVA_IOVA_F_FIXED, u->mem + i % 2 * page, page,
			    &iova)) {
			u->bad++;
			continue;
		}
		usleep(50);
		if (sva_unmap(u->fd, u->as, 0x10000, page))
			u->bad++;
		/* Unmapped, the engine writes it no more. */
		memset(u->mem + i % 2 * page, 0, page);
		usleep(50);
		if (u->mem[i % 2 * page])
			u->bad++;
	}
	return NULL;
}

TEST_F(sim_stress, sim_unmap_while_writing)
{
	struct sva_sim_desc desc = sva_sim_fill(0x10000, 0x5555555555555555, 4096);
	struct user u = {
		.fd = self->fd, .mem = self->b, .rounds = 500,
	};
	int sim = sva_sim_open_name(self->dev);
	uint32_t as, pasid;
	pthread_t thread;

	ASSERT_LE(0, sim);
	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, sva_pasid_alloc(self->fd, 0, 0, 0, &pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
	ASSERT_EQ(0, sva_sim_attach(sim, self->fd, pasid, NULL));
	u.as = as;
	ASSERT_EQ(0, pthread_create(&thread, NULL, map_and_unmap, &u));
	while (pthread_tryjoin_np(thread, NULL))
		ASSERT_EQ(0, sva_sim_submit(sim, &desc));
	EXPECT_EQ(0, u.bad);
	close(sim);
}

TEST_HARNESS_MAIN
