// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many at the same time: no number is ever with two.
 */
#include <pthread.h>
#include <signal.h>

#include "sva_core.h"
#include "kselftest_harness.h"

#define NUMBERS		(1U << SVA_PASID_WIDTH_MAX)
#define THREADS		4
#define ROUNDS		(3000 / SVA_SLOWER)

FIXTURE(pasid_stress) {
	struct core_counts before;
	int fds[THREADS];
};

FIXTURE_VARIANT(pasid_stress) {
	bool one_context;
};

FIXTURE_VARIANT_ADD(pasid_stress, one_context) {
	.one_context = true,
};

FIXTURE_VARIANT_ADD(pasid_stress, context_each) {
};

FIXTURE_SETUP(pasid_stress)
{
	int i;

	self->before = core_counts();
	for (i = 0; i < THREADS; i++) {
		self->fds[i] = variant->one_context && i ? dup(self->fds[0]) :
							   sva_open();
		ASSERT_LE(0, self->fds[i]);
	}
}

FIXTURE_TEARDOWN(pasid_stress)
{
	int i;

	for (i = 0; i < THREADS; i++)
		close(self->fds[i]);
	EXPECT_TRUE(core_settles(&self->before));
}

/* Who has which number; what all threads agree on. */
static unsigned char owner[NUMBERS];
static int wrong;

struct worker {
	pthread_t thread;
	int fd;
	unsigned int seed;
	unsigned char id;
	uint32_t first[64];
	uint32_t count[64];
};

static void complain(const char *what, uint32_t pasid)
{
	fprintf(stderr, "# %s: %u\n", what, pasid);
	__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}

static void take(struct worker *w, uint32_t first, uint32_t count)
{
	uint32_t i;

	for (i = first; i < first + count; i++)
		if (__atomic_exchange_n(&owner[i], w->id, __ATOMIC_ACQ_REL))
			complain("given twice", i);
}

static void give(struct worker *w, uint32_t first, uint32_t count)
{
	uint32_t i;

	for (i = first; i < first + count; i++)
		if (__atomic_exchange_n(&owner[i], 0, __ATOMIC_ACQ_REL) != w->id)
			complain("lost", i);
}

/* Sizes and limits of all kinds, few numbers of 8 bits among them. */
static void wish(struct worker *w, uint32_t *min, uint32_t *max, uint32_t *count)
{
	*min = 0;
	*max = 0;
	*count = 1;
	switch (rand_r(&w->seed) % 5) {
	case 0:
		*max = 255;
		break;
	case 1:
		*count = 1 + rand_r(&w->seed) % 200;
		break;
	case 2:
		*min = rand_r(&w->seed) % NUMBERS;
		*max = *min;
		*max |= !*max;
		break;
	case 3:
		*min = 0x3f000;
		*max = 0x3ffff;
		*count = 1 + rand_r(&w->seed) % 100;
		break;
	}
}

static void *storm(void *arg)
{
	struct worker *w = arg;
	uint32_t min, max;
	int round, slot, ret;

	for (round = 0; round < ROUNDS; round++) {
		slot = rand_r(&w->seed) % 64;
		if (w->count[slot]) {
			give(w, w->first[slot], w->count[slot]);
			if (pasid_free(w->fd, w->first[slot], w->count[slot]))
				complain("not freed", w->first[slot]);
			w->count[slot] = 0;
			continue;
		}
		wish(w, &min, &max, &w->count[slot]);
		ret = pasid_alloc(w->fd, min, max, w->count[slot],
				  &w->first[slot]);
		if (!ret) {
			take(w, w->first[slot], w->count[slot]);
			continue;
		}
		if (ret != -EBUSY && ret != -ENOSPC && min <= max)
			complain("unexpected error", -ret);
		w->count[slot] = 0;
	}
	return NULL;
}

TEST_F_TIMEOUT(pasid_stress, no_number_twice, 100)
{
	static struct worker workers[THREADS];
	uint32_t live = 0;
	int i, slot;

	for (i = 0; i < THREADS; i++) {
		workers[i].fd = self->fds[i];
		workers[i].seed = 1 + i;
		workers[i].id = 1 + i;
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL, storm,
					    &workers[i]));
	}
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_join(workers[i].thread, NULL));
	EXPECT_EQ(0, wrong);
	for (i = 0; i < THREADS; i++)
		for (slot = 0; slot < 64; slot++)
			live += workers[i].count[slot];
	EXPECT_EQ(self->before.pasids + live, core_count("pasids"));
}

/* Two that free the same: one of them does. */
static void *free_all(void *arg)
{
	struct worker *w = arg;
	uint32_t i;

	for (i = 0; i < w->count[0]; i++)
		if (!pasid_free(w->fd, w->first[0] + i, 1))
			w->count[1]++;
	return NULL;
}

TEST(pasid_freed_once)
{
	static struct worker workers[THREADS];
	struct core_counts before = core_counts();
	uint32_t first, freed = 0;
	int i, fd = sva_open();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pasid_alloc(fd, 0, 0, 5000, &first));
	for (i = 0; i < THREADS; i++) {
		workers[i].fd = fd;
		workers[i].first[0] = first;
		workers[i].count[0] = 5000;
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL, free_all,
					    &workers[i]));
	}
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(workers[i].thread, NULL));
		freed += workers[i].count[1];
	}
	EXPECT_EQ(5000, freed);
	close(fd);
	EXPECT_TRUE(core_settles(&before));
}

TEST_HARNESS_MAIN
