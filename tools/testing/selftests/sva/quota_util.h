/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of quotas: cgroups of their own below the root, and the call.
 */
#ifndef QUOTA_UTIL_H
#define QUOTA_UTIL_H

#include <sys/wait.h>

#include "pasidfd_util.h"

#define QUOTA_ROOT	"/sys/fs/cgroup"

/* --- the call -------------------------------------------------------------- */

static inline int quota_call(int fd, struct sva_quota *quota)
{
	quota->size = sizeof(*quota);
	return sva_ioctl(fd, SVA_QUOTA, quota);
}

/* @id: descriptor of a cgroup's directory, or SVA_QUOTA_OWN_CGROUP. */
static inline int quota_get(int fd, uint32_t id, struct sva_quota *quota)
{
	*quota = (struct sva_quota) { .id = id };
	return quota_call(fd, quota);
}

static inline int quota_set(int fd, uint32_t id, uint32_t max)
{
	struct sva_quota quota = {
		.flags = SVA_QUOTA_F_SET, .id = id, .max = max,
	};

	return quota_call(fd, &quota);
}

static inline int quota_get_user(int fd, uint32_t uid, struct sva_quota *quota)
{
	*quota = (struct sva_quota) { .flags = SVA_QUOTA_F_USER, .id = uid };
	return quota_call(fd, quota);
}

static inline int quota_set_user(int fd, uint32_t uid, uint32_t max)
{
	struct sva_quota quota = {
		.flags = SVA_QUOTA_F_USER | SVA_QUOTA_F_SET,
		.id = uid, .max = max,
	};

	return quota_call(fd, &quota);
}

/* How many a cgroup has, or a negative errno. */
static inline long quota_used(int fd, uint32_t id)
{
	struct sva_quota quota;
	int ret = quota_get(fd, id, &quota);

	return ret ? ret : (long)quota.used;
}

/* What is given back late comes to be seen. */
static inline bool quota_settles(int fd, uint32_t id, long used)
{
	long now = -1;
	int i;

	for (i = 0; i < 1000 * SVA_SLOWER; i++) {
		now = quota_used(fd, id);
		if (now == used)
			return true;
		core_sleep_ms(10);
	}
	fprintf(stderr, "# %ld are charged instead of %ld\n", now, used);
	return false;
}

/* --- cgroups --------------------------------------------------------------- */

struct quota_cg {
	char path[160];
	int fd;
};

/* Makes @name below @parent, or below the root, where each test has its own. */
static inline int quota_make(struct quota_cg *cg, const struct quota_cg *parent,
			     const char *name)
{
	int n;

	if (parent)
		n = snprintf(cg->path, sizeof(cg->path), "%s/%s", parent->path,
			     name);
	else
		n = snprintf(cg->path, sizeof(cg->path), QUOTA_ROOT "/sva-%s-%d",
			     name, (int)getpid());
	if (n >= (int)sizeof(cg->path))
		return -ENAMETOOLONG;
	if (mkdir(cg->path, 0755))
		return -errno;
	cg->fd = open(cg->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return cg->fd < 0 ? -errno : 0;
}

/* Nobody may be in it; one that has just been left is busy for a moment. */
static inline int quota_remove(struct quota_cg *cg)
{
	int i, ret = 0;

	close(cg->fd);
	for (i = 0; i < 500 * SVA_SLOWER; i++) {
		ret = rmdir(cg->path) ? -errno : 0;
		if (ret != -EBUSY)
			break;
		core_sleep_ms(10);
	}
	return ret;
}

/* Moves the calling process; NULL: to the root. */
static inline int quota_enter(const struct quota_cg *cg)
{
	int root, fd, ret = 0;

	root = open(QUOTA_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = openat(cg ? cg->fd : root, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		ret = -errno;
	close(fd);
	close(root);
	return ret;
}

/* --- processes ------------------------------------------------------------- */

/* Answers what the child's function did, as an exit status of 0 to 127. */
static inline int quota_as_child(int (*fn)(void *arg), void *arg)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(fn(arg));
	return bond_join_child(pid);
}

#endif /* QUOTA_UTIL_H */
