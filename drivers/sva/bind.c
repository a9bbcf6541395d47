// SPDX-License-Identifier: GPL-2.0-only
/*
 * What PASIDs are bound to, seen from the IOMMU: attaching, rebinding, undoing.
 *
 * The promise of a rebind: at every moment a device sees the old translation,
 * the new one, or none. If an IOMMU refuses the new one, all devices get the old
 * one back; a use for which even that fails stays blocked and is revoked.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pci-ats.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <trace/events/sva.h>

#include "iommu_internal.h"
#include "sva_private.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts,
		 "Attach RID handles although the platform does not isolate interrupts");

/* Any bond will do to name the device: the IOMMU acts on the group. */
static struct sva_bond *first_bond(struct sva_attachment *att)
{
	return list_first_entry(&att->bonds, struct sva_bond, attachment_node);
}

static struct sva_target attachment_target(struct sva_attachment *att)
{
	return (struct sva_target) {
		.dev = first_bond(att)->sdev->dev,
		.group = att->group->group,
		.pasid = att->pasid->kind == SVA_PASID_KIND_NUMBER ?
			 att->pasid->id : IOMMU_NO_PASID,
	};
}

static int count_device(struct device *dev, void *count)
{
	++*(unsigned int *)count;
	return 0;
}

static int add_member(struct device *dev, void *data)
{
	struct sva_handle *handle = data;

	if (handle->nr_members < handle->max_members)
		handle->members[handle->nr_members++].dev = get_device(dev);
	return 0;
}

/**
 * sva_handle_member() - Look up a device that an attach was made for
 * @handle: Of the attach
 * @dev: A device of the group
 *
 * Context: Any.
 * Return: the member, or NULL: the device has joined the group later.
 */
struct sva_member *sva_handle_member(struct sva_handle *handle,
				     const struct device *dev)
{
	unsigned int i;

	for (i = 0; i < handle->nr_members; i++)
		if (handle->members[i].dev == dev)
			return &handle->members[i];
	return NULL;
}

/* A bond of a group as a whole is one of each of its devices. */
static bool is_of(const struct sva_bond *bond, const struct sva_member *member)
{
	return bond->sdev->whole_group || bond->sdev->dev == member->dev;
}

/* Return: whether there is a device that it is of. */
static bool count_bond(struct sva_handle *handle, struct sva_faultq *faultq,
		       const struct sva_bond *bond)
{
	struct sva_member *member;
	bool found = false;

	for (member = handle->members;
	     member < handle->members + handle->nr_members; member++) {
		u32 dev_id = member->dev_id;

		if (!is_of(bond, member))
			continue;
		if (!bond->sdev->whole_group)
			dev_id = bond->sdev->id;
		else if (!member->nr_bonds)
			dev_id = sva_device_find_id(member->dev);
		sva_faultq_join(faultq, member, dev_id);
		found = true;
	}
	return found;
}

/*
 * The members are found before anything is set, so that none is taken for one
 * for which it was set while it was not.
 */
static struct sva_handle *alloc_handle(struct sva_attachment *att)
{
	struct iommu_group *group = att->group->group;
	struct sva_handle *handle;
	struct sva_bond *bond;
	unsigned int num = 0;

	iommu_group_for_each_dev(group, &num, count_device);
	handle = kzalloc_flex(*handle, members, num, GFP_KERNEL_ACCOUNT);
	if (!handle)
		return NULL;
	handle->max_members = num;
	iommu_group_for_each_dev(group, handle, add_member);
	list_for_each_entry(bond, &att->bonds, attachment_node)
		count_bond(handle, NULL, bond);
	return handle;
}

/* The core wants a new one for each attach: page requests look without a lock. */
static struct sva_handle *new_handle(struct sva_attachment *att,
				     struct sva_faultq *faultq)
{
	struct sva_handle *handle = alloc_handle(att);

	if (!handle)
		return NULL;
	handle->ctx = first_bond(att)->ctx;
	handle->pasid = att->pasid;
	handle->faultq = faultq;
	handle->group = att->group->group;
	INIT_LIST_HEAD(&handle->groups);
	return handle;
}

/* The attach has ended, but its page requests may wait for answers. */
static void free_handle(struct sva_handle *handle)
{
	unsigned int i;

	if (!handle)
		return;
	if (handle->faultq)
		sva_faultq_drain(handle->faultq, handle);
	for (i = 0; i < handle->nr_members; i++)
		put_device(handle->members[i].dev);
	kfree(handle);
}

/**
 * sva_target_set() - Have the IOMMU translate a target through a domain
 * @target: The target
 * @domain: The domain
 *
 * Return: 0, -EINVAL if domain and device do not fit, or what else the IOMMU
 * answered.
 */
int sva_target_set(const struct sva_target *target, struct iommu_domain *domain)
{
	if (target->pasid == IOMMU_NO_PASID) {
		if (target->replace)
			return iommu_replace_group_handle(target->group, domain,
							  &target->handle->handle);
		return iommu_attach_group_handle(domain, target->group,
						 &target->handle->handle);
	}
	if (target->replace)
		return iommu_replace_device_pasid(domain, target->dev,
						  target->pasid,
						  &target->handle->handle);
	return iommu_attach_device_pasid(domain, target->dev, target->pasid,
					 &target->handle->handle);
}

static void target_clear(const struct sva_target *target,
			 struct iommu_domain *domain)
{
	if (target->pasid == IOMMU_NO_PASID)
		iommu_detach_group_handle(domain, target->group);
	else
		iommu_detach_device_pasid(domain, target->dev, target->pasid);
}

static bool has_live_bond(const struct sva_attachment *att)
{
	const struct sva_bond *bond;

	list_for_each_entry(bond, &att->bonds, attachment_node)
		if (bond->state == SVA_BOND_LIVE)
			return true;
	return false;
}

static void free_translation(struct sva_translation *tr)
{
	if (!tr)
		return;
	tr->domain->as->ops->put(tr->domain, tr);
	free_handle(tr->handle);
	kfree(tr);
}

static int is_pri_vf(struct device *dev, void *unused)
{
	/* Page requests of a VF share the PF's queue: PCIe 6.0, 10.4.2. */
	return dev_is_pci(dev) && to_pci_dev(dev)->is_virtfn &&
	       pci_pri_supported(to_pci_dev(dev));
}

/* Translates an attachment through @as, in place of what it has if it has any. */
static struct sva_translation *new_translation(struct sva_attachment *att,
					       struct sva_as *as)
{
	struct sva_target target = attachment_target(att);
	struct sva_translation *tr;
	int ret = -ENOMEM;

	if (as->faultq &&
	    iommu_group_for_each_dev(target.group, NULL, is_pri_vf))
		return ERR_PTR(-EOPNOTSUPP);

	tr = kzalloc_obj(*tr, GFP_KERNEL_ACCOUNT);
	if (!tr)
		return ERR_PTR(-ENOMEM);
	tr->handle = new_handle(att, as->faultq);
	if (!tr->handle)
		goto out_free;

	target.handle = tr->handle;
	target.replace = att->now && !att->cleared;
	target.owner = tr;
	tr->domain = as->ops->attach(as, &target);
	if (IS_ERR(tr->domain)) {
		ret = PTR_ERR(tr->domain);
		goto out_free;
	}
	return tr;

out_free:
	free_handle(tr->handle);
	kfree(tr);
	return ERR_PTR(ret);
}

static struct sva_faultq *now_faultq(const struct sva_attachment *att)
{
	return att->now ? att->now->domain->as->faultq : NULL;
}

/*
 * For a page request the IOMMU core looks the handle up without a lock. In the
 * middle of a replace, a driver may report one through the new domain for which
 * the old handle is found, and which is under way when that is freed. Detaching
 * waits for all of them (but Intel's of the RID, in 7.2). Where nobody handles
 * requests, the core uses the handle just to see that, and does not sleep meanwhile.
 */
static void clear_first(struct sva_attachment *att, struct sva_as *as)
{
	struct sva_target target = attachment_target(att);

	if (!att->now || (!now_faultq(att) && !as->faultq))
		return;
	target_clear(&target, att->now->domain->domain);
	att->cleared = true;
}

/*
 * Translates an attachment through @as, or blocks it if that is NULL. What was
 * there before becomes @old, for either free_translation() or restore().
 */
static int switch_to(struct sva_attachment *att, struct sva_as *as)
{
	struct sva_target target = attachment_target(att);
	struct sva_translation *tr = NULL;

	if (as) {
		clear_first(att, as);
		tr = new_translation(att, as);
		if (IS_ERR(tr))
			return PTR_ERR(tr);
	} else if (att->now) {
		target_clear(&target, att->now->domain->domain);
	}
	att->old = att->now;
	att->now = tr;
	att->cleared = false;
	return 0;
}

static void forget_old(struct sva_attachment *att)
{
	free_translation(att->old);
	att->old = NULL;
	free_handle(att->spare_handle);
	att->spare_handle = NULL;
}

/*
 * Translates an attachment as @want says, whatever the IOMMU does now: a driver
 * that tears down first may have lost even what it should have kept, and of a
 * group with several devices the core has put back only those before the one
 * that refused. Therefore detach, then attach. If that is refused, it is blocked.
 */
static int restore(struct sva_attachment *att, struct sva_translation *want)
{
	struct sva_target target = attachment_target(att);
	int ret;

	if (att->now && !att->cleared)
		target_clear(&target, att->now->domain->domain);
	att->cleared = false;
	if (att->now != want)
		free_translation(att->now);
	att->now = want;
	if (!want)
		return 0;

	swap(want->handle, att->spare_handle);
	target.handle = want->handle;
	ret = sva_target_set(&target, want->domain->domain);
	if (ret) {
		free_translation(want);
		att->now = NULL;
	}
	return ret;
}

static bool restore_or_revoke(struct sva_attachment *att,
			      struct sva_translation *want,
			      struct list_head *revoke)
{
	struct sva_bond *bond;

	if (!restore(att, want))
		return true;
	list_for_each_entry(bond, &att->bonds, attachment_node)
		sva_bond_begin_revoke(bond, revoke);
	return false;
}

static int find_narrowest(struct device *dev, void *max_pasids)
{
	u32 *max = max_pasids;

	if (dev->iommu->max_pasids)
		*max = min(*max, dev->iommu->max_pasids);
	return 0;
}

/* A PASID is set for all devices of the group that have PASIDs. */
static bool fits_all(const struct sva_pasid *pasid, struct sva_group *group)
{
	u32 max_pasids = U32_MAX;

	iommu_group_for_each_dev(group->group, &max_pasids, find_narrowest);
	return pasid->id < max_pasids;
}

/*
 * A narrow device may have joined a group. Not even what was there before could
 * be set once more then.
 */
static int check_widths(struct sva_pasid *pasid)
{
	const struct sva_attachment *att;

	if (pasid->kind != SVA_PASID_KIND_NUMBER)
		return 0;
	list_for_each_entry(att, &pasid->attachments, node)
		if (!fits_all(pasid, att->group))
			return -ERANGE;
	return 0;
}

/* Allocated beforehand, so that undoing never lacks it. */
static int alloc_spare_handles(struct sva_pasid *pasid)
{
	struct sva_attachment *att;

	list_for_each_entry(att, &pasid->attachments, node) {
		att->spare_handle = new_handle(att, now_faultq(att));
		if (!att->spare_handle)
			return -ENOMEM;
	}
	return 0;
}

/*
 * Switches all attachments of a PASID or none. Bonds that the attempt has cost
 * are put on @revoke. Attachments with nothing but revoked bonds are blocked:
 * their devices have been stopped.
 */
static int switch_all(struct sva_pasid *pasid, struct sva_as *as,
		      struct list_head *revoke)
{
	struct sva_attachment *att;
	bool undone;
	int ret = 0;

	if (as)
		ret = check_widths(pasid);
	if (!ret)
		ret = alloc_spare_handles(pasid);
	if (ret)
		goto out_forget;

	list_for_each_entry(att, &pasid->attachments, node) {
		ret = switch_to(att, has_live_bond(att) ? as : NULL);
		if (ret)
			goto out_undo;
	}
	goto out_forget;

out_undo:
	undone = restore_or_revoke(att, att->now, revoke);
	list_for_each_entry_continue_reverse(att, &pasid->attachments, node) {
		struct sva_translation *old = att->old;

		att->old = NULL;
		undone &= restore_or_revoke(att, old, revoke);
	}
	if (!undone)
		ret = -ENOTRECOVERABLE;
out_forget:
	list_for_each_entry(att, &pasid->attachments, node)
		forget_old(att);
	return ret;
}

/* Takes over a use of @as if it succeeds; @as may be NULL. */
static int bind_pasid(struct sva_pasid *pasid, struct sva_as *as,
		      struct list_head *revoke)
{
	int ret;

	if (pasid->kind == SVA_PASID_KIND_MM)
		return -EINVAL;

	/*
	 * What is set already must be left alone: replacing a domain by itself
	 * is nothing to the IOMMU core, which would not mend what a driver tore
	 * down when it was asked whether some other domain fits.
	 */
	if (as != pasid->as) {
		ret = switch_all(pasid, as, revoke);
		if (ret) {
			if (!list_empty(revoke))
				pasid->revoked = true;
			return ret;
		}
	}
	if (pasid->as)
		sva_as_put(pasid->as);
	pasid->as = as;
	pasid->revoked = false;
	return 0;
}

int sva_ioctl_pasid_bind(struct sva_ucmd *ucmd)
{
	struct sva_pasid_bind *cmd = ucmd->cmd;
	struct sva_ctx *ctx = ucmd->ctx;
	struct sva_pasid *pasid;
	struct sva_as *as = NULL;
	LIST_HEAD(revoke);
	int ret;

	if (cmd->flags)
		return -EOPNOTSUPP;
	if (cmd->as_id != SVA_AS_NONE) {
		as = sva_as_get(ctx, cmd->as_id);
		if (!as)
			return -ENOENT;
	}

	mutex_lock(&ctx->lock);
	pasid = sva_pasid_find(ctx, cmd->pasid);
	ret = pasid ? bind_pasid(pasid, as, &revoke) : -ENOENT;
	mutex_unlock(&ctx->lock);

	trace_sva_bind(ctx->id, cmd->pasid, cmd->as_id, ret);
	sva_bonds_revoke(&revoke);
	if (ret && as)
		sva_as_put(as);
	return ret;
}

/**
 * sva_check_rid() - Whether RID handles can be attached to a group
 * @group: The group
 *
 * Return: 0, or -EPERM if nobody holds its DMA ownership, or the platform does not
 * isolate interrupts and the administrator has not allowed that.
 */
int sva_check_rid(struct iommu_group *group)
{
	if (!iommu_group_dma_owner_claimed(group))
		return -EPERM;
	if (!iommu_group_has_isolated_msi(group) && !READ_ONCE(allow_unsafe_interrupts))
		return -EPERM;
	return 0;
}

static int check_device(struct sva_bond *bond, const struct sva_pasid *pasid)
{
	struct iommu_group *group = bond->sdev->group->group;

	if (bond->sdev->whole_group && pasid->kind != SVA_PASID_KIND_RID)
		return -EINVAL;

	switch (pasid->kind) {
	case SVA_PASID_KIND_MM:
		/*
		 * A child must not drive DMA into its parent, unless it was
		 * given the right to.
		 */
		return current->mm == pasid->mm || bond->right ? 0 : -EPERM;
	case SVA_PASID_KIND_RID:
		return sva_check_rid(group);
	default:
		if (!bond->sdev->dev->iommu->max_pasids)
			return -ENODEV;
		return fits_all(pasid, bond->sdev->group) ? 0 : -ERANGE;
	}
}

/* The IOMMU core may give the process a number even if the attach fails. */
static struct iommu_sva *bind_process(struct sva_pasid *pasid, struct device *dev)
{
	if (!pasid->process) {
		struct sva_process *process;

		process = sva_process_get(pasid->mm, pasid->account);
		if (IS_ERR(process))
			return ERR_CAST(process);
		pasid->process = process;
	}
	return iommu_sva_bind_device(dev, pasid->mm);
}

static int attach_process(struct sva_attachment *att)
{
	struct sva_target target = attachment_target(att);

	if (!target.dev->iommu->max_pasids)
		return -ENODEV;
	/* With a PASID fd, it may be of a process that has ended. */
	if (!mmget_not_zero(att->pasid->mm))
		return -ESRCH;
	att->process = bind_process(att->pasid, target.dev);
	/* Not the last one here: its end takes what the attach has taken. */
	mmput_async(att->pasid->mm);
	if (IS_ERR(att->process)) {
		int ret = PTR_ERR(att->process);

		att->process = NULL;
		return ret == -EOVERFLOW ? -ERANGE : ret;
	}
	/* Another object of this process, on another device of the group */
	if (att->process->dev != target.dev) {
		iommu_sva_unbind_device(att->process);
		att->process = NULL;
		return -EBUSY;
	}
	return 0;
}

static int is_stranger(struct device *dev, void *handle)
{
	return !sva_handle_member(handle, dev);
}

/*
 * Another bond of an attachment that is set. For a device that has joined the
 * group since then, the IOMMU core has not set a PASID; and of one that shall
 * use the RID, nobody knows the reserved regions.
 */
static int join_translation(struct sva_translation *tr,
			    const struct sva_bond *bond)
{
	struct sva_handle *handle = tr->handle;

	if (bond->sdev->whole_group &&
	    iommu_group_for_each_dev(bond->sdev->group->group, handle, is_stranger))
		return -EBUSY;
	return count_bond(handle, handle->faultq, bond) ? 0 : -EBUSY;
}

/* The last bond of a device: its page requests must not outlive it. */
static void leave_translation(struct sva_translation *tr,
			      const struct sva_bond *bond)
{
	struct sva_handle *handle = tr->handle;
	struct sva_member *member;

	for (member = handle->members;
	     member < handle->members + handle->nr_members; member++)
		if (is_of(bond, member))
			sva_faultq_leave(handle->faultq, handle, member);
}

/*
 * Makes the IOMMU translate for an attachment that @bond is new in, if there is
 * what through. The core's bond of a process remembers the device it was made
 * for until its end, and must not outlive it for the sake of another device of
 * the group.
 */
static int start_attachment(struct sva_attachment *att, struct sva_bond *bond)
{
	struct sva_pasid *pasid = att->pasid;

	if (pasid->kind == SVA_PASID_KIND_MM) {
		if (!att->process)
			return attach_process(att);
		return att->process->dev == bond->sdev->dev ? 0 : -EBUSY;
	}
	if (att->now)
		return join_translation(att->now, bond);
	return pasid->as ? switch_to(att, pasid->as) : 0;
}

/*
 * When a process ends, an IOMMU driver takes its PASID out of use by itself, and
 * Intel's forgets with that to wait for page requests at the unbind (7.2, drivers/
 * iommu/intel/pasid.c: the entry is not marked any more, because it is not present
 * then). One that is still being handled would be freed twice. While the process
 * is held the unbind waits; else, handling has to be waited for here.
 */
static void unbind_process(struct sva_attachment *att)
{
	struct device *dev = att->process->dev;
	struct mm_struct *mm = att->pasid->mm;

	if (sva_process_hold(att->pasid->process, mm)) {
		iommu_sva_unbind_device(att->process);
		mmput_async(mm);
		return;
	}
	/* Absent if the device makes no page requests */
	if (rcu_access_pointer(dev->iommu->fault_param))
		iopf_queue_flush_dev(dev);
	iommu_sva_unbind_device(att->process);
}

static void stop_attachment(struct sva_attachment *att)
{
	struct sva_target target = attachment_target(att);

	if (att->process)
		unbind_process(att);
	if (att->now)
		target_clear(&target, att->now->domain->domain);
	free_translation(att->now);
}

/*
 * A number tells the requests of one PASID object from those of all others. The
 * RID does not, so that a second handle, even an unbound one, would let its
 * devices reach what the first is bound to.
 */
static bool claim_rid(struct sva_group *group, struct sva_pasid *pasid)
{
	if (pasid->kind != SVA_PASID_KIND_RID)
		return true;

	guard(spinlock)(&group->lock);
	if (group->rid)
		return false;
	group->rid = pasid;
	return true;
}

static void unclaim_rid(struct sva_group *group, struct sva_pasid *pasid)
{
	if (pasid->kind != SVA_PASID_KIND_RID)
		return;

	guard(spinlock)(&group->lock);
	group->rid = NULL;
}

static struct sva_attachment *get_attachment(struct sva_pasid *pasid,
					     struct sva_group *group)
{
	struct sva_attachment *att;

	list_for_each_entry(att, &pasid->attachments, node)
		if (att->group == group)
			return att;

	att = kzalloc_obj(*att, GFP_KERNEL_ACCOUNT);
	if (!att)
		return ERR_PTR(-ENOMEM);
	if (!claim_rid(group, pasid)) {
		kfree(att);
		return ERR_PTR(-EBUSY);
	}
	att->pasid = pasid;
	att->group = group;
	INIT_LIST_HEAD(&att->bonds);
	list_add_tail(&att->node, &pasid->attachments);
	return att;
}

static void put_attachment(struct sva_attachment *att)
{
	if (!list_empty(&att->bonds))
		return;
	unclaim_rid(att->group, att->pasid);
	list_del(&att->node);
	kfree(att);
}

/**
 * sva_bond_join() - Make a bond one of a PASID's, and its device translate
 * @bond: A new bond
 * @pasid: The PASID
 *
 * Context: The caller holds the context's lock.
 * Return: 0 or an error as sva_attach() documents it.
 */
int sva_bond_join(struct sva_bond *bond, struct sva_pasid *pasid)
{
	struct sva_attachment *att;
	int ret;

	lockdep_assert_held(&bond->ctx->lock);

	ret = check_device(bond, pasid);
	if (ret)
		return ret;
	att = get_attachment(pasid, bond->sdev->group);
	if (IS_ERR(att))
		return PTR_ERR(att);

	list_add_tail(&bond->attachment_node, &att->bonds);
	ret = start_attachment(att, bond);
	if (ret) {
		list_del(&bond->attachment_node);
		put_attachment(att);
		return ret;
	}
	pasid->nr_bonds++;
	bond->attachment = att;
	if (att->process)
		bond->number = iommu_sva_get_pasid(att->process);
	else
		bond->number = attachment_target(att).pasid;
	return 0;
}

/**
 * sva_bond_leave() - Undo sva_bond_join()
 * @bond: The bond
 *
 * Context: The caller holds the context's lock.
 */
void sva_bond_leave(struct sva_bond *bond)
{
	struct sva_attachment *att = bond->attachment;

	lockdep_assert_held(&bond->ctx->lock);

	if (list_is_singular(&att->bonds))
		stop_attachment(att);
	else if (att->now)
		leave_translation(att->now, bond);
	list_del(&bond->attachment_node);
	att->pasid->nr_bonds--;
	bond->attachment = NULL;
	put_attachment(att);
}

/**
 * sva_pasid_state_bits() - What user space may know of a PASID
 * @pasid: The PASID
 *
 * Context: The caller holds the context's lock.
 * Return: a combination of enum sva_pasid_state.
 */
u32 sva_pasid_state_bits(struct sva_pasid *pasid)
{
	const struct sva_attachment *att;
	bool coherent = true;
	bool attached = false;
	u32 state = 0;

	list_for_each_entry(att, &pasid->attachments, node) {
		attached |= att->now || att->process;
		coherent &= att->now && att->now->domain->coherent;
	}
	if (pasid->as || (pasid->kind == SVA_PASID_KIND_MM && attached))
		state |= SVA_PASID_S_BOUND;
	if (attached && coherent)
		state |= SVA_PASID_S_COHERENT;
	if (pasid->revoked)
		state |= SVA_PASID_S_REVOKED;
	return state;
}
