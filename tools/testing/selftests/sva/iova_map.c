// SPDX-License-Identifier: GPL-2.0-only
/*
 * SVA_IOVA_MAP without a device: which memory, which addresses, and each error.
 */
#include <dirent.h>
#include <linux/memfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "sva_core.h"
#include "kselftest_harness.h"

#define IOVA	(1ULL << 30)

FIXTURE(iova_map) {
	struct core_counts before;
	int fd;
	uint32_t as;
	char *p;			/* 16 pages */
};

FIXTURE_SETUP(iova_map)
{
	self->before = core_counts();
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, sva_as_alloc(self->fd, &self->as));
	self->p = sva_mem(16 * CORE_PAGE);
	ASSERT_NE(NULL, self->p);
}

/* What failed has left nothing behind, what succeeded can be unmapped. */
FIXTURE_TEARDOWN(iova_map)
{
	EXPECT_LE(0, iova_unmap_all(self->fd, self->as));
	EXPECT_EQ(self->before.pinned, core_count("pinned_pages"));
	EXPECT_EQ(0, sva_destroy(self->fd, self->as));
	close(self->fd);
	EXPECT_TRUE(core_settles(&self->before));
}

#define MAP(_va, _length, _iova) \
	iova_map_at(self->fd, self->as, CORE_RW, _va, _length, _iova)
#define MAP_RO(_va, _length, _iova) \
	iova_map_at(self->fd, self->as, SVA_IOVA_F_READ, _va, _length, _iova)

TEST_F(iova_map, map_and_unmap)
{
	ASSERT_EQ(0, MAP(self->p, 16 * CORE_PAGE, IOVA));
	EXPECT_EQ(self->before.pinned + 16, core_count("pinned_pages"));
	EXPECT_EQ(16 * CORE_PAGE,
		  iova_unmap(self->fd, self->as, IOVA, 16 * CORE_PAGE));
	EXPECT_EQ(self->before.pinned, core_count("pinned_pages"));
	EXPECT_EQ(-ENOENT, iova_unmap(self->fd, self->as, IOVA, CORE_PAGE));
}

TEST_F(iova_map, each_access)
{
	static const uint32_t access[] = {
		SVA_IOVA_F_READ, SVA_IOVA_F_WRITE, CORE_RW,
	};
	unsigned int i;

	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, iova_map_at(self->fd, self->as, access[i], self->p,
					 CORE_PAGE, IOVA + i * CORE_PAGE));
	EXPECT_EQ(-EINVAL, iova_map_at(self->fd, self->as, 0, self->p,
				       CORE_PAGE, 2 * IOVA));
}

TEST_F(iova_map, the_same_memory_often)
{
	int i;

	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, MAP(self->p, CORE_PAGE, IOVA + i * CORE_PAGE));
	EXPECT_EQ(self->before.pinned + 100, core_count("pinned_pages"));
}

TEST_F(iova_map, unaligned)
{
	EXPECT_EQ(-EINVAL, MAP(self->p + 1, CORE_PAGE, IOVA));
	EXPECT_EQ(-EINVAL, MAP(self->p + 2048, CORE_PAGE, IOVA));
	EXPECT_EQ(-EINVAL, MAP(self->p, CORE_PAGE + 1, IOVA));
	EXPECT_EQ(-EINVAL, MAP(self->p, 1, IOVA));
	EXPECT_EQ(-EINVAL, MAP(self->p, 0, IOVA));
	EXPECT_EQ(-EINVAL, MAP(self->p, CORE_PAGE, IOVA + 1));
	EXPECT_EQ(-EINVAL, MAP(self->p, CORE_PAGE, IOVA + 2048));
}

TEST_F(iova_map, wrap_around)
{
	char *end = (char *)-CORE_PAGE;

	EXPECT_EQ(-EOVERFLOW, MAP(self->p, 2 * CORE_PAGE, -CORE_PAGE));
	EXPECT_EQ(-EOVERFLOW, MAP(self->p, -CORE_PAGE, 2 * CORE_PAGE));
	/* 32-bit programs have no pointer to there. */
	if (sizeof(end) == sizeof(uint64_t)) {
		EXPECT_EQ(-EOVERFLOW, MAP(end, 2 * CORE_PAGE, IOVA));
	}
	EXPECT_EQ(-EOVERFLOW, MAP(self->p, -CORE_PAGE, 0));
	/* The last page of the address space does not wrap. */
	EXPECT_EQ(0, MAP(self->p, CORE_PAGE, -CORE_PAGE));
	EXPECT_EQ(CORE_PAGE,
		  iova_unmap(self->fd, self->as, -CORE_PAGE, CORE_PAGE));
}

TEST_F(iova_map, iova_0)
{
	EXPECT_EQ(0, MAP(self->p, CORE_PAGE, 0));
	EXPECT_EQ(-EEXIST, MAP(self->p, CORE_PAGE, 0));
	EXPECT_EQ(CORE_PAGE, iova_unmap(self->fd, self->as, 0, CORE_PAGE));
}

TEST_F(iova_map, overlap)
{
	unsigned int first, n;

	ASSERT_EQ(0, MAP(self->p, 4 * CORE_PAGE, IOVA + 4 * CORE_PAGE));
	for (first = 0; first < 12; first++) {
		for (n = 1; n <= 12 - first; n++) {
			bool overlaps = first < 8 && first + n > 4;
			int ret = MAP(self->p, n * CORE_PAGE,
				      IOVA + first * CORE_PAGE);

			ASSERT_EQ(overlaps ? -EEXIST : 0, ret);
			if (!ret)
				ASSERT_LT(0, iova_unmap(self->fd, self->as,
							IOVA + first * CORE_PAGE,
							n * CORE_PAGE));
		}
	}
	EXPECT_EQ(self->before.pinned + 4, core_count("pinned_pages"));
}

/* --- memory that cannot be used ------------------------------------------------ */

TEST_F(iova_map, nothing_there)
{
	ASSERT_EQ(0, munmap(self->p + 8 * CORE_PAGE, CORE_PAGE));
	EXPECT_EQ(-EFAULT, MAP(self->p + 8 * CORE_PAGE, CORE_PAGE, IOVA));
	EXPECT_EQ(-EFAULT, MAP(self->p, 16 * CORE_PAGE, IOVA));
	EXPECT_EQ(-EFAULT, MAP(NULL, CORE_PAGE, IOVA));
	EXPECT_EQ(self->before.pinned, core_count("pinned_pages"));
	/* Nothing is left of the attempts. */
	EXPECT_EQ(0, MAP(self->p, 8 * CORE_PAGE, IOVA));
}

TEST_F(iova_map, kernel_addresses)
{
	EXPECT_EQ(-EFAULT, MAP((void *)0xffff888000000000, CORE_PAGE, IOVA));
	EXPECT_EQ(-EFAULT, MAP((void *)0xffffffff81000000, CORE_PAGE, IOVA));
	EXPECT_EQ(-EFAULT, MAP((void *)0x800000000000, CORE_PAGE, IOVA));
	EXPECT_EQ(-EFAULT, MAP((void *)-CORE_PAGE, CORE_PAGE, IOVA));
	/* So long that no address space has it. */
	EXPECT_EQ(-EFAULT, MAP(self->p, 1ULL << 60, IOVA));
}

TEST_F(iova_map, no_access)
{
	ASSERT_EQ(0, mprotect(self->p + CORE_PAGE, CORE_PAGE, PROT_NONE));
	EXPECT_EQ(-EFAULT, MAP(self->p + CORE_PAGE, CORE_PAGE, IOVA));
	EXPECT_EQ(-EFAULT, MAP_RO(self->p + CORE_PAGE, CORE_PAGE, IOVA));
	EXPECT_EQ(-EFAULT, MAP(self->p, 3 * CORE_PAGE, IOVA));
}

TEST_F(iova_map, read_only_memory)
{
	ASSERT_EQ(0, mprotect(self->p, CORE_PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, MAP(self->p, CORE_PAGE, IOVA));
	EXPECT_EQ(-EFAULT, iova_map_at(self->fd, self->as, SVA_IOVA_F_WRITE,
				       self->p, CORE_PAGE, IOVA));
	EXPECT_EQ(0, MAP_RO(self->p, CORE_PAGE, IOVA));
}

/* The page of zeros that all share must not be what is pinned. */
TEST_F(iova_map, untouched_memory_is_not_the_shared_zero_page)
{
	ASSERT_EQ(0, self->p[0]);
	EXPECT_EQ(0, MAP_RO(self->p, CORE_PAGE, IOVA));
	EXPECT_EQ(self->before.pinned + 1, core_count("pinned_pages"));
}

static char *find_special(const char *name)
{
	unsigned long start;
	char line[256];
	char *found = NULL;
	FILE *f = fopen("/proc/self/maps", "re");

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, name) && sscanf(line, "%lx", &start) == 1)
			found = (char *)start;
	if (f)
		fclose(f);
	return found;
}

TEST_F(iova_map, kernel_data_page)
{
	char *vvar = find_special("[vvar]");

	if (!vvar)
		SKIP(return, "this process has no [vvar]");
	EXPECT_EQ(-ENXIO, MAP_RO(vvar, CORE_PAGE, IOVA));
	EXPECT_NE(0, MAP(vvar, CORE_PAGE, IOVA));
}

/* Maps the first memory BAR of any PCI device. */
static void *map_bar(void)
{
	const char *dir = "/sys/bus/pci/devices";
	void *p = MAP_FAILED;
	struct dirent *e;
	char path[512];
	struct stat st;
	DIR *d = opendir(dir);
	int i, fd;

	while (d && p == MAP_FAILED && (e = readdir(d))) {
		for (i = 0; i < 6 && p == MAP_FAILED; i++) {
			snprintf(path, sizeof(path), "%s/%s/resource%d", dir,
				 e->d_name, i);
			fd = open(path, O_RDWR | O_CLOEXEC);
			if (fd < 0)
				continue;
			if (!fstat(fd, &st) && st.st_size >= (off_t)CORE_PAGE)
				p = mmap(NULL, CORE_PAGE, PROT_READ | PROT_WRITE,
					 MAP_SHARED, fd, 0);
			close(fd);
		}
	}
	if (d)
		closedir(d);
	return p == MAP_FAILED ? NULL : p;
}

TEST_F(iova_map, device_memory)
{
	char *bar = map_bar();

	if (!bar)
		SKIP(return, "no PCI device has memory that can be mapped");
	EXPECT_EQ(-ENXIO, MAP(bar, CORE_PAGE, IOVA));
	EXPECT_EQ(-ENXIO, MAP_RO(bar, CORE_PAGE, IOVA));
	/* Behind memory that is all right, too. */
	ASSERT_EQ(self->p + 4 * CORE_PAGE,
		  mremap(bar, CORE_PAGE, CORE_PAGE,
			 MREMAP_MAYMOVE | MREMAP_FIXED,
			 self->p + 4 * CORE_PAGE));
	EXPECT_EQ(-ENXIO, MAP(self->p, 16 * CORE_PAGE, IOVA));
	EXPECT_EQ(self->before.pinned, core_count("pinned_pages"));
}

TEST_F(iova_map, secret_memory)
{
	int fd = syscall(SYS_memfd_secret, 0);
	char *p;

	if (fd < 0)
		SKIP(return, "this kernel has no secret memory");
	ASSERT_EQ(0, ftruncate(fd, CORE_PAGE));
	p = mmap(NULL, CORE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, (void *)p);
	*p = 1;
	EXPECT_EQ(-EFAULT, MAP(p, CORE_PAGE, IOVA));
	munmap(p, CORE_PAGE);
	close(fd);
}

/* --- memory of files ----------------------------------------------------------- */

static int disk_file(size_t length)
{
	char path[] = "/mnt/sva-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0)
		return -1;
	unlink(path);
	return ftruncate(fd, length) ? -1 : fd;
}

TEST_F(iova_map, file_on_disk)
{
	int file = disk_file(4 * CORE_PAGE);
	char *p;

	if (file < 0)
		SKIP(return, "there is no disk at /mnt");
	p = mmap(NULL, 4 * CORE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file,
		 0);
	ASSERT_NE(MAP_FAILED, (void *)p);
	/* Its file system must learn of each write: devices do not tell. */
	EXPECT_EQ(-EFAULT, MAP(p, 4 * CORE_PAGE, IOVA));
	EXPECT_EQ(0, MAP_RO(p, 4 * CORE_PAGE, IOVA));
	/* Beyond its end. */
	ASSERT_EQ(0, ftruncate(file, CORE_PAGE));
	EXPECT_EQ(-EFAULT, MAP_RO(p + CORE_PAGE, CORE_PAGE, 2 * IOVA));
	munmap(p, 4 * CORE_PAGE);
	close(file);
}

/* A private mapping: what is written is a copy, the file stays as it is. */
TEST_F(iova_map, private_file_on_disk)
{
	int file = disk_file(CORE_PAGE);
	char *p, byte = 'x';

	if (file < 0)
		SKIP(return, "there is no disk at /mnt");
	ASSERT_EQ(1, pwrite(file, &byte, 1, 0));
	p = mmap(NULL, CORE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	ASSERT_NE(MAP_FAILED, (void *)p);
	EXPECT_EQ(0, MAP(p, CORE_PAGE, IOVA));
	*p = 'y';
	ASSERT_EQ(1, pread(file, &byte, 1, 0));
	EXPECT_EQ('x', byte);
	munmap(p, CORE_PAGE);
	close(file);
}

TEST_F(iova_map, memfd)
{
	int file = memfd_create("sva", MFD_CLOEXEC);
	char *p;

	ASSERT_EQ(0, ftruncate(file, 4 * CORE_PAGE));
	p = mmap(NULL, 4 * CORE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file,
		 0);
	ASSERT_NE(MAP_FAILED, (void *)p);
	EXPECT_EQ(0, MAP(p, 4 * CORE_PAGE, IOVA));
	munmap(p, 4 * CORE_PAGE);
	close(file);
	EXPECT_EQ(self->before.pinned + 4, core_count("pinned_pages"));
}

TEST_F(iova_map, memory_shared_read_only)
{
	int file = memfd_create("sva", MFD_CLOEXEC);
	char *p;

	ASSERT_EQ(0, ftruncate(file, CORE_PAGE));
	p = mmap(NULL, CORE_PAGE, PROT_READ, MAP_SHARED, file, 0);
	ASSERT_NE(MAP_FAILED, (void *)p);
	EXPECT_EQ(-EFAULT, MAP(p, CORE_PAGE, IOVA));
	EXPECT_EQ(0, MAP_RO(p, CORE_PAGE, IOVA));
	munmap(p, CORE_PAGE);
	close(file);
}

TEST_F(iova_map, file_on_dax)
{
	char path[] = "/run/sva-dax-XXXXXX", cmd[200], name[64];
	char *p;
	int fd;

	if (access("/dev/pmem0", W_OK))
		SKIP(return, "no persistent memory; boot with memmap=256M!1G");
	ASSERT_NE(NULL, mkdtemp(path));
	snprintf(cmd, sizeof(cmd),
		 "mke2fs -q -t ext4 -b 4096 /dev/pmem0 && mount -o dax=always /dev/pmem0 %s",
		 path);
	ASSERT_EQ(0, system(cmd));
	snprintf(name, sizeof(name), "%s/file", path);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, posix_fallocate(fd, 0, CORE_PAGE));
	p = mmap(NULL, CORE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, (void *)p);
	EXPECT_EQ(-EOPNOTSUPP, MAP_RO(p, CORE_PAGE, IOVA));
	EXPECT_NE(0, MAP(p, CORE_PAGE, IOVA));
	munmap(p, CORE_PAGE);
	close(fd);
	snprintf(cmd, sizeof(cmd), "umount %s && rmdir %s", path, path);
	EXPECT_EQ(0, system(cmd));
}

/* --- large ones ---------------------------------------------------------------- */

TEST_F(iova_map, huge_pages)
{
	char *p = core_huge_memory(8 * CORE_2M);

	if (!p)
		SKIP(return, "this kernel has no transparent huge pages");
	memset(p, 1, 8 * CORE_2M);
	ASSERT_EQ(0, MAP(p, 8 * CORE_2M, IOVA));
	EXPECT_EQ(self->before.pinned + 8 * 512, core_count("pinned_pages"));
	/* Parts that begin and end within one. */
	ASSERT_EQ(0, MAP(p + CORE_PAGE, 3 * CORE_2M, 2 * IOVA));
	ASSERT_EQ(0, MAP(p + 7 * CORE_PAGE, CORE_PAGE, 3 * IOVA));
	EXPECT_EQ(8 * CORE_2M,
		  iova_unmap(self->fd, self->as, IOVA, 8 * CORE_2M));
	munmap(p, 8 * CORE_2M);
}

TEST_F(iova_map, large)
{
	size_t length = 256UL << 20;
	char *p = sva_mem(length);

	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, MAP(p, length, IOVA));
	EXPECT_EQ(self->before.pinned + length / CORE_PAGE,
		  core_count("pinned_pages"));
	EXPECT_EQ(length, iova_unmap(self->fd, self->as, IOVA, length));
	munmap(p, length);
}

/* Small pages in no order: as many runs as pages. */
TEST_F(iova_map, scattered)
{
	size_t n = 4096, i;
	char *p = sva_mem(n * CORE_PAGE);

	ASSERT_NE(NULL, p);
	madvise(p, n * CORE_PAGE, MADV_NOHUGEPAGE);
	for (i = 0; i < n; i++)
		p[i * 1237 % n * CORE_PAGE] = 1;
	ASSERT_EQ(0, MAP(p, n * CORE_PAGE, IOVA));
	EXPECT_EQ(self->before.pinned + n, core_count("pinned_pages"));
	munmap(p, n * CORE_PAGE);
}

TEST_F(iova_map, many)
{
	int i, n = 5000;

	for (i = 0; i < n; i++)
		ASSERT_EQ(0, MAP(self->p, CORE_PAGE,
				 IOVA + i * 7919UL % n * 2 * CORE_PAGE));
	EXPECT_EQ(self->before.pinned + n, core_count("pinned_pages"));
	for (i = 0; i < n; i += 2)
		ASSERT_EQ(CORE_PAGE, iova_unmap(self->fd, self->as,
						IOVA + i * 2 * CORE_PAGE,
						CORE_PAGE));
	EXPECT_EQ(n / 2 * CORE_PAGE, iova_unmap_all(self->fd, self->as));
}

TEST_HARNESS_MAIN
