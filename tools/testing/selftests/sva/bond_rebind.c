// SPDX-License-Identifier: GPL-2.0-only
/*
 * The promise of a rebind: at every moment a device sees the old translation,
 * the new one, or none, and a refusal is undone everywhere. Four engines on one
 * PASID, every other one behind the second IOMMU.
 *
 * Seconds: 300
 * Machine: plain engine
 */
#include <pthread.h>

#include "bond_util.h"
#include "kselftest_harness.h"

#define ENGINES	4
#define SPACES	2

/* In each address space something else. */
#define IOVA	0x20000000UL

#define PAGES	2
#define WORDS	(PAGES * 512)

FIXTURE(bond_rebind) {
	struct core_counts before;
	char name[ENGINES][32];
	int fd;
	int sim[ENGINES];
	struct bond_mem *mem[ENGINES];
	uint64_t *data[SPACES];
	uint32_t as[SPACES];
	uint32_t pasid;
};

FIXTURE_VARIANT(bond_rebind) {
	const char *teardown_first;
};

FIXTURE_VARIANT_ADD(bond_rebind, hitless) {
	.teardown_first = "0",
};

FIXTURE_VARIANT_ADD(bond_rebind, teardown) {
	.teardown_first = "1",
};

/* What is read out of address space @n. */
static uint64_t word_of(int n, int i)
{
	return 0xa000000000000000 + ((uint64_t)n << 32) + i;
}

FIXTURE_SETUP(bond_rebind)
{
	int i, j;

	self->before = core_counts();
	self->fd = sva_open();
	EXPECT_LE(0, self->fd);
	for (i = 0; i < ENGINES; i++) {
		snprintf(self->name[i], sizeof(self->name[i]), "engine%d-%d", i,
			 (int)getpid());
		self->sim[i] = sva_sim_create(self->name[i], i % 2 ? "1" : "0",
					      NULL, NULL);
		EXPECT_LE(0, self->sim[i]);
		EXPECT_EQ(0, sva_sim_set(self->name[i], "teardown_first",
					 variant->teardown_first));
		self->mem[i] = bond_mem();
		ASSERT_NE(NULL, self->mem[i]);
	}
	for (i = 0; i < SPACES; i++) {
		self->data[i] = sva_mem(WORDS * 8);
		ASSERT_NE(NULL, self->data[i]);
		for (j = 0; j < WORDS; j++)
			self->data[i][j] = word_of(i, j);
		EXPECT_EQ(0, sva_as_alloc(self->fd, &self->as[i]));
		EXPECT_EQ(0, iova_map_at(self->fd, self->as[i], SVA_IOVA_F_READ,
					 self->data[i], WORDS * 8, IOVA));
		for (j = 0; j < ENGINES; j++)
			EXPECT_EQ(0, iova_map_at(self->fd, self->as[i], CORE_RW,
						 self->mem[j], BOND_MAPPED,
						 (uintptr_t)self->mem[j]));
	}
	EXPECT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &self->pasid));
	EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[0]));
	for (i = 0; i < ENGINES; i++)
		EXPECT_EQ(0, sva_sim_attach(self->sim[i], self->fd, self->pasid,
					    NULL));
}

FIXTURE_TEARDOWN(bond_rebind)
{
	int i;

	for (i = 0; i < ENGINES; i++) {
		close(self->sim[i]);
		EXPECT_EQ(0, sva_sim_remove(self->name[i]));
	}
	close(self->fd);
	EXPECT_TRUE(core_settles(&self->before));
}

/* Of which address space the engine sees the data: -1 none. */
static int seen_by(FIXTURE_DATA(bond_rebind) *self, int i)
{
	struct bond_mem *mem = self->mem[i];
	int n;

	memset(mem->dst, 0, sizeof(mem->dst));
	if (bond_run(self->sim[i], sva_sim_memcpy((uintptr_t)mem->dst, IOVA, 4096),
		     &mem->done) != SVA_SIM_STATUS_OK)
		return -1;
	for (n = 0; n < SPACES; n++)
		if (mem->dst[0] == word_of(n, 0) &&
		    !memcmp(mem->dst, self->data[n], 4096))
			return n;
	return -2;
}

static bool all_see(FIXTURE_DATA(bond_rebind) *self, int n)
{
	int i, seen;
	bool all = true;

	for (i = 0; i < ENGINES; i++) {
		seen = seen_by(self, i);
		if (seen != n)
			fprintf(stderr, "# engine %d sees %d\n", i, seen);
		all &= seen == n;
	}
	return all;
}

static struct sva_pasid_info info_of(FIXTURE_DATA(bond_rebind) *self)
{
	struct sva_pasid_info info;

	if (sva_pasid_info(self->fd, self->pasid, &info))
		memset(&info, 0xff, sizeof(info));
	return info;
}

/* --- switching -------------------------------------------------------------------- */

TEST_F(bond_rebind, bond_rebind_switches_all)
{
	ASSERT_TRUE(all_see(self, 0));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[1]));
	EXPECT_TRUE(all_see(self, 1));
	EXPECT_EQ(self->as[1], info_of(self).as_id);
	EXPECT_EQ(ENGINES, info_of(self).bonds);
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, SVA_AS_NONE));
	EXPECT_TRUE(all_see(self, -1));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[0]));
	EXPECT_TRUE(all_see(self, 0));

	/* What was left is not used any more. */
	EXPECT_EQ(0, sva_destroy(self->fd, self->as[1]));
	EXPECT_EQ(-EBUSY, sva_destroy(self->fd, self->as[0]));
	EXPECT_TRUE(all_see(self, 0));
}

TEST_F(bond_rebind, bond_rebind_to_the_same)
{
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[0]));
		EXPECT_TRUE(all_see(self, 0));
	}
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[1]));
	EXPECT_TRUE(all_see(self, 1));
	EXPECT_EQ(0, sva_destroy(self->fd, self->as[0]));
}

TEST_F(bond_rebind, bond_rebind_two_pasids_to_one_space)
{
	uint32_t other;
	int sim;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &other));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, other, self->as[1]));
	sim = bond_attached("sva_sim0", self->fd, other);
	ASSERT_LE(0, sim);
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[1]));
	EXPECT_TRUE(all_see(self, 1));
	/* One leaves the domain that both had. */
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[0]));
	EXPECT_EQ(SVA_SIM_STATUS_OK,
		  bond_run(sim, sva_sim_memcpy((uintptr_t)self->mem[0]->dst,
					       IOVA, 8), &self->mem[0]->done));
	EXPECT_EQ(word_of(1, 0), self->mem[0]->dst[0]);
	EXPECT_TRUE(all_see(self, 0));
	close(sim);
}

struct reader {
	pthread_t thread;
	int sim;
	struct bond_mem *mem;
	bool *stop;
	unsigned long ok;
	unsigned long faults;
	unsigned long wrong;
	int error;
};

/* Two halves of two pages, so that each may come from another space. */
#define STRADDLE	(IOVA + 2048)

static bool is_of_some_space(const struct bond_mem *mem)
{
	int half, i, n;

	for (half = 0; half < 2; half++) {
		uint64_t first = mem->dst[half * 256];

		for (n = 0; n < SPACES; n++)
			if (first == word_of(n, 256 + half * 256))
				break;
		if (n == SPACES)
			return false;
		for (i = 0; i < 256; i++)
			if (mem->dst[half * 256 + i] !=
			    word_of(n, 256 + half * 256 + i))
				return false;
	}
	return true;
}

static void *reader(void *data)
{
	struct reader *r = data;

	while (!__atomic_load_n(r->stop, __ATOMIC_RELAXED) && !r->error) {
		int status;

		memset(r->mem->dst, 0x5a, sizeof(r->mem->dst));
		status = bond_run(r->sim,
				  sva_sim_memcpy((uintptr_t)r->mem->dst, STRADDLE,
						 4096), &r->mem->done);
		if (status == SVA_SIM_STATUS_OK) {
			r->ok++;
			r->wrong += !is_of_some_space(r->mem);
		} else if (status == SVA_SIM_STATUS_FAULT ||
			   status == SVA_SIM_STATUS_PENDING) {
			r->faults++;
		} else {
			r->error = status;
		}
	}
	return NULL;
}

TEST_F_TIMEOUT(bond_rebind, bond_rebind_under_dma, 60)
{
	enum { SWITCHES = 2000 / SVA_SLOWER };
	bool stop = false;
	struct reader readers[ENGINES - 1];
	int i;

	for (i = 0; i < ENGINES - 1; i++) {
		readers[i] = (struct reader) {
			.sim = self->sim[i], .mem = self->mem[i], .stop = &stop,
		};
		ASSERT_EQ(0, pthread_create(&readers[i].thread, NULL, reader,
					    &readers[i]));
	}
	for (i = 1; i <= SWITCHES; i++) {
		EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid,
					    self->as[i % 2]));
		/* Afterwards nobody sees the old one. */
		if (i % 8 == 0)
			EXPECT_EQ(i % 2, seen_by(self, ENGINES - 1));
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < ENGINES - 1; i++) {
		ASSERT_EQ(0, pthread_join(readers[i].thread, NULL));
		TH_LOG("engine %d: %lu good, %lu blocked", i, readers[i].ok,
		       readers[i].faults);
		EXPECT_EQ(0, readers[i].error);
		EXPECT_EQ(0, readers[i].wrong);
		EXPECT_LT(0, readers[i].ok);
		/* An IOMMU that replaces in place never blocks. */
		if (variant->teardown_first[0] == '0')
			EXPECT_EQ(0, readers[i].faults);
	}
}

struct binder {
	pthread_t thread;
	int fd;
	uint32_t pasid;
	uint32_t as;
	int rounds;
	int errors;
};

static void *binder(void *data)
{
	struct binder *b = data;

	while (b->rounds--)
		if (sva_pasid_bind(b->fd, b->pasid, b->as))
			b->errors++;
	return NULL;
}

TEST_F(bond_rebind, bond_rebind_by_several_threads)
{
	struct binder binders[3];
	uint32_t as;
	int i;

	for (i = 0; i < 3; i++) {
		binders[i] = (struct binder) {
			.fd = self->fd, .pasid = self->pasid, .rounds = 100 / SVA_SLOWER,
			.as = i < SPACES ? self->as[i] : SVA_AS_NONE,
		};
		ASSERT_EQ(0, pthread_create(&binders[i].thread, NULL, binder,
					    &binders[i]));
	}
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, pthread_join(binders[i].thread, NULL));
		EXPECT_EQ(0, binders[i].errors);
	}
	/* Whoever came last, it holds for all. */
	as = info_of(self).as_id;
	EXPECT_TRUE(all_see(self, as == self->as[0] ? 0 :
				  as == self->as[1] ? 1 : -1));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, SVA_AS_NONE));
	EXPECT_EQ(0, sva_destroy(self->fd, self->as[0]));
	EXPECT_EQ(0, sva_destroy(self->fd, self->as[1]));
}

/* --- refusals ----------------------------------------------------------------------- */

TEST_F(bond_rebind, bond_refused_by_one_undone_on_all)
{
	int i;

	for (i = 0; i < ENGINES; i++) {
		ASSERT_EQ(0, sva_sim_set(self->name[i], "refuse", "1"));
		EXPECT_EQ(-EBUSY, sva_pasid_bind(self->fd, self->pasid,
						 self->as[1]));
		EXPECT_TRUE(all_see(self, 0));
		EXPECT_EQ(self->as[0], info_of(self).as_id);
		EXPECT_EQ(ENGINES, info_of(self).bonds);
		EXPECT_EQ(0, info_of(self).state & SVA_PASID_S_REVOKED);
	}
	/* The attempts have left nothing behind. */
	EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[1]));
	EXPECT_TRUE(all_see(self, 1));
	EXPECT_EQ(0, sva_destroy(self->fd, self->as[0]));
}

TEST_F(bond_rebind, bond_refused_from_unbound)
{
	int i;

	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, SVA_AS_NONE));
	for (i = 0; i < ENGINES; i++) {
		ASSERT_EQ(0, sva_sim_set(self->name[i], "refuse", "1"));
		EXPECT_EQ(-EBUSY, sva_pasid_bind(self->fd, self->pasid,
						 self->as[1]));
		EXPECT_TRUE(all_see(self, -1));
		EXPECT_EQ(SVA_AS_NONE, info_of(self).as_id);
		EXPECT_EQ(0, info_of(self).state);
		EXPECT_EQ(0, sva_destroy(self->fd, self->as[1]));
		ASSERT_EQ(0, sva_as_alloc(self->fd, &self->as[1]));
	}
	EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[0]));
	EXPECT_TRUE(all_see(self, 0));
}

TEST_F(bond_rebind, bond_refused_attach)
{
	int i;

	for (i = 0; i < ENGINES; i++) {
		ASSERT_EQ(0, sva_sim_detach(self->sim[i]));
		ASSERT_EQ(0, sva_sim_set(self->name[i], "refuse", "1"));
		EXPECT_EQ(-EBUSY, sva_sim_attach(self->sim[i], self->fd,
						 self->pasid, NULL));
		EXPECT_EQ(ENGINES - 1, info_of(self).bonds);
		EXPECT_EQ(-ENOLINK, bond_copy(self->sim[i], self->mem[i]));
		ASSERT_EQ(0, sva_sim_attach(self->sim[i], self->fd, self->pasid,
					    NULL));
	}
	EXPECT_TRUE(all_see(self, 0));
}

TEST_F(bond_rebind, bond_unbind_never_fails)
{
	int i;

	for (i = 0; i < ENGINES; i++)
		ASSERT_EQ(0, sva_sim_set(self->name[i], "refuse",
					 "0xffffffffffffffff"));
	EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid, SVA_AS_NONE));
	EXPECT_TRUE(all_see(self, -1));
	for (i = 0; i < ENGINES; i++)
		ASSERT_EQ(0, sva_sim_set(self->name[i], "refuse", "0"));
	EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[1]));
	EXPECT_TRUE(all_see(self, 1));
}

/* --- the undo fails too --------------------------------------------------------------- */

/* After engine @i could not be given even the old translation. */
static void check_revoked(struct __test_metadata *_metadata,
			  FIXTURE_DATA(bond_rebind) *self, int i)
{
	int j;

	EXPECT_TRUE(bond_hangs_up(self->sim[i]));
	EXPECT_EQ(-ENOLINK, bond_copy(self->sim[i], self->mem[i]));
	for (j = 0; j < ENGINES; j++) {
		if (j != i)
			EXPECT_EQ(0, seen_by(self, j));
	}
	EXPECT_EQ(self->as[0], info_of(self).as_id);
	EXPECT_EQ(ENGINES, info_of(self).bonds);
	EXPECT_NE(0, info_of(self).state & SVA_PASID_S_REVOKED);
	EXPECT_EQ(-EBUSY, pasid_free(self->fd, self->pasid, 1));
}

TEST_F(bond_rebind, bond_undo_fails_where_refused)
{
	int i;

	for (i = 0; i < ENGINES; i++) {
		/* The new one, then the old one. */
		ASSERT_EQ(0, sva_sim_set(self->name[i], "refuse", "3"));
		EXPECT_EQ(-ENOTRECOVERABLE,
			  sva_pasid_bind(self->fd, self->pasid, self->as[1]));
		check_revoked(_metadata, self, i);

		/* The driver lets go of it, and can attach anew. */
		ASSERT_EQ(0, sva_sim_detach(self->sim[i]));
		ASSERT_EQ(0, sva_sim_attach(self->sim[i], self->fd, self->pasid,
					    NULL));
		EXPECT_TRUE(all_see(self, 0));
		EXPECT_NE(0, info_of(self).state & SVA_PASID_S_REVOKED);
		ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[1]));
		EXPECT_EQ(0, info_of(self).state & SVA_PASID_S_REVOKED);
		EXPECT_TRUE(all_see(self, 1));
		ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[0]));
	}
}

TEST_F(bond_rebind, bond_undo_fails_elsewhere)
{
	/* The first takes the new one, but then not the old one. */
	ASSERT_EQ(0, sva_sim_set(self->name[0], "refuse", "2"));
	ASSERT_EQ(0, sva_sim_set(self->name[2], "refuse", "1"));
	EXPECT_EQ(-ENOTRECOVERABLE, sva_pasid_bind(self->fd, self->pasid,
						   self->as[1]));
	check_revoked(_metadata, self, 0);
}

TEST_F(bond_rebind, bond_undo_fails_on_all)
{
	int i;

	for (i = 0; i < ENGINES; i++)
		ASSERT_EQ(0, sva_sim_set(self->name[i], "refuse",
					 i < ENGINES - 1 ? "2" : "3"));
	EXPECT_EQ(-ENOTRECOVERABLE, sva_pasid_bind(self->fd, self->pasid,
						   self->as[1]));
	for (i = 0; i < ENGINES; i++) {
		EXPECT_TRUE(bond_hangs_up(self->sim[i]));
		EXPECT_EQ(-ENOLINK, bond_copy(self->sim[i], self->mem[i]));
	}
	/* Nothing uses it, yet it is bound and can be given up. */
	EXPECT_EQ(-EBUSY, sva_destroy(self->fd, self->as[0]));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, SVA_AS_NONE));
	EXPECT_EQ(0, sva_destroy(self->fd, self->as[0]));
	EXPECT_EQ(0, info_of(self).state);
}

TEST_F(bond_rebind, bond_revoked_ones_stay_so)
{
	char dev[32];
	int more;

	ASSERT_EQ(0, sva_sim_set(self->name[0], "refuse", "3"));
	EXPECT_EQ(-ENOTRECOVERABLE, sva_pasid_bind(self->fd, self->pasid,
						   self->as[1]));
	/* A bind is no pardon, even if another bond of the device is new. */
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[1]));
	EXPECT_EQ(-ENOLINK, bond_copy(self->sim[0], self->mem[0]));
	EXPECT_EQ(0, info_of(self).state & SVA_PASID_S_REVOKED);
	ASSERT_EQ(0, sva_sim_get(self->name[0], "dev", dev, sizeof(dev)));
	more = bond_attached(dev, self->fd, self->pasid);
	ASSERT_LE(0, more);
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(more, self->mem[0]));
	EXPECT_EQ(-ENOLINK, bond_copy(self->sim[0], self->mem[0]));
	EXPECT_EQ(ENGINES + 1, info_of(self).bonds);

	/* It goes without taking the other along. */
	ASSERT_EQ(0, sva_sim_detach(self->sim[0]));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(more, self->mem[0]));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[0]));
	EXPECT_EQ(SVA_SIM_STATUS_OK, bond_copy(more, self->mem[0]));
	close(more);
}

static void *reader_until_revoked(void *data)
{
	struct reader *r = data;

	do {
		r->error = bond_run(r->sim,
				    sva_sim_memcpy((uintptr_t)r->mem->dst, IOVA,
						   4096), &r->mem->done);
	} while (r->error == SVA_SIM_STATUS_OK || r->error == SVA_SIM_STATUS_FAULT ||
		 r->error == SVA_SIM_STATUS_PENDING);
	return NULL;
}

TEST_F(bond_rebind, bond_undo_fails_under_dma)
{
	int i, round;

	for (round = 0; round < 10; round++) {
		struct reader r = {
			.sim = self->sim[1], .mem = self->mem[1],
		};

		ASSERT_EQ(0, pthread_create(&r.thread, NULL,
					    reader_until_revoked, &r));
		for (i = 0; i < 4; i++)
			EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid,
						    self->as[i % 2]));
		EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as[0]));
		ASSERT_EQ(0, sva_sim_set(self->name[1], "refuse", "3"));
		EXPECT_EQ(-ENOTRECOVERABLE,
			  sva_pasid_bind(self->fd, self->pasid, self->as[1]));
		ASSERT_EQ(0, pthread_join(r.thread, NULL));
		EXPECT_TRUE(r.error == -ENOLINK ||
			    r.error == SVA_SIM_STATUS_ABORTED) {
			TH_LOG("the queue answered %d", r.error);
		}
		ASSERT_EQ(0, sva_sim_detach(self->sim[1]));
		bond_drain(self->sim[1]);
		ASSERT_EQ(0, sva_sim_attach(self->sim[1], self->fd, self->pasid,
					    NULL));
	}
	EXPECT_TRUE(all_see(self, 0));
}

TEST_HARNESS_MAIN
