// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of PASIDs: freed one by one, in ranges, with their context, with
 * their process; and binding while no device is attached.
 *
 * Machine: plain engine
 */
#include <pthread.h>
#include <signal.h>

#include "sva_core.h"
#include "kselftest_harness.h"

FIXTURE(pasid_free) {
	struct core_counts before;
	int fd;
	int other;
};

FIXTURE_SETUP(pasid_free)
{
	self->before = core_counts();
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	self->other = sva_open();
	ASSERT_LE(0, self->other);
}

FIXTURE_TEARDOWN(pasid_free)
{
	close(self->fd);
	close(self->other);
	EXPECT_TRUE(core_settles(&self->before));
}

TEST_F(pasid_free, twice)
{
	struct sva_pasid_info info;
	uint32_t pasid;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	EXPECT_EQ(0, pasid_free(self->fd, pasid, 1));
	EXPECT_EQ(-ENOENT, pasid_free(self->fd, pasid, 1));
	EXPECT_EQ(-ENOENT, sva_pasid_info(self->fd, pasid, &info));
	EXPECT_EQ(-ENOENT, sva_pasid_bind(self->fd, pasid, SVA_AS_NONE));
}

TEST_F(pasid_free, the_number_comes_again)
{
	uint32_t pasid, again;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, pasid_free(self->fd, pasid, 1));
	ASSERT_EQ(0, pasid_alloc(self->other, 0, 0, 1, &again));
	EXPECT_EQ(pasid, again);
}

TEST_F(pasid_free, what_another_context_has)
{
	struct sva_pasid_info info;
	uint32_t pasid;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	EXPECT_EQ(-ENOENT, pasid_free(self->other, pasid, 1));
	EXPECT_EQ(0, sva_pasid_info(self->fd, pasid, &info));
}

TEST_F(pasid_free, bad_counts)
{
	uint32_t pasid, handle;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_RID, &handle));
	EXPECT_EQ(-EINVAL, pasid_free(self->fd, pasid, 0));
	EXPECT_EQ(-EINVAL, pasid_free(self->fd, handle, 0));
	EXPECT_EQ(-EINVAL, pasid_free(self->fd, handle, 2));
	EXPECT_EQ(-ENOENT, pasid_free(self->fd, pasid, 2));
	EXPECT_EQ(-ENOENT, pasid_free(self->fd, pasid, 1 << 20));
	EXPECT_EQ(-ENOENT, pasid_free(self->fd, pasid, UINT32_MAX));
	EXPECT_EQ(-ENOENT, pasid_free(self->fd, 1 << 20, 1));
	EXPECT_EQ(-ENOENT, pasid_free(self->fd, 0, 1));
	EXPECT_EQ(-ENOENT, pasid_free(self->fd, 0x7fffffff, UINT32_MAX));
	EXPECT_EQ(0, pasid_free(self->fd, pasid, 1));
	EXPECT_EQ(0, pasid_free(self->fd, handle, 1));
}

static bool all_there(int fd, uint32_t first, uint32_t count)
{
	struct sva_pasid_info info;
	uint32_t i;

	for (i = 0; i < count; i++)
		if (sva_pasid_info(fd, first + i, &info))
			return false;
	return true;
}

TEST_F(pasid_free, part_of_a_range)
{
	struct sva_pasid_info info;
	uint32_t first;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 100, &first));
	EXPECT_EQ(0, pasid_free(self->fd, first + 10, 20));
	EXPECT_TRUE(all_there(self->fd, first, 10));
	EXPECT_EQ(-ENOENT, sva_pasid_info(self->fd, first + 10, &info));
	EXPECT_EQ(-ENOENT, sva_pasid_info(self->fd, first + 29, &info));
	EXPECT_TRUE(all_there(self->fd, first + 30, 70));
}

/* Not one of them is freed. */
TEST_F(pasid_free, a_range_with_a_hole)
{
	uint32_t first;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 100, &first));
	ASSERT_EQ(0, pasid_free(self->fd, first + 99, 1));
	EXPECT_EQ(-ENOENT, pasid_free(self->fd, first, 100));
	EXPECT_TRUE(all_there(self->fd, first, 99));
	EXPECT_EQ(0, pasid_free(self->fd, first, 99));
}

TEST_F(pasid_free, a_range_that_is_partly_anothers)
{
	uint32_t first, foreign;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0xe0000, 0xe0063, 100, &first));
	ASSERT_EQ(0, pasid_free(self->fd, first + 50, 1));
	ASSERT_EQ(0, pasid_alloc(self->other, first + 50, first + 50, 1,
				 &foreign));
	EXPECT_EQ(-ENOENT, pasid_free(self->fd, first, 100));
	EXPECT_TRUE(all_there(self->fd, first, 50));
	EXPECT_TRUE(all_there(self->other, foreign, 1));
	EXPECT_TRUE(all_there(self->fd, first + 51, 49));
}

TEST_F(pasid_free, a_range_of_several_allocations)
{
	uint32_t a, b, c;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0xe0000, 0xe0009, 10, &a));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0xe000a, 0xe0013, 10, &b));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0xe0014, 0xe0014, 1, &c));
	EXPECT_EQ(0, pasid_free(self->fd, a, 21));
	EXPECT_EQ(self->before.pasids, core_count("pasids"));
}

#define LONG	2500

/* Of a range that is freed in parts, not one is freed either. */
TEST_F(pasid_free, a_long_range_of_which_one_is_used)
{
	uint32_t first, last;
	int sim;

	sim = sva_sim_open(0);
	if (sim < 0)
		SKIP(return, "there is no engine");
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, LONG, &first));
	last = first + LONG - 1;
	ASSERT_EQ(0, sva_sim_attach(sim, self->fd, last, NULL));
	EXPECT_EQ(-EBUSY, pasid_free(self->fd, first, LONG));
	EXPECT_TRUE(all_there(self->fd, first, LONG));
	ASSERT_EQ(0, sva_sim_detach(sim));
	/* Not even the first ones have become unusable. */
	ASSERT_EQ(0, sva_sim_attach(sim, self->fd, first, NULL));
	EXPECT_EQ(-EBUSY, pasid_free(self->fd, first, LONG));
	close(sim);

	ASSERT_EQ(0, pasid_free(self->fd, last, 1));
	EXPECT_EQ(-ENOENT, pasid_free(self->fd, first, LONG));
	EXPECT_TRUE(all_there(self->fd, first, LONG - 1));
	EXPECT_EQ(0, pasid_free(self->fd, first, LONG - 1));
	EXPECT_EQ(-ENOENT, pasid_free(self->fd, first, 1));
}

struct race {
	int fd;
	int sim;
	uint32_t first;
	bool stop;
	int wrong;
	int ends[2];		/* how often it was attached, and was not there */
};

/* Attaches the last one all the time. */
static void *attach_last(void *arg)
{
	struct race *race = arg;
	int ret;

	while (!__atomic_load_n(&race->stop, __ATOMIC_RELAXED)) {
		ret = sva_sim_attach(race->sim, race->fd,
				     race->first + LONG - 1, NULL);
		if (ret && ret != -ENOENT)
			race->wrong = ret;
		race->ends[!!ret]++;
		if (!ret && sva_sim_detach(race->sim))
			race->wrong = -1;
	}
	return NULL;
}

/* Either it can be attached, or all of them are freed. */
TEST_F_TIMEOUT(pasid_free, a_long_range_while_one_is_attached, 60)
{
	struct race race = { .fd = self->fd };
	int busy = 0, freed = 0, ret, i;
	pthread_t thread;
	uint32_t first;

	race.sim = sva_sim_open(0);
	if (race.sim < 0)
		SKIP(return, "there is no engine");
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, LONG, &race.first));
	ASSERT_EQ(0, pthread_create(&thread, NULL, attach_last, &race));
	for (i = 0; i < 100 / SVA_SLOWER; i++) {
		ret = pasid_free(self->fd, race.first, LONG);
		busy += ret == -EBUSY;
		freed += !ret;
		if (!ret)
			ret = pasid_alloc(self->fd, race.first,
					  race.first + LONG - 1, LONG, &first);
		else if (ret == -EBUSY)
			ret = 0;
		ASSERT_EQ(0, ret);
	}
	__atomic_store_n(&race.stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, race.wrong);
	EXPECT_TRUE(all_there(self->fd, race.first, LONG));
	EXPECT_LT(0, race.ends[0]);
	TH_LOG("freed %d times, busy %d times; attached %d times, gone %d times",
	       freed, busy, race.ends[0], race.ends[1]);
	close(race.sim);
}

TEST_F(pasid_free, with_the_context)
{
	uint32_t first, handle;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 5000, &first));
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_RID, &handle));
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &handle));
	EXPECT_EQ(self->before.pasids + 5000, core_count("pasids"));
	close(self->fd);
	EXPECT_EQ(self->before.pasids, core_count("pasids"));
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
}

/* Does something in a child that kills itself with SIGKILL. */
static int run_killed(void (*fn)(int fd))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		int fd = sva_open();

		if (fd < 0)
			_exit(1);
		fn(fd);
		kill(getpid(), SIGKILL);
		_exit(2);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void alloc_10000(int fd)
{
	uint32_t pasid;
	int i;

	for (i = 0; i < 10000; i++)
		if (pasid_alloc(fd, 0, 0, 1, &pasid))
			_exit(3);
	if (core_count("pasids") < 10000)
		_exit(4);
}

TEST_F(pasid_free, with_a_killed_process)
{
	struct core_counts want = core_counts();

	EXPECT_EQ(SIGKILL, run_killed(alloc_10000));
	EXPECT_TRUE(core_settles(&want));
}

/* A process is killed somewhere in a call. */
TEST_F_TIMEOUT(pasid_free, with_a_process_killed_in_the_middle, 60)
{
	struct core_counts want = core_counts();
	uint32_t first;
	pid_t pid;
	int i;

	for (i = 0; i < 20; i++) {
		pid = fork();
		if (!pid) {
			int fd = sva_open();

			for (;;) {
				pasid_alloc(fd, 0, 0, 20000, &first);
				pasid_free(fd, first, 20000);
			}
		}
		ASSERT_LT(0, pid);
		core_sleep_ms(5 + 3 * i);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
	EXPECT_TRUE(core_settles(&want));
}

/* --- binding without devices -------------------------------------------------- */

FIXTURE(pasid_bind) {
	struct core_counts before;
	int fd;
	uint32_t as;
	uint32_t second_as;
	uint32_t pasid;
};

FIXTURE_VARIANT(pasid_bind) {
	bool rid;
};

FIXTURE_VARIANT_ADD(pasid_bind, number) {
};

FIXTURE_VARIANT_ADD(pasid_bind, rid_handle) {
	.rid = true,
};

FIXTURE_SETUP(pasid_bind)
{
	self->before = core_counts();
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, sva_as_alloc(self->fd, &self->as));
	ASSERT_EQ(0, sva_as_alloc(self->fd, &self->second_as));
	if (variant->rid) {
		ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_RID,
						&self->pasid));
	} else {
		ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &self->pasid));
	}
}

FIXTURE_TEARDOWN(pasid_bind)
{
	close(self->fd);
	EXPECT_TRUE(core_settles(&self->before));
}

TEST_F(pasid_bind, bind_and_unbind)
{
	struct sva_pasid_info info;

	EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as));
	ASSERT_EQ(0, sva_pasid_info(self->fd, self->pasid, &info));
	EXPECT_EQ(self->as, info.as_id);
	EXPECT_EQ(SVA_PASID_S_BOUND, info.state);
	EXPECT_EQ(0, info.bonds);
	EXPECT_EQ(-EBUSY, sva_destroy(self->fd, self->as));

	EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid, SVA_AS_NONE));
	ASSERT_EQ(0, sva_pasid_info(self->fd, self->pasid, &info));
	EXPECT_EQ(SVA_AS_NONE, info.as_id);
	EXPECT_EQ(0, info.state);
	EXPECT_EQ(0, sva_destroy(self->fd, self->as));
}

TEST_F(pasid_bind, rebind)
{
	struct sva_pasid_info info;

	EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as));
	EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->second_as));
	ASSERT_EQ(0, sva_pasid_info(self->fd, self->pasid, &info));
	EXPECT_EQ(self->second_as, info.as_id);
	EXPECT_EQ(0, sva_destroy(self->fd, self->as));
	EXPECT_EQ(-EBUSY, sva_destroy(self->fd, self->second_as));
}

TEST_F(pasid_bind, again_to_the_same)
{
	EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as));
	EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as));
	EXPECT_EQ(-EBUSY, sva_destroy(self->fd, self->as));
	EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid, SVA_AS_NONE));
	EXPECT_EQ(0, sva_destroy(self->fd, self->as));
}

TEST_F(pasid_bind, unbind_what_is_not_bound)
{
	EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid, SVA_AS_NONE));
}

TEST_F(pasid_bind, to_nothing_that_exists)
{
	struct sva_pasid_info info;

	EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as));
	EXPECT_EQ(-ENOENT, sva_pasid_bind(self->fd, self->pasid, 12345));
	/* Everything is as it was. */
	ASSERT_EQ(0, sva_pasid_info(self->fd, self->pasid, &info));
	EXPECT_EQ(self->as, info.as_id);
}

TEST_F(pasid_bind, several_to_one)
{
	uint32_t more;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &more));
	EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as));
	EXPECT_EQ(0, sva_pasid_bind(self->fd, more, self->as));
	EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid, SVA_AS_NONE));
	EXPECT_EQ(-EBUSY, sva_destroy(self->fd, self->as));
	EXPECT_EQ(0, pasid_free(self->fd, more, 1));
	EXPECT_EQ(0, sva_destroy(self->fd, self->as));
}

TEST_F(pasid_bind, ends_with_the_pasid)
{
	EXPECT_EQ(0, sva_pasid_bind(self->fd, self->pasid, self->as));
	EXPECT_EQ(0, pasid_free(self->fd, self->pasid, 1));
	EXPECT_EQ(0, sva_destroy(self->fd, self->as));
}

TEST_F(pasid_bind, process_pasid_is_not_bound)
{
	uint32_t handle;

	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &handle));
	EXPECT_EQ(-EINVAL, sva_pasid_bind(self->fd, handle, self->as));
	EXPECT_EQ(-EINVAL, sva_pasid_bind(self->fd, handle, SVA_AS_NONE));
	EXPECT_EQ(0, sva_destroy(self->fd, self->as));
}

TEST_HARNESS_MAIN
