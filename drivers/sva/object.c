// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects of a context that have an id: made, found, used, destroyed.
 */
#include <linux/sched.h>
#include <linux/wait_bit.h>

#include "sva_private.h"

/**
 * sva_object_get() - Look up an object of a context and use it
 * @ctx: The context
 * @id: Its id
 * @ops: What it must be
 *
 * While it is used it cannot be destroyed.
 *
 * Return: the object, to be given to sva_object_put(); NULL if there is none of
 * that kind.
 */
struct sva_object *sva_object_get(struct sva_ctx *ctx, u32 id,
				  const struct sva_object_ops *ops)
{
	struct sva_object *obj;

	xa_lock(&ctx->objects);
	obj = xa_load(&ctx->objects, id);
	if (obj && obj->ops == ops)
		refcount_inc(&obj->users);
	else
		obj = NULL;
	xa_unlock(&ctx->objects);
	return obj;
}

/**
 * sva_object_put() - End a use of an object
 * @obj: From sva_object_get()
 */
void sva_object_put(struct sva_object *obj)
{
	/* The last one is the id's, which ends in sva_ioctl_destroy(). */
	WARN_ON(refcount_dec_and_test(&obj->users));
}

/**
 * sva_object_publish() - Give an object its id and make it visible
 * @ucmd: The call that made it
 * @obj: The object, complete
 * @id: Where in the call's argument user space finds the id
 *
 * Nothing can fail once user space has been told.
 *
 * Return: 0, or an error, and the object is still the caller's.
 */
int sva_object_publish(struct sva_ucmd *ucmd, struct sva_object *obj, u32 *id)
{
	struct xarray *objects = &ucmd->ctx->objects;
	int ret;

	obj->ctx = ucmd->ctx;
	refcount_set(&obj->users, 1);
	ret = xa_alloc(objects, &obj->id, XA_ZERO_ENTRY, xa_limit_31b,
		       GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	*id = obj->id;
	ret = sva_ucmd_respond(ucmd);
	if (ret) {
		xa_erase(objects, obj->id);
		return ret;
	}
	atomic_inc(&ucmd->ctx->nr_objects[obj->kind]);
	xa_store(objects, obj->id, obj, GFP_KERNEL_ACCOUNT);
	return 0;
}

/* Frees an object that has no id any more. */
static void free_object(struct sva_object *obj)
{
	/* Nobody else uses it, so that they will be done in a moment. */
	wait_var_event(&obj->listers, !atomic_read_acquire(&obj->listers));
	atomic_dec(&obj->ctx->nr_objects[obj->kind]);
	obj->ops->free(obj);
}

int sva_ioctl_destroy(struct sva_ucmd *ucmd)
{
	struct sva_destroy *cmd = ucmd->cmd;
	struct xarray *objects = &ucmd->ctx->objects;
	struct sva_object *obj;

	xa_lock(objects);
	obj = xa_load(objects, cmd->id);
	if (!obj || !refcount_dec_if_one(&obj->users)) {
		xa_unlock(objects);
		return obj ? -EBUSY : -ENOENT;
	}
	__xa_erase(objects, cmd->id);
	xa_unlock(objects);

	free_object(obj);
	return 0;
}

/**
 * sva_object_list_get() - Look at an object without using it
 * @ctx: The context
 * @id: Where to begin
 *
 * Unlike a use, which would make SVA_DESTROY fail, this makes it wait.
 *
 * Return: the first object from @id on, to be given to sva_object_list_put()
 * soon, or NULL.
 */
struct sva_object *sva_object_list_get(struct sva_ctx *ctx, u32 id)
{
	unsigned long index = id;
	struct sva_object *obj;

	guard(spinlock)(&ctx->objects.xa_lock);
	obj = xa_find(&ctx->objects, &index, U32_MAX, XA_PRESENT);
	if (obj)
		atomic_inc(&obj->listers);
	return obj;
}

/**
 * sva_object_list_put() - Let an object go
 * @obj: From sva_object_list_get()
 */
void sva_object_list_put(struct sva_object *obj)
{
	if (atomic_dec_and_test(&obj->listers))
		wake_up_var(&obj->listers);
}

/**
 * sva_object_list() - List the objects of a context
 * @ctx: The context
 * @pos: Where to begin; where to go on
 * @entries: Array of struct sva_list_object, zeroed
 * @room: How many fit
 *
 * Return: entries written.
 */
int sva_object_list(struct sva_ctx *ctx, struct sva_list_pos *pos, void *entries,
		    u32 room)
{
	struct sva_list_object *entry = entries;
	unsigned long index = pos->id;
	struct sva_object *obj;
	u32 n;

	guard(spinlock)(&ctx->objects.xa_lock);
	for (n = 0; n < room; n++, entry++) {
		obj = xa_find(&ctx->objects, &index, U32_MAX, XA_PRESENT);
		pos->end = !obj;
		if (!obj)
			break;
		entry->ctx_id = ctx->id;
		entry->id = obj->id;
		entry->kind = obj->kind;
		entry->users = refcount_read(&obj->users) - 1;
		if (obj->kind == SVA_OBJECT_IOVA)
			entry->maps = sva_iova_nr_maps(obj);
		pos->id = ++index;
	}
	return n;
}

/**
 * sva_objects_free_all() - Free what a context still has at its end
 * @ctx: The context, which nobody can reach any more; no PASID is left
 *
 * Each kind before those that it uses.
 */
void sva_objects_free_all(struct sva_ctx *ctx)
{
	struct sva_object *obj;
	unsigned int rank;
	unsigned long id;

	for (rank = 0; rank <= SVA_RANK_MAX; rank++) {
		xa_for_each(&ctx->objects, id, obj) {
			if (obj->ops->rank != rank)
				continue;
			xa_erase(&ctx->objects, id);
			free_object(obj);
			cond_resched();
		}
	}
	xa_destroy(&ctx->objects);
}
