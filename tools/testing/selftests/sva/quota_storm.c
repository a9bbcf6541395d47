// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a quota is for: a crowd that takes all it can get beside somebody who
 * always gets his own; and the sums, whatever is killed when.
 */
#include <signal.h>

#include "quota_util.h"
#include "kselftest_harness.h"

#define BOMBERS	(2000 / SVA_SLOWER)
#define SHARE	500

FIXTURE(quota_storm) {
	struct core_counts before;
	struct quota_cg bomb;
	struct quota_cg well;
	int root;
	int fd;
};

FIXTURE_SETUP(quota_storm)
{
	self->before = core_counts();
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	self->root = open(QUOTA_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, self->root);
	ASSERT_EQ(0, quota_make(&self->bomb, NULL, "bomb"));
	ASSERT_EQ(0, quota_make(&self->well, NULL, "well"));
}

FIXTURE_TEARDOWN(quota_storm)
{
	EXPECT_TRUE(quota_settles(self->fd, self->bomb.fd, 0));
	EXPECT_TRUE(quota_settles(self->fd, self->well.fd, 0));
	EXPECT_EQ(0, quota_remove(&self->bomb));
	EXPECT_EQ(0, quota_remove(&self->well));
	close(self->root);
	close(self->fd);
	EXPECT_TRUE(core_settles(&self->before));
}

/* Asks until it is killed; what it gets it keeps. */
static void be_greedy(void)
{
	int fd = sva_open();
	uint32_t pasid;

	for (;;) {
		if (fd < 0 || pasid_alloc(fd, 0, 0, 1, &pasid) != 0)
			core_sleep_ms(500 + getpid() % 1000);
	}
}

/* Returns whether there are children left. */
static bool reap(void)
{
	pid_t pid;

	do {
		pid = waitpid(-1, NULL, WNOHANG);
	} while (pid > 0);
	return !pid;
}

/* Ends as soon as nobody is in the cgroup any more. */
static bool kill_all(const struct quota_cg *cg)
{
	char text[64];
	ssize_t n;
	int i, fd;

	fd = openat(cg->fd, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	/* Who was forked just now may not be in there yet. */
	do {
		if (write(fd, "1", 1) != 1)
			return false;
		core_sleep_ms(10);
	} while (reap());
	close(fd);
	fd = openat(cg->fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	for (i = 0; i < 6000 * SVA_SLOWER; i++) {
		n = pread(fd, text, sizeof(text) - 1, 0);
		text[n > 0 ? n : 0] = '\0';
		if (strstr(text, "populated 0"))
			break;
		core_sleep_ms(10);
	}
	close(fd);
	return strstr(text, "populated 0");
}

/* What the whole tree has is what /dev/sva has given out. */
static bool adds_up(int fd, int root)
{
	long used, given = 0;
	int i;

	for (i = 0; i < 500 * SVA_SLOWER; i++) {
		used = quota_used(fd, root);
		given = core_count("pasids") + core_count("processes");
		if (used == given)
			return true;
		core_sleep_ms(10);
	}
	fprintf(stderr, "# %ld charged, %ld given out\n", used, given);
	return false;
}

static int start_bomb(void *arg)
{
	int i;

	if (quota_enter(arg))
		return 1;
	for (i = 0; i < BOMBERS; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 2;
		if (!pid)
			be_greedy();
	}
	return 0;
}

TEST_F_TIMEOUT(quota_storm, a_fork_bomb, 240)
{
	struct sva_quota quota;
	uint32_t pasid;
	int i;

	ASSERT_EQ(0, quota_set(self->fd, self->bomb.fd, SHARE));
	ASSERT_EQ(0, quota_as_child(start_bomb, &self->bomb));
	ASSERT_TRUE(quota_settles(self->fd, self->bomb.fd, SHARE));

	ASSERT_EQ(0, quota_enter(&self->well));
	for (i = 0; i < 200; i++) {
		EXPECT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
		if (i % 2)
			EXPECT_EQ(0, pasid_free(self->fd, pasid, 1));
	}
	EXPECT_EQ(100, quota_used(self->fd, self->well.fd));
	ASSERT_EQ(0, quota_enter(NULL));
	close(self->fd);
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);

	ASSERT_EQ(0, quota_get(self->fd, self->bomb.fd, &quota));
	TH_LOG("%d processes have %u PASIDs and were refused %llu times",
	       BOMBERS, quota.used, (unsigned long long)quota.events);
	EXPECT_EQ(SHARE, quota.used);
	EXPECT_EQ(SHARE, quota.peak);
	EXPECT_LT(0, quota.events);
	EXPECT_TRUE(adds_up(self->fd, self->root));
	EXPECT_TRUE(kill_all(&self->bomb));
	EXPECT_TRUE(adds_up(self->fd, self->root));
}

/* Does everything that is charged, in any order, until it is killed. */
static void be_busy(unsigned int seed)
{
	uint32_t state = seed, pasid, mm;
	int fd, sim;

	for (;;) {
		fd = sva_open();
		if (pasid_alloc(fd, 0, 0, 1 + bond_random(&state) % 30, &pasid) == 0 &&
		    bond_random(&state) % 2)
			pasid_free(fd, pasid, 1);
		if (pasid_alloc_handle(fd, SVA_PASID_F_MM, &mm) == 0) {
			sim = bond_attached(seed % 2 ? "sva_sim0" : "sva_sim1",
					    fd, mm);
			if (sim >= 0 && bond_random(&state) % 2)
				close(sim);
			else if (sim >= 0)
				core_sleep_ms(bond_random(&state) % 20);
			if (sim >= 0)
				close(sim);
		}
		close(fd);
	}
}

/*
 * As many as there are at work are killed at some moment and replaced, a few
 * times over.
 */
TEST_F_TIMEOUT(quota_storm, killed_at_any_moment, 240)
{
	uint32_t state = 1;
	pid_t pids[8];
	unsigned int i;

	ASSERT_EQ(0, quota_set(self->fd, self->bomb.fd, 100));
	for (i = 0; i < 200; i++) {
		pid_t *pid = &pids[i % ARRAY_SIZE(pids)];

		if (i >= ARRAY_SIZE(pids)) {
			ASSERT_EQ(0, kill(*pid, SIGKILL));
			ASSERT_EQ(*pid, waitpid(*pid, NULL, 0));
		}
		*pid = fork();
		ASSERT_LE(0, *pid);
		if (!*pid) {
			if (quota_enter(&self->bomb))
				_exit(1);
			be_busy(i + 1);
		}
		core_sleep_ms(bond_random(&state) % 40);
	}
	EXPECT_TRUE(kill_all(&self->bomb));
	EXPECT_TRUE(quota_settles(self->fd, self->bomb.fd, 0));
	EXPECT_TRUE(adds_up(self->fd, self->root));
}

TEST_HARNESS_MAIN
