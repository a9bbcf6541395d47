// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once: threads attach, detach, bind, free and close what others
 * are using, and processes are killed in the middle. Nothing is to be left.
 *
 * Machine: plain engine
 */
#include <pthread.h>

#include "bond_util.h"
#include "kselftest_harness.h"

#define THREADS		4
#define ITERATIONS	500	/* of each */
#define CONTEXTS	3
#define PASIDS		4
#define LEN		(64 * 1024)

/* A context whose pieces all threads take, replace and throw away. */
struct context {
	int fd;
	uint32_t as[2];
	uint32_t mm;
	uint32_t pasid[PASIDS];
};

FIXTURE(bond_storm) {
	struct core_counts before;
	struct context ctx[CONTEXTS];
	char *mem;
};

/* The fd comes last: who finds it finds the rest. */
static int make_context(struct context *ctx, char *mem)
{
	int i, fd = sva_open(), ret = fd < 0 ? fd : 0;

	for (i = 0; i < 2 && !ret; i++) {
		ret = sva_as_alloc(fd, &ctx->as[i]);
		if (!ret)
			ret = iova_map_at(fd, ctx->as[i], CORE_RW, mem, LEN,
					  (uintptr_t)mem);
	}
	if (!ret)
		ret = pasid_alloc_handle(fd, SVA_PASID_F_MM, &ctx->mm);
	for (i = 0; i < PASIDS && !ret; i++)
		ret = pasid_alloc(fd, 0, 0, 1, &ctx->pasid[i]);
	__atomic_store_n(&ctx->fd, fd, __ATOMIC_RELEASE);
	return ret;
}

FIXTURE_SETUP(bond_storm)
{
	int i;

	self->before = core_counts();
	self->mem = sva_mem(LEN);
	ASSERT_NE(NULL, self->mem);
	for (i = 0; i < CONTEXTS; i++)
		ASSERT_EQ(0, make_context(&self->ctx[i], self->mem));
}

FIXTURE_TEARDOWN(bond_storm)
{
	int i;

	for (i = 0; i < CONTEXTS; i++)
		close(self->ctx[i].fd);
	munmap(self->mem, LEN);
	EXPECT_TRUE(core_settles(&self->before));
}

struct thread {
	FIXTURE_DATA(bond_storm) *self;
	pthread_t thread;
	uint32_t state;
	unsigned long attached;
	unsigned long bound;
	int error;
	const char *where;
};

/* What a call may answer if somebody else was there first. */
static void check(struct thread *t, const char *where, int ret)
{
	switch (ret) {
	case 0:
	case -EBADF:	/* closed; or the number is some other file's by now */
	case -ENOTTY:
	case -ENOENT:
	case -EBUSY:
	case -EEXIST:
		return;
	default:
		t->where = where;
		t->error = ret;
	}
}

static uint32_t any_pasid(struct thread *t, struct context *ctx)
{
	uint32_t n = bond_random(&t->state) % (PASIDS + 2);

	return n < PASIDS ? __atomic_load_n(&ctx->pasid[n], __ATOMIC_RELAXED) :
			    ctx->mm;
}

static void attach_and_run(struct thread *t, struct context *ctx)
{
	struct sva_sim_desc desc = sva_sim_memcpy((uintptr_t)t->self->mem,
						  (uintptr_t)t->self->mem + LEN / 2,
						  LEN / 2);
	int i, ret, sim = sva_sim_open(bond_random(&t->state) % 2);

	if (sim < 0) {
		check(t, "open", sim);
		return;
	}
	ret = sva_sim_attach(sim, ctx->fd, any_pasid(t, ctx), NULL);
	check(t, "attach", ret);
	if (!ret) {
		t->attached++;
		for (i = 0; i < 4; i++)
			check(t, "submit", sva_sim_submit(sim, &desc));
		if (bond_random(&t->state) % 2)
			check(t, "detach", sva_sim_detach(sim));
	}
	close(sim);
}

static void bind_some(struct thread *t, struct context *ctx)
{
	uint32_t n = bond_random(&t->state) % 3;
	uint32_t pasid = ctx->pasid[bond_random(&t->state) % PASIDS];
	int ret = sva_pasid_bind(ctx->fd, pasid,
				 n < 2 ? ctx->as[n] : SVA_AS_NONE);

	t->bound += !ret;
	check(t, "bind", ret);
}

static void replace_pasid(struct thread *t, struct context *ctx)
{
	uint32_t n = bond_random(&t->state) % PASIDS, pasid;
	int ret = pasid_free(ctx->fd, ctx->pasid[n], 1);

	check(t, "free", ret);
	if (ret)
		return;
	ret = pasid_alloc(ctx->fd, 0, 0, 1, &pasid);
	check(t, "alloc", ret);
	if (!ret)
		__atomic_store_n(&ctx->pasid[n], pasid, __ATOMIC_RELAXED);
}

static void replace_space(struct thread *t, struct context *ctx)
{
	uint32_t n = bond_random(&t->state) % 2, as;

	check(t, "destroy", sva_destroy(ctx->fd, ctx->as[n]));
	check(t, "map", sva_as_alloc(ctx->fd, &as));
	check(t, "destroy", sva_destroy(ctx->fd, as));
	/* With what is mapped there, and back. */
	iova_unmap_all(ctx->fd, ctx->as[n]);
	check(t, "map", iova_map_at(ctx->fd, ctx->as[n], CORE_RW, t->self->mem,
				    LEN, (uintptr_t)t->self->mem));
}

static void replace_context(struct thread *t, struct context *ctx)
{
	int fd = __atomic_exchange_n(&ctx->fd, -1, __ATOMIC_ACQ_REL);

	if (fd < 0)
		return;
	close(fd);
	check(t, "make", make_context(ctx, t->self->mem));
}

static void kill_one(struct thread *t, struct context *ctx)
{
	pid_t pid = fork();

	if (pid < 0) {
		check(t, "fork", -errno);
		return;
	}
	if (!pid) {
		struct thread child = *t;
		uint32_t mm;
		int fd = sva_open();
		int sim = sva_sim_open(child.state % 2);

		if (!pasid_alloc_handle(fd, SVA_PASID_F_MM, &mm))
			sva_sim_attach(sim, fd, mm, NULL);
		for (;;)
			attach_and_run(&child, ctx);
	}
	usleep(bond_random(&t->state) % 10000);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void *storm(void *data)
{
	struct thread *t = data;
	int i;

	for (i = 0; i < ITERATIONS && !t->error; i++) {
		struct context *ctx =
			&t->self->ctx[bond_random(&t->state) % CONTEXTS];
		uint32_t dice = bond_random(&t->state) % 100;

		if (dice < 50)
			attach_and_run(t, ctx);
		else if (dice < 75)
			bind_some(t, ctx);
		else if (dice < 85)
			replace_pasid(t, ctx);
		else if (dice < 92)
			replace_space(t, ctx);
		else if (dice < 97)
			replace_context(t, ctx);
		else
			kill_one(t, ctx);
	}
	return NULL;
}

TEST_F_TIMEOUT(bond_storm, bond_storm, 100)
{
	struct thread threads[THREADS];
	unsigned long attached = 0, bound = 0;
	int i;

	for (i = 0; i < THREADS; i++) {
		threads[i] = (struct thread) { .self = self, .state = i };
		ASSERT_EQ(0, pthread_create(&threads[i].thread, NULL, storm,
					    &threads[i]));
	}
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(threads[i].thread, NULL));
		EXPECT_EQ(0, threads[i].error) {
			TH_LOG("thread %d: %s", i, threads[i].where);
		}
		attached += threads[i].attached;
		bound += threads[i].bound;
	}
	TH_LOG("%lu attached, %lu bound", attached, bound);
	EXPECT_LT(0, attached);
	EXPECT_LT(0, bound);
}

TEST_HARNESS_MAIN
