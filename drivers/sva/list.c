// SPDX-License-Identifier: GPL-2.0-only
/*
 * Seeing what there is: the table of all contexts, and SVA_LIST.
 *
 * Contexts are listed from the newest to the oldest, and their ids only grow:
 * whatever is opened meanwhile lies behind the cursor, so that a list ends.
 *
 * What is being looked at is not kept alive by that. Its end waits instead until
 * it is looked at no more, which is a moment: it comes after the last use, so
 * that nobody but other listers can hold a lock of it. This way everything that
 * a close() or SVA_DESTROY promises to be gone is gone when it returns, and none
 * of them fails because somebody was curious.
 */
#include <linux/capability.h>
#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/nospec.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include <linux/wait_bit.h>

#include "sva_private.h"

/* Bound the time and memory that one call takes. */
#define ENTRIES_MAX	256
#define CONTEXTS_MAX	1024
#define ENTRY_SIZE_MAX	4096

static DEFINE_SPINLOCK(sva_contexts_lock);
static struct rb_root_cached sva_contexts = RB_ROOT_CACHED; /* newest first */
static u64 last_context;

/* --- the table of contexts ------------------------------------------------------ */

/**
 * sva_ctx_add() - Make a context known, and remember who opened it
 * @ctx: A new context, opened by the current task
 */
void sva_ctx_add(struct sva_ctx *ctx)
{
	struct rb_node **link = &sva_contexts.rb_root.rb_node;
	struct rb_node *first;

	ctx->uid = current_uid();
	ctx->tgid = get_pid(task_tgid(current));
	get_task_comm(ctx->comm, current);

	guard(spinlock)(&sva_contexts_lock);
	ctx->id = ++last_context;
	first = rb_first_cached(&sva_contexts);
	if (first)
		link = &first->rb_left;
	rb_link_node(&ctx->node, first, link);
	rb_insert_color_cached(&ctx->node, &sva_contexts, true);
}

/**
 * sva_ctx_remove() - Make a context unknown
 * @ctx: The context, which nobody has a reference to
 *
 * Context: May sleep. On return nobody is looking at it any more.
 */
void sva_ctx_remove(struct sva_ctx *ctx)
{
	scoped_guard(spinlock, &sva_contexts_lock)
		rb_erase_cached(&ctx->node, &sva_contexts);
	wait_var_event(&ctx->listers, !atomic_read_acquire(&ctx->listers));
	put_pid(ctx->tgid);
}

/* The newest context that is not newer than @id, to be given to put_listed(). */
static struct sva_ctx *get_listed(u64 id)
{
	struct sva_ctx *found = NULL;
	struct rb_node *node;

	guard(spinlock)(&sva_contexts_lock);
	node = sva_contexts.rb_root.rb_node;
	while (node) {
		struct sva_ctx *ctx = rb_entry(node, struct sva_ctx, node);

		if (ctx->id > id) {
			node = node->rb_right;
		} else {
			found = ctx;
			node = node->rb_left;
		}
	}
	if (found)
		atomic_inc(&found->listers);
	return found;
}

static void put_listed(struct sva_ctx *ctx)
{
	if (atomic_dec_and_test(&ctx->listers))
		wake_up_var(&ctx->listers);
}

/* --- what can be listed ---------------------------------------------------------- */

static u32 opener(const struct sva_ctx *ctx)
{
	/* A number that may have become somebody else's would mislead. */
	if (!pid_has_task(ctx->tgid, PIDTYPE_TGID))
		return 0;
	return pid_nr_ns(ctx->tgid, task_active_pid_ns(current));
}

static int list_context(struct sva_ctx *ctx, struct sva_list_pos *pos,
			void *entries, u32 room)
{
	struct sva_list_context *entry = entries;

	pos->end = true;
	entry->ctx_id = ctx->id;
	entry->tgid = opener(ctx);
	entry->uid = from_kuid_munged(current_user_ns(), ctx->uid);
	strscpy(entry->comm, ctx->comm);
	if (READ_ONCE(ctx->closed))
		entry->state |= SVA_CONTEXT_S_CLOSED;
	entry->pasids = atomic_read(&ctx->nr_pasids[SVA_PASID_KIND_NUMBER]);
	entry->processes = atomic_read(&ctx->nr_pasids[SVA_PASID_KIND_MM]);
	entry->rids = atomic_read(&ctx->nr_pasids[SVA_PASID_KIND_RID]);
	entry->bonds = atomic_read(&ctx->nr_bonds);
	entry->iovas = atomic_read(&ctx->nr_objects[SVA_OBJECT_IOVA]);
	entry->nested = atomic_read(&ctx->nr_objects[SVA_OBJECT_NESTED]);
	entry->pasid_tables =
		atomic_read(&ctx->nr_objects[SVA_OBJECT_PASID_TABLE]);
	entry->viommus = atomic_read(&ctx->nr_objects[SVA_OBJECT_VIOMMU]);
	entry->vdevices = atomic_read(&ctx->nr_objects[SVA_OBJECT_VDEVICE]);
	entry->pasid_fds = atomic_read(&ctx->nr_objects[SVA_OBJECT_PASID_FD]);
	entry->maps = atomic_read(&ctx->nr_maps);
	entry->page_requests = atomic_read(&ctx->nr_requests);
	entry->pinned_pages = atomic_long_read(&ctx->nr_pinned);
	entry->faults = atomic_long_read(&ctx->nr_faults);
	entry->invalidations = atomic_long_read(&ctx->nr_invalidations);
	return 1;
}

struct kind {
	u32 entry_size;
	int (*list)(struct sva_ctx *ctx, struct sva_list_pos *pos,
		    void *entries, u32 room);
};

static const struct kind kinds[] = {
	[SVA_LIST_CONTEXTS] = { sizeof(struct sva_list_context), list_context },
	[SVA_LIST_PASIDS] = { sizeof(struct sva_list_pasid), sva_pasid_list },
	[SVA_LIST_BONDS] = { sizeof(struct sva_list_bond), sva_bond_list },
	[SVA_LIST_OBJECTS] = { sizeof(struct sva_list_object), sva_object_list },
	[SVA_LIST_MAPS] = { sizeof(struct sva_list_map), sva_iova_list },
};

/* --- the ioctl -------------------------------------------------------------------- */

/*
 * The cursor is the context, or 0 for the newest; and the position in it. These
 * fill @entries, set @num and @more and advance the cursor.
 */
static int list_own(struct sva_ctx *ctx, const struct kind *kind,
		    struct sva_list *cmd, void *entries)
{
	struct sva_list_pos pos = { cmd->cursor[1], cmd->cursor[2] };
	int ret;

	ret = kind->list(ctx, &pos, entries, cmd->num);
	if (ret < 0)
		return ret;
	cmd->num = ret;
	cmd->more = !pos.end;
	cmd->cursor[1] = pos.id;
	cmd->cursor[2] = pos.at;
	return 0;
}

static int list_all(const struct kind *kind, struct sva_list *cmd, void *entries)
{
	struct sva_list_pos pos = { cmd->cursor[1], cmd->cursor[2] };
	u64 id = cmd->cursor[0] ?: U64_MAX;
	unsigned int i;
	u32 n = 0;
	int ret;

	for (i = 0; i < CONTEXTS_MAX && n < cmd->num && id; i++) {
		struct sva_ctx *ctx = get_listed(id);

		if (!ctx) {
			id = 0;
			break;
		}
		if (ctx->id != id)
			pos = (struct sva_list_pos) {};
		id = ctx->id;
		ret = kind->list(ctx, &pos, entries + n * kind->entry_size,
				 cmd->num - n);
		put_listed(ctx);
		if (ret < 0)
			return ret;
		n += ret;
		if (pos.end) {
			pos = (struct sva_list_pos) {};
			id--;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	cmd->num = n;
	cmd->more = !!id;
	cmd->cursor[0] = id;
	cmd->cursor[1] = pos.id;
	cmd->cursor[2] = pos.at;
	return 0;
}

static void mark_self(const struct sva_ctx *ctx, const struct sva_list *cmd,
		      struct sva_list_context *entries)
{
	u32 i;

	for (i = 0; i < cmd->num; i++)
		if (entries[i].ctx_id == ctx->id)
			entries[i].state |= SVA_CONTEXT_S_SELF;
}

static int copy_entries(const struct kind *kind, const struct sva_list *cmd,
			const void *entries)
{
	void __user *to = u64_to_user_ptr(cmd->entries);
	u32 size = min(kind->entry_size, cmd->entry_size);
	u32 i;

	if (size == kind->entry_size && size == cmd->entry_size)
		return copy_to_user(to, entries, cmd->num * size) ? -EFAULT : 0;

	for (i = 0; i < cmd->num; i++) {
		if (copy_to_user(to, entries, size) ||
		    clear_user(to + size, cmd->entry_size - size))
			return -EFAULT;
		to += cmd->entry_size;
		entries += kind->entry_size;
	}
	return 0;
}

int sva_ioctl_list(struct sva_ucmd *ucmd)
{
	struct sva_list *cmd = ucmd->cmd;
	const struct kind *kind;
	int ret;

	if (cmd->flags & ~SVA_LIST_F_ALL)
		return -EOPNOTSUPP;
	if (cmd->kind >= ARRAY_SIZE(kinds))
		return -EOPNOTSUPP;
	kind = &kinds[array_index_nospec(cmd->kind, ARRAY_SIZE(kinds))];
	if (!kind->list)
		return -EOPNOTSUPP;
	if (!cmd->num || !cmd->entry_size || cmd->entry_size % 8)
		return -EINVAL;
	if (cmd->entry_size > ENTRY_SIZE_MAX)
		return -E2BIG;
	if (cmd->flags & SVA_LIST_F_ALL && !capable(CAP_SYS_ADMIN))
		return -EPERM;

	cmd->num = min(cmd->num, ENTRIES_MAX);

	void *entries __free(kvfree) = kvcalloc(cmd->num, kind->entry_size,
						GFP_KERNEL_ACCOUNT);

	if (!entries)
		return -ENOMEM;
	if (cmd->flags & SVA_LIST_F_ALL)
		ret = list_all(kind, cmd, entries);
	else
		ret = list_own(ucmd->ctx, kind, cmd, entries);
	if (ret)
		return ret;
	if (cmd->kind == SVA_LIST_CONTEXTS)
		mark_self(ucmd->ctx, cmd, entries);
	return copy_entries(kind, cmd, entries) ?: sva_ucmd_respond(ucmd);
}
