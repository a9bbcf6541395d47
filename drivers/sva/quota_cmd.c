// SPDX-License-Identifier: GPL-2.0-only
/*
 * SVA_QUOTA: who may see and set which limit.
 */
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernfs.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/nsproxy.h>
#include <linux/user_namespace.h>

#include "sva_private.h"

/*
 * The cgroup core looks the descriptor up by itself: what it found must be what
 * permissions are going to be checked on.
 */
static struct cgroup *cgroup_of(int fd, const struct file *file)
{
	const struct inode *inode = file_inode(file);
	struct cgroup *cgrp;

	if (inode->i_sb->s_magic != CGROUP2_SUPER_MAGIC || !S_ISDIR(inode->i_mode))
		return ERR_PTR(-EBADF);
	cgrp = cgroup_get_from_fd(fd);
	if (IS_ERR(cgrp))
		return PTR_ERR(cgrp) == -EBADF ? cgrp : ERR_PTR(-ENODEV);
	if (kernfs_ino(cgrp->kn) != inode->i_ino) {
		cgroup_put(cgrp);
		return ERR_PTR(-EBADF);
	}
	return cgrp;
}

static struct cgroup *own_cgroup(void)
{
	struct cgroup *cgrp;

	guard(rcu)();
	cgrp = task_dfl_cgroup(current);
	return cgroup_tryget(cgrp) ? cgrp : ERR_PTR(-ENODEV);
}

/* As the cgroup core has it for its own files, which are not the namespace's. */
static bool is_delegated(struct cgroup *cgrp)
{
	struct cgroup *top = current->nsproxy->cgroup_ns->root_cset->dfl_cgrp;

	if (!(cgrp_dfl_root.flags & CGRP_ROOT_NS_DELEGATE))
		return true;
	return cgrp != top && cgroup_is_descendant(cgrp, top);
}

static int may_set(const struct file *file, struct cgroup *cgrp)
{
	const struct path *path = &file->f_path;
	struct dentry *parent;
	int ret;

	if (!cgroup_parent(cgrp))
		return -EINVAL;
	if (__mnt_is_readonly(path->mnt))
		return -EROFS;
	if (!is_delegated(cgrp))
		return -EPERM;
	parent = dget_parent(path->dentry);
	ret = inode_permission(mnt_idmap(path->mnt), d_inode(parent), MAY_WRITE);
	dput(parent);
	return ret;
}

static int set_cgroup(int fd, u32 max)
{
	struct cgroup *cgrp;
	int ret;

	CLASS(fd, f)(fd);
	if (fd_empty(f))
		return -EBADF;
	cgrp = cgroup_of(fd, fd_file(f));
	if (IS_ERR(cgrp))
		return PTR_ERR(cgrp);
	ret = may_set(fd_file(f), cgrp);
	if (!ret)
		ret = sva_quota_set_cgroup(cgrp, max);
	cgroup_put(cgrp);
	return ret;
}

static struct cgroup *cgroup_by_id(u32 id)
{
	if (id == SVA_QUOTA_OWN_CGROUP)
		return own_cgroup();

	CLASS(fd, f)(id);
	if (fd_empty(f))
		return ERR_PTR(-EBADF);
	return cgroup_of(id, fd_file(f));
}

static int read_cgroup(struct sva_quota *cmd)
{
	struct cgroup *cgrp = cgroup_by_id(cmd->id);

	if (IS_ERR(cgrp))
		return PTR_ERR(cgrp);
	sva_quota_read_cgroup(cgrp, cmd);
	cgroup_put(cgrp);
	return 0;
}

static int quota_of_user(struct sva_quota *cmd)
{
	kuid_t uid = make_kuid(current_user_ns(), cmd->id);
	bool set = cmd->flags & SVA_QUOTA_F_SET;

	if (!uid_valid(uid))
		return -EINVAL;
	if (!set && uid_eq(uid, current_euid())) {
		sva_quota_read_user(sva_quota_current_user(), cmd);
		return 0;
	}
	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (set)
		return sva_quota_set_user(uid, cmd->max);
	sva_quota_read_user(uid, cmd);
	return 0;
}

int sva_ioctl_quota(struct sva_ucmd *ucmd)
{
	struct sva_quota *cmd = ucmd->cmd;
	int ret;

	if (cmd->flags & ~(SVA_QUOTA_F_SET | SVA_QUOTA_F_USER))
		return -EOPNOTSUPP;
	if (cmd->__reserved)
		return -EINVAL;

	if (cmd->flags & SVA_QUOTA_F_USER)
		ret = quota_of_user(cmd);
	else if (!(cmd->flags & SVA_QUOTA_F_SET))
		ret = read_cgroup(cmd);
	else if (cmd->id == SVA_QUOTA_OWN_CGROUP)
		ret = -EINVAL;
	else
		ret = set_cgroup(cmd->id, cmd->max);
	return ret ?: sva_ucmd_respond(ucmd);
}
