// SPDX-License-Identifier: GPL-2.0-only
/* libsva: opening and closing contexts, and loading the module for that. */
#include <grp.h>
#include <sys/stat.h>

#include "lib_util.h"
#include "kselftest_harness.h"

TEST(lib_open_close)
{
	int before = lib_count_fds();
	struct sva *sva;

	ASSERT_EQ(0, sva_open(&sva, 0));
	EXPECT_EQ(before + 1, lib_count_fds());
	EXPECT_LE(0, sva_fd(sva));
	sva_close(sva);
	EXPECT_EQ(before, lib_count_fds());
	sva_close(NULL);
}

TEST(lib_open_unknown_flags)
{
	struct sva *sva = NULL;

	EXPECT_EQ(-EINVAL, sva_open(&sva, 2));
	EXPECT_EQ(-EINVAL, sva_open(&sva, 0x80000000u | SVA_OPEN_NO_LOAD));
	EXPECT_EQ(NULL, sva);
}

TEST(lib_open_cloexec)
{
	struct sva *sva;

	ASSERT_EQ(0, sva_open(&sva, SVA_OPEN_NO_LOAD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(sva_fd(sva), F_GETFD));
	sva_close(sva);
}

/* What an exec'ed program finds at the number of the descriptor */
TEST(lib_open_gone_after_exec)
{
	struct sva *sva;
	char test[64];
	int status;
	pid_t pid;

	ASSERT_EQ(0, sva_open(&sva, 0));
	snprintf(test, sizeof(test), "test ! -e /proc/self/fd/%d", sva_fd(sva));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		execl("/bin/sh", "sh", "-c", test, NULL);
		_exit(127);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	sva_close(sva);
}

TEST(lib_open_contexts_are_apart)
{
	struct sva *a, *b;
	uint32_t pasid;

	ASSERT_EQ(0, sva_open(&a, 0));
	ASSERT_EQ(0, sva_open(&b, 0));
	ASSERT_EQ(0, sva_pasid_alloc(a, &pasid));
	EXPECT_EQ(-ENOENT, sva_pasid_free(b, pasid));
	EXPECT_EQ(0, sva_pasid_free(a, pasid));
	sva_close(a);
	sva_close(b);
}

TEST(lib_from_fd_owns_it)
{
	struct sva *sva, *again;
	uint32_t pasid;
	int fd;

	ASSERT_EQ(0, sva_open(&sva, 0));
	ASSERT_EQ(0, sva_pasid_alloc(sva, &pasid));
	fd = dup(sva_fd(sva));
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, sva_from_fd(&again, fd));
	EXPECT_EQ(fd, sva_fd(again));
	/* as it was: dup() clears it */
	EXPECT_EQ(0, fcntl(fd, F_GETFD));
	sva_close(sva);
	/* the same context, by its other descriptor */
	EXPECT_EQ(0, sva_pasid_free(again, pasid));
	sva_close(again);
	EXPECT_EQ(-1, fcntl(fd, F_GETFD));
}

TEST(lib_from_fd_refuses_others)
{
	struct sva *sva = NULL;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int file = memfd_create("lib_open", MFD_CLOEXEC);

	ASSERT_LE(0, null);
	ASSERT_LE(0, file);
	EXPECT_EQ(-EBADF, sva_from_fd(&sva, -1));
	EXPECT_EQ(-EBADF, sva_from_fd(&sva, null));
	EXPECT_EQ(-EBADF, sva_from_fd(&sva, file));
	EXPECT_EQ(NULL, sva);
	/* they stay the caller's */
	EXPECT_EQ(0, close(null));
	EXPECT_EQ(0, close(file));
}

TEST(lib_info)
{
	struct sva_get_info info;
	struct sva *sva;

	ASSERT_EQ(0, sva_open(&sva, 0));
	ASSERT_EQ(0, sva_get_info(sva, &info, sizeof(info)));
	EXPECT_TRUE(info.features & SVA_FEATURE_PASID);
	EXPECT_TRUE(info.features & SVA_FEATURE_PROCESS);
	EXPECT_LT(0, info.pasid_min);
	EXPECT_LT(info.pasid_min, info.pasid_max);
	EXPECT_LT(0, info.pool_size);
	EXPECT_LT(0, info.range_max);
	sva_close(sva);
}

/* A program of tomorrow and one of yesterday */
TEST(lib_info_sizes)
{
	struct {
		struct sva_get_info known;
		uint64_t future;
	} info;
	struct sva *sva;

	ASSERT_EQ(0, sva_open(&sva, 0));
	memset(&info, 0xff, sizeof(info));
	ASSERT_EQ(0, sva_get_info(sva, &info.known, sizeof(info)));
	EXPECT_LT(0, info.known.pool_size);
	EXPECT_EQ(0, info.future);
	EXPECT_EQ(-EINVAL, sva_get_info(sva, &info.known, 0));
	EXPECT_EQ(-EINVAL, sva_get_info(sva, &info.known, 4));
	EXPECT_EQ(-EINVAL, sva_get_info(sva, &info.known, 8));
	sva_close(sva);
}

/* --- without rights, node or module: each in a child with a world of its own */

#define NOBODY	65534

/* What sva_open() answers, as an exit status. */
static int open_result(unsigned int flags)
{
	struct sva *sva;
	int err = sva_open(&sva, flags);

	if (!err)
		sva_close(sva);
	return -err;
}

static int be_user(uid_t uid, gid_t gid)
{
	return setgroups(0, NULL) || setresgid(gid, gid, gid) ||
	       setresuid(uid, uid, uid);
}

static int open_as_nobody(void *arg)
{
	(void)arg;
	return be_user(NOBODY, NOBODY) ? 255 : open_result(0);
}

static int open_in_group(void *arg)
{
	return be_user(NOBODY, *(gid_t *)arg) ? 255 : open_result(0);
}

static int open_without_node(void *arg)
{
	if (lib_own_mounts() || lib_hide("/dev"))
		return 255;
	return open_result(*(unsigned int *)arg);
}

/* Without /sys it looks as if the module were not loaded. */
static int open_unloaded_as_nobody(void *arg)
{
	(void)arg;
	if (lib_own_mounts() || lib_hide("/dev") || lib_hide("/sys") ||
	    be_user(NOBODY, NOBODY))
		return 255;
	return open_result(0);
}

static int open_without_module(void *arg)
{
	(void)arg;
	if (lib_own_mounts() || lib_hide("/dev") || lib_hide("/lib/modules"))
		return 255;
	return open_result(0);
}

/* As if it were not loaded, and with a line in modprobe.d. */
static int open_with_line(void *arg)
{
	FILE *conf;

	if (lib_own_mounts() || lib_hide("/dev") || lib_hide("/sys") ||
	    lib_hide("/run") || mkdir("/run/modprobe.d", 0755))
		return 255;
	conf = fopen("/run/modprobe.d/lib_open.conf", "we");
	if (!conf || fputs(arg, conf) < 0 || fclose(conf))
		return 255;
	return open_result(0);
}

struct open_way {
	int (*open)(void *arg);
	void *arg;
};

static int open_silently(void *arg)
{
	struct open_way *way = arg;
	int pipefd[2], result;
	char c;

	if (pipe(pipefd) || dup2(pipefd[1], 1) < 0 || dup2(pipefd[1], 2) < 0)
		return 255;
	close(pipefd[1]);
	result = way->open(way->arg);
	close(1);
	close(2);
	return read(pipefd[0], &c, 1) ? 254 : result;
}

FIXTURE(lib_load) {
	struct stat st;
};

FIXTURE_SETUP(lib_load)
{
	if (geteuid())
		SKIP(return, "needs root, to take rights and files away");
	ASSERT_EQ(0, stat("/dev/sva", &self->st));
}

FIXTURE_TEARDOWN(lib_load)
{
}

TEST_F(lib_load, no_right_to_node)
{
	if (self->st.st_mode & 0007)
		SKIP(return, "everybody may open /dev/sva here");
	EXPECT_EQ(EACCES, lib_in_child(open_as_nobody, NULL));
}

/* Nothing else is needed */
TEST_F(lib_load, group_suffices)
{
	if (!(self->st.st_mode & 0060))
		SKIP(return, "no udev rule gives /dev/sva to a group here");
	EXPECT_EQ(0, lib_in_child(open_in_group, &self->st.st_gid));
}

TEST_F(lib_load, no_node_no_load)
{
	unsigned int flags = SVA_OPEN_NO_LOAD;

	EXPECT_EQ(ENOENT, lib_in_child(open_without_node, &flags));
}

TEST_F(lib_load, loaded_but_no_node)
{
	unsigned int flags = 0;

	EXPECT_EQ(ENODEV, lib_in_child(open_without_node, &flags));
}

TEST_F(lib_load, may_not_load)
{
	EXPECT_EQ(EPERM, lib_in_child(open_unloaded_as_nobody, NULL));
}

TEST_F(lib_load, no_module)
{
	EXPECT_EQ(ENOENT, lib_in_child(open_without_module, NULL));
}

TEST_F(lib_load, blacklisted)
{
	EXPECT_EQ(EPERM, lib_in_child(open_with_line, "blacklist sva\n"));
}

TEST_F(lib_load, prints_nothing)
{
	struct open_way way = { open_without_module, NULL };

	EXPECT_EQ(ENOENT, lib_in_child(open_silently, &way));
}

/* libkmod has something to say about that. */
TEST_F(lib_load, command_fails)
{
	struct open_way way = { open_with_line, "install sva exit 3\n" };

	EXPECT_EQ(EINVAL, lib_in_child(open_silently, &way));
}

TEST_HARNESS_MAIN
