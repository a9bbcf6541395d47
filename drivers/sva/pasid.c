// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASID objects: numbers out of the pool, RID handles and process PASIDs.
 */
#include <linux/cleanup.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <trace/events/sva.h>

#include "sva_private.h"

/* How many numbers are made or freed in one hold of a context's lock. */
#define PART	1024u

static struct kmem_cache *pasid_cache;

int sva_pasid_cache_init(void)
{
	pasid_cache = KMEM_CACHE(sva_pasid, SLAB_ACCOUNT);
	return pasid_cache ? 0 : -ENOMEM;
}

void sva_pasid_cache_exit(void)
{
	kmem_cache_destroy(pasid_cache);
}

/* The account's use becomes the object's, if there is one. */
static struct sva_pasid *new_pasid(enum sva_pasid_kind kind,
				   struct sva_account *account)
{
	struct sva_pasid *pasid;

	pasid = kmem_cache_zalloc(pasid_cache, GFP_KERNEL);
	if (!pasid)
		return NULL;
	pasid->kind = kind;
	pasid->account = account;
	pasid->guest = SVA_GUEST_PASID_NONE;
	INIT_LIST_HEAD(&pasid->attachments);
	if (kind == SVA_PASID_KIND_MM) {
		pasid->mm = current->mm;
		mmgrab(pasid->mm);
	}
	return pasid;
}

/*
 * Frees an object that nobody can find any more. Its number, and its use of the
 * account, are the caller's.
 */
static void delete_pasid(struct sva_pasid *pasid)
{
	if (pasid->as)
		sva_as_put(pasid->as);
	if (pasid->process)
		sva_process_put(pasid->process);
	if (pasid->mm)
		mmdrop(pasid->mm);
	kmem_cache_free(pasid_cache, pasid);
}

static void delete_handle(struct sva_pasid *pasid)
{
	if (pasid->account)
		sva_account_put(pasid->account, 1);
	delete_pasid(pasid);
}

static int compare_number(const void *key, const struct rb_node *node)
{
	u32 number = *(const u32 *)key;
	u32 other = rb_entry(node, struct sva_pasid, node)->id;

	return number < other ? -1 : number > other;
}

static int compare_pasids(struct rb_node *node, const struct rb_node *other)
{
	return compare_number(&rb_entry(node, struct sva_pasid, node)->id, other);
}

static struct sva_pasid *find_number(struct sva_ctx *ctx, u32 number)
{
	struct rb_node *node = rb_find(&number, &ctx->pasids, compare_number);

	return rb_entry_safe(node, struct sva_pasid, node);
}

static struct sva_pasid *next_number(struct sva_pasid *pasid)
{
	return rb_entry_safe(rb_next(&pasid->node), struct sva_pasid, node);
}

/* The pool gives a number out once: there is none like it yet. */
static void insert_number(struct sva_ctx *ctx, struct sva_pasid *pasid)
{
	lockdep_assert_held(&ctx->lock);
	rb_find_add(&pasid->node, &ctx->pasids, compare_pasids);
}

/**
 * sva_pasid_find() - Look up a PASID of a context
 * @ctx: The context
 * @id: Number or handle
 *
 * Context: The caller holds @ctx->lock, which keeps the PASID from being freed.
 * Return: the PASID, or NULL.
 */
struct sva_pasid *sva_pasid_find(struct sva_ctx *ctx, u32 id)
{
	struct sva_pasid *pasid;

	lockdep_assert_held(&ctx->lock);
	if (id & SVA_PASID_HANDLE)
		return xa_load(&ctx->handles, id & ~SVA_PASID_HANDLE);
	pasid = find_number(ctx, id);
	return pasid && !pasid->dying ? pasid : NULL;
}

static int alloc_handle(struct sva_ucmd *ucmd, enum sva_pasid_kind kind)
{
	struct sva_pasid_alloc *cmd = ucmd->cmd;
	struct sva_account *account = NULL;
	struct sva_ctx *ctx = ucmd->ctx;
	struct sva_pasid *pasid;
	u32 index;
	int ret;

	if (cmd->count != 1 || cmd->min || cmd->max)
		return -EINVAL;

	/* It is charged when it gets a number. */
	if (kind == SVA_PASID_KIND_MM) {
		account = sva_account_get(1);
		if (IS_ERR(account))
			return PTR_ERR(account);
	}
	pasid = new_pasid(kind, account);
	if (!pasid) {
		if (account)
			sva_account_put(account, 1);
		return -ENOMEM;
	}

	ret = xa_alloc(&ctx->handles, &index, XA_ZERO_ENTRY, xa_limit_31b,
		       GFP_KERNEL_ACCOUNT);
	if (ret)
		goto out_delete;

	pasid->id = SVA_PASID_HANDLE | index;
	cmd->pasid = pasid->id;
	ret = sva_ucmd_respond(ucmd);
	if (ret)
		goto out_release;

	xa_store(&ctx->handles, index, pasid, GFP_KERNEL_ACCOUNT);
	atomic_inc(&ctx->nr_pasids[kind]);
	trace_sva_alloc(ctx->id, cmd->pasid, 1, kind);
	return 0;

out_release:
	xa_erase(&ctx->handles, index);
out_delete:
	delete_handle(pasid);
	return ret;
}

/* Makes the objects of @count numbers, linked by what attachments will need. */
static int new_numbers(u32 first, u32 count, struct sva_account *account,
		       struct list_head *list)
{
	u32 i;

	for (i = 0; i < count; i++) {
		struct sva_pasid *pasid;

		if (fatal_signal_pending(current))
			return -EINTR;
		pasid = new_pasid(SVA_PASID_KIND_NUMBER, account);
		if (!pasid)
			return -ENOMEM;
		pasid->id = first + i;
		list_add_tail(&pasid->attachments, list);
		cond_resched();
	}
	return 0;
}

static void delete_numbers(struct list_head *list)
{
	struct sva_pasid *pasid, *next;

	list_for_each_entry_safe(pasid, next, list, attachments)
		kmem_cache_free(pasid_cache, pasid);
}

/* The usual case: no list to go through. */
static int alloc_one(struct sva_ucmd *ucmd, u32 number,
		     struct sva_account *account)
{
	struct sva_pasid_alloc *cmd = ucmd->cmd;
	struct sva_pasid *pasid;
	int ret;

	pasid = new_pasid(SVA_PASID_KIND_NUMBER, account);
	if (!pasid)
		return -ENOMEM;
	pasid->id = number;
	cmd->pasid = number;
	ret = sva_ucmd_respond(ucmd);
	if (ret) {
		kmem_cache_free(pasid_cache, pasid);
		return ret;
	}
	atomic_inc(&ucmd->ctx->nr_pasids[SVA_PASID_KIND_NUMBER]);
	guard(mutex)(&ucmd->ctx->lock);
	insert_number(ucmd->ctx, pasid);
	return 0;
}

static int alloc_many(struct sva_ucmd *ucmd, u32 first, u32 count,
		      struct sva_account *account)
{
	struct sva_pasid_alloc *cmd = ucmd->cmd;
	struct sva_ctx *ctx = ucmd->ctx;
	struct sva_pasid *pasid, *next;
	LIST_HEAD(list);
	u32 i = 0;
	int ret;

	ret = new_numbers(first, count, account, &list);
	if (!ret) {
		cmd->pasid = first;
		ret = sva_ucmd_respond(ucmd);
	}
	if (ret) {
		delete_numbers(&list);
		return ret;
	}

	atomic_add(count, &ctx->nr_pasids[SVA_PASID_KIND_NUMBER]);
	mutex_lock(&ctx->lock);
	list_for_each_entry_safe(pasid, next, &list, attachments) {
		INIT_LIST_HEAD(&pasid->attachments);
		insert_number(ctx, pasid);
		if (++i % PART)
			continue;
		mutex_unlock(&ctx->lock);
		cond_resched();
		mutex_lock(&ctx->lock);
	}
	mutex_unlock(&ctx->lock);
	return 0;
}

static struct sva_account *charge_caller(u32 count)
{
	struct sva_account *account = sva_account_get(count);
	int ret;

	if (IS_ERR(account))
		return account;
	ret = sva_account_charge(account, count);
	if (ret) {
		sva_account_put(account, count);
		return ERR_PTR(ret);
	}
	return account;
}

static void give_back(struct sva_account *account, u32 count)
{
	sva_account_uncharge(account, count);
	sva_account_put(account, count);
}

static int alloc_numbers(struct sva_ucmd *ucmd)
{
	struct sva_pasid_alloc *cmd = ucmd->cmd;
	u32 last = BIT(SVA_PASID_WIDTH_MAX) - 1;
	struct sva_account *account;
	u32 first;
	int ret;

	if (cmd->max)
		last = min(cmd->max, last);
	if (cmd->min > last || (cmd->max && cmd->min > cmd->max))
		return -EINVAL;
	if (!cmd->count || cmd->count > SVA_RANGE_MAX ||
	    cmd->count - 1 > last - cmd->min)
		return -EINVAL;

	account = charge_caller(cmd->count);
	if (IS_ERR(account))
		return PTR_ERR(account);
	ret = sva_pool_alloc(cmd->min, cmd->max, cmd->count, &first);
	if (ret)
		goto out_uncharge;
	ret = cmd->count == 1 ? alloc_one(ucmd, first, account) :
				alloc_many(ucmd, first, cmd->count, account);
	if (ret)
		goto out_free;
	trace_sva_alloc(ucmd->ctx->id, first, cmd->count, SVA_PASID_KIND_NUMBER);
	return 0;

out_free:
	sva_pool_free(first, cmd->count);
out_uncharge:
	give_back(account, cmd->count);
	return ret;
}

int sva_ioctl_pasid_alloc(struct sva_ucmd *ucmd)
{
	struct sva_pasid_alloc *cmd = ucmd->cmd;

	if (cmd->flags & ~(SVA_PASID_F_MM | SVA_PASID_F_RID))
		return -EOPNOTSUPP;

	switch (cmd->flags) {
	case 0:
		return alloc_numbers(ucmd);
	case SVA_PASID_F_MM:
		return alloc_handle(ucmd, SVA_PASID_KIND_MM);
	case SVA_PASID_F_RID:
		return alloc_handle(ucmd, SVA_PASID_KIND_RID);
	default:
		return -EINVAL;
	}
}

/* Out of the context's sight; its lock is held. */
static void forget_guest(struct sva_ctx *ctx, struct sva_pasid *pasid)
{
	if (pasid->guest == SVA_GUEST_PASID_NONE)
		return;
	xa_erase(&ctx->guests, pasid->guest);
	WRITE_ONCE(pasid->guest, SVA_GUEST_PASID_NONE);
}

static int free_handle(struct sva_ctx *ctx, u32 id)
{
	struct sva_pasid *pasid;

	mutex_lock(&ctx->lock);
	pasid = sva_pasid_find(ctx, id);
	if (!pasid || pasid->nr_bonds) {
		mutex_unlock(&ctx->lock);
		return pasid ? -EBUSY : -ENOENT;
	}
	xa_erase(&ctx->handles, id & ~SVA_PASID_HANDLE);
	forget_guest(ctx, pasid);
	sva_rights_kill(pasid);
	mutex_unlock(&ctx->lock);

	atomic_dec(&ctx->nr_pasids[pasid->kind]);
	trace_sva_free(ctx->id, id, 1);
	delete_handle(pasid);
	return 0;
}

static int check_unused(struct sva_pasid *pasid, u32 first, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++, pasid = next_number(pasid)) {
		if (!pasid || pasid->id != first + i || pasid->dying)
			return -ENOENT;
		if (pasid->nr_bonds)
			return -EBUSY;
	}
	return 0;
}

/* Numbers that go back to the pool at once, and out of one account. */
struct number_run {
	struct sva_ctx *ctx;
	struct sva_account *account;
	u32 first;
	u32 count;
};

static void free_run(const struct number_run *run)
{
	if (!run->count)
		return;
	trace_sva_free(run->ctx->id, run->first, run->count);
	sva_pool_free(run->first, run->count);
	give_back(run->account, run->count);
}

static void free_number(struct sva_pasid *pasid, struct number_run *run)
{
	if (pasid->id != run->first + run->count || run->count == SVA_RANGE_MAX ||
	    pasid->account != run->account) {
		free_run(run);
		run->account = pasid->account;
		run->first = pasid->id;
		run->count = 0;
	}
	run->count++;
	rb_erase(&pasid->node, &run->ctx->pasids);
	forget_guest(run->ctx, pasid);
	sva_rights_kill(pasid);
	delete_pasid(pasid);
}

static int set_dying(struct sva_ctx *ctx, u32 first, u32 count, bool dying)
{
	struct sva_pasid *pasid = find_number(ctx, first);
	int ret = dying ? check_unused(pasid, first, count) : 0;
	u32 i;

	for (i = 0; !ret && i < count; i++, pasid = next_number(pasid))
		pasid->dying = dying;
	return ret;
}

/* Stops at a part that has one which cannot be freed; @done: how many before. */
static int set_all_dying(struct sva_ctx *ctx, u32 first, u32 count, bool dying,
			 u32 *done)
{
	u32 n;
	int ret;

	for (*done = 0; *done < count; *done += n) {
		n = min(count - *done, PART);
		scoped_guard(mutex, &ctx->lock)
			ret = set_dying(ctx, first + *done, n, dying);
		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}

static void free_part(u32 first, u32 count, struct number_run *run)
{
	struct sva_pasid *next, *pasid = find_number(run->ctx, first);
	u32 i;

	for (i = 0; i < count; i++, pasid = next) {
		next = next_number(pasid);
		free_number(pasid, run);
	}
}

/*
 * Once all are dying, nobody can make one of them be in use any more, and they
 * can go part by part.
 */
static int free_many(u32 first, u32 count, struct number_run *run)
{
	struct sva_ctx *ctx = run->ctx;
	u32 done, n;
	int ret;

	ret = set_all_dying(ctx, first, count, true, &done);
	if (ret) {
		set_all_dying(ctx, first, done, false, &n);
		return ret;
	}
	for (done = 0; done < count; done += n) {
		n = min(count - done, PART);
		scoped_guard(mutex, &ctx->lock)
			free_part(first + done, n, run);
		cond_resched();
	}
	return 0;
}

/* The usual case: at once. */
static int free_few(u32 first, u32 count, struct number_run *run)
{
	int ret;

	guard(mutex)(&run->ctx->lock);
	ret = check_unused(find_number(run->ctx, first), first, count);
	if (!ret)
		free_part(first, count, run);
	return ret;
}

static int free_numbers(struct sva_ctx *ctx, u32 first, u32 count)
{
	struct number_run run = { .ctx = ctx };
	int ret = count > PART ? free_many(first, count, &run) :
				 free_few(first, count, &run);

	if (ret)
		return ret;
	atomic_sub(count, &ctx->nr_pasids[SVA_PASID_KIND_NUMBER]);
	free_run(&run);
	return 0;
}

int sva_ioctl_pasid_free(struct sva_ucmd *ucmd)
{
	struct sva_pasid_free *cmd = ucmd->cmd;

	if (cmd->flags)
		return -EOPNOTSUPP;
	if (!cmd->count)
		return -EINVAL;

	if (cmd->pasid & SVA_PASID_HANDLE) {
		if (cmd->count != 1)
			return -EINVAL;
		return free_handle(ucmd->ctx, cmd->pasid);
	}
	if (cmd->count > BIT(SVA_PASID_WIDTH_MAX) ||
	    cmd->pasid >= BIT(SVA_PASID_WIDTH_MAX))
		return -ENOENT;
	return free_numbers(ucmd->ctx, cmd->pasid, cmd->count);
}

/* The number that devices use for it, 0 if there is none (yet). */
static u32 pasid_number(const struct sva_pasid *pasid)
{
	u32 number;

	switch (pasid->kind) {
	case SVA_PASID_KIND_NUMBER:
		return pasid->id;
	case SVA_PASID_KIND_MM:
		/* It is the mm's as long as that lives, attached or not. */
		number = mm_get_enqcmd_pasid(pasid->mm);
		return number == IOMMU_PASID_INVALID ? 0 : number;
	default:
		return 0;
	}
}

int sva_ioctl_pasid_info(struct sva_ucmd *ucmd)
{
	struct sva_pasid_info *cmd = ucmd->cmd;
	struct sva_ctx *ctx = ucmd->ctx;
	struct sva_pasid *pasid;

	if (cmd->flags)
		return -EOPNOTSUPP;

	mutex_lock(&ctx->lock);
	pasid = sva_pasid_find(ctx, cmd->pasid);
	if (pasid) {
		cmd->kind = pasid->kind;
		cmd->number = pasid_number(pasid);
		cmd->as_id = pasid->as ? pasid->as->obj.id : SVA_AS_NONE;
		cmd->bonds = pasid->nr_bonds;
		cmd->state = sva_pasid_state_bits(pasid);
	}
	mutex_unlock(&ctx->lock);

	return pasid ? sva_ucmd_respond(ucmd) : -ENOENT;
}

static int set_guest(struct sva_ctx *ctx, u32 id, u32 guest)
{
	struct sva_pasid *pasid = sva_pasid_find(ctx, id);
	int ret;

	if (!pasid)
		return -ENOENT;
	if (pasid->guest == guest)
		return 0;
	if (guest == SVA_GUEST_PASID_NONE) {
		forget_guest(ctx, pasid);
		return 0;
	}
	ret = xa_insert(&ctx->guests, guest, pasid, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret == -EBUSY ? -EEXIST : ret;
	forget_guest(ctx, pasid);
	WRITE_ONCE(pasid->guest, guest);
	return 0;
}

static int get_guest(struct sva_ctx *ctx, u32 id, u32 *guest)
{
	struct sva_pasid *pasid = sva_pasid_find(ctx, id);

	if (!pasid)
		return -ENOENT;
	*guest = pasid->guest;
	return 0;
}

static int find_guest(struct sva_ctx *ctx, u32 guest, u32 *id)
{
	struct sva_pasid *pasid = xa_load(&ctx->guests, guest);

	if (!pasid)
		return -ENOENT;
	*id = pasid->id;
	return 0;
}

int sva_ioctl_pasid_guest(struct sva_ucmd *ucmd)
{
	struct sva_pasid_guest *cmd = ucmd->cmd;
	struct sva_ctx *ctx = ucmd->ctx;
	bool none = cmd->guest_pasid == SVA_GUEST_PASID_NONE;
	int ret;

	if (cmd->flags & ~(SVA_GUEST_F_SET | SVA_GUEST_F_FIND | SVA_GUEST_F_GET))
		return -EOPNOTSUPP;
	if (hweight32(cmd->flags) != 1)
		return -EINVAL;
	if (cmd->flags != SVA_GUEST_F_GET &&
	    cmd->guest_pasid >= BIT(SVA_PASID_WIDTH_MAX) &&
	    !(none && cmd->flags == SVA_GUEST_F_SET))
		return -EINVAL;

	mutex_lock(&ctx->lock);
	if (cmd->flags == SVA_GUEST_F_SET)
		ret = set_guest(ctx, cmd->pasid, cmd->guest_pasid);
	else if (cmd->flags == SVA_GUEST_F_GET)
		ret = get_guest(ctx, cmd->pasid, &cmd->guest_pasid);
	else
		ret = find_guest(ctx, cmd->guest_pasid, &cmd->pasid);
	mutex_unlock(&ctx->lock);
	return ret ?: sva_ucmd_respond(ucmd);
}

/* The first PASID whose number or handle is not less than @id. */
static struct sva_pasid *first_from(struct sva_ctx *ctx, u64 id)
{
	struct rb_node *node = ctx->pasids.rb_node;
	struct sva_pasid *found = NULL;
	unsigned long index = 0;

	while (node) {
		struct sva_pasid *pasid = rb_entry(node, struct sva_pasid, node);

		if (pasid->id < id) {
			node = node->rb_right;
		} else {
			found = pasid;
			node = node->rb_left;
		}
	}
	if (found)
		return found;
	if (id > U32_MAX)
		return NULL;
	if (id & SVA_PASID_HANDLE)
		index = id & ~SVA_PASID_HANDLE;
	return xa_find(&ctx->handles, &index, ULONG_MAX, XA_PRESENT);
}

/**
 * sva_pasid_list() - List the PASIDs of a context
 * @ctx: The context
 * @pos: Where to begin; where to go on
 * @entries: Array of struct sva_list_pasid, zeroed
 * @room: How many fit
 *
 * Return: entries written, or -EINTR.
 */
int sva_pasid_list(struct sva_ctx *ctx, struct sva_list_pos *pos, void *entries,
		   u32 room)
{
	struct sva_list_pasid *entry = entries;
	struct sva_pasid *pasid;
	u32 n;

	if (mutex_lock_killable(&ctx->lock))
		return -EINTR;
	for (n = 0; n < room; n++, entry++) {
		pasid = first_from(ctx, pos->id);
		pos->end = !pasid;
		if (!pasid)
			break;
		entry->ctx_id = ctx->id;
		entry->pasid = pasid->id;
		entry->kind = pasid->kind;
		entry->number = pasid_number(pasid);
		entry->as_id = pasid->as ? pasid->as->obj.id : SVA_AS_NONE;
		entry->bonds = pasid->nr_bonds;
		entry->state = sva_pasid_state_bits(pasid);
		entry->guest_pasid = pasid->guest;
		pos->id = (u64)pasid->id + 1;
	}
	mutex_unlock(&ctx->lock);
	return n;
}

/**
 * sva_pasid_free_all() - Free what a context still has at its end
 * @ctx: The context, which nobody can reach any more; no bond is left
 */
void sva_pasid_free_all(struct sva_ctx *ctx)
{
	struct number_run run = { .ctx = ctx };
	struct sva_pasid *pasid, *next;
	unsigned long index;

	pasid = rb_entry_safe(rb_first(&ctx->pasids), struct sva_pasid, node);
	for (; pasid; pasid = next) {
		next = next_number(pasid);
		free_number(pasid, &run);
		cond_resched();
	}
	free_run(&run);

	xa_for_each(&ctx->handles, index, pasid) {
		trace_sva_free(ctx->id, pasid->id, 1);
		sva_rights_kill(pasid);
		delete_handle(pasid);
	}
	xa_destroy(&ctx->handles);
	xa_destroy(&ctx->guests);
}
