/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of libsva share; sva_util.h has its own idea of these names. */
#ifndef LIB_UTIL_H
#define LIB_UTIL_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sva/sim.h>
#include <sva/sva.h>

#define LIB_PAGE	4096UL
#define LIB_RW		(SVA_IOVA_F_READ | SVA_IOVA_F_WRITE)
#define LIB_ENGINE	"/dev/sva_sim0"

/* Long enough for an emulated machine that has other things to do. */
#define LIB_TIMEOUT_MS	(20000 * SVA_SLOWER)

/* What no call returns: shows that an output was not touched. */
#define LIB_UNSET	0xdeadbeefu

static inline void *lib_mem(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* How many descriptors this process has open, besides the one for looking. */
static inline int lib_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	/* ".", ".." and the directory itself */
	return count - 3;
}

static inline void lib_on_signal(int sig)
{
	(void)sig;
}

/*
 * Signals that interrupt a wait, again and again: one that comes before is no
 * use. Returns 0; timer_delete() ends it.
 */
static inline int lib_signal_often(timer_t *timer)
{
	struct sigaction action = { .sa_handler = lib_on_signal };
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGUSR1,
	};
	struct itimerspec often = {
		.it_value.tv_nsec = 10000000,
		.it_interval.tv_nsec = 10000000,
	};

	return sigaction(SIGUSR1, &action, NULL) ||
	       timer_create(CLOCK_MONOTONIC, &event, timer) ||
	       timer_settime(*timer, 0, &often, NULL);
}

/* Mounts of its own for a child: what it changes ends with it. */
static inline int lib_own_mounts(void)
{
	return unshare(CLONE_NEWNS) ||
	       mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL);
}

static inline int lib_hide(const char *dir)
{
	return mount("none", dir, "tmpfs", 0, NULL);
}

/* Runs something in a child; what it returns is 0 to 255. */
static inline int lib_in_child(int (*fn)(void *arg), void *arg)
{
	pid_t pid;
	int status;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return -1;
	if (!pid)
		_exit(fn(arg));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

#endif /* LIB_UTIL_H */
