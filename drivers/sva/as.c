// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address space ids, for all types of address spaces.
 */
#include <linux/slab.h>

#include "sva_private.h"

/**
 * sva_as_get() - Look up an address space of a context and use it
 * @ctx: The context
 * @id: Its id
 *
 * While it is used it cannot be destroyed.
 *
 * Return: the address space, to be given to sva_as_put(), or NULL.
 */
struct sva_as *sva_as_get(struct sva_ctx *ctx, u32 id)
{
	struct sva_as *as;

	xa_lock(&ctx->spaces);
	as = xa_load(&ctx->spaces, id);
	if (as)
		refcount_inc(&as->users);
	xa_unlock(&ctx->spaces);
	return as;
}

/**
 * sva_as_put() - End a use of an address space
 * @as: From sva_as_get()
 */
void sva_as_put(struct sva_as *as)
{
	/* The last one is the id's, which ends in sva_ioctl_destroy(). */
	WARN_ON(refcount_dec_and_test(&as->users));
}

static bool flags_fit(const struct sva_as_alloc *cmd)
{
	if (cmd->__reserved)
		return false;
	if (!(cmd->flags & SVA_AS_F_FAULT) && cmd->fault_fd)
		return false;
	if (cmd->type != SVA_AS_TYPE_IOVA)
		return !(cmd->flags & SVA_AS_F_NEST_PARENT);
	return !cmd->parent_id && !cmd->dev_id && !cmd->data_type &&
	       !cmd->data_len && !cmd->data_uptr;
}

/* Takes over @faultq if it succeeds. */
static struct sva_as *new_as(struct sva_ctx *ctx, const struct sva_as_alloc *cmd,
			     struct sva_faultq *faultq)
{
	switch (cmd->type) {
	case SVA_AS_TYPE_IOVA:
		return sva_iova_alloc(cmd->flags & SVA_AS_F_NEST_PARENT, faultq);
	case SVA_AS_TYPE_NESTED:
	case SVA_AS_TYPE_PASID_TABLE:
		return sva_nested_alloc(ctx, cmd, faultq);
	default:
		return ERR_PTR(-EOPNOTSUPP);
	}
}

/* Gives an address space its id, tells user space, and makes it visible. */
static int publish_as(struct sva_ucmd *ucmd, struct sva_as *as)
{
	struct sva_as_alloc *cmd = ucmd->cmd;
	struct xarray *spaces = &ucmd->ctx->spaces;
	int ret;

	refcount_set(&as->users, 1);
	ret = xa_alloc(spaces, &as->id, XA_ZERO_ENTRY, xa_limit_31b,
		       GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	cmd->id = as->id;
	ret = sva_ucmd_respond(ucmd);
	if (ret) {
		xa_erase(spaces, as->id);
		return ret;
	}
	xa_store(spaces, as->id, as, GFP_KERNEL_ACCOUNT);
	return 0;
}

int sva_ioctl_as_alloc(struct sva_ucmd *ucmd)
{
	struct sva_as_alloc *cmd = ucmd->cmd;
	struct sva_faultq *faultq = NULL;
	struct sva_as *as;
	int ret;

	if (cmd->flags & ~(SVA_AS_F_NEST_PARENT | SVA_AS_F_FAULT))
		return -EOPNOTSUPP;
	if (!flags_fit(cmd))
		return -EINVAL;
	if (cmd->flags & SVA_AS_F_FAULT) {
		faultq = sva_faultq_from_fd(cmd->fault_fd);
		if (IS_ERR(faultq))
			return PTR_ERR(faultq);
	}

	as = new_as(ucmd->ctx, cmd, faultq);
	if (IS_ERR(as)) {
		sva_faultq_put(faultq);
		return PTR_ERR(as);
	}
	ret = publish_as(ucmd, as);
	if (ret)
		as->ops->free(as);
	return ret;
}

int sva_ioctl_destroy(struct sva_ucmd *ucmd)
{
	struct sva_destroy *cmd = ucmd->cmd;
	struct xarray *spaces = &ucmd->ctx->spaces;
	struct sva_as *as;

	xa_lock(spaces);
	as = xa_load(spaces, cmd->id);
	if (!as || !refcount_dec_if_one(&as->users)) {
		xa_unlock(spaces);
		return as ? -EBUSY : -ENOENT;
	}
	__xa_erase(spaces, cmd->id);
	xa_unlock(spaces);

	as->ops->free(as);
	return 0;
}

/**
 * sva_as_free_all() - Free what a context still has at its end
 * @ctx: The context, which nobody can reach any more; no PASID is left
 *
 * Nested address spaces use their parents, and are freed first.
 */
void sva_as_free_all(struct sva_ctx *ctx)
{
	struct sva_as *as;
	unsigned long id;

	xa_for_each(&ctx->spaces, id, as)
		if (as->type != SVA_AS_TYPE_IOVA) {
			xa_erase(&ctx->spaces, id);
			as->ops->free(as);
		}
	xa_for_each(&ctx->spaces, id, as)
		as->ops->free(as);
	xa_destroy(&ctx->spaces);
}
