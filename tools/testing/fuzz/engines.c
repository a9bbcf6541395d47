// SPDX-License-Identifier: GPL-2.0-only
/*
 * Engines, for who administers the machine: how they are made, changed, given to one
 * driver or another, and taken away.
 *
 * Who takes an engine away from VFIO waits until nobody has it open, in a way that no
 * signal ends; and so does whoever wants anything of the engine, or of the directory
 * that it is removed from, meanwhile. A program that did that itself would wait for
 * itself. Thus it is done by processes that have nothing open; all others find
 * engines without asking what may be locked.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define CONFIG		"/sys/kernel/config/sva_sim"
#define CLASS		"/sys/class/sva_sim"

/* For how long a call waits for the administrator, and if he waits for somebody else */
#define ADMIN_MS	(200 * SVA_SLOWER)
#define LATE_MS		(5 * SVA_SLOWER)

/* What programs and administrators share */
static struct engines {
	int number[ENGINES];	/* in the name of each one's device, or -1 */
	bool late;		/* the administrator was, since the program began */
} *engines;

/* The address of the PCI function that is an engine, or "" */
static char function[32];

#define GET(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define SET(x, v)	__atomic_store_n(&(x), v, __ATOMIC_RELAXED)

/* --- names --------------------------------------------------------------------------- */

/* Which one is meant: where there is no function, another one. */
static unsigned int pick(uint64_t engine)
{
	engine %= ENGINES;
	return engine == FUNCTION && !*function ? FUNCTION - 1 : engine;
}

static bool is_function(uint64_t engine)
{
	return pick(engine) == FUNCTION;
}

/* Whether programs may take it away. */
static bool is_ours(uint64_t engine)
{
	return engine >= OWN_ENGINES && engine < ENGINES;
}

static void config_path(uint64_t engine, const char *attr, char *path, size_t len)
{
	snprintf(path, len, CONFIG "/%s%u%s%s", is_ours(engine) ? "fuzz" : "default",
		 pick(engine), attr ? "/" : "", attr ? attr : "");
}

static const char *bus_of(uint64_t engine)
{
	return is_function(engine) ? "pci" : "platform";
}

/* What there is in sysfs of its device */
static int device_path(uint64_t engine, const char *what, char *path, size_t len)
{
	char device[64];
	int ret = engine_device(engine, device, sizeof(device));

	snprintf(path, len, "/sys/bus/%s/devices/%s/%s", bus_of(engine), device, what);
	return ret;
}

static long write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);
	long ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static long config_write(uint64_t engine, const char *attr, const char *value)
{
	char path[96];

	config_path(engine, attr, path, sizeof(path));
	return write_file(path, value);
}

/* The first entry of a directory that begins with @prefix; into @name. */
static int find_entry(const char *path, const char *prefix, char *name, size_t len)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	int ret = -ENOENT;

	while (dir && ret && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)))
			continue;
		snprintf(name, len, "%s", entry->d_name);
		ret = 0;
	}
	if (dir)
		closedir(dir);
	return ret;
}

/* Where a link leads to: the last part. */
static int link_name(const char *path, char *name, size_t len)
{
	char link[256];
	ssize_t n = readlink(path, link, sizeof(link) - 1);

	if (n < 0)
		return -errno;
	link[n] = '\0';
	snprintf(name, len, "%.31s", strrchr(link, '/') ? strrchr(link, '/') + 1 : link);
	return 0;
}

/* Notes what an engine is called. Its configuration knows while it has its own driver. */
static void find_number(uint64_t engine)
{
	char path[96], node[32] = "", device[64];
	int fd, number;
	ssize_t n;

	config_path(engine, "dev", path, sizeof(path));
	fd = open(path, O_RDONLY);
	n = fd < 0 ? 0 : read(fd, node, sizeof(node) - 1);
	close(fd);
	if (n <= 1)
		return;
	node[n - 1] = '\0';
	snprintf(path, sizeof(path), CLASS "/%s/device", node);
	if (!link_name(path, device, sizeof(device)) &&
	    sscanf(device, "sva_sim.%d", &number) == 1)
		SET(engines->number[pick(engine)], number);
}

/* An engine that is on no platform bus is a PCI function. */
static void find_function(void)
{
	char path[320], device[64];
	struct dirent *entry;
	DIR *dir = opendir(CLASS);

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), CLASS "/%s/device", entry->d_name);
		if (!link_name(path, device, sizeof(device)) && strchr(device, ':'))
			snprintf(function, sizeof(function), "%.31s", device);
	}
	if (dir)
		closedir(dir);
}

int engines_init(void)
{
	unsigned int i;

	engines = mmap(NULL, sizeof(*engines), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (engines == MAP_FAILED)
		return -errno;
	find_function();
	for (i = 0; i < ENGINES; i++)
		engines->number[i] = -1;
	for (i = 0; i < OWN_ENGINES; i++)
		find_number(i);
	return 0;
}

int engine_device(uint64_t engine, char *name, size_t len)
{
	int number;

	if (is_function(engine)) {
		snprintf(name, len, "%s", function);
		return 0;
	}
	number = GET(engines->number[pick(engine)]);
	snprintf(name, len, "sva_sim.%d", number);
	return number < 0 ? -ENODEV : 0;
}

int engine_node(uint64_t engine, char *node, size_t len)
{
	char path[160];
	int ret = device_path(engine, "sva_sim", path, sizeof(path));

	return ret ? ret : find_entry(path, "sva_sim", node, len);
}

int engine_vfio_group(uint64_t engine, char *node, size_t len)
{
	char path[160];
	int ret = device_path(engine, "iommu_group", path, sizeof(path));

	return ret ? ret : link_name(path, node, len);
}

int engine_vfio_node(uint64_t engine, char *node, size_t len)
{
	char path[160];
	int ret = device_path(engine, "vfio-dev", path, sizeof(path));

	return ret ? ret : find_entry(path, "vfio", node, len);
}

/* --- the administrator ---------------------------------------------------------------- */

/*
 * Has @work done with nothing open. It goes on by itself if it takes too long, and
 * ends at the latest with the program.
 */
static long administer(long (*work)(const uint64_t *arg), const uint64_t *arg)
{
	uint64_t until;
	int status;
	pid_t pid;

	if (!is_ours(arg[0]))
		return -EINVAL;
	pid = fork();
	if (!pid) {
		syscall(SYS_close_range, 0, FD_OURS - 1, 0);
		cover_begin(COVER_ADMIN);
		_exit(-work(arg));
	}
	if (pid < 0)
		return -errno;
	until = now_ms() + (GET(engines->late) ? LATE_MS : ADMIN_MS);
	while (!waitpid(pid, &status, WNOHANG)) {
		if (now_ms() >= until) {
			SET(engines->late, true);
			return -EINPROGRESS;
		}
		usleep(250);
	}
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static long make(const uint64_t *arg)
{
	static const char *const attrs[] = { "iommu", "pasid_bits", "group", "prq_group",
					     "sw_msi", "shared_msi" };
	char path[96], value[24];
	unsigned int i;
	long ret;

	if (is_function(arg[0]))
		return -EEXIST;
	config_path(arg[0], NULL, path, sizeof(path));
	if (mkdir(path, 0700))
		return -errno;
	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		snprintf(value, sizeof(value), "%d", (int)arg[1 + i]);
		config_write(arg[0], attrs[i], value);
	}
	ret = config_write(arg[0], "enable", "1");
	find_number(arg[0]);
	return ret;
}

/* As if it had been pulled out, and plugged in again */
static long replug(uint64_t engine)
{
	char path[128];
	long ret = device_path(engine, "remove", path, sizeof(path));

	if (!ret)
		ret = write_file(path, "1");
	write_file("/sys/bus/pci/rescan", "1");
	return ret;
}

static long take_away(const uint64_t *arg)
{
	char path[96];

	if (is_function(arg[0]))
		return replug(arg[0]);
	config_path(arg[0], NULL, path, sizeof(path));
	return rmdir(path) ? -errno : 0;
}

static long set(const uint64_t *arg)
{
	static const char *const attrs[] = {
		"enable", "refuse", "teardown_first", "iotlb_stale", "prq_group", "iommu",
	};
	char value[24];
	long ret;

	snprintf(value, sizeof(value), "%llu", (unsigned long long)arg[2]);
	ret = config_write(arg[0], attrs[arg[1] % ARRAY_SIZE(attrs)], value);
	find_number(arg[0]);
	return ret;
}

static long take_driver(const uint64_t *arg)
{
	char device[64], path[128];
	long ret = engine_device(arg[0], device, sizeof(device));

	device_path(arg[0], "driver/unbind", path, sizeof(path));
	return ret ? ret : write_file(path, device);
}

/* Gives it a driver. */
static long probe(uint64_t engine)
{
	char device[64], path[64];
	long ret = engine_device(engine, device, sizeof(device));

	snprintf(path, sizeof(path), "/sys/bus/%s/drivers_probe", bus_of(engine));
	return ret ? ret : write_file(path, device);
}

/* Takes the driver away and gives it back. */
static long rebind(const uint64_t *arg)
{
	long ret = take_driver(arg);

	return ret ? ret : probe(arg[0]);
}

/* The driver is named; "" is the engine's own. */
static long give_to(uint64_t engine, const char *driver)
{
	char path[128];
	long ret = device_path(engine, "driver_override", path, sizeof(path));

	if (ret)
		return ret;
	take_driver(&engine);
	ret = write_file(path, *driver ? driver : "\n");
	return ret ? ret : probe(engine);
}

static long make_vfio(const uint64_t *arg)
{
	long ret = make(arg);

	if (ret && ret != -EEXIST)
		return ret;
	return give_to(arg[0], is_function(arg[0]) ? "sva-vfio-pci" : "sva-vfio-sim");
}

static long disable(const uint64_t *arg)
{
	if (is_function(arg[0]))
		return replug(arg[0]);
	return config_write(arg[0], "enable", "0");
}

static long give_back(const uint64_t *arg)
{
	return give_to(arg[0], "");
}

/* A program may have left it to VFIO, or have been killed while it was away. */
static void restore_function(void)
{
	char path[128], driver[64];
	struct stat st;

	device_path(FUNCTION, "", path, sizeof(path));
	if (stat(path, &st))
		write_file("/sys/bus/pci/rescan", "1");
	device_path(FUNCTION, "driver", path, sizeof(path));
	if (link_name(path, driver, sizeof(driver)) || strcmp(driver, "sva_sim"))
		give_to(FUNCTION, "");
}

void engines_remove(void)
{
	char path[64];
	unsigned int i;

	for (i = OWN_ENGINES; i < FUNCTION; i++) {
		config_path(i, NULL, path, sizeof(path));
		rmdir(path);
		engines->number[i] = -1;
	}
	if (*function)
		restore_function();
	engines->late = false;
}

/* --- calls ---------------------------------------------------------------------------- */

long run_engine_make(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	return administer(make, arg);
}

long run_engine_remove(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	return administer(take_away, arg);
}

long run_engine_set(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	return administer(set, arg);
}

long run_engine_rebind(struct lane *lane, const uint64_t *arg)
{
	(void)lane;
	return administer(rebind, arg);
}

long run_vfio_make(struct lane *lane, const uint64_t *arg)
{
	long ret = administer(make_vfio, arg);

	(void)lane;
	return ret ? ret : (long)arg[0];
}

long run_vfio_take(struct lane *lane, const uint64_t *arg)
{
	static long (*const ways[])(const uint64_t *arg) = {
		take_driver, disable, take_away, give_back,
	};

	(void)lane;
	return administer(ways[arg[1] % ARRAY_SIZE(ways)], arg);
}
