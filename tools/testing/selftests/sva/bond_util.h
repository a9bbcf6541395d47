/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of bonds: memory that engines are given, descriptors of which even
 * the record may be unreachable, and processes that come and go.
 */
#ifndef BOND_UTIL_H
#define BOND_UTIL_H

#include "sva_core.h"
#include "sva_util.h"

#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/wait.h>

/*
 * What an IOVA AS maps where the program sees it, so that pointers mean the same
 * to the program and to the engine, which it can give records then; and a page
 * that is mapped in no address space but the process's own.
 */
struct bond_mem {
	struct sva_sim_completion done __attribute__((aligned(4096)));
	uint64_t src[512] __attribute__((aligned(4096)));
	uint64_t dst[512] __attribute__((aligned(4096)));
	uint64_t hole[512] __attribute__((aligned(4096)));
};

#define BOND_MAPPED offsetof(struct bond_mem, hole)

static inline struct bond_mem *bond_mem(void)
{
	struct bond_mem *mem = sva_mem(sizeof(*mem));
	int i;

	for (i = 0; mem && i < 512; i++)
		mem->src[i] = 0x1000000000000 + i;
	return mem;
}

/* Makes an address space of it. */
static inline int bond_as(int fd, struct bond_mem *mem, uint32_t *as)
{
	int ret = sva_as_alloc(fd, as);

	if (ret)
		return ret;
	return iova_map_at(fd, *as, CORE_RW, mem, BOND_MAPPED, (uintptr_t)mem);
}

/* One more queue of an engine, attached; or a negative errno. */
static inline int bond_attached(const char *dev, int fd, uint32_t pasid)
{
	int ret, sim = sva_sim_open_name(dev);

	if (sim < 0)
		return sim;
	ret = sva_sim_attach(sim, fd, pasid, NULL);
	if (ret) {
		close(sim);
		return ret;
	}
	return sim;
}

/*
 * Waits for the only descriptor of a queue, as often as there is one. Returns
 * its status, which is PENDING if not even the record could be written, or a
 * negative errno.
 */
static inline int bond_wait(int sim, struct sva_sim_completion *done)
{
	uint64_t count;

	if (read(sim, &count, sizeof(count)) < 0)
		return -errno;
	return __atomic_load_n(&done->status, __ATOMIC_ACQUIRE);
}

/* Executes a descriptor on a queue that has no other, and waits for it. */
static inline int bond_run(int sim, struct sva_sim_desc desc,
			   struct sva_sim_completion *done)
{
	int ret;

	memset(done, 0, sizeof(*done));
	desc.completion = (uintptr_t)done;
	ret = sva_sim_submit(sim, &desc);
	return ret ? ret : bond_wait(sim, done);
}

/* Forgets completions that nobody has waited for. */
static inline void bond_drain(int sim)
{
	struct pollfd pfd = { .fd = sim, .events = POLLIN };
	uint64_t count;

	while (poll(&pfd, 1, 0) == 1 && pfd.revents & POLLIN)
		if (read(sim, &count, sizeof(count)) < 0)
			break;
}

/* Whether the engine can copy within the memory. */
static inline int bond_copy(int sim, struct bond_mem *mem)
{
	int ret;

	memset(mem->dst, 0xee, sizeof(mem->dst));
	ret = bond_run(sim, sva_sim_memcpy((uintptr_t)mem->dst,
					   (uintptr_t)mem->src,
					   sizeof(mem->src)), &mem->done);
	if (ret == SVA_SIM_STATUS_OK &&
	    memcmp(mem->src, mem->dst, sizeof(mem->src)))
		return -EBADMSG;
	return ret;
}

/* Polls for the end of a bond. */
static inline bool bond_hangs_up(int sim)
{
	struct pollfd pfd = { .fd = sim };

	return poll(&pfd, 1, SVA_TIMEOUT_MS) == 1 && pfd.revents & POLLHUP;
}

/* The queue has the process PASID, and no sva fd any more. */
static inline int bond_attach_process(int sim)
{
	int ret, fd = sva_open();
	uint32_t pasid;

	ret = pasid_alloc_handle(fd, SVA_PASID_F_MM, &pasid);
	if (!ret)
		ret = sva_sim_attach(sim, fd, pasid, NULL);
	close(fd);
	return ret;
}

/* Sets off what a PCI function does when its file in sysfs is written to. */
static inline int bond_pci(const char *function, const char *what)
{
	char file[PATH_MAX + 16];

	snprintf(file, sizeof(file), "%s/%s", function, what);
	return sva_write_file(file, "1");
}

/* The platform device of a software engine: what its node is a child of. */
static inline int bond_hardware(const char *name, char *hw, size_t len)
{
	char path[64], link[256], dev[32];
	ssize_t n;
	int ret;

	ret = sva_sim_get(name, "dev", dev, sizeof(dev));
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "/sys/class/sva_sim/%s/device", dev);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return -errno;
	link[n] = '\0';
	snprintf(hw, len, "%s", strrchr(link, '/') + 1);
	return 0;
}

static inline long bond_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Sends descriptors and a number to another process. */
static inline int bond_send(int sock, const int *fds, int num, uint32_t word)
{
	union {
		char buf[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct iovec iov = { &word, sizeof(word) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = CMSG_SPACE(num * sizeof(int)),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(num * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, num * sizeof(int));
	return sendmsg(sock, &msg, 0) == sizeof(word) ? 0 : -errno;
}

static inline int bond_receive(int sock, int *fds, int num, uint32_t *word)
{
	union {
		char buf[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct iovec iov = { word, sizeof(*word) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *cmsg;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != sizeof(*word))
		return -EPIPE;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_len != CMSG_LEN(num * sizeof(int)))
		return -EPROTO;
	memcpy(fds, CMSG_DATA(cmsg), num * sizeof(int));
	return 0;
}

/* Exit status of a child that ends by itself, else -1. */
static inline int bond_join_child(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* Ends a child that is not as it should be; the output names the line. */
#define BOND_CHECK(cond) do {						\
	if (!(cond)) {							\
		fprintf(stderr, "# line %d: not: %s\n", __LINE__, #cond);	\
		_exit(1);						\
	}								\
} while (0)

/* The same numbers in each run. */
static inline uint32_t bond_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

#endif /* BOND_UTIL_H */
