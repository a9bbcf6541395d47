// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO containers that translate through /dev/sva: their end, in every order and
 * at the worst time.
 *
 * Machine: vfio
 */
#include <pthread.h>

#include "vfio_container.h"
#include "kselftest_harness.h"

#define KILLS	100

FIXTURE(vfio_container_close) {
	struct core_counts before;
	struct vfio_test t;
};

FIXTURE_SETUP(vfio_container_close)
{
	self->before = core_counts();
	ASSERT_EQ(0, vfio_test_begin(&self->t));
}

FIXTURE_TEARDOWN(vfio_container_close)
{
	EXPECT_EQ(0, vfio_test_end(&self->t));
	EXPECT_TRUE(core_settles(&self->before));
}

/* What a program that uses it has open. */
enum { SVA, CONTAINER, GROUP, DEVICE, FDS };

struct user {
	int fd[FDS];
	struct edu_dev dev;
	uint32_t as;
	uint32_t rid;
};

static int user_open(struct vfio_test *t, struct user *u, uint64_t *mem)
{
	int ret;

	u->fd[SVA] = sva_open();
	ret = sva_as_alloc(u->fd[SVA], &u->as) ?:
	      iova_map_at(u->fd[SVA], u->as, CORE_RW, mem, VFIO_TEST_SIZE,
			  VFIO_TEST_IOVA) ?:
	      pasid_alloc_handle(u->fd[SVA], SVA_PASID_F_RID, &u->rid) ?:
	      sva_pasid_bind(u->fd[SVA], u->rid, u->as);
	if (ret)
		return ret;
	u->fd[GROUP] = vfio_group_open(&t->hw[0]);
	if (u->fd[GROUP] < 0)
		return u->fd[GROUP];
	u->fd[CONTAINER] = vfio_container_with(u->fd[GROUP], VFIO_SVA_IOMMU);
	if (u->fd[CONTAINER] < 0)
		return u->fd[CONTAINER];
	ret = container_set(u->fd[CONTAINER], u->fd[SVA], u->rid) ?:
	      edu_open(u->fd[GROUP], &t->hw[0], &u->dev);
	u->fd[DEVICE] = u->dev.fd;
	return ret;
}

/* The mapping of its registers keeps the device open. */
static void user_close(struct user *u, int which)
{
	if (which == DEVICE)
		edu_close(&u->dev);
	else
		close(u->fd[which]);
}

static bool user_reaches(struct user *u, uint64_t *mem)
{
	struct vfio_test t = { .dev[0] = u->dev };

	return vfio_reaches(&t, 0, mem);
}

TEST_F_TIMEOUT(vfio_container_close, vfio_container_close_orders, 100)
{
	struct vfio_test *t = &self->t;
	struct core_counts before = core_counts();
	uint64_t *mem = sva_mem(VFIO_TEST_SIZE);
	int a, b, c, i;

	close(t->group[0]);
	for (i = 0; i < FDS * FDS * FDS; i++) {
		struct user u;
		int order[FDS];

		a = i / (FDS * FDS), b = i / FDS % FDS, c = i % FDS;
		if (a == b || a == c || b == c)
			continue;
		order[0] = a, order[1] = b, order[2] = c;
		order[3] = SVA + CONTAINER + GROUP + DEVICE - a - b - c;

		ASSERT_EQ(0, user_open(t, &u, mem));
		user_close(&u, order[0]);
		/* Whatever was closed: with the device open, it works. */
		if (order[0] != DEVICE)
			EXPECT_TRUE(user_reaches(&u, mem));
		user_close(&u, order[1]);
		if (order[0] != DEVICE && order[1] != DEVICE)
			EXPECT_TRUE(user_reaches(&u, mem));
		user_close(&u, order[2]);
		if (order[3] == DEVICE)
			EXPECT_TRUE(user_reaches(&u, mem));
		user_close(&u, order[3]);
		ASSERT_TRUE(core_settles(&before));
	}
	t->group[0] = vfio_group_open(&t->hw[0]);
	EXPECT_LE(0, t->group[0]);
	munmap(mem, VFIO_TEST_SIZE);
}

/* Never ends by itself; the device does not wait for being told. */
static void __attribute__((noreturn)) victim(struct vfio_test *t, int pipe)
{
	uint64_t *mem = sva_mem(VFIO_TEST_SIZE);
	struct user u;

	if (user_open(t, &u, mem))
		_exit(1);
	edu_write(&u.dev, EDU_DMA_SRC, EDU_BUFFER);
	edu_write(&u.dev, EDU_DMA_DST, VFIO_TEST_DST);
	edu_write(&u.dev, EDU_DMA_LEN, CORE_PAGE);
	if (write(pipe, "", 1) != 1)
		_exit(1);
	for (;;) {
		edu_write(&u.dev, EDU_DMA_CMD, EDU_DMA_RUN | EDU_DMA_TO_RAM);
		if (container_block(u.fd[CONTAINER]) ||
		    container_set(u.fd[CONTAINER], u.fd[SVA], u.rid) ||
		    sva_pasid_bind(u.fd[SVA], u.rid, SVA_AS_NONE) ||
		    sva_pasid_bind(u.fd[SVA], u.rid, u.as))
			_exit(1);
	}
}

TEST_F_TIMEOUT(vfio_container_close, vfio_container_close_kill, 100)
{
	struct vfio_test *t = &self->t;
	struct core_counts before = core_counts();
	uint32_t random = 5;
	int i, pipes[2];
	char c;

	/* Nothing of the test's may keep what the victim had. */
	close(t->group[0]);
	ASSERT_EQ(0, pipe(pipes));
	for (i = 0; i < KILLS / SVA_SLOWER; i++) {
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid)
			victim(t, pipes[1]);
		/* Every fourth is killed while it sets things up. */
		if (i % 4)
			ASSERT_EQ(1, read(pipes[0], &c, 1));
		usleep(bond_random(&random) % 20000);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(-1, bond_join_child(pid));
	}
	EXPECT_TRUE(core_settles(&before));
	close(pipes[0]);
	close(pipes[1]);

	/* All is as it was. */
	t->group[0] = vfio_group_open(&t->hw[0]);
	ASSERT_LE(0, t->group[0]);
	i = vfio_container_with(t->group[0], VFIO_SVA_IOMMU);
	ASSERT_LE(0, i);
	ASSERT_EQ(0, container_set(i, t->fd, t->rid));
	ASSERT_EQ(0, edu_open(t->group[0], &t->hw[0], &t->dev[0]));
	EXPECT_TRUE(vfio_reaches(t, 0, t->mem));
	close(i);
}

struct setter {
	int container;
	int fd;
	uint32_t rid;
	bool stop;
};

static void *keep_setting(void *arg)
{
	struct setter *s = arg;
	int ret = 0;

	while (!ret && !__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		ret = container_set(s->container, s->fd, s->rid);
		/* Without a group there is nothing that could be set. */
		if (ret == -EINVAL)
			ret = 0;
		if (!ret)
			ret = container_state(s->container);
		if (ret == -EINVAL || ret == SVA_CONTAINER_S_SET)
			ret = 0;
	}
	return (void *)(intptr_t)ret;
}

/* The last group leaves, and VFIO forgets the type, with ioctls under way. */
TEST_F_TIMEOUT(vfio_container_close, vfio_container_close_group_storm, 100)
{
	struct vfio_test *t = &self->t;
	struct setter s = { .fd = t->fd, .rid = t->rid };
	long end = bond_now_ms() + 5000;
	pthread_t threads[2];
	int i, rounds = 0;
	void *ret;

	s.container = vfio_open_container();
	ASSERT_LE(0, s.container);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, keep_setting, &s));
	while (bond_now_ms() < end) {
		ASSERT_EQ(0, vfio_join(t->group[0], s.container));
		ASSERT_EQ(0, vfio_set_iommu(s.container, VFIO_SVA_IOMMU));
		if (rounds % 2) {
			ASSERT_EQ(0, vfio_join(t->group[1], s.container));
			ASSERT_EQ(0, vfio_leave(t->group[1]));
		}
		ASSERT_EQ(0, vfio_leave(t->group[0]));
		rounds++;
	}
	__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], &ret));
		EXPECT_EQ(NULL, ret);
	}
	EXPECT_LT(10, rounds);
	close(s.container);
}

/* The module stays as long as it is needed. */
TEST_F(vfio_container_close, vfio_container_close_module)
{
	struct vfio_test *t = &self->t;
	int container;

	if (access("/sys/module/sva_vfio_container/refcnt", F_OK))
		SKIP(return, "sva_vfio_container is built in");
	container = vfio_container_with(t->group[0], VFIO_SVA_IOMMU);
	ASSERT_LE(0, container);
	EXPECT_EQ(-EAGAIN, modules_delete("sva_vfio_container"));
	ASSERT_EQ(0, vfio_leave(t->group[0]));
	EXPECT_EQ(0, modules_unload_one("sva_vfio_container"));
	EXPECT_EQ(0, vfio_ioctl(container, VFIO_CHECK_EXTENSION, VFIO_SVA_IOMMU));
	ASSERT_EQ(0, vfio_join(t->group[0], container));
	EXPECT_EQ(-ENODEV, vfio_set_iommu(container, VFIO_SVA_IOMMU));
	EXPECT_EQ(0, system("modprobe sva_vfio_container"));
	EXPECT_EQ(0, vfio_set_iommu(container, VFIO_SVA_IOMMU));
	close(container);
}

TEST_HARNESS_MAIN
