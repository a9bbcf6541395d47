// SPDX-License-Identifier: GPL-2.0-only
/*
 * SVA_IOVA_MAP_FILE without a device: which files, with which rights and seals.
 */
#include <linux/memfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "sva_core.h"
#include "kselftest_harness.h"

#define PAGES	16

FIXTURE(iova_file) {
	struct core_counts before;
	int fd;
	uint32_t as;
	int file;
};

FIXTURE_SETUP(iova_file)
{
	self->before = core_counts();
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, sva_as_alloc(self->fd, &self->as));
	self->file = memfd_create("sva", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ASSERT_LE(0, self->file);
	ASSERT_EQ(0, ftruncate(self->file, PAGES * CORE_PAGE));
}

FIXTURE_TEARDOWN(iova_file)
{
	EXPECT_LE(0, iova_unmap_all(self->fd, self->as));
	EXPECT_EQ(self->before.pinned, core_count("pinned_pages"));
	close(self->file);
	close(self->fd);
	EXPECT_TRUE(core_settles(&self->before));
}

static int map_file(int fd, uint32_t as, int file, uint32_t access)
{
	uint64_t iova = 0;

	return iova_map_file(fd, as, access, file, 0, CORE_PAGE, &iova);
}

#define MAP(_file, _access) map_file(self->fd, self->as, _file, _access)

static int map_range(int fd, uint32_t as, int file, uint64_t start,
		     uint64_t length)
{
	uint64_t iova = 0;

	return iova_map_file(fd, as, CORE_RW, file, start, length, &iova);
}

#define RANGE(_start, _length) \
	map_range(self->fd, self->as, self->file, _start, _length)

TEST_F(iova_file, memfd)
{
	EXPECT_EQ(0, RANGE(0, PAGES * CORE_PAGE));
	EXPECT_EQ(self->before.pinned + PAGES, core_count("pinned_pages"));
	EXPECT_EQ(0, RANGE(3 * CORE_PAGE, CORE_PAGE));
	EXPECT_EQ(0, RANGE((PAGES - 1) * CORE_PAGE, CORE_PAGE));
	EXPECT_EQ(self->before.pinned + PAGES + 2, core_count("pinned_pages"));
}

TEST_F(iova_file, fixed)
{
	uint64_t iova = 1ULL << 30;

	EXPECT_EQ(0, iova_map_file(self->fd, self->as,
				   CORE_RW | SVA_IOVA_F_FIXED, self->file, 0,
				   2 * CORE_PAGE, &iova));
	EXPECT_EQ(1ULL << 30, iova);
	iova += CORE_PAGE;
	EXPECT_EQ(-EEXIST, iova_map_file(self->fd, self->as,
					 CORE_RW | SVA_IOVA_F_FIXED, self->file,
					 0, CORE_PAGE, &iova));
	EXPECT_EQ(2 * CORE_PAGE,
		  iova_unmap(self->fd, self->as, 1ULL << 30, 2 * CORE_PAGE));
}

TEST_F(iova_file, bad_ranges)
{
	uint64_t iova = -CORE_PAGE;

	EXPECT_EQ(-EINVAL, RANGE(0, 0));
	EXPECT_EQ(-EINVAL, RANGE(1, CORE_PAGE));
	EXPECT_EQ(-EINVAL, RANGE(0, CORE_PAGE + 1));
	EXPECT_EQ(-EOVERFLOW, RANGE(-CORE_PAGE, 2 * CORE_PAGE));
	EXPECT_EQ(-EOVERFLOW, iova_map_file(self->fd, self->as,
					    CORE_RW | SVA_IOVA_F_FIXED,
					    self->file, 0, 2 * CORE_PAGE,
					    &iova));
	EXPECT_EQ(-EINVAL, MAP(self->file, 0));
}

TEST_F(iova_file, beyond_the_end)
{
	EXPECT_EQ(-ERANGE, RANGE(PAGES * CORE_PAGE, CORE_PAGE));
	EXPECT_EQ(-ERANGE, RANGE((PAGES - 1) * CORE_PAGE, 2 * CORE_PAGE));
	EXPECT_EQ(-ERANGE, RANGE(0, (PAGES + 1) * CORE_PAGE));
	EXPECT_EQ(-ERANGE, RANGE(1ULL << 62, CORE_PAGE));
	EXPECT_EQ(-ERANGE, RANGE((1ULL << 63) - CORE_PAGE, CORE_PAGE));
	EXPECT_EQ(-ERANGE, RANGE(1ULL << 63, CORE_PAGE));
	EXPECT_EQ(-ERANGE, RANGE(-CORE_PAGE, CORE_PAGE));
	/* A last page that is only partly there is not. */
	ASSERT_EQ(0, ftruncate(self->file, 2 * CORE_PAGE + 100));
	EXPECT_EQ(-ERANGE, RANGE(2 * CORE_PAGE, CORE_PAGE));
	EXPECT_EQ(0, RANGE(0, 2 * CORE_PAGE));
}

TEST_F(iova_file, holes_are_filled)
{
	struct stat st;

	ASSERT_EQ(0, fstat(self->file, &st));
	EXPECT_EQ(0, st.st_blocks);
	EXPECT_EQ(0, RANGE(0, PAGES * CORE_PAGE));
	ASSERT_EQ(0, fstat(self->file, &st));
	EXPECT_EQ(PAGES * CORE_PAGE / 512, st.st_blocks);
}

TEST_F(iova_file, closed_afterwards)
{
	EXPECT_EQ(0, RANGE(0, PAGES * CORE_PAGE));
	close(self->file);
	self->file = -1;
	EXPECT_EQ(self->before.pinned + PAGES, core_count("pinned_pages"));
	EXPECT_EQ(PAGES * CORE_PAGE, iova_unmap_all(self->fd, self->as));
}

/* What was mapped stays what it is. */
TEST_F(iova_file, truncated_afterwards)
{
	EXPECT_EQ(0, RANGE(0, PAGES * CORE_PAGE));
	EXPECT_EQ(0, ftruncate(self->file, 0));
	EXPECT_EQ(self->before.pinned + PAGES, core_count("pinned_pages"));
	EXPECT_EQ(-ERANGE, RANGE(0, CORE_PAGE));
}

/* --- what is not memory -------------------------------------------------------- */

TEST_F(iova_file, bad_descriptors)
{
	int path = open("/proc/self/exe", O_PATH | O_CLOEXEC);

	EXPECT_EQ(-EBADF, MAP(-1, CORE_RW));
	EXPECT_EQ(-EBADF, MAP(1000000, CORE_RW));
	ASSERT_LE(0, path);
	EXPECT_EQ(-EBADF, MAP(path, SVA_IOVA_F_READ));
	close(path);
}

TEST_F(iova_file, other_files)
{
	static const char * const names[] = {
		"/dev/null", "/dev/zero", "/proc/self/maps", "/sys", "/dev/shm",
		"/proc/self/exe",
	};
	unsigned int i;
	int file, pair[2];

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		file = open(names[i], O_RDONLY | O_CLOEXEC);
		ASSERT_LE(0, file);
		EXPECT_EQ(-ENODEV, MAP(file, SVA_IOVA_F_READ));
		close(file);
	}
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	EXPECT_EQ(-ENODEV, MAP(pair[0], CORE_RW));
	close(pair[0]);
	close(pair[1]);
	ASSERT_EQ(0, pipe(pair));
	EXPECT_EQ(-ENODEV, MAP(pair[0], SVA_IOVA_F_READ));
	close(pair[0]);
	close(pair[1]);
	EXPECT_EQ(-ENODEV, MAP(self->fd, CORE_RW));
}

TEST_F(iova_file, file_on_disk)
{
	char path[] = "/mnt/sva-XXXXXX";
	int file = mkostemp(path, O_CLOEXEC);

	if (file < 0)
		SKIP(return, "there is no disk at /mnt");
	unlink(path);
	ASSERT_EQ(0, ftruncate(file, CORE_PAGE));
	EXPECT_EQ(-ENODEV, MAP(file, CORE_RW));
	EXPECT_EQ(-ENODEV, MAP(file, SVA_IOVA_F_READ));
	close(file);
}

TEST_F(iova_file, secret_memory)
{
	int file = syscall(SYS_memfd_secret, 0);

	if (file < 0)
		SKIP(return, "this kernel has no secret memory");
	ASSERT_EQ(0, ftruncate(file, CORE_PAGE));
	EXPECT_EQ(-ENODEV, MAP(file, CORE_RW));
	close(file);
}

/* --- rights ------------------------------------------------------------------- */

static int tmpfs_file(char *path, mode_t mode)
{
	int file = mkostemp(path, O_CLOEXEC);

	if (file < 0 || ftruncate(file, CORE_PAGE) || fchmod(file, mode))
		return -1;
	return file;
}

TEST_F(iova_file, as_it_was_opened)
{
	char path[] = "/dev/shm/sva-XXXXXX";
	int file = tmpfs_file(path, 0600);
	int ro = open(path, O_RDONLY | O_CLOEXEC);
	int wo = open(path, O_WRONLY | O_CLOEXEC);

	ASSERT_LE(0, file);
	ASSERT_LE(0, ro);
	ASSERT_LE(0, wo);
	EXPECT_EQ(0, MAP(file, CORE_RW));
	EXPECT_EQ(0, MAP(ro, SVA_IOVA_F_READ));
	EXPECT_EQ(-EACCES, MAP(ro, CORE_RW));
	EXPECT_EQ(-EACCES, MAP(ro, SVA_IOVA_F_WRITE));
	EXPECT_EQ(-EACCES, MAP(wo, SVA_IOVA_F_WRITE));
	EXPECT_EQ(-EACCES, MAP(wo, SVA_IOVA_F_READ));
	EXPECT_EQ(-EACCES, MAP(wo, CORE_RW));
	unlink(path);
	close(file);
	close(ro);
	close(wo);
}

/* How it was opened counts, not what its mode has become since. */
TEST_F(iova_file, mode_changed_after_open)
{
	char path[] = "/dev/shm/sva-XXXXXX";
	int file = tmpfs_file(path, 0444);

	ASSERT_LE(0, file);
	EXPECT_EQ(0, MAP(file, CORE_RW));
	unlink(path);
	close(file);
}

static int open_as_nobody(const char *path, int flags)
{
	int fd;

	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		return -1;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A user who may only read a file cannot get it mapped for writing. */
TEST_F(iova_file, read_only_for_the_user)
{
	char path[] = "/dev/shm/sva-XXXXXX";
	int file = tmpfs_file(path, 0444), ro, status;
	pid_t pid;

	ASSERT_LE(0, file);
	pid = fork();
	if (!pid) {
		if (open_as_nobody(path, O_RDWR) != -EACCES)
			_exit(1);
		ro = open(path, O_RDONLY | O_CLOEXEC);
		if (ro < 0)
			_exit(2);
		if (MAP(ro, CORE_RW) != -EACCES)
			_exit(3);
		if (MAP(ro, SVA_IOVA_F_WRITE) != -EACCES)
			_exit(4);
		_exit(MAP(ro, SVA_IOVA_F_READ) ? 5 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	unlink(path);
	close(file);
}

/* --- seals -------------------------------------------------------------------- */

TEST_F(iova_file, sealed_against_writing)
{
	ASSERT_EQ(0, fcntl(self->file, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(-EPERM, MAP(self->file, CORE_RW));
	EXPECT_EQ(-EPERM, MAP(self->file, SVA_IOVA_F_WRITE));
	EXPECT_EQ(0, MAP(self->file, SVA_IOVA_F_READ));
}

TEST_F(iova_file, sealed_against_future_writing)
{
	ASSERT_EQ(0, fcntl(self->file, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	EXPECT_EQ(-EPERM, MAP(self->file, CORE_RW));
	EXPECT_EQ(-EPERM, MAP(self->file, SVA_IOVA_F_WRITE));
	EXPECT_EQ(0, MAP(self->file, SVA_IOVA_F_READ));
}

TEST_F(iova_file, other_seals)
{
	ASSERT_EQ(0, fcntl(self->file, F_ADD_SEALS,
			   F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL));
	EXPECT_EQ(0, MAP(self->file, CORE_RW));
}

TEST_F(iova_file, sealed_while_mapped)
{
	EXPECT_EQ(0, MAP(self->file, CORE_RW));
	EXPECT_EQ(-1, fcntl(self->file, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(CORE_PAGE, iova_unmap_all(self->fd, self->as));
	EXPECT_EQ(0, fcntl(self->file, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(-EPERM, MAP(self->file, CORE_RW));
}

/* Memory of a sealed file that is mapped into the process is no way around. */
TEST_F(iova_file, sealed_and_mapped_into_the_process)
{
	uint64_t iova = 0;
	char *p;

	ASSERT_EQ(0, fcntl(self->file, F_ADD_SEALS, F_SEAL_WRITE));
	p = mmap(NULL, CORE_PAGE, PROT_READ, MAP_SHARED, self->file, 0);
	ASSERT_NE(MAP_FAILED, (void *)p);
	EXPECT_EQ(-EFAULT, sva_map(self->fd, self->as, CORE_RW, p, CORE_PAGE,
				   &iova));
	EXPECT_EQ(-1, mprotect(p, CORE_PAGE, PROT_READ | PROT_WRITE));
	munmap(p, CORE_PAGE);
}

/* --- huge pages ---------------------------------------------------------------- */

static int write_number(const char *path, long value)
{
	FILE *f = fopen(path, "we");
	int ret;

	if (!f)
		return -errno;
	ret = fprintf(f, "%ld\n", value) < 0;
	return fclose(f) || ret ? -EIO : 0;
}

FIXTURE(iova_hugetlb) {
	struct core_counts before;
	int fd;
	uint32_t as;
	int file;
	long had;
};

#define NR_HUGE "/proc/sys/vm/nr_hugepages"

FIXTURE_SETUP(iova_hugetlb)
{
	self->before = core_counts();
	self->file = -1;
	self->had = sva_read_number(NR_HUGE);
	if (self->had < 0 || write_number(NR_HUGE, self->had + 3) ||
	    sva_read_number(NR_HUGE) != self->had + 3) {
		write_number(NR_HUGE, self->had);
		self->fd = -1;
		SKIP(return, "no huge pages can be had");
	}
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, sva_as_alloc(self->fd, &self->as));
	self->file = memfd_create("sva", MFD_CLOEXEC | MFD_HUGETLB |
				  MFD_HUGE_2MB | MFD_ALLOW_SEALING);
	ASSERT_LE(0, self->file);
	ASSERT_EQ(0, ftruncate(self->file, 2 * CORE_2M));
}

FIXTURE_TEARDOWN(iova_hugetlb)
{
	close(self->file);
	close(self->fd);
	EXPECT_TRUE(core_settles(&self->before));
	write_number(NR_HUGE, self->had);
	EXPECT_EQ(self->had, sva_read_number(NR_HUGE));
}

TEST_F(iova_hugetlb, whole_and_part)
{
	EXPECT_EQ(0, RANGE(0, 2 * CORE_2M));
	EXPECT_EQ(self->before.pinned + 1024, core_count("pinned_pages"));
	/* Any part, not only whole huge pages. */
	EXPECT_EQ(0, RANGE(CORE_2M - CORE_PAGE, 2 * CORE_PAGE));
	EXPECT_EQ(0, RANGE(5 * CORE_PAGE, CORE_PAGE));
	EXPECT_EQ(self->before.pinned + 1027, core_count("pinned_pages"));
	EXPECT_EQ(-ERANGE, RANGE(CORE_2M, CORE_2M + CORE_PAGE));
	EXPECT_EQ(-EINVAL, RANGE(CORE_2M + 1, CORE_2M));
	EXPECT_EQ(2 * CORE_2M + 3 * CORE_PAGE,
		  iova_unmap_all(self->fd, self->as));
}

TEST_F(iova_hugetlb, memory_of_the_process)
{
	uint64_t iova = 0;
	char *p = mmap(NULL, 2 * CORE_2M, PROT_READ | PROT_WRITE, MAP_SHARED,
		       self->file, 0);

	ASSERT_NE(MAP_FAILED, (void *)p);
	EXPECT_EQ(0, sva_map(self->fd, self->as, CORE_RW, p, 2 * CORE_2M,
			     &iova));
	EXPECT_EQ(0, (iova ^ (uintptr_t)p) & (CORE_2M - 1));
	EXPECT_EQ(0, sva_map(self->fd, self->as, CORE_RW, p + CORE_PAGE,
			     CORE_2M, &iova));
	munmap(p, 2 * CORE_2M);
}

TEST_F(iova_hugetlb, seals)
{
	ASSERT_EQ(0, fcntl(self->file, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	EXPECT_EQ(-EPERM, MAP(self->file, CORE_RW));
	EXPECT_EQ(0, MAP(self->file, SVA_IOVA_F_READ));
	EXPECT_EQ(0, fcntl(self->file, F_GET_SEALS) & F_SEAL_WRITE);
}

/* There are none for the third. */
TEST_F(iova_hugetlb, more_than_there_are)
{
	ASSERT_EQ(0, ftruncate(self->file, 64 * CORE_2M));
	EXPECT_GT(0, RANGE(0, 64 * CORE_2M));
	EXPECT_EQ(self->before.pinned, core_count("pinned_pages"));
	EXPECT_EQ(0, RANGE(0, CORE_2M));
}

TEST_HARNESS_MAIN
