// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has how many PASIDs, and may have: a tree of cgroups, and users beside it.
 *
 * A module can neither register a cgroup controller nor hear of the end of a
 * cgroup. Nodes are therefore found by the cgroup's id, which is never given out
 * again, and hold no reference to it. Those of cgroups that are gone are looked
 * for some time after somebody has given back his last PASID, and whenever there
 * are twice as many as the last look has left.
 *
 * What PASIDs point to is an account: a pair of cgroup and user. It is found
 * without a lock, and charging it takes none.
 */
#include <linux/cgroup.h>
#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/jhash.h>
#include <linux/module.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/workqueue.h>
#include <trace/events/sva.h>

#include "sva_private.h"

static int user_limit = -1;
module_param(user_limit, int, 0644);
MODULE_PARM_DESC(user_limit,
		 "PASIDs that a user can have who has no limit of his own (-1: an eighth of the pool, 8192 at most)");

/* In place of the number of PASIDs that point to an account. */
#define ACCOUNT_DEAD	LONG_MIN

/* Fewer are not worth a look at once. */
#define COLLECT_MIN	64

/* How long after a PASID was freed idle nodes may stay. */
#define COLLECT_DELAY	(30 * HZ)

static const struct rhashtable_params node_params = {
	.key_len = sizeof(struct sva_quota_key),
	.key_offset = offsetof(struct sva_quota_node, key),
	.head_offset = offsetof(struct sva_quota_node, hash),
	.automatic_shrinking = true,
};

static const struct rhashtable_params account_params = {
	.key_len = sizeof(struct sva_quota_key),
	.key_offset = offsetof(struct sva_account, key),
	.head_offset = offsetof(struct sva_account, hash),
	.automatic_shrinking = true,
};

static void collect(struct work_struct *work);

static DEFINE_MUTEX(quota_lock);	/* to change what follows */
static struct rhashtable nodes;
static struct rhashtable accounts;	/* also read under RCU */
static LIST_HEAD(node_list);		/* nodes come after the one above them */
static LIST_HEAD(account_list);
static unsigned int nr_nodes;		/* also read without the lock */
static unsigned int nr_accounts;
static unsigned int collect_above = COLLECT_MIN;
static DECLARE_DELAYED_WORK(collect_work, collect);

/* --- the tree ----------------------------------------------------------------- */

/*
 * Each can be bound to an address space of its own, which takes one of the domain ids
 * of an IOMMU. VT-d has 65,536 of those at most (revision 4.1, 11.4.2).
 */
#define DEFAULT_MAX	8192U

static u32 default_max(void)
{
	struct sva_pool_info pool;
	int limit = READ_ONCE(user_limit);

	if (limit >= 0)
		return limit;
	sva_pool_get_info(&pool);
	return clamp(pool.size / 8, 1U, DEFAULT_MAX);
}

static u32 node_max(const struct sva_quota_node *node)
{
	/* Pairs with sva_quota_set_user(): the limit is read after it was set. */
	if (smp_load_acquire(&node->by_default))
		return default_max();
	return READ_ONCE(node->max);
}

static u32 node_left(const struct sva_quota_node *node)
{
	u32 max = node_max(node);
	u32 used = atomic_read(&node->used);

	if (max == SVA_QUOTA_NO_LIMIT)
		return SVA_QUOTA_NO_LIMIT;
	return used < max ? max - used : 0;
}

static void note_peak(struct sva_quota_node *node)
{
	int used = atomic_read(&node->used);
	int peak = atomic_read(&node->peak);

	while (used > peak && !atomic_try_cmpxchg(&node->peak, &peak, used))
		;
}

/* Never more than @max, not even for a moment: others would be refused by it. */
static bool charge_node(struct sva_quota_node *node, u32 count, u32 max)
{
	int used = atomic_read(&node->used);

	do {
		if (count > max || used > max - count)
			return false;
	} while (!atomic_try_cmpxchg(&node->used, &used, used + count));
	return true;
}

static void uncharge_until(struct sva_quota_node *node,
			   const struct sva_quota_node *end, u32 count)
{
	for (; node != end; node = node->parent)
		atomic_sub(count, &node->used);
}

/**
 * sva_quota_charge_nodes() - Charge a node and all above it, or none
 * @node: The node
 * @count: How many PASIDs
 *
 * Return: whether they all had room; if not, it is an event of the one that had
 * not and of all above that.
 */
bool sva_quota_charge_nodes(struct sva_quota_node *node, u32 count)
{
	struct sva_quota_node *at;

	for (at = node; at; at = at->parent)
		if (!charge_node(at, count, node_max(at)))
			break;
	if (!at) {
		for (at = node; at; at = at->parent)
			note_peak(at);
		return true;
	}

	uncharge_until(node, at, count);
	for (; at; at = at->parent)
		atomic64_inc(&at->events);
	return false;
}

/**
 * sva_quota_uncharge_nodes() - Undo sva_quota_charge_nodes()
 * @node: The node
 * @count: How many PASIDs
 */
void sva_quota_uncharge_nodes(struct sva_quota_node *node, u32 count)
{
	uncharge_until(node, NULL, count);
}

static void schedule_collection(void)
{
	if (nr_nodes + nr_accounts > collect_above)
		mod_delayed_work(system_dfl_wq, &collect_work, 0);
}

static struct sva_quota_node *find_node(const struct sva_quota_key *key)
{
	lockdep_assert_held(&quota_lock);
	return rhashtable_lookup_fast(&nodes, key, node_params);
}

/* It is idle until something points to it, and can be collected then. */
static struct sva_quota_node *get_node(const struct sva_quota_key *key,
				       struct sva_quota_node *parent)
{
	struct sva_quota_node *node = find_node(key);
	int ret;

	if (node)
		return node;
	node = kzalloc_obj(*node, GFP_KERNEL_ACCOUNT);
	if (!node)
		return ERR_PTR(-ENOMEM);
	node->key = *key;
	node->max = SVA_QUOTA_NO_LIMIT;
	node->by_default = key->kind == SVA_QUOTA_USER;
	node->parent = parent;
	ret = rhashtable_insert_fast(&nodes, &node->hash, node_params);
	if (ret) {
		kfree(node);
		return ERR_PTR(ret);
	}
	if (parent)
		parent->users++;
	list_add_tail(&node->node, &node_list);
	WRITE_ONCE(nr_nodes, nr_nodes + 1);
	return node;
}

static struct sva_quota_key cgroup_key(const struct cgroup *cgrp)
{
	return (struct sva_quota_key) {
		.cgroup = cgroup_id(cgrp),
		.kind = SVA_QUOTA_CGROUP,
	};
}

static struct sva_quota_key user_key(kuid_t uid)
{
	return (struct sva_quota_key) {
		.uid = __kuid_val(uid),
		.kind = SVA_QUOTA_USER,
	};
}

/* That of a cgroup, with all above it. */
static struct sva_quota_node *get_cgroup_node(struct cgroup *cgrp)
{
	struct sva_quota_node *node = NULL;
	int level;

	for (level = 0; level <= cgrp->level; level++) {
		struct sva_quota_key key =
			cgroup_key(cgroup_ancestor(cgrp, level));

		node = get_node(&key, node);
		if (IS_ERR(node))
			break;
	}
	return node;
}

/* --- accounts ----------------------------------------------------------------- */

/**
 * sva_quota_current_user() - The user that the calling task counts as
 *
 * Root has given out the ids of a namespace that it made. Anybody else could make
 * himself as many users as he likes: they count as himself.
 *
 * Return: the user.
 */
kuid_t sva_quota_current_user(void)
{
	const struct user_namespace *ns;
	kuid_t uid = current_euid();

	for (ns = current_user_ns(); ns->parent; ns = ns->parent)
		if (!uid_eq(ns->owner, GLOBAL_ROOT_UID))
			uid = ns->owner;
	return uid;
}

static struct sva_quota_key account_key(const struct cgroup *cgrp, u64 misc)
{
	return (struct sva_quota_key) {
		.cgroup = cgroup_id(cgrp),
		.misc = misc,
		.uid = __kuid_val(sva_quota_current_user()),
		.kind = SVA_QUOTA_ACCOUNT,
	};
}

/* The caller holds the RCU read lock or quota_lock. */
static struct sva_account *find_account(const struct sva_quota_key *key,
					u32 count)
{
	struct sva_account *account;

	account = rhashtable_lookup_fast(&accounts, key, account_params);
	if (account && atomic_long_add_unless(&account->users, count, ACCOUNT_DEAD))
		return account;
	return NULL;
}

/* If it can be made, it takes over the caller's reference to @misc. */
static struct sva_account *new_account(struct cgroup *cgrp,
				       const struct sva_quota_key *key,
				       struct misc_cg *misc)
{
	struct sva_quota_key user = user_key(KUIDT_INIT(key->uid));
	struct sva_account *account;
	int ret;

	account = kzalloc_obj(*account, GFP_KERNEL_ACCOUNT);
	if (!account)
		return ERR_PTR(-ENOMEM);
	account->key = *key;
	account->cgroup = get_cgroup_node(cgrp);
	ret = PTR_ERR_OR_ZERO(account->cgroup);
	if (ret)
		goto out_free;
	account->user = get_node(&user, NULL);
	ret = PTR_ERR_OR_ZERO(account->user);
	if (ret)
		goto out_free;
	account->misc = misc;
	/* From here on it is found without a lock, and charged. */
	ret = rhashtable_insert_fast(&accounts, &account->hash, account_params);
	if (ret)
		goto out_free;
	account->cgroup->users++;
	account->user->users++;
	list_add_tail(&account->node, &account_list);
	nr_accounts++;
	return account;

out_free:
	kfree(account);
	return ERR_PTR(ret);
}

static struct sva_account *make_account(struct cgroup *cgrp, u32 count)
{
	u64 misc_id;
	struct misc_cg *misc = sva_quota_misc_get(&misc_id);
	const struct sva_quota_key key = account_key(cgrp, misc_id);
	struct sva_account *account;
	bool made = false;

	scoped_guard(mutex, &quota_lock) {
		account = find_account(&key, count);
		if (account)
			break;
		account = new_account(cgrp, &key, misc);
		made = !IS_ERR(account);
		if (made)
			atomic_long_add(count, &account->users);
		schedule_collection();
	}
	if (!made)
		sva_quota_misc_put(misc);
	return account;
}

static struct sva_account *find_caller(const struct cgroup *cgrp, u32 count)
{
	const struct sva_quota_key key = account_key(cgrp, sva_quota_misc_id());

	return find_account(&key, count);
}

/**
 * sva_account_get() - The account of the calling task
 * @count: How many PASIDs are to point to it, charged or not
 *
 * Return: the account, to be given to sva_account_put() with the same count, or
 * ERR_PTR(-ENOMEM).
 */
struct sva_account *sva_account_get(u32 count)
{
	struct sva_account *account;
	struct cgroup *cgrp;

	/* A cgroup cannot be had that the task has just been moved out of. */
	for (;;) {
		guard(rcu)();
		cgrp = task_dfl_cgroup(current);
		account = find_caller(cgrp, count);
		if (account)
			return account;
		/* Not in the condition of a loop, which is outside of its guard */
		if (cgroup_tryget(cgrp))
			break;
	}

	account = make_account(cgrp, count);
	cgroup_put(cgrp);
	return account;
}

/**
 * sva_account_hold() - More PASIDs point to an account
 * @account: The account, which one points to already
 * @count: How many
 *
 * Context: Any.
 */
void sva_account_hold(struct sva_account *account, u32 count)
{
	atomic_long_add(count, &account->users);
}

/**
 * sva_account_put() - PASIDs point to an account no more
 * @account: The account
 * @count: How many
 *
 * Context: Any.
 */
void sva_account_put(struct sva_account *account, u32 count)
{
	if (atomic_long_sub_and_test(count, &account->users) &&
	    !delayed_work_pending(&collect_work))
		queue_delayed_work(system_dfl_wq, &collect_work, COLLECT_DELAY);
}

/* Who may lift limits need not mind his own. */
static bool may_exceed(const struct sva_account *account)
{
	return account->key.uid == __kuid_val(sva_quota_current_user()) &&
	       capable(CAP_SYS_RESOURCE);
}

static bool charge_user(struct sva_account *account, u32 count)
{
	struct sva_quota_node *user = account->user;

	if (charge_node(user, count, node_max(user)) ||
	    (may_exceed(account) && charge_node(user, count, SVA_QUOTA_NO_LIMIT))) {
		note_peak(user);
		return true;
	}
	atomic64_inc(&user->events);
	return false;
}

static bool charge_all(struct sva_account *account, u32 count)
{
	if (!sva_quota_charge_nodes(account->cgroup, count))
		return false;
	if (!sva_quota_misc_charge(account, count))
		goto out_nodes;
	if (!charge_user(account, count))
		goto out_misc;
	return true;

out_misc:
	sva_quota_misc_uncharge(account, count);
out_nodes:
	sva_quota_uncharge_nodes(account->cgroup, count);
	return false;
}

/**
 * sva_account_charge() - Charge PASIDs to an account
 * @account: The account
 * @count: How many
 *
 * Context: Does not sleep.
 * Return: 0, or -EDQUOT: nothing was charged.
 */
int sva_account_charge(struct sva_account *account, u32 count)
{
	int ret = charge_all(account, count) ? 0 : -EDQUOT;

	trace_sva_charge(account->key.cgroup, account->key.uid, count, ret);
	return ret;
}

/* An idle CPU keeps the mm of the process that it ran last. */
static bool keeps_few(const struct sva_quota_node *node)
{
	u32 max = node_max(node);

	return max == SVA_QUOTA_NO_LIMIT ||
	       atomic_read(&node->kept) <= (u64)max + nr_cpu_ids;
}

static bool may_keep(struct sva_account *account)
{
	struct sva_quota_node *node;

	for (node = account->cgroup; node && keeps_few(node); node = node->parent)
		;
	if (!node && !keeps_few(account->user) && !may_exceed(account))
		node = account->user;
	if (node)
		atomic64_inc(&node->events);
	return !node;
}

/**
 * sva_account_charge_process() - Charge the PASID of a process to an account
 * @account: The account
 *
 * As sva_account_charge(). In addition, those of ended processes whose memory is kept
 * must not be many more than what may be charged.
 *
 * Context: Does not sleep.
 * Return: 0, or -EDQUOT: nothing was charged.
 */
int sva_account_charge_process(struct sva_account *account)
{
	int ret = may_keep(account) && charge_all(account, 1) ? 0 : -EDQUOT;

	trace_sva_charge(account->key.cgroup, account->key.uid, 1, ret);
	return ret;
}

static void add_kept(struct sva_account *account, int count)
{
	struct sva_quota_node *node;

	for (node = account->cgroup; node; node = node->parent)
		atomic_add(count, &node->kept);
	atomic_add(count, &account->user->kept);
}

/**
 * sva_account_keep() - Count a PASID that is not charged any more, but not free
 * @account: The account, which the PASID goes on to point to
 *
 * Context: Any.
 */
void sva_account_keep(struct sva_account *account)
{
	add_kept(account, 1);
}

/**
 * sva_account_unkeep() - Undo sva_account_keep()
 * @account: The account
 *
 * Context: Any.
 */
void sva_account_unkeep(struct sva_account *account)
{
	add_kept(account, -1);
}

/**
 * sva_account_uncharge() - Undo sva_account_charge()
 * @account: The account
 * @count: How many
 *
 * Context: Any.
 */
void sva_account_uncharge(struct sva_account *account, u32 count)
{
	sva_quota_uncharge_nodes(account->cgroup, count);
	sva_quota_misc_uncharge(account, count);
	sva_quota_uncharge_nodes(account->user, count);
}

/* --- collecting what is idle ---------------------------------------------------- */

static void free_account(struct sva_account *account)
{
	rhashtable_remove_fast(&accounts, &account->hash, account_params);
	list_del(&account->node);
	nr_accounts--;
	account->cgroup->users--;
	account->user->users--;
	sva_quota_misc_put(account->misc);
	kfree_rcu(account, rcu);
}

static void free_node(struct sva_quota_node *node)
{
	rhashtable_remove_fast(&nodes, &node->hash, node_params);
	list_del(&node->node);
	WRITE_ONCE(nr_nodes, nr_nodes - 1);
	if (node->parent)
		node->parent->users--;
	kfree(node);
}

/* Looks in the cgroup namespace of the caller, who must be in that of init. */
static bool is_needed(const struct sva_quota_node *node)
{
	struct cgroup *cgrp;

	if (node->users)
		return true;
	if (node->key.kind == SVA_QUOTA_USER)
		return !node->by_default;
	cgrp = cgroup_get_from_id(node->key.cgroup);
	if (IS_ERR(cgrp))
		return false;
	cgroup_put(cgrp);
	return true;
}

static void collect(struct work_struct *work)
{
	struct sva_account *account, *next_account;
	struct sva_quota_node *node, *next_node;

	guard(mutex)(&quota_lock);
	list_for_each_entry_safe(account, next_account, &account_list, node) {
		if (!atomic_long_cmpxchg(&account->users, 0, ACCOUNT_DEAD))
			free_account(account);
		cond_resched();
	}
	/* From below, so that those above are found idle. */
	list_for_each_entry_safe_reverse(node, next_node, &node_list, node) {
		if (!is_needed(node))
			free_node(node);
		cond_resched();
	}
	collect_above = max(2 * (nr_nodes + nr_accounts), COLLECT_MIN);
}

/* --- limits and figures --------------------------------------------------------- */

/* Those of which there is no record */
static void no_figures(struct sva_quota *quota, u32 max)
{
	quota->max = max;
	quota->left = max;
	quota->used = 0;
	quota->peak = 0;
	quota->events = 0;
}

static void fill_figures(const struct sva_quota_node *node, struct sva_quota *quota)
{
	quota->max = node_max(node);
	quota->used = atomic_read(&node->used);
	quota->peak = atomic_read(&node->peak);
	quota->events = atomic64_read(&node->events);
}

/**
 * sva_quota_read_cgroup() - Figures of a cgroup
 * @cgrp: The cgroup
 * @quota: Out: the figures
 */
void sva_quota_read_cgroup(struct cgroup *cgrp, struct sva_quota *quota)
{
	const struct sva_quota_node *node = NULL;
	int level;

	no_figures(quota, SVA_QUOTA_NO_LIMIT);

	guard(mutex)(&quota_lock);
	for (level = 0; level <= cgrp->level; level++) {
		struct sva_quota_key key =
			cgroup_key(cgroup_ancestor(cgrp, level));

		node = find_node(&key);
		if (!node)
			return;
		quota->left = min(quota->left, node_left(node));
	}
	fill_figures(node, quota);
}

/**
 * sva_quota_set_cgroup() - Set the limit of a cgroup
 * @cgrp: The cgroup
 * @max: PASIDs, or %SVA_QUOTA_NO_LIMIT
 *
 * Return: 0 or -ENOMEM.
 */
int sva_quota_set_cgroup(struct cgroup *cgrp, u32 max)
{
	struct sva_quota_node *node;

	guard(mutex)(&quota_lock);
	node = get_cgroup_node(cgrp);
	if (IS_ERR(node))
		return PTR_ERR(node);
	WRITE_ONCE(node->max, max);
	schedule_collection();
	return 0;
}

/**
 * sva_quota_read_user() - Figures of a user
 * @uid: The user
 * @quota: Out: the figures
 */
void sva_quota_read_user(kuid_t uid, struct sva_quota *quota)
{
	const struct sva_quota_key key = user_key(uid);
	const struct sva_quota_node *node;

	guard(mutex)(&quota_lock);
	node = find_node(&key);
	if (node) {
		fill_figures(node, quota);
		quota->left = node_left(node);
	} else {
		no_figures(quota, default_max());
	}
}

/**
 * sva_quota_set_user() - Set the limit of a user
 * @uid: The user
 * @max: PASIDs, or %SVA_QUOTA_NO_LIMIT
 *
 * Return: 0 or -ENOMEM.
 */
int sva_quota_set_user(kuid_t uid, u32 max)
{
	const struct sva_quota_key key = user_key(uid);
	struct sva_quota_node *node;

	guard(mutex)(&quota_lock);
	node = get_node(&key, NULL);
	if (IS_ERR(node))
		return PTR_ERR(node);
	WRITE_ONCE(node->max, max);
	/* Pairs with node_max(), which takes no lock. */
	smp_store_release(&node->by_default, false);
	schedule_collection();
	return 0;
}

/**
 * sva_quota_nr_nodes() - How many cgroups and users there is a record of
 *
 * Return: the number.
 */
unsigned int sva_quota_nr_nodes(void)
{
	return READ_ONCE(nr_nodes);
}

int sva_quota_init(void)
{
	int ret;

	ret = rhashtable_init(&nodes, &node_params);
	if (ret)
		return ret;
	ret = rhashtable_init(&accounts, &account_params);
	if (ret)
		goto out_nodes;
	ret = sva_quota_misc_init();
	if (ret)
		goto out_accounts;
	return 0;

out_accounts:
	rhashtable_destroy(&accounts);
out_nodes:
	rhashtable_destroy(&nodes);
	return ret;
}

/* Nothing is charged any more. */
void sva_quota_exit(void)
{
	struct sva_account *account, *next_account;
	struct sva_quota_node *node, *next_node;

	cancel_delayed_work_sync(&collect_work);
	list_for_each_entry_safe(account, next_account, &account_list, node)
		free_account(account);
	list_for_each_entry_safe_reverse(node, next_node, &node_list, node)
		free_node(node);
	sva_quota_misc_exit();
	rhashtable_destroy(&accounts);
	rhashtable_destroy(&nodes);
}
