// SPDX-License-Identifier: GPL-2.0-only
/*
 * An engine goes under load, over and over: by unbinding its driver in sysfs,
 * and by being unplugged. Its queues are attached by the sva fd and by PASID fds,
 * and are busy with plain DMA, with page requests that the kernel serves, and
 * with page requests that nobody answers.
 *
 * SVA_ROUNDS in the environment says how often, see
 * Documentation/dev-tools/sva-testing.rst.
 */
#include <stdbool.h>

#include "pasidfd_util.h"
#include "kselftest_harness.h"

#define ROUNDS		100
#define BUSY_LEN	(128 * 1024)
#define PER_QUEUE	16
/* A request that stays behind is missed soon. */
#define FAULTQ_DEPTH	8

/* Nobody waits longer than this for an engine to go. */
#define PROMPT_MS	5000

#define UNBIND "/sys/bus/platform/drivers/sva_sim/unbind"
#define BIND "/sys/bus/platform/drivers/sva_sim/bind"

enum {
	BY_SVA_FD,
	BY_PASID_FD,
	OF_PROCESS,
	UNANSWERED,
	QUEUES,
};

FIXTURE(pasidfd_remove) {
	struct core_counts before;
	char name[32];
	char hw[64];
	int fd;
	int faultq;
	char *mem;
	char *touched;
	uint32_t as;
	uint32_t pasid[QUEUES];
	int pf[QUEUES];
};

FIXTURE_VARIANT(pasidfd_remove) {
	bool unbind;
};

FIXTURE_VARIANT_ADD(pasidfd_remove, unbind) {
	.unbind = true,
};

FIXTURE_VARIANT_ADD(pasidfd_remove, unplug) {
	.unbind = false,
};

static int rounds(void)
{
	const char *value = getenv("SVA_ROUNDS");

	return value && atoi(value) > 0 ? atoi(value) : ROUNDS;
}

static int make_faultq(FIXTURE_DATA(pasidfd_remove) *self)
{
	uint32_t as;

	self->faultq = sva_faultq(self->fd, SVA_FAULTQ_F_NONBLOCK, FAULTQ_DEPTH);
	if (self->faultq < 0)
		return self->faultq;
	return sva_as_asking(self->fd, self->faultq, &as) ?:
	       sva_pasid_bind(self->fd, self->pasid[UNANSWERED], as);
}

static int make_pasids(FIXTURE_DATA(pasidfd_remove) *self)
{
	int i, ret;

	for (i = 0; i < QUEUES; i++) {
		ret = i == OF_PROCESS ?
		      pasid_alloc_handle(self->fd, SVA_PASID_F_MM,
					 &self->pasid[i]) :
		      pasid_alloc(self->fd, 0, 0, 1, &self->pasid[i]);
		if (ret)
			return ret;
		self->pf[i] = pasidfd_make(self->fd, self->pasid[i], NULL);
		if (self->pf[i] < 0)
			return self->pf[i];
	}
	return sva_pasid_bind(self->fd, self->pasid[BY_SVA_FD], self->as) ?:
	       sva_pasid_bind(self->fd, self->pasid[BY_PASID_FD], self->as);
}

FIXTURE_SETUP(pasidfd_remove)
{
	int sim;

	self->before = core_counts();
	sva_sim_name(self->name, sizeof(self->name), "removed");
	sim = sva_sim_create(self->name, NULL, NULL, NULL);
	ASSERT_LE(0, sim);
	close(sim);
	ASSERT_EQ(0, bond_hardware(self->name, self->hw, sizeof(self->hw)));

	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	self->mem = sva_mem(BUSY_LEN * 2);
	ASSERT_NE(NULL, self->mem);
	self->touched = sva_mem(BUSY_LEN);
	ASSERT_NE(NULL, self->touched);
	ASSERT_EQ(0, sva_as_alloc(self->fd, &self->as));
	ASSERT_EQ(0, iova_map_at(self->fd, self->as, CORE_RW, self->mem,
				 BUSY_LEN * 2, (uintptr_t)self->mem));
	ASSERT_EQ(0, make_pasids(self));
	ASSERT_EQ(0, make_faultq(self));
}

FIXTURE_TEARDOWN(pasidfd_remove)
{
	int i;

	for (i = 0; i < QUEUES; i++)
		close(self->pf[i]);
	close(self->faultq);
	close(self->fd);
	munmap(self->touched, BUSY_LEN);
	munmap(self->mem, BUSY_LEN * 2);
	EXPECT_EQ(0, sva_sim_remove(self->name));
	EXPECT_TRUE(core_settles(&self->before));
}

static int take_away(const FIXTURE_DATA(pasidfd_remove) *self, bool unbind)
{
	return unbind ? sva_write_file(UNBIND, self->hw) :
			sva_sim_set(self->name, "enable", "0");
}

static int put_back(FIXTURE_DATA(pasidfd_remove) *self, bool unbind)
{
	return unbind ? sva_write_file(BIND, self->hw) :
			sva_sim_set(self->name, "enable", "1");
}

static int open_queues(const FIXTURE_DATA(pasidfd_remove) *self, int *sim)
{
	char dev[32];
	int i, ret;

	ret = sva_sim_get(self->name, "dev", dev, sizeof(dev));
	for (i = 0; i < QUEUES && !ret; i++) {
		sim[i] = i == BY_SVA_FD ?
			 bond_attached(dev, self->fd, self->pasid[i]) :
			 bond_attached(dev, self->pf[i], 0);
		if (sim[i] < 0)
			return sim[i];
		ret = fcntl(sim[i], F_SETFL, O_NONBLOCK);
	}
	return ret;
}

static int load(const FIXTURE_DATA(pasidfd_remove) *self, const int *sim)
{
	uintptr_t mem = (uintptr_t)self->mem;
	struct sva_sim_desc desc[QUEUES] = {
		[BY_SVA_FD] = sva_sim_memcpy(mem, mem + BUSY_LEN, BUSY_LEN),
		[BY_PASID_FD] = sva_sim_memcpy(mem, mem + BUSY_LEN, BUSY_LEN),
		[OF_PROCESS] = sva_sim_fill((uintptr_t)self->touched, 1, BUSY_LEN),
		[UNANSWERED] = sva_sim_fill(mem, 1, 8),
	};
	int i, ret = 0;

	madvise(self->touched, BUSY_LEN, MADV_DONTNEED);
	for (i = 0; i < QUEUES * PER_QUEUE && !ret; i++)
		ret = sva_sim_submit(sim[i % QUEUES], &desc[i % QUEUES]);
	return ret;
}

/* Answers some, so that others follow them. Returns how many, or < 0. */
static int answer_some(const FIXTURE_DATA(pasidfd_remove) *self, int most)
{
	struct sva_fault_response response = { .code = SVA_FAULT_INVALID };
	struct sva_fault fault;
	int i;

	for (i = 0; i < most; i++) {
		if (read(self->faultq, &fault, sizeof(fault)) < 0)
			return errno == EAGAIN ? i : -errno;
		if (fault.flags & SVA_FAULT_LOST)
			return -ENOSPC;
		response.cookie = fault.cookie;
		/* Unless its device went in between. */
		if (write(self->faultq, &response, sizeof(response)) < 0 &&
		    errno != ENOENT)
			return -errno;
	}
	return i;
}

/* How many descriptors have completed, of a queue that is at its end. */
static long completed(int sim)
{
	uint64_t count;
	long sum = 0;

	while (read(sim, &count, sizeof(count)) == sizeof(count))
		sum += count;
	return errno == ENODEV ? sum : -errno;
}

TEST_F_TIMEOUT(pasidfd_remove, pasidfd_remove_under_load, 3600)
{
	int i, n, round, sim[QUEUES], num = rounds();
	long start, took, longest = 0, total = 0, answered = 0;
	uint32_t state = 21;

	for (round = 0; round < num; round++) {
		ASSERT_EQ(0, open_queues(self, sim)) {
			TH_LOG("round %d", round);
		}
		ASSERT_EQ(0, load(self, sim));
		usleep(bond_random(&state) % 3000);
		n = answer_some(self, bond_random(&state) % 4);
		ASSERT_LE(0, n);
		answered += n;

		start = bond_now_ms();
		ASSERT_EQ(0, take_away(self, variant->unbind));
		took = bond_now_ms() - start;
		total += took;
		if (took > longest)
			longest = took;

		/* No DMA is under way: what is written now stays. */
		memset(self->mem, 0x5a, BUSY_LEN);
		for (i = 0; i < QUEUES; i++) {
			/* Whatever became of them, none is missing. */
			EXPECT_EQ(PER_QUEUE, completed(sim[i]));
			EXPECT_TRUE(bond_hangs_up(sim[i]));
			EXPECT_EQ(0, pasidfd_bonds(self->fd, self->pasid[i]));
		}
		for (i = 0; i < BUSY_LEN; i += 64)
			ASSERT_EQ(0x5a, self->mem[i]);
		/* Every request has been answered for us, and none is left. */
		ASSERT_EQ(0, answer_some(self, FAULTQ_DEPTH));

		for (i = 0; i < QUEUES; i++)
			close(sim[i]);
		ASSERT_EQ(0, put_back(self, variant->unbind));
	}
	TH_LOG("%d times, %ld ms on average, %ld at most; %ld page requests answered by us",
	       num, total / num, longest, answered);
	EXPECT_GT(PROMPT_MS, longest);
	EXPECT_EQ(self->before.bonds, core_counts().bonds);
}

TEST_HARNESS_MAIN
