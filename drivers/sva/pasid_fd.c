// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASID fds: the right to attach one PASID, as a descriptor.
 *
 * A right is held from two sides. Its id belongs to the context: by it, the
 * right is taken back and the bonds made with it are ended. The file belongs to
 * whoever was given it, who can do nothing but present it. Neither side keeps
 * the other from ending, nor the file the context: what is left then is dead.
 */
#include <linux/anon_inodes.h>
#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "sva_private.h"

static void free_right(struct kref *kref)
{
	kfree(container_of(kref, struct sva_right, kref));
}

/**
 * sva_right_put() - Give up a reference to a right
 * @right: The right, or NULL
 */
void sva_right_put(struct sva_right *right)
{
	if (right)
		kref_put(&right->kref, free_right);
}

static void kill_right(struct sva_right *right)
{
	right->pasid = NULL;
	hlist_del_init(&right->node);
}

/**
 * sva_rights_kill() - Nothing can be attached by PASID fds of a PASID any more
 * @pasid: The PASID, which has no bonds and is about to be freed
 *
 * Context: The caller holds the context's lock, or nobody else can reach the
 * context any more.
 */
void sva_rights_kill(struct sva_pasid *pasid)
{
	struct sva_right *right;
	struct hlist_node *next;

	hlist_for_each_entry_safe(right, next, &pasid->rights, node)
		kill_right(right);
}

/* The id ends: by SVA_DESTROY, or with the context, which has no bonds then. */
static void end_right(struct sva_object *obj)
{
	struct sva_right *right = container_of(obj, struct sva_right, obj);

	scoped_guard(mutex, &right->ctx->lock)
		kill_right(right);
	sva_bonds_end_right(right);

	/* From now on, nobody gets at the context through the file. */
	scoped_guard(spinlock, &right->lock)
		right->ctx = NULL;
	sva_right_put(right);
}

static const struct sva_object_ops right_ops = {
	.rank = 0,
	.free = end_right,
};

static int right_release(struct inode *inode, struct file *file)
{
	sva_right_put(file->private_data);
	return 0;
}

/* There is nothing to call: it is presented to a driver, which calls us. */
static const struct file_operations right_fops = {
	.owner = THIS_MODULE,
	.release = right_release,
	.llseek = noop_llseek,
};

/**
 * sva_right_from_file() - The right behind an open file
 * @file: The file
 *
 * Return: the right, to be given to sva_right_put(), or NULL if it is no PASID
 * fd.
 */
struct sva_right *sva_right_from_file(struct file *file)
{
	struct sva_right *right;

	if (file->f_op != &right_fops)
		return NULL;
	right = file->private_data;
	kref_get(&right->kref);
	return right;
}

/**
 * sva_right_get_ctx() - The context that a right is of
 * @right: The right
 *
 * Return: the context, to be given to sva_ctx_put(), or ERR_PTR(-ESTALE).
 */
struct sva_ctx *sva_right_get_ctx(struct sva_right *right)
{
	guard(spinlock)(&right->lock);
	if (!right->ctx || !kref_get_unless_zero(&right->ctx->kref))
		return ERR_PTR(-ESTALE);
	return right->ctx;
}

/**
 * sva_right_pasid() - The PASID that a right lets attach
 * @right: The right
 * @ctx: Its context
 * @id: Which one the caller expects, or 0
 *
 * Context: The caller holds @ctx->lock, as long as it uses the PASID.
 * Return: the PASID; ERR_PTR of -ESTALE if the right is dead, -ENOENT if it is
 * for another PASID.
 */
struct sva_pasid *sva_right_pasid(struct sva_right *right, struct sva_ctx *ctx,
				  u32 id)
{
	lockdep_assert_held(&ctx->lock);

	if (!right->pasid || right->pasid->dying || READ_ONCE(ctx->closed))
		return ERR_PTR(-ESTALE);
	if (id && id != right->pasid->id)
		return ERR_PTR(-ENOENT);
	return right->pasid;
}

static int check_giver(const struct sva_pasid *pasid)
{
	if (!pasid)
		return -ENOENT;
	/* Who has just the context could not attach it, and cannot give it. */
	if (pasid->kind == SVA_PASID_KIND_MM && pasid->mm != current->mm)
		return -EPERM;
	return 0;
}

static struct sva_right *new_right(struct sva_ctx *ctx, u32 id)
{
	struct sva_right *right;
	struct sva_pasid *pasid;
	int ret;

	right = kzalloc_obj(*right, GFP_KERNEL_ACCOUNT);
	if (!right)
		return ERR_PTR(-ENOMEM);
	right->obj.kind = SVA_OBJECT_PASID_FD;
	right->obj.ops = &right_ops;
	kref_init(&right->kref);
	spin_lock_init(&right->lock);
	right->ctx = ctx;
	INIT_LIST_HEAD(&right->bonds);

	guard(mutex)(&ctx->lock);
	pasid = sva_pasid_find(ctx, id);
	ret = check_giver(pasid);
	if (ret) {
		kfree(right);
		return ERR_PTR(ret);
	}
	right->pasid = pasid;
	hlist_add_head(&right->node, &pasid->rights);
	return right;
}

/* Nobody has been told of it. */
static void delete_right(struct sva_right *right)
{
	scoped_guard(mutex, &right->ctx->lock)
		kill_right(right);
	sva_right_put(right);
}

int sva_ioctl_pasid_fd(struct sva_ucmd *ucmd)
{
	struct sva_pasid_fd *cmd = ucmd->cmd;
	struct sva_right *right;
	struct file *file;
	int ret;

	if (cmd->flags)
		return -EOPNOTSUPP;

	right = new_right(ucmd->ctx, cmd->pasid);
	if (IS_ERR(right))
		return PTR_ERR(right);

	cmd->fd = get_unused_fd_flags(O_CLOEXEC);
	if (cmd->fd < 0) {
		ret = cmd->fd;
		goto out_delete;
	}
	file = anon_inode_getfile("[sva-pasid]", &right_fops, right, O_RDWR);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto out_fd;
	}
	kref_get(&right->kref);

	ret = sva_object_publish(ucmd, &right->obj, &cmd->id);
	if (ret)
		goto out_file;
	fd_install(cmd->fd, file);
	return 0;

out_file:
	fput(file);
out_fd:
	put_unused_fd(cmd->fd);
out_delete:
	delete_right(right);
	return ret;
}
