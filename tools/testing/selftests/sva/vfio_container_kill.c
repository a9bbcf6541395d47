// SPDX-License-Identifier: GPL-2.0-only
/*
 * Users of VFIO containers that translate through /dev/sva, killed at any moment,
 * 1,000 times: the group is free again, nothing stays pinned, and the next user has a
 * device that works.
 *
 * Machine: vfio
 * Seconds: 400
 */
#include "vfio_container.h"
#include "kselftest_harness.h"

/* Of users of each group; groups have nothing to do with each other. */
#define GROUPS	(VFIO_TEST_DEVS - 1)
#define KILLS	((1000 + GROUPS - 1) / GROUPS)

FIXTURE(vfio_container_kill) {
	struct core_counts before;
	struct vfio_test t;
};

FIXTURE_SETUP(vfio_container_kill)
{
	self->before = core_counts();
	self->t.driver = "sva-vfio-pci";
	ASSERT_EQ(0, vfio_test_begin(&self->t));
}

FIXTURE_TEARDOWN(vfio_container_kill)
{
	EXPECT_TRUE(vfio_test_end(&self->t));
	EXPECT_TRUE(core_settles(&self->before));
}

/* Never ends by itself; the device does not wait for being told. */
static void __attribute__((noreturn)) victim(const struct vfio_hw *hw, int pipe)
{
	uint64_t *mem = sva_mem(VFIO_TEST_SIZE);
	struct vfio_user u;

	if (vfio_user_open(hw, &u, mem))
		_exit(1);
	edu_write(&u.dev, EDU_DMA_SRC, EDU_BUFFER);
	edu_write(&u.dev, EDU_DMA_DST, VFIO_TEST_DST);
	edu_write(&u.dev, EDU_DMA_LEN, CORE_PAGE);
	if (write(pipe, "", 1) != 1)
		_exit(1);
	for (;;) {
		edu_write(&u.dev, EDU_DMA_CMD, EDU_DMA_RUN | EDU_DMA_TO_RAM);
		if (container_block(u.fd[VFIO_CONTAINER]) ||
		    container_set(u.fd[VFIO_CONTAINER], u.fd[VFIO_SVA], u.rid) ||
		    sva_pasid_bind(u.fd[VFIO_SVA], u.rid, SVA_AS_NONE) ||
		    sva_pasid_bind(u.fd[VFIO_SVA], u.rid, u.as))
			_exit(1);
	}
}

static int kill_user(const struct vfio_hw *hw, bool ready, uint32_t us)
{
	int pipes[2], ret = 0;
	pid_t pid;
	char c;

	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid)
		victim(hw, pipes[1]);
	close(pipes[1]);
	/* Nothing comes from one that has ended by itself. */
	if (pid < 0 || (ready && read(pipes[0], &c, 1) != 1))
		ret = -EIO;
	close(pipes[0]);
	usleep(us);
	if (pid > 0 && (kill(pid, SIGKILL) || bond_join_child(pid) != -1))
		ret = -ECHILD;
	return ret;
}

/* The users of a group, one after the other. Returns how many. */
static int kill_users(const struct vfio_hw *hw, uint32_t random, int rounds)
{
	int i;

	/* Every fourth is killed while it sets things up. */
	for (i = 0; i < rounds; i++)
		if (kill_user(hw, i % 4, bond_random(&random) % 10000))
			break;
	return i;
}

static void check_group(struct __test_metadata *_metadata, struct vfio_test *t, int i)
{
	int container;

	t->group[i] = vfio_group_open(&t->hw[i]);
	ASSERT_LE(0, t->group[i]);
	container = vfio_container_with(t->group[i], VFIO_SVA_IOMMU);
	ASSERT_LE(0, container);
	ASSERT_EQ(0, container_set(container, t->fd, t->rid));
	ASSERT_EQ(0, edu_open(t->group[i], &t->hw[i], &t->dev[i]));
	EXPECT_TRUE(vfio_reaches(t, i, t->mem));
	close(container);
}

/* 1,000 in all: the users of three groups, which are killed side by side. */
TEST_F_TIMEOUT(vfio_container_kill, vfio_container_kill, 220)
{
	const char *env = getenv("SVA_ROUNDS");
	int i, rounds = env ? atoi(env) : KILLS / SVA_SLOWER;
	struct core_counts before = core_counts();
	struct vfio_test *t = &self->t;
	long begin = bond_now_ms();
	pid_t pids[GROUPS];

	/* Nothing of the test's may keep what a victim had. */
	for (i = 0; i < GROUPS; i++)
		close(t->group[i]);
	for (i = 0; i < GROUPS; i++) {
		pids[i] = fork();
		ASSERT_LE(0, pids[i]);
		if (!pids[i])
			_exit(kill_users(&t->hw[i], 5 + i, rounds) != rounds);
	}
	for (i = 0; i < GROUPS; i++)
		EXPECT_EQ(0, bond_join_child(pids[i]));
	TH_LOG("%d users killed in %ld ms", GROUPS * rounds,
	       bond_now_ms() - begin);
	EXPECT_TRUE(core_settles(&before));
	for (i = 0; i < GROUPS; i++)
		check_group(_metadata, t, i);
}

TEST_HARNESS_MAIN
