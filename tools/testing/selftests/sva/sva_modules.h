/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loading and unloading what is tested, in the middle of a test.
 */
#ifndef SVA_MODULES_H
#define SVA_MODULES_H

#include <glob.h>
#include <limits.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sva_core.h"

static inline int modules_delete(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

static inline bool modules_loaded(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	return !access(path, F_OK);
}

/* How often it is used, but by other modules; -1 if there is no such module. */
static inline long modules_uses(const char *name)
{
	char path[PATH_MAX];
	glob_t holders = { 0 };
	long uses;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", name);
	uses = sva_read_number(path);
	snprintf(path, sizeof(path), "/sys/module/%s/holders/*", name);
	if (uses > 0 && !glob(path, GLOB_NOSORT, NULL, &holders))
		uses -= holders.gl_pathc;
	globfree(&holders);
	return uses;
}

/*
 * Wait until something in /sys is no longer there: a kernel that is built to find
 * uses of what is gone (DEBUG_KOBJECT_RELEASE) lets names go seconds late.
 */
static inline bool modules_gone(const char *path)
{
	int i;

	for (i = 0; i < 1000 && !access(path, F_OK); i++)
		core_sleep_ms(10);
	return access(path, F_OK);
}

/* @link: /sys/module/MODULE/drivers/BUS:DRIVER */
static inline void modules_driver_path(const char *link, char *path, size_t len)
{
	const char *bus = strrchr(link, '/') + 1, *driver = strchr(bus, ':') + 1;

	snprintf(path, len, "/sys/bus/%.*s/drivers/%s",
		 (int)(driver - bus - 1), bus, driver);
}

/* Somebody may be looking at what has just appeared; that passes. */
static inline int modules_delete_soon(const char *name)
{
	int i, ret = 0;

	for (i = 0; i < 200 && modules_loaded(name); i++) {
		ret = modules_delete(name);
		if (ret != -EAGAIN)
			return ret;
		core_sleep_ms(10);
	}
	return ret;
}

/* When it is gone, so are its drivers: it can be loaded again. */
static inline int modules_unload_one(const char *name)
{
	char path[PATH_MAX];
	glob_t drivers = { 0 };
	size_t i;
	int ret;

	snprintf(path, sizeof(path), "/sys/module/%s/drivers/*:*", name);
	if (glob(path, GLOB_NOSORT, NULL, &drivers))
		drivers.gl_pathc = 0;
	ret = modules_delete_soon(name);
	for (i = 0; i < drivers.gl_pathc; i++) {
		modules_driver_path(drivers.gl_pathv[i], path, sizeof(path));
		if (!ret && !modules_gone(path))
			ret = -ETIMEDOUT;
	}
	globfree(&drivers);
	return ret;
}

static inline int modules_unload(void)
{
	return modules_unload_one("sva_sim") ?:
	       modules_unload_one("sva_sim_iommu") ?:
	       modules_unload_one("sva");
}

/* @params: of sva, separated by spaces. */
static inline int modules_load_sva(const char *params)
{
	char command[200];
	int status;

	snprintf(command, sizeof(command), "modprobe -q sva %s 2>/dev/null",
		 params);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline int modules_load(const char *params)
{
	int ret = modules_load_sva(params);

	return ret ? ret : system("modprobe sva_sim_iommu && modprobe sva_sim");
}

/* As they were before the test. */
static inline int modules_restore(void)
{
	int ret = modules_unload();

	return ret ? ret : modules_load("");
}

/* Whether they are modules at all. */
static inline bool modules_are(void)
{
	return modules_loaded("sva") && modules_loaded("sva_sim") &&
	       !access("/proc/modules", F_OK) &&
	       !access("/sys/module/sva/refcnt", F_OK);
}

/* Numbers of the pool below 2^@bits if nobody else has any. */
static inline uint32_t modules_pool_size(unsigned int bits, unsigned int share)
{
	uint32_t octave, size = 0;

	for (octave = 1; octave < 1U << bits; octave *= 2)
		size += octave * share / 100;
	return size;
}

#endif /* SVA_MODULES_H */
