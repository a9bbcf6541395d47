// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits of users, behind those of cgroups.
 */
#include <sched.h>

#include "quota_util.h"
#include "kselftest_harness.h"

#define PARAMETER	"/sys/module/sva/parameters/user_limit"

FIXTURE(quota_user) {
	char parameter[16];
	struct sva_quota quota;
	int fd;
};

FIXTURE_SETUP(quota_user)
{
	FILE *f = fopen(PARAMETER, "re");

	ASSERT_NE(NULL, f);
	ASSERT_NE(NULL, fgets(self->parameter, sizeof(self->parameter), f));
	fclose(f);
	ASSERT_EQ(0, sva_write_file(PARAMETER, "3"));
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(quota_user)
{
	close(self->fd);
	EXPECT_EQ(0, sva_write_file(PARAMETER, self->parameter));
}

struct taker {
	int fd;
	uid_t uid;
};

/* How many a user gets, up to 20. */
static int take(void *arg)
{
	struct taker *t = arg;
	uint32_t pasid;
	int got = 0, ret = 0;

	if (setgroups(0, NULL) || setgid(t->uid) || setuid(t->uid))
		return 127;
	while (got < 20) {
		ret = pasid_alloc(t->fd, 0, 0, 1, &pasid);
		if (ret)
			break;
		got++;
	}
	return !ret || ret == -EDQUOT ? got : 126;
}

TEST_F(quota_user, each_has_his_own)
{
	struct taker a = { self->fd, 4001 }, b = { self->fd, 4002 };

	EXPECT_EQ(3, quota_as_child(take, &a));
	EXPECT_EQ(0, quota_as_child(take, &a));
	EXPECT_EQ(3, quota_as_child(take, &b));
	ASSERT_EQ(0, quota_get_user(self->fd, 4001, &self->quota));
	EXPECT_EQ(3, self->quota.max);
	EXPECT_EQ(3, self->quota.used);
	EXPECT_EQ(3, self->quota.peak);
	EXPECT_EQ(0, self->quota.left);
	EXPECT_EQ(2, self->quota.events);
}

TEST_F(quota_user, one_with_a_limit_of_his_own)
{
	struct taker a = { self->fd, 4003 }, b = { self->fd, 4004 };

	ASSERT_EQ(0, quota_set_user(self->fd, 4003, 5));
	EXPECT_EQ(5, quota_as_child(take, &a));
	EXPECT_EQ(3, quota_as_child(take, &b));
	ASSERT_EQ(0, quota_set_user(self->fd, 4003, SVA_QUOTA_NO_LIMIT));
	EXPECT_EQ(20, quota_as_child(take, &a));
	ASSERT_EQ(0, quota_set_user(self->fd, 4003, 0));
	EXPECT_EQ(0, quota_as_child(take, &a));
	ASSERT_EQ(0, quota_get_user(self->fd, 4003, &self->quota));
	EXPECT_EQ(25, self->quota.used);
	EXPECT_EQ(0, self->quota.left);
}

/* Who may lift limits is counted, and not stopped. */
TEST_F(quota_user, root_is_not_stopped)
{
	uint32_t before, pasid;

	ASSERT_EQ(0, quota_get_user(self->fd, 0, &self->quota));
	before = self->quota.used;
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 10, &pasid));
	ASSERT_EQ(0, quota_get_user(self->fd, 0, &self->quota));
	EXPECT_EQ(before + 10, self->quota.used);
	EXPECT_EQ(0, self->quota.left);
}

struct giver {
	int fd;
	uid_t uid;
	int sock[2];
};

/* A user's process PASID, as a PASID fd; he lives until he is answered. */
static int give(void *arg)
{
	struct giver *g = arg;
	uint32_t handle;
	int pf;
	char c;

	close(g->sock[0]);
	if (setgroups(0, NULL) || setgid(g->uid) || setuid(g->uid))
		return 1;
	if (pasid_alloc_handle(g->fd, SVA_PASID_F_MM, &handle))
		return 2;
	pf = pasidfd_make(g->fd, handle, NULL);
	if (pf < 0 || bond_send(g->sock[1], &pf, 1, handle))
		return 3;
	return read(g->sock[1], &c, 1) == 1 ? 0 : 4;
}

/* Who may lift limits does not lift that of somebody whose PASID he attaches. */
TEST_F(quota_user, attached_by_root)
{
	struct giver g = { .fd = self->fd, .uid = 4020 };
	uint32_t handle;
	int pf, queue;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, g.sock));
	ASSERT_EQ(0, quota_set_user(self->fd, g.uid, 0));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(give(&g));
	ASSERT_EQ(0, bond_receive(g.sock[0], &pf, 1, &handle));
	EXPECT_EQ(-EDQUOT, pasidfd_attached(0, pf));
	ASSERT_EQ(0, quota_get_user(self->fd, g.uid, &self->quota));
	EXPECT_EQ(0, self->quota.used);
	EXPECT_EQ(1, self->quota.events);
	ASSERT_EQ(0, quota_set_user(self->fd, g.uid, 1));
	queue = pasidfd_attached(0, pf);
	EXPECT_LE(0, queue);
	close(queue);
	close(pf);
	EXPECT_EQ(1, write(g.sock[0], "", 1));
	EXPECT_EQ(0, bond_join_child(pid));
	close(g.sock[0]);
	close(g.sock[1]);
}

/* Whatever the structure had before */
TEST_F(quota_user, nothing_is_nothing)
{
	const struct sva_quota full = {
		.size = sizeof(full), .used = 7, .peak = 8, .left = 9, .events = 10,
	};
	struct quota_cg cg;

	self->quota = full;
	self->quota.flags = SVA_QUOTA_F_USER;
	self->quota.id = 4021;
	ASSERT_EQ(0, quota_call(self->fd, &self->quota));
	EXPECT_EQ(3, self->quota.max);
	EXPECT_EQ(3, self->quota.left);
	EXPECT_EQ(0, self->quota.used);
	EXPECT_EQ(0, self->quota.peak);
	EXPECT_EQ(0, self->quota.events);

	ASSERT_EQ(0, quota_make(&cg, NULL, "nothing"));
	self->quota = full;
	self->quota.id = cg.fd;
	ASSERT_EQ(0, quota_call(self->fd, &self->quota));
	EXPECT_EQ(SVA_QUOTA_NO_LIMIT, self->quota.max);
	EXPECT_EQ(SVA_QUOTA_NO_LIMIT, self->quota.left);
	EXPECT_EQ(0, self->quota.used);
	EXPECT_EQ(0, self->quota.peak);
	EXPECT_EQ(0, self->quota.events);
	EXPECT_EQ(0, quota_remove(&cg));
}

/* What the user's limit refuses is charged to no cgroup either. */
TEST_F(quota_user, all_or_nothing)
{
	struct taker a = { self->fd, 4005 };
	struct quota_cg cg;

	ASSERT_EQ(0, quota_make(&cg, NULL, "user"));
	ASSERT_EQ(0, quota_enter(&cg));
	EXPECT_EQ(3, quota_as_child(take, &a));
	EXPECT_EQ(3, quota_used(self->fd, cg.fd));
	/* And the other way round. */
	ASSERT_EQ(0, quota_set(self->fd, cg.fd, 4));
	a.uid = 4006;
	EXPECT_EQ(1, quota_as_child(take, &a));
	ASSERT_EQ(0, quota_get_user(self->fd, 4006, &self->quota));
	EXPECT_EQ(1, self->quota.used);
	EXPECT_EQ(0, self->quota.events);
	ASSERT_EQ(0, quota_enter(NULL));
	close(self->fd);
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(0, quota_remove(&cg));
}

static int look_as_user(void *arg)
{
	int fd = *(int *)arg;
	struct sva_quota quota;

	if (setgid(4007) || setuid(4007))
		return 1;
	if (quota_get_user(fd, 4007, &quota) || quota.left != 3)
		return 2;
	if (quota_get_user(fd, 0, &quota) != -EPERM ||
	    quota_get_user(fd, 4001, &quota) != -EPERM)
		return 3;
	if (quota_set_user(fd, 4007, 100) != -EPERM)
		return 4;
	return 0;
}

TEST_F(quota_user, a_user_sees_himself_and_sets_nobody)
{
	EXPECT_EQ(0, quota_as_child(look_as_user, &self->fd));
}

/* In a namespace that he made, a user is root, and still himself. */
static int take_in_namespace(void *arg)
{
	struct taker *t = arg;
	struct sva_quota quota;
	uint32_t pasid;
	int got = 0;

	if (setgroups(0, NULL) || setgid(t->uid) || setuid(t->uid) ||
	    prctl(PR_SET_DUMPABLE, 1) || unshare(CLONE_NEWUSER) ||
	    sva_write_file("/proc/self/setgroups", "deny") ||
	    sva_write_file("/proc/self/uid_map", "0 4008 1"))
		return 127;
	while (got < 20 && !pasid_alloc(t->fd, 0, 0, 1, &pasid))
		got++;
	if (quota_get_user(t->fd, 0, &quota) || quota.used != 3)
		return 126;
	return quota_set_user(t->fd, 0, 20) == -EPERM ? got : 125;
}

TEST_F(quota_user, a_namespace_makes_no_new_users)
{
	struct taker a = { self->fd, 4008 };

	EXPECT_EQ(3, quota_as_child(take_in_namespace, &a));
	EXPECT_EQ(0, quota_as_child(take, &a));
}

TEST_F(quota_user, the_parameter_says_the_default)
{
	struct taker a = { self->fd, 4009 };
	struct sva_get_info info;

	ASSERT_EQ(0, sva_write_file(PARAMETER, "0"));
	EXPECT_EQ(0, quota_as_child(take, &a));
	ASSERT_EQ(0, sva_write_file(PARAMETER, "-1"));
	ASSERT_EQ(0, core_info(self->fd, &info));
	ASSERT_EQ(0, quota_get_user(self->fd, 4009, &self->quota));
	EXPECT_EQ(info.pool_size < 8 * 8192 ? info.pool_size / 8 : 8192,
		  self->quota.max);
	EXPECT_EQ(20, quota_as_child(take, &a));
}

TEST_HARNESS_MAIN
