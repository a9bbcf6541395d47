// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may set which limit: whoever may write the directory above, and nobody in
 * his own favour. What the call refuses.
 */
#include <sched.h>
#include <sys/mount.h>

#include "quota_util.h"
#include "kselftest_harness.h"

#define USER	65534

FIXTURE(quota_rights) {
	struct quota_cg own;		/* delegated to USER */
	struct quota_cg below;		/* made by him */
	struct sva_quota quota;
	int root;
	int fd;
};

FIXTURE_SETUP(quota_rights)
{
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	self->root = open(QUOTA_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, self->root);
	ASSERT_EQ(0, quota_make(&self->own, NULL, "rights"));
	ASSERT_EQ(0, fchown(self->own.fd, USER, USER));
	ASSERT_EQ(0, quota_make(&self->below, &self->own, "below"));
	ASSERT_EQ(0, fchown(self->below.fd, USER, USER));
}

FIXTURE_TEARDOWN(quota_rights)
{
	EXPECT_EQ(0, quota_remove(&self->below));
	EXPECT_EQ(0, quota_remove(&self->own));
	close(self->root);
	close(self->fd);
}

struct attempt {
	int fd;
	int dir;
	int want;
};

static int try_as_user(void *arg)
{
	struct attempt *a = arg;

	if (pasidfd_drop_rights())
		return 1;
	return quota_set(a->fd, a->dir, 5) == a->want ? 0 : 2;
}

TEST_F(quota_rights, delegated_downward)
{
	struct attempt a = { self->fd, self->below.fd, 0 };

	EXPECT_EQ(0, quota_as_child(try_as_user, &a));
	ASSERT_EQ(0, quota_get(self->fd, self->below.fd, &self->quota));
	EXPECT_EQ(5, self->quota.max);
}

TEST_F(quota_rights, refused_upward)
{
	struct attempt a = { self->fd, self->own.fd, -EACCES };

	ASSERT_EQ(0, quota_set(self->fd, self->own.fd, 3));
	EXPECT_EQ(0, quota_as_child(try_as_user, &a));
	ASSERT_EQ(0, quota_get(self->fd, self->own.fd, &self->quota));
	EXPECT_EQ(3, self->quota.max);
	/* What he gives to those below is worth no more than he has. */
	a = (struct attempt){ self->fd, self->below.fd, 0 };
	EXPECT_EQ(0, quota_as_child(try_as_user, &a));
	ASSERT_EQ(0, quota_get(self->fd, self->below.fd, &self->quota));
	EXPECT_EQ(5, self->quota.max);
	EXPECT_EQ(3, self->quota.left);
}

/* A descriptor that root has opened gives no rights to who has it. */
TEST_F(quota_rights, the_descriptor_proves_nothing)
{
	struct attempt a = { self->fd, self->own.fd, -EACCES };

	ASSERT_EQ(0, fchmod(self->own.fd, 0700));
	EXPECT_EQ(0, quota_as_child(try_as_user, &a));
}

TEST_F(quota_rights, everybody_may_read)
{
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		struct sva_quota quota;
		int dir;

		if (pasidfd_drop_rights())
			_exit(1);
		dir = open(self->own.path, O_RDONLY | O_DIRECTORY);
		_exit(dir < 0 || quota_get(self->fd, dir, &quota) ? 2 : 0);
	}
	EXPECT_EQ(0, bond_join_child(pid));
}

/* /sys/fs/cgroup is mounted with nsdelegate by the machine. */
static int try_in_namespace(void *arg)
{
	struct quota_cg *own = ((void **)arg)[0], *below = ((void **)arg)[1];
	int fd = *(int *)((void **)arg)[2];

	if (quota_enter(own) || unshare(CLONE_NEWCGROUP))
		return 1;
	/* The namespace begins here: this is who made it who decides. */
	if (quota_set(fd, own->fd, 9) != -EPERM)
		return 2;
	if (quota_set(fd, below->fd, 9))
		return 3;
	return 0;
}

TEST_F(quota_rights, a_namespace_is_a_delegation)
{
	void *arg[] = { &self->own, &self->below, &self->fd };
	struct quota_cg other;

	EXPECT_EQ(0, quota_as_child(try_in_namespace, arg));
	ASSERT_EQ(0, quota_get(self->fd, self->own.fd, &self->quota));
	EXPECT_EQ(SVA_QUOTA_NO_LIMIT, self->quota.max);
	ASSERT_EQ(0, quota_get(self->fd, self->below.fd, &self->quota));
	EXPECT_EQ(9, self->quota.max);

	/* Not below it at all. */
	ASSERT_EQ(0, quota_make(&other, NULL, "other"));
	arg[1] = &other;
	EXPECT_EQ(3, quota_as_child(try_in_namespace, arg));
	EXPECT_EQ(0, quota_remove(&other));
}

static int try_read_only(void *arg)
{
	struct quota_cg *below = ((void **)arg)[0];
	int fd = *(int *)((void **)arg)[1];
	int dir;

	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(QUOTA_ROOT, QUOTA_ROOT, NULL, MS_BIND, NULL) ||
	    mount(NULL, QUOTA_ROOT, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL))
		return 1;
	dir = open(below->path, O_RDONLY | O_DIRECTORY);
	if (dir < 0)
		return 2;
	return quota_set(fd, dir, 9) == -EROFS ? 0 : 3;
}

TEST_F(quota_rights, mounted_read_only)
{
	void *arg[] = { &self->below, &self->fd };

	EXPECT_EQ(0, quota_as_child(try_read_only, arg));
}

TEST_F(quota_rights, the_root_has_no_limit)
{
	EXPECT_EQ(-EINVAL, quota_set(self->fd, self->root, 9));
	ASSERT_EQ(0, quota_get(self->fd, self->root, &self->quota));
	EXPECT_EQ(SVA_QUOTA_NO_LIMIT, self->quota.max);
}

TEST_F(quota_rights, not_his_own)
{
	EXPECT_EQ(-EINVAL, quota_set(self->fd, SVA_QUOTA_OWN_CGROUP, 9));
	ASSERT_EQ(0, quota_get(self->fd, SVA_QUOTA_OWN_CGROUP, &self->quota));
}

TEST_F(quota_rights, what_is_no_cgroup)
{
	static const char * const paths[] = {
		"/", "/dev/null", "/sys/fs", "/sys/fs/cgroup/cgroup.procs",
	};
	unsigned int i;
	int dir;

	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		dir = open(paths[i], O_RDONLY | O_CLOEXEC);
		ASSERT_LE(0, dir);
		EXPECT_EQ(-EBADF, quota_get(self->fd, dir, &self->quota));
		EXPECT_EQ(-EBADF, quota_set(self->fd, dir, 1));
		close(dir);
	}
	EXPECT_EQ(-EBADF, quota_get(self->fd, 1000, &self->quota));
	EXPECT_EQ(-EBADF, quota_set(self->fd, 1000, 1));
	EXPECT_EQ(-EBADF, quota_get(self->fd, self->fd, &self->quota));
	/* The path is not the directory. */
	dir = open(self->own.path, O_PATH | O_CLOEXEC);
	ASSERT_LE(0, dir);
	EXPECT_EQ(-EBADF, quota_get(self->fd, dir, &self->quota));
	close(dir);
}

TEST_F(quota_rights, bad_input)
{
	struct sva_quota quota = { .id = self->own.fd, .flags = 4 };

	EXPECT_EQ(-EOPNOTSUPP, quota_call(self->fd, &quota));
	quota = (struct sva_quota){ .id = self->own.fd, .__reserved = 1 };
	EXPECT_EQ(-EINVAL, quota_call(self->fd, &quota));
	quota = (struct sva_quota){
		.flags = SVA_QUOTA_F_USER, .id = (uint32_t)-1,
	};
	EXPECT_EQ(-EINVAL, quota_call(self->fd, &quota));
	quota.size = sizeof(quota) - 1;
	EXPECT_EQ(-EINVAL, sva_ioctl(self->fd, SVA_QUOTA, &quota));
	EXPECT_EQ(-EFAULT, sva_ioctl(self->fd, SVA_QUOTA, NULL));
}

TEST_HARNESS_MAIN
