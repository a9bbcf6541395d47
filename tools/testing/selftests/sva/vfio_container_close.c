// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO containers that translate through /dev/sva: their end, in every order and
 * at the worst time.
 *
 * Machine: vfio
 */
#include <pthread.h>

#include "sva_uffd.h"
#include "vfio_container.h"
#include "kselftest_harness.h"

FIXTURE(vfio_container_close) {
	struct core_counts before;
	struct vfio_test t;
};

FIXTURE_SETUP(vfio_container_close)
{
	self->before = core_counts();
	self->t.driver = "sva-vfio-pci";
	ASSERT_EQ(0, vfio_test_begin(&self->t));
}

FIXTURE_TEARDOWN(vfio_container_close)
{
	EXPECT_TRUE(vfio_test_end(&self->t));
	EXPECT_TRUE(core_settles(&self->before));
}

static bool user_reaches(struct vfio_user *u, uint64_t *mem)
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
	for (i = 0; i < VFIO_FDS * VFIO_FDS * VFIO_FDS; i++) {
		struct vfio_user u;
		int order[VFIO_FDS];

		a = i / (VFIO_FDS * VFIO_FDS), b = i / VFIO_FDS % VFIO_FDS, c = i % VFIO_FDS;
		if (a == b || a == c || b == c)
			continue;
		order[0] = a, order[1] = b, order[2] = c;
		order[3] = VFIO_SVA + VFIO_CONTAINER + VFIO_GROUP + VFIO_DEVICE -
			   a - b - c;

		ASSERT_EQ(0, vfio_user_open(&t->hw[0], &u, mem));
		vfio_user_close(&u, order[0]);
		/* Whatever was closed: with the device open, it works. */
		if (order[0] != VFIO_DEVICE)
			EXPECT_TRUE(user_reaches(&u, mem));
		vfio_user_close(&u, order[1]);
		if (order[0] != VFIO_DEVICE && order[1] != VFIO_DEVICE)
			EXPECT_TRUE(user_reaches(&u, mem));
		vfio_user_close(&u, order[2]);
		if (order[3] == VFIO_DEVICE)
			EXPECT_TRUE(user_reaches(&u, mem));
		vfio_user_close(&u, order[3]);
		ASSERT_TRUE(core_settles(&before));
	}
	t->group[0] = vfio_group_open(&t->hw[0]);
	EXPECT_LE(0, t->group[0]);
	munmap(mem, VFIO_TEST_SIZE);
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

	if (modules_uses("sva_vfio_container") < 0)
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

struct info_call {
	int container;
	void *arg;
	int ret;
};

static void *call_info(void *arg)
{
	struct info_call *call = arg;

	call->ret = sva_ioctl(call->container, SVA_CONTAINER_INFO, call->arg);
	return NULL;
}

/* So does it while a call is under way, with no group in the container any more. */
TEST_F(vfio_container_close, vfio_container_close_module_in_call)
{
	struct vfio_test *t = &self->t;
	struct slow_memory slow;
	struct info_call call;
	pthread_t thread;
	long users;

	if (modules_uses("sva_vfio_container") < 0)
		SKIP(return, "sva_vfio_container is built in");
	call.container = vfio_container_with(t->group[0], VFIO_SVA_IOMMU);
	ASSERT_LE(0, call.container);
	ASSERT_EQ(0, slow_memory_init(&slow, CORE_PAGE));
	call.arg = slow.base;
	ASSERT_EQ(0, pthread_create(&thread, NULL, call_info, &call));
	ASSERT_EQ(0, slow_memory_wait(&slow));
	ASSERT_EQ(0, vfio_leave(t->group[0]));
	users = modules_uses("sva_vfio_container");
	EXPECT_LT(0, users);
	/* Else it would be unloaded, and the call return to nowhere. */
	if (users > 0) {
		EXPECT_EQ(-EAGAIN, modules_delete("sva_vfio_container"));
	}
	ASSERT_EQ(0, slow_memory_fill(&slow));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	/* There is no size in it. */
	EXPECT_EQ(-EINVAL, call.ret);
	EXPECT_EQ(0, modules_unload_one("sva_vfio_container"));
	slow_memory_exit(&slow);
	close(call.container);
}

TEST_HARNESS_MAIN
