// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel from outside: what is in use, and whether it has complained.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define SETTLE_MS	(10000 * SVA_SLOWER)

static const char *const names[] = {
	"contexts", "pasids", "processes", "bonds", "pinned_pages",
};

static struct {
	int fd;
	long before;
} counts[ARRAY_SIZE(names)];

static int taint_fd;
static long taint_before;

static int open_ours(const char *path)
{
	int ours, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	ours = fcntl(fd, F_DUPFD_CLOEXEC, FD_OURS);
	close(fd);
	return ours < 0 ? -errno : ours;
}

static long read_number(int fd)
{
	char text[32];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n < 0)
		return -1;
	text[n] = '\0';
	return strtol(text, NULL, 10);
}

int watch_init(void)
{
	char path[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "/sys/class/misc/sva/%s", names[i]);
		counts[i].fd = open_ours(path);
		if (counts[i].fd < 0)
			return counts[i].fd;
		counts[i].before = read_number(counts[i].fd);
	}
	taint_fd = open_ours("/proc/sys/kernel/tainted");
	if (taint_fd < 0)
		return taint_fd;
	taint_before = read_number(taint_fd);
	return 0;
}

static bool settled(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (read_number(counts[i].fd) != counts[i].before)
			return false;
	return true;
}

const char *watch_counts(void)
{
	static char text[256];
	uint64_t until = now_ms() + SETTLE_MS;
	unsigned int i;
	size_t at = 0;

	while (!settled()) {
		if (now_ms() < until) {
			usleep(1000);
			continue;
		}
		for (i = 0; i < ARRAY_SIZE(names); i++)
			at += snprintf(text + at, sizeof(text) - at, "%s%s %ld (%ld before)",
				       i ? ", " : "", names[i], read_number(counts[i].fd),
				       counts[i].before);
		return text;
	}
	return NULL;
}

/* Lockdep turns itself off at its first report. */
static bool lockdep_off(void)
{
	char line[128];
	FILE *f = fopen("/proc/lockdep_stats", "re");
	int on = 1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " debug_locks: %d", &on) == 1)
			break;
	if (f)
		fclose(f);
	return !on;
}

/* Warnings, oopses and reports of sanitizers taint the kernel. */
const char *watch_splats(bool thorough)
{
	static char text[64];
	long taint = read_number(taint_fd);

	if (taint != taint_before) {
		snprintf(text, sizeof(text), "/proc/sys/kernel/tainted is %#lx (%#lx before)",
			 taint, taint_before);
		return text;
	}
	return thorough && lockdep_off() ? "lockdep has turned itself off" : NULL;
}
