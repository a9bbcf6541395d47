// SPDX-License-Identifier: GPL-2.0-only
/*
 * Engines in configfs: /sys/kernel/config/sva_sim/NAME. The ones that exist
 * from the beginning are there as well.
 *
 * configfs calls drop_item() with locks held that a user of the engine might
 * need, but removing an engine waits for none of its users, unless it is a VFIO
 * device: VFIO waits until that is closed, which takes none of these locks.
 */
#include <linux/configfs.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "engine.h"

static unsigned int engines = 2;
module_param(engines, uint, 0444);
MODULE_PARM_DESC(engines, "Engines that exist from the beginning, spread over the IOMMUs, 0 to 16 (2)");

#define SIM_ENGINES_MAX 16

/**
 * struct sim_config - configuration of an engine
 * @group: The configfs directory
 * @lock: Protects @pdev and, but for being shown, the constant part of @port
 * @pdev: The engine's platform device while it is enabled
 * @port: What it is plugged into
 */
struct sim_config {
	struct config_group group;
	struct mutex lock; /* Protects @pdev and the constants of @port */
	struct platform_device *pdev;
	struct sva_sim_port port;
};

static struct sim_config *sim_engines[SIM_ENGINES_MAX];

static struct sim_config *to_config(struct config_item *item)
{
	return container_of(to_config_group(item), struct sim_config, group);
}

static bool is_bound(struct platform_device *pdev)
{
	bool bound;

	device_lock(&pdev->dev);
	bound = device_is_bound(&pdev->dev);
	device_unlock(&pdev->dev);
	return bound;
}

static int enable(struct sim_config *config)
{
	struct platform_device *pdev;

	lockdep_assert_held(&config->lock);

	if (config->pdev)
		return 0;
	pdev = sva_sim_port_add(&config->port);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	if (!is_bound(pdev)) {
		sva_sim_port_del(pdev);
		return -ENXIO;
	}
	config->pdev = pdev;
	return 0;
}

static void disable(struct sim_config *config)
{
	lockdep_assert_held(&config->lock);

	if (config->pdev)
		sva_sim_port_del(config->pdev);
	config->pdev = NULL;
}

static ssize_t sim_config_enable_show(struct config_item *item, char *page)
{
	struct sim_config *config = to_config(item);
	bool enabled;

	mutex_lock(&config->lock);
	enabled = config->pdev;
	mutex_unlock(&config->lock);
	return sysfs_emit(page, "%d\n", enabled);
}

static ssize_t sim_config_enable_store(struct config_item *item,
				       const char *page, size_t count)
{
	struct sim_config *config = to_config(item);
	bool on;
	int ret;

	ret = kstrtobool(page, &on);
	if (ret)
		return ret;

	mutex_lock(&config->lock);
	if (on)
		ret = enable(config);
	else
		disable(config);
	mutex_unlock(&config->lock);
	return ret ?: count;
}

static ssize_t sim_config_dev_show(struct config_item *item, char *page)
{
	struct sim_config *config = to_config(item);
	ssize_t len;

	mutex_lock(&config->lock);
	if (config->pdev)
		len = sim_engine_show_name(&config->pdev->dev, page);
	else
		len = sysfs_emit(page, "\n");
	mutex_unlock(&config->lock);
	return len;
}

/* What describes the engine can be changed only while there is none. */
static ssize_t set_number(struct sim_config *config, s32 *number,
			  const char *page, size_t count, int min, int max)
{
	int value, ret;

	ret = kstrtoint(page, 0, &value);
	if (ret)
		return ret;
	if (value < min || value > max)
		return -ERANGE;

	mutex_lock(&config->lock);
	if (config->pdev)
		ret = -EBUSY;
	else
		WRITE_ONCE(*number, value);
	mutex_unlock(&config->lock);
	return ret ?: count;
}

static ssize_t set_flag(bool *flag, const char *page, size_t count)
{
	bool value;
	int ret;

	ret = kstrtobool(page, &value);
	if (ret)
		return ret;
	WRITE_ONCE(*flag, value);
	return count;
}

static ssize_t sim_config_iommu_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n",
			  READ_ONCE(to_config(item)->port.iommu));
}

static ssize_t sim_config_iommu_store(struct config_item *item,
				      const char *page, size_t count)
{
	struct sim_config *config = to_config(item);

	return set_number(config, (s32 *)&config->port.iommu, page, count, 0,
			  sva_sim_nr_iommus(true) - 1);
}

static ssize_t sim_config_pasid_bits_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n",
			  READ_ONCE(to_config(item)->port.pasid_bits));
}

static ssize_t sim_config_pasid_bits_store(struct config_item *item,
					   const char *page, size_t count)
{
	struct sim_config *config = to_config(item);

	return set_number(config, (s32 *)&config->port.pasid_bits, page, count, 1, 20);
}

static ssize_t sim_config_group_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n",
			  READ_ONCE(to_config(item)->port.group));
}

static ssize_t sim_config_group_store(struct config_item *item,
				      const char *page, size_t count)
{
	struct sim_config *config = to_config(item);

	return set_number(config, &config->port.group, page, count, -1,
			  INT_MAX);
}

static ssize_t sim_config_shared_msi_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n",
			  READ_ONCE(to_config(item)->port.shared_msi));
}

/* A flag of the port, which is constant while there is an engine. */
static ssize_t set_port_flag(struct sim_config *config, bool *flag,
			     const char *page, size_t count)
{
	ssize_t ret = -EBUSY;

	mutex_lock(&config->lock);
	if (!config->pdev)
		ret = set_flag(flag, page, count);
	mutex_unlock(&config->lock);
	return ret;
}

static ssize_t sim_config_shared_msi_store(struct config_item *item,
					   const char *page, size_t count)
{
	struct sim_config *config = to_config(item);

	return set_port_flag(config, &config->port.shared_msi, page, count);
}

static ssize_t sim_config_sw_msi_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n",
			  READ_ONCE(to_config(item)->port.sw_msi));
}

static ssize_t sim_config_sw_msi_store(struct config_item *item,
				       const char *page, size_t count)
{
	struct sim_config *config = to_config(item);

	return set_port_flag(config, &config->port.sw_msi, page, count);
}

static ssize_t sim_config_refuse_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "0x%llx\n",
			  atomic64_read(&to_config(item)->port.refuse));
}

static ssize_t sim_config_refuse_store(struct config_item *item,
				       const char *page, size_t count)
{
	u64 mask;
	int ret;

	ret = kstrtou64(page, 0, &mask);
	if (ret)
		return ret;
	atomic64_set(&to_config(item)->port.refuse, mask);
	return count;
}

static ssize_t sim_config_teardown_first_show(struct config_item *item,
					      char *page)
{
	return sysfs_emit(page, "%d\n",
			  READ_ONCE(to_config(item)->port.teardown_first));
}

static ssize_t sim_config_teardown_first_store(struct config_item *item,
					       const char *page, size_t count)
{
	return set_flag(&to_config(item)->port.teardown_first, page, count);
}

static ssize_t sim_config_iotlb_stale_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n",
			  READ_ONCE(to_config(item)->port.iotlb_stale));
}

static ssize_t sim_config_iotlb_stale_store(struct config_item *item,
					    const char *page, size_t count)
{
	return set_flag(&to_config(item)->port.iotlb_stale, page, count);
}

static ssize_t sim_config_prq_group_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n",
			  READ_ONCE(to_config(item)->port.prq_group));
}

static ssize_t sim_config_prq_group_store(struct config_item *item,
					  const char *page, size_t count)
{
	int value, ret;

	ret = kstrtoint(page, 0, &value);
	if (ret)
		return ret;
	if (value < 1 || value > SVA_SIM_PRQ_GROUP_MAX)
		return -ERANGE;
	WRITE_ONCE(to_config(item)->port.prq_group, value);
	return count;
}

static const struct {
	enum sva_sim_fault fault;
	const char *name;
} sim_faults[] = {
	{ SVA_SIM_FAULT_NONE, "none" },
	{ SVA_SIM_FAULT_PASID_RANGE, "pasid-range" },
	{ SVA_SIM_FAULT_PASID_ACCESS, "pasid-access" },
	{ SVA_SIM_FAULT_PASID_NONE, "pasid-not-present" },
	{ SVA_SIM_FAULT_PASID_RSVD, "pasid-reserved" },
	{ SVA_SIM_FAULT_S1_NONE, "stage1-not-present" },
	{ SVA_SIM_FAULT_S1_RSVD, "stage1-reserved" },
	{ SVA_SIM_FAULT_S1_WIDTH, "stage1-width" },
	{ SVA_SIM_FAULT_S1_TOP, "stage1-top-access" },
	{ SVA_SIM_FAULT_S1_ACCESS, "stage1-table-access" },
	{ SVA_SIM_FAULT_S1_UPDATE, "stage1-update" },
	{ SVA_SIM_FAULT_S2, "stage2" },
	{ SVA_SIM_FAULT_CANONICAL, "not-canonical" },
	{ SVA_SIM_FAULT_USER, "supervisor" },
	{ SVA_SIM_FAULT_WRITE, "write" },
};

static ssize_t sim_config_last_fault_show(struct config_item *item, char *page)
{
	u32 fault = READ_ONCE(to_config(item)->port.last_fault);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sim_faults) - 1; i++)
		if (sim_faults[i].fault == fault)
			break;
	return sysfs_emit(page, "0x%02x %s\n", fault, sim_faults[i].name);
}

static ssize_t show_count(atomic64_t *count, char *page)
{
	return sysfs_emit(page, "%lld\n", atomic64_read(count));
}

static ssize_t sim_config_iotlb_hits_show(struct config_item *item, char *page)
{
	return show_count(&to_config(item)->port.iotlb_hits, page);
}

static ssize_t sim_config_iotlb_misses_show(struct config_item *item,
					    char *page)
{
	return show_count(&to_config(item)->port.iotlb_misses, page);
}

static ssize_t sim_config_invalidations_show(struct config_item *item,
					     char *page)
{
	return show_count(&to_config(item)->port.invalidations, page);
}

static ssize_t sim_config_page_requests_show(struct config_item *item,
					     char *page)
{
	return show_count(&to_config(item)->port.page_requests, page);
}

static ssize_t sim_config_huge_leafs_show(struct config_item *item, char *page)
{
	return show_count(&to_config(item)->port.huge_leafs, page);
}

CONFIGFS_ATTR_PERM(sim_config_, enable, 0600);
CONFIGFS_ATTR_PERM(sim_config_, iommu, 0600);
CONFIGFS_ATTR_PERM(sim_config_, pasid_bits, 0600);
CONFIGFS_ATTR_PERM(sim_config_, group, 0600);
CONFIGFS_ATTR_PERM(sim_config_, shared_msi, 0600);
CONFIGFS_ATTR_PERM(sim_config_, sw_msi, 0600);
CONFIGFS_ATTR_PERM(sim_config_, refuse, 0600);
CONFIGFS_ATTR_PERM(sim_config_, teardown_first, 0600);
CONFIGFS_ATTR_PERM(sim_config_, iotlb_stale, 0600);
CONFIGFS_ATTR_PERM(sim_config_, prq_group, 0600);
CONFIGFS_ATTR_RO(sim_config_, dev);
CONFIGFS_ATTR_RO(sim_config_, last_fault);
CONFIGFS_ATTR_RO(sim_config_, iotlb_hits);
CONFIGFS_ATTR_RO(sim_config_, iotlb_misses);
CONFIGFS_ATTR_RO(sim_config_, invalidations);
CONFIGFS_ATTR_RO(sim_config_, page_requests);
CONFIGFS_ATTR_RO(sim_config_, huge_leafs);

static struct configfs_attribute *sim_config_attrs[] = {
	&sim_config_attr_enable,
	&sim_config_attr_dev,
	&sim_config_attr_iommu,
	&sim_config_attr_pasid_bits,
	&sim_config_attr_group,
	&sim_config_attr_shared_msi,
	&sim_config_attr_sw_msi,
	&sim_config_attr_refuse,
	&sim_config_attr_teardown_first,
	&sim_config_attr_iotlb_stale,
	&sim_config_attr_prq_group,
	&sim_config_attr_last_fault,
	&sim_config_attr_iotlb_hits,
	&sim_config_attr_iotlb_misses,
	&sim_config_attr_invalidations,
	&sim_config_attr_page_requests,
	&sim_config_attr_huge_leafs,
	NULL
};

static void sim_config_release(struct config_item *item)
{
	struct sim_config *config = to_config(item);

	mutex_destroy(&config->lock);
	kfree(config);
}

static const struct configfs_item_operations sim_config_item_ops = {
	.release = sim_config_release,
};

static const struct config_item_type sim_config_type = {
	.ct_item_ops = &sim_config_item_ops,
	.ct_attrs = sim_config_attrs,
	.ct_owner = THIS_MODULE,
};

static struct sim_config *sim_config_new(const char *name)
{
	struct sim_config *config = kzalloc_obj(*config);

	if (!config)
		return NULL;
	mutex_init(&config->lock);
	config->port.pasid_bits = 20;
	config->port.group = -1;
	config->port.prq_group = 1;
	config_group_init_type_name(&config->group, name, &sim_config_type);
	return config;
}

static struct config_group *sim_make_group(struct config_group *parent,
					   const char *name)
{
	struct sim_config *config = sim_config_new(name);

	return config ? &config->group : ERR_PTR(-ENOMEM);
}

static void sim_drop_item(struct config_group *parent, struct config_item *item)
{
	struct sim_config *config = to_config(item);

	mutex_lock(&config->lock);
	disable(config);
	mutex_unlock(&config->lock);
	config_item_put(item);
}

static const struct configfs_group_operations sim_subsys_group_ops = {
	.make_group = sim_make_group,
	.drop_item = sim_drop_item,
};

static const struct config_item_type sim_subsys_type = {
	.ct_group_ops = &sim_subsys_group_ops,
	.ct_owner = THIS_MODULE,
};

static struct configfs_subsystem sim_subsys = {
	.su_group = {
		.cg_item = {
			.ci_namebuf = "sva_sim",
			.ci_type = &sim_subsys_type,
		},
	},
	.su_mutex = __MUTEX_INITIALIZER(sim_subsys.su_mutex),
};

static int create_engine(unsigned int index)
{
	struct sim_config *config;
	char name[20];
	int ret;

	snprintf(name, sizeof(name), "default%u", index);
	config = sim_config_new(name);
	if (!config)
		return -ENOMEM;
	config->port.iommu = index % sva_sim_nr_iommus(false);
	ret = configfs_register_group(&sim_subsys.su_group, &config->group);
	if (ret) {
		config_group_put(&config->group);
		return ret;
	}
	sim_engines[index] = config;

	mutex_lock(&config->lock);
	ret = enable(config);
	mutex_unlock(&config->lock);
	return ret;
}

static void destroy_engines(void)
{
	unsigned int i;

	for (i = 0; i < SIM_ENGINES_MAX; i++) {
		struct sim_config *config = sim_engines[i];

		if (!config)
			continue;
		configfs_unregister_group(&config->group);
		mutex_lock(&config->lock);
		disable(config);
		mutex_unlock(&config->lock);
		config_group_put(&config->group);
		sim_engines[i] = NULL;
	}
}

int sim_config_init(void)
{
	unsigned int i;
	int ret;

	if (engines > SIM_ENGINES_MAX)
		return -EINVAL;

	config_group_init(&sim_subsys.su_group);
	ret = configfs_register_subsystem(&sim_subsys);
	if (ret)
		return ret;

	for (i = 0; i < engines; i++) {
		ret = create_engine(i);
		if (ret) {
			sim_config_exit();
			return ret;
		}
	}
	return 0;
}

/* A directory that somebody made holds the module, so there are none left. */
void sim_config_exit(void)
{
	destroy_engines();
	configfs_unregister_subsystem(&sim_subsys);
}
