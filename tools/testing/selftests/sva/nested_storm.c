// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA, page requests, invalidation, rebinding and detaching at the same time.
 *
 * SVA_SECONDS in the environment says how long, see
 * Documentation/dev-tools/sva-testing.rst.
 *
 * Machine: plain engine
 */
#include <pthread.h>

#include "guest.h"
#include "kselftest_harness.h"

#define GVA	0x123456789000ULL
#define SECONDS	5

/* An hour: a limit that is meant to be reached is that of who runs it. */
#define TIMEOUT	3600

FIXTURE(nested_storm) {
	struct core_counts before;
	struct guest g;
	struct guest_space s[2];
	int q;
	int sim[3];
	bool stop;		/* of those who make work */
	bool idle;		/* there is nothing to answer any more */
	long faults;
	long invalidations;
	long binds;
};

static int seconds(void)
{
	const char *value = getenv("SVA_SECONDS");
	int secs = value ? atoi(value) : 0;

	return secs > 0 ? secs : SECONDS;
}

FIXTURE_SETUP(nested_storm)
{
	int i;

	self->before = core_counts();
	ASSERT_EQ(0, guest_init(&self->g, "0"));
	self->q = sva_faultq(self->g.fd, SVA_FAULTQ_F_NONBLOCK, 4);
	ASSERT_LE(0, self->q);
	for (i = 0; i < 2; i++) {
		guest_space_init(&self->s[i], &self->g, 4 + i);
		guest_map_new(&self->s[i], GVA);
		ASSERT_EQ(0, guest_nest(&self->s[i], self->q));
	}
	ASSERT_EQ(0, sva_pasid_alloc(self->g.fd, 0, 0, 0, &self->s[0].pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, self->s[0].pasid,
				    self->s[0].as));
	for (i = 0; i < 3; i++) {
		self->sim[i] = sva_sim_open_name(self->g.node);
		ASSERT_LE(0, self->sim[i]);
		ASSERT_EQ(0, sva_sim_attach(self->sim[i], self->g.fd,
					    self->s[0].pasid, NULL));
	}
}

FIXTURE_TEARDOWN(nested_storm)
{
	int i;

	for (i = 0; i < 3; i++)
		close(self->sim[i]);
	EXPECT_EQ(0, guest_exit(&self->g));
	close(self->q);
	EXPECT_TRUE(core_settles(&self->before));
}

#define IS_SET(flag)	__atomic_load_n(&(flag), __ATOMIC_RELAXED)
#define SET(flag)	__atomic_store_n(&(flag), true, __ATOMIC_RELAXED)

static void *answer(void *arg)
{
	FIXTURE_DATA(nested_storm) *self = arg;
	struct sva_fault fault;

	while (!IS_SET(self->idle)) {
		struct pollfd pfd = { .fd = self->q, .events = POLLIN };

		if (poll(&pfd, 1, 100) != 1 ||
		    read(self->q, &fault, sizeof(fault)) != sizeof(fault) ||
		    fault.flags & SVA_FAULT_LOST)
			continue;
		/* It may have been answered by a rebind. */
		guest_respond(self->q, fault.cookie, self->faults++ & 1);
	}
	return NULL;
}

static void *invalidate(void *arg)
{
	FIXTURE_DATA(nested_storm) *self = arg;

	while (!IS_SET(self->stop)) {
		int i = self->invalidations++;

		guest_invalidate(&self->s[i & 1], i & 2 ? 0 : GVA,
				 i & 2 ? UINT64_MAX : 1, 0);
	}
	return NULL;
}

/* One page is there, the next is not. */
static void *submit(void *arg)
{
	FIXTURE_DATA(nested_storm) *self = arg;
	struct sva_sim_desc desc = sva_sim_fill(GVA, 1, CORE_PAGE);
	unsigned int i;

	for (i = 0; !IS_SET(self->stop); i++) {
		desc.dst = GVA + (i & 1) * CORE_PAGE;
		sva_sim_submit(self->sim[i % 3], &desc);
		if (i % 301)
			continue;
		sva_sim_detach(self->sim[0]);
		sva_sim_attach(self->sim[0], self->g.fd, self->s[0].pasid,
			       NULL);
	}
	return NULL;
}

TEST_F_TIMEOUT(nested_storm, nested_storm, TIMEOUT)
{
	void *(*const threads[])(void *) = { answer, invalidate, submit };
	const uint32_t spaces[] = {
		self->s[0].as, self->s[1].as, self->g.parent, SVA_AS_NONE,
	};
	struct timespec start, now;
	pthread_t thread[3];
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, threads[i], self));
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		i = self->binds++;
		ASSERT_EQ(0, sva_pasid_bind(self->g.fd, self->s[0].pasid,
					    spaces[i & 3]));
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < start.tv_sec + seconds());

	/* With both pages there, everything comes to an end. */
	for (i = 0; i < 2; i++)
		guest_map_new(&self->s[i], GVA + CORE_PAGE);
	ASSERT_EQ(0, sva_pasid_bind(self->g.fd, self->s[0].pasid,
				    self->s[1].as));
	SET(self->stop);
	for (i = 1; i < 3; i++)
		EXPECT_EQ(0, pthread_join(thread[i], NULL));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, sva_sim_detach(self->sim[i]));
	SET(self->idle);
	EXPECT_EQ(0, pthread_join(thread[0], NULL));
	TH_LOG("%ld binds, %ld invalidations, %ld page requests", self->binds,
	       self->invalidations, self->faults);
	EXPECT_LT(0, self->faults);
}

TEST_HARNESS_MAIN
