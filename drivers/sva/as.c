// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all types of address spaces have in common.
 */
#include "sva_private.h"

static void free_as(struct sva_object *obj)
{
	struct sva_as *as = container_of(obj, struct sva_as, obj);

	as->ops->free(as);
}

static_assert((int)SVA_OBJECT_IOVA == SVA_AS_TYPE_IOVA);
static_assert((int)SVA_OBJECT_NESTED == SVA_AS_TYPE_NESTED);
static_assert((int)SVA_OBJECT_PASID_TABLE == SVA_AS_TYPE_PASID_TABLE);

/* Nested address spaces use others, and are freed before them. */
static const struct sva_object_ops iova_object_ops = {
	.rank = SVA_RANK_MAX,
	.free = free_as,
};

static const struct sva_object_ops nested_object_ops = {
	.free = free_as,
};

/**
 * sva_as_get() - Look up an address space of a context and use it
 * @ctx: The context
 * @id: Its id
 *
 * Return: the address space, to be given to sva_as_put(), or NULL.
 */
struct sva_as *sva_as_get(struct sva_ctx *ctx, u32 id)
{
	struct sva_object *obj;

	obj = sva_object_get(ctx, id, &iova_object_ops);
	if (!obj)
		obj = sva_object_get(ctx, id, &nested_object_ops);
	return obj ? container_of(obj, struct sva_as, obj) : NULL;
}

/**
 * sva_as_put() - End a use of an address space
 * @as: From sva_as_get()
 */
void sva_as_put(struct sva_as *as)
{
	sva_object_put(&as->obj);
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
	as->obj.kind = as->type;
	as->obj.ops = as->type == SVA_AS_TYPE_IOVA ? &iova_object_ops :
						     &nested_object_ops;
	ret = sva_object_publish(ucmd, &as->obj, &cmd->id);
	if (ret)
		as->ops->free(as);
	return ret;
}
