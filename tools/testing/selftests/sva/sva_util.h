/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers of the tests: thin wrappers that return what the kernel said, 0 or a
 * positive value, or the negative errno.
 */
#ifndef SVA_UTIL_H
#define SVA_UTIL_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <linux/sva.h>
#include <linux/sva_sim.h>

#define SVA_CONFIGFS "/sys/kernel/config/sva_sim"

/* How much slower than usual the kernel is; see the Makefile. */
#ifndef SVA_SLOWER
#define SVA_SLOWER 1
#endif

/* Long enough for an emulated machine that has other things to do. */
#define SVA_TIMEOUT_MS (20000 * SVA_SLOWER)

static inline int sva_ioctl(int fd, unsigned long cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

static inline int sva_open(void)
{
	int fd = open("/dev/sva", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Allocates one; the PASID or handle is in *pasid. */
static inline int sva_pasid_alloc(int fd, uint32_t flags, uint32_t min,
				  uint32_t max, uint32_t *pasid)
{
	struct sva_pasid_alloc cmd = {
		.size = sizeof(cmd), .flags = flags,
		.min = min, .max = max, .count = 1,
	};
	int ret = sva_ioctl(fd, SVA_PASID_ALLOC, &cmd);

	*pasid = cmd.pasid;
	return ret;
}

static inline int sva_pasid_free(int fd, uint32_t pasid)
{
	struct sva_pasid_free cmd = {
		.size = sizeof(cmd), .pasid = pasid, .count = 1,
	};

	return sva_ioctl(fd, SVA_PASID_FREE, &cmd);
}

static inline int sva_pasid_info(int fd, uint32_t pasid,
				 struct sva_pasid_info *info)
{
	*info = (struct sva_pasid_info) {
		.size = sizeof(*info), .pasid = pasid,
	};
	return sva_ioctl(fd, SVA_PASID_INFO, info);
}

static inline int sva_pasid_bind(int fd, uint32_t pasid, uint32_t as_id)
{
	struct sva_pasid_bind cmd = {
		.size = sizeof(cmd), .pasid = pasid, .as_id = as_id,
	};

	return sva_ioctl(fd, SVA_PASID_BIND, &cmd);
}

static inline int sva_as_alloc(int fd, uint32_t *id)
{
	struct sva_as_alloc cmd = {
		.size = sizeof(cmd), .type = SVA_AS_TYPE_IOVA,
	};
	int ret = sva_ioctl(fd, SVA_AS_ALLOC, &cmd);

	*id = cmd.id;
	return ret;
}

/* The number in a file of sysfs or procfs; -1 if there is none. */
static inline long sva_read_number(const char *path)
{
	FILE *f = fopen(path, "re");
	long value;

	if (!f)
		return -1;
	if (fscanf(f, "%ld", &value) != 1)
		value = -1;
	fclose(f);
	return value;
}

/* A fault queue, or a negative errno. */
static inline int sva_faultq(int fd, uint32_t flags, uint32_t depth)
{
	struct sva_faultq_alloc cmd = {
		.size = sizeof(cmd), .flags = flags, .depth = depth,
	};
	int ret = sva_ioctl(fd, SVA_FAULTQ_ALLOC, &cmd);

	return ret ? ret : cmd.fd;
}

/* An address space that asks by a fault queue for what is not there: all of it. */
static inline int sva_as_asking(int fd, int faultq, uint32_t *id)
{
	struct sva_as_alloc cmd = {
		.size = sizeof(cmd), .type = SVA_AS_TYPE_IOVA,
		.flags = SVA_AS_F_FAULT, .fault_fd = faultq,
	};
	int ret = sva_ioctl(fd, SVA_AS_ALLOC, &cmd);

	*id = cmd.id;
	return ret;
}

/* A PASID of such an address space. Returns the fault queue, or a negative errno. */
static inline int sva_pasid_asking(int fd, uint32_t flags, uint32_t depth,
				   uint32_t *pasid)
{
	int ret, faultq = sva_faultq(fd, flags, depth);
	uint32_t as;

	*pasid = 0;
	if (faultq < 0)
		return faultq;
	ret = sva_as_asking(fd, faultq, &as) ?:
	      sva_pasid_alloc(fd, 0, 0, 0, pasid) ?:
	      sva_pasid_bind(fd, *pasid, as);
	if (!ret)
		return faultq;
	close(faultq);
	return ret;
}

static inline int sva_destroy(int fd, uint32_t id)
{
	struct sva_destroy cmd = { .size = sizeof(cmd), .id = id };

	return sva_ioctl(fd, SVA_DESTROY, &cmd);
}

/* Maps at a chosen IOVA, or with flags lacking FIXED anywhere. */
static inline int sva_map(int fd, uint32_t as_id, uint32_t flags, void *va,
			  uint64_t length, uint64_t *iova)
{
	struct sva_iova_map cmd = {
		.size = sizeof(cmd), .flags = flags, .as_id = as_id,
		.user_va = (uintptr_t)va, .length = length, .iova = *iova,
	};
	int ret = sva_ioctl(fd, SVA_IOVA_MAP, &cmd);

	*iova = cmd.iova;
	return ret;
}

static inline int sva_unmap(int fd, uint32_t as_id, uint64_t iova,
			    uint64_t length)
{
	struct sva_iova_unmap cmd = {
		.size = sizeof(cmd), .as_id = as_id,
		.iova = iova, .length = length,
	};

	return sva_ioctl(fd, SVA_IOVA_UNMAP, &cmd);
}

/* Waits for udev, or whoever makes the node. */
static inline int sva_sim_open_name(const char *name)
{
	char path[64];
	int i, fd = -1;

	snprintf(path, sizeof(path), "/dev/%s", name);
	for (i = 0; i < 200 * SVA_SLOWER; i++) {
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 || errno != ENOENT)
			break;
		usleep(10000);
	}
	return fd < 0 ? -errno : fd;
}

static inline int sva_sim_open(unsigned int n)
{
	char name[16];

	snprintf(name, sizeof(name), "sva_sim%u", n);
	return sva_sim_open_name(name);
}

static inline int sva_sim_attach(int sim, int fd, uint32_t pasid,
				 uint32_t *number)
{
	struct sva_sim_attach cmd = {
		.size = sizeof(cmd), .sva_fd = fd, .pasid = pasid,
	};
	int ret = sva_ioctl(sim, SVA_SIM_ATTACH, &cmd);

	if (number)
		*number = cmd.number;
	return ret;
}

static inline int sva_sim_detach(int sim)
{
	return sva_ioctl(sim, SVA_SIM_DETACH, NULL);
}

static inline int sva_sim_info(int sim, struct sva_sim_info *info)
{
	*info = (struct sva_sim_info) { .size = sizeof(*info) };
	return sva_ioctl(sim, SVA_SIM_GET_INFO, info);
}

/*
 * Whether an engine is software, behind the software IOMMU. The other kind is a
 * PCI function behind an emulated Intel IOMMU, which cannot enforce snooping.
 */
static inline bool sva_sim_is_software(int sim)
{
	struct sva_sim_info info;

	return !sva_sim_info(sim, &info) && info.iommu != SVA_SIM_IOMMU_NONE;
}

/* What SVA_PASID_S_COHERENT has to be for a PASID that an engine uses. */
static inline uint32_t sva_sim_coherent(int sim)
{
	return sva_sim_is_software(sim) ? SVA_PASID_S_COHERENT : 0;
}

/* Queues one descriptor. */
static inline int sva_sim_submit(int sim, const struct sva_sim_desc *desc)
{
	ssize_t n = write(sim, desc, sizeof(*desc));

	if (n < 0)
		return -errno;
	return n == sizeof(*desc) ? 0 : -EIO;
}

/* Waits until a descriptor has completed, by looking at its record. */
static inline int sva_sim_wait(int sim, struct sva_sim_completion *done)
{
	struct pollfd pfd = { .fd = sim, .events = POLLIN };
	uint64_t count;
	int waited = 0;

	while (!__atomic_load_n(&done->status, __ATOMIC_ACQUIRE)) {
		if (poll(&pfd, 1, 100) == 1 && pfd.revents & POLLIN &&
		    read(sim, &count, sizeof(count)) < 0 && errno != EAGAIN)
			return -errno;
		waited += 100;
		if (waited > SVA_TIMEOUT_MS)
			return -ETIMEDOUT;
	}
	return done->status;
}

/* Queues a descriptor, waits for it and returns its status. */
static inline int sva_sim_run(int sim, const struct sva_sim_desc *desc,
			      struct sva_sim_completion *done)
{
	struct sva_sim_desc d = *desc;
	int ret;

	memset(done, 0, sizeof(*done));
	d.completion = (uintptr_t)done;
	ret = sva_sim_submit(sim, &d);
	return ret ? ret : sva_sim_wait(sim, done);
}

/*
 * For an address space where the program's pointers mean nothing: no record,
 * the counters are looked at instead. Returns 0, or -EIO if it failed.
 */
static inline int sva_sim_run_blind(int sim, const struct sva_sim_desc *desc)
{
	struct sva_sim_info before, after;
	struct pollfd pfd = { .fd = sim, .events = POLLIN };
	uint64_t count;
	int ret;

	ret = sva_sim_info(sim, &before);
	if (!ret)
		ret = sva_sim_submit(sim, desc);
	if (ret)
		return ret;
	do {
		if (poll(&pfd, 1, SVA_TIMEOUT_MS) != 1)
			return -ETIMEDOUT;
		if (read(sim, &count, sizeof(count)) < 0)
			return -errno;
		ret = sva_sim_info(sim, &after);
		if (ret)
			return ret;
	} while (after.completed == before.completed);
	return after.failed == before.failed ? 0 : -EIO;
}

static inline struct sva_sim_desc sva_sim_memcpy(uint64_t dst, uint64_t src,
						 uint64_t len)
{
	return (struct sva_sim_desc) {
		.op = SVA_SIM_OP_MEMCPY, .src = src, .dst = dst, .len = len,
	};
}

static inline struct sva_sim_desc sva_sim_fill(uint64_t dst, uint64_t pattern,
					       uint64_t len)
{
	return (struct sva_sim_desc) {
		.op = SVA_SIM_OP_FILL, .src = pattern, .dst = dst, .len = len,
	};
}

/* Bit by bit; what the engine's crc32c is held against. */
static inline uint32_t sva_crc32c(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint32_t crc = ~0u;
	int i;

	while (len--) {
		crc ^= *p++;
		for (i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

static inline void *sva_mem(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* From now on, descriptors are below @most. */
static inline int sva_limit_fds(rlim_t most)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) ? -errno : 0;
}

static inline void sva_no_op(int signal)
{
	(void)signal;
}

/*
 * read() with a signal that comes often: one may be there before it has begun.
 *
 * Return: as read(), or a negative errno.
 */
static inline ssize_t sva_read_interrupted(int fd, void *buf, size_t len)
{
	const struct sigaction action = { .sa_handler = sva_no_op };
	const struct itimerval often = {
		.it_interval.tv_usec = 20000, .it_value.tv_usec = 20000,
	};
	ssize_t n;

	if (sigaction(SIGALRM, &action, NULL) ||
	    setitimer(ITIMER_REAL, &often, NULL))
		return -errno;
	n = read(fd, buf, len);
	if (n < 0)
		n = -errno;
	setitimer(ITIMER_REAL, &(struct itimerval) {}, NULL);
	return n;
}

/* One write(2) of the whole text to a file that is there. */
static inline int sva_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* Attributes of an engine in configfs. */
static inline int sva_sim_set(const char *engine, const char *attr,
			      const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), SVA_CONFIGFS "/%s/%s", engine, attr);
	return sva_write_file(path, value);
}

static inline int sva_sim_get(const char *engine, const char *attr, char *value,
			      size_t len)
{
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), SVA_CONFIGFS "/%s/%s", engine, attr);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, value, len - 1);
	close(fd);
	if (n < 0)
		return -EIO;
	value[n] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return 0;
}

/* The counter, or a negative errno. */
static inline long long sva_sim_count(const char *engine, const char *attr)
{
	char value[32];
	int ret = sva_sim_get(engine, attr, value, sizeof(value));

	return ret ? ret : strtoll(value, NULL, 0);
}

/* Makes an engine and opens it; each value may be NULL for the default. */
static inline int sva_sim_create(const char *engine, const char *iommu,
				 const char *pasid_bits, const char *group)
{
	char path[128], dev[32];
	int ret = 0;

	snprintf(path, sizeof(path), SVA_CONFIGFS "/%s", engine);
	if (mkdir(path, 0700))
		return -errno;
	if (iommu)
		ret = sva_sim_set(engine, "iommu", iommu);
	if (!ret && pasid_bits)
		ret = sva_sim_set(engine, "pasid_bits", pasid_bits);
	if (!ret && group)
		ret = sva_sim_set(engine, "group", group);
	if (!ret)
		ret = sva_sim_set(engine, "enable", "1");
	if (!ret)
		ret = sva_sim_get(engine, "dev", dev, sizeof(dev));
	if (!ret)
		ret = sva_sim_open_name(dev);
	if (ret < 0)
		rmdir(path);
	return ret;
}

static inline int sva_sim_remove(const char *engine)
{
	char path[128];

	snprintf(path, sizeof(path), SVA_CONFIGFS "/%s", engine);
	return rmdir(path) ? -errno : 0;
}

/* Names of engines that no other test run at the same time has. */
static inline void sva_sim_name(char *name, size_t len, const char *what)
{
	snprintf(name, len, "%s-%d", what, (int)getpid());
}

#endif /* SVA_UTIL_H */
