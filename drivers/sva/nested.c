// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested address spaces: stage-1 tables, or whole tables of them, that user
 * space owns, over an IOVA address space as parent. Their formats are between
 * user space and the IOMMU driver; the core bounds sizes and counts.
 *
 * IOMMU drivers copy from user memory themselves. User space can make such a
 * copy take as long as it likes, and the device must not go away meanwhile.
 * Therefore they are called with page faults disabled: a page that is not there
 * makes the copy fail, is faulted in without any lock, and the call repeated.
 */
#include <linux/cleanup.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <trace/events/sva.h>

#include "sva_private.h"

/* How often user memory may vanish between being faulted in and being copied. */
#define COPY_TRIES	16

/* How many entries a driver is given at once. */
#define INVALIDATE_PART	256u

/* A structure of some format; all that exist are far smaller. */
#define DATA_MAX	SZ_4K

struct sva_nested {
	struct sva_as as;
	struct sva_domain domain;
	struct sva_viommu *viommu;	/* it was made on, or NULL; a use is held */
	struct sva_iova *iova;		/* parent: a use of it is held */
	struct sva_domain *parent;	/* of @iova, for this IOMMU instance */
	struct module *owner;		/* IOMMU driver: outlives all devices */
};

static struct sva_nested *to_nested(struct sva_as *as)
{
	return container_of(as, struct sva_nested, as);
}

static struct sva_domain *nested_attach(struct sva_as *as,
					const struct sva_target *target)
{
	struct sva_nested *nested = to_nested(as);
	int ret;

	if (sva_group_iommu(target->group) != nested->domain.iommu)
		return ERR_PTR(-EXDEV);
	if (as->type == SVA_AS_TYPE_PASID_TABLE &&
	    target->pasid != IOMMU_NO_PASID)
		return ERR_PTR(-EINVAL);

	/* The guest's DMA must not hit what the parent cannot translate. */
	ret = sva_iova_reserve_for(nested->iova, target);
	if (ret)
		return ERR_PTR(ret);
	ret = sva_target_set(target, nested->domain.domain);
	if (ret) {
		sva_iova_unreserve_for(nested->iova, target->owner);
		return ERR_PTR(ret);
	}
	return &nested->domain;
}

static void nested_put(struct sva_domain *domain, void *owner)
{
	sva_iova_unreserve_for(to_nested(domain->as)->iova, owner);
}

static void nested_free(struct sva_as *as)
{
	struct sva_nested *nested = to_nested(as);

	iommu_domain_free(nested->domain.domain);
	sva_domain_put(nested->parent, nested);
	sva_as_put(&nested->iova->as);
	sva_viommu_put(nested->viommu);
	module_put(nested->owner);
	sva_faultq_put(as->faultq);
	kfree(nested);
}

static const struct sva_as_ops nested_ops = {
	.attach = nested_attach,
	.put = nested_put,
	.free = nested_free,
};

/* See the top of the file; -EAGAIN when the memory has to be faulted in first. */
static struct iommu_domain *try_alloc(struct device *dev,
				      struct iommu_domain *parent,
				      const struct iommu_user_data *data)
{
	const struct iommu_ops *ops = dev->iommu->iommu_dev->ops;
	struct iommu_domain *domain;

	pagefault_disable();
	domain = ops->domain_alloc_nested(dev, parent, 0, data);
	pagefault_enable();
	return domain;
}

static int check_iommu(struct device *dev, u32 type)
{
	const struct iommu_ops *ops = dev->iommu->iommu_dev->ops;
	u32 can = ops->user_pasid_table ? SVA_AS_TYPE_PASID_TABLE :
					  SVA_AS_TYPE_NESTED;

	return ops->domain_alloc_nested && type == can ? 0 : -EOPNOTSUPP;
}

/* Domains that are not attached anywhere need their driver all the same. */
static int set_up_parent(struct sva_nested *nested, struct sva_device *sdev)
{
	struct module *owner = sdev->dev->iommu->iommu_dev->ops->owner;
	struct sva_domain *parent;

	if (nested->parent)
		return 0;
	if (!try_module_get(owner))
		return -ENODEV;
	parent = sva_domain_get_parent(nested->iova, sdev);
	if (IS_ERR(parent)) {
		module_put(owner);
		return PTR_ERR(parent);
	}
	nested->parent = parent;
	nested->owner = owner;
	return 0;
}

/* Everything for which the device must be there. */
static int set_up(struct sva_nested *nested, struct sva_device *sdev,
		  const struct iommu_user_data *data)
{
	struct device *dev = sdev->dev;
	struct iommu_domain *domain;
	int ret;

	guard(rwsem_read)(&sdev->live);
	if (sdev->gone)
		return -ENODEV;
	ret = check_iommu(dev, nested->as.type);
	if (ret)
		return ret;
	if (nested->viommu && !sva_viommu_is_for(nested->viommu, dev))
		return -EXDEV;

	ret = set_up_parent(nested, sdev);
	if (ret)
		return ret;

	domain = try_alloc(dev, nested->parent->domain, data);
	if (IS_ERR(domain))
		return PTR_ERR(domain);
	domain->owner = dev->iommu->iommu_dev->ops;
	domain->cookie_type = IOMMU_COOKIE_NONE;
	if (nested->as.faultq)
		domain->iopf_handler = sva_fault_handler;
	if (nested->viommu)
		iommu_set_fault_handler(domain, sva_viommu_fault, nested->viommu);
	nested->domain.domain = domain;
	nested->domain.iommu = dev->iommu->iommu_dev;
	nested->domain.coherent = nested->parent->coherent;
	return 0;
}

static int set_up_faulting(struct sva_nested *nested, struct sva_device *sdev,
			   const struct iommu_user_data *data)
{
	unsigned int i;
	int ret;

	for (i = 0; i < COPY_TRIES; i++) {
		if (fault_in_readable(data->uptr, data->len))
			return -EFAULT;
		ret = set_up(nested, sdev, data);
		if (ret != -EFAULT)
			break;
	}
	return ret;
}

/**
 * sva_nested_get_parent() - Look up a nesting parent and use it
 * @ctx: The context
 * @id: Its id
 *
 * Return: the address space, to be given to sva_as_put(), or ERR_PTR: -ENOENT
 * there is no such address space, -EINVAL it is not a nesting parent.
 */
struct sva_iova *sva_nested_get_parent(struct sva_ctx *ctx, u32 id)
{
	struct sva_as *as = sva_as_get(ctx, id);

	if (!as)
		return ERR_PTR(-ENOENT);
	if (as->type == SVA_AS_TYPE_IOVA && sva_as_to_iova(as)->nest_parent)
		return sva_as_to_iova(as);
	sva_as_put(as);
	return ERR_PTR(-EINVAL);
}

/* The parent that is named, or that of the vIOMMU that is. */
static int find_parent(struct sva_nested *nested, struct sva_ctx *ctx, u32 id)
{
	struct sva_iova *iova;

	nested->viommu = sva_viommu_get(ctx, id);
	if (nested->viommu) {
		nested->iova = sva_viommu_iova(nested->viommu);
		refcount_inc(&nested->iova->as.obj.users);
		return 0;
	}
	iova = sva_nested_get_parent(ctx, id);
	if (IS_ERR(iova))
		return PTR_ERR(iova);
	nested->iova = iova;
	return 0;
}

/**
 * sva_nested_alloc() - Make a nested address space
 * @ctx: The context
 * @cmd: What user space asks for; flags are checked
 * @faultq: Where its page requests go, or NULL; taken over if it succeeds
 *
 * Return: the address space, without an id, or ERR_PTR as SVA_AS_ALLOC documents
 * it.
 */
struct sva_as *sva_nested_alloc(struct sva_ctx *ctx,
				const struct sva_as_alloc *cmd,
				struct sva_faultq *faultq)
{
	struct iommu_user_data data = {
		.type = cmd->data_type,
		.uptr = u64_to_user_ptr(cmd->data_uptr),
		.len = cmd->data_len,
	};
	struct sva_nested *nested;
	struct sva_device *sdev;
	int ret;

	if (data.len > DATA_MAX)
		return ERR_PTR(-E2BIG);

	nested = kzalloc_obj(*nested, GFP_KERNEL_ACCOUNT);
	if (!nested)
		return ERR_PTR(-ENOMEM);
	nested->as.type = cmd->type;
	nested->as.ops = &nested_ops;
	nested->as.faultq = faultq;
	nested->domain.as = &nested->as;

	ret = find_parent(nested, ctx, cmd->parent_id);
	if (ret)
		goto out_free;

	sdev = sva_device_get(cmd->dev_id);
	ret = sdev ? set_up_faulting(nested, sdev, &data) : -ENODEV;
	if (sdev)
		sva_device_put(sdev);
	if (!ret)
		return &nested->as;

	if (nested->parent) {
		sva_domain_put(nested->parent, nested);
		module_put(nested->owner);
	}
	sva_as_put(&nested->iova->as);
	sva_viommu_put(nested->viommu);
out_free:
	kfree(nested);
	return ERR_PTR(ret);
}

/* --- invalidation --------------------------------------------------------------- */

/* The driver counts what it has handled in @array; see the top of the file. */
static int invalidate(struct iommu_domain *domain,
		      struct iommu_user_data_array *array)
{
	int ret;

	pagefault_disable();
	ret = domain->ops->cache_invalidate_user(domain, array);
	pagefault_enable();
	return ret;
}

/* The next entries that are not handled yet. */
static int invalidate_some(struct iommu_domain *domain,
			   const struct iommu_user_data_array *all, u32 *done)
{
	struct iommu_user_data_array some = {
		.type = all->type,
		.uptr = all->uptr + (size_t)*done * all->entry_len,
		.entry_len = all->entry_len,
		.entry_num = min(all->entry_num - *done, INVALIDATE_PART),
	};
	int ret = invalidate(domain, &some);

	*done += some.entry_num;
	return ret;
}

/*
 * Goes on behind what was handled, so that nothing is flushed twice. Drivers do
 * not look whether somebody wants the caller dead: this does, between parts.
 */
static int invalidate_faulting(struct iommu_domain *domain,
			       const struct iommu_user_data_array *all, u32 *done)
{
	unsigned int tries = 0;
	u32 before;
	int ret;

	for (;;) {
		before = *done;
		ret = invalidate_some(domain, all, done);
		if (*done == all->entry_num)
			return ret;
		if (*done != before)
			tries = 0;
		if (ret && (ret != -EFAULT || ++tries == COPY_TRIES ||
			    fault_in_readable(all->uptr + (size_t)*done * all->entry_len,
					      all->entry_len)))
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
}

/* --- invalidation by the guest's names ------------------------------------------- */

static struct sva_nested *get_target(struct sva_ctx *ctx,
				     struct sva_viommu *viommu,
				     const struct sva_invalidate_target *target)
{
	struct sva_nested *nested;
	struct sva_pasid *pasid;

	if (!sva_viommu_has_device(viommu, target->virt_id))
		return ERR_PTR(-ENODEV);

	guard(mutex)(&ctx->lock);
	pasid = xa_load(&ctx->guests, target->guest_pasid);
	if (!pasid || !pasid->as || pasid->as->type == SVA_AS_TYPE_IOVA)
		return ERR_PTR(-ENOENT);
	nested = to_nested(pasid->as);
	if (nested->viommu != viommu)
		return ERR_PTR(-ENOENT);
	refcount_inc(&nested->as.obj.users);
	return nested;
}

/* One entry, behind the names of what it is about. */
static int invalidate_named(struct sva_ctx *ctx, struct sva_viommu *viommu,
			    const struct iommu_user_data_array *array, u32 index)
{
	void __user *entry = array->uptr + (size_t)index * array->entry_len;
	struct iommu_user_data_array one = {
		.type = array->type,
		.uptr = entry + sizeof(struct sva_invalidate_target),
		.entry_len = array->entry_len - sizeof(struct sva_invalidate_target),
		.entry_num = 1,
	};
	struct sva_invalidate_target target;
	struct sva_nested *nested;
	u32 done = 0;
	int ret;

	if (copy_from_user(&target, entry, sizeof(target)))
		return -EFAULT;
	if (target.__reserved)
		return -EINVAL;
	nested = get_target(ctx, viommu, &target);
	if (IS_ERR(nested))
		return PTR_ERR(nested);
	ret = invalidate_faulting(nested->domain.domain, &one, &done);
	sva_as_put(&nested->as);
	return ret;
}

static int invalidate_viommu(struct sva_ctx *ctx, struct sva_viommu *viommu,
			     const struct iommu_user_data_array *array, u32 *done)
{
	int ret = 0;

	if (array->entry_num &&
	    array->entry_len <= sizeof(struct sva_invalidate_target))
		return -EINVAL;
	for (; *done < array->entry_num; ++*done) {
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = invalidate_named(ctx, viommu, array, *done);
		if (ret)
			break;
		cond_resched();
	}
	return ret;
}

static int invalidate_cmd(struct sva_ucmd *ucmd, u32 *done)
{
	struct sva_invalidate *cmd = ucmd->cmd;
	struct iommu_user_data_array array = {
		.type = cmd->data_type,
		.uptr = u64_to_user_ptr(cmd->data_uptr),
		.entry_len = cmd->entry_len,
		.entry_num = cmd->entry_num,
	};
	struct sva_viommu *viommu;
	struct sva_as *as;
	int ret = -EINVAL;

	if (cmd->__reserved)
		return -EINVAL;
	if (cmd->entry_len > DATA_MAX || cmd->entry_num > SVA_INVALIDATE_MAX)
		return -E2BIG;
	if (cmd->entry_num && !cmd->entry_len)
		return -EINVAL;

	as = sva_as_get(ucmd->ctx, cmd->as_id);
	if (as) {
		if (as->type != SVA_AS_TYPE_IOVA)
			ret = invalidate_faulting(to_nested(as)->domain.domain,
						  &array, done);
		sva_as_put(as);
		return ret;
	}
	viommu = sva_viommu_get(ucmd->ctx, cmd->as_id);
	if (!viommu)
		return -ENOENT;
	ret = invalidate_viommu(ucmd->ctx, viommu, &array, done);
	sva_viommu_put(viommu);
	return ret;
}

int sva_ioctl_invalidate(struct sva_ucmd *ucmd)
{
	struct sva_invalidate *cmd = ucmd->cmd;
	u32 done = 0;
	int ret = invalidate_cmd(ucmd, &done);

	trace_sva_invalidate(ucmd->ctx->id, cmd->as_id, cmd->entry_num, done, ret);
	atomic_long_add(done, &ucmd->ctx->nr_invalidations);
	cmd->entry_num = done;
	return sva_ucmd_respond(ucmd) ?: ret;
}
