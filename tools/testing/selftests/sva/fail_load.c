// SPDX-License-Identifier: GPL-2.0-only
/*
 * Modules that are loaded, with the first allocation of their own failing, then the
 * second, and so on. What cannot be loaded leaves nothing behind, and can be loaded
 * when that is tried again. Devices that are found on the way belong to it: if a
 * driver cannot have one, the driver is loaded all the same.
 *
 * The debug kernel takes seconds to let a module go (DEBUG_KOBJECT_RELEASE). Where
 * there is no time for all points, one in so many is tried, from a random one on.
 *
 * Seconds: 300
 * Machine: plain engine vfio
 */
#include <sys/syscall.h>

#include "fail_util.h"
#include "vfio_pci_util.h"
#include "kselftest_harness.h"

/* No module has so many points. */
#define NTH_MAX		100000

/* Milliseconds for one module, on the slowest kernel too */
#define BUDGET		60000

FIXTURE(fail_load) {
	int nth;
	int module;		/* the file it is in */
	bool unloaded;
	struct vfio_hw function;
};

FIXTURE_VARIANT(fail_load) {
	const char *name;
	const char *params;
	const char *makes;	/* a file that is there while it is loaded */
	uint32_t function;	/* which it drives */
	const char *driver;	/* what that must ask for by name */
	const char *never_in;	/* where the kernel does not survive a failure */
};

#define MODULE(_name, _params, _makes)					\
	FIXTURE_VARIANT_ADD(fail_load, _name) {				\
		.name = #_name, .params = _params, .makes = _makes,	\
	}

MODULE(sva, "pool_bits=8", "/dev/sva");
MODULE(sva_sim_iommu, "iommus=1 table_iommus=1", "/sys/class/iommu/sva_sim_iommu1");
MODULE(sva_sim, "engines=1", "/sys/kernel/config/sva_sim");
MODULE(sva_vfio_sim, "", "/sys/bus/platform/drivers/sva-vfio-sim");
MODULE(sva_vfio_pci, "", "/sys/bus/pci/drivers/sva-vfio-pci");
MODULE(sva_vfio_container, "", "/sys/module/sva_vfio_container");

FIXTURE_VARIANT_ADD(fail_load, sva_sim_with_a_function) {
	.name = "sva_sim",
	.params = "engines=0",
	.makes = "/sys/kernel/config/sva_sim",
	.function = ENGINE_IDS,
	.never_in = "register_irq_proc",
};

FIXTURE_VARIANT_ADD(fail_load, sva_vfio_pci_with_a_function) {
	.name = "sva_vfio_pci",
	.params = "",
	.makes = "/sys/bus/pci/drivers/sva-vfio-pci",
	.function = EDU_IDS,
	.driver = "sva-vfio-pci",
	.never_in = "vfio_create_group",
};

static int unload_all(void)
{
	return vfio_unload() ?: modules_unload();
}

static int open_module(const char *name)
{
	char command[80], path[PATH_MAX] = "";
	FILE *f;

	snprintf(command, sizeof(command), "modinfo -n %s", name);
	f = popen(command, "re");
	if (!f)
		return -errno;
	if (fgets(path, sizeof(path), f))
		path[strcspn(path, "\n")] = '\0';
	pclose(f);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* What it needs is loaded then, and stays. */
static int load_dependencies(const char *name)
{
	char command[80];

	snprintf(command, sizeof(command), "modprobe %s", name);
	return system(command) ? -ENOENT : modules_unload_one(name);
}

static int load(int fd, const char *params)
{
	return syscall(SYS_finit_module, fd, params, 0) ? -errno : 0;
}

/* Without a function, all machines are the same. */
static bool for_this_machine(struct vfio_hw *hw, uint32_t function)
{
	struct vfio_hw any;

	if (function)
		return !vfio_pci_find(hw, function);
	return vfio_pci_find(&any, EDU_IDS) && vfio_pci_find(&any, ENGINE_IDS);
}

FIXTURE_SETUP(fail_load)
{
	self->module = -1;
	self->nth = fail_open();
	if (self->nth == -ENOSYS)
		SKIP(return, "this kernel cannot make allocations fail");
	ASSERT_LE(0, self->nth);
	if (!modules_are())
		SKIP(return, "/dev/sva is not made of modules");
	if (!for_this_machine(&self->function, variant->function))
		SKIP(return, "is for a machine with%s PCI functions of ours",
		     variant->function ? "" : "out");
	self->module = open_module(variant->name);
	if (self->module < 0)
		SKIP(return, "this kernel has no module %s", variant->name);
	self->unloaded = true;
	ASSERT_EQ(0, unload_all());
	if (variant->driver)
		ASSERT_EQ(0, vfio_hw_write(&self->function, "driver_override",
					   variant->driver));
	ASSERT_EQ(0, load_dependencies(variant->name));
	/* Not what the kernel needs in order to have a module at all. */
	ASSERT_EQ(0, fail_only_in("do_one_initcall"));
	if (variant->never_in)
		ASSERT_EQ(0, fail_never_in(variant->never_in));
}

FIXTURE_TEARDOWN(fail_load)
{
	if (self->nth >= 0)
		EXPECT_EQ(0, fail_anywhere());
	close(self->nth);
	close(self->module);
	if (!self->unloaded)
		return;
	if (variant->driver)
		EXPECT_EQ(0, vfio_pci_give_back(&self->function));
	EXPECT_EQ(0, unload_all());
	EXPECT_EQ(0, modules_load(""));
}

/* What others could have lost to a module that failed. */
static long numbers(void)
{
	return modules_loaded("sva") ? core_count("pool_size") : 0;
}

/* How many points there are, and how far apart those are that there is time for. */
static int count_points(int nth, int module, const char *name, const char *params,
			int *step)
{
	long start = bond_now_ms();
	int points, ret;

	if (!fail_at(nth, NTH_MAX))
		return -EIO;
	ret = load(module, params);
	points = fail_passed(nth, NTH_MAX);
	fail_end(nth);
	ret = ret ?: modules_unload_one(name);
	*step = points * (bond_now_ms() - start) / BUDGET + 1;
	return ret ?: points;
}

/* A failure that left something behind would let the next one fail in another way. */
TEST_F_TIMEOUT(fail_load, fail_load, 120)
{
	int n, ret, points, step, tried = 0, failed = 0;
	uint32_t random = bond_now_ms();
	bool hit;
	long all;

	points = count_points(self->nth, self->module, variant->name, variant->params,
			      &step);
	ASSERT_LT(0, points);
	ASSERT_EQ(0, load(self->module, variant->params));
	all = numbers();
	ASSERT_EQ(0, modules_unload_one(variant->name));
	/* All until one matters: what a driver is registered with is among the first. */
	for (n = 1; n <= points; n += failed ? 1 + bond_random(&random) % (2 * step - 1) : 1) {
		tried++;
		ASSERT_TRUE(fail_at(self->nth, n));
		ret = load(self->module, variant->params);
		hit = fail_end(self->nth);
		if (!ret) {
			ASSERT_EQ(0, access(variant->makes, F_OK));
			ASSERT_EQ(0, modules_unload_one(variant->name));
			continue;
		}
		failed++;
		ASSERT_TRUE(hit)
			TH_LOG("%s without a fault", strerror(-ret));
		/* The driver core has more words than -ENOMEM for it. */
		ASSERT_TRUE(ret != -EEXIST && ret != -EBUSY)
			TH_LOG("%s at point %d", strerror(-ret), n);
		ASSERT_FALSE(modules_loaded(variant->name));
		ASSERT_TRUE(modules_gone(variant->makes));
	}
	ASSERT_LT(0, failed);
	ASSERT_EQ(0, load(self->module, variant->params));
	ASSERT_EQ(all, numbers());
	TH_LOG("%d points, %d tried, loading failed at %d", points, tried, failed);
}

TEST_HARNESS_MAIN
