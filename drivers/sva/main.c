// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/sva: the character device, its ioctls and contexts.
 */
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>

#include "sva_private.h"

static unsigned int pool_bits = SVA_PASID_WIDTH_MAX;
module_param(pool_bits, uint, 0444);
MODULE_PARM_DESC(pool_bits, "Width of the widest PASID in the pool (2 to 20)");

static unsigned int pool_share = 50;
module_param(pool_share, uint, 0444);
MODULE_PARM_DESC(pool_share,
		 "Percentage of the PASIDs of each width that the pool takes; the kernel's own users have the rest (1 to 99)");

/*
 * A number of those for local use (Documentation/admin-guide/devices.txt), so
 * that there can be a node before the module is loaded: opening that loads it.
 * A dynamic one has neither.
 */
#define SVA_MINOR	250
#define LOCAL_MINOR_MIN	243
#define LOCAL_MINOR_MAX	254

static unsigned int minor = SVA_MINOR;
module_param(minor, uint, 0444);
MODULE_PARM_DESC(minor,
		 "Minor number of /dev/sva if another driver has 250: 243 to 254, or 255 for a dynamic one");

atomic_long_t sva_nr_contexts;
atomic_long_t sva_nr_bonds;
struct percpu_counter sva_nr_pinned;

/* --- contexts ----------------------------------------------------------------- */

static int sva_open(struct inode *inode, struct file *file)
{
	struct sva_ctx *ctx;

	ctx = kzalloc_obj(*ctx, GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return -ENOMEM;
	kref_init(&ctx->kref);
	refcount_set(&ctx->shells, 1);
	mutex_init(&ctx->lock);
	ctx->pasids = RB_ROOT;
	xa_init_flags(&ctx->handles, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	xa_init_flags(&ctx->objects, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	xa_init_flags(&ctx->guests, XA_FLAGS_ACCOUNT);
	ctx->bonds = RB_ROOT;
	file->private_data = ctx;
	atomic_long_inc(&sva_nr_contexts);
	sva_ctx_add(ctx);
	return 0;
}

/**
 * sva_ctx_put_shell() - Give up a reference to what is left of a context
 * @ctx: The context, of which only the memory and the lock may be in use
 *
 * Context: No lock of it is held.
 */
void sva_ctx_put_shell(struct sva_ctx *ctx)
{
	if (!refcount_dec_and_test(&ctx->shells))
		return;
	mutex_destroy(&ctx->lock);
	kfree(ctx);
}

static void free_ctx(struct kref *kref)
{
	struct sva_ctx *ctx = container_of(kref, struct sva_ctx, kref);

	sva_ctx_remove(ctx);
	sva_pasid_free_all(ctx);
	sva_objects_free_all(ctx);
	sva_ctx_put_shell(ctx);
	atomic_long_dec(&sva_nr_contexts);
}

/**
 * sva_ctx_put() - Give up a reference to a context
 * @ctx: The context
 *
 * Context: May sleep: the last one frees everything that is in it.
 */
void sva_ctx_put(struct sva_ctx *ctx)
{
	kref_put(&ctx->kref, free_ctx);
}

static int sva_release(struct inode *inode, struct file *file)
{
	struct sva_ctx *ctx = file->private_data;

	WRITE_ONCE(ctx->closed, true);
	sva_ctx_put(ctx);
	return 0;
}

/* Takes no lock: whatever is going on in the context, this must not wait. */
static void sva_show_fdinfo(struct seq_file *m, struct file *file)
{
#define COUNT(_name, _member) { _name, offsetof(struct sva_ctx, _member) }
	static const struct {
		const char *name;
		size_t count;
	} counts[] = {
		COUNT("pasids", nr_pasids[SVA_PASID_KIND_NUMBER]),
		COUNT("processes", nr_pasids[SVA_PASID_KIND_MM]),
		COUNT("rids", nr_pasids[SVA_PASID_KIND_RID]),
		COUNT("bonds", nr_bonds),
		COUNT("iovas", nr_objects[SVA_OBJECT_IOVA]),
		COUNT("nested", nr_objects[SVA_OBJECT_NESTED]),
		COUNT("pasid-tables", nr_objects[SVA_OBJECT_PASID_TABLE]),
		COUNT("viommus", nr_objects[SVA_OBJECT_VIOMMU]),
		COUNT("vdevices", nr_objects[SVA_OBJECT_VDEVICE]),
		COUNT("pasid-fds", nr_objects[SVA_OBJECT_PASID_FD]),
		COUNT("maps", nr_maps),
		COUNT("page-requests", nr_requests),
	};
#undef COUNT
	struct sva_ctx *ctx = file->private_data;
	unsigned int i;

	seq_printf(m, "sva-context:\t%llu\n", ctx->id);
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		const atomic_t *count = (void *)ctx + counts[i].count;

		seq_printf(m, "sva-%s:\t%u\n", counts[i].name, atomic_read(count));
	}
	seq_printf(m, "sva-pinned-pages:\t%lu\n",
		   atomic_long_read(&ctx->nr_pinned));
	seq_printf(m, "sva-faults:\t%lu\n", atomic_long_read(&ctx->nr_faults));
	seq_printf(m, "sva-invalidations:\t%lu\n",
		   atomic_long_read(&ctx->nr_invalidations));
}

/* --- ioctls ------------------------------------------------------------------- */

static int sva_ioctl_get_info(struct sva_ucmd *ucmd)
{
	struct sva_get_info *cmd = ucmd->cmd;
	struct sva_pool_info pool;

	if (cmd->flags)
		return -EOPNOTSUPP;

	sva_pool_get_info(&pool);
	cmd->features = SVA_FEATURE_PASID | SVA_FEATURE_PROCESS |
			SVA_FEATURE_RID | SVA_FEATURE_IOVA |
			SVA_FEATURE_MAP_FILE | SVA_FEATURE_DEVICE_INFO |
			SVA_FEATURE_NESTED | SVA_FEATURE_FAULTQ |
			SVA_FEATURE_VIOMMU | SVA_FEATURE_QUOTA |
			SVA_FEATURE_PASID_FD | SVA_FEATURE_LIST;
	cmd->pasid_min = pool.first;
	cmd->pasid_max = pool.last;
	cmd->pool_size = pool.size;
	cmd->range_max = SVA_RANGE_MAX;
	cmd->map_align = PAGE_SIZE;
	cmd->__reserved = 0;
	return sva_ucmd_respond(ucmd);
}

union sva_cmd_buffer {
	struct sva_get_info get_info;
	struct sva_destroy destroy;
	struct sva_pasid_alloc pasid_alloc;
	struct sva_pasid_free pasid_free;
	struct sva_pasid_info pasid_info;
	struct sva_pasid_bind pasid_bind;
	struct sva_as_alloc as_alloc;
	struct sva_iova_ranges iova_ranges;
	struct sva_iova_map iova_map;
	struct sva_iova_map_file iova_map_file;
	struct sva_iova_unmap iova_unmap;
	struct sva_iova_copy iova_copy;
	struct sva_device_info device_info;
	struct sva_invalidate invalidate;
	struct sva_faultq_alloc faultq_alloc;
	struct sva_pasid_guest pasid_guest;
	struct sva_viommu_alloc viommu_alloc;
	struct sva_vdevice_alloc vdevice_alloc;
	struct sva_veventq_alloc veventq_alloc;
	struct sva_quota quota;
	struct sva_pasid_fd pasid_fd;
	struct sva_list list;
};

struct sva_ioctl_op {
	u32 size;
	u32 min_size;
	int (*fn)(struct sva_ucmd *ucmd);
};

#define SVA_IOCTL(_fn, _struct, _last) {				\
	.size = sizeof(_struct),					\
	.min_size = offsetofend(_struct, _last),			\
	.fn = _fn,							\
}

/*
 * The last argument is the last field of the structure's first version. What has
 * no function is a reserved number.
 */
static const struct sva_ioctl_op sva_ioctl_ops[] = {
	[SVA_CMD_GET_INFO] =
		SVA_IOCTL(sva_ioctl_get_info, struct sva_get_info, __reserved),
	[SVA_CMD_DESTROY] =
		SVA_IOCTL(sva_ioctl_destroy, struct sva_destroy, id),
	[SVA_CMD_PASID_ALLOC] =
		SVA_IOCTL(sva_ioctl_pasid_alloc, struct sva_pasid_alloc, pasid),
	[SVA_CMD_PASID_FREE] =
		SVA_IOCTL(sva_ioctl_pasid_free, struct sva_pasid_free, count),
	[SVA_CMD_PASID_INFO] =
		SVA_IOCTL(sva_ioctl_pasid_info, struct sva_pasid_info, state),
	[SVA_CMD_PASID_BIND] =
		SVA_IOCTL(sva_ioctl_pasid_bind, struct sva_pasid_bind, as_id),
	[SVA_CMD_AS_ALLOC] =
		SVA_IOCTL(sva_ioctl_as_alloc, struct sva_as_alloc, id),
	[SVA_CMD_IOVA_RANGES] =
		SVA_IOCTL(sva_ioctl_iova_ranges, struct sva_iova_ranges, alignment),
	[SVA_CMD_IOVA_MAP] =
		SVA_IOCTL(sva_ioctl_iova_map, struct sva_iova_map, iova),
	[SVA_CMD_IOVA_MAP_FILE] =
		SVA_IOCTL(sva_ioctl_iova_map_file, struct sva_iova_map_file, iova),
	[SVA_CMD_IOVA_UNMAP] =
		SVA_IOCTL(sva_ioctl_iova_unmap, struct sva_iova_unmap, length),
	[SVA_CMD_IOVA_COPY] =
		SVA_IOCTL(sva_ioctl_iova_copy, struct sva_iova_copy, src_iova),
	[SVA_CMD_IOVA_DIRTY_SET] = {},
	[SVA_CMD_IOVA_DIRTY_READ] = {},
	[SVA_CMD_DEVICE_INFO] =
		SVA_IOCTL(sva_ioctl_device_info, struct sva_device_info, iommu),
	[SVA_CMD_INVALIDATE] =
		SVA_IOCTL(sva_ioctl_invalidate, struct sva_invalidate, data_uptr),
	[SVA_CMD_FAULTQ_ALLOC] =
		SVA_IOCTL(sva_ioctl_faultq_alloc, struct sva_faultq_alloc, fd),
	[SVA_CMD_PASID_GUEST] =
		SVA_IOCTL(sva_ioctl_pasid_guest, struct sva_pasid_guest,
			  guest_pasid),
	[SVA_CMD_VIOMMU_ALLOC] =
		SVA_IOCTL(sva_ioctl_viommu_alloc, struct sva_viommu_alloc, id),
	[SVA_CMD_VDEVICE_ALLOC] =
		SVA_IOCTL(sva_ioctl_vdevice_alloc, struct sva_vdevice_alloc,
			  virt_id),
	[SVA_CMD_VEVENTQ_ALLOC] =
		SVA_IOCTL(sva_ioctl_veventq_alloc, struct sva_veventq_alloc,
			  __reserved),
	[SVA_CMD_QUOTA] = SVA_IOCTL(sva_ioctl_quota, struct sva_quota, events),
	[SVA_CMD_PASID_FD] =
		SVA_IOCTL(sva_ioctl_pasid_fd, struct sva_pasid_fd, id),
	[SVA_CMD_LIST] = SVA_IOCTL(sva_ioctl_list, struct sva_list, cursor),
};

/**
 * sva_ucmd_respond() - Write an ioctl's argument back to user space
 * @ucmd: The call
 *
 * Return: 0 or -EFAULT.
 */
int sva_ucmd_respond(const struct sva_ucmd *ucmd)
{
	if (copy_to_user(ucmd->ubuf, ucmd->cmd,
			 min(ucmd->user_size, ucmd->kernel_size)))
		return -EFAULT;
	return 0;
}

static long sva_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	unsigned int nr = _IOC_NR(cmd);
	const struct sva_ioctl_op *op;
	union sva_cmd_buffer buffer;
	struct sva_ucmd ucmd = {
		.ctx = file->private_data,
		.ubuf = (void __user *)arg,
		.cmd = &buffer,
	};
	int ret;

	if (cmd != _IO(SVA_TYPE, nr) || nr >= ARRAY_SIZE(sva_ioctl_ops))
		return -ENOTTY;
	op = &sva_ioctl_ops[array_index_nospec(nr, ARRAY_SIZE(sva_ioctl_ops))];
	if (!op->fn)
		return -EOPNOTSUPP;

	if (get_user(ucmd.user_size, (u32 __user *)ucmd.ubuf))
		return -EFAULT;
	if (ucmd.user_size < op->min_size)
		return -EINVAL;
	/* Looking for zeros takes time that user space should not decide on. */
	if (ucmd.user_size > PAGE_SIZE)
		return -E2BIG;
	ucmd.kernel_size = op->size;
	ret = copy_struct_from_user(&buffer, op->size, ucmd.ubuf,
				    ucmd.user_size);
	if (ret)
		return ret;
	return op->fn(&ucmd);
}

static const struct file_operations sva_fops = {
	.owner = THIS_MODULE,
	.open = sva_open,
	.release = sva_release,
	.unlocked_ioctl = sva_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = sva_show_fdinfo,
	.llseek = noop_llseek,
};

/**
 * sva_ctx_from_file() - The context behind an open file
 * @file: The file
 *
 * Return: the context, to be given to sva_ctx_put(), or ERR_PTR(-EBADF).
 */
struct sva_ctx *sva_ctx_from_file(struct file *file)
{
	struct sva_ctx *ctx;

	if (file->f_op != &sva_fops)
		return ERR_PTR(-EBADF);
	ctx = file->private_data;
	kref_get(&ctx->kref);
	return ctx;
}

/* --- figures in /sys/class/misc/sva ------------------------------------------- */

static ssize_t contexts_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	return sysfs_emit(buf, "%ld\n", atomic_long_read(&sva_nr_contexts));
}
static DEVICE_ATTR_RO(contexts);

static ssize_t bonds_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%ld\n", atomic_long_read(&sva_nr_bonds));
}
static DEVICE_ATTR_RO(bonds);

static ssize_t pinned_pages_show(struct device *dev,
				 struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lld\n", percpu_counter_sum(&sva_nr_pinned));
}
static DEVICE_ATTR_RO(pinned_pages);

static ssize_t pasids_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	struct sva_pool_info pool;

	sva_pool_get_info(&pool);
	return sysfs_emit(buf, "%u\n", pool.size - pool.nr_free);
}
static DEVICE_ATTR_RO(pasids);

static ssize_t pool_size_show(struct device *dev, struct device_attribute *attr,
			      char *buf)
{
	struct sva_pool_info pool;

	sva_pool_get_info(&pool);
	return sysfs_emit(buf, "%u\n", pool.size);
}
static DEVICE_ATTR_RO(pool_size);

static ssize_t processes_show(struct device *dev, struct device_attribute *attr,
			      char *buf)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&sva_nr_processes));
}
static DEVICE_ATTR_RO(processes);

static ssize_t quota_nodes_show(struct device *dev,
				struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", sva_quota_nr_nodes());
}
static DEVICE_ATTR_RO(quota_nodes);

static struct attribute *sva_attrs[] = {
	&dev_attr_contexts.attr,
	&dev_attr_bonds.attr,
	&dev_attr_pinned_pages.attr,
	&dev_attr_pasids.attr,
	&dev_attr_pool_size.attr,
	&dev_attr_processes.attr,
	&dev_attr_quota_nodes.attr,
	NULL
};
ATTRIBUTE_GROUPS(sva);

static struct miscdevice sva_misc = {
	.name = "sva",
	.fops = &sva_fops,
	.groups = sva_groups,
	.mode = 0600,
};

static int __init register_node(void)
{
	int ret;

	if (minor != MISC_DYNAMIC_MINOR &&
	    (minor < LOCAL_MINOR_MIN || minor > LOCAL_MINOR_MAX))
		return -EINVAL;
	sva_misc.minor = minor;
	ret = misc_register(&sva_misc);
	if (ret == -EBUSY)
		pr_err("sva: another driver has the minor number %u, choose one with the parameter minor\n",
		       minor);
	return ret;
}

static int __init sva_init(void)
{
	int ret;

	ret = percpu_counter_init(&sva_nr_pinned, 0, GFP_KERNEL);
	if (ret)
		return ret;
	ret = sva_pasid_cache_init();
	if (ret)
		goto out_counter;
	ret = sva_pool_init(pool_bits, pool_share);
	if (ret)
		goto out_cache;
	ret = sva_quota_init();
	if (ret)
		goto out_pool;
	ret = register_node();
	if (ret)
		goto out_quota;
	return 0;

out_quota:
	sva_quota_exit();
out_pool:
	sva_pool_exit();
out_cache:
	sva_pasid_cache_exit();
out_counter:
	percpu_counter_destroy(&sva_nr_pinned);
	return ret;
}

static void __exit sva_exit(void)
{
	misc_deregister(&sva_misc);
	sva_devices_exit();
	sva_processes_exit();
	sva_quota_exit();
	sva_pool_exit();
	sva_pasid_cache_exit();
	percpu_counter_destroy(&sva_nr_pinned);
}

module_init(sva_init);
module_exit(sva_exit);

MODULE_DESCRIPTION("PASIDs and the address spaces that devices translate through");
MODULE_IMPORT_NS("IOMMUFD_INTERNAL");
MODULE_ALIAS_MISCDEV(SVA_MINOR);
MODULE_ALIAS("devname:sva");
MODULE_LICENSE("GPL");
