// SPDX-License-Identifier: GPL-2.0-only
/*
 * The resource sva_pasid of the misc cgroup controller, where the kernel has it:
 * PASIDs have to fit into it as well as into what SVA_QUOTA sets.
 */
#include <pthread.h>

#include "quota_util.h"
#include "kselftest_harness.h"

FIXTURE(quota_misc) {
	struct quota_cg cg;
	struct quota_cg out;
	int fd;
};

/* Reads the value of sva_pasid in a file of the cgroup, or -1. */
static long misc_value(const struct quota_cg *cg, const char *name)
{
	int fd = openat(cg->fd, name, O_RDONLY | O_CLOEXEC);
	char text[256];
	const char *at;
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, "sva_pasid");
	return at ? strtol(at + strcspn(at, " "), NULL, 10) : -1;
}

static int misc_limit(const struct quota_cg *cg, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "%.200s/misc.max", cg->path);
	return sva_write_file(path, value);
}

FIXTURE_SETUP(quota_misc)
{
	char capacity[256];
	int fd = open(QUOTA_ROOT "/misc.capacity", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, capacity, sizeof(capacity) - 1);

	close(fd);
	capacity[n > 0 ? n : 0] = '\0';
	if (!strstr(capacity, "sva_pasid"))
		SKIP(return, "the misc controller of this kernel has no resource for PASIDs");
	ASSERT_EQ(0, sva_write_file(QUOTA_ROOT "/cgroup.subtree_control",
				    "+misc"));
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, quota_make(&self->cg, NULL, "misc"));
	ASSERT_EQ(0, quota_make(&self->out, NULL, "out"));
	ASSERT_EQ(0, quota_enter(&self->cg));
}

FIXTURE_TEARDOWN(quota_misc)
{
	close(self->fd);
	EXPECT_EQ(0, quota_enter(NULL));
	EXPECT_EQ(0, quota_remove(&self->cg));
	EXPECT_EQ(0, quota_remove(&self->out));
}

TEST_F(quota_misc, it_counts)
{
	uint32_t pasid;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 5, &pasid));
	EXPECT_EQ(5, misc_value(&self->cg, "misc.current"));
	ASSERT_EQ(0, quota_enter(&self->out));
	ASSERT_EQ(0, pasid_free(self->fd, pasid, 2));
	EXPECT_EQ(3, misc_value(&self->cg, "misc.current"));
	EXPECT_EQ(5, misc_value(&self->cg, "misc.peak"));
	EXPECT_EQ(0, misc_value(&self->out, "misc.current"));
	close(self->fd);
	EXPECT_EQ(0, misc_value(&self->cg, "misc.current"));
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
}

TEST_F(quota_misc, it_limits)
{
	uint32_t pasid;

	ASSERT_EQ(0, misc_limit(&self->cg, "sva_pasid 3"));
	EXPECT_EQ(-EDQUOT, pasid_alloc(self->fd, 0, 0, 4, &pasid));
	EXPECT_EQ(0, quota_used(self->fd, self->cg.fd));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 3, &pasid));
	EXPECT_EQ(-EDQUOT, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	EXPECT_EQ(3, quota_used(self->fd, self->cg.fd));
	EXPECT_EQ(3, misc_value(&self->cg, "misc.current"));
}

/* What the other limit refuses is not charged here. */
TEST_F(quota_misc, all_or_nothing)
{
	uint32_t pasid;

	ASSERT_EQ(0, quota_set(self->fd, self->cg.fd, 2));
	EXPECT_EQ(-EDQUOT, pasid_alloc(self->fd, 0, 0, 3, &pasid));
	EXPECT_EQ(0, misc_value(&self->cg, "misc.current"));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 2, &pasid));
	EXPECT_EQ(2, misc_value(&self->cg, "misc.current"));
}

/* It keeps nothing of a cgroup that is gone for longer than it has to. */
TEST_F(quota_misc, a_removed_cgroup)
{
	struct quota_cg gone;
	uint32_t pasid;

	ASSERT_EQ(0, quota_make(&gone, &self->cg, "gone"));
	ASSERT_EQ(0, quota_enter(&gone));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 2, &pasid));
	ASSERT_EQ(0, quota_enter(&self->out));
	ASSERT_EQ(0, quota_remove(&gone));
	EXPECT_EQ(2, misc_value(&self->cg, "misc.current"));
	ASSERT_EQ(0, pasid_free(self->fd, pasid, 2));
	EXPECT_EQ(0, misc_value(&self->cg, "misc.current"));
}

static int misc_control(const struct quota_cg *cg, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "%.200s/cgroup.subtree_control", cg->path);
	return sva_write_file(path, value);
}

/* Who has PASIDs already is bound by it all the same. */
TEST_F(quota_misc, enabled_later)
{
	struct quota_cg below;
	uint32_t pasid;

	ASSERT_EQ(0, quota_enter(&self->out));
	ASSERT_EQ(0, quota_make(&below, &self->cg, "below"));
	ASSERT_EQ(0, quota_enter(&below));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	EXPECT_EQ(1, misc_value(&self->cg, "misc.current"));
	EXPECT_EQ(-1, misc_value(&below, "misc.current"));

	ASSERT_EQ(0, misc_control(&self->cg, "+misc"));
	ASSERT_EQ(0, misc_limit(&below, "sva_pasid 1"));
	EXPECT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	EXPECT_EQ(1, misc_value(&below, "misc.current"));
	EXPECT_EQ(-EDQUOT, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	EXPECT_EQ(2, misc_value(&self->cg, "misc.current"));
	EXPECT_EQ(2, quota_used(self->fd, below.fd));

	close(self->fd);
	EXPECT_EQ(0, misc_value(&self->cg, "misc.current"));
	self->fd = sva_open();
	ASSERT_EQ(0, quota_enter(&self->out));
	EXPECT_EQ(0, quota_remove(&below));
	ASSERT_EQ(0, misc_control(&self->cg, "-misc"));
}

#define FIRST_ROUNDS	100
#define FIRST_THREADS	3

struct first {
	pthread_barrier_t barrier;
	int fd;
	int failed;
};

static void *first_thread(void *arg)
{
	struct first *first = arg;
	uint32_t pasid;
	int i, ret;

	for (i = 0; i < FIRST_ROUNDS; i++) {
		pthread_barrier_wait(&first->barrier);
		ret = pasid_alloc(first->fd, 0, 0, 1, &pasid);
		if (!ret)
			ret = pasid_free(first->fd, pasid, 1);
		if (ret)
			__atomic_store_n(&first->failed, ret, __ATOMIC_RELAXED);
		pthread_barrier_wait(&first->barrier);
	}
	return NULL;
}

/* Who comes while a cgroup is met for the first time is charged like anybody. */
TEST_F(quota_misc, the_first_ones_at_once)
{
	struct first first = { .fd = self->fd };
	pthread_t threads[FIRST_THREADS];
	int i;

	ASSERT_EQ(0, pthread_barrier_init(&first.barrier, NULL, FIRST_THREADS + 1));
	for (i = 0; i < FIRST_THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, first_thread, &first));
	for (i = 0; i < FIRST_ROUNDS; i++) {
		struct quota_cg fresh;

		EXPECT_EQ(0, quota_make(&fresh, &self->out, "fresh"));
		EXPECT_EQ(0, quota_enter(&fresh));
		pthread_barrier_wait(&first.barrier);
		pthread_barrier_wait(&first.barrier);
		EXPECT_EQ(0, quota_enter(&self->cg));
		EXPECT_EQ(0, quota_remove(&fresh));
	}
	for (i = 0; i < FIRST_THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&first.barrier);
	EXPECT_EQ(0, first.failed);
	EXPECT_EQ(0, misc_value(&self->out, "misc.current"));
}

TEST_HARNESS_MAIN
